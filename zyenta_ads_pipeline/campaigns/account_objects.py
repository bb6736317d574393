"""An account and its campaigns as the lake last saw them, and which object holds a budget."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.lake.lake import Snapshot
from zyenta_ads_pipeline.lake.tables import AD_ACCOUNTS, AD_OBJECTS

GONE = ("ARCHIVED", "DELETED")
"""Effective statuses of what spends no more and cannot be changed."""

Row = Mapping[str, Any]
"""A row of `ad_accounts` or `ad_objects`, by column."""


def account_row(snapshot: Snapshot, account_id: str) -> dict[str, Any] | None:
    """The account's row of `ad_accounts`; None for one that was never read."""
    mine = snapshot.scan(AD_ACCOUNTS).filter(pl.col("account_id") == account_id).collect()
    return mine.row(0, named=True) if mine.height else None


def account_timezone(snapshot: Snapshot, account_id: str) -> str:
    """The time zone of an account the lake knows; `InputError` for another."""
    account = account_row(snapshot, account_id)
    if account is None:
        raise InputError(f"Account act_{account_id} is not in the lake yet.", "Sync it first.")
    return str(account["timezone"])


def account_objects(snapshot: Snapshot, account_id: str) -> list[dict[str, Any]]:
    """The account's rows of `ad_objects` by id, without those that are deleted."""
    mine = (pl.col("account_id") == account_id) & ~pl.col("is_deleted").fill_null(value=False)
    return snapshot.scan(AD_OBJECTS).filter(mine).sort("object_id").collect().to_dicts()


def campaigns_among(objects: Iterable[Row]) -> list[Row]:
    """The campaigns that are not archived or deleted."""
    return [
        thing
        for thing in objects
        if thing["level"] == Level.CAMPAIGN and thing["effective_status"] not in GONE
    ]


def budgeted_ad_sets(objects: Iterable[Row]) -> dict[str, list[Row]]:
    """The ad sets that are switched on and hold a daily budget of their own, by campaign."""
    found: dict[str, list[Row]] = defaultdict(list)
    for thing in objects:
        if thing["level"] == Level.ADSET and thing["status"] == "ACTIVE" and thing["daily_budget"]:
            found[thing["campaign_id"]].append(thing)
    return found


def current_minor(campaign: Row, ad_sets: Iterable[Row]) -> int | None:
    """The campaign's daily budget in minor units: its own, or else the sum of those of `ad_sets`,
    its budgeted ones."""
    if campaign["daily_budget"]:
        return int(campaign["daily_budget"])
    return sum(thing["daily_budget"] for thing in ad_sets) or None
