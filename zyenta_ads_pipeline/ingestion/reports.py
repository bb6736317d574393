"""Reads one report whole: at once or as a job, page by page, smaller where it is too large.

Every page goes to the archive's open file as it comes, so that a process that takes the report
up again goes on at the page after it. Rows leave here as the platform's texts, whole or not at
all.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import polars as pl

from zyenta_ads_pipeline.domain.errors import (
    IncompleteData,
    NotFound,
    ReportFailed,
    TooMuchData,
    ValidationRefused,
)
from zyenta_ads_pipeline.domain.insights import STATS, Report
from zyenta_ads_pipeline.ingestion.planner import CostModel, split
from zyenta_ads_pipeline.ingestion.report_jobs import (
    FRESH_FOR,
    Clock,
    Deadline,
    Patience,
    ReportJobs,
)
from zyenta_ads_pipeline.lake.archive import OpenReport, RawArchive, Reply
from zyenta_ads_pipeline.lake.schema import STAT_ITEMS
from zyenta_ads_pipeline.platforms.base import AdsPlatform, InsightsPage
from zyenta_ads_pipeline.store.ledger import ReportLedger

log = logging.getLogger(__name__)

PAGES_FRESH_FOR = timedelta(minutes=30)
"""Pages of an unfinished list are taken up again for this long: cursors are short-lived."""
_SPLITS_AT_MOST = 60
_PAGE_TOO_LARGE = 1
"""Meta's code for a page too large; its other codes mean the whole query."""

PageReader = Callable[[int, str | None], Awaitable[InsightsPage]]


@dataclass
class ReadReport:
    """A report's rows as texts, each with its `observed_at`; `missing` (comma-separated, or null)
    names the fields that the platform could not serve. `settle` once they are stored."""

    rows: pl.DataFrame
    files: list[OpenReport] = field(default_factory=list)
    jobs: list[Report] = field(default_factory=list)
    resumed: bool = False
    """Whether some pages are of an earlier moment, left by a process that ended early."""


