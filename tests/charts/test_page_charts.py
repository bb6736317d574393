"""The charts of pages: series, forecasts, and how a chart stands in a page."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from datetime import date, timedelta

import polars as pl
import pytest

from zyenta_ads_pipeline.charts import kept as keeping
from zyenta_ads_pipeline.charts.creative_tests import creative_test_svg, creative_test_table
from zyenta_ads_pipeline.charts.embed import inline_svg
from zyenta_ads_pipeline.charts.forecast import forecast_svg, forecast_table
from zyenta_ads_pipeline.charts.kept import content, kept
from zyenta_ads_pipeline.charts.response import response_curve_svg, response_table
from zyenta_ads_pipeline.charts.rows import UNKNOWN, Rows
from zyenta_ads_pipeline.charts.series import COMING, SeriesMetric, series_svg, series_table

SVG = "{http://www.w3.org/2000/svg}"
FIRST = date(2026, 11, 1)


def series(days: int = 10, uncertain: int = 3) -> pl.DataFrame:
    """Days of which the last are uncertain, and the very last is not over."""
    rows = []
    for n in range(days):
        coming = n >= days - uncertain
        rows.append(
            {
                "date": FIRST + timedelta(days=n),
                "spend": 100.0 + n,
                "purchases": 4.0,
                "revenue": 200.0,
                "revenue_expected": 240.0 if coming else 200.0,
                "revenue_low": 210.0 if coming else 200.0,
                "revenue_high": 290.0 if coming else 200.0,
                "roas": 2.0,
                "roas_expected": 2.4 if coming else 2.0,
                "roas_low": 2.1 if coming else 2.0,
                "roas_high": 2.9 if coming else 2.0,
                "uncertain": coming,
                "running": coming and n == days - 1,
            }
        )
    return pl.DataFrame(rows)


POINTS = pl.DataFrame(
    {
        "budget": [50.0, 100.0, 150.0],
        "purchases": [20.0, 30.0, 36.0],
        "purchases_low": [14.0, 20.0, 25.0],
        "purchases_high": [28.0, 40.0, 50.0],
        "value": [900.0, 1400.0, 1700.0],
        "value_low": [600.0, 900.0, 1100.0],
        "value_high": [1300.0, 1900.0, 2400.0],
    }
)
CURVE = pl.DataFrame(
    {
        "spend": [50.0, 100.0, 150.0],
        "conversions": [3.0, 5.0, 6.0],
        "conversions_low": [2.0, 4.0, 4.5],
        "conversions_high": [4.0, 6.0, 8.0],
    }
)
TEST_DAYS = pl.DataFrame(
    [
        (FIRST + timedelta(days=n), arm, 0.01, 0.008, 0.013)
        for n in range(8)
        for arm in ("Warm", "Dry")
    ],
    schema=["date", "arm", "rate", "low", "high"],
    orient="row",
)


def root(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314 (drawn here, not given by others)


def texts(svg: str) -> set[str]:
    return {element.text or "" for element in root(svg).iter(f"{SVG}text")}


def drawn(narrow: bool) -> dict[str, str]:
    """One of each of the charts that pages show."""
    return {
        "roas": series_svg(series(), currency="USD", narrow=narrow),
        "revenue": series_svg(series(), currency="USD", metric="revenue", narrow=narrow),
        "forecast": forecast_svg(
            POINTS, currency="USD", days=7, today=50.0, asked=100.0, narrow=narrow
        ),
        "curve": response_curve_svg(
            CURVE.select("spend", "conversions", maturity=pl.lit(1.0)),
            CURVE, title="", currency="USD", today=50.0, proposed=100.0, narrow=narrow,
        ),
        "test": creative_test_svg(TEST_DAYS, metric="rate", title="", narrow=narrow),
    }  # fmt: skip


# What is drawn


@pytest.mark.parametrize("metric", ["roas", "revenue"])
def test_uncertain_days_are_shown_as_such(metric: SeriesMetric) -> None:
    sure = texts(series_svg(series(uncertain=0), currency="USD", metric=metric))
    unsure = texts(series_svg(series(), currency="USD", metric=metric))
    assert {COMING, "reported so far"} <= unsure
    assert not {COMING, "reported so far"} & sure


def test_each_day_is_told_where_it_is_pointed_at() -> None:
    found = [each.text for each in root(series_svg(series(), currency="USD")).iter(f"{SVG}title")]
    assert len(found) == 10
    assert "1 Nov: spend 100.00, ROAS 2.00" in found
    assert "9 Nov: spend 108.00, ROAS 2.00 so far, 2.40 (2.10 to 2.90) expected" in found


def test_the_ratio_of_a_day_that_is_not_over_does_not_stretch_the_scale() -> None:
    last = pl.when("running").then(90.0)
    wild = series().with_columns(roas_high=last.otherwise("roas_high"))
    assert "90" not in texts(series_svg(wild, currency="USD"))
    alone = series(days=1, uncertain=1)
    assert "3" in texts(series_svg(alone, currency="USD")), "where it is all there is, it is drawn"


def test_a_day_without_a_row_is_a_gap_and_two_years_are_drawn() -> None:
    gap = series().filter(pl.col("date") != FIRST + timedelta(days=4))
    line = series_svg(gap, currency="USD", metric="revenue")
    assert any(each.get("d", "").count("M") == 2 for each in root(line).iter(f"{SVG}path"))
    long = series_svg(series(days=731), currency="USD")
    assert len(long) < 250_000
    assert not list(root(long).iter(f"{SVG}title"))


def test_nothing_is_drawn_from_nothing() -> None:
    assert root(series_svg(series().clear(), currency="USD")) is not None
    empty = forecast_svg(POINTS.clear(), currency="USD", days=7, today=None, asked=None)
    assert root(empty) is not None
    assert root(creative_test_svg(TEST_DAYS.clear(), metric="rate")) is not None


def test_a_forecast_marks_both_budgets() -> None:
    both = forecast_svg(POINTS, currency="EUR", days=7, today=50.0, asked=149.0)
    assert {"today", "asked", "budget a day (EUR)", "purchases in 7 days"} <= texts(both)
    same = forecast_svg(POINTS, currency="EUR", days=7, today=50.0, asked=50.0)
    assert "today" in texts(same)
    assert "asked" not in texts(same), "nothing else is asked"
    none = forecast_svg(POINTS, currency="EUR", days=1, metric="value", today=None, asked=None)
    assert not {"today", "asked"} & texts(none)
    assert "revenue a day (EUR)" in texts(none)


@pytest.mark.parametrize("name", drawn(narrow=True))
def test_a_narrow_chart_fits_a_phone(name: str) -> None:
    assert float(root(drawn(narrow=True)[name]).get("width", 0)) <= 390
    assert float(root(drawn(narrow=False)[name]).get("width", 0)) > 500


# The same in numbers


def cells(found: Rows) -> list[tuple[str, ...]]:
    assert all(len(row) == len(found.headings) for row in found.rows)
    return list(found.rows)


def test_the_table_of_a_series_says_what_is_drawn() -> None:
    found = cells(series_table(series(), currency="USD"))
    assert found[0] == (
        "2026-11-10", "109.00", "4", "200.00", "2.00", "2.40 (2.10 to 2.90)", COMING
    )  # fmt: skip
    assert found[-1] == ("2026-11-01", "100.00", "4", "200.00", "2.00", "2.00", "")
    money = cells(series_table(series(), currency="JPY", metric="revenue"))
    assert money[0][5] == "240 (210 to 290)"
    unknown = series().with_columns(roas=pl.lit(None, pl.Float64), roas_expected=None)
    assert cells(series_table(unknown, currency="USD"))[0][4:6] == (UNKNOWN, UNKNOWN)


def test_the_tables_of_the_others_say_what_is_drawn() -> None:
    marks = {"currency": "USD", "days": 7, "today": 50.0, "asked": 150.0}
    found = cells(forecast_table(POINTS, **marks))  # type: ignore[arg-type]
    assert found[0] == ("50.00", "20.0", "14 to 28", "today")
    assert found[-1][-1] == "asked"
    assert cells(forecast_table(POINTS, metric="value", **marks))[1] == (  # type: ignore[arg-type]
        "100.00", "1,400.00", "900.00 to 1,900.00", ""
    )  # fmt: skip
    assert cells(response_table(CURVE, currency="USD"))[0] == ("50.00", "3.0", "2.0 to 4.0")
    arms = cells(creative_test_table(TEST_DAYS, metric="rate"))
    assert arms[0] == ("Dry", "2026-11-08", "0.01", "0.008 to 0.013")


# In a page


@pytest.mark.parametrize("name", drawn(narrow=False))
def test_in_a_page_a_chart_has_no_style_no_ground_and_the_pages_colour(name: str) -> None:
    text = inline_svg(drawn(narrow=False)[name], "Title", "What it shows.")
    assert not re.search(r"\bstyle\s*=|<style|<script|xmlns|\bhref|\bon\w+=", text)
    assert "currentColor" in text
    assert "font-family" not in text
    assert 'fill="white"' not in text
    found = root(text)
    assert (found.tag, found.get("role"), found.get("class")) == ("svg", "img", "chart")
    ids = [each.get("id") for each in found.iter() if each.get("id")]
    assert found.get("aria-labelledby") in ids
    assert found.get("aria-describedby") in ids
    assert found.findtext("title") == "Title"
    assert found.findtext("desc") == "What it shows."


def test_ids_of_two_charts_do_not_meet_and_still_lead_somewhere() -> None:
    svgs = [creative_test_svg(TEST_DAYS, metric="rate", narrow=on) for on in (False, True)]
    pages = [inline_svg(svg, "Test", "Rates.") for svg in svgs]
    ids = [set(re.findall(r'id="([^"]+)"', page)) for page in pages]
    assert not ids[0] & ids[1]
    assert len(ids[0]) >= 3, "title, text and the clip of the bands"
    for page, own in zip(pages, ids, strict=True):
        assert set(re.findall(r"url\(#([^)]+)\)", page)) <= own


@pytest.mark.parametrize("words", ["<script>alert(1)</script>", 'A & B "C"', "Éclair"])
def test_words_cannot_leave_their_place(words: str) -> None:
    found = root(inline_svg(drawn(narrow=True)["roas"], words, words))
    assert (found.findtext("title"), found.findtext("desc")) == (words, words)
    assert not list(found.iter("script"))
    arm = TEST_DAYS.with_columns(arm=pl.lit(words))
    assert words in texts(creative_test_svg(arm, metric="rate"))


def test_pictures_are_small() -> None:
    sizes = {name: len(inline_svg(svg, "T", "D")) for name, svg in drawn(narrow=True).items()}
    assert max(sizes.values()) < 12_000, sizes


# Kept


def test_the_same_numbers_are_drawn_once() -> None:
    calls = []

    @kept
    def draw(frame: pl.DataFrame, *, title: str = "") -> str:
        calls.append(title)
        return f"{frame.height} {title}"

    frame = pl.DataFrame({"x": [1.0, 2.0]})
    assert draw(frame, title="a") == draw(frame.clone(), title="a") == "2 a"
    assert calls == ["a"]
    draw(frame, title="b")
    draw(pl.DataFrame({"x": [2.0, 1.0]}), title="a")
    draw(pl.DataFrame({"y": [1.0, 2.0]}), title="a")
    draw(pl.DataFrame({"x": [1, 2]}), title="a")
    assert len(calls) == 5


def test_a_key_says_all_that_is_drawn() -> None:
    assert content({"a": [1, (2, POINTS)]}) == content({"a": [1, (2, POINTS.clone())]})
    assert content(POINTS) != content(POINTS.clear())
    assert keeping.MOST_KEPT >= 100
