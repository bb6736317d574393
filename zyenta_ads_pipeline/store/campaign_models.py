"""The tables of campaigns: requests, campaigns, creatives, and what happened to them.

`campaign_optimization_log`, `campaign_journal` and `creative_rejections` are append-only:
triggers refuse any other change. Money is whole minor units of the campaign's currency; `cpc`
and `cpm` are in major units; the ratios are NULL where the denominator is empty.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from zyenta_ads_pipeline.domain.campaign import (
    BudgetLevel,
    CampaignObjective,
    CampaignStatus,
    OptimizationAction,
)
from zyenta_ads_pipeline.domain.creative import Angle, CreativeStatus, CreativeType
from zyenta_ads_pipeline.store.columns import ExactDecimal, PlainJson, UtcDateTime, words
from zyenta_ads_pipeline.store.models import Base
from zyenta_ads_pipeline.store.shop_models import ShopRow

LONG_WORD = 32
_SERIAL = BigInteger().with_variant(Integer, "sqlite")


class RequestStep(StrEnum):
    """Where a request stands."""

    WAITING = "waiting"
    WORKING = "working"
    DONE = "done"
    FAILED = "failed"


class RequestRow(Base):
    """One campaign that a buyer asked for, and how far it is."""

    __tablename__ = "campaign_requests"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    store_id: Mapped[str] = mapped_column(Text, ForeignKey(ShopRow.id))
    platform: Mapped[str] = mapped_column(String(32))
    objective: Mapped[CampaignObjective] = mapped_column(words(CampaignObjective))
    daily_budget_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    duration_days: Mapped[int]
    requested_at: Mapped[datetime] = mapped_column(UtcDateTime)
    requested_by: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    product_ids: Mapped[list[str]] = mapped_column(PlainJson)
    variations: Mapped[int]
    budget_level: Mapped[BudgetLevel] = mapped_column(words(BudgetLevel))
    auto_optimize: Mapped[bool] = mapped_column(Boolean)

    key: Mapped[str | None] = mapped_column(String(200))
    """The caller's own mark of this request: the same key makes no second one."""
    body_hash: Mapped[str] = mapped_column(String(64))
    state: Mapped[RequestStep] = mapped_column(words(RequestStep))
    owner: Mapped[str | None] = mapped_column(Text)
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    attempt: Mapped[int]
    """How many times it was claimed."""
    campaign_id: Mapped[str | None] = mapped_column(String(64), ForeignKey("ad_campaigns.id"))
    error: Mapped[str | None] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index("uq_campaign_requests_key", "key", unique=True),
        Index("ix_campaign_requests_state", "state", "requested_at"),
    )


class CampaignRow(Base):
    """One campaign as it stands. Its request, if it has one, is named, and has no other."""

    __tablename__ = "ad_campaigns"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    store_id: Mapped[str] = mapped_column(Text, ForeignKey(ShopRow.id))
    platform: Mapped[str] = mapped_column(String(32))
    account_id: Mapped[str] = mapped_column(String(64))
    platform_campaign_id: Mapped[str | None] = mapped_column(String(64))
    request_id: Mapped[str | None] = mapped_column(String(64))
    adopted: Mapped[bool] = mapped_column(Boolean)
    name: Mapped[str] = mapped_column(Text)
    objective: Mapped[CampaignObjective] = mapped_column(words(CampaignObjective))
    status: Mapped[CampaignStatus] = mapped_column(words(CampaignStatus))
    status_reason: Mapped[str] = mapped_column(Text)
    currency: Mapped[str] = mapped_column(String(3))
    daily_budget_minor: Mapped[int] = mapped_column(BigInteger)
    total_budget_minor: Mapped[int | None] = mapped_column(BigInteger)
    budget_level: Mapped[BudgetLevel] = mapped_column(words(BudgetLevel))
    start_date: Mapped[datetime] = mapped_column(UtcDateTime)
    end_date: Mapped[datetime | None] = mapped_column(UtcDateTime)
    targeting: Mapped[dict[str, Any]] = mapped_column(PlainJson)
    auto_optimize: Mapped[bool] = mapped_column(Boolean)

    spent_minor: Mapped[int] = mapped_column(BigInteger)
    impressions: Mapped[int] = mapped_column(BigInteger)
    clicks: Mapped[int] = mapped_column(BigInteger)
    conversions: Mapped[int] = mapped_column(BigInteger)
    revenue_minor: Mapped[int] = mapped_column(BigInteger)
    cpc: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    cpm: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    ctr: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    """A fraction: clicks for each impression."""
    roas: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    last_optimized_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    synced_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index("ix_ad_campaigns_store_id", "store_id", "created_at"),
        Index("ix_ad_campaigns_account_id", "account_id", "created_at"),
        Index("ix_ad_campaigns_status", "status"),
        Index("ix_ad_campaigns_created_at", "created_at"),
        Index("ix_ad_campaigns_updated_at", "updated_at"),
        Index("uq_ad_campaigns_platform_id", "platform", "platform_campaign_id", unique=True),
        Index("uq_ad_campaigns_request_id", "request_id", unique=True),
        Index(
            "ix_ad_campaigns_listed",
            "currency", "status", "name", "objective", "store_id", "account_id", "platform",
            "created_at", "updated_at", "daily_budget_minor", "spent_minor", "revenue_minor",
            "impressions", "clicks", "conversions", "id",
        ),  # what a list filters, sorts and sums by: it reads the index and not the rows
    )  # fmt: skip


