"""Stores, campaigns and plans that the tests of the operational store share."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from zyenta_ads_pipeline.domain.campaign import (
    AdCampaign,
    BudgetLevel,
    CampaignObjective,
    CampaignRequest,
    CampaignStatus,
    OptimizationAction,
    OptimizationLog,
)
from zyenta_ads_pipeline.domain.creative import (
    Angle,
    CreativeDraft,
    CreativeOrigin,
    CreativeType,
    Rejection,
)
from zyenta_ads_pipeline.domain.launch import StepKind
from zyenta_ads_pipeline.domain.shop import (
    MediaAsset,
    MediaKind,
    PlatformConnection,
    Product,
    ShopStore,
)
from zyenta_ads_pipeline.store.campaigns import Campaigns
from zyenta_ads_pipeline.store.database import Store
from zyenta_ads_pipeline.store.launches import PlannedStep
from zyenta_ads_pipeline.store.shops import Shops

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
LEASE = timedelta(minutes=5)
_numbers = itertools.count(1)


def shop(store_id: str = "shop", **more: Any) -> ShopStore:
    made = ShopStore(
        id=store_id,
        name="Lumen",
        niche="candles",
        domain="lumen.example",
        countries=("DE", "AT"),
        currency="EUR",
        created_at=NOW,
        interests=("scented candles",),
    )
    return replace(made, **more)


def product(product_id: str = "p1", **more: Any) -> Product:
    made = Product(
        id=product_id,
        store_id="shop",
        title=f"Candle {product_id}",
        description="Burns for 40 hours.",
        price_minor=2490,
        currency="EUR",
        position=int("".join(c for c in product_id if c.isdigit()) or 0),
    )
    return replace(made, **more)


def picture(asset_id: str = "m1", **more: Any) -> MediaAsset:
    made = MediaAsset(
        id=asset_id, store_id="shop", kind=MediaKind.IMAGE, source=f"/pictures/{asset_id}.jpg"
    )
    return replace(made, **more)


def connection(store_id: str = "shop", **more: Any) -> PlatformConnection:
    made = PlatformConnection(
        store_id=store_id,
        platform="meta",
        account_id="101",
        account_name="Lumen ads",
        currency="EUR",
        timezone="Europe/Berlin",
        page_id="900",
        page_name="Lumen",
        pixel_id="77",
        instagram_user_id=None,
        product_catalog_id=None,
        product_set_id=None,
        has_token=False,
        token_expires_at=None,
        token_checked_at=None,
        connected_at=NOW,
        updated_at=NOW,
    )
    return replace(made, **more)


def request(request_id: str | None = None, **more: Any) -> CampaignRequest:
    made = CampaignRequest(
        id=request_id or f"r{next(_numbers)}",
        store_id="shop",
        platform="meta",
        objective=CampaignObjective.CATALOG_SALES,
        daily_budget_minor=5000,
        currency="EUR",
        duration_days=14,
        requested_at=NOW,
        requested_by="eva",
        product_ids=("p1", "p2"),
    )
    return replace(made, **more)


def campaign(campaign_id: str | None = None, **more: Any) -> AdCampaign:
    made = AdCampaign(
        id=campaign_id or f"c{next(_numbers)}",
        store_id="shop",
        platform="meta",
        account_id="101",
        name="Candles in winter",
        objective=CampaignObjective.CONVERSIONS,
        status=CampaignStatus.DRAFT,
        status_reason="asked for",
        currency="EUR",
        daily_budget_minor=5000,
        total_budget_minor=70_000,
        budget_level=BudgetLevel.ADSET,
        start_date=NOW,
        end_date=NOW + timedelta(days=14),
        targeting={"geo_locations": {"countries": ["DE"]}, "age_min": 18},
        auto_optimize=True,
        created_at=NOW,
        updated_at=NOW,
    )
    return replace(made, **more)


def draft(name: str = "Warm", **more: Any) -> CreativeDraft:
    made = CreativeDraft(
        name=name,
        type=CreativeType.IMAGE,
        angle=Angle.PROBLEM_SOLUTION,
        headline="Forty hours of calm",
        description="Hand-poured candles that burn for forty hours.",
        call_to_action="SHOP_NOW",
        media_ids=("m1",),
        link_url="https://lumen.example/p1",
        origin=CreativeOrigin(
            writer="template", model="", prompt_version="1", product_ids=("p1", "p2")
        ),
    )
    return replace(made, **more)


def rejection(**more: Any) -> Rejection:
    made = Rejection(
        angle="urgency",
        headline="LAST CHANCE!!!",
        description="Buy now.",
        call_to_action="SHOP_NOW",
        rule="shouting",
        reason="The headline is in capitals.",
        attempt=1,
    )
    return replace(made, **more)


def optimization(campaign_id: str, **more: Any) -> OptimizationLog:
    made = OptimizationLog(
        campaign_id=campaign_id,
        action=OptimizationAction.TARGETING_ADJUSTED,
        previous_value={"daily_budget": Decimal("50.00")},
        new_value=None,
        reason="The audience was too small.",
        confidence=Decimal("0.8500"),
        metrics={"roas": Decimal("2.10"), "cpa": None},
        created_at=NOW,
    )
    return replace(made, **more)


PLAN = (
    PlannedStep("image:a", StepKind.IMAGE, "a picture", "zy-i"),
    PlannedStep("campaign", StepKind.CAMPAIGN, "Candles in winter", "zy-c"),
    PlannedStep("adset:1", StepKind.ADSET, "Warm", "zy-s"),
)


def opened(store: Store, *shops: ShopStore) -> Store:
    """The store with shops in it: one, unless they are named."""
    for each in shops or (shop(),):
        Shops(store).add(each)
    return store


def launched(store: Store, **more: Any) -> AdCampaign:
    """A stored draft with two creatives, in a shop that is there already."""
    drafts = [draft("Warm"), draft("Bright")]
    return Campaigns(store).add(campaign(**more), drafts, actor="test", now=NOW)
