"""The price at which an account would settle: what the last unit of its total returns.

Every campaign's marginal return falls along its curve. With a total B to spend and budgets s
between wide bounds, the best split has one price: the marginal return of all that are not at a
bound. Near an anchor b a curve is a power law, so that a campaign's budget at the price L (a
logarithm) is b exp((lm - L) / curvature); the sum falls in L, and bisection finds it. The power
laws are laid anew at what came out, so that far moves follow the curves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]

_LAYINGS = 3
_HALVINGS = 60
_LEAST_CURVATURE = 0.02


@dataclass(frozen=True)
class Marginals:
    """At `spend` (N,): the log of the expected marginal return, its curvature, and what the whole
    spend returns (in the unit of the returns)."""

    spend: Floats
    log: Floats
    curvature: Floats
    returns: Floats


@dataclass(frozen=True)
class Settled:
    """`price` is a logarithm; `budgets` (N,) major units; `influence` (N,) is how far the price
    follows each campaign's log marginal: it sums to 1, or to 0 where the price is a given one."""

    price: float
    budgets: Floats
    influence: Floats


@dataclass(frozen=True)
class Aim:
    """What is to be reached: at most `total`; at no price below `least_price` (a logarithm); and,
    where given, returns of at least `target` per unit of spend on the whole."""

    total: float
    least_price: float = -np.inf
    target: float | None = None


def settle(
    marginals: Callable[[Floats], Marginals], start: Floats, low: Floats, high: Floats, aim: Aim
) -> Settled:
    """Where the account settles from budgets `start` within `low` and `high`, all (N,), above 0.

    A total that the bounds cannot hold ends at the bounds, with the price nearest to it.
    """
    spend = np.clip(start, low, high)
    price, influence = 0.0, np.zeros(spend.shape)
    for _ in range(_LAYINGS):
        laid = marginals(spend)
        curvature = np.maximum(laid.curvature, _LEAST_CURVATURE)
        price, given = _price(laid, curvature, low, high, aim)
        spend = _budgets(laid, curvature, price, low, high)
        free = (spend > low) & (spend < high)
        pull = np.where(free, spend / curvature, 0.0)
        influence = pull / np.sum(pull) if np.any(free) and not given else np.zeros(spend.shape)
    return Settled(price, spend, influence)


def _budgets(laid: Marginals, curvature: Floats, price: float, low: Floats, high: Floats) -> Floats:
    far = np.clip((laid.log - price) / curvature, -50.0, 50.0)
    result: Floats = np.clip(laid.spend * np.exp(far), low, high)
    return result


def _price(
    laid: Marginals, curvature: Floats, low: Floats, high: Floats, aim: Aim
) -> tuple[float, bool]:
    """The price, and whether it is a given one rather than what the total makes it."""
    cheapest = float(np.min(laid.log - curvature * np.log(high / laid.spend)))
    dearest = float(np.max(laid.log - curvature * np.log(low / laid.spend)))

    def too_much(price: float) -> bool:
        return float(np.sum(_budgets(laid, curvature, price, low, high))) > aim.total

    of_total = _crossing(too_much, cheapest, dearest)
    price = max(of_total, aim.least_price)
    if aim.target is not None:
        target = aim.target

        def too_little(price: float) -> bool:
            spend = _budgets(laid, curvature, price, low, high)
            return _returns(laid, curvature, spend) < target * float(np.sum(spend))

        price = max(price, _crossing(too_little, cheapest, dearest))
    return price, price > of_total


def _crossing(wrong: Callable[[float], bool], low: float, high: float) -> float:
    """The lowest price that is not `wrong`, to 60 halvings; wrong ones are the low ones."""
    if not wrong(low):
        return low
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if wrong(middle):
            low = middle
        else:
            high = middle
    return high


def _returns(laid: Marginals, curvature: Floats, spend: Floats) -> float:
    """What the whole spend returns along the power laws: the integral of the marginal return."""
    log_ratio = np.log(spend / laid.spend)
    bend = 1.0 - curvature
    flat = np.abs(bend) < 1e-9
    grown = np.where(flat, log_ratio, np.expm1(bend * log_ratio) / np.where(flat, 1.0, bend))
    return float(np.sum(laid.returns + np.exp(laid.log) * laid.spend * grown))
