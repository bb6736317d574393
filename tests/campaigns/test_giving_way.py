"""What a person asks for now is not undone by what was asked for earlier: on the sandbox."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from tests.campaigns.launching import Launching
from tests.campaigns.pushing import rails
from tests.campaigns.test_manager import (
    budget_of,
    live,
    managed,
    running,
    sandbox,
    shop,
)
from zyenta_ads_pipeline.campaigns.changes import push_changes
from zyenta_ads_pipeline.campaigns.manager import Acted
from zyenta_ads_pipeline.domain.campaign import AdCampaign
from zyenta_ads_pipeline.domain.change import ChangeState
from zyenta_ads_pipeline.domain.errors import Transient
from zyenta_ads_pipeline.store.outbox import Outbox

__all__ = ["sandbox", "shop"]


def pushed(shop: Launching) -> None:
    """As the sensor would, of all that is approved."""

    async def push() -> None:
        async with shop.platform() as platform:
            await push_changes(
                platform, Outbox(shop.store), guardrails=rails(), owner="sensor", now=shop.now
            )

    asyncio.run(push())


def activation_held(shop: Launching, campaign: AdCampaign) -> Acted:
    """An activation that could not be written, and waits in the outbox."""
    assert managed(shop, lambda at: at.pause(campaign.id, actor="eva")).applied
    held = managed(shop, lambda at: at.activate(campaign.id, actor="eva"), kill_switch=True)
    assert {each.state for each in held.changes} == {ChangeState.APPROVED}
    return held


def test_a_pause_takes_back_the_activation_that_still_waits(shop: Launching) -> None:
    campaign = running(shop)
    held = activation_held(shop, campaign)
    off = managed(shop, lambda at: at.pause(campaign.id, actor="max"))
    assert "is paused already" in off.told
    assert "not written any more" in off.told
    pushed(shop)
    assert live(shop, campaign.platform_campaign_id)["status"] == "PAUSED"
    assert Outbox(shop.store).get(held.changes[-1].id).state is ChangeState.REJECTED


def test_a_pause_waits_for_the_activation_that_is_being_sent(shop: Launching) -> None:
    campaign = running(shop)
    held = activation_held(shop, campaign)
    outbox = Outbox(shop.store)
    lease = timedelta(minutes=5)
    assert outbox.claim(held.changes[-1].id, owner="w", lease=lease, now=shop.now())
    with pytest.raises(Transient, match="being written"):
        managed(shop, lambda at: at.pause(campaign.id, actor="max"))


def test_the_budget_that_is_there_takes_back_the_raise_that_still_waits(shop: Launching) -> None:
    campaign = running(shop)
    held = managed(
        shop, lambda at: at.adjust_budget(campaign.id, 6_000, actor="eva"), kill_switch=True
    )
    assert not held.applied
    kept = managed(shop, lambda at: at.adjust_budget(campaign.id, 5_000, actor="max"))
    assert "already" in kept.told
    pushed(shop)
    assert budget_of(shop, campaign) == 5_000


def test_the_newest_of_two_budgets_asked_for_is_written(shop: Launching) -> None:
    campaign = running(shop)
    managed(shop, lambda at: at.adjust_budget(campaign.id, 6_000, actor="eva"), kill_switch=True)
    newer = managed(shop, lambda at: at.adjust_budget(campaign.id, 5_600, actor="max"))
    assert newer.applied, newer.told
    pushed(shop)
    assert budget_of(shop, campaign) == 5_600
