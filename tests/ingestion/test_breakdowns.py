"""Breakdowns into the lake: all that was served, adding up to the plain rows, and no call twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.ingestion.syncing import (
    ACCOUNT,
    TOKEN,
    Home,
    days,
    graph,
    home,
    shop,
    sync,
    with_meta,
)
from tests.sandboxes import run_sandbox
from zyenta_ads_pipeline.domain.errors import IncompleteData
from zyenta_ads_pipeline.domain.insights import PRESETS
from zyenta_ads_pipeline.domain.time import DateRange
from zyenta_ads_pipeline.ingestion import reads
from zyenta_ads_pipeline.ingestion.account_sync import Synced
from zyenta_ads_pipeline.ingestion.breakdowns import sync_breakdown
from zyenta_ads_pipeline.lake.lake import Scope
from zyenta_ads_pipeline.lake.tables import BREAKDOWN_TABLES, INSIGHT_READS, RAW_INSIGHTS
from zyenta_ads_pipeline.lake.versions import store_versions
from zyenta_ads_pipeline.platforms.meta.platform import MetaAds
from zyenta_ads_pipeline.sandbox.config import SandboxConfig
from zyenta_ads_pipeline.sandbox.process import SandboxHandle

WEEK = days("2026-11-16", "2026-11-22")
ADS, DELETED = 8, "3105"
BROKEN_UP = {"params": {"breakdowns": '["country"]'}, "path": "*/insights"}
"""The calls of one preset, for faults."""


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SandboxHandle, Home]]:
    """A market of two weeks, with the plain rows of its last finished week stored."""
    folder = tmp_path_factory.mktemp("market")
    config = SandboxConfig(
        state=folder / "state", port=0, days=14, frozen=True, token=TOKEN,
        start=datetime(2026, 11, 23, 17, 30, tzinfo=UTC),
    )  # fmt: skip
    with run_sandbox(config) as sandbox, home(folder / "home") as place:
        sync(sandbox, place, WEEK, account=sandbox.account_ids[0])
        yield sandbox, place


def broken_down(
    sandbox: SandboxHandle,
    place: Home,
    preset: str,
    span: DateRange = WEEK,
    *,
    account: str = ACCOUNT,
    whole: bool = False,
) -> Synced:
    """One sync of a breakdown of an account into the home; `calls` as with plain rows."""

    async def read(meta: MetaAds) -> Synced:
        before = meta.calls
        of = await meta.account(account)
        run = place.run(preset)
        synced = await sync_breakdown(run, meta, of, PRESETS[preset], span, whole=whole)
        synced.calls = meta.calls - before
        return synced

    return with_meta(sandbox, read)


def stored(place: Home, preset: str) -> pl.DataFrame:
    """What the breakdown's table holds."""
    return place.place.lake.snapshot().scan(BREAKDOWN_TABLES[preset]).collect()


def served(place: Home, preset: str) -> int:
    """The rows in the archived replies of the preset, as the platform sent them."""
    archive = place.place.archive
    found = archive.root.glob(f"*/{preset}/ad_{preset}_*.zst")
    return sum(
        reply.body.count(b'"date_start"') for path in found for reply in archive.replies(path)
    )


def proofs(place: Home, preset: str) -> dict[date, str]:
    """The proof of each day of a breakdown, by the ledger."""
    rows = place.place.lake.snapshot().scan(INSIGHT_READS).collect()
    return dict(rows.filter(pl.col("stream") == preset).select("date", "proof").iter_rows())


def sums(rows: pl.DataFrame) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """Impressions, clicks and spend of each ad and day."""
    counted = ("impressions", "clicks", "spend")
    added = rows.group_by("date", "object_id").agg(
        pl.col(name).cast(pl.Decimal(38, 2)).sum() for name in counted
    )
    return {tuple(row[:2]): tuple(row[2:]) for row in added.iter_rows() if any(row[2:])}


