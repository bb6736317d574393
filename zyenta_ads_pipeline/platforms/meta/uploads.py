"""Images and videos on their way to an ad account.

An image goes in one call; the same content gives the same hash, so it may be sent again. A video
goes in chunks of Meta's choosing: a chunk that got lost is resumed where Meta says, and only the
last call, which gives the video its title, is sent once.
Source: Marketing API, "Ad image", "Ad video".
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Iterator, Mapping
from typing import Any

from zyenta_ads_pipeline.domain.errors import IncompleteData, InputError, NotFound
from zyenta_ads_pipeline.platforms.base import VideoStatus
from zyenta_ads_pipeline.platforms.meta.client import MetaClient, Purpose
from zyenta_ads_pipeline.platforms.meta.forms import Attachment
from zyenta_ads_pipeline.platforms.meta.header_values import json_object
from zyenta_ads_pipeline.platforms.meta.objects import told
from zyenta_ads_pipeline.platforms.meta.replies import RawReply, decoded, json_value
from zyenta_ads_pipeline.platforms.meta.usage import WRITE_POINTS

log = logging.getLogger(__name__)

_LARGEST_IMAGE = 30_000_000
_LARGEST_VIDEO = 1_000_000_000
_WRONG_OFFSET = 1363037
_RESUMES = 5
"""How often an upload may be sent back, or be left where it is, before it is given up."""
_VIDEOS_PER_PAGE = 100
_STATES = {
    "ready": "ready",
    "expired": "expired",
    "error": "error",
    "upload_failed": "error",
    "processing": "processing",
    "uploading": "processing",
    "upload_complete": "processing",
}


async def upload_image(client: MetaClient, account_id: str, content: bytes, name: str) -> str:
    """Upload an image of at most 30 MB; gives its hash, which holds in this account alone.

    `name` is what people see in the account's library.
    """
    _require_size(f"The image {name!r}", len(content), _LARGEST_IMAGE)
    reply = await client.read(
        f"act_{account_id}/adimages",
        {"bytes": base64.b64encode(content).decode(), "name": name},
        purpose=_purpose("image upload", account_id),
        decode=decoded,
        method="POST",
    )
    images = reply.body.get("images")
    # Under the file's name, under `bytes`, or under another: there is one.
    image = next(iter(images.values()), None) if isinstance(images, dict) else None
    if not isinstance(image, dict):
        raise IncompleteData(
            f"Meta's answer to {reply.request} names no image for {name!r}.",
            "Nothing is lost: upload it again.",
        )
    return told(image, "hash", reply)


async def upload_video(client: MetaClient, account_id: str, content: bytes, name: str) -> str:
    """Upload a video of at most 1 GB under the title `name`; gives its id.

    Raises `UnknownOutcome` when the last call may or may not have happened: `find_video` tells.
    """
    what = f"The video {name!r}"
    _require_size(what, len(content), _LARGEST_VIDEO)
    path = f"act_{account_id}/advideos"
    purpose = _purpose("video upload", account_id)
    begun = await client.read(
        path,
        {"upload_phase": "start", "file_size": str(len(content))},
        purpose=purpose,
        decode=decoded,
        method="POST",
    )
    session, video = (
        told(begun.body, "upload_session_id", begun),
        told(begun.body, "video_id", begun),
    )
    start, end = _offsets(begun.body, begun.request)
    resumes = 0
    while start != end:
        if not 0 <= start < end <= len(content):
            raise IncompleteData(
                f"{what} of {len(content)} bytes is asked for from {start} to {end}.",
                "Nothing was made of it; upload it again.",
            )
        before = start
        start, end = await client.read(
            path,
            {"upload_phase": "transfer", "upload_session_id": session, "start_offset": str(start)},
            purpose=purpose,
            decode=_next_offsets,
            method="POST",
            attached=Attachment("video_file_chunk", "chunk", content[start:end]),
        )
        resumes += start <= before
        if resumes > _RESUMES:
            raise IncompleteData(
                f"{what} does not get past byte {start} of {len(content)}.",
                "Nothing was made of it; upload it again.",
            )
    if start != len(content):
        raise IncompleteData(
            f"Meta took {start} of the {len(content)} bytes of the video {name!r}.",
            "Nothing was made of it; upload it again.",
        )
    await client.post(
        path,
        {"upload_phase": "finish", "upload_session_id": session, "title": name},
        purpose,
    )
    return video


async def find_video(client: MetaClient, account_id: str, token: str) -> str | None:
    """The id of the account's first video whose title contains the token."""
    replies = client.pages(
        f"act_{account_id}/advideos",
        {"fields": "id,title"},
        limit=_VIDEOS_PER_PAGE,
        purpose=Purpose("look-up", account_id, reserve=True),
    )
    async for reply in replies:
        for row in reply.body["data"]:
            if token in str(row.get("title", "")):
                return told(row, "id", reply)
    return None


