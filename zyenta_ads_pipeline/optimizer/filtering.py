"""A bank of Poisson-gamma filters over a grid of elasticities: how probable each curve is.

The conversions y of a day with spend s, of which F are reported yet, are taken as

    y ~ Poisson(level x g(s / ref; e) x F x d)

with g one of two families of curves (`shapes.py`), e its elasticity at ref, d what all campaigns
share on the day, and a level whose logarithm drifts by q a day (a random walk). For each family,
each e of a grid and each q the level's posterior is a gamma distribution of shape a and rate b, to
which a day adds exactly (West and Harrison 1997, chapter 14):

    c = g F d;   log likelihood of a negative binomial (a, c / b);   a <- a + w y;   b <- b + w c

The drift adds q^2 to the variance of the log level, about 1 / a, and keeps its mean. w < 1 allows
for days that scatter more than Poisson. a depends on q only: curves differ in b alone, so that a
day costs a handful of operations per curve and object.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from zyenta_ads_pipeline.optimizer.grid import Flags, Grid, by_parts
from zyenta_ads_pipeline.optimizer.shapes import FAMILIES, logistic

Floats: TypeAlias = npt.NDArray[np.float64]

DRIFTS = (0.02, 0.05)
"""q: standard deviations of the log level's step from day to day."""
LEVEL_SPREAD = 0.6
"""Standard deviation of the log level between campaigns of an account, at equal order value."""
DAY_NOISE = 0.08
"""Standard deviation of a day's own log factor, beside Poisson's."""
JUMP = 0.3
"""Standard deviation of what the log level may change at once, where days say that it did."""

_JUMP_SIGN, _JUMP_MEMORY = 4.5, 0.75
"""Where the deviations of days, each counting 0.75 of the next one, come to 4.5."""
_LARGEST = 6.0
"""A day may sell so many standard deviations above what is expected; what is more is cut off."""
_LEAST_VARIANCE = 0.05


class Bank(NamedTuple):
    """M curves; arrays are (M,). `family` is a place in `FAMILIES`, `u` = logit(e)."""

    family: npt.NDArray[np.int64]
    u: Floats

    @classmethod
    def of(cls, elasticities: tuple[float, ...]) -> Bank:
        e = np.array(elasticities)
        families = np.repeat(np.arange(len(FAMILIES)), e.size)
        return cls(families, np.tile(np.log(e / (1 - e)), len(FAMILIES)))


@dataclass(frozen=True)
class Filtered:
    """What the filters end with: Q drifts, M curves, N objects."""

    shape: Floats
    """(Q, N) a"""
    log_rate: Floats
    """(Q, M, N) log b"""
    likelihood: Floats
    """(Q, M, N) log"""


def filtered(
    grid: Grid,
    learned: Flags,
    ref: Floats,
    day_effect: Floats,
    level: Floats,
    bank: Bank,
    *,
    exact: bool = True,
) -> Filtered:
    """Run the filters over the `learned` days (T, N) of `grid`.

    `ref` (N,) is the spend at which curves are stated, `day_effect` (T,) the logarithm of each
    day's factor, `level` (N,) the mean of the prior of the conversions of a day at `ref`. Not
    `exact` counts in 7 digits instead of 16, for half the time.
    """
    digits: Any = np.float64 if exact else np.float32

    def work(part: Grid, columns: slice) -> tuple[Floats, ...]:
        seen, at = learned[:, columns], ref[columns]
        log_x = np.log(np.where(seen, part.spend, at) / at).astype(digits)
        told = (np.log(part.maturity) + day_effect[:, np.newaxis]).astype(digits)
        exposed = _log_growths(bank, log_x)
        exposed += told[:, np.newaxis, :]
        sold = np.maximum(part.conversions, 0.0).astype(digits)
        return _run(sold, exposed, seen.astype(digits), np.log(level[columns]).astype(digits))

    done = by_parts(grid, work)
    return Filtered(*(each.astype(np.float64) for each in done))


def _log_growths(bank: Bank, log_x: Floats) -> Floats:
    """(T, M, N) log sales of every curve of the bank relative to its reference."""
    mm = bank.family == FAMILIES.index("mm")
    result = np.empty((log_x.shape[0], bank.u.size, log_x.shape[1]), dtype=log_x.dtype)
    log_x = log_x[:, np.newaxis, :]
    half = np.exp(bank.u[mm])[:, np.newaxis].astype(log_x.dtype)
    result[:, mm] = log_x + np.log((1 + half) / (half + np.exp(log_x)))
    result[:, ~mm] = logistic(bank.u[~mm])[:, np.newaxis].astype(log_x.dtype) * log_x
    return result


def _run(
    sold: Floats, exposed: Floats, seen: Floats, log_level: Floats
) -> tuple[Floats, Floats, Floats]:
    """The filters over the days of some objects: `sold` and `seen` (T, N), `exposed` = log c
    (T, M, N) in; a (Q, N), log b (Q, M, N) and the log likelihood (Q, M, N) out."""
    days, curves, n = exposed.shape
    digits = exposed.dtype
    drift = np.array(DRIFTS, dtype=digits)[:, np.newaxis] ** 2
    a = np.full((drift.size, n), LEVEL_SPREAD**-2, dtype=digits)
    log_b = (np.log(a) - log_level)[:, np.newaxis, :] + np.zeros((1, curves, 1), dtype=digits)
    likelihood = np.zeros_like(log_b)
    shared, surprise = np.zeros_like(a), np.zeros_like(a)
    begun = np.zeros(n, dtype=digits)
    # Written into again each day: at this size a new array costs as much as what is done with it.
    share, ratio, grown = (np.empty_like(log_b) for _ in range(3))
    for day in range(days):
        here = seen[day]
        jump = (np.abs(surprise) > _JUMP_SIGN).astype(digits)
        keep = 1 / (1 + (drift * begun + JUMP**2 * jump) * a)
        a *= keep
        log_b += np.log(keep)[:, np.newaxis, :]
        np.subtract(exposed[day], log_b, out=share)
        np.exp(share, out=ratio)
        expected = a * np.add.reduce(ratio, axis=1) / curves
        noise = DAY_NOISE**2 * expected
        deviation = np.sqrt(expected * (1 + expected / a + noise) + _LEAST_VARIANCE)
        surprise *= 1 - jump
        memory = _JUMP_MEMORY * surprise + (sold[day] - expected) / deviation
        surprise += here * (memory - surprise)
        w = here / (1 + noise)
        wy = w * np.minimum(sold[day], expected + _LARGEST * deviation)
        before, after = _log_gamma(np.stack([a, a + wy]))
        shared += after - before
        a += wy
        ratio *= w[:, np.newaxis, :]
        np.log1p(ratio, out=grown)
        log_b += grown
        share *= wy[:, np.newaxis, :]
        likelihood += share
        grown *= a[:, np.newaxis, :]
        likelihood -= grown
        begun = np.maximum(begun, here)
    return a, log_b, likelihood + shared[:, np.newaxis, :]


def _log_gamma(z: Floats) -> Floats:
    """Stirling's series, without its constant: off by less than 0.003 from z = 1 on."""
    result: Floats = (z - 0.5) * np.log(z) - z
    result += (1 / 12) / z
    return result
