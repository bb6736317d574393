"""Pages of a long list, and the columns it is sorted by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zyenta_ads_pipeline.console.pages.visit import with_query
from zyenta_ads_pipeline.console.pages.words import many


@dataclass(frozen=True)
class Pager:
    """Where one is in a list, and the ways on. `before` and `after` are empty at the ends."""

    label: str
    words: str
    number: int
    count: int
    before: str
    after: str

    @property
    def many(self) -> bool:
        """Whether there is more than one page."""
        return self.count > 1


@dataclass(frozen=True)
class Column:
    """A column's heading; `href` sorts by it, empty where it cannot be sorted by."""

    id: str
    words: str
    href: str = ""
    sorted: str = ""
    """`ascending` or `descending`, empty when it is sorted by something else."""
    numbers: bool = False


def pager(
    path: str, query: Mapping[str, Any], *, one: str, rows: int, page: int, size: int
) -> Pager:
    """The pages of a list of so many rows."""
    count = max(1, -(-rows // size))
    first = (page - 1) * size + 1
    last = min(rows, page * size)
    told = many(rows, one) if count == 1 else f"{first:,} to {last:,} of {many(rows, one)}"

    def to(number: int) -> str:
        return with_query(path, {**query, "page": number if number > 1 else ""})

    return Pager(
        label=f"Pages of {one}s",
        words=told,
        number=page,
        count=count,
        before=to(page - 1) if page > 1 else "",
        after=to(page + 1) if page < count else "",
    )


def column(
    path: str,
    query: Mapping[str, Any],
    name: str,
    words: str,
    *,
    sort: str,
    descending: bool,
    numbers: bool = True,
) -> Column:
    """A heading that sorts: numbers the largest first, and the other way round when asked again."""
    chosen = name == sort
    down = not descending if chosen else numbers
    wanted = {**query, "sort": name, "order": "down" if down else "up", "page": ""}
    state = ("descending" if descending else "ascending") if chosen else ""
    return Column(f"by-{name}", words, with_query(path, wanted), state, numbers)
