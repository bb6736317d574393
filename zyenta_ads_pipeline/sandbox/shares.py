"""Cutting whole numbers into parts that add up: largest remainder, for one number or a table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
_EXACT_FLOAT = 2**50
_WEIGHT_UNIT = 2**40


def parts_of(value: int, weights: Sequence[float]) -> list[int]:
    """A number from 0 on, of any size, in parts as the weights say; they add up to it."""
    whole = [int(weight * _WEIGHT_UNIT) for weight in weights]
    total = sum(whole)
    if not total:
        whole, total = [1] + [0] * (len(weights) - 1), 1
    parts = [value * weight // total for weight in whole]
    order = sorted(range(len(whole)), key=lambda i: (-(value * whole[i] % total), i))
    for index in order[: value - sum(parts)]:
        parts[index] += 1
    return parts


def table_of_parts(values: Ints, weights: Floats) -> Ints:
    """Each of `values` (n, from 0 on) in parts (n by k) by its row of `weights` (n by k).

    A part of weight 0 gets nothing; in a row without any weight the first gets all.
    """
    totals = weights.sum(axis=1, keepdims=True)
    empty = totals[:, 0] <= 0
    if empty.any():
        weights = weights.copy()
        weights[empty, 0] = 1.0
        totals = weights.sum(axis=1, keepdims=True)
    quotas = values[:, None] * (weights / totals)
    parts: Ints = np.floor(quotas).astype(np.int64)
    order = np.argsort(parts - quotas, axis=1, kind="stable")
    rest = values - parts.sum(axis=1)
    extra = (np.arange(weights.shape[1])[None, :] < rest[:, None]).astype(np.int64)
    given = np.empty_like(extra)
    np.put_along_axis(given, order, extra, axis=1)
    parts += given
    # Beyond 2**50 the quotas are no longer exact to the unit.
    for row in np.flatnonzero((values >= _EXACT_FLOAT) | (parts.sum(axis=1) != values)):
        parts[row] = parts_of(int(values[row]), weights[row].tolist())
    return parts
