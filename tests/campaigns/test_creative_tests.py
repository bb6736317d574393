"""Creative tests of stored campaigns: begun once, judged as often as one likes, carried out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tests.store.campaign_samples import campaign as asked
from tests.store.campaign_samples import draft, opened
from zyenta_ads_pipeline.campaigns.creative_changes import changes_of_tests
from zyenta_ads_pipeline.campaigns.creative_tests import (
    TESTER,
    JudgedTest,
    look_at_tests,
    rows_of_tests,
)
from zyenta_ads_pipeline.campaigns.rules import CreativeTestRules
from zyenta_ads_pipeline.domain.campaign import AdCampaign, CampaignStatus, OptimizationAction
from zyenta_ads_pipeline.domain.change import ChangeField
from zyenta_ads_pipeline.domain.creative import CreativeStatus
from zyenta_ads_pipeline.lake.lake import Lake, Scope
from zyenta_ads_pipeline.lake.tables import AD_METRICS, AD_OBJECTS
from zyenta_ads_pipeline.optimizer.ab_plan import Metric
from zyenta_ads_pipeline.optimizer.ab_test import Standing
from zyenta_ads_pipeline.store.campaigns import Campaigns
from zyenta_ads_pipeline.store.database import Store, open_store

FIRST = date(2026, 10, 1)
SEEN = 20_000
"""Impressions of an arm a day."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = opened(open_store(f"sqlite:///{tmp_path / 'store.db'}"))
    yield made
    made.close()


@pytest.fixture
def campaigns(store: Store) -> Campaigns:
    return Campaigns(store)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"))


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def running(campaigns: Campaigns, *names: str, shared_ad_set: bool = False) -> AdCampaign:
    """A campaign on the platform that is switched on, an ad set and an ad for each creative."""
    made = campaigns.add(
        asked(platform_campaign_id="90", status=CampaignStatus.ACTIVE),
        [draft(name) for name in names],
        actor="test",
        now=noon(FIRST),
    )
    for number, creative in enumerate(made.creatives):
        campaigns.creative_placed(
            creative.id,
            ad_set_id="10" if shared_ad_set else f"1{number}",
            ad_id=f"2{number}",
            now=noon(FIRST),
        )
    return campaigns.get(made.id)


def deliver(lake: Lake, account_id: str, rates: list[float], days: int, *, seed: int = 3) -> None:
    """So many days from `FIRST` on, each ad with its conversions per impression."""
    chance = np.random.default_rng(seed)
    empty: dict[str, Any] = dict.fromkeys(AD_METRICS.schema.names())
    rows = []
    for number, rate in enumerate(rates):
        for offset in range(days):
            bought = int(chance.poisson(rate * SEEN))
            rows.append(
                empty
                | {
                    "date": FIRST + timedelta(days=offset),
                    "account_id": account_id,
                    "campaign_id": "90",
                    "adset_id": f"1{number}",
                    "ad_id": f"2{number}",
                    "currency": "EUR",
                    "impressions": SEEN,
                    "clicks": 300,
                    "spend": Decimal(50),
                    "purchases": Decimal(bought),
                    "purchase_value": Decimal(40 * bought),
                    "maturity": 1.0,
                    "observed_at": noon(FIRST + timedelta(days=offset + 1)),
                }
            )
    frame = pl.DataFrame(rows, schema=AD_METRICS.schema)
    lake.write(AD_METRICS, frame, Scope([account_id], set(frame["date"])))


def show_on_platform(lake: Lake, account_id: str, *, paused: tuple[str, ...] = ()) -> None:
    empty: dict[str, Any] = dict.fromkeys(AD_OBJECTS.schema.names())
    rows = [
        empty
        | {
            "account_id": account_id,
            "level": level,
            "object_id": f"{prefix}{number}",
            "campaign_id": "90",
            "name": f"{level} {number}",
            "status": "PAUSED" if f"{prefix}{number}" in paused else "ACTIVE",
            "daily_budget": 5000 if level == "adset" else None,
            "observed_at": noon(FIRST),
        }
        for level, prefix in (("adset", "1"), ("ad", "2"))
        for number in range(3)
    ]
    lake.write(AD_OBJECTS, pl.DataFrame(rows, schema=AD_OBJECTS.schema), Scope([account_id]))


