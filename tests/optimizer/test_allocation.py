"""The allocation: exact to the minor unit, within its bounds, whatever comes in."""

from __future__ import annotations

import random
import time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.optimizer.allocation import (
    Allocation,
    AllocationCase,
    AllocationRow,
    CampaignShare,
    Limit,
    RowAction,
    allocate,
)
from zyenta_ads_pipeline.optimizer.sharing import split_over_ad_sets

D = Decimal


def share(
    campaign: str,
    roas: str | None = "1",
    current: int | None = 5000,
    decided: str | None = None,
    *,
    active: bool = True,
    paused: bool = False,
    floor: int | None = None,
    cap: int | None = None,
) -> CampaignShare:
    return CampaignShare(
        campaign_id=campaign,
        roas=None if roas is None else D(roas),
        current_minor=current,
        decided_budget=None if decided is None else D(decided),
        active=active,
        paused_by_decision=paused,
        floor_minor=floor,
        cap_minor=cap,
    )


def run(
    shares: list[CampaignShare],
    total: int | None = None,
    *,
    floor: int = 1000,
    cap: int | None = None,
    step: str | None = None,
    currency: str = "USD",
) -> Allocation:
    return allocate(
        shares,
        currency=currency,
        total_minor=total,
        floor_minor=floor,
        cap_minor=cap,
        max_step=None if step is None else D(step),
    )


def budgets(allocation: Allocation) -> dict[str, int]:
    return {row.campaign_id: row.budget_minor for row in allocation.rows}


def row(allocation: Allocation, campaign: str) -> AllocationRow:
    return next(one for one in allocation.rows if one.campaign_id == campaign)


# --- with a total ---------------------------------------------------------------------------


def test_the_worked_example_of_the_handbook() -> None:
    found = run([share("A", "4"), share("B", "2"), share("C", "0.2"), share("D", None)], 20000)
    assert budgets(found) == {"A": 10857, "B": 5429, "C": 1000, "D": 2714}
    assert found.case is AllocationCase.EXACT
    assert found.distributed == found.total == 20000
    assert found.undistributed == 0
    assert found.message == "$200.00 distributed over 4 campaigns by ROAS."
    assert row(found, "A").note == "Its share by ROAS."
    assert row(found, "C").limit is Limit.FLOOR
    assert row(found, "C").note == "Held at its floor of $10.00."
    assert row(found, "D").note == "Its share by ROAS. No ROAS yet: weighed as 1.00x."


def test_the_seeds_example_of_a_floor_that_broke_the_total_is_kept() -> None:
    found = run([share("A", "9"), share("B", "0.1")], 5000)
    assert budgets(found) == {"A": 4000, "B": 1000}


def test_weights_have_the_seeds_least_and_default() -> None:
    found = run([share("A", None), share("B", "0"), share("C", "-3")], 12000, floor=1)
    assert budgets(found) == {"A": 10000, "B": 1000, "C": 1000}


def test_what_is_left_over_goes_to_the_largest_remainders_then_by_id() -> None:
    assert budgets(run([share("c"), share("a"), share("b")], 100, floor=0)) == {
        "a": 34,
        "b": 33,
        "c": 33,
    }
    assert budgets(run([share("a", "1"), share("b", "2")], 100, floor=0)) == {"a": 33, "b": 67}


def test_caps_are_respected_and_the_rest_is_shared_again() -> None:
    found = run([share("A", "8"), share("B", "1"), share("C", "1")], 10000, cap=6000)
    assert budgets(found) == {"A": 6000, "B": 2000, "C": 2000}
    assert row(found, "A").limit is Limit.CAP
    assert row(found, "A").note == "Held at its cap of $60.00."


def test_a_floor_and_a_cap_at_once() -> None:
    found = run([share("A", "8"), share("B", "1"), share("C", "0.1")], 10000, cap=6000)
    assert budgets(found) == {"A": 6000, "B": 3000, "C": 1000}


def test_a_campaigns_own_bounds_take_the_place_of_the_accounts() -> None:
    found = run([share("A", "1", floor=7000), share("B", "1", cap=500, floor=100)], 10000)
    assert budgets(found) == {"A": 9500, "B": 500}
    pinned = run([share("A", "1", floor=7000, cap=7000), share("B", "9")], 10000)
    assert budgets(pinned) == {"A": 7000, "B": 3000}


