"""Which requests a report is cut into: from what reports of that account were found to cost.

Pure: the model goes in, requests come out; what they met is told to the model, which the ledger
keeps. A report is made synchronously while that is known to work, and cut by days beforehand; what
turns out too large is cut by days, then by ids, then by fields.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any

from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.insights import Report
from zyenta_ads_pipeline.domain.time import DateRange

FIRST_PAGE_ROWS = 500
LARGEST_PAGE_ROWS = 5_000
SMALLEST_PAGE_ROWS = 25
DAYS_AT_FIRST = {Level.ACCOUNT: 1200, Level.CAMPAIGN: 90, Level.ADSET: 30, Level.AD: 7}
"""Days of the first report of an account of which nothing is known: it has one row a day, and more
ads than campaigns."""
SAFE_SHARE = 0.7
"""A report is kept this far below the smallest size that was refused."""
EASING = 1.15
"""A refusal is forgotten by this factor with each success close below it: accounts change."""
_IDS_PER_REPORT = 100
PAGE_EASING = 1.25
"""The same for pages, with each report: after a bad hour they are large again within a day."""


@dataclass(frozen=True)
class CostModel:
    """What reports of one account, level and preset cost. All of it is learned.

    `rows_per_day` is the largest number of rows a day had lately. `page_rows` is the next page's
    size, `page_refused` the smallest that was found too large; `sync_refused` and `job_refused`
    are the fewest rows at which a synchronous report, and a report job, were refused.
    `job_seconds` is how long a job took lately.
    """

    rows_per_day: float | None = None
    page_rows: int = FIRST_PAGE_ROWS
    page_refused: int | None = None
    sync_refused: float | None = None
    job_refused: float | None = None
    job_seconds: float | None = None

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> CostModel:
        """The model as the ledger keeps it; names that it does not know are left out."""
        known = {name: stored[name] for name in cls.__dataclass_fields__ if name in stored}
        return cls(**known)

    def stored(self) -> dict[str, Any]:
        """What the ledger keeps."""
        return asdict(self)

    def rows(self, report: Report) -> float | None:
        """Rows to expect; None when nothing is known, as of a single object's own edge."""
        if self.rows_per_day is None or report.node is not None:
            return None
        if report.ids is not None:
            return float(min(self.rows_per_day, len(report.ids)) * len(report.days))
        return self.rows_per_day * len(report.days)

    def synchronous(self, report: Report) -> bool:
        """Whether to ask for the rows at once. Unknown reports are: it costs one call to see."""
        rows = self.rows(report)
        if self.sync_refused is None or rows is None:
            return True
        return rows <= self.sync_refused * SAFE_SHARE

    def counted(self, report: Report, rows: int, *, synchronous: bool) -> CostModel:
        """The model after a report came through whole."""
        per_day = rows / len(report.days)
        known = self.rows_per_day if self.rows_per_day is not None else per_day
        after = self
        if self.page_refused is not None:
            after = replace(after, page_refused=int(self.page_refused * PAGE_EASING) + 1)
        if report.ids is None and report.node is None:
            after = replace(after, rows_per_day=max(per_day, 0.8 * known + 0.2 * per_day))
        refused = after.sync_refused if synchronous else after.job_refused
        if refused is not None and rows > refused * SAFE_SHARE / EASING:
            eased = max(refused, rows) * EASING
            if synchronous:
                return replace(after, sync_refused=eased)
            return replace(after, job_refused=eased)
        if not synchronous and after.sync_refused is not None:
            # A refusal may have been a bad hour: each job brings the next try nearer.
            return replace(after, sync_refused=after.sync_refused * EASING)
        return after

    def refused(self, report: Report, *, synchronous: bool) -> CostModel:
        """The model after a report was refused as too large; the same while its size is unknown."""
        rows = self.rows(report)
        if rows is None:
            return self
        if synchronous:
            return replace(self, sync_refused=min(rows, self.sync_refused or rows))
        return replace(self, job_refused=min(rows, self.job_refused or rows))

    def page_grown(self, rows: int) -> CostModel:
        """The model after a full page: the next may be larger."""
        if rows < self.page_rows:
            return self
        larger = min(self.page_rows * 2, LARGEST_PAGE_ROWS)
        if self.page_refused is not None:
            larger = min(larger, max(self.page_rows, int(self.page_refused * SAFE_SHARE)))
        return replace(self, page_rows=larger)

    def page_shrunk(self) -> CostModel | None:
        """The model after a page was too large; None when it cannot be smaller."""
        if self.page_rows <= SMALLEST_PAGE_ROWS:
            return None
        smaller = max(self.page_rows // 2, SMALLEST_PAGE_ROWS)
        return replace(self, page_rows=smaller, page_refused=self.page_rows)

    def took(self, seconds: float) -> CostModel:
        """The model after a report job of that length."""
        known = self.job_seconds if self.job_seconds is not None else seconds
        return replace(self, job_seconds=0.5 * known + 0.5 * seconds)


def pieces(days: DateRange, size: Callable[[DateRange], int]) -> Iterator[DateRange]:
    """`days` in consecutive ranges, newest first; every day is in exactly one of them.

    `size` gives the length of the next piece of what is left, and is asked anew for each: what
    one piece taught decides on the next. Newest first, so that a sync that is cut short has
    brought the days that decisions look at.
    """
    left: DateRange | None = days
    while left is not None:
        length = min(max(size(left), 1), len(left))
        since = left.until - timedelta(days=length - 1)
        yield DateRange(since, left.until)
        left = DateRange(left.since, since - timedelta(days=1)) if since > left.since else None


def days_per_piece(report: Report, model: CostModel, most_rows: int) -> int:
    """How many of the report's days to ask for at once: at most `most_rows` rows are expected,
    and no more than was found to be accepted."""
    if model.rows_per_day is None:
        return DAYS_AT_FIRST[report.level]
    most = float(most_rows)
    if model.job_refused is not None:
        most = min(most, model.job_refused * SAFE_SHARE)
    rows = model.rows(report) or 0.0
    return len(report.days) if rows <= most else max(1, int(most * len(report.days) / rows))


def id_lists(ids: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """The ids in lists of a length that one report can ask for."""
    for start in range(0, len(ids), _IDS_PER_REPORT):
        yield tuple(ids[start : start + _IDS_PER_REPORT])


def split(report: Report, ids: Sequence[str], campaigns: Sequence[str] = ()) -> list[Report]:
    """Smaller reports that are the same together; empty when it cannot be made smaller.

    Days are halved first. A day is cut by `campaigns` (those that it has), each asked by its own
    edge, so that no ad has to be known; then by ids (`ids` are those known at its level), then by
    fields.
    """
    if len(report.days) > 1:
        half = (len(report.days) + 1) // 2
        return [report.with_days(days) for days in report.days.split(half)]
    whole = report.ids is None and report.node is None
    if whole and len(campaigns) > 1 and report.level in (Level.ADSET, Level.AD):
        return [replace(report, node=campaign) for campaign in campaigns]
    chosen = report.ids if report.ids is not None else tuple(dict.fromkeys(ids))
    if len(chosen) > 1 and report.node is None:
        half = (len(chosen) + 1) // 2
        return [replace(report, ids=chosen[:half]), replace(report, ids=chosen[half:])]
    if len(report.fields) > 1:
        half = (len(report.fields) + 1) // 2
        return [
            replace(report, fields=report.fields[:half]),
            replace(report, fields=report.fields[half:]),
        ]
    return []
