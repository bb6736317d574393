"""The price search: whole budgets that bring the most under bounds and one total.

Campaign i's next unit of money returns exp(lm_i) * (s / a_i) ** -c_i at a budget s near its anchor
a_i. The budgets that return the most for a total buy until that is the same everywhere, at one
price exp(L), or until a bound holds: s_i(L) = clip(a_i * exp((lm_i - L) / c_i), low_i, high_i), the
Karush-Kuhn-Tucker conditions of the problem. Their sum never rises with L, so L is found by a
Newton search on the logarithm of what is free, kept inside a bracket. All is in logarithms: no
unit, scale or step size exists that an answer could depend on.

Shares by weight are the case lm = 0, c = 1, a = weight: then s_i is weight times one factor.
"""

from __future__ import annotations

import math
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from zyenta_ads_pipeline.domain.errors import InputError

Floats: TypeAlias = npt.NDArray[np.float64]
Whole: TypeAlias = npt.NDArray[np.int64]
Sides: TypeAlias = npt.NDArray[np.int8]

LARGEST = 2**44
"""No amount or total is larger, in minor units: sums of half a million of them are exact."""

_LEAST = 1e-6
"""An amount, in minor units, that stands for nothing where a logarithm is needed."""
_NEAR_WHOLE = 1e-6
"""Closer than that to a whole number, a share is meant to be that number."""
_BEYOND = 1e-9
"""By how much the price has to be beyond a bound for the bound to count as what held a budget."""
_NEAR_TOTAL = 1e-3
"""Minor units by which shares that are not yet whole may miss the total."""
_NOISE = 1e-14
"""What the last digits of a sum of many shares are worth, as a share of it."""
_MOST_STEPS = 200
_SAMPLE = 4000


class Priced(NamedTuple):
    """Budgets (N,) in whole minor units, and the logarithm of the price that they settle at.

    `sides` says which bound held each: -1 the low one, 1 the high one, 0 none.
    """

    amounts: Whole
    log_price: float
    sides: Sides


def price_budgets(
    anchor: Floats,
    log_marginal: Floats,
    curvature: Floats,
    low: Whole,
    high: Whole,
    total: int,
    price_floor: float | None = None,
) -> Priced:
    """The budgets within `low` and `high` that return the most for `total`, exact in sum.

    All arrays are (N,). `anchor`, `low`, `high` and `total` are minor units. `log_marginal` is the
    logarithm of what the next unit of money returns at `anchor`; `curvature` is how fast that
    falls, -dlog(marginal)/dlog(spend). What does not divide goes to the largest remainders, ties
    in the order given. The sum is `total`; where every budget is at its high it is less, and
    `log_price` is then the least that any returns there. With `price_floor`, a logarithm too,
    nothing is bought that returns less: what is left of the total stays unspent.

    Raises `InputError` for arrays that do not fit together, numbers that are not finite, an anchor
    or curvature not above 0, a low above its high, amounts below 0 or above `LARGEST`, and for
    lows that exceed the total: which of them gives way is not decided here.
    """
    _check(anchor, log_marginal, curvature, low, high, total)
    if not low.size:
        return Priced(low.copy(), math.inf, np.zeros(0, dtype=np.int8))
    curves = _curves(anchor, log_marginal, curvature, low, high)
    if price_floor is not None:
        shares = curves.at(price_floor)
        if float(shares.sum()) <= total:
            whole = np.clip((shares + _NEAR_WHOLE).astype(np.int64), low, high)
            if int(whole.sum()) > total:  # by what was meant to be whole and is not
                whole = _rounded(shares, low, high, total)
            return Priced(whole, price_floor, curves.sides(price_floor))
    if int(high.sum()) <= total:
        return Priced(high.copy(), float(curves.to_high.min()), np.ones(low.size, dtype=np.int8))

    log_price, shares = _search(curves, total)
    return Priced(_rounded(shares, low, high, total), log_price, curves.sides(log_price))


class _Curves(NamedTuple):
    """The campaigns as the search sees them: `level` is the log marginal at a budget of 1, and
    `to_low` and `to_high` are the log prices at which the budget meets its bounds."""

    level: Floats
    curvature: Floats
    low: Whole
    high: Whole
    to_low: Floats
    to_high: Floats

    def at(self, log_price: float) -> Floats:
        """The budgets at a price, not yet whole."""
        at_high = self.to_high >= log_price
        shares = self.low.astype(np.float64)
        np.copyto(shares, self.high, where=at_high)
        free = np.flatnonzero((self.to_low > log_price) & ~at_high)
        bought = np.exp((self.level[free] - log_price) / self.curvature[free])
        shares[free] = np.clip(bought, self.low[free], self.high[free])
        return shares

    def sides(self, log_price: float) -> Sides:
        """Which bound holds each at a price."""
        above = (self.to_high > log_price + _BEYOND).view(np.int8)
        below = (self.to_low < log_price - _BEYOND).view(np.int8)
        sides: Sides = above - below
        return sides

    def taken(self, which: npt.NDArray[np.intp]) -> _Curves:
        return _Curves(
            self.level[which],
            self.curvature[which],
            self.low[which],
            self.high[which],
            self.to_low[which],
            self.to_high[which],
        )


def _curves(
    anchor: Floats, log_marginal: Floats, curvature: Floats, low: Whole, high: Whole
) -> _Curves:
    log_anchor = np.log(anchor)

    def met_at(bound: Whole) -> Floats:
        # In place: at a hundred thousand campaigns, fetching memory is most of the work.
        price = np.log(np.maximum(bound, _LEAST) if int(bound.min()) < 1 else bound)
        np.subtract(log_anchor, price, out=price)
        price *= curvature
        price += log_marginal
        return price

    to_low, to_high = met_at(low), met_at(high)
    level = log_anchor
    level *= curvature
    level += log_marginal
    return _Curves(level, curvature, low, high, to_low, to_high)


