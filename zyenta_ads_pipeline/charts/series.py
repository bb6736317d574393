"""Spend over the days with what it brought: ROAS, or revenue. Days whose purchases are still
coming in are shown as what they are: uncertain."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal, TypeAlias

import altair as alt
import polars as pl

from zyenta_ads_pipeline.charts.kept import kept
from zyenta_ads_pipeline.charts.rows import Rows, day, money, money_between, number, table
from zyenta_ads_pipeline.charts.slim import TOLD
from zyenta_ads_pipeline.charts.style import (
    BLUE,
    GREY,
    IN_SHORT,
    NARROW,
    ORANGE,
    SKY,
    WIDTH,
    svg,
)

SeriesMetric: TypeAlias = Literal["roas", "revenue"]

COMING = "still coming in"
"""What the legend calls the days whose purchases are not all reported."""
_SO_FAR = "reported so far"
_SPEND = "spend"
_NAMES: dict[SeriesMetric, str] = {"roas": "ROAS", "revenue": "revenue"}
_DENSE = 100
"""From so many days on a bar is too thin to be pointed at."""
_BETWEEN = 0.25
"""Room between the days, of the width of one with it."""
_LABEL = 56
"""Room that a day's name takes on the axis, pixels."""


@kept
def series_svg(
    days: pl.DataFrame, *, currency: str, metric: SeriesMetric = "roas", narrow: bool = False
) -> str:
    """`days`: date, spend, purchases, revenue, roas, uncertain, running, and of `revenue` and
    `roas` what is `_expected` once all is reported, with `_low` and `_high` (80 %); a row per day,
    in any order.

    The line is what is expected, with its interval, and dots say what is reported so far. A day
    without a row leaves a gap.
    """
    width = NARROW if narrow else WIDTH
    plot = _Plot(_whole(days, metric, currency), _NAMES[metric], width)
    if metric == "revenue":
        title = f"a day ({currency})"
        layers = [plot.ground(), plot.bars(title), *plot.line(title), *plot.told()]
        return svg(alt.layer(*layers).properties(width=width, height=200 if narrow else 240))
    bare = replace(plot, named=False)
    above = [bare.ground(), *bare.line(plot.name), *bare.told()]
    below = [plot.ground(), plot.bars(f"spend ({currency})")]
    return svg(
        alt.vconcat(
            alt.layer(*above).properties(width=width, height=130 if narrow else 150),
            alt.layer(*below).properties(width=width, height=70),
            spacing=12,
        )
    )


def series_table(
    days: pl.DataFrame, *, currency: str, metric: SeriesMetric = "roas", narrow: bool = False
) -> Rows:
    """The same numbers as rows, newest day first; arguments as those of `series_svg`."""
    expected = f"{_NAMES[metric]} expected (80 %)"
    headings = ("day", f"spend ({currency})", "purchases", f"revenue ({currency})", "ROAS",
                expected, "")  # fmt: skip
    rows = []
    for row in days.sort("date", descending=True).iter_rows(named=True):
        rows.append(
            (
                day(row["date"]),
                money(row["spend"], currency),
                number(row["purchases"]),
                money(row["revenue"], currency),
                number(row["roas"], 2),
                _expected(row, metric, currency),
                COMING if row["uncertain"] else "",
            )
        )
    return table(headings, rows)


def _expected(row: dict[str, Any], metric: SeriesMetric, currency: str) -> str:
    value, low, high = (row[f"{metric}_{end}"] for end in ("expected", "low", "high"))
    if value is None or not row["uncertain"]:
        return number(value, 2) if metric == "roas" else money(value, currency)
    if metric == "roas":
        return f"{number(value, 2)} ({number(low, 2)} to {number(high, 2)})"
    return f"{money(value, currency)} ({money_between(low, high, currency)})"


def _whole(days: pl.DataFrame, metric: SeriesMetric, currency: str) -> pl.DataFrame:
    """A row for each day from the first to the last, with what is drawn of it."""
    # The ratio of a day's first hours would stretch the whole scale; alone, it is all there is.
    drawn = ~pl.col("running") if metric == "roas" and days.height > 1 else pl.lit(value=True)
    rows = days.select(
        "date",
        "spend",
        "uncertain",
        "running",
        so_far=pl.when("uncertain", drawn).then(metric),
        value=pl.when(drawn).then(f"{metric}_expected"),
        low=pl.when("uncertain", drawn).then(f"{metric}_low"),
        high=pl.when("uncertain", drawn).then(f"{metric}_high"),
        told=_words(days, metric, currency),
    )
    if rows.is_empty():
        return rows.with_columns(day=pl.lit("", pl.String))
    when = pl.col("date")
    every = days.select(date=pl.date_range(when.min(), when.max()))
    return every.join(rows, on="date", how="left", maintain_order="left").with_columns(
        pl.col("uncertain", "running").fill_null(value=False),
        pl.col("told").fill_null(""),
        day=when.cast(pl.String),
    )


