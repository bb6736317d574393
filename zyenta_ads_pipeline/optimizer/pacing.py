"""Meta's pacing: what a daily budget may really spend.

A daily budget is an average. A day may spend up to 75 % more, and a week, Sunday to Saturday, 7
times the budget. A budget that is changed within the week starts anew on what is left of it: what
was overspent before the change is not taken back. So a budget that is changed daily is bounded day
by day alone, and a bound on the week has to be kept from outside.

Source: Meta's help on daily budgets, and the Marketing API's change log (v24: 25 % became 75 %).
"""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

MOST_IN_A_DAY = Fraction(175, 100)
"""The most that a day may spend, as a multiple of the daily budget."""

MOST_IN_A_DAY_SHARED = Fraction(210, 100)
"""The same for an ad set whose campaign lets its ad sets lend each other budget."""

WEEK_DAYS = 7


def week_start(day: date) -> date:
    """The Sunday on which the week of `day` begins, in the account's days."""
    return day - timedelta(days=(day.weekday() + 1) % WEEK_DAYS)


def days_left(day: date) -> int:
    """Days of the week of `day` that are not over on it, itself included: 7 on a Sunday."""
    return WEEK_DAYS - (day - week_start(day)).days


def most_in_a_day(budget_minor: int, *, shared: bool = False) -> int:
    """The most that one day may spend on a daily budget, minor units."""
    factor = MOST_IN_A_DAY_SHARED if shared else MOST_IN_A_DAY
    return int(budget_minor * factor)


def most_in_the_week(spent_minor: int, budget_minor: int, today: date, *, changed: bool) -> int:
    """The most that the week of `today` may come to on a daily budget, minor units.

    `spent_minor` was spent from Sunday to the day before `today`. `changed`: the budget is set
    today, and the rest of the week is bounded by itself; else it has stood since Sunday.
    """
    rest = days_left(today)
    by_day = spent_minor + rest * most_in_a_day(budget_minor)
    by_week = spent_minor + rest * budget_minor if changed else WEEK_DAYS * budget_minor
    return max(spent_minor, min(by_day, by_week))


def week_budget_left(spent_minor: int, week_cap_minor: int, today: date) -> int:
    """The daily budget, set today, with which the week of `today` stays within `week_cap_minor`;
    0 where it is spent already. Minor units."""
    return max(week_cap_minor - spent_minor, 0) // days_left(today)
