"""Buyers who order on the same sight of a campaign: one wins, the others are told. On SQLite and on
Postgres, through offices of their own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.console.desk_home import EVA, MAX, NOW, settings
from tests.store.campaign_samples import launched, opened
from tests.store.databases import store_url
from zyenta_ads_pipeline.console.desks.desks import Desks
from zyenta_ads_pipeline.console.office import Office
from zyenta_ads_pipeline.domain.campaign import AdCampaign, CampaignStatus
from zyenta_ads_pipeline.domain.errors import Stale
from zyenta_ads_pipeline.settings import Settings, load_settings
from zyenta_ads_pipeline.store.campaigns import Campaigns
from zyenta_ads_pipeline.store.orders import Order, OrderKind, OrderState

__all__ = ["settings", "store_url"]
OFFICES, BUYERS = 2, 8


@pytest.fixture
def offices(
    settings: Settings, store_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[list[Desks]]:
    monkeypatch.setenv("ZYENTA_DATABASE_URL", store_url)
    found = [Desks(Office(load_settings(), look_every=0)) for _ in range(OFFICES)]
    yield found
    for each in found:
        each.office.close()


@pytest.fixture
def campaign(offices: list[Desks]) -> AdCampaign:
    """One that runs."""
    store = opened(offices[0].office.store)
    campaigns = Campaigns(store)
    own = launched(store, platform_campaign_id="9001").id
    for status in (CampaignStatus.PENDING_REVIEW, CampaignStatus.ACTIVE):
        campaigns.move(own, status, reason="", actor="t", now=NOW)
    return campaigns.get(own)


def budget(desks: Desks, campaign: AdCampaign, minor: int, seen: str) -> Order:
    payload = {"daily_budget_minor": minor}
    return desks.campaigns.order(EVA, campaign.id, OrderKind.BUDGET, payload, expected=seen)


def test_of_buyers_with_the_same_sight_one_wins(offices: list[Desks], campaign: AdCampaign) -> None:
    won: list[Order] = []
    told: list[Stale] = []
    barrier = threading.Barrier(BUYERS)
    seen = offices[0].campaigns.version(campaign)

    def click(number: int) -> None:
        barrier.wait()
        try:
            won.append(budget(offices[number % OFFICES], campaign, 6_000 + number, seen))
        except Stale as error:
            told.append(error)

    threads = [threading.Thread(target=click, args=(number,)) for number in range(BUYERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert len(told) == BUYERS - 1
    assert offices[1].campaigns.orders(EVA, campaign.id) == won
    assert won[0].state is OrderState.WAITING, "nobody took its place"


def test_who_looks_again_may_order_anew(offices: list[Desks], campaign: AdCampaign) -> None:
    one, other = offices
    seen = one.campaigns.version(campaign)
    first = budget(one, campaign, 6_000, seen)
    with pytest.raises(Stale):
        budget(other, campaign, 7_000, seen)
    with pytest.raises(Stale):
        other.campaigns.order(MAX, campaign.id, OrderKind.PAUSE, expected=seen)
    assert budget(other, campaign, 6_000, seen) == first, "the same is on its way already"
    again = other.campaigns.version(campaign)
    assert again != seen
    second = budget(other, campaign, 7_000, again)
    assert one.campaigns.order_state(EVA, first.id).state is OrderState.WITHDRAWN
    after = one.campaigns.version(campaign)
    one.campaigns.withdraw(EVA, second.id)
    assert one.campaigns.version(campaign) not in (seen, again, after), (
        "an order that is over shows"
    )
