"""From a request to a draft: creatives written and checked, people chosen, all stored."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from zyenta_ads_pipeline.creatives.generator import generate
from zyenta_ads_pipeline.creatives.targeting import targeting_for
from zyenta_ads_pipeline.creatives.template_writer import TemplateWriter
from zyenta_ads_pipeline.creatives.writers import Writer
from zyenta_ads_pipeline.domain.campaign import AdCampaign, CampaignRequest, CampaignStatus
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.domain.shop import PlatformConnection, ShopStore
from zyenta_ads_pipeline.domain.time import account_day, day_start
from zyenta_ads_pipeline.platforms.base import AdsLauncher
from zyenta_ads_pipeline.settings import Settings
from zyenta_ads_pipeline.store.campaigns import Campaigns
from zyenta_ads_pipeline.store.database import Store
from zyenta_ads_pipeline.store.shops import Shops


def writer_of(settings: Settings) -> Writer:
    """Who writes the texts: a language model where one is configured, else templates."""
    key = settings.openai_api_key
    if key is None and settings.openai_base_url is None:
        return TemplateWriter()
    from zyenta_ads_pipeline.creatives.openai_writer import (  # noqa: PLC0415 - loads slowly
        OpenAiWriter,
    )

    return OpenAiWriter(
        api_key=key.get_secret_value() if key else None,
        model=settings.openai_model,
        base_url=settings.openai_base_url,
    )


async def draft_campaign(
    store: Store,
    request: CampaignRequest,
    connection: PlatformConnection,
    platform: AdsLauncher,
    writer: Writer,
    *,
    actor: str,
    now: datetime,
    tell: Callable[[str], None],
) -> AdCampaign:
    """Store the request's campaign as a draft with its creatives and targeting.

    `now` is by the platform's clock; the campaign runs to the end of the account's day, so that no
    day is cut short. Raises `InputError` for a store without products, what the writer and the
    platform raise, and then stores nothing.
    """
    shops = Shops(store)
    shop = shops.get(request.store_id)
    products = shops.products(shop.id, request.product_ids)
    if not products:
        raise InputError(
            f"The store {shop.name} has no products to advertise.",
            f"Import them with `zyenta store import {shop.id} catalogue.csv`.",
        )
    tell(f"Writing {request.variations} creatives ({writer.name})")
    made = await generate(
        shop,
        products,
        shops.media(shop.id),
        platform=request.platform,
        objective=request.objective,
        variations=request.variations,
        writer=writer,
        seed=request.id,
    )
    tell("Choosing whom to aim at")
    aimed = await targeting_for(shop, request.objective, platform, products)
    for note in (*made.notes, *aimed.notes):
        tell(note)
    last = account_day(now, connection.timezone) + timedelta(days=request.duration_days)
    campaign = AdCampaign(
        id="",
        store_id=shop.id,
        platform=request.platform,
        account_id=connection.account_id,
        name=request.name or _name(shop, request, now),
        objective=request.objective,
        status=CampaignStatus.DRAFT,
        status_reason="Drafted.",
        currency=request.currency,
        daily_budget_minor=request.daily_budget_minor,
        total_budget_minor=request.daily_budget_minor * request.duration_days,
        budget_level=request.budget_level,
        start_date=now,
        end_date=day_start(last + timedelta(days=1), connection.timezone),
        targeting=aimed.targeting,
        auto_optimize=request.auto_optimize,
        created_at=now,
        updated_at=now,
        request_id=request.id,
    )
    campaigns = Campaigns(store)
    stored = campaigns.add(campaign, made.drafts, actor=actor, now=now)
    campaigns.add_rejections(stored.id, made.rejections, now=now)
    return stored


def _name(shop: ShopStore, request: CampaignRequest, now: datetime) -> str:
    objective = request.objective.value.replace("_", " ")
    return f"{shop.name} - {objective} - {now:%Y-%m-%d %H:%M}"
