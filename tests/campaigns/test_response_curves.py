"""Curves of the lake's numbers: stored, found again, and what they say of an allocation."""

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
    frame,
    morning_after,
    remembered,
)
from zyenta_ads_pipeline.campaigns.budgets import allocate_budgets, decide
from zyenta_ads_pipeline.campaigns.curve_views import curve_views
from zyenta_ads_pipeline.campaigns.curves import (
    fingerprint,
    fit_account,
    stored_curves,
    with_curves,
)
from zyenta_ads_pipeline.campaigns.expectations import expectations, in_words
from zyenta_ads_pipeline.campaigns.history import account_history
from zyenta_ads_pipeline.campaigns.rules import AccountRules
from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.lake.decision_tables import RESPONSE_CURVES
from zyenta_ads_pipeline.lake.lake import Scope
from zyenta_ads_pipeline.lake.tables import CAMPAIGN_TRAILING
from zyenta_ads_pipeline.optimizer.response_curve import ResponseCurve

RULES = AccountRules(policy=ResponseCurve())
RICH, POOR = "10", "20"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """One campaign that sells much for its budget and one that does not; curves stored."""
    campaigns = [
        Campaign(RICH, 8, {0: 90, 20: 120}),
        Campaign(POOR, 3, {0: 130, 15: 100}),
        Campaign("30", 5, {0: 60}, ad_sets=2),
    ]
    made = remembered(tmp_path_factory.mktemp("lake"), campaigns, days=40)
    rows = fit_account(made.lake.snapshot(), ACCOUNT, RULES, run_id="run")
    made.lake.write(RESPONSE_CURVES, rows, Scope([ACCOUNT]))
    window = {"date": made.last_day, "account_id": ACCOUNT, "campaign_id": RICH, "window_days": 7,
              "observed_at": morning_after(made.days - 1)}  # fmt: skip
    of_day = Scope([ACCOUNT], [made.last_day])
    made.lake.write(CAMPAIGN_TRAILING, frame(CAMPAIGN_TRAILING, [window]), of_day)
    return made


def test_campaigns_and_ad_sets_are_fitted(world: World) -> None:
    rows = world.lake.snapshot().scan(RESPONSE_CURVES).collect()
    campaigns = rows.filter(pl.col("level") == "campaign").sort("object_id")
    assert campaigns["object_id"].to_list() == [RICH, POOR, "30"]
    assert campaigns["campaign_id"].to_list() == [RICH, POOR, "30"]
    assert campaigns["budget"].to_list() == [120, 100, 60]
    marginal = dict(campaigns.select("object_id", "marginal").iter_rows())
    assert marginal[RICH] > 1.5 * marginal[POOR]
    assert campaigns.select((pl.col("marginal_low") < pl.col("marginal")).all()).item()
    ad_sets = rows.filter(pl.col("level") == "adset")
    assert set(ad_sets["campaign_id"]) == {RICH, POOR, "30"}
    assert rows["day"].unique().to_list() == [world.last_day]


def test_stored_curves_are_used_for_the_days_they_were_fitted_to_alone(world: World) -> None:
    snapshot = world.lake.snapshot()
    history = account_history(snapshot, ACCOUNT, RULES)
    found = with_curves(history, snapshot)
    assert found.curves is not None
    fitted_again = ResponseCurve().decide(history)
    assert ResponseCurve().decide(found).equals(fitted_again), "the same, to the last digit"
    earlier = account_history(snapshot, ACCOUNT, RULES, day=world.last_day - timedelta(days=1))
    assert with_curves(earlier, snapshot).curves is None
    other = history.days.with_columns(clicks=pl.col("clicks") + 1)
    assert fingerprint(other, history.day) != fingerprint(history.days, history.day)
    shuffled = history.days.sample(fraction=1.0, shuffle=True, seed=3)
    assert fingerprint(shuffled, history.day) == fingerprint(history.days, history.day)


