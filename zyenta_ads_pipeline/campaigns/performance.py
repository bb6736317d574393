"""How campaigns of ours perform, from the lake: their numbers since they began, per creative too.

Money becomes minor units by the currency's offset; every number is a sum over the account's days.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.campaign import AdCampaign, BudgetLevel
from zyenta_ads_pipeline.domain.creative import CreativeStatus
from zyenta_ads_pipeline.domain.money import show, to_major, to_minor
from zyenta_ads_pipeline.lake.lake import Snapshot
from zyenta_ads_pipeline.lake.tables import AD_METRICS, AD_OBJECTS, CAMPAIGN_METRICS
from zyenta_ads_pipeline.store.campaigns import Campaigns

_SUMS = ("impressions", "clicks", "spend", "purchases", "purchase_value")
PLATFORM = "meta"
"""Who changed what we find changed on the platform, in the journal."""


def sync_performance(
    snapshot: Snapshot, campaigns: Campaigns, account_id: str, *, now: datetime
) -> int:
    """Store the numbers of every launched campaign of an account, its creatives and its budget as
    the lake has them; gives how many campaigns have numbers.

    A budget that somebody changed on the platform is taken over, and the journal says so.
    """
    known = [
        campaign
        for campaign in campaigns.find(account_id=account_id)
        if campaign.platform_campaign_id is not None
    ]
    if not known:
        return 0
    by_campaign = _sums(snapshot.scan(CAMPAIGN_METRICS), "campaign_id", account_id)
    by_ad = _sums(snapshot.scan(AD_METRICS), "ad_id", account_id)
    budgets = live_budgets(snapshot, account_id)
    found = 0
    for campaign in known:
        sums = by_campaign.get(campaign.platform_campaign_id or "")
        if sums is not None:
            found += 1
            campaigns.set_metrics(campaign.id, now=now, **_numbers(sums, campaign.currency))
        for creative in campaigns.get(campaign.id).creatives:
            of_ad = by_ad.get(creative.platform_ad_id or "")
            if of_ad is not None:
                numbers = _numbers(of_ad, campaign.currency)
                del numbers["currency"]
                numbers["spend_minor"] = numbers.pop("spent_minor")
                campaigns.set_creative_metrics(creative.id, now=now, **numbers)
        take_over_budget(campaigns, campaign, budgets, now=now)
    return found


@dataclass(frozen=True)
class LiveBudget:
    """An object's daily budget as last read, in minor units; `is_active` if it is switched on."""

    minor: int
    is_active: bool
    observed_at: datetime


def live_budgets(snapshot: Snapshot, account_id: str) -> dict[str, LiveBudget]:
    """The daily budget of each object of an account that holds one."""
    rows = snapshot.scan(AD_OBJECTS).filter(
        (pl.col("account_id") == account_id)
        & pl.col("daily_budget").is_not_null()
        & pl.col("level").is_in([Level.CAMPAIGN.value, Level.ADSET.value])
    )
    wanted = rows.select("object_id", "daily_budget", "status", "observed_at").collect()
    return {
        object_id: LiveBudget(minor, status == "ACTIVE", observed_at)
        for object_id, minor, status, observed_at in wanted.iter_rows()
    }


def take_over_budget(
    campaigns: Campaigns, campaign: AdCampaign, live: Mapping[str, LiveBudget], *, now: datetime
) -> None:
    """Where the platform shows another budget than we know of, know of it from now on.

    What was read before we last changed it says nothing.
    """
    if campaign.budget_level is BudgetLevel.CAMPAIGN:
        own = campaign.platform_campaign_id or ""
        held = [live[own]] if own in live else []
        whole = bool(held)
    else:
        ids = {
            creative.platform_ad_set_id
            for creative in campaigns.get(campaign.id).creatives
            if creative.status not in (CreativeStatus.PAUSED, CreativeStatus.LOSER)
        }
        held = [live[each] for each in ids if each in live]
        whole = bool(held) and len(held) == len(ids)
        held = [each for each in held if each.is_active] or held
    shown = sum(each.minor for each in held)
    if not whole or shown == campaign.daily_budget_minor:
        return
    known_at = [e.at for e in campaigns.journal(campaign.id) if e.what == "daily_budget_minor"]
    if known_at and max(known_at) >= min(each.observed_at for each in held):
        return
    before, after = (
        show(to_major(minor, campaign.currency), campaign.currency)
        for minor in (campaign.daily_budget_minor, shown)
    )
    campaigns.set_budget(
        campaign.id,
        shown,
        actor=PLATFORM,
        reason=f"The platform shows {after} a day; known was {before}.",
        now=now,
    )


def _sums(metrics: pl.LazyFrame, key: str, account_id: str) -> dict[str, dict[str, Any]]:
    rows = (
        metrics.filter(pl.col("account_id") == account_id)
        .group_by(key)
        .agg(pl.col(name).sum() for name in _SUMS)
        .collect()
    )
    return {row[key]: row for row in rows.iter_rows(named=True)}


def _numbers(sums: Mapping[str, Any], currency: str) -> dict[str, Any]:
    return {
        "spent_minor": to_minor(sums["spend"], currency),
        "impressions": int(sums["impressions"]),
        "clicks": int(sums["clicks"]),
        "conversions": int(sums["purchases"]),
        "revenue_minor": to_minor(sums["purchase_value"], currency),
        "currency": currency,
    }
