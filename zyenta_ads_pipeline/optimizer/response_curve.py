"""The policy `response_curve`: budget goes where its next unit returns most.

Each campaign's response curve says what the next unit of money returns at today's budget, with
uncertainty. What the account's budgets would settle at, if they could move freely, is the price:
a campaign above it deserves more, one below it less. The probability of being above it, from the
posterior, is the decision's confidence.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from zyenta_ads_pipeline.domain.change import BudgetAction
from zyenta_ads_pipeline.optimizer.account import AccountHistory, Goal
from zyenta_ads_pipeline.optimizer.contenders import (
    LEAST_CURVATURE,
    Contenders,
    Standing,
    check_goal,
    hurdle,
    optimistic,
    standing,
)
from zyenta_ads_pipeline.optimizer.curve_reasons import Facts, Why, plain_reason, reason
from zyenta_ads_pipeline.optimizer.curves import Marginal, completed
from zyenta_ads_pipeline.optimizer.deciding import DECISIONS
from zyenta_ads_pipeline.optimizer.fitting import fit_curves
from zyenta_ads_pipeline.optimizer.outages import outage_days

Floats: TypeAlias = npt.NDArray[np.float64]
Flags: TypeAlias = npt.NDArray[np.bool_]

SURE = 0.8
"""Probability that a direction is right from which a campaign is moved."""
SURE_TO_PAUSE = 0.95
MIN_PAUSE_DAYS = 7
MIN_PAUSE_CONVERSIONS = 3.0
"""A campaign is not paused before it spent what so many conversions may cost."""

_WIDER = 1.15
"""The posterior's deviation is taken so much wider: the curves' family and the normal approximation
are not exactly right, and stated confidences are to hold (measured: docs/decisions/0022)."""
_NEAR = 0.15
"""A budget whose best is within this share of it is near its best."""
_RECENT_SILENCE = 2
"""An outage that ended so many days ago still keeps a campaign from being cut."""
_PAUSE_WINDOW = 90
_MOVES = {Why.MORE: BudgetAction.INCREASE, Why.LESS: BudgetAction.DECREASE}


@dataclass(frozen=True)
class ResponseCurve:
    """Decides by the marginal return of each campaign against the account's price."""

    name: str = "response_curve"
    shares_total: bool = True

    def decide(self, account: AccountHistory) -> pl.DataFrame:
        """A decision on each campaign, with all columns of `DECISIONS`.

        Uses the account's curves where it has some, else fits them. `new_budget` is where the
        campaign would settle between its floor and three times today's budget. Raises `InputError`
        for a goal whose margin or target is missing.
        """
        check_goal(account.limits)
        curves = account.curves or fit_curves(account.days, account.day)
        takes_part = pl.col("active") & (pl.col("current_minor") > 0)
        takes_part = takes_part.fill_null(value=False) & bool(curves.ids)
        ids = account.campaigns.filter(takes_part)["campaign_id"].to_list()
        rest = _left_alone(account.campaigns.filter(~takes_part))
        if not ids:
            return rest
        judged = _judged(account, Contenders.of(account, completed(curves, ids)))
        return pl.concat([rest, judged]).sort("campaign_id")


def _left_alone(campaigns: pl.DataFrame) -> pl.DataFrame:
    """Campaigns that are not on, have no budget, or of whose account nothing is known."""
    why = (
        pl.when(~pl.col("active").fill_null(value=False))
        .then(pl.lit(plain_reason(Why.INACTIVE)))
        .when(pl.col("current_minor").fill_null(0) == 0)
        .then(pl.lit(plain_reason(Why.NO_BUDGET)))
        .otherwise(pl.lit(plain_reason(Why.NO_CURVES)))
    )
    known = {
        "action": pl.lit(BudgetAction.MAINTAIN.value),
        "reason": why,
        "confidence": pl.lit(0.5),
        "campaign_id": pl.col("campaign_id"),
    }
    return campaigns.select(
        known.get(name, pl.lit(None)).cast(kind).alias(name) for name, kind in DECISIONS.items()
    )


def _judged(account: AccountHistory, part: Contenders) -> pl.DataFrame:
    at = part.curves.marginal(part.budget)
    stand = standing(account.limits, part, at, account.offset)
    deviation = stand.deviation * _WIDER
    above = (at.mean - stand.price) / deviation
    probability = _normal(above)
    curvature = np.maximum(at.curvature, LEAST_CURVATURE)
    reach = _NEAR * curvature / deviation
    near = np.maximum(_normal(reach - above) - _normal(-reach - above), 0.0)
    pause = _probability_never_pays(account, part)
    whys = _whys(part, stand, probability, near, pause, _silent(account, part.curves.ids))
    facts = _facts(account, part, at, stand, probability)
    by_why = {Why.MORE: probability, Why.LESS: 1 - probability, Why.PAUSE: pause}
    columns: dict[str, Any] = {
        "campaign_id": list(part.curves.ids),
        "action": [_action(why).value for why in whys],
        "new_budget": _new_budgets(whys, stand.budget, account.offset),
        "reason": [reason(why, each) for why, each in zip(whys, facts, strict=True)],
        "confidence": [float(by_why.get(why, near)[place]) for place, why in enumerate(whys)],
        "probability_up": probability,
        "log_marginal": optimistic(at),
        "curvature": curvature,
    }
    return pl.DataFrame(columns, schema=dict(DECISIONS))


