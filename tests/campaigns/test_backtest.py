"""Policies on an account's own past, and decisions of the past taken again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import ClassVar

import numpy as np
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
from zyenta_ads_pipeline.campaigns.backtest import CANNOT_KNOW, Backtest, backtest, last_testable
from zyenta_ads_pipeline.campaigns.backtest_moments import decision_moments
from zyenta_ads_pipeline.campaigns.backtest_scores import day_rows, in_words, score_rows
from zyenta_ads_pipeline.campaigns.budgets import allocate_budgets, decide, recorded_versions
from zyenta_ads_pipeline.campaigns.replay import replay
from zyenta_ads_pipeline.campaigns.rules import AccountRules
from zyenta_ads_pipeline.domain.errors import InputError, NotDecidable, StorageError
from zyenta_ads_pipeline.domain.time import DateRange
from zyenta_ads_pipeline.lake.backtest_tables import BACKTEST_DAYS, BACKTEST_SCORES
from zyenta_ads_pipeline.lake.decision_tables import BUDGET_ALLOCATION, BUDGET_DECISIONS
from zyenta_ads_pipeline.lake.lake import Scope
from zyenta_ads_pipeline.lake.pinned import snapshot_at
from zyenta_ads_pipeline.lake.tables import AD_OBJECT_HISTORY, AD_OBJECTS, RAW_INSIGHTS
from zyenta_ads_pipeline.optimizer.account import AccountHistory
from zyenta_ads_pipeline.optimizer.deciding import Policy
from zyenta_ads_pipeline.optimizer.policies import policy

DAYS_KEPT = 40
MISSED = 31
RICH, POOR, FLAT = "1", "2", "3"
RULES = AccountRules(policy=policy("response_curve"))
ASKED = DateRange(day(28), day(32))


@dataclass(frozen=True)
class Everything:
    """A policy of one's own: all to one campaign."""

    own: str
    name: str = "everything"
    shares_total: ClassVar[bool] = True

    def decide(self, account: AccountHistory) -> pl.DataFrame:
        """All budgets to one campaign."""
        mine = pl.col("campaign_id") == self.own
        return account.campaigns.select(
            "campaign_id",
            action=pl.when(mine).then(pl.lit("increase")).otherwise(pl.lit("decrease")),
            new_budget=pl.when(mine).then(Decimal(300)).otherwise(Decimal(1)),
            reason=pl.lit("All to one"),
            confidence=0.9,
        )


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    root: Path = tmp_path_factory.mktemp("backtest")
    campaigns = [
        Campaign(RICH, 60, {0: 100.0, 12: 70.0, 22: 110.0}, elasticity=0.7),
        Campaign(POOR, 12, {0: 100.0, 15: 140.0}, elasticity=0.5),
        Campaign(FLAT, 30, {0: 100.0}, elasticity=0.6),
    ]
    return remembered(root, campaigns, days=DAYS_KEPT, missed=frozenset({MISSED}))


@pytest.fixture(scope="module")
def tested(world: World) -> Backtest:
    policies: list[Policy] = [policy("response_curve"), Everything(POOR), policy("equal")]
    return backtest(world.lake.snapshot(), ACCOUNT, RULES, policies, ASKED)


def test_a_day_nobody_read_in_time_is_left_out_and_said(tested: Backtest) -> None:
    assert list(tested.skipped) == [day(MISSED)]
    assert "first read on" in tested.skipped[day(MISSED)]
    assert tested.decided == len(ASKED) - 1


def test_decisions_are_of_the_first_reading_after_a_days_end(world: World) -> None:
    moments = decision_moments(
        world.lake.snapshot(), ACCOUNT, DateRange(day(MISSED - 1), day(MISSED)), "UTC"
    )
    first, second = moments
    assert first.at is not None
    assert morning_after(MISSED - 1) < first.at < morning_after(MISSED - 1) + timedelta(hours=1)
    assert second.at is None


def test_money_into_the_worst_campaign_is_estimated_to_lose(tested: Backtest) -> None:
    assert tested.differences["everything"].high < 0
    assert tested.differences["response_curve"].low > 0
    for difference in tested.differences.values():
        assert difference.low < difference.expected < difference.high


def test_what_was_done_is_the_same_for_every_policy_and_as_it_came(
    tested: Backtest, world: World
) -> None:
    done = tested.days.group_by("date").agg(pl.col("revenue_done", "spend_done").n_unique())
    assert done["revenue_done"].to_list() == [1] * tested.decided
    first = day(30)
    came = sum(world.truth[own, first][1] for own in (RICH, POOR, FLAT))
    mine = tested.days.filter(pl.col("date") == first)["revenue_done"][0]
    assert mine == pytest.approx(came, rel=1e-6), "numbers of that day are final by now"


def test_no_estimate_is_further_than_a_step_from_what_was_seen(tested: Backtest) -> None:
    moved = tested.moves.with_columns(
        step=(pl.col("budget_minor") / pl.col("current_minor") - 1).abs()
    )
    assert moved.height > 0
    assert moved["step"].max() <= 0.2 + 1e-9  # type: ignore[operator]
    assert (moved["done_minor"] == moved["current_minor"]).all(), "nothing changed in that time"


def test_directions_are_judged_by_a_curve_that_knows_more(tested: Backtest) -> None:
    # What only makes up a total is moved with little confidence, and says so.
    sure = tested.moves.filter(pl.col("stated") > 0.8)
    right = dict(sure.group_by("policy").agg(pl.col("right").mean()).iter_rows())
    assert right["response_curve"] > 0.9
    assert right["everything"] < 0.4


