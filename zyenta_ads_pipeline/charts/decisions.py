"""Decisions: what the next unit of money returns in each campaign, against the account's price."""

from __future__ import annotations

import altair as alt
import polars as pl

from zyenta_ads_pipeline.charts.style import GREEN, GREY, INK, NARROW, RED, WIDTH, svg, told_apart

_MOST = 25
_ROW_HEIGHT = 24
_ACTIONS = ["increase", "maintain", "decrease", "pause"]


def decisions_svg(
    rows: pl.DataFrame,
    *,
    price: float | None = None,
    value_title: str = "revenue of the next unit of money",
    narrow: bool = False,
) -> str:
    """`rows`: name, action, value and, where known, low and high (an 80 % interval; may be null).

    `price` is the return at which the account's money is worth the same everywhere: who lies above
    it deserves more, who lies below less. At most 25 campaigns, highest value first.
    """
    shown = (
        rows.select(told_apart(rows["name"]).alias("name"), "action", "value", "low", "high")
        .drop_nulls("value")
        .sort("value", "name", descending=[True, False])
        .head(_MOST)
    )
    order = shown["name"].to_list()
    name = alt.Y("name:N", sort=order, axis=alt.Axis(title=None, labelLimit=110 if narrow else 240))
    color = alt.Color(
        "action:N",
        scale=alt.Scale(domain=_ACTIONS, range=[GREEN, GREY, RED, "#7b1e1e"]),
        legend=alt.Legend(title=None),
    )
    value = alt.X("value:Q", axis=alt.Axis(title=value_title), scale=alt.Scale(zero=True))
    base = alt.Chart(shown)
    layers: list[alt.Chart] = [
        base.mark_rule(strokeWidth=3, opacity=0.5).encode(
            y=name, x=alt.X("low:Q"), x2=alt.X2("high:Q"), color=color
        ),
        base.mark_point(filled=True, size=70, opacity=1).encode(y=name, x=value, color=color),
    ]
    subtitle = []
    if price is not None:
        line = pl.DataFrame({"price": [price]})
        layers.append(
            alt.Chart(line).mark_rule(color=INK, strokeDash=[4, 3]).encode(x=alt.X("price:Q"))
        )
        subtitle = [f"Dashed: the account's price, {price:.2f}. Bars: 80 % interval."]
    title = alt.TitleParams("Decisions", subtitle=subtitle)
    width = NARROW if narrow else WIDTH
    height = max(_ROW_HEIGHT * shown.height, 2 * _ROW_HEIGHT)
    return svg(alt.layer(*layers).properties(title=title, width=width, height=height))
