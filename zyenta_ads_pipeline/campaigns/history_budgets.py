"""The daily budgets that were in force: by campaign and account day, from the objects' history.

A budget counts for the account day at whose end it was in force. Where the ad sets hold the
budgets, a campaign's is the sum of those that were switched on. Objects are known from the moment
they were first read, so days before that have no budget here.
"""

from __future__ import annotations

from datetime import date, datetime

import polars as pl

from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.lake.lake import Snapshot
from zyenta_ads_pipeline.lake.tables import AD_OBJECT_HISTORY

GONE = ("ARCHIVED", "DELETED", "GONE")
"""Effective statuses of what runs no more."""
LEVELS = (Level.CAMPAIGN.value, Level.ADSET.value)


def states(snapshot: Snapshot, account_id: str, until: datetime | None) -> pl.LazyFrame:
    """The states of an account's campaigns and ad sets in `ad_object_history`; those that began by
    `until` (aware), where given, with ends after it taken back."""
    mine = snapshot.scan(AD_OBJECT_HISTORY).filter(
        (pl.col("account_id") == account_id) & pl.col("level").is_in(LEVELS)
    )
    if until is None:
        return mine
    open_yet = pl.col("valid_to") > until
    return mine.filter(pl.col("valid_from") <= until).with_columns(
        valid_to=pl.when(~open_yet).then("valid_to")
    )


def budgets_of_campaigns(known: pl.LazyFrame, timezone: str) -> pl.DataFrame:
    """campaign_id, date, budget_minor: a row for each account day at whose end the campaign's
    budget was not what it was the day before. `known` are `states`; null: there was none."""
    ad_sets = known.filter(pl.col("level") == Level.ADSET.value)
    own = known.filter(pl.col("level") == Level.CAMPAIGN.value)
    switched_on = (pl.col("status") == "ACTIVE") & ~pl.col("is_deleted").fill_null(False)
    steps = pl.concat(
        [
            _steps(own, pl.col("object_id"), timezone).with_columns(sets=pl.lit(0, pl.Int64)),
            _steps(ad_sets.filter(switched_on), pl.col("campaign_id"), timezone)
            .rename({"own": "sets"})
            .with_columns(own=pl.lit(0, pl.Int64))
            .select("holder", "date", "own", "sets"),
        ]
    )
    return _levels(steps, pl.when(pl.col("own") > 0).then("own").otherwise("sets")).rename(
        {"holder": "campaign_id"}
    )


def budgets_of_ad_sets(known: pl.LazyFrame, timezone: str) -> pl.DataFrame:
    """The same for ad sets' own budgets: adset_id, date, budget_minor."""
    ad_sets = known.filter(
        (pl.col("level") == Level.ADSET.value) & ~pl.col("is_deleted").fill_null(False)
    )
    steps = _steps(ad_sets, pl.col("object_id"), timezone)
    return _levels(steps, pl.col("own")).rename({"holder": "adset_id"})


def in_force(days: pl.DataFrame, budgets: pl.DataFrame, key: str) -> pl.DataFrame:
    """`days` with `budget_minor` of the day; null before the first budget known. Sorted by key
    and date."""
    return (
        days.sort("date")
        .join_asof(
            budgets.sort("date"), on="date", by=key, strategy="backward", check_sortedness=False
        )
        .sort(key, "date")
    )


def last_changes(budgets: pl.DataFrame, until: date) -> pl.DataFrame:
    """campaign_id, last_change_day, last_change (new / old - 1): the last day up to `until` at
    whose end a campaign had another budget than the day before."""
    moved = (
        budgets.sort("campaign_id", "date")
        .with_columns(old=pl.col("budget_minor").shift(1).over("campaign_id"))
        .filter(
            (pl.col("date") <= until)
            & (pl.col("old") > 0)
            & (pl.col("budget_minor") > 0)
            & (pl.col("old") != pl.col("budget_minor"))
        )
    )
    return moved.group_by("campaign_id", maintain_order=True).agg(
        last_change_day=pl.col("date").last(),
        last_change=(pl.col("budget_minor").last() / pl.col("old").last() - 1),
    )


def _steps(rows: pl.LazyFrame, holder: pl.Expr, timezone: str) -> pl.LazyFrame:
    """By how much each holder's budget moved on each account day: holder, date, own."""
    held = rows.filter(pl.col("daily_budget") > 0).select(
        holder.alias("holder"), "daily_budget", "valid_from", "valid_to"
    )

    def moves(moment: str, amount: pl.Expr) -> pl.LazyFrame:
        day = pl.col(moment).dt.convert_time_zone(timezone).dt.date()
        return held.drop_nulls(moment).select("holder", date=day, own=amount)

    begun = moves("valid_from", pl.col("daily_budget"))
    return pl.concat([begun, moves("valid_to", -pl.col("daily_budget"))])


def _levels(steps: pl.LazyFrame, budget: pl.Expr) -> pl.DataFrame:
    """The budget at the end of each day on which a step lies, from the steps' running sums."""
    sums = steps.group_by("holder", "date").agg(pl.all().sum()).sort("holder", "date")
    running = [name for name in sums.collect_schema().names() if name not in ("holder", "date")]
    return (
        sums.with_columns(pl.col(running).cum_sum().over("holder"))
        .select("holder", "date", budget_minor=budget)
        .with_columns(budget_minor=pl.when(pl.col("budget_minor") > 0).then("budget_minor"))
        .collect()
    )
