"""Targeting by the sandbox's own search, through the connection that a launch uses."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from tests.platforms.conftest import START, TOKEN
from tests.platforms.launching import use
from tests.sandboxes import run_sandbox
from zyenta_ads_pipeline.creatives.targeting import Aimed, mended, targeting_for
from zyenta_ads_pipeline.domain.campaign import CampaignObjective
from zyenta_ads_pipeline.domain.shop import ShopStore
from zyenta_ads_pipeline.platforms.meta.platform import MetaAds
from zyenta_ads_pipeline.sandbox.config import SandboxConfig
from zyenta_ads_pipeline.sandbox.interests import named

STORE = ShopStore(
    id="s1", name="Fjord", niche="outdoor", domain="shop.example", countries=["DE"],
    currency="EUR", created_at=datetime(2026, 1, 1, tzinfo=UTC),
)  # fmt: skip


def test_a_store_is_aimed_and_a_retired_interest_replaced(tmp_path: Path) -> None:
    config = SandboxConfig(
        state=tmp_path / "state", port=0, days=10, start=START, frozen=True, token=TOKEN
    )

    async def run(meta: MetaAds) -> tuple[Aimed, Aimed, Aimed]:
        aimed = await targeting_for(STORE, CampaignObjective.CONVERSIONS, meta)
        gone = named("Slow food")
        assert gone is not None
        interests = [{"id": gone.id, "name": gone.name}]
        old = {**aimed.targeting, "flexible_spec": [{"interests": interests}]}
        return aimed, await mended(aimed.targeting, meta), await mended(old, meta)

    with run_sandbox(config) as sandbox:
        aimed, same, new = use(sandbox.url, run)
    names = [each["name"] for each in aimed.targeting["flexible_spec"][0]["interests"]]
    assert names == ["Outdoor recreation", "Hiking", "Camping", "Mountaineering"]
    assert (same.targeting, same.notes) == (aimed.targeting, [])
    assert new.notes == [
        "The platform no longer offers the interest Slow food; Organic food took its place."
    ]
