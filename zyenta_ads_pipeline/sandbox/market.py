"""The market: an invented shop whose ads deliver as the clock goes, and answer to budgets.

It is a function of its seed, its start and the writes made to it: nothing of what it delivered
is stored, and a restart delivers the same again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, partial
from typing import Any

import polars as pl

from zyenta_ads_pipeline.domain.money import to_major
from zyenta_ads_pipeline.domain.time import account_day, zone
from zyenta_ads_pipeline.sandbox.call import Call
from zyenta_ads_pipeline.sandbox.facts import COUNTS, Facts
from zyenta_ads_pipeline.sandbox.insights_query import InsightsQuery
from zyenta_ads_pipeline.sandbox.market_delivery import AdDay, Delivery, Sale
from zyenta_ads_pipeline.sandbox.market_shop import ACCOUNTS, build_account
from zyenta_ads_pipeline.sandbox.objects import Objects, Thing
from zyenta_ads_pipeline.sandbox.state import Write

_PURCHASE_TYPES = ("omni_purchase", "purchase", "offsite_conversion.fb_pixel_purchase")
_CART_TYPES = ("omni_add_to_cart", "add_to_cart", "offsite_conversion.fb_pixel_add_to_cart")
_SHOP = 3
"""Raised when the shop itself changes: a state then belongs to another market."""
_CLICK_WINDOWS = ("7d_click", "28d_click")
"""Windows that hold the sales of 1d_click too; no sale here comes later than 7 days."""


class Market:
    """A source that invents. Facts change at full hours only."""

    name = "market"
    warnings: Sequence[str] = ()
    restating = True

    def __init__(
        self,
        *,
        seed: int,
        days: int,
        accounts: int,
        born: datetime,
        writes: Callable[[], Sequence[Write]],
        made: Callable[[], Sequence[Thing]] = tuple,
    ) -> None:
        """`days` of history lie before `born` (UTC); `writes` gives all writes so far, and `made`
        all objects as they stand now, those that clients made among them."""
        self.identity: Mapping[str, Any] = {
            "source": self.name,
            "seed": seed,
            "days": days,
            "accounts": accounts,
            "shop": _SHOP,
        }
        self._writes = writes
        self._made = made
        self._deliveries: list[Delivery] = []
        for number in range(accounts):
            timezone = ACCOUNTS[number].timezone
            first = account_day(born, timezone) - timedelta(days=days)
            opened = datetime.combine(first, time(), zone(timezone)).astimezone(UTC)
            self._deliveries.append(Delivery(build_account(number, opened, days), seed, opened))
        self._facts: Facts | None = None
        self._seed = str(seed)

    def things(self) -> list[Thing]:
        """The shop's objects before any write."""
        return [thing for each in self._deliveries for thing in each.account.things]

    def facts(self, now: datetime) -> Facts:
        """Everything delivered and reported up to the last full hour before `now`."""
        hour = int(now.timestamp()) // 3600
        if self._facts is None or self._facts.version != str(hour):
            writes, made = self._writes(), self._made()
            for delivery in self._deliveries:
                delivery.run(hour, writes, made)
            self._facts = Facts(
                _frame(self._deliveries, hour),
                version=str(hour),
                audience={d.account.plan.id: d.account.plan.people for d in self._deliveries},
                seed=self._seed,
                hours=cache(partial(_hours, self._deliveries)),
            )
        return self._facts

    def saved_page(
        self, query: InsightsQuery, call: Call, objects: Objects
    ) -> dict[str, Any] | None:
        """A market has no stored pages."""
        return None


def _frame(deliveries: Sequence[Delivery], hour: int) -> pl.DataFrame:
    rows: list[dict[str, Any]] = []
    for delivery in deliveries:
        sold: dict[tuple[date, int], list[Sale]] = defaultdict(list)
        ever_sold = {(sale.day, sale.ad) for sale in delivery.sales}
        for sale in delivery.sales:
            if sale.reported <= hour and (sale.withdrawn is None or sale.withdrawn > hour):
                sold[(sale.day, sale.ad)].append(sale)
        for (day, index), did in sorted(delivery.days.items(), key=lambda item: item[0]):
            ever = (day, index) in ever_sold
            counted = delivery.settled(day, index, did, hour, sold=ever)
            if counted is not None:
                rows.append(_row(delivery, day, index, counted, sold[(day, index)]))
    columns: dict[str, Any] = {"date": pl.Date}
    columns |= dict.fromkeys(("account_id", "campaign_id", "adset_id", "ad_id"), pl.String)
    columns |= dict.fromkeys(("impressions", "clicks", "inline_link_clicks"), pl.Int64)
    columns |= dict.fromkeys(["spend", *_stat_columns()], pl.String)
    return pl.DataFrame(rows, schema=columns, orient="row")


def _hours(deliveries: Sequence[Delivery]) -> pl.DataFrame:
    """What each ad did in each hour of its days, as `Facts.hours` wants it."""
    schema: dict[str, Any] = {"date": pl.Date, "ad_id": pl.String, "hour": pl.Int64}
    schema |= dict.fromkeys((*COUNTS, "spend"), pl.Int64)
    rows = [
        (day, delivery.ads[index].id, *did)
        for delivery in deliveries
        for day, index, *did in delivery.hours
    ]
    return pl.DataFrame(rows, schema=schema, orient="row")


def _stat_columns() -> list[str]:
    """Every column of statistics, those of a window after those of the default."""
    plain = ["actions.link_click", "actions.landing_page_view"]
    plain += [f"actions.{kind}" for kind in (*_CART_TYPES, *_PURCHASE_TYPES)]
    plain += [f"action_values.{kind}" for kind in _PURCHASE_TYPES]
    windows = ("1d_click", *_CLICK_WINDOWS, "1d_view")
    return plain + [
        f"{column}.{kind}|{window}"
        for window in windows
        for column in ("actions", "action_values")
        for kind in _PURCHASE_TYPES
    ]


def _row(
    delivery: Delivery, day: date, index: int, did: AdDay, sales: Sequence[Sale]
) -> dict[str, Any]:
    ad, plan = delivery.ads[index], delivery.account.plan
    row: dict[str, Any] = {
        "date": day,
        "account_id": plan.id,
        "campaign_id": ad.campaign_id,
        "adset_id": ad.adset_id,
        "ad_id": ad.id,
        "impressions": did.impressions,
        "clicks": did.clicks,
        "inline_link_clicks": did.link_clicks,
        "spend": str(to_major(did.minor, plan.currency)),
        "actions.link_click": _count(did.link_clicks),
        "actions.landing_page_view": _count(did.page_views),
    }
    carts = _count(max(did.carts, len(sales)))
    row |= {f"actions.{kind}": carts for kind in _CART_TYPES}
    by_window = {
        "": list(sales),
        "|1d_click": [s for s in sales if s.window == "1d_click"],
        "|1d_view": [s for s in sales if s.window == "1d_view"],
    }
    clicked = [s for s in sales if s.window.endswith("_click")]
    by_window |= {f"|{window}": clicked for window in _CLICK_WINDOWS}
    for suffix, part in by_window.items():
        if not part:
            continue
        value = str(to_major(sum(sale.minor for sale in part), plan.currency))
        for kind in _PURCHASE_TYPES:
            row[f"actions.{kind}{suffix}"] = str(len(part))
            row[f"action_values.{kind}{suffix}"] = value
    return row


def _count(number: int) -> str | None:
    return str(number) if number else None
