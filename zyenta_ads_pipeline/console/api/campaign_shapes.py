"""Campaigns and creatives as the API shows them; the seeds' fields, and more beside them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from pydantic import Field

from zyenta_ads_pipeline.console.api.shapes import Json, Moment, Money, PageOf, Ratio, Shape
from zyenta_ads_pipeline.console.api.writing import (
    amount,
    dumps,
    moment,
    number,
    optional_amount,
)
from zyenta_ads_pipeline.console.desks.campaigns import Progress
from zyenta_ads_pipeline.domain.campaign import (
    AdCampaign,
    BudgetLevel,
    CampaignObjective,
    CampaignStatus,
)
from zyenta_ads_pipeline.domain.creative import AdCreative, Angle, CreativeStatus, CreativeType
from zyenta_ads_pipeline.store.campaign_pages import CampaignLine, CampaignPage, Totals
from zyenta_ads_pipeline.store.orders import OrderKind


class Created(Shape):
    """The reply to a new campaign, as the seeds have it. `campaign_id` is good at once: until the
    campaign is made it shows how far it is."""

    success: bool
    campaign_id: str = Field(alias="campaign_id")
    name: str
    status: CampaignStatus
    request_id: str
    daily_budget: Money
    currency: str
    message: str

    model_config = Shape.model_config | {
        "json_schema_extra": {
            "examples": [
                {
                    "success": True,
                    "campaign_id": "5b0e7d1f4c5a4d8e9b9f3a1c2d4e6f70",
                    "name": "Winter",
                    "status": "draft",
                    "requestId": "5b0e7d1f4c5a4d8e9b9f3a1c2d4e6f70",
                    "dailyBudget": 50.0,
                    "currency": "EUR",
                    "message": "Asked for; the running pipeline makes it.",
                }
            ]
        }
    }


class Line(Shape):
    """A campaign in a list."""

    id: str
    name: str
    platform: str
    objective: CampaignObjective
    status: CampaignStatus
    status_reason: str
    daily_budget: Money
    spent_amount: Money
    revenue: Money
    currency: str
    impressions: int
    clicks: int
    conversions: int
    roas: Ratio
    ctr: Ratio
    cpc: Ratio
    creatives_count: int = Field(alias="creatives_count")
    proposed_changes: int
    store_id: str
    account_id: str
    platform_campaign_id: str | None
    start_date: Moment
    end_date: Moment | None
    auto_optimize: bool
    adopted: bool
    created_at: Moment
    updated_at: Moment
    synced_at: Moment | None


class Total(Shape):
    """Sums over every campaign of one currency that fits; `roas` is pooled."""

    currency: str
    campaigns: int
    active: int
    active_daily_budget: Money
    spent_amount: Money
    revenue: Money
    impressions: int
    clicks: int
    conversions: int
    roas: Ratio


class Listed(PageOf):
    """A page of campaigns."""

    campaigns: list[Line]
    totals: list[Total]
    by_status: dict[str, int]


class Performance(Shape):
    """A campaign's numbers since its start."""

    impressions: int
    clicks: int
    conversions: int
    revenue: Money
    cpc: Ratio
    cpm: Ratio
    ctr: Ratio
    roas: Ratio


class Creative(Shape):
    """A creative of a campaign."""

    id: str
    name: str
    type: CreativeType
    headline: str
    description: str
    call_to_action: str
    angle: Angle | None
    status: CreativeStatus
    impressions: int
    clicks: int
    conversions: int
    spend: Money
    revenue: Money
    currency: str
    roas: Ratio
    link_url: str
    media_ids: list[str]
    written_by: str
    platform_ad_id: str | None
    platform_ad_set_id: str | None
    review_feedback: dict[str, str]


class Creatives(Shape):
    """A campaign's creatives."""

    creatives: list[Creative]


class Detail(Shape):
    """One campaign, or a request that is not a campaign yet (`request` then says how far)."""

    id: str
    name: str
    platform: str
    objective: CampaignObjective
    status: CampaignStatus
    status_reason: str
    daily_budget: Money
    total_budget: Money | None
    spent_amount: Money
    currency: str
    start_date: Moment | None
    end_date: Moment | None
    targeting: dict[str, Any]
    performance: Performance
    creatives: list[Creative]
    store_id: str
    account_id: str | None
    platform_campaign_id: str | None
    budget_level: BudgetLevel
    auto_optimize: bool
    adopted: bool
    request_id: str | None
    created_at: Moment
    updated_at: Moment
    synced_at: Moment | None
    last_optimized_at: Moment | None
    allowed: list[OrderKind] = Field(
        description="What may be ordered of it as it stands, by you, and is not asked for already."
    )


@lru_cache(maxsize=4096)
def line(row: CampaignLine) -> str:
    """A campaign of a list, as the text of its JSON.

    Two hundred of these are written on a request, nearly all of them the same as the last time: so
    no model is built, and a row that stands as it stood is not written anew.
    """
    return dumps(_line(row))


def _line(row: CampaignLine) -> Json:
    currency = row.currency
    return {
        "id": row.id,
        "name": row.name,
        "platform": row.platform,
        "objective": row.objective,
        "status": row.status,
        "statusReason": row.status_reason,
        "dailyBudget": amount(row.daily_budget_minor, currency),
        "spentAmount": amount(row.spent_minor, currency),
        "revenue": amount(row.revenue_minor, currency),
        "currency": currency,
        "impressions": row.impressions,
        "clicks": row.clicks,
        "conversions": row.conversions,
        "roas": number(row.roas),
        "ctr": number(row.ctr),
        "cpc": number(row.cpc),
        "creatives_count": row.creatives,
        "proposedChanges": row.proposed,
        "storeId": row.store_id,
        "accountId": row.account_id,
        "platformCampaignId": row.platform_campaign_id,
        "startDate": moment(row.start_date),
        "endDate": moment(row.end_date),
        "autoOptimize": row.auto_optimize,
        "adopted": row.adopted,
        "createdAt": moment(row.created_at),
        "updatedAt": moment(row.updated_at),
        "syncedAt": moment(row.synced_at),
    }


