"""What another daily budget is expected to bring: the curve ahead, its interval, and where today's
budget and the asked one stand on it."""

from __future__ import annotations

from typing import Literal, TypeAlias

import altair as alt
import polars as pl

from zyenta_ads_pipeline.charts.kept import kept
from zyenta_ads_pipeline.charts.rows import Rows, between, money, money_between, number, table
from zyenta_ads_pipeline.charts.style import (
    BLUE,
    GREY,
    IN_SHORT,
    NARROW,
    RED,
    WIDTH,
    money_axis,
    svg,
)

ForecastMetric: TypeAlias = Literal["purchases", "value"]

_TODAY, _ASKED = "today", "asked"
_TABLE_ROWS = 12


@kept
def forecast_svg(
    points: pl.DataFrame,
    *,
    currency: str,
    days: int,
    today: float | None,
    asked: float | None,
    metric: ForecastMetric = "purchases",
    narrow: bool = False,
) -> str:
    """`points`: budget (major units a day) and the metric with `_low` and `_high` (80 %), of all
    `days` days together. `today` and `asked` are budgets, None where there is none.
    """
    budget = alt.X(
        "budget:Q",
        axis=money_axis("budget a day", currency),
        scale=alt.Scale(zero=False, nice=False),
    )
    y = alt.Y(
        f"{metric}:Q",
        axis=alt.Axis(title=_title(metric, days, currency), tickCount=5, labelExpr=IN_SHORT),
        scale=alt.Scale(zero=True),
    )
    base = alt.Chart(points)
    low, high = f"{metric}_low", f"{metric}_high"
    band = base.mark_area(color=BLUE, opacity=0.18).encode(
        x=budget, y=alt.Y(f"{low}:Q"), y2=alt.Y2(f"{high}:Q")
    )
    line = base.mark_line(color=BLUE).encode(x=budget, y=y)
    marks = _marks(points, metric, today, asked)
    names = [each for each in (_TODAY, _ASKED) if each in marks["what"].to_list()]
    what = alt.Color(
        "what:N",
        scale=alt.Scale(domain=names, range=[{_TODAY: GREY, _ASKED: RED}[each] for each in names]),
        legend=alt.Legend(title="budget", symbolType="circle"),
    )
    stood = alt.Chart(marks)
    error = stood.mark_rule(strokeWidth=2).encode(
        x=budget, y=alt.Y(f"{low}:Q"), y2=alt.Y2(f"{high}:Q"), color=what
    )
    dots = stood.mark_circle(size=80, opacity=1).encode(x=budget, y=y, color=what)
    width, height = (NARROW, 180) if narrow else (WIDTH, 220)
    return svg(alt.layer(band, line, error, dots).properties(width=width, height=height))


def forecast_table(
    points: pl.DataFrame,
    *,
    currency: str,
    days: int,
    today: float | None,
    asked: float | None,
    metric: ForecastMetric = "purchases",
    narrow: bool = False,
) -> Rows:
    """The same numbers as rows, lowest budget first: some budgets, among them both that are
    marked. Arguments as those of `forecast_svg`."""
    marks = {amount: what for what, amount in ((_ASKED, asked), (_TODAY, today)) if amount}
    step = max(1, points.height // _TABLE_ROWS)
    shown = (
        points.sort("budget")
        .with_row_index("nth")
        .filter((pl.col("nth") % step == 0) | pl.col("budget").is_in(list(marks)))
    )
    rows = []
    for row in shown.iter_rows(named=True):
        mean, low, high = (row[f"{metric}{end}"] for end in ("", "_low", "_high"))
        told = (
            (number(mean, 1), between(low, high))
            if metric == "purchases"
            else (money(mean, currency), money_between(low, high, currency))
        )
        rows.append((money(row["budget"], currency), *told, marks.get(row["budget"], "")))
    headings = (f"budget a day ({currency})", _title(metric, days, currency), "80 % lie in", "")
    return table(headings, rows)


def _title(metric: ForecastMetric, days: int, currency: str) -> str:
    span = "a day" if days == 1 else f"in {days} days"
    return f"purchases {span}" if metric == "purchases" else f"revenue {span} ({currency})"


def _marks(
    points: pl.DataFrame, metric: ForecastMetric, today: float | None, asked: float | None
) -> pl.DataFrame:
    """The rows at both budgets; the point next to one where it is not among them. Today's alone
    where nothing else is asked."""
    wanted = ("budget", metric, f"{metric}_low", f"{metric}_high")
    frames = [points.select(*wanted, what=pl.lit("", pl.String)).clear()]
    for what, amount in ((_TODAY, today), (_ASKED, None if asked == today else asked)):
        if amount is not None and not points.is_empty():
            nearest = points.sort((pl.col("budget") - amount).abs()).head(1)
            frames.append(nearest.select(*wanted, what=pl.lit(what)))
    return pl.concat(frames)
