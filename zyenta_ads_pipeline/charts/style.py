"""How every chart looks, and how it becomes SVG."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl
import vl_convert
from altair.typing import ChartType

# Okabe and Ito's colours: told apart by people who see no red or no green.
BLUE = "#0072b2"
ORANGE = "#e69f00"
GREEN = "#009e73"
RED = "#d55e00"
PINK = "#cc79a7"
SKY = "#56b4e9"
GREY = "#8a8f98"
INK = "#1f2933"

WIDTH = 560
NARROW = 300
"""Width of a chart's inner part on a desk and on a phone, pixels."""

_FONT = "Inter, Helvetica Neue, Arial, sans-serif"
_CONFIG: dict[str, Any] = {
    "background": "white",
    "font": _FONT,
    "padding": 8,
    "view": {"stroke": None},
    "title": {"fontSize": 13, "fontWeight": 600, "anchor": "start", "color": INK, "offset": 10,
              "subtitleColor": "#52606d", "subtitleFontSize": 11},
    "axis": {"labelColor": "#52606d", "titleColor": "#52606d", "gridColor": "#e4e7eb",
             "domainColor": "#9aa5b1", "tickColor": "#9aa5b1", "labelFontSize": 11,
             "titleFontSize": 11, "titleFontWeight": 500, "labelLimit": 220},
    "legend": {"labelColor": INK, "titleColor": "#52606d", "labelFontSize": 11,
               "titleFontSize": 11, "orient": "bottom"},
}  # fmt: skip


def svg(chart: ChartType) -> str:
    """The chart as SVG text, with the house's fonts and colours."""
    spec = chart.to_dict()
    spec["config"] = _CONFIG
    return str(vl_convert.vegalite_to_svg(spec))


def money_axis(title: str, currency: str) -> alt.Axis:
    """An axis of amounts in a currency's major units."""
    return alt.Axis(title=f"{title} ({currency})", format="~s", tickCount=6)


def told_apart(names: pl.Series) -> pl.Series:
    """Names as they are, those that come again with a number: an axis merges equal ones."""
    seen = pl.DataFrame({"name": names}).with_columns(
        nth=pl.int_range(1, pl.len() + 1).over("name")
    )
    numbered = pl.format("{} ({})", "name", "nth")
    return seen.select(pl.when(pl.col("nth") > 1).then(numbered).otherwise("name")).to_series()
