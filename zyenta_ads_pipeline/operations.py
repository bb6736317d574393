"""What the commands do with the pipeline: run jobs, list and settle changes, tell the result."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime

import polars as pl
from rich.console import Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from zyenta_ads_pipeline.domain.change import ChangeField, ChangeState
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.domain.money import show, to_major
from zyenta_ads_pipeline.domain.time import HISTORY_MONTHS, DateRange
from zyenta_ads_pipeline.ingestion.insights import check_history
from zyenta_ads_pipeline.lake.tables import ACCOUNT_METRICS
from zyenta_ads_pipeline.metrics.definitions import SUMS, with_ratios
from zyenta_ads_pipeline.partitions import DAYS, FIRST_DAY
from zyenta_ads_pipeline.resources import LakeResource, connect_meta, outbox_of
from zyenta_ads_pipeline.runs import instance_of, publish_views, run_days, run_push
from zyenta_ads_pipeline.schedules import restated_days
from zyenta_ads_pipeline.settings import Settings
from zyenta_ads_pipeline.store.records import ChangeRecord


def sync_days(settings: Settings, accounts: Sequence[str], days: DateRange) -> RenderableType:
    """Sync a range through Dagster; returns a summary per account to print."""
    check_stored_range(days)
    asyncio.run(_accounts_answer(settings, accounts, days))
    with instance_of(settings) as instance:
        run_days("sync", instance, accounts, days)
    publish_views(LakeResource())
    return _summary(accounts, days)


def run_hour(settings: Settings, accounts: Sequence[str]) -> RenderableType:
    """The hourly lineage once; returns the decisions' changes to print."""
    days = restated_days(settings.restatement_days)
    asyncio.run(_accounts_answer(settings, accounts, days))
    with instance_of(settings) as instance:
        run_days("hourly", instance, accounts, days)
    publish_views(LakeResource())
    return Group(_summary(accounts, days), list_changes(settings, accounts, [ChangeState.PROPOSED]))


def push_approved(settings: Settings, account: str) -> RenderableType:
    """Push one account's approved changes; returns the report."""
    with instance_of(settings) as instance:
        finished = run_push(instance, account)
    return Text(str(finished.metadata["live_on_meta"]["report"]).strip("`\n"))


def list_changes(
    settings: Settings, accounts: Collection[str], states: Collection[ChangeState]
) -> RenderableType:
    """The changes in the outbox as a table, newest first."""
    with outbox_of(settings) as outbox:
        records = [
            record
            for record in outbox.find(states=states, newest_first=True)
            if not accounts or record.change.account_id in accounts
        ]
    if not records:
        return Text("No changes.")
    shown = RichTable(title="Changes")
    for heading in ("id", "state", "object", "change", "confidence", "reason"):
        shown.add_column(heading, overflow="fold")
    for record in records:
        shown.add_row(
            record.id,
            record.state.value,
            record.change.object_name or record.change.object_id,
            change_in_words(record),
            f"{record.change.confidence:.0%}",
            record.change.reason,
        )
    return shown


def approve_changes(settings: Settings, ids: Collection[str], by: str) -> RenderableType:
    """PROPOSED to APPROVED, all or none."""
    with outbox_of(settings) as outbox:
        records = outbox.approve(ids, actor=by, now=datetime.now(UTC))
    return Text(f"{len(records)} approved. The push sensor writes them, or `zyenta push` now.")


def reject_changes(
    settings: Settings, ids: Collection[str], by: str, reason: str
) -> RenderableType:
    """To REJECTED, all or none."""
    with outbox_of(settings) as outbox:
        records = outbox.reject(ids, actor=by, now=datetime.now(UTC), reason=reason)
    return Text(f"{len(records)} rejected.")


def change_in_words(record: ChangeRecord) -> str:
    """`daily budget $20.00 → $24.00`, or `ACTIVE → PAUSED`."""
    change = record.change
    if change.field is ChangeField.STATUS:
        return f"{change.old_value} → {change.new_value}"
    old, new = (
        show(to_major(int(value), change.currency), change.currency)
        for value in (change.old_value, change.new_value)
    )
    return f"daily budget {old} → {new}"


def check_stored_range(days: DateRange) -> None:
    """Raise `InputError` for days that have no partition: before the first, after today."""
    last = date.fromisoformat(DAYS.get_last_partition_key() or "")
    if days.until > last:
        raise InputError(f"{days.until} has not come yet.", f"End at {last} or earlier.")
    if days.since < FIRST_DAY:
        raise InputError(
            f"{days.since} is older than the {HISTORY_MONTHS} months of insights that Meta keeps.",
            f"Start at {FIRST_DAY} or later.",
        )


async def _accounts_answer(settings: Settings, accounts: Sequence[str], days: DateRange) -> None:
    """Raise what is wrong with token, account or range before a run is started for it."""
    async with connect_meta(settings) as platform:
        for account in accounts:
            check_history(days, await platform.account(account))


def _summary(accounts: Sequence[str], days: DateRange) -> RenderableType:
    inside = pl.col("account_id").is_in(list(accounts)) & pl.col("date").is_between(
        days.since, days.until
    )
    stored = LakeResource().open().snapshot().scan(ACCOUNT_METRICS).filter(inside)
    sums = stored.group_by("account_id").agg(
        pl.col("currency").first(), pl.len().alias("days"), pl.col(SUMS).sum()
    )
    rows = with_ratios(sums.sort("account_id").collect())
    shown = RichTable(title=f"{days.since} to {days.until}")
    for heading in (
        "account",
        "days",
        "impressions",
        "clicks",
        "spend",
        "purchases",
        "value",
        "ROAS",
    ):
        shown.add_column(heading, justify="right", overflow="fold")
    for row in rows.iter_rows(named=True):
        shown.add_row(
            f"act_{row['account_id']}",
            f"{row['days']}",
            f"{row['impressions']:,}",
            f"{row['clicks']:,}",
            show(row["spend"], row["currency"]),
            f"{row['purchases'].normalize():f}",
            show(row["purchase_value"], row["currency"]),
            "" if row["roas"] is None else f"{row['roas']:.2f}",
        )
    for account in sorted(set(accounts) - set(rows["account_id"])):
        shown.add_row(f"act_{account}", "0", *[""] * 6)
    return shown
