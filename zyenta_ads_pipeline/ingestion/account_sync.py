"""One account's insights, from the platform into the lake: whole, proved, and no more than needed.

Totals come first. Where they equal what is stored, the day is confirmed and nothing more is asked;
where they moved, ad sets and ads are read, the sum is proved against the totals, what the list
leaves out is found by id, and the day is replaced whole. Each piece is stored before the next is
read, so that memory does not grow with the days, and what a killed run has stored is found equal
by the next one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial

import polars as pl

from zyenta_ads_pipeline.domain.ads import AdAccount, Level
from zyenta_ads_pipeline.domain.errors import (
    IncompleteData,
    NotFound,
    PermissionDenied,
    ValidationRefused,
)
from zyenta_ads_pipeline.domain.insights import OBJECT_ID, Report
from zyenta_ads_pipeline.domain.time import DateRange, Tier, account_day, day_start
from zyenta_ads_pipeline.ingestion import reads
from zyenta_ads_pipeline.ingestion.completeness import Gap, gaps_between, unserved_days
from zyenta_ads_pipeline.ingestion.missing_ads import Around, likely_missing, with_missing_ads
from zyenta_ads_pipeline.ingestion.normalising import action_types, purchase_type
from zyenta_ads_pipeline.ingestion.planner import days_per_piece, id_lists, pieces
from zyenta_ads_pipeline.ingestion.report_jobs import FRESH_FOR, Clock, Deadline, Patience
from zyenta_ads_pipeline.ingestion.report_rows import read_rows
from zyenta_ads_pipeline.ingestion.reports import PAGES_FRESH_FOR, ReadReport, ReportReader
from zyenta_ads_pipeline.ingestion.restatement import moved_days, stretches, whole_days
from zyenta_ads_pipeline.ingestion.stored import TOTALS, Stored, emptied_days
from zyenta_ads_pipeline.lake.archive import RawArchive
from zyenta_ads_pipeline.lake.content import with_content_hash
from zyenta_ads_pipeline.lake.lake import Lake, Scope
from zyenta_ads_pipeline.lake.versions import Restated, store_versions
from zyenta_ads_pipeline.platforms.base import AdsPlatform
from zyenta_ads_pipeline.store.ledger import ReportLedger

log = logging.getLogger(__name__)


_SEARCH_CALLS = 60
"""Reports that one sync may spend on ads which the lists leave out."""
_ADS_OF_A_CAMPAIGN = 20
"""Assumed of an account whose ads were never read, so that its first days fit in memory."""


@dataclass(frozen=True)
class SyncPlace:
    """What the accounts of one run share. `most_rows` bounds the ad rows in memory at once."""

    lake: Lake
    archive: RawArchive
    ledger: ReportLedger
    run_id: str
    deadline: Deadline
    tiers: Sequence[Tier]
    most_rows: int = 15_000
    patience: Patience = field(default_factory=Patience)
    clock: Clock = field(default_factory=Clock)
    writing: asyncio.Lock = field(default_factory=asyncio.Lock)

    def reader(
        self,
        platform: AdsPlatform,
        account: AdAccount,
        stored: Stored,
        campaigns: Callable[[Report], Sequence[str]] = lambda _: (),
    ) -> ReportReader:
        """What reads the account's reports; `campaigns` as in `ReportReader`."""
        return ReportReader(
            platform,
            self.ledger,
            self.archive,
            now=account.observed_at,
            deadline=self.deadline,
            known_ids=lambda report: stored.ids(report.level),
            campaigns=campaigns,
            patience=self.patience,
            clock=self.clock,
        )


@dataclass
class Synced:
    """What a sync of one account came to."""

    account: AdAccount
    types: set[str] = field(default_factory=set)
    days_read: set[date] = field(default_factory=set)
    days_confirmed: set[date] = field(default_factory=set)
    rows: int = 0
    new: int = 0
    changed: int = 0
    removed: int = 0
    gaps: dict[date, Gap] = field(default_factory=dict)
    pages: int = 0
    calls: int = 0
    """Requests, those of looking the account up included; set by whoever counts them."""


