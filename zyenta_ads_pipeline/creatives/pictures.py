"""Pictures made ready for upload: looked at whole, bounded, and as JPEG or PNG."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass

from PIL import Image, ImageOps

from zyenta_ads_pipeline.creatives.media_kinds import mime_of
from zyenta_ads_pipeline.domain.errors import InputError

SMALLEST_SIDE = 200
GOOD_SIDE = 600
MOST_PIXELS = 50_000_000
"""Pixels that are decoded at most: a few bytes can claim to be billions of them."""
_FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/gif": "GIF", "image/webp": "WEBP"}
_NAMES = {"image/jpeg": "JPEG", "image/png": "PNG", "image/gif": "GIF", "image/webp": "WebP"}
_ORIENTATION = 0x0112
_TALLEST, _WIDEST = 4 / 5, 1.91
"""Shapes that feeds show in full."""


@dataclass(frozen=True)
class Picture:
    """A picture ready for upload. `notes` are sentences for whoever chose it."""

    content: bytes
    mime: str
    width: int
    height: int
    notes: tuple[str, ...]


def prepared(content: bytes, where: str) -> Picture:
    """A picture as it will be uploaded: JPEG and PNG as they are, others converted.

    Turned as its camera says, the first frame of an animation, PNG where something is transparent.
    Raises `InputError` for what is no picture, is damaged, too large to decode or too small.
    """
    mime = mime_of(content)
    if mime not in _FORMATS:
        raise InputError(
            f"{where} is {'a video' if mime else 'not a picture'}.",
            "Give a JPEG, PNG, WebP or GIF file.",
        )
    try:
        return _prepared(content, mime, where)
    except InputError:
        raise
    except MemoryError:
        raise
    # What a broken file makes a decoder raise is not a closed set.
    except Exception as error:
        raise InputError(
            f"{where} is damaged: {type(error).__name__}: {error}.", "Export the picture again."
        ) from None


def _prepared(content: bytes, mime: str, where: str) -> Picture:
    formats = [_FORMATS[mime]]
    with Image.open(io.BytesIO(content), formats=formats) as image:
        width, height = image.size
        if width * height > MOST_PIXELS:
            raise InputError(
                f"{where} has {width}x{height} pixels, more than {MOST_PIXELS // 1_000_000} "
                "million.",
                "Make it smaller; 1080 pixels a side are enough.",
            )
        if min(width, height) < SMALLEST_SIDE:
            raise InputError(
                f"{where} has {width}x{height} pixels, and ads need {SMALLEST_SIDE} a side.",
                f"Give one of at least {GOOD_SIDE}x{GOOD_SIDE}.",
            )
        image.verify()
    with Image.open(io.BytesIO(content), formats=formats) as image:
        moving = bool(getattr(image, "is_animated", False))
        icc = image.info.get("icc_profile")
        image.load()
        turned = image.getexif().get(_ORIENTATION, 1) not in (0, 1)
        fits = mime == "image/png" or (mime == "image/jpeg" and image.mode in {"RGB", "L"})
        if fits and not moving and not turned:
            return Picture(content, mime, width, height, tuple(_on_size(width, height)))
        ready, kind = _encoded(ImageOps.exif_transpose(image), icc, png=mime == "image/png")
    notes = []
    if kind != mime:
        notes.append(f"It was converted from {_NAMES[mime]} to {_NAMES[kind]}.")
    if moving:
        notes.append("It moves, and an ad shows its first frame only.")
    if turned:
        width, height = _size_of(ready)
        notes.append("It was turned upright.")
    return Picture(ready, kind, width, height, (*notes, *_on_size(width, height)))


def _encoded(image: Image.Image, icc: bytes | None, *, png: bool) -> tuple[bytes, str]:
    """A picture as PNG where something is transparent, else as JPEG."""
    profile = icc if image.mode in {"RGB", "RGBA", "P"} else None
    clear = image.has_transparency_data and image.convert("RGBA").getchannel("A").getextrema()[0]
    ready = io.BytesIO()
    if png or (image.has_transparency_data and clear != 255):
        image.convert("RGBA").save(ready, "PNG", icc_profile=profile)
        return ready.getvalue(), "image/png"
    image.convert("RGB").save(
        ready, "JPEG", quality=90, optimize=True, subsampling=0, icc_profile=profile
    )
    return ready.getvalue(), "image/jpeg"


def _size_of(content: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(content)) as image:
        return image.size


def _on_size(width: int, height: int) -> list[str]:
    notes = []
    if min(width, height) < GOOD_SIDE:
        notes.append(
            f"It has {width}x{height} pixels; at least {GOOD_SIDE}x{GOOD_SIDE} are recommended."
        )
    if not _TALLEST * 0.99 <= width / height <= _WIDEST * 1.01:
        notes.append(f"Its shape is {shape(width, height)}; outside of 4:5 to 1.91:1 feeds cut it.")
    return notes


def shape(width: int, height: int) -> str:
    """The relation of the sides in people's words: `1:1`, `4:5`, else like `1.85:1`."""
    common = math.gcd(width, height)
    wide, high = width // common, height // common
    return f"{wide}:{high}" if max(wide, high) <= 20 else f"{width / height:.2f}:1"
