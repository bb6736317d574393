"""The words of an allocation: how total and limits met, and what held one campaign back."""

from __future__ import annotations

from enum import StrEnum


class AllocationCase(StrEnum):
    """How the total and the limits met."""

    EXACT = "exact"
    """The whole total is distributed within all limits."""
    LOCKS_EXCEED_TOTAL = "locks_exceed_total"
    """The budgets that a person locked come to more than the total: nobody else is funded."""
    FLOORS_EXCEED_TOTAL = "floors_exceed_total"
    """The total cannot pay every floor: the best campaigns are funded, the others not."""
    STEPS_EXCEED_TOTAL = "steps_exceed_total"
    """Even the largest allowed cuts stay above the total: the total wins over the step."""
    HOLDS_EXCEED_TOTAL = "holds_exceed_total"
    """Budgets that were to stay for now are above the total: it wins, and they are cut, too."""
    CAPS_BELOW_TOTAL = "caps_below_total"
    """Every campaign is at its cap and a part of the total is left."""
    STEPS_BELOW_TOTAL = "steps_below_total"
    """Every campaign is as high as its limits allow for now and a part of the total is left."""
    GOAL_BELOW_TOTAL = "goal_below_total"
    """The account's goal is reached with less than the total."""
    NO_CAMPAIGNS = "no_campaigns"
    """No campaign takes part."""
    PASS_THROUGH = "pass_through"  # noqa: S105 (a name of a case, no password)
    """There is no total: each decision stands by itself."""


GRAVEST_FIRST = (
    AllocationCase.LOCKS_EXCEED_TOTAL,
    AllocationCase.FLOORS_EXCEED_TOTAL,
    AllocationCase.STEPS_EXCEED_TOTAL,
    AllocationCase.HOLDS_EXCEED_TOTAL,
    AllocationCase.CAPS_BELOW_TOTAL,
    AllocationCase.STEPS_BELOW_TOTAL,
    AllocationCase.GOAL_BELOW_TOTAL,
    AllocationCase.EXACT,
    AllocationCase.PASS_THROUGH,
    AllocationCase.NO_CAMPAIGNS,
)
"""All cases, the one that most needs to be looked at first."""

GAVE_WAY = frozenset(GRAVEST_FIRST[:3])
"""The cases in which a limit that a person set had to give way to the total."""


class RowAction(StrEnum):
    """What is to be done with one campaign."""

    SET = "set"
    """Write the row's budget."""
    KEEP = "keep"
    """The budget is right as it is."""
    PAUSE = "pause"
    """Stop the campaign; its budget here is 0."""
    LEAVE = "leave"
    """It does not take part: nothing is proposed, and it takes nothing of the total."""


class Limit(StrEnum):
    """What held a campaign's budget back or kept it out."""

    NONE = "none"
    FLOOR = "floor"
    CAP = "cap"
    STEP_DOWN = "step_down"
    STEP_UP = "step_up"
    LEARNING_DOWN = "learning_down"
    """In its first days, when a large change would start its learning phase again."""
    LEARNING_UP = "learning_up"
    DELIVERY = "delivery"
    """It does not spend the budget it has."""
    NO_CUTS = "no_cuts"
    """For now nothing of the account may be cut."""
    NO_RAISES = "no_raises"
    LOCKED = "locked"
    """A person pinned the budget."""
    HELD = "held"
    """The budget has to stay as it is for now."""
    DEAD_BAND = "dead_band"
    """The move would be too small to be worth a change."""
    TOTAL = "total"
    """Cut further than its limits allow, since the total comes first."""
    UNFUNDED = "unfunded"
    """The total did not reach to its floor."""
    PAUSED = "paused"
    NOT_ACTIVE = "not_active"
    NO_DAILY_BUDGET = "no_daily_budget"


LIMITS = tuple(Limit)
CODES = {limit: number for number, limit in enumerate(LIMITS)}
"""A limit as a small number, for arrays."""
