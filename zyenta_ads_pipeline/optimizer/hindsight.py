"""One day of a backtest: what a policy would have set, judged by what came and what is known now.

Pure: the account as it was known, its days as they are known now, and the policy in; frames out.
The judge of directions is `response_curve`, fitted with the days that followed as well.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from zyenta_ads_pipeline.optimizer.account import AccountHistory
from zyenta_ads_pipeline.optimizer.allocation_cases import RowAction
from zyenta_ads_pipeline.optimizer.counterfactual import (
    Differences,
    growth_ratio,
    spend_at,
)
from zyenta_ads_pipeline.optimizer.curves import Curves, completed
from zyenta_ads_pipeline.optimizer.fitting import fit_curves
from zyenta_ads_pipeline.optimizer.forecast import forecast
from zyenta_ads_pipeline.optimizer.planning import Plan
from zyenta_ads_pipeline.optimizer.response_curve import ResponseCurve

Floats: TypeAlias = npt.NDArray[np.float64]

LATER_DAYS = 10
"""Days after a decision that the judging curve knows: more tell of the shape, but of another
level, since levels drift."""
HORIZON = 7
"""Days of the forecasts that are checked."""
_FINAL = 0.97
"""From this maturity on a day's numbers are what came."""

MOVES = pl.Schema({
    "date": pl.Date, "campaign_id": pl.String, "current_minor": pl.Int64,
    "budget_minor": pl.Int64, "done_minor": pl.Int64, "stated": pl.Float64, "right": pl.Float64,
    "reason": pl.String,
})  # fmt: skip
"""A budget the policy would have moved. `date` is the day decided on; `done_minor` is what was in
force on the next day, null if unknown. `stated` is the confidence in the move, `right` the
probability by the later curve that its direction was right; null where that knows nothing."""

FORECASTS = pl.Schema({
    "date": pl.Date, "campaign_id": pl.String, "metric": pl.String, "expected": pl.Float64,
    "low": pl.Float64, "high": pl.Float64, "low95": pl.Float64, "high95": pl.Float64,
    "came": pl.Float64,
})  # fmt: skip
"""A forecast of the `HORIZON` days after `date` at the budgets that were really set, and what came;
`metric` is purchases or value (major units)."""


@dataclass(frozen=True)
class Day:
    """One decided day: the account as known then, with its curves; `after`, the days as known now
    (columns of `DAYS`); the judge's probability that more budget was right, by campaign; and the
    judge's curves of the campaigns."""

    then: AccountHistory
    after: pl.DataFrame
    judged: pl.DataFrame
    curves: Curves

    @property
    def next(self) -> date:
        """The day that the decision sets the budgets of."""
        return self.then.day + timedelta(days=1)


@dataclass(frozen=True)
class Outcome:
    """What a policy's budgets of one day would have brought, estimated, against what was done.

    Major units: spend and revenue of the campaigns that delivered, late conversions allowed for.
    """

    revenue_estimate: float
    revenue_done: float
    spend_estimate: float
    spend_done: float


def hindsight(then: AccountHistory, days: pl.DataFrame) -> Day:
    """The day with its judge. `then`: as known; `days`: all days as known now (`DAYS`)."""
    own = then.campaigns["campaign_id"].implode()
    after = days.filter(pl.col("campaign_id").is_in(own))
    last = min(then.day + timedelta(days=LATER_DAYS), max([*after["date"].to_list(), then.day]))
    seen = after.filter(pl.col("date") <= last)
    if then.curves is None:
        then = replace(then, curves=fit_curves(then.days, then.day))
    later = fit_curves(seen, last)
    judge = ResponseCurve().decide(replace(then, day=last, days=seen, curves=later))
    return Day(
        then=then,
        after=after,
        judged=judge.select("campaign_id", "probability_up"),
        curves=later,
    )


def moves(day: Day, plan: Plan) -> pl.DataFrame:
    """The budgets that the plan moves, as rows of `MOVES`."""
    done = day.after.filter(pl.col("date") == day.next).select(
        "campaign_id", done_minor="budget_minor"
    )
    reasons = plan.decisions.select("campaign_id", "reason")
    rows = (
        _planned(plan)
        .filter(pl.col("budget_minor") != pl.col("current_minor"))
        .join(day.judged, on="campaign_id", how="left")
        .join(done, on="campaign_id", how="left")
        .join(reasons, on="campaign_id", how="left")
        .sort("campaign_id")
    )
    up = pl.col("budget_minor") > pl.col("current_minor")
    return rows.select(
        date=pl.lit(day.then.day),
        campaign_id="campaign_id",
        current_minor="current_minor",
        budget_minor="budget_minor",
        done_minor="done_minor",
        stated="confidence",
        right=pl.when(up).then("probability_up").otherwise(1 - pl.col("probability_up")),
        reason="reason",
    ).cast(MOVES)


