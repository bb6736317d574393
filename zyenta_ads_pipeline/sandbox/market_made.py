"""Ads that clients made, as the market delivers them: when they run, on which budget, how well.

What such an ad is worth is drawn from its id alone, so that every restart draws the same.
"""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from zyenta_ads_pipeline.domain.money import offset
from zyenta_ads_pipeline.sandbox.market_shop import AdPlan, MarketAccount, MarketAd
from zyenta_ads_pipeline.sandbox.objects import LEVELS, Kind, Thing
from zyenta_ads_pipeline.sandbox.state import Write

_REFERENCE_DOLLARS = 50.0
"""The daily spend of its budget at which a made ad sells what its return on spend says."""
_SALES = "OUTCOME_SALES"
_ROAS = {_SALES: (0.6, 3.4), "OUTCOME_LEADS": (0.2, 1.2)}
_ROAS_OF_OTHERS = (0.1, 0.8)
_FOLLOWED = ("lifetime_budget", "end_time")
_OPEN_DAYS = 30.0
"""The days over which a lifetime budget without an end is spread."""
_CLICK_RATES = (0.006, 0.022)
_ORDERS = (60.0, 190.0)


class MadeAds:
    """What one account's clients have made. Times are UTC, amounts minor units."""

    def __init__(self, account: MarketAccount) -> None:
        self._account = account
        self._own = {thing.id for thing in account.things}
        self._known: dict[str, Thing] = {}
        self._approved: dict[str, datetime | None] = {}
        self._values: dict[tuple[str, str], str | None] = {}
        """Lifetime budgets and ends as they stand at the hour that is being delivered."""
        self._spent: dict[str, int] = defaultdict(int)

    def taken_in(self, things: Iterable[Thing], writes: Sequence[Write]) -> list[Thing]:
        """Campaigns, ad sets and ads of the account that are new here."""
        found = []
        for thing in things:
            if thing.account_id != self._account.plan.id or thing.kind not in LEVELS:
                continue
            if thing.id in self._known:
                continue
            self._known[thing.id] = thing
            for field in _FOLLOWED:
                self._values[(thing.id, field)] = first_value(thing, field, writes)
            if thing.id not in self._own:
                found.append(thing)
                if thing.kind is Kind.AD:
                    self._approved[thing.id] = None
        return found

    def apply(self, write: Write) -> None:
        """Follow a write that was accepted."""
        if write.field in _FOLLOWED:
            self._values[(write.object, write.field)] = write.new
        if write.field == "review":
            self._approved[write.object] = datetime.fromisoformat(write.new) if write.new else None

    def may_run(self, ad: MarketAd, moment: datetime) -> bool:
        """Whether review and schedule let an ad run at a moment."""
        if ad.id in self._approved:
            approved = self._approved[ad.id]
            if approved is None or moment < approved:
                return False
        if ad.adset_id in self._own or ad.adset_id not in self._known:
            return True
        start, end = self._schedule(self._known[ad.adset_id])
        return moment >= start and (end is None or moment < end)

    def budget(self, holder: str, daily: int) -> int:
        """The budget of a day: the daily one, or a lifetime budget's share of its days."""
        lifetime = self._values.get((holder, "lifetime_budget"))
        if daily or lifetime is None:
            return daily
        start, end = self._schedule(self._known[holder])
        days = _OPEN_DAYS if end is None else max((end - start) / timedelta(days=1), 1.0)
        return math.floor(int(lifetime) / days)

    def left(self, holder: str) -> float:
        """What a lifetime budget has left; endless for a daily one."""
        lifetime = self._values.get((holder, "lifetime_budget"))
        return math.inf if lifetime is None else max(int(lifetime) - self._spent[holder], 0)

    def spend(self, holder: str, minor: int) -> None:
        """Count what a budget has paid."""
        self._spent[holder] += minor

    def _schedule(self, thing: Thing) -> tuple[datetime, datetime | None]:
        start = thing.attributes.get("start_time")
        end = self._values.get((thing.id, "end_time"))
        return (
            thing.created_time if start is None else datetime.fromisoformat(start).astimezone(UTC),
            None if not end else datetime.fromisoformat(end).astimezone(UTC),
        )

    def market_ad(self, thing: Thing) -> MarketAd:
        """An ad that was taken in, with what drives it."""
        plan = self._account.plan
        minor = plan.rate * offset(plan.currency)
        campaign = self._known.get(thing.campaign_id or "")
        held = campaign is not None and (campaign.daily_budget, campaign.lifetime_budget) != (
            None,
            None,
        )
        objective = "" if campaign is None else campaign.attributes.get("objective", "")
        draw = random.Random(f"made:{thing.id}")  # noqa: S311 - chance, not a secret
        roas = draw.uniform(*_ROAS.get(objective, _ROAS_OF_OTHERS))
        order = draw.uniform(*_ORDERS) * minor
        click_rate, share = draw.uniform(*_CLICK_RATES), draw.uniform(0.5, 1.5)
        return MarketAd(
            id=thing.id,
            adset_id=thing.adset_id or "",
            campaign_id=thing.campaign_id or "",
            holder=(thing.campaign_id if held else thing.adset_id) or "",
            plan=AdPlan(thing.name, share, 1.0, click_rate),
            share=share,
            reference=_REFERENCE_DOLLARS * minor,
            selling=roas / order,
            order=order,
            since=thing.created_time,
        )


def first_value(thing: Thing, field: str, writes: Sequence[Write]) -> str | None:
    """What a field was when the object was made: what it was before its first change."""
    for write in writes:
        if write.object == thing.node_id and write.field == field and write.accepted:
            return write.old
    value = getattr(thing, field) if hasattr(thing, field) else thing.attributes.get(field)
    return None if value is None else str(value)
