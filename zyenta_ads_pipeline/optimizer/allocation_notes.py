"""What an allocation did and why, in words: a note for each campaign, a message for each total."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal

import numpy as np
import polars as pl

from zyenta_ads_pipeline.domain import money
from zyenta_ads_pipeline.domain.change import BudgetAction
from zyenta_ads_pipeline.optimizer.account import AccountHistory, Goal
from zyenta_ads_pipeline.optimizer.allocation_cases import (
    CODES,
    LIMITS,
    AllocationCase,
    Limit,
)
from zyenta_ads_pipeline.optimizer.bounds import LEARNING_DAYS, LEARNING_STEP, Bounds
from zyenta_ads_pipeline.optimizer.distribution import Contest, Shared

_ASIDE = {
    Limit.NOT_ACTIVE: "Not active: left as it is.",
    Limit.PAUSED: "Paused by its own decision.",
    Limit.NO_DAILY_BUDGET: (
        "No daily budget to set: left as it is, and its spend is not part of the total."
    ),
}
_RAISE, _CUT = BudgetAction.INCREASE.value, BudgetAction.DECREASE.value
_STAY = BudgetAction.MAINTAIN.value
_SAID_BY_LIMIT = frozenset(
    {Limit.FLOOR, Limit.CAP, Limit.DELIVERY, Limit.TOTAL, Limit.UNFUNDED, Limit.NO_RAISES}
)
"""Limits whose own words tell why a budget moved another way than was decided."""


class Words:
    """How one account's limits and amounts are worded."""

    def __init__(self, account: AccountHistory) -> None:
        self.limits = account.limits
        self.currency = account.currency
        self.offset = account.offset
        step = account.limits.max_step
        self.step = percent(LEARNING_STEP if step is None else step)
        self.dead_band = percent(account.limits.dead_band)

    def show(self, minor: int) -> str:
        return money.show(money.to_major(int(minor), self.currency), self.currency)

    def aside(self, limit: Limit) -> str:
        """Why a campaign takes no part."""
        return _ASIDE[limit]

    def nobody(self, total: int | None) -> str:
        """That no campaign takes part."""
        if total is None:
            return "No campaign takes part."
        return f"No campaign takes part, so the total of {self.show(total)} is not distributed."

    def passed(self) -> str:
        return "No total is set: each campaign's own decision stands, within floor, cap and step."

    def pinned(self, current: int, hold: str | None, *, locked: bool) -> str:
        """Why a budget stays whatever was decided."""
        if locked:
            return f"Locked at {self.show(current)} by a person."
        return f"Kept at {self.show(current)} for now: {_sentence(hold or 'it is held')}"

    def below_floor(self, floor: int) -> str:
        return f"Not cut: it is below its floor of {self.show(floor)} already."

    def no_raises(self) -> str:
        return f"Not raised for now: {_sentence(self.limits.no_raises)}"

    def limit(
        self,
        limit: Limit,
        current: int,
        floor: int,
        cap: int | None,
        *,
        beyond_step: Limit = Limit.NONE,
    ) -> str:
        """What held a budget back, in a sentence; nothing when nothing did."""
        start = f"the step of {self.step} from {self.show(current)}"
        words = ""
        if limit is Limit.FLOOR and beyond_step is Limit.FLOOR:
            words = (
                f"Raised to its floor of {self.show(floor)}, further than {start}: the floor wins."
            )
        elif limit is Limit.FLOOR:
            words = f"Held at its floor of {self.show(floor)}."
        elif limit is Limit.CAP and beyond_step is Limit.CAP:
            words = f"Cut to its cap of {self.show(cap or 0)}, further than {start}: the cap wins."
        elif limit is Limit.CAP:
            words = f"Held at its cap of {self.show(cap or 0)}."
        elif limit is Limit.STEP_DOWN:
            words = f"Cut no further than {start} allows."
        elif limit is Limit.STEP_UP:
            words = f"Raised no further than {start} allows."
        elif limit in (Limit.LEARNING_DOWN, Limit.LEARNING_UP):
            moved = "Cut" if limit is Limit.LEARNING_DOWN else "Raised"
            words = (
                f"{moved} no further than {percent(LEARNING_STEP)} from {self.show(current)}: it "
                f"learns in its first {LEARNING_DAYS} days."
            )
        elif limit is Limit.TOTAL:
            words = f"Cut further than {start}: the total comes first."
        elif limit is Limit.UNFUNDED:
            words = f"Not funded: the total does not reach to its floor of {self.show(floor)}."
        elif limit is Limit.NO_RAISES:
            words = self.no_raises()
        elif limit is Limit.DEAD_BAND:
            words = (
                f"Kept: it would move by less than {self.dead_band}, which is not worth a change."
            )
        return words

    def notes(
        self, part: pl.DataFrame, bounds: Bounds, contest: Contest, shared: Shared
    ) -> list[str]:
        """A note for each campaign of a pool, in the order of `part`."""
        free = self._free(shared)
        rows = zip(
            shared.amounts.tolist(),
            shared.limits.tolist(),
            bounds.current.tolist(),
            bounds.floor.tolist(),
            bounds.cap.tolist(),
            _beyond_step(bounds).tolist(),
            contest.priced.tolist(),
            part["decision"].to_list(),
            part["hold"].to_list(),
            strict=True,
        )
        notes = []
        for amount, code, current, floor, cap, beyond, priced, decision, hold in rows:
            limit = LIMITS[code]
            if limit is Limit.FLOOR and amount < floor:
                note = self.below_floor(floor)
            elif limit is Limit.NONE:
                note = free(amount, current, priced)
            elif limit in (Limit.LOCKED, Limit.HELD):
                note = self.pinned(current, hold, locked=limit is Limit.LOCKED)
            elif limit is Limit.DELIVERY:
                note = self.delivery(amount, current)
            elif limit is Limit.TOTAL and hold is not None:
                note = f"Cut although it was to stay for now ({hold}): the total comes first."
            else:
                cap_or_none = None if cap < 0 else cap
                note = self.limit(limit, current, floor, cap_or_none, beyond_step=LIMITS[beyond])
            if limit not in _SAID_BY_LIMIT:
                note += _against(decision, amount, current)
            notes.append(note)
        return notes

    def _free(self, shared: Shared) -> Callable[[int, int, bool], str]:
        """The note of a budget that nothing holds."""
        price = None if shared.log_price is None else returns(math.exp(shared.log_price))

        def note(amount: int, current: int, priced: bool) -> str:
            if price is None or not priced:
                return "Its share by weight."
            if amount == current:
                return f"Kept: its next unit of money returns about {price} here, as elsewhere."
            moved = "Raised" if amount > current else "Cut"
            return f"{moved} to where its next unit of money returns {price}, as elsewhere."

        return note

    def delivery(self, amount: int, current: int) -> str:
        """What is said of a campaign that does not spend what it has."""
        moved = "Cut to" if amount < current else "Kept at" if amount == current else "Held at"
        return (
            f"{moved} {self.show(amount)}: on each of the last two days it spent less than 80 % of "
            "its budget."
        )


