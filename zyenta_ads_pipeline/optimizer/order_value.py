"""What one conversion is worth per campaign, pooled over the account, wary of single huge orders.

A = (sum of v e^(-age/30) + 4 A0) / (sum of y e^(-age/30) + 4), with A0 the account's own mean: a
campaign's orders count against four orders of the account's mean. The logarithm of A is uncertain
with variance 0.45 / (orders + 4), 0.45 being a usual squared variation of single orders' values.
"""

from __future__ import annotations

import math
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from zyenta_ads_pipeline.domain.orders import ORDER_VARIATION
from zyenta_ads_pipeline.optimizer.grid import Grid, by_parts

Floats: TypeAlias = npt.NDArray[np.float64]

_PRIOR_ORDERS = 4.0
_MEMORY_DAYS = 30.0
_WHALE = 6.0
"""Standard deviations above a day's usual revenue from which it counts as a whale order."""
_MEAN_OF_USUAL = math.exp(ORDER_VARIATION / 2)
"""Mean over geometric mean of orders that vary like that."""
_NO_VALUE = 1e-12
"""Stands for an order value of 0, whose logarithm must exist."""


class OrderValue(NamedTuple):
    """Logarithm of the mean value of a conversion and its variance, (N,); `account`: the mean."""

    log: Floats
    variance: Floats
    account: float


def order_value(grid: Grid) -> OrderValue:
    """The value of a conversion of each object of `grid`, in its currency.

    First the usual value, a geometric mean, which a single order cannot carry away; then the mean
    of what is left when no day has more than `_WHALE` standard deviations above the usual.
    """
    memory = _memory(grid.length)

    def usual_sums(part: Grid, _: slice) -> tuple[Floats, ...]:
        orders, value = _sold(part)
        weight = memory * np.where(value > 0, orders, 0.0)
        each = np.log(np.where(weight > 0, value, 1.0) / np.where(weight > 0, orders, 1.0))
        return np.sum(weight * each, axis=0), np.sum(weight, axis=0)

    logs, counted = by_parts(grid, usual_sums)
    if not np.any(counted > 0):
        nothing = np.zeros(len(grid.ids))
        return OrderValue(nothing + math.log(_NO_VALUE), _variance(nothing), _NO_VALUE)
    account = float(np.sum(logs)) / float(np.sum(counted))
    usual = np.exp((logs + _PRIOR_ORDERS * account) / (counted + _PRIOR_ORDERS))

    def tamed_sums(part: Grid, columns: slice) -> tuple[Floats, ...]:
        orders, value = _sold(part)
        most = orders + _WHALE * np.sqrt(ORDER_VARIATION * orders)
        tamed = np.minimum(value, usual[columns] * _MEAN_OF_USUAL * most)
        return np.sum(memory * tamed, axis=0), np.sum(memory * orders, axis=0)

    value, orders = by_parts(grid, tamed_sums)
    mean_value = float(np.sum(value)) / float(np.sum(orders))
    mean = (value + _PRIOR_ORDERS * mean_value) / (orders + _PRIOR_ORDERS)
    return OrderValue(np.log(mean), _variance(orders), mean_value)


def _memory(length: int) -> Floats:
    """(T, 1) weights of the days: the last counts 1."""
    ages = np.arange(length - 1, -1, -1, dtype=np.float64)
    result: Floats = np.exp(-ages / _MEMORY_DAYS)[:, np.newaxis]
    return result


def _sold(part: Grid) -> tuple[Floats, Floats]:
    """Conversions and revenue (T, N); corrections below 0 count as none."""
    orders = np.maximum(part.conversions, 0.0)
    return orders, np.where(orders > 0, np.maximum(part.revenue, 0.0), 0.0)


def _variance(orders: Floats) -> Floats:
    result: Floats = ORDER_VARIATION / (orders + _PRIOR_ORDERS)
    return result
