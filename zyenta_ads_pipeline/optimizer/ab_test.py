"""Creative tests: which arm sells more per impression, decided so that looking early does no harm.

A test is declared before it starts: its arms, what counts, how long, and how often it may be wrong.
It may then be looked at every hour. An arm is a LOSER once another is surely better, and the WINNER
once it is the only one left; what cannot be told apart in the days declared stays so, which is an
answer too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import combinations
from types import MappingProxyType
from typing import Any

import polars as pl

from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.optimizer.ab_pairs import Pair, Series, pair_of
from zyenta_ads_pipeline.optimizer.ab_plan import CreativeTest, Metric
from zyenta_ads_pipeline.optimizer.ab_words import Told, reason_of

ARM_DAYS: Mapping[str, Any] = MappingProxyType(
    {
        "arm": pl.String,
        "date": pl.Date,
        "impressions": pl.Int64,
        "conversions": pl.Float64,
        "revenue": pl.Float64,
        "spend": pl.Float64,
        "maturity": pl.Float64,
    }
)
"""One row per arm and day with delivery, the account's own days. `conversions`, `revenue` and
`spend` (major units) as reported so far; `maturity` (0 to 1] is the share of conversions expected
to be reported. The day under way may be among them with what it has so far."""


class Standing(StrEnum):
    """Where an arm stands in its test."""

    TESTING = "testing"
    WINNER = "winner"
    LOSER = "loser"
    NO_DIFFERENCE = "no_difference"
    """The test is over, and this arm was found neither better nor worse."""


@dataclass(frozen=True)
class Verdict:
    """What is known of one arm. Numbers are None where there is nothing to tell them from.

    `rate` is conversions, or revenue in major units, per impression. `lift` is its rate over that
    of `against`, less 1, compared day by day; `lift_low` and `lift_high` hold it with probability
    1 - alpha at all looks together (None: not bounded on that side yet). `probability_better` is
    of this look alone: good to read, and nothing is decided by it. `days_needed` is how many more
    days decide, should the lead stay as it is; None where the rest of the test would not.
    """

    arm: str
    standing: Standing
    reason: str
    impressions: int
    conversions: float
    revenue: float
    spend: float
    rate: float | None = None
    against: str | None = None
    lift: float | None = None
    lift_low: float | None = None
    lift_high: float | None = None
    probability_better: float | None = None
    days_needed: int | None = None


def verdicts(test: CreativeTest, days: pl.DataFrame, day: date) -> tuple[Verdict, ...]:
    """A verdict on each arm, in the order of `test.arms`.

    `days` has the columns of `ARM_DAYS`, in any order; `day` is the account's last complete day,
    and later rows are the day under way. Days before the test's first or after its last do not
    count. Raises `InputError` for an arm that is none of the test's, a day given twice, or a
    number that cannot be.
    """
    series = _series(test, days, day)
    passed = max((min(day, test.last_day or day) - test.started).days + 1, 0)
    pairs = {
        (one, two): pair_of(test, series.between(one, two), passed)
        for one, two in combinations(range(len(test.arms)), 2)
        if test.incumbent is None or test.arms.index(test.incumbent) in (one, two)
    }
    table = _Table(test, pairs)
    over = test.last_day is not None and day >= test.last_day
    standings = table.standings(over=over)
    return tuple(
        _verdict(test, series, table, number, standings, passed) for number in range(len(test.arms))
    )


@dataclass(frozen=True)
class _Table:
    """Who was compared with whom: every arm with every other, or with the incumbent alone."""

    test: CreativeTest
    pairs: Mapping[tuple[int, int], Pair]

    def compared(self, arm: int, against: int) -> Pair:
        """How `arm` stands to `against`, of those that were compared."""
        if (against, arm) in self.pairs:
            return self.pairs[against, arm]
        return self.pairs[arm, against].turned()

    def opponents(self, arm: int) -> list[int]:
        """Those that `arm` was compared with."""
        return [two if arm == one else one for one, two in self.pairs if arm in (one, two)]

    def beats(self, arm: int, other: int) -> bool:
        """Whether `arm` is surely better than `other`."""
        pair = self.compared(arm, other)
        return pair.sure and pair.log_ratio > 0

    def lead(self, arm: int) -> float:
        """By how much it leads those it was compared with in the mean, in logs."""
        leads = [self.compared(arm, other).log_ratio for other in self.opponents(arm)]
        return sum(leads) / len(leads)

    def standings(self, *, over: bool) -> tuple[Standing, ...]:
        incumbent = self.test.incumbent
        if incumbent is None:
            return self._between_equals(over=over)
        return self._against(self.test.arms.index(incumbent), over=over)

    def _between_equals(self, *, over: bool) -> tuple[Standing, ...]:
        everyone = range(len(self.test.arms))
        lost = {arm for arm in everyone if self._is_beaten(arm)}
        left = [arm for arm in everyone if arm not in lost]
        rest = Standing.NO_DIFFERENCE if over else Standing.TESTING
        if len(left) == 1:
            rest = Standing.WINNER
        return tuple(Standing.LOSER if arm in lost else rest for arm in everyone)

    def _against(self, incumbent: int, *, over: bool) -> tuple[Standing, ...]:
        challengers = [arm for arm in range(len(self.test.arms)) if arm != incumbent]
        lost = {arm for arm in challengers if self.beats(incumbent, arm)}
        left = [arm for arm in challengers if arm not in lost]
        best = max(left, key=self._place, default=incumbent)
        better = [arm for arm in left if self.beats(arm, incumbent)]
        if over and better:
            best = max(better, key=self._place)
        won = best if not left or best in better else None
        found = dict.fromkeys(lost, Standing.LOSER)
        if won is not None:
            found[won] = Standing.WINNER
            if won != incumbent:
                found[incumbent] = Standing.LOSER
        rest = Standing.NO_DIFFERENCE if over or won is not None else Standing.TESTING
        return tuple(found.get(arm, rest) for arm in range(len(self.test.arms)))

    def opponent(self, arm: int, standings: Sequence[Standing]) -> int:
        """Whom an arm is told against: who beats it, else the best that is still in."""
        others = self.opponents(arm)
        beating = [each for each in others if self.beats(each, arm)]
        still = [each for each in others if standings[each] is not Standing.LOSER]
        return max(beating or still or others, key=self._place)

    def _is_beaten(self, arm: int) -> bool:
        return any(self.beats(other, arm) for other in self.opponents(arm))

    def _place(self, arm: int) -> tuple[float, int]:
        """By lead; of equals the one declared first."""
        return self.lead(arm), -arm


def _verdict(
    test: CreativeTest,
    series: Series,
    table: _Table,
    arm: int,
    standings: Sequence[Standing],
    passed: int,
) -> Verdict:
    against = table.opponent(arm, standings)
    pair = table.compared(arm, against)
    sums = series.sums(arm)
    counted = sums.revenue if test.metric is Metric.REVENUE_PER_IMPRESSION else sums.conversions
    standing = standings[arm]
    told = Told(test.arms[arm], test.arms[against], pair, sums, series.sums(against), passed)
    return Verdict(
        arm=test.arms[arm],
        standing=standing,
        reason=reason_of(standing.value, test, told),
        impressions=round(sums.impressions),
        conversions=sums.conversions,
        revenue=sums.revenue,
        spend=sums.spend,
        rate=counted / sums.impressions if sums.impressions else None,
        against=test.arms[against],
        lift=math.expm1(pair.log_ratio) if pair.known else None,
        lift_low=pair.lift_low,
        lift_high=pair.lift_high,
        probability_better=pair.probability_better if pair.known else None,
        days_needed=pair.days_needed if standing is Standing.TESTING else None,
    )


def _series(test: CreativeTest, days: pl.DataFrame, day: date) -> Series:
    """The test's days as arrays, checked."""
    if missing := [name for name in ARM_DAYS if name not in days.columns]:
        raise InputError(
            f"A creative test's days lack the columns {', '.join(missing)}.",
            "Give every column of the schema.",
        )
    rows = days.select(pl.col(name).cast(kind) for name, kind in ARM_DAYS.items())
    numbers = ("impressions", "conversions", "revenue", "spend", "maturity")
    wrong = {
        "an arm that is none of the test's": ~pl.col("arm").is_in(test.arms),
        "a day of an arm twice": pl.struct("arm", "date").is_duplicated(),
        "a number that is missing or not finite": pl.any_horizontal(
            pl.col(name).is_null() | ~pl.col(name).cast(pl.Float64).is_finite() for name in numbers
        ),
        "negative impressions or spend": (pl.col("impressions") < 0) | (pl.col("spend") < 0),
        "a maturity that is not above 0 and at most 1": ~(
            (pl.col("maturity") > 0) & (pl.col("maturity") <= 1)
        ),
    }
    for what, is_wrong in wrong.items():
        found = rows.filter(is_wrong.fill_null(value=True))
        if found.height:
            raise InputError(
                f"A creative test's days hold {what}: {found['arm'][0]}, {found['date'][0]}.",
                "Sync the account again; if it persists, `zyenta sql` shows the rows.",
            )
    last = test.last_day or day + timedelta(days=1)
    rows = rows.filter(pl.col("date").is_between(test.started, last))
    return Series.of(rows.sort("arm", "date"), test.arms, test.started, day)
