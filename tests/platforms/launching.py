"""Specs of a whole campaign, and a connection to launch it with."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from tests.platforms.conftest import TOKEN
from zyenta_ads_pipeline.domain.campaign import CampaignObjective
from zyenta_ads_pipeline.domain.launch import AdSetSpec, AdSpec, CampaignSpec, CreativeSpec
from zyenta_ads_pipeline.platforms.meta.client import MetaClient
from zyenta_ads_pipeline.platforms.meta.platform import MetaAds

T = TypeVar("T")

START = datetime(2026, 11, 4, 9, 0, tzinfo=UTC)
TARGETING: dict[str, Any] = {
    "geo_locations": {"countries": ["US", "CA"]},
    "age_min": 18,
    "age_max": 65,
    "targeting_automation": {"advantage_audience": 0},
}
CAMPAIGN = CampaignSpec(name="Autumn zy-1c", objective=CampaignObjective.CONVERSIONS)
AD_SET = AdSetSpec(
    campaign_id="120200000000000011",
    name="Autumn benefit zy-1s",
    objective=CampaignObjective.CONVERSIONS,
    targeting=TARGETING,
    start_time=START,
    end_time=START + timedelta(days=7),
    daily_budget_minor=2500,
    page_id="100000000000001",
    pixel_id="900000000000001",
)
CREATIVE = CreativeSpec(
    name="benefit zy-1k",
    page_id="100000000000001",
    headline="Warm all day",
    message="Merino that keeps you warm, from the first frost on.",
    call_to_action="SHOP_NOW",
    link_url="https://shop.example/merino",
    image_hash="a1b2c3",
)
VIDEO = replace(CREATIVE, image_hash=None, video_id="77", thumbnail_hash="d4e5f6")
CATALOGUE = replace(CREATIVE, image_hash=None, product_set_id="88")
AD = AdSpec(name="benefit zy-1a", ad_set_id="120200000000000012", creative_id="120200000000000013")


def use(url: str, call: Callable[[MetaAds], Awaitable[T]], token: str = TOKEN, **options: Any) -> T:
    """Run one call with a connection of its own."""

    async def run() -> T:
        settings = {"timeout": 30.0, "max_wait": 0.0, **options}
        client = MetaClient(base_url=url, version="v26.0", token=token, **settings)
        async with MetaAds(client) as meta:
            return await call(meta)

    return asyncio.run(run())