def test_those_that_take_no_part_say_why() -> None:
    found = run(
        [
            share("A", "2"),
            share("off", "9", active=False),
            share("stop", "0.1", paused=True),
            share("life", "2", current=None),
        ],
        9000,
    )
    assert budgets(found) == {"A": 9000, "off": 0, "stop": 0, "life": 0}
    assert (row(found, "off").action, row(found, "off").limit) == (
        RowAction.LEAVE,
        Limit.NOT_ACTIVE,
    )
    assert (row(found, "stop").action, row(found, "stop").limit) == (
        RowAction.PAUSE,
        Limit.PAUSED,
    )
    assert (row(found, "life").action, row(found, "life").limit) == (
        RowAction.LEAVE,
        Limit.NO_DAILY_BUDGET,
    )
    assert all(one.note for one in found.rows)
    assert found.message == "$90.00 distributed over one campaign by ROAS."


def test_what_is_right_already_is_kept() -> None:
    found = run([share("A", "1", 4000), share("B", "1", 6000)], 10000)
    assert row(found, "A").action is RowAction.SET
    assert run([share("A", "1", 5000), share("B", "1", 5000)], 10000).rows[0].action is (
        RowAction.KEEP
    )


@pytest.mark.parametrize("shares", [[], [share("A", active=False)]])
def test_no_campaigns(shares: list[CampaignShare]) -> None:
    found = run(shares, 9000)
    assert found.case is AllocationCase.NO_CAMPAIGNS
    assert (found.distributed, found.undistributed) == (0, 9000)
    assert "$90.00 is not distributed" in found.message


def test_floors_above_the_total_fund_the_best() -> None:
    found = run([share("A", "1"), share("B", "3"), share("C", "2"), share("D", "0.5")], 2500)
    assert budgets(found) == {"A": 0, "B": 1500, "C": 1000, "D": 0}
    assert found.case is AllocationCase.FLOORS_EXCEED_TOTAL
    assert found.needs_person
    assert found.distributed == 2500
    assert row(found, "A").action is RowAction.PAUSE
    assert row(found, "A").limit is Limit.UNFUNDED
    assert row(found, "A").note == ("Not funded: the total does not reach to its floor of $10.00.")
    assert found.message == (
        "The floors of 4 campaigns need $15.00 more than the total of $25.00. Funded, best ROAS "
        "first: 2; without a budget, to be paused: 2. Raise the total or lower the floors to "
        "keep them all."
    )


def test_a_floor_that_does_not_fit_is_passed_over_for_one_that_does() -> None:
    found = run([share("A", "9", floor=9000), share("B", "1"), share("C", "2")], 2000)
    assert budgets(found) == {"A": 0, "B": 1000, "C": 1000}


def test_equal_weights_are_funded_by_id() -> None:
    assert budgets(run([share("b"), share("a")], 1000)) == {"a": 1000, "b": 0}


def test_a_total_below_every_floor_funds_nobody() -> None:
    found = run([share("A"), share("B")], 999)
    assert budgets(found) == {"A": 0, "B": 0}
    assert found.case is AllocationCase.FLOORS_EXCEED_TOTAL
    assert found.undistributed == 999
    assert budgets(run([share("A")], 0)) == {"A": 0}


def test_funded_campaigns_at_their_caps_leave_a_rest_and_say_so() -> None:
    found = run([share("A", "2", cap=1100), share("B", "1")], 1500)
    assert budgets(found) == {"A": 1100, "B": 0}
    assert "$4.00 of $15.00 stays undistributed" in found.message


def test_caps_below_the_total() -> None:
    found = run([share("A", "2"), share("B", "1")], 10000, cap=3000)
    assert budgets(found) == {"A": 3000, "B": 3000}
    assert found.case is AllocationCase.CAPS_BELOW_TOTAL
    assert not found.needs_person
    assert found.undistributed == 4000
    assert found.message == (
        "The caps of 2 campaigns come to less than the total: $40.00 of $100.00 stays "
        "undistributed."
    )


def test_caps_and_steps_below_the_total() -> None:
    found = run([share("A", "2", 1000), share("B", "1", 2900)], 10000, cap=3000, step="0.20")
    assert budgets(found) == {"A": 1200, "B": 3000}
    assert found.case is AllocationCase.CAPS_BELOW_TOTAL
    assert found.message.endswith("The step of 20 % holds some below their caps.")


