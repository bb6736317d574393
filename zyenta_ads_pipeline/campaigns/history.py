"""From the lake to `AccountHistory`: what may be known of one account at a moment.

The one way policies, curves and backtests get at an account. On a snapshot of now it reads the
tables as they are; on `Snapshot.as_of(moment)` it gives what was known then: numbers before their
restatements, budgets before their changes, and the conversion lag as far as it had been learned.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl

from zyenta_ads_pipeline.campaigns.history_budgets import (
    GONE,
    LEVELS,
    budgets_of_ad_sets,
    budgets_of_campaigns,
    in_force,
    last_changes,
    states,
)
from zyenta_ads_pipeline.campaigns.history_days import first_spends, known_days
from zyenta_ads_pipeline.campaigns.rules import AccountRules, CampaignRules
from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.errors import NotDecidable
from zyenta_ads_pipeline.domain.money import offset, to_minor
from zyenta_ads_pipeline.domain.time import DateRange, account_day
from zyenta_ads_pipeline.lake.lake import Snapshot
from zyenta_ads_pipeline.lake.tables import AD_ACCOUNTS, AD_OBJECTS
from zyenta_ads_pipeline.optimizer.account import CAMPAIGNS, DAYS, AccountHistory

HISTORY_DAYS = 120
"""Days of numbers in a history: more than the curves are fitted to."""
_EARLIEST = date(2004, 1, 1)
"""Before any ad on Meta."""
_NO_RULES = CampaignRules()


def account_history(
    snapshot: Snapshot,
    account_id: str,
    rules: AccountRules,
    *,
    day: date | None = None,
    lag_readings: pl.DataFrame | None = None,
) -> AccountHistory:
    """The account as the snapshot knows it, with `day` as its last complete day (default: the day
    before the one it was last read on, or before the moment of an `as_of`).

    Campaigns that are archived or deleted are left out. `lag_readings` spares asking for them
    again where many moments are looked at (`history_days.readings_for_lag`). Raises
    `NotDecidable` for an account that was not read yet, or has no campaign by then.
    """
    account = _account(snapshot, account_id)
    known = states(snapshot, account_id, snapshot.known_at)
    objects = _objects(snapshot, account_id, known)
    campaigns = objects.filter(
        (pl.col("level") == Level.CAMPAIGN.value) & ~pl.col("effective_status").is_in(GONE)
    )
    if campaigns.is_empty():
        raise _unread(account_id, snapshot.known_at)
    last = account.day if day is None else day
    today = last + timedelta(days=1)
    rows = known_days(
        snapshot,
        account_id,
        DateRange(last - timedelta(days=HISTORY_DAYS - 1), today),
        account.timezone,
        ids=["campaign_id"],
        lag_readings=lag_readings,
    )
    budgets = budgets_of_campaigns(known, account.timezone)
    complete = rows.filter(
        (pl.col("date") <= last) & pl.col("campaign_id").is_in(campaigns["object_id"].implode())
    )
    return AccountHistory(
        account_id=account_id,
        currency=account.currency,
        day=last,
        campaigns=_with_rules(
            _today(campaigns, objects)
            .join(_running(snapshot, account_id, rows, last), on="campaign_id", how="left")
            .join(last_changes(budgets, today), on="campaign_id", how="left")
            .join(_committed(rows, today, account.currency), on="campaign_id", how="left"),
            rules,
            account.currency,
        ),
        days=in_force(complete, budgets, "campaign_id"),
        limits=rules.limits(account.currency, account.least_minor),
        window_days=rules.window_days,
    )


def campaign_days(snapshot: Snapshot, account_id: str) -> pl.DataFrame:
    """Every complete day of every campaign that the snapshot knows, archived ones included: the
    columns of `DAYS`, sorted. Raises `NotDecidable` for an account that was not read yet."""
    account = _account(snapshot, account_id)
    whole = DateRange(_EARLIEST, account.day)
    rows = known_days(snapshot, account_id, whole, account.timezone, ids=["campaign_id"])
    known = states(snapshot, account_id, snapshot.known_at)
    held = in_force(rows, budgets_of_campaigns(known, account.timezone), "campaign_id")
    return held.select(pl.col(name).cast(kind) for name, kind in DAYS.items())


def ad_set_days(snapshot: Snapshot, account_id: str, day: date) -> pl.DataFrame:
    """The days up to `day` of the account's ad sets: the columns of `DAYS` with the ad set's id as
    `campaign_id`, and `parent_id`, its campaign. `budget_minor` is the ad set's own. Sorted.

    Raises `NotDecidable` for an account that was not read yet.
    """
    account = _account(snapshot, account_id)
    rows = known_days(
        snapshot,
        account_id,
        DateRange(day - timedelta(days=HISTORY_DAYS - 1), day),
        account.timezone,
        ids=["campaign_id", "adset_id"],
    )
    budgets = budgets_of_ad_sets(states(snapshot, account_id, snapshot.known_at), account.timezone)
    held = in_force(rows.drop_nulls("adset_id"), budgets, "adset_id")
    return held.select(
        *(
            pl.col("adset_id" if name == "campaign_id" else name).cast(kind).alias(name)
            for name, kind in DAYS.items()
        ),
        parent_id=pl.col("campaign_id"),
    ).sort("campaign_id", "date")


@dataclass(frozen=True)
class _Account:
    """What is needed of an account's row; `day` is its last complete day."""

    currency: str
    timezone: str
    least_minor: int | None
    day: date