class ReportReader:
    """Reads reports of one account from one platform.

    `known_ids` gives the ids of a report's level and `campaigns` those of its days, to cut a day
    that is too large. `now` is the platform's time at the start.
    """

    def __init__(
        self,
        platform: AdsPlatform,
        ledger: ReportLedger,
        archive: RawArchive,
        *,
        now: datetime,
        deadline: Deadline,
        known_ids: Callable[[Report], Sequence[str]],
        campaigns: Callable[[Report], Sequence[str]] = lambda _: (),
        patience: Patience,
        clock: Clock,
    ) -> None:
        self._platform = platform
        self._ledger = ledger
        self._archive = archive
        self._now = now
        self._deadline = deadline
        self._known_ids = known_ids
        self._campaigns = campaigns
        self._jobs = ReportJobs(platform, ledger, deadline, patience=patience, clock=clock)
        self._models: dict[tuple[str, str], CostModel] = {}
        self._splits = 0
        self.pages = 0
        """Pages read so far from the platform; those found in the archive are not counted."""

    def model(self, report: Report) -> CostModel:
        """What such reports are known to cost."""
        key = (report.account_id, _stream(report))
        if key not in self._models:
            self._models[key] = CostModel.of(self._ledger.costs(*key))
        return self._models[key]

    async def read(self, report: Report, *, take_up: timedelta = FRESH_FOR) -> ReadReport:
        """All rows of the report. A job that was submitted less than `take_up` ago is taken up.

        Raises one of `domain.errors`, and then nothing is to be stored; what was read stays in the
        archive's open files for the next attempt.
        """
        before = self.model(report)
        self._jobs.under_way(report, take_up)
        try:
            read = await self._whole(report)
        finally:
            if self.model(report) != before:
                stored = self.model(report).stored()
                self._ledger.learn(report.account_id, _stream(report), stored, datetime.now(UTC))
        return read

    async def read_all(
        self, reports: Sequence[Report], *, take_up: timedelta = FRESH_FOR
    ) -> list[ReadReport]:
        """Several reports at the same time. When one fails the others are ended before its error
        goes on; what they have read stays for the next attempt."""
        tasks: list[asyncio.Task[ReadReport]] = []
        try:
            async with asyncio.TaskGroup() as group:
                for report in reports:
                    tasks.append(group.create_task(self.read(report, take_up=take_up)))
        except ExceptionGroup as failed:
            for task in tasks:
                if not task.cancelled() and task.exception() is None:
                    for file in task.result().files:
                        file.close()
            raise failed.exceptions[0] from None
        return [task.result() for task in tasks]

    def settle(self, read: ReadReport, run_id: str) -> None:
        """The rows are stored: move the replies to the archive, forget the jobs."""
        for file in read.files:
            file.archive(run_id)
        for job in read.jobs:
            self._jobs.close(job)

    def discard(self, read: ReadReport) -> None:
        """The rows do not hold together: forget the pages, so that they are asked anew."""
        for file in read.files:
            file.remove()
        for job in read.jobs:
            self._jobs.close(job)

    async def _whole(self, report: Report) -> ReadReport:
        try:
            return await self._fetched(report)
        except (TooMuchData, ReportFailed) as error:
            parts = split(report, self._known_ids(report), self._campaigns(report))
            self._splits += 1
            if not parts or self._splits > _SPLITS_AT_MOST:
                raise
            log.warning("%s is too much at once (%s): asked in parts", report, error.what)
            if parts[0].fields != report.fields:
                return await self._by_fields(report, parts)
            return _joined([await self._whole(part) for part in parts])

    async def _by_fields(self, report: Report, parts: Sequence[Report]) -> ReadReport:
        """Parts with some of the fields each, put side by side; one that cannot be had is named."""
        read: list[ReadReport] = []
        missing: list[str] = []
        failure: Exception | None = None
        for part in parts:
            try:
                read.append(await self._whole(part))
            except (TooMuchData, ReportFailed, ValidationRefused) as error:
                missing += part.fields
                failure = error
        if failure is not None and not read:
            raise failure
        key = [*report.id_fields, "date_start", "date_stop", *report.preset.breakdowns]
        rows = read[0].rows
        for other in read[1:]:
            rows = rows.join(
                other.rows, on=key, how="full", coalesce=True, nulls_equal=True, suffix="_other"
            )
            twice = [name for name in rows.columns if f"{name}_other" in rows.columns]
            rows = rows.with_columns(
                _named(pl.col("missing"), pl.col("missing_other"))
                if name == "missing"
                else pl.coalesce(name, f"{name}_other").alias(name)
                for name in twice
            )
            rows = rows.drop(f"{name}_other" for name in twice)
        together = _joined(read)
        lacking = [
            pl.lit(None, STAT_ITEMS if name in STATS else pl.String).alias(name) for name in missing
        ]
        rows = rows.with_columns(*lacking, _named(pl.col("missing"), pl.lit(_listed(missing))))
        return ReadReport(rows, together.files, together.jobs, together.resumed)

    async def _fetched(self, report: Report) -> ReadReport:
        file = self._archive.open(report)
        try:
            waiting = self._jobs.under_way(report) is not None
            if waiting or not self.model(report).synchronous(report):
                return await self._by_job(report, file)
            try:
                return await self._at_once(report, file)
            except TooMuchData as error:
                if error.origin.code == _PAGE_TOO_LARGE:
                    raise
                log.info("%s: too much to wait for, asked as a job", report)
                file.restart()
                read = await self._by_job(report, file)
                # Only now it is known how many rows were too many.
                self._learn(report, self.model(report).refused(report, synchronous=True))
                return read
        except (TooMuchData, ReportFailed, IncompleteData):
            file.remove()
            raise
        except BaseException:
            file.close()
            raise

    async def _at_once(self, report: Report, file: OpenReport) -> ReadReport:
        def page(limit: int, after: str | None) -> Awaitable[InsightsPage]:
            return self._platform.read_page(report, limit=limit, after=after)

        source = report.node or f"act_{report.account_id}"
        rows, resumed = await self._pages(report, file, page, source, PAGES_FRESH_FOR)
        self._learn(report, self.model(report).counted(report, rows.height, synchronous=True))
        return ReadReport(rows, files=[file], resumed=resumed)

    async def _by_job(self, report: Report, file: OpenReport) -> ReadReport:
        resumed = self._jobs.under_way(report) is not None
        if not resumed:
            file.restart()
        try:
            job = await self._jobs.completed(report, self.model(report).job_seconds)
        except (TooMuchData, ReportFailed):
            self._learn(report, self.model(report).refused(report, synchronous=False))
            raise
        age = self._jobs.age(job)
        if not resumed:
            self._learn(report, self.model(report).took(age.total_seconds()))

        def page(limit: int, after: str | None) -> Awaitable[InsightsPage]:
            return self._platform.report_page(job.run_id, report, limit=limit, after=after)

        try:
            rows, _ = await self._pages(report, file, page, job.run_id, None)
        except NotFound:
            self._jobs.close(report)
            raise
        self._learn(report, self.model(report).counted(report, rows.height, synchronous=False))
        # Its numbers are those of when it was computed, which is not earlier than this.
        dated = rows.with_columns(pl.col("observed_at") - age)
        return ReadReport(dated, files=[file], jobs=[report], resumed=resumed)

    async def _pages(
        self,
        report: Report,
        file: OpenReport,
        read: PageReader,
        source: str,
        fresh_for: timedelta | None,
    ) -> tuple[pl.DataFrame, bool]:
        """All pages to the real end, those that the file has of `source` (a report job, an
        account, an object) first; and whether it had any."""
        pages = self._kept(report, file, source, fresh_for)
        resumed = bool(pages)
        seen = {page.after for page in pages}
        after = pages[-1].after if pages else None
        frames = [_observed(page) for page in pages]
        while not frames or after is not None:
            self._deadline.check(f"page {len(frames) + 1} of {report}")
            limit = self.model(report).page_rows
            try:
                page = await read(limit, after)
            except TooMuchData as error:
                smaller = self.model(report).page_shrunk()
                if smaller is None or (after is None and error.origin.code != _PAGE_TOO_LARGE):
                    raise
                self._learn(report, smaller)
                continue
            except ValidationRefused as error:
                if after is None:
                    raise
                if not resumed:
                    raise _broken(report, len(frames) + 1, error) from error
                log.info("%s: the cursor it had is no longer valid, read from the start", report)
                file.restart()
                frames, after, resumed = [], None, False
                seen.clear()
                continue
            if page.after is not None and page.after in seen:
                raise IncompleteData(
                    f"The list of {report} goes in circles: page {len(frames) + 1} points to an "
                    "earlier one.",
                    "Nothing of it was stored; run it again.",
                )
            seen.add(page.after)
            after = page.after
            file.add(Reply(page.request, page.observed_at, page.body))
            frames.append(_observed(page))
            self.pages += 1
            self._learn(report, self.model(report).page_grown(page.rows.height))
        return pl.concat(frames), resumed

    def _kept(
        self, report: Report, file: OpenReport, source: str, fresh_for: timedelta | None
    ) -> list[InsightsPage]:
        """The pages that an earlier process left, unless they are too old, not readable, or of
        another source: a cursor leads on in its own list only."""
        try:
            pages = [
                self._platform.decoded(
                    report, reply.body, observed_at=reply.observed_at, request=reply.request
                )
                for reply in file.replies()
            ]
        except IncompleteData:
            pages = []
        old = fresh_for is not None and any(
            self._now - page.observed_at > fresh_for for page in pages
        )
        foreign = any(f"/{source}/insights" not in page.request for page in pages)
        if not pages or old or foreign:
            file.restart()
            return []
        log.info("%s: %d pages were there already", report, len(pages))
        return pages

    def _learn(self, report: Report, model: CostModel) -> None:
        self._models[(report.account_id, _stream(report))] = model


def _stream(report: Report) -> str:
    return f"{report.level.value}/{report.preset.name}"


def _observed(page: InsightsPage) -> pl.DataFrame:
    return page.rows.with_columns(
        pl.lit(page.observed_at).alias("observed_at"), pl.lit(None, pl.String).alias("missing")
    )


def _joined(read: Sequence[ReadReport]) -> ReadReport:
    """Parts of one report below each other."""
    return ReadReport(
        rows=pl.concat([part.rows for part in read], how="diagonal"),
        files=[file for part in read for file in part.files],
        jobs=[job for part in read for job in part.jobs],
        resumed=any(part.resumed for part in read),
    )


def _listed(names: Sequence[str]) -> str | None:
    return ",".join(names) or None


def _named(one: pl.Expr, other: pl.Expr) -> pl.Expr:
    """Two lists of missing fields as one; null when both are."""
    both = pl.concat_str([one, other], separator=",", ignore_nulls=True)
    return pl.when(one.is_not_null() | other.is_not_null()).then(both).alias("missing")


def _broken(report: Report, number: int, error: ValidationRefused) -> IncompleteData:
    return IncompleteData(
        f"The list of {report} broke off: page {number} could not be read: {error.what}",
        "Nothing of this list was stored; run it again.",
    )
