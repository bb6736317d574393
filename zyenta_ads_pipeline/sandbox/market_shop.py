"""The invented shop behind the market: Tarnfell, who sell outdoor gear.

Budgets and order values are in US dollars here and scaled to each account's currency.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count

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
class RetiredPlan:
    """An ad that ran in an ad set for a part of the history, and was archived or deleted then."""

    adset: str
    ad: AdPlan
    status: str
    after: float


@dataclass(frozen=True)
class CampaignPlan:
    """A campaign: return on spend at its first budget while its ads are fresh, mean order in
    dollars, ad sets.

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
    AccountPlan("10158734012345605", "Tarnfell Outdoor IN", "INR", "Asia/Kolkata", "IN", 85,
                1_200_000),
    AccountPlan("10158734012345606", "Tarnfell Outdoor AU", "AUD", "Australia/Adelaide", "AU",
                1.5, 300_000),
    AccountPlan("10158734012345607", "Tarnfell Outdoor BR", "BRL", "America/Sao_Paulo", "BR",
                5.5, 900_000),
    AccountPlan("10158734012345608", "Tarnfell Outdoor CA", "CAD", "America/Vancouver", "CA",
                1.4, 400_000),
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

RETIRED = (
    RetiredPlan("Runners 25-45", AdPlan("Ridge shoe | first cut", 0.15, 0.7, 0.013),
                "ARCHIVED", 0.5),
    RetiredPlan("Broad 18+", AdPlan("Storm shell | old logo", 0.2, 0.6, 0.010),
                "DELETED", 0.6),
)  # fmt: skip
"""Ads that are gone; what they spent is still in the totals of their ad sets."""

_FIRST_ID = 120_210_000_000_000_000
_FIRST_RETIRED = 5_000
_ID_STEP = 17


@dataclass(frozen=True)
class MarketAd:
    """An ad with what drives it. Amounts in the account's minor units.

    `holder` is the object that holds the budget. While that spends `reference` a day, a minor unit
    of this ad makes `selling` sales in the mean, as long as the ad is fresh: it tires from `since`
    (UTC) on. `order` is its mean order value.
    """

    id: str
    adset_id: str
    campaign_id: str
    holder: str
    plan: AdPlan
    share: float
    reference: float
    selling: float
    order: float
    since: datetime


@dataclass(frozen=True)
class MarketAccount:
    """One account of the market as it stands before any write.

    `endings` are the objects that stopped in the history: id, when (UTC), and the status then.
    """

    plan: AccountPlan
    things: tuple[Thing, ...]
    ads: tuple[MarketAd, ...]
    endings: tuple[tuple[str, datetime, str], ...]


def build_account(number: int, opened: datetime, days: int) -> MarketAccount:
    """The account of that number, from 0; its history begins at `opened` (UTC)."""
    return _Builder(number, opened, days).account()


class _Builder:
    """Makes the objects of one account, each with the next free id."""

    def __init__(self, number: int, opened: datetime, days: int) -> None:
        self._plan = ACCOUNTS[number]
        self._minor = self._plan.rate * offset(self._plan.currency)
        self._opened, self._days = opened, days
        self._created = opened - timedelta(days=3)
        first = _FIRST_ID + number * 10_000
        self._ids = count(first + _ID_STEP, _ID_STEP)
        self._retired_ids = count(first + _FIRST_RETIRED, _ID_STEP)
        self._things: list[Thing] = []
        self._ads: list[MarketAd] = []
        self._endings: list[tuple[str, datetime, str]] = []

    def account(self) -> MarketAccount:
        plan = self._plan
        self._things.append(
            make_account(plan.id, plan.name, plan.currency, plan.timezone, self._created)
        )
        places = [self._campaign(campaign) for campaign in CAMPAIGNS]
        # The retired come last, with ids of their own: they change nobody else's draws.
        for place in (each for adsets in places for each in adsets):
            for retired in RETIRED:
                if retired.adset == place.name:
                    self._retired(place, retired)
        return MarketAccount(plan, tuple(self._things), tuple(self._ads), tuple(self._endings))

    def _campaign(self, campaign: CampaignPlan) -> list[_Place]:
        campaign_id = str(next(self._ids))
        paused = campaign.paused_after
        made = make_campaign(
            campaign_id,
            self._plan.id,
            campaign.name,
            self._created,
            daily_budget=self._whole(campaign.daily),
            status="ACTIVE" if paused is None else "PAUSED",
        )
        if paused is not None:
            made = replace(made, updated_time=self._end(campaign_id, paused, "PAUSED"))
        self._things.append(made)
        places: list[_Place] = []
        for name, daily, plans in campaign.adsets:
            adset_id = str(next(self._ids))
            self._things.append(
                make_adset(
                    adset_id,
                    self._plan.id,
                    campaign_id,
                    name,
                    self._created,
                    daily_budget=self._whole(daily),
                    countries=(self._plan.country,),
                )
            )
            places.append(_Place(campaign, campaign_id, name, adset_id, daily))
            for ad in plans:
                self._ad(places[-1], ad, self._ids)
        return places

    def _retired(self, place: _Place, retired: RetiredPlan) -> None:
        self._ad(place, retired.ad, self._retired_ids)
        ad = self._things[-1]
        moment = self._end(ad.id, retired.after, retired.status)
        self._things[-1] = replace(ad, status=retired.status, updated_time=moment)

    def _ad(self, place: _Place, ad: AdPlan, ids: Iterator[int]) -> None:
        ad_id, creative_id = str(next(ids)), str(next(ids))
        title = ad.name.partition(" | ")[0]
        self._things.append(
            make_creative(creative_id, self._plan.id, ad.name, title, self._created)
        )
        self._things.append(
            make_ad(
                ad_id,
                self._plan.id,
                ad.name,
                self._created,
                campaign_id=place.campaign_id,
                adset_id=place.adset_id,
                creative_id=creative_id,
            )
        )
        campaign, daily = place.campaign, place.daily
        share = ad.share / (1 if daily is not None else len(campaign.adsets))
        order = campaign.order * self._minor
        self._ads.append(
            MarketAd(
                id=ad_id,
                adset_id=place.adset_id,
                campaign_id=place.campaign_id,
                holder=place.adset_id if daily is not None else place.campaign_id,
                plan=ad,
                share=share,
                reference=(daily or campaign.daily or 0) * self._minor,
                selling=campaign.roas * ad.quality / order,
                order=order,
                since=self._opened,
            )
        )

    def _end(self, object_id: str, after: float, status: str) -> datetime:
        """Note that an object stops that part of the history's way through; gives when."""
        moment = self._opened + timedelta(days=round(self._days * after))
        self._endings.append((object_id, moment, status))
        return moment

    def _whole(self, dollars: float | None) -> int | None:
        return None if dollars is None else round(dollars * self._minor)


@dataclass(frozen=True)
class _Place:
    """An ad set of the plan with its ids; `daily` is its own budget in dollars, if it has one."""

    campaign: CampaignPlan
    campaign_id: str
    name: str
    adset_id: str
    daily: float | None
