"""One total over campaigns that compete for it, whatever its limits: never more than the total.

Where they do not fit together, this is the order: the total; what a person locked; floors and caps;
holds for now; steps. What gives way gives way as little as it can, and the case says so.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from zyenta_ads_pipeline.optimizer.allocation_cases import CODES, AllocationCase, Limit
from zyenta_ads_pipeline.optimizer.bounds import Bounds, Codes, Flags
from zyenta_ads_pipeline.optimizer.price import Floats, Priced, Whole, price_budgets

_ROUNDS = 4
_LEAST_ANCHOR = 1e-6


@dataclass(frozen=True)
class Contest:
    """How campaigns compete: arrays (N,), the first three as `price_budgets` wants them.

    `priced` is whether each competes by what its next unit of money returns. The others compete by
    weight, at the price at which the priced ones would stay as they are.
    """

    anchor: Floats
    log_marginal: Floats
    curvature: Floats
    priced: Flags

    @property
    def by_price(self) -> bool:
        """Whether any of them knows what the next unit of money returns."""
        return bool(self.priced.any())

    def taken(self, which: Flags) -> Contest:
        """The contest among some of them."""
        return Contest(
            self.anchor[which],
            self.log_marginal[which],
            self.curvature[which],
            self.priced[which],
        )


class Shared(NamedTuple):
    """What came of it: budgets and what held each (`CODES`), arrays (N,), minor units.

    `log_price` is None where no price was paid: by weight, or where limits left no choice.
    `beyond` is by how much limits and total missed each other, minor units.
    """

    amounts: Whole
    limits: Codes
    case: AllocationCase
    log_price: float | None
    beyond: int = 0


def contest_of(current: Whole, weight: Floats, log_marginal: Floats, curvature: Floats) -> Contest:
    """Campaigns with a `log_marginal` compete by it, those where it is NaN by their `weight`."""
    priced = np.isfinite(log_marginal)
    anchor = np.where(priced, np.maximum(current, 1), np.maximum(weight, _LEAST_ANCHOR))
    level = 0.0
    if priced.any():
        spent = np.maximum(current[priced], 1).astype(np.float64)
        level = float((spent * log_marginal[priced]).sum() / spent.sum())
    return Contest(
        anchor.astype(np.float64),
        np.where(priced, log_marginal, level),
        np.where(priced, curvature, 1.0),
        priced,
    )


def distribute(
    bounds: Bounds,
    contest: Contest,
    total: int,
    *,
    price_floor: float | None = None,
    dead_band: float = 0.0,
) -> Shared:
    """`total` over the campaigns, exact in sum where their bounds allow it, and never above.

    `price_floor` is the logarithm of what the next unit of money has to return for it to be spent;
    `dead_band` the share of today's budget below which a move is not made.
    """
    if int(bounds.hard.sum()) > total:
        return _funded(bounds, contest, total, dead_band)
    if int(bounds.unheld.sum()) > total:
        return _cut_further(
            bounds, bounds.hard, bounds.unheld, total, AllocationCase.STEPS_EXCEED_TOTAL
        )
    if int(bounds.low.sum()) > total:
        bounds = _held_to_caps(bounds)
    if int(bounds.low.sum()) > total:
        return _cut_further(
            bounds, bounds.unheld, bounds.low, total, AllocationCase.HOLDS_EXCEED_TOTAL
        )
    priced = _priced(bounds, contest, total, price_floor)
    spent, most = int(priced.amounts.sum()), int(bounds.high.sum())
    still = np.zeros(bounds.low.size, dtype=np.bool_)
    if spent < most and dead_band > 0:
        priced, still = _without_small_moves(bounds, contest, total, price_floor, dead_band, priced)
        spent = int(priced.amounts.sum())
    case = AllocationCase.EXACT
    if spent < total and most < total and spent == most:
        case = _short_case(bounds, total)
    elif spent < total:
        case = AllocationCase.GOAL_BELOW_TOTAL
    by_price = contest.by_price and (spent < most or price_floor is not None)
    return Shared(
        priced.amounts,
        _limits(bounds, priced, still),
        case,
        priced.log_price if by_price and np.isfinite(priced.log_price) else None,
        total - spent,
    )


def _priced(bounds: Bounds, contest: Contest, total: int, price_floor: float | None) -> Priced:
    return price_budgets(
        contest.anchor,
        contest.log_marginal,
        contest.curvature,
        bounds.low,
        bounds.high,
        total,
        price_floor if contest.by_price else None,
    )


def _limits(bounds: Bounds, priced: Priced, still: Flags) -> Codes:
    """What held each budget: a bound that it would have crossed, or one that leaves no choice."""
    limits = np.zeros(bounds.low.size, dtype=np.int8)  # CODES[Limit.NONE]
    limits = np.where(priced.sides < 0, bounds.low_limit, limits)
    limits = np.where(priced.sides > 0, bounds.high_limit, limits)
    limits = np.where(still, CODES[Limit.DEAD_BAND], limits)
    fixed = (bounds.low == bounds.high) & (bounds.low_limit == bounds.high_limit)
    found: Codes = np.where(fixed, bounds.low_limit, limits).astype(np.int8)
    return found


def _short_case(bounds: Bounds, total: int) -> AllocationCase:
    """Which limits kept all campaigns together below the total."""
    if np.all(bounds.cap >= 0) and int(bounds.cap.sum()) < total:
        return AllocationCase.CAPS_BELOW_TOTAL
    return AllocationCase.STEPS_BELOW_TOTAL


def _without_small_moves(
    bounds: Bounds,
    contest: Contest,
    total: int,
    price_floor: float | None,
    dead_band: float,
    first: Priced,
) -> tuple[Priced, Flags]:
    """The same where budgets that would hardly move do not move at all, and which those are.

    Where those that move cannot make up the total, the largest of the small moves are made.
    """
    priced, still = first, np.zeros(bounds.low.size, dtype=np.bool_)
    may_stay = (bounds.low <= bounds.current) & (bounds.current <= bounds.high)
    may_stay &= bounds.low < bounds.high
    for _ in range(_ROUNDS):
        moves = np.abs(priced.amounts - bounds.current)
        small = may_stay & (moves < dead_band * bounds.current) & ~still
        if not small.any():
            break
        wanted = still | small
        still = _affordable(
            bounds,
            wanted,
            np.abs(first.amounts - bounds.current),
            total,
            price_floor is not None and contest.by_price,
        )
        narrowed = dataclasses.replace(
            bounds,
            low=np.where(still, bounds.current, bounds.low),
            high=np.where(still, bounds.current, bounds.high),
        )
        priced = _priced(narrowed, contest, total, price_floor)
        if not np.array_equal(still, wanted):
            break
    return priced, still


def _affordable(bounds: Bounds, still: Flags, moves: Whole, total: int, may_rest: bool) -> Flags:
    """Those of `still` that may stay where they are while the others make up the total.

    The largest `moves` are let go first. `may_rest`: a part of the total may stay unspent.
    """
    least = int(np.where(still, bounds.current, bounds.low).sum())
    most = int(np.where(still, bounds.current, bounds.high).sum())
    if least <= total and (most >= total or may_rest):
        return still
    if least > total:
        missing, room = least - total, bounds.current - bounds.low
    else:
        # The bounds of all leave enough, or nobody would have been asked to stay.
        missing, room = min(total, int(bounds.high.sum())) - most, bounds.high - bounds.current
    order = np.flatnonzero(still & (room > 0))
    order = order[np.argsort(-moves[order], kind="stable")]
    let_go = order[: int(np.searchsorted(np.cumsum(room[order]), missing)) + 1]
    kept = still.copy()
    kept[let_go] = False
    return kept


def _held_to_caps(bounds: Bounds) -> Bounds:
    """The same where campaigns held above their caps come down to them: where holds have to give
    way, none is cut to an amount that its cap does not allow either."""
    over = (bounds.low_limit == CODES[Limit.HELD]) & (bounds.cap >= 0) & (bounds.low > bounds.cap)
    capped = np.where(over, np.maximum(bounds.cap, bounds.unheld), bounds.low)
    return dataclasses.replace(
        bounds,
        low=capped,
        high=np.where(over, capped, bounds.high),
        low_limit=np.where(over, CODES[Limit.CAP], bounds.low_limit).astype(np.int8),
        high_limit=np.where(over, CODES[Limit.CAP], bounds.high_limit).astype(np.int8),
    )


def _cut_further(
    bounds: Bounds, low: Whole, high: Whole, total: int, case: AllocationCase
) -> Shared:
    """Below limits that the total cannot pay for, everyone gives the same share of what they
    leave at least, `high`, down to `low`: the smallest break with them that there is."""
    ones = np.ones(high.size)
    anchor = np.maximum(high, _LEAST_ANCHOR).astype(np.float64)
    cut = price_budgets(anchor, ones * 0.0, ones, low, high, total)
    held = (bounds.low_limit == CODES[Limit.HELD]) & (cut.amounts < bounds.current)
    broken = held | (cut.amounts < high)
    limits = np.where(broken, CODES[Limit.TOTAL], bounds.low_limit).astype(np.int8)
    return Shared(cut.amounts, limits, case, None, int(high.sum()) - total)


def _funded(bounds: Bounds, contest: Contest, total: int, dead_band: float) -> Shared:
    """The total where it cannot pay every floor.

    It is what was promised not to be exceeded, so it stands and the floors give way: what a person
    locked is paid first, then the best campaigns, each when its floor still fits; what is left goes
    to those that are funded. Without a budget a campaign cannot run, so for the others the honest
    proposal is a pause; to leave them running would break the total unseen.
    """
    funded = bounds.low_limit == CODES[Limit.LOCKED]
    left = total - int(bounds.hard[funded].sum())
    beyond = int(bounds.hard.sum()) - total
    limits = np.where(funded, CODES[Limit.LOCKED], CODES[Limit.UNFUNDED]).astype(np.int8)
    if left < 0:
        amounts = np.where(funded, bounds.current, 0)
        return Shared(amounts, limits, AllocationCase.LOCKS_EXCEED_TOTAL, None, -left)
    best = np.log(contest.anchor)
    if contest.by_price:
        at_floor = np.log(np.maximum(bounds.hard, 1))
        best = contest.log_marginal + contest.curvature * (best - at_floor)
    for i in np.argsort(-best, kind="stable"):
        if not funded[i] and bounds.hard[i] <= left:
            funded[i] = True
            left -= int(bounds.hard[i])
    amounts = np.zeros(bounds.low.size, dtype=np.int64)
    log_price = None
    if funded.any():
        shared = distribute(bounds.taken(funded), contest.taken(funded), total, dead_band=dead_band)
        amounts[funded], limits[funded] = shared.amounts, shared.limits
        log_price = shared.log_price
    return Shared(amounts, limits, AllocationCase.FLOORS_EXCEED_TOTAL, log_price, beyond)
