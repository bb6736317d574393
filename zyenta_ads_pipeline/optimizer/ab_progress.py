"""A creative test as it went: each arm's rate up to each day, for a plot."""

from __future__ import annotations

from datetime import date

import polars as pl

from zyenta_ads_pipeline.domain.orders import ORDER_VARIATION
from zyenta_ads_pipeline.optimizer.ab_plan import CreativeTest, Metric

_Z80 = 1.2815515655446004
_PROGRESS = pl.Schema(
    {
        "date": pl.Date,
        "arm": pl.String,
        "rate": pl.Float64,
        "low": pl.Float64,
        "high": pl.Float64,
    }
)


def progress(test: CreativeTest, days: pl.DataFrame, day: date) -> pl.DataFrame:
    """date, arm, rate, low, high: the rate of each arm from the test's first day to that date.

    `days` has the columns of `ARM_DAYS`; days after `day` are left out. `rate` is the test's metric
    per impression; 80 % of what its counts may mean lie between low and high, of this one arm and
    look: arms are told apart by `verdicts`, not by whether their bands overlap. Null before an arm
    was shown.
    """
    revenue = test.metric is Metric.REVENUE_PER_IMPRESSION
    last = min(day, test.last_day or day)
    frames = [pl.DataFrame(schema=_PROGRESS)]
    for arm in test.arms:
        rows = days.filter(
            (pl.col("arm") == arm) & pl.col("date").is_between(test.started, last)
        ).sort("date")
        counts = pl.col("conversions").cast(pl.Float64).cum_sum().clip(lower_bound=0)
        sums = pl.col("revenue" if revenue else "conversions").cast(pl.Float64).cum_sum()
        shown = pl.col("impressions").cum_sum()
        noise = 1 + ORDER_VARIATION if revenue else 1.0
        width = (_Z80 * (noise / (counts + 0.5)).sqrt()).exp()
        rate = pl.when(shown > 0).then(sums.clip(lower_bound=0) / shown)
        frames.append(
            rows.select(
                "date",
                pl.lit(arm).alias("arm"),
                rate.alias("rate"),
                (rate / width).alias("low"),
                (rate * width).alias("high"),
            ).cast(_PROGRESS)
        )
    return pl.concat(frames)
