"""Launches among random faults and kills: one campaign each, or a clean stop; nothing orphaned."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.campaigns.launching import Launching, launching
from tests.sandboxes import sandbox
from zyenta_ads_pipeline.campaigns.launch import LaunchPaused, launch
from zyenta_ads_pipeline.campaigns.rollback import roll_back
from zyenta_ads_pipeline.domain.campaign import AdCampaign, CampaignObjective, CampaignStatus
from zyenta_ads_pipeline.domain.errors import LaunchStopped, ZyentaError
from zyenta_ads_pipeline.sandbox.process import SandboxHandle
from zyenta_ads_pipeline.store.database import open_store

TROUBLE = [
    *("commit_then_drop", "commit_then_500", "commit_then_502", "commit_then_error_in_200"),
    *("drop", "html_500", "html_502", "server_error_text", "service_unavailable_text"),
    *("error_in_200", "empty_reply", "json_string_reply", "truncated", "unknown_error"),
    *("temporary_error", "rate_limit", "management_throttle", "too_many_writes"),
]
RUNS = 40
"""More than any launch needs, at one fault in five calls."""

__all__ = ["sandbox"]


@pytest.fixture
def shop(sandbox: SandboxHandle, tmp_path: Path) -> Iterator[Launching]:
    sandbox.clear_faults()
    opened = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    with launching(opened, sandbox, tmp_path) as made:
        yield made
    sandbox.clear_faults()
    opened.close()


def to_its_end(shop: Launching, campaign: AdCampaign) -> str:
    """Launch again and again, as sensor and buyer would, until it is done; says how it ended."""

    async def once(run: int) -> None:
        shop.sandbox.throttle(advance_seconds=3600)  # what was throttled waits, at no cost here
        async with shop.platform() as platform:
            later = datetime.now(UTC) + timedelta(hours=run)
            place = shop.place(platform, owner=f"run {run}", now=lambda: later, look_again=0.01)
            await launch(place, campaign.id)

    for run in range(RUNS):
        try:
            asyncio.run(once(run))
        except LaunchPaused:
            continue
        except LaunchStopped:
            assert shop.campaigns.get(campaign.id).status is CampaignStatus.ERROR
            continue
        return "launched"
    return "stopped"


def assert_whole(shop: Launching, campaign: AdCampaign) -> None:
    """The sandbox lists exactly what the steps name: no second one, none unknown, all paused."""
    steps = shop.launches.steps(campaign.id)
    ids = {step.platform_id for step in steps}
    tokens = [step.token for step in steps]
    expected = {"campaigns": 1, "adsets": 2, "adcreatives": 2, "ads": 2}
    for edge, number in expected.items():
        found = [each for each in shop.ours(edge) if any(token in each["name"] for token in tokens)]
        assert len(found) == number, (edge, found)
        assert {each["id"] for each in found} <= ids
        if edge != "adcreatives":
            assert {each["status"] for each in found} == {"PAUSED"}


def play(shop: Launching, number: int, seed: int) -> Counter[str]:
    """So many launches among faults; how they ended."""
    objectives = list(CampaignObjective)
    ends: Counter[str] = Counter()
    for place in range(number):
        shop.sandbox.clear_faults()
        campaign = shop.drafted(objectives[place % len(objectives)])
        shop.sandbox.faults(
            [
                {"what": "random", "names": TROUBLE, "probability": 0.2, "seed": seed + place},
            ]
        )
        ends[to_its_end(shop, campaign)] += 1
        shop.sandbox.clear_faults()
        assert_whole(shop, campaign)
    return ends


def killed_and_finished(shop: Launching, draw: random.Random, store_url: str) -> AdCampaign:
    """One launch whose process is killed at some moment, and is finished by another."""
    campaign = shop.drafted()
    token = shop.sandbox.config.token
    command = [sys.executable, "-m", "tests.campaigns.launch_process"]
    arguments = [store_url, shop.sandbox.url, token, str(shop.folder), campaign.id]
    with subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline().strip() == "begun"
        time.sleep(draw.uniform(0, 1.0))
        child.kill()
    assert to_its_end(shop, campaign) == "launched"
    return campaign


def test_launches_among_faults_end_with_one_campaign_each(shop: Launching) -> None:
    assert play(shop, 5, seed=1) == Counter(launched=5)


def test_a_killed_launch_is_finished_by_the_next_run(shop: Launching) -> None:
    draw = random.Random(1)  # noqa: S311 - chance, not a secret
    campaign = killed_and_finished(shop, draw, f"sqlite:///{shop.folder / 'store.db'}")
    assert_whole(shop, campaign)


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_two_hundred_launches_among_faults_and_kills(shop: Launching) -> None:
    draw = random.Random(7)  # noqa: S311 - chance, not a secret
    ends = play(shop, 160, seed=1000)
    for _ in range(40):
        campaign = killed_and_finished(shop, draw, f"sqlite:///{shop.folder / 'store.db'}")
        assert_whole(shop, campaign)
        ends["killed and launched"] += 1
    print(dict(ends))  # noqa: T201 - the count is the measure
    assert ends.total() == 200
    assert ends["stopped"] == 0
    assert len(shop.ours("campaigns")) == 200


def test_a_launch_that_stops_among_faults_can_be_rolled_back_among_faults(shop: Launching) -> None:
    campaign = shop.drafted()
    wrong = {**dict(campaign.targeting), "location_types": ["home"]}
    shop.campaigns.set_targeting(campaign.id, wrong, actor="t", reason="t", now=shop.now())
    with pytest.raises(LaunchStopped):
        asyncio.run(_launch(shop, campaign))
    shop.sandbox.faults([{"what": "random", "names": TROUBLE, "probability": 0.3, "seed": 5}])
    for _ in range(RUNS):
        shop.sandbox.throttle(advance_seconds=3600)
        try:
            back = asyncio.run(_roll_back(shop, campaign))
        except LaunchPaused:
            continue
        assert back.status is CampaignStatus.DRAFT
        break
    else:
        pytest.fail("it was never rolled back")
    shop.sandbox.clear_faults()
    tokens = [step.token for step in shop.launches.steps(campaign.id)]
    for edge in ("campaigns", "adsets", "adcreatives", "ads"):
        assert not [e for e in shop.ours(edge) if any(token in e["name"] for token in tokens)]


async def _launch(shop: Launching, campaign: AdCampaign) -> AdCampaign:
    async with shop.platform() as platform:
        return await launch(shop.place(platform), campaign.id)


async def _roll_back(shop: Launching, campaign: AdCampaign) -> AdCampaign:
    async with shop.platform() as platform:
        try:
            return await roll_back(shop.place(platform), platform, campaign.id)
        except ZyentaError as error:
            _seen(error)
            raise


def _seen(error: Any) -> None:
    assert str(error), "an error without words"
