"""Creative tests: each creative's rate so far with its interval, and how it came to be."""

from __future__ import annotations

import altair as alt
import polars as pl

from zyenta_ads_pipeline.charts.kept import kept
from zyenta_ads_pipeline.charts.rows import UNKNOWN, Rows, day, table
from zyenta_ads_pipeline.charts.style import (
    BLUE,
    GREEN,
    IN_SHORT,
    NARROW,
    ORANGE,
    PINK,
    RED,
    SKY,
    WIDTH,
    svg,
)

_COLORS = [BLUE, ORANGE, GREEN, PINK, SKY, RED]


@kept
def creative_test_svg(
    days: pl.DataFrame, *, metric: str, title: str = "Creative test", narrow: bool = False
) -> str:
    """`days`: date, arm, rate, low, high: each arm's rate up to and including that day."""
    arms = days["arm"].unique(maintain_order=True).to_list()
    color = alt.Color(
        "arm:N",
        scale=alt.Scale(domain=arms, range=[_COLORS[n % len(_COLORS)] for n in range(len(arms))]),
        legend=alt.Legend(title=None, columns=1, labelLimit=NARROW - 20),
    )
    date = alt.X("date:T", axis=alt.Axis(title=None, tickCount=5, format="%-d %b", grid=False))
    scale = alt.Scale(domain=[0, _top(days)], nice=False)
    rate = alt.Axis(title=metric, labelExpr=IN_SHORT, tickCount=5)
    base = alt.Chart(days)
    band = base.mark_area(opacity=0.15, clip=True).encode(
        x=date, y=alt.Y("low:Q", axis=rate, scale=scale), y2=alt.Y2("high:Q"), color=color
    )
    line = base.mark_line(clip=True).encode(x=date, y=alt.Y("rate:Q"), color=color)
    width = NARROW if narrow else WIDTH
    drawn = alt.layer(band, line).properties(width=width, height=220)
    return svg(drawn.properties(title=title) if title else drawn)


def creative_test_table(days: pl.DataFrame, *, metric: str) -> Rows:
    """The newest day's rates as rows, an arm each; `days` as those of `creative_test_svg`."""
    newest = days.sort("date").group_by("arm", maintain_order=True).last().sort("arm")
    rows = []
    for row in newest.iter_rows(named=True):
        rate, low, high = (_small(row[name]) for name in ("rate", "low", "high"))
        rows.append((row["arm"], day(row["date"]), rate, f"{low} to {high}"))
    return table(("creative", "up to", metric, "80 % lie in"), rows)


def _top(days: pl.DataFrame) -> float:
    """Where the scale ends: at what is possible after the first days, whose bands are very wide."""
    dates = days["date"].unique().sort()
    later = days.filter(pl.col("date") >= dates[dates.len() // 4]) if dates.len() else days
    highest = later.select(pl.max_horizontal(pl.col("high").max(), pl.col("rate").max())).item()
    return float(highest or 1.0) * 1.05


def _small(value: float | None) -> str:
    """A rate to three digits that count."""
    return UNKNOWN if value is None else f"{value:.3g}"
