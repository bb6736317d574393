"""What an account's goal makes of its total: how much of it is worth spending."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.optimizer.account import AccountHistory, Goal, Limits
from zyenta_ads_pipeline.optimizer.bounds import Bounds
from zyenta_ads_pipeline.optimizer.curves import Curves
from zyenta_ads_pipeline.optimizer.distribution import Contest, distribute
from zyenta_ads_pipeline.optimizer.fitting import fit_curves
from zyenta_ads_pipeline.optimizer.price import Whole

_HALVINGS = 12
"""Of the range that the total may lie in: to a four-thousandth of it, finer than is known."""


def least_log_price(limits: Limits) -> float | None:
    """The logarithm of what the next unit of money has to return, None where that is anything.

    For profit at margin m, revenue is worth m of itself, so it has to return 1 / m. Raises
    `InputError` for the goal of profit without a margin above 0 and up to 1.
    """
    if limits.goal is not Goal.PROFIT:
        return None
    if limits.margin is None or not 0 < limits.margin <= 1:
        raise InputError(
            f"The goal is profit, and the margin is {limits.margin}.",
            "Set the margin, profit per revenue before ads, as a share: 0.60 for 60 %.",
        )
    return -math.log(limits.margin)


def affordable_total(
    account: AccountHistory,
    campaign_ids: Sequence[str],
    bounds: Bounds,
    contest: Contest,
    total: int,
) -> int:
    """The most of `total` (minor units) that can be spent while the campaigns together reach the
    account's target ROAS or cost per conversion, as far as their curves tell.

    At least the sum of their lows, even where that misses the target: budgets move no faster
    towards a goal than their steps allow. Campaigns without a curve count neither way.

    Raises `InputError` for a target that is not above 0.
    """
    limits = account.limits
    if limits.target is None or not limits.target > 0:
        raise InputError(
            f"The goal is {limits.goal.value}, and the target is {limits.target}.",
            "Set the target ROAS, or the target cost per conversion in the account's currency.",
        )
    curves = account.curves or fit_curves(account.days, account.day)
    known = set(curves.ids)
    places = np.array([i for i, own in enumerate(campaign_ids) if own in known], dtype=np.int64)
    least, most = int(bounds.low.sum()), min(total, int(bounds.high.sum()))
    if not places.size or least >= most:
        return most
    mine = curves.taken([campaign_ids[i] for i in places])

    def reached(spendable: int) -> bool:
        amounts = distribute(bounds, contest, spendable).amounts[places]
        return _reaches(mine, amounts, account.offset, limits)

    if reached(most):
        return total
    for _ in range(_HALVINGS):
        middle = (least + most) // 2
        if middle == least:
            break
        least, most = (middle, most) if reached(middle) else (least, middle)
    return least


def _reaches(curves: Curves, amounts: Whole, offset: int, limits: Limits) -> bool:
    """Whether the budgets (N,), minor units, reach the target together."""
    spend = amounts / offset
    conversions = curves.expected(spend)
    spent = float(spend.sum())
    target = float(limits.target or 0)
    if limits.goal is Goal.TARGET_CPA:
        return spent <= target * float(conversions.sum())
    value = conversions * np.exp(curves.log_order + curves.var_log_order / 2)
    return float(value.sum()) >= target * spent
