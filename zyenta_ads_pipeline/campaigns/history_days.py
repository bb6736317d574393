"""The daily numbers of an account's campaigns and ad sets as a snapshot knows them.

A snapshot of now gives the metric tables. One as of an earlier moment is asked anew from
`raw_insights`, and its conversion lag is learned from what had been read by then, so that nothing
of what was learned later gets in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl

from zyenta_ads_pipeline.domain.time import DateRange, account_day
from zyenta_ads_pipeline.lake.lake import Snapshot
from zyenta_ads_pipeline.lake.models import model
from zyenta_ads_pipeline.lake.tables import ADSET_METRICS, CAMPAIGN_METRICS, INSIGHT_READINGS
from zyenta_ads_pipeline.metrics.lag import ASSUMED, OLDEST, lag_curve
from zyenta_ads_pipeline.optimizer.account import AMOUNT

LAG_LEARNED_FROM_DAYS = 90
"""As the asset `conversion_lag` learns it."""
_LEAST_MATURITY = 0.01
"""A share of zero would say that nothing can be learned from a day, which its spend denies."""
_SUMS = ("impressions", "clicks", "spend", "conversions", "revenue")


def known_days(
    snapshot: Snapshot,
    account_id: str,
    days: DateRange,
    timezone: str,
    *,
    ids: Sequence[str],
    lag_readings: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """The `days` by `ids` (campaign_id, or campaign_id and adset_id): `ids`, date,
    impressions, clicks, spend, conversions, revenue, maturity.

    `lag_readings` are the answer of `readings_for_lag`, where somebody asked already.
    """
    if snapshot.known_at is None:
        return _stored(snapshot, account_id, days, ids)
    moment = snapshot.known_at
    rows = snapshot.query(
        model("known_days"), {"account": account_id, "since": days.since, "until": days.until}
    )
    if lag_readings is None:
        lag_readings = readings_for_lag(snapshot, account_id, account_day(moment, timezone))
    lag = completeness(lag_readings, account_id, account_day(moment, timezone))
    aged = _with_age(rows, snapshot, account_id, moment, timezone)
    return (
        aged.join(lag, on="age_days", how="left")
        .group_by(*ids, "date", maintain_order=True)
        .agg(pl.col(_SUMS).sum(), maturity=pl.col("completeness").min())
        .select(*ids, "date", *_typed(), _maturity())
    )


def readings_for_lag(snapshot: Snapshot, account_id: str, since: date) -> pl.DataFrame:
    """What was known of each day at each age, of the days that count for the lag on `since` or
    later. Rows of ages that lie after a moment are the business of `completeness`."""
    first = since - timedelta(days=LAG_LEARNED_FROM_DAYS)
    found = snapshot.query(model("conversion_lag"), {"since": first})
    return found.filter(pl.col("account_id") == account_id)


def completeness(readings: pl.DataFrame, account_id: str, today: date) -> pl.DataFrame:
    """age_days, completeness: the share of a day's purchases reported by the end of each age, as
    it could be learned on the account's day `today`."""
    age = pl.duration(days=pl.col("age_days"))
    then = readings.filter(
        (pl.col("date") + age < today)
        & (pl.col("date") >= today - timedelta(days=LAG_LEARNED_FROM_DAYS))
    )
    learned = lag_curve(then).filter(pl.col("account_id") == account_id)
    if learned.height:
        return learned.select("age_days", "completeness")
    shares = [ASSUMED[min(age, len(ASSUMED) - 1)] for age in range(OLDEST + 1)]
    return pl.DataFrame(
        {"age_days": list(range(OLDEST + 1)), "completeness": shares},
        schema={"age_days": pl.Int64, "completeness": pl.Float64},
    )


def first_spends(snapshot: Snapshot, account_id: str, until: date) -> pl.DataFrame:
    """campaign_id, first_spend: the first day up to `until` on which each campaign spent anything.

    From the metric tables also as of a moment: that a campaign had begun by then is no news.
    """
    spent = (pl.col("account_id") == account_id) & (pl.col("date") <= until) & (pl.col("spend") > 0)
    rows = snapshot.scan(CAMPAIGN_METRICS).filter(spent)
    return rows.group_by("campaign_id").agg(first_spend=pl.col("date").min()).collect()


def readings_of(snapshot: Snapshot, account_id: str) -> pl.DataFrame:
    """date, age_days, read_at: when each day of the account was first read at each age."""
    mine = snapshot.scan(INSIGHT_READINGS).filter(pl.col("account_id") == account_id)
    return mine.select("date", "age_days", "read_at").collect()


def _stored(
    snapshot: Snapshot, account_id: str, days: DateRange, ids: Sequence[str]
) -> pl.DataFrame:
    table = ADSET_METRICS if "adset_id" in ids else CAMPAIGN_METRICS
    mine = (pl.col("account_id") == account_id) & pl.col("date").is_between(days.since, days.until)
    rows = snapshot.scan(table).filter(mine)
    renamed = rows.rename({"purchases": "conversions", "purchase_value": "revenue"})
    return renamed.select(*ids, "date", *_typed(), _maturity()).collect()


def _typed() -> list[pl.Expr]:
    kinds: Mapping[str, Any] = {"impressions": pl.Int64, "clicks": pl.Int64}
    return [pl.col(name).fill_null(0).cast(kinds.get(name, AMOUNT)) for name in _SUMS]


def _maturity() -> pl.Expr:
    return pl.col("maturity").fill_null(1.0).clip(_LEAST_MATURITY, 1.0)


def _with_age(
    rows: pl.DataFrame, snapshot: Snapshot, account_id: str, moment: datetime, timezone: str
) -> pl.DataFrame:
    """`rows` with the age at which each day had last been read by the moment.

    The view knows the last reading only, and takes it to be at the moment; the readings by age say
    when somebody really looked. A row that was first seen later than those has been read, too.
    """
    read = (
        readings_of(snapshot, account_id)
        .filter(pl.col("read_at") <= moment)
        .group_by("date")
        .agg(read_age=pl.col("age_days").max())
    )
    seen_on = pl.col("observed_at").dt.convert_time_zone(timezone).dt.date()
    seen_age = (seen_on - pl.col("date")).dt.total_days().clip(0, OLDEST)
    return rows.join(read, on="date", how="left", maintain_order="left").with_columns(
        age_days=pl.when(pl.col("read_age").is_not_null())
        .then(pl.max_horizontal("read_age", seen_age.max().over("date")))
        .otherwise("age_days")
    )
