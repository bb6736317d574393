"""Whether an account's ads add up to what Meta reports for the account as a whole."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from zyenta_ads_pipeline.domain.ads import PURCHASE_TYPES
from zyenta_ads_pipeline.domain.time import DateRange
from zyenta_ads_pipeline.lake.lake import Snapshot
from zyenta_ads_pipeline.lake.models import model

LEAST_AGREEMENT = 0.5
"""Share of the most frequent purchase type that the counted one must reach."""


def other_purchase_type(snapshot: Snapshot, account: str, days: DateRange) -> str | None:
    """The type by which the account reports most of its purchases in `days`, if the one that is
    counted has missed more than half of them; else None."""
    named = snapshot.query(
        model("checks/purchase_type_agrees"),
        {
            "since": days.since,
            "until": days.until,
            "accounts": [account],
            "types": list(PURCHASE_TYPES),
        },
    ).sort("by_other_type", descending=True)
    if named.is_empty():
        return None
    most = named.row(0, named=True)
    missed = float(most["counted"]) < LEAST_AGREEMENT * float(most["by_other_type"])
    return str(most["other_type"]) if missed else None


def gaps(snapshot: Snapshot, accounts: Sequence[str], days: DateRange | None) -> pl.DataFrame:
    """The complete days of `accounts` on which ads and total differ, with both sums.

    All stored days when `days` is None. Today is left out: its numbers grow between one call and
    the next.
    """
    return snapshot.query(
        model("checks/ad_sums_equal_account_totals"),
        {
            "since": days.since if days else None,
            "until": days.until if days else None,
            "accounts": list(accounts),
        },
    )
