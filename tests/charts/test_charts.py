"""Charts: what is drawn is what the frames say, whatever their names and gaps."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from base64 import b64decode
from datetime import date, timedelta

import polars as pl
import pytest

from zyenta_ads_pipeline.charts.allocation import allocation_svg
from zyenta_ads_pipeline.charts.backtest import backtest_svg, reliability_svg
from zyenta_ads_pipeline.charts.creative_tests import creative_test_svg
from zyenta_ads_pipeline.charts.decisions import decisions_svg
from zyenta_ads_pipeline.charts.embed import markdown_picture
from zyenta_ads_pipeline.charts.response import Panel, response_curve_svg, response_curves_svg

SVG = "{http://www.w3.org/2000/svg}"
DAYS = [date(2026, 10, 1) + timedelta(days=n) for n in range(10)]
POINTS = pl.DataFrame(
    {"spend": [90.0, 100.0, 110.0], "conversions": [4.0, 6.0, 5.0], "maturity": [1.0, 0.8, 0.5]}
)
CURVE = pl.DataFrame(
    {
        "spend": [50.0, 100.0, 150.0],
        "conversions": [3.0, 5.0, 6.0],
        "conversions_low": [2.0, 4.0, 4.5],
        "conversions_high": [4.0, 6.0, 8.0],
    }
)


def _root(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314 (drawn here, not given by others)


def _texts(svg: str) -> list[str]:
    return [element.text or "" for element in _root(svg).iter(f"{SVG}text")]


def _marks(svg: str, role: str) -> int:
    root = _root(svg)
    return sum(
        len(list(group)) for group in root.iter(f"{SVG}g") if role in group.get("class", "").split()
    )


def test_a_response_curve_shows_days_curve_and_both_budgets() -> None:
    svg = response_curve_svg(
        POINTS, CURVE, title="Trail | Prospecting", currency="EUR", today=100.0, proposed=120.0
    )
    assert "Trail | Prospecting" in _texts(svg)
    assert {"spend a day (EUR)", "conversions a day", "today", "proposed"} <= set(_texts(svg))
    assert _marks(svg, "mark-symbol") >= 3, "a dot for each day"
    assert _marks(svg, "mark-rule") >= 2, "a line for each budget"


def test_a_curve_without_days_or_budgets_is_drawn_all_the_same() -> None:
    empty = POINTS.clear()
    svg = response_curve_svg(empty, CURVE, title="New", currency="USD", today=None, proposed=None)
    assert "New" in _texts(svg)


def test_panels_stand_side_by_side_and_one_below_the_other_on_a_phone() -> None:
    panels = [Panel(f"Campaign {n}", POINTS, CURVE, 100.0, 120.0) for n in range(4)]
    wide, narrow = (
        _root(response_curves_svg(panels, currency="USD", narrow=on)) for on in (False, True)
    )
    assert float(wide.get("width", 0)) > 2 * float(narrow.get("width", 0))
    assert float(narrow.get("width", 0)) <= 390
    assert {f"Campaign {n}" for n in range(4)} <= {e.text for e in wide.iter(f"{SVG}text")}


def test_an_allocation_draws_each_campaign_once_even_under_equal_names() -> None:
    rows = pl.DataFrame(
        {
            "name": ["Same", "Same", "New"],
            "current": [10.0, 20.0, None],
            "proposed": [12.0, 0.0, 5.0],
        }
    )
    texts = _texts(allocation_svg(rows, currency="USD"))
    assert {"Same", "Same (2)", "New", "raised", "cut", "paused"} <= set(texts)


def test_the_largest_moves_are_drawn_where_there_are_many() -> None:
    rows = pl.DataFrame(
        {
            "name": [f"C{n:03d}" for n in range(60)],
            "current": [100.0] * 60,
            "proposed": [100.0 + n for n in range(60)],
        }
    )
    drawn = {text for text in _texts(allocation_svg(rows, currency="USD")) if text.startswith("C0")}
    assert drawn == {f"C{n:03d}" for n in range(35, 60)}


def test_decisions_without_a_curve_have_no_interval_and_those_without_a_value_are_left_out() -> (
    None
):
    rows = pl.DataFrame(
        {
            "name": ["A", "B", "C"],
            "action": ["increase", "pause", "maintain"],
            "value": [2.5, 0.4, None],
            "low": [2.0, None, None],
            "high": [3.0, None, None],
        }
    )
    texts = _texts(decisions_svg(rows, price=1.8))
    assert {"A", "B"} <= set(texts)
    assert "C" not in texts
    assert any("1.80" in text for text in texts)


@pytest.mark.parametrize("narrow", [False, True], ids=["desk", "phone"])
def test_backtest_and_reliability(narrow: bool) -> None:
    days = pl.DataFrame(
        {
            "date": DAYS * 2,
            "policy": ["equal"] * 10 + ["response_curve"] * 10,
            "revenue_estimate": [90.0] * 10 + [110.0] * 10,
            "revenue_done": [100.0] * 20,
        }
    )
    assert {"equal", "response_curve"} <= set(
        _texts(backtest_svg(days, currency="USD", narrow=narrow))
    )
    bins = pl.DataFrame({"stated": [0.75, 0.95], "right": [0.7, 0.96], "count": [41, 0]})
    texts = _texts(reliability_svg(bins, narrow=narrow))
    assert "41" in texts
    assert "0" not in texts, "an empty bin says nothing"


def test_a_creative_test_tells_its_arms_apart() -> None:
    days = pl.DataFrame(
        {
            "date": DAYS * 2,
            "arm": ["Benefit"] * 10 + ["Urgency"] * 10,
            "rate": [0.010] * 10 + [0.012] * 10,
            "low": [0.009] * 20,
            "high": [0.013] * 20,
        }
    )
    assert {"Benefit", "Urgency"} <= set(_texts(creative_test_svg(days, metric="rate")))


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", 'A & B "C"', "Éclair - ランニング"])
def test_a_name_cannot_leave_its_text(name: str) -> None:
    rows = pl.DataFrame({"name": [name], "current": [10.0], "proposed": [12.0]})
    svg = allocation_svg(rows, currency="USD")
    assert name in _texts(svg)
    assert not list(_root(svg).iter(f"{SVG}script"))


def test_a_picture_in_markdown_carries_the_svg() -> None:
    text = markdown_picture("<svg/>", "Budgets [today]\nand new")
    assert text.startswith("![Budgets (today) and new](data:image/svg+xml;base64,")
    assert b64decode(text.split("base64,")[1].rstrip(")")) == b"<svg/>"
