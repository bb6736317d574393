"""An invented account whose truth is known: what policies are judged on.

Every campaign answers to its budget by a curve of `sandbox.response.Response`, and what it sells
moves with the weekday, the season, fatigue, drift and shocks. None of that depends on what is
decided, so that all policies meet the same world; what they meet of chance is fixed by the seed and
the day. What is decided shows in the spend, and in the penalty for changing a budget by more than
20 %: three days at 80 % of the sales.

Reports are as Meta's: conversions come in late, and a history holds what was known that evening.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from zyenta_ads_pipeline.domain import money
from zyenta_ads_pipeline.metrics import lag
from zyenta_ads_pipeline.optimizer.account import AMOUNT, CAMPAIGNS, DAYS, AccountHistory, Limits

Floats: TypeAlias = npt.NDArray[np.float64]
Whole: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]

FIRST_DAY = date(2026, 1, 5)
"""Day 0 of every market, a Monday."""
HISTORY_DAYS = 90
"""How many days a history reaches back."""

_LEARNING_DAYS = 3
_LEARNING_SALES = 0.8
_FREE_STEP = 0.2 + 1e-9
_ORDER_SIGMA = float(np.sqrt(np.log(1.45)))
"""Orders of one campaign are lognormal; variance of 0.45 times their squared mean."""
_CENTS = pl.Decimal(38, 2)
_ACCOUNT = "7000000001"


@dataclass(frozen=True, kw_only=True)
class Curve:
    """The true curves of N campaigns, arrays of shape (N,): `sandbox.response.Response` for many.

    `ref` is the spend, in major units, at which a campaign sells `sales` a day; `elasticity` holds
    there; `hill` marks those that saturate, the others are power curves.
    """

    hill: Flags
    elasticity: Floats
    ref: Floats
    sales: Floats

    def sold(self, spend: Floats) -> Floats:
        """Sales of a plain day at `spend`, major units; 0 at 0."""
        x = spend / self.ref
        half = self.elasticity / (1 - self.elasticity)
        saturating = x * (1 + half) / (half + x)
        power = np.maximum(x, 0.0) ** self.elasticity
        result: Floats = self.sales * np.where(self.hill, saturating, power)
        return result

    def taken(self, part: Flags) -> Curve:
        """The curves of those campaigns alone."""
        return Curve(**{name: value[part] for name, value in vars(self).items()})

    def spend_at(self, marginal: Floats) -> Floats:
        """The spend at which the next unit of money brings `marginal` sales (above 0)."""
        half = self.elasticity / (1 - self.elasticity)
        relative = marginal * self.ref / self.sales
        saturating = np.sqrt((1 + half) * half / relative) - half
        power = (relative / self.elasticity) ** (1 / (self.elasticity - 1))
        result: Floats = self.ref * np.where(self.hill, np.maximum(saturating, 0.0), power)
        return result


@dataclass(frozen=True, kw_only=True)
class World:
    """All that does not depend on decisions. T days, N campaigns; money in major units.

    `level` (T, N) multiplies a campaign's sales in the mean, `chance` (T, N) is the day's own
    deviation with mean 1, `season` (T,) everybody's factor. `arrives` (A,) is the share of orders
    reported on each day after the sale, 0 first. `most` (T, N) is what can be delivered at all.
    Campaign i runs from day `starts[i]` to before `ends[i]`. `totals` (T,) are the account's total,
    minor units. `pacing` (T, N) is what Meta spends of a budget. `tracked` and `stored` (T, N) are
    false where conversions are lost for ever, and where the day never reaches the history.
    """

    name: str
    seed: int
    currency: str
    curve: Curve
    order: Floats
    whale_share: float
    whale_size: float
    level: Floats
    chance: Floats
    season: Floats
    pacing: Floats
    arrives: Floats
    most: Floats
    tracked: Flags
    stored: Flags
    starts: Whole
    ends: Whole
    first_budgets: Whole
    totals: Whole
    warm_up: int
    days: int
    floor_minor: int
    floors: Whole
    """Own floors, minor units; -1 for none. `caps` alike."""
    caps: Whole
    locked: Flags
    groups: tuple[str | None, ...]
    group_totals: dict[str, int] = field(default_factory=dict)

    @property
    def ids(self) -> tuple[str, ...]:
        """The campaigns' ids."""
        return tuple(f"12000000{place:06d}" for place in range(self.order.size))

    @property
    def mean_order(self) -> Floats:
        """(N,) the mean value of an order, whales among them."""
        return self.order * (1 + self.whale_share * (self.whale_size - 1))

    def limits(self, day: int) -> Limits:
        """What bounds the budgets of that day."""
        return Limits(
            total_minor=int(self.totals[day]),
            floor_minor=self.floor_minor,
            group_totals=self.group_totals,
        )

    def runs(self, day: int) -> Flags:
        """(N,) which campaigns their owner lets run on `day`."""
        result: Flags = (self.starts <= day) & (day < self.ends)
        return result

    def revenue(self, day: int, spend: Floats) -> Floats:
        """(N,) expected revenue of `day` at `spend` that is asked for, major units."""
        delivered = np.minimum(spend, self.most[day])
        factor = self.level[day] * self.season[day] * self.mean_order
        expected: Floats = factor * self.curve.sold(delivered)
        return expected


