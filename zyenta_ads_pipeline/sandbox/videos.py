"""`/act_X/advideos`: videos in one piece, in chunks or by address; then they are processed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from zyenta_ads_pipeline.sandbox.asked import Asked
from zyenta_ads_pipeline.sandbox.call import Call
from zyenta_ads_pipeline.sandbox.desk import Desk
from zyenta_ads_pipeline.sandbox.graph_error import GraphError
from zyenta_ads_pipeline.sandbox.objects import Kind, Thing
from zyenta_ads_pipeline.sandbox.video_states import PROCESSING_SECONDS
from zyenta_ads_pipeline.sandbox.write_errors import missing, wrong

LARGEST_VIDEO = 1024**3
CHUNK = 4 * 1024 * 1024
OUTCOMES = ("ready", "error", "expired")
_PHASES = ("start", "transfer", "finish", "cancel")
_HOST = "https://scontent.sandbox.example"
_SUFFIXES = (".mp4", ".mov", ".m4v", ".webm", ".avi", ".mkv")


@dataclass(frozen=True)
class VideoPlan:
    """How the next videos come out of their processing, which takes `seconds`; then all well."""

    seconds: float = PROCESSING_SECONDS
    next: tuple[str, ...] = ()

    def changed(self, asked: Mapping[str, Any]) -> VideoPlan:
        """The plan with what a control call asks for; `ValueError` says what is wrong."""
        seconds, outcomes = asked.get("seconds", self.seconds), asked.get("next", self.next)
        if asked.keys() - {"seconds", "next"}:
            raise ValueError("give seconds, next or both")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds < 0:
            raise ValueError("seconds must be a number from 0 on")
        if not isinstance(outcomes, list | tuple) or set(outcomes) - set(OUTCOMES):
            raise ValueError(f"next must be a list out of {list(OUTCOMES)}")
        return VideoPlan(float(seconds), tuple(outcomes))

    def as_json(self) -> dict[str, Any]:
        """Itself as JSON."""
        return {"seconds": self.seconds, "next": list(self.next)}


@dataclass(frozen=True)
class VideoStep:
    """What a call did: the video as it stands then, Meta's answer, and whether it was finished."""

    video: Thing
    answer: dict[str, Any]
    finished: bool


def upload_video(call: Call, desk: Desk, plan: VideoPlan) -> VideoStep:
    """Take a video, or a step of an upload in chunks. Raises `GraphError`."""
    asked = desk.reads(call.params)
    title = asked.text("name") or asked.text("title") or ""
    phase = asked.choice("upload_phase", _PHASES)
    if phase == "start":
        return _start(asked, desk, title)
    if phase is not None:
        return _step(phase, call, asked, desk, plan, title)
    if call.files:
        content = call.files[0].content
        _check_size(len(content))
        video = _video(desk, title or call.files[0].name, len(content))
        video = _finished(video, desk, plan, good=looks_like_video(content))
    elif "file_url" in asked:
        video = _video(desk, title or asked.params["file_url"].rpartition("/")[2], 0)
        video = _finished(video, desk, plan, good=_is_video_address(asked.params["file_url"]))
    else:
        raise missing("source")
    return VideoStep(video, {"id": video.id}, finished=True)


