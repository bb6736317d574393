"""The moments at which a backtest decides: when each day had first been read after its end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import polars as pl

from zyenta_ads_pipeline.campaigns.history_days import readings_of
from zyenta_ads_pipeline.domain.time import DateRange, day_start
from zyenta_ads_pipeline.lake.lake import Snapshot

_READING_TAKES = timedelta(minutes=50)
"""A reading of a large account takes long, and the next one begins an hour later."""


@dataclass(frozen=True)
class Moment:
    """A day to decide on, and when; `at` is None where nobody could have decided in time."""

    day: date
    at: datetime | None
    why_not: str = ""


def decision_moments(
    snapshot: Snapshot, account_id: str, days: DateRange, timezone: str
) -> list[Moment]:
    """When a decision on each of `days` (the account's own) could have been taken.

    It is taken once the whole day had been read, for the day after. Where that reading came only
    after the day after, there is none: what was read later was not known then.
    """
    read = (
        readings_of(snapshot, account_id)
        .filter(pl.col("age_days") >= 1)
        .group_by("date")
        .agg(pl.col("read_at").min())
    )
    first: dict[date, datetime] = dict(read.iter_rows())
    return [_moment(day, first.get(day), timezone) for day in days.days()]


def _moment(day: date, read_at: datetime | None, timezone: str) -> Moment:
    if read_at is None:
        return Moment(day, None, "its whole day was never read")
    if read_at >= day_start(day + timedelta(days=2), timezone):
        return Moment(
            day, None, f"it was first read on {read_at:%Y-%m-%d}, after the day it would have set"
        )
    return Moment(day, read_at + _READING_TAKES)