def total(sums: Totals) -> Json:
    """The sums of one currency."""
    currency = sums.currency
    return {
        "currency": currency,
        "campaigns": sums.campaigns,
        "active": sums.active,
        "activeDailyBudget": amount(sums.active_budget_minor, currency),
        "spentAmount": amount(sums.spent_minor, currency),
        "revenue": amount(sums.revenue_minor, currency),
        "impressions": sums.impressions,
        "clicks": sums.clicks,
        "conversions": sums.conversions,
        "roas": None if sums.roas is None else round(float(sums.roas), 6),
    }


def listed(page: CampaignPage, where: Json) -> bytes:
    """A page of campaigns as JSON; `where` it stands among all."""
    rest = where | {
        "totals": [total(each) for each in page.totals.values()],
        "byStatus": dict(page.by_status),
    }
    rows = ",".join([line(row) for row in page.rows])
    return f'{{"campaigns":[{rows}],{dumps(rest)[1:]}'.encode()


def creative(each: AdCreative, currency: str) -> Json:
    """One creative."""
    spend, revenue, draft = each.spend_minor, each.revenue_minor, each.draft
    return {
        "id": each.id,
        "name": draft.name,
        "type": draft.type,
        "headline": draft.headline,
        "description": draft.description,
        "callToAction": draft.call_to_action,
        "angle": draft.angle,
        "status": each.status,
        "impressions": each.impressions,
        "clicks": each.clicks,
        "conversions": each.conversions,
        "spend": amount(spend, currency),
        "revenue": amount(revenue, currency),
        "currency": currency,
        "roas": round(revenue / spend, 6) if spend else None,
        "linkUrl": draft.link_url,
        "mediaIds": list(draft.media_ids),
        "writtenBy": draft.origin.model or draft.origin.writer,
        "platformAdId": each.platform_ad_id,
        "platformAdSetId": each.platform_ad_set_id,
        "reviewFeedback": dict(each.review_feedback),
    }


def detail(campaign: AdCampaign, allowed: list[str]) -> Json:
    """One campaign with its creatives."""
    currency = campaign.currency
    return {
        "id": campaign.id,
        "name": campaign.name,
        "platform": campaign.platform,
        "objective": campaign.objective,
        "status": campaign.status,
        "statusReason": campaign.status_reason,
        "dailyBudget": amount(campaign.daily_budget_minor, currency),
        "totalBudget": optional_amount(campaign.total_budget_minor, currency),
        "spentAmount": amount(campaign.spent_minor, currency),
        "currency": currency,
        "startDate": moment(campaign.start_date),
        "endDate": moment(campaign.end_date),
        "targeting": dict(campaign.targeting),
        "performance": {
            "impressions": campaign.impressions,
            "clicks": campaign.clicks,
            "conversions": campaign.conversions,
            "revenue": amount(campaign.revenue_minor, currency),
            "cpc": number(campaign.cpc),
            "cpm": number(campaign.cpm),
            "ctr": number(campaign.ctr),
            "roas": number(campaign.roas),
        },
        "creatives": [creative(each, currency) for each in campaign.creatives],
        "storeId": campaign.store_id,
        "accountId": campaign.account_id,
        "platformCampaignId": campaign.platform_campaign_id,
        "budgetLevel": campaign.budget_level,
        "autoOptimize": campaign.auto_optimize,
        "adopted": campaign.adopted,
        "requestId": campaign.request_id,
        "createdAt": moment(campaign.created_at),
        "updatedAt": moment(campaign.updated_at),
        "syncedAt": moment(campaign.synced_at),
        "lastOptimizedAt": moment(campaign.last_optimized_at),
        "allowed": allowed,
    }


def coming(progress: Progress) -> Json:
    """A request in the shape of the campaign that it will be."""
    request, state = progress.request, progress.state
    currency, budget = request.currency, request.daily_budget_minor
    nothing = {"impressions": 0, "clicks": 0, "conversions": 0, "revenue": amount(0, currency)}
    return {
        "id": request.id,
        "name": request.name,
        "platform": request.platform,
        "objective": request.objective,
        "status": CampaignStatus.ERROR if state.error else CampaignStatus.DRAFT,
        "statusReason": state.error or state.note or "It waits to be made.",
        "dailyBudget": amount(budget, currency),
        "totalBudget": amount(budget * request.duration_days, currency),
        "spentAmount": amount(0, currency),
        "currency": currency,
        "startDate": None,
        "endDate": None,
        "targeting": {},
        "performance": nothing | dict.fromkeys(("cpc", "cpm", "ctr", "roas")),
        "creatives": [],
        "storeId": request.store_id,
        "accountId": None,
        "platformCampaignId": None,
        "budgetLevel": request.budget_level,
        "autoOptimize": request.auto_optimize,
        "adopted": False,
        "requestId": request.id,
        "createdAt": moment(request.requested_at),
        "updatedAt": moment(state.updated_at),
        "syncedAt": None,
        "lastOptimizedAt": None,
        "allowed": [],
    }
