"""What days would have brought at budgets that were not set: by a curve, never by observation.

A day with spend s brought revenue R. At spend s' it would have brought

    R' = R x g(s' / ref; u) / g(s / ref; u)

so the day's own level, luck and season stay, and only the shape of the curve is taken from the
model. The shape u is normal under each model of the bank; a rule with three nodes (Gauss and
Hermite) gives mean and variance of the ratio.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from zyenta_ads_pipeline.optimizer.curves import LEAST_SPEND, Curves
from zyenta_ads_pipeline.optimizer.shapes import growth

Floats: TypeAlias = npt.NDArray[np.float64]

_NODES = ((0.0, 2 / 3), (3**0.5, 1 / 6), (-(3**0.5), 1 / 6))
DELIVERS = 0.8
"""From this share of its budget on, a campaign is taken to spend what it is given."""
_ORDER_SPREAD = 1.57
"""Second moment of an order's value over its squared mean, at a log variance of 0.45."""
_Z80 = 1.2815515655446004


class Ratio(NamedTuple):
    """g(s') / g(s): mean and variance, shape (N,)."""

    mean: Floats
    variance: Floats


def growth_ratio(curves: Curves, done: Floats, other: Floats) -> Ratio:
    """How revenue at spend `other` compares with that at `done`; (N,) each, major units a day.

    0 where `other` is 0. Where `done` is 0 there is no revenue to start from: the ratio is 1.
    """
    known = (done > 0) & (other > 0)
    log_done, log_other = (
        np.log(np.where(known, np.maximum(spend, LEAST_SPEND * curves.ref), curves.ref))
        - np.log(curves.ref)
        for spend in (done, other)
    )
    mean, square = np.zeros(done.shape), np.zeros(done.shape)
    for g, model in enumerate(curves.models):
        for node, share in _NODES:
            u = curves.u[g] + node * np.sqrt(np.maximum(curves.puu[g], 0.0))
            ratio = np.exp(growth(model.family, u, log_other) - growth(model.family, u, log_done))
            mean += curves.weight[g] * share * ratio
            square += curves.weight[g] * share * ratio**2
    idle = np.where((other <= 0) & (done > 0), 0.0, 1.0)
    return Ratio(
        np.where(known, mean, idle), np.where(known, np.maximum(square - mean**2, 0.0), 0.0)
    )


def spend_at(spend: Floats, budget: Floats, other: Floats) -> Floats:
    """What a campaign that spent `spend` of `budget` would have spent of the budget `other`; (N,),
    one unit. One that did not spend its budget would not have spent more of a larger one."""
    delivers = (budget > 0) & (spend >= DELIVERS * budget)
    scaled = spend * np.divide(other, budget, out=np.ones_like(budget), where=budget > 0)
    result: Floats = np.where(delivers, scaled, np.minimum(spend, other))
    return result


def luck(revenue: Floats, conversions: Floats) -> Floats:
    """The variance of a day's revenue around its expectation, from its own conversions: they are
    Poisson and their values are spread like the lognormal. (N,), squared major units."""
    bought = np.maximum(conversions, 1.0)
    result: Floats = np.where(revenue > 0, _ORDER_SPREAD * revenue**2 / bought, 0.0)
    return result


@dataclass(frozen=True)
class Difference:
    """An estimated difference in revenue: what is expected, and an 80 % interval; major units."""

    expected: float
    low: float
    high: float


class Differences:
    """Adds up what days and campaigns would have differed by.

    The error of a campaign's curve is the same on all its days, so its deviations add up; the luck
    of days and the curves of campaigns are independent, so their variances do.
    """

    def __init__(self) -> None:
        self._expected = 0.0
        self._deviation: dict[str, float] = {}
        self._luck = 0.0

    def add(self, ids: Sequence[str], revenue: Floats, conversions: Floats, ratio: Ratio) -> Floats:
        """One day of some campaigns; revenue and conversions as they came. Gives the estimated
        revenue of each at the other spend."""
        self._expected += float(np.sum(revenue * (ratio.mean - 1)))
        # The shape is known to err one way: a cut's loss and a raise's gain move together.
        signed = revenue * np.sqrt(ratio.variance) * np.sign(ratio.mean - 1)
        for own, deviation in zip(ids, signed.tolist(), strict=True):
            self._deviation[own] = self._deviation.get(own, 0.0) + deviation
        self._luck += float(np.sum((ratio.mean - 1) ** 2 * luck(revenue, conversions)))
        result: Floats = revenue * ratio.mean
        return result

    def total(self) -> Difference:
        """All of it together."""
        variance = self._luck + sum(each**2 for each in self._deviation.values())
        half = _Z80 * float(np.sqrt(variance))
        return Difference(self._expected, self._expected - half, self._expected + half)
