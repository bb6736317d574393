"""How one account of the market delivers, hour by hour, in the account's own zone.

An hour is delivered once it is over, with the budgets and statuses in force at its start. All
chance is drawn from (seed, object, hour or day), so the size of the clock's steps is no matter.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

import numpy as np

from zyenta_ads_pipeline.domain.money import offset
from zyenta_ads_pipeline.domain.time import zone
from zyenta_ads_pipeline.sandbox.market_answers import (
    Answer,
    Learning,
    answer_of,
    demand,
    freshness,
    order_factor,
)
from zyenta_ads_pipeline.sandbox.market_chance import chance_of, count_of, wobble
from zyenta_ads_pipeline.sandbox.market_made import MadeAds, first_value
from zyenta_ads_pipeline.sandbox.market_shop import MarketAccount, MarketAd
from zyenta_ads_pipeline.sandbox.objects import Kind, Thing
from zyenta_ads_pipeline.sandbox.state import Write

OVERDELIVERY = 1.75
"""Meta may spend up to this multiple of a daily budget on one day."""
LONGEST_LAG_HOURS = 7 * 24
_HOURS = np.array([3, 2, 1.5, 1, 1, 1.5, 3, 4, 4.5, 4.5, 4.5, 5, 5, 5, 4.5, 4.5, 5, 5.5, 6, 7, 7.5,
                   7, 6, 4.5])  # fmt: skip
_WEEKDAYS = np.array([0.97, 0.94, 0.95, 0.98, 1.02, 1.08, 1.06])
"""How fast a budget is spent from Monday to Sunday."""
_CPM_DOLLARS = 11.0
_STRUCK = 0.4
"""How many ad days lose a little of their delivery, or ..."""
_STRUCK_WHOLE = 0.03
"""... all of it, once Meta has found clicks to be invalid."""
_WINDOW_SHARES = (("1d_click", 0.55), ("7d_click", 0.33), ("1d_view", 0.12))


@dataclass(frozen=True)
class Sale:
    """One sale of an ad; `reported` and `withdrawn` are hours since 1970, UTC."""

    ad: int
    day: date
    minor: int
    window: str
    reported: int
    withdrawn: int | None


@dataclass
class AdDay:
    """What one ad did on one day; spend in minor units."""

    impressions: int = 0
    clicks: int = 0
    link_clicks: int = 0
    page_views: int = 0
    carts: int = 0
    minor: int = 0


class Delivery:
    """One account's deliveries so far; they only grow."""

    def __init__(self, account: MarketAccount, seed: int, opened: datetime) -> None:
        self.account = account
        self.days: dict[tuple[date, int], AdDay] = defaultdict(AdDay)
        self.hours: list[tuple[date, int, int, int, int, int, int]] = []
        """Day, ad, hour of the account's clock, impressions, clicks, link clicks, minor units."""
        self.sales: list[Sale] = []
        self.hour = int(opened.timestamp()) // 3600
        """The next hour to deliver, since 1970, UTC."""
        self._seed = seed
        self._zone = zone(account.plan.timezone)
        self._minor_per_dollar = account.plan.rate * offset(account.plan.currency)
        self.ads: list[MarketAd] = list(account.ads)
        """The market's own ads, and behind them those that clients made."""
        self._status = {t.id: "ACTIVE" for t in account.things if t.kind is not Kind.CREATIVE}
        self._budget = {t.id: t.daily_budget for t in account.things if t.daily_budget is not None}
        self._made = MadeAds(account)
        self._answers: dict[str, Answer] = {}
        self._learning = Learning()
        self._spent: dict[tuple[str, date], float] = defaultdict(float)
        self._applied = 0
        self._endings = sorted(account.endings, key=lambda ending: ending[1])

    def settled(self, day: date, index: int, did: AdDay, hour: int, *, sold: bool) -> AdDay | None:
        """What of an ad's day still counts at an hour since 1970: invalid clicks are struck off.

        A day that was struck off as a whole, which happens to days without a sale alone, is None.
        """
        ad = self.ads[index]
        struck = _correction(self._seed, ad.id, day, self.account.plan.timezone)
        if struck is None or hour < struck.hour:
            return did
        if struck.whole:
            return did if sold else None
        kept = 1.0 - struck.share
        clicks = did.clicks - round(2 * struck.share * did.clicks)
        link_clicks = min(did.link_clicks, clicks)
        return AdDay(
            impressions=max(round(kept * did.impressions), clicks),
            clicks=clicks,
            link_clicks=link_clicks,
            page_views=min(did.page_views, link_clicks),
            carts=did.carts,
            minor=round(kept * did.minor),
        )

    def run(self, until: int, writes: Sequence[Write], things: Sequence[Thing] = ()) -> None:
        """Deliver all hours before `until`.

        `writes` are all writes so far, oldest first; `things` all objects as they stand now, among
        which clients may have made some.
        """
        for thing in self._made.taken_in(things, writes):
            self._status[thing.id] = first_value(thing, "status", writes) or "PAUSED"
            if thing.kind is Kind.AD:
                self.ads.append(self._made.market_ad(thing))
            else:
                self._budget[thing.id] = int(first_value(thing, "daily_budget", writes) or 0)
        while self.hour < until:
            moment = datetime.fromtimestamp(self.hour * 3600, UTC)
            self._apply(writes, moment)
            self._deliver(moment)
            self.hour += 1

    def _apply(self, writes: Sequence[Write], moment: datetime) -> None:
        while self._endings and self._endings[0][1] <= moment:
            ended, _, status = self._endings.pop(0)
            self._status[ended] = status
        while self._applied < len(writes) and writes[self._applied].at <= moment:
            write = writes[self._applied]
            self._applied += 1
            if not write.accepted or write.new is None:
                continue
            if write.field == "status" and write.object in self._status:
                self._status[write.object] = write.new
            if write.field == "daily_budget" and write.object in self._budget:
                old, new = self._budget[write.object], int(write.new)
                self._budget[write.object] = new
                day = moment.astimezone(self._zone).date()
                self._learning.edited(write.object, old, new, moment, day)
            self._made.apply(write)

    def _deliver(self, moment: datetime) -> None:
        local = moment.astimezone(self._zone)
        day = local.date()
        part = float(_HOURS[local.hour]) / _hours_total(day, self.account.plan.timezone)
        running: dict[str, list[int]] = defaultdict(list)
        for index, ad in enumerate(self.ads):
            objects = (ad.id, ad.adset_id, ad.campaign_id)
            active = all(self._status[each] == "ACTIVE" for each in objects)
            if active and self._made.may_run(ad, moment):
                running[ad.holder].append(index)
        for holder, indices in running.items():
            budget = self._made.budget(holder, self._budget[holder])
            if not budget:
                continue
            answer = self._answer(holder, self.ads[indices[0]].reference)
            day_factor = _WEEKDAYS[day.weekday()] * self._wobble(holder, day, 0.13)
            a_day = min(budget, answer.most) * day_factor
            pulls = [self.ads[i].share * self._wobble(self.ads[i].id, day, 0.18) for i in indices]
            shown: list[tuple[int, int, np.random.Generator]] = []
            for index, pull in zip(indices, pulls, strict=True):
                chance = chance_of(self._seed, self.ads[index].id, self.hour)
                noise = chance.gamma(12.0) / 12.0
                left = OVERDELIVERY * budget - self._spent[(holder, day)]
                left = min(left, self._made.left(holder))
                wanted = min(a_day * part * noise * pull / sum(pulls), max(left, 0.0))
                # Whole minor units without a drift: round up as often as the fraction says.
                minor = min(int(wanted + chance.random()), max(int(left), 0))
                self._spent[(holder, day)] += minor
                self._made.spend(holder, minor)
                shown.append((index, minor, chance))
            if spent := sum(minor for _, minor, _ in shown):
                worth = answer.worth(spent / part) * demand(self._seed, holder, day)
                worth *= self._learning.sales(holder, moment)
                for index, minor, _ in shown:
                    self._sell(index, day, worth * minor, moment)
            for index, minor, chance in shown:
                self._show(index, local, minor, chance)

    def _answer(self, holder: str, reference: float) -> Answer:
        if holder not in self._answers:
            self._answers[holder] = answer_of(self._seed, holder, reference)
        return self._answers[holder]

    def _show(self, index: int, local: datetime, minor: int, chance: np.random.Generator) -> None:
        ad, day = self.ads[index], local.date()
        cpm = _CPM_DOLLARS * self._minor_per_dollar
        did = self.days[(day, index)]
        impressions = int(chance.poisson(minor / cpm * 1000))
        clicks = int(chance.binomial(impressions, ad.plan.click_rate))
        link_clicks = int(chance.binomial(clicks, 0.78))
        page_views = int(chance.binomial(link_clicks, 0.84))
        self.hours.append((day, index, local.hour, impressions, clicks, link_clicks, minor))
        did.minor += minor
        did.impressions += impressions
        did.clicks += clicks
        did.link_clicks += link_clicks
        did.page_views += page_views
        did.carts += int(chance.binomial(page_views, 0.09))

    def _sell(self, index: int, day: date, worth: float, moment: datetime) -> None:
        """Sell what an ad's spend of an hour is worth, in minor units at its first returns.

        Sales have draws of their own, each sale too: with another spend, the sales that are made
        either way stay the same.
        """
        ad = self.ads[index]
        mean = worth * ad.selling * freshness(self._seed, ad.id, moment - ad.since)
        for number in range(count_of(self._seed, f"sales:{ad.id}", self.hour, mean)):
            chance = chance_of(self._seed, f"sale:{number}:{ad.id}", self.hour)
            self.sales.append(self._sale(ad, index, day, chance))

    def _sale(self, ad: MarketAd, index: int, day: date, chance: np.random.Generator) -> Sale:
        value = ad.order * order_factor(chance.standard_normal())
        draw = chance.random()
        window = _WINDOW_SHARES[-1][0]
        for name, share in _WINDOW_SHARES:
            if draw < share:
                window = name
                break
            draw -= share
        mean_lag = {"1d_click": 7.0, "7d_click": 52.0, "1d_view": 10.0}[window]
        lag = 1 + min(int(chance.exponential(mean_lag)), LONGEST_LAG_HOURS - 1)
        reported = self.hour + lag
        withdrawn = reported + int(chance.integers(24, 18 * 24)) if chance.random() < 0.02 else None
        return Sale(index, day, max(1, round(value)), window, reported, withdrawn)

    def _wobble(self, name: str, day: date, sigma: float) -> float:
        """A factor of that object and day, 1 in the mean."""
        return wobble(self._seed, name, day.toordinal(), sigma)


