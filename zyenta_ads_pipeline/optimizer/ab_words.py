"""What a creative test says of an arm, in words and with its numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from zyenta_ads_pipeline.optimizer.ab_pairs import Pair, Sums
from zyenta_ads_pipeline.optimizer.ab_plan import CreativeTest, Metric


class Told(NamedTuple):
    """An arm beside the one that it is told against. `passed`: whole days of the test so far."""

    arm: str
    against: str
    pair: Pair
    sums: Sums
    others: Sums
    passed: int


def reason_of(standing: str, test: CreativeTest, told: Told) -> str:
    """Why the arm stands where it stands. `standing` is a value of `Standing`."""
    return _REASONS[standing](test, told)


def _winner(test: CreativeTest, told: Told) -> str:
    return f"{_compared(test, told)}, surely better: scale it."


def _loser(test: CreativeTest, told: Told) -> str:
    if not told.pair.sure or told.pair.log_ratio > 0:
        return f"The test is over: another arm is surely better. {_compared(test, told)}."
    return f"{_compared(test, told)}, surely worse: pause it."


def _no_difference(test: CreativeTest, told: Told) -> str:
    if told.pair.exposure or not told.pair.known:
        return f"The test is over with too little to go by: {_missing(told)}."
    return (
        f"The test is over and could not tell {told.arm} from {told.against}: "
        f"{_interval(told)}, {_conversions(told)}. {_kept(test, told)}"
    )


def _testing(test: CreativeTest, told: Told) -> str:
    length = f" of {test.horizon_days}" if test.horizon_days is not None else ""
    start = f"Day {told.passed}{length}"
    if not told.pair.known or told.pair.exposure:
        return f"{start}: too little to go by yet, {_missing(told)}."
    text = f"{start}: {_interval(told)} against {told.against}, {_conversions(told)}."
    if not told.pair.looked:
        return f"{text} Nothing is decided before {test.first_look_days} whole days."
    needed = told.pair.days_needed
    if needed is None:
        ahead = "a year more" if test.horizon_days is None else "the rest of the test"
        return f"{text} A lead as small as this will not be sure in {ahead}."
    days = "1 more day" if needed == 1 else f"{needed} more days"
    return f"{text} Should the lead stay as it is, about {days} will decide."


_REASONS: Mapping[str, Callable[[CreativeTest, Told], str]] = MappingProxyType(
    {"testing": _testing, "winner": _winner, "loser": _loser, "no_difference": _no_difference}
)


def _compared(test: CreativeTest, told: Told) -> str:
    what = "earned" if test.metric is Metric.REVENUE_PER_IMPRESSION else "sold"
    more = "more" if told.pair.log_ratio >= 0 else "less"
    lift = abs(math.expm1(told.pair.log_ratio))
    return (
        f"It {what} {lift:.0%} {more} per impression than {told.against} ({_between(told.pair)}) "
        f"on {told.passed} days, {_conversions(told)}"
    )


def _interval(told: Told) -> str:
    return f"{math.expm1(told.pair.log_ratio):+.0%} ({_between(told.pair)})"


def _between(pair: Pair) -> str:
    low, high = pair.lift_low, pair.lift_high
    if low is None and high is None:
        return "anything is possible yet"
    below = "no lower bound" if low is None else f"{low:+.0%}"
    above = "no upper bound" if high is None else f"{high:+.0%}"
    return f"{below} to {above}"


def _conversions(told: Told) -> str:
    return f"{told.sums.conversions:,.0f} and {told.others.conversions:,.0f} conversions"


def _missing(told: Told) -> str:
    return told.pair.exposure or "no conversion of either arm on days that both ran"


def _kept(test: CreativeTest, told: Told) -> str:
    """Which to keep where neither is better: the incumbent, else what costs less."""
    if test.incumbent in (told.arm, told.against):
        return f"Keep {test.incumbent}, the incumbent."
    costs = [
        each.spend / each.conversions if each.conversions > 0 else math.inf
        for each in (told.sums, told.others)
    ]
    if costs[0] == costs[1]:
        return "Keep the older one."
    cheaper = told.arm if costs[0] < costs[1] else told.against
    return f"Keep {cheaper}, which costs less per conversion."
