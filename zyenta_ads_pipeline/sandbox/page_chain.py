"""The chain of saved pages: which page follows which cursor, and where a page is missing.

A page that was cut out of the sequence must show. The evidence is in the cursors: offsets must
be contiguous and begin at 0; where a page's `before` repeats its predecessor's `after` once, it
must do so at every link; and links to neighbours must be there and not lead out of the file.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs, urlsplit

_SMALLEST_ID = 10**9
"""Numbers from here on are objects' ids, not offsets of rows."""


@dataclass(frozen=True)
class Page:
    """One stored reply, untouched."""

    body: Mapping[str, Any]

    @property
    def rows(self) -> Sequence[Mapping[str, Any]]:
        """The page's rows."""
        rows: Sequence[Mapping[str, Any]] = self.body["data"]
        return rows

    @property
    def next(self) -> str:
        """The address of the page that follows; empty when there is none."""
        return str(self._paging.get("next", ""))

    @property
    def previous(self) -> str:
        """The address of the page before; empty when there is none."""
        return str(self._paging.get("previous", ""))

    @property
    def before(self) -> str:
        """The cursor of the first row; empty when the page has none."""
        return str(self._cursors.get("before", "")) or cursor_in(self.previous, "before")

    @property
    def after(self) -> str:
        """The cursor of the last row; empty when the page has none."""
        return str(self._cursors.get("after", "")) or cursor_in(self.next, "after")

    @property
    def afters(self) -> set[str]:
        """Every cursor by which a client may ask for the page that follows."""
        return {self.after, cursor_in(self.next, "after")} - {""}

    @property
    def _paging(self) -> Mapping[str, Any]:
        paging: Mapping[str, Any] = self.body.get("paging", {})
        return paging

    @property
    def _cursors(self) -> Mapping[str, Any]:
        cursors: Mapping[str, Any] = self._paging.get("cursors", {})
        return cursors


class PageChain:
    """The pages in order. `gap` says in words where the first break is, or is None.

    `whole` counts the pages that can be served before it.
    """

    def __init__(self, pages: Sequence[Page]) -> None:
        self.pages = pages
        found = _first_break(pages)
        self.whole: int = found[0] if found is not None else len(pages)
        self.gap: str | None = found[1] if found is not None else None
        self._following: dict[str, int] = {}
        for number, page in enumerate(pages):
            for cursor in page.afters:
                self._following.setdefault(cursor, number + 1)

    def following(self, after: str) -> int | None:
        """The index of the page after the one whose cursor this is; None for a foreign cursor.

        After the last page that is the number of pages.
        """
        return self._following.get(after)


def cursor_in(url: str, name: str) -> str:
    """The cursor in a paging link, or an empty text."""
    values = parse_qs(urlsplit(url).query).get(name, [])
    return values[0] if values else ""


def offset_in(cursor: str) -> int | None:
    """The offset that a stored cursor holds, in plain digits or base64 with any padding."""
    core = cursor.rstrip("=")
    while core.endswith("ZD"):
        core = core[:-2]
    text = core
    if not core.isdigit():
        try:
            text = base64.urlsafe_b64decode(core + "=" * (-len(core) % 4)).decode("ascii")
        except (binascii.Error, ValueError):
            return None
    return int(text) if text.isdigit() and int(text) < _SMALLEST_ID else None


def _first_break(pages: Sequence[Page]) -> tuple[int, str] | None:
    """How many pages stand before the first break, and what is wrong there."""
    linked = _link_rule(pages)
    if pages[0].previous or _starts_late(pages, linked):
        return 0, "the page before page 1 of the file is missing"
    seen: set[str] = set()
    for number, (page, follower) in enumerate(pairwise(pages), 1):
        if not page.next:
            # Served as it is, this page would look like the end of the list.
            return number - 1, f"page {number} has no next link, yet page {number + 1} follows it"
        if not linked(page, follower) or page.after in seen:
            return number, f"the page after page {number} of the file is missing"
        seen.add(page.after)
    if pages[-1].next:
        return len(pages), f"the page after page {len(pages)} of the file, the last, is missing"
    return None


def _link_rule(pages: Sequence[Page]) -> Callable[[Page, Page], bool]:
    """What must hold between neighbours, by the kind of cursors that the pages carry."""
    if any(a.after and a.after == b.before for a, b in pairwise(pages)):
        return _repeated
    if any(page.before for page in pages):
        return _contiguous
    if any(_steps_by_rows(page, follower) for page, follower in pairwise(pages)) or (
        offset_in(pages[0].after) in (len(pages[0].rows) - 1, len(pages[0].rows))
    ):
        return _counted
    return lambda page, follower: True


def _starts_late(pages: Sequence[Page], linked: Callable[[Page, Page], bool]) -> bool:
    """Whether the cursors count rows and page 1 does not begin at the first."""
    first = pages[0]
    if linked is _contiguous:
        return bool(offset_in(first.before))
    if linked is _counted:
        return (offset_in(first.after) or 0) > len(first.rows)
    spans = [(offset_in(page.before), offset_in(page.after), len(page.rows)) for page in pages]
    counts_rows = linked is _repeated and all(
        start is not None and end is not None and end - start == rows for start, end, rows in spans
    )
    return counts_rows and bool(spans[0][0])


def _steps_by_rows(page: Page, follower: Page) -> bool:
    last, end = offset_in(page.after), offset_in(follower.after)
    return last is not None and end is not None and end - last == len(follower.rows)


def _repeated(page: Page, follower: Page) -> bool:
    """A page's `before` is its predecessor's `after`."""
    return not (page.after and follower.before) or page.after == follower.before


def _contiguous(page: Page, follower: Page) -> bool:
    """The offset of a page's first row follows that of its predecessor's last."""
    if not (page.after and follower.before):
        return True
    last, first = offset_in(page.after), offset_in(follower.before)
    if last is None or first is None:
        return (last is None) == (first is None)
    return first == last + 1


def _counted(page: Page, follower: Page) -> bool:
    """Without `before`: the offsets of last rows are as far apart as the page has rows."""
    known = offset_in(page.after) is not None and offset_in(follower.after) is not None
    return not known or _steps_by_rows(page, follower)
