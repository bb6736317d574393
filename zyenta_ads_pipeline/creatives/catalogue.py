"""A shop's catalogue from a CSV or JSON file: products, their media, and the rows refused."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

from zyenta_ads_pipeline.creatives.catalogue_columns import Cell, Entry, Refused, as_text, shown
from zyenta_ads_pipeline.creatives.catalogue_files import rows_of
from zyenta_ads_pipeline.creatives.catalogue_prices import read_price
from zyenta_ads_pipeline.creatives.media_guard import checked_address
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.domain.shop import MediaAsset, MediaKind, Product, ShopStore

MOST_ROWS = 50_000
MOST_MEDIA = 20
"""Pictures and videos of one product."""
LONGEST = {"id": 100, "title": 300, "description": 10_000, "category": 750, "brand": 100}
"""Characters."""
_ID = re.compile(r"[A-Za-z0-9_.:-]+")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".gif")
_VIDEOS = (".mp4", ".mov")


@dataclass(frozen=True)
class Imported:
    """What a catalogue gave. Each filled row is either a product or refused.

    `notes` are sentences on products that were taken although something lacks.
    """

    products: Sequence[Product]
    media: Sequence[MediaAsset]
    refused: Sequence[Refused]
    notes: Sequence[str] = ()


def read_products(
    path: Path | str, *, store: ShopStore, pictures: Path | str | None = None
) -> Imported:
    """Read a catalogue; nothing is stored, and no address is asked for anything.

    A product without a picture column gets the files `<id>.<ending>` of the folder `pictures`.
    The same file gives the same ids again. Raises `InputError` where the file as a whole cannot
    be read; a row that cannot be used is refused by itself.
    """
    reading = _Reading(store, Path(path).parent, Path(pictures) if pictures is not None else None)
    for count, row in enumerate(rows_of(Path(path)), start=1):
        if count > MOST_ROWS:
            raise InputError(
                f"{path} has more than {MOST_ROWS} rows.", "Cut the catalogue into several."
            )
        reading.take(row)
    return Imported(reading.products, reading.media, reading.refused, reading.notes)


@dataclass
class _Reading:
    """A catalogue while it is read."""

    store: ShopStore
    folder: Path
    pictures: Path | None
    products: list[Product] = field(default_factory=list)
    media: list[MediaAsset] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._row_of: dict[str, int] = {}
        self._by_id = _files_by_stem(self.pictures) if self.pictures is not None else {}

    def take(self, row: Entry | Refused) -> None:
        """Keep a row as a product with its media, or as refused."""
        if isinstance(row, Refused):
            self.refused.append(row)
            return
        try:
            product = self._product(row)
            media = self._media(row, product)
        except InputError as error:
            self.refused.append(Refused(row.row, error.what, error.remedy))
            return
        self._row_of[product.id] = row.row
        self.products.append(product)
        self.media += media
        if not media and self.pictures is not None:
            self.notes.append(
                f"Row {row.row}: there is no picture of product {product.id} in {self.pictures}."
            )

    def _product(self, row: Entry) -> Product:
        product_id = _id(row)
        if product_id in self._row_of:
            raise InputError(
                f"The id {product_id!r} is already in row {self._row_of[product_id]}.",
                "Give each product an id of its own, or delete one of the two.",
            )
        title = _text(row, "title")
        if not title:
            raise InputError("There is no title.", "Give the product a title or name.")
        price_minor, currency = _price(row, self.store.currency)
        return Product(
            id=product_id,
            store_id=self.store.id,
            title=title,
            description=_text(row, "description"),
            price_minor=price_minor,
            currency=currency,
            category=_text(row, "category"),
            brand=_text(row, "brand"),
            url=self._link(row.first("url")),
            position=len(self.products),
        )

    def _link(self, cell: Cell | None) -> str:
        if cell is None:
            return ""
        text = _address_text(cell)
        if text.startswith("/") and not text.startswith("//") and self.store.domain:
            text = f"https://{self.store.domain}{text}"
        return _checked(text, cell)

    def _media(self, row: Entry, product: Product) -> list[MediaAsset]:
        named = [
            (kind, text, self._source(text, cell))
            for kind in MediaKind
            for cell in row.all(kind.value)
            for text in _listed(cell)
        ]
        if not any(kind is MediaKind.IMAGE for kind, _, _ in named):
            named += [
                (MediaKind.VIDEO if path.suffix.lower() in _VIDEOS else MediaKind.IMAGE,
                 path.name, str(path))
                for path in self._by_id.get(product.id, ())
            ]  # fmt: skip
        if len(named) > MOST_MEDIA:
            raise InputError(
                f"It names {len(named)} pictures and videos, more than {MOST_MEDIA}.",
                "Keep the best ones.",
            )
        assets = {
            source: MediaAsset(
                id=_media_id(self.store.id, product.id, text),
                store_id=self.store.id,
                kind=kind,
                source=source,
                product_id=product.id,
                alt=product.title,
            )
            for kind, text, source in named
        }
        return list(assets.values())

    def _source(self, text: str, cell: Cell) -> str:
        """The address or the file that a row names; a file has to be there, in our folders."""
        if _SCHEME.match(text) or text.startswith("//"):
            return _checked(text, cell)
        for folder in filter(None, (self.folder, self.pictures)):
            try:
                root = folder.resolve()
                found = (root / text.replace("\\", "/")).resolve()
                if found.is_relative_to(root) and found.is_file():
                    return str(found)
            except (OSError, ValueError):
                continue
        raise InputError(
            f"{cell.column} names {shown(text)}, and there is no such file beside the catalogue.",
            "Give an address that begins with https://, or a path below the catalogue's folder.",
        )


def _id(row: Entry) -> str:
    cell = row.first("id")
    if cell is None:
        raise InputError("There is no id.", "Give the product an id or sku.")
    if isinstance(cell.value, Decimal):
        raise InputError(
            f"{cell.column} is {shown(cell.value)}.", "Give a whole number or a text in quotes."
        )
    text = as_text(cell, longest=LONGEST["id"])
    if not _ID.fullmatch(text):
        raise InputError(
            f"{cell.column} is {shown(text)}, which cannot be an id.",
            "Use letters A to Z, digits, and _ . : - only.",
        )
    return text


def _text(row: Entry, name: str) -> str:
    cell = row.first(name)
    if cell is None:
        return ""
    return as_text(cell, longest=LONGEST[name], lines=name == "description")


def _price(row: Entry, usual: str) -> tuple[int, str]:
    cell, stated = row.first("price"), row.first("currency")
    if cell is None:
        raise InputError("There is no price.", "Give the price that a customer pays.")
    value: Any = cell.value
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        raise InputError(
            f"{cell.column} is {shown(value)}, which is no price.", "Write it like 29.90."
        )
    try:
        return read_price(
            value, stated=as_text(stated, longest=10) if stated else None, usual=usual
        )
    except InputError as error:
        named = "" if shown(value) in error.what else f" {shown(value)}"
        raise InputError(f"{cell.column}{named}: {error.what}", error.remedy) from None


def _listed(cell: Cell) -> Iterator[str]:
    """The addresses or paths in a cell: a list, or one text with several, cut by | , or lines."""
    value = cell.value
    for each in value if isinstance(value, list) else [value]:
        one = (each.get("src") or each.get("url")) if isinstance(each, dict) else each
        if not isinstance(one, str):
            raise InputError(
                f"{cell.column} is {shown(value)}, which names no file and no address.",
                "Give an address that begins with https://, or a list of such.",
            )
        for part in re.split(r"[|\n\r]|[,;\s]+(?=https?://)", one):
            if part.strip():
                yield part.strip()


def _address_text(cell: Cell) -> str:
    if not isinstance(cell.value, str):
        raise InputError(
            f"{cell.column} is {shown(cell.value)}, which is no address.",
            "Give an address that begins with https://.",
        )
    return cell.value.strip()


def _checked(text: str, cell: Cell) -> str:
    address = f"https:{text}" if text.startswith("//") else text
    try:
        return str(checked_address(address))
    except InputError as error:
        raise InputError(f"{cell.column}: {error.what}", error.remedy) from None


def _media_id(store_id: str, product_id: str, written: str) -> str:
    """The same for the same file or address of the same product, wherever the folder lies."""
    parts = "\0".join((store_id, product_id, written))
    return f"media-{sha256(parts.encode('utf-8', 'surrogatepass')).hexdigest()[:24]}"


def _files_by_stem(folder: Path) -> dict[str, list[Path]]:
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder.", "Name the folder that holds the pictures.")
    root = folder.resolve()
    found: dict[str, list[Path]] = {}
    for path in sorted(root.iterdir()):
        inside = path.resolve().is_relative_to(root)
        if path.suffix.lower() in (*_PICTURES, *_VIDEOS) and inside and path.is_file():
            found.setdefault(path.stem, []).append(path)
    return found
