"""Playing a file of ad days: the numbers are the file's own, to the digit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.sandbox.call import Call
from zyenta_ads_pipeline.sandbox.facts import Facts
from zyenta_ads_pipeline.sandbox.insights_query import InsightsQuery
from zyenta_ads_pipeline.sandbox.late_arrivals import arrived
from zyenta_ads_pipeline.sandbox.objects import Objects, Thing
from zyenta_ads_pipeline.sandbox.replay_checks import ReplayChecks
from zyenta_ads_pipeline.sandbox.replay_file import content_hash, read_table
from zyenta_ads_pipeline.sandbox.synthesis import AccountTraits, synthesise


class Replay:
    """A source of recorded ad days. Reach is not known; days ahead of the clock are not shown.

    While `restating`, conversions become known late, as Meta's do.
    """

    name = "replay"
    warnings: Sequence[str] = ()
    restating = False

    def __init__(self, path: Path, now: datetime) -> None:
        """Read and check the file; `now` is real time. Raises `InputError`."""
        self.identity: Mapping[str, Any] = {
            "source": self.name,
            "file": path.name,
            "sha256": content_hash(path),
        }
        rows = read_table(path)
        rows = rows.with_columns(pl.col("account_id").str.strip_prefix("act_"))
        ReplayChecks(path, rows).all(now)
        self._rows = rows.with_columns(
            pl.col("date").str.to_date("%Y-%m-%d"),
            pl.col("impressions", "clicks").cast(pl.Int64),
        )
        self._facts = Facts(
            self._rows.drop("currency", "timezone", "campaign_name"), version="replay"
        )
        self._late: Facts | None = None
        self._timezones = dict(self._rows.select("account_id", "timezone").unique().iter_rows())

    def things(self) -> list[Thing]:
        """The objects that the rows name, made up where the rows do not tell."""
        accounts = {
            row["account_id"]: AccountTraits(
                f"Replay {row['account_id']}", row["currency"], row["timezone"]
            )
            for row in self._rows.unique("account_id", maintain_order=True).iter_rows(named=True)
        }
        latest = self._rows.sort("date").unique("campaign_id", keep="last", maintain_order=True)
        names = {
            (Level.CAMPAIGN, row["campaign_id"]): row["campaign_name"]
            for row in latest.iter_rows(named=True)
        }
        return synthesise(self._rows, accounts, names)

    def facts(self, now: datetime) -> Facts:
        """The file's rows; while `restating`, as they were known at the hour of `now`."""
        if not self.restating:
            return self._facts
        version = f"replay:{int(now.timestamp()) // 3600}"
        if self._late is None or self._late.version != version:
            moment = now.replace(minute=0, second=0, microsecond=0)
            frame = arrived(self._facts.frame, self._timezones, moment)
            self._late = Facts(frame, version=version)
        return self._late

    def saved_page(
        self, query: InsightsQuery, call: Call, objects: Objects
    ) -> dict[str, Any] | None:
        """Ad days are not pages."""
        return None
