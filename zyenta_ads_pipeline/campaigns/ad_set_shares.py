"""A campaign's allocated budget over the ad sets that hold it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from zyenta_ads_pipeline.campaigns.rules import AccountBounds
from zyenta_ads_pipeline.domain.money import offset
from zyenta_ads_pipeline.optimizer.ad_sets import split_by_price
from zyenta_ads_pipeline.optimizer.allocation_cases import Limit, RowAction
from zyenta_ads_pipeline.optimizer.curves import Curves, completed
from zyenta_ads_pipeline.optimizer.sharing import split_over_ad_sets

SURE = 0.7
"""Probability that the ad set that gets most more returns more than the one that loses most, from
which a campaign's ad sets are moved although its own budget stays."""
_SETTLED = frozenset(
    {
        Limit.LOCKED,
        Limit.HELD,
        Limit.NO_RAISES,
        Limit.NO_CUTS,
        Limit.LEARNING_UP,
        Limit.LEARNING_DOWN,
    }
)
"""What keeps a campaign's budget as it is keeps those of its ad sets."""


@dataclass(frozen=True)
class Shares:
    """Daily budgets by ad set, minor units, and where they were found by price: what the next unit
    of money returns in each, and how probable it is that the move is right."""

    minor: Mapping[str, int]
    marginal: Mapping[str, float]
    confidence: float | None = None


def shared(
    target: int,
    current: Mapping[str, int],
    minimum: int,
    curves: Curves | None,
    *,
    decision: Mapping[str, Any],
    share: Mapping[str, Any],
    bounds: AccountBounds,
) -> Shares:
    """`target` over the ad sets with the budgets `current`, each at least `minimum`; minor units.

    By price where the policy competes by price and curves are known, else as they share today. Of
    a campaign whose budget stays they are moved only where that is probably right, and not at all
    where the budget has to stay. `decision` and `share` are the campaign's rows of
    `budget_decisions` and `budget_allocation`; `bounds` are the rules of their time.
    """
    stays = target == sum(current.values())
    by_price = curves is not None and decision["log_marginal"] is not None and len(current) > 1
    if stays and not (by_price and _may_move(share)):
        return Shares(dict(current), {})
    if curves is None or not by_price or not set(curves.ids) & set(current):
        return Shares(split_over_ad_sets(target, current, minimum), {})
    currency = share["currency"]
    split = split_by_price(
        target,
        current,
        minimum,
        curves,
        currency=currency,
        max_step=bounds.max_step,
        dead_band=bounds.dead_band,
    )
    ids = sorted(current)
    spend = np.array([current[own] for own in ids], dtype=np.float64) / offset(currency)
    at = completed(curves, ids).marginal(spend)
    apart = np.array([split[own] / max(current[own], 1) for own in ids])
    most, least = int(apart.argmax()), int(apart.argmin())
    doubt = float(np.sqrt(at.variance[most] + at.variance[least]))
    sure = NormalDist().cdf(float(at.mean[most] - at.mean[least]) / max(doubt, 1e-12))
    if stays and sure < SURE:
        return Shares(dict(current), {})
    marginal = dict(zip(ids, np.exp(at.mean).tolist(), strict=True))
    return Shares(split, marginal, sure if stays else None)


def _may_move(share: Mapping[str, Any]) -> bool:
    goes_on = share["action"] in (RowAction.SET, RowAction.KEEP)
    return goes_on and share["hold"] is None and share["limit"] not in _SETTLED
