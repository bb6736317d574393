"""Two arms of a creative test, day by day: how far their rates are apart, and how sure that is.

Compared within each day and then pooled (Mantel and Haenszel), so that a sale or a weekend, and
late conversions that are missing from both arms alike, cancel, even where the platform gave one
arm more of some days. Everything works on arrays of any leading shape, days last, so that one test
and ten thousand simulated ones run the same lines.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from zyenta_ads_pipeline.domain.orders import ORDER_VARIATION

Floats: TypeAlias = npt.NDArray[np.float64]
Flags: TypeAlias = npt.NDArray[np.bool_]

PRIOR_DAYS = 1.5
"""Weight of the assumption that days spread as counts do: it counts like so many days."""
_PRIOR_ORDERS = 3.0
"""Weight of the assumption that orders vary by `ORDER_VARIATION`: like so many days."""
_RECENT = 7
"""Days from which the exposure still to come is told: whole weeks, for the weekdays' sake."""


class Arm(NamedTuple):
    """One arm; arrays (..., T) of T days. `revenue` in major units."""

    impressions: Floats
    conversions: Floats
    revenue: Floats


class Evidence(NamedTuple):
    """How the other arm stands to the first; arrays (...)."""

    log_ratio: Floats
    """Of the other's rate to the first's."""
    variance: Floats
    """Of `log_ratio`, with what days and orders vary more than counts would."""
    freedom: Floats
    """Degrees of freedom of that variance."""
    dispersion: Floats
    """How many times more the days' splits vary than counts do; at least 1."""


def by_conversions(first: Arm, other: Arm, complete: Flags) -> Evidence:
    """Conversions per impression. `complete`: (T,), False for a day that is still under way."""
    log_ratio, variance = _pooled(first, other, first.conversions, other.conversions)
    dispersion, freedom = _dispersion(first, other, log_ratio, complete)
    return Evidence(log_ratio, variance * dispersion, freedom, dispersion)


def by_revenue(first: Arm, other: Arm, complete: Flags) -> Evidence:
    """Revenue per impression.

    Orders of different value make revenue vary more than their number: per order by the variance of
    its value over its squared mean, which is learned from how far each day's revenue is from its
    conversions times the arm's mean value.
    """
    counts = by_conversions(first, other, complete)
    of_first, of_other = _first_weights(first, other)
    orders = _order_variance(first, other)
    usual = _mean_order(first.conversions + other.conversions, first.revenue + other.revenue, 1.0)
    sums, variance = [], np.zeros_like(counts.variance)
    for arm, weight in ((first, of_first), (other, of_other)):
        mean = _mean_order(arm.conversions, arm.revenue, usual)
        total = np.maximum((arm.revenue * weight).sum(-1), 0.0) + 0.25 * usual
        noise = (np.maximum(arm.conversions, 0.0) * weight**2).sum(-1) + 0.125
        variance = variance + noise * (mean / total) ** 2 * (counts.dispersion + orders)
        sums.append(total)
    return Evidence(np.log(sums[1] / sums[0]), variance, counts.freedom, counts.dispersion)


def information_share(
    first: Arm, other: Arm, complete: Flags, maturity: Floats, horizon: int
) -> Floats:
    """(...): the share of a test's information that is in, at most the share of its days.

    `maturity`: (T,), the share of each day's conversions that is reported by now. What is still to
    come is told from the exposure of the last week: where traffic grows, most of the information
    is yet to come, however many days have passed.
    """
    both = first.impressions + other.impressions
    exposure = first.impressions * other.impressions / np.where(both > 0, both, 1.0)
    closed = np.flatnonzero(complete)
    recent = exposure[..., closed[-_RECENT:]]
    usual = recent.mean(-1) if closed.size else np.zeros(exposure.shape[:-1])
    today = exposure[..., ~complete].sum(-1)
    begun = np.minimum(today / np.where(usual > 0, usual, np.inf), float((~complete).any()))
    passed = closed.size + begun
    known = (exposure * maturity).sum(-1)
    coming = usual * np.maximum(horizon - passed, 0.0)
    expected = known + coming
    share = known / np.where(expected > 0, expected, 1.0)
    return np.asarray(np.where(passed >= horizon, 1.0, np.minimum(share, passed / horizon)))