def test_the_step_holds_on_both_sides() -> None:
    found = run([share("A", "9", 5000), share("B", "1", 5000)], 10000, step="0.20")
    assert budgets(found) == {"A": 6000, "B": 4000}
    assert row(found, "B").limit is Limit.STEP_DOWN
    assert row(found, "B").note == ("Cut no further than the step of 20 % from $50.00 allows.")
    found = run([share("A", "9", 1000), share("B", "1", 9000)], 10000, step="0.20")
    assert budgets(found) == {"A": 1200, "B": 8800}
    assert row(found, "A").limit is Limit.STEP_UP
    assert row(found, "A").note == ("Raised no further than the step of 20 % from $10.00 allows.")


def test_steps_below_the_total() -> None:
    found = run([share("A", "2", 5000), share("B", "1", 5000)], 20000, step="0.20")
    assert budgets(found) == {"A": 6000, "B": 6000}
    assert found.case is AllocationCase.STEPS_BELOW_TOTAL
    assert not found.needs_person
    assert found.message == (
        "2 campaigns cannot grow to the total within one step of 20 %: $80.00 of $200.00 stays "
        "undistributed for now, and the next rounds come closer."
    )


def test_the_total_wins_over_the_step() -> None:
    found = run([share("A", "2", 8000), share("B", "1", 2000)], 4000, step="0.20")
    assert budgets(found) == {"A": 3000, "B": 1000}
    assert found.case is AllocationCase.STEPS_EXCEED_TOTAL
    assert found.needs_person
    assert row(found, "A").limit is Limit.TOTAL
    assert row(found, "A").note == (
        "Cut further than the step of 20 % from $80.00: the total comes first."
    )
    assert "$40.00 above the total of $40.00" in found.message


def test_the_total_wins_over_the_step_but_not_over_a_floor_or_by_more_than_rounding() -> None:
    found = run([share("A", "2", 8000), share("B", "1", 1000)], 7000, step="0.20")
    assert budgets(found) == {"A": 6000, "B": 1000}
    assert row(found, "B").limit is Limit.FLOOR
    one_short = run([share("A", "2", 5000), share("B", "1", 5000)], 7999, step="0.20")
    assert budgets(one_short) == {"A": 4000, "B": 3999}
    assert row(one_short, "A").limit is Limit.STEP_DOWN


def test_a_floor_above_the_step_wins_and_says_so() -> None:
    found = run([share("A", "1", 500), share("B", "1", 5000)], 6000, step="0.20")
    assert budgets(found) == {"A": 1000, "B": 5000}
    assert row(found, "A").limit is Limit.FLOOR
    assert row(found, "A").note == (
        "Raised to its floor of $10.00, further than the step of 20 % from $5.00: the floor wins."
    )


def test_a_cap_below_the_step_wins_and_says_so() -> None:
    found = run([share("A", "1", 9000, cap=2000), share("B", "1", 5000)], 7000, step="0.20")
    assert budgets(found) == {"A": 2000, "B": 5000}
    assert row(found, "A").limit is Limit.CAP
    assert row(found, "A").note == (
        "Cut to its cap of $20.00, further than the step of 20 % from $90.00: the cap wins."
    )


# --- without a total ------------------------------------------------------------------------


def test_decisions_pass_through() -> None:
    found = run(
        [
            share("up", "3", 5000, "60.00"),
            share("same", "1.5", 5001),
            share("stop", "0.1", 5000, "0", paused=True),
            share("off", "1", 5000, active=False),
        ]
    )
    assert budgets(found) == {"off": 0, "same": 5001, "stop": 0, "up": 6000}
    assert {one.campaign_id: one.action for one in found.rows} == {
        "off": RowAction.LEAVE,
        "same": RowAction.KEEP,
        "stop": RowAction.PAUSE,
        "up": RowAction.SET,
    }
    assert row(found, "up").note == "As decided."
    assert row(found, "same").note == "Maintained."
    assert found.case is AllocationCase.PASS_THROUGH
    assert (found.total, found.undistributed, found.distributed) == (None, 0, 11001)


def test_pass_through_without_campaigns() -> None:
    found = run([])
    assert found.case is AllocationCase.NO_CAMPAIGNS
    assert found.rows == ()


@pytest.mark.parametrize(
    ("decided", "minor"),
    [("39.996", 4000), ("60.005", 6000), ("60.015", 6002), ("60.0051", 6001)],
)
def test_decisions_are_rounded_half_to_even(decided: str, minor: int) -> None:
    assert budgets(run([share("A", current=5000, decided=decided)])) == {"A": minor}


def test_a_currency_without_minor_units() -> None:
    found = run([share("A", current=5000, decided="5500.5")], currency="JPY")
    assert budgets(found) == {"A": 5500}
    found = run([share("A", current=1100, decided="900")], currency="JPY")
    assert row(found, "A").note == "Held at its floor of 1,000 JPY."


