"""What a buyer does with a launched campaign, on the sandbox: written, read back, undone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.campaigns.launching import Launching, graph, launching
from tests.campaigns.pushing import rails
from tests.sandboxes import sandbox
from tests.store.samples import budget
from zyenta_ads_pipeline.campaigns.changes import push_changes
from zyenta_ads_pipeline.campaigns.launch import launch
from zyenta_ads_pipeline.campaigns.manager import Acted, CampaignManager
from zyenta_ads_pipeline.campaigns.reviews import bring_back
from zyenta_ads_pipeline.campaigns.rollback import roll_back
from zyenta_ads_pipeline.campaigns.undo import undo
from zyenta_ads_pipeline.domain.campaign import (
    AdCampaign,
    BudgetLevel,
    CampaignStatus,
    OptimizationAction,
)
from zyenta_ads_pipeline.domain.change import ChangeState
from zyenta_ads_pipeline.domain.creative import CreativeStatus
from zyenta_ads_pipeline.domain.errors import InputError, LaunchStopped
from zyenta_ads_pipeline.sandbox.process import SandboxHandle
from zyenta_ads_pipeline.store.database import open_store
from zyenta_ads_pipeline.store.outbox import Outbox

T = TypeVar("T")

__all__ = ["sandbox"]


@pytest.fixture
def shop(sandbox: SandboxHandle, tmp_path: Path) -> Iterator[Launching]:
    opened = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    with launching(opened, sandbox, tmp_path) as made:
        yield made
    opened.close()


def managed(shop: Launching, act: Callable[[CampaignManager], Awaitable[T]], **limits: Any) -> T:
    async def run() -> T:
        async with shop.platform() as platform:
            return await act(
                CampaignManager(
                    platform,
                    shop.campaigns,
                    Outbox(shop.store),
                    lambda _account: rails(**limits),
                    shop.now,
                )
            )

    return asyncio.run(run())


def running(shop: Launching, **more: Any) -> AdCampaign:
    """A campaign that is launched, reviewed and switched on."""
    campaign = shop.drafted(**more)

    async def run() -> None:
        async with shop.platform() as platform:
            await launch(shop.place(platform, now=shop.now), campaign.id)

    asyncio.run(run())
    shop.sandbox.advance(hours=1)
    reviewed(shop, campaign)
    assert managed(shop, lambda at: at.activate(campaign.id, actor="eva")).applied
    return shop.campaigns.get(campaign.id)


def reviewed(shop: Launching, campaign: AdCampaign) -> AdCampaign:
    async def run() -> AdCampaign:
        async with shop.platform() as platform:
            known = shop.campaigns.get(campaign.id)
            return await bring_back(platform, shop.campaigns, known, actor="review", now=shop.now())

    return asyncio.run(run())


def live(shop: Launching, object_id: str | None, fields: str = "status,daily_budget") -> Any:
    with graph(shop.sandbox) as api:
        return api.get(f"/{object_id}", params={"fields": fields}).json()


def budget_of(shop: Launching, campaign: AdCampaign) -> int:
    return sum(
        int(live(shop, creative.platform_ad_set_id)["daily_budget"])
        for creative in campaign.creatives
    )


def test_review_then_activation_then_pause(shop: Launching) -> None:
    campaign = shop.drafted()

    async def run() -> None:
        async with shop.platform() as platform:
            await launch(shop.place(platform, now=shop.now), campaign.id)

    asyncio.run(run())
    assert reviewed(shop, campaign).status is CampaignStatus.PENDING_REVIEW
    shop.sandbox.advance(hours=1)
    assert reviewed(shop, campaign).status is CampaignStatus.PAUSED
    acted = managed(shop, lambda at: at.activate(campaign.id, actor="eva"))
    assert acted.applied, acted.told
    assert acted.campaign.status is CampaignStatus.ACTIVE
    on = shop.campaigns.get(campaign.id)
    for creative in on.creatives:
        for object_id in (creative.platform_ad_id, creative.platform_ad_set_id):
            assert live(shop, object_id, "status")["status"] == "ACTIVE"
    assert live(shop, on.platform_campaign_id)["status"] == "ACTIVE"
    assert reviewed(shop, campaign).status is CampaignStatus.ACTIVE
    off = managed(shop, lambda at: at.pause(campaign.id, actor="eva"))
    assert off.campaign.status is CampaignStatus.PAUSED
    again = managed(shop, lambda at: at.pause(campaign.id, actor="eva"))
    assert not again.changes
    assert "already" in again.told


def test_a_disapproved_campaign_is_rejected_with_metas_words_and_not_activated(
    shop: Launching,
) -> None:
    campaign = shop.drafted()

    async def run() -> None:
        async with shop.platform() as platform:
            await launch(shop.place(platform, now=shop.now), campaign.id)

    asyncio.run(run())
    launched = shop.campaigns.get(campaign.id)
    for creative in launched.creatives:
        shop.sandbox.review(
            ad_id=creative.platform_ad_id,
            verdict="disapproved",
            feedback={"Claims": "It promises what it cannot keep."},
        )
    shop.sandbox.advance(hours=1)
    after = reviewed(shop, campaign)
    assert after.status is CampaignStatus.REJECTED
    assert "promises what it cannot keep" in after.status_reason
    first = shop.campaigns.get(campaign.id).creatives[0]
    assert first.review_feedback == {"Claims": "It promises what it cannot keep."}
    with pytest.raises(InputError, match="rejected"):
        managed(shop, lambda at: at.activate(campaign.id, actor="eva"))


def test_a_campaign_is_completed_at_its_end(shop: Launching) -> None:
    campaign = running(shop)
    now = campaign.end_date
    assert now is not None

    async def run(at: datetime) -> AdCampaign:
        async with shop.platform() as platform:
            return await bring_back(platform, shop.campaigns, campaign, actor="review", now=at)

    assert asyncio.run(run(now)).status is CampaignStatus.COMPLETED


def test_a_budget_is_shared_anew_to_the_cent_and_undone(shop: Launching) -> None:
    campaign = running(shop, creatives=3)
    acted = managed(shop, lambda at: at.adjust_budget(campaign.id, 7_001, actor="eva"))
    assert acted.applied, acted.told
    assert budget_of(shop, campaign) == 7_001
    assert acted.campaign.daily_budget_minor == 7_001
    log = shop.campaigns.logs(campaign.id)[-1]
    assert log.action is OptimizationAction.BUDGET_INCREASE
    outbox = Outbox(shop.store)
    undone = [
        undo(outbox, change.id, actor="eva", now=shop.now(), approve=True)
        for change in acted.changes
    ]

    async def push() -> None:
        async with shop.platform() as platform:
            await push_changes(
                platform,
                outbox,
                guardrails=rails(),
                owner="undo",
                now=shop.now,
                ids=[change.id for change in undone],
            )

    asyncio.run(push())
    assert {outbox.get(change.id).state for change in undone} == {ChangeState.APPLIED}
    assert budget_of(shop, campaign) == 5_000


def test_a_campaigns_own_budget_is_changed_on_the_campaign(shop: Launching) -> None:
    campaign = running(shop, budget_level=BudgetLevel.CAMPAIGN)
    acted = managed(shop, lambda at: at.adjust_budget(campaign.id, 6_000, actor="eva"))
    assert acted.applied, acted.told
    assert live(shop, campaign.platform_campaign_id)["daily_budget"] == "6000"


def test_what_a_human_changed_is_a_conflict_until_a_buyer_takes_it_over(shop: Launching) -> None:
    campaign = running(shop, budget_level=BudgetLevel.CAMPAIGN)
    assert campaign.platform_campaign_id is not None
    shop.sandbox.edit(campaign.platform_campaign_id, daily_budget=9000)
    acted = managed(shop, lambda at: at.adjust_budget(campaign.id, 6_000, actor="eva"))
    assert [change.state for change in acted.changes] == [ChangeState.CONFLICT]
    assert "somebody else changed it" in acted.told
    assert live(shop, campaign.platform_campaign_id)["daily_budget"] == "9000"
    known = managed(shop, lambda at: at.take_over(campaign.id, actor="eva"))
    assert known.daily_budget_minor == 9_000
    again = managed(shop, lambda at: at.adjust_budget(campaign.id, 6_000, actor="eva"))
    assert again.applied, again.told


def test_a_creative_is_paused_alone_and_the_rest_go_on(shop: Launching) -> None:
    campaign = running(shop)
    first, second = campaign.creatives
    acted = managed(shop, lambda at: at.pause_creative(campaign.id, first.id, actor="eva"))
    assert acted.applied, acted.told
    assert live(shop, first.platform_ad_set_id)["status"] == "PAUSED"
    assert live(shop, second.platform_ad_set_id)["status"] == "ACTIVE"
    after = acted.campaign
    assert after.creatives[0].status is CreativeStatus.PAUSED
    assert after.daily_budget_minor == 2_500
    # What was set aside stays so, and its share is no drift.
    raised = managed(shop, lambda at: at.adjust_budget(campaign.id, 3_000, actor="eva"))
    assert raised.applied, raised.told
    assert live(shop, second.platform_ad_set_id)["daily_budget"] == "3000"


def test_a_creative_is_scaled_from_its_own_ad_sets_budget(shop: Launching) -> None:
    campaign = running(shop)
    first = campaign.creatives[0]
    acted = managed(shop, lambda at: at.scale_creative(campaign.id, first.id, 20, actor="eva"))
    assert acted.applied, acted.told
    assert live(shop, first.platform_ad_set_id)["daily_budget"] == "3000"
    assert acted.campaign.daily_budget_minor == 5_500


def test_a_thrown_kill_switch_lets_nothing_through(shop: Launching) -> None:
    campaign = running(shop)
    acted: Acted = managed(
        shop, lambda at: at.adjust_budget(campaign.id, 6_000, actor="eva"), kill_switch=True
    )
    assert not acted.applied
    assert "kill switch" in acted.told
    assert budget_of(shop, campaign) == 5_000


def test_a_draft_has_nothing_to_change(shop: Launching) -> None:
    campaign = shop.drafted()
    with pytest.raises(InputError, match="draft"):
        managed(shop, lambda at: at.pause(campaign.id, actor="eva"))


def test_a_launch_that_stopped_half_way_is_neither_reviewed_nor_switched_on(
    shop: Launching,
) -> None:
    campaign = shop.drafted()
    wrong = {**dict(campaign.targeting), "location_types": ["home"]}
    shop.campaigns.set_targeting(campaign.id, wrong, actor="t", reason="t", now=shop.now())

    async def run() -> None:
        async with shop.platform() as platform:
            await launch(shop.place(platform, now=shop.now), campaign.id)

    with pytest.raises(LaunchStopped):
        asyncio.run(run())
    assert reviewed(shop, campaign).status is CampaignStatus.ERROR
    with pytest.raises(InputError, match="error"):
        managed(shop, lambda at: at.activate(campaign.id, actor="eva"))


def test_a_running_campaign_with_issues_is_an_error_and_never_rolled_back(
    shop: Launching,
) -> None:
    campaign = running(shop)
    assert campaign.platform_campaign_id is not None
    shop.sandbox.raise_issues(
        campaign.platform_campaign_id,
        [{"level": "CAMPAIGN", "error_code": 1, "error_summary": "The card was declined."}],
    )
    after = reviewed(shop, campaign)
    assert after.status is CampaignStatus.ERROR
    assert "card was declined" in after.status_reason

    async def back() -> AdCampaign:
        async with shop.platform() as platform:
            return await roll_back(shop.place(platform), platform, campaign.id)

    with pytest.raises(InputError, match="only a launch that stopped"):
        asyncio.run(back())
    paused = managed(shop, lambda at: at.pause(campaign.id, actor="eva"))
    assert paused.applied, paused.told


def test_an_act_is_taken_in_whole_or_not_at_all(shop: Launching) -> None:
    campaign = running(shop)
    first, second = (creative.platform_ad_set_id for creative in campaign.creatives)
    outbox = Outbox(shop.store)
    (blocking,) = outbox.propose(
        [
            budget(
                str(second),
                2_500,
                2_600,
                account_id=campaign.account_id,
                currency=campaign.currency,
                campaign_id=campaign.platform_campaign_id,
                decided_at=shop.now(),
            )
        ],
        actor="policy",
        now=shop.now(),
        approve=True,
    ).inserted
    with pytest.raises(InputError, match=blocking.id):
        managed(shop, lambda at: at.adjust_budget(campaign.id, 7_000, actor="eva"))
    assert not outbox.find(object_id=first, states=[ChangeState.APPROVED, ChangeState.PROPOSED])
    assert budget_of(shop, campaign) == 5_000


def test_what_a_kill_switch_held_up_is_written_when_it_is_asked_for_again(shop: Launching) -> None:
    campaign = running(shop)
    held = managed(
        shop, lambda at: at.adjust_budget(campaign.id, 6_000, actor="eva"), kill_switch=True
    )
    assert not held.applied
    again = managed(shop, lambda at: at.adjust_budget(campaign.id, 6_000, actor="eva"))
    assert again.applied, again.told
    assert budget_of(shop, campaign) == 6_000


def test_only_the_ad_set_that_a_human_changed_is_a_conflict(shop: Launching) -> None:
    campaign = running(shop)
    first, second = (creative.platform_ad_set_id for creative in campaign.creatives)
    shop.sandbox.edit(str(first), daily_budget=4_000)
    acted = managed(shop, lambda at: at.adjust_budget(campaign.id, 8_000, actor="eva"))
    states = {change.change.object_id: change.state for change in acted.changes}
    assert states[str(first)] is ChangeState.CONFLICT
    assert states.get(str(second)) in (ChangeState.APPLIED, None)
    assert live(shop, first)["daily_budget"] == "4000"


def test_a_pause_that_was_written_later_keeps_its_creative_off(shop: Launching) -> None:
    campaign = running(shop)
    first = campaign.creatives[0]
    held = managed(
        shop, lambda at: at.pause_creative(campaign.id, first.id, actor="eva"), kill_switch=True
    )
    assert not held.applied

    async def later() -> None:
        async with shop.platform() as platform:
            ids = [change.id for change in held.changes]
            await push_changes(
                platform,
                Outbox(shop.store),
                guardrails=rails(),
                owner="sensor",
                now=shop.now,
                ids=ids,
            )

    asyncio.run(later())
    assert live(shop, first.platform_ad_set_id)["status"] == "PAUSED"
    managed(shop, lambda at: at.activate(campaign.id, actor="eva"))
    assert live(shop, first.platform_ad_set_id)["status"] == "PAUSED"
    assert shop.campaigns.creative(first.id).status is CreativeStatus.PAUSED
