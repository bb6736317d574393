"""The scores of a backtest: its rows in the lake, and its sentences for people."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import polars as pl

from zyenta_ads_pipeline.campaigns.backtest import Backtest
from zyenta_ads_pipeline.domain.money import show
from zyenta_ads_pipeline.lake.backtest_tables import BACKTEST_DAYS, BACKTEST_SCORES
from zyenta_ads_pipeline.optimizer.scoring import (
    ForecastScore,
    brier,
    calibration_error,
    forecast_score,
    reliability,
)


def score_rows(result: Backtest, run_id: str = "") -> pl.DataFrame:
    """One row per policy, of the table `backtest_scores`."""
    told = _forecast_columns(result)
    rows = [
        {
            "account_id": result.account_id,
            "policy": policy,
            "since": result.asked.since,
            "until": result.asked.until,
            "currency": result.currency,
            "days_decided": result.decided,
            "days_skipped": len(result.skipped),
            **_revenue_columns(result, policy),
            **_move_columns(judged_moves(result, policy)),
            **told,
            "observed_at": result.known_at,
            "run_id": run_id,
        }
        for policy in result.differences
    ]
    return pl.DataFrame(rows, schema=BACKTEST_SCORES.schema).sort("policy")


def day_rows(result: Backtest, run_id: str = "") -> pl.DataFrame:
    """The rows of the table `backtest_days`."""
    rows = result.days.with_columns(
        account_id=pl.lit(result.account_id),
        currency=pl.lit(result.currency),
        observed_at=pl.lit(result.known_at),
        run_id=pl.lit(run_id),
    )
    return rows.select(pl.col(name).cast(kind) for name, kind in BACKTEST_DAYS.schema.items())


def judged_moves(result: Backtest, policy: str) -> pl.DataFrame:
    """The policy's moves of which the later curve knows whether they were right."""
    return result.moves.filter(
        (pl.col("policy") == policy) & pl.col("right").is_not_null()
    ).drop_nulls("stated")


def reliability_bins(result: Backtest, policy: str) -> pl.DataFrame:
    """stated, right, count of the policy's moves, for a plot."""
    moved = judged_moves(result, policy)
    return reliability(moved["stated"].to_numpy(), moved["right"].to_numpy())


def in_words(result: Backtest, row: dict[str, object]) -> str:
    """What one row of `backtest_scores` says of revenue, in a sentence."""
    money = [Decimal(str(row[f"revenue_difference{end}"])) for end in ("", "_low", "_high")]
    expected, low, high = (_signed(amount, result.currency) for amount in money)
    spend = _signed(Decimal(str(row["spend_difference"])), result.currency)
    sure = "" if money[1] > 0 or money[2] < 0 else " That is not told apart from nothing."
    return (
        f"{row['policy']}: {expected} of revenue against what was done, 80 % between {low} and "
        f"{high}, for {spend} of spend, by {row['moves']} moves on {row['days_decided']} days."
        f"{sure}"
    )


def _revenue_columns(result: Backtest, policy: str) -> dict[str, float]:
    days = result.days.filter(policy=policy)
    sums = {name: float(days[name].sum()) for name in ("revenue_done", "spend_done")}
    difference = result.differences[policy]
    return sums | {
        "revenue_difference": difference.expected,
        "revenue_difference_low": difference.low,
        "revenue_difference_high": difference.high,
        "spend_difference": float(days["spend_estimate"].sum()) - sums["spend_done"],
        "moves": int(days["moves"].sum()),
        "days_stopped": days.filter(pl.col("stopped") != "").height,
    }


def _move_columns(moved: pl.DataFrame) -> dict[str, float | None]:
    stated, right = moved["stated"].to_numpy(), moved["right"].to_numpy()
    return {
        "moves_judged": moved.height,
        "right": _known(float(np.mean(right)) if right.size else math.nan),
        "stated": _known(float(np.mean(stated)) if stated.size else math.nan),
        "calibration_error": _known(calibration_error(stated, right)),
        "brier": _known(brier(stated, right)),
    }


def _forecast_columns(result: Backtest) -> dict[str, float | None]:
    columns: dict[str, float | None] = {}
    for metric in ("purchases", "value"):
        score = forecast_scores(result, metric)
        columns["forecasts"] = score.weeks
        columns |= {
            f"{metric}_covered80": _known(score.covered80),
            f"{metric}_covered95": _known(score.covered95),
            f"{metric}_bias": _known(score.bias),
            f"{metric}_error": _known(score.error),
        }
    return columns


def forecast_scores(result: Backtest, metric: str) -> ForecastScore:
    """How the forecasts of `metric` (purchases or value) did."""
    of = result.forecasts.filter(metric=metric)
    came, expected, low, high, low95, high95 = (
        of[name].to_numpy() for name in ("came", "expected", "low", "high", "low95", "high95")
    )
    return forecast_score(came, expected, (low, high), (low95, high95))


def _known(number: float) -> float | None:
    return None if math.isnan(number) else number


def _signed(amount: Decimal, currency: str) -> str:
    return ("-" if amount < 0 else "+") + show(abs(amount), currency)
