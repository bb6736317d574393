"""The allocation by case: who gets what, which limit held it, and what it says about it."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from tests.optimizer.allocating import Share, account, budgets, limits, row, run
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.optimizer.allocation import ALLOCATION, allocate
from zyenta_ads_pipeline.optimizer.allocation_cases import AllocationCase, Limit, RowAction
from zyenta_ads_pipeline.optimizer.deciding import DECISIONS

D = Decimal

# --- a total, by weight -----------------------------------------------------------------------


def test_the_worked_example_of_the_handbook() -> None:
    found = run([Share("A", "4"), Share("B", "2"), Share("C", "0.2"), Share("D", "1")], 20000)
    assert budgets(found) == {"A": 10857, "B": 5429, "C": 1000, "D": 2714}
    assert found.case is AllocationCase.EXACT
    assert found.distributed == found.total == 20000
    assert found.undistributed == 0
    assert found.price is None
    assert found.message == "$200.00 distributed over 4 campaigns by weight."
    assert row(found, "D")["note"] == "Its share by weight."
    assert row(found, "C")["limit"] == Limit.FLOOR
    assert row(found, "C")["note"] == "Held at its floor of $10.00."
    assert found.rows.schema == dict(ALLOCATION)


def test_the_seeds_example_of_a_floor_that_broke_the_total_is_kept() -> None:
    assert budgets(run([Share("A", "9"), Share("B", "0.1")], 5000)) == {"A": 4000, "B": 1000}


def test_without_a_new_budget_todays_is_the_weight() -> None:
    found = run([Share("A", None, 4000), Share("B", "60"), Share("C", "0")], 12000, floor_minor=1)
    assert budgets(found) == {"A": 4800, "B": 7199, "C": 1}


def test_what_is_left_over_goes_to_the_largest_remainders_then_by_id() -> None:
    thirds = [Share("c", "1"), Share("a", "1"), Share("b", "1")]
    assert budgets(run(thirds, 100, floor_minor=0)) == {"a": 34, "b": 33, "c": 33}
    one_to_two = [Share("a", "1"), Share("b", "2")]
    assert budgets(run(one_to_two, 100, floor_minor=0)) == {"a": 33, "b": 67}


def test_caps_are_respected_and_the_rest_is_shared_again() -> None:
    found = run([Share("A", "8"), Share("B", "1"), Share("C", "1")], 10000, cap_minor=6000)
    assert budgets(found) == {"A": 6000, "B": 2000, "C": 2000}
    assert row(found, "A")["limit"] == Limit.CAP
    assert row(found, "A")["note"] == "Held at its cap of $60.00."


def test_a_floor_and_a_cap_at_once() -> None:
    found = run([Share("A", "8"), Share("B", "1"), Share("C", "0.1")], 10000, cap_minor=6000)
    assert budgets(found) == {"A": 6000, "B": 3000, "C": 1000}


def test_a_campaigns_own_bounds_take_the_place_of_the_accounts() -> None:
    found = run([Share("A", "1", floor=7000), Share("B", "1", cap=500, floor=100)], 10000)
    assert budgets(found) == {"A": 9500, "B": 500}
    pinned = run([Share("A", "1", floor=7000, cap=7000), Share("B", "9")], 10000)
    assert budgets(pinned) == {"A": 7000, "B": 3000}


def test_those_that_take_no_part_say_why() -> None:
    found = run(
        [
            Share("A", "2"),
            Share("off", "9", active=False),
            Share("stop", "0", action="pause"),
            Share("life", None, current=None),
        ],
        9000,
    )
    assert budgets(found) == {"A": 9000, "off": 0, "stop": 0, "life": 0}
    told = {own: (row(found, own)["action"], row(found, own)["limit"]) for own in budgets(found)}
    assert told == {
        "A": (RowAction.SET, Limit.NONE),
        "off": (RowAction.LEAVE, Limit.NOT_ACTIVE),
        "stop": (RowAction.PAUSE, Limit.PAUSED),
        "life": (RowAction.LEAVE, Limit.NO_DAILY_BUDGET),
    }
    assert (found.rows["note"] != "").all()
    assert found.message == "$90.00 distributed over one campaign by weight."


def test_what_is_right_already_is_kept() -> None:
    found = run([Share("A", "1", 4000), Share("B", "1", 6000)], 10000)
    assert row(found, "A")["action"] == RowAction.SET
    found = run([Share("A", "1"), Share("B", "1")], 10000)
    assert row(found, "A")["action"] == RowAction.KEEP


@pytest.mark.parametrize("shares", [[], [Share("A", active=False)]])
def test_no_campaigns(shares: list[Share]) -> None:
    found = run(shares, 9000)
    assert found.case is AllocationCase.NO_CAMPAIGNS
    assert (found.distributed, found.undistributed) == (0, 9000)
    assert "$90.00 is not distributed" in found.message


def test_without_a_total_todays_budgets_are_it_where_a_policy_shares_one() -> None:
    shares = [
        Share("A", "3", 4000),
        Share("B", "1", 4001),
        Share("stop", "0", 9000, action="pause"),
        Share("off", None, 7000, active=False),
    ]
    found = run(shares, shares_total=True)
    assert found.total == found.distributed == 8001
    assert budgets(found) == {"A": 6001, "B": 2000, "off": 0, "stop": 0}
    assert found.message == (
        "No total is set, so today's budgets are it. $80.01 distributed over 2 campaigns by weight."
    )


def test_without_a_total_a_floor_neither_lifts_nor_stops_anybody() -> None:
    low = [Share(own, None, 500, action="maintain") for own in "ABC"]
    found = run([*low, Share("D", "1", 0)], shares_total=True, max_step="0.20")
    assert budgets(found) == {"A": 500, "B": 500, "C": 500, "D": 0}
    assert found.case is AllocationCase.EXACT
    better = Share("E", "40", 500, "increase")
    found = run([*low, better], shares_total=True, max_step="0.20", floor_minor=400)
    assert budgets(found) == {"A": 467, "B": 467, "C": 466, "E": 600}
    found = run([*low, better], shares_total=True, max_step="0.20")
    assert budgets(found) == {"A": 500, "B": 500, "C": 500, "E": 500}
    assert row(found, "A")["note"] == "Not cut: it is below its floor of $10.00 already."


# --- limits that do not fit the total -----------------------------------------------------------


def test_floors_above_the_total_fund_the_best() -> None:
    four = [Share("A", "1"), Share("B", "3"), Share("C", "2"), Share("D", "0.5")]
    found = run(four, 2500)
    assert budgets(found) == {"A": 0, "B": 1500, "C": 1000, "D": 0}
    assert found.case is AllocationCase.FLOORS_EXCEED_TOTAL
    assert found.needs_person
    assert found.distributed == 2500
    assert row(found, "A")["action"] == RowAction.PAUSE
    assert row(found, "A")["limit"] == Limit.UNFUNDED
    assert row(found, "A")["note"] == (
        "Not funded: the total does not reach to its floor of $10.00."
    )
    assert found.message == (
        "The floors of 4 campaigns need $15.00 more than the total of $25.00. Funded, best "
        "first: 2; without a budget, to be paused: 2. Raise the total or lower the floors to "
        "keep them all."
    )


def test_the_best_by_price_are_those_that_return_most_at_their_floor() -> None:
    small = Share("A", current=1000, log_marginal=0.0, curvature=0.5)
    large = Share("B", current=9000, log_marginal=-0.5, curvature=0.5)
    assert budgets(run([small, large], 1000)) == {"A": 0, "B": 1000}


def test_a_floor_that_does_not_fit_is_passed_over_for_one_that_does() -> None:
    found = run([Share("A", "9", floor=9000), Share("B", "1"), Share("C", "2")], 2000)
    assert budgets(found) == {"A": 0, "B": 1000, "C": 1000}


def test_equal_weights_are_funded_by_id() -> None:
    assert budgets(run([Share("b", "1"), Share("a", "1")], 1000)) == {"a": 1000, "b": 0}


def test_a_total_below_every_floor_funds_nobody() -> None:
    found = run([Share("A"), Share("B")], 999)
    assert budgets(found) == {"A": 0, "B": 0}
    assert found.case is AllocationCase.FLOORS_EXCEED_TOTAL
    assert found.undistributed == 999
    assert budgets(run([Share("A")], 0)) == {"A": 0}


def test_funded_campaigns_at_their_caps_leave_a_rest_and_say_so() -> None:
    found = run([Share("A", "2", cap=1100), Share("B", "1")], 1500)
    assert budgets(found) == {"A": 1100, "B": 0}
    assert "$4.00 of $15.00 stays undistributed" in found.message


def test_caps_below_the_total() -> None:
    found = run([Share("A", "2"), Share("B", "1")], 10000, cap_minor=3000)
    assert budgets(found) == {"A": 3000, "B": 3000}
    assert found.case is AllocationCase.CAPS_BELOW_TOTAL
    assert not found.needs_person
    assert found.undistributed == 4000
    assert found.message == (
        "The caps of 2 campaigns come to less than the total: $40.00 of $100.00 stays "
        "undistributed."
    )


def test_caps_and_steps_below_the_total() -> None:
    two = [Share("A", "2", 1000), Share("B", "1", 2900)]
    found = run(two, 10000, cap_minor=3000, max_step="0.20")
    assert budgets(found) == {"A": 1200, "B": 3000}
    assert found.case is AllocationCase.CAPS_BELOW_TOTAL
    assert found.message.endswith("The step of 20 % holds some below their caps.")


def test_the_step_holds_on_both_sides() -> None:
    found = run([Share("A", "9", 5000), Share("B", "1", 5000)], 10000, max_step="0.20")
    assert budgets(found) == {"A": 6000, "B": 4000}
    assert row(found, "B")["limit"] == Limit.STEP_DOWN
    assert row(found, "B")["note"] == "Cut no further than the step of 20 % from $50.00 allows."
    found = run([Share("A", "9", 1000), Share("B", "1", 9000)], 10000, max_step="0.20")
    assert budgets(found) == {"A": 1200, "B": 8800}
    assert row(found, "A")["limit"] == Limit.STEP_UP
    assert row(found, "A")["note"].startswith(
        "Raised no further than the step of 20 % from $10.00 allows."
    )


def test_steps_below_the_total() -> None:
    found = run([Share("A", "200"), Share("B", "100")], 20000, max_step="0.20")
    assert budgets(found) == {"A": 6000, "B": 6000}
    assert found.case is AllocationCase.STEPS_BELOW_TOTAL
    assert not found.needs_person
    assert found.message == (
        "2 campaigns cannot grow to the total within one step of 20 %: $80.00 of $200.00 stays "
        "undistributed for now, and the next rounds come closer."
    )


def test_the_total_wins_over_the_step() -> None:
    found = run([Share("A", "2", 8000), Share("B", "1", 2000)], 4000, max_step="0.20")
    assert budgets(found) == {"A": 3000, "B": 1000}
    assert found.case is AllocationCase.STEPS_EXCEED_TOTAL
    assert found.needs_person
    assert row(found, "A")["limit"] == Limit.TOTAL
    assert row(found, "A")["note"] == (
        "Cut further than the step of 20 % from $80.00: the total comes first."
    )
    assert "$40.00 above the total of $40.00" in found.message


def test_the_total_wins_over_the_step_but_not_over_a_floor_or_by_more_than_rounding() -> None:
    found = run([Share("A", "2", 8000), Share("B", "1", 1000)], 7000, max_step="0.20")
    assert budgets(found) == {"A": 6000, "B": 1000}
    assert row(found, "B")["limit"] == Limit.FLOOR
    one_short = run([Share("A", "2"), Share("B", "1")], 7999, max_step="0.20")
    assert budgets(one_short) == {"A": 4000, "B": 3999}
    assert row(one_short, "A")["limit"] == Limit.STEP_DOWN


def test_a_floor_above_the_step_wins_and_says_so() -> None:
    found = run([Share("A", "1", 500), Share("B", "1", 5000)], 6000, max_step="0.20")
    assert budgets(found) == {"A": 1000, "B": 5000}
    assert row(found, "A")["limit"] == Limit.FLOOR
    assert row(found, "A")["note"] == (
        "Raised to its floor of $10.00, further than the step of 20 % from $5.00: the floor wins."
    )


def test_a_cap_below_the_step_wins_and_says_so() -> None:
    two = [Share("A", "1", 9000, cap=2000), Share("B", "1", 5000)]
    found = run(two, 7000, max_step="0.20")
    assert budgets(found) == {"A": 2000, "B": 5000}
    assert row(found, "A")["limit"] == Limit.CAP
    assert row(found, "A")["note"] == (
        "Cut to its cap of $20.00, further than the step of 20 % from $90.00: the cap wins."
    )


# --- without a total ----------------------------------------------------------------------------


def test_decisions_pass_through() -> None:
    found = run(
        [
            Share("up", "60.00"),
            Share("same", None, 5001),
            Share("stop", "0", action="pause"),
            Share("off", None, active=False),
        ]
    )
    assert budgets(found) == {"off": 0, "same": 5001, "stop": 0, "up": 6000}
    assert dict(found.rows.select("campaign_id", "action").iter_rows()) == {
        "off": RowAction.LEAVE,
        "same": RowAction.KEEP,
        "stop": RowAction.PAUSE,
        "up": RowAction.SET,
    }
    assert row(found, "up")["note"] == "As decided."
    assert row(found, "same")["note"] == "Maintained."
    assert found.case is AllocationCase.PASS_THROUGH
    assert (found.total, found.undistributed, found.distributed) == (None, 0, 11001)


def test_pass_through_without_campaigns() -> None:
    found = run([])
    assert found.case is AllocationCase.NO_CAMPAIGNS
    assert found.rows.is_empty()


@pytest.mark.parametrize(
    ("decided", "minor"),
    [("39.996", 4000), ("60.005", 6000), ("60.015", 6002), ("60.0051", 6001)],
)
def test_decisions_are_rounded_half_to_even(decided: str, minor: int) -> None:
    assert budgets(run([Share("A", decided)])) == {"A": minor}


def test_a_currency_without_minor_units() -> None:
    assert budgets(run([Share("A", "5500.5")], currency="JPY")) == {"A": 5500}
    found = run([Share("A", "900", 1100)], currency="JPY")
    assert row(found, "A")["note"] == "Held at its floor of 1,000 JPY."


def test_a_floor_never_raises_a_campaign_that_is_to_be_cut() -> None:
    found = run([Share("A", "7.99", 999)], max_step="0.20")
    assert budgets(found) == {"A": 999}
    assert row(found, "A")["action"] == RowAction.KEEP
    assert row(found, "A")["note"] == "Not cut: it is below its floor of $10.00 already."


def test_decisions_are_held_at_floor_cap_and_step() -> None:
    found = run(
        [
            Share("cap", "60.00", cap=5500),
            Share("floor", "8.80", 1100),
            Share("up", "60.00"),
            Share("down", "40.00"),
        ],
        max_step="0.10",
    )
    assert budgets(found) == {"cap": 5500, "down": 4500, "floor": 1000, "up": 5500}
    assert dict(found.rows.select("campaign_id", "limit").iter_rows()) == {
        "cap": Limit.CAP,
        "down": Limit.STEP_DOWN,
        "floor": Limit.FLOOR,
        "up": Limit.STEP_UP,
    }


def test_a_full_step_is_cut_to_whole_units_inside_and_not_called_held_back() -> None:
    found = run([Share("A", "12.036", 1003)], max_step="0.20")
    assert budgets(found) == {"A": 1203}
    assert row(found, "A")["note"] == "As decided."


def test_conflicts_with_the_step_in_pass_through() -> None:
    two = [Share("A", "6.00", 500), Share("B", "108.00", 9000, cap=2000)]
    found = run(two, max_step="0.20")
    assert budgets(found) == {"A": 600, "B": 2000}, "towards the floor, one step at a time"
    assert row(found, "A")["note"] == "As decided."
    assert row(found, "B")["note"].endswith("the cap wins.")


def test_maintained_outside_its_bounds_is_left_and_said() -> None:
    found = run([Share("A", None, 500), Share("B", None, 9000, cap=5000)], max_step="0.20")
    assert budgets(found) == {"A": 500, "B": 9000}
    assert found.rows["action"].to_list() == [RowAction.KEEP, RowAction.KEEP]
    assert row(found, "A")["note"] == "Maintained, though below its floor of $10.00."
    assert row(found, "B")["note"] == "Maintained, though above its cap of $50.00."


def test_holds_and_stops_hold_in_pass_through_too() -> None:
    shares = [
        Share("hold", "0", action="pause", hold="It needs 3 days with spend."),
        Share("lock", "60.00", locked=True),
        Share("up", "60.00"),
        Share("down", "40.00"),
    ]
    found = run(shares, no_raises="The week is spent")
    assert budgets(found) == {"hold": 5000, "lock": 5000, "up": 5000, "down": 4000}
    assert row(found, "hold")["note"] == "Kept at $50.00 for now: It needs 3 days with spend."
    assert row(found, "up")["note"] == "Not raised for now: The week is spent."


# --- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("share", "wrong", "words"),
    [
        (Share("A", floor=9000, cap=100), {}, "above its cap"),
        (Share("A"), {"floor_minor": 5000, "cap_minor": 100}, "above its cap"),
        (Share("A"), {"total": -1}, "The total is -1"),
        (Share("A"), {"total": 10.5}, "The total is 10.5"),
        (Share("A"), {"floor_minor": -1}, "The floor is -1"),
        (Share("A"), {"cap_minor": 0}, "The cap is 0"),
        (Share("A"), {"group_totals": {"x": -4}}, "group x is -4"),
        (Share("A"), {"max_step": "-0.1"}, "step"),
        (Share("A"), {"max_step": "NaN"}, "step"),
        (Share("A"), {"dead_band": "-1"}, "dead band"),
        (Share("A", current=2**60), {}, "too large"),
        (Share("A"), {"total": 2**60}, "too large"),
    ],
)
def test_contradictions_are_refused(share: Share, wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        run([share], **wrong)


def test_decisions_and_holds_have_to_be_on_the_accounts_campaigns() -> None:
    of = account([Share("A")], limits())
    other = pl.DataFrame([Share("B").decision(100)], schema=dict(DECISIONS))
    with pytest.raises(InputError, match="not on the campaigns of act_1"):
        allocate(of, other, shares_total=True)
    right = pl.DataFrame([Share("A").decision(100)], schema=dict(DECISIONS))
    for held, words in ((["B"], "on no campaign"), (["A", "A"], "held twice")):
        holds = pl.DataFrame({"campaign_id": held, "hold": ["x"] * len(held)})
        with pytest.raises(InputError, match=words):
            allocate(of, right, shares_total=True, holds=holds)


def test_the_words_of_a_row_are_plain_text() -> None:
    found = run([Share("A", "4"), Share("B", "2")], 20000)
    assert json.loads(json.dumps(found.rows.to_dicts()))
    assert set(found.rows["action"]) <= {each.value for each in RowAction}
