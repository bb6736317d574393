"""How every chart looks, and how it becomes SVG."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl
import vl_convert
from altair.typing import ChartType

from zyenta_ads_pipeline.charts.slim import slimmed

# Okabe and Ito's colours: told apart by people who see no red or no green.
BLUE = "#0072b2"
ORANGE = "#e69f00"
GREEN = "#009e73"
RED = "#d55e00"
PINK = "#cc79a7"
SKY = "#56b4e9"
GREY = "#8a8f98"
INK = "#1f2933"
QUIET = "#52606d"
AXIS = "#9aa5b1"
GRID = "#e4e7eb"
"""What is written and ruled, strongest first; inside of a page it takes the page's own colour."""

WIDTH = 560
NARROW = 300
"""Width of a chart's inner part on a desk and on a phone, pixels."""

IN_SHORT = "format(datum.value, abs(datum.value) < 1000 ? '~f' : '~s')"
"""An axis' amounts: 0.5, 250, 1.5k, 2M."""

_FONT = "Inter, Helvetica Neue, Arial, sans-serif"
_CONFIG: dict[str, Any] = {
    "background": "white",
    "font": _FONT,
    "padding": 8,
    "view": {"stroke": None},
    "title": {"fontSize": 13, "fontWeight": 600, "anchor": "start", "color": INK, "offset": 10,
              "subtitleColor": QUIET, "subtitleFontSize": 11},
    "axis": {"labelColor": QUIET, "titleColor": QUIET, "gridColor": GRID,
             "domainColor": AXIS, "tickColor": AXIS, "labelFontSize": 11,
             "titleFontSize": 11, "titleFontWeight": 500, "titlePadding": 8, "labelLimit": 220},
    "legend": {"labelColor": INK, "titleColor": QUIET, "labelFontSize": 11,
               "titleFontSize": 11, "orient": "bottom", "symbolOpacity": 1},
}  # fmt: skip


def svg(chart: ChartType) -> str:
    """The chart as SVG text, with the house's fonts and colours."""
    # Not checked against Vega-Lite's schema: the renderer reads it anyway, and that takes longer.
    spec = chart.to_dict(validate=False)
    spec["config"] = _CONFIG
    return slimmed(str(vl_convert.vegalite_to_svg(spec)), _FONT)


def warm_up() -> None:
    """Start the renderer, so that the first chart does not wait for it (a second of a process)."""
    svg(alt.Chart(pl.DataFrame({"x": [0.0]})).mark_point().encode(x=alt.X("x:Q")))


def money_axis(title: str, currency: str) -> alt.Axis:
    """An axis of amounts in a currency's major units."""
    return alt.Axis(title=f"{title} ({currency})", labelExpr=IN_SHORT, tickCount=6)


def told_apart(names: pl.Series) -> pl.Series:
    """Names as they are, those that come again with a number: an axis merges equal ones."""
    seen = pl.DataFrame({"name": names}).with_columns(
        nth=pl.int_range(1, pl.len() + 1).over("name")
    )
    numbered = pl.format("{} ({})", "name", "nth")
    return seen.select(pl.when(pl.col("nth") > 1).then(numbered).otherwise("name")).to_series()