def _whys(
    part: Contenders,
    stand: Standing,
    probability: Floats,
    near: Floats,
    pause: Floats,
    silent: Flags,
) -> list[Why]:
    up, down = probability >= SURE, probability <= 1 - SURE
    room_up, room_down = stand.budget > part.budget, stand.budget < part.budget
    cases = (
        (Why.PAUSE, (pause >= SURE_TO_PAUSE) & ~silent),
        (Why.OUTAGE, down & silent),
        (Why.MORE, up & room_up),
        (Why.LESS, down & room_down),
        (Why.BOUND, (up & (part.high <= part.budget)) | (down & (part.low >= part.budget))),
        (Why.NEAR, near >= 0.5),
    )
    chosen = np.select([case for _, case in cases], list(range(len(cases))), len(cases))
    names = [*(why for why, _ in cases), Why.UNSURE]
    return [names[place] for place in chosen.tolist()]


def _action(why: Why) -> BudgetAction:
    return BudgetAction.PAUSE if why is Why.PAUSE else _MOVES.get(why, BudgetAction.MAINTAIN)


def _new_budgets(whys: list[Why], settled: Floats, unit: int) -> list[Decimal | None]:
    """Major units, whole in minor ones, a move rounded in its own direction."""
    up, down = np.ceil(settled * unit), np.floor(settled * unit)
    new: list[Decimal | None] = []
    for place, why in enumerate(whys):
        minor = {Why.MORE: up, Why.LESS: down}.get(why)
        if why is Why.PAUSE:
            new.append(Decimal(0))
        else:
            new.append(None if minor is None else Decimal(int(minor[place])) / unit)
    return new


def _probability_never_pays(account: AccountHistory, part: Contenders) -> Floats:
    """That not even the smallest budget returns what is asked for; 0 where nothing is asked, or
    where there was not time and spend enough to see.

    By what the whole of it returns on average, which is more than its next unit does: a pause
    saves all of it.
    """
    asked = hurdle(account.limits)
    if asked <= 0:
        return np.zeros(part.budget.size)
    curves = part.curves
    level = curves.level(part.floor)
    mean = level.mean + curves.log_order - np.log(part.floor)
    deviation = np.sqrt(np.maximum(level.variance + curves.var_log_order, 1e-18))
    spent = _sums(account, curves.ids, _PAUSE_WINDOW)["spend"].to_numpy()
    seen = (
        (spent * asked >= MIN_PAUSE_CONVERSIONS * np.exp(curves.log_order))
        & (part.days_running >= MIN_PAUSE_DAYS)
        & (curves.days_seen >= MIN_PAUSE_DAYS)
    )
    return np.where(seen, _normal((math.log(asked) - mean) / deviation), 0.0)


def _silent(account: AccountHistory, ids: tuple[str, ...]) -> Flags:
    """Campaigns with an outage in the last days."""
    recent = account.day - timedelta(days=_RECENT_SILENCE)
    found = outage_days(account.days, account.day, since=recent)
    silent = set(found.filter(pl.col("date") >= recent)["campaign_id"])
    return np.array([each in silent for each in ids], dtype=np.bool_)


def _sums(account: AccountHistory, ids: tuple[str, ...], days: int) -> pl.DataFrame:
    """spend, told (spend x maturity), conversions and revenue of the last days, one row per id."""
    since = account.day - timedelta(days=days - 1)
    amounts = [pl.col(name).cast(pl.Float64) for name in ("spend", "conversions", "revenue")]
    summed = (
        account.days.lazy()
        .filter(pl.col("date") >= since)
        .select("campaign_id", *amounts, (amounts[0] * pl.col("maturity")).alias("told"))
        .group_by("campaign_id", maintain_order=True)
        .sum()
        .collect()
    )
    known = pl.DataFrame({"campaign_id": list(ids)}, schema={"campaign_id": pl.String})
    return known.join(summed, on="campaign_id", how="left", maintain_order="left").fill_null(0.0)


def _facts(
    account: AccountHistory, part: Contenders, at: Marginal, stand: Standing, probability: Floats
) -> list[Facts]:
    costs = account.limits.goal is Goal.TARGET_CPA
    sums = _sums(account, part.curves.ids, account.window_days)
    elasticity = part.curves.elasticity(part.budget)
    days, least = account.window_days, hurdle(account.limits)
    numbers = zip(
        np.exp(at.mean).tolist(),
        np.sqrt(np.expm1(np.minimum(at.variance, 4.0))).tolist(),
        np.exp(stand.price).tolist(),
        probability.tolist(),
        elasticity.mean.tolist(),
        np.sqrt(elasticity.variance).tolist(),
        [days] * part.budget.size,
        *(sums[name].to_list() for name in ("told", "spend", "conversions")),
        sums["conversions" if costs else "revenue"].to_list(),
        [least] * part.budget.size,
        [costs] * part.budget.size,
        strict=True,
    )
    return [Facts(*each) for each in numbers]


def _normal(deviates: Floats) -> Floats:
    """The standard normal distribution function."""
    scaled = (deviates / -math.sqrt(2)).tolist()
    result: Floats = np.array([0.5 * math.erfc(each) for each in scaled])
    return result
