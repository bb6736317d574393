"""From a shop's catalogue to launched campaigns of every objective, and no secret anywhere."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import dagster as dg
import pytest

from tests.campaigns.launching import connected
from tests.faces.campaign_home import carried_out
from tests.sandboxes import run_sandbox
from zyenta_ads_pipeline.agent import AdsAgent
from zyenta_ads_pipeline.connections import store_of, vault_of
from zyenta_ads_pipeline.creatives.catalogue import read_products
from zyenta_ads_pipeline.domain.campaign import CampaignObjective, CampaignStatus
from zyenta_ads_pipeline.domain.shop import ShopStore
from zyenta_ads_pipeline.sandbox.config import SandboxConfig
from zyenta_ads_pipeline.sandbox.process import SandboxHandle
from zyenta_ads_pipeline.settings import Settings, load_settings
from zyenta_ads_pipeline.store.connections import Connections
from zyenta_ads_pipeline.store.shops import Shops

DATA = Path(__file__).parents[3] / "shared" / "data" / "eshop"
SECRET = "EAAGcatalogueSECRETmarked0123456789"
NOW = datetime(2026, 11, 20, tzinfo=UTC)

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason=f"the catalogue for trials is not at {DATA}"
)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxHandle]:
    config = SandboxConfig(state=tmp_path_factory.mktemp("sandbox"), port=0, days=3, token=SECRET)
    with run_sandbox(config) as handle:
        yield handle


@pytest.fixture
def settings(sandbox: SandboxHandle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.validation_alias), raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZYENTA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("META_GRAPH_URL", sandbox.url)
    made = load_settings()
    made.home.mkdir()
    to = connected(sandbox)
    shop = ShopStore(
        id="eshop",
        name="Northern Outfitters",
        niche="outdoor",
        domain="outfitters.example",
        countries=("US",),
        currency=to.currency,
        created_at=NOW,
    )
    read = read_products(DATA / "catalog.json", store=shop, pictures=DATA / "pics")
    assert len(read.products) == 101
    assert not read.refused
    with store_of(made) as store:
        shops = Shops(store)
        shops.add(shop)
        shops.put_products(read.products, NOW)
        shops.put_media(read.media, NOW)
        Connections(store, vault_of(made)).save(replace(to, store_id="eshop"), SECRET, NOW)
    return made


@pytest.mark.parametrize("objective", CampaignObjective)
def test_the_catalogue_becomes_a_campaign_of_each_objective(
    settings: Settings, objective: CampaignObjective
) -> None:
    agent = AdsAgent(settings, look_again=0.02)
    campaign = asyncio.run(agent.create_campaign("eshop", "meta", objective, Decimal(50)))
    assert campaign.status is CampaignStatus.PENDING_REVIEW
    assert len({each.draft.headline for each in campaign.creatives}) == 3
    assert all(each.platform_ad_id for each in campaign.creatives)


def test_no_secret_is_in_what_dagster_keeps(
    settings: Settings, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("DEBUG")
    agent = AdsAgent(settings, look_again=0.02)
    request = agent.request_campaign("eshop", "meta", CampaignObjective.TRAFFIC, Decimal(50))
    root = settings.home / "dagster"
    root.mkdir()
    with dg.DagsterInstance.local_temp(str(root)) as instance:
        assert carried_out(instance, request.id).success
        assert instance.fetch_materializations(dg.AssetKey("launched_campaigns"), limit=1).records
    heard = caplog.text + "".join(capfd.readouterr())
    assert SECRET not in heard
    files = [path for path in settings.home.rglob("*") if path.is_file()]
    assert any(root in path.parents for path in files)
    for path in files:
        assert SECRET.encode() not in path.read_bytes(), path