def _start(curves: _Curves) -> float:
    """A price near the middle of what the campaigns would pay, from a sample of a few thousand."""
    some = slice(None, None, 1 + curves.low.size // _SAMPLE)
    weight = (curves.low[some] + curves.high[some]) / curves.curvature[some]
    # Sums of products, and no dot product: a numeric library shares that among threads, and what
    # it answers would depend on how many there are.
    middle = weight * (curves.to_low[some] + curves.to_high[some])
    heavy = float(weight.sum())
    return float(middle.sum()) / (2 * heavy) if heavy > 0 else float(curves.to_low[0])


def _search(curves: _Curves, total: int) -> tuple[float, Floats]:
    """The log price at which the budgets sum to `total`, and the budgets.

    Needs sum(low) <= total < sum(high). Campaigns that are at one bound wherever in the bracket
    the price lies are counted once and not looked at again.
    """
    least, most = float(curves.to_high.min()), float(curves.to_low.max())
    price = min(max(_start(curves), least), most)
    left, held, move, move_before = curves, 0, math.inf, math.inf
    for _ in range(_MOST_STEPS):
        at_high, at_low = left.to_high >= price, left.to_low <= price
        at_low &= ~at_high
        free = np.flatnonzero(~(at_high | at_low))
        curvature = left.curvature[free]
        bought = np.exp((left.level[free] - price) / curvature)
        bound = held + _sum(left.high, at_high) + _sum(left.low, at_low)
        spent = float(bought.sum())
        missing = total - bound - spent
        if abs(missing) <= max(_NEAR_TOTAL, _NOISE * total):
            return price, curves.at(price)
        least, most = (price, most) if missing < 0 else (least, price)
        if most - least <= 4 * math.ulp(max(abs(least), abs(most))):
            break
        settled_high, settled_low = left.to_high >= most, left.to_low <= least
        settled_low &= ~settled_high
        settled = settled_high | settled_low
        if 4 * int(np.count_nonzero(settled)) > 3 * settled.size:
            held += _sum(left.high, settled_high) + _sum(left.low, settled_low)
            left = left.taken(np.flatnonzero(~settled))
        # The logarithm of what is free is nearly straight in the price, and wholly so where all
        # curvatures are one.
        wanted = total - bound
        step = math.inf
        if spent > 0 and wanted > 0:
            step = math.log(spent / wanted) * spent / float((bought / curvature).sum())
        if not least < price + step < most or abs(step) > abs(move_before) / 2:
            step = (least + most) / 2 - price
        move_before, move = move, step
        price += step
    # The sum jumps over the total between two neighbouring numbers: there every price is the
    # same, and any mixture of both ends returns the most.
    more, fewer = curves.at(least), curves.at(most)
    gap = float(more.sum() - fewer.sum())
    part = (total - float(fewer.sum())) / gap if gap > 0 else 0.0
    return most, fewer + min(max(part, 0.0), 1.0) * (more - fewer)


def _sum(amounts: Whole, which: npt.NDArray[np.bool_]) -> int:
    return int(amounts[np.flatnonzero(which)].sum())


def _rounded(shares: Floats, low: Whole, high: Whole, total: int) -> Whole:
    """Shares cut to whole units that sum to `total`, what is missing to the largest remainders."""
    whole = (shares + _NEAR_WHOLE).astype(np.int64)  # cut, as none is negative
    np.clip(whole, low, high, out=whole)
    missing = total - int(whole.sum())
    # Remainders that differ by less than a sixty-thousandth are a tie, and go by order: what the
    # last digits of a float say must not decide. Small whole numbers sort fast, too.
    left = shares - whole
    np.clip(left, 0.0, 1.0, out=left)
    left *= 65535
    rest = left.astype(np.uint16)
    while missing:
        if missing > 0:
            some = np.flatnonzero((rest > 0) & (whole < high))
            if some.size < missing:
                some = np.flatnonzero(whole < high)
            some = some[np.argsort(65535 - rest[some], kind="stable")]
        else:
            some = np.flatnonzero(whole > low)
            some = some[np.argsort(rest[some], kind="stable")]
        # Sums of many large floats may be off by more than one unit for each: then it goes round.
        some = some[: abs(missing)]
        whole[some] += 1 if missing > 0 else -1
        missing = total - int(whole.sum())
    return whole


def _check(
    anchor: Floats,
    log_marginal: Floats,
    curvature: Floats,
    low: Whole,
    high: Whole,
    total: int,
) -> None:
    arrays = (anchor, log_marginal, curvature, low, high)
    if any(array.shape != (low.size,) for array in arrays):
        raise _unusable("its arrays are not all of one length")
    if not np.all(np.isfinite(log_marginal)):
        raise _unusable("a marginal return is not finite")
    if not np.all(np.isfinite(anchor) & np.isfinite(curvature) & (anchor > 0) & (curvature > 0)):
        raise _unusable("an anchor or a curvature is not above 0")
    if np.any((low < 0) | (low > high)) or np.any(high > LARGEST) or not 0 <= total <= LARGEST:
        raise _unusable("an amount is below 0, above its bound, or too large to count")
    if int(low.sum()) > total:
        raise _unusable(f"the least amounts come to {int(low.sum())}, more than {total}")


def _unusable(what: str) -> InputError:
    return InputError(f"Budgets cannot be found: {what}.", "docs/optimizer.md says what is needed.")
