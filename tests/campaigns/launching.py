"""A shop, a sandbox and what a launch works with: shared by the tests of launches."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from PIL import Image

from tests.store.campaign_samples import campaign, connection, draft, shop
from zyenta_ads_pipeline.campaigns.launch import LaunchPlace
from zyenta_ads_pipeline.creatives.media_files import fetch
from zyenta_ads_pipeline.domain.campaign import AdCampaign, CampaignObjective
from zyenta_ads_pipeline.domain.creative import Angle
from zyenta_ads_pipeline.domain.shop import MediaAsset, MediaKind, PlatformConnection, Product
from zyenta_ads_pipeline.platforms.meta.client import MetaClient
from zyenta_ads_pipeline.platforms.meta.platform import MetaAds
from zyenta_ads_pipeline.sandbox.process import SandboxHandle
from zyenta_ads_pipeline.store.campaigns import Campaigns
from zyenta_ads_pipeline.store.database import Store
from zyenta_ads_pipeline.store.launches import Launches
from zyenta_ads_pipeline.store.shops import Shops

TARGETING: dict[str, Any] = {
    "geo_locations": {"countries": ["US"]},
    "age_min": 18,
    "age_max": 65,
    "targeting_automation": {"advantage_audience": 0},
}
_WITH_BUDGET = ("campaigns", "adsets")
_ANGLES = (Angle.BENEFIT, Angle.SOCIAL_PROOF, Angle.PROBLEM_SOLUTION)


def picture(path: Path, colour: str = "teal") -> Path:
    """A real picture of the size that Meta likes."""
    Image.new("RGB", (1080, 1080), colour).save(path, "JPEG")
    return path


def graph(sandbox: SandboxHandle) -> httpx.Client:
    """A plain client, to look at what is on the sandbox without our code."""
    return httpx.Client(
        base_url=f"{sandbox.url}/v26.0",
        headers={"Authorization": f"Bearer {sandbox.config.token}"},
        timeout=30,
    )


def connected(sandbox: SandboxHandle) -> PlatformConnection:
    """The connection to the sandbox's first account, with all that it has."""
    with graph(sandbox) as api:
        account = api.get("/me/adaccounts", params={"fields": "id,name,currency,timezone_name"})
        first = account.json()["data"][0]
        page = api.get(f"/{first['id']}/promote_pages", params={"fields": "id,name"}).json()["data"]
        pixel = api.get(f"/{first['id']}/adspixels", params={"fields": "id"}).json()["data"]
    account_id = first["id"].removeprefix("act_")
    catalogue, product_set = asyncio.run(_catalogue(sandbox, account_id))
    return connection(
        product_catalog_id=catalogue,
        product_set_id=product_set,
        account_id=account_id,
        currency=first["currency"],
        timezone=first["timezone_name"],
        page_id=page[0]["id"],
        page_name=page[0]["name"],
        pixel_id=pixel[0]["id"],
    )


async def _catalogue(sandbox: SandboxHandle, account_id: str) -> tuple[str, str]:
    client = MetaClient(base_url=sandbox.url, version="v26.0", token=sandbox.config.token)
    async with MetaAds(client) as platform:
        first = (await platform.catalogues(account_id))[0]
        return first.id, first.product_sets[0][0]


@dataclass
class Launching:
    """One store and one sandbox."""

    store: Store
    sandbox: SandboxHandle
    folder: Path
    connection: PlatformConnection

    @property
    def campaigns(self) -> Campaigns:
        return Campaigns(self.store)

    @property
    def launches(self) -> Launches:
        return Launches(self.store)

    def stock(self) -> None:
        """A shop with a product and its picture."""
        now = datetime.now(UTC)
        Shops(self.store).add(shop(currency=self.connection.currency))
        goods = Product(
            id="p1",
            store_id="shop",
            title="Warm candle",
            description="Burns for forty hours.",
            price_minor=2490,
            currency=self.connection.currency,
        )
        Shops(self.store).put_products([goods], now)
        source = str(picture(self.folder / "m1.jpg"))
        asset = MediaAsset(id="m1", store_id="shop", kind=MediaKind.IMAGE, source=source)
        Shops(self.store).put_media([asset], now)

    def drafted(
        self,
        objective: CampaignObjective = CampaignObjective.CONVERSIONS,
        *,
        creatives: int = 2,
        **more: Any,
    ) -> AdCampaign:
        """A stored draft for the sandbox's account."""
        now = self.now()
        asked = campaign(
            account_id=self.connection.account_id,
            currency=self.connection.currency,
            objective=objective,
            targeting=TARGETING,
            start_date=now,
            end_date=now + timedelta(days=14),
            **more,
        )
        texts = [
            draft(f"Idea {place}", angle=_ANGLES[place % 3], headline=f"Calm evening {place}")
            for place in range(creatives)
        ]
        if objective is CampaignObjective.CATALOG_SALES:
            texts = [replace(text, media_ids=()) for text in texts]
        return self.campaigns.add(asked, texts, actor="test", now=now)

    def now(self) -> datetime:
        """The sandbox's time."""
        return self.sandbox.now()

    def platform(self) -> MetaAds:
        """A connection of its own, patient in no way: what waits is told at once."""
        return MetaAds(
            MetaClient(
                base_url=self.sandbox.url,
                version="v26.0",
                token=self.sandbox.config.token,
                timeout=5,
                max_wait=0,
            )
        )

    def place(self, platform: MetaAds, **more: Any) -> LaunchPlace:
        """What a launch works with; looks follow each other closely."""

        async def content(asset: MediaAsset) -> tuple[MediaAsset, bytes]:
            found = await fetch(asset)
            return found.asset, found.content

        given: dict[str, Any] = {
            "platform": platform,
            "campaigns": self.campaigns,
            "launches": self.launches,
            "shops": Shops(self.store),
            "connection": self.connection,
            "content": content,
            "stopped": lambda _account: None,
            "owner": "run 1",
            "now": lambda: datetime.now(UTC),
            "least_budget_minor": 100,
            "look_again": 0.02,
        }
        return LaunchPlace(**(given | more))

    def on_sandbox(self, edge: str) -> list[dict[str, Any]]:
        """What an edge of the account lists, of every status but DELETED."""
        fields = "id,name,status,daily_budget" if edge in _WITH_BUDGET else "id,name,status"
        with graph(self.sandbox) as api:
            reply = api.get(
                f"/act_{self.connection.account_id}/{edge}",
                params={"fields": fields, "limit": "500"},
            )
            assert reply.status_code == 200, reply.text
            found: list[dict[str, Any]] = reply.json()["data"]
            return found

    def ours(self, edge: str) -> list[dict[str, Any]]:
        """Those of an edge that carry a token of ours."""
        return [each for each in self.on_sandbox(edge) if "[zy" in each["name"]]


@contextmanager
def launching(store: Store, sandbox: SandboxHandle, folder: Path) -> Iterator[Launching]:
    """A stocked shop on a sandbox."""
    made = Launching(store, sandbox, folder, connected(sandbox))
    made.stock()
    yield made
