"""Rows as Meta wrote them become rows of the lake, or nothing does."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zyenta_ads_pipeline.domain.ads import LEAD_TYPES, PURCHASE_TYPES, AdAccount, Level
from zyenta_ads_pipeline.domain.errors import IncompleteData
from zyenta_ads_pipeline.domain.insights import (
    ATTRIBUTION_WINDOWS,
    HOURLY,
    PLAIN,
    PRESETS,
    STATS,
    Preset,
    Report,
)
from zyenta_ads_pipeline.domain.time import DateRange
from zyenta_ads_pipeline.ingestion.normalising import (
    action_types,
    lead_type,
    normalised,
    purchase_type,
)
from zyenta_ads_pipeline.lake.schema import MONEY
from zyenta_ads_pipeline.lake.tables import BREAKDOWN_TABLES, RAW_INSIGHTS

SEEN = datetime(2026, 11, 3, 23, 30, tzinfo=UTC)  # the fourth in Berlin
ACCOUNT = AdAccount("1", "Shop", "EUR", "Europe/Berlin", 1, 100, SEEN)
DAYS = DateRange(date(2026, 10, 1), date(2026, 11, 4))
ITEM = pl.Struct(dict.fromkeys(("action_type", "value", *ATTRIBUTION_WINDOWS), pl.String))
ROW: dict[str, Any] = {
    "account_id": "1",
    "campaign_id": "10",
    "adset_id": "20",
    "ad_id": "120210000000000001",
    "date_start": "2026-11-02",
    "date_stop": "2026-11-02",
    "account_currency": "EUR",
    "impressions": "100",
    "clicks": "5",
    "spend": "1.50",
    "actions": [{"action_type": "purchase", "value": "2", "7d_click": "1"}],
    "action_values": [{"action_type": "purchase", "value": "19.90"}],
}


def report(level: Level = Level.AD, preset: Preset = PLAIN) -> Report:
    return Report("1", level, DAYS, preset, preset.fields)


def texts(rows: list[dict[str, Any]], asked: Report) -> pl.DataFrame:
    """Rows as a platform hands them over: one text column a field, `...` for an absent key."""
    names = [*asked.id_fields, "date_start", "date_stop", *asked.preset.breakdowns, *asked.fields]
    schema = {name: pl.List(ITEM) if name in STATS else pl.String for name in names}
    kept = [{k: row[k] for k in names if row.get(k, ...) is not ...} for row in rows]
    return pl.DataFrame(kept, schema=schema).with_columns(
        pl.lit(SEEN).alias("observed_at"), pl.lit(None, pl.String).alias("missing")
    )


def frame(*rows: dict[str, Any], asked: Report | None = None) -> pl.DataFrame:
    asked = asked or report()
    return normalised(texts(list(rows), asked), asked, ACCOUNT, "run")


def one(level: Level = Level.AD, **values: Any) -> dict[str, Any]:
    return frame({**ROW, **values}, asked=report(level)).row(0, named=True)


def test_a_row_keeps_metas_texts() -> None:
    row = one()
    windows = dict.fromkeys(ATTRIBUTION_WINDOWS)
    assert {name: row[name] for name in RAW_INSIGHTS.schema.names() if name in row} == {
        "date": date(2026, 11, 2),
        "account_id": "1",
        "level": "ad",
        "object_id": "120210000000000001",
        "campaign_id": "10",
        "adset_id": "20",
        "ad_id": "120210000000000001",
        "currency": "EUR",
        "impressions": "100",
        "clicks": "5",
        "inline_link_clicks": None,
        "reach": None,
        "spend": "1.50",
        "actions": [{"action_type": "purchase", "value": "2", **windows, "7d_click": "1"}],
        "action_values": [{"action_type": "purchase", "value": "19.90", **windows}],
        "attribution_setting": None,
        "missing": None,
        "observed_at": SEEN,
        "run_id": "run",
    }


def test_what_is_absent_stays_absent_and_is_no_zero() -> None:
    names = ("impressions", "clicks", "spend", "actions", "action_values")
    bare = one(Level.AD, **dict.fromkeys((*names, "account_currency"), ...))
    for name in (*names, "currency"):
        assert bare[name] is None


@pytest.mark.parametrize(
    ("level", "object_id"),
    [
        (Level.ACCOUNT, "1"),
        (Level.CAMPAIGN, "10"),
        (Level.ADSET, "20"),
        (Level.AD, "120210000000000001"),
    ],
)
def test_a_row_is_keyed_by_the_object_of_its_level(level: Level, object_id: str) -> None:
    assert one(level)["object_id"] == object_id
    assert one(level)["level"] == level.value


def test_an_accounts_row_needs_no_account_id_of_its_own() -> None:
    assert one(Level.ACCOUNT, account_id=...)["object_id"] == "1"


MALFORMED: dict[str, tuple[dict[str, Any], str]] = {
    "no day": ({"date_start": ...}, "without its day"),
    "no end": ({"date_stop": None}, "not of one day"),
    "a day that is none": ({"date_start": "2026-02-30"}, "without its day"),
    "a month": ({"date_start": "2026-11-01"}, "not of one day"),
    "a day not asked for": (
        {"date_start": "2026-09-30", "date_stop": "2026-09-30"},
        "not asked for",
    ),
    "another account": ({"account_id": "2"}, "a row of account 2"),
    "no ad": ({"ad_id": ...}, "without its ad_id"),
    "an empty ad": ({"ad_id": ""}, "without its ad_id"),
    "no campaign": ({"campaign_id": ...}, "without its campaign_id"),
    "no ad set": ({"adset_id": None}, "without its adset_id"),
    "a word for a number": ({"impressions": "many"}, "impressions 'many'"),
    "an empty number": ({"clicks": ""}, "clicks ''"),
    "half a click": ({"clicks": "1.5"}, "not a whole number"),
    "a truth for a number": ({"reach": "true"}, "reach 'true'"),
    "not a number": ({"spend": "NaN"}, "spend 'NaN'"),
    "a number without end": ({"spend": "Infinity"}, "spend"),
    "a number of another script": ({"impressions": "१२"}, "impressions"),
    "a number with signs in it": ({"impressions": "1_000"}, "impressions"),
    "a number with a line's end": ({"impressions": "1000\n"}, "impressions"),
    "a number with commas": ({"spend": "1,000.50"}, "spend"),
    "a number too great to store": ({"spend": "1e400"}, "spend"),
    "an amount of 26 digits": ({"spend": "9" * 26}, "spend"),
    "an exponent too great": ({"spend": "1e25"}, "spend"),
    "a short text of a great amount": ({"spend": "-99999e+30"}, "spend"),
    "an action's exponent too great": (
        {"action_values": [{"action_type": "purchase", "value": "1E26"}]},
        "action_values.purchase value '1E26'",
    ),
    "an action without a type": ({"actions": [{"value": "1"}]}, "without action_type"),
    "an action of many": (
        {"action_values": [{"action_type": "purchase", "value": "many"}]},
        "action_values.purchase",
    ),
    "a window of many": (
        {"actions": [{"action_type": "purchase", "value": "1", "1d_view": "x"}]},
        "purchase 1d_view",
    ),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_row_stops_the_whole_report(name: str) -> None:
    change, words = MALFORMED[name]
    with pytest.raises(IncompleteData, match=words) as refused:
        frame({**ROW, "ad_id": "1"}, {**ROW, **change})
    assert "act_1 ad insights" in refused.value.what


@given(st.decimals(-(10**12), 10**12, places=6))
def test_every_amount_passes_with_the_digits_it_came_with(amount: Decimal) -> None:
    text = f"{amount:f}"
    assert one(spend=text)["spend"] == text


@settings(deadline=None)
@given(st.integers() | st.floats(allow_nan=False, allow_infinity=False).map(repr))
def test_whatever_passes_as_an_amount_can_be_stored_and_added_up(value: object) -> None:
    try:
        text = one(spend=str(value))["spend"]
    except IncompleteData:
        assert abs(Decimal(str(value))) >= 10**25 or abs(Decimal(str(value))) < Decimal("1e-99")
        return
    (stored,) = pl.Series([text]).cast(MONEY)
    assert abs(stored - Decimal(text)) <= Decimal("1e-12")
    assert pl.Series([stored] * 9, dtype=MONEY).sum() is not None


@given(st.text() | st.integers().map(str) | st.floats().map(str))
def test_whatever_passes_as_a_whole_number_is_one(value: str) -> None:
    try:
        text = one(impressions=value)["impressions"]
    except IncompleteData:
        return
    assert Decimal(text) == int(Decimal(text))
    assert text.isascii()


def test_a_row_that_comes_twice_is_incomplete_and_named() -> None:
    with pytest.raises(IncompleteData, match="2026-11-02, 120210000000000001 twice"):
        frame(ROW, {**ROW, "clicks": "6"})


def test_a_report_without_rows_has_the_same_columns() -> None:
    assert frame().schema == frame(ROW).schema
    assert set(RAW_INSIGHTS.schema.names()) - set(frame().columns) <= {"content_hash"}


def test_the_types_of_actions_are_collected_from_counts_and_values() -> None:
    rows = frame(
        {**ROW, "actions": [{"action_type": "a", "value": "1"}], "action_values": ...},
        {**ROW, "ad_id": "2", "actions": ..., "action_values": [{"action_type": "b"}]},
    )
    assert action_types(rows) == {"a", "b"}


PRESET_NAMES = list(PRESETS)
"""At least two values of each breakdown, so that a key without it would double."""


@pytest.mark.parametrize("name", PRESET_NAMES)
@given(data=st.data())
def test_every_row_of_a_breakdown_is_kept_under_a_key_of_its_own(
    name: str, data: st.DataObject
) -> None:
    preset = PRESETS[name]
    labels = {
        HOURLY: [f"{hour:02}:00:00 - {hour:02}:59:59" for hour in range(24)],
    }
    values = {
        part: data.draw(
            st.lists(
                st.sampled_from(labels[part]) if part in labels else st.text("abc", min_size=1),
                min_size=2,
                max_size=4,
                unique=True,
            )
        )
        for part in preset.breakdowns
    }
    combinations: list[dict[str, str]] = [{}]
    for part, options in values.items():
        combinations = [{**c, part: option} for c in combinations for option in options]
    rows = [
        {**ROW, **combination, "ad_id": ad, "date_start": day, "date_stop": day}
        for combination in combinations
        for ad in ("1", "2")
        for day in ("2026-10-31", "2026-11-01")
    ]
    asked = report(preset=preset)
    found = frame(*rows, asked=asked)
    table = BREAKDOWN_TABLES[name]
    assert found.height == len(rows)
    assert set(table.schema.names()) <= set(found.columns)
    assert found.select(table.key).is_duplicated().sum() == 0
    assert found.select(table.key).null_count().sum_horizontal()[0] == 0
    with pytest.raises(IncompleteData, match="twice"):
        frame(*rows, rows[0], asked=asked)


@pytest.mark.parametrize("name", PRESET_NAMES)
def test_a_breakdown_that_is_absent_from_a_row_is_incomplete(name: str) -> None:
    preset = PRESETS[name]
    filled = dict.fromkeys(preset.breakdowns, "07:00:00 - 07:59:59")
    for part in preset.breakdowns:
        with pytest.raises(IncompleteData, match=f"without its {part}"):
            frame({**ROW, **filled, part: ...}, asked=report(preset=preset))


def hours(day: str, *numbers: int) -> pl.DataFrame:
    preset = PRESETS["by_hour"]
    rows = [
        {**ROW, "date_start": day, "date_stop": day, HOURLY: f"{n:02}:00:00 - {n:02}:59:59"}
        for n in numbers
    ]
    return frame(*rows, asked=report(preset=preset)).sort("hour", "fold")


def test_the_hours_of_a_short_day_follow_each_other_without_a_hole_in_utc() -> None:
    """Berlin, spring forward: no hour 2."""
    spring = DateRange(date(2026, 3, 29), date(2026, 3, 29))
    preset = PRESETS["by_hour"]
    asked = Report("1", Level.AD, spring, preset, preset.fields)
    rows = [
        {**ROW, "date_start": "2026-03-29", "date_stop": "2026-03-29",
         HOURLY: f"{n:02}:00:00 - {n:02}:59:59"}
        for n in range(24) if n != 2
    ]  # fmt: skip
    found = frame(*rows, asked=asked).sort("hour")
    first = datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert found["starts_at"].to_list() == [first + timedelta(hours=n) for n in range(23)]
    assert found["hours"].to_list() == [1] * 23


def test_the_hours_of_a_long_day_cover_25_when_meta_merges_the_repeated_one() -> None:
    found = hours("2026-10-25", *range(24))
    assert found["hours"].sum() == 25
    assert found.filter(pl.col("hours") == 2)["hour"].to_list() == [2]
    ends = found.select(pl.col("starts_at") + pl.duration(hours="hours")).to_series().to_list()
    assert found["starts_at"].to_list()[1:] == ends[:-1]


def test_the_hours_of_a_long_day_cover_25_when_meta_lists_the_repeated_one_twice() -> None:
    found = hours("2026-10-25", *range(24), 2)
    assert found.height == 25
    assert found["starts_at"].n_unique() == 25
    assert found["hours"].to_list() == [1] * 25
    assert found.filter(pl.col("hour") == 2)["fold"].to_list() == [0, 1]


def test_an_hour_listed_twice_on_an_ordinary_day_is_incomplete() -> None:
    with pytest.raises(IncompleteData, match="hour 2 of 2026-10-26 twice"):
        hours("2026-10-26", 1, 2, 2)


@pytest.mark.parametrize(
    ("seen", "before", "chosen"),
    [
        (set(), None, None),
        ({"link_click", "onsite_conversion.purchase"}, None, None),
        ({"offsite_conversion.fb_pixel_purchase"}, None, "offsite_conversion.fb_pixel_purchase"),
        ({"purchase", "offsite_conversion.fb_pixel_purchase"}, None, "purchase"),
        (set(PURCHASE_TYPES), None, "omni_purchase"),
        (set(), "purchase", "purchase"),  # a week without sales changes nothing
        ({"offsite_conversion.fb_pixel_purchase"}, "purchase", "purchase"),
        ({"omni_purchase"}, "purchase", "omni_purchase"),
        ({"purchase"}, "omni_purchase", "omni_purchase"),
        ({"link_click"}, "app_custom_event.mine", "app_custom_event.mine"),
    ],
)
def test_one_purchase_type_is_chosen_kept_and_only_ever_bettered(
    seen: set[str], before: str | None, chosen: str | None
) -> None:
    assert purchase_type(seen, before) == chosen


@given(
    st.lists(st.sets(st.sampled_from([*PURCHASE_TYPES, "link_click"])), max_size=8),
    st.lists(st.sets(st.sampled_from([*LEAD_TYPES, "link_click"])), max_size=8),
)
def test_over_any_history_the_choice_is_the_best_ever_seen(
    purchases: list[set[str]], leads: list[set[str]]
) -> None:
    for choose, order, history in (
        (purchase_type, PURCHASE_TYPES, purchases),
        (lead_type, LEAD_TYPES, leads),
    ):
        chosen: str | None = None
        for seen in history:
            chosen = choose(seen, chosen)
        ever = set().union(*history)
        assert chosen == next((name for name in order if name in ever), None)
