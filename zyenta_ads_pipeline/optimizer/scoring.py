"""How good stated probabilities and intervals turned out to be: pure scores of arrays.

Brier score (Brier 1950), expected calibration error over equal bins (Naeini et al. 2015), and the
coverage and error of forecasts. What came true may be a probability itself, where it is only known
up to that: then the scores are what is to be expected.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from zyenta_ads_pipeline.domain.errors import InputError

Floats: TypeAlias = npt.NDArray[np.float64]

BINS = 10
"""Equal bins of stated probabilities from 0 to 1; a confidence fills the upper five."""
RELIABILITY = {"stated": pl.Float64, "right": pl.Float64, "count": pl.Int64}


class ForecastScore(NamedTuple):
    """How forecasts did. Shares of 1; NaN without a forecast.

    `weeks` counts them. `bias` is what was expected of all together, against what came: +0.1 is
    10 % too much. `error` is the median of |expected - came| / expected.
    """

    weeks: int
    covered80: float
    covered95: float
    bias: float
    error: float


def brier(stated: Floats, right: Floats) -> float:
    """The mean of (stated - outcome)²; NaN of none. 0.25 is what a coin's 50 % scores.

    Where `right` is only known as a probability, it is the score expected over both outcomes.
    """
    stated, right = _pairs(stated, right)
    score = (stated - right) ** 2 + right * (1 - right)
    return float(np.mean(score)) if stated.size else float("nan")


def reliability(stated: Floats, right: Floats) -> pl.DataFrame:
    """Per bin that is not empty: the mean of `stated`, the share that came true, and the count.

    Both are arrays (M,) from 0 to 1; `InputError` for anything else. Bins are ordered.
    """
    stated, right = _pairs(stated, right)
    bins = np.minimum((stated * BINS).astype(np.int64), BINS - 1)
    counts = np.bincount(bins, minlength=BINS)
    filled = counts > 0
    return pl.DataFrame(
        {
            "stated": np.bincount(bins, stated, BINS)[filled] / counts[filled],
            "right": np.bincount(bins, right, BINS)[filled] / counts[filled],
            "count": counts[filled],
        },
        schema=RELIABILITY,
    )


def calibration_error(stated: Floats, right: Floats) -> float:
    """Expected calibration error: the mean over all of |stated - right| of their bins; NaN of
    none."""
    bins = reliability(stated, right)
    if bins.is_empty():
        return float("nan")
    gap = (pl.col("stated") - pl.col("right")).abs()
    total = bins.select((gap * pl.col("count")).sum() / pl.col("count").sum())
    return float(total.item())


def forecast_score(
    came: Floats, expected: Floats, within80: tuple[Floats, Floats], within95: tuple[Floats, Floats]
) -> ForecastScore:
    """How M forecasts did; arrays (M,) in one unit, intervals as (low, high), ends included."""
    if not came.size:
        return ForecastScore(0, *(float("nan"),) * 4)
    known = expected > 0
    errors = np.abs(expected[known] - came[known]) / expected[known]
    total = float(np.sum(came))
    return ForecastScore(
        weeks=int(came.size),
        covered80=_covered(came, *within80),
        covered95=_covered(came, *within95),
        bias=float(np.sum(expected)) / total - 1 if total > 0 else float("nan"),
        error=float(np.median(errors)) if errors.size else float("nan"),
    )


def _covered(came: Floats, low: Floats, high: Floats) -> float:
    return float(np.mean((came >= low) & (came <= high)))


def _pairs(stated: Floats, right: Floats) -> tuple[Floats, Floats]:
    stated, right = np.asarray(stated, dtype=np.float64), np.asarray(right, dtype=np.float64)
    both = np.concatenate([stated, right])
    if stated.shape != right.shape or not np.all((both >= 0) & (both <= 1)):
        raise InputError(
            "Probabilities cannot be scored that are not between 0 and 1, each with its outcome.",
            "Leave out what is not known.",
        )
    return stated, right