async def sync_insights(
    place: SyncPlace,
    platform: AdsPlatform,
    account: AdAccount,
    days: DateRange,
    *,
    purchases: str | None = None,
    chosen: str | None = None,
    whole: bool = False,
) -> Synced:
    """Bring `days` of an account up to date, as far as they have begun for it.

    `purchases` is the account's canonical purchase type so far, `chosen` the one that the settings
    name, which goes first; `whole` reads every day down to its ads whatever its totals say.
    Raises one of `domain.errors`; what was stored until then stays, each day whole.
    """
    sync = _AccountSync(place, platform, account, purchases, chosen)
    if (begun := begun_days(account, days)) is not None:
        await sync.run(begun, whole=whole)
    return sync.synced


def begun_days(account: AdAccount, days: DateRange) -> DateRange | None:
    """The part of `days` that has begun for the account; None when none has."""
    today = account_day(account.observed_at, account.timezone)
    return DateRange(days.since, min(days.until, today)) if days.since <= today else None


class _AccountSync:
    def __init__(
        self,
        place: SyncPlace,
        platform: AdsPlatform,
        account: AdAccount,
        purchases: str | None,
        chosen: str | None,
    ) -> None:
        self._place = place
        self._platform = platform
        self._account = account
        self._purchases = purchases
        self._chosen = chosen
        self._known: Mapping[date, reads.KnownDay] = {}
        self._campaigns: list[str] = []
        self._searches = _SEARCH_CALLS
        self._asked_whole = False
        self._today = account_day(account.observed_at, account.timezone)
        self._snapshot = place.lake.snapshot()
        self._stored = Stored(self._snapshot, account.id)
        self._reader = place.reader(platform, account, self._stored, lambda _: self._campaigns)
        self.synced = Synced(account)

    async def run(self, days: DateRange, *, whole: bool) -> None:
        self._known = reads.of_account(self._snapshot, self._account.id, reads.STREAM, days)
        self._place.archive.discard_older(self._account.id, datetime.now(UTC) - FRESH_FOR)
        must = whole_days(days, self._known, self._place.tiers, self._account.observed_at)
        must |= {
            day
            for day, read in self._known.items()
            # What was read while the day was running could not be proved.
            if read.proof == reads.GAP or (read.proof == reads.RUNNING and day < self._today)
        }
        self._asked_whole = whole
        if whole:
            must = set(days.days())
        try:
            for stretch in pieces(days, partial(self._length, Level.CAMPAIGN)):
                await self._stretch(stretch, must & set(stretch.days()))
        finally:
            self.synced.pages = self._reader.pages

    async def _stretch(self, days: DateRange, must: set[date]) -> None:
        """Totals first, then what they say has to be read."""
        stored = self._stored.totals(days)
        read, totals = await self._read(TOTALS, days, take_up=PAGES_FRESH_FOR)
        if not self._asked_whole:
            read, totals = await self._not_emptied(days, stored, read, totals)
        self._campaigns = totals["campaign_id"].drop_nulls().unique().sort().to_list()
        # Of days that are only confirmed, too: a run that ended early wrote down no types.
        self.synced.types |= action_types(totals)
        hashed = with_content_hash(totals)
        covered: set[date] = set()
        for moved in stretches(moved_days(hashed, stored) | must, self._bridge(days)):
            for piece in pieces(moved, partial(self._length, Level.AD)):
                await self._piece(piece, totals.filter(_in(piece)))
                covered |= set(piece.days())
        confirmed = sorted(set(days.days()) - covered)
        rows = reads.confirmed_rows(self._account, confirmed, self._known, self._place.run_id)
        async with self._place.writing:
            await asyncio.to_thread(
                reads.store, self._place.lake, self._account.id, reads.STREAM, rows, confirmed
            )
        self.synced.days_confirmed |= set(confirmed)
        self._settle(read)

    async def _not_emptied(
        self,
        days: DateRange,
        stored: pl.DataFrame,
        read: list[ReadReport],
        totals: pl.DataFrame,
    ) -> tuple[list[ReadReport], pl.DataFrame]:
        """The totals, asked once more where days that had delivery have none at all: an empty list
        is also what a platform in trouble answers. Raises `IncompleteData` if it stays so."""
        emptied = emptied_days(stored, totals)
        if not emptied:
            return read, totals
        for one in read:
            self._reader.discard(one)
        read, totals = await self._read(TOTALS, days)
        if emptied := emptied_days(stored, totals):
            for one in read:
                self._reader.discard(one)
            raise IncompleteData(
                f"act_{self._account.id}: Meta now tells of no delivery at all on "
                f"{len(emptied)} days that had some, the first {min(emptied)}.",
                "The earlier numbers are kept. If Ads Manager shows nothing either, take it over "
                "with `zyenta sync --whole` for these days.",
            )
        return read, totals

    async def _piece(self, days: DateRange, totals: pl.DataFrame) -> None:
        """Some days down to their ads: read, proved, completed, stored."""
        read, below = await self._read((Level.ADSET, Level.AD), days)
        rows = pl.concat([totals, below])
        gaps = self._gaps(rows)
        if gaps and any(one.resumed for one in read):
            log.info(
                "act_%s %s: pages of two moments do not fit, read anew", self._account.id, days
            )
            for one in read:
                self._reader.discard(one)
            read, below = await self._read((Level.ADSET, Level.AD), days)
            rows = pl.concat([totals, below])
            gaps = self._gaps(rows)
        if gaps:
            rows = await self._with_newer_totals(rows, sorted(gaps), read)
            gaps = self._gaps(rows)
        if self._worth_a_search(gaps):
            rows, gaps = await self._with_missing_ads(rows, days, read)
        if gaps:
            rows = self._with_whole_days(rows, list(gaps))
            gaps = self._gaps(rows)
        rows = await self._with_parents(rows, days, read)
        await self._store(days, rows, gaps)
        self._settle(read)

    async def _with_newer_totals(
        self, rows: pl.DataFrame, days: Sequence[date], read: list[ReadReport]
    ) -> pl.DataFrame:
        """The account's totals again: they may have moved since its first report."""
        asked = DateRange(days[0], days[-1])
        more, newer = await self._read((Level.ACCOUNT,), asked)
        read += more
        old = (pl.col("level") == Level.ACCOUNT.value) & _in(asked)
        return pl.concat([rows.filter(~old), newer])

    def _worth_a_search(self, gaps: Mapping[date, Gap]) -> bool:
        """Whether ads may be missing that were not looked for already: a gap that was there before
        is searched again once a day, or when everything is asked for."""
        return self._searches > 0 and any(
            gap.positive
            and (
                self._asked_whole
                or (known := self._known.get(day)) is None
                or known.values["gap_impressions"] != gap.impressions
                or known.values["gap_clicks"] != gap.clicks
                or account_day(known.read_at, self._account.timezone) < self._today
            )
            for day, gap in gaps.items()
        )

    async def _with_missing_ads(
        self, rows: pl.DataFrame, days: DateRange, read: list[ReadReport]
    ) -> tuple[pl.DataFrame, Mapping[date, Gap]]:
        others = rows.filter(pl.col("level") != Level.AD.value)

        async def more(report: Report) -> pl.DataFrame:
            self._searches -= 1
            if self._searches < 0:
                raise NotFound("The search for missing ads goes on in a later sync.")
            found, rows = await self._rows([report])
            read.extend(found)
            return rows

        ads, gaps = await with_missing_ads(
            Report(self._account.id, Level.AD, days),
            rows.filter(pl.col("level") == Level.AD.value),
            likely_missing(self._snapshot, self._account.id),
            partial(self._logged_ids, days),
            Around(
                rows.filter(pl.col("level") == Level.CAMPAIGN.value),
                rows.filter(pl.col("level") == Level.ADSET.value),
            ),
            more,
            lambda ads: self._gaps(pl.concat([others, ads])),
        )
        return pl.concat([others, ads]), gaps

    def _with_whole_days(self, rows: pl.DataFrame, days: Sequence[date]) -> pl.DataFrame:
        """The rows with the stored ads and ad sets of days on which those add up to the totals
        and the ones just read do not: a list that was cut short takes nothing away."""
        below = pl.col("level").is_in([Level.AD.value, Level.ADSET.value])
        had = self._stored.rows(days).filter(below)
        now = rows.filter(pl.col("date").is_in(days) & ~below)
        whole = set(had["date"]) - self._gaps(pl.concat([now, had], how="diagonal")).keys()
        if not whole:
            return rows
        log.warning("act_%s: %d days keep the ads they had", self._account.id, len(whole))
        of_days = pl.col("date").is_in(list(whole))
        kept = had.filter(of_days).select(name for name in rows.columns if name in had.columns)
        return pl.concat([rows.filter(~(of_days & below)), kept], how="diagonal")

    async def _with_parents(
        self, rows: pl.DataFrame, days: DateRange, read: list[ReadReport]
    ) -> pl.DataFrame:
        """The rows with those of ad sets and campaigns that have ads but are not listed: reach
        does not add up, so theirs cannot be had from the ads."""
        for level in (Level.ADSET, Level.CAMPAIGN):
            parent = OBJECT_ID[level]
            ads = rows.filter(pl.col("level") == Level.AD.value).select("date", parent)
            listed = rows.filter(pl.col("level") == level.value).select("date", parent)
            hidden = ads.join(listed, on=["date", parent], how="anti")[parent].unique().sort()
            if hidden.is_empty():
                continue
            for ids in id_lists(hidden.to_list()):
                report = Report(self._account.id, level, days, ids=ids)
                more, found = await self._rows([report])
                read += more
                rows = pl.concat([rows, found.join(listed, on=["date", parent], how="anti")])
        return rows

    async def _logged_ids(self, days: DateRange) -> list[str]:
        """Objects that someone touched since the days began: deleting one is such an act."""
        since = day_start(days.since, self._account.timezone)
        try:
            return await self._platform.touched_objects(self._account.id, since)
        except (PermissionDenied, ValidationRefused, NotFound) as error:
            log.info("act_%s: its activities cannot be read: %s", self._account.id, error.what)
            return []

    async def _read(
        self, levels: Sequence[Level], days: DateRange, *, take_up: timedelta = FRESH_FOR
    ) -> tuple[list[ReadReport], pl.DataFrame]:
        """Several levels of the same days at the same time."""
        reports = [Report(self._account.id, level, days) for level in levels]
        return await self._rows(reports, take_up)

    async def _rows(
        self, reports: Sequence[Report], take_up: timedelta = FRESH_FOR
    ) -> tuple[list[ReadReport], pl.DataFrame]:
        run_id = self._place.run_id
        return await read_rows(self._reader, reports, self._account, run_id, take_up=take_up)

    def _gaps(self, rows: pl.DataFrame) -> Mapping[date, Gap]:
        """Days whose ads do not add up, those that are still running left out."""
        counted = self._chosen or purchase_type(action_types(rows), self._purchases)
        ads = rows.filter(pl.col("level") == Level.AD.value)
        account = rows.filter(pl.col("level") == Level.ACCOUNT.value)
        found = gaps_between(ads, account, counted, self._account.currency)
        return {day: gap for day, gap in found.items() if day < self._today}

    async def _store(self, days: DateRange, rows: pl.DataFrame, gaps: Mapping[date, Gap]) -> None:
        place, account = self._place, self._account
        counts = dict(rows.group_by("date").len().iter_rows())
        gaps = {**unserved_days(rows), **gaps}
        ledger = reads.read_rows(account, reads.STREAM, days.days(), counts, gaps, place.run_id)
        every = list(days.days())
        replaced = [day for day in every if day in self._known]

        def write() -> Restated:
            unproved = reads.unproved_rows(replaced, self._known)
            reads.store(place.lake, account.id, reads.STREAM, unproved, replaced)
            restated = store_versions(
                place.lake,
                rows,
                Scope([account.id], every),
                run_id=place.run_id,
                observed_at=account.observed_at,
            )
            reads.store(place.lake, account.id, reads.STREAM, ledger, every)
            return restated

        async with place.writing:
            restated = await asyncio.to_thread(write)
        self.synced.new += restated.new
        self.synced.changed += restated.changed
        self.synced.removed += restated.removed
        self.synced.rows += rows.height
        self.synced.types |= action_types(rows)
        self.synced.days_read |= set(every)
        self.synced.gaps |= gaps
        log.info("act_%s %s: %d rows, %s", account.id, days, rows.height, restated)

    def _settle(self, read: Sequence[ReadReport]) -> None:
        for one in read:
            self._reader.settle(one, self._place.run_id)

    def _length(self, level: Level, left: DateRange) -> int:
        report = Report(self._account.id, level, left)
        model = self._reader.model(report)
        length = days_per_piece(report, model, self._place.most_rows)
        if level is not Level.AD or model.rows_per_day is not None:
            return length
        above = self._reader.model(replace(report, level=Level.CAMPAIGN)).rows_per_day or 0.0
        likely = max(above * _ADS_OF_A_CAMPAIGN, 1.0)
        return max(1, min(length, int(self._place.most_rows / likely)))

    def _bridge(self, days: DateRange) -> int:
        """Days whose ads fit on a page: reading them costs less than another report."""
        model = self._reader.model(Report(self._account.id, Level.AD, days))
        return int(model.page_rows / model.rows_per_day) if model.rows_per_day else 0


def _in(days: DateRange) -> pl.Expr:
    return pl.col("date").is_between(days.since, days.until)
