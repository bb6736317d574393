"""What must hold of the tables. Blocking checks keep bad numbers away from decisions."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import dagster as dg
import polars as pl

from zyenta_ads_pipeline.account_rules import bounds_of
from zyenta_ads_pipeline.domain.money import plain
from zyenta_ads_pipeline.domain.time import DateRange
from zyenta_ads_pipeline.ingestion.completeness import decision_window, gaps
from zyenta_ads_pipeline.ingestion.reads import untrusted_days
from zyenta_ads_pipeline.lake.schema import Table
from zyenta_ads_pipeline.lake.tables import (
    ACCOUNT_METRICS,
    AD_METRICS,
    ADSET_METRICS,
    CAMPAIGN_METRICS,
    CAMPAIGN_TRAILING,
    RAW_INSIGHTS,
)
from zyenta_ads_pipeline.metrics.definitions import SUMS
from zyenta_ads_pipeline.partitions import RANGE_END, RANGE_START
from zyenta_ads_pipeline.resources import Accounts, LakeResource
from zyenta_ads_pipeline.settings import load_settings


def _days(context: dg.AssetCheckExecutionContext) -> DateRange | None:
    """The days of the run; None when it names none, and then all days are looked at."""
    tags = context.run.tags
    first = tags.get(RANGE_START) or tags.get("dagster/partition")
    last = tags.get(RANGE_END) or first
    return DateRange.parse(first, last) if first and last else None


def _accounts(context: dg.AssetCheckExecutionContext) -> list[str]:
    """The accounts the run was asked to read."""
    ops: Any = context.run.run_config.get("ops", {})
    named = ops.get(RAW_INSIGHTS.name, {}).get("config", {}).get("accounts")
    return Accounts(accounts=named or []).chosen(load_settings())


def _rows(table: Table, lake: LakeResource, days: DateRange | None) -> pl.LazyFrame:
    rows = lake.open().snapshot().scan(table)
    return rows if days is None else rows.filter(pl.col("date").is_between(days.since, days.until))


def _verdict(bad: pl.DataFrame, told: str) -> dg.AssetCheckResult:
    metadata: dict[str, dg.MetadataValue[Any] | int | str | None] = {"rows": bad.height}
    if bad.height:
        metadata["first"] = _words(bad.row(0, named=True))
    return dg.AssetCheckResult(
        passed=bad.is_empty(),
        metadata=metadata,
        description="" if bad.is_empty() else f"{bad.height} {told}; first: {metadata['first']}",
    )


def _words(row: dict[str, Any]) -> str:
    return ", ".join(
        f"{name} {plain(value) if isinstance(value, Decimal) else value}"
        for name, value in row.items()
    )


def _unique_keys(table: Table) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        name="keys_unique",
        asset=table.name,
        blocking=True,
        description=f"No two rows share {', '.join(table.key)}, and none lacks a part of it.",
    )
    def keys_unique(
        context: dg.AssetCheckExecutionContext, lake: LakeResource
    ) -> dg.AssetCheckResult:
        keys = _rows(table, lake, _days(context)).select(table.key)
        counted = keys.group_by(table.key).len()
        broken = (pl.col("len") > 1) | pl.any_horizontal(pl.col(table.key).is_null())
        return _verdict(counted.filter(broken).collect(), "keys are missing or double")

    return keys_unique


def _no_negative_numbers(table: Table) -> dg.AssetChecksDefinition:
    counted = [name for name in SUMS if name != "purchase_value"]

    @dg.asset_check(
        name="no_negative_numbers",
        asset=table.name,
        blocking=True,
        description=f"None of {', '.join(counted)} is below zero. (Values can be: refunds.)",
    )
    def no_negative_numbers(
        context: dg.AssetCheckExecutionContext, lake: LakeResource
    ) -> dg.AssetCheckResult:
        rows = _rows(table, lake, _days(context))
        negative = rows.filter(pl.any_horizontal(pl.col(counted) < 0)).select(*table.key, *counted)
        return _verdict(negative.collect(), "rows hold a negative number")

    return no_negative_numbers


@dg.asset_check(
    asset=RAW_INSIGHTS.name,
    description="Per account and complete day the ads add up to what Meta reports for the account: "
    "impressions and clicks exactly, spend to half a minor unit per ad row, since Meta rounds "
    "each row, and no purchase less. What lacks was looked for by id; where it was not found the "
    "numbers are stored all the same, and no decision is based on them (see "
    "window_adds_up).",
)
def ad_sums_equal_account_totals(
    context: dg.AssetCheckExecutionContext, lake: LakeResource
) -> dg.AssetCheckResult:
    found = gaps(lake.open().snapshot(), _accounts(context), _days(context))
    return _verdict(found, "account days whose ads do not add up to the account's total")


@dg.asset_check(
    asset=CAMPAIGN_TRAILING.name,
    blocking=True,
    description="The days that the next decision looks at add up to the account's total, of every "
    "account. Where they do for none, nothing is decided; where they do for some, only those are "
    "decided on.",
)
def window_adds_up(
    context: dg.AssetCheckExecutionContext, lake: LakeResource
) -> dg.AssetCheckResult:
    accounts, settings = _accounts(context), load_settings()
    snapshot = lake.open().snapshot()
    broken = {
        account: found
        for account in accounts
        if (window := decision_window(snapshot, account, bounds_of(settings, account).window_days))
        is not None
        and (found := untrusted_days(snapshot, account, window))
    }
    all_broken = len(broken) == len(accounts)
    told = {
        f"act_{account}": f"{len(found)} days that decisions look at cannot be trusted, first "
        f"{next(iter(found.values()))}"
        for account, found in broken.items()
    }
    return dg.AssetCheckResult(
        passed=not broken,
        severity=dg.AssetCheckSeverity.ERROR if all_broken else dg.AssetCheckSeverity.WARN,
        metadata=told,
        description="; ".join(f"{account}: {words}" for account, words in told.items()),
    )


_METRIC_TABLES: Sequence[Table] = (
    AD_METRICS,
    ADSET_METRICS,
    CAMPAIGN_METRICS,
    ACCOUNT_METRICS,
    CAMPAIGN_TRAILING,
)

CHECKS: list[dg.AssetChecksDefinition] = [
    _unique_keys(RAW_INSIGHTS),
    ad_sums_equal_account_totals,
    window_adds_up,
    *(_unique_keys(table) for table in _METRIC_TABLES),
    *(_no_negative_numbers(table) for table in _METRIC_TABLES),
]