@dataclass(frozen=True)
class _Correction:
    """What Meta strikes off an ad's day at an hour since 1970: a share of it, or the `whole`."""

    hour: int
    share: float
    whole: bool


@lru_cache(maxsize=16384)
def _correction(seed: int, ad_id: str, day: date, timezone: str) -> _Correction | None:
    """The correction of an ad's day, within three days after it; most days have none."""
    chance = chance_of(seed, f"struck:{ad_id}", day.toordinal())
    draw = chance.random()
    if draw > _STRUCK:
        return None
    over = datetime.combine(day + timedelta(days=1), time(), zone(timezone))
    hour = int(over.timestamp()) // 3600 + int(chance.integers(6, 66))
    return _Correction(hour, float(chance.uniform(0.002, 0.015)), whole=bool(draw < _STRUCK_WHOLE))


@lru_cache(maxsize=512)
def _hours_total(day: date, timezone: str) -> float:
    """The weights of the hours that this day really has: 23, 24 or 25 of them."""
    place = zone(timezone)
    start = datetime.combine(day, time(), place).astimezone(UTC)
    end = datetime.combine(day + timedelta(days=1), time(), place).astimezone(UTC)
    hours = int((end - start).total_seconds()) // 3600
    return float(
        sum(_HOURS[(start + timedelta(hours=n)).astimezone(place).hour] for n in range(hours))
    )
