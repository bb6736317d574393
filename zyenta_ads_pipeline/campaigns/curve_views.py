"""Response curves as they are shown: the days that were seen, the curve, today's budget and the
allocated one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from zyenta_ads_pipeline.campaigns.curves import stored_curves
from zyenta_ads_pipeline.campaigns.history import account_history
from zyenta_ads_pipeline.campaigns.rules import AccountRules
from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.money import offset
from zyenta_ads_pipeline.lake.decision_tables import RESPONSE_CURVES
from zyenta_ads_pipeline.lake.lake import Snapshot
from zyenta_ads_pipeline.optimizer.account import AccountHistory
from zyenta_ads_pipeline.optimizer.curves import curve_points

_STEPS = 40
_BEYOND = 1.5
"""How far a curve is drawn, in multiples of the largest budget or spend."""


@dataclass(frozen=True)
class CurveView:
    """One campaign's curve. `points`: spend, conversions (as expected once all are reported),
    maturity, a row per day; `curve`: as of `curve_points`. Budgets are a day's, major units."""

    title: str
    points: pl.DataFrame
    curve: pl.DataFrame
    today: float | None
    proposed: float | None


def curve_views(
    snapshot: Snapshot,
    account_id: str,
    rules: AccountRules,
    proposed_minor: Mapping[str, int],
    *,
    most: int,
) -> tuple[list[CurveView], str]:
    """The curves of the account's campaigns that spent most lately, and its currency.

    `proposed_minor` are allocated budgets by campaign, minor units. None where no curve is stored.
    """
    fitted = snapshot.scan(RESPONSE_CURVES).filter(
        (pl.col("account_id") == account_id) & (pl.col("level") == Level.CAMPAIGN.value)
    )
    days = fitted.select("day").head(1).collect()
    if days.is_empty():
        return [], ""
    day = days.item()
    curves = stored_curves(snapshot, account_id, Level.CAMPAIGN, day)
    if curves is None:
        return [], ""
    history = account_history(snapshot, account_id, rules, day=day)
    known = set(curves.ids)
    shown = [each for each in _by_spend(history) if each in known][:most]
    unit = offset(history.currency)
    current = dict(history.campaigns.select("campaign_id", "current_minor").iter_rows())
    names = dict(history.campaigns.select("campaign_id", "name").iter_rows())
    views = []
    for own in shown:
        points = _points(history, own)
        today = current[own] / unit if current[own] else None
        proposed = proposed_minor[own] / unit if own in proposed_minor else None
        largest = max(*points["spend"].to_list(), today or 0.0, proposed or 0.0)
        spends = np.linspace(largest * _BEYOND / _STEPS, largest * _BEYOND, _STEPS)
        curve = curve_points(curves, own, spends.tolist())
        views.append(CurveView(names[own], points, curve, today, proposed))
    return views, history.currency


def _by_spend(history: AccountHistory) -> list[str]:
    """Campaigns by what they spent in the window's days, most first."""
    spent = history.days.group_by("campaign_id").agg(
        pl.col("spend").sort_by("date").tail(history.window_days).sum()
    )
    ordered = spent.filter(pl.col("spend") > 0).sort(
        "spend", "campaign_id", descending=[True, False]
    )
    return ordered["campaign_id"].to_list()


def _points(history: AccountHistory, campaign_id: str) -> pl.DataFrame:
    """The days with spend of one campaign."""
    return history.days.filter(
        (pl.col("campaign_id") == campaign_id) & (pl.col("spend") > 0)
    ).select(
        pl.col("spend").cast(pl.Float64),
        conversions=pl.col("conversions").cast(pl.Float64) / pl.col("maturity"),
        maturity=pl.col("maturity"),
    )
