"""Launches on the sandbox: accepted under Meta's rules, once, whatever goes wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.campaigns.launching import Launching, graph, launching
from tests.sandboxes import sandbox
from tests.store.databases import empty_url, store, store_url
from zyenta_ads_pipeline.campaigns.launch import LaunchPaused, launch
from zyenta_ads_pipeline.campaigns.rollback import roll_back
from zyenta_ads_pipeline.domain.campaign import (
    AdCampaign,
    BudgetLevel,
    CampaignObjective,
    CampaignStatus,
)
from zyenta_ads_pipeline.domain.errors import InputError, LaunchStopped
from zyenta_ads_pipeline.domain.launch import StepKind, StepState
from zyenta_ads_pipeline.sandbox.process import SandboxHandle
from zyenta_ads_pipeline.store.campaigns import Campaigns
from zyenta_ads_pipeline.store.database import Store, open_store

__all__ = ["empty_url", "sandbox", "store", "store_url"]


@pytest.fixture
def shop(sandbox: SandboxHandle, tmp_path: Path) -> Iterator[Launching]:
    sandbox.clear_faults()
    opened = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    with launching(opened, sandbox, tmp_path) as made:
        yield made
    opened.close()


def launched(shop: Launching, campaign: AdCampaign, **more: Any) -> AdCampaign:
    async def run() -> AdCampaign:
        async with shop.platform() as platform:
            return await launch(shop.place(platform, **more), campaign.id)

    return asyncio.run(run())


def rolled_back(shop: Launching, campaign: AdCampaign) -> AdCampaign:
    async def run() -> AdCampaign:
        async with shop.platform() as platform:
            return await roll_back(shop.place(platform), platform, campaign.id)

    return asyncio.run(run())


def mine(shop: Launching, campaign: AdCampaign, edge: str) -> list[dict[str, Any]]:
    """What the sandbox lists of this campaign's steps."""
    tokens = {step.token for step in shop.launches.steps(campaign.id)}
    return [each for each in shop.ours(edge) if any(token in each["name"] for token in tokens)]


@pytest.mark.parametrize("objective", CampaignObjective)
def test_a_campaign_of_each_objective_is_accepted_paused(
    shop: Launching, objective: CampaignObjective
) -> None:
    campaign = launched(shop, shop.drafted(objective))
    assert campaign.status is CampaignStatus.PENDING_REVIEW
    assert len(mine(shop, campaign, "campaigns")) == 1
    for edge in ("adsets", "adcreatives", "ads"):
        assert len(mine(shop, campaign, edge)) == 2
    for edge in ("campaigns", "adsets", "ads"):
        assert {each["status"] for each in mine(shop, campaign, edge)} == {"PAUSED"}
    assert all(
        creative.platform_ad_id and creative.platform_ad_set_id and creative.platform_creative_id
        for creative in campaign.creatives
    )


def test_the_budget_is_shared_over_the_ad_sets_to_the_cent(shop: Launching) -> None:
    campaign = launched(shop, shop.drafted(creatives=3, daily_budget_minor=5_000))
    shares = sorted(int(each["daily_budget"]) for each in mine(shop, campaign, "adsets"))
    assert shares == [1666, 1667, 1667]


def test_a_campaign_can_hold_the_budget_itself(shop: Launching) -> None:
    campaign = launched(shop, shop.drafted(budget_level=BudgetLevel.CAMPAIGN))
    (there,) = mine(shop, campaign, "campaigns")
    assert there["daily_budget"] == "5000"
    assert all("daily_budget" not in each for each in mine(shop, campaign, "adsets"))


def test_launching_twice_makes_nothing_more(shop: Launching) -> None:
    campaign = shop.drafted()
    first = launched(shop, campaign)
    again = launched(shop, campaign)
    assert again.platform_campaign_id == first.platform_campaign_id
    assert len(mine(shop, campaign, "campaigns")) == 1