def message_of(
    words: Words,
    group: str | None,
    bounds: Bounds,
    contest: Contest,
    shared: Shared,
    total: int,
    *,
    from_today: bool,
) -> str:
    """How one total and the limits met, with amounts."""
    show = words.show
    count = int(shared.amounts.size)
    some = campaigns(count)
    left = total - int(shared.amounts.sum())
    rest = f"{show(left)} of {show(total)} stays undistributed"
    case = shared.case
    if case is AllocationCase.EXACT:
        way = "by what the next unit of money returns" if contest.by_price else "by weight"
        message = f"{show(total)} distributed over {some} {way}."
    elif case is AllocationCase.LOCKS_EXCEED_TOTAL:
        message = (
            f"The budgets that a person locked come to {show(shared.beyond)} more than the total "
            f"of {show(total)}. They stay; nobody else is funded. Unlock them or raise the total."
        )
    elif case is AllocationCase.FLOORS_EXCEED_TOTAL:
        funded = int(np.count_nonzero(shared.limits != CODES[Limit.UNFUNDED]))
        message = (
            f"The floors of {some} need {show(shared.beyond)} more than the total of "
            f"{show(total)}. Funded, best first: {funded}; without a budget, to be paused: "
            f"{count - funded}. Raise the total or lower the floors to keep them all."
        )
        if left:
            message += f" {rest}."
    elif case is AllocationCase.STEPS_EXCEED_TOTAL:
        message = (
            f"Held as near to the step of {words.step} as floors and caps allow, {some} would "
            f"take {show(total + shared.beyond)}, {show(shared.beyond)} above the total of "
            f"{show(total)}. The total comes first: budgets are cut further, all in the same "
            "proportion down to their floors. The step guardrail holds such changes back until a "
            "person allows them."
        )
    elif case is AllocationCase.HOLDS_EXCEED_TOTAL:
        held = int(np.count_nonzero(bounds.low_limit == CODES[Limit.HELD]))
        message = (
            f"{held} of {some} were to stay as they are for now, and with the others cut as far as "
            f"allowed that comes to {show(shared.beyond)} above the total of {show(total)}. The "
            "total comes first: they are cut as well, within their steps."
        )
    elif case is AllocationCase.CAPS_BELOW_TOTAL:
        message = f"The caps of {some} come to less than the total: {rest}."
        if int(bounds.high.sum()) < int(bounds.cap.sum()):
            message += " " + _below_caps(words, bounds)
    elif case is AllocationCase.STEPS_BELOW_TOTAL:
        message = _cannot_grow(words, bounds, some, rest)
    else:
        message = _goal(words, shared, total, left)
    if words.limits.goal is not Goal.REVENUE and not contest.by_price:
        message += (
            " The policy does not tell what the next unit of money returns, so budgets are "
            "shared by weight."
        )
    if from_today:
        message = f"No total is set, so today's budgets are it. {message}"
    return message if group is None else f"Group {group}: {message}"


