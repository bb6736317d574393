"""The invented shop behind the market: Tarnfell, who sell outdoor gear.

Budgets and order values are in US dollars here and scaled to each account's currency.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from zyenta_ads_pipeline.domain.money import offset
from zyenta_ads_pipeline.sandbox.made_objects import (
    make_account,
    make_ad,
    make_adset,
    make_campaign,
    make_creative,
)
from zyenta_ads_pipeline.sandbox.objects import Thing


@dataclass(frozen=True)
class AdPlan:
    """An ad: its pull on its budget, its return relative to the campaign's, its click rate."""

    name: str
    share: float
    quality: float
    click_rate: float


@dataclass(frozen=True)
class CampaignPlan:
    """A campaign: return on spend at its first budget, mean order in dollars, ad sets.

    With `daily` dollars the campaign holds the budget, otherwise each ad set holds its own.
    It is paused `paused_after` of its history's way through.
    """

    name: str
    roas: float
    order: float
    adsets: tuple[tuple[str, float | None, tuple[AdPlan, ...]], ...]
    daily: float | None = None
    paused_after: float | None = None


@dataclass(frozen=True)
class AccountPlan:
    """An ad account; `rate` is units of its currency per dollar, `people` whom it can reach."""

    id: str
    name: str
    currency: str
    timezone: str
    country: str
    rate: float
    people: int


ACCOUNTS = (
    AccountPlan("10158734012345601", "Tarnfell Outdoor US", "USD", "America/New_York", "US", 1,
                900_000),
    AccountPlan("10158734012345602", "Tarnfell Outdoor DE", "EUR", "Europe/Berlin", "DE", 0.9,
                700_000),
    AccountPlan("10158734012345603", "Tarnfell Outdoor JP", "JPY", "Asia/Tokyo", "JP", 150,
                800_000),
    AccountPlan("10158734012345604", "Tarnfell Outdoor UK", "GBP", "Europe/London", "GB", 0.8,
                600_000),
)  # fmt: skip

CAMPAIGNS = (
    CampaignPlan(
        "Trail running | Prospecting", 4.0, 84, daily=150,
        adsets=(("Runners 25-45", None, (
            AdPlan("Ridge shoe | video 15s", 0.45, 1.1, 0.019),
            AdPlan("Ridge shoe | carousel", 0.33, 1.0, 0.016),
            AdPlan("Race vest | still", 0.22, 0.8, 0.012),
        )),),
    ),
    CampaignPlan(
        "Rain jackets | Broad", 2.2, 118, daily=180,
        adsets=(("Broad 18+", None, (
            AdPlan("Storm shell | testimonial", 0.5, 1.15, 0.015),
            AdPlan("Storm shell | catalogue", 0.5, 0.85, 0.011),
        )), ("Returning visitors", None, (
            AdPlan("Storm shell | reminder", 1.0, 1.0, 0.021),
        ))),
    ),
    CampaignPlan(
        "Tents and sleeping bags | Interests", 1.3, 210,
        adsets=(("Family camping", 80, (
            AdPlan("Meadow tent | still", 0.6, 1.05, 0.010),
            AdPlan("Meadow tent | video 30s", 0.4, 0.95, 0.013),
        )), ("Thru-hikers", 60, (
            AdPlan("Feather bag | still", 0.5, 1.1, 0.012),
            AdPlan("Feather bag | carousel", 0.5, 0.9, 0.011),
        ))),
    ),
    CampaignPlan(
        "Climbing hardware | Lookalike", 0.4, 66, daily=110,
        adsets=(("Lookalike 3%", None, (
            AdPlan("Cam set | still", 0.55, 1.0, 0.007),
            AdPlan("Harness | video 15s", 0.45, 1.0, 0.008),
        )),),
    ),
    CampaignPlan(
        "Winter boots | Last season", 1.8, 132, paused_after=0.4,
        adsets=(("Cold states", 70, (
            AdPlan("Glacier boot | still", 0.5, 1.0, 0.012),
            AdPlan("Glacier boot | carousel", 0.5, 1.0, 0.012),
        )),),
    ),
)  # fmt: skip

_FIRST_ID = 120_210_000_000_000_000


@dataclass(frozen=True)
class MarketAd:
    """An ad with what drives it. Amounts in the account's minor units.

    `holder` is the object that holds the budget, `reference` the ad's daily spend at the first
    budget, `sales` its mean daily sales at that spend, `order` its mean order value.
    """

    id: str
    adset_id: str
    campaign_id: str
    holder: str
    plan: AdPlan
    share: float
    reference: float
    sales: float
    order: float


@dataclass(frozen=True)
class MarketAccount:
    """One account of the market as it stands before any write."""

    plan: AccountPlan
    things: tuple[Thing, ...]
    ads: tuple[MarketAd, ...]
    pauses: tuple[tuple[str, datetime], ...]


def build_account(number: int, opened: datetime, days: int) -> MarketAccount:
    """The account of that number, from 0; its history begins at `opened` (UTC)."""
    plan = ACCOUNTS[number]
    minor = plan.rate * offset(plan.currency)
    created = opened - timedelta(days=3)
    things = [make_account(plan.id, plan.name, plan.currency, plan.timezone, created)]
    ads: list[MarketAd] = []
    pauses: list[tuple[str, datetime]] = []
    next_id = _FIRST_ID + number * 10_000

    def fresh() -> str:
        nonlocal next_id
        next_id += 17
        return str(next_id)

    for campaign in CAMPAIGNS:
        campaign_id = fresh()
        paused = campaign.paused_after
        things.append(
            make_campaign(
                campaign_id,
                plan.id,
                campaign.name,
                created,
                daily_budget=_minor(campaign.daily, minor),
                status="ACTIVE" if paused is None else "PAUSED",
            )
        )
        if paused is not None:
            moment = opened + timedelta(days=round(days * paused))
            pauses.append((campaign_id, moment))
            things[-1] = replace(things[-1], updated_time=moment)
        for name, daily, plans in campaign.adsets:
            adset_id = fresh()
            budget = _minor(daily, minor)
            things.append(
                make_adset(
                    adset_id,
                    plan.id,
                    campaign_id,
                    name,
                    created,
                    daily_budget=budget,
                    countries=(plan.country,),
                )
            )
            for ad in plans:
                ad_id, creative_id = fresh(), fresh()
                title = ad.name.partition(" | ")[0]
                things.append(make_creative(creative_id, plan.id, ad.name, title, created))
                things.append(
                    make_ad(
                        ad_id,
                        plan.id,
                        ad.name,
                        created,
                        campaign_id=campaign_id,
                        adset_id=adset_id,
                        creative_id=creative_id,
                    )
                )
                share = ad.share / (1 if daily is not None else len(campaign.adsets))
                reference = share * (daily or campaign.daily or 0) * minor
                order = campaign.order * minor
                ads.append(
                    MarketAd(
                        id=ad_id,
                        adset_id=adset_id,
                        campaign_id=campaign_id,
                        holder=adset_id if daily is not None else campaign_id,
                        plan=ad,
                        share=share,
                        reference=reference,
                        sales=campaign.roas * ad.quality * reference / order,
                        order=order,
                    )
                )
    return MarketAccount(plan, tuple(things), tuple(ads), tuple(pauses))


def _minor(dollars: float | None, minor: float) -> int | None:
    return None if dollars is None else round(dollars * minor)
