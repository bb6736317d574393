"""The price search: exact in sum, within its bounds, and nothing returns more."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize  # type: ignore[import-untyped]

from tests.examples import examples
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.optimizer.price import LARGEST, Floats, Priced, Whole, price_budgets


class Problem(NamedTuple):
    """Arrays (N,) as `price_budgets` wants them."""

    anchor: Floats
    log_marginal: Floats
    curvature: Floats
    low: Whole
    high: Whole
    total: int

    def solved(self, price_floor: float | None = None) -> Priced:
        return price_budgets(*self, price_floor=price_floor)

    def returned(self, amounts: Any) -> float:
        """What the budgets return above their lows: the integral of exp(lm) (s / a) ** -c."""
        found = 0.0
        for a, lm, c, low, s in zip(
            self.anchor, self.log_marginal, self.curvature, self.low, amounts, strict=True
        ):
            if math.isclose(c, 1.0):
                found += math.exp(lm) * a * math.log(s / low)
            else:
                up, down = (s / a) ** (1 - c), (low / a) ** (1 - c)
                found += math.exp(lm) * a * (up - down) / (1 - c)
        return found


def problem(*rows: tuple[float, float, float, int, int], total: int) -> Problem:
    anchor, log_marginal, curvature, low, high = zip(*rows, strict=True)
    return Problem(
        np.array(anchor, dtype=np.float64),
        np.array(log_marginal, dtype=np.float64),
        np.array(curvature, dtype=np.float64),
        np.array(low, dtype=np.int64),
        np.array(high, dtype=np.int64),
        total,
    )


@st.composite
def problems(draw: st.DrawFn, least: int = 0) -> Problem:
    rows, low_sum, high_sum = [], 0, 0
    for _ in range(draw(st.integers(1, 12))):
        low = draw(st.integers(least, 20_000))
        high = low + draw(st.one_of(st.just(0), st.integers(0, 40_000)))
        rows.append(
            (
                draw(st.floats(0.01, 1e6)),
                draw(st.one_of(st.sampled_from([0.0, 1.0]), st.floats(-20, 20))),
                draw(st.one_of(st.sampled_from([1e-9, 0.5, 1.0]), st.floats(1e-6, 4))),
                low,
                high,
            )
        )
        low_sum, high_sum = low_sum + low, high_sum + high
    return problem(*rows, total=draw(st.integers(low_sum, high_sum + 10_000)))


@settings(max_examples=examples(150))
@given(asked=problems())
def test_the_sum_is_exact_and_the_bounds_hold(asked: Problem) -> None:
    found = asked.solved()
    assert found.amounts.dtype == np.int64
    assert int(found.amounts.sum()) == min(asked.total, int(asked.high.sum()))
    assert np.all(found.amounts >= asked.low)
    assert np.all(found.amounts <= asked.high)
    assert math.isfinite(found.log_price)


@given(asked=problems(least=1))
def test_no_unit_of_money_is_better_spent_elsewhere(asked: Problem) -> None:
    found = asked.solved()
    # In marginal returns at the middle of the unit that would move. Flat curves and rounding
    # leave a price within one unit.
    with np.errstate(over="ignore"):
        gives_up = asked.log_marginal - asked.curvature * np.log(
            np.maximum(found.amounts - 1, 0.5) / asked.anchor
        )
        gets = asked.log_marginal - asked.curvature * np.log((found.amounts + 1) / asked.anchor)
    can_give, can_get = found.amounts > asked.low, found.amounts < asked.high
    if found.amounts.min() > 1 and can_give.any() and can_get.any():
        assert gets[can_get].max() <= gives_up[can_give].min() + 1e-6


@given(asked=problems(), floor=st.floats(-20, 20))
def test_below_a_price_nothing_is_bought(asked: Problem, floor: float) -> None:
    free, bound = asked.solved(), asked.solved(floor)
    assert int(bound.amounts.sum()) <= asked.total
    assert np.all((asked.low <= bound.amounts) & (bound.amounts <= asked.high))
    assert bound.log_price >= floor - 1e-9
    if free.log_price > floor + 1e-9 and free.amounts.sum() == asked.total:
        assert np.array_equal(free.amounts, bound.amounts)
    above = bound.amounts > np.maximum(asked.low, 1)
    returns = asked.log_marginal - asked.curvature * np.log(
        np.maximum(bound.amounts, 0.5) / asked.anchor
    )
    assert np.all(returns[above] >= floor - asked.curvature[above] * 1e-6)


@given(asked=problems(), scale=st.sampled_from([2, 10, 100]))
def test_the_unit_of_money_changes_nothing_but_rounding(asked: Problem, scale: int) -> None:
    if np.any(asked.curvature < 1e-4):
        return  # between flat curves any split is as good
    fine = Problem(
        asked.anchor * scale,
        asked.log_marginal,
        asked.curvature,
        asked.low * scale,
        asked.high * scale,
        asked.total * scale,
    ).solved()
    assert np.all(np.abs(asked.solved().amounts * scale - fine.amounts) <= scale + 1)


@given(asked=problems(), shift=st.floats(-10, 10))
def test_the_unit_of_returns_changes_nothing(asked: Problem, shift: float) -> None:
    if np.any(asked.curvature < 1e-4):
        return
    moved = asked._replace(log_marginal=asked.log_marginal + shift).solved()
    # A share that lies between two whole numbers may fall either way in its last digits.
    assert np.all(np.abs(moved.amounts - asked.solved().amounts) <= 1)


@given(asked=problems(), more=st.integers(0, 30_000))
def test_a_larger_total_takes_from_nobody(asked: Problem, more: int) -> None:
    larger = asked._replace(total=asked.total + more).solved()
    assert np.all(larger.amounts >= asked.solved().amounts - 1), "but for rounding"


@given(asked=problems(), which=st.integers(0, 11), better=st.floats(0, 5))
def test_who_returns_more_gets_no_less(asked: Problem, which: int, better: float) -> None:
    i = which % asked.low.size
    raised = asked.log_marginal.copy()
    raised[i] += better
    after = asked._replace(log_marginal=raised).solved()
    assert after.amounts[i] >= asked.solved().amounts[i] - 1


@given(
    weights=st.lists(st.integers(1, 10**6), min_size=1, max_size=12), total=st.integers(0, 10**9)
)
def test_weights_are_shared_in_proportion(weights: list[int], total: int) -> None:
    size = len(weights)
    found = price_budgets(
        np.array(weights, dtype=np.float64),
        np.zeros(size),
        np.ones(size),
        np.zeros(size, dtype=np.int64),
        np.full(size, total, dtype=np.int64),
        total,
    )
    for amount, weight in zip(found.amounts.tolist(), weights, strict=True):
        assert abs(amount * sum(weights) - weight * total) < sum(weights) * 1.001


def test_equal_returns_where_nothing_holds() -> None:
    asked = problem((5000, 0.3, 0.5, 1, 99_999), (5000, 0.0, 0.3, 1, 99_999), total=12_345)
    found = asked.solved()
    returns = asked.log_marginal - asked.curvature * np.log(found.amounts / asked.anchor)
    assert returns == pytest.approx(np.full(2, found.log_price), abs=1e-4)
    assert found.sides.tolist() == [0, 0]


def test_sides_say_which_bound_holds() -> None:
    rows = (5000.0, 2.0, 0.5, 4000, 6000), (5000.0, -2.0, 0.5, 4000, 6000)
    assert problem(*rows, total=10_000).solved().sides.tolist() == [1, -1]
    assert problem(*rows, total=99_999).solved().sides.tolist() == [1, 1]


def test_flat_curves_jump_at_one_price_and_the_total_still_holds() -> None:
    asked = problem(*[(5000.0, 1.0, 1e-12, 1000, 9000)] * 5, total=20_001)
    found = asked.solved()
    assert found.amounts.sum() == 20_001
    assert found.log_price == pytest.approx(1.0)
    assert found.amounts.max() - found.amounts.min() <= 1, "equals are treated alike"


def test_the_largest_amounts_are_counted_exactly() -> None:
    rows = [(float(LARGEST), 0.0, 0.5, 1, LARGEST), (1.0, 0.0, 0.5, 1, LARGEST)]
    assert int(problem(*rows, total=LARGEST).solved().amounts.sum()) == LARGEST


def test_nobody() -> None:
    none = np.zeros(0)
    found = price_budgets(none, none, none, none.astype(np.int64), none.astype(np.int64), 5)
    assert (found.amounts.size, found.log_price) == (0, math.inf)


GOOD = (5000.0, 0.0, 0.5, 1000, 9000)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (problem(GOOD, total=999), "least amounts come to 1000, more than 999"),
        (problem(GOOD, total=-1), "too large to count"),
        (problem(GOOD, total=2**60), "too large to count"),
        (problem((5000.0, math.nan, 0.5, 1, 2), total=2), "marginal return is not finite"),
        (problem((0.0, 0.0, 0.5, 1, 2), total=2), "anchor or a curvature"),
        (problem((5000.0, 0.0, 0.0, 1, 2), total=2), "anchor or a curvature"),
        (problem((5000.0, 0.0, math.inf, 1, 2), total=2), "anchor or a curvature"),
        (problem((5000.0, 0.0, 0.5, 3, 2), total=9), "above its bound"),
        (problem((5000.0, 0.0, 0.5, -3, 2), total=9), "below 0"),
        (problem(GOOD, total=5000)._replace(anchor=np.ones(2)), "not all of one length"),
    ],
    ids=range(10),
)
def test_what_cannot_be_priced_is_refused(asked: Problem, words: str) -> None:
    with pytest.raises(InputError, match=words):
        asked.solved()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_optimum_is_that_of_a_general_solver(seed: int) -> None:

    rng = np.random.default_rng(seed)
    budget = rng.integers(1000, 20_000, 12)
    rows = zip(
        budget.astype(float),
        rng.normal(0.7, 0.4, 12),
        1 - rng.uniform(0.4, 0.85, 12),
        np.ceil(budget * 0.8).astype(int),
        np.floor(budget * 1.2).astype(int),
        strict=True,
    )
    asked = problem(*rows, total=int(budget.sum()))

    def lost(share: Floats) -> float:
        return -asked.returned(share * budget) / asked.total

    def slope(share: Floats) -> Floats:
        at = share * budget
        marginal = np.exp(asked.log_marginal) * (at / asked.anchor) ** -asked.curvature
        return -marginal * budget / asked.total

    general = minimize(
        lost,
        np.ones(12),
        jac=slope,
        method="SLSQP",
        bounds=list(zip(asked.low / budget, asked.high / budget, strict=True)),
        constraints={
            "type": "eq",
            "fun": lambda share: share @ budget / asked.total - 1,
            "jac": lambda _share: budget / asked.total,
        },
        options={"ftol": 1e-14, "maxiter": 500},
    )
    assert general.success
    ours = -lost(asked.solved().amounts / budget)
    assert ours >= -general.fun - 1e-6 * abs(general.fun)
