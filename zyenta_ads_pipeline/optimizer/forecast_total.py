"""The forecast of a whole account from those of its objects."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import polars as pl

COMMON = 0.05
"""Standard deviation of what all objects share and no curve knows: the shop's weeks, as a share.

Measured on benchmark accounts led for weeks (benchmarks/forecasts.py); without it the sum of many
objects would look far surer than it is.
"""

_BANDS = (("", 0.80), ("95", 0.95))


def together(rows: pl.DataFrame) -> pl.DataFrame:
    """One row: spend, purchases and value of all objects with their intervals, from the rows of
    `forecast`; the names of its columns are kept. Objects err each on their own and all together by
    `COMMON`; the sum is taken for normal, and its bounds are never below 0. Zero without rows.
    """
    answer: dict[str, float] = {"spend": float(rows["spend"].sum())}
    for name in ("purchases", "value"):
        mean = float(rows[name].sum())
        answer[name] = mean
        for suffix, level in _BANDS:
            z = NormalDist().inv_cdf((1 + level) / 2)
            apart = (rows[f"{name}_high{suffix}"] - rows[f"{name}_low{suffix}"]).to_numpy()
            own = float(np.sum((apart / (2 * z)) ** 2))
            reach = z * float(np.sqrt(own + (COMMON * mean) ** 2))
            answer[f"{name}_low{suffix}"] = max(mean - reach, 0.0)
            answer[f"{name}_high{suffix}"] = mean + reach
    return pl.DataFrame([answer])
