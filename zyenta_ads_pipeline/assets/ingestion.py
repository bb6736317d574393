"""What Meta says, as it says it: days, whole and proved."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from zyenta_ads_pipeline.assets.description import (
    INGESTION,
    OWNERS,
    described,
    show_daily,
    written,
)
from zyenta_ads_pipeline.assets.reading import (
    beside,
    every_account,
    every_account_spec,
    stored_dates,
    sync_accounts,
)
from zyenta_ads_pipeline.domain.insights import PRESETS
from zyenta_ads_pipeline.ingestion.account_sync import Synced, SyncPlace
from zyenta_ads_pipeline.ingestion.alerting import (
    ACCESS,
    GAP,
    account_outcomes,
    alert_key,
    settle_gaps,
)
from zyenta_ads_pipeline.ingestion.insights import (
    Gathered,
    account_frame,
    sync_account,
)
from zyenta_ads_pipeline.ingestion.reads import STREAM
from zyenta_ads_pipeline.lake.lake import Lake, Scope
from zyenta_ads_pipeline.lake.tables import (
    AD_ACCOUNTS,
    INSIGHT_READINGS,
    INSIGHT_READS,
    INSIGHT_RESTATEMENTS,
    RAW_INSIGHTS,
)
from zyenta_ads_pipeline.partitions import DAYS, days_of
from zyenta_ads_pipeline.platforms.base import AdsPlatform
from zyenta_ads_pipeline.resources import (
    LakeResource,
    MetaResource,
    StoreResource,
    SyncConfig,
)
from zyenta_ads_pipeline.settings import load_settings

META = dg.AssetSpec(
    "meta_marketing_api",
    description="Meta's Marketing API: insights and objects of the ad accounts. The sandbox "
    "stands in for it on a laptop.",
    group_name=INGESTION,
    kinds={"meta"},
    owners=OWNERS,
)


AD_ACCOUNTS_SPEC = beside(AD_ACCOUNTS, RAW_INSIGHTS.name, [META], INGESTION)
RESTATEMENTS_SPEC = beside(INSIGHT_RESTATEMENTS, RAW_INSIGHTS.name, [RAW_INSIGHTS.name])
READS_SPEC = beside(INSIGHT_READS, RAW_INSIGHTS.name, [RAW_INSIGHTS.name])
READINGS_SPEC = beside(INSIGHT_READINGS, RAW_INSIGHTS.name, [RAW_INSIGHTS.name])


@dg.asset(
    partitions_def=DAYS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    deps=[META],
    group_name=INGESTION,
    kinds={"meta", "deltalake"},
    owners=OWNERS,
    description=RAW_INSIGHTS.meaning,
    metadata=described(RAW_INSIGHTS),
    check_specs=[every_account_spec(RAW_INSIGHTS.name)],
)
def raw_insights(
    context: dg.AssetExecutionContext,
    config: SyncConfig,
    meta: MetaResource,
    lake: LakeResource,
    store: StoreResource,
) -> dg.MaterializeResult:  # type: ignore[type-arg]
    settings = load_settings()
    days = days_of(context)
    accounts = config.chosen(settings)
    table = lake.open()
    known = _known_accounts(table)

    async def one(place: SyncPlace, platform: AdsPlatform, account: str) -> Synced:
        return await sync_account(
            place,
            platform,
            account,
            days,
            purchases=known.get(account, {}).get("purchase_type"),
            chosen=settings.purchase_type,
            whole=config.whole,
        )

    gathered = sync_accounts(context, accounts, meta, lake, store, one)
    with store.notifier() as notifier:
        account_outcomes(notifier, list(gathered.results), gathered.failures, STREAM)
        settle_gaps(notifier, table, list(gathered.results))
        # Of a breakdown that is no longer read no run would ever say that its trouble is over.
        notifier.resolve(
            [
                alert_key(kind, account, preset)
                for kind in (ACCESS, GAP)
                for account in accounts
                for preset in PRESETS
                if preset not in settings.breakdowns
            ]
        )
    if not gathered.results:
        gathered.raise_failures()
    _write_accounts(context, table, gathered, known, settings.purchase_type)
    snapshot = table.snapshot()
    for other in (INSIGHT_RESTATEMENTS, INSIGHT_READS, INSIGHT_READINGS):
        version = snapshot.versions.get(other.name)
        if version is not None:
            context.log_event(
                dg.AssetMaterialization(other.name, metadata={"table_version": version})
            )
    rows = stored_dates(table, RAW_INSIGHTS, accounts, days)
    show_daily(context, rows, days)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": rows.height,
            "table_version": snapshot.versions.get(RAW_INSIGHTS.name),
            "calls": sum(one.calls for one in gathered.results.values()),
            "accounts": dg.MetadataValue.md(_told(gathered.results)),
        },
        check_results=[every_account(gathered.failures)],
    )


def _known_accounts(lake: Lake) -> dict[str, dict[str, Any]]:
    rows = lake.snapshot().scan(AD_ACCOUNTS).collect()
    return {row["account_id"]: row for row in rows.iter_rows(named=True)}


def _write_accounts(
    context: dg.AssetExecutionContext,
    lake: Lake,
    gathered: Gathered[Synced],
    known: Mapping[str, Mapping[str, Any]],
    purchases_by_setting: str | None,
) -> None:
    """Store the account records; warn where the canonical purchase type moves."""
    frame = account_frame(
        gathered.results.values(), known, purchases_by_setting, context.run.run_id
    )
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
        AD_ACCOUNTS, frame, Scope(frame["account_id"].to_list()), run_id=context.run.run_id
    )
    context.log_event(dg.AssetMaterialization("ad_accounts", metadata=written(result)))


def _told(results: Mapping[str, Synced]) -> str:
    """What each account cost and gave, as a Markdown table."""
    lines = [
        "| account | calls | pages | days read | days confirmed | new | changed | removed | gaps |",
        "| --- |" + " --- |" * 8,
    ]
    for account, one in results.items():
        numbers = (
            one.calls,
            one.pages,
            len(one.days_read),
            len(one.days_confirmed),
            one.new,
            one.changed,
            one.removed,
            "; ".join(str(gap) for gap in one.gaps.values()) or "none",
        )
        lines.append(f"| act_{account} | " + " | ".join(map(str, numbers)) + " |")
    return "\n".join(lines)
