"""Response curves: the days that were seen, the curve, its interval, today's and the new budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import polars as pl
from altair.typing import ChartType

from zyenta_ads_pipeline.charts.kept import kept
from zyenta_ads_pipeline.charts.rows import Rows, between, money, number, table
from zyenta_ads_pipeline.charts.style import (
    BLUE,
    GREY,
    INK,
    NARROW,
    RED,
    WIDTH,
    money_axis,
    svg,
)

_COLUMNS = 3
_TODAY, _PROPOSED = "today", "proposed"


@dataclass(frozen=True)
class Panel:
    """One object's picture.

    `points`: spend, conversions (as expected once all are reported), maturity; a day each.
    `curve`: spend, conversions, conversions_low, conversions_high (80 %). `today` and `proposed`
    are daily budgets in major units, None where there is none.
    """

    title: str
    points: pl.DataFrame
    curve: pl.DataFrame
    today: float | None
    proposed: float | None


@kept
def response_curve_svg(
    points: pl.DataFrame,
    curve: pl.DataFrame,
    *,
    title: str,
    currency: str,
    today: float | None,
    proposed: float | None,
    narrow: bool = False,
) -> str:
    """One curve; the frames are those of `Panel`."""
    width = NARROW if narrow else WIDTH
    return svg(_panel(Panel(title, points, curve, today, proposed), currency, width, 260))


@kept
def response_curves_svg(panels: Sequence[Panel], *, currency: str, narrow: bool = False) -> str:
    """Several curves beside each other, each with axes of its own."""
    drawn = [_panel(each, currency, 230, 160) for each in panels]
    return svg(alt.concat(*drawn, columns=1 if narrow else _COLUMNS))


def response_table(curve: pl.DataFrame, *, currency: str, most: int = 12) -> Rows:
    """The curve as rows, lowest spend first, at most about `most`; the frame is that of `Panel`."""
    step = max(1, curve.height // most)
    shown = curve.sort("spend").gather_every(step)
    ends = ("conversions", "conversions_low", "conversions_high")
    rows = [
        (money(spend, currency), number(mean, 1), between(low, high, 1))
        for spend, mean, low, high in shown.select("spend", *ends).iter_rows()
    ]
    return table((f"spend a day ({currency})", "conversions a day", "80 % lie in"), rows)


def _panel(panel: Panel, currency: str, width: int, height: int) -> ChartType:
    spend = alt.X("spend:Q", axis=money_axis("spend a day", currency))
    band = (
        alt.Chart(panel.curve)
        .mark_area(color=BLUE, opacity=0.18)
        .encode(
            x=spend,
            y=alt.Y("conversions_low:Q", axis=alt.Axis(title="conversions a day", tickCount=5)),
            y2=alt.Y2("conversions_high:Q"),
        )
    )
    line = alt.Chart(panel.curve).mark_line(color=BLUE).encode(x=spend, y=alt.Y("conversions:Q"))
    dots = (
        alt.Chart(panel.points)
        .mark_circle(color=INK, size=22)
        .encode(
            x=spend,
            y=alt.Y("conversions:Q"),
            # A day whose conversions are still coming in is shown as what it is: uncertain.
            opacity=alt.Opacity(
                "maturity:Q", scale=alt.Scale(domain=[0, 1], range=[0.05, 0.55]), legend=None
            ),
        )
    )
    marks = [
        {"budget": amount, "what": what}
        for what, amount in ((_TODAY, panel.today), (_PROPOSED, panel.proposed))
        if amount is not None
    ]
    frame = pl.DataFrame(marks, schema={"budget": pl.Float64, "what": pl.String})
    what = alt.Color(
        "what:N",
        scale=alt.Scale(domain=[_TODAY, _PROPOSED], range=[GREY, RED]),
        legend=alt.Legend(title="budget"),
    )
    rules = (
        alt.Chart(frame)
        .mark_rule(strokeWidth=2)
        .encode(
            x=alt.X("budget:Q"),
            color=what,
            strokeDash=alt.StrokeDash(
                "what:N",
                scale=alt.Scale(domain=[_TODAY, _PROPOSED], range=[[1, 0], [5, 3]]),
                legend=None,
            ),
        )
    )
    drawn = alt.layer(band, dots, line, rules).properties(width=width, height=height)
    return drawn.properties(title=panel.title) if panel.title else drawn
