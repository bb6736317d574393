"""What a video is worth at a moment: uploading, processing, ready, expired or broken."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from zyenta_ads_pipeline.sandbox.objects import Thing

PROCESSING_SECONDS = 30.0
_UPLOAD_LIFE = timedelta(hours=24)
_DONE, _RUNNING, _WAITING, _FAILED = "complete", "in_progress", "not_started", "error"


def video_status(video: Thing, now: datetime) -> dict[str, Any]:
    """The field `status`. An upload that is not finished within a day expires."""
    uploaded = video.attributes.get("uploaded_at")
    if uploaded is None:
        expired = now - video.created_time > _UPLOAD_LIFE
        return _phases("expired" if expired else "processing", _RUNNING, _WAITING, _WAITING)
    passed = now - datetime.fromisoformat(uploaded)
    if passed < timedelta(seconds=video.attributes["processing_seconds"]):
        return _phases("processing", _DONE, _RUNNING, _WAITING)
    outcome = video.attributes["outcome"]
    if outcome == "ready":
        return _phases("ready", _DONE, _DONE, _DONE)
    return _phases(outcome, _DONE, _FAILED, _WAITING)


def _phases(status: str, uploading: str, processing: str, publishing: str) -> dict[str, Any]:
    return {
        "video_status": status,
        "uploading_phase": {"status": uploading},
        "processing_phase": {"status": processing},
        "publishing_phase": {"status": publishing},
    }
