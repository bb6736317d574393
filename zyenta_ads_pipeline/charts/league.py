"""The public benchmark: how much of the best possible revenue each policy earns."""

from __future__ import annotations

import altair as alt
import polars as pl

from zyenta_ads_pipeline.charts.style import BLUE, INK, NARROW, ORANGE, WIDTH, svg

_ROW_HEIGHT = 26


def league_svg(rows: pl.DataFrame, *, narrow: bool = False) -> str:
    """`rows`: policy, mean, worst: revenue over the oracle's, over all markets and in the worst."""
    order = rows.sort("mean", "policy", descending=[True, False])["policy"].to_list()
    policy = alt.Y("policy:N", sort=order, axis=alt.Axis(title=None))
    share = alt.X(
        "mean:Q",
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(title="revenue, share of the best possible", format="%"),
    )
    base = alt.Chart(rows)
    bar = base.mark_bar(color=BLUE, height=12).encode(y=policy, x=share)
    worst = base.mark_tick(color=ORANGE, thickness=3, height=18).encode(
        y=policy, x=alt.X("worst:Q")
    )
    text = base.mark_text(align="left", dx=5, color=INK, fontSize=11).encode(
        y=policy, x=alt.X("mean:Q"), text=alt.Text("mean:Q", format=".3f")
    )
    title = alt.TitleParams(
        "Revenue against an oracle that knows every curve",
        subtitle=["Bar: mean of all markets. Orange: the worst single market."],
    )
    width = NARROW if narrow else WIDTH
    height = _ROW_HEIGHT * rows.height
    return svg(alt.layer(bar, worst, text).properties(title=title, width=width, height=height))
