"""Objects for numbers that came without them: accounts, campaigns, ad sets, ads, creatives.

Rule for budgets: each campaign is ACTIVE and holds a daily budget (CBO), the mean daily spend of
its last 7 days with delivery, rounded up to a whole major unit, and at least the minimum.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import ROUND_CEILING
from itertools import count
from typing import Any

import polars as pl

from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.money import offset
from zyenta_ads_pipeline.domain.time import zone
from zyenta_ads_pipeline.sandbox.amounts import exact_sum
from zyenta_ads_pipeline.sandbox.budgets import minimum_daily_budget
from zyenta_ads_pipeline.sandbox.made_objects import (
    make_account,
    make_ad,
    make_adset,
    make_campaign,
    make_creative,
)
from zyenta_ads_pipeline.sandbox.objects import Thing

_FIRST_CREATIVE = 90_000_000_000_000_001
_BUDGET_DAYS = 7


@dataclass(frozen=True)
class AccountTraits:
    """What rows tell of an account: name, currency, IANA time zone."""

    name: str
    currency: str
    timezone: str


def synthesise(
    frame: pl.DataFrame,
    accounts: Mapping[str, AccountTraits],
    names: Mapping[tuple[Level, str], str],
) -> list[Thing]:
    """The objects behind the rows of `frame`, parents first.

    `frame` has `date`, `spend` (texts), and ids as far as the rows know them; `names` are the
    names that are known, by level and id.
    """
    used = {i for name in frame.columns if name.endswith("_id") for i in frame[name].unique()}
    creative_ids = (str(n) for n in count(_FIRST_CREATIVE) if str(n) not in used)
    things: list[Thing] = []
    for account_id, traits in accounts.items():
        rows = frame.filter(pl.col("account_id") == account_id)
        maker = _Maker(rows, account_id, traits, names)
        things += [maker.account(), *maker.campaigns(), *maker.adsets(), *maker.ads(creative_ids)]
    return things


@dataclass(frozen=True)
class _Maker:
    """Makes the objects of one account from its rows."""

    rows: pl.DataFrame
    account_id: str
    traits: AccountTraits
    names: Mapping[tuple[Level, str], str]

    def account(self) -> Thing:
        return make_account(
            self.account_id,
            self.traits.name,
            self.traits.currency,
            self.traits.timezone,
            self._midnight(self.rows["date"].sort()[0]),
        )

    def campaigns(self) -> Iterator[Thing]:
        if "campaign_id" not in self.rows.columns:
            return
        budgets = {
            key[0]: budget_rule(rows, self.traits.currency)
            for key, rows in self.rows.group_by("campaign_id")
        }
        for row in self._objects("campaign_id"):
            found = row["campaign_id"]
            yield make_campaign(
                found,
                self.account_id,
                self._name(Level.CAMPAIGN, found, "Campaign"),
                self._midnight(row["first_day"]),
                daily_budget=budgets[found],
            )

    def adsets(self) -> Iterator[Thing]:
        for row in self._objects("adset_id", "campaign_id"):
            yield make_adset(
                row["adset_id"],
                self.account_id,
                row.get("campaign_id"),
                self._name(Level.ADSET, row["adset_id"], "Ad set"),
                self._midnight(row["first_day"]),
            )

    def ads(self, creative_ids: Iterator[str]) -> Iterator[Thing]:
        for row in self._objects("ad_id", "adset_id", "campaign_id"):
            name = self._name(Level.AD, row["ad_id"], "Ad")
            created, creative = self._midnight(row["first_day"]), next(creative_ids)
            yield make_creative(creative, self.account_id, f"Creative of {name}", name, created)
            yield make_ad(
                row["ad_id"],
                self.account_id,
                name,
                created,
                campaign_id=row.get("campaign_id"),
                adset_id=row.get("adset_id"),
                creative_id=creative,
            )

    def _objects(self, *ids: str) -> Iterator[dict[str, Any]]:
        """Each object once, with its parents' ids and its first day."""
        if ids[0] not in self.rows.columns:
            return iter(())
        known = [name for name in ids if name in self.rows.columns]
        first_day = pl.col("date").min().alias("first_day")
        return self.rows.group_by(known, maintain_order=True).agg(first_day).iter_rows(named=True)

    def _name(self, level: Level, found: str, word: str) -> str:
        return self.names.get((level, found), f"{word} {found}")

    def _midnight(self, day: date) -> datetime:
        """The start of an account's day, UTC."""
        return datetime.combine(day, time(), zone(self.traits.timezone)).astimezone(UTC)


def budget_rule(rows: pl.DataFrame, currency: str) -> int:
    """The daily budget, in whole minor units, for a campaign with these rows."""
    delivered = rows.filter(pl.col("spend").str.contains("[1-9]"))
    days = delivered["date"].unique().sort(descending=True).head(_BUDGET_DAYS)
    recent = delivered.filter(pl.col("date").is_in(days.implode()))
    least = minimum_daily_budget(currency)
    if days.is_empty():
        return least
    mean = exact_sum(recent["spend"]) / len(days)
    return max(int(mean.to_integral_value(ROUND_CEILING)) * offset(currency), least)