def _words(days: pl.DataFrame, metric: SeriesMetric, currency: str) -> pl.Series:
    """`28 Nov: spend 256.23, ROAS 1.17, 2.36 expected (1.28 to 3.62)`, for each day."""
    words = []
    for row in days.iter_rows(named=True):
        reported = number(row["roas"], 2) if metric == "roas" else money(row["revenue"], currency)
        text = f"{_short(row['date'])}: spend {money(row['spend'], currency)}, "
        text += f"{_NAMES[metric]} {reported}"
        if row["uncertain"]:
            text += f" so far, {_expected(row, metric, currency)} expected"
        words.append(TOLD + text)
    return pl.Series("told", words, dtype=pl.String)


def _short(when: date) -> str:
    return f"{when.day} {when:%b}"


@dataclass(frozen=True)
class _Plot:
    """The marks over the days of `whole`; `name` is what the line shows, `named` whether the days
    have their names on the axis."""

    whole: pl.DataFrame
    name: str
    width: int
    named: bool = True

    def ground(self) -> alt.Chart:
        """Behind the days that are uncertain, from edge to edge."""
        rows = self.whole.filter("uncertain").select("day")
        mark = alt.Chart(rows).mark_rect(fillOpacity=0.16, width={"band": 1 / (1 - _BETWEEN)})
        drawn: alt.Chart = mark.encode(x=self._x(), color=self._color(COMING))
        return drawn

    def bars(self, title: str) -> alt.Chart:
        """Spend, lighter where the day is not over."""
        rows = self.whole.select("day", "spend", "running")
        shade = alt.Opacity(
            "running:N", scale=alt.Scale(domain=[False, True], range=[0.6, 0.3]), legend=None
        )
        y, color = _amounts("spend", title), self._color(_SPEND)
        mark = alt.Chart(rows).mark_bar()
        drawn: alt.Chart = mark.encode(x=self._x(), y=y, color=color, opacity=shade)
        return drawn

    def line(self, title: str) -> list[alt.Chart]:
        """What is expected, its interval, and what is reported so far."""
        rows = self.whole.select("day", "value", "low", "high", "so_far")
        y, color = _amounts("value", title), self._color(self.name)
        error = alt.Chart(rows.drop_nulls("low")).mark_rule(strokeWidth=2, opacity=0.45)
        line = alt.Chart(rows).mark_line(strokeWidth=2)
        dots = alt.Chart(rows.drop_nulls("value")).mark_circle(size=26, opacity=1)
        so_far = alt.Chart(rows.drop_nulls("so_far")).mark_point(
            shape="diamond", size=46, filled=True, opacity=1
        )
        return [
            error.encode(x=self._x(), y=_amounts("low", title), y2=alt.Y2("high:Q"), color=color),
            line.encode(x=self._x(), y=y, color=color),
            dots.encode(x=self._x(), y=y, color=color),
            so_far.encode(x=self._x(), y=_amounts("so_far", title), color=self._color(_SO_FAR)),
        ]

    def told(self) -> list[alt.Chart]:
        """What is said of a day that is pointed at; nothing where days are too thin for that."""
        if self.whole.height > _DENSE:
            return []
        rows = self.whole.filter(pl.col("told") != "").select("day", "told")
        mark = alt.Chart(rows).mark_rect(fillOpacity=0)
        return [mark.encode(x=self._x(), description=alt.Description("told:N"))]

    def _x(self) -> alt.X:
        """Days side by side, as many named as there is room for; the last one always."""
        days = self.whole["day"].to_list()
        step = max(1, -(-len(days) * _LABEL // self.width))
        axis = alt.Axis(
            title=None,
            values=days[::-1][::step],
            labelExpr="utcFormat(toDate(datum.value), '%-d %b')",
            labelAngle=0,
            labels=self.named,
            ticks=self.named,
        )
        scale = alt.Scale(domain=days, paddingInner=_BETWEEN, paddingOuter=0.1)
        return alt.X("day:O", axis=axis, scale=scale)

    def _color(self, what: str) -> alt.ColorDatum:
        """The colour of one of the things that are drawn, in one legend of all."""
        uncertain = bool(self.whole["uncertain"].any())
        names = [self.name, _SPEND, *([_SO_FAR, COMING] if uncertain else [])]
        colors = [BLUE, SKY, ORANGE, GREY][: len(names)]
        return alt.ColorDatum(
            what,
            scale=alt.Scale(domain=names, range=colors),
            legend=alt.Legend(
                title=None,
                symbolType="square",
                symbolStrokeWidth=0,
                columnPadding=18,
                columns=2 if self.width == NARROW else 4,
            ),
        )


def _amounts(name: str, title: str) -> alt.Y:
    return alt.Y(f"{name}:Q", axis=alt.Axis(title=title, tickCount=4, labelExpr=IN_SHORT))
