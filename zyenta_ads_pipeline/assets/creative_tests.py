"""The A/B tester's verdicts on creatives of ours, looked at every hour; and which of them tire."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

import dagster as dg
import polars as pl

from zyenta_ads_pipeline.account_rules import bounds_of
from zyenta_ads_pipeline.assets.description import CREATIVES, OWNERS, described, preview, written
from zyenta_ads_pipeline.campaigns.account_objects import account_row
from zyenta_ads_pipeline.campaigns.creative_tests import JudgedTest, look_at_tests, rows_of_tests
from zyenta_ads_pipeline.domain.time import account_day
from zyenta_ads_pipeline.lake.creative_tables import CREATIVE_FATIGUE, CREATIVE_TESTS
from zyenta_ads_pipeline.lake.lake import Lake, Scope, Snapshot, WriteResult
from zyenta_ads_pipeline.lake.schema import Table
from zyenta_ads_pipeline.lake.tables import CREATIVE_PERFORMANCE
from zyenta_ads_pipeline.optimizer.ab_progress import progress
from zyenta_ads_pipeline.optimizer.fatigue import fatigue
from zyenta_ads_pipeline.resources import Accounts, LakeResource, StoreResource
from zyenta_ads_pipeline.settings import load_settings
from zyenta_ads_pipeline.store.campaigns import Campaigns

_TESTS_SHOWN = ["campaign_id", "name", "standing", "conversions", "lift", "days_needed", "reason"]
_FATIGUE_SHOWN = ["creative_id", "tired", "since", "fall", "reason"]
_DRAWN = 3
"""Tests that get a picture: those with the most conversions."""


class _Heard(NamedTuple):
    """An account's clock: when it was read, and its last complete day then."""

    now: datetime
    day: date
    timezone: str
    currency: str


@dg.asset(
    deps=[CREATIVE_PERFORMANCE.name],
    group_name=CREATIVES,
    kinds={"python", "deltalake"},
    owners=OWNERS,
    description=CREATIVE_TESTS.meaning + " What follows, pauses of losers and budgets of winners, "
    "is in the change set.",
    metadata=described(CREATIVE_TESTS),
)
def creative_tests(
    context: dg.AssetExecutionContext, config: Accounts, lake: LakeResource, store: StoreResource
) -> dg.MaterializeResult:  # type: ignore[type-arg]
    settings = load_settings()
    tables = lake.open()
    snapshot = tables.snapshot()
    run_id = context.run.run_id
    judged: list[tuple[JudgedTest, date]] = []
    found: list[tuple[Scope, pl.DataFrame]] = []
    with store.opened() as opened:
        for account_id, heard in _heard(snapshot, config.chosen(settings)).items():
            tested = look_at_tests(
                snapshot,
                Campaigns(opened),
                account_id,
                day=heard.day,
                timezone=heard.timezone,
                rules=bounds_of(settings, account_id).tests,
                now=heard.now,
            )
            judged += [(each, heard.day) for each in tested]
            rows = rows_of_tests(
                tested,
                account_id=account_id,
                currency=heard.currency,
                day=heard.day,
                now=heard.now,
                run_id=run_id,
            )
            found.append((Scope([account_id], [heard.day]), rows))
    result, rows = _write(tables, CREATIVE_TESTS, found, run_id)
    shown = rows.with_columns(pl.col("lift").round(3), pl.col("conversions").round(1))
    return dg.MaterializeResult(
        metadata=written(
            result, {"tests": preview(shown, _TESTS_SHOWN, rows=40), **_pictures(judged)}
        )
    )