@pytest.mark.parametrize("preset", list(PRESETS))
def test_all_rows_served_are_stored_once_and_add_up_to_the_plain_ones(
    market: tuple[SandboxHandle, Home], preset: str
) -> None:
    sandbox, place = market
    account = sandbox.account_ids[0]
    synced = broken_down(sandbox, place, preset, account=account)
    rows, table = stored(place, preset), BREAKDOWN_TABLES[preset]
    assert rows.height == served(place, preset) == synced.rows > place.rows().height
    assert rows.select(table.key).is_unique().all()
    assert sums(rows) == sums(place.rows())
    assert not synced.gaps
    assert set(proofs(place, preset).values()) == {reads.EQUAL}
    again = broken_down(sandbox, place, preset, account=account)
    assert (again.calls, again.days_read) == (1, set()), "the account, and nothing else"
    assert again.days_confirmed == set(WEEK.days())


@pytest.mark.parametrize(
    ("first", "clock_change", "hours"),
    [("2026-10-26", "2026-11-01", 24), ("2026-03-02", "2026-03-08", 23)],
    ids=["25 hours", "23 hours"],
)
def test_hours_are_stored_one_by_one_also_where_the_clock_is_changed(
    tmp_path: Path, first: str, clock_change: str, hours: int
) -> None:
    """The sandbox merges the two equal hours of the long day into one row of `hours` 2."""
    long = first == "2026-10-26"
    begin = date.fromisoformat(first)
    span = DateRange(begin, begin + timedelta(days=6))
    with shop(tmp_path / "shop", first=first) as (sandbox, _), home(tmp_path / "home") as place:
        sync(sandbox, place, span)
        broken_down(sandbox, place, "by_hour", span)
        rows = stored(place, "by_hour")
        assert rows.height == served(place, "by_hour") == ADS * (6 * 24 + hours)
        of_day = rows.filter(pl.col("date") == date.fromisoformat(clock_change))
        assert of_day.group_by("object_id").agg(pl.col("hours").sum())["hours"].to_list() == (
            [25 if long else 23] * ADS
        )
        starts = of_day.filter(pl.col("object_id") == "3100").sort("starts_at")
        begins = starts["starts_at"].to_list()
        ends = [at + timedelta(hours=n) for at, n in zip(begins, starts["hours"], strict=True)]
        assert ends[:-1] == begins[1:], "the hours follow each other without a hole"
        assert sums(rows) == sums(place.rows())


def test_the_first_run_finds_an_empty_home_and_days_that_have_not_begun(tmp_path: Path) -> None:
    with shop(tmp_path / "shop") as (sandbox, _), home(tmp_path / "home") as place:
        assert broken_down(sandbox, place, "by_country", days("2027-01-01", "2027-01-02")).rows == 0
        synced = broken_down(sandbox, place, "by_country")
        assert synced.rows == served(place, "by_country") > 0
        assert not synced.gaps, "nothing is there to compare with"
        sync(sandbox, place, WEEK)
        later = broken_down(sandbox, place, "by_country", days("2026-11-01", "2026-11-22"))
        assert later.days_read >= set(days("2026-11-01", "2026-11-15").days())


def test_a_deleted_ad_is_asked_for_by_its_id(tmp_path: Path) -> None:
    with shop(tmp_path / "shop") as (sandbox, total), home(tmp_path / "home") as place:
        sandbox.plan_reports(deleted="by_id")
        sync(sandbox, place, WEEK)
        with graph(sandbox) as client:
            assert client.delete(DELETED).json()["success"]
        synced = broken_down(sandbox, place, "by_country")
        rows = stored(place, "by_country")
        assert DELETED in rows["object_id"]
        assert rows["spend"].cast(pl.Decimal(38, 2)).sum() == total
        assert rows.height == served(place, "by_country")
        assert not synced.gaps
        assert synced.calls == 3, "the account, the list, and what it left out"


def test_ads_that_the_list_leaves_out_are_asked_for_a_hundred_at_a_time(tmp_path: Path) -> None:
    span = days("2026-11-22", "2026-11-22")
    with (
        shop(tmp_path / "shop", ads=130, first="2026-11-22", number_of_days=1) as (sandbox, total),
        home(tmp_path / "home") as place,
    ):
        sync(sandbox, place, span)
        nothing = {"what": "json", "status": 200, "body": {"data": []}, "times": 1}
        sandbox.faults([nothing | BROKEN_UP])
        synced = broken_down(sandbox, place, "by_country", span)
        assert stored(place, "by_country")["spend"].cast(pl.Decimal(38, 2)).sum() == total
        assert not synced.gaps
        assert synced.calls == 4, "the account, the list, a hundred ads, and thirty"


