"""What Meta says, as it says it."""

import asyncio
from typing import Any

import dagster as dg
import polars as pl

from zyenta_ads_pipeline.assets.description import (
    INGESTION,
    OWNERS,
    described,
    show_daily,
    written,
)
from zyenta_ads_pipeline.ingestion.insights import (
    AccountInsights,
    Gathered,
    account_frame,
    gather_accounts,
    object_frame,
    read_insights,
)
from zyenta_ads_pipeline.lake.lake import Lake, Scope
from zyenta_ads_pipeline.lake.tables import AD_ACCOUNTS, AD_OBJECTS, RAW_INSIGHTS
from zyenta_ads_pipeline.partitions import DAYS, days_of
from zyenta_ads_pipeline.resources import Accounts, LakeResource, MetaResource
from zyenta_ads_pipeline.settings import load_settings

EVERY_ACCOUNT = "every_account_read"
_EVERY_ACCOUNT_MEANS = (
    "Every account of the run was read. One that failed leaves the others alone: they are stored "
    "and decided on, and this check says why it failed."
)

META = dg.AssetSpec(
    "meta_marketing_api",
    description="Meta's Marketing API: insights and objects of the ad accounts. The sandbox "
    "stands in for it on a laptop.",
    group_name=INGESTION,
    kinds={"meta"},
    owners=OWNERS,
)

AD_ACCOUNTS_SPEC = dg.AssetSpec(
    "ad_accounts",
    description=AD_ACCOUNTS.meaning + " Written by the runs of raw_insights.",
    deps=[META],
    group_name=INGESTION,
    kinds={"meta", "deltalake"},
    owners=OWNERS,
    metadata=described(AD_ACCOUNTS),
)


@dg.asset(
    partitions_def=DAYS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    deps=[META],
    group_name=INGESTION,
    kinds={"meta", "deltalake"},
    owners=OWNERS,
    description=RAW_INSIGHTS.meaning,
    metadata=described(RAW_INSIGHTS),
    check_specs=[
        dg.AssetCheckSpec(EVERY_ACCOUNT, asset="raw_insights", description=_EVERY_ACCOUNT_MEANS)
    ],
)
def raw_insights(
    context: dg.AssetExecutionContext, config: Accounts, meta: MetaResource, lake: LakeResource
) -> dg.MaterializeResult:  # type: ignore[type-arg]
    settings = load_settings()
    days = days_of(context)

    async def read() -> Gathered[AccountInsights]:
        async with meta.connect() as platform:
            return await gather_accounts(
                config.chosen(settings),
                lambda account: read_insights(
                    platform, account, days, run_id=context.run_id, archive=lake.archive()
                ),
            )

    gathered = asyncio.run(read())
    if not gathered.results:
        gathered.raise_failures()
    table = lake.open()
    read_ones = list(gathered.results.values())
    rows = pl.concat([result.rows for result in read_ones])
    _write_accounts(context, table, read_ones, settings.purchase_type)
    result = table.write(
        RAW_INSIGHTS,
        rows,
        Scope(list(gathered.results), list(days.days())),
        run_id=context.run_id,
    )
    show_daily(context, rows, days)
    return dg.MaterializeResult(
        metadata=written(
            result,
            {
                "accounts": len(gathered.results),
                "pages_read": sum(one.pages for one in read_ones),
                "days": len(days),
            },
        ),
        check_results=[_every_account(gathered)],
    )


@dg.asset(
    deps=[META],
    group_name=INGESTION,
    kinds={"meta", "deltalake"},
    owners=OWNERS,
    description=AD_OBJECTS.meaning,
    metadata=described(AD_OBJECTS),
    check_specs=[
        dg.AssetCheckSpec(EVERY_ACCOUNT, asset="ad_objects", description=_EVERY_ACCOUNT_MEANS)
    ],
)
def ad_objects(
    context: dg.AssetExecutionContext, config: Accounts, meta: MetaResource, lake: LakeResource
) -> dg.MaterializeResult:  # type: ignore[type-arg]
    settings = load_settings()

    async def read() -> Gathered[Any]:
        async with meta.connect() as platform:
            return await gather_accounts(config.chosen(settings), platform.ad_objects)

    gathered = asyncio.run(read())
    if not gathered.results:
        gathered.raise_failures()
    frame = object_frame(
        (thing for things in gathered.results.values() for thing in things), context.run_id
    )
    result = lake.open().write(
        AD_OBJECTS, frame, Scope(list(gathered.results)), run_id=context.run_id
    )
    levels = {row[0]: row[1] for row in frame.group_by("level").len().iter_rows()}
    return dg.MaterializeResult(
        metadata=written(result, {f"{level}s": count for level, count in sorted(levels.items())}),
        check_results=[_every_account(gathered)],
    )


def _write_accounts(
    context: dg.AssetExecutionContext,
    lake: Lake,
    read: list[AccountInsights],
    purchases_by_setting: str | None,
) -> None:
    """Store the account records; warn where the canonical purchase type moves."""
    known = {
        row["account_id"]: row
        for row in lake.snapshot().scan(AD_ACCOUNTS).collect().iter_rows(named=True)
    }
    frame = account_frame(read, known, purchases_by_setting, context.run_id)
    for row in frame.iter_rows(named=True):
        before = known.get(row["account_id"], {}).get("purchase_type")
        if before not in (None, row["purchase_type"]):
            context.log.warning(
                "act_%s: purchases are now counted as %s, before as %s. Materialise ad_metrics "
                "and what follows again for older days, so that all days count alike.",
                row["account_id"],
                row["purchase_type"],
                before,
            )
    result = lake.write(
        AD_ACCOUNTS, frame, Scope(frame["account_id"].to_list()), run_id=context.run_id
    )
    context.log_event(dg.AssetMaterialization("ad_accounts", metadata=written(result)))


def _every_account(gathered: Gathered[Any]) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=EVERY_ACCOUNT,
        passed=not gathered.failures,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={f"act_{account}": str(error) for account, error in gathered.failures.items()},
    )
