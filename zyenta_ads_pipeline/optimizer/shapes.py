"""Two families of response curves: sales over spend, both relative to a reference spend.

"mm" saturates (Michaelis and Menten, the Hill curve with exponent 1); "pow" never does. Both have
one shape parameter u on the whole line and are 1 at x = 1, where their elasticity is sigma(u):

    mm:  growth(x) = x (1 + k) / (k + x), k = e^u;  elasticity k / (k + x)
    pow: growth(x) = x ^ sigma(u);                   elasticity sigma(u)

All functions take u and log x as arrays that broadcast and answer in logarithms.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]

FAMILIES = ("mm", "pow")


class Shape(NamedTuple):
    """A curve at one spend. `growth` and `elasticity` are logarithms, the slopes are d/du."""

    growth: Floats
    growth_slope: Floats
    elasticity: Floats
    elasticity_slope: Floats
    curvature: Floats
    """-dlog(marginal)/dlog(spend): how fast the next unit of money returns less."""


def shape(family: str, u: Floats, log_x: Floats) -> Shape:
    """The family's curve of parameter `u` at x = exp(log_x)."""
    if family == "mm":
        return _mm(u, log_x)
    if family == "pow":
        return _pow(u, log_x)
    raise ValueError(f"There is no family of curves {family!r}.")


def growth(family: str, u: Floats, log_x: Floats) -> Floats:
    """Only the logarithm of the growth, for those who draw many."""
    if family == "mm":
        result: Floats = log_x + log1p_exp(-u) - np.logaddexp(0.0, log_x - u)
        return result
    if family == "pow":
        product: Floats = logistic(u) * log_x
        return product
    raise ValueError(f"There is no family of curves {family!r}.")


def logistic(u: Floats) -> Floats:
    """sigma(u), without overflow."""
    result: Floats = 0.5 * (1.0 + np.tanh(0.5 * u))
    return result


def log1p_exp(u: Floats) -> Floats:
    """log(1 + e^u), without overflow."""
    result: Floats = np.logaddexp(0.0, u)
    return result


def _mm(u: Floats, log_x: Floats) -> Shape:
    # With v = u - log x the elasticity at x is sigma(v): the same curve, seen from x.
    seen_from_x = u - log_x
    here, there = logistic(u), logistic(seen_from_x)
    return Shape(
        growth=log_x + log1p_exp(-u) - log1p_exp(-seen_from_x),
        growth_slope=here - there,
        elasticity=-log1p_exp(-seen_from_x),
        elasticity_slope=1.0 - there,
        curvature=2.0 * (1.0 - there),
    )


def _pow(u: Floats, log_x: Floats) -> Shape:
    here = logistic(u)
    return Shape(
        growth=here * log_x,
        growth_slope=here * (1.0 - here) * log_x,
        elasticity=-log1p_exp(-u) + np.zeros_like(log_x),
        elasticity_slope=1.0 - here + np.zeros_like(log_x),
        curvature=1.0 - here + np.zeros_like(log_x),
    )
