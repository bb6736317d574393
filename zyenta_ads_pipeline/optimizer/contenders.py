"""The campaigns that compete for an account's money, and where each stands against the price."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.optimizer.account import AccountHistory, Goal, Limits
from zyenta_ads_pipeline.optimizer.curves import Curves, Marginal
from zyenta_ads_pipeline.optimizer.settling import Aim, Marginals, Settled, settle

Floats: TypeAlias = npt.NDArray[np.float64]
Whole: TypeAlias = npt.NDArray[np.int64]

LEAST_CURVATURE = 0.02
_OPTIMISM = 0.5
"""Most that uncertainty adds to a log marginal: the mean of a lognormal, bounded."""
_WIDEST = 3.0
"""The price lets every budget move up to so many times today's."""


@dataclass(frozen=True)
class Contenders:
    """N campaigns in the order of their ids; arrays (N,), amounts in major units a day.

    `curves` are theirs; under the goal of a target cost per conversion every conversion is worth
    1. `low` and `high` are as far as the price lets a budget move, `floor` is its least one.
    """

    curves: Curves
    budget: Floats
    low: Floats
    high: Floats
    floor: Floats
    days_running: Whole
    group: npt.NDArray[np.str_]
    """Name of the group with a total of its own, "" for those that share the account's."""

    @classmethod
    def of(cls, account: AccountHistory, curves: Curves) -> Contenders:
        """The campaigns of `curves`, all of which the account has with a budget above 0."""
        limits, unit = account.limits, account.offset
        known = pl.DataFrame({"campaign_id": list(curves.ids)})
        rows = known.join(account.campaigns, on="campaign_id", maintain_order="left", how="left")
        budget = rows["current_minor"].to_numpy() / unit
        # A curve is a power law near 0: the least budget has to be above it.
        floor = np.maximum(rows["floor_minor"].fill_null(limits.floor_minor).to_numpy(), 1) / unit
        cap = rows["cap_minor"].cast(pl.Float64).fill_null(limits.cap_minor or math.inf).to_numpy()
        locked = rows["locked"].fill_null(value=False).to_numpy()
        high = np.maximum(np.minimum(_WIDEST * budget, cap / unit), floor)
        group = rows["group"].replace_strict(
            {name: name for name in limits.group_totals}, default="", return_dtype=pl.String
        )
        return cls(
            curves=_of_conversions(curves) if limits.goal is Goal.TARGET_CPA else curves,
            budget=budget,
            low=np.where(locked, budget, floor),
            high=np.where(locked, budget, high),
            floor=floor,
            days_running=rows["days_running"].fill_null(0).to_numpy(),
            group=np.array(group.fill_null("").to_list(), dtype=np.str_),
        )


class Standing(NamedTuple):
    """Where each campaign stands, (N,): its price (a logarithm), the budget at which it would
    settle, and the standard deviation of its log marginal's distance to the price."""

    price: Floats
    budget: Floats
    deviation: Floats


def standing(limits: Limits, part: Contenders, at: Marginal, unit: int) -> Standing:
    """Where each stands at today's marginal returns `at`; `unit` is minor units in one major."""
    price, budget = np.zeros(part.budget.size), part.budget.copy()
    deviation = np.sqrt(at.variance)
    named = {name: limits.group_totals[name] / unit for name in set(part.group.tolist()) - {""}}
    for name in sorted({*named, ""}):
        of = np.flatnonzero(part.group == name)
        if not of.size:
            continue
        total = named.get(name)
        if total is None:
            total = float(np.sum(part.budget[of]))
            if limits.total_minor is not None:
                total = max(limits.total_minor / unit - sum(named.values()), 1 / unit)
        curves = part.curves
        if of.size < len(curves.ids):
            curves = curves.taken([curves.ids[place] for place in of])
        done = settle(
            partial(_marginals, curves),
            part.budget[of],
            part.low[of],
            part.high[of],
            _aim(limits, total),
        )
        price[of], budget[of] = done.price, done.budgets
        deviation[of] = _distance(at.variance[of], done)
    return Standing(price, budget, np.maximum(deviation, 1e-9))


def optimistic(at: Marginal) -> Floats:
    """The log of the expected marginal: uncertainty counts in favour, within bounds."""
    result: Floats = at.mean + np.minimum(at.variance / 2, _OPTIMISM)
    return result


def hurdle(limits: Limits) -> float:
    """What a unit of money must return to be worth spending; 0 where nothing says so."""
    if limits.goal is Goal.TARGET_ROAS:
        return _needed(limits.target)
    if limits.goal is Goal.TARGET_CPA:
        return 1 / _needed(limits.target)
    return 0.0 if limits.margin is None else 1 / _needed(limits.margin)


def check_goal(limits: Limits) -> None:
    """Raises `InputError` for a goal without the margin or target that it needs, above 0."""
    needed = {
        Goal.PROFIT: ("margin", limits.margin),
        Goal.TARGET_ROAS: ("target", limits.target),
        Goal.TARGET_CPA: ("target", limits.target),
    }
    if limits.goal not in needed:
        return
    name, number = needed[limits.goal]
    if number is None or not number.is_finite() or number <= 0:
        raise InputError(
            f"The goal {limits.goal.value} has no {name} above 0.",
            f"Set the account's {name}, or take the goal {Goal.REVENUE.value}.",
        )


def _needed(number: object) -> float:
    return float(str(number))


def _of_conversions(curves: Curves) -> Curves:
    nothing = np.zeros(len(curves.ids))
    return replace(curves, log_order=nothing, var_log_order=nothing)


def _aim(limits: Limits, total: float) -> Aim:
    if limits.goal is Goal.PROFIT:
        return Aim(total, least_price=math.log(hurdle(limits)))
    if limits.goal is Goal.REVENUE:
        return Aim(total)
    return Aim(total, target=hurdle(limits))


def _marginals(curves: Curves, spend: Floats) -> Marginals:
    at = curves.marginal(spend)
    order = np.exp(curves.log_order + curves.var_log_order / 2)
    return Marginals(spend, optimistic(at), at.curvature, curves.expected(spend) * order)


def _distance(variance: Floats, done: Settled) -> Floats:
    """sd of a log marginal minus the price, which is the mean of all by their influence: the
    campaigns' errors are taken as independent, and part of the price's error is one's own."""
    common = float(np.sum(done.influence**2 * variance))
    result: Floats = np.sqrt(np.maximum(variance * (1 - 2 * done.influence) + common, 0.0))
    return result