def test_a_floor_never_raises_a_campaign_that_is_to_be_cut() -> None:
    found = run([share("A", current=999, decided="7.99")], step="0.20")
    assert budgets(found) == {"A": 999}
    assert row(found, "A").action is RowAction.KEEP
    assert row(found, "A").note == "Not cut: it is below its floor of $10.00 already."


def test_decisions_are_held_at_floor_cap_and_step() -> None:
    found = run(
        [
            share("cap", "3", 5000, "60.00", cap=5500),
            share("floor", "0.7", 1100, "8.80"),
            share("up", "3", 5000, "60.00"),
            share("down", "0.7", 5000, "40.00"),
        ],
        step="0.10",
    )
    assert budgets(found) == {"cap": 5500, "down": 4500, "floor": 1000, "up": 5500}
    assert {one.campaign_id: one.limit for one in found.rows} == {
        "cap": Limit.CAP,
        "down": Limit.STEP_DOWN,
        "floor": Limit.FLOOR,
        "up": Limit.STEP_UP,
    }


def test_a_full_step_is_cut_to_whole_units_inside_and_not_called_held_back() -> None:
    found = run([share("A", "3", 1003, "12.036")], step="0.20")
    assert budgets(found) == {"A": 1203}
    assert row(found, "A").note == "As decided."


def test_conflicts_with_the_step_in_pass_through() -> None:
    found = run(
        [share("A", "3", 500, "6.00"), share("B", "3", 9000, "108.00", cap=2000)], step="0.20"
    )
    assert budgets(found) == {"A": 600, "B": 2000}, "towards the floor, one step at a time"
    assert row(found, "A").note == "As decided."
    assert row(found, "B").note.endswith("the cap wins.")


def test_maintained_outside_its_bounds_is_left_and_said() -> None:
    found = run([share("A", current=500), share("B", current=9000, cap=5000)], step="0.20")
    assert budgets(found) == {"A": 500, "B": 9000}
    assert all(one.action is RowAction.KEEP for one in found.rows)
    assert row(found, "A").note == "Maintained, though below its floor of $10.00."
    assert row(found, "B").note == "Maintained, though above its cap of $50.00."