def _first_weights(first: Arm, other: Arm) -> tuple[Floats, Floats]:
    """What a conversion of a day counts for in each arm: the share of the other's exposure."""
    both = first.impressions + other.impressions
    safe = np.where(both > 0, both, 1.0)
    return other.impressions / safe, first.impressions / safe


def _pooled(first: Arm, other: Arm, firsts: Floats, others: Floats) -> tuple[Floats, Floats]:
    """log(sum yB EA/n / sum yA EB/n), half a conversion added to each arm, with the variance of
    Greenland and Robins (1985): sum (yA+yB) EA EB/n^2 over the product of both sums."""
    of_first, of_other = _first_weights(first, other)
    both = (first.impressions + other.impressions).sum(-1)
    share = first.impressions.sum(-1) / np.where(both > 0, both, 1.0)
    share = np.where(both > 0, np.clip(share, 1e-6, 1 - 1e-6), 0.5)
    one = np.maximum((firsts * of_first).sum(-1), 0.0) + 0.5 * (1 - share)
    two = np.maximum((others * of_other).sum(-1), 0.0) + 0.5 * share
    joint = np.maximum(((firsts + others) * of_first * of_other).sum(-1), 0.0)
    return np.log(two / one), (joint + share * (1 - share)) / (one * two)


def _dispersion(
    first: Arm, other: Arm, log_ratio: Floats, complete: Flags
) -> tuple[Floats, Floats]:
    """How the complete days' splits vary around the pooled one: Pearson's statistic over its
    degrees of freedom, with `PRIOR_DAYS` days that vary as counts do."""
    ratio = np.exp(log_ratio)[..., None]
    weighed = other.impressions * ratio
    both = first.impressions + weighed
    part = weighed / np.where(both > 0, both, 1.0)
    day = np.maximum(first.conversions, 0.0) + np.maximum(other.conversions, 0.0)
    spread = day * part * (1 - part)
    used = complete & (spread > 0)
    off = np.where(used, np.maximum(other.conversions, 0.0) - day * part, 0.0)
    statistic = (off**2 / np.where(used, spread, 1.0)).sum(-1)
    freedom = np.maximum(used.sum(-1) - 1, 0) + PRIOR_DAYS
    return np.maximum((statistic + PRIOR_DAYS) / freedom, 1.0), np.asarray(freedom, np.float64)


def _mean_order(conversions: Floats, revenue: Floats, otherwise: Floats | float) -> Floats:
    count = np.maximum(conversions, 0.0).sum(-1)
    total = np.maximum(revenue.sum(-1), 0.0)
    known = (count > 0) & (total > 0)
    return np.asarray(np.where(known, total / np.where(count > 0, count, 1.0), otherwise))


def _order_variance(first: Arm, other: Arm) -> Floats:
    """Variance of an order's value over its squared mean, both arms together."""
    statistic = np.zeros(first.conversions.shape[:-1])
    freedom = np.zeros_like(statistic)
    for arm in (first, other):
        count = np.maximum(arm.conversions, 0.0)
        mean = _mean_order(arm.conversions, arm.revenue, 1.0)[..., None]
        off = np.where(count > 0, arm.revenue / mean - count, 0.0)
        statistic = statistic + (off**2 / np.where(count > 0, count, 1.0)).sum(-1)
        freedom = freedom + np.maximum((count > 0).sum(-1) - 1, 0)
    return np.asarray((statistic + _PRIOR_ORDERS * ORDER_VARIATION) / (freedom + _PRIOR_ORDERS))
