"""What each campaign spent and sold in the days that a policy on a window looks at."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from zyenta_ads_pipeline.optimizer.account import AMOUNT, AccountHistory

SUMS = ("spend", "conversions", "revenue")


def window_sums(account: AccountHistory) -> pl.DataFrame:
    """The campaigns, in the order of their ids, with `spend`, `conversions` and `revenue` of the
    last `window_days` days up to the account's last complete one: exact sums of what is reported
    so far, in major units; 0 without delivery."""
    first = account.day - timedelta(days=account.window_days - 1)
    sums = (
        account.days.filter(pl.col("date") >= first)
        .group_by("campaign_id")
        .agg(pl.col(name).sum().cast(AMOUNT) for name in SUMS)
    )
    return (
        account.campaigns.join(sums, on="campaign_id", how="left")
        .with_columns(pl.col(name).fill_null(0).cast(AMOUNT) for name in SUMS)
        .sort("campaign_id")
    )
