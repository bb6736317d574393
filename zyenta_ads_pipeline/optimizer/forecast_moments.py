"""Means and quantiles of mixtures of lognormal rates, and of the counts and amounts they bring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from statistics import NormalDist
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]

_WIDEST = 2.0
"""Variance of a log rate above which its mean is led by a tail that nobody has seen."""
_LEAST_SHAPE = 0.12
"""Of a gamma distribution below which the cube root is no help; the bounds are 0 and a few."""
_MOST_SKEW = 1.2
_MOST_TAIL = 3.0
"""Skewness and excess up to which the expansion's quantiles keep their order."""


class Jump(NamedTuple):
    """With this probability an object's rates are all off by a factor whose log has this sd."""

    probability: float
    size: float


NO_JUMP = Jump(0.0, 0.0)


@dataclass(frozen=True)
class Mixture:
    """N positive amounts, each a mixture of C lognormal ones; arrays (C, N)."""

    log: Floats
    variance: Floats
    weight: Floats
    """Sums to 1 over the first axis."""

    @cached_property
    def means(self) -> Floats:
        """(C, N): of each part."""
        result: Floats = np.exp(self.log + np.minimum(self.variance, _WIDEST) / 2)
        return result

    @cached_property
    def mean(self) -> Floats:
        """(N,)"""
        result: Floats = np.sum(self.weight * self.means, axis=0)
        return result

    @cached_property
    def nothing(self) -> Floats:
        """(N,): the probability that a count with this rate is 0, each part's rate a gamma."""
        shape = 1 / np.expm1(np.clip(self.variance, 1e-9, _WIDEST))
        none = np.exp(-shape * np.log1p(self.means / shape))
        result: Floats = np.sum(self.weight * none, axis=0)
        return result

    def times(self, log: Floats, variance: Floats) -> Mixture:
        """The amounts times one lognormal factor each, log and variance (N,)."""
        return replace(self, log=self.log + log, variance=self.variance + variance)

    def scaled(self, factor: Floats, variance: Floats) -> Mixture:
        """The amounts times one factor (N,) each, whose logarithm has the variance (N,)."""
        return self.times(np.log(factor) - variance / 2, variance)


def gamma_quantiles(
    rate: Mixture, noise: Floats | float, shares: Sequence[float], jump: Jump
) -> Floats:
    """(Q, N): quantiles of sums of events that come with these rates.

    `noise`: variance of the sum per unit of its mean: 1 for counts, and for amounts the mean of an
    event's squared amount over its mean. Each part is taken for a gamma distribution of the same
    mean and variance, and its cube root for a normal one. A `jump` widens the bounds, the outer
    ones most; the mean stays.
    """
    spread = np.expm1(np.minimum(rate.variance, _WIDEST))
    means = np.maximum(rate.means, 1e-300)
    shape = np.maximum(1 / (spread + noise / means), _LEAST_SHAPE)
    root = np.cbrt(means)
    centre = root * (1 - 1 / (9 * shape))
    # A cube root moves by a third of its argument's share.
    leap = Jump(jump.probability, jump.size / 3)
    quantiles = _mixed_quantiles(centre, root**2 / (9 * shape), rate.weight, shares, leap)
    return np.maximum(quantiles, 0.0) ** 3


def lognormal_quantiles(rate: Mixture, shares: Sequence[float]) -> Floats:
    """(Q, N): quantiles of the amounts themselves."""
    return np.exp(_mixed_quantiles(rate.log, rate.variance, rate.weight, shares, NO_JUMP))


def _mixed_quantiles(
    centre: Floats, variance: Floats, weight: Floats, shares: Sequence[float], jump: Jump
) -> Floats:
    """Quantiles of mixtures of normal distributions (C, N), from their first four moments.

    A `jump` is by a normal share of the mean: its moments add to the mixture's.
    """
    mean = np.sum(weight * centre, axis=0)
    off = centre - mean
    squared = off**2
    second = np.sum(weight * (squared + variance), axis=0)
    third = np.sum(weight * off * (squared + 3 * variance), axis=0)
    fourth = np.sum(weight * (squared * (squared + 6 * variance) + 3 * variance**2), axis=0)
    leap = (jump.size * mean) ** 2
    fourth += jump.probability * (3 * leap**2 + 6 * leap * second)
    second = second + jump.probability * leap
    scale = np.sqrt(second)
    safe = np.maximum(second, 1e-300)
    skew = np.clip(third / safe**1.5, -_MOST_SKEW, _MOST_SKEW)
    tail = np.clip(fourth / safe**2 - 3, -1.0, _MOST_TAIL)
    return np.stack([mean + scale * _expanded(share, skew, tail) for share in shares])


def _expanded(share: float, skew: Floats, tail: Floats) -> Floats:
    """Cornish and Fisher's quantile of a distribution of mean 0 and variance 1."""
    z = NormalDist().inv_cdf(share)
    result: Floats = (
        z + skew * (z**2 - 1) / 6 + tail * (z**3 - 3 * z) / 24 - skew**2 * (2 * z**3 - 5 * z) / 36
    )
    return result
