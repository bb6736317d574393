"""Daily partitions: a key is a date and means the ad account's own day."""

from __future__ import annotations

from datetime import date, timedelta

import dagster as dg

from zyenta_ads_pipeline.domain.time import DateRange

FIRST_DAY = date(2023, 10, 1)
"""The first day that can be stored: what Meta still had when the pipeline was born."""

DAYS = dg.DailyPartitionsDefinition(
    start_date=str(FIRST_DAY),
    # A zone ahead of all others, so that today exists as soon as it begins anywhere.
    timezone="Etc/GMT-14",
    end_offset=1,
)

RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"


def range_tags(days: DateRange) -> dict[str, str]:
    """The run tags that make one run cover all of `days`."""
    return {RANGE_START: str(days.since), RANGE_END: str(days.until)}


def days_of(context: dg.AssetExecutionContext) -> DateRange:
    """The days a run is asked to materialise."""
    window = context.partition_time_window
    return DateRange(window.start.date(), (window.end - timedelta(days=1)).date())
