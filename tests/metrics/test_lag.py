"""The curve of late conversions: learned from what was known at each age."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from zyenta_ads_pipeline.metrics.lag import ASSUMED, OLDEST, PRIOR_CONVERSIONS, assumed, lag_curve

SCHEMA: dict[str, Any] = {
    "account_id": pl.String, "date": pl.Date, "age_days": pl.Int64,
    "purchases": pl.Decimal(38, 12), "purchase_value": pl.Decimal(38, 12),
}  # fmt: skip
DAY = date(2026, 10, 1)
Known = tuple[str, int, int, int, int]


def versions(*rows: Known) -> pl.DataFrame:
    """Rows of account, day, age, purchases, value."""
    told = [(a, DAY + timedelta(days=d), age, n, v) for a, d, age, n, v in rows]
    return pl.DataFrame(told, schema=SCHEMA, orient="row")


def curve(*rows: Known) -> dict[int, float]:
    found = lag_curve(versions(*rows)).filter(account_id="1")
    return dict(found.select("age_days", "completeness").iter_rows())


def test_before_anything_was_learned_the_prior_holds() -> None:
    found = curve(("1", 0, 0, 0, 0))
    assert found == {age: pytest.approx(assumed(age)) for age in range(OLDEST + 1)}
    assert [assumed(age) for age in range(8)] == list(ASSUMED)
    assert assumed(28) == 1.0
    assert lag_curve(versions()).is_empty()


def test_one_step_is_the_weighted_development_factor() -> None:
    """30 purchases grew to 60 from age 0 to 1; the prior adds 15 that grew by .66 / .50."""
    found = curve(("1", 0, 0, 30, 300), ("1", 0, 1, 60, 600))
    factor = (60 + PRIOR_CONVERSIONS * 0.66 / 0.50) / (30 + PRIOR_CONVERSIONS)
    assert found[1] == pytest.approx(0.66)
    assert found[0] == pytest.approx(0.66 / factor)


def test_a_day_read_once_says_nothing_of_growth() -> None:
    alone = curve(("1", 0, 0, 30, 300), ("1", 0, 1, 60, 600))
    beside = curve(
        ("1", 0, 0, 30, 300), ("1", 0, 1, 60, 600), ("1", 1, 0, 500, 1), ("1", 2, 1, 900, 1)
    )
    assert alone == beside
    seen = lag_curve(versions(("1", 0, 0, 30, 300), ("1", 0, 1, 60, 600), ("1", 1, 0, 5, 1)))
    first = seen.filter(age_days=0).row(0, named=True)
    assert (first["days_seen"], first["purchases_seen"]) == (1, 30)


def test_growth_between_two_readings_is_spread_as_the_prior_grows() -> None:
    """A day that grew from age 0 to 6 just as assumed leaves the assumed curve as it is."""
    found = curve(("1", 0, 0, 5000, 1), ("1", 0, 6, 9800, 1))
    assert found == {age: pytest.approx(assumed(age)) for age in range(OLDEST + 1)}
    seen = lag_curve(versions(("1", 0, 0, 5000, 1), ("1", 0, 6, 9800, 1))).sort("age_days")
    at = seen["purchases_seen"].to_list()
    assert at[:6] == [pytest.approx(10000 * assumed(age), rel=1e-6) for age in range(6)]
    assert seen["days_seen"].to_list()[:7] == [1, 1, 1, 1, 1, 1, 0]


def test_an_outage_of_six_days_does_not_make_days_late() -> None:
    """40 purchases when the readings ended, 100 when they began again at age 6."""
    days = range(0, 70, 7)
    found = curve(
        *(("1", d, 0, 40, 1) for d in days),
        *(("1", d, 6, 100, 1) for d in days),
        *(("1", d, 8, 100, 1) for d in days),
    )
    assert found[0] == pytest.approx(0.40, abs=0.01)
    assert found[3] == pytest.approx(assumed(3), abs=0.05)
    assert found[5] > 0.94
    assert found[6] > 0.99


@pytest.mark.parametrize(("before", "after"), [(0, 12), (12, 0), (0, 0)])
def test_growth_from_nothing_and_to_nothing_is_counted(before: int, after: int) -> None:
    seen = lag_curve(versions(("1", 0, 8, before, 1), ("1", 0, 12, after, 1))).sort("age_days")
    steps = [before + (after - before) * n / 4 for n in range(4)]
    assert seen["purchases_seen"].to_list()[8:12] == pytest.approx(steps)


def test_accounts_learn_apart() -> None:
    found = lag_curve(versions(("1", 0, 0, 30, 1), ("1", 0, 1, 60, 1), ("2", 0, 0, 30, 1)))
    assert found["account_id"].unique().sort().to_list() == ["1", "2"]
    second = found.filter(account_id="2", age_days=0)["completeness"].item()
    assert second == pytest.approx(0.5)


AMOUNTS = st.lists(st.integers(-5, 400), min_size=OLDEST + 1, max_size=OLDEST + 1)


@settings(max_examples=examples(60), deadline=None)
@given(st.lists(AMOUNTS, min_size=1, max_size=4))
def test_a_curve_never_falls_and_stays_between_nothing_and_all(days: list[list[int]]) -> None:
    """Whatever Meta takes back or adds."""
    rows = [("1", d, age, n, 7 * n) for d, day in enumerate(days) for age, n in enumerate(day)]
    found = lag_curve(versions(*rows))
    assert found["age_days"].to_list() == list(range(OLDEST + 1))
    for name in ("completeness", "completeness_value"):
        shares = found[name].to_list()
        assert shares == sorted(shares)
        assert shares[0] > 0
        assert shares[-1] == 1.0


def slower_than_assumed(days: float) -> Any:
    """A lag that goes on beyond the assumed seven days."""
    true = 1 - 0.6 * np.exp(-np.arange(OLDEST + 1) / days)
    true[-1] = 1.0
    return true


def test_a_known_lag_is_found() -> None:
    true = slower_than_assumed(3.0)
    chance = np.random.default_rng(1)
    rows = []
    for d in range(60):
        steps = chance.poisson(400 * np.diff(true, prepend=0.0))
        known = np.cumsum(steps)
        rows += [("1", d, age, int(n), int(50 * n)) for age, n in enumerate(known)]
    found = lag_curve(versions(*rows))
    assert np.abs(found["completeness"].to_numpy() - true).max() < 0.02
    assert np.abs(found["completeness_value"].to_numpy() - true).max() < 0.02


def ages_read(days: int, every: int) -> list[tuple[int, int]]:
    """Day and age of each reading: all ages below 7, older ones on one day in `every`, and 28."""
    return [
        (day, age)
        for day in range(days)
        for age in range(min(days - day, OLDEST + 1))
        if age < 7 or age == OLDEST or (day + age) % every == 0
    ]


@pytest.mark.parametrize("slowness", [1.0, 3.0, 6.0])
@pytest.mark.parametrize("every", [7, 10])
def test_a_known_lag_is_found_where_old_ages_are_read_weekly(every: int, slowness: float) -> None:
    """As the tiers 7d/24h,28d/168h have it; purchases come in by whole days."""
    true = slower_than_assumed(slowness)
    chance = np.random.default_rng(5)
    known = [np.cumsum(chance.poisson(80 * np.diff(true, prepend=0.0))) for _ in range(90)]
    read = ages_read(90, every)
    rows = [("1", d, age, int(known[d][age]), int(50 * known[d][age])) for d, age in read]
    found = lag_curve(versions(*rows))
    assert np.abs(found["completeness"].to_numpy() - true).max() < 0.05
    assert np.abs(found["completeness_value"].to_numpy() - true).max() < 0.05


def test_readings_on_one_day_in_nine_alone_find_the_lag() -> None:
    """An account that is rarely synced: no two neighbouring ages are ever read."""
    true = slower_than_assumed(3.0)
    known = [np.cumsum(1000 * np.diff(true, prepend=0.0)).astype(int) for _ in range(90)]
    read = [(d, a) for d, a in ages_read(90, 9) if (d + a) % 9 == 0 or a == OLDEST]
    rows = [("1", d, age, int(known[d][age]), int(known[d][age])) for d, age in read]
    found = lag_curve(versions(*rows))["completeness"].to_numpy()
    assert np.abs(found - true).max() < 0.05