# --- refusals -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shares", "wrong", "words"),
    [
        ([share("A"), share("A")], {}, "given twice"),
        ([share("A", floor=9000, cap=100)], {}, "above its cap"),
        ([share("A")], {"floor": 5000, "cap": 100}, "above its cap"),
        ([share("A")], {"total": -1}, "The total is -1"),
        ([share("A")], {"total": 10.5}, "The total is 10.5"),
        ([share("A")], {"floor": -1}, "The floor is -1"),
        ([share("A")], {"cap": 0}, "The cap is 0"),
        ([share("A", floor=-1)], {}, "floor of campaign A"),
        ([share("A", cap=0)], {}, "cap of campaign A"),
        ([share("A", current=-5)], {}, "budget of campaign A"),
        ([share("A")], {"step": "-0.1"}, "step"),
        ([share("A")], {"step": "NaN"}, "step"),
        ([share("A", "NaN")], {"total": 9000}, "ROAS of campaign A"),
        ([share("A")], {"currency": "XXX"}, "XXX"),
    ],
)
def test_contradictions_are_refused(
    shares: list[CampaignShare], wrong: dict[str, Any], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        run(shares, **wrong)


# --- properties -----------------------------------------------------------------------------

ROAS = st.one_of(st.none(), st.decimals(-1, 50, places=6))


@st.composite
def any_share(draw: st.DrawFn, campaign: str) -> CampaignShare:
    floor = draw(st.one_of(st.none(), st.integers(0, 3000)))
    cap = draw(st.one_of(st.none(), st.integers(3000, 30_000)))
    return CampaignShare(
        campaign_id=campaign,
        roas=draw(ROAS),
        current_minor=draw(st.one_of(st.none(), st.integers(0, 20_000))),
        decided_budget=draw(st.one_of(st.none(), st.decimals(0, 300, places=3))),
        active=draw(st.sampled_from([True, True, True, False])),
        paused_by_decision=draw(st.sampled_from([False, False, False, True])),
        floor_minor=floor,
        cap_minor=cap,
    )


@st.composite
def any_shares(draw: st.DrawFn) -> list[CampaignShare]:
    count = draw(st.integers(0, 12))
    return [draw(any_share(str(i))) for i in range(count)]


FLOOR = 700


@settings(max_examples=400)
@given(
    shares=any_shares(),
    total=st.integers(0, 120_000),
    cap=st.one_of(st.none(), st.integers(3000, 30_000)),
    step=st.one_of(st.none(), st.decimals(0, D("1.5"), places=2)),
    order=st.randoms(use_true_random=False),
)
def test_every_distribution_keeps_its_promises(
    shares: list[CampaignShare],
    total: int,
    cap: int | None,
    step: Decimal | None,
    order: random.Random,
) -> None:
    limits: dict[str, Any] = {
        "currency": "USD",
        "total_minor": total,
        "floor_minor": FLOOR,
        "cap_minor": cap,
        "max_step": step,
    }
    found = allocate(shares, **limits)
    assert sum(one.budget_minor for one in found.rows) == found.distributed <= total
    assert [one.campaign_id for one in found.rows] == sorted(s.campaign_id for s in shares)
    if found.case in (AllocationCase.EXACT, AllocationCase.STEPS_EXCEED_TOTAL):
        assert found.distributed == total
    by_id = {one.campaign_id: one for one in shares}
    for one in found.rows:
        given_share = by_id[one.campaign_id]
        assert one.note
        assert one.budget_minor >= 0
        if one.action in (RowAction.PAUSE, RowAction.LEAVE):
            assert one.budget_minor == 0
            continue
        floor = max(1, FLOOR if given_share.floor_minor is None else given_share.floor_minor)
        most = cap if given_share.cap_minor is None else given_share.cap_minor
        assert one.budget_minor >= floor
        assert most is None or one.budget_minor <= most
        assert given_share.current_minor is not None
        current = given_share.current_minor
        within = step is None or abs(one.budget_minor - current) <= step * current
        # Beyond the step only where floor, cap or total force it, and never without a word.
        assert within or one.limit in (Limit.FLOOR, Limit.CAP, Limit.TOTAL)
    shuffled = list(shares)
    order.shuffle(shuffled)
    assert allocate(shuffled, **limits) == found


@given(
    shares=any_shares(),
    step=st.one_of(st.none(), st.decimals(0, 1, places=2)),
    order=st.randoms(use_true_random=False),
)
def test_every_pass_through_keeps_its_promises(
    shares: list[CampaignShare], step: Decimal | None, order: random.Random
) -> None:
    limits: dict[str, Any] = {
        "currency": "USD",
        "total_minor": None,
        "floor_minor": FLOOR,
        "max_step": step,
    }
    found = allocate(shares, **limits)
    by_id = {one.campaign_id: one for one in shares}
    for one in found.rows:
        given_share = by_id[one.campaign_id]
        if one.action in (RowAction.PAUSE, RowAction.LEAVE):
            assert one.budget_minor == 0
        elif given_share.decided_budget is None:
            assert one.budget_minor == given_share.current_minor
        else:
            floor = FLOOR if given_share.floor_minor is None else given_share.floor_minor
            current = given_share.current_minor or 0
            assert one.budget_minor >= min(floor, current)
            if given_share.decided_budget * 100 < current:
                assert one.budget_minor <= current, "never against the decision"
            assert given_share.cap_minor is None or one.budget_minor <= given_share.cap_minor
            if one.limit is Limit.NONE:
                assert abs(one.budget_minor - given_share.decided_budget * 100) < 1
    shuffled = list(shares)
    order.shuffle(shuffled)
    assert allocate(shuffled, **limits) == found


@settings(max_examples=200)
@given(
    roas=st.lists(ROAS, min_size=1, max_size=12),
    spare=st.integers(0, 100_000),
    cap=st.one_of(st.none(), st.integers(3000, 30_000)),
    factor=st.sampled_from([2, 10, 100]),
)
def test_the_unit_of_the_currency_moves_nothing_but_rounding(
    roas: list[Decimal | None], spare: int, cap: int | None, factor: int
) -> None:
    total = FLOOR * len(roas) + spare
    shares = [CampaignShare(str(i), r, 5000, None, True, False) for i, r in enumerate(roas)]
    fine = [CampaignShare(str(i), r, 5000 * factor, None, True, False) for i, r in enumerate(roas)]
    one = run(shares, total, floor=FLOOR, cap=cap)
    other = run(
        fine, total * factor, floor=FLOOR * factor, cap=None if cap is None else cap * factor
    )
    assert one.case == other.case
    for small, large in zip(one.rows, other.rows, strict=True):
        assert small.limit == large.limit
        # Both are the same exact share, rounded in the one and in the other unit.
        assert abs(small.budget_minor * factor - large.budget_minor) <= factor


@given(
    roas=st.lists(st.decimals("0.1", 50, places=3), min_size=2, max_size=12),
    spare=st.integers(0, 100_000),
)
def test_budgets_between_their_bounds_are_in_the_ratio_of_roas(
    roas: list[Decimal], spare: int
) -> None:
    shares = [CampaignShare(str(i), r, 5000, None, True, False) for i, r in enumerate(roas)]
    found = run(shares, FLOOR * len(roas) + spare, floor=FLOOR, cap=20_000)
    by_id = {one.campaign_id: r for one, r in zip(shares, roas, strict=True)}

    def price(one: AllocationRow, by: int) -> Decimal:
        return (one.budget_minor + by) / by_id[one.campaign_id]

    free = [one for one in found.rows if one.limit is Limit.NONE]
    for one in free:
        # One price for all: each budget is within one minor unit of it times the ROAS, and
        # those at a bound would be beyond it.
        for other in free:
            assert price(one, -1) < price(other, 1)
        for other in found.rows:
            if other.limit is Limit.FLOOR:
                assert price(one, -1) < price(other, 0)
            if other.limit is Limit.CAP:
                assert price(one, 1) > price(other, 0)


def test_a_hundred_thousand_campaigns() -> None:
    dice = random.Random(7)  # noqa: S311 (a market, no secret)
    shares = [
        CampaignShare(
            str(i),
            D(dice.randrange(1, 10**6)) / D(dice.randrange(1, 10**5)),
            dice.randrange(1000, 50_000),
            None,
            True,
            False,
        )
        for i in range(100_000)
    ]
    total = sum(one.current_minor or 0 for one in shares)
    started = time.process_time()
    found = run(shares, total, floor=500, cap=80_000, step="0.20")
    taken = time.process_time() - started
    assert found.distributed == total
    assert found.case is AllocationCase.EXACT
    assert taken < 30  # seconds of CPU, with coverage on a slow machine; quadratic takes minutes


# --- ad sets --------------------------------------------------------------------------------


def test_ad_sets_share_in_proportion() -> None:
    assert split_over_ad_sets(10000, {"b": 3000, "a": 1000}, 100) == {"a": 2500, "b": 7500}
    assert split_over_ad_sets(100, {"a": 1, "b": 1, "c": 1}, 0) == {"a": 34, "b": 33, "c": 33}
    assert list(split_over_ad_sets(100, {"b": 1, "a": 1}, 0)) == ["a", "b"]


def test_ad_sets_keep_their_minimum_when_it_fits() -> None:
    assert split_over_ad_sets(1000, {"a": 9900, "b": 100}, 200) == {"a": 800, "b": 200}
    assert split_over_ad_sets(300, {"a": 9900, "b": 100}, 200) == {"a": 297, "b": 3}


def test_ad_sets_without_a_budget() -> None:
    assert split_over_ad_sets(1000, {"a": 0, "b": 0}, 100) == {"a": 500, "b": 500}
    assert split_over_ad_sets(1000, {"a": 0, "b": 500}, 100) == {"a": 100, "b": 900}


def test_no_ad_sets() -> None:
    assert split_over_ad_sets(0, {}, 100) == {}
    with pytest.raises(InputError, match="no ad set"):
        split_over_ad_sets(1000, {}, 100)


@pytest.mark.parametrize(
    ("total", "current", "minimum"), [(-1, {"a": 1}, 0), (1, {"a": -1}, 0), (1, {"a": 1}, -1)]
)
def test_negative_amounts_are_refused(total: int, current: dict[str, int], minimum: int) -> None:
    with pytest.raises(InputError):
        split_over_ad_sets(total, current, minimum)


@given(
    total=st.integers(0, 10**7),
    current=st.dictionaries(st.text("0123456789", min_size=1), st.integers(0, 10**6), min_size=1),
    minimum=st.integers(0, 10_000),
)
def test_ad_sets_keep_the_total(total: int, current: dict[str, int], minimum: int) -> None:
    found = split_over_ad_sets(total, current, minimum)
    assert sum(found.values()) == total
    assert found.keys() == current.keys()
    least = minimum if minimum * len(current) <= total else 0
    assert all(one >= least for one in found.values())
    backwards = dict(reversed(list(current.items())))
    assert split_over_ad_sets(total, backwards, minimum) == found
