"""What a recent day will have sold once everything is reported, with an interval.

Of a mature mean m, a day of maturity F has reported y ~ Poisson(F m). With a Gamma prior of shape
k and mean m0 on m, what is still to come is negative binomial with shape k + y and mean
(k + y) (1 - F) / (k / m0 + F). m0 is the account's pooled purchases per spend times the row's
spend. So a small count is never divided by F; a large one outweighs the prior.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from zyenta_ads_pipeline.domain.orders import ORDER_VARIATION

PRIOR_SHAPE = 2.0
"""k: how alike objects of an account are per spend; 2 means a coefficient of variation of 0.7."""

TAIL = 0.10
"""Probability on each side of the interval: 80 % lie inside."""

_EXACT_UP_TO = 60.0
"""Mean of what is to come up to which quantiles are summed exactly."""
_LONGEST_SUM = 600
_NOTHING = 1e-9
"""Purchases below which none are expected."""

_Floats: TypeAlias = npt.NDArray[np.float64]

RATES = ("purchases_per_spend", "order_value")


def with_expected(frame: pl.DataFrame, rates: pl.DataFrame) -> pl.DataFrame:
    """`frame` with what its purchases and their value are expected to become.

    `frame` has account_id, spend, purchases, purchase_value, maturity; `rates` one row per
    account with those of `RATES` (floats, mature; null where unknown). Adds purchases_expected,
    _low, _high and purchase_value_expected, _low, _high; 80 % lie between low and high. At
    maturity 1, and where the account's rate is unknown, they are the observed. Each level is
    estimated from its own sums, so that ads add up to their campaign only about.
    """
    rows = frame.select(
        "account_id",
        *(pl.col(n).cast(pl.Float64) for n in ("spend", "purchases", "purchase_value")),
        pl.col("maturity").fill_null(1.0).clip(0.0, 1.0),
    ).join(rates.select("account_id", *RATES), on="account_id", how="left", maintain_order="left")
    seen, value = (rows[name].fill_null(0.0).to_numpy() for name in ("purchases", "purchase_value"))
    share = rows["maturity"].to_numpy()
    mean = (rows["spend"] * rows["purchases_per_spend"]).fill_null(0.0).to_numpy()
    order = rows["order_value"].fill_null(0.0).to_numpy()
    shape, odds = _to_come(seen, share, mean)
    count = shape * odds
    low, high = (negative_binomial_quantile(tail, shape, odds) for tail in (TAIL, 1 - TAIL))
    spread = count * ORDER_VARIATION * order**2 + count * (1 + odds) * order**2
    none = np.exp(-shape * np.log1p(odds))
    value_low, value_high = (
        _amount_quantile(tail, count * order, spread, none) for tail in (TAIL, 1 - TAIL)
    )
    added = {
        "purchases_expected": seen + count,
        "purchases_low": seen + low,
        "purchases_high": seen + high,
        "purchase_value_expected": value + count * order,
        "purchase_value_low": value + value_low,
        "purchase_value_high": value + value_high,
    }
    return frame.with_columns(pl.Series(name, numbers) for name, numbers in added.items())


def _to_come(seen: _Floats, share: _Floats, mean: _Floats) -> tuple[_Floats, _Floats]:
    """Shape and odds (mean / shape) of the negative binomial of what is not reported yet."""
    known = (mean > _NOTHING) & (share < 1)
    rate = PRIOR_SHAPE / np.where(known, mean, 1.0) + share
    odds = np.where(known, (1 - share) / rate, 0.0)
    return PRIOR_SHAPE + np.maximum(seen, 0.0), odds


def negative_binomial_quantile(tail: float, shape: _Floats, odds: _Floats) -> _Floats:
    """Where the distribution of N, negative binomial with mean shape x odds, reaches `tail`.

    Each whole number is spread evenly from half below to half above it, so that an interval
    holds about its nominal share of small counts as well, not more; never below 0. Summed
    exactly for means up to 60; beyond, a gamma of the same mean and variance, within 1.5 percent.
    """
    mean = shape * odds
    result = _gamma_quantile(tail, mean, mean * (1 + odds))
    small = mean <= _EXACT_UP_TO
    result[small] = _summed_quantile(tail, shape[small], odds[small])
    return np.where(mean > 0, result, 0.0)


def _summed_quantile(tail: float, shape: _Floats, odds: _Floats) -> _Floats:
    chance = np.exp(-shape * np.log1p(odds))
    below = np.zeros_like(shape)
    result = np.zeros_like(shape)
    failing = odds / (1 + odds)
    for n in range(_LONGEST_SUM):
        here = (below < tail) & (tail <= below + chance)
        result[here] = n - 0.5 + (tail - below[here]) / chance[here]
        below = below + chance
        if (below >= tail).all():
            break
        chance = chance * (shape + n) / (n + 1) * failing
    return np.maximum(result, 0.0)


def _amount_quantile(tail: float, mean: _Floats, variance: _Floats, none: _Floats) -> _Floats:
    """Quantile of an amount that is nothing with probability `none`, else about a gamma."""
    some = np.maximum(1 - none, 1e-12)
    within = np.clip((tail - none) / some, 0.0, 1 - 1e-9)
    if_any = mean / some
    spread = np.maximum((variance + mean**2) / some - if_any**2, 0.0)
    amount = _gamma_quantile(within, if_any, spread)
    return np.where(tail <= none, 0.0, amount)


def _gamma_quantile(tail: float | _Floats, mean: _Floats, variance: _Floats) -> _Floats:
    """Wilson and Hilferty's approximation of a gamma's quantile (1931)."""
    certain = (variance <= 0) | (mean <= _NOTHING)
    cut = np.where(certain, 0.0, variance) / (9 * np.where(certain, 1.0, mean) ** 2)
    cube = np.maximum(1 - cut + _normal_quantile(tail) * np.sqrt(cut), 0.0)
    quantile: _Floats = mean * cube**3
    return quantile


def _normal_quantile(tail: float | _Floats) -> Any:
    """Acklam's rational approximation of the normal quantile, to nine digits."""
    p = np.clip(np.asarray(tail, dtype=np.float64), 1e-12, 1 - 1e-12)
    side = np.minimum(p, 1 - p)
    outer = np.sqrt(-2 * np.log(np.minimum(side, 0.02425)))
    far = np.polyval(_FAR_TOP, outer) / np.polyval(_FAR_BOTTOM, outer)
    near_p = p - 0.5
    square = near_p**2
    near = near_p * np.polyval(_NEAR_TOP, square) / np.polyval(_NEAR_BOTTOM, square)
    return np.where(side < 0.02425, np.where(p < 0.5, far, -far), near)


_NEAR_TOP = (-3.969683028665376e1, 2.209460984245205e2, -2.759285104469687e2,
             1.383577518672690e2, -3.066479806614716e1, 2.506628277459239)  # fmt: skip
_NEAR_BOTTOM = (-5.447609879822406e1, 1.615858368580409e2, -1.556989798598866e2,
                6.680131188771972e1, -1.328068155288572e1, 1.0)  # fmt: skip
_FAR_TOP = (-7.784894002430293e-3, -3.223964580411365e-1, -2.400758277161838,
            -2.549732539343734, 4.374664141464968, 2.938163982698783)  # fmt: skip
_FAR_BOTTOM = (7.784695709041462e-3, 3.224671290700398e-1, 2.445134137142996,
               3.754408661907416, 1.0)  # fmt: skip
