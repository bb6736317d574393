"""Cutting lists into pages, with cursors in Meta's two forms.

Lists of objects carry opaque cursors that name an object; insights carry the offsets of a
page's first and last row, in base64 with `=` written as `ZD` (`MAZDZD` is 0).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from zyenta_ads_pipeline.sandbox.call import Call
from zyenta_ads_pipeline.sandbox.graph_error import GraphError, invalid

DEFAULT_LIMIT = 25
LARGEST_PAGE = 5000
"""A longer limit gets pages of this size, which Meta's clients must be ready for anyway."""

T = TypeVar("T")


@dataclass(frozen=True)
class Span:
    """The rows from `start` up to, not including, `stop` of a list of `total` rows."""

    start: int
    stop: int
    total: int


def page_limit(call: Call) -> int:
    """The page size asked for; `GraphError` 100 when it is no whole number from 1 on."""
    text = call.params.get("limit", "")
    if text == "":
        return DEFAULT_LIMIT
    if not (text.isascii() and text.isdigit()) or int(text) == 0:
        raise invalid("Param limit must be an integer greater than 0")
    return min(int(text), LARGEST_PAGE)


def cut(call: Call, total: int, position: Callable[[str], int]) -> Span:
    """The rows that a call asks for; `position` finds the row that a cursor names."""
    limit = page_limit(call)
    after, before = call.params.get("after", ""), call.params.get("before", "")
    if after and before:
        raise invalid("Params after and before exclude each other")
    if after:
        start = position(after) + 1
        return Span(start, min(start + limit, total), total)
    if before:
        stop = position(before)
        return Span(max(0, stop - limit), stop, total)
    return Span(0, min(limit, total), total)


def envelope(
    call: Call, data: Sequence[Any], span: Span, cursor: Callable[[int], str]
) -> dict[str, Any]:
    """A page's body. An empty page has no `paging`; `next` is there only when more follows."""
    body: dict[str, Any] = {"data": list(data)}
    if data:
        before, after = cursor(span.start), cursor(span.stop - 1)
        paging: dict[str, Any] = {"cursors": {"before": before, "after": after}}
        if span.stop < span.total:
            paging["next"] = call.page_url(after=after)
        if span.start > 0:
            paging["previous"] = call.page_url(before=before)
        body["paging"] = paging
    return body


def wants_total(call: Call) -> bool:
    """Whether `summary` asks for the total; other summaries are refused."""
    text = call.params.get("summary", "").strip().lower()
    if text in ("", "false", "0", "[]"):
        return False
    if text in ("true", "1", "total_count", '["total_count"]'):
        return True
    raise invalid("Param summary can only be true in the sandbox: it plays total_count alone")


def offset_cursor(offset: int) -> str:
    """The cursor of a row of insights."""
    return base64.urlsafe_b64encode(str(offset).encode()).decode().replace("=", "ZD")


def read_offset(cursor: str) -> int | None:
    """The offset that a cursor of insights holds, or None when it holds none."""
    core = cursor
    while core.endswith("ZD"):
        core = core[:-2]
    try:
        text = base64.urlsafe_b64decode(core + "=" * (-len(core) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        return None
    return int(text) if text.isdigit() and offset_cursor(int(text)) == cursor else None


def offset_position(total: int) -> Callable[[str], int]:
    """Finds the row that an insights cursor names among `total` rows."""

    def position(cursor: str) -> int:
        offset = read_offset(cursor)
        if offset is None or offset >= total:
            raise unknown_cursor(cursor)
        return offset

    return position


def object_cursor(node_id: str) -> str:
    """The cursor of an object in a list of objects."""
    text = f"{binascii.crc32(node_id.encode()):08x}:{node_id}"
    return base64.urlsafe_b64encode(text.encode()).decode().replace("=", "ZD")


def read_object_cursor(cursor: str) -> str:
    """The id that a cursor names; `GraphError` 100 for a cursor that was never given out."""
    for padding in ("", "ZD", "ZDZD"):
        core = cursor.removesuffix(padding)
        try:
            text = base64.urlsafe_b64decode(core + "=" * (-len(core) % 4)).decode()
        except (binascii.Error, ValueError):
            continue
        node_id = text.partition(":")[2]
        if object_cursor(node_id) == cursor:
            return node_id
    raise unknown_cursor(cursor)


def unknown_cursor(cursor: str) -> GraphError:
    """A cursor that leads nowhere."""
    return invalid(f"Invalid cursors values: {cursor[:60]!r} leads to no page")
