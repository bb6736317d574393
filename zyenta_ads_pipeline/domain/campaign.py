"""Campaigns of ours, from request to completion: the seeds' vocabulary and the allowed steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar

from zyenta_ads_pipeline.domain.errors import IllegalTransition

S = TypeVar("S", bound=StrEnum)

LONGEST_DAYS = 90
"""The seeds' limit of a campaign's duration."""


class CampaignObjective(StrEnum):
    """What a campaign is for (the seeds' five)."""

    AWARENESS = "awareness"
    TRAFFIC = "traffic"
    ENGAGEMENT = "engagement"
    CONVERSIONS = "conversions"
    CATALOG_SALES = "catalog_sales"


class CampaignStatus(StrEnum):
    """The life of a campaign of ours (the seeds' seven)."""

    DRAFT = "draft"
    PENDING_REVIEW = "pending_review"
    ACTIVE = "active"
    PAUSED = "paused"
    COMPLETED = "completed"
    REJECTED = "rejected"
    ERROR = "error"


class OptimizationAction(StrEnum):
    """What an optimization did (the seeds' seven)."""

    BUDGET_INCREASE = "budget_increase"
    BUDGET_DECREASE = "budget_decrease"
    BUDGET_MAINTAIN = "budget_maintain"
    CREATIVE_PAUSED = "creative_paused"
    CREATIVE_SCALED = "creative_scaled"
    CAMPAIGN_PAUSED = "campaign_paused"
    TARGETING_ADJUSTED = "targeting_adjusted"


class BudgetLevel(StrEnum):
    """Which objects hold a campaign's budget: itself, or its ad sets."""

    CAMPAIGN = "campaign"
    ADSET = "adset"


_RUNNING = {
    CampaignStatus.PENDING_REVIEW,
    CampaignStatus.ACTIVE,
    CampaignStatus.PAUSED,
    CampaignStatus.COMPLETED,
    CampaignStatus.REJECTED,
    CampaignStatus.ERROR,
}
CAMPAIGN_TRANSITIONS: dict[CampaignStatus, frozenset[CampaignStatus]] = {
    # A draft that could not be launched is an error, to be resumed or rolled back to a draft.
    CampaignStatus.DRAFT: frozenset({CampaignStatus.PENDING_REVIEW, CampaignStatus.ERROR}),
    **{
        status: frozenset(_RUNNING - {status})
        for status in _RUNNING - {CampaignStatus.COMPLETED, CampaignStatus.ERROR}
    },
    CampaignStatus.ERROR: frozenset(_RUNNING - {CampaignStatus.ERROR} | {CampaignStatus.DRAFT}),
    CampaignStatus.COMPLETED: frozenset(),
}
"""The allowed steps. A completed campaign stays completed: Meta brings none back."""


@dataclass(frozen=True)
class CampaignRequest:
    """What a buyer asked for. Money in minor units of `currency`; moments aware, UTC.

    `product_ids` empty: the store's products in their order. `name` empty: one is made.
    """

    id: str
    store_id: str
    platform: str
    objective: CampaignObjective
    daily_budget_minor: int
    currency: str
    duration_days: int
    requested_at: datetime
    requested_by: str
    name: str = ""
    product_ids: Sequence[str] = ()
    variations: int = 3
    budget_level: BudgetLevel = BudgetLevel.ADSET
    auto_optimize: bool = True


@dataclass(frozen=True)
class AdCampaign:
    """A campaign of ours as it stands. Money in minor units of `currency`, metrics since its start.

    The ratios are Meta's numbers pooled: None where the denominator is empty. `status_reason`
    says in a buyer's words why it stands where it stands. `adopted`: it was made in Ads Manager.
    """

    id: str
    store_id: str
    platform: str
    account_id: str
    name: str
    objective: CampaignObjective
    status: CampaignStatus
    status_reason: str
    currency: str
    daily_budget_minor: int
    total_budget_minor: int | None
    budget_level: BudgetLevel
    start_date: datetime
    end_date: datetime | None
    targeting: Mapping[str, Any]
    auto_optimize: bool
    created_at: datetime
    updated_at: datetime
    platform_campaign_id: str | None = None
    request_id: str | None = None
    adopted: bool = False
    spent_minor: int = 0
    impressions: int = 0
    clicks: int = 0
    conversions: int = 0
    revenue_minor: int = 0
    cpc: Decimal | None = None
    cpm: Decimal | None = None
    ctr: Decimal | None = None
    roas: Decimal | None = None
    last_optimized_at: datetime | None = None
    synced_at: datetime | None = None
    creatives: Sequence[Any] = field(default=())
    """Its `domain.creative.AdCreative`s, where they were asked for."""


@dataclass(frozen=True)
class OptimizationLog:
    """One optimization of a campaign, append-only (the seeds' CampaignOptimizationLog)."""

    campaign_id: str
    action: OptimizationAction
    previous_value: Mapping[str, Any] | None
    new_value: Mapping[str, Any] | None
    reason: str
    confidence: Decimal
    metrics: Mapping[str, Any] | None
    created_at: datetime


def require_step(what: str, before: S, after: S, transitions: Mapping[S, frozenset[S]]) -> None:
    """Raise `IllegalTransition`, naming both states, unless the step is allowed."""
    if after not in transitions[before]:
        allowed = ", ".join(sorted(transitions[before]))
        raise IllegalTransition(
            f"{what} is {before.value} and cannot become {after.value}.",
            f"From {before.value} it can become: {allowed or 'nothing, it is final'}.",
        )
