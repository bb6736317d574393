"""Creative tests: each creative's rate so far with its interval, and how it came to be."""

from __future__ import annotations

import altair as alt
import polars as pl

from zyenta_ads_pipeline.charts.style import (
    BLUE,
    GREEN,
    NARROW,
    ORANGE,
    PINK,
    RED,
    SKY,
    WIDTH,
    svg,
)

_COLORS = [BLUE, ORANGE, GREEN, PINK, SKY, RED]


def creative_test_svg(
    days: pl.DataFrame, *, metric: str, title: str = "Creative test", narrow: bool = False
) -> str:
    """`days`: date, arm, rate, low, high: each arm's rate up to and including that day."""
    arms = days["arm"].unique(maintain_order=True).to_list()
    color = alt.Color(
        "arm:N",
        scale=alt.Scale(domain=arms, range=[_COLORS[n % len(_COLORS)] for n in range(len(arms))]),
        legend=alt.Legend(title=None, columns=1),
    )
    date = alt.X("date:T", axis=alt.Axis(title=None, tickCount=6))
    base = alt.Chart(days)
    band = base.mark_area(opacity=0.15).encode(
        x=date, y=alt.Y("low:Q", axis=alt.Axis(title=metric)), y2="high:Q", color=color
    )
    line = base.mark_line().encode(x=date, y="rate:Q", color=color)
    width = NARROW if narrow else WIDTH
    return svg(alt.layer(band, line).properties(title=title, width=width, height=220))
