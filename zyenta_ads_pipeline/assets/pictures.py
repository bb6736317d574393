"""Charts as metadata of a run. What draws them is loaded when a run has something to draw: Dagster
loads this file for every page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

import dagster as dg
import polars as pl

from zyenta_ads_pipeline.campaigns.curve_views import CurveView
from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.money import offset
from zyenta_ads_pipeline.lake.lake import Snapshot

MOST_ACCOUNTS = 2
MOST_CURVES = 3
"""How much of a run is drawn: metadata stays in Dagster's storage as long as its run, and a curve
takes 10 kB of it."""
DAYS_DRAWN = 28
"""Days of a series."""


def curves_picture(views: Sequence[CurveView], currency: str) -> dg.MarkdownMetadataValue:
    """Each campaign's days, curve, interval, today's budget and the allocated one."""
    from zyenta_ads_pipeline.charts.embed import markdown_picture  # noqa: PLC0415 - see above
    from zyenta_ads_pipeline.charts.response import Panel, response_curves_svg  # noqa: PLC0415

    panels = [
        Panel(each.title, each.points, each.curve, each.today, each.proposed) for each in views
    ]
    svg = response_curves_svg(panels, currency=currency)
    return dg.MetadataValue.md(markdown_picture(svg, "Response curves of the largest campaigns"))


def decisions_picture(decisions: pl.DataFrame, curves: pl.DataFrame) -> dg.MarkdownMetadataValue:
    """What the next unit of money returns in each campaign, with its interval, where curves are
    known; else the ROAS of the window. `decisions` and `curves` are rows of the lake's tables."""
    from zyenta_ads_pipeline.charts.decisions import decisions_svg  # noqa: PLC0415 - see above
    from zyenta_ads_pipeline.charts.embed import markdown_picture  # noqa: PLC0415

    rows = decisions.join(
        curves.select(
            pl.col("object_id").alias("campaign_id"),
            value=pl.col("marginal"),
            low=pl.col("marginal_low"),
            high=pl.col("marginal_high"),
        ),
        on="campaign_id",
        how="left",
    ).rename({"campaign_name": "name"})
    title = "revenue of the next unit of money"
    if rows["value"].null_count() == rows.height:
        rows, title = rows.with_columns(value=pl.col("roas")), "ROAS of the window"
    svg = decisions_svg(rows, value_title=title)
    return dg.MetadataValue.md(markdown_picture(svg, "Decisions by campaign"))


def allocation_picture(allocation: pl.DataFrame) -> dg.MarkdownMetadataValue:
    """Each campaign's budget today and as allocated; `allocation` are rows of one account."""
    from zyenta_ads_pipeline.charts.allocation import allocation_svg  # noqa: PLC0415 - see above
    from zyenta_ads_pipeline.charts.embed import markdown_picture  # noqa: PLC0415

    currency = allocation["currency"][0]
    paused = pl.col("action") == "pause"
    minor = pl.coalesce("allocated_minor", "current_budget_minor")
    rows = allocation.select(
        name=pl.coalesce("campaign_name", "campaign_id"),
        current=pl.col("current_budget_minor") / offset(currency),
        proposed=pl.when(paused).then(0).otherwise(minor) / offset(currency),
    ).drop_nulls("current")
    svg = allocation_svg(rows, currency=currency)
    return dg.MetadataValue.md(markdown_picture(svg, "Budgets today and allocated"))


def series_pictures(snapshot: Snapshot, accounts: Sequence[str]) -> dict[str, dg.MetadataValue]:
    """Spend and ROAS of the first accounts over their last days, as metadata. Reads
    `account_metrics` and `ad_accounts`."""
    from zyenta_ads_pipeline.charts.embed import markdown_picture  # noqa: PLC0415 - see above
    from zyenta_ads_pipeline.charts.series import series_svg  # noqa: PLC0415
    from zyenta_ads_pipeline.console.numbers_read import accounts_seen, object_series  # noqa: PLC0415

    seen = accounts_seen(snapshot)
    pictures: dict[str, dg.MetadataValue] = {}
    for account in accounts[:MOST_ACCOUNTS]:
        if account not in seen:
            continue
        until = seen[account].today
        since = until - timedelta(days=DAYS_DRAWN - 1)
        series = object_series(snapshot, Level.ACCOUNT, account, since, until)
        if series.days:
            svg = series_svg(series.frame(), currency=series.currency)
            pictures[f"days of act_{account}"] = dg.MetadataValue.md(
                markdown_picture(svg, "Spend and ROAS by day")
            )
    return pictures


def by_account(
    rows: pl.DataFrame, picture: Callable[[pl.DataFrame], dg.MarkdownMetadataValue], name: str
) -> dict[str, dg.MarkdownMetadataValue]:
    """A picture for each of the first accounts in `rows`, as metadata."""
    accounts = rows["account_id"].unique(maintain_order=True).head(MOST_ACCOUNTS)
    return {
        f"{name} of act_{account}": picture(rows.filter(pl.col("account_id") == account))
        for account in accounts
    }
