"""Creative tests on invented data: how often nothing is called something, and something found.

Two arms with the same daily delivery, conversions by chance, days that are better for one arm than
for the other ("od", the standard deviation of a day's own factor), orders of lognormal value. Each
test is looked at daily or hourly, as the product does, and stopped at its first
decision.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from benchmarks.measure import Section
from zyenta_ads_pipeline.optimizer.ab_pairs import Together, look
from zyenta_ads_pipeline.optimizer.ab_plan import CreativeTest, Metric
from zyenta_ads_pipeline.optimizer.arms import Arm
from zyenta_ads_pipeline.optimizer.sequential import NORMAL

Floats: TypeAlias = npt.NDArray[np.float64]

PLAN = CreativeTest(arms=("first", "other"), started=date(2026, 1, 1))
_WEEK = (0.95, 0.9, 0.95, 1.0, 1.05, 1.1, 1.05)
_HOURS = 24
_IMPRESSIONS = 5000.0


@dataclass(frozen=True)
class Cell:
    """One kind of experiment. `per_day`: conversions of the first arm; `lift` of the other's rate;
    `spread`: sd of an arm's own daily factor; `orders`: log sd of order values; `growth` of the
    delivery per day."""

    per_day: float
    lift: float = 0.0
    spread: float = 0.0
    orders: float = 0.8
    growth: float = 0.0

    def told(self) -> str:
        """As a table's head."""
        lift = f", {self.lift:+.0%}" if self.lift else ""
        spread = f", od {self.spread}" if self.spread else ""
        return f"{self.per_day:.0f}/day{spread}{lift}"


class Made(NamedTuple):
    """R experiments of T days in hours (R, 2, T, 24), and impressions (T, 24)."""

    conversions: Floats
    revenue: Floats
    impressions: Floats


class Found(NamedTuple):
    """Per experiment: -1, 0 or 1 for the arm called better, and the day (28 if none)."""

    better: npt.NDArray[np.int64]
    day: Floats


def made(cell: Cell, runs: int, days: int, seed: int) -> Made:
    """`runs` experiments; the same for the same seed."""
    rng = np.random.default_rng(seed)
    week = np.resize(_WEEK, days) * (1 + cell.growth) ** np.arange(days)
    hours = 1 + 0.6 * np.sin(np.arange(_HOURS) / _HOURS * 2 * np.pi - 2.2)
    delivered = week[:, None] * hours / hours.mean() / _HOURS
    common = np.exp(rng.normal(0, 0.1, (runs, 1, days, 1)))
    own = np.exp(rng.normal(-(cell.spread**2) / 2, cell.spread, (runs, 2, days, 1)))
    rate = cell.per_day * delivered * common * own
    rate[:, 1] *= 1 + cell.lift
    sold = rng.poisson(rate).astype(np.float64)
    many = sold.astype(np.int64)
    values = rng.lognormal(np.log(40), cell.orders, int(many.sum()))
    ends = np.cumsum(many.ravel())
    total = np.concatenate([[0.0], np.cumsum(values)])
    revenue = (total[ends] - total[ends - many.ravel()]).reshape(many.shape)
    return Made(sold, revenue, _IMPRESSIONS * delivered)


def looks(every_hours: int, first: int, days: int) -> list[tuple[int, int]]:
    """(whole days, hours of the day under way) of each look from the first on."""
    hours = range(first * _HOURS, days * _HOURS + 1, every_hours)
    return [divmod(hour, _HOURS) for hour in hours]


def sequential(test: CreativeTest, data: Made, every_hours: int) -> Found:
    """The product's test, looked at every so many hours."""
    days = data.impressions.shape[0]

    def decided(whole: int, hours: int) -> Floats:
        seen = look(test, _so_far(data, whole, hours))
        return np.asarray(np.sign(seen.deviate) * (np.abs(seen.deviate) >= seen.bound))

    return _until_decided(decided, looks(every_hours, test.first_look_days, days), data)


def peeked(data: Made, every_hours: int, alpha: float = 0.05) -> Found:
    """The usual z test of two rates, looked at from the first day on."""
    return _until_decided(
        _z_test(data, alpha), looks(every_hours, 1, data.impressions.shape[0]), data
    )