def looked(
    lake: Lake, campaigns: Campaigns, account_id: str, day: date, **more: Any
) -> list[JudgedTest]:
    return look_at_tests(
        lake.snapshot(),
        campaigns,
        account_id,
        day=day,
        timezone="Europe/Berlin",
        rules=CreativeTestRules(**more),
        now=noon(day + timedelta(days=1)),
    )


def standing(campaigns: Campaigns, campaign: AdCampaign) -> list[str]:
    return [each.status.value for each in campaigns.get(campaign.id).creatives]


def test_a_test_begins_once_creatives_deliver_and_declares_itself(
    lake: Lake, campaigns: Campaigns
) -> None:
    campaign = running(campaigns, "Warm", "Dry")
    account = campaign.account_id
    assert looked(lake, campaigns, account, FIRST) == [], "nothing has been delivered"
    deliver(lake, account, [0.0005, 0.0005], 1)
    [tested] = looked(lake, campaigns, account, FIRST)
    assert standing(campaigns, campaign) == ["testing", "testing"]
    assert tested.plan.arms == ("Warm", "Dry")
    assert tested.plan.started == FIRST + timedelta(days=1), "the day on which it was declared"
    declared = [e for e in campaigns.journal(campaign.id) if e.to_value == "testing"]
    assert {e.reason for e in declared} == {
        "Tested by conversion rate for 28 days at most: Warm, Dry."
    }
    looked(lake, campaigns, account, FIRST)
    again = [e for e in campaigns.journal(campaign.id) if e.to_value == "testing"]
    assert len(again) == 2, "looking again begins nothing"


def test_a_clear_difference_ends_in_winner_and_loser_with_the_reason(
    lake: Lake, campaigns: Campaigns
) -> None:
    campaign = running(campaigns, "Warm", "Dry")
    account = campaign.account_id
    deliver(lake, account, [0.0005, 0.0012], 20)
    looked(lake, campaigns, account, FIRST)
    assert standing(campaigns, campaign) == ["testing", "testing"]
    [early] = looked(lake, campaigns, account, FIRST + timedelta(days=4))
    assert standing(campaigns, campaign) == ["testing", "testing"], "no whole week has passed"
    assert all("Nothing is decided before 7" in v.reason for v in early.verdicts.values())
    [tested] = looked(lake, campaigns, account, FIRST + timedelta(days=14))
    assert standing(campaigns, campaign) == ["loser", "winner"]
    loser, winner = (tested.verdicts[each.id] for each in campaign.creatives)
    assert (loser.standing, winner.standing) == (Standing.LOSER, Standing.WINNER)
    assert "surely better" in winner.reason
    said = {(e.to_value, e.actor, e.reason) for e in campaigns.journal(campaign.id)}
    assert ("loser", TESTER, loser.reason) in said
    logged = {entry.action for entry in campaigns.logs(campaign.id)}
    assert logged == {OptimizationAction.CREATIVE_PAUSED, OptimizationAction.CREATIVE_SCALED}


def test_what_is_over_is_not_begun_again_until_something_new_comes(
    lake: Lake, campaigns: Campaigns
) -> None:
    campaign = running(campaigns, "Warm", "Dry")
    account = campaign.account_id
    deliver(lake, account, [0.0005, 0.0005], 40)
    looked(lake, campaigns, account, FIRST, days=14)
    [over] = looked(lake, campaigns, account, FIRST + timedelta(days=16), days=14)
    assert {v.standing for v in over.verdicts.values()} == {Standing.NO_DIFFERENCE}
    assert standing(campaigns, campaign) == ["active", "active"], "both go on"
    assert looked(lake, campaigns, account, FIRST + timedelta(days=30)) == []


def test_a_creative_paused_by_hand_stays_paused(lake: Lake, campaigns: Campaigns) -> None:
    campaign = running(campaigns, "Warm", "Dry")
    account = campaign.account_id
    deliver(lake, account, [0.0005, 0.0012], 20)
    looked(lake, campaigns, account, FIRST)
    by_hand = campaign.creatives[1].id
    campaigns.move_creative(
        by_hand, CreativeStatus.PAUSED, reason="Enough.", actor="eva", now=noon(FIRST)
    )
    looked(lake, campaigns, account, FIRST + timedelta(days=14))
    assert standing(campaigns, campaign)[1] == "paused"