def test_a_picture_is_uploaded_once_for_all_campaigns_of_an_account(shop: Launching) -> None:
    launched(shop, shop.drafted())
    shop.sandbox.reset_calls()
    second = launched(shop, shop.drafted())
    steps = {step.kind: step.note for step in shop.launches.steps(second.id)}
    assert steps[StepKind.IMAGE]
    by_kind = shop.sandbox.calls()
    assert "adimages" not in str(by_kind), by_kind


@pytest.mark.parametrize("edge", ["campaigns", "adsets", "adcreatives", "ads"])
def test_a_create_whose_answer_is_lost_is_found_again_not_repeated(
    shop: Launching, edge: str
) -> None:
    shop.sandbox.faults([lost(edge)])
    campaign = launched(shop, shop.drafted())
    assert campaign.status is CampaignStatus.PENDING_REVIEW
    assert shop.sandbox.fault_uses() == [1]
    assert len(mine(shop, campaign, edge)) == (1 if edge == "campaigns" else 2)
    journal = [entry.note for entry in shop.launches.journal(campaign.id)]
    assert any("Recognised by its token" in note for note in journal)


def lost(edge: str) -> dict[str, Any]:
    """The first create of an edge is done and its answer dropped; what comes before it is the
    same call, validated only."""
    return {"preset": "commit_then_drop", "kind": "create", "path": f"*/{edge}"} | {
        "skip": 1,
        "times": 1,
    }


def test_a_refusal_stops_with_metas_own_words_and_goes_on_once_mended(shop: Launching) -> None:
    campaign = shop.drafted()
    wrong = {**dict(campaign.targeting), "flexible_spec": [{"interests": [{"id": "1"}]}]}
    now = shop.now()
    shop.campaigns.set_targeting(campaign.id, wrong, actor="test", reason="a test", now=now)
    with pytest.raises(LaunchStopped, match="refused adset") as stopped:
        launched(shop, campaign)
    assert "roll the launch back" in stopped.value.remedy
    there = shop.campaigns.get(campaign.id)
    assert there.status is CampaignStatus.ERROR
    assert "interest" in there.status_reason.lower()
    assert len(mine(shop, campaign, "campaigns")) == 1
    shop.campaigns.set_targeting(
        campaign.id, campaign.targeting, actor="test", reason="mended", now=now
    )
    done = launched(shop, campaign)
    assert done.status is CampaignStatus.PENDING_REVIEW
    assert len(mine(shop, campaign, "campaigns")) == 1


def test_a_stopped_launch_is_rolled_back_to_nothing_and_can_be_launched_anew(
    shop: Launching,
) -> None:
    campaign = shop.drafted()
    wrong = {**dict(campaign.targeting), "location_types": ["home"]}
    shop.campaigns.set_targeting(campaign.id, wrong, actor="test", reason="a test", now=shop.now())
    with pytest.raises(LaunchStopped):
        launched(shop, campaign)
    draft = rolled_back(shop, campaign)
    assert draft.status is CampaignStatus.DRAFT
    for edge in ("campaigns", "adsets", "ads"):
        assert not mine(shop, campaign, edge)
    shop.campaigns.set_targeting(
        campaign.id, campaign.targeting, actor="test", reason="mended", now=shop.now()
    )
    assert launched(shop, campaign).status is CampaignStatus.PENDING_REVIEW
    assert len(mine(shop, campaign, "campaigns")) == 1


def test_the_kill_switch_stops_a_launch_under_way(shop: Launching) -> None:
    campaign = shop.drafted()
    asked: list[str] = []

    def stopped(account: str) -> str | None:
        asked.append(account)
        return "The owner said so." if len(asked) > 4 else None

    with pytest.raises(LaunchPaused, match="The owner said so"):
        launched(shop, campaign, stopped=stopped)
    assert shop.campaigns.get(campaign.id).status is CampaignStatus.DRAFT
    before = len(shop.ours("adsets"))
    with pytest.raises(LaunchPaused):
        launched(shop, campaign, stopped=stopped)
    assert len(shop.ours("adsets")) == before
    assert launched(shop, campaign).status is CampaignStatus.PENDING_REVIEW


