"""What there is on Meta, now and at any moment before; and the exchange rates of the user."""

import asyncio

import dagster as dg
import polars as pl

from zyenta_ads_pipeline.assets.description import INGESTION, OWNERS, RECORDS, described, written
from zyenta_ads_pipeline.assets.ingestion import META
from zyenta_ads_pipeline.assets.reading import beside, every_account, every_account_spec
from zyenta_ads_pipeline.ingestion.alerting import account_outcomes
from zyenta_ads_pipeline.ingestion.insights import Gathered, gather_accounts
from zyenta_ads_pipeline.ingestion.objects import (
    AccountObjects,
    known_objects,
    read_objects,
    store_objects,
)
from zyenta_ads_pipeline.ingestion.rates import read_rates, store_rates
from zyenta_ads_pipeline.lake.tables import AD_OBJECT_HISTORY, AD_OBJECTS, EXCHANGE_RATES
from zyenta_ads_pipeline.resources import (
    Accounts,
    LakeResource,
    MetaResource,
    StoreResource,
    run_deadline,
)
from zyenta_ads_pipeline.settings import load_settings

AD_OBJECT_HISTORY_SPEC = beside(AD_OBJECT_HISTORY, AD_OBJECTS.name, [AD_OBJECTS.name])


@dg.asset(
    deps=[META],
    group_name=INGESTION,
    kinds={"meta", "deltalake"},
    owners=OWNERS,
    description=AD_OBJECTS.meaning,
    metadata=described(AD_OBJECTS),
    check_specs=[every_account_spec(AD_OBJECTS.name)],
)
def ad_objects(
    context: dg.AssetExecutionContext,
    config: Accounts,
    meta: MetaResource,
    lake: LakeResource,
    store: StoreResource,
) -> dg.MaterializeResult:  # type: ignore[type-arg]
    settings = load_settings()
    accounts = config.chosen(settings)
    table = lake.open()
    view = table.snapshot().scan(AD_OBJECTS).collect()

    async def read() -> tuple[Gathered[AccountObjects], int]:
        async with meta.accounts(run_deadline(context, settings).at) as platforms:

            async def one(account: str) -> AccountObjects:
                known = known_objects(view.filter(pl.col("account_id") == account))
                return await read_objects(await platforms.of(account), account, known)

            return await gather_accounts(accounts, one), platforms.calls

    gathered, calls = asyncio.run(read())
    with store.notifier() as notifier:
        account_outcomes(notifier, list(gathered.results), gathered.failures, "objects")
    if not gathered.results:
        gathered.raise_failures()
    stored = store_objects(table, list(gathered.results.values()), context.run.run_id)
    if stored.history is not None:
        context.log_event(
            dg.AssetMaterialization(AD_OBJECT_HISTORY.name, metadata=written(stored.history))
        )
    levels = {
        f"{level}s": count for level, count in stored.rows.group_by("level").len().iter_rows()
    }
    return dg.MaterializeResult(
        metadata=written(
            stored.view,
            {
                "calls": calls,
                **dict(sorted(levels.items())),
                "deleted": int(stored.rows["is_deleted"].sum()),
                "states_begun": stored.begun,
                "states_ended": stored.ended,
                "vanished_to_ask": sum(one.left for one in gathered.results.values()),
            },
        ),
        check_results=[every_account(gathered.failures)],
    )


@dg.asset(
    group_name=RECORDS,
    kinds={"csv", "deltalake"},
    owners=OWNERS,
    description=EXCHANGE_RATES.meaning + " Nothing happens unless ZYENTA_RATES_FILE is set.",
    metadata=described(EXCHANGE_RATES),
)
def exchange_rates(context: dg.AssetExecutionContext, lake: LakeResource) -> dg.MaterializeResult:  # type: ignore[type-arg]
    settings = load_settings()
    currency = settings.reporting_currency
    if settings.rates_file is None or currency is None:
        return dg.MaterializeResult(metadata={"read": "no file is set"})
    rates = read_rates(settings.rates_file, currency)
    result = store_rates(lake.open(), rates, currency, context.run.run_id)
    return dg.MaterializeResult(
        metadata=written(result, {"read": str(settings.rates_file), "into": currency})
    )
