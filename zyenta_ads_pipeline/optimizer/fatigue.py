"""Creative fatigue: whether a creative's rate has fallen since its first days, told without haste.

At the end of each day the rate of all days since some day is held against the rate of the days
before it, for a change after each whole week of the creative's life. Of each such fall the evidence
is a mixture's (`sequential`), which on a creative that never tires ever reaches 1 / alpha with
probability alpha at most; so does their weighted sum. Looked at daily, for as long as it runs, a
creative that has not tired is called tired with probability alpha at most.

What the account's other creatives had on the same days is taken out first: a quiet week is no
fatigue. Days that scatter more than counts do are allowed for.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.optimizer.sequential import (
    check_alpha,
    log_evidence_of_fall,
    normal_of_t,
    t_of_normal,
)

Floats: TypeAlias = npt.NDArray[np.float64]

CREATIVE_DAYS: Mapping[str, Any] = MappingProxyType(
    {
        "creative_id": pl.String,
        "date": pl.Date,
        "impressions": pl.Int64,
        "clicks": pl.Int64,
        "conversions": pl.Float64,
        "maturity": pl.Float64,
    }
)
"""One row per creative and day with delivery, the account's own days; `conversions` as reported so
far, and `maturity` (0 to 1] the share of them expected to be reported."""

SPREAD = 0.5
"""Of the falls looked for, in logs."""
LEAST_FALL = 0.15
"""A smaller fall is nobody's reason to make a new creative."""

_WEEK = 7
_LEAST_AFTER = 3
"""Days after a change before it is judged."""
_LEAST_COUNT = 10.0
"""Conversions, or clicks, before a change."""
_DOUBT = 40.0
"""Conversions that the other creatives' common factor of a day is doubted by."""
_PRIOR_DAYS = 1.5
_Z80 = 1.2815515655446004


class Outcome(StrEnum):
    """What is counted per impression."""

    CLICKS = "clicks"
    CONVERSIONS = "conversions"


def fatigue(
    days: pl.DataFrame, day: date, *, outcome: Outcome = Outcome.CONVERSIONS, alpha: float = 0.05
) -> pl.DataFrame:
    """Whether each creative has tired by the end of `day`; days after it do not count.

    `days` has the columns of `CREATIVE_DAYS`, of one account's creatives, in any order. One row per
    creative in the order of the ids: creative_id, tired, since (the first day of the lower rate, as
    best told), fall (0.3: 30 % less than before it), fall_low and fall_high (80 %), evidence
    (1 / alpha or more: tired) and reason, in words. What there is too little for is null.
    Raises `InputError` for a day given twice or a number that cannot be.
    """
    check_alpha(alpha)
    rows = _checked(days).filter(pl.col("date") <= day)
    ids = rows["creative_id"].unique().sort().to_list()
    if not ids:
        return pl.DataFrame(schema=_ANSWER)
    counted, exposed, first = _by_age(rows, ids, outcome)
    falls = _falls(counted, exposed)
    log_sum = np.logaddexp.reduce(falls.log_evidence, axis=0)
    best = np.argmax(falls.log_evidence, axis=0)
    each = np.arange(len(ids))
    known = np.isfinite(log_sum)
    ratio, reach = falls.log_ratio[best, each], falls.reach[best, each]
    tired = known & (log_sum >= -np.log(alpha)) & (ratio <= np.log1p(-LEAST_FALL))
    answer: list[dict[str, object]] = []
    for number, creative in enumerate(ids):
        row: dict[str, object] = {"creative_id": creative, "tired": bool(tired[number])}
        if known[number]:
            lost, low, high = (
                -float(np.expm1(ratio[number] + shift * reach[number])) for shift in (0, 1, -1)
            )
            age = (int(best[number]) + 1) * _WEEK
            since = first[number] + timedelta(days=age)
            row |= {"since": since, "fall": lost, "fall_low": low, "fall_high": high}
            row["evidence"] = float(np.exp(min(log_sum[number], 700.0)))
        row["reason"] = _reason(row, outcome, alpha)
        answer.append(row)
    return pl.DataFrame(answer, schema=_ANSWER)


_ANSWER: Mapping[str, Any] = {
    "creative_id": pl.String,
    "tired": pl.Boolean,
    "since": pl.Date,
    "fall": pl.Float64,
    "fall_low": pl.Float64,
    "fall_high": pl.Float64,
    "evidence": pl.Float64,
    "reason": pl.String,
}


class Falls(NamedTuple):
    """Of a change after each whole week (K, N); -inf evidence where it cannot be told yet."""

    log_ratio: Floats
    """Rate after over rate before."""
    reach: Floats
    """Of its 80 % interval, either way."""
    log_evidence: Floats
    """Its share of the sum of all weeks'."""


def _falls(counted: Floats, exposed: Floats) -> Falls:
    """`counted` and `exposed` (N, T) by the creative's age, 0 on days without delivery."""
    weeks = np.arange(_WEEK, max(counted.shape[1], _WEEK + 1), _WEEK)
    shown = (exposed > 0).astype(np.float64)
    safe = np.where(exposed > 0, exposed, 1.0)
    before, after = zip(
        *(_split(part, weeks) for part in (counted, exposed, shown, counted**2 / safe)),
        strict=True,
    )
    log_ratio = _log_rate(after) - _log_rate(before)
    statistic = _scatter(before) + _scatter(after)
    freedom = np.maximum(before[2] + after[2] - 2, 0) + _PRIOR_DAYS
    dispersion = np.maximum((statistic + _PRIOR_DAYS) / freedom, 1.0)
    variance = dispersion * (1 / (before[0] + 0.5) + 1 / (after[0] + 0.5))
    error = np.sqrt(variance)
    deviate = normal_of_t(log_ratio / error, freedom)
    place = np.arange(1, weeks.size + 1)[:, None]
    evidence = log_evidence_of_fall(deviate * error, variance, SPREAD) - np.log(place * (place + 1))
    told = (before[0] >= _LEAST_COUNT) & (after[2] >= _LEAST_AFTER)
    reach = t_of_normal(np.full_like(error, _Z80), freedom) * error
    return Falls(log_ratio, reach, np.where(told, evidence, -np.inf))


