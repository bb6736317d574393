"""Between which amounts each campaign's daily budget may lie, and which limit says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import polars as pl

from zyenta_ads_pipeline.domain import money
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.optimizer.account import AccountHistory, Limits
from zyenta_ads_pipeline.optimizer.allocation_cases import CODES, Limit
from zyenta_ads_pipeline.optimizer.price import LARGEST, Whole
from zyenta_ads_pipeline.optimizer.sharing import check_whole

LEARNING_DAYS = 3
"""So many days after its first spend, a campaign still learns."""

LEARNING_STEP = Decimal("0.20")
"""A larger change would start the learning phase again, so no other step goes beyond it then."""

UNDER_DELIVERED = 0.80
"""A campaign that spends less than this share of its budget on two days does not need it all."""

DELIVERY_ROOM = 1.05
"""What such a campaign may have at most, as a multiple of what it spent on the better day."""

_DELIVERY_DAYS = 2
_SAFE_PRODUCT = 2**62

Codes = npt.NDArray[np.int8]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Bounds:
    """The bounds of campaigns that take part, arrays (N,) in minor units.

    `low` and `high` are what all limits leave together; `low_limit` and `high_limit` say which one
    it was (`CODES`). Where the total cannot pay for the lows, holds give way first, down to
    `unheld`, and then the steps, down to `hard`: the floor, or a lock. `high` is at most the
    `ceiling` that was given, where neither cap nor step bounds it; `cap` is -1 where there is none.
    """

    current: Whole
    floor: Whole
    cap: Whole
    low: Whole
    high: Whole
    low_limit: Codes
    high_limit: Codes
    unheld: Whole
    hard: Whole

    def taken(self, which: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> Bounds:
        """Those of some campaigns."""
        return Bounds(**{each.name: getattr(self, each.name)[which] for each in fields(self)})


def check_limits(limits: Limits) -> None:
    """Refuse limits that contradict themselves, with `InputError`."""
    check_whole("The floor", limits.floor_minor, least=0)
    if limits.cap_minor is not None:
        check_whole("The cap", limits.cap_minor, least=1)
    if limits.total_minor is not None:
        check_whole("The total", limits.total_minor, least=0)
    for name, total in limits.group_totals.items():
        check_whole(f"The total of the group {name}", total, least=0)
    for share, what in ((limits.max_step, "step"), (limits.dead_band, "dead band")):
        if share is not None and not (share.is_finite() and share >= 0):
            raise InputError(
                f"The {what} {share!r} cannot be used.", "Write it as a share: 0.20 for 20 %."
            )


def bounds_of(
    campaigns: pl.DataFrame,
    account: AccountHistory,
    ceiling: Whole,
    pinned: Flags,
    *,
    lifts_to_floor: bool = True,
) -> Bounds:
    """The bounds of `campaigns` (columns of CAMPAIGNS, with a budget each).

    `ceiling` (N,) is the most that a budget may be where nothing else bounds it. A floor or a cap
    outside the step wins over it. A floor below one minor unit counts as one: a budget of nothing
    is no budget. Without `lifts_to_floor`, a campaign below its floor is not cut and need not be
    raised to it. `pinned` ones stay at today's budget. Raises `InputError` for a floor above its
    cap, and for amounts too large to count.
    """
    limits = account.limits
    current = _whole(campaigns["current_minor"])
    floor = _whole(campaigns["floor_minor"].fill_null(limits.floor_minor))
    floor = np.maximum(floor, 1)
    no_cap = -1 if limits.cap_minor is None else limits.cap_minor
    cap = _whole(campaigns["cap_minor"].fill_null(no_cap))
    _check_amounts(campaigns, account, current, floor, cap)

    least = floor if lifts_to_floor else np.minimum(floor, current)
    low, high, low_limit, high_limit = _floor_to_cap(campaigns, limits, least, cap, ceiling)
    wanted = _deliverable(campaigns, account, current)
    if wanted is not None:
        short = (wanted < high) & (low < high)
        high = np.where(short, np.maximum(wanted, low), high)
        high_limit[short] = CODES[Limit.DELIVERY]
    if limits.no_raises:
        low_limit[low > current] = CODES[Limit.NO_RAISES]
        high_limit[high >= current] = CODES[Limit.NO_RAISES]
        low, high = np.minimum(low, current), np.minimum(high, current)

    unheld, hard = low, np.minimum(least, low)
    if pinned.any():
        locked = campaigns["locked"].fill_null(value=False).to_numpy()
        unheld = np.where(pinned, np.minimum(low, current), unheld)
        unheld = np.where(locked, current, unheld)
        hard = np.where(locked, current, np.minimum(least, unheld))
        low, high = np.where(pinned, current, low), np.where(pinned, current, high)
        low_limit[pinned] = high_limit[pinned] = CODES[Limit.HELD]
        low_limit[locked] = high_limit[locked] = CODES[Limit.LOCKED]
    return Bounds(current, floor, cap, low, high, low_limit, high_limit, unheld, hard)


def _floor_to_cap(
    campaigns: pl.DataFrame, limits: Limits, floor: Whole, cap: Whole, ceiling: Whole
) -> tuple[Whole, Whole, Codes, Codes]:
    """What floor, cap and step leave of each budget, and which of them it is at either end."""
    current = _whole(campaigns["current_minor"])
    capped = cap >= 0
    most = np.maximum(ceiling, floor)
    most_limit: Codes = np.zeros(current.size, dtype=np.int8)  # CODES[Limit.NONE]
    if capped.any():
        most = np.where(capped, cap, most)
        most_limit[capped] = CODES[Limit.CAP]
    learning = campaigns["days_running"].fill_null(0).to_numpy() <= LEARNING_DAYS
    narrowed = learning & (limits.max_step is None or limits.max_step > LEARNING_STEP)
    low, high = _steps(current, limits.max_step, narrowed)
    above, below = floor > high, capped & (cap < low)
    stepped_down, stepped_up = low > floor, high < most
    # In place: at a hundred thousand campaigns, fetching memory is most of the work.
    np.maximum(low, floor, out=low)
    np.minimum(high, most, out=high)
    low_limit = np.full(current.size, CODES[Limit.FLOOR], dtype=np.int8)
    low_limit[stepped_down], most_limit[stepped_up] = CODES[Limit.STEP_DOWN], CODES[Limit.STEP_UP]
    high_limit = most_limit
    if narrowed.any():
        low_limit[narrowed & stepped_down] = CODES[Limit.LEARNING_DOWN]
        high_limit[narrowed & stepped_up] = CODES[Limit.LEARNING_UP]
    if above.any() or below.any():
        low[below], high[above] = cap[below], floor[above]
        low_limit[above] = high_limit[above] = CODES[Limit.FLOOR]
        low_limit[below] = high_limit[below] = CODES[Limit.CAP]
    # A ceiling below the step is for the distribution to deal with.
    np.maximum(high, low, out=high)
    return low, high, low_limit, high_limit


def step_bounds(current: Sequence[int] | Whole, step: Decimal) -> tuple[Whole, Whole]:
    """The least and the most that budgets may be within a step: whole minor units inside it, the
    lower end rounded up, the upper end down."""
    share, whole = Fraction(step).as_integer_ratio()
    amounts = np.asarray(current, dtype=np.int64)
    if amounts.size and int(amounts.max()) * (whole + share) >= _SAFE_PRODUCT:
        exact = [int(each) for each in amounts]
        lows = [max(-(-each * (whole - share) // whole), 0) for each in exact]
        highs = [min(each * (whole + share) // whole, LARGEST) for each in exact]
        return np.array(lows, dtype=np.int64), np.array(highs, dtype=np.int64)
    low = amounts * (share - whole)
    low //= whole
    np.negative(low, out=low)
    high = amounts * (whole + share)
    high //= whole
    return np.maximum(low, 0, out=low), np.minimum(high, LARGEST, out=high)


def _steps(current: Whole, max_step: Decimal | None, narrowed: Flags) -> tuple[Whole, Whole]:
    """What the step allows each campaign, `LEARNING_STEP` where it is narrowed to that."""
    if max_step is None:
        low, high = np.zeros_like(current), np.full_like(current, LARGEST)
    else:
        low, high = step_bounds(current, max_step)
    if narrowed.any():
        low[narrowed], high[narrowed] = step_bounds(current[narrowed], LEARNING_STEP)
    return low, high


def _deliverable(campaigns: pl.DataFrame, account: AccountHistory, current: Whole) -> Whole | None:
    """The most that each campaign can be expected to spend, `LARGEST` where its budget limits it;
    None where nothing is known.

    One that spent little of its budget on each of the last two days has room above the better of
    them, and no more; one that spent nothing at all is not raised, since nobody knows why. A day
    on which nothing of the account is known says nothing.
    """
    first = account.day - timedelta(days=_DELIVERY_DAYS - 1)
    recent = (
        account.days.lazy()
        .filter(pl.col("date") >= first)
        .select(
            "campaign_id",
            "date",
            "budget_minor",
            minor=pl.col("spend").cast(pl.Float64) * account.offset,
        )
        .collect()
    )
    if recent["date"].n_unique() < _DELIVERY_DAYS:
        return None
    least, most = np.full(current.size, True), np.zeros(current.size)
    for number in range(_DELIVERY_DAYS):
        day = recent.filter(pl.col("date") == first + timedelta(days=number))
        seen = campaigns.select("campaign_id").join(
            day, on="campaign_id", how="left", maintain_order="left"
        )
        spent = seen["minor"].fill_null(0.0).to_numpy()
        budget = np.where(
            seen["budget_minor"].is_null().to_numpy(),
            current,
            seen["budget_minor"].fill_null(0).to_numpy(),
        )
        least &= spent < UNDER_DELIVERED * budget
        most = np.maximum(most, spent)
    mature = campaigns["days_running"].fill_null(0).to_numpy() > _DELIVERY_DAYS
    room = np.where(most > 0, np.floor(DELIVERY_ROOM * most), current).astype(np.int64)
    return np.where(least & mature, np.minimum(room, LARGEST), LARGEST)


def _check_amounts(
    campaigns: pl.DataFrame, account: AccountHistory, current: Whole, floor: Whole, cap: Whole
) -> None:
    crossed = np.flatnonzero((cap >= 0) & (floor > cap))
    if crossed.size:
        i = int(crossed[0])
        raise InputError(
            f"Campaign {campaigns['campaign_id'][i]} has a floor of "
            f"{_show(account, int(floor[i]))} above its cap of {_show(account, int(cap[i]))}.",
            "Lower the floor or raise the cap.",
        )
    for name, amounts in (("budget", current), ("floor", floor), ("cap", cap)):
        large = np.flatnonzero(amounts > LARGEST)
        if large.size:
            own = campaigns["campaign_id"][int(large[0])]
            raise InputError(
                f"The {name} of campaign {own} is too large to count with.",
                "Check the account's currency and limits.",
            )
    if account.limits.total_minor is not None and account.limits.total_minor > LARGEST:
        raise InputError("The total is too large to count with.", "Check the account's limits.")


def _whole(column: pl.Series) -> Whole:
    amounts: Whole = column.to_numpy().astype(np.int64, copy=False)
    return amounts


def _show(account: AccountHistory, minor: int) -> str:
    return money.show(money.to_major(minor, account.currency), account.currency)
