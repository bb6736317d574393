"""Creative tests: verdicts that hold however often they are asked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.abtests import PLAN, Cell, made, sequential
from tests.examples import examples
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.optimizer.ab_plan import (
    CreativeTest,
    Metric,
    chance_to_find,
    detectable_lift,
)
from zyenta_ads_pipeline.optimizer.ab_progress import progress
from zyenta_ads_pipeline.optimizer.ab_test import ARM_DAYS, Standing, Verdict, verdicts

START = date(2026, 3, 2)
TWO = CreativeTest(arms=("a", "b"), started=START)


def ran(
    rates: dict[str, float], days: int, *, order: float = 40.0, views: int = 5000, start: int = 0
) -> pl.DataFrame:
    """Each arm sells exactly its rate every day."""
    rows = [
        (arm, START + timedelta(days=n), views, rate, rate * order, 50.0, 1.0)
        for arm, rate in rates.items()
        for n in range(start, start + days)
    ]
    return pl.DataFrame(rows, schema=dict(ARM_DAYS), orient="row")


def after(days: int) -> date:
    return START + timedelta(days=days - 1)


def standings(found: tuple[Verdict, ...]) -> dict[str, Standing]:
    return {each.arm: each.standing for each in found}


def bounds(found: Verdict) -> tuple[float, float]:
    assert found.lift_low is not None
    assert found.lift_high is not None
    return found.lift_low, found.lift_high


def test_a_better_arm_wins_and_the_other_loses_with_words_and_numbers() -> None:
    winner, loser = verdicts(TWO, ran({"a": 30, "b": 15}, 14), after(14))
    assert (winner.standing, loser.standing) == (Standing.WINNER, Standing.LOSER)
    assert winner.lift == pytest.approx(1.0, rel=0.01)
    low, high = bounds(winner)
    assert 0 < low < 1 < high
    assert winner.reason.startswith("It sold 100% more per impression than b")
    assert "420 and 210 conversions" in winner.reason
    assert loser.against == "a"
    assert loser.days_needed is None
    assert "surely worse: pause it" in loser.reason


def test_nothing_is_decided_before_a_whole_week() -> None:
    first, _ = verdicts(TWO, ran({"a": 300, "b": 100}, 6), after(6))
    assert first.standing is Standing.TESTING
    assert first.reason.endswith("Nothing is decided before 7 whole days.")
    assert first.days_needed == 1


def test_a_day_under_way_counts_and_does_not_make_a_look_due() -> None:
    rows = ran({"a": 300, "b": 100}, 7)
    assert standings(verdicts(TWO, rows, after(6)))["a"] is Standing.TESTING
    today = verdicts(TWO, rows, after(6))[0]
    assert today.conversions == 2100


@pytest.mark.parametrize(
    ("views", "rate", "missing"),
    [(100, 30.0, "900 of 1,000 impressions"), (5000, 0.5, "9 of 10 conversions")],
)
def test_too_little_exposure_decides_nothing(views: int, rate: float, missing: str) -> None:
    rows = ran({"a": rate, "b": rate / 10 if views == 100 else rate}, 9, views=views)
    found, _ = verdicts(TWO, rows, after(9))
    assert found.standing is Standing.TESTING
    assert missing in found.reason


def test_what_cannot_be_told_apart_ends_without_a_difference_and_keeps_the_cheaper() -> None:
    rows = ran({"a": 15.0, "b": 15.5}, 30)
    rows = rows.with_columns(
        pl.when(pl.col("arm") == "a").then(80.0).otherwise(40.0).alias("spend")
    )
    found = verdicts(TWO, rows, after(28))
    assert set(standings(found).values()) == {Standing.NO_DIFFERENCE}
    assert "Keep b, which costs less per conversion." in found[0].reason
    assert "Keep b, which costs less per conversion." in found[1].reason
    assert found[0].conversions == 15 * 28  # what came after the last day does not count


def test_a_test_says_how_long_it_still_needs() -> None:
    found, _ = verdicts(TWO, ran({"a": 15.0, "b": 21.0}, 9), after(9))
    assert found.standing is Standing.TESTING
    assert found.days_needed is not None
    due = 9 + found.days_needed
    rows = ran({"a": 15.0, "b": 21.0}, 28)
    assert standings(verdicts(TWO, rows, after(due + 2)))["a"] is Standing.LOSER
    assert standings(verdicts(TWO, rows.filter(pl.col("date") < after(due - 2)), after(due - 3)))[
        "a"
    ] is Standing.TESTING  # fmt: skip


def test_a_lead_too_small_for_the_rest_of_the_test_says_so() -> None:
    found, _ = verdicts(TWO, ran({"a": 15.0, "b": 15.2}, 20), after(20))
    assert found.days_needed is None
    assert "not be sure in the rest of the test" in found.reason


def test_more_arms_lose_one_by_one_and_the_last_one_wins() -> None:
    three = replace(TWO, arms=("a", "b", "c"))
    rows = ran({"a": 15, "b": 22, "c": 3}, 28)
    early = standings(verdicts(three, rows.filter(pl.col("date") <= after(12)), after(12)))
    assert early == {"a": Standing.TESTING, "b": Standing.TESTING, "c": Standing.LOSER}
    late = standings(verdicts(three, rows, after(28)))
    assert late == {"a": Standing.LOSER, "b": Standing.WINNER, "c": Standing.LOSER}


def test_an_arm_that_was_stopped_stays_a_loser() -> None:
    three = replace(TWO, arms=("a", "b", "c"))
    stopped = pl.concat([ran({"a": 15, "b": 16}, 28), ran({"c": 3}, 12)])
    found = standings(verdicts(three, stopped, after(28)))
    assert found["c"] is Standing.LOSER
    assert found["a"] is Standing.NO_DIFFERENCE


def test_challengers_are_held_against_the_incumbent() -> None:
    test = CreativeTest(arms=("new", "old", "other"), started=START, incumbent="old")
    assert test.comparisons == 2
    found = verdicts(test, ran({"new": 30, "old": 15, "other": 16}, 28), after(28))
    assert standings(found) == {
        "new": Standing.WINNER,
        "old": Standing.LOSER,
        "other": Standing.NO_DIFFERENCE,
    }
    assert [each.against for each in found] == ["old", "new", "old"]
    kept = verdicts(test, ran({"new": 7, "old": 15, "other": 6}, 28), after(28))
    assert standings(kept)["old"] is Standing.WINNER


def test_a_challenger_waits_for_another_that_leads_it() -> None:
    test = CreativeTest(arms=("old", "x", "y"), started=START, incumbent="old")
    rows = pl.concat([ran({"old": 15, "x": 30}, 14), ran({"y": 40}, 1, start=13)])
    assert standings(verdicts(test, rows, after(14)))["x"] is Standing.TESTING


def test_revenue_needs_more_than_the_same_lead_in_conversions() -> None:
    rows = ran({"a": 15.0, "b": 25.0}, 28)
    noisy = rows.with_columns(
        pl.col("revenue") * pl.Series(np.random.default_rng(4).lognormal(0, 0.8, rows.height))
    )
    by_revenue = replace(TWO, metric=Metric.REVENUE_PER_IMPRESSION)
    counted, worth = verdicts(TWO, noisy, after(28))[0], verdicts(by_revenue, noisy, after(28))[0]
    assert np.ptp(np.log1p(bounds(worth))) > 1.2 * np.ptp(np.log1p(bounds(counted)))
    assert worth.rate == pytest.approx(worth.revenue / worth.impressions)


def test_a_sale_on_days_that_one_arm_had_more_of_does_not_make_it_better() -> None:
    rows = ran({"a": 15.0, "b": 15.0}, 28)
    sale = (pl.col("date") >= after(15)).cast(pl.Int64)
    more = pl.when(pl.col("arm") == "a").then(1 + 3 * sale).otherwise(4 - 3 * sale)
    rows = rows.with_columns(
        (pl.col("impressions") * more).alias("impressions"),
        (pl.col("conversions") * more * (1 + 2 * sale)).alias("conversions"),
    )
    found, _ = verdicts(TWO, rows, after(28))
    assert found.standing is Standing.NO_DIFFERENCE
    assert found.lift == pytest.approx(0.0, abs=0.01)


def test_an_open_test_needs_no_horizon_and_says_how_long() -> None:
    open_test = replace(TWO, horizon_days=None)
    found, _ = verdicts(open_test, ran({"a": 15.0, "b": 19.0}, 20), after(20))
    assert found.standing is Standing.TESTING
    assert found.reason.startswith("Day 20: ")
    assert found.days_needed is not None
    decided = verdicts(open_test, ran({"a": 15.0, "b": 19.0}, 90), after(90))
    assert standings(decided) == {"a": Standing.LOSER, "b": Standing.WINNER}


def test_rows_in_any_order_and_money_in_any_unit_give_the_same() -> None:
    rows = made_rows(seed=5)
    for metric in Metric:
        test = replace(TWO, metric=metric)
        usual = verdicts(test, rows, after(20))
        assert verdicts(test, rows.sample(fraction=1.0, shuffle=True, seed=1), after(20)) == usual
        yen = rows.with_columns(pl.col("revenue") * 100, pl.col("spend") * 100)
        for one, other in zip(usual, verdicts(test, yen, after(20)), strict=True):
            assert one.standing is other.standing
            assert one.lift == pytest.approx(other.lift)


def made_rows(seed: int, days: int = 20) -> pl.DataFrame:
    chance = np.random.default_rng(seed)
    rows = []
    for arm, rate in (("a", 9.0), ("b", 12.0)):
        for n in range(days):
            sold = int(chance.poisson(rate))
            value = float(chance.lognormal(3.5, 0.8, sold).sum())
            rows.append((arm, START + timedelta(days=n), 4000, sold, value, 40.0, 0.9))
    return pl.DataFrame(rows, schema=dict(ARM_DAYS), orient="row")


@given(
    counts=st.lists(st.integers(-3, 40), min_size=2, max_size=60),
    views=st.lists(st.integers(0, 3000), min_size=2, max_size=60),
    metric=st.sampled_from(list(Metric)),
    horizon=st.sampled_from([None, 7, 28]),
)
@settings(max_examples=examples(60), deadline=None)
def test_hostile_days_never_crash_nor_answer_in_no_number(
    counts: list[int], views: list[int], metric: Metric, horizon: int | None
) -> None:
    length = min(len(counts), len(views))
    rows = pl.DataFrame(
        [
            ("ab"[n % 2], START + timedelta(days=n // 2 * 2), views[n], counts[n],
             counts[n] * 1e4 if n == 3 else counts[n] * 30.0, 10.0, 0.5)
            for n in range(length)
        ],
        schema=dict(ARM_DAYS),
        orient="row",
    )  # fmt: skip
    test = replace(TWO, metric=metric, horizon_days=horizon)
    for found in verdicts(test, rows, after(30)):
        assert found.reason
        for number in (found.lift, found.lift_low, found.lift_high, found.probability_better):
            assert number is None or np.isfinite(number)
        if found.standing is Standing.LOSER:
            assert found.lift is not None
            assert found.lift < 0


def test_no_days_at_all_is_a_test_that_waits() -> None:
    empty = pl.DataFrame(schema=dict(ARM_DAYS))
    found = verdicts(TWO, empty, START - timedelta(days=1))
    assert {each.standing for each in found} == {Standing.TESTING}
    assert found[0].reason.startswith("Day 0 of 28: too little to go by yet")
    assert (found[0].lift, found[0].lift_low, found[0].rate) == (None, None, None)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"arm": pl.lit("z")}, "an arm that is none of the test's"),
        ({"impressions": pl.lit(-1)}, "negative impressions"),
        ({"revenue": pl.lit(float("nan"))}, "not finite"),
        ({"maturity": pl.lit(0.0)}, "maturity"),
        ({"date": pl.lit(START)}, "a day of an arm twice"),
    ],
)
def test_days_that_cannot_be_are_refused(change: dict[str, pl.Expr], what: str) -> None:
    with pytest.raises(InputError, match=what):
        verdicts(TWO, ran({"a": 3, "b": 3}, 3).with_columns(**change), after(3))


@pytest.mark.parametrize(
    "change",
    [
        {"arms": ("a",)},
        {"arms": ("a", "a")},
        {"alpha": 0.7},
        {"incumbent": "z"},
        {"horizon_days": 5},
        {"first_look_days": 0},
    ],
)
def test_a_plan_that_cannot_be_followed_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(InputError):
        replace(TWO, **change)  # type: ignore[arg-type]


def test_what_a_test_can_find_is_known_before_it_starts() -> None:
    few, many = detectable_lift(TWO, 4), detectable_lift(TWO, 15)
    assert 0.4 < few < 0.52
    assert 0.2 < many < 0.25
    assert chance_to_find(TWO, many, 15) == pytest.approx(0.8, abs=0.01)
    assert detectable_lift(TWO, 0) == float("inf")
    assert detectable_lift(replace(TWO, metric=Metric.REVENUE_PER_IMPRESSION), 15) > many


def test_progress_tells_each_arms_rate_so_far() -> None:
    rows = progress(TWO, ran({"a": 15.0, "b": 5.0}, 10), after(9))
    assert rows.columns == ["date", "arm", "rate", "low", "high"]
    assert rows.height == 18
    last = rows.filter(pl.col("date") == after(9))
    assert last["rate"].to_list() == [0.003, 0.001]
    assert (last["low"] < last["rate"]).all()
    assert (last["rate"] < last["high"]).all()


@pytest.mark.parametrize("every_hours", [1, 24])
@pytest.mark.parametrize("spread", [0.0, 0.25])
@pytest.mark.slow
def test_peeking_finds_nothing_where_nothing_is(every_hours: int, spread: float) -> None:
    found = sequential(PLAN, made(Cell(15, spread=spread), 800, 28, 31), every_hours)
    assert (found.better != 0).mean() <= (0.05 if spread == 0 else 0.08)


def test_what_the_benchmark_measures_is_what_the_verdicts_say() -> None:
    data = made(Cell(30, lift=0.5, spread=0.2), 4, 28, 34)
    found = sequential(PLAN, data, 24)
    for run in range(4):
        by_day = data.conversions[run].sum(-1)
        views = np.rint(data.impressions.sum(-1) * 1e4)
        rows = pl.DataFrame(
            [
                ("first" if arm == 0 else "other", PLAN.started + timedelta(days=n), int(views[n]),
                 by_day[arm, n], 40.0 * by_day[arm, n], 50.0, 1.0)
                for arm in (0, 1)
                for n in range(28)
            ],
            schema=dict(ARM_DAYS),
            orient="row",
        )  # fmt: skip
        decided = int(found.day[run])
        for whole, expected in ((decided - 1, Standing.TESTING), (decided, Standing.WINNER)):
            day = PLAN.started + timedelta(days=whole - 1)
            assert verdicts(PLAN, rows.filter(pl.col("date") <= day), day)[1].standing is expected


def test_a_real_lead_is_found_and_chance_is_not() -> None:
    better = sequential(PLAN, made(Cell(15, lift=0.4), 300, 28, 32), 24)
    assert (better.better == 1).mean() >= 0.98
    assert (better.better == -1).sum() == 0
    assert np.median(better.day) < 18
    nothing = sequential(PLAN, made(Cell(15), 300, 28, 33), 12)
    assert (nothing.better != 0).mean() <= 0.05
