"""What policies would have done on each account's own past. Not part of the hourly line: it is
materialized when somebody wants to know, and replaces the account's backtest before."""

from datetime import timedelta

import dagster as dg
import polars as pl

from zyenta_ads_pipeline.account_rules import rules_of
from zyenta_ads_pipeline.assets.by_account import each_account, every_account_check, of_account
from zyenta_ads_pipeline.assets.description import OPTIMIZER, OWNERS, RECORDS, described, preview
from zyenta_ads_pipeline.assets.pictures import MOST_ACCOUNTS
from zyenta_ads_pipeline.backtest_policies import compared_policies
from zyenta_ads_pipeline.campaigns.backtest import CANNOT_KNOW, Backtest, backtest, last_testable
from zyenta_ads_pipeline.campaigns.backtest_scores import (
    day_rows,
    in_words,
    reliability_bins,
    score_rows,
)
from zyenta_ads_pipeline.domain.time import DateRange
from zyenta_ads_pipeline.lake.backtest_tables import BACKTEST_DAYS, BACKTEST_SCORES
from zyenta_ads_pipeline.lake.lake import Scope
from zyenta_ads_pipeline.resources import Accounts, LakeResource
from zyenta_ads_pipeline.settings import load_settings

_EVEN = 0.5


class BacktestConfig(Accounts):
    """Which accounts, policies and days a run tests."""

    policies: list[str] = []  # noqa: RUF012 - Dagster's Config is a pydantic model
    """Names or path/to/file.py:ClassName; none: all that come with the product, and the
    account's own."""
    days: int = 28
    """So many days, up to the newest that can be tested."""


@dg.asset(
    deps=[
        dg.AssetDep("raw_insights", partition_mapping=dg.LastPartitionMapping()),
        "insight_restatements",
        "insight_readings",
        "ad_object_history",
    ],
    group_name=OPTIMIZER,
    kinds={"python", "deltalake"},
    owners=OWNERS,
    description=BACKTEST_SCORES.meaning,
    metadata=described(BACKTEST_SCORES),
    check_specs=every_account_check("backtest_scores"),
)
def backtest_scores(
    context: dg.AssetExecutionContext, config: BacktestConfig, lake: LakeResource
) -> dg.MaterializeResult:  # type: ignore[type-arg]
    settings = load_settings()
    tables = lake.open()
    snapshot = tables.snapshot()
    run_id = context.run.run_id
    found: dict[str, Backtest] = {}

    def one(account: str) -> pl.DataFrame:
        rules = rules_of(settings, account)
        last = last_testable(snapshot, account)
        asked = DateRange(last - timedelta(days=config.days - 1), last)
        policies = compared_policies(rules.policy, config.policies)
        result = found[account] = backtest(snapshot, account, rules, policies, asked)
        tables.write(BACKTEST_DAYS, day_rows(result, run_id), Scope([account]), run_id=run_id)
        return score_rows(result, run_id)

    accounts = config.chosen(settings)
    done = each_account(tables, BACKTEST_SCORES, accounts, one, run_id=run_id, scope=of_account)
    shown = ["account_id", "policy", "revenue_difference", "spend_difference", "moves", "right"]
    rounded = done.rows.with_columns(pl.selectors.float().round(3))
    told: dict[str, dg.MarkdownMetadataValue] = {}
    for account in done.accounts[:MOST_ACCOUNTS]:
        told |= _pictures(found[account], rules_of(settings, account).policy.name)
    words = [
        f"act_{row['account_id']}: {in_words(found[row['account_id']], row)}"
        for row in done.rows.iter_rows(named=True)
    ]
    return done.result(
        {
            "scores": preview(rounded, shown),
            "in words": dg.MetadataValue.md("\n".join(f"- {each}" for each in words)),
            "what it cannot know": dg.MetadataValue.md("\n\n".join(CANNOT_KNOW)),
            **told,
        }
    )


BACKTEST_DAYS_SPEC = dg.AssetSpec(
    BACKTEST_DAYS.name,
    description=f"{BACKTEST_DAYS.meaning} Written by the runs of backtest_scores.",
    deps=["backtest_scores"],
    group_name=RECORDS,
    kinds={"python", "deltalake"},
    owners=OWNERS,
    metadata=described(BACKTEST_DAYS),
)


def _pictures(result: Backtest, own: str) -> dict[str, dg.MarkdownMetadataValue]:
    """Revenue by policy over the days, and the reliability of the account's own policy."""
    from zyenta_ads_pipeline.charts.backtest import (  # noqa: PLC0415 - for those who run it
        backtest_svg,
        reliability_svg,
    )
    from zyenta_ads_pipeline.charts.embed import markdown_picture  # noqa: PLC0415

    account = f"act_{result.account_id}"
    days = result.days.select("date", "policy", "revenue_estimate", "revenue_done")
    revenue = markdown_picture(
        backtest_svg(days, currency=result.currency), f"Estimated revenue by policy, {account}"
    )
    told = {f"revenue of {account}": dg.MetadataValue.md(revenue)}
    # Below an even chance only what makes up a total is moved.
    bins = reliability_bins(result, own).filter(pl.col("stated") >= _EVEN)
    if bins.height:
        picture = markdown_picture(reliability_svg(bins), f"Confidence of {own}, {account}")
        told[f"confidence in {account}"] = dg.MetadataValue.md(picture)
    return told
