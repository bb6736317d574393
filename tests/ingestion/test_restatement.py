"""Which days are read again, when, and how deeply."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from zyenta_ads_pipeline.domain.time import DateRange, Tier, account_day
from zyenta_ads_pipeline.ingestion.restatement import (
    DayRead,
    due_depth,
    moved_days,
    stretches,
    whole_days,
)

TIERS = (Tier(2, 1), Tier(3, 6), Tier(7, 24), Tier(28, 168))
NOW = datetime(2026, 11, 20, 12, 5, tzinfo=UTC)
TODAY = date(2026, 11, 20)


def read_ago(hours: float) -> dict[date, DayRead]:
    """All of the last 28 days read that long ago."""
    moment = NOW - timedelta(hours=hours)
    return {TODAY - timedelta(days=n): DayRead(moment, moment) for n in range(28)}


def test_nothing_known_is_all_due() -> None:
    assert due_depth(TODAY, {}, TIERS, NOW) == 28


def test_each_tier_comes_due_at_its_own_pace() -> None:
    assert due_depth(TODAY, read_ago(0.5), TIERS, NOW) == 0
    assert due_depth(TODAY, read_ago(1), TIERS, NOW) == 2
    assert due_depth(TODAY, read_ago(6), TIERS, NOW) == 3
    assert due_depth(TODAY, read_ago(24), TIERS, NOW) == 7
    assert due_depth(TODAY, read_ago(168), TIERS, NOW) == 28


def test_a_run_some_minutes_early_is_still_due() -> None:
    assert due_depth(TODAY, read_ago(55 / 60), TIERS, NOW) == 2


def test_hourly_runs_over_a_month_read_each_tier_as_often_as_it_says() -> None:
    """Played hour by hour: 28 days of ticks, with what each tick reads remembered."""
    known = read_ago(0.0)
    depths: list[int] = []
    for hour in range(1, 28 * 24 + 1):
        now = NOW + timedelta(hours=hour)
        today = account_day(now, "UTC")
        depth = due_depth(today, known, TIERS, now)
        depths.append(depth)
        for n in range(depth):
            known[today - timedelta(days=n)] = DayRead(now, now)
    assert all(depth >= 2 for depth in depths)
    assert sum(depth >= 28 for depth in depths) <= 28 + 4
    assert sum(depth == 7 for depth in depths) <= 28
    assert sum(depth >= 3 for depth in depths) <= 28 * 5
    gone = [day for day in known if TODAY <= day < today - timedelta(days=29)]
    assert all((known[day].read_at.date() - day).days >= 28 for day in gone)


def test_a_day_is_read_once_more_when_meta_restates_it_no_longer() -> None:
    known = read_ago(1)
    leaving = TODAY - timedelta(days=28)
    last_age = datetime(2026, 11, 18, 12, tzinfo=UTC)
    assert due_depth(TODAY, {**known, leaving: DayRead(last_age, last_age)}, TIERS, NOW) == 29
    assert due_depth(TODAY, {**known, leaving: DayRead(NOW, NOW)}, TIERS, NOW) == 2


def test_days_never_read_whole_or_too_long_ago_are_read_down_to_the_ads() -> None:
    fresh = DayRead(NOW, NOW)
    confirmed = DayRead(NOW, NOW - timedelta(days=8))
    only_totals = DayRead(NOW, None)
    known = {
        date(2026, 11, 17): fresh,
        date(2026, 11, 18): confirmed,
        date(2026, 11, 19): only_totals,
    }
    days = DateRange(date(2026, 11, 17), date(2026, 11, 20))
    assert whole_days(days, known, TIERS, NOW) == {
        date(2026, 11, 18),
        date(2026, 11, 19),
        date(2026, 11, 20),
    }


def rows(*known: tuple[int, str, str]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            (date(2026, 11, day), "account" if name == "1" else "campaign", name, told)
            for day, name, told in known
        ],
        schema=["date", "level", "object_id", "content_hash"],
        orient="row",
    )


def test_a_day_moved_when_its_account_did_or_a_campaign_came_or_changed() -> None:
    before = rows((1, "a", "x"), (2, "a", "x"), (3, "a", "x"), (4, "1", "x"), (5, "1", "x"))
    after = rows((1, "a", "x"), (2, "a", "y"), (3, "a", "x"), (3, "b", "x"), (4, "1", "y"))
    assert moved_days(after, before) == {date(2026, 11, day) for day in (2, 3, 4, 5)}
    assert moved_days(before, before) == set()


def test_a_campaign_that_the_list_leaves_out_is_no_movement() -> None:
    before = rows((1, "1", "x"), (1, "a", "x"), (1, "deleted", "x"))
    assert moved_days(rows((1, "1", "x"), (1, "a", "x")), before) == set()


@given(days=st.sets(st.dates(date(2026, 1, 1), date(2026, 12, 31))), bridge=st.integers(0, 10))
def test_stretches_cover_the_days_and_no_hole_longer_than_the_bridge(
    days: set[date], bridge: int
) -> None:
    found = stretches(days, bridge)
    covered = [day for stretch in found for day in stretch.days()]
    assert len(covered) == len(set(covered))
    assert days <= set(covered)
    for stretch in found:
        assert {stretch.since, stretch.until} <= days
    for one, other in pairwise(found):
        assert (other.since - one.until).days > bridge + 1
