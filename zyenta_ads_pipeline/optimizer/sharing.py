"""Sharing a whole amount exactly, by weight and within bounds.

All arithmetic is on integers. The amounts solve `x_i = clip(k * w_i, lo_i, hi_i)` with one
price `k` for all, such that `sum x_i = total`: proportional shares, those beyond a bound held at
it and the rest shared by weight among the others. The sum never falls as `k` rises and is linear
between the 2n points `lo_i / w_i` and `hi_i / w_i`, so one walk over these points in order finds
`k`: it ends after 2n steps, in O(n log n) for the sorting.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from zyenta_ads_pipeline.domain.errors import InputError


class Filled(NamedTuple):
    """Amounts in the order given, and which bound held each: -1 low, 1 high, 0 none."""

    amounts: list[int]
    sides: list[int]


def fill(weights: Sequence[int], lows: Sequence[int], highs: Sequence[int], total: int) -> Filled:
    """Whole amounts `clip(k * w, low, high)` that sum to `total`, exactly.

    Needs `0 <= low <= high`, `sum(lows) <= total <= sum(highs)` (a weight of 0 stays at its
    low), and items in the order in which ties are to be broken.

    Exact: with F held at bounds and W the weight of those between them, k is (total - F) / W,
    and shares of that one denominator are cut to whole numbers. What is missing, sum of the
    remainders over W, is fewer than the shares that were cut, and goes to the largest
    remainders. A share so rounded stays between its bounds, since they are whole numbers too.
    """
    # Points in order of k. Distinct fractions with denominators up to w differ by at least
    # 1 / w**2, so with this shift their whole parts are distinct and equal ones are equal.
    shift = 2 * max(weights).bit_length()
    points: list[tuple[int, int, int]] = []
    for i, weight in enumerate(weights):
        if weight:
            points.append(((lows[i] << shift) // weight, 0, i))
            points.append(((highs[i] << shift) // weight, 1, i))
    points.sort()

    held, free = sum(lows), 0
    flat = (0, 1)
    for _, leaving, i in points[:-1]:  # beyond the last one is nothing to look for
        bound = highs[i] if leaving else lows[i]
        if held * weights[i] + bound * free >= total * weights[i]:
            flat = (bound, weights[i])
            break
        if leaving:
            held, free = held + bound, free - weights[i]
        else:
            held, free = held - bound, free + weights[i]
    # k lies before this point. With nothing free the sum is flat here, and the point will do.
    top, bottom = (total - held, free) if free else flat

    amounts: list[int] = []
    sides: list[int] = []
    cut: list[tuple[int, int]] = []
    for i, weight in enumerate(weights):
        share = top * weight
        if share < lows[i] * bottom:
            amounts.append(lows[i])
            sides.append(-1)
        elif share > highs[i] * bottom:
            amounts.append(highs[i])
            sides.append(1)
        else:
            whole, rest = divmod(share, bottom)
            amounts.append(whole)
            sides.append(0)
            cut.append((-rest, i))
    cut.sort()
    for _, i in cut[: total - sum(amounts)]:
        amounts[i] += 1
    return Filled(amounts, sides)


def split_over_ad_sets(
    total_minor: int, current: Mapping[str, int], minimum: int
) -> dict[str, int]:
    """A campaign's daily budget over its ad sets, in minor units, by their current budgets.

    Exact to the minor unit (largest remainder, ties by id). Each gets at least `minimum` when
    the total reaches for that; when it does not, the split is proportional all the same and
    the guardrails' minimum refuses what is too small. Ad sets that all have nothing share
    equally.
    """
    check_whole("The campaign's budget", total_minor, least=0)
    check_whole("The ad sets' minimum", minimum, least=0)
    if not current:
        if total_minor:
            raise InputError(
                "The campaign has no ad set that could take its budget.",
                "Create an ad set, or keep the budget at the campaign.",
            )
        return {}
    ids = sorted(current)
    for one in ids:
        check_whole(f"The budget of ad set {one}", current[one], least=0)
    weights = [current[one] for one in ids]
    if not any(weights):
        weights = [1] * len(ids)
    low = minimum if minimum * len(ids) <= total_minor else 0
    filled = fill(weights, [low] * len(ids), [total_minor] * len(ids), total_minor)
    return dict(zip(ids, filled.amounts, strict=True))


def check_whole(what: str, value: object, *, least: int) -> None:
    """Refuse anything but a whole number of minor units from `least` upwards."""
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise InputError(f"{what} is {value!r}.", f"Give whole minor units, at least {least}.")