def outcome(day: Day, plan: Plan, differences: Differences) -> Outcome:
    """What the plan's budgets would have brought on the next day; added to `differences`.

    Campaigns without delivery on that day are left out: nothing says what they would have done.
    One whose budget the plan leaves to others is taken as it was.
    """
    rows = (
        day.after.filter((pl.col("date") == day.next) & (pl.col("spend") > 0))
        .join(_planned(plan), on="campaign_id", how="left")
        .sort("campaign_id")
    )
    done = pl.coalesce("budget_minor", "current_minor")
    budgets = rows.select(done=done, other=pl.coalesce("budget_minor_right", done)).fill_null(0)
    unit = day.then.offset
    spend, revenue, conversions, maturity = (
        rows[name].cast(pl.Float64).to_numpy()
        for name in ("spend", "revenue", "conversions", "maturity")
    )
    other = spend_at(spend, budgets["done"].to_numpy() / unit, budgets["other"].to_numpy() / unit)
    ids = rows["campaign_id"].to_list()
    ratio = growth_ratio(completed(day.curves, ids), spend, other)
    revenue = np.maximum(revenue, 0.0) / maturity
    estimate = differences.add(ids, revenue, np.maximum(conversions, 0.0), ratio)
    return Outcome(
        revenue_estimate=float(np.sum(estimate)),
        revenue_done=float(np.sum(revenue)),
        spend_estimate=float(np.sum(other)),
        spend_done=float(np.sum(spend)),
    )


def forecasts(day: Day) -> pl.DataFrame:
    """The forecasts of the days to come at the budgets that were then set, as rows of `FORECASTS`.

    Only of campaigns that delivered on each of the days under a known budget, and whose numbers
    are final by now.
    """
    curves = day.then.curves
    if curves is None:
        return pl.DataFrame(schema=FORECASTS)
    came = (
        day.after.filter(
            pl.col("date").is_between(day.next, day.then.day + timedelta(days=HORIZON))
        )
        .group_by("campaign_id")
        .agg(
            whole=(pl.len() == HORIZON)
            & pl.col("budget_minor").is_not_null().all()
            & (pl.col("maturity") >= _FINAL).all(),
            budget=pl.col("budget_minor").mean() / day.then.offset,
            purchases=(pl.col("conversions").cast(pl.Float64) / pl.col("maturity")).sum(),
            value=(pl.col("revenue").cast(pl.Float64) / pl.col("maturity")).sum(),
        )
        .join(day.then.campaigns.select("campaign_id", "current_minor"), on="campaign_id")
        .filter("whole", pl.col("campaign_id").is_in(list(curves.ids)))
        .sort("campaign_id")
    )
    if came.is_empty():
        return pl.DataFrame(schema=FORECASTS)
    now = came["current_minor"].fill_null(0).to_numpy() / day.then.offset
    ids = came["campaign_id"].to_list()
    told = forecast(
        curves.taken(ids), came["budget"].to_numpy(), days=HORIZON, since=day.next, current=now
    )
    return pl.concat(
        told.select(
            date=pl.lit(day.then.day),
            campaign_id="object_id",
            metric=pl.lit(metric),
            expected=metric,
            low=f"{metric}_low",
            high=f"{metric}_high",
            low95=f"{metric}_low95",
            high95=f"{metric}_high95",
            came=came[metric],
        ).cast(FORECASTS)
        for metric in ("purchases", "value")
    )


def _planned(plan: Plan) -> pl.DataFrame:
    """campaign_id, current_minor, budget_minor, confidence of the campaigns that the plan sets: a
    pause is a budget of 0."""
    rows: pl.DataFrame = plan.allocation.rows
    return rows.filter(
        pl.col("action") != RowAction.LEAVE.value, pl.col("current_minor").is_not_null()
    ).select("campaign_id", "current_minor", "budget_minor", "confidence")
