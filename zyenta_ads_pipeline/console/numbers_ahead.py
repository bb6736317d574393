"""What a campaign would sell at another budget, from its stored response curve."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from zyenta_ads_pipeline.console.numbers_read import accounts_seen
from zyenta_ads_pipeline.console.numbers_shown import (
    CurvePlot,
    Difference,
    Forecast,
    NotKnown,
    Outlook,
    Outlooks,
)
from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.money import offset, show
from zyenta_ads_pipeline.lake.decision_tables import RESPONSE_CURVES
from zyenta_ads_pipeline.lake.lake import Snapshot
from zyenta_ads_pipeline.lake.tables import AD_ACCOUNTS, CAMPAIGN_METRICS
from zyenta_ads_pipeline.optimizer.curve_rows import CURVE_ROWS, from_rows
from zyenta_ads_pipeline.optimizer.curves import Curves, curve_points
from zyenta_ads_pipeline.optimizer.forecast import SMALL_STEP, forecast, forecast_points, gain

AHEAD_FROM = (AD_ACCOUNTS, RESPONSE_CURVES)
CURVE_FROM = (AD_ACCOUNTS, RESPONSE_CURVES, CAMPAIGN_METRICS)
"""The tables that the functions below read."""

UNKNOWN = NotKnown(
    "There is no response curve of this campaign yet: the sync after its first days with delivery "
    "fits one."
)
_AMOUNTS = tuple(f"{name}{end}" for name in ("purchases", "value") for end in ("", "_low", "_high"))
_POINTS = 33
_DAYS_SHOWN = 90
_WHOLE = 10
"""From so many purchases on a tenth of one says nothing."""


class _Fitted:
    """One campaign's curve as stored, with what is known beside it."""

    def __init__(self, snapshot: Snapshot, row: pl.DataFrame, campaign_id: str) -> None:
        self.id = campaign_id
        self.curves: Curves = from_rows(row.select(list(CURVE_ROWS)))
        self.row: Mapping[str, Any] = row.row(0, named=True)
        self.currency: str = self.row["currency"]
        self.unit = offset(self.currency)
        account = accounts_seen(snapshot).get(self.row["account_id"])
        next_day = self.curves.day + timedelta(days=1)
        self.since: date = next_day if account is None else max(next_day, account.today)

    def now(self, current_minor: int | None) -> float | None:
        """Today's daily budget, major units: as given, else as it was when the curve was fitted."""
        if current_minor is not None:
            return current_minor / self.unit
        budget = self.row["budget"]
        return float(budget) if budget else None


def _fitted(snapshot: Snapshot, campaign_id: str) -> _Fitted | None:
    rows = (
        snapshot.scan(RESPONSE_CURVES)
        .filter((pl.col("level") == Level.CAMPAIGN.value) & (pl.col("object_id") == campaign_id))
        .collect()
    )
    return _Fitted(snapshot, rows.head(1), campaign_id) if rows.height else None


def forecast_at(
    snapshot: Snapshot, campaign_id: str, asked_minor: int, days: int, current_minor: int | None
) -> Forecast | NotKnown:
    """A campaign at `asked_minor` a day for `days` days from the account's today on.

    Raises `InputError` for a budget below zero, or a horizon outside 1 to 366 days.
    """
    known = _fitted(snapshot, campaign_id)
    if known is None:
        return UNKNOWN
    now, asked = known.now(current_minor), asked_minor / known.unit
    curves, own, since = known.curves, known.id, known.since
    held = None if now is None else {own: now}
    at_asked = forecast(curves, {own: asked}, days=days, since=since, current=held)
    stay, change = None, None
    if held is not None and now is not None:
        at_now = forecast(curves, held, days=days, since=since)
        stay = _outlook(at_now.row(0, named=True), round(now * known.unit))
        moved = gain(curves, held, {own: asked}, days=days, since=since).row(0, named=True)
        change = Difference(
            spend=moved["spend_change"],
            **{name: moved[_changed(name)] for name in _AMOUNTS},
        )
    return Forecast(
        currency=known.currency,
        days=days,
        since=since,
        fitted_to=curves.day,
        asked=_outlook(at_asked.row(0, named=True), asked_minor),
        stay=stay,
        difference=change,
        words="" if change is None or asked == now else _words(change, days, known.currency),
    )