async def video_status(client: MetaClient, video_id: str) -> VideoStatus:
    """Whether a video can be used, and once it can, a picture that Meta made of it."""
    purpose = Purpose("video status", reserve=True)
    reply = await client.read(
        video_id,
        {"fields": "status,picture"},
        purpose=purpose,
        decode=decoded,
        again_on=(NotFound,),  # Meta may not know it yet right after its upload
    )
    status = reply.body.get("status")
    if not isinstance(status, dict):
        raise IncompleteData(
            f"Meta's answer to {reply.request} does not tell the video's status.", "Ask it again."
        )
    said = told(status, "video_status", reply)
    state = _STATES.get(said)
    if state is None:
        log.warning("Video %s has the status %r, which is not known: waiting on", video_id, said)
        state = "processing"
    thumbnail = None
    if state == "ready":
        thumbnail = await _thumbnail(client, video_id, purpose) or reply.body.get("picture")
    return VideoStatus(
        id=video_id,
        state=state,
        thumbnail_url=str(thumbnail) if thumbnail else None,
        problem="; ".join(dict.fromkeys(_problems(status))),
    )


async def _thumbnail(client: MetaClient, video_id: str, purpose: Purpose) -> str | None:
    reply = await client.get(
        f"{video_id}/thumbnails", {"fields": "uri,is_preferred", "limit": "25"}, purpose
    )
    data = reply.body.get("data")
    rows = [row for row in data if isinstance(row, dict)] if isinstance(data, list) else []
    links = [str(row["uri"]) for row in sorted(rows, key=_is_second_best) if row.get("uri")]
    return links[0] if links else None


def _is_second_best(thumbnail: Mapping[str, Any]) -> bool:
    return thumbnail.get("is_preferred") is not True


def _problems(status: Mapping[str, Any]) -> Iterator[str]:
    """What the phases of a video's making complain of."""
    for phase in ("uploading_phase", "processing_phase", "publishing_phase"):
        told_of = status.get(phase)
        errors = told_of.get("errors") if isinstance(told_of, dict) else None
        for error in errors if isinstance(errors, list) else [errors]:
            if isinstance(error, dict) and error.get("message"):
                yield str(error["message"])


def _next_offsets(raw: RawReply) -> tuple[int, int]:
    """Where the upload goes on, after a chunk that was taken or one that came at a wrong place."""
    body = json_value(raw.content)
    error = body.get("error") if isinstance(body, dict) else None
    if isinstance(error, dict) and str(_WRONG_OFFSET) in (
        str(error.get("error_subcode")),
        str(error.get("code")),
    ):
        data = error.get("error_data")
        told_of = json_object(data) if isinstance(data, str) else data
        if isinstance(told_of, dict) and "start_offset" in told_of:
            return _offsets(told_of, raw.request)
    return _offsets(decoded(raw).body, raw.request)


def _offsets(told_of: Mapping[str, Any], request: str) -> tuple[int, int]:
    try:
        return int(told_of["start_offset"]), int(told_of["end_offset"])
    except (KeyError, TypeError, ValueError):
        raise IncompleteData(
            f"Meta's answer to {request} does not tell where the upload goes on.",
            "Nothing was made of it; upload it again.",
        ) from None


def _require_size(what: str, size: int, largest: int) -> None:
    if not 0 < size <= largest:
        raise InputError(
            f"{what} has {size:,} bytes.", f"Meta takes 1 to {largest:,}: make it smaller."
        )


def _purpose(kind: str, account_id: str) -> Purpose:
    return Purpose(kind, account_id, reserve=True, points=WRITE_POINTS)
