"""One pair of arms of a creative test: the data they share, and whether that tells them apart."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple

import numpy as np
import polars as pl

from zyenta_ads_pipeline.optimizer.ab_plan import CreativeTest, Metric
from zyenta_ads_pipeline.optimizer.arms import (
    Arm,
    Evidence,
    Flags,
    Floats,
    by_conversions,
    by_revenue,
    information_share,
)
from zyenta_ads_pipeline.optimizer.sequential import (
    bound_of,
    evidence_reach,
    normal_of_t,
    probability,
    t_of_normal,
)

SPREAD = 0.25
"""Of the lifts that an open test looks for, in logs: most lifts of creatives are below 30 %."""
_OPEN_LIMIT = 365
_LEAST_SHARE = 1e-4
_UNBOUNDED = math.log(1000.0)
"""A bound of the lift beyond a factor of 1,000 is none."""


class Sums(NamedTuple):
    """What one arm came to; amounts in major units."""

    impressions: float
    conversions: float
    revenue: float
    spend: float


class Together(NamedTuple):
    """Two arms on the days until the last that they share; arrays (T,)."""

    first: Arm
    other: Arm
    complete: Flags
    maturity: Floats


@dataclass(frozen=True)
class Series:
    """A test's days as arrays (arms, T), from its first day to the last with rows, gaps zero."""

    impressions: Floats
    conversions: Floats
    revenue: Floats
    spend: Floats
    maturity: Floats
    """(T,) of the arms together."""
    complete: Flags
    """(T,)"""

    @staticmethod
    def of(rows: pl.DataFrame, arms: Sequence[str], started: date, day: date) -> Series:
        """`rows` of the test's arms from `started` on; complete are the days up to `day`."""
        length = max([(last - started).days for last in rows["date"].to_list()] + [-1]) + 1
        place = {arm: number for number, arm in enumerate(arms)}
        arm = np.asarray([place[each] for each in rows["arm"].to_list()], dtype=np.intp)
        at = np.asarray([(each - started).days for each in rows["date"].to_list()], dtype=np.intp)

        def laid_out(name: str) -> Floats:
            grid = np.zeros((len(arms), length))
            grid[arm, at] = rows[name].cast(pl.Float64).to_numpy()
            return grid

        impressions, share = laid_out("impressions"), laid_out("maturity")
        shown = impressions.sum(0)
        mature = (impressions * share).sum(0) / np.where(shown > 0, shown, 1.0)
        complete = np.arange(length) <= (day - started).days
        return Series(
            impressions,
            laid_out("conversions"),
            laid_out("revenue"),
            laid_out("spend"),
            mature,
            complete,
        )

    def between(self, one: int, two: int) -> Together:
        """Two arms until the last day on which both were shown."""
        shared = np.flatnonzero((self.impressions[one] > 0) & (self.impressions[two] > 0))
        until = int(shared[-1]) + 1 if shared.size else 0
        first, other = (
            Arm(
                self.impressions[arm, :until],
                self.conversions[arm, :until],
                self.revenue[arm, :until],
            )
            for arm in (one, two)
        )
        return Together(first, other, self.complete[:until], self.maturity[:until])

    def sums(self, arm: int) -> Sums:
        """What an arm came to in the test."""
        parts = (self.impressions, self.conversions, self.revenue, self.spend)
        return Sums(*(float(part[arm].sum()) for part in parts))


@dataclass(frozen=True)
class Pair:
    """How one arm stands to another.

    `log_ratio` is of its rate to the other's; `reach` is how far that must be from zero, at this
    look, for the two to be surely different. `exposure` says what is
    still missing of the least exposure, in words; empty where nothing is.
    """

    log_ratio: float
    reach: float
    deviate: float
    """`log_ratio` as a standard normal deviate, were there no difference."""
    known: bool
    """Whether both were shown and one of them sold at all."""
    exposure: str
    looked: bool
    """Whether the first look has come."""
    days_needed: int | None

    @property
    def sure(self) -> bool:
        """Whether the two are told apart."""
        enough = self.known and self.looked and not self.exposure
        return enough and abs(self.log_ratio) >= self.reach

    @property
    def probability_better(self) -> float:
        """That its rate is the higher one, by this look alone."""
        return probability(self.deviate)

    @property
    def lift_low(self) -> float | None:
        """The least lift at all looks together."""
        return _lift(self.log_ratio - self.reach) if self.known else None

    @property
    def lift_high(self) -> float | None:
        """The largest lift at all looks together."""
        return _lift(self.log_ratio + self.reach) if self.known else None

    def turned(self) -> Pair:
        """The other arm against this one."""
        return replace(self, log_ratio=-self.log_ratio, deviate=-self.deviate)