def test_losers_are_paused_and_the_winner_takes_what_frees_within_its_step(
    lake: Lake, campaigns: Campaigns
) -> None:
    campaign = running(campaigns, "Warm", "Dry", "Light")
    account = campaign.account_id
    deliver(lake, account, [0.0005, 0.0016, 0.0005], 20)
    show_on_platform(lake, account)
    looked(lake, campaigns, account, FIRST)
    looked(lake, campaigns, account, FIRST + timedelta(days=15))
    assert standing(campaigns, campaign) == ["loser", "winner", "loser"]
    now = noon(FIRST + timedelta(days=16))
    changes = changes_of_tests(
        lake.snapshot(), campaigns, account, max_step=Decimal("0.20"), now=now
    )
    assert [(c.object_id, c.field, c.old_value, c.new_value) for c in changes] == [
        ("10", ChangeField.STATUS, "ACTIVE", "PAUSED"),
        ("12", ChangeField.STATUS, "ACTIVE", "PAUSED"),
        ("11", ChangeField.DAILY_BUDGET, "5000", "6000"),
    ]
    assert len({c.decision_id for c in changes}) == 1, "one test, one decision"
    assert all(c.policy == TESTER and c.confidence == Decimal("0.95") for c in changes)
    assert "takes" in changes[-1].reason
    free = changes_of_tests(lake.snapshot(), campaigns, account, max_step=None, now=now)
    assert free[-1].new_value == "15000", "never more than the losers had"
    show_on_platform(lake, account, paused=("10", "12"))
    assert changes_of_tests(lake.snapshot(), campaigns, account, max_step=None, now=now) == []


def test_in_a_shared_ad_set_the_losers_ad_is_paused_and_no_budget_moves(
    lake: Lake, campaigns: Campaigns
) -> None:
    campaign = running(campaigns, "Warm", "Dry", shared_ad_set=True)
    account = campaign.account_id
    deliver(lake, account, [0.0005, 0.0012], 20)
    show_on_platform(lake, account)
    looked(lake, campaigns, account, FIRST)
    looked(lake, campaigns, account, FIRST + timedelta(days=14))
    [change] = changes_of_tests(lake.snapshot(), campaigns, account, max_step=None, now=noon(FIRST))
    assert (change.object_id, change.new_value) == ("20", "PAUSED")


def test_a_new_creative_challenges_the_winner(lake: Lake, campaigns: Campaigns) -> None:
    campaign = running(campaigns, "Warm", "Dry", "Late")
    account = campaign.account_id
    deliver(lake, account, [0.0005, 0.0012], 15)
    looked(lake, campaigns, account, FIRST)
    looked(lake, campaigns, account, FIRST + timedelta(days=14))
    assert standing(campaigns, campaign) == ["loser", "winner", "active"]
    deliver(lake, account, [0.0005, 0.0012, 0.0012], 30)
    [tested] = looked(lake, campaigns, account, FIRST + timedelta(days=20))
    assert standing(campaigns, campaign) == ["loser", "testing", "testing"]
    assert (tested.plan.arms, tested.plan.incumbent) == (("Dry", "Late"), "Dry")


def test_the_rows_of_the_table(lake: Lake, campaigns: Campaigns) -> None:
    campaign = running(campaigns, "Warm", "Warm")
    account = campaign.account_id
    deliver(lake, account, [0.0005, 0.0012], 20)
    day = FIRST + timedelta(days=14)
    looked(lake, campaigns, account, FIRST, metric=Metric.REVENUE_PER_IMPRESSION)
    tested = looked(lake, campaigns, account, day, metric=Metric.REVENUE_PER_IMPRESSION)
    rows = rows_of_tests(
        tested, account_id=account, currency="EUR", day=day, now=noon(day), run_id="r"
    )
    assert rows["name"].to_list() == ["Warm", "Warm (2)"]
    assert set(rows["standing"]) == {"winner", "loser"}
    assert set(rows["metric"]) == {"revenue_per_impression"}
    best = rows.filter(standing="winner").row(0, named=True)
    assert best["rate"] == pytest.approx(best["revenue"] / best["impressions"])
    assert best["lift_low"] < best["lift"] < best["lift_high"]
