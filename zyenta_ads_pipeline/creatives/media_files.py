"""Media assets as bytes that can be uploaded, from a file or an address."""

from __future__ import annotations

import asyncio
import os
import stat
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

from zyenta_ads_pipeline.creatives.media_guard import Guard
from zyenta_ads_pipeline.creatives.media_kinds import mime_of, video
from zyenta_ads_pipeline.creatives.pictures import prepared, shape
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.domain.shop import MediaAsset, MediaKind

MB = 1_000_000
_ACCEPT = {
    MediaKind.IMAGE: "image/jpeg,image/png,image/webp;q=0.9,image/gif;q=0.8",
    MediaKind.VIDEO: "video/mp4,video/quicktime;q=0.9",
}


@dataclass(frozen=True)
class Limits:
    """How much is read, and for how long, in bytes and seconds. Meta takes 30 MB and 1 GB."""

    image_bytes: int = 30 * MB
    video_bytes: int = 200 * MB
    image_seconds: float = 60
    video_seconds: float = 900

    def __post_init__(self) -> None:
        if not 0 < self.image_bytes <= 30 * MB or not 0 < self.video_bytes <= 1000 * MB:
            raise InputError(
                "The limits of media are outside of what Meta takes.",
                "Set at most 30 MB for pictures and 1000 MB for videos.",
            )


@dataclass(frozen=True)
class Fetched:
    """A media asset that was looked at, with the bytes to upload.

    `asset` tells of those very bytes: type, size, pixels, SHA-256. `aspect_ratio` is None where
    the pixels are not known; `notes` are sentences for whoever chose the asset.
    """

    asset: MediaAsset
    content: bytes = field(repr=False)
    aspect_ratio: str | None
    notes: tuple[str, ...] = ()


async def fetch(
    asset: MediaAsset,
    *,
    allow_private: bool = False,
    root: Path | None = None,
    limits: Limits = Limits(),
) -> Fetched:
    """Read an asset's source and make it ready for upload.

    Files have to lie below `root`, if one is given, after all links are followed; a relative path
    is one below it. Addresses have to lead to the public Internet unless `allow_private`. Raises
    `InputError` for whatever cannot be read, is not what it says, or is outside of `limits`.
    """
    still = asset.kind is MediaKind.IMAGE
    largest = limits.image_bytes if still else limits.video_bytes
    if "://" in asset.source:
        content = await Guard(allow_private=allow_private).download(
            asset.source,
            largest=largest,
            seconds=limits.image_seconds if still else limits.video_seconds,
            accept=_ACCEPT[asset.kind],
        )
        where = asset.source.partition("?")[0].partition("#")[0]
    else:
        content, where = await asyncio.to_thread(_read, asset.source, root, largest), asset.source
    if not content:
        raise InputError(f"{where} is empty.", "Give the file's own address or path.")
    look = _picture if still else _video
    fetched = await asyncio.to_thread(look, asset, content, where)
    if len(fetched.content) > largest:
        raise InputError(
            f"{where} is larger than {largest // MB} MB once it is converted.",
            "Give a smaller picture.",
        )
    return fetched


def _picture(asset: MediaAsset, content: bytes, where: str) -> Fetched:
    picture = prepared(content, where)
    return _fetched(
        asset, picture.content, picture.mime, picture.width, picture.height, picture.notes
    )


def _video(asset: MediaAsset, content: bytes, where: str) -> Fetched:
    mime = mime_of(content)
    if mime is None or not mime.startswith("video/"):
        raise InputError(
            f"{where} is {'a picture' if mime else 'not a video'}.", "Give an MP4 or MOV file."
        )
    seen = video(content, mime, where)
    notes = () if seen.width else ("The size of its picture is not known.",)
    return _fetched(asset, content, seen.mime, seen.width, seen.height, notes)


def _fetched(
    asset: MediaAsset,
    content: bytes,
    mime: str,
    width: int | None,
    height: int | None,
    notes: tuple[str, ...],
) -> Fetched:
    looked_at = replace(
        asset,
        mime=mime,
        width=width,
        height=height,
        bytes=len(content),
        content_hash=sha256(content).hexdigest(),
    )
    ratio = shape(width, height) if width and height else None
    return Fetched(looked_at, content, ratio, notes)


def _read(source: str, root: Path | None, largest: int) -> bytes:
    """A regular file's content, from below `root`."""
    try:
        path = (root / source if root is not None else Path(source)).resolve(strict=True)
        if root is not None and not path.is_relative_to(root.resolve(strict=True)):
            raise InputError(f"{source} is not below {root}.", "Put the file beside the catalogue.")
        # Not through a link laid in the meantime, and without waiting for a pipe's other end.
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            about = os.fstat(file.fileno())
            if not stat.S_ISREG(about.st_mode):
                raise InputError(f"{source} is not a file.", "Name a picture or video.")
            content = file.read(largest + 1) if about.st_size <= largest else b""
            too_large = about.st_size > largest or len(content) > largest
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InputError(
            f"{source} cannot be read: {reason}.", "Look at its path and its rights."
        ) from None
    if too_large:
        raise InputError(f"{source} is larger than {largest // MB} MB.", "Give a smaller file.")
    return content