class Look(NamedTuple):
    """What one look at a pair sees; arrays (...), of one test or of many simulated ones."""

    evidence: Evidence
    deviate: Floats
    """The log ratio as a standard normal deviate, were there no difference."""
    bound: Floats
    """What the deviate's size must reach for the two to be surely different."""
    share: Floats
    """Of a declared horizon's information; 0 for an open test."""


def look(test: CreativeTest, together: Together) -> Look:
    """The other arm of a pair beside the first, with what is known now."""
    first, other, complete, maturity = together
    revenue = test.metric is Metric.REVENUE_PER_IMPRESSION
    compared: Callable[[Arm, Arm, Flags], Evidence] = by_revenue if revenue else by_conversions
    found = compared(first, other, complete)
    error = np.sqrt(found.variance)
    deviate = normal_of_t(found.log_ratio / error, found.freedom)
    if test.horizon_days is None:
        bound = evidence_reach(found.variance, SPREAD, test.pair_alpha) / error
        return Look(found, deviate, bound, np.zeros_like(error))
    share = information_share(first, other, complete, maturity, test.horizon_days)
    root = np.sqrt(np.maximum(share, _LEAST_SHARE))
    return Look(found, deviate, bound_of(test.pair_alpha) / root, share)


def pair_of(test: CreativeTest, together: Together, passed: int) -> Pair:
    """How the other arm of a pair stands to the first. `passed`: whole days of the test so far."""
    first, other = together.first, together.other
    sold = float(first.conversions.sum() + other.conversions.sum())
    fewest = float(min(first.impressions.sum(), other.impressions.sum()))
    missing = []
    if fewest < test.minimum_impressions:
        missing.append(f"{fewest:,.0f} of {test.minimum_impressions:,} impressions")
    if sold < test.minimum_conversions:
        missing.append(f"{sold:,.0f} of {test.minimum_conversions:,} conversions")
    known = fewest > 0 and sold > 0
    seen = look(test, together)
    error = float(np.sqrt(seen.evidence.variance))
    return Pair(
        log_ratio=float(seen.evidence.log_ratio),
        reach=float(t_of_normal(seen.bound, seen.evidence.freedom)) * error,
        deviate=float(seen.deviate),
        known=known,
        exposure=" and ".join(missing),
        looked=passed >= test.first_look_days,
        days_needed=_days_needed(test, seen, error, passed) if known else None,
    )


def _days_needed(test: CreativeTest, seen: Look, error: float, passed: int) -> int | None:
    """More days until a lead that stays as it is decides."""
    deviate = abs(float(seen.deviate))
    if test.horizon_days is None:
        ahead = _days_of_an_open_test(deviate * error, error, passed, test.pair_alpha)
    else:
        bound = bound_of(test.pair_alpha)
        ahead = _days_of_a_horizon(deviate, float(seen.share), bound, passed, test.horizon_days)
    return None if ahead is None else max(ahead, test.first_look_days - passed, 1)


def _days_of_a_horizon(
    deviate: float, share: float, bound: float, passed: int, horizon: int
) -> int | None:
    """More days until a lead that stays as it is reaches the bound: its deviate grows with the root
    of the share t, which the bound falls with, so t = bound sqrt(t now) / deviate now."""
    if deviate * math.sqrt(share) <= 0:
        return None
    decided = bound * math.sqrt(share) / deviate
    if decided > 1:
        return None
    per_day = share / passed if passed else math.inf
    return max(min(math.ceil((decided - share) / per_day), horizon - passed), 0)


def _days_of_an_open_test(distance: float, error: float, passed: int, alpha: float) -> int | None:
    """More days until the evidence of a lead that stays as it is suffices, the variance falling
    with the days; None where a year more would not do."""
    if not passed or distance <= 0:
        return None
    for ahead in range(_OPEN_LIMIT + 1):
        variance = np.asarray(error**2 * passed / (passed + ahead))
        if distance >= float(evidence_reach(variance, SPREAD, alpha)):
            return ahead
    return None


def _lift(log_ratio: float) -> float | None:
    return math.expm1(log_ratio) if abs(log_ratio) < _UNBOUNDED else None
