"""One preset of breakdowns of one account, from the platform into its table.

A day is read again when its plain rows changed since, so that a quiet account costs no calls.
Every row that the platform served is stored, or nothing is; that they add up to the plain rows is
proved, and a day that does not is read again by the next run.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime

import polars as pl

from zyenta_ads_pipeline.domain.ads import AdAccount, Level
from zyenta_ads_pipeline.domain.errors import IncompleteData
from zyenta_ads_pipeline.domain.insights import Preset, Report
from zyenta_ads_pipeline.domain.time import DateRange, account_day
from zyenta_ads_pipeline.ingestion import reads
from zyenta_ads_pipeline.ingestion.account_sync import Synced, SyncPlace, begun_days
from zyenta_ads_pipeline.ingestion.completeness import Gap, gaps_between
from zyenta_ads_pipeline.ingestion.planner import days_per_piece, id_lists, pieces
from zyenta_ads_pipeline.ingestion.report_rows import let_go, read_rows
from zyenta_ads_pipeline.ingestion.reports import ReadReport
from zyenta_ads_pipeline.ingestion.restatement import stretches
from zyenta_ads_pipeline.ingestion.stored import Stored
from zyenta_ads_pipeline.lake.lake import Scope, Snapshot
from zyenta_ads_pipeline.lake.tables import BREAKDOWN_TABLES, INSIGHT_RESTATEMENTS, RAW_INSIGHTS
from zyenta_ads_pipeline.platforms.base import AdsPlatform

log = logging.getLogger(__name__)

_PROVED_BY = ("impressions", "clicks", "spend")


async def sync_breakdown(
    place: SyncPlace,
    platform: AdsPlatform,
    account: AdAccount,
    preset: Preset,
    days: DateRange,
    *,
    whole: bool = False,
) -> Synced:
    """Bring the breakdown's `days` up to date, as far as they have begun for the account.

    `whole` reads every day whatever its plain rows say. Raises one of `domain.errors`; what was
    stored until then stays, each day whole.
    """
    sync = _BreakdownSync(place, platform, account, preset)
    if (begun := begun_days(account, days)) is not None:
        await sync.run(begun, whole=whole)
    return sync.synced


class _BreakdownSync:
    def __init__(
        self, place: SyncPlace, platform: AdsPlatform, account: AdAccount, preset: Preset
    ) -> None:
        self._place = place
        self._account = account
        self._preset = preset
        self._today = account_day(account.observed_at, account.timezone)
        self._snapshot = place.lake.snapshot()
        self._reader = place.reader(platform, account, Stored(self._snapshot, account.id))
        self.synced = Synced(account)

    async def run(self, days: DateRange, *, whole: bool) -> None:
        due = set(days.days()) if whole else self._due(days)
        try:
            for stretch in stretches(due, bridge=0):
                for piece in pieces(stretch, self._length):
                    await self._piece(piece)
        finally:
            self.synced.pages = self._reader.pages
        self.synced.days_confirmed = set(days.days()) - self.synced.days_read

    def _due(self, days: DateRange) -> set[date]:
        """Days never read, still running when they were, left with a gap, or changed since in
        their plain rows."""
        known = reads.of_account(self._snapshot, self._account.id, self._preset.name, days)
        changed = _changed(self._snapshot, self._account.id, days)
        return {
            day
            for day in days.days()
            if (read := known.get(day)) is None
            or read.proof in (reads.RUNNING, reads.GAP)
            or (day in changed and changed[day] > read.read_at)
        }

    async def _piece(self, days: DateRange) -> None:
        """Some days: read, completed by ads that the list leaves out, proved, stored."""
        snapshot = self._place.lake.snapshot()
        plain = _plain_rows(snapshot, self._account.id, days)
        proved = {
            day
            for day, read in reads.of_account(
                snapshot, self._account.id, reads.STREAM, days
            ).items()
            if day < self._today and read.proof != reads.RUNNING
        }
        held: list[ReadReport] = []
        try:
            rows = await self._rows(days, plain, held)
            gaps = self._gaps(rows, plain, proved)
            if gaps and any(one.resumed for one in held):
                log.info("act_%s %s: pages of two moments, read anew", self._account.id, days)
                for one in held:
                    self._reader.discard(one)
                held.clear()
                rows = await self._rows(days, plain, held)
                gaps = self._gaps(rows, plain, proved)
            await self._store(days, rows, gaps, served=sum(one.rows.height for one in held))
        except BaseException:
            let_go(held)
            raise
        for one in held:
            self._reader.settle(one, self._place.run_id)
        self.synced.rows += rows.height
        self.synced.days_read |= set(days.days())
        self.synced.gaps |= gaps
        log.info("act_%s %s %s: %d rows", self._account.id, self._preset.name, days, rows.height)

    async def _rows(
        self, days: DateRange, plain: pl.DataFrame, held: list[ReadReport]
    ) -> pl.DataFrame:
        """The list's rows, and those of ads that it leaves out though they delivered."""
        report = self._report(days)
        rows = await self._read(report, held)
        unlisted = sorted(set(plain["object_id"]) - set(rows["object_id"]))
        for ids in id_lists(unlisted):
            rows = pl.concat([rows, await self._read(replace(report, ids=ids), held)])
        return rows

    async def _read(self, report: Report, held: list[ReadReport]) -> pl.DataFrame:
        read, rows = await read_rows(self._reader, [report], self._account, self._place.run_id)
        held += read
        return rows

    def _gaps(self, rows: pl.DataFrame, plain: pl.DataFrame, proved: set[date]) -> dict[date, Gap]:
        """The days in `proved` whose parts do not add up to the plain rows. Others cannot be
        compared: they were not over, or their plain rows are not there."""
        found = gaps_between(rows, plain, None, self._account.currency)
        return {day: gap for day, gap in found.items() if day in proved}

    async def _store(
        self, days: DateRange, rows: pl.DataFrame, gaps: Mapping[date, Gap], *, served: int
    ) -> None:
        place, account, stream = self._place, self._account, self._preset.name
        every = list(days.days())
        counts = dict(rows.group_by("date").len().iter_rows())
        ledger = reads.read_rows(account, stream, every, counts, gaps, place.run_id)

        def write() -> None:
            table = BREAKDOWN_TABLES[stream]
            scope = Scope([account.id], every)
            stored = place.lake.write(table, rows, scope, run_id=place.run_id).rows
            if stored != served:
                raise IncompleteData(
                    f"act_{account.id} {stream} {days}: {served} rows were served, {stored} stored."
                )
            reads.store(place.lake, account.id, stream, ledger, every)

        async with place.writing:
            await asyncio.to_thread(write)

    def _report(self, days: DateRange) -> Report:
        return Report(self._account.id, Level.AD, days, self._preset, self._preset.fields)

    def _length(self, left: DateRange) -> int:
        report = self._report(left)
        return days_per_piece(report, self._reader.model(report), self._place.most_rows)


def _changed(snapshot: Snapshot, account_id: str, days: DateRange) -> dict[date, datetime]:
    """When the plain rows of each day changed last, by Meta's clock: one that vanished is known
    from the restatements alone."""
    last = [
        snapshot.scan(table)
        .filter(_ads_of(account_id, days))
        .group_by("date")
        .agg(pl.col(moment).max().alias("changed"))
        for table, moment in ((RAW_INSIGHTS, "observed_at"), (INSIGHT_RESTATEMENTS, "replaced_at"))
    ]
    return dict(pl.concat(last).group_by("date").agg(pl.col("changed").max()).collect().iter_rows())


def _plain_rows(snapshot: Snapshot, account_id: str, days: DateRange) -> pl.DataFrame:
    """What proves the breakdown: the stored rows of the account's ads, not broken down."""
    stored = snapshot.scan(RAW_INSIGHTS).filter(_ads_of(account_id, days))
    return stored.select("date", "object_id", *_PROVED_BY).collect()


def _ads_of(account_id: str, days: DateRange) -> pl.Expr:
    return (
        (pl.col("account_id") == account_id)
        & (pl.col("level") == Level.AD.value)
        & pl.col("date").is_between(days.since, days.until)
    )