class Market:
    """One account in its world, day by day. `day` is the next one to be delivered."""

    def __init__(self, world: World) -> None:
        horizon, count = world.level.shape
        ages = world.arrives.size
        self.world = world
        self.day = 0
        self.budgets: Whole = world.first_budgets.copy()
        self.paused: Flags = np.zeros(count, dtype=bool)
        self.expected: Floats = np.zeros((horizon, count))
        self.asked: Whole = np.zeros((horizon, count), dtype=np.int64)
        self.spend: Whole = np.zeros((horizon, count), dtype=np.int64)
        self.impressions: Whole = np.zeros((horizon, count), dtype=np.int64)
        self.clicks: Whole = np.zeros((horizon, count), dtype=np.int64)
        self.orders: Whole = np.zeros((horizon, ages, count), dtype=np.int64)
        self.value: Floats = np.zeros((horizon, ages, count))
        self.learning: Whole = np.zeros(count, dtype=np.int64)
        self.changed_on: Whole = np.full(count, -1, dtype=np.int64)
        self.changed_by: Floats = np.zeros(count)

    def copy(self) -> Market:
        """The same account at the same moment, to be led another way from here."""
        twin = Market(self.world)
        for name, value in vars(self).items():
            setattr(twin, name, value.copy() if isinstance(value, np.ndarray) else value)
        return twin

    @property
    def running(self) -> Flags:
        """(N,) which campaigns would deliver on `day`."""
        return self.world.runs(self.day) & ~self.paused

    def warm_up(self) -> None:
        """The days before anybody decides, at the first budgets."""
        while self.day < self.world.warm_up:
            self.deliver()

    def change(self, budgets: Whole, paused: Flags) -> None:
        """Set the budgets (minor units) of the campaigns that run on `day`, and pause some."""
        running = self.running
        new = np.where(running & ~paused, budgets, self.budgets)
        step = new / np.maximum(self.budgets, 1) - 1
        moved = new != self.budgets
        self.changed_on[moved] = self.day
        self.changed_by[moved] = step[moved]
        self.learning[np.abs(step) > _FREE_STEP] = _LEARNING_DAYS
        self.budgets = new
        self.paused |= running & paused

    def deliver(self) -> None:
        """Let `day` pass."""
        world, day = self.world, self.day
        chance = np.random.default_rng([world.seed, 7, day])
        offset = money.offset(world.currency)
        running = self.running
        self.learning[world.starts == day] = _LEARNING_DAYS if day > 0 else 0
        penalty = np.where(self.learning > 0, _LEARNING_SALES, 1.0)
        asked = np.where(running, self.budgets, 0)
        wanted = asked / offset
        delivered = np.minimum(wanted * world.pacing[day], world.most[day])
        factor = world.level[day] * world.season[day] * penalty
        mean = world.curve.sold(delivered) * factor * world.chance[day]
        orders = chance.poisson(mean)
        reported = chance.multinomial(orders, world.arrives).T
        self.asked[day] = asked
        self.expected[day] = world.revenue(day, wanted) * penalty
        self.spend[day] = np.rint(delivered * offset)
        self.impressions[day] = chance.poisson(delivered / self._price_of_view())
        self.clicks[day] = np.maximum(chance.binomial(self.impressions[day], 0.015), orders)
        tracked = world.tracked[day]
        self.orders[day] = np.where(tracked, reported, 0)
        self.value[day] = np.where(tracked, self._values(chance, reported), 0.0)
        self.learning = np.maximum(self.learning - 1, 0)
        self.day += 1

    def history(self, limits: Limits | None = None) -> AccountHistory:
        """The account as it is known on the morning of `day`; the last complete day is the one
        before. `limits` take the place of the world's own."""
        world = self.world
        return AccountHistory(
            account_id=_ACCOUNT,
            currency=world.currency,
            day=FIRST_DAY + timedelta(days=self.day - 1),
            campaigns=self._campaigns(),
            days=self._days(),
            limits=limits or world.limits(self.day),
        )

    def _price_of_view(self) -> Floats:
        return np.full(self.budgets.size, 0.008) * self._unit()

    def _unit(self) -> float:
        """Yen and the like: a hundred of them are about one dollar."""
        return 1.0 if money.offset(self.world.currency) == 100 else 100.0

    def _values(self, chance: np.random.Generator, orders: Whole) -> Floats:
        """What `orders` (A, N) are worth, one by one; minor units are rounded per sum."""
        world = self.world
        flat = orders.ravel()
        count = int(flat.sum())
        means = np.repeat(np.tile(world.order, orders.shape[0]), flat)
        worth = means * np.exp(chance.normal(0.0, _ORDER_SIGMA, count) - _ORDER_SIGMA**2 / 2)
        whales = chance.random(count) < world.whale_share
        worth = np.where(whales, worth * world.whale_size, worth)
        sums = np.bincount(np.repeat(np.arange(flat.size), flat), worth, minlength=flat.size)
        offset = money.offset(world.currency)
        return np.rint(sums.reshape(orders.shape) * offset) / offset

    def _campaigns(self) -> pl.DataFrame:
        world, day = self.world, self.day
        known = np.flatnonzero(world.starts <= day)
        spent = self.spend[:day] > 0
        since = np.where(spent.any(axis=0), day - spent.argmax(axis=0), 0) if day else 0 * known
        last = FIRST_DAY + timedelta(days=day - 1)
        to_sunday = (last.weekday() + 1) % 7 + 1
        committed = self.spend[max(day - to_sunday, 0) : day].sum(axis=0)
        never = self.changed_on < 0
        return pl.DataFrame(
            {
                "campaign_id": [world.ids[i] for i in known],
                "name": [f"Campaign {i}" for i in known],
                "active": self.running[known],
                "current_minor": self.budgets[known],
                "floor_minor": [_or_none(world.floors[i]) for i in known],
                "cap_minor": [_or_none(world.caps[i]) for i in known],
                "locked": world.locked[known],
                "group": [world.groups[i] for i in known],
                "days_running": since[known],
                "last_change_day": [
                    None if never[i] else FIRST_DAY + timedelta(days=int(self.changed_on[i]))
                    for i in known
                ],
                "last_change": [None if never[i] else float(self.changed_by[i]) for i in known],
                "committed_week_minor": committed[known],
            },
            schema=dict(CAMPAIGNS),
        )

    def _days(self) -> pl.DataFrame:
        world, today = self.world, self.day
        first = max(today - HISTORY_DAYS, 0)
        days, campaigns = np.nonzero((self.spend[:today] > 0) & world.stored[:today])
        recent = days >= first
        days, campaigns = days[recent], campaigns[recent]
        orders, value = self._reported(first)
        share = self._maturity(first)
        offset = money.offset(world.currency)
        frame = pl.DataFrame(
            {
                "campaign_id": pl.Series(world.ids).gather(campaigns),
                "date": pl.Series(
                    [FIRST_DAY + timedelta(days=place) for place in range(today)], dtype=pl.Date
                ).gather(days),
                "impressions": self.impressions[days, campaigns],
                "clicks": self.clicks[days, campaigns],
                "spend": self.spend[days, campaigns] / offset,
                "conversions": orders[days - first, campaigns],
                "revenue": value[days - first, campaigns],
                "maturity": share[today - 1 - days],
                "budget_minor": self.asked[days, campaigns],
            }
        )
        amounts = ("spend", "conversions", "revenue")
        return frame.with_columns(pl.col(amounts).cast(_CENTS).cast(AMOUNT)).select(list(DAYS))

    def _reported(self, first: int) -> tuple[Whole, Floats]:
        """Orders and their value of the days from `first` on, as known this morning: (days, N)."""
        ages = np.arange(self.world.arrives.size)
        age_of_day = self.day - 1 - np.arange(first, self.day)
        known = (ages <= age_of_day[:, None])[:, :, None]
        orders = np.where(known, self.orders[first : self.day], 0).sum(axis=1)
        return orders, np.where(known, self.value[first : self.day], 0.0).sum(axis=1)

    def _maturity(self, first: int) -> Floats:
        """The share reported at each age, learned as the product learns it."""
        orders = self.orders[first : self.day].sum(axis=2).cumsum(axis=1)
        value = self.value[first : self.day].sum(axis=2).cumsum(axis=1)
        age_of_day = self.day - 1 - np.arange(first, self.day)
        days, ages = np.nonzero(np.arange(orders.shape[1]) <= age_of_day[:, None])
        curve = lag.lag_curve(
            pl.DataFrame(
                {
                    "account_id": pl.repeat(_ACCOUNT, days.size, eager=True),
                    "date": days,
                    "age_days": ages,
                    "purchases": orders[days, ages],
                    "purchase_value": value[days, ages],
                }
            )
        )
        share = curve["completeness"].to_numpy()
        oldest = np.ones(max(self.day, share.size))
        oldest[: share.size] = share
        return oldest


def _or_none(value: np.int64) -> int | None:
    return None if value < 0 else int(value)
