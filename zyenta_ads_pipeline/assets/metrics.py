"""The metric tables: each one SQL model in `sql/` over the lake."""

from datetime import timedelta

import dagster as dg
import polars as pl

from zyenta_ads_pipeline.assets.description import (
    DELIVERY,
    METRICS,
    OWNERS,
    described,
    show_daily,
    written,
)
from zyenta_ads_pipeline.assets.pictures import series_pictures
from zyenta_ads_pipeline.domain.time import DateRange
from zyenta_ads_pipeline.lake.lake import Lake, Scope, Snapshot
from zyenta_ads_pipeline.lake.models import model
from zyenta_ads_pipeline.lake.schema import Table
from zyenta_ads_pipeline.lake.tables import (
    ACCOUNT_METRICS,
    AD_ACCOUNTS,
    AD_METRICS,
    ADSET_METRICS,
    CAMPAIGN_METRICS,
    CAMPAIGN_TRAILING,
)
from zyenta_ads_pipeline.metrics.expected import with_expected
from zyenta_ads_pipeline.partitions import DAYS, days_of
from zyenta_ads_pipeline.resources import Accounts, LakeResource
from zyenta_ads_pipeline.settings import load_settings

LONGEST_WINDOW = 28
"""Days of the longest trailing window in `sql/campaign_trailing.sql`."""


def _daily_model(
    table: Table, deps: list[str | dg.AssetDep], *, reaches_on: int = 0
) -> dg.AssetsDefinition:
    """A daily asset that fills `table` from the SQL model of its name.

    `reaches_on` is for how many later days a day's numbers count: those that exist already are
    computed again, so that a backfill of old days does not leave stale windows behind.
    """

    @dg.asset(
        name=table.name,
        partitions_def=DAYS,
        backfill_policy=dg.BackfillPolicy.single_run(),
        deps=deps,
        group_name=METRICS,
        kinds={"sql", "duckdb", "deltalake"},
        owners=OWNERS,
        description=table.meaning,
        metadata=described(table, model(table.name)),
    )
    def daily_model(
        context: dg.AssetExecutionContext, config: Accounts, lake: LakeResource
    ) -> dg.MaterializeResult:  # type: ignore[type-arg]
        days = days_of(context)
        tables = lake.open()
        snapshot = tables.snapshot()
        accounts = config.chosen(load_settings())
        mine = pl.col("account_id").is_in(accounts)
        touched = set(days.days())
        if reaches_on:
            until = days.until + timedelta(days=reaches_on)
            stored = snapshot.scan(table).filter(
                mine & pl.col("date").is_between(days.until, until)
            )
            touched |= set(stored.select(pl.col("date").unique()).collect()["date"])
        reached = DateRange(days.since, max(touched))
        frame = snapshot.query(
            model(table.name), {"since": reached.since, "until": reached.until}
        ).filter(mine & pl.col("date").is_in(list(touched)))
        if "purchases_expected" in table.schema:
            rates = snapshot.query(model("pooled_rates"), {"until": reached.until})
            frame = with_expected(frame, rates)
        result = tables.write(table, frame, Scope(accounts, touched), run_id=context.run.run_id)
        show_daily(context, frame, days)
        known = snapshot.scan(AD_ACCOUNTS).filter(mine).collect().height
        drawn = _drawn(tables, accounts) if table is ACCOUNT_METRICS else {}
        return dg.MaterializeResult(metadata=written(result, {"accounts": known, **drawn}))

    return daily_model


def _drawn(tables: Lake, accounts: list[str]) -> dict[str, dg.MetadataValue]:
    """The accounts' last days as pictures, as they are stored now."""
    read = (ACCOUNT_METRICS, AD_ACCOUNTS)
    now = Snapshot({table.name: tables.open(table) for table in read})
    return series_pictures(now, accounts)


ad_metrics = _daily_model(AD_METRICS, ["raw_insights", "ad_accounts", "conversion_lag"])
adset_metrics = _daily_model(ADSET_METRICS, ["ad_metrics"])
campaign_metrics = _daily_model(CAMPAIGN_METRICS, ["ad_metrics"])
account_metrics = _daily_model(ACCOUNT_METRICS, ["ad_metrics"])
# A mapping with an offset would say more, but makes Dagster split a backfill into two runs; see
# docs/decisions/0003-one-run-per-tick-date-partitions.md.
campaign_trailing = _daily_model(
    CAMPAIGN_TRAILING, ["campaign_metrics"], reaches_on=LONGEST_WINDOW - 1
)


@dg.asset(
    deps=[
        dg.AssetDep("campaign_trailing", partition_mapping=dg.LastPartitionMapping()),
        "change_set",
        "creative_performance",
    ],
    group_name=DELIVERY,
    kinds={"duckdb"},
    owners=OWNERS,
    description="A small DuckDB file of views over all tables as they are now, with the metrics "
    "as functions: open $ZYENTA_HOME/lake.duckdb read-only in any tool that speaks DuckDB.",
)
def lake_views(context: dg.AssetExecutionContext, lake: LakeResource) -> dg.MaterializeResult:  # type: ignore[type-arg]
    broken = lake.open().publish_views(lake.views_file())
    for name, told in broken.items():
        context.log.warning("The view %s cannot be read: %s", name, told)
    return dg.MaterializeResult(
        metadata={"file": dg.MetadataValue.path(lake.views_file()), "broken_views": len(broken)}
    )
