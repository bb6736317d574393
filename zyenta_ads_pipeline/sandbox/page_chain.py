"""The chain of saved pages: which page follows which cursor, and where a page is missing.

A page that was cut out of the sequence must show. The evidence is in the cursors: offsets must
be contiguous and begin at 0; where a page's `before` repeats its predecessor's `after` once, it
must do so at every link; and links to neighbours must be there and not lead out of the file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs, urlsplit

from zyenta_ads_pipeline.sandbox.cursors import read_offset


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


def _first_break(pages: Sequence[Page]) -> tuple[int, str] | None:
    """How many pages stand before the first break, and what is wrong there."""
    first = pages[0]
    if first.previous or read_offset(first.before) not in (None, 0):
        return 0, "the page before page 1 of the file is missing"
    repeats = _repeats_cursors(pages)
    seen: set[str] = set()
    for number, (page, follower) in enumerate(pairwise(pages), 1):
        if not page.next:
            # Served as it is, this page would look like the end of the list.
            return number - 1, f"page {number} has no next link, yet page {number + 1} follows it"
        if not _linked(page, follower, repeats=repeats) or page.after in seen:
            return number, f"the page after page {number} of the file is missing"
        seen.add(page.after)
    if pages[-1].next:
        return len(pages), f"the page after page {len(pages)} of the file, the last, is missing"
    return None


def _repeats_cursors(pages: Sequence[Page]) -> bool:
    return any(a.after and a.after == b.before for a, b in pairwise(pages))


def _linked(page: Page, follower: Page, *, repeats: bool) -> bool:
    if not page.after or not follower.before:
        return True
    if repeats:
        return page.after == follower.before
    last, first = read_offset(page.after), read_offset(follower.before)
    if last is None or first is None:
        return (last is None) == (first is None)
    return first == last + 1
