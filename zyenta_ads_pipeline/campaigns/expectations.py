"""What an allocation is expected to bring: forecasts at today's budgets and at the new ones, as
columns beside each campaign, and in words beside each change."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl

from zyenta_ads_pipeline.domain.money import offset, show
from zyenta_ads_pipeline.lake.decision_tables import FORECAST_DAYS
from zyenta_ads_pipeline.optimizer.curves import Curves
from zyenta_ads_pipeline.optimizer.forecast import forecast, gain

_METRICS = ("purchases", "value")
_ENDS = ("", "_low", "_high")
FORECASTS: tuple[str, ...] = tuple(
    f"{metric}_{at}{end}" for metric in _METRICS for at in ("now", "new", "change") for end in _ENDS
)
"""The forecasts' columns of `budget_allocation`."""
_WHOLE = 10
"""From so many purchases on a tenth of one says nothing."""


def expectations(
    curves: Curves | None, allocated: pl.DataFrame, currency: str, day: date
) -> pl.DataFrame:
    """The forecasts of each campaign for the days after `day`, its account's last complete one.

    `allocated` has campaign_id, now and new: daily budgets in minor units, null where there is
    none. Gives campaign_id and the columns of `FORECASTS`; null where no curve or budget is known.
    """
    schema = {"campaign_id": pl.String} | dict.fromkeys(FORECASTS, pl.Float64)
    known = set(curves.ids) if curves is not None else set()
    rows = allocated.filter(
        pl.col("campaign_id").is_in(list(known)), pl.col("now").is_not_null()
    ).sort("campaign_id")
    if curves is None or rows.is_empty():
        return pl.DataFrame(schema=schema)
    mine = curves.taken(rows["campaign_id"].to_list())
    since = day + timedelta(days=1)
    now, new = (
        (rows[name].fill_null(0).to_numpy() / offset(currency)).astype(np.float64)
        for name in ("now", "new")
    )
    told = {
        "now": forecast(mine, now, days=FORECAST_DAYS, since=since),
        "new": forecast(mine, new, days=FORECAST_DAYS, since=since, current=now),
    }
    moved = gain(mine, now, new, days=FORECAST_DAYS)
    columns = {
        f"{metric}_{at}{end}": frame[f"{metric}{end}"]
        for metric in _METRICS
        for at, frame in told.items()
        for end in _ENDS
    } | {
        f"{metric}_change{end}": moved[f"{metric}_change{end}"]
        for metric in _METRICS
        for end in _ENDS
    }
    return pl.DataFrame({"campaign_id": list(mine.ids), **columns}, schema=schema)


def in_words(row: Mapping[str, Any], currency: str) -> str:
    """What a row of `budget_allocation` is expected to bring, as "+20 % → +6 to +11 purchases a
    week, worth +$90.00 to +$210.00 (80 %)"; empty where nothing moves or nothing is known."""
    now, new = row["current_budget_minor"], row["allocated_minor"]
    low, high = row["purchases_change_low"], row["purchases_change_high"]
    if not now or new is None or new == now or low is None or high is None:
        return ""
    share = f"{(new - now) / now:+.0%}".replace("%", " %")
    worth = ""
    if row["value_change_low"] is not None and row["value_change_high"] is not None:
        ends = (_amount(row[f"value_change_{end}"], currency) for end in ("low", "high"))
        worth = f", worth {' to '.join(ends)}"
    return f"{share} → {_range(low, high)} purchases a week{worth} (80 %)"


def _range(low: float, high: float) -> str:
    """Both ends with their signs, whole where they are large."""
    digits = 0 if max(abs(low), abs(high)) >= _WHOLE else 1
    return f"{low:+.{digits}f} to {high:+.{digits}f}"


def _amount(value: float, currency: str) -> str:
    amount = Decimal(str(value))
    return f"{'-' if amount < 0 else '+'}{show(abs(amount), currency)}"
