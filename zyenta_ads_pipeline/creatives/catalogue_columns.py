"""Which columns of a shop's export mean what, and a row's values by that meaning."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from zyenta_ads_pipeline.domain.errors import InputError

COLUMNS: dict[str, tuple[str, ...]] = {
    "id": ("id", "productid", "itemid", "sku", "variantsku", "handle"),
    "title": ("title", "name", "productname", "producttitle"),
    "description": (
        "description", "productdescription", "bodyhtml", "body", "shortdescription", "text",
    ),
    "price": ("price", "sellingprice", "variantprice", "regularprice"),
    "currency": ("currency", "currencycode", "pricecurrency"),
    "category": (
        "category", "productcategory", "categories", "producttype", "googleproductcategory",
        "type",
    ),
    "brand": ("brand", "vendor", "manufacturer"),
    "url": ("url", "link", "producturl", "productlink"),
    "image": (
        "image", "imageurl", "imagelink", "imagesrc", "images", "picture", "pictures",
        "additionalimagelink",
    ),
    "video": ("video", "videourl", "videolink", "videos"),
}  # fmt: skip
"""Meanings, and the names that have them, the stronger first. Case, spaces, `_` and `-` in a
column's name do not count."""

NEEDED = ("id", "title", "price")
_LONGEST_SHOWN = 80
_TAG = re.compile(r"(</?[a-zA-Z!][^<>]*>)")
_TAG_NAME = re.compile(r"<(/?)([a-zA-Z!][a-zA-Z0-9]*)[^<>]*>$")
_BLOCKS = {"p", "br", "li", "ul", "div", "tr", "h1", "h2", "h3", "h4"}
_MEANING = {name: (field, at) for field, names in COLUMNS.items() for at, name in enumerate(names)}


@dataclass(frozen=True)
class Cell:
    """One value of a row and the name of its column, as the file writes it."""

    column: str
    value: Any


@dataclass(frozen=True)
class Entry:
    """One row: its number as a person sees it, and its filled cells by meaning."""

    row: int
    cells: dict[str, list[Cell]]

    def first(self, field: str) -> Cell | None:
        """The value of the strongest filled column of that meaning."""
        return next(iter(self.all(field)), None)

    def all(self, field: str) -> Sequence[Cell]:
        """All filled values of that meaning, the strongest column first."""
        return self.cells.get(field, [])


@dataclass(frozen=True)
class Refused:
    """A row that was not taken: `what` names the column and the value, `remedy` the way out."""

    row: int
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"Row {self.row}: {self.what} {self.remedy}"


def entry(row: int, pairs: Iterable[tuple[str, Any]]) -> Entry:
    """A row from its columns and values; unknown columns and empty values are left out."""
    ranked: dict[str, list[tuple[int, Cell]]] = {}
    for column, value in pairs:
        known = meaning(column)
        if known is None or value is None or value in ([], {}):
            continue
        if isinstance(value, str) and not value.strip():
            continue
        field, rank = known
        ranked.setdefault(field, []).append((rank, Cell(column, value)))
    cells = {
        field: [cell for _, cell in sorted(found, key=lambda each: each[0])]
        for field, found in ranked.items()
    }
    return Entry(row, cells)


def meaning(column: str) -> tuple[str, int] | None:
    """What a column is for, and how strong its name is (0 is strongest); None if not known."""
    return _MEANING.get(re.sub(r"[\W_]+", "", column).casefold())


def as_text(cell: Cell, *, longest: int, lines: bool = False) -> str:
    """A cell's value as clean text: no markup, no control characters, no needless blanks.

    With `lines` its lines stay. Raises `InputError` for what is no text, or is too long.
    """
    value = cell.value
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        value = " > ".join(value)
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        raise InputError(
            f"{cell.column} is {shown(value)}, which is no text.", "Give a text in quotes."
        )
    text = str(value)
    if any("\ud800" <= each <= "\udfff" for each in text):
        raise InputError(
            f"{cell.column} holds half a character ({shown(text)}).", "Write it anew, as UTF-8."
        )
    text = html.unescape(_without_markup(text) if _TAG.search(text) else text)
    text = "".join(each if each.isprintable() or each in "\n\r\u200d" else " " for each in text)
    cleaned = [" ".join(line.split()) for line in text.splitlines()]
    text = ("\n" if lines else " ").join(line for line in cleaned if line)
    if len(text) > longest:
        raise InputError(
            f"{cell.column} has {len(text)} characters, more than {longest}.", "Shorten it."
        )
    return text


def shown(value: object) -> str:
    """A value for a message: quoted and cut."""
    text = repr(value if isinstance(value, str) else str(value))
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def _without_markup(text: str) -> str:
    """The text of a piece of HTML, each block on a line of its own."""
    found, hidden = [], False
    for piece in _TAG.split(text):
        tag = _TAG_NAME.match(piece)
        if tag is None:
            found.append("" if hidden else piece)
        elif tag[2].lower() in {"script", "style"}:
            hidden = not tag[1]
        elif tag[2].lower() in _BLOCKS:
            found.append("\n")
    return "".join(found)