def _account(snapshot: Snapshot, account_id: str) -> _Account:
    mine = snapshot.scan(AD_ACCOUNTS).filter(pl.col("account_id") == account_id).collect()
    if mine.is_empty():
        raise _unread(account_id, None)
    row = mine.row(0, named=True)
    read_on = account_day(snapshot.known_at or row["observed_at"], row["timezone"])
    return _Account(
        row["currency"], row["timezone"], row["min_daily_budget"], read_on - timedelta(days=1)
    )


def _unread(account_id: str, known_at: datetime | None) -> NotDecidable:
    if known_at is None:
        return NotDecidable(f"act_{account_id} has not been read yet.", "Sync it first.")
    return NotDecidable(
        f"Nothing was known of the campaigns of act_{account_id} at {known_at:%Y-%m-%d %H:%M} UTC.",
        "Look at a later day: they are known from the first sync on.",
    )


def _objects(snapshot: Snapshot, account_id: str, known: pl.LazyFrame) -> pl.DataFrame:
    """Campaigns and ad sets that were not known to be deleted."""
    if snapshot.known_at is None:
        rows = snapshot.scan(AD_OBJECTS).filter(
            (pl.col("account_id") == account_id) & pl.col("level").is_in(LEVELS)
        )
    else:
        rows = known.filter(pl.col("valid_to").is_null())
    wanted = (
        "level", "object_id", "campaign_id", "name", "status", "effective_status", "daily_budget",
    )  # fmt: skip
    return rows.filter(~pl.col("is_deleted").fill_null(False)).select(wanted).collect()


def _today(campaigns: pl.DataFrame, objects: pl.DataFrame) -> pl.DataFrame:
    """campaign_id, name, active, current_minor."""
    sums = (
        objects.filter(
            (pl.col("level") == Level.ADSET.value)
            & (pl.col("status") == "ACTIVE")
            & (pl.col("daily_budget") > 0)
        )
        .group_by("campaign_id")
        .agg(of_sets=pl.col("daily_budget").sum())
    )
    own = campaigns.drop("campaign_id").rename({"object_id": "campaign_id"})
    return own.join(sums, on="campaign_id", how="left").select(
        "campaign_id",
        pl.col("name").fill_null(pl.col("campaign_id")),
        active=(pl.col("effective_status") == "ACTIVE").fill_null(False),
        current_minor=pl.when(pl.col("daily_budget") > 0).then("daily_budget").otherwise("of_sets"),
    )


def _running(snapshot: Snapshot, account_id: str, rows: pl.DataFrame, last: date) -> pl.DataFrame:
    """campaign_id, days_running: days from the first spend to `last`, both counted."""
    known = rows.filter((pl.col("spend") > 0) & (pl.col("date") <= last))
    here = known.select("campaign_id", first_spend="date")
    spent = pl.concat([here, first_spends(snapshot, account_id, last)])
    return spent.group_by("campaign_id").agg(
        days_running=(pl.lit(last) - pl.col("first_spend").min()).dt.total_days() + 1
    )


def _committed(rows: pl.DataFrame, today: date, currency: str) -> pl.DataFrame:
    """campaign_id, committed_week_minor: spent since the Sunday on or before `today`, today's own
    spend as far as it is known included."""
    sunday = today - timedelta(days=today.isoweekday() % 7)
    week = rows.filter(pl.col("date").is_between(sunday, today))
    minor = (pl.col("spend").sum() * offset(currency)).round(0).cast(pl.Int64)
    return week.group_by("campaign_id").agg(committed_week_minor=minor)


def _with_rules(campaigns: pl.DataFrame, rules: AccountRules, currency: str) -> pl.DataFrame:
    """The columns of `CAMPAIGNS`, with a person's own rules for campaigns."""
    own = pl.DataFrame(
        [_rule(name, rule, currency) for name, rule in sorted(rules.campaigns.items())],
        schema={name: CAMPAIGNS[name] for name in _rule("", _NO_RULES, currency)},
    )
    counts = ("days_running", "committed_week_minor")
    return campaigns.join(own, on="campaign_id", how="left").with_columns(
        pl.col("locked").fill_null(False), pl.col(counts).fill_null(0)
    )


def _rule(campaign_id: str, rule: CampaignRules, currency: str) -> Mapping[str, Any]:
    return {
        "campaign_id": campaign_id,
        "floor_minor": None if rule.floor is None else to_minor(rule.floor, currency),
        "cap_minor": None if rule.cap is None else to_minor(rule.cap, currency),
        "locked": rule.locked,
        "group": rule.group,
    }
