"""What a recent day becomes: unbiased in sum, and as uncertain as it says."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from zyenta_ads_pipeline.domain.orders import ORDER_VARIATION
from zyenta_ads_pipeline.metrics.expected import (
    negative_binomial_quantile,
    with_expected,
)

Counts = npt.NDArray[Any]
SCHEMA: dict[str, Any] = {
    "account_id": pl.String, "spend": pl.Float64, "purchases": pl.Float64,
    "purchase_value": pl.Float64, "maturity": pl.Float64,
}  # fmt: skip
RATES = pl.DataFrame(
    {"account_id": ["1", "2"], "purchases_per_spend": [0.1, None], "order_value": [50.0, None]},
    schema={"account_id": pl.String, "purchases_per_spend": pl.Float64, "order_value": pl.Float64},
)


def expected(*rows: tuple[str, float, float, float, float | None]) -> pl.DataFrame:
    return with_expected(pl.DataFrame(rows, schema=SCHEMA, orient="row"), RATES)


def summed_quantile(tail: float, shape: float, odds: float) -> float:
    """The definition, in logarithms."""
    below, n = 0.0, 0
    while True:
        chance = math.exp(
            math.lgamma(shape + n) - math.lgamma(shape) - math.lgamma(n + 1)
            + n * math.log(odds / (1 + odds)) - shape * math.log1p(odds)
        )  # fmt: skip
        if below + chance >= tail:
            return max(n - 0.5 + (tail - below) / chance, 0.0)
        below, n = below + chance, n + 1


@settings(max_examples=examples(60), deadline=None)
@given(st.floats(0.5, 400), st.floats(0.01, 20), st.sampled_from([0.1, 0.5, 0.9]))
def test_quantiles_are_those_of_the_exact_sums(shape: float, odds: float, tail: float) -> None:
    found = negative_binomial_quantile(tail, np.array([shape]), np.array([odds]))[0]
    exact = summed_quantile(tail, shape, odds)
    loose = 0.5 + 0.015 * exact if shape * odds > 60 else 1e-6 * (1 + exact)
    assert found == pytest.approx(exact, abs=loose)


@pytest.mark.parametrize(
    "row",
    [
        ("1", 100.0, 3.0, 150.0, 1.0),
        ("1", 100.0, 3.0, 150.0, None),
        ("2", 100.0, 3.0, 150.0, 0.5),
        ("3", 100.0, 3.0, 150.0, 0.5),
        ("1", 0.0, 3.0, 150.0, 0.5),
    ],
    ids=["mature", "maturity unknown", "rate unknown", "account unknown", "without spend"],
)
def test_where_nothing_is_to_come_or_known_it_is_the_observed(
    row: tuple[str, float, float, float, float | None],
) -> None:
    found = expected(row).row(0, named=True)
    for part in ("expected", "low", "high"):
        assert (found[f"purchases_{part}"], found[f"purchase_value_{part}"]) == (3.0, 150.0)


def test_a_small_count_is_never_divided_by_its_share() -> None:
    """One early purchase on little spend: 1 / 0.1 would be ten; its spend buys one."""
    found = expected(("1", 10.0, 1.0, 50.0, 0.1)).row(0, named=True)
    assert 1.5 < found["purchases_expected"] < 3
    many = expected(("1", 10_000.0, 1000.0, 50_000.0, 0.5)).row(0, named=True)
    assert many["purchases_expected"] == pytest.approx(2000, rel=0.02)


def test_value_follows_the_mean_order() -> None:
    found = expected(("1", 100.0, 4.0, 120.0, 0.5)).row(0, named=True)
    come = found["purchases_expected"] - 4
    assert found["purchase_value_expected"] == pytest.approx(120 + 50 * come)


def test_the_order_of_rows_and_other_columns_stay() -> None:
    frame = pl.DataFrame(
        [("2", 1.0, 1.0, 1.0, 0.5), ("1", 9.0, 2.0, 1.0, 0.5)], schema=SCHEMA, orient="row"
    ).with_columns(x=pl.Series(["a", "b"]))
    found = with_expected(frame, RATES)
    assert found.select(frame.columns).equals(frame)
    empty = with_expected(frame.clear(), RATES)
    assert empty.is_empty()
    assert empty.schema["purchases_high"] == pl.Float64


@settings(max_examples=examples(100), deadline=None)
@given(st.floats(0, 1e6), st.integers(0, 10**5), st.floats(-100, 1e7), st.floats(0.01, 1))
def test_the_interval_holds_what_is_expected_and_never_less_than_was_seen(
    spend: float, seen: int, value: float, share: float
) -> None:
    found = expected(("1", spend, float(seen), value, share)).row(0, named=True)
    assert seen <= found["purchases_low"] <= found["purchases_high"]
    assert seen <= found["purchases_expected"]
    assert value <= found["purchase_value_low"] <= found["purchase_value_high"]
    assert all(math.isfinite(found[f"purchases_{part}"]) for part in ("expected", "low", "high"))


def market(seed: int, scale: float) -> tuple[pl.DataFrame, Counts, Counts]:
    """Ads of unequal strength, days of every age: what is seen, and what it becomes."""
    chance = np.random.default_rng(seed)
    count = 5000
    spend = chance.gamma(1.5, 60.0, count)
    strength = chance.gamma(2.0, 0.5, count)
    share = np.array([0.5, 0.66, 0.76, 0.84, 0.9, 0.95])[chance.integers(0, 6, count)]
    final = chance.poisson(scale * spend * strength)
    seen = chance.binomial(final, share)
    shape = 1 / ORDER_VARIATION

    def value(orders: Counts) -> Counts:
        drawn = chance.gamma(np.maximum(orders, 1e-9) * shape, 50.0 / shape)
        return np.asarray(np.where(orders > 0, drawn, 0.0))

    value_seen = value(seen)
    rows = pl.DataFrame(
        {
            "account_id": ["1"] * count, "spend": spend, "purchases": seen.astype(float),
            "purchase_value": value_seen, "maturity": share,
        }
    )  # fmt: skip
    return rows, final.astype(float), value_seen + value(final - seen)


@pytest.mark.parametrize("scale", [0.02, 0.2, 1.0, 5.0])
@pytest.mark.parametrize("seed", [1, 2])
def test_in_a_simulated_market_totals_are_unbiased_and_intervals_cover(
    seed: int, scale: float
) -> None:
    """From 2 to 450 purchases an ad and day. Where mostly nothing is to come, an interval around
    nothing covers more than it should."""
    rows, final, final_value = market(seed, scale)
    seen, spend, value = (rows[n].to_numpy() for n in ("purchases", "spend", "purchase_value"))
    pooled = seen.sum() / (spend * rows["maturity"].to_numpy()).sum()
    order = value.sum() / seen.sum()
    rates = pl.DataFrame(
        {"account_id": ["1"], "purchases_per_spend": [pooled], "order_value": [order]}
    )
    found = with_expected(rows, rates)
    assert found["purchases_expected"].sum() == pytest.approx(final.sum(), rel=0.03)
    assert found["purchase_value_expected"].sum() == pytest.approx(final_value.sum(), rel=0.03)
    assert seen.sum() < 0.85 * final.sum()  # there was something to be found
    for name, truth in (("purchases", final), ("purchase_value", final_value)):
        low, high = (found[f"{name}_{part}"].to_numpy() for part in ("low", "high"))
        inside = (low <= truth + 1e-9) & (truth <= high + 1e-9)
        assert 0.75 <= inside.mean() <= (0.87 if scale > 0.1 else 0.95)
