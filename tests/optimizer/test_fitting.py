"""Fitting response curves: what is known of invented campaigns is found again."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.optimizer.made_days import Made, made
from tests.optimizer.some_account import DAY, ran
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.optimizer import fitting
from zyenta_ads_pipeline.optimizer.account import AMOUNT, DAYS
from zyenta_ads_pipeline.optimizer.curves import Curves
from zyenta_ads_pipeline.optimizer.fitting import fit_curves


def frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=dict(DAYS))


def same(one: Curves, other: Curves) -> bool:
    """Whether both are the same to the last byte."""
    return all(
        np.array_equal(getattr(one, each.name), getattr(other, each.name))
        for each in fields(Curves)
    )


def finite(some: Curves) -> bool:
    spends = [some.ref * factor for factor in (0.0, 0.3, 1.0, 3.0)]
    told = [array for spend in spends for array in (*some.marginal(spend), some.expected(spend))]
    arrays = [getattr(some, each.name) for each in fields(Curves)]
    return all(
        np.all(np.isfinite(each)) for each in (*arrays, *told) if isinstance(each, np.ndarray)
    )


@pytest.fixture(scope="module")
def market() -> Made:
    return made(60, sales=25.0)


@pytest.fixture(scope="module")
def fitted(market: Made) -> Curves:
    return fit_curves(market.days, DAY)


def test_one_curve_for_each_campaign(market: Made, fitted: Curves) -> None:
    assert fitted.ids == tuple(market.ids)
    assert fitted.day == DAY
    assert fitted.weight.shape == (len(fitted.models), 60)
    assert np.sum(fitted.weight, axis=0) == pytest.approx(np.ones(60))
    assert fitted.days_seen.tolist() == [60] * 60
    assert fitted.largest_spend == pytest.approx(market.spend.max(axis=0))


def test_levels_and_order_values_are_found_again(market: Made, fitted: Curves) -> None:
    errors = np.log(fitted.expected(market.ref) / market.sales)
    assert abs(errors.mean()) < 0.03
    assert errors.std() < 0.07
    assert fitted.log_order == pytest.approx(np.log(market.order), abs=0.05)


def test_elasticities_are_found_again_as_well_as_is_claimed(market: Made, fitted: Curves) -> None:
    found = fitted.elasticity(market.ref)
    assert np.corrcoef(found.mean, market.e)[0, 1] > 0.6
    z = (found.mean - market.e) / np.sqrt(found.variance)
    assert 0.7 < z.std() < 1.3
    assert abs(z.mean()) < 0.4


def test_the_marginal_returns_are_as_uncertain_as_is_claimed(market: Made, fitted: Curves) -> None:
    for factor in (0.5, 1.0, 2.0):
        spend = market.ref * factor
        at = fitted.marginal(spend)
        z = (at.mean - market.log_marginal(spend)) / np.sqrt(at.variance)
        assert abs(z.mean()) < 0.5, factor
        assert 0.6 < z.std() < 1.4, factor


def test_a_campaign_that_moved_more_is_known_better() -> None:
    still, moved = (
        fit_curves(made(20, moves=moves, sales=40.0).days, DAY) for moves in (0.02, 0.6)
    )
    spread = [np.mean(each.elasticity(each.ref).variance) for each in (still, moved)]
    assert spread[1] < 0.5 * spread[0]


def test_few_campaigns_of_little_data_lean_on_the_others() -> None:
    rows = [day for place in range(20) for day in ran(f"{place + 10}", days=60)]
    some = fit_curves(frame([*rows, *ran("9", days=1, spend="50", conversions="0")]), DAY)
    # $50 a day at what the others sell for $100, and the elasticity they share
    assert 1.0 < some.expected(np.full(21, 50.0))[some.ids.index("9")] < 3.5


def test_days_that_are_half_reported_count_as_such() -> None:
    early = frame(ran("1", days=30, until=3) + ran("1", days=3, conversions="2", maturity=0.5))
    whole = frame(ran("1", days=33))
    spend = np.array([100.0])
    levels = [fit_curves(each, DAY).expected(spend)[0] for each in (early, whole)]
    assert levels[0] == pytest.approx(levels[1], rel=0.03)
    ignored = early.with_columns(maturity=pl.lit(1.0))
    assert fit_curves(ignored, DAY).expected(spend)[0] < 0.97 * levels[1]


def test_a_lasting_change_is_believed_within_days() -> None:
    rows = ran("1", days=40, until=6, conversions="20") + ran("1", days=6, conversions="40")
    level = fit_curves(frame(rows), DAY).expected(np.array([100.0]))[0]
    assert 30 < level < 42


def test_one_strange_day_is_not() -> None:
    rows = ran("1", days=40, until=1, conversions="20") + ran("1", days=1, conversions="400")
    assert fit_curves(frame(rows), DAY).expected(np.array([100.0]))[0] < 29


def test_a_whale_order_does_not_carry_the_order_value_away() -> None:
    rows = ran("1", days=30) + ran("2", days=30)
    rows[3] = {**rows[3], "revenue": rows[3]["revenue"] * 100}
    some = fit_curves(frame(rows), DAY)
    assert np.exp(some.log_order[0]) < 1.2 * np.exp(some.log_order[1])


def test_weekdays_are_learned_from_the_whole_account() -> None:
    factors = (-0.3, -0.1, 0.0, 0.0, 0.0, 0.2, 0.2)
    some = fit_curves(made(40, sales=15.0, weekday=factors).days, DAY)
    assert some.weekday == pytest.approx(np.array(factors), abs=0.06)
    assert np.mean(some.weekday) == pytest.approx(0, abs=1e-12)


def test_an_outage_is_not_learned_from() -> None:
    rows = ran("1", days=30, until=3) + ran("1", days=3, conversions="0", revenue="0")
    level = fit_curves(frame(rows), DAY).expected(np.array([100.0]))[0]
    assert level == pytest.approx(4.0, rel=0.05)


def test_the_order_of_rows_changes_nothing(market: Made, fitted: Curves) -> None:
    shuffled = market.days.sample(fraction=1.0, shuffle=True, seed=3)
    assert same(fit_curves(shuffled, DAY), fitted)


def test_the_unit_of_money_changes_nothing(market: Made, fitted: Curves) -> None:
    hundredfold = market.days.with_columns((pl.col("spend", "revenue") * 128).cast(AMOUNT))
    other = fit_curves(hundredfold, DAY)
    assert other.ref / 128 == pytest.approx(fitted.ref, rel=1e-9)
    for one, two in zip(fitted.marginal(market.ref), other.marginal(market.ref * 128), strict=True):
        assert two == pytest.approx(one, rel=1e-6, abs=1e-7)


def test_large_accounts_get_nearly_the_same_for_less(
    market: Made, fitted: Curves, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fitting, "EXACT_UP_TO", 0)
    coarse = fit_curves(market.days, DAY)
    at, there = coarse.marginal(market.ref), fitted.marginal(market.ref)
    assert at.mean == pytest.approx(there.mean, abs=0.02)
    assert at.variance == pytest.approx(there.variance, rel=0.15)


def test_only_the_window_counts(market: Made) -> None:
    recent = market.days.filter(pl.col("date") > DAY - timedelta(days=20))
    assert same(
        fit_curves(market.days, DAY, window_days=20), fit_curves(recent, DAY, window_days=20)
    )


def test_a_campaign_without_a_day_in_the_window_still_has_a_curve() -> None:
    some = fit_curves(frame(ran("1", days=20) + ran("2", days=3, until=120)), DAY)
    assert some.ids == ("1", "2")
    assert some.days_seen.tolist() == [20, 0]
    assert finite(some)


def test_without_any_day_there_are_no_curves() -> None:
    assert fit_curves(frame([]), DAY).ids == ()


@pytest.mark.parametrize("column", ["maturity"])
def test_numbers_that_are_none_are_refused(column: str) -> None:
    days = frame(ran("1")).with_columns(pl.lit(float("nan")).alias(column))
    with pytest.raises(InputError, match=f"whose {column} is no number"):
        fit_curves(days, DAY)


def test_a_day_given_twice_is_refused() -> None:
    with pytest.raises(InputError, match="gives a day of a campaign twice"):
        fit_curves(frame(ran("1") + ran("1", days=1)), DAY)


_DAY = st.fixed_dictionaries(
    {
        "spend": st.sampled_from(["0", "0.01", "5", "100", "99999.99"]),
        "conversions": st.sampled_from(["0", "1", "3", "-2", "500", "100000"]),
        "revenue": st.sampled_from(["0", "50", "-80", "0.01", "10000000"]),
        "clicks": st.sampled_from([0, 1, 5000]),
        "maturity": st.sampled_from([1.0, 0.5, 0.001]),
        "gone": st.booleans(),
    }
)


@settings(max_examples=examples(40))
@given(st.lists(st.lists(_DAY, max_size=12), max_size=4))
def test_hostile_histories_give_finite_curves(histories: list[list[dict[str, Any]]]) -> None:
    rows = [
        day
        for place, history in enumerate(histories)
        for back, each in enumerate(history)
        if not each["gone"]
        for day in ran(
            f"{place}", days=1, until=back, **{k: v for k, v in each.items() if k != "gone"}
        )
    ]
    some = fit_curves(frame(rows), DAY)
    assert len(some.ids) == len({row["campaign_id"] for row in rows})
    assert finite(some)
    assert np.sum(some.weight, axis=0) == pytest.approx(np.ones(len(some.ids)))
    assert np.all(some.paa >= 0)
    assert np.all(some.puu >= 0)
