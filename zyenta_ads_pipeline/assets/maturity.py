"""How late conversions come in: learned from what Meta restated."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import polars as pl

from zyenta_ads_pipeline.assets.description import METRICS, OWNERS, described, preview, written
from zyenta_ads_pipeline.lake.lake import Scope
from zyenta_ads_pipeline.lake.models import model
from zyenta_ads_pipeline.lake.tables import AD_ACCOUNTS, CONVERSION_LAG
from zyenta_ads_pipeline.metrics.lag import lag_curve
from zyenta_ads_pipeline.resources import Accounts, LakeResource
from zyenta_ads_pipeline.settings import load_settings

LEARNED_FROM_DAYS = 90
"""Days back from now whose restatements count: enough to be steady, short enough to follow."""


@dg.asset(
    deps=[
        dg.AssetDep("raw_insights", partition_mapping=dg.LastPartitionMapping()),
        "insight_restatements",
        "insight_readings",
    ],
    group_name=METRICS,
    kinds={"sql", "duckdb", "deltalake"},
    owners=OWNERS,
    description=CONVERSION_LAG.meaning,
    metadata=described(CONVERSION_LAG, model("conversion_lag")),
)
def conversion_lag(
    context: dg.AssetExecutionContext, config: Accounts, lake: LakeResource
) -> dg.MaterializeResult:  # type: ignore[type-arg]
    tables = lake.open()
    accounts = config.chosen(load_settings())
    snapshot = tables.snapshot()
    # Meta's clock, as far as it was heard: a sandbox may live in another year.
    heard = snapshot.scan(AD_ACCOUNTS).select(pl.col("observed_at").max()).collect().item()
    now: datetime = heard or datetime.now(UTC)
    history = snapshot.query(
        model("conversion_lag"), {"since": now.date() - timedelta(days=LEARNED_FROM_DAYS)}
    )
    curve = lag_curve(history.filter(pl.col("account_id").is_in(accounts))).with_columns(
        observed_at=pl.lit(now, pl.Datetime("us", "UTC")), run_id=pl.lit(context.run.run_id)
    )
    result = tables.write(CONVERSION_LAG, curve, Scope(accounts), run_id=context.run.run_id)
    shown = curve.filter(pl.col("age_days") <= 14).with_columns(
        pl.col("completeness", "completeness_value").round(3)
    )
    columns = ["account_id", "age_days", "completeness", "completeness_value", "days_seen"]
    return dg.MaterializeResult(
        metadata=written(result, {"curve": preview(shown, columns, rows=60)})
    )
