"""What the commands do with the pipeline: run jobs, list and settle changes, tell the result."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date

import polars as pl
from rich.console import Group, RenderableType
from rich.text import Text

from zyenta_ads_pipeline.account_rules import may_write
from zyenta_ads_pipeline.change_desk import list_changes
from zyenta_ads_pipeline.connections import AccountPlatforms, outbox_of
from zyenta_ads_pipeline.domain.change import ChangeState
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.domain.money import plain, show
from zyenta_ads_pipeline.domain.time import HISTORY_MONTHS, DateRange
from zyenta_ads_pipeline.ingestion.insights import check_history, gather_accounts
from zyenta_ads_pipeline.jobs import wishes
from zyenta_ads_pipeline.lake.tables import ACCOUNT_METRICS
from zyenta_ads_pipeline.metrics.definitions import SUMS, with_ratios
from zyenta_ads_pipeline.partitions import DAYS, FIRST_DAY
from zyenta_ads_pipeline.resources import LakeResource
from zyenta_ads_pipeline.runs import Finished, instance_of, run_days, run_push
from zyenta_ads_pipeline.schedules import newest_days
from zyenta_ads_pipeline.settings import Settings
from zyenta_ads_pipeline.showing import add, table

_OPEN = (ChangeState.PROPOSED, ChangeState.APPROVED)


def sync_days(
    settings: Settings,
    accounts: Sequence[str],
    days: DateRange,
    *,
    whole: bool = False,
    breakdowns: bool = False,
) -> RenderableType:
    """Sync a range through Dagster; returns a summary per account to print.

    `whole` reads every day down to its ads, also where its totals are unchanged; `breakdowns`
    reads those that the settings name as well.
    """
    check_stored_range(days)
    asyncio.run(_accounts_answer(settings, accounts, days))
    with instance_of(settings) as instance:
        finished = [run_days("sync", instance, accounts, days, whole=whole)]
        if breakdowns and settings.breakdowns:
            only = [f"insights_{name}" for name in settings.breakdowns]
            finished.append(
                run_days("breakdowns", instance, accounts, days, whole=whole, only=only)
            )
    return Group(_summary(accounts, days), *map(_calls, finished))


def run_hour(settings: Settings, accounts: Sequence[str]) -> RenderableType:
    """The hourly lineage once; returns the decisions' changes to print."""
    days = newest_days(settings.restatement_days)
    asyncio.run(_accounts_answer(settings, accounts, days))
    with instance_of(settings) as instance:
        finished = run_days("hourly", instance, accounts, days)
    changes = list_changes(settings, accounts, _OPEN)
    return Group(_summary(accounts, days), _calls(finished), changes)


def push_approved(settings: Settings, account: str) -> RenderableType:
    """Push one account's approved changes; returns the report.

    While only watching, refused unless there is something that a person asked for by hand.
    """
    with outbox_of(settings) as outbox:
        if not wishes(outbox, account):
            may_write(settings, account)
    with instance_of(settings) as instance:
        finished = run_push(instance, account)
    return Text(str(finished.metadata["live_on_meta"]["report"]).strip("`\n"))


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
    """Raise what is wrong with token, account or range before a run is started in vain.

    As long as one account is well the run is worth it, and its check tells of the others.
    """

    async def look(platforms: AccountPlatforms, account: str) -> None:
        platform = await platforms.of(account)
        check_history(days, await platform.account(account))

    async with AccountPlatforms(settings) as platforms:
        looked = await gather_accounts(accounts, lambda account: look(platforms, account))
    if not looked.results:
        looked.raise_failures()


def _calls(finished: Finished) -> Text:
    """How many calls to Meta the run took, and what for."""
    by_asset = {
        name: told["calls"] for name, told in finished.metadata.items() if told.get("calls")
    }
    listed = ", ".join(f"{name} {calls}" for name, calls in by_asset.items())
    return Text(f"{sum(by_asset.values())} calls to Meta: {listed or 'none'}.", style="dim")


def _summary(accounts: Sequence[str], days: DateRange) -> RenderableType:
    inside = pl.col("account_id").is_in(list(accounts)) & pl.col("date").is_between(
        days.since, days.until
    )
    stored = LakeResource().open().snapshot().scan(ACCOUNT_METRICS).filter(inside)
    sums = stored.group_by("account_id").agg(
        pl.col("currency").first(), pl.len().alias("days"), pl.col(SUMS).sum()
    )
    rows = with_ratios(sums.sort("account_id").collect())
    shown = table(
        f"{days.since} to {days.until}",
        (
            "account",
            "days",
            "impressions",
            "clicks",
            "spend",
            "purchases",
            "value",
            "ROAS",
        ),
        right=True,
    )
    for row in rows.iter_rows(named=True):
        add(
            shown,
            f"act_{row['account_id']}",
            f"{row['days']}",
            f"{row['impressions']:,}",
            f"{row['clicks']:,}",
            show(row["spend"], row["currency"]),
            plain(row["purchases"]),
            show(row["purchase_value"], row["currency"]),
            "" if row["roas"] is None else f"{row['roas']:.2f}",
        )
    for account in sorted(set(accounts) - set(rows["account_id"])):
        add(shown, f"act_{account}", "0", *[""] * 6)
    return shown