def test_forecasts_are_compared_with_what_came(tested: Backtest, world: World) -> None:
    one = tested.forecasts.filter(
        (pl.col("metric") == "purchases") & (pl.col("campaign_id") == FLAT)
    ).sort("date")
    assert one.height > 0
    since = one["date"][0]
    came = sum(world.truth[FLAT, since + timedelta(days=n)][0] for n in range(1, 8))
    assert one["came"][0] == pytest.approx(came, rel=0.02)
    assert ((one["low95"] <= one["low"]) & (one["high"] <= one["high95"])).all()
    assert np.abs(one["expected"] / one["came"] - 1).mean() < 0.25


def test_the_scores_are_rows_of_the_lake(tested: Backtest, world: World) -> None:
    scores, days = score_rows(tested, "run"), day_rows(tested, "run")
    world.lake.write(BACKTEST_SCORES, scores, Scope([ACCOUNT]))
    world.lake.write(BACKTEST_DAYS, days, Scope([ACCOUNT]))
    assert scores["policy"].to_list() == ["equal", "everything", "response_curve"]
    row = scores.row(1, named=True)
    assert row["days_decided"] + row["days_skipped"] == len(ASKED)
    assert row["stated"] == pytest.approx(0.9)
    assert row["calibration_error"] > 0.4
    told = in_words(tested, row)
    assert told.startswith("everything: -$")
    assert "80 % between -$" in told
    assert "not told apart" not in told


def test_a_backtest_comes_out_the_same_again(world: World) -> None:
    short = DateRange(day(30), day(30))
    once, again = (
        backtest(world.lake.snapshot(), ACCOUNT, RULES, [RULES.policy], short) for _ in range(2)
    )
    assert once.days.equals(again.days)
    assert once.moves.equals(again.moves)
    assert once.differences == again.differences


def test_what_cannot_be_tested_is_refused_with_the_reason(world: World) -> None:
    snapshot = world.lake.snapshot()
    assert last_testable(snapshot, ACCOUNT) == day(DAYS_KEPT - 2)
    with pytest.raises(InputError, match="has to be over and read"):
        backtest(snapshot, ACCOUNT, RULES, [RULES.policy], DateRange(day(38), day(39)))
    with pytest.raises(NotDecidable, match="its whole day was never read"):
        backtest(snapshot, ACCOUNT, RULES, [RULES.policy], DateRange(day(-9), day(-8)))
    with pytest.raises(InputError, match="each once"):
        backtest(snapshot, ACCOUNT, RULES, [RULES.policy] * 2, DateRange(day(38), day(38)))
    assert any("estimate" in each for each in CANNOT_KNOW)


@pytest.fixture(scope="module")
def decided(world: World) -> str:
    """A decision and its allocation, recorded as a run records them; then the account moves on."""
    lake, now = world.lake, morning_after(DAYS_KEPT - 1)
    snapshot = lake.snapshot()
    taken = decide(snapshot, ACCOUNT, RULES, run_id="run", now=now)
    own = str(taken.decisions["decision_id"][0])
    scope = Scope([ACCOUNT], key=("decision_id", own))
    lake.write(BUDGET_DECISIONS, taken.decisions, scope)
    fitted = allocate_budgets(taken, snapshot_at(lake, recorded_versions(taken.decisions)), "run")
    lake.write(BUDGET_ALLOCATION, fitted, scope)
    objects = lake.snapshot().scan(AD_OBJECTS).collect()
    halved = objects.with_columns(daily_budget=pl.col("daily_budget") // 2)
    lake.write(AD_OBJECTS, halved, Scope([ACCOUNT]))
    lake.write(AD_OBJECT_HISTORY, pl.DataFrame(schema=AD_OBJECT_HISTORY.schema), Scope([ACCOUNT]))
    lake.write(RAW_INSIGHTS, pl.DataFrame(schema=RAW_INSIGHTS.schema), Scope([ACCOUNT], [day(39)]))
    return own


def test_a_decision_comes_out_the_same_from_what_it_read(world: World, decided: str) -> None:
    again = replay(world.lake, decided, lambda account, name: policy(name))
    assert again.same, again.differences
    assert again.allocated
    assert again.decisions.height == 3
    stored = world.lake.snapshot().scan(BUDGET_DECISIONS).sort("campaign_id").collect()
    assert again.decisions.sort("campaign_id").equals(stored)


def test_what_differs_is_told_value_by_value(world: World, decided: str) -> None:
    class Changed(Everything):
        """What a policy may be changed to."""

    changed = replace(Changed(POOR), name="response_curve")
    again = replay(world.lake, decided, lambda account, name: changed)
    assert not again.same
    told = again.differences.filter(
        (pl.col("table") == "budget_decisions") & (pl.col("column") == "reason")
    )
    assert told["row"].to_list() == [RICH, POOR, FLAT]
    assert told["replayed"].unique().to_list() == ["All to one"]
    assert told["recorded"].str.len_chars().min() > 0  # type: ignore[operator]


def test_an_unknown_decision_is_said_to_be(world: World) -> None:
    with pytest.raises(InputError, match="no decision 'nobodys'"):
        replay(world.lake, "nobodys", lambda account, name: policy(name))


def test_versions_that_are_gone_are_said_to_be(world: World, decided: str) -> None:
    rows = world.lake.snapshot().scan(BUDGET_DECISIONS).collect()
    lost = rows.with_columns(
        decision_id=pl.lit("lost"), table_versions=pl.lit('{"ad_objects": 99}')
    )
    world.lake.write(BUDGET_DECISIONS, lost, Scope([ACCOUNT], key=("decision_id", "lost")))
    with pytest.raises(StorageError, match="Version 99"):
        replay(world.lake, "lost", lambda account, name: policy(name))
