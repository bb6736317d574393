"""Fatigue: found where a creative tires, and hardly ever where none does."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.optimizer.fatigue import CREATIVE_DAYS, Outcome, fatigue

START = date(2026, 3, 2)


def ran(rates: np.ndarray, *, seed: int = 1, spread: float = 0.0, first: int = 0) -> pl.DataFrame:
    """Creatives (N) by day (T): conversions with those means."""
    chance = np.random.default_rng(seed)
    count, days = rates.shape
    own = np.exp(chance.normal(-(spread**2) / 2, spread, rates.shape))
    sold = chance.poisson(rates * own)
    dates = [START + timedelta(days=first + n) for n in range(days)]
    return pl.DataFrame(
        {
            "creative_id": [f"{first}-{n:03d}" for n in range(count) for _ in range(days)],
            "date": dates * count,
            "impressions": [4000] * (count * days),
            "clicks": (10 * sold).ravel(),
            "conversions": sold.ravel(),
            "maturity": [1.0] * (count * days),
        }
    )


def falling(count: int, days: int, start: float, half_life: float) -> np.ndarray:
    return np.tile(start * 0.5 ** (np.arange(days) / half_life), (count, 1))


def test_a_creative_that_tires_among_others_is_found_and_told_why() -> None:
    rows = pl.concat([ran(np.full((4, 42), 12.0)), ran(falling(1, 40, 12, 14), first=2)])
    found = fatigue(rows, START + timedelta(days=41))
    assert found["tired"].to_list() == [False] * 4 + [True]
    tired = found.row(4, named=True)
    assert tired["fall_low"] < tired["fall"] < tired["fall_high"]
    assert 0.3 < tired["fall"] < 0.9
    assert tired["since"] > START
    assert tired["evidence"] >= 20
    assert tired["reason"].startswith("It has tired: ")
    assert found["reason"][0].startswith("It has not surely tired: ")


def test_a_quiet_month_of_all_is_no_fatigue() -> None:
    month = np.where(np.arange(42) < 21, 12.0, 6.0)
    found = fatigue(ran(np.tile(month, (6, 1))), START + timedelta(days=41))
    assert not found["tired"].any()


def test_late_conversions_are_no_fatigue() -> None:
    maturity = np.where(np.arange(30) < 23, 1.0, 0.5)
    rows = ran(np.full((1, 30), 20.0) * maturity).with_columns(
        pl.Series("maturity", maturity.tolist())
    )
    assert not fatigue(rows, START + timedelta(days=29))["tired"].any()


def test_looked_at_daily_few_are_called_tired_that_are_not() -> None:
    rows = ran(np.full((150, 56), 8.0), spread=0.25, seed=3)
    called = set[str]()
    for day in range(9, 56):
        found = fatigue(rows, START + timedelta(days=day))
        called |= set(found.filter("tired")["creative_id"])
    assert len(called) <= 0.05 * 150


def test_days_after_the_last_complete_one_do_not_count() -> None:
    rows = ran(np.full((2, 20), 8.0))
    late = rows.with_columns(
        pl.when(pl.col("date") > START + timedelta(days=14)).then(0).otherwise("conversions")
        .alias("conversions")
    )  # fmt: skip
    day = START + timedelta(days=14)
    assert fatigue(rows, day).equals(fatigue(late, day))


def test_a_small_fall_is_not_worth_a_word() -> None:
    rates = np.tile(np.where(np.arange(60) < 21, 2000.0, 1850.0), (1, 1))
    found = fatigue(ran(rates), START + timedelta(days=59), outcome=Outcome.CLICKS)
    assert found["evidence"][0] > 20
    assert not found["tired"][0]


def test_a_creative_of_a_few_days_is_not_judged() -> None:
    found = fatigue(ran(np.full((1, 9), 12.0)), START + timedelta(days=8))
    assert found["fall"].to_list() == [None]
    assert found["reason"][0].startswith("Too little to go by: ")
    assert fatigue(ran(np.full((1, 9), 12.0)), START - timedelta(days=8)).is_empty()


@given(
    counts=st.lists(st.integers(-5, 50), min_size=1, max_size=80),
    views=st.lists(st.integers(0, 500), min_size=80, max_size=80),
)
@settings(max_examples=examples(40), deadline=None)
def test_hostile_days_never_crash(counts: list[int], views: list[int]) -> None:
    rows = pl.DataFrame(
        [
            ("ab"[n % 2], START + timedelta(days=n), views[n], abs(count), count, 0.7)
            for n, count in enumerate(counts)
        ],
        schema=dict(CREATIVE_DAYS),
        orient="row",
    )
    found = fatigue(rows, START + timedelta(days=80))
    for name in ("fall", "fall_low", "fall_high", "evidence"):
        assert found[name].drop_nulls().is_finite().all()
    assert fatigue(rows.reverse(), START + timedelta(days=80)).equals(found)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"impressions": pl.lit(-1)}, "negative impressions"),
        ({"conversions": pl.lit(float("inf"))}, "not finite"),
        ({"maturity": pl.lit(1.5)}, "maturity"),
        ({"date": pl.lit(START)}, "twice"),
    ],
)
def test_days_that_cannot_be_are_refused(change: dict[str, pl.Expr], what: str) -> None:
    with pytest.raises(InputError, match=what):
        fatigue(ran(np.full((1, 3), 5.0)).with_columns(**change), START)
