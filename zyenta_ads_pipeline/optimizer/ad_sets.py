"""A campaign's budget over its ad sets, by what the next unit of money returns in each."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import numpy as np

from zyenta_ads_pipeline.domain import money
from zyenta_ads_pipeline.optimizer.allocation_cases import CODES, Limit
from zyenta_ads_pipeline.optimizer.bounds import Bounds, step_bounds
from zyenta_ads_pipeline.optimizer.curves import Curves, completed
from zyenta_ads_pipeline.optimizer.distribution import contest_of, distribute
from zyenta_ads_pipeline.optimizer.price import Whole
from zyenta_ads_pipeline.optimizer.sharing import check_whole, split_over_ad_sets

_OPTIMISM = 0.5
"""Most that uncertainty adds to a log marginal: the mean of a lognormal, bounded."""


def split_by_price(
    total_minor: int,
    current: Mapping[str, int],
    minimum: int,
    curves: Curves,
    *,
    currency: str,
    max_step: Decimal | None,
    dead_band: Decimal = Decimal(0),
) -> dict[str, int]:
    """A campaign's daily budget over its ad sets, exact to the minor unit, by ad set id.

    `current` are today's budgets, `minimum` the least that each needs; all in minor units of
    `currency`. `curves` are those of ad sets; one without its own is taken for one like the others.
    Each stays within `max_step` of its budget (None: free) and moves less than `dead_band` of it
    not at all, as far as the total lets it. Without anything known of any of them, or where the
    steps or the minimum do not meet the total, they share as they share today, by
    `split_over_ad_sets`.
    """
    check_whole("The campaign's budget", total_minor, least=0)
    check_whole("The ad sets' minimum", minimum, least=0)
    ids = sorted(current)
    for own in ids:
        check_whole(f"The budget of ad set {own}", current[own], least=0)
    known = frozenset(curves.ids)
    budgets = np.array([current[own] for own in ids], dtype=np.int64)
    if not any(own in known for own in ids) or not budgets.all():
        return split_over_ad_sets(total_minor, current, minimum)
    bounds = _bounds(budgets, minimum, max_step, total_minor)
    if not int(bounds.hard.sum()) <= total_minor <= int(bounds.high.sum()):
        return split_over_ad_sets(total_minor, current, minimum)
    at = completed(curves, ids).marginal(budgets / money.offset(currency))
    log_marginal = at.mean + np.minimum(at.variance / 2, _OPTIMISM)
    contest = contest_of(budgets, budgets.astype(np.float64), log_marginal, at.curvature)
    shared = distribute(bounds, contest, total_minor, dead_band=float(dead_band))
    return dict(zip(ids, shared.amounts.tolist(), strict=True))


def _bounds(budgets: Whole, minimum: int, max_step: Decimal | None, total: int) -> Bounds:
    """Minimum and step of each ad set; the minimum wins."""
    least = np.full_like(budgets, max(minimum, 1))
    low, high = least, np.maximum(np.full_like(budgets, total), least)
    if max_step is not None:
        step_low, step_high = step_bounds(budgets, max_step)
        low, high = np.maximum(step_low, least), np.maximum(step_high, least)
    none = np.full(budgets.size, CODES[Limit.NONE], dtype=np.int8)
    return Bounds(
        current=budgets,
        floor=least,
        cap=np.full_like(budgets, -1),
        low=low,
        high=high,
        low_limit=none,
        high_limit=none,
        unheld=low,
        hard=least,
    )
