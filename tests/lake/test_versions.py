"""What Meta restates is kept: every moment can be rebuilt, and nothing is kept twice."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from deltalake import DeltaTable
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.lake.frames import DAY, day, frame
from zyenta_ads_pipeline.domain.errors import StorageError
from zyenta_ads_pipeline.lake.lake import Lake, Scope, Snapshot
from zyenta_ads_pipeline.lake.models import model
from zyenta_ads_pipeline.lake.schema import Table
from zyenta_ads_pipeline.lake.tables import (
    AD_ACCOUNTS,
    INSIGHT_READS,
    INSIGHT_RESTATEMENTS,
    RAW_INSIGHTS,
)
from zyenta_ads_pipeline.lake.versions import Restated, store_versions

HISTORY = INSIGHT_RESTATEMENTS
START = datetime(2026, 11, 5, tzinfo=UTC)
Reading = Mapping[tuple[date, str], str]
"""Clicks by day and ad."""


def moment(n: int) -> datetime:
    return START + timedelta(hours=n)


def rows(reading: Reading, seen: datetime, run: str = "r") -> pl.DataFrame:
    return frame(
        RAW_INSIGHTS,
        (
            {
                "date": each, "account_id": "1", "level": "ad", "object_id": ad, "ad_id": ad,
                "clicks": clicks, "observed_at": seen, "run_id": run,
                "actions": [{"action_type": "link_click", "value": clicks}],
            }
            for (each, ad), clicks in reading.items()
        ),
    ).drop("content_hash")  # fmt: skip


def store(lake: Lake, reading: Reading, n: int, days: int = 2) -> Restated:
    scope = Scope(["1"], [day(i) for i in range(days)])
    run = f"run-{n}"
    seen = moment(n)
    return store_versions(lake, rows(reading, seen, run), scope, run_id=run, observed_at=seen)


def clicks_in(snapshot: Snapshot) -> dict[tuple[date, str], str]:
    """By SQL; and the Polars scan says the same."""
    told = "SELECT date, object_id, clicks FROM raw_insights"
    by_sql = {(row[0], row[1]): row[2] for row in snapshot.query(told).iter_rows()}
    scanned = snapshot.scan(RAW_INSIGHTS).collect()
    assert scanned.schema == RAW_INSIGHTS.schema
    chosen = scanned.select("date", "object_id", "clicks")
    assert {(row[0], row[1]): row[2] for row in chosen.iter_rows()} == by_sql
    assert scanned.height == len(by_sql)
    return by_sql


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"))


A, B, C = (DAY, "31"), (DAY, "32"), (day(1), "31")


def test_a_reading_is_told_as_new_changed_removed_and_unchanged(lake: Lake) -> None:
    assert store(lake, {A: "1", B: "1", C: "1"}, 0) == Restated(3, 0, 0, 0)
    assert store(lake, {A: "2", C: "1", (day(1), "33"): "5"}, 1) == Restated(1, 1, 1, 1)
    stored = lake.snapshot().scan(RAW_INSIGHTS).sort("date", "object_id").collect()
    assert stored.select("object_id", "clicks", "observed_at", "run_id").rows() == [
        ("31", "2", moment(1), "run-1"),
        ("31", "1", moment(0), "run-0"),
        ("33", "5", moment(1), "run-1"),
    ]
    history = lake.snapshot().scan(INSIGHT_RESTATEMENTS).sort("object_id").collect()
    told = history.select("object_id", "clicks", "observed_at", "replaced_at", "removed")
    assert told.rows() == [
        ("31", "1", moment(0), moment(1), False),
        ("32", "1", moment(0), moment(1), True),
    ]


def test_a_reading_older_than_what_is_stored_changes_nothing(lake: Lake) -> None:
    store(lake, {A: "100", B: "7", C: "1"}, 0)
    newest = {A: "200", (day(1), "33"): "5"}
    store(lake, newest, 10)
    before = lake.snapshot().versions
    late = {A: "150", B: "7", C: "1"}  # B and C were seen to be gone since; 33 had not come yet
    assert store(lake, late, 5) == Restated(0, 0, 0, 0, older=4)
    assert lake.snapshot().versions == before
    assert clicks_in(lake.snapshot()) == clicks_in(lake.snapshot().as_of(moment(20))) == newest


def test_an_older_reading_still_gives_what_it_alone_has(lake: Lake) -> None:
    store(lake, {A: "1", B: "1"}, 0)
    store(lake, {A: "2", B: "1"}, 10)
    assert store(lake, {A: "9", B: "3", C: "1"}, 5) == Restated(1, 1, 0, 0, older=1)
    now = {A: "2", B: "3", C: "1"}
    assert clicks_in(lake.snapshot()) == clicks_in(lake.snapshot().as_of(moment(20))) == now


MOMENTS = st.permutations(range(5))


@settings(max_examples=examples(5), deadline=None)
@given(MOMENTS)
def test_in_whatever_order_readings_arrive_the_newest_stands(
    tmp_path_factory: pytest.TempPathFactory, order: list[int]
) -> None:
    lake = Lake(str(tmp_path_factory.mktemp("order")))
    for n in order:
        store(lake, {A: str(n)}, n, days=1)
    now = lake.snapshot()
    assert clicks_in(now) == clicks_in(now.as_of(moment(9))) == {A: "4"}
    assert now.scan(RAW_INSIGHTS).select("observed_at").collect().item() == moment(4)


def test_readings_stored_at_the_same_time_lose_no_version(tmp_path: Path) -> None:
    """What was stored, if only for a moment, is the present row or in the history."""
    root = str(tmp_path / "lake")

    def run(thread: int) -> None:
        for n in range(4):
            store(Lake(root), {A: f"{thread}-{n}"}, 10 * n + thread, days=1)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(run, range(3)))
    now = Lake(root).snapshot()
    assert clicks_in(now) == clicks_in(now.as_of(moment(99))) == {A: "2-3"}
    told = [now.scan(table).select("clicks") for table in (RAW_INSIGHTS, HISTORY)]
    versions = pl.concat(told).collect()["clicks"]
    assert versions.is_unique().all()
    commits = DeltaTable(Lake(root).uri("raw_insights")).history()
    assert versions.len() == sum("run_id" in commit for commit in commits)


@pytest.mark.parametrize("before", [{}, {A: "1"}])
@pytest.mark.parametrize("other", [{A: "2"}, {}, {B: "3"}])
def test_what_another_process_stored_in_between_is_compared_with(
    lake: Lake, before: Reading, other: Reading
) -> None:
    """Also where it filled an empty day or emptied it."""
    store(lake, before, 0, days=1)
    seen: list[dict[str, str]] = []

    def change(stored: pl.LazyFrame) -> tuple[pl.DataFrame, Scope]:
        there = stored.collect()
        seen.append(dict(there.select("object_id", "clicks").iter_rows()))
        if len(seen) == 1:
            store(Lake(lake.root), other, 1, days=1)
        added = rows({(DAY, "39"): "0"}, moment(2)).with_columns(content_hash=pl.lit("hash"))
        return pl.concat([there, added.select(there.columns)]), Scope(["1"], [DAY])

    lake.revise(RAW_INSIGHTS, Scope(["1"], [DAY]), change)
    assert clicks_in(lake.snapshot()) == {**other, (DAY, "39"): "0"}
    assert seen[-1] == {ad: clicks for (_, ad), clicks in other.items()}


def test_what_says_the_same_makes_no_commit_in_any_order_of_actions(lake: Lake) -> None:
    items = [{"action_type": "a", "value": "1"}, {"action_type": "b", "value": "2"}]
    first = rows({A: "1"}, moment(0))
    scope = Scope(["1"], [DAY])
    for n, actions in enumerate([items, items[::-1]]):
        one = first.with_columns(pl.Series("actions", [actions], dtype=first.schema["actions"]))
        result = store_versions(lake, one, scope, run_id="r", observed_at=moment(n))
        assert result.differs == (n == 0)
    assert DeltaTable(lake.uri("raw_insights")).version() == 1
    assert lake.snapshot().scan(INSIGHT_RESTATEMENTS).collect().is_empty()


def test_only_days_with_a_difference_are_written(lake: Lake) -> None:
    store(lake, {A: "1", C: "1"}, 0)
    before = set(Path(lake.root).rglob("date=2026-11-02/*.parquet"))
    store(lake, {A: "2", C: "1"}, 1)
    assert set(Path(lake.root, "raw_insights").rglob("date=2026-11-02/*.parquet")) == before


READINGS = st.lists(
    st.dictionaries(
        st.tuples(st.sampled_from([DAY, day(1)]), st.sampled_from(["31", "32"])),
        st.sampled_from("12"),
        max_size=4,
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=examples(12), deadline=None)
@given(READINGS)
def test_every_moment_comes_back_as_it_was_read(
    tmp_path_factory: pytest.TempPathFactory, readings: list[dict[tuple[date, str], str]]
) -> None:
    lake = Lake(str(tmp_path_factory.mktemp("versions")))
    for n, reading in enumerate(readings):
        store(lake, reading, n)
    now = lake.snapshot()
    assert clicks_in(now) == readings[-1]
    assert clicks_in(now.as_of(moment(-1))) == {}
    for n, reading in enumerate(readings):
        assert clicks_in(now.as_of(moment(n) + timedelta(minutes=30))) == reading
        assert clicks_in(now.as_of(moment(n))) == reading
    macro = "SELECT count(*) FROM insights_as_of($moment)"
    assert now.query(macro, {"moment": moment(0)}).item() == len(readings[0])


@pytest.mark.parametrize("then", [{A: "2", C: "1"}, {A: "3", C: "1"}, {A: "1", B: "1", C: "1"}])
def test_a_crash_between_the_two_commits_loses_and_repeats_nothing(
    lake: Lake, then: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = {A: "1", B: "1", C: "1"}
    store(lake, first, 0)

    commit = Lake._commit

    def cut(lake: Lake, table: Table, *args: Any, **options: Any) -> None:
        if table is RAW_INSIGHTS:
            raise KeyboardInterrupt
        commit(lake, table, *args, **options)

    with monkeypatch.context() as crashing:
        crashing.setattr(Lake, "_commit", cut)
        with pytest.raises(KeyboardInterrupt):
            store(lake, {A: "2", C: "1"}, 1)
    assert clicks_in(lake.snapshot()) == first
    assert clicks_in(lake.snapshot().as_of(moment(9))) == first
    store(lake, then, 2)
    now = lake.snapshot()
    assert clicks_in(now) == clicks_in(now.as_of(moment(9))) == then
    assert clicks_in(now.as_of(moment(0))) == first
    history = now.scan(INSIGHT_RESTATEMENTS).collect()
    assert history.height == 2
    assert history.select(INSIGHT_RESTATEMENTS.key).is_unique().all()


def test_models_run_as_then_with_the_age_the_day_had(lake: Lake) -> None:
    account = {
        "account_id": "1", "currency": "EUR", "timezone": "UTC", "observed_at": moment(0),
        "purchase_type": "purchase",
    }  # fmt: skip
    lake.write(AD_ACCOUNTS, frame(AD_ACCOUNTS, [account]), Scope(["1"]))
    store(lake, {A: "1"}, 0)
    store(lake, {A: "4"}, 24 * 10)
    read = {
        "date": DAY, "account_id": "1", "stream": "insights", "read_at": moment(24 * 20),
        "age_days": 24,
    }  # fmt: skip
    lake.write(INSIGHT_READS, frame(INSIGHT_READS, [read]), Scope(["1"], [DAY]))
    days = {"since": DAY, "until": DAY}

    def found(snapshot: Snapshot) -> list[tuple[Any, ...]]:
        return snapshot.query(model("ad_metrics"), days).select("clicks", "maturity").rows()

    assert found(lake.snapshot()) == [(4, 1.0)]
    assert found(lake.snapshot().as_of(moment(1))) == [(1, 0.90)]  # four days old
    then = lake.snapshot().as_of(moment(1)).scan(INSIGHT_READS).collect()
    assert then.select("age_days", "read_at").rows() == [(4, moment(1))]


def test_a_moment_without_a_zone_is_refused(lake: Lake) -> None:
    with pytest.raises(StorageError, match="no time zone"):
        lake.snapshot().as_of(datetime(2026, 11, 1))  # noqa: DTZ001 - that is the point


def test_rows_outside_of_the_scope_are_refused(lake: Lake) -> None:
    with pytest.raises(StorageError, match="outside"):
        store(lake, {(day(7), "31"): "1"}, 0)
    assert not Path(lake.uri("raw_insights")).exists()
