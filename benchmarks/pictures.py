"""`python -m benchmarks.pictures`: the pictures of `docs/optimizer.md`, from a market of the
benchmark that the default policy has led for some days."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.market import Market
from benchmarks.scenarios import world
from zyenta_ads_pipeline.charts.allocation import allocation_svg
from zyenta_ads_pipeline.charts.decisions import decisions_svg
from zyenta_ads_pipeline.charts.response import response_curve_svg
from zyenta_ads_pipeline.optimizer.account import AccountHistory
from zyenta_ads_pipeline.optimizer.curves import Curves, curve_points
from zyenta_ads_pipeline.optimizer.fitting import fit_curves
from zyenta_ads_pipeline.optimizer.planning import Plan, plan
from zyenta_ads_pipeline.optimizer.response_curve import ResponseCurve

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"
_DAYS_LED = 4
_Z80 = 1.2816
_POINTS = 40


def main() -> None:
    """Draw them all."""
    market = Market(world("plain", 3))
    market.warm_up()
    for _ in range(_DAYS_LED):
        planned = plan(market.history(), ResponseCurve())
        rows = planned.allocation.rows
        paused = (rows["action"] == "pause").to_numpy()
        live = market.history().campaigns["current_minor"].fill_null(0).to_numpy()
        moved = (rows["action"] == "set").to_numpy()
        market.change(np.where(moved, rows["budget_minor"].to_numpy(), live), paused)
        market.deliver()
    account = market.history()
    curves = fit_curves(account.days, account.day)
    planned = plan(replace(account, curves=curves), ResponseCurve())
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, svg in {
        "response_curve": _curve(account, curves, planned),
        "decisions": _decisions(account, curves, planned),
        "allocation": _allocation(account, planned),
    }.items():
        (FOLDER / f"{name}.svg").write_text(svg, encoding="utf-8")
        print(FOLDER / f"{name}.svg")


def _curve(account: AccountHistory, curves: Curves, planned: Plan) -> str:
    """The campaign whose budget moves most."""
    rows = planned.allocation.rows.with_columns(
        move=(pl.col("budget_minor") - pl.col("current_minor")).abs()
    ).sort("move", "campaign_id", descending=[True, False])
    chosen = rows.row(0, named=True)
    own, today = chosen["campaign_id"], chosen["current_minor"] / account.offset
    days = account.days.filter(campaign_id=own)
    points = days.select(
        pl.col("spend").cast(pl.Float64),
        conversions=pl.col("conversions").cast(pl.Float64),
        maturity=pl.col("maturity"),
    )
    most = 1.5 * max(points["spend"].max() or 0.0, today)
    spends = np.linspace(most / _POINTS, most, _POINTS).tolist()
    return response_curve_svg(
        points,
        curve_points(curves, own, spends),
        title="One campaign's days, and its response curve",
        currency=account.currency,
        today=today,
        proposed=chosen["budget_minor"] / account.offset,
    )


def _decisions(account: AccountHistory, curves: Curves, planned: Plan) -> str:
    budget = account.campaigns["current_minor"].fill_null(0).to_numpy() / account.offset
    at = curves.marginal(budget)
    spread = _Z80 * np.sqrt(at.variance)
    rows = planned.decisions.select("action", name=pl.format("Campaign {}", "campaign_id"))
    return decisions_svg(
        rows.with_columns(
            value=pl.Series(np.exp(at.mean + at.variance / 2)),
            low=pl.Series(np.exp(at.mean - spread)),
            high=pl.Series(np.exp(at.mean + spread)),
        ),
        price=planned.allocation.price,
    )


def _allocation(account: AccountHistory, planned: Plan) -> str:
    unit = account.offset
    rows = planned.allocation.rows.select(
        name=pl.format("Campaign {}", "campaign_id"),
        current=pl.col("current_minor") / unit,
        proposed=pl.col("budget_minor") / unit,
    )
    return allocation_svg(rows, currency=account.currency)


if __name__ == "__main__":
    main()
