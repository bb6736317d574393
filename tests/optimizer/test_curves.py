"""Response curves: their shapes, what they say at a spend, and how they are kept."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.optimizer.curve_rows import CURVE_ROWS, from_rows, to_rows
from zyenta_ads_pipeline.optimizer.curves import Curves, Model, completed, curve_points
from zyenta_ads_pipeline.optimizer.shapes import FAMILIES, growth, shape

MODELS = (Model("mm", 0.02, 0.6), Model("pow", 0.05, 0.6))


def curves(
    count: int = 3, *, spread: float = 0.0, models: tuple[Model, ...] = MODELS, **given: Any
) -> Curves:
    """Some curves, certain unless there is a `spread`; `given` in place of the plain arrays."""
    chance = np.random.default_rng(count)
    shared = (len(models), count)
    plain: dict[str, Any] = {
        "day": date(2026, 11, 20),
        "ids": tuple(f"{100 + each}" for each in range(count)),
        "models": models,
        "ref": np.exp(chance.normal(4, 0.5, count)),
        "weight": np.full(shared, 1 / len(models)),
        "alpha": chance.normal(1, 0.5, shared),
        "u": chance.normal(0.5, 0.5, shared),
        "paa": np.full(shared, spread),
        "pau": np.zeros(shared),
        "puu": np.full(shared, spread),
        "log_order": chance.normal(4, 0.3, count),
        "var_log_order": np.full(count, spread / 10),
        "weekday": np.linspace(-0.03, 0.03, 7),
        "largest_spend": chance.uniform(100, 200, count),
        "days_seen": np.arange(count),
        "conversions": chance.uniform(0, 300, count),
    }
    return Curves(**(plain | given))


@pytest.mark.parametrize("family", FAMILIES)
@given(u=st.floats(-4, 5), log_x=st.floats(-3, 3))
def test_a_shape_agrees_with_its_own_slopes(family: str, u: float, log_x: float) -> None:
    step = 1e-5
    at, there = np.array([u]), np.array([log_x])

    def slope(name: str, du: float, dx: float) -> float:
        after, before = (shape(family, at + s * du, there + s * dx) for s in (step, -step))
        return float((getattr(after, name) - getattr(before, name))[0] / (2 * step))

    here = shape(family, at, there)
    assert np.exp(here.elasticity)[0] == pytest.approx(slope("growth", 0, 1), abs=1e-6)
    assert here.growth_slope[0] == pytest.approx(slope("growth", 1, 0), abs=1e-6)
    assert here.elasticity_slope[0] == pytest.approx(slope("elasticity", 1, 0), abs=1e-6)
    # marginal = growth x elasticity / x
    bend = slope("growth", 0, 1) + slope("elasticity", 0, 1) - 1
    assert here.curvature[0] == pytest.approx(-bend, abs=1e-6)
    assert here.growth[0] == pytest.approx(growth(family, at, there)[0], abs=1e-12)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_shape_is_1_at_its_reference_and_finite_far_from_it(family: str) -> None:
    u = np.array([-3.0, 0.0, 4.0])
    here = shape(family, u, np.zeros(3))
    assert here.growth == pytest.approx(np.zeros(3), abs=1e-12)
    assert np.exp(here.elasticity) == pytest.approx(1 / (1 + np.exp(-u)))
    for log_x in (-700.0, 700.0):
        assert all(np.all(np.isfinite(each)) for each in shape(family, u, np.full(3, log_x)))


def test_the_marginal_return_is_the_slope_of_what_is_expected() -> None:
    some = curves(models=MODELS[:1])
    spend = some.ref * np.array([0.5, 1.0, 2.0])
    step = 1e-5 * spend
    sold = some.expected(spend + step) - some.expected(spend - step)
    slope = sold / (2 * step) * np.exp(some.log_order)
    at = some.marginal(spend)
    assert np.exp(at.mean) == pytest.approx(slope, rel=1e-6)
    assert at.variance == pytest.approx(np.zeros(3), abs=1e-12)


def test_doubt_about_the_models_counts_as_variance() -> None:
    sure, unsure = curves(models=MODELS[:1]), curves()
    assert np.all(unsure.marginal(unsure.ref).variance > sure.marginal(sure.ref).variance)
    wide = curves(spread=0.1)
    assert np.all(wide.marginal(wide.ref).variance > unsure.marginal(unsure.ref).variance)


def test_nothing_is_sold_without_spend_and_the_rest_stays_finite() -> None:
    some = curves(spread=0.3)
    nothing = np.zeros(3)
    assert np.array_equal(some.expected(nothing), nothing)
    assert all(np.all(np.isfinite(each)) for each in some.marginal(nothing))


def test_taken_gives_those_asked_for_by_id() -> None:
    some = curves()
    two = some.taken(["102", "100"])
    assert two.ids == ("100", "102")
    assert np.array_equal(two.alpha, some.alpha[:, [0, 2]])
    assert np.array_equal(two.days_seen, [0, 2])
    with pytest.raises(InputError, match="no response curve of 7"):
        some.taken(["100", "7"])


def test_an_unknown_campaign_gets_the_mean_of_the_others_with_more_doubt() -> None:
    level = np.array([[0.5, 1.0, 1.5]] * 2)
    some = curves(spread=0.01, alpha=level, u=level)
    more = completed(some, ["104", "100", "102", "0"])
    assert more.ids == ("0", "100", "102", "104")
    assert np.array_equal(more.taken(["100", "102"]).alpha, some.taken(["100", "102"]).alpha)
    at = more.marginal(more.ref)
    assert at.mean[0] == pytest.approx(at.mean[3])
    assert at.variance[0] > at.variance[1]
    assert more.days_seen.tolist() == [0, 0, 2, 0]
    assert completed(some, ["102"]).ids == ("102",)
    with pytest.raises(InputError, match="no response curves at all"):
        completed(curves(0), ["1"])


@given(st.floats(0.0, 0.5), st.lists(st.floats(0, 1e5), min_size=1, max_size=8))
def test_the_points_of_a_curve_rise_within_their_bounds(spread: float, at: list[float]) -> None:
    points = curve_points(curves(spread=spread), "101", sorted(at))
    assert points["spend"].to_list() == sorted(at)
    for name in ("conversions", "revenue"):
        middle, low, high = (points[f"{name}{end}"].to_numpy() for end in ("", "_low", "_high"))
        assert np.all(low <= middle)
        assert np.all(middle <= high)
        assert np.all(np.diff(middle) >= -1e-9 * middle[1:])
        assert np.all(np.isfinite(high))
    assert points["elasticity"].is_between(0, 1).all()


@pytest.mark.parametrize("wrong", [-1.0, float("nan"), float("inf")], ids=str)
def test_a_point_needs_a_spend(wrong: float) -> None:
    with pytest.raises(InputError, match="negative or no number"):
        curve_points(curves(), "100", [1.0, wrong])


@pytest.mark.parametrize("count", [1, 2, 7])
def test_rows_give_the_very_same_curves_back(count: int) -> None:
    some = curves(count, spread=0.1)
    rows = to_rows(some)
    assert dict(rows.schema) == dict(CURVE_ROWS)
    again = from_rows(rows.reverse())
    for field in fields(Curves):
        mine, theirs = getattr(some, field.name), getattr(again, field.name)
        if isinstance(mine, np.ndarray):
            assert mine.dtype == theirs.dtype
            assert mine.shape == theirs.shape
            assert mine.tobytes() == np.ascontiguousarray(theirs).tobytes(), field.name
        else:
            assert mine == theirs, field.name
    assert to_rows(again).equals(rows)


def test_rows_of_different_fits_are_refused() -> None:
    rows, later = (to_rows(replace(curves(), day=date(2026, 11, day))) for day in (20, 21))
    for wrong, why in (
        (pl.concat([rows.head(1), later.tail(1)]), "different values of day"),
        (pl.concat([rows, rows]), "an object is there twice"),
        (rows.clear(), "different values of day"),
    ):
        with pytest.raises(InputError, match=why):
            from_rows(wrong)
