"""The policies as they decide on an account: by name, by window, and what they share out."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.optimizer.some_account import account, campaign, ran
from zyenta_ads_pipeline.domain.change import BudgetAction
from zyenta_ads_pipeline.domain.errors import SettingsError
from zyenta_ads_pipeline.optimizer.account import AccountHistory
from zyenta_ads_pipeline.optimizer.deciding import Policy, decided
from zyenta_ads_pipeline.optimizer.policies import policy, policy_names
from zyenta_ads_pipeline.optimizer.roas_thresholds import RoasThresholds
from zyenta_ads_pipeline.optimizer.simple_policies import Equal, RoasProportional

PLAIN = ("equal", "roas_proportional", "roas_thresholds")
D = Decimal


def by_id(frame: pl.DataFrame) -> dict[str, dict[str, Any]]:
    return {row["campaign_id"]: row for row in frame.iter_rows(named=True)}


def budgets(chosen: Policy, history: AccountHistory) -> dict[str, Decimal | None]:
    return {own: row["new_budget"] for own, row in by_id(decided(chosen, history)).items()}


def test_policies_are_found_by_name() -> None:
    assert policy_names() == ("equal", "response_curve", "roas_proportional", "roas_thresholds")
    for name in policy_names():
        assert policy(name).name == name
    assert policy("roas_thresholds") == RoasThresholds()
    with pytest.raises(SettingsError, match=r"Use one of: equal, response_curve, roas_prop"):
        policy("magic")


def test_the_thresholds_look_at_the_window_alone() -> None:
    old = ran("11", days=30, until=7, revenue="9999")
    history = account([campaign("11")], [*old, *ran("11", days=7, revenue="200")])
    (row,) = decided(RoasThresholds(), history).to_dicts()
    assert row["action"] == "increase"
    assert row["new_budget"] == D(110)
    assert row["reason"] == "Good ROAS of 2.00x - gradual scaling by $10.00"
    assert row["confidence"] == 0.75
    assert row["log_marginal"] is None
    longer = by_id(decided(RoasThresholds(), replace(history, window_days=14)))
    assert "Excellent" in longer["11"]["reason"]


@pytest.mark.parametrize(
    ("revenue", "days", "running", "word"),
    [
        ("300", 7, 7, "Excellent"),
        ("299.99", 7, 7, "Good"),
        ("200", 7, 7, "Good"),
        ("100", 7, 7, "Acceptable"),
        ("99.99", 7, 7, "Suboptimal"),
        ("49.99", 7, 7, "Poor"),
        ("-20", 7, 7, "Poor"),
        ("300", 1, 1, "learning"),
        ("300", 3, 2, "learning"),
        ("300", 0, 0, "learning"),
    ],
)
def test_the_bands_hold_for_sums_of_days(revenue: str, days: int, running: int, word: str) -> None:
    history = account([campaign(days_running=running)], ran(days=days, revenue=revenue))
    assert word in decided(RoasThresholds(), history)["reason"][0]


def test_late_corrections_may_leave_less_than_nothing() -> None:
    days = [*ran(days=6), *ran(days=1, until=6, conversions="-40", revenue="-2000")]
    (row,) = decided(RoasThresholds(), account([campaign()], days)).to_dicts()
    assert row["action"] == "pause"
    assert row["new_budget"] == 0


@pytest.mark.parametrize("name", PLAIN)
def test_who_is_off_or_without_a_daily_budget_is_left_alone(name: str) -> None:
    history = account(
        [campaign("1"), campaign("2", active=False), campaign("3", None)],
        [*ran("1"), *ran("2"), *ran("3")],
    )
    rows = by_id(decided(policy(name), history))
    for own in ("2", "3"):
        assert rows[own]["action"] == "maintain"
        assert rows[own]["new_budget"] is None
        assert "alone" in rows[own]["reason"]


def test_equal_shares_of_the_total_or_of_todays_budgets() -> None:
    some = [campaign("1", 30_000), campaign("2", 10_000), campaign("3", 20_000)]
    given_none = decided(Equal(), account(some))
    assert given_none["new_budget"].to_list() == [D(200), D(200), D(200)]
    assert given_none["action"].to_list() == ["decrease", "increase", "maintain"]
    assert given_none["reason"][0] == "An equal share: $200.00 of $600.00 a day"
    thirds = budgets(Equal(), account(some, total_minor=10_000))
    assert set(thirds.values()) == {D("33.333333333333")}


def test_a_group_shares_its_own_total_and_a_lock_takes_from_its_pool() -> None:
    some = [
        campaign("1", 10_000, group="new"),
        campaign("2", 10_000, group="new"),
        campaign("3", 30_000, locked=True),
        campaign("4", 10_000, group="named nowhere"),
        campaign("5", 10_000),
    ]
    history = account(some, total_minor=100_000, group_totals={"new": 30_000})
    assert budgets(Equal(), history) == {
        "1": D(150), "2": D(150), "3": None, "4": D(200), "5": D(200),
    }  # fmt: skip
    without = account(some, group_totals={"new": 30_000})
    assert budgets(Equal(), without)["4"] == D(100)


def test_shares_by_roas_as_the_seeds_weigh_them() -> None:
    history = account(
        [campaign(each) for each in "1234"],
        [*ran("1", revenue="400"), *ran("2", revenue="200"), *ran("3", revenue="0")],
        total_minor=71_000,
    )
    rows = by_id(decided(RoasProportional(), history))
    assert {own: row["new_budget"] for own, row in rows.items()} == {
        "1": D(400), "2": D(200), "3": D(10), "4": D(100),
    }  # fmt: skip
    assert rows["1"]["reason"] == "A share by its ROAS of 4.00x: $400.00 of $710.00 a day"
    assert rows["3"]["reason"] == "The least share: ROAS of 0.00x: $10.00 of $710.00 a day"
    assert rows["4"]["reason"] == "No ROAS yet: a share as for 1.00x: $100.00 of $710.00 a day"


@pytest.mark.parametrize("weight", [D(0), D(-1), D("NaN")])
def test_a_weight_is_above_nothing(weight: Decimal) -> None:
    with pytest.raises(SettingsError, match="weight"):
        RoasProportional(least_weight=weight)


@pytest.mark.parametrize("name", PLAIN)
@given(
    revenues=st.lists(st.integers(-500, 3_000), min_size=1, max_size=6),
    seed=st.randoms(use_true_random=False),
)
def test_the_order_of_rows_changes_nothing(name: str, revenues: list[int], seed: Any) -> None:
    campaigns = [campaign(str(i), 5_000 + 700 * i) for i in range(len(revenues))]
    days = [row for i, sold in enumerate(revenues) for row in ran(str(i), days=4, revenue=sold)]
    one = decided(policy(name), account(campaigns, days, total_minor=40_000))
    seed.shuffle(campaigns)
    seed.shuffle(days)
    other = decided(policy(name), account(campaigns, days, total_minor=40_000))
    assert one.equals(other)


@pytest.mark.parametrize("name", ["equal", "roas_proportional"])
@given(revenues=st.lists(st.integers(-500, 3_000), min_size=1, max_size=6))
def test_shares_come_to_the_total_in_any_unit(name: str, revenues: list[int]) -> None:
    campaigns = [campaign(str(i), 5_000 + 700 * i) for i in range(len(revenues))]
    days = [row for i, sold in enumerate(revenues) for row in ran(str(i), days=2, revenue=sold)]
    shares = budgets(policy(name), account(campaigns, days, total_minor=43_210))
    least = D("1e-11")
    assert abs(sum(each for each in shares.values() if each) - D("432.10")) < least
    yen = [row | {"spend": row["spend"] * 100, "revenue": row["revenue"] * 100} for row in days]
    other = budgets(policy(name), account(campaigns, yen, currency="JPY", total_minor=43_210))
    for own, share in shares.items():
        in_yen = other[own]
        assert share is not None
        assert in_yen is not None
        assert abs(in_yen - share * 100) < least * 100


def test_actions_and_budgets_never_contradict_each_other() -> None:
    campaigns = [campaign(str(i), 1_000 * (i + 1)) for i in range(10)]
    for name in ("equal", "roas_proportional"):
        for row in decided(policy(name), account(campaigns)).iter_rows(named=True):
            budget = D(1_000 * (int(row["campaign_id"]) + 1)) / 100
            way = (row["new_budget"] > budget) - (row["new_budget"] < budget)
            expected = {1: BudgetAction.INCREASE, -1: BudgetAction.DECREASE}
            assert row["action"] == expected.get(way, BudgetAction.MAINTAIN).value
