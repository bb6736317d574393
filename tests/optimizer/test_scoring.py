"""Scores of probabilities and forecasts, and what days would have brought at other budgets."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.optimizer.account import DAYS
from zyenta_ads_pipeline.optimizer.counterfactual import (
    Differences,
    Ratio,
    growth_ratio,
    luck,
    spend_at,
)
from zyenta_ads_pipeline.optimizer.curves import Curves
from zyenta_ads_pipeline.optimizer.fitting import fit_curves
from zyenta_ads_pipeline.optimizer.scoring import (
    BINS,
    brier,
    calibration_error,
    forecast_score,
    reliability,
)

_DAY = date(2026, 11, 30)
_Floats = npt.NDArray[np.float64]


def _array(*numbers: float) -> _Floats:
    return np.array(numbers, dtype=np.float64)


def test_the_brier_score_of_a_coin_is_a_quarter() -> None:
    assert brier(_array(0.5, 0.5), _array(1, 0)) == 0.25
    assert brier(_array(1, 0), _array(1, 0)) == 0
    assert np.isnan(brier(_array(), _array()))


def test_a_reliability_bin_holds_what_was_stated_in_it() -> None:
    bins = reliability(_array(0.72, 0.78, 0.95, 1.0), _array(1, 0, 1, 1))
    assert bins["count"].to_list() == [2, 2]
    assert bins["stated"].to_list() == pytest.approx([0.75, 0.975])
    assert bins["right"].to_list() == [0.5, 1]


def test_a_confidence_that_comes_true_as_often_as_it_says_has_no_error() -> None:
    rng = np.random.default_rng(3)
    stated = rng.uniform(0.5, 1, 20_000)
    right = (rng.uniform(size=stated.size) < stated).astype(np.float64)
    assert calibration_error(stated, right) < 0.02
    assert calibration_error(np.minimum(stated + 0.1, 1), right) > 0.06


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), max_size=60))
def test_bins_lose_no_outcome(pairs: list[tuple[float, float]]) -> None:
    stated, right = (np.array([each[n] for each in pairs], dtype=np.float64) for n in (0, 1))
    bins = reliability(stated, right)
    assert bins["count"].sum() == len(pairs)
    assert bins.height <= BINS
    assert float((bins["right"] * bins["count"]).sum()) == pytest.approx(float(right.sum()))
    if pairs:
        assert 0 <= calibration_error(stated, right) <= 1


@pytest.mark.parametrize("wrong", [1.5, -0.1, float("nan")])
def test_what_is_no_probability_is_refused(wrong: float) -> None:
    with pytest.raises(InputError, match="not between 0 and 1"):
        brier(_array(wrong), _array(1))


def test_forecasts_are_scored_by_their_intervals_and_their_error() -> None:
    came, expected = _array(10, 20, 30), _array(10, 10, 40)
    narrow, wide = (expected - 2, expected + 2), (expected - 10, expected + 10)
    score = forecast_score(came, expected, narrow, wide)
    assert (score.weeks, score.covered95) == (3, 1)
    assert score.covered80 == pytest.approx(1 / 3)
    assert score.bias == 0
    assert score.error == 0.25
    assert forecast_score(*(_array(),) * 2, (_array(),) * 2, (_array(),) * 2).weeks == 0


def _curves() -> Curves:
    """Two objects with some days of sales each."""
    rng = np.random.default_rng(5)
    rows = [
        {
            "campaign_id": own, "date": _DAY - timedelta(days=n), "impressions": 1000,
            "clicks": 50, "spend": float(spend), "conversions": float(rng.poisson(10 * spend**0.6)),
            "revenue": float(400 * spend**0.6), "maturity": 1.0, "budget_minor": None,
        }
        for own in ("a", "b")
        for n, spend in enumerate(rng.uniform(50, 150, 40))
    ]  # fmt: skip
    days = pl.DataFrame(rows, schema_overrides={"budget_minor": pl.Int64})
    return fit_curves(days.select(pl.col(name).cast(kind) for name, kind in DAYS.items()), _DAY)


CURVES = _curves()
_spend = st.floats(1, 1000)


@given(_spend, st.floats(1, 4))
def test_more_spend_brings_more_but_less_than_its_share(spend: float, times: float) -> None:
    ratio = growth_ratio(CURVES, _array(spend, spend), _array(spend, spend * times))
    assert ratio.mean[0] == pytest.approx(1)
    assert ratio.variance[0] == pytest.approx(0, abs=1e-9)
    assert 1 - 1e-9 <= ratio.mean[1] <= times * (1 + 1e-9)


def test_nothing_spent_brings_nothing_and_nothing_done_says_nothing() -> None:
    ratio = growth_ratio(CURVES, _array(100, 0), _array(0, 100))
    assert ratio.mean.tolist() == [0, 1]
    assert ratio.variance.tolist() == [0, 0]


@given(st.floats(0, 200), st.floats(1, 200), st.floats(0, 400))
def test_a_campaign_spends_no_more_than_it_is_given_or_can(
    spend: float, budget: float, other: float
) -> None:
    new = float(spend_at(_array(spend), _array(budget), _array(other))[0])
    assert new >= 0
    if spend < 0.8 * budget:
        assert new <= min(spend, other)
    else:
        assert new == pytest.approx(spend * other / budget)


def test_the_error_of_one_curve_adds_up_and_that_of_two_does_not() -> None:
    def width(ids: tuple[str, str]) -> float:
        whole = Differences()
        for own in ids:
            whole.add([own], _array(100.0), _array(1e9), Ratio(_array(1.1), _array(0.01)))
        total = whole.total()
        assert total.expected == pytest.approx(20)
        return total.high - total.low

    assert width(("a", "a")) == pytest.approx(width(("a", "b")) * 2**0.5)


def test_a_day_of_few_sales_is_mostly_luck() -> None:
    few, many = luck(_array(100.0, 100.0), _array(2.0, 200.0)).tolist()
    assert few == pytest.approx(100 * many)