def campaigns(count: int) -> str:
    """How many campaigns."""
    return "one campaign" if count == 1 else f"{count} campaigns"


def percent(share: Decimal) -> str:
    """A share as people read it: 20 %."""
    return f"{float(share * 100):g} %"


def returns(price: float) -> str:
    """What a unit of money returns, as a multiple of it."""
    return f"{price:.2f}x" if price >= 0.1 else f"{price:.2g}x"


def _beyond_step(bounds: Bounds) -> np.ndarray[tuple[int], np.dtype[np.int8]]:
    """FLOOR or CAP (`CODES`) where that one lies outside the step and wins, else NONE."""
    one = (bounds.low == bounds.high) & (bounds.low_limit == bounds.high_limit)
    found: np.ndarray[tuple[int], np.dtype[np.int8]] = np.where(
        one, bounds.low_limit, CODES[Limit.NONE]
    ).astype(np.int8)
    return found


def _against(decision: str, amount: int, current: int) -> str:
    """Why a budget moved another way than was decided on its campaign alone."""
    if amount == current:
        return ""
    if decision == _RAISE and amount < current:
        return " On its own it would be raised, but the total leaves less for it."
    if decision == _CUT and amount > current:
        return " On its own it would be cut, but the others cannot take more of the total."
    if decision == _STAY:
        way = "more" if amount > current else "less"
        return f" On its own it would stay; sharing the total leaves {way} for it."
    return ""


def _below_caps(words: Words, bounds: Bounds) -> str:
    stepped = np.isin(
        bounds.high_limit, [CODES[Limit.STEP_UP], CODES[Limit.LEARNING_UP], CODES[Limit.FLOOR]]
    )
    if words.limits.max_step is not None and stepped.any():
        return f"The step of {words.step} holds some below their caps."
    return "Other limits hold some below their caps."


def _cannot_grow(words: Words, bounds: Bounds, some: str, rest: str) -> str:
    """Why the total is not reached for now."""
    within = "within their limits"
    if words.limits.max_step is not None:
        within = f"within one step of {words.step}"
    whys = []
    for limit, why in (
        (Limit.CAP, "at the cap"),
        (Limit.DELIVERY, "not spending what they have"),
        (Limit.HELD, "held for now"),
        (Limit.LOCKED, "locked"),
        (Limit.NO_RAISES, "not to be raised for now"),
    ):
        count = int(np.count_nonzero(bounds.high_limit == CODES[limit]))
        whys += [f"{why}: {count}"] if count else []
    also = f" ({'; '.join(whys)})" if whys else ""
    steps = [CODES[Limit.STEP_UP], CODES[Limit.LEARNING_UP]]
    later = ""
    if np.isin(bounds.high_limit, steps).any():
        later = " for now, and the next rounds come closer"
    return f"{some.capitalize()} cannot grow to the total {within}{also}: {rest}{later}."


def _goal(words: Words, shared: Shared, total: int, left: int) -> str:
    """What the account's goal leaves unspent."""
    limits, spent = words.limits, words.show(total - left)
    if limits.goal is Goal.PROFIT:
        margin = limits.margin or Decimal(1)
        return (
            f"{spent} of {words.show(total)} distributed: beyond that the next unit of money would "
            f"return less than the {returns(1 / float(margin))} it takes to earn it back at a "
            f"margin of {percent(margin)}. {words.show(left)} stays unspent."
        )
    if limits.goal is Goal.TARGET_CPA:
        target = f"a cost of {money.show(limits.target or Decimal(0), words.currency)} a conversion"
    else:
        target = f"a ROAS of {limits.target or Decimal(0):.2f}x"
    return (
        f"{spent} of {words.show(total)} distributed: more is expected to miss {target}. "
        f"{words.show(left)} stays unspent."
    )


def _sentence(text: str) -> str:
    """The text with its full stop."""
    return text if text.endswith((".", "!", "?")) else f"{text}."
