"""What was read when: the ledger of days per account and stream, kept beside the rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl

from zyenta_ads_pipeline.domain.ads import AdAccount
from zyenta_ads_pipeline.domain.time import DateRange, Tier, account_day
from zyenta_ads_pipeline.ingestion.completeness import Gap, gaps
from zyenta_ads_pipeline.ingestion.normalising import RESTATED_FOR_DAYS
from zyenta_ads_pipeline.ingestion.restatement import DayRead, due_depth
from zyenta_ads_pipeline.lake.lake import Lake, Scope, Snapshot
from zyenta_ads_pipeline.lake.tables import AD_ACCOUNTS, INSIGHT_READINGS, INSIGHT_READS

STREAM = "insights"
"""Days that are not broken down."""
EQUAL = "equal"
"""The ads of the day add up to the account's total."""
GAP = "gap"
"""They do not, and what lacks could not be found."""
RUNNING = "running"
"""The day was not over: its numbers grow between one call and the next."""


@dataclass(frozen=True)
class KnownDay(DayRead):
    """A day as the ledger has it: besides the moments, its proof and number of rows."""

    rows: int
    proof: str
    values: Mapping[str, Any]


def of_account(
    snapshot: Snapshot, account_id: str, stream: str, days: DateRange
) -> dict[date, KnownDay]:
    """The days of an account that were read before."""
    rows = (
        snapshot.scan(INSIGHT_READS)
        .filter(
            (pl.col("account_id") == account_id)
            & (pl.col("stream") == stream)
            & pl.col("date").is_between(days.since, days.until)
        )
        .collect()
    )
    return {
        row["date"]: KnownDay(row["read_at"], row["whole_at"], row["rows"], row["proof"], row)
        for row in rows.iter_rows(named=True)
    }


def read_rows(
    account: AdAccount,
    stream: str,
    days: Iterable[date],
    rows: Mapping[date, int],
    gaps: Mapping[date, Gap],
    run_id: str,
) -> pl.DataFrame:
    """Ledger rows of days that were read down to the ads at the account's `observed_at`.

    `rows` counts the rows of each day, `gaps` are those that are left.
    """
    return pl.DataFrame(
        [_row(account, stream, day, rows.get(day, 0), gaps.get(day), run_id) for day in days],
        schema=INSIGHT_READS.schema,
    )


def confirmed_rows(
    account: AdAccount, days: Iterable[date], known: Mapping[date, KnownDay], run_id: str
) -> pl.DataFrame:
    """Ledger rows of days whose totals were found as they are stored."""
    seen = {"read_at": account.observed_at, "run_id": run_id}
    return pl.DataFrame(
        [{**known[day].values, **seen, "age_days": _age(account, day)} for day in days],
        schema=INSIGHT_READS.schema,
    )


def unproved_rows(days: Iterable[date], known: Mapping[date, KnownDay]) -> pl.DataFrame:
    """The ledger rows of days that are about to be replaced: a run that dies in between leaves
    days that have to be read down to their ads again."""
    return pl.DataFrame(
        [{**known[day].values, "whole_at": None} for day in days], schema=INSIGHT_READS.schema
    )


def store(
    lake: Lake, account_id: str, stream: str, rows: pl.DataFrame, days: Collection[date]
) -> None:
    """Replace the ledger's rows of these days; nothing for no day.

    The ages at which days were read that are not broken down are kept in `insight_readings`.
    """
    if not days:
        return
    lake.write(INSIGHT_READS, rows, Scope([account_id], days, ("stream", stream)))
    readings = rows.filter(pl.col("whole_at").is_not_null()).select(INSIGHT_READINGS.schema.names())
    if stream == STREAM and readings.height:
        _keep_ages(lake, account_id, readings)


def _keep_ages(lake: Lake, account_id: str, readings: pl.DataFrame) -> None:
    """Add what is new to the ages at which days were read: one commit, or none."""

    def added(stored: pl.LazyFrame) -> tuple[pl.DataFrame, Scope] | None:
        before = stored.collect()
        new = readings.join(before, on=INSIGHT_READINGS.key, how="anti")
        if new.is_empty():
            return None
        days = new["date"].unique().to_list()
        kept = before.filter(pl.col("date").is_in(days))
        return pl.concat([kept, new]), Scope([account_id], days)

    lake.revise(INSIGHT_READINGS, Scope([account_id], readings["date"].to_list()), added)


def _row(
    account: AdAccount, stream: str, day: date, rows: int, gap: Gap | None, run_id: str
) -> dict[str, Any]:
    proof = RUNNING if _age(account, day) == 0 else GAP if gap else EQUAL
    return {
        "date": day,
        "account_id": account.id,
        "stream": stream,
        "read_at": account.observed_at,
        "whole_at": account.observed_at,
        "age_days": _age(account, day),
        "rows": rows,
        "proof": proof,
        "gap_impressions": gap.impressions if gap else 0,
        "gap_clicks": gap.clicks if gap else 0,
        "gap_spend": gap.spend if gap else 0,
        "gap_purchases": gap.purchases if gap else 0,
        "told": str(gap) if gap else None,
        "run_id": run_id,
    }


def _age(account: AdAccount, day: date) -> int:
    today = account_day(account.observed_at, account.timezone)
    return min(max((today - day).days, 0), RESTATED_FOR_DAYS)


def gap_days(
    snapshot: Snapshot, accounts: Collection[str], stream: str
) -> dict[str, dict[date, str]]:
    """The days of each account that were left with a gap when they were last read, in words."""
    rows = (
        snapshot.scan(INSIGHT_READS)
        .filter(
            pl.col("account_id").is_in(list(accounts))
            & (pl.col("stream") == stream)
            & (pl.col("proof") == GAP)
        )
        .select("account_id", "date", "told")
        .collect()
    )
    found: dict[str, dict[date, str]] = {}
    for account, day, told in rows.iter_rows():
        found.setdefault(account, {})[day] = told
    return found


def untrusted_days(snapshot: Snapshot, account_id: str, days: DateRange) -> dict[date, str]:
    """The complete days of an account that do not add up as stored, or whose last reading lacked
    fields, with what is wrong of each."""
    told = {
        day: words
        for day, words in gap_days(snapshot, [account_id], STREAM).get(account_id, {}).items()
        if day in days
    }
    for row in gaps(snapshot, [account_id], days).iter_rows(named=True):
        told.setdefault(row["date"], f"{row['date']}: its ads do not add up to its total")
    return dict(sorted(told.items()))


def due_days(
    snapshot: Snapshot,
    accounts: Collection[str],
    tiers: Sequence[Tier],
    now: datetime,
    unreadable: Collection[str] = (),
) -> int:
    """How many of the newest days are due to be read again, for the account that needs most.

    Those in `unreadable` would always need all their days, so they do not count. Where all of them
    are, the newest tier is due, so that an account that was mended is noticed.
    """
    readable = [account for account in accounts if account not in unreadable]
    if not readable:
        return tiers[0].days
    zones = dict(snapshot.scan(AD_ACCOUNTS).select("account_id", "timezone").collect().iter_rows())
    depth = 0
    for account in readable:
        today = account_day(now, zones.get(account, "UTC"))
        known = of_account(
            snapshot, account, STREAM, DateRange(today - timedelta(days=tiers[-1].days), today)
        )
        depth = max(depth, due_depth(today, known, tiers, now))
    return depth
