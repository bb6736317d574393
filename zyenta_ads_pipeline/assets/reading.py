"""What the assets that read Meta share: accounts side by side, each with its own failure."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

import dagster as dg
import polars as pl

from zyenta_ads_pipeline.assets.description import OWNERS, RECORDS, described
from zyenta_ads_pipeline.domain.errors import ZyentaError
from zyenta_ads_pipeline.domain.time import DateRange
from zyenta_ads_pipeline.ingestion.account_sync import Synced, SyncPlace
from zyenta_ads_pipeline.ingestion.insights import Gathered, gather_accounts, rows_at_once
from zyenta_ads_pipeline.lake.lake import Lake
from zyenta_ads_pipeline.lake.schema import Table
from zyenta_ads_pipeline.platforms.base import AdsPlatform
from zyenta_ads_pipeline.resources import (
    LakeResource,
    MetaResource,
    StoreResource,
    run_deadline,
)
from zyenta_ads_pipeline.settings import load_settings

_EVERY_ACCOUNT = "every_account_read"


def every_account_spec(asset: str) -> dg.AssetCheckSpec:
    """The check that `every_account` answers."""
    return dg.AssetCheckSpec(
        _EVERY_ACCOUNT,
        asset=asset,
        description="Every account of the run was read. One that failed leaves the others alone: "
        "they are stored and decided on, and this check says why it failed.",
    )


def every_account(
    failures: Mapping[str, ZyentaError], *, only_told: bool = False
) -> dg.AssetCheckResult:
    """The check that no account failed, with the reason of each that did; `only_told` makes it a
    warning."""
    return dg.AssetCheckResult(
        check_name=_EVERY_ACCOUNT,
        passed=not failures,
        severity=dg.AssetCheckSeverity.WARN if only_told else dg.AssetCheckSeverity.ERROR,
        metadata={f"act_{account}": str(error) for account, error in failures.items()},
    )


def beside(
    table: Table, writer: str, deps: Sequence[dg.AssetSpec | str], group: str = RECORDS
) -> dg.AssetSpec:
    """A table that the runs of the asset `writer` write besides their own."""
    return dg.AssetSpec(
        table.name,
        description=f"{table.meaning} Written by the runs of {writer}.",
        deps=deps,
        group_name=group,
        kinds={"meta", "deltalake"},
        owners=OWNERS,
        metadata=described(table),
    )


def sync_accounts(
    context: dg.AssetExecutionContext,
    accounts: Sequence[str],
    meta: MetaResource,
    lake: LakeResource,
    store: StoreResource,
    sync: Callable[[SyncPlace, AdsPlatform, str], Awaitable[Synced]],
) -> Gathered[Synced]:
    """Run `sync` for every account on its own connection, within the run's deadline."""
    settings = load_settings()

    async def every_one(place: SyncPlace) -> Gathered[Synced]:
        async with meta.accounts(place.deadline.at) as platforms:

            async def one(account: str) -> Synced:
                return await sync(place, await platforms.of(account), account)

            return await gather_accounts(accounts, one)

    with store.ledger() as ledger:
        place = SyncPlace(
            lake=lake.open(),
            archive=lake.archive(),
            ledger=ledger,
            run_id=context.run.run_id,
            deadline=run_deadline(context, settings),
            tiers=settings.restatement_tiers,
            most_rows=rows_at_once(len(accounts)),
        )
        return asyncio.run(every_one(place))


def stored_dates(
    lake: Lake, table: Table, accounts: Sequence[str], days: DateRange
) -> pl.DataFrame:
    """The dates of the stored rows of these accounts and days, a row each."""
    of_run = pl.col("account_id").is_in(accounts) & pl.col("date").is_between(
        days.since, days.until
    )
    return lake.snapshot().scan(table).filter(of_run).select("date").collect()
