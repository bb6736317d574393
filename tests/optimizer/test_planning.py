"""Deciding, holding and allocating as one."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from tests.optimizer.some_account import account, campaign, ran
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.optimizer.account import AccountHistory, Caution, Goal
from zyenta_ads_pipeline.optimizer.allocation_cases import AllocationCase, Limit, RowAction
from zyenta_ads_pipeline.optimizer.planning import plan
from zyenta_ads_pipeline.optimizer.policies import policy, policy_names

CURVE = policy("response_curve")


def two(**limits: Any) -> AccountHistory:
    """One campaign that sells four times what the other sells on the same budget."""
    return account(
        [campaign("11"), campaign("12")],
        [
            *ran("11", days=28, conversions="8", revenue="640"),
            *ran("12", days=28, conversions="2", revenue="160"),
        ],
        **limits,
    )


@pytest.mark.parametrize("name", policy_names())
def test_every_policy_plans_and_keeps_the_total(name: str) -> None:
    planned = plan(two(total_minor=20_000), policy(name))
    assert planned.allocation.distributed <= 20_000
    assert planned.decisions["campaign_id"].to_list() == ["11", "12"]
    assert (planned.allocation.rows["note"] != "").all()
    again = plan(two(total_minor=20_000), policy(name))
    assert again.decisions.equals(planned.decisions)
    assert again.allocation.rows.equals(planned.allocation.rows)


def test_budget_moves_to_what_returns_more_by_no_more_than_a_step() -> None:
    planned = plan(two(), CURVE)
    assert planned.allocation.rows["budget_minor"].to_list() == [12_000, 8000]
    assert planned.allocation.total == 20_000, "today's budgets, where none is set"
    better, worse = planned.allocation.rows["confidence"].to_list()
    assert better > 0.9
    assert worse > 0.9


def test_a_hold_keeps_a_budget_and_says_why() -> None:
    moved = campaign("11", last_change_day=account([]).day, last_change=0.2)
    days = two().days.to_dicts()
    waits = Caution(cooldown_days=3)
    of = account([moved, campaign("12")], days, total_minor=20_000, caution=waits)
    held = plan(of, CURVE)
    assert held.holds["campaign_id"].to_list() == ["11"]
    assert held.allocation.rows["budget_minor"].to_list() == [10_000, 10_000]
    assert held.allocation.rows["limit"][0] == Limit.HELD
    assert held.holds["hold"][0] in held.allocation.rows["note"][0]


def test_for_profit_losers_are_cut_and_the_rest_stays_unspent() -> None:
    planned = plan(two(total_minor=20_000, goal=Goal.PROFIT, margin=Decimal("0.5")), CURVE)
    rows = planned.allocation.rows
    assert rows["budget_minor"][1] < 10_000
    assert planned.allocation.distributed <= 20_000


@pytest.mark.parametrize(
    ("goal", "easy", "hard"),
    [(Goal.TARGET_ROAS, "1.0", "9.0"), (Goal.TARGET_CPA, "90", "5")],
)
def test_a_target_bounds_what_is_spent(goal: Goal, easy: str, hard: str) -> None:
    reached = plan(two(total_minor=24_000, goal=goal, target=Decimal(easy)), CURVE).allocation
    assert reached.distributed == 24_000
    missed = plan(two(total_minor=24_000, goal=goal, target=Decimal(hard)), CURVE).allocation
    assert missed.case is AllocationCase.GOAL_BELOW_TOTAL
    assert missed.distributed == 16_000, "no faster than the steps allow"
    assert not missed.needs_person


def test_between_the_ends_a_target_is_met_by_as_much_as_fits() -> None:
    def spent(target: str) -> int:
        of = two(total_minor=24_000, goal=Goal.TARGET_ROAS, target=Decimal(target))
        return plan(of, CURVE).allocation.distributed

    found = [spent(target) for target in ("4.0", "4.1", "4.2", "4.3", "4.4")]
    assert found == sorted(found, reverse=True)
    assert any(16_000 < each < 24_000 for each in found)


def test_a_target_of_nothing_is_refused() -> None:
    with pytest.raises(InputError):
        plan(two(total_minor=20_000, goal=Goal.TARGET_ROAS, target=None), CURVE)


def test_an_account_without_anything() -> None:
    nothing = plan(account([]), CURVE)
    assert nothing.allocation.case is AllocationCase.NO_CAMPAIGNS
    assert nothing.decisions.is_empty()
    new = plan(account([campaign("11"), campaign("12")]), CURVE)
    assert new.allocation.rows["action"].to_list() == [RowAction.KEEP] * 2


def test_row_order_changes_nothing() -> None:
    of = two(total_minor=21_000)
    turned = AccountHistory(
        **(
            vars(of)
            | {
                "campaigns": of.campaigns.reverse(),
                "days": of.days.sample(fraction=1.0, shuffle=True, seed=1),
            }
        )
    )
    one, other = plan(of, CURVE), plan(turned, CURVE)
    assert one.decisions.equals(other.decisions)
    assert one.allocation.rows.equals(other.allocation.rows)
    assert isinstance(one.holds, pl.DataFrame)
