"""`zyenta campaign tests`: how creatives stand in their test, and which of them tire."""

from __future__ import annotations

import polars as pl
from rich.console import Group, RenderableType
from rich.text import Text

from zyenta_ads_pipeline.campaign_list import SHORT
from zyenta_ads_pipeline.domain.campaign import AdCampaign
from zyenta_ads_pipeline.lake.creative_tables import CREATIVE_FATIGUE, CREATIVE_TESTS
from zyenta_ads_pipeline.lake.lake import Lake
from zyenta_ads_pipeline.settings import Settings
from zyenta_ads_pipeline.showing import add, table

_STYLES = {"winner": "green", "loser": "red"}


def show_tests(settings: Settings, campaign: AdCampaign) -> RenderableType:
    """The newest look at a campaign's creatives; what to do where nobody looked yet."""
    snapshot = Lake(settings.lake_location).snapshot()
    looks = snapshot.scan(CREATIVE_TESTS).filter(pl.col("campaign_id") == campaign.id).collect()
    if looks.is_empty():
        return Text(
            f"No creatives of {campaign.name} have been tested. A test begins with the next run "
            "once two of them deliver."
        )
    newest = looks.filter(pl.col("date") == pl.col("date").max())
    first = newest.row(0, named=True)
    shown = table(
        f"{campaign.name}: by {first['metric'].replace('_', ' ')}, since {first['started']}, "
        f"for {first['horizon_days']} days at most",
        ("creative", "standing", "impressions", "purchases", "lift", "interval"),
    )
    for row in newest.iter_rows(named=True):
        add(
            shown,
            f"{row['name']} ({row['creative_id'][:SHORT]})",
            row["standing"].replace("_", " "),
            f"{row['impressions']:,}",
            f"{row['conversions']:,.0f}",
            _bound(row["lift"]),
            f"{_bound(row['lift_low'])} to {_bound(row['lift_high'])}",
            style=_STYLES.get(row["standing"], ""),
        )
    reasons = [Text(f"{row['name']}: {row['reason']}") for row in newest.iter_rows(named=True)]
    ids = newest["creative_id"].to_list()
    tired = (
        snapshot.scan(CREATIVE_FATIGUE)
        .filter(pl.col("creative_id").is_in(ids) & pl.col("tired"))
        .collect()
    )
    names = dict(newest.select("creative_id", "name").iter_rows())
    warnings = [
        Text(f"{names[row['creative_id']]}: {row['reason']}", style="yellow")
        for row in tired.iter_rows(named=True)
    ]
    return Group(shown, *reasons, *warnings)


def _bound(lift: float | None) -> str:
    return "?" if lift is None else f"{lift:+.0%}"