class CreativeRow(Base):
    """One creative of a campaign: what it says and shows, its test, its place, its numbers."""

    __tablename__ = "ad_creatives"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    campaign_id: Mapped[str] = mapped_column(String(64), ForeignKey(CampaignRow.id))
    position: Mapped[int]
    name: Mapped[str] = mapped_column(Text)
    type: Mapped[CreativeType] = mapped_column(words(CreativeType))
    angle: Mapped[Angle | None] = mapped_column(words(Angle, length=LONG_WORD))
    headline: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text)
    call_to_action: Mapped[str] = mapped_column(Text)
    media_ids: Mapped[list[str]] = mapped_column(PlainJson)
    link_url: Mapped[str] = mapped_column(Text)
    origin: Mapped[dict[str, Any]] = mapped_column(PlainJson)
    """`domain.creative.CreativeOrigin`: who wrote the texts, from what, at what cost."""
    status: Mapped[CreativeStatus] = mapped_column(words(CreativeStatus))
    platform_creative_id: Mapped[str | None] = mapped_column(String(64))
    platform_ad_set_id: Mapped[str | None] = mapped_column(String(64))
    platform_ad_id: Mapped[str | None] = mapped_column(String(64))
    impressions: Mapped[int] = mapped_column(BigInteger)
    clicks: Mapped[int] = mapped_column(BigInteger)
    conversions: Mapped[int] = mapped_column(BigInteger)
    spend_minor: Mapped[int] = mapped_column(BigInteger)
    revenue_minor: Mapped[int] = mapped_column(BigInteger)
    review_feedback: Mapped[dict[str, str]] = mapped_column(PlainJson)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index("uq_ad_creatives_campaign_position", "campaign_id", "position", unique=True),
        Index("ix_ad_creatives_status", "status"),
    )


class OptimizationRow(Base):
    """One optimization of a campaign; append-only."""

    __tablename__ = "campaign_optimization_log"

    id: Mapped[int] = mapped_column(_SERIAL, primary_key=True, autoincrement=True)
    campaign_id: Mapped[str] = mapped_column(String(64), ForeignKey(CampaignRow.id))
    action: Mapped[OptimizationAction] = mapped_column(words(OptimizationAction, length=LONG_WORD))
    previous_value: Mapped[dict[str, Any] | None] = mapped_column(PlainJson)
    new_value: Mapped[dict[str, Any] | None] = mapped_column(PlainJson)
    reason: Mapped[str] = mapped_column(Text)
    confidence: Mapped[Decimal] = mapped_column(ExactDecimal)
    metrics: Mapped[dict[str, Any] | None] = mapped_column(PlainJson)
    """As they were known at that moment."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index("ix_campaign_optimization_log_campaign_id", "campaign_id", "id"),
        Index("ix_campaign_optimization_log_created_at", "created_at"),
    )


class CampaignJournalRow(Base):
    """One thing that happened to a campaign or to one of its creatives; append-only."""

    __tablename__ = "campaign_journal"

    id: Mapped[int] = mapped_column(_SERIAL, primary_key=True, autoincrement=True)
    campaign_id: Mapped[str] = mapped_column(String(64), ForeignKey(CampaignRow.id))
    creative_id: Mapped[str | None] = mapped_column(String(64), ForeignKey(CreativeRow.id))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor: Mapped[str] = mapped_column(Text)
    what: Mapped[str] = mapped_column(String(64))
    from_value: Mapped[str | None] = mapped_column(Text)
    to_value: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)

    __table_args__ = (Index("ix_campaign_journal_campaign_id", "campaign_id", "id"),)


class RejectionRow(Base):
    """One text that was not taken, and why; append-only."""

    __tablename__ = "creative_rejections"

    id: Mapped[int] = mapped_column(_SERIAL, primary_key=True, autoincrement=True)
    campaign_id: Mapped[str] = mapped_column(String(64), ForeignKey(CampaignRow.id))
    angle: Mapped[str] = mapped_column(Text)
    headline: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text)
    call_to_action: Mapped[str] = mapped_column(Text)
    rule: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    attempt: Mapped[int]
    at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (Index("ix_creative_rejections_campaign_id", "campaign_id", "id"),)
