"""The allocation: from each campaign's budget today to the one it gets."""

from __future__ import annotations

import altair as alt
import polars as pl

from zyenta_ads_pipeline.charts.style import (
    GREEN,
    GREY,
    NARROW,
    RED,
    WIDTH,
    money_axis,
    svg,
    told_apart,
)

_MOST = 25
_ROW_HEIGHT = 24
_RAISED, _CUT, _KEPT, _PAUSED = "raised", "cut", "kept", "paused"


def allocation_svg(rows: pl.DataFrame, *, currency: str, narrow: bool = False) -> str:
    """`rows`: name, current, proposed (daily budgets in major units, floats; current may be null).

    The campaigns with the largest moves are drawn, at most 25, largest budget first.
    """
    shown = (
        rows.select(
            told_apart(rows["name"]).alias("name"),
            pl.col("current").fill_null(0.0),
            pl.col("proposed").fill_null(pl.col("current")).fill_null(0.0),
        )
        .with_columns(move=(pl.col("proposed") - pl.col("current")).abs())
        .sort("move", "name", descending=[True, False])
        .head(_MOST)
        .with_columns(
            what=pl.when(pl.col("proposed") == 0, pl.col("current") > 0)
            .then(pl.lit(_PAUSED))
            .when(pl.col("proposed") > pl.col("current"))
            .then(pl.lit(_RAISED))
            .when(pl.col("proposed") < pl.col("current"))
            .then(pl.lit(_CUT))
            .otherwise(pl.lit(_KEPT))
        )
    )
    order = shown.sort("proposed", "name", descending=[True, False])["name"].to_list()
    name = alt.Y("name:N", sort=order, axis=alt.Axis(title=None, labelLimit=110 if narrow else 240))
    color = alt.Color(
        "what:N",
        scale=alt.Scale(
            domain=[_RAISED, _CUT, _KEPT, _PAUSED], range=[GREEN, RED, GREY, "#7b1e1e"]
        ),
        legend=alt.Legend(title=None),
    )
    base = alt.Chart(shown)
    bar = base.mark_rule(strokeWidth=3).encode(
        y=name,
        x=alt.X("current:Q", axis=money_axis("daily budget", currency)),
        x2=alt.X2("proposed:Q"),
        color=color,
    )
    before = base.mark_point(shape="circle", size=40, filled=True, color=GREY).encode(
        y=name, x=alt.X("current:Q")
    )
    after = base.mark_point(shape="diamond", size=80, filled=True).encode(
        y=name, x=alt.X("proposed:Q"), color=color
    )
    title = alt.TitleParams("Budgets: today (dot) and allocated (diamond)")
    width = NARROW if narrow else WIDTH
    height = max(_ROW_HEIGHT * shown.height, 2 * _ROW_HEIGHT)
    return svg(alt.layer(bar, before, after).properties(title=title, width=width, height=height))
