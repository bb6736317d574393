"""What may be known of an account: of now, and of an earlier moment."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.campaigns.stored_history import (
    ACCOUNT,
    Campaign,
    World,
    day,
    morning_after,
    remembered,
)
from zyenta_ads_pipeline.campaigns.history import account_history, ad_set_days
from zyenta_ads_pipeline.campaigns.rules import AccountRules, CampaignRules
from zyenta_ads_pipeline.domain.errors import NotDecidable
from zyenta_ads_pipeline.optimizer.account import DAYS, AccountHistory
from zyenta_ads_pipeline.optimizer.simple_policies import Equal

DAYS_KEPT = 20
RULES = AccountRules(policy=Equal())


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    root: Path = tmp_path_factory.mktemp("history")
    campaigns = [
        Campaign("1", 300, {0: 100.0, 10: 120.0}),
        Campaign("2", 200, {0: 60.0, 12: 50.0}, ad_sets=2),
        Campaign("3", 100, {0: 0.0, 8: 40.0}),
    ]
    return remembered(root, campaigns, days=DAYS_KEPT, missed=frozenset({14}))


def _row(history: AccountHistory, own: str) -> dict[str, Any]:
    return history.campaigns.filter(campaign_id=own).row(0, named=True)


def _day(history: AccountHistory, own: str, n: int) -> dict[str, Any]:
    return history.days.filter(campaign_id=own, date=day(n)).row(0, named=True)


def test_a_snapshot_of_now_gives_the_tables_as_they_are(world: World) -> None:
    history = account_history(world.lake.snapshot(), ACCOUNT, RULES)
    assert history.day == world.last_day
    assert history.campaigns["campaign_id"].to_list() == ["1", "2", "3"]
    shared = _row(history, "2")
    assert shared["current_minor"] == 5000, "the sum of its ad sets' budgets"
    assert (shared["last_change_day"], round(shared["last_change"], 4)) == (day(12), -0.1667)
    assert _row(history, "3")["days_running"] == DAYS_KEPT - 8
    assert _row(history, "3")["last_change_day"] is None, "the first budget known is no change"
    sold, revenue = world.truth["1", day(0)]
    first = _day(history, "1", 0)
    assert first["conversions"] == sold
    assert float(first["revenue"]) == pytest.approx(revenue)
    assert first["maturity"] == 1


@pytest.mark.parametrize("n", [5, 12, 16])
def test_at_a_moment_only_what_had_been_read_is_known(world: World, n: int) -> None:
    then = world.lake.snapshot().as_of(morning_after(n) + timedelta(minutes=30))
    history = account_history(then, ACCOUNT, RULES)
    now = account_history(world.lake.snapshot(), ACCOUNT, RULES)
    assert history.day == day(n)
    assert history.days["date"].max() == day(n)
    last, last_now = _day(history, "1", n), _day(now, "1", n)
    assert last["conversions"] < last_now["conversions"], "the late ones had not come in"
    assert 0.3 < last["maturity"] < 0.7
    assert _day(history, "1", 0)["conversions"] == _day(now, "1", 0)["conversions"] or n < 4
    assert _row(history, "1")["current_minor"] == (12000 if n >= 10 else 10000)
    assert (_row(history, "1")["last_change_day"] == day(10)) == (n >= 10)


def test_a_morning_without_a_reading_leaves_days_as_young_as_they_were_read(world: World) -> None:
    missed = world.lake.snapshot().as_of(morning_after(14) + timedelta(hours=1))
    history = account_history(missed, ACCOUNT, RULES, day=day(13))
    before = world.lake.snapshot().as_of(morning_after(13) + timedelta(hours=1))
    known = account_history(before, ACCOUNT, RULES, day=day(13))
    assert history.days.drop("maturity").equals(known.days.drop("maturity"))
    assert _day(history, "1", 13)["maturity"] == pytest.approx(
        _day(known, "1", 13)["maturity"], abs=0.02
    )


def test_the_lag_known_then_owes_nothing_to_later_readings(world: World) -> None:
    early = world.lake.snapshot().as_of(morning_after(1) + timedelta(hours=1))
    maturity = _day(account_history(early, ACCOUNT, RULES), "1", 1)["maturity"]
    late = world.lake.snapshot().as_of(morning_after(18) + timedelta(hours=1))
    learned = _day(account_history(late, ACCOUNT, RULES), "1", 18)["maturity"]
    assert maturity > learned + 0.05, "two mornings tell little beyond the assumed lag"
    assert learned == pytest.approx(0.5, abs=0.06)


def test_budgets_in_force_are_those_at_the_days_end(world: World) -> None:
    history = account_history(world.lake.snapshot(), ACCOUNT, RULES)
    budgets = [_day(history, "1", n)["budget_minor"] for n in (9, 10, 11)]
    assert budgets == [10000, 12000, 12000]
    assert [_day(history, "2", n)["budget_minor"] for n in (11, 12)] == [6000, 5000]


def test_a_campaigns_own_rules_are_in_minor_units(world: World) -> None:
    own = CampaignRules(locked=True, floor=Decimal("12.5"), cap=Decimal(80), group="shoes")
    rules = AccountRules(policy=Equal(), campaigns={"2": own, "99": CampaignRules()})
    row = _row(account_history(world.lake.snapshot(), ACCOUNT, rules), "2")
    assert (row["locked"], row["floor_minor"], row["cap_minor"]) == (True, 1250, 8000)
    assert row["group"] == "shoes"


def test_the_pacing_week_begins_on_sunday(world: World) -> None:
    # The 19th day, 2026-09-20, is a Sunday, and its next day was not read.
    history = account_history(world.lake.snapshot(), ACCOUNT, RULES)
    assert world.last_day.isoweekday() == 7
    spent = _day(history, "1", DAYS_KEPT - 1)["spend"]
    assert _row(history, "1")["committed_week_minor"] == int(spent * 100)


def test_ad_sets_have_days_of_their_own_and_know_their_campaign(world: World) -> None:
    days = ad_set_days(world.lake.snapshot(), ACCOUNT, day(11))
    assert days.columns == [*DAYS, "parent_id"]
    mine = days.filter(pl.col("parent_id") == "2")
    assert mine["campaign_id"].unique().to_list() == ["21"]
    assert mine["budget_minor"].unique().to_list() == [3000]
    assert mine["date"].max() == day(11)


def test_before_the_first_sync_nothing_is_known(world: World) -> None:
    with pytest.raises(NotDecidable, match="Nothing was known"):
        account_history(world.lake.snapshot().as_of(morning_after(-3)), ACCOUNT, RULES)
    with pytest.raises(NotDecidable, match="has not been read"):
        account_history(world.lake.snapshot(), "404", RULES)
