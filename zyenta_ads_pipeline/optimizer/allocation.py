"""Allocation: the campaigns' budgets as a whole, in whole minor units of one currency.

With a total, it is distributed by ROAS under floors, caps and steps, and kept to the minor unit.
Without one, each campaign's own decision passes through under the same limits.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from zyenta_ads_pipeline.domain import money
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.optimizer.sharing import check_whole, fill

WEIGHT_WITHOUT_ROAS = Decimal("1.0")
"""The weight of a campaign that has no ROAS yet (the seeds' value)."""

LEAST_WEIGHT = Decimal("0.1")
"""No campaign weighs less (the seeds' value)."""


class AllocationCase(StrEnum):
    """How the total and the limits met."""

    EXACT = "exact"
    """The whole total is distributed within all limits."""
    FLOORS_EXCEED_TOTAL = "floors_exceed_total"
    """The total cannot pay every floor: the best campaigns are funded, the others not."""
    STEPS_EXCEED_TOTAL = "steps_exceed_total"
    """Even the largest allowed cuts stay above the total: the total wins over the step."""
    CAPS_BELOW_TOTAL = "caps_below_total"
    """Every campaign is at its cap and a part of the total is left."""
    STEPS_BELOW_TOTAL = "steps_below_total"
    """Every campaign is as high as cap and step allow and a part of the total is left."""
    NO_CAMPAIGNS = "no_campaigns"
    """No campaign takes part."""
    PASS_THROUGH = "pass_through"  # noqa: S105 (a name of a case, no password)
    """There is no total: each decision stands by itself."""


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
    TOTAL = "total"
    """Cut further than the step allows, since the total comes first."""
    UNFUNDED = "unfunded"
    """The total did not reach to its floor."""
    PAUSED = "paused"
    NOT_ACTIVE = "not_active"
    NO_DAILY_BUDGET = "no_daily_budget"


@dataclass(frozen=True)
class CampaignShare:
    """One campaign as the allocation sees it.

    `roas` is pooled revenue over spend, None without spend. `current_minor` is today's daily
    budget in minor units, None when there is no daily budget to set. `decided_budget` is the
    policy's exact new budget in major units, None to maintain. `floor_minor` and `cap_minor`
    take the place of the account's own where given.
    """

    campaign_id: str
    roas: Decimal | None
    current_minor: int | None
    decided_budget: Decimal | None
    active: bool
    paused_by_decision: bool
    floor_minor: int | None = None
    cap_minor: int | None = None


@dataclass(frozen=True)
class AllocationRow:
    """What one campaign gets: `budget_minor` a day, in minor units, and why."""

    campaign_id: str
    current_minor: int | None
    budget_minor: int
    action: RowAction
    limit: Limit
    note: str


@dataclass(frozen=True)
class Allocation:
    """The whole, by campaign id. `distributed` is the sum of the rows' budgets, never above
    `total`; both in minor units. `total` is None where none was set.
    """

    rows: tuple[AllocationRow, ...]
    total: int | None
    distributed: int
    case: AllocationCase
    message: str

    @property
    def undistributed(self) -> int:
        """What is left of the total, in minor units; 0 without a total."""
        return 0 if self.total is None else self.total - self.distributed

    @property
    def needs_person(self) -> bool:
        """Whether a limit that somebody set had to give way, so that a person should look
        before anything of it is written, even on autopilot.
        """
        return self.case in (
            AllocationCase.FLOORS_EXCEED_TOTAL,
            AllocationCase.STEPS_EXCEED_TOTAL,
        )


def allocate(
    shares: Iterable[CampaignShare],
    *,
    currency: str,
    total_minor: int | None,
    floor_minor: int,
    cap_minor: int | None = None,
    max_step: Decimal | None = None,
) -> Allocation:
    """Budgets for all campaigns of one currency, the same for any order of `shares`.

    Amounts are a day's, in minor units of `currency`. `max_step` keeps a new budget within that
    share of the current one (`Decimal("0.20")`: 20 % either way); None leaves it free. A floor
    or cap outside the step wins over it. A floor below one minor unit counts as one: a budget
    of nothing is no budget.

    Raises `InputError` for limits that contradict themselves and for a campaign given twice.
    """
    limits = _Limits(currency, floor_minor, cap_minor, max_step)
    if total_minor is not None:
        check_whole("The total", total_minor, least=0)
    ordered = sorted(shares, key=lambda share: share.campaign_id)
    for one, next_one in itertools.pairwise(ordered):
        if one.campaign_id == next_one.campaign_id:
            raise InputError(
                f"Campaign {one.campaign_id} is given twice.", "Give each campaign once."
            )

    rows: list[AllocationRow] = []
    part: list[_Part] = []
    for share in ordered:
        aside = _aside(share)
        if aside is not None:
            rows.append(aside)
        else:
            part.append(limits.part(share))

    if total_minor is None:
        rows += [limits.pass_through(one) for one in part]
        case = AllocationCase.PASS_THROUGH if ordered else AllocationCase.NO_CAMPAIGNS
        message = (
            "No total is set: each campaign's own decision stands, within floor, cap and step."
            if ordered
            else "There are no campaigns."
        )
    elif not part:
        case = AllocationCase.NO_CAMPAIGNS
        message = (
            f"No campaign takes part, so the total of {limits.show(total_minor)} is not "
            "distributed."
        )
    else:
        shared, case, message = _distribute(part, total_minor, limits)
        rows += shared
    rows.sort(key=lambda row: row.campaign_id)
    return Allocation(
        rows=tuple(rows),
        total=total_minor,
        distributed=sum(row.budget_minor for row in rows),
        case=case,
        message=message,
    )


class _Part(NamedTuple):
    """A campaign that takes part, with its bounds in minor units.

    `low` and `high` are what floor, cap and step leave together. `cap` and `high` are None
    where nothing bounds the budget from above.
    """

    share: CampaignShare
    current: int
    floor: int
    cap: int | None
    low: int
    high: int | None
    step_conflict: Limit
    """FLOOR or CAP when that one lies outside the step and wins, else NONE."""


class _Limits:
    """The account's limits, and how they are worded."""

    def __init__(
        self, currency: str, floor: int, cap: int | None, max_step: Decimal | None
    ) -> None:
        money.offset(currency)
        check_whole("The floor", floor, least=0)
        if cap is not None:
            check_whole("The cap", cap, least=1)
        if max_step is not None and not (
            isinstance(max_step, Decimal) and max_step.is_finite() and max_step >= 0
        ):
            raise InputError(
                f"The step {max_step!r} cannot be used.", "Write it as a share: 0.20 for 20 %."
            )
        self.currency = currency
        self.floor = floor
        self.cap = cap
        self.step = None if max_step is None else Fraction(max_step)

    def show(self, minor: int) -> str:
        return money.show(money.to_major(minor, self.currency), self.currency)

    def step_words(self) -> str:
        return f"{float((self.step or Fraction(0)) * 100):g} %"

    def part(self, share: CampaignShare) -> _Part:
        """The campaign with its own bounds."""
        current = share.current_minor or 0
        floor = self.floor if share.floor_minor is None else share.floor_minor
        cap = self.cap if share.cap_minor is None else share.cap_minor
        check_whole(f"The floor of campaign {share.campaign_id}", floor, least=0)
        if cap is not None:
            check_whole(f"The cap of campaign {share.campaign_id}", cap, least=1)
        floor = max(floor, 1)
        if cap is not None and floor > cap:
            raise InputError(
                f"Campaign {share.campaign_id} has a floor of {self.show(floor)} above its cap "
                f"of {self.show(cap)}.",
                "Lower the floor or raise the cap.",
            )
        low, high, conflict = floor, cap, Limit.NONE
        if self.step is not None:
            # Whole minor units inside the step: the lower end up, the upper end down.
            share_of, one_whole = self.step.as_integer_ratio()
            step_low = -(-current * (one_whole - share_of) // one_whole)
            step_high = current * (one_whole + share_of) // one_whole
            if floor > step_high:
                low, high, conflict = floor, floor, Limit.FLOOR
            elif cap is not None and cap < step_low:
                low, high, conflict = cap, cap, Limit.CAP
            else:
                low = max(floor, step_low)
                high = step_high if cap is None else min(cap, step_high)
        return _Part(share, current, floor, cap, low, high, conflict)

    def pass_through(self, one: _Part) -> AllocationRow:
        """The campaign's own decision under its bounds."""
        if one.share.decided_budget is None:
            note = "Maintained."
            if one.current < one.floor:
                note = f"Maintained, though below its floor of {self.show(one.floor)}."
            elif one.cap is not None and one.current > one.cap:
                note = f"Maintained, though above its cap of {self.show(one.cap)}."
            return _row(one, one.current, Limit.NONE, note)
        wanted = Fraction(one.share.decided_budget) * money.offset(self.currency)
        if wanted <= one.current < one.floor:
            # A floor is there to keep a campaign alive, not to raise one that is to be cut.
            note = f"Not cut: it is below its floor of {self.show(one.floor)} already."
            return _row(one, one.current, Limit.FLOOR, note)
        low, high = one.low, one.high
        if one.step_conflict is Limit.FLOOR and self.step is not None:
            low, high = one.current, math.floor(one.current * (1 + self.step))
        amount = max(round(wanted), low)  # round() of a Fraction is half to even
        if high is not None:
            amount = min(amount, high)
        # A decision that only rounding carried past a bound was not held back by it: what is
        # less than one minor unit beyond is not worth a word.
        beyond = amount - wanted
        limit = Limit.NONE
        if one.step_conflict is Limit.FLOOR and amount != wanted:
            limit = Limit.STEP_UP
        elif one.step_conflict is not Limit.NONE and amount != wanted:
            limit = one.step_conflict
        elif beyond >= 1:
            limit = Limit.FLOOR if one.low == one.floor else Limit.STEP_DOWN
        elif beyond <= -1:
            limit = Limit.CAP if one.high == one.cap else Limit.STEP_UP
        return _row(one, amount, limit, self.limit_words(one, limit) or "As decided.")

    def limit_words(self, one: _Part, limit: Limit) -> str:
        """What held the budget back, in a sentence; nothing when nothing did."""
        words = ""
        if limit is Limit.FLOOR and one.step_conflict is Limit.FLOOR:
            words = (
                f"Raised to its floor of {self.show(one.floor)}, further than "
                f"{self.step_from(one)}: the floor wins."
            )
        elif limit is Limit.FLOOR:
            words = f"Held at its floor of {self.show(one.floor)}."
        elif limit is Limit.CAP and one.cap is not None:
            words = f"Held at its cap of {self.show(one.cap)}."
            if one.step_conflict is Limit.CAP:
                words = (
                    f"Cut to its cap of {self.show(one.cap)}, further than "
                    f"{self.step_from(one)}: the cap wins."
                )
        elif limit is Limit.STEP_DOWN:
            words = f"Cut no further than {self.step_from(one)} allows."
        elif limit is Limit.STEP_UP:
            words = f"Raised no further than {self.step_from(one)} allows."
        elif limit is Limit.TOTAL:
            words = f"Cut further than {self.step_from(one)}: the total comes first."
        return words

    def step_from(self, one: _Part) -> str:
        return f"the step of {self.step_words()} from {self.show(one.current)}"


def _aside(share: CampaignShare) -> AllocationRow | None:
    """The row of a campaign that takes no part in the distribution, or None."""
    if share.current_minor is not None:
        check_whole(f"The budget of campaign {share.campaign_id}", share.current_minor, least=0)

    def row(action: RowAction, limit: Limit, note: str) -> AllocationRow:
        return AllocationRow(share.campaign_id, share.current_minor, 0, action, limit, note)

    if not share.active:
        return row(RowAction.LEAVE, Limit.NOT_ACTIVE, "Not active: left as it is.")
    if share.paused_by_decision:
        return row(RowAction.PAUSE, Limit.PAUSED, "Paused by its own decision.")
    if share.current_minor is None:
        return row(
            RowAction.LEAVE,
            Limit.NO_DAILY_BUDGET,
            "No daily budget to set: left as it is, and its spend is not part of the total.",
        )
    return None


def _row(one: _Part, amount: int, limit: Limit, note: str) -> AllocationRow:
    """A row for a campaign that goes on, changed or not."""
    action = RowAction.KEEP if amount == one.current else RowAction.SET
    return AllocationRow(
        one.share.campaign_id, one.share.current_minor, amount, action, limit, note
    )


def _weights(part: Sequence[_Part]) -> list[int]:
    """The seeds' weights, max(ROAS, 0.1) with 1 for no ROAS, as integers in the same ratio."""
    ratios = []
    for one in part:
        roas = WEIGHT_WITHOUT_ROAS if one.share.roas is None else one.share.roas
        if not roas.is_finite():
            raise InputError(
                f"The ROAS of campaign {one.share.campaign_id} is {roas}.",
                "Give revenue over spend, or None without spend.",
            )
        ratios.append(max(roas, LEAST_WEIGHT).as_integer_ratio())
    common = math.lcm(*{bottom for _, bottom in ratios})
    return [top * (common // bottom) for top, bottom in ratios]


def _distribute(
    part: Sequence[_Part], total: int, limits: _Limits
) -> tuple[list[AllocationRow], AllocationCase, str]:
    """The total over the campaigns that take part, by weight, within their bounds."""
    weights = _weights(part)
    missing = sum(one.floor for one in part) - total
    if missing <= 0:
        return _within(part, weights, total, limits)

    # The total is what was promised not to be exceeded, so it stands and the floors give way:
    # best ROAS first, a campaign is funded when its floor still fits, and what is left goes to
    # those that are funded. Without a budget a campaign cannot run, so for the others the
    # honest proposal is a pause; to leave them running would break the total unseen.
    best_first = sorted(range(len(part)), key=lambda i: (-weights[i], part[i].share.campaign_id))
    left = total
    funded = []
    for i in best_first:
        if part[i].floor <= left:
            funded.append(i)
            left -= part[i].floor
    funded.sort()
    rows: list[AllocationRow] = []
    also = ""
    if funded:
        rows, case, more = _within(
            [part[i] for i in funded], [weights[i] for i in funded], total, limits
        )
        also = "" if case is AllocationCase.EXACT else f" {more}"
    for i in sorted(set(range(len(part))) - set(funded)):
        one = part[i]
        rows.append(
            AllocationRow(
                one.share.campaign_id,
                one.share.current_minor,
                0,
                RowAction.PAUSE,
                Limit.UNFUNDED,
                f"Not funded: the total does not reach to its floor of {limits.show(one.floor)}.",
            )
        )
    message = (
        f"The floors of {_campaigns(len(part))} need {limits.show(missing)} more than the total "
        f"of {limits.show(total)}. Funded, best ROAS first: {len(funded)}; without a budget, to "
        f"be paused: {len(part) - len(funded)}. Raise the total or lower the floors to keep "
        f"them all.{also}"
    )
    return rows, AllocationCase.FLOORS_EXCEED_TOTAL, message


def _within(
    part: Sequence[_Part], weights: Sequence[int], total: int, limits: _Limits
) -> tuple[list[AllocationRow], AllocationCase, str]:
    """The same where the total pays at least every floor."""
    lows = [one.low for one in part]
    # Where nothing bounds a budget from above, the total itself does.
    highs = [max(total, one.low) if one.high is None else one.high for one in part]
    campaigns = _campaigns(len(part))

    least = sum(lows)
    if least > total:
        # All cuts at the step's limit are not enough. Below it, everyone gives the same share
        # of its lowest step, down to its floor: the smallest break with the step there is.
        filled = fill(lows, [one.floor for one in part], lows, total)
        rows = []
        for one, amount in zip(part, filled.amounts, strict=True):
            limit = Limit.TOTAL if amount < one.low else Limit.FLOOR
            if limit is Limit.FLOOR and one.low > one.floor:
                limit = Limit.STEP_DOWN
            rows.append(_row(one, amount, limit, limits.limit_words(one, limit)))
        return (
            rows,
            AllocationCase.STEPS_EXCEED_TOTAL,
            f"Held as near to the step of {limits.step_words()} as floors and caps allow, "
            f"{campaigns} would take {limits.show(least)}, {limits.show(least - total)} above "
            f"the total of {limits.show(total)}. The total "
            "comes first: budgets are cut further, all in the same proportion down to their "
            "floors. The step guardrail holds such changes back until a person allows them.",
        )

    most = sum(highs)
    if most < total:
        amounts, sides = highs, [1] * len(part)
        caps = [one.cap for one in part if one.cap is not None]
        rest = f"{limits.show(total - most)} of {limits.show(total)} stays undistributed"
        if len(caps) == len(part) and sum(caps) < total:
            case = AllocationCase.CAPS_BELOW_TOTAL
            message = f"The caps of {campaigns} come to less than the total: {rest}."
            if most < sum(caps):
                message += f" The step of {limits.step_words()} holds some below their caps."
        else:
            case = AllocationCase.STEPS_BELOW_TOTAL
            message = (
                f"{campaigns.capitalize()} cannot grow to the total within one step of "
                f"{limits.step_words()}: {rest} for now, and the next rounds come closer."
            )
    else:
        filled = fill(weights, lows, highs, total)
        amounts, sides = filled.amounts, filled.sides
        case = AllocationCase.EXACT
        message = f"{limits.show(total)} distributed over {campaigns} by ROAS."

    rows = []
    for one, amount, side in zip(part, amounts, sides, strict=True):
        limit = one.step_conflict
        if limit is Limit.NONE and side < 0:
            limit = Limit.FLOOR if one.low == one.floor else Limit.STEP_DOWN
        elif limit is Limit.NONE and side > 0 and one.high is not None:
            limit = Limit.CAP if one.high == one.cap else Limit.STEP_UP
        note = limits.limit_words(one, limit) or "Its share by ROAS."
        if one.share.roas is None:
            note += " No ROAS yet: weighed as 1.00x."
        rows.append(_row(one, amount, limit, note))
    return rows, case, message


def _campaigns(count: int) -> str:
    return "one campaign" if count == 1 else f"{count} campaigns"
