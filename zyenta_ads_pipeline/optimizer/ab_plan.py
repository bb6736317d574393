"""The plan of a creative test, declared before it starts, and what it will be able to find."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.domain.orders import ORDER_VARIATION
from zyenta_ads_pipeline.optimizer.sequential import bound_of, check_alpha, probability


class Metric(StrEnum):
    """What a creative test compares."""

    CONVERSION_RATE = "conversion_rate"
    """Conversions per impression."""
    REVENUE_PER_IMPRESSION = "revenue_per_impression"


@dataclass(frozen=True, kw_only=True)
class CreativeTest:
    """What is tested, and how it will be decided.

    `started` is the first day on which all arms ran, the account's own day. With `horizon_days` the
    test ends after so many days; None: it is open, and needs more data for the same certainty.
    Nothing is decided before `first_look_days` whole days (a week has its good and its bad days),
    nor before each arm of a pair had `minimum_impressions` and both together
    `minimum_conversions`. `alpha` is the probability that any arm is called better or worse where
    all are the same, over all looks and arms together. `incumbent` is the arm that runs unless
    another is better; None: all arms are equals, and each is compared with each.

    Raises `InputError` for a plan that cannot be followed.
    """

    arms: tuple[str, ...]
    started: date
    metric: Metric = Metric.CONVERSION_RATE
    horizon_days: int | None = 28
    first_look_days: int = 7
    alpha: float = 0.05
    minimum_impressions: int = 1000
    minimum_conversions: int = 10
    incumbent: str | None = None

    def __post_init__(self) -> None:
        check_alpha(self.alpha)
        if len(self.arms) < 2 or len(set(self.arms)) != len(self.arms):
            raise InputError("A creative test needs two or more different arms.", "Name them once.")
        if self.incumbent is not None and self.incumbent not in self.arms:
            raise InputError(
                f"The incumbent {self.incumbent} is none of the test's arms.", "Name one of them."
            )
        if self.first_look_days < 1 or self.minimum_impressions < 0 or self.minimum_conversions < 0:
            raise InputError(
                "A creative test's first look and least exposure cannot be below zero.",
                "Wait for one day at least.",
            )
        if self.horizon_days is not None and self.horizon_days < self.first_look_days:
            raise InputError(
                f"A creative test of {self.horizon_days} days cannot be looked at first after "
                f"{self.first_look_days}.",
                "Give it more days, or look earlier.",
            )

    @property
    def last_day(self) -> date | None:
        """The last day that counts; None for an open test."""
        if self.horizon_days is None:
            return None
        return self.started + timedelta(days=self.horizon_days - 1)

    @property
    def comparisons(self) -> int:
        """Pairs of arms that are compared: each with the incumbent, or each with each."""
        count = len(self.arms)
        return count - 1 if self.incumbent is not None else count * (count - 1) // 2

    @property
    def pair_alpha(self) -> float:
        """The probability of error of one pair: the pairs' together is at most `alpha`."""
        return self.alpha / self.comparisons


def detectable_lift(test: CreativeTest, conversions_per_day: float, *, power: float = 0.8) -> float:
    """The lift that the test will find with probability `power`: 0.25 for +25 %.

    `conversions_per_day` are those of one arm at the lower rate. A smaller lift may be found too,
    less often. `math.inf` where there are too few conversions for any.
    """
    low, high = 0.0, 1.0
    while chance_to_find(test, high, conversions_per_day) < power:
        high *= 2
        if high > 1000:
            return math.inf
    while high - low > 1e-4:
        middle = (low + high) / 2
        if chance_to_find(test, middle, conversions_per_day) < power:
            low = middle
        else:
            high = middle
    return high


def chance_to_find(test: CreativeTest, lift: float, conversions_per_day: float) -> float:
    """The probability that a pair with this true `lift` is told apart within the test's days.

    At its last look alone, which the earlier ones add little to. An open test is taken to run for
    `_OPEN_DAYS` days at the bound that a declared horizon of as many would have.
    """
    if conversions_per_day <= 0 or lift <= 0:
        return 0.0
    total = conversions_per_day * (test.horizon_days or _OPEN_DAYS)
    noise = 1.0 + (ORDER_VARIATION if test.metric is Metric.REVENUE_PER_IMPRESSION else 0.0)
    error = math.sqrt(noise * (1 / total + 1 / (total * (1 + lift))))
    return probability(math.log1p(lift) / error - bound_of(test.pair_alpha))


_OPEN_DAYS = 84
"""Twelve weeks."""