def outlooks(
    snapshot: Snapshot,
    campaign_id: str,
    days: int,
    current_minor: int | None,
    asked_minor: int | None,
) -> Outlooks | NotKnown:
    """Forecasts over a range of budgets around today's and the asked one."""
    known = _fitted(snapshot, campaign_id)
    if known is None:
        return UNKNOWN
    now = known.now(current_minor)
    asked = None if asked_minor is None else asked_minor / known.unit
    marks = [each for each in (now, asked) if each] or [float(known.curves.ref[0])]
    low, high = min(marks) / 3, max(max(marks) * 1.25, min(marks) * 2)
    budgets = {low + (high - low) * n / (_POINTS - 1) for n in range(_POINTS)} | set(marks)
    if now:  # what learning again costs begins at a step: both of its sides, so that it is one
        steps = ((1 + side * SMALL_STEP) * now for side in (-1, 1))
        budgets |= {each * (1 + off) for each in steps for off in (-1e-6, 1e-6)}
    rows = forecast_points(
        known.curves, known.id, sorted(budgets), days=days, since=known.since, current=now
    )
    return Outlooks(known.currency, days, known.since, rows.select("budget", *_AMOUNTS), now)


def curve_plot(
    snapshot: Snapshot, campaign_id: str, current_minor: int | None
) -> CurvePlot | NotKnown:
    """A campaign's curve, its interval, and the last 90 days with spend that it learned from."""
    known = _fitted(snapshot, campaign_id)
    if known is None:
        return UNKNOWN
    day = known.curves.day
    points = (
        snapshot.scan(CAMPAIGN_METRICS)
        .filter(
            pl.col("date").is_between(day - timedelta(days=_DAYS_SHOWN - 1), day),
            (pl.col("campaign_id") == campaign_id) & (pl.col("spend") > 0),
        )
        .sort("date")
        .select(
            pl.col("spend").cast(pl.Float64),
            conversions=pl.col("purchases").cast(pl.Float64) / pl.col("maturity").fill_null(1.0),
            maturity=pl.col("maturity").fill_null(1.0),
        )
        .collect()
    )
    now = known.now(current_minor)
    largest = max([*points["spend"].to_list(), now or 0.0, float(known.curves.ref[0])])
    spends = [largest * 1.5 * n / _POINTS for n in range(1, _POINTS + 1)]
    row = known.row
    return CurvePlot(
        currency=known.currency,
        fitted_to=day,
        points=points,
        curve=curve_points(known.curves, campaign_id, spends),
        today=now,
        days_seen=row["days_seen"],
        marginal=row["marginal"],
        marginal_low=row["marginal_low"],
        marginal_high=row["marginal_high"],
    )


def _outlook(row: Mapping[str, Any], budget_minor: int) -> Outlook:
    return Outlook(
        budget_minor=budget_minor,
        spend=row["spend"],
        extrapolated=bool(row["extrapolated"]),
        **{name: row[name] for name in _AMOUNTS},
    )


def _changed(name: str) -> str:
    """The column of `gain` with the change of an amount: `value_low` is `value_change_low`."""
    what, *end = name.split("_")
    return "_".join((what, "change", *end))


def _words(change: Difference, days: int, currency: str) -> str:
    """`+6 to +11 purchases in 7 days, worth +$90.00 to +$210.00, for +$140.00 (80 %)`."""
    low, high = change.purchases_low, change.purchases_high
    digits = 0 if max(abs(low), abs(high)) >= _WHOLE else 1
    worth = " to ".join(_amount(end, currency) for end in (change.value_low, change.value_high))
    return (
        f"{low:+.{digits}f} to {high:+.{digits}f} purchases in {days} days, worth {worth}, for "
        f"{_amount(change.spend, currency)} of spend (80 %)"
    )


def _amount(value: float, currency: str) -> str:
    amount = Decimal(str(value))
    return f"{'-' if amount < 0 else '+'}{show(abs(amount), currency)}"
