"""Locks, holds, groups, prices and goals: what else the allocation heeds, and what it says."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.optimizer.allocating import Share, budgets, row, run
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.optimizer.account import Goal
from zyenta_ads_pipeline.optimizer.allocation_cases import AllocationCase, Limit, RowAction

D = Decimal

# --- locks and holds ----------------------------------------------------------------------------


def test_locked_and_held_budgets_stay_and_count_in_the_total() -> None:
    shares = [
        Share("A", "1"),
        Share("B", "9"),
        Share("lock", "99", 3000, locked=True),
        Share("hold", "0", 2000, action="pause", hold="Changed yesterday"),
    ]
    found = run(shares, 15000)
    assert budgets(found) == {"A": 1000, "B": 9000, "lock": 3000, "hold": 2000}
    assert found.case is AllocationCase.EXACT
    assert row(found, "lock")["limit"] == Limit.LOCKED
    assert row(found, "lock")["note"] == "Locked at $30.00 by a person."
    assert row(found, "hold")["limit"] == Limit.HELD
    assert row(found, "hold")["note"] == "Kept at $20.00 for now: Changed yesterday."
    assert row(found, "hold")["action"] == RowAction.KEEP


def test_holds_give_way_to_the_total_within_their_steps() -> None:
    shares = [Share("A", None, 5000, hold="Changed today"), Share("B", None, 5000)]
    found = run(shares, 8500, max_step="0.20")
    assert budgets(found) == {"A": 4500, "B": 4000}
    assert found.case is AllocationCase.HOLDS_EXCEED_TOTAL
    assert not found.needs_person, "what a person set holds"
    stopped = run(shares, 8500, max_step="0.20", no_changes="Stale")
    assert stopped.needs_person, "nothing may be changed without one"
    assert row(found, "A")["note"].startswith("Cut although it was to stay for now (Changed today)")
    assert "$5.00 above the total of $85.00" in found.message


def test_a_lock_never_gives_way_and_the_floors_of_others_do() -> None:
    shares = [Share("A", "1"), Share("B", "2"), Share("lock", None, 8000, locked=True)]
    found = run(shares, 9500)
    assert budgets(found) == {"A": 0, "B": 1500, "lock": 8000}
    assert found.case is AllocationCase.FLOORS_EXCEED_TOTAL
    too_much = run(shares, 7000)
    assert budgets(too_much) == {"A": 0, "B": 0, "lock": 8000}
    assert too_much.case is AllocationCase.LOCKS_EXCEED_TOTAL
    assert too_much.needs_person
    assert too_much.undistributed == 0
    assert "$10.00 more than the total of $70.00" in too_much.message


def test_what_may_not_be_raised_is_not() -> None:
    found = run([Share("A", "9"), Share("B", "1")], 10000, max_step="0.20", no_raises="Stale")
    assert budgets(found) == {"A": 5000, "B": 5000}
    assert row(found, "A")["limit"] == Limit.NO_RAISES
    assert row(found, "A")["note"] == "Not raised for now: Stale."


# --- groups -------------------------------------------------------------------------------------


def test_groups_share_their_own_totals() -> None:
    shares = [
        Share("A", "1", group="brand"),
        Share("B", "1", group="brand"),
        Share("C", "3", group="shop"),
        Share("D", "1"),
    ]
    found = run(shares, 20000, group_totals={"brand": 6000, "empty": 9000})
    assert budgets(found) == {"A": 3000, "B": 3000, "C": 10500, "D": 3500}
    assert row(found, "A")["group"] == "brand"
    assert row(found, "C")["group"] is None, "a group without a total shares the account's"
    assert [(pool.group, pool.total) for pool in found.pools] == [("brand", 6000), (None, 14000)]
    assert found.message.startswith("Group brand: $60.00 distributed")
    assert found.total == found.distributed == 20000


def test_a_group_in_trouble_is_told_and_leaves_the_others_alone() -> None:
    shares = [Share("A", "1", group="x"), Share("B", "1", group="x"), Share("C", None)]
    found = run(shares, 8000, group_totals={"x": 1500})
    assert budgets(found) == {"A": 1500, "B": 0, "C": 6500}
    assert found.case is AllocationCase.FLOORS_EXCEED_TOTAL
    assert found.needs_person


def test_groups_share_while_the_others_pass_through() -> None:
    shares = [Share("A", "90", group="x"), Share("B", "10", group="x"), Share("C", "60")]
    found = run(shares, None, group_totals={"x": 8000})
    assert budgets(found) == {"A": 7000, "B": 1000, "C": 6000}
    assert found.total is None


def test_groups_above_the_account_are_refused() -> None:
    shares = [Share("A", group="x"), Share("B", group="y")]
    with pytest.raises(InputError, match=r"groups come to more than the account's total of \$50"):
        run(shares, 5000, group_totals={"x": 4000, "y": 2000})


# --- by price -----------------------------------------------------------------------------------


def priced(own: str, log_marginal: float, **others: Any) -> Share:
    return Share(own, action="maintain", log_marginal=log_marginal, curvature=0.5, **others)


def test_money_goes_where_the_next_unit_returns_more() -> None:
    found = run([priced("A", 0.2, up=0.9), priced("B", 0.0, up=0.2)], 10000)
    assert budgets(found)["A"] > 5000 > budgets(found)["B"]
    assert found.distributed == 10000
    ratio = budgets(found)["A"] / budgets(found)["B"]
    assert ratio == pytest.approx(2.718281828 ** (0.2 / 0.5), rel=1e-3)
    assert found.message == (
        "$100.00 distributed over 2 campaigns by what the next unit of money returns."
    )
    assert found.price is not None
    assert f"returns {found.price:.2f}x, as elsewhere" in row(found, "A")["note"]
    assert row(found, "A")["confidence"] == 0.9
    assert row(found, "B")["confidence"] == 0.8


def test_who_knows_no_marginal_stays_where_the_others_would_all_stay() -> None:
    found = run([priced("A", 0.1), priced("B", 0.1), Share("new", None, 3000)], 13000)
    assert budgets(found) == {"A": 5000, "B": 5000, "new": 3000}


def test_a_move_against_the_decision_says_why() -> None:
    up = Share("A", "60", 5000, "increase", log_marginal=0.0, curvature=0.5)
    better = Share("B", "60", 5000, "increase", log_marginal=1.0, curvature=0.5)
    found = run([up, better], 10000, max_step="0.20")
    assert row(found, "A")["note"].endswith(
        "On its own it would be raised, but the total leaves less for it."
    )
    assert "On its own" not in row(found, "B")["note"]


def test_small_moves_are_not_made_and_the_rest_is_solved_again() -> None:
    shares = [priced("A", 0.01), priced("B", 0.0), priced("C", 0.5), priced("D", -0.5)]
    free = run(shares, 20000, max_step="0.20")
    assert budgets(free)["A"] != 5000
    found = run(shares, 20000, max_step="0.20", dead_band="0.03")
    assert budgets(found) == {"A": 5000, "B": 5000, "C": 6000, "D": 4000}
    assert row(found, "A")["limit"] == Limit.DEAD_BAND
    assert row(found, "A")["note"] == (
        "Kept: it would move by less than 3 %, which is not worth a change."
    )


def test_a_total_that_is_a_cent_off_moves_one_budget_only() -> None:
    shares = [priced(f"{i}", i / 1000) for i in range(9)]
    for total in (44999, 45001):
        found = run(shares, total, max_step="0.20", dead_band="0.03")
        assert found.distributed == total
        assert (found.rows["action"] == RowAction.SET).sum() == 1


def test_a_dead_band_as_wide_as_the_step_does_not_stop_everything() -> None:
    found = run([priced("A", 0.5), priced("B", 0.0)], 10000, max_step="0.02", dead_band="0.03")
    assert budgets(found) == {"A": 5100, "B": 4900}


def test_what_is_not_spent_is_not_given() -> None:
    shares = [
        priced("A", 0.9, spent=("30.00", "32.00")),
        priced("B", 0.0, spent=("50.00", "50.00")),
        priced("C", 0.0, spent=("50.00", "50.00")),
        priced("none", 0.9),
    ]
    found = run(shares, 20000, max_step="0.20")
    assert budgets(found)["A"] == 4000, "1.05 x 32.00 lies below the step"
    assert row(found, "A")["limit"] == Limit.DELIVERY
    assert row(found, "A")["note"].startswith(
        "Cut to $40.00: on each of the last two days it spent less than 80 % of its budget."
    )
    assert budgets(found)["none"] == 5000, "nobody knows why it spends nothing, so it stays"
    one_good_day = run([priced("A", 0.9, spent=("30.00", "49.00")), priced("B", 0.0)], 10000)
    assert budgets(one_good_day)["A"] > 5000


def test_a_decision_to_raise_what_is_not_spent_is_passed_as_no_change() -> None:
    raised = Share("A", current=5000, weight="60.00", spent=("30.00", "32.00"))
    found = run([raised], None, max_step="0.20")
    assert budgets(found) == {"A": 5000}
    assert row(found, "A")["limit"] == Limit.DELIVERY
    assert row(found, "A")["note"].startswith("Kept at $50.00: on each of the last two days")


def test_a_campaign_that_learns_moves_by_a_small_step_only() -> None:
    shares = [priced("A", 2.0, days_running=3), priced("B", 0.0)]
    found = run(shares, 10000, max_step="0.50")
    assert budgets(found) == {"A": 6000, "B": 4000}
    assert row(found, "A")["limit"] == Limit.LEARNING_UP
    assert "it learns in its first 3 days" in row(found, "A")["note"]
    older = run([priced("A", 2.0, days_running=4), priced("B", 0.0)], 10000, max_step="0.50")
    assert budgets(older) == {"A": 7500, "B": 2500}


def test_a_floor_that_forces_more_than_is_spent_is_told_as_the_floor() -> None:
    shares = [priced("A", 0.0, current=546, spent=("1.00", "2.00")), priced("B", 0.0)]
    found = run([*shares, priced("C", 0.0, spent=("50", "50"))], 12000, max_step="0.20")
    assert budgets(found)["A"] == 1000
    assert row(found, "A")["limit"] == Limit.FLOOR


def test_what_lies_below_its_floor_is_not_lifted_while_nothing_may_be_raised() -> None:
    found = run([Share("A", "9", 500), Share("B", "1")], 9000, no_raises="Stale")
    assert budgets(found) == {"A": 500, "B": 5000}
    assert row(found, "A")["limit"] == Limit.NO_RAISES


# --- goals --------------------------------------------------------------------------------------


def test_for_profit_what_returns_too_little_is_not_spent() -> None:
    # At a margin of one half the next unit has to return 2.
    shares = [priced("A", 0.9), priced("B", 0.7), priced("C", 0.0)]
    goal: dict[str, Any] = {"goal": Goal.PROFIT, "margin": D("0.5")}
    found = run(shares, 16000, max_step="0.20", **goal)
    assert budgets(found) == {"A": 6000, "B": 5068, "C": 4000}
    assert found.price == pytest.approx(2.0)
    assert found.undistributed == 932
    assert not found.needs_person
    scarce = run(shares, 15000, max_step="0.20", **goal)
    assert budgets(scarce) == {"A": 6000, "B": 5000, "C": 4000}, "less than profit would want"
    assert scarce.case is AllocationCase.EXACT


def test_for_profit_the_rest_stays_unspent_and_says_so() -> None:
    shares = [priced("A", 0.45), priced("B", 0.0)]
    found = run(shares, 10000, max_step="0.20", goal=Goal.PROFIT, margin=D("0.6"))
    assert budgets(found) == {"A": 4427, "B": 4000}
    assert found.case is AllocationCase.GOAL_BELOW_TOTAL
    assert found.message == (
        "$84.27 of $100.00 distributed: beyond that the next unit of money would return less than "
        "the 1.67x it takes to earn it back at a margin of 60 %. $15.73 stays unspent."
    )


@pytest.mark.parametrize("margin", [None, D(0), D("1.5")])
def test_a_profit_without_a_margin_is_refused(margin: Decimal | None) -> None:
    with pytest.raises(InputError, match="the margin is"):
        run([priced("A", 0.0)], 5000, goal=Goal.PROFIT, margin=margin)


def test_a_goal_that_weights_cannot_reach_is_told() -> None:
    found = run([Share("A", "1")], 5000, goal=Goal.PROFIT, margin=D("0.5"))
    assert budgets(found) == {"A": 5000}
    assert found.message.endswith("so budgets are shared by weight.")
