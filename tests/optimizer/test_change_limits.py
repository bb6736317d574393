"""The sums of a day's and a week's changes, at their boundaries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from zyenta_ads_pipeline.optimizer.change_limits import (
    BudgetMove,
    Moved,
    day_is_full,
    grows_too_fast,
    moved,
    strays_too_far,
)

MIDNIGHT = datetime(2026, 11, 20, tzinfo=UTC)
FIFTH = Decimal("0.20")


def move(who: str, old: int, new: int, hours: float, *, by_hand: bool = False) -> BudgetMove:
    return BudgetMove(who, old, new, MIDNIGHT + timedelta(hours=hours), by_hand=by_hand)


def test_what_was_moved_is_summed_by_day_and_week() -> None:
    moves = [
        move("a", 100, 120, -30),
        move("a", 120, 110, 2),
        move("b", 200, 220, 3),
        move("c", 50, 500, 4, by_hand=True),
    ]
    sums = moved(moves, "a", midnight=MIDNIGHT)
    assert sums == Moved(
        day_minor=30,
        day_net_minor=10,
        day_changes=2,
        week_net_minor=30,
        week_changes=3,
        start_minor=100,
    )
    # What was switched off is committed no more, and took part in how far the day went.
    some = moved(moves, "b", midnight=MIDNIGHT, running={"a"})
    assert (some.day_minor, some.day_net_minor, some.week_net_minor) == (30, -10, 10)
    assert some.start_minor == 200


def test_a_budgets_week_begins_anew_with_a_persons_word() -> None:
    moves = [
        move("a", 100, 120, -50),
        move("a", 120, 300, -40, by_hand=True),
        move("a", 300, 330, -30),
    ]
    assert moved(moves, "a", midnight=MIDNIGHT).start_minor == 300
    assert moved(moves[:2], "a", midnight=MIDNIGHT).start_minor is None
    assert moved([], "a", midnight=MIDNIGHT) == Moved()


def test_a_days_changes_at_the_limit() -> None:
    assert not day_is_full(Moved(), 20_001, 100_000, FIFTH)  # one minor unit of rounding
    assert day_is_full(Moved(), 20_002, 100_000, FIFTH)
    # Cuts came first: the day began with 100,000.
    before = Moved(day_minor=10_000, day_net_minor=-10_000, day_changes=1)
    assert not day_is_full(before, 10_002, 90_000, FIFTH)
    assert day_is_full(before, 10_003, 90_000, FIFTH)
    assert day_is_full(before, -10_003, 90_000, FIFTH)


def test_a_weeks_growth_at_the_limit() -> None:
    before = Moved(week_net_minor=30_000, week_changes=2)
    assert not grows_too_fast(before, 20_003, 130_000, Decimal("0.5"))
    assert grows_too_fast(before, 20_004, 130_000, Decimal("0.5"))


def test_one_budgets_week_at_the_limit_and_its_way_back() -> None:
    half = Decimal("0.5")
    assert not strays_too_far(Moved(), 100, 151, half)
    assert strays_too_far(Moved(), 100, 152, half)
    assert strays_too_far(Moved(start_minor=100), 130, 152, half)
    assert strays_too_far(Moved(start_minor=100), 200, 220, half)
    assert not strays_too_far(Moved(start_minor=100), 200, 180, half)
    assert not strays_too_far(Moved(start_minor=100), 200, 60, half)
    assert strays_too_far(Moved(start_minor=100), 200, 40, half)


@given(
    budgets=st.lists(st.integers(100, 100_000), min_size=1, max_size=8),
    shares=st.lists(st.integers(-20, 20), min_size=8, max_size=8),
)
def test_steps_within_the_share_never_fill_the_day(budgets: list[int], shares: list[int]) -> None:
    """Cuts first or not, what the step lets through one by one the day lets through together."""
    moves: list[BudgetMove] = []
    live = dict(enumerate(budgets))
    for hours, (own, old) in enumerate(enumerate(budgets)):
        new = old + old * shares[own] // 100
        before = moved(moves, str(own), midnight=MIDNIGHT)
        assert not day_is_full(before, new - old, sum(live.values()), FIFTH)
        live[own] = new
        moves.append(move(str(own), old, new, hours))


@given(
    committed=st.integers(0, 10_000),
    more=st.integers(0, 10_000),
    change=st.integers(-5_000, 5_000),
    net=st.integers(-5_000, 5_000),
    day=st.integers(0, 5_000),
)
def test_knowing_a_part_of_the_account_errs_towards_no(
    committed: int, more: int, change: int, net: int, day: int
) -> None:
    before = Moved(
        day_minor=day, day_net_minor=net, day_changes=2, week_net_minor=net, week_changes=2
    )
    if not day_is_full(before, change, committed, FIFTH):
        assert not day_is_full(before, change, committed + more, FIFTH)
    if not grows_too_fast(before, change, committed, FIFTH):
        assert not grows_too_fast(before, change, committed + more, FIFTH)
