"""What is stored of one account's insights already: what a reading is compared with."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

import polars as pl

from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.time import DateRange
from zyenta_ads_pipeline.ingestion.objects import ad_ids_of
from zyenta_ads_pipeline.lake.lake import Snapshot
from zyenta_ads_pipeline.lake.tables import RAW_INSIGHTS

TOTALS = (Level.ACCOUNT, Level.CAMPAIGN)
"""The levels whose rows tell whether a day has moved."""


class Stored:
    """The rows of `raw_insights` of one account, as of a snapshot."""

    def __init__(self, snapshot: Snapshot, account_id: str) -> None:
        self._snapshot = snapshot
        self._account_id = account_id

    def totals(self, days: DateRange) -> pl.DataFrame:
        """Keys, impressions and content hashes of the totals' rows of these days."""
        levels = pl.col("level").is_in([level.value for level in TOTALS])
        inside = pl.col("date").is_between(days.since, days.until)
        wanted = ["date", "level", "object_id", "impressions", "content_hash"]
        return self._scan().filter(levels & inside).select(wanted).collect()

    def rows(self, days: Collection[date]) -> pl.DataFrame:
        """All rows of these days."""
        return self._scan().filter(pl.col("date").is_in(list(days))).collect()

    def ids(self, level: Level) -> list[str]:
        """The ids of a level that were ever seen."""
        if level is Level.AD:
            return sorted(ad_ids_of(self._snapshot, self._account_id))
        seen = self._scan().filter(pl.col("level") == level.value)
        return seen.select(pl.col("object_id").unique().sort()).collect()["object_id"].to_list()

    def _scan(self) -> pl.LazyFrame:
        return self._snapshot.scan(RAW_INSIGHTS).filter(pl.col("account_id") == self._account_id)


def emptied_days(stored: pl.DataFrame, totals: pl.DataFrame) -> set[date]:
    """Days of which a row of delivery is stored and no row at all was read."""
    delivered = stored.filter(pl.col("impressions").cast(pl.Float64, strict=False) > 0)
    return set(delivered["date"]) - set(totals["date"])