def test_a_launch_held_by_another_run_is_left_to_it(shop: Launching) -> None:
    campaign = shop.drafted()
    now = shop.place(shop.platform()).now()
    shop.launches.hold(campaign.id, "another", timedelta(minutes=10), now)
    with pytest.raises(LaunchPaused, match="another run"):
        launched(shop, campaign)
    later = now + timedelta(minutes=11)
    assert launched(shop, campaign, now=lambda: later).status is CampaignStatus.PENDING_REVIEW


def test_a_launched_campaign_cannot_be_rolled_back(shop: Launching) -> None:
    campaign = launched(shop, shop.drafted())
    with pytest.raises(InputError, match="pending_review"):
        rolled_back(shop, campaign)


def test_every_step_is_in_the_journal_before_and_after(shop: Launching) -> None:
    campaign = launched(shop, shop.drafted())
    steps = shop.launches.steps(campaign.id)
    assert {step.state for step in steps} == {StepState.DONE}
    entries = shop.launches.journal(campaign.id)
    for step in steps:
        states = [entry.to_state for entry in entries if entry.step_id == step.id]
        assert states[-2:] == [StepState.SENDING, StepState.DONE]


def test_what_a_human_deleted_meanwhile_stops_the_launch_in_words(shop: Launching) -> None:
    campaign = shop.drafted()
    count = 0

    def stopped(_account: str) -> str | None:
        nonlocal count
        count += 1
        return "Wait." if count > 6 else None

    with pytest.raises(LaunchPaused):
        launched(shop, campaign, stopped=stopped)
    (made,) = mine(shop, campaign, "campaigns")
    with graph(shop.sandbox) as api:
        assert api.delete(f"/{made['id']}").status_code == 200
    with pytest.raises(LaunchStopped, match="DELETED, not PAUSED"):
        launched(shop, campaign)


def test_a_store_of_either_kind_serves(
    store: Store, sandbox: SandboxHandle, tmp_path: Path
) -> None:
    sandbox.clear_faults()
    with launching(store, sandbox, tmp_path) as made:
        assert launched(made, made.drafted()).status is CampaignStatus.PENDING_REVIEW


def test_a_run_that_died_before_it_noted_what_it_made_is_made_good(
    shop: Launching, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = shop.drafted()

    def killed(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Campaigns, "placed", killed)
        with pytest.raises(KeyboardInterrupt):
            launched(shop, campaign)
    done = launched(shop, campaign)
    assert done.platform_campaign_id is not None
    assert len(mine(shop, campaign, "campaigns")) == 1


def test_a_draft_of_another_account_is_not_launched_into_this_one(shop: Launching) -> None:
    campaign = shop.drafted()
    other = replace(shop.connection, account_id="999")
    with pytest.raises(LaunchStopped, match="act_999"):
        launched(shop, campaign, connection=other)


def test_a_rollback_obeys_the_kill_switch_and_leaves_what_somebody_switched_on(
    shop: Launching,
) -> None:
    campaign = shop.drafted()
    wrong = {**dict(campaign.targeting), "location_types": ["home"]}
    shop.campaigns.set_targeting(campaign.id, wrong, actor="t", reason="t", now=shop.now())
    with pytest.raises(LaunchStopped):
        launched(shop, campaign)

    async def back(**more: Any) -> AdCampaign:
        async with shop.platform() as platform:
            return await roll_back(shop.place(platform, **more), platform, campaign.id)

    with pytest.raises(LaunchPaused, match="audit"):
        asyncio.run(back(stopped=lambda _account: "audit."))
    (there,) = mine(shop, campaign, "campaigns")
    shop.sandbox.edit(there["id"], status="ACTIVE")
    with pytest.raises(InputError, match="switched on"):
        asyncio.run(back())
    shop.sandbox.edit(there["id"], status="PAUSED")
    assert asyncio.run(back()).status is CampaignStatus.DRAFT