def test_a_restated_day_is_read_alone_and_one_that_lost_a_row_too(tmp_path: Path) -> None:
    with shop(tmp_path / "shop") as (sandbox, _), home(tmp_path / "home") as place:
        sync(sandbox, place, WEEK)
        broken_down(sandbox, place, "by_country")
        sandbox.advance(hours=1)
        restated, emptied = date(2026, 11, 18), date(2026, 11, 21)
        now, lake = sandbox.now(), place.place.lake
        known = lake.snapshot().scan(RAW_INSIGHTS).drop("content_hash").collect()
        mine = known.with_columns(observed_at=pl.lit(now))
        dearer = mine.filter(pl.col("date") == restated).with_columns(spend=pl.lit("99.00"))
        fewer = mine.filter((pl.col("date") == emptied) & (pl.col("object_id") != "3103"))
        for day, rows in ((restated, dearer), (emptied, fewer)):
            scope = Scope([ACCOUNT], [day])
            store_versions(lake, rows, scope, run_id="later", observed_at=now)
        sandbox.advance(hours=1)
        again = broken_down(sandbox, place, "by_country")
        assert again.days_read == {restated, emptied}
        assert set(again.gaps) == {restated, emptied}, "the plain rows were only made up"


def test_a_list_that_was_cut_short_is_a_gap_and_read_again_until_it_is_whole(
    tmp_path: Path,
) -> None:
    with shop(tmp_path / "shop") as (sandbox, _), home(tmp_path / "home") as place:
        sync(sandbox, place, WEEK)
        sandbox.faults([{"what": "json", "status": 200, "body": {"data": []}, **BROKEN_UP}])
        first = broken_down(sandbox, place, "by_country")
        assert set(first.gaps) == set(WEEK.days())
        assert set(proofs(place, "by_country").values()) == {reads.GAP}
        left = reads.gap_days(place.place.lake.snapshot(), [ACCOUNT, "43"], "by_country")
        assert set(left) == {ACCOUNT}
        assert set(left[ACCOUNT]) == set(WEEK.days())
        sandbox.clear_faults()
        second = broken_down(sandbox, place, "by_country")
        assert not second.gaps
        assert set(proofs(place, "by_country").values()) == {reads.EQUAL}
        assert sums(stored(place, "by_country")) == sums(place.rows())


def test_a_day_that_is_running_has_no_gap_and_is_read_again(
    market: tuple[SandboxHandle, Home], tmp_path: Path
) -> None:
    sandbox, _ = market
    account, today = sandbox.account_ids[0], date(2026, 11, 23)
    span = DateRange(today - timedelta(days=1), today)
    with home(tmp_path / "home") as place:
        sync(sandbox, place, span, account=account)
        sandbox.advance(hours=2)
        first = broken_down(sandbox, place, "by_country", span, account=account)
        assert sums(stored(place, "by_country")) != sums(place.rows()), "two hours lie between"
        assert not first.gaps
        expected = {span.since: reads.EQUAL, today: reads.RUNNING}
        assert proofs(place, "by_country") == expected
        again = broken_down(sandbox, place, "by_country", span, account=account)
        assert again.days_read == {today}


def test_pages_that_contradict_each_other_are_asked_anew_once(tmp_path: Path) -> None:
    row = {
        "account_id": ACCOUNT, "campaign_id": "11", "adset_id": "21", "ad_id": "3100",
        "date_start": "2026-11-20", "date_stop": "2026-11-20", "country": "US",
        "account_currency": "USD", "impressions": "1", "clicks": "1", "spend": "1.00",
    }  # fmt: skip
    twice = {"what": "json", "status": 200, "body": {"data": [row, row]}, **BROKEN_UP}
    with shop(tmp_path / "shop") as (sandbox, _), home(tmp_path / "home") as place:
        sync(sandbox, place, WEEK)
        sandbox.faults([{**twice, "times": 1}])
        assert not broken_down(sandbox, place, "by_country").gaps
        before = stored(place, "by_country")
        sandbox.faults([{**twice, "times": 2}])
        with pytest.raises(IncompleteData, match="twice"):
            broken_down(sandbox, place, "by_country", whole=True)
        assert stored(place, "by_country").equals(before)
        assert not list((place.place.archive.root / "open").rglob("*.zst*"))