def looks_like_video(content: bytes) -> bool:
    """Whether a file begins as MP4, MOV, WebM, Matroska or AVI do."""
    boxed = content[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free")
    return boxed or content.startswith(b"\x1aE\xdf\xa3") or content[8:12] == b"AVI "


def _start(asked: Asked, desk: Desk, title: str) -> VideoStep:
    asked.need("file_size")
    size = asked.whole("file_size", least=1) or 0
    _check_size(size)
    video = _video(desk, title, size)
    session = str(int(video.id) + 1)
    video = replace(video, attributes=video.attributes | {
        "upload_session_id": session, "received": 0, "good": False,
    })  # fmt: skip
    answer = {"upload_session_id": session, "video_id": video.id, **_offsets(0, size)}
    return VideoStep(video, answer, finished=False)


def _step(
    phase: str, call: Call, asked: Asked, desk: Desk, plan: VideoPlan, title: str
) -> VideoStep:
    asked.need("upload_session_id")
    video = next(
        (
            each
            for each in desk.objects.below(desk.account, Kind.VIDEO)
            if each.attributes.get("upload_session_id") == asked.params["upload_session_id"]
        ),
        None,
    )
    if video is None:
        raise wrong("upload_session_id", "There is no such upload session")
    if phase == "transfer":
        return _transfer(call, asked, video)
    without = {k: v for k, v in video.attributes.items() if k != "upload_session_id"}
    if phase == "cancel":
        cancelled = replace(video, status="DELETED", attributes=without)
        return VideoStep(cancelled, {"success": True}, finished=False)
    received, size = video.attributes["received"], video.attributes["size"]
    if received < size:
        raise _wrong_offset(received, size)
    named = replace(video, name=title or video.name, attributes=without)
    done = _finished(named, desk, plan, good=video.attributes["good"])
    return VideoStep(done, {"success": True}, finished=True)


def _transfer(call: Call, asked: Asked, video: Thing) -> VideoStep:
    asked.need("start_offset")
    received, size = video.attributes["received"], video.attributes["size"]
    chunk = call.files[0].content if call.files else b""
    start = asked.whole("start_offset")
    if start != received or received + len(chunk) > size:
        raise _wrong_offset(received, size)
    if not chunk:
        raise missing("video_file_chunk")
    good = looks_like_video(chunk) if received == 0 else video.attributes["good"]
    received += len(chunk)
    changed = replace(video, attributes=video.attributes | {"received": received, "good": good})
    return VideoStep(changed, _offsets(received, size), finished=False)


def _wrong_offset(received: int, size: int) -> GraphError:
    """The error of a chunk that does not join up; it tells where to go on."""
    return GraphError(
        6001,
        "There was a problem uploading your video. Please try again.",
        subcode=1363037,
        user_title="Wrong offset",
        user_msg="The chunk does not begin where the last one ended.",
        data=_offsets(received, size),
        transient=True,
    )


def _offsets(received: int, size: int) -> dict[str, str]:
    """Where the next chunk begins and ends; both are the size once nothing is missing."""
    return {"start_offset": str(received), "end_offset": str(min(received + CHUNK, size))}


def _video(desk: Desk, title: str, size: int) -> Thing:
    video_id = desk.new_id()
    attributes = {
        "title": title,
        "size": size,
        "length": round(max(size, 1) / 250_000, 3),
        "picture": f"{_HOST}/videos/{video_id}/picture.jpg",
        "source": f"{_HOST}/videos/{video_id}.mp4",
    }
    return desk.thing(Kind.VIDEO, title, id=video_id, attributes=attributes)


def _finished(video: Thing, desk: Desk, plan: VideoPlan, *, good: bool) -> Thing:
    planned = plan.next[0] if plan.next else "ready"
    return replace(video, attributes=video.attributes | {
        "title": video.name,
        "uploaded_at": desk.now.isoformat(),
        "processing_seconds": plan.seconds,
        "outcome": planned if good else "error",
    })  # fmt: skip


def thumbnails(video: Thing) -> list[dict[str, Any]]:
    """The pictures that Meta takes out of a video that is ready."""
    return [
        {
            "id": str(int(video.id) + number),
            "uri": f"{_HOST}/videos/{video.id}/thumbnails/{number}.jpg",
            "height": 720,
            "width": 1280,
            "scale": 1,
            "is_preferred": number == 2,
            "name": "",
        }
        for number in range(2, 5)
    ]


def _is_video_address(url: str) -> bool:
    """Nothing is fetched: the address alone decides."""
    if not url.startswith(("http://", "https://")):
        raise GraphError(389, "(#389) Unable to fetch video file from URL.")
    return url.partition("?")[0].lower().endswith(_SUFFIXES)


def _check_size(size: int) -> None:
    if size > LARGEST_VIDEO:
        raise GraphError(351, "(#351) There was a problem with your video file: it is too large.")
