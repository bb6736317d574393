"""The tables of backtests: each account's newest one, replaced whole."""

from __future__ import annotations

import polars as pl

from zyenta_ads_pipeline.lake.schema import MOMENT, Column, Table

_ACCOUNT = Column("account_id", pl.String, "Ad account, digits without act_.")
_POLICY = Column("policy", pl.String, "Name of the policy.")
_CURRENCY = Column("currency", pl.String, "The account's currency, as Meta names it.")
_SEEN = (
    Column("observed_at", MOMENT, "When the account was last observed (Meta's clock, UTC)."),
    Column("run_id", pl.String, "The Dagster run that wrote the row."),
)


def _forecast_columns() -> tuple[Column, ...]:
    columns = []
    for name, what in (("purchases", "purchases"), ("value", "their value")):
        of = f"7-day forecasts of {what} by the curves fitted then, at the budgets really set:"
        columns += [
            Column(f"{name}_covered80", pl.Float64, f"{of} share inside their 80 % interval."),
            Column(f"{name}_covered95", pl.Float64, f"{of} share inside their 95 % interval."),
            Column(f"{name}_bias", pl.Float64, f"{of} all expected / all that came - 1."),
            Column(f"{name}_error", pl.Float64, f"{of} median of |expected - came| / expected."),
        ]
    return tuple(columns)


BACKTEST_SCORES = Table(
    "backtest_scores",
    "What each policy would have done on an account's own past, as it was known then: the newest "
    "backtest of each account. Revenue at budgets that were not set is an estimate.",
    ("account_id", "policy"),
    (
        _ACCOUNT,
        _POLICY,
        Column("since", pl.Date, "First day decided on, account's own."),
        Column("until", pl.Date, "Last day decided on."),
        _CURRENCY,
        Column("days_decided", pl.Int64, "Days decided on."),
        Column("days_skipped", pl.Int64, "Days on which nobody could have decided."),
        Column("days_stopped", pl.Int64, "Days on which a stop of the account held something."),
        Column("revenue_done", pl.Float64, "Revenue that came, late conversions allowed for."),
        Column("spend_done", pl.Float64, "Spend that came with it."),
        Column(
            "revenue_difference",
            pl.Float64,
            "Estimated revenue beyond it at the policy's budgets, each day from the budgets then "
            "in force.",
        ),
        Column("revenue_difference_low", pl.Float64, "Lower end of its 80 % interval."),
        Column("revenue_difference_high", pl.Float64, "Upper end of its 80 % interval."),
        Column("spend_difference", pl.Float64, "Estimated spend beyond it."),
        Column("moves", pl.Int64, "Budgets moved."),
        Column("moves_judged", pl.Int64, "Those of which a later curve knows the direction."),
        Column("right", pl.Float64, "Share of them it says were right, a probability each."),
        Column("stated", pl.Float64, "Their mean stated confidence."),
        Column("calibration_error", pl.Float64, "Expected calibration error of the confidence."),
        Column("brier", pl.Float64, "Brier score of the confidence; 0.25 is a coin's."),
        Column("forecasts", pl.Int64, "7-day forecasts checked; they overlap."),
        *_forecast_columns(),
        *_SEEN,
    ),
    daily=False,
)

BACKTEST_DAYS = Table(
    "backtest_days",
    "The newest backtest of each account by day and policy, beside what was done. Revenue at "
    "budgets that were not set is an estimate.",
    ("account_id", "policy", "date"),
    (
        Column("date", pl.Date, "The day whose budgets were decided, account's own."),
        _ACCOUNT,
        _POLICY,
        _CURRENCY,
        Column("revenue_estimate", pl.Float64, "Estimated revenue at the policy's budgets."),
        Column("revenue_done", pl.Float64, "Revenue that came, late conversions allowed for."),
        Column("spend_estimate", pl.Float64, "Estimated spend at the policy's budgets."),
        Column("spend_done", pl.Float64, "Spend that came."),
        Column("moves", pl.Int64, "Budgets moved."),
        Column("stopped", pl.String, "What stop of the account was found, in words; empty: none."),
        *_SEEN,
    ),
    daily=False,
)

BACKTEST_TABLES = (BACKTEST_SCORES, BACKTEST_DAYS)
