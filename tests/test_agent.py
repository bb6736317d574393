"""The ads agent from end to end on the sandbox: the seeds' example, and what may come between."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from tests.campaigns.launching import connected, graph, picture
from tests.sandboxes import run_sandbox
from zyenta_ads_pipeline.agent import AdsAgent
from zyenta_ads_pipeline.connections import store_of, vault_of
from zyenta_ads_pipeline.domain.campaign import AdCampaign, CampaignObjective, CampaignStatus
from zyenta_ads_pipeline.domain.errors import InputError, LaunchStopped, NotSupported
from zyenta_ads_pipeline.domain.shop import MediaAsset, MediaKind, Product, ShopStore
from zyenta_ads_pipeline.sandbox.config import SandboxConfig
from zyenta_ads_pipeline.sandbox.process import SandboxHandle
from zyenta_ads_pipeline.settings import Settings, load_settings
from zyenta_ads_pipeline.store.campaigns import Campaigns
from zyenta_ads_pipeline.store.connections import Connections
from zyenta_ads_pipeline.store.requests import CampaignRequests
from zyenta_ads_pipeline.store.shops import Shops
from zyenta_ads_pipeline.store.switches import KillSwitches

SECRET = "EAAGagentSECRETmarked0123456789"
NOW = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxHandle]:
    config = SandboxConfig(state=tmp_path_factory.mktemp("sandbox"), port=0, days=3, token=SECRET)
    with run_sandbox(config) as handle:
        yield handle


@pytest.fixture
def settings(sandbox: SandboxHandle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "ZYENTA_KILL_SWITCH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("META_GRAPH_URL", sandbox.url)
    monkeypatch.setenv("ZYENTA_HOME", str(tmp_path / "home"))
    sandbox.clear_faults()
    made = load_settings()
    made.home.mkdir()
    stock(made, sandbox, tmp_path)
    return made


def stock(settings: Settings, sandbox: SandboxHandle, folder: Path) -> None:
    """A shop of three products with pictures, connected; its token only in the store."""
    to = connected(sandbox)
    with store_of(settings) as store:
        shops = Shops(store)
        shops.add(
            ShopStore(
                id="shop",
                name="Tarnfell",
                niche="hiking",
                domain="tarnfell.example",
                countries=("US",),
                currency=to.currency,
                created_at=NOW,
            )
        )
        names = ("Ridge boots", "Dry jacket", "Trail pack")
        products = [
            Product(
                id=f"p{place}",
                store_id="shop",
                title=name,
                description=f"{name} for long days outside. Light and warm.",
                price_minor=8_990,
                currency=to.currency,
                position=place,
            )
            for place, name in enumerate(names)
        ]
        shops.put_products(products, NOW)
        media = [
            MediaAsset(
                id=f"m{place}",
                store_id="shop",
                kind=MediaKind.IMAGE,
                source=str(picture(folder / f"{place}.jpg", colour)),
                product_id=f"p{place}",
            )
            for place, colour in enumerate(("teal", "navy", "maroon"))
        ]
        shops.put_media(media, NOW)
        connections = Connections(store, vault_of(settings))
        connections.save(replace(to, store_id="shop"), SECRET, NOW)


def agent(settings: Settings, told: list[str] | None = None) -> AdsAgent:
    return AdsAgent(
        settings, actor="eva", tell=(told if told is not None else []).append, look_again=0.02
    )


def created(settings: Settings, **more: object) -> AdCampaign:
    asked: dict[str, object] = {
        "store_id": "shop",
        "platform": "meta",
        "objective": CampaignObjective.CONVERSIONS,
        "daily_budget": Decimal(50),
        "duration_days": 7,
    }
    return asyncio.run(agent(settings).create_campaign(**(asked | more)))  # type: ignore[arg-type]


def test_the_seeds_example_gives_a_paused_campaign_with_three_creatives(
    settings: Settings,
) -> None:
    campaign = created(settings)
    assert campaign.name.startswith("Tarnfell - conversions")
    assert campaign.status is CampaignStatus.PENDING_REVIEW
    assert campaign.daily_budget_minor == 5_000
    assert campaign.total_budget_minor == 35_000
    texts = {(each.draft.headline, each.draft.description) for each in campaign.creatives}
    assert len(texts) == 3
    assert len({each.draft.angle for each in campaign.creatives}) == 3
    assert campaign.end_date is not None
    assert 7 <= (campaign.end_date - campaign.start_date).days <= 8


@pytest.mark.parametrize("objective", CampaignObjective)
def test_every_objective_goes_all_the_way(settings: Settings, objective: CampaignObjective) -> None:
    assert created(settings, objective=objective).status is CampaignStatus.PENDING_REVIEW


def test_the_same_key_gives_the_same_campaign(settings: Settings) -> None:
    first = created(settings, key="click-1")
    again = created(settings, key="click-1")
    assert first.id == again.id
    assert first.platform_campaign_id == again.platform_campaign_id
    with pytest.raises(InputError, match="click-1"):
        created(settings, key="click-1", daily_budget=Decimal(60))


@pytest.mark.parametrize("platform", ["google", "tiktok"])
def test_other_platforms_say_that_they_are_not_supported_yet(
    settings: Settings, platform: str
) -> None:
    with pytest.raises(NotSupported, match="not supported yet"):
        created(settings, platform=platform)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"duration_days": 0}, "0 days"),
        ({"duration_days": 91}, "91 days"),
        ({"daily_budget": Decimal(0)}, "Choose 10 to 10,000 USD a day"),
        ({"daily_budget": Decimal("10000.01")}, "too large"),
        ({"variations": 0}, "0 creatives"),
        ({"store_id": "other"}, "other"),
        ({"product_ids": ("p9",)}, "p9"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_words(
    settings: Settings, wrong: dict[str, object], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        created(settings, **wrong)


def test_a_request_that_failed_is_carried_out_once_it_is_mended(settings: Settings) -> None:
    asked = agent(settings).request_campaign(
        "shop", "meta", CampaignObjective.CONVERSIONS, Decimal(50)
    )
    drafted = asyncio.run(agent(settings).draft(asked.id))
    with store_of(settings) as store:
        Campaigns(store).set_budget(drafted.id, 50, "eva", "lowered", datetime.now(UTC))
    with pytest.raises(LaunchStopped, match="below"):
        asyncio.run(agent(settings).launch(drafted.id))
    with store_of(settings) as store:
        (failed,) = Campaigns(store).find()
        assert failed.status is CampaignStatus.ERROR
        assert failed.request_id is not None
        state = CampaignRequests(store).state(failed.request_id)
        assert state.error is not None
        Campaigns(store).set_budget(failed.id, 5_000, "eva", "raised", datetime.now(UTC))
    done = asyncio.run(agent(settings).carry_out(failed.request_id))
    assert done.id == failed.id
    assert done.status is CampaignStatus.PENDING_REVIEW
    with store_of(settings) as store:
        assert CampaignRequests(store).state(failed.request_id).state.value == "done"


def test_a_thrown_switch_is_obeyed_and_the_launch_goes_on_once_it_is_lifted(
    settings: Settings,
) -> None:
    with store_of(settings) as store:
        KillSwitches(store).throw(None, by="eva", reason="audit", now=datetime.now(UTC))
    with pytest.raises(LaunchStopped, match="audit"):
        created(settings)
    with store_of(settings) as store:
        KillSwitches(store).lift(None, by="eva", now=datetime.now(UTC))
        (waiting,) = Campaigns(store).find()
    assert waiting.status is CampaignStatus.DRAFT
    done = asyncio.run(agent(settings).launch(waiting.id))
    assert done.status is CampaignStatus.PENDING_REVIEW


def test_campaigns_of_ads_manager_are_adopted_with_their_texts(settings: Settings) -> None:
    ours = created(settings)
    result = asyncio.run(agent(settings).adopt("shop"))
    assert result.campaigns
    assert result.known >= 1
    assert ours.platform_campaign_id not in {each.platform_campaign_id for each in result.campaigns}
    assert any(each.creatives for each in result.campaigns)
    assert not asyncio.run(agent(settings).adopt("shop")).campaigns


def test_reviews_are_brought_back_for_a_whole_store(
    settings: Settings, sandbox: SandboxHandle
) -> None:
    campaign = created(settings)
    sandbox.advance(hours=1)
    moved = asyncio.run(agent(settings).bring_back_reviews("shop"))
    assert {each.id: each.status for each in moved} == {campaign.id: CampaignStatus.PAUSED}
    acted = asyncio.run(agent(settings).activate(campaign.id))
    assert acted.campaign.status is CampaignStatus.ACTIVE


def test_the_token_is_nowhere_in_clear(
    settings: Settings, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    told: list[str] = []
    caplog.set_level("DEBUG")
    asyncio.run(
        agent(settings, told).create_campaign(
            "shop", "meta", CampaignObjective.TRAFFIC, Decimal(50)
        )
    )
    assert told
    heard = "\n".join([*told, caplog.text, *capfd.readouterr()])
    assert SECRET not in heard
    for path in settings.home.rglob("*"):
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes(), path


def test_it_all_is_on_the_sandbox_and_paused(settings: Settings, sandbox: SandboxHandle) -> None:
    campaign = created(settings, name="A name of mine")
    with graph(sandbox) as api:
        live = api.get(
            f"/{campaign.platform_campaign_id}", params={"fields": "name,status,objective"}
        ).json()
    assert live["name"].startswith("A name of mine [zy")
    assert (live["status"], live["objective"]) == ("PAUSED", "OUTCOME_SALES")


def test_a_run_that_died_before_its_request_was_settled_is_settled_by_the_next(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(CampaignRequests, "finish", killed)
        with pytest.raises(KeyboardInterrupt):
            created(settings, key="click")
    campaign = created(settings, key="click")
    assert campaign.status is CampaignStatus.PENDING_REVIEW
    with store_of(settings) as store:
        assert campaign.request_id is not None
        assert CampaignRequests(store).state(campaign.request_id).state.value == "done"
        assert not CampaignRequests(store).waiting(now=datetime(2027, 1, 1, tzinfo=UTC))
