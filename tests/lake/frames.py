"""Small frames of the lake's own tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl

from zyenta_ads_pipeline.lake.schema import Table
from zyenta_ads_pipeline.lake.tables import AD_METRICS

DAY = date(2026, 11, 1)
SEEN = datetime(2026, 11, 5, 12, tzinfo=UTC)


def day(n: int) -> date:
    """The n-th day after the first."""
    return DAY + timedelta(days=n)


def frame(table: Table, rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """Rows of `table`; what they leave out is null."""
    empty = dict.fromkeys(table.schema.names())
    return pl.DataFrame([{**empty, **row} for row in rows], schema=table.schema)


def ads(
    days: Iterable[date], accounts: Iterable[str], count: int = 2, **values: Any
) -> pl.DataFrame:
    """`count` ads per day and account, each with the same numbers."""
    numbers = {"impressions": 100, "clicks": 5, "observed_at": SEEN, "currency": "EUR", **values}
    return frame(
        AD_METRICS,
        (
            {
                "date": each,
                "account_id": account,
                "campaign_id": "10",
                "adset_id": "20",
                "ad_id": str(30 + n),
                **numbers,
            }
            for each in days
            for account in accounts
            for n in range(count)
        ),
    )
