"""How far all changes together may go: of the account in a day, of the account and of one budget
in a week.

Steps bound one change; many small steps in the same direction need a bound of their own. Amounts
are whole minor units of the account's currency.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

WEEK_DAYS = 7
"""A week here is the account's day of today and the six before it."""


@dataclass(frozen=True)
class BudgetMove:
    """One write of ours to a budget. `by_hand`: a person asked for this value, or for having back
    what was there. `at` is aware."""

    object_id: str
    old_minor: int
    new_minor: int
    at: datetime
    by_hand: bool = False


@dataclass(frozen=True)
class Moved:
    """What the writes before a change have done to the account's budgets.

    `day_minor` sums how far today's went, up or down; `day_net_minor` and `week_net_minor` are
    what they add up to, today and within the week. `day_changes` and `week_changes` count them.
    `start_minor` is the object's budget before the first of this week's writes to it, None
    without any.
    """

    day_minor: int = 0
    day_net_minor: int = 0
    day_changes: int = 0
    week_net_minor: int = 0
    week_changes: int = 0
    start_minor: int | None = None


def moved(
    moves: Iterable[BudgetMove],
    object_id: str,
    *,
    midnight: datetime,
    running: Iterable[str] | None = None,
) -> Moved:
    """The sums for a change of `object_id`, from the week's writes in any order.

    `midnight` is when the account's day began. What a person set by hand counts in no sum, and a
    budget's week begins anew with it. In the net sums count only objects that are `running`, since
    a budget that was raised and then switched off is committed no more; None: all.
    """
    spending = None if running is None else frozenset(running)
    day = day_net = day_changes = week_net = week_changes = 0
    start: int | None = None
    for move in sorted(moves, key=lambda move: move.at):
        by = move.new_minor - move.old_minor
        today = move.at >= midnight
        if move.object_id == object_id:
            start = None if move.by_hand else move.old_minor if start is None else start
        if move.by_hand:
            continue
        if today:
            day += abs(by)
            day_changes += 1
        if spending is None or move.object_id in spending:
            day_net += by if today else 0
            week_net += by
            week_changes += 1
    return Moved(day, day_net, day_changes, week_net, week_changes, start)


def day_is_full(before: Moved, change_minor: int, committed_minor: int, share: Decimal) -> bool:
    """Whether a further change by `change_minor` takes today's changes beyond `share` of what the
    account's budgets came to when the day began. One minor unit of rounding is allowed a change.

    A `committed_minor` that is too small, such as a part of the account, errs towards yes.
    """
    whole = committed_minor - before.day_net_minor
    allowed = whole * Fraction(share) + before.day_changes + 1
    return before.day_minor + abs(change_minor) > allowed


def grows_too_fast(before: Moved, raise_minor: int, committed_minor: int, share: Decimal) -> bool:
    """Whether a raise takes the account's budgets more than `share` above what they came to a week
    ago, as far as it is our doing. `committed_minor` as for `day_is_full`."""
    ago = committed_minor - before.week_net_minor
    allowed = ago * (1 + Fraction(share)) + before.week_changes + 1
    return committed_minor + raise_minor > allowed


def strays_too_far(before: Moved, live_minor: int, new_minor: int, share: Decimal) -> bool:
    """Whether a budget would stand more than `share` off where the week found it. The way back is
    always free."""
    start = live_minor if before.start_minor is None else before.start_minor
    off = abs(new_minor - start)
    back = (new_minor - start) * (live_minor - start) >= 0 and off <= abs(live_minor - start)
    return not back and off > start * Fraction(share) + 1
