"""Stores, products and media for the tests of the creatives; the shared catalogue where it is."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from zyenta_ads_pipeline.creatives.calls_to_action import fitting
from zyenta_ads_pipeline.creatives.facts import Facts, facts_of
from zyenta_ads_pipeline.creatives.writers import Brief, Concept
from zyenta_ads_pipeline.domain import money
from zyenta_ads_pipeline.domain.campaign import CampaignObjective
from zyenta_ads_pipeline.domain.shop import MediaAsset, MediaKind, Product, ShopStore

CATALOG = Path(__file__).parents[3] / "shared" / "data" / "eshop" / "catalog.json"

STORE = ShopStore(
    id="s1",
    name="Alpine Corner",
    niche="outdoor gear",
    domain="alpine.shop",
    countries=("US",),
    currency="USD",
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
)
BOOTS = Product(
    id="p1",
    store_id="s1",
    title="Wanderer Hiking Boots",
    description="Waterproof leather boots with a durable rubber sole. The padded collar keeps "
    "your feet comfortable on long days.",
    price_minor=10999,
    currency="USD",
    category="Footwear",
    brand="Daybird",
    url="https://alpine.shop/boots",
)
PICTURE = MediaAsset(id="m1", store_id="s1", kind=MediaKind.IMAGE, source="boots.jpg")


def brief(
    *products: Product,
    objective: CampaignObjective = CampaignObjective.CONVERSIONS,
    store: ShopStore = STORE,
    **more: Any,
) -> Brief:
    return Brief(store, products or (BOOTS,), objective, "meta", fitting("meta", objective), **more)


def facts(description: str | None = None, **more: Any) -> Facts:
    """The facts of the boots, with another description or other fields."""
    changed = more if description is None else {**more, "description": description}
    return facts_of(brief(replace(BOOTS, **changed)))


def concept(**more: Any) -> Concept:
    """A good concept about the boots, with other fields."""
    good = Concept(
        angle="benefit",
        headline="Meet the Wanderer",
        primary_text="Leather boots with a padded collar, for long days on your feet.",
        visual="boots on a rock",
        cta="SHOP_NOW",
        emotion="joy",
        product_id="p1",
    )
    return replace(good, **more)


def catalogue() -> list[Product]:
    """The shared catalogue's products; the test is skipped where it is absent."""
    if not CATALOG.exists():
        pytest.skip(f"the shared catalogue is not at {CATALOG}")
    return [
        Product(
            id=str(row["Id"]),
            store_id=STORE.id,
            title=row["Name"],
            description=row["Description"],
            price_minor=money.to_minor(Decimal(str(row["Price"])), "USD"),
            currency="USD",
            category=row["Type"],
            brand=row["Brand"],
            position=place,
        )
        for place, row in enumerate(json.loads(CATALOG.read_text(encoding="utf-8")))
    ]