def test_a_rise_is_expected_to_sell_more_and_a_pause_to_sell_nothing(world: World) -> None:
    curves = stored_curves(world.lake.snapshot(), ACCOUNT, Level.CAMPAIGN, world.last_day)
    asked = pl.DataFrame(
        {"campaign_id": [RICH, POOR, "30", "99"], "now": [12000, 10000, 6000, 100],
         "new": [14400, 0, 6000, 200]}
    )  # fmt: skip
    found = expectations(curves, asked, "USD", world.last_day)
    assert found["campaign_id"].to_list() == [RICH, POOR, "30"], "of 99 nothing is known"
    rich, poor, same = found.to_dicts()
    assert 0 < rich["purchases_change_low"] < rich["purchases_change_high"]
    assert rich["purchases_new"] > rich["purchases_now"]
    assert poor["purchases_new"] == pytest.approx(0, abs=1e-9)
    assert poor["value_change_high"] < 0
    assert same["purchases_change"] == pytest.approx(0)
    assert expectations(None, asked, "USD", world.last_day).is_empty()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, "+20 % → +6 to +11 purchases a week, worth +$90.00 to +$210.50 (80 %)"),
        ({"purchases_change_low": 0.24, "purchases_change_high": 2.06},
         "+20 % → +0.2 to +2.1 purchases a week, worth +$90.00 to +$210.50 (80 %)"),
        ({"allocated_minor": 800, "value_change_low": -5.0, "value_change_high": -1.0},
         "-20 % → +6 to +11 purchases a week, worth -$5.00 to -$1.00 (80 %)"),
        ({"allocated_minor": 1000}, ""),
        ({"allocated_minor": None}, ""),
        ({"purchases_change_low": None}, ""),
        ({"current_budget_minor": None}, ""),
    ],
)  # fmt: skip
def test_what_is_expected_is_said_in_a_line(change: dict[str, Any], words: str) -> None:
    row: dict[str, Any] = {
        "current_budget_minor": 1000,
        "allocated_minor": 1200,
        "purchases_change_low": 6.2,
        "purchases_change_high": 10.9,
        "value_change_low": 90.0,
        "value_change_high": 210.5,
    }
    assert in_words(row | change, "USD") == words


def test_decisions_and_allocation_carry_what_they_are_made_of(world: World) -> None:
    snapshot = world.lake.snapshot()
    now = morning_after(world.days - 1)
    decided = decide(snapshot, ACCOUNT, RULES, run_id="run", now=now)
    assert decided.stops.is_empty(), decided.stops["reason"].to_list()
    rows = {row["campaign_id"]: row for row in decided.decisions.to_dicts()}
    assert rows[RICH]["probability_up"] > 0.5 > rows[POOR]["probability_up"]
    assert rows[RICH]["log_marginal"] > rows[POOR]["log_marginal"]
    assert rows[RICH]["current_budget"] == Decimal(120)
    allocation = allocate_budgets(decided, snapshot, "run").sort("campaign_id")
    assert allocation["total_minor"].unique().to_list() == [28000], "today's budgets, kept"
    budgets = allocation.with_columns(new=pl.coalesce("allocated_minor", "current_budget_minor"))
    assert budgets["new"].sum() == 28000
    assert allocation["purchases_now"].null_count() == 0
    raised = allocation.row(0, named=True)
    assert raised["allocated_minor"] > raised["current_budget_minor"]
    assert raised["value_change_low"] > 0
    assert raised["price"] > 0


def test_curves_are_shown_with_their_days_and_both_budgets(world: World) -> None:
    views, currency = curve_views(world.lake.snapshot(), ACCOUNT, RULES, {RICH: 14400}, most=2)
    assert currency == "USD"
    assert len(views) == 2
    (rich,) = [view for view in views if view.proposed is not None]
    assert (rich.today, rich.proposed) == (120.0, 144.0)
    assert rich.points.height == 40
    assert max(rich.curve["spend"].to_list()) > 144
    assert rich.curve.select((pl.col("conversions").diff().drop_nulls() >= 0).all()).item()


def test_without_curves_there_is_nothing_to_show(tmp_path: Path) -> None:
    made = remembered(tmp_path, [Campaign(RICH, 8, {0: 90})], days=3)
    assert curve_views(made.lake.snapshot(), ACCOUNT, RULES, {}, most=2) == ([], "")
