"""Meta's pacing: the week, what is left of it, and what a change in its middle does."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zyenta_ads_pipeline.optimizer.pacing import (
    days_left,
    most_in_a_day,
    most_in_the_week,
    week_budget_left,
    week_start,
)

SUNDAY = date(2026, 11, 15)


@pytest.mark.parametrize("after", range(7))
def test_a_week_runs_from_sunday_to_saturday(after: int) -> None:
    day = SUNDAY + timedelta(days=after)
    assert week_start(day) == SUNDAY
    assert days_left(day) == 7 - after


def test_a_day_may_spend_three_quarters_more() -> None:
    assert most_in_a_day(10_000) == 17_500
    assert most_in_a_day(10_000, shared=True) == 21_000
    assert most_in_a_day(101) == 176


def test_an_unchanged_budget_spends_seven_times_itself_in_a_week() -> None:
    wednesday = SUNDAY + timedelta(days=3)
    assert most_in_the_week(0, 100, SUNDAY, changed=False) == 700
    assert most_in_the_week(525, 100, wednesday, changed=False) == 700


def test_a_change_within_the_week_starts_anew_on_what_is_left() -> None:
    wednesday = SUNDAY + timedelta(days=3)
    # 525 is spent; without the change 175 would be left of 700.
    assert most_in_the_week(525, 110, wednesday, changed=True) == 525 + 4 * 110
    saturday = SUNDAY + timedelta(days=6)
    assert most_in_the_week(0, 100, saturday, changed=False) == 175
    assert most_in_the_week(0, 100, saturday, changed=True) == 100


@given(spent=st.integers(0, 10_000), cap=st.integers(0, 20_000), after=st.integers(0, 6))
def test_the_budget_left_keeps_the_week_within_its_cap(spent: int, cap: int, after: int) -> None:
    today = SUNDAY + timedelta(days=after)
    budget = week_budget_left(spent, cap, today)
    assert budget >= 0
    if budget:
        assert most_in_the_week(spent, budget, today, changed=True) <= cap
        assert spent + (budget + 1) * days_left(today) > cap
