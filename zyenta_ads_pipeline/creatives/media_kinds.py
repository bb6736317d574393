"""What a file is, by its own bytes; and the size of a video's picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from zyenta_ads_pipeline.domain.errors import InputError

_MOST_BOXES = 1_000
_HEADER = 8
_STARTS = {
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
}
_OLD_QUICKTIME = {b"moov", b"mdat", b"wide"}
_STILL = {b"avif", b"avis", b"heic", b"heix", b"hevc", b"mif1", b"msf1"}
_SOUND = {b"M4A ", b"M4B "}
_QUARTER_TURN_AT = {0: (40, 76), 1: (52, 88)}
"""Where matrix and size stand in a track header (ISO 14496-12, 8.3.2), by its version."""


@dataclass(frozen=True)
class Video:
    """A video's type and, where its track header says so, the size of its picture as shown."""

    mime: str
    width: int | None
    height: int | None


def mime_of(content: bytes) -> str | None:
    """The type of a picture or video of the kinds that we know; None for anything else."""
    for start, mime in _STARTS.items():
        if content.startswith(start):
            return mime
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "image/webp"
    if content[4:8] == b"ftyp":
        brand = content[8:12]
        if brand in _STILL | _SOUND:
            return None
        return "video/quicktime" if brand == b"qt  " else "video/mp4"
    return "video/quicktime" if content[4:8] in _OLD_QUICKTIME else None


def video(content: bytes, mime: str, where: str) -> Video:
    """Look into an MP4 or QuickTime file.

    Raises `InputError` for one without a list of its tracks: it is not whole, or no video.
    """
    view = memoryview(content)
    movie = next((body for kind, body in _boxes(view) if kind == b"moov"), None)
    if movie is None:
        raise InputError(
            f"{where} begins like a video, and holds no list of tracks.",
            "Export it again as MP4 (H.264).",
        )
    sizes = (
        _size(header)
        for kind, track in _boxes(movie)
        if kind == b"trak"
        for inner, header in _boxes(track)
        if inner == b"tkhd"
    )
    width, height = next((size for size in sizes if size is not None), (None, None))
    return Video(mime, width, height)


def _boxes(view: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """The boxes that stand one after the other, up to the first that is not whole."""
    at = 0
    for _ in range(_MOST_BOXES):
        if at + _HEADER > len(view):
            return
        size = int.from_bytes(view[at : at + 4], "big")
        kind, begins = bytes(view[at + 4 : at + 8]), _HEADER
        if size == 1:  # a long size follows
            size, begins = int.from_bytes(view[at + 8 : at + 16], "big"), 16
        elif size == 0:  # up to the end
            size = len(view) - at
        if size < begins or at + size > len(view):
            return
        yield kind, view[at + begins : at + size]
        at += size


def _size(header: memoryview) -> tuple[int, int] | None:
    """Width and height of a track as it is shown; None for a track without a picture."""
    if not len(header) or header[0] not in _QUARTER_TURN_AT:
        return None
    matrix, size = _QUARTER_TURN_AT[header[0]]
    if len(header) < size + 8:
        return None
    width = int.from_bytes(header[size : size + 4], "big") >> 16
    height = int.from_bytes(header[size + 4 : size + 8], "big") >> 16
    if not width or not height:
        return None
    upright = any(header[matrix : matrix + 4])
    return (width, height) if upright else (height, width)