def once(data: Made, alpha: float = 0.05) -> Found:
    """The same, once, on the last day."""
    days = data.impressions.shape[0]
    return _until_decided(_z_test(data, alpha), [(days, 0)], data)


def _z_test(data: Made, alpha: float) -> Callable[[int, int], Floats]:
    def decided(whole: int, hours: int) -> Floats:
        both = _so_far(data, whole, hours)
        one, two = both.first.conversions.sum(-1), both.other.conversions.sum(-1)
        z = (two - one) / np.sqrt(np.maximum(one + two, 1.0))
        return np.asarray(np.sign(z) * (np.abs(z) >= NORMAL.inv_cdf(1 - alpha / 2)))

    return decided


def _so_far(data: Made, whole: int, hours: int) -> Together:
    """What is known after so many whole days and hours of the next."""
    length = whole + (hours > 0)

    def part(amounts: Floats) -> Floats:
        by_day = amounts[..., :length, :].sum(-1)
        if hours:
            by_day[..., whole] = amounts[..., whole, :hours].sum(-1)
        return np.asarray(by_day)

    conversions, revenue = part(data.conversions), part(data.revenue)
    impressions = np.broadcast_to(part(data.impressions), conversions[:, 0].shape)
    first, other = (Arm(impressions, conversions[:, arm], revenue[:, arm]) for arm in (0, 1))
    return Together(first, other, np.arange(length) < whole, np.ones(length))


def _until_decided(
    decided: Callable[[int, int], Floats], at: Sequence[tuple[int, int]], data: Made
) -> Found:
    runs, days = data.conversions.shape[0], data.impressions.shape[0]
    better = np.zeros(runs, dtype=np.int64)
    when = np.full(runs, float(days))
    for whole, hours in at:
        new = decided(whole, hours)
        first = (better == 0) & (new != 0)
        better[first] = new[first]
        when[first] = whole + hours / _HOURS
    return Found(better, when)


def section(runs: int = 600, seed: int = 1) -> Section:
    """The table of what each rule calls a winner where none is, and finds where one is."""
    by_revenue = replace(PLAN, metric=Metric.REVENUE_PER_IMPRESSION)
    open_test = replace(PLAN, horizon_days=None)
    rules: Sequence[tuple[str, Callable[[Made], Found]]] = (
        ("z test, looked at daily", lambda data: peeked(data, _HOURS)),
        ("z test, once on day 28", once),
        ("ours, looked at daily", lambda data: sequential(PLAN, data, _HOURS)),
        ("ours, looked at hourly", lambda data: sequential(PLAN, data, 1)),
        ("ours on revenue, daily", lambda data: sequential(by_revenue, data, _HOURS)),
        ("ours without a horizon, daily", lambda data: sequential(open_test, data, _HOURS)),
    )
    data = [made(cell, runs, 28, seed + number) for number, cell in enumerate(_CELLS)]
    rows = []
    for name, rule in rules:
        told = [name]
        for cell, each in zip(_CELLS, data, strict=True):
            found = rule(each)
            if cell.lift:
                told.append(f"{(found.better == 1).mean():.3f} (day {np.median(found.day):.0f})")
            else:
                told.append(f"{(found.better != 0).mean():.3f}")
        rows.append(told)
    return Section(
        "Creative tests of 28 days",
        f"{runs} experiments a cell. Without a lift: the share in which an arm was called better, "
        "which should be 0.05 at most. With one: the share in which the better arm was found, and "
        'the median day. "od": the sd of an arm\'s own days beyond chance.',
        ("", *(cell.told() for cell in _CELLS)),
        rows,
    )


_CELLS = (
    *(Cell(per_day, spread=spread) for spread in (0.0, 0.25) for per_day in (4, 15, 60)),
    Cell(4, lift=0.2),
    Cell(15, lift=0.2),
    Cell(4, lift=0.4),
    Cell(15, lift=0.4),
    Cell(15, lift=0.4, spread=0.25),
)
