"""Files that come by the browser: looked at, and kept under the home folder by their content.

A name that somebody gave is never part of a path, but for its ending.
"""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
from hashlib import sha256
from pathlib import Path

from zyenta_ads_pipeline.creatives.catalogue import Imported, read_products
from zyenta_ads_pipeline.creatives.media_files import Limits, fetch
from zyenta_ads_pipeline.creatives.media_kinds import mime_of
from zyenta_ads_pipeline.domain.errors import (
    FieldProblem,
    FieldsRefused,
    InputError,
    NotThere,
    StorageError,
)
from zyenta_ads_pipeline.domain.shop import MediaAsset, MediaKind, ShopStore

LARGEST_CATALOGUE = 20_000_000
LARGEST_MEDIA = 200_000_000
"""Bytes; of pictures Meta's 30 MB."""
_ENDINGS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp", "image/gif": "gif",
            "video/mp4": "mp4", "video/quicktime": "mov"}  # fmt: skip
_SHOWN = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif"})
_STORE = re.compile(r"[A-Za-z0-9_-]{1,64}")


def media_folder(home: Path, store_id: str) -> Path:
    """Where a store's uploads lie."""
    # An id that came from elsewhere may have other signs: its hash has none.
    safe = store_id if _STORE.fullmatch(store_id) else sha256(store_id.encode()).hexdigest()[:24]
    return home.absolute() / "media" / safe


def read_upload(content: bytes, name: str, shop: ShopStore, pictures: Path) -> Imported:
    """A catalogue's products. Raises `FieldsRefused` where the file as a whole cannot be read."""
    if not content or len(content) > LARGEST_CATALOGUE:
        told = "is empty" if not content else f"is larger than {LARGEST_CATALOGUE // 10**6} MB"
        raise FieldsRefused(
            [FieldProblem("file", f"The file {told}.", "Choose a CSV or JSON file with products.")]
        )
    ending = ".json" if name.lower().endswith(".json") else ".csv"
    with tempfile.TemporaryDirectory(prefix="zyenta-") as folder:
        path = Path(folder) / f"catalogue{ending}"
        path.write_bytes(content)
        try:
            return read_products(path, store=shop, pictures=pictures if pictures.is_dir() else None)
        except InputError as error:
            what = error.what.replace(str(path), name[:200] or "The file")
            raise FieldsRefused([FieldProblem("file", what, error.remedy)]) from None


def kept_upload(
    folder: Path,
    store_id: str,
    content: bytes,
    name: str,
    *,
    product_id: str | None,
    alt: str,
) -> MediaAsset:
    """A picture or video, looked at and kept in the folder; what it is, tells its content.

    Raises `FieldsRefused` for what Meta would not take, `StorageError` where it cannot be kept.
    """
    mime = mime_of(content)
    if mime not in _ENDINGS:
        problem = FieldProblem(
            "file",
            f"{name[:200] or 'The file'} is no picture or video that Meta takes.",
            "Choose a JPEG, PNG, WebP or GIF picture, or an MP4 or MOV video.",
        )
        raise FieldsRefused([problem])
    kind = MediaKind.VIDEO if mime.startswith("video/") else MediaKind.IMAGE
    digest = sha256(content).hexdigest()
    path = folder / f"{digest[:32]}.{_ENDINGS[mime]}"
    parts = "\0".join((store_id, product_id or "", digest))
    asset = MediaAsset(
        id=f"media-{sha256(parts.encode()).hexdigest()[:24]}",
        store_id=store_id,
        kind=kind,
        source=str(path),
        product_id=product_id,
        alt=alt.strip()[:300],
    )
    try:
        _write(path, content)
    except OSError as error:
        raise StorageError(
            f"The upload cannot be kept in {folder}: {error.strerror}.",
            "Give the home folder room, and its rights.",
        ) from None
    try:
        limits = Limits(video_bytes=LARGEST_MEDIA)
        return asyncio.run(fetch(asset, root=folder, limits=limits)).asset
    except InputError as error:
        path.unlink(missing_ok=True)
        what = error.what.replace(str(path), name[:200] or "The file")
        raise FieldsRefused([FieldProblem("file", what, error.remedy)]) from None


def shown_file(asset: MediaAsset) -> tuple[bytes, str]:
    """A picture's bytes and what they are, by their content. `NotThere` for all that cannot be
    shown from this machine."""
    gone = NotThere(f"There is no picture to show of {asset.id}.", "Upload it again.")
    if asset.kind is not MediaKind.IMAGE or "://" in asset.source:
        raise gone
    try:
        path = Path(asset.source)
        if not path.is_file() or path.stat().st_size > 30_000_000:
            raise gone
        content = path.read_bytes()
    except OSError:
        raise gone from None
    mime = mime_of(content)
    if mime not in _SHOWN:
        raise gone
    return content, mime


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, and to be read by this user alone."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, aside = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(aside).replace(path)
    except BaseException:
        Path(aside).unlink(missing_ok=True)
        raise
