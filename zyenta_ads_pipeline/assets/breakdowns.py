"""Insights broken down: one daily asset a preset, each with a table of its own.

Meta does not serve every breakdown to every account; one that it refuses is told as a warning.
One that ZYENTA_BREAKDOWNS does not name is not asked for, whichever run it is in.
"""

import dagster as dg

from zyenta_ads_pipeline.assets.description import BREAKDOWNS, OWNERS, described, show_daily
from zyenta_ads_pipeline.assets.reading import (
    every_account,
    every_account_spec,
    stored_dates,
    sync_accounts,
)
from zyenta_ads_pipeline.domain.ads import AdAccount
from zyenta_ads_pipeline.domain.errors import PermissionDenied, ValidationRefused
from zyenta_ads_pipeline.domain.insights import PRESETS, Preset
from zyenta_ads_pipeline.ingestion.account_sync import Synced, SyncPlace
from zyenta_ads_pipeline.ingestion.alerting import account_outcomes, settle_gaps
from zyenta_ads_pipeline.ingestion.breakdowns import sync_breakdown
from zyenta_ads_pipeline.ingestion.insights import looked_up
from zyenta_ads_pipeline.lake.tables import BREAKDOWN_TABLES, RAW_INSIGHTS
from zyenta_ads_pipeline.partitions import DAYS, days_of
from zyenta_ads_pipeline.platforms.base import AdsPlatform
from zyenta_ads_pipeline.resources import (
    LakeResource,
    MetaResource,
    StoreResource,
    SyncConfig,
)
from zyenta_ads_pipeline.settings import load_settings


def _breakdown(preset: Preset) -> dg.AssetsDefinition:
    table = BREAKDOWN_TABLES[preset.name]

    @dg.asset(
        name=table.name,
        partitions_def=DAYS,
        backfill_policy=dg.BackfillPolicy.single_run(),
        deps=[RAW_INSIGHTS.name],
        group_name=BREAKDOWNS,
        kinds={"meta", "deltalake"},
        owners=OWNERS,
        description=table.meaning,
        metadata=described(table),
        check_specs=[every_account_spec(table.name)],
    )
    def breakdown(
        context: dg.AssetExecutionContext,
        config: SyncConfig,
        meta: MetaResource,
        lake: LakeResource,
        store: StoreResource,
    ) -> dg.MaterializeResult:  # type: ignore[type-arg]
        settings = load_settings()
        if preset.name not in settings.breakdowns:
            return dg.MaterializeResult(
                metadata={"read": f"not wanted: ZYENTA_BREAKDOWNS does not name {preset.name}"},
                check_results=[every_account({})],
            )
        days = days_of(context)
        accounts = config.chosen(settings)

        async def one(place: SyncPlace, platform: AdsPlatform, account_id: str) -> Synced:
            async def sync(account: AdAccount) -> Synced:
                return await sync_breakdown(
                    place, platform, account, preset, days, whole=config.whole
                )

            return await looked_up(platform, account_id, days, sync)

        gathered = sync_accounts(context, accounts, meta, lake, store, one)
        refused = {
            account: error
            for account, error in gathered.failures.items()
            if isinstance(error, ValidationRefused | PermissionDenied)
        }
        with store.notifier() as notifier:
            told = {one: why for one, why in gathered.failures.items() if one not in refused}
            account_outcomes(notifier, list(gathered.results), told, preset.name)
            settle_gaps(notifier, lake.open(), list(gathered.results), preset.name)
        if not gathered.results and len(refused) < len(gathered.failures):
            gathered.raise_failures()
        rows = stored_dates(lake.open(), table, accounts, days)
        show_daily(context, rows, days)
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": rows.height,
                "calls": sum(one.calls for one in gathered.results.values()),
                "days_read": sum(len(one.days_read) for one in gathered.results.values()),
                "gaps": "; ".join(
                    f"act_{account} {gap}"
                    for account, one in gathered.results.items()
                    for gap in one.gaps.values()
                ),
            },
            check_results=[
                every_account(
                    gathered.failures, only_told=refused.keys() == gathered.failures.keys()
                )
            ],
        )

    return breakdown


BREAKDOWN_ASSETS: list[dg.AssetsDefinition] = [_breakdown(preset) for preset in PRESETS.values()]