@dg.asset(
    deps=[CREATIVE_PERFORMANCE.name],
    group_name=CREATIVES,
    kinds={"python", "deltalake"},
    owners=OWNERS,
    description=CREATIVE_FATIGUE.meaning,
    metadata=described(CREATIVE_FATIGUE),
)
def creative_fatigue(
    context: dg.AssetExecutionContext, config: Accounts, lake: LakeResource
) -> dg.MaterializeResult:  # type: ignore[type-arg]
    tables = lake.open()
    snapshot = tables.snapshot()
    run_id = context.run.run_id
    found: list[tuple[Scope, pl.DataFrame]] = []
    for account_id, heard in _heard(snapshot, config.chosen(load_settings())).items():
        days = (
            snapshot.scan(CREATIVE_PERFORMANCE)
            .filter((pl.col("account_id") == account_id) & (pl.col("impressions") > 0))
            .select(
                "creative_id",
                "date",
                "impressions",
                "clicks",
                conversions=pl.col("purchases").cast(pl.Float64),
                maturity=pl.col("maturity").fill_null(1.0),
            )
            .collect()
        )
        rows = fatigue(days, heard.day).with_columns(
            account_id=pl.lit(account_id), observed_at=pl.lit(heard.now), run_id=pl.lit(run_id)
        )
        found.append((Scope([account_id]), rows.select(CREATIVE_FATIGUE.schema.names())))
    result, rows = _write(tables, CREATIVE_FATIGUE, found, run_id)
    tired = rows.sort("tired", "fall", descending=True, nulls_last=True)
    shown = tired.with_columns(pl.col("fall").round(2))
    return dg.MaterializeResult(
        metadata=written(
            result,
            {
                "tired": int(rows["tired"].sum()),
                "creatives": preview(shown, _FATIGUE_SHOWN, rows=40),
            },
        )
    )


def _heard(snapshot: Snapshot, accounts: Sequence[str]) -> dict[str, _Heard]:
    """The clocks of the accounts that were ever read."""
    clocks = {}
    for account_id in accounts:
        account = account_row(snapshot, account_id)
        if account is not None:
            now: datetime = account["observed_at"]
            day = account_day(now, account["timezone"]) - timedelta(days=1)
            clocks[account_id] = _Heard(now, day, account["timezone"], account["currency"])
    return clocks


def _write(
    lake: Lake, table: Table, found: Sequence[tuple[Scope, pl.DataFrame]], run_id: str
) -> tuple[WriteResult, pl.DataFrame]:
    """Write each account's rows in the place of those before; what was done, and all rows."""
    done = [lake.write(table, rows, scope, run_id=run_id) for scope, rows in found]
    whole = WriteResult(
        rows=sum(each.rows for each in done),
        version=max((each.version for each in done), default=0),
        changed=any(each.changed for each in done),
    )
    columns = [pl.col(name).cast(kind) for name, kind in table.schema.items()]
    frames = [pl.DataFrame(schema=table.schema), *(rows.select(columns) for _, rows in found)]
    return whole, pl.concat(frames)


def _pictures(judged: Sequence[tuple[JudgedTest, date]]) -> dict[str, dg.MarkdownMetadataValue]:
    """How the rates of the largest tests came to be, day by day."""
    if not judged:
        return {}
    # Drawing is loaded by runs that draw, not by whoever loads the definitions.
    from zyenta_ads_pipeline.charts.creative_tests import creative_test_svg  # noqa: PLC0415
    from zyenta_ads_pipeline.charts.embed import markdown_picture  # noqa: PLC0415

    pictures = {}
    by_size = sorted(judged, key=lambda each: -each[0].days["conversions"].sum())
    for test, day in by_size[:_DRAWN]:
        days = progress(test.plan, test.days, day).drop_nulls("rate")
        if days.is_empty():
            continue
        metric = f"{test.plan.metric.value.replace('_', ' ')} since {test.plan.started}"
        svg = creative_test_svg(days, metric=metric, title=test.campaign.name)
        told = f"{metric} of each creative of {test.campaign.name}, with 80 % intervals"
        pictures[f"test_{test.campaign.id}"] = dg.MetadataValue.md(markdown_picture(svg, told))
    return pictures
