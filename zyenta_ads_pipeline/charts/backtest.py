"""Backtests: revenue by policy over the days, and whether stated confidences came true."""

from __future__ import annotations

import altair as alt
import polars as pl

from zyenta_ads_pipeline.charts.style import (
    BLUE,
    GREEN,
    GREY,
    INK,
    NARROW,
    ORANGE,
    PINK,
    RED,
    SKY,
    WIDTH,
    svg,
)

_COLORS = [BLUE, ORANGE, GREEN, PINK, SKY, RED]


def backtest_svg(days: pl.DataFrame, *, currency: str, narrow: bool = False) -> str:
    """`days`: date, policy, revenue_estimate, revenue_done, a day and policy each, major units.

    Drawn is what each policy is estimated to have earned beyond what was done, summed up.
    """
    gained = (
        days.sort("policy", "date")
        .with_columns(
            gain=(pl.col("revenue_estimate") - pl.col("revenue_done")).cum_sum().over("policy")
        )
        .select("date", "policy", "gain")
    )
    policies = gained["policy"].unique().sort().to_list()
    line = (
        alt.Chart(gained)
        .mark_line()
        .encode(
            x=alt.X("date:T", axis=alt.Axis(title=None, tickCount=6, format="%-d %b")),
            y=alt.Y("gain:Q", axis=alt.Axis(title=f"revenue beyond what was done ({currency})")),
            color=alt.Color(
                "policy:N",
                scale=alt.Scale(domain=policies, range=_COLORS[: len(policies)]),
                legend=alt.Legend(title=None),
            ),
        )
    )
    zero = alt.Chart(pl.DataFrame({"gain": [0.0]})).mark_rule(color=GREY).encode(y=alt.Y("gain:Q"))
    title = alt.TitleParams(
        "Estimated revenue against what was done, summed up",
        subtitle=["An estimate by the fitted curves: nobody saw the budgets that were not set."],
    )
    width = NARROW if narrow else WIDTH
    return svg(alt.layer(zero, line).properties(title=title, width=width, height=240))


def reliability_svg(bins: pl.DataFrame, *, narrow: bool = False) -> str:
    """`bins`: stated (mean confidence), right (share that came true), count."""
    even = pl.DataFrame({"stated": [0.5, 1.0], "right": [0.5, 1.0]})
    share = alt.Scale(domain=[0, 1])
    stated = alt.X("stated:Q", scale=alt.Scale(domain=[0.5, 1]), axis=alt.Axis(title="stated"))
    right = alt.Y("right:Q", scale=share, axis=alt.Axis(title="right"))
    diagonal = alt.Chart(even).mark_line(color=GREY, strokeDash=[4, 3]).encode(x=stated, y=right)
    base = alt.Chart(bins.filter(pl.col("count") > 0))
    line = base.mark_line(color=BLUE, opacity=0.5).encode(x=stated, y=right)
    dots = base.mark_circle(color=BLUE, opacity=0.9).encode(
        x=stated,
        y=right,
        size=alt.Size("count:Q", legend=None, scale=alt.Scale(range=[30, 300])),
    )
    counts = base.mark_text(dy=-14, color=INK, fontSize=10).encode(
        x=stated, y=right, text=alt.Text("count:Q")
    )
    title = alt.TitleParams(
        "Confidence: as often right as it says",
        subtitle=["On the dashed line a stated 80 % is right in 80 of 100; numbers are counts."],
    )
    width = NARROW if narrow else 320
    return svg(
        alt.layer(diagonal, line, dots, counts).properties(title=title, width=width, height=240)
    )