def _split(amounts: Floats, weeks: npt.NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Sums before and from each of `weeks` on, (K, N)."""
    until = np.cumsum(amounts, axis=1).T.astype(np.float64)
    before = until[np.minimum(weeks, until.shape[0]) - 1]
    return np.maximum(before, 0.0), np.maximum(until[-1] - before, 0.0)


def _log_rate(part: tuple[Floats, ...]) -> Floats:
    result: Floats = np.log((part[0] + 0.5) / np.maximum(part[1], 1e-300))
    return result


def _scatter(part: tuple[Floats, ...]) -> Floats:
    """Pearson's statistic of the days around their common rate: sum of (y - x r)^2 / (x r)."""
    counted, exposed, _, squares = part
    some = (counted > 0) & (exposed > 0)
    rate = np.where(some, counted, 1.0) / np.where(some, exposed, 1.0)
    return np.where(some, np.maximum(squares / rate - counted, 0.0), 0.0)


def _by_age(
    rows: pl.DataFrame, ids: list[str], outcome: Outcome
) -> tuple[Floats, Floats, list[date]]:
    """What each creative had, and its exposure, by days since its first (N, T); the first days."""
    start = min(rows["date"].to_list())
    place = {creative: number for number, creative in enumerate(ids)}
    at = np.asarray([place[each] for each in rows["creative_id"].to_list()], dtype=np.intp)
    when = (rows["date"] - start).dt.total_days().to_numpy()
    shape = (len(ids), int(when.max()) + 1)
    counted, exposed = np.zeros(shape), np.zeros(shape)
    counted[at, when] = rows[outcome.value].cast(pl.Float64).to_numpy()
    share = rows["maturity"].to_numpy() if outcome is Outcome.CONVERSIONS else 1.0
    exposed[at, when] = rows["impressions"].cast(pl.Float64).to_numpy() * share
    exposed *= _common(counted, exposed)
    delivered = exposed > 0
    begun = np.where(delivered.any(1), delivered.argmax(1), 0)
    aged = np.arange(shape[1]) + begun[:, None]
    inside = aged < shape[1]
    aged = np.minimum(aged, shape[1] - 1)

    def laid(amounts: Floats) -> Floats:
        return np.where(inside, np.take_along_axis(amounts, aged, 1), 0.0)

    first = [start + timedelta(days=int(each)) for each in begun]
    return laid(counted), laid(exposed), first


def _common(counted: Floats, exposed: Floats) -> Floats:
    """(N, T): how much better each day was for all the other creatives than it is in the mean."""
    total = exposed.sum(1, keepdims=True)
    rate = np.maximum(counted.sum(1, keepdims=True), 0.0) / np.where(total > 0, total, 1.0)
    usual = rate * exposed
    others = np.maximum(counted.sum(0) - counted, 0.0)
    result: Floats = (others + _DOUBT) / (np.maximum(usual.sum(0) - usual, 0.0) + _DOUBT)
    return result


def _reason(row: Mapping[str, object], outcome: Outcome, alpha: float) -> str:
    if row.get("fall") is None:
        return (
            f"Too little to go by: it takes a week with {_LEAST_COUNT:.0f} {outcome.value} and "
            f"{_LEAST_AFTER} days after it."
        )
    fall, since = float(str(row["fall"])), row["since"]
    interval = f"{float(str(row['fall_low'])):.0%} to {float(str(row['fall_high'])):.0%}"
    if row["tired"]:
        return (
            f"It has tired: {fall:.0%} fewer {outcome.value} per impression since {since} than "
            f"before ({interval}, 80 %), beyond what chance does once in {1 / alpha:.0f} creatives."
        )
    change = f"{abs(fall):.0%} {'fewer' if fall > 0 else 'more'}"
    return (
        f"It has not surely tired: {change} {outcome.value} per impression since {since} than "
        f"before ({interval} fewer, 80 %)."
    )


def _checked(days: pl.DataFrame) -> pl.DataFrame:
    if missing := [name for name in CREATIVE_DAYS if name not in days.columns]:
        raise InputError(
            f"The creatives' days lack the columns {', '.join(missing)}.",
            "Give every column of the schema.",
        )
    rows = days.select(pl.col(name).cast(kind) for name, kind in CREATIVE_DAYS.items())
    numbers = ("impressions", "clicks", "conversions", "maturity")
    wrong = {
        "a day of a creative twice": pl.struct("creative_id", "date").is_duplicated(),
        "a number that is missing or not finite": pl.any_horizontal(
            pl.col(name).is_null() | ~pl.col(name).cast(pl.Float64).is_finite() for name in numbers
        ),
        "negative impressions or clicks": (pl.col("impressions") < 0) | (pl.col("clicks") < 0),
        "a maturity that is not above 0 and at most 1": ~(
            (pl.col("maturity") > 0) & (pl.col("maturity") <= 1)
        ),
    }
    for what, is_wrong in wrong.items():
        found = rows.filter(is_wrong.fill_null(value=True))
        if found.height:
            raise InputError(
                f"The creatives' days hold {what}: {found['creative_id'][0]}, {found['date'][0]}.",
                "Sync the account again; if it persists, `zyenta sql` shows the rows.",
            )
    return rows.sort("creative_id", "date")
