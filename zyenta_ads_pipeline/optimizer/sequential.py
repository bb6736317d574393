"""Tests that may be looked at at any time: the bounds, and the evidence of a mixture.

A test that is looked at again and again finds a difference in the end, were there none: each look
is another chance to be wrong. Two ways keep the chance of being wrong over all looks together:

- a horizon is declared and the bound is wide at first (O'Brien and Fleming 1979): at the share t of
  the information, |z| must reach c / sqrt(t). z * sqrt(t) is then a Brownian motion that must leave
  (-c, c) before t = 1, so c follows from the law of its largest excursion, whether one looks daily,
  hourly or without pause;
- no horizon: the likelihood ratio of "some effect, normal with sd tau" to "none" is a martingale
  where there is none, so it ever reaches 1 / alpha with probability alpha at most (Ville; Robbins
  1970).
"""

from __future__ import annotations

import math
from functools import cache
from statistics import NormalDist
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from zyenta_ads_pipeline.domain.errors import InputError

Floats: TypeAlias = npt.NDArray[np.float64]

NORMAL = NormalDist()
_LARGEST_EXPONENT = 600.0
_TERMS = 40
"""Of a series whose terms fall like exp(-n^2)."""


def check_alpha(alpha: float) -> None:
    """Raises `InputError` for a probability of error that is none."""
    if not 0 < alpha < 0.5:
        raise InputError(
            f"A probability of error of {alpha} cannot be used.", "Give one between 0 and 0.5."
        )


@cache
def bound_of(alpha: float) -> float:
    """c: a Brownian motion leaves (-c, c) before time 1 with probability `alpha`.

    P(stays) = 4/pi * sum (-1)^k / (2k+1) * exp(-pi^2 (2k+1)^2 / (8 c^2)); 2.241 for 0.05.
    """
    check_alpha(alpha)
    low, high = 0.5, 12.0
    while high - low > 1e-12:
        middle = (low + high) / 2
        low, high = (middle, high) if _leaves(middle) > alpha else (low, middle)
    return (low + high) / 2


def normal_of_t(value: Floats, freedom: Floats) -> Floats:
    """The normal deviate as rare as `value` is under Student's t with `freedom` degrees.

    Wallace (1959): (8n+1)/(8n+3) * sqrt(n log(1 + t^2/n)), right to 0.02 where n is 5 or more.
    """
    rare = np.sqrt(freedom * np.log1p(value**2 / freedom))
    return np.asarray(np.sign(value) * (8 * freedom + 1) / (8 * freedom + 3) * rare)


def t_of_normal(value: Floats, freedom: Floats) -> Floats:
    """The other way round: the t that is as rare as the normal deviate `value`. May be infinite."""
    scaled = np.abs(value) * (8 * freedom + 3) / (8 * freedom + 1)
    exponent = np.minimum(scaled**2 / freedom, _LARGEST_EXPONENT)
    rare = np.sqrt(freedom * np.expm1(exponent))
    rare = np.where(exponent < _LARGEST_EXPONENT, rare, np.inf)
    return np.asarray(np.sign(value) * rare)


def log_evidence(estimate: Floats, variance: Floats, spread: float) -> Floats:
    """Logarithm of the mixture's evidence that an estimate with this variance is not of a zero:

    log(sqrt(v / (v + tau^2))) + tau^2 d^2 / (2 v (v + tau^2)), with tau = `spread`.
    """
    wide = variance + spread**2
    return np.asarray(
        0.5 * np.log(variance / wide) + spread**2 * estimate**2 / (2 * variance * wide)
    )


def log_evidence_of_fall(estimate: Floats, variance: Floats, spread: float) -> Floats:
    """The same against zero or more: the mixture's effects are all below zero (half normal)."""
    wide = variance + spread**2
    deviate = -estimate * spread / np.sqrt(variance * wide)
    return np.asarray(log_evidence(estimate, variance, spread) + math.log(2) + _log_cdf(deviate))


def evidence_reach(variance: Floats, spread: float, alpha: float) -> Floats:
    """How far from zero an estimate must be for its evidence to reach 1 / `alpha`."""
    check_alpha(alpha)
    wide = variance + spread**2
    return np.asarray(
        np.sqrt(2 * variance * wide / spread**2 * (0.5 * np.log(wide / variance) - np.log(alpha)))
    )


def probability(deviate: float) -> float:
    """P(a standard normal is below `deviate`)."""
    return NORMAL.cdf(deviate)


def deviate_of(share: float) -> float:
    """The standard normal's quantile."""
    return NORMAL.inv_cdf(share)


def _leaves(reach: float) -> float:
    odd = [2 * k + 1 for k in range(_TERMS)]
    terms = [math.exp(-((math.pi * n / reach) ** 2) / 8) / n for n in odd]
    return 1 - 4 / math.pi * (sum(terms[::2]) - sum(terms[1::2]))


def _log_cdf(deviate: Floats) -> Floats:
    """log P(normal < deviate); below -30 its leading term, where the number itself is 0."""
    flat = np.ravel(deviate)
    logs = [
        math.log(0.5 * math.erfc(-each / math.sqrt(2)))
        if each > -30
        else -each * each / 2 - math.log(-each * math.sqrt(2 * math.pi))
        for each in flat.tolist()
    ]
    return np.asarray(logs, dtype=np.float64).reshape(np.shape(deviate))
