"""Rows as Meta wrote them become rows of the lake, or nothing does."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zyenta_ads_pipeline.domain.ads import LEAD_TYPES, PURCHASE_TYPES, AdAccount, Level
from zyenta_ads_pipeline.domain.errors import IncompleteData
from zyenta_ads_pipeline.domain.time import DateRange
from zyenta_ads_pipeline.ingestion.normalising import (
    action_types,
    lead_type,
    purchase_type,
    raw_frame,
    raw_rows,
)
from zyenta_ads_pipeline.lake.tables import RAW_INSIGHTS
from zyenta_ads_pipeline.platforms.base import InsightsPage

SEEN = datetime(2026, 11, 3, 23, 30, tzinfo=UTC)  # the fourth in Berlin
ACCOUNT = AdAccount("1", "Shop", "EUR", "Europe/Berlin", 1, 100, SEEN)
DAYS = DateRange(date(2026, 10, 1), date(2026, 11, 4))
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


def page(*rows: dict[str, Any], level: Level = Level.AD) -> InsightsPage:
    return InsightsPage("1", level, DAYS, rows, "GET /insights", {"data": list(rows)}, SEEN)


def one(level: Level = Level.AD, **values: Any) -> dict[str, Any]:
    """The row with some values replaced; `...` takes one out."""
    row = {name: value for name, value in {**ROW, **values}.items() if value is not ...}
    (found,) = raw_rows(page(row, level=level), ACCOUNT, "run")
    return found


def test_a_row_keeps_metas_texts() -> None:
    assert one() == {
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
        "actions": '[{"action_type":"purchase","value":"2","7d_click":"1"}]',
        "action_values": '[{"action_type":"purchase","value":"19.90"}]',
        "age_days": 2,
        "observed_at": SEEN,
        "run_id": "run",
    }


def test_what_is_absent_stays_absent_and_is_no_zero() -> None:
    bare = one(
        impressions=..., clicks=..., spend=..., actions=..., action_values=..., account_currency=...
    )
    for name in ("impressions", "clicks", "spend", "actions", "action_values", "currency"):
        assert bare[name] is None


def test_numbers_that_come_as_numbers_keep_their_digits() -> None:
    row = one(impressions=7, spend=Decimal("0.10"), clicks=5.0)
    assert (row["impressions"], row["spend"], row["clicks"]) == ("7", "0.10", "5.0")


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


@pytest.mark.parametrize(
    ("day", "age"), [("2026-11-04", 0), ("2026-11-03", 1), ("2026-10-08", 27), ("2026-10-01", 28)]
)
def test_a_days_age_is_counted_in_the_accounts_own_days_up_to_28(day: str, age: int) -> None:
    assert one(date_start=day, date_stop=day)["age_days"] == age


MALFORMED: dict[str, tuple[dict[str, Any], str]] = {
    "no day": ({"date_start": ...}, "without its day"),
    "no end": ({"date_stop": None}, "without its day"),
    "a day that is none": ({"date_start": "2026-02-30"}, "without its day"),
    "a month": ({"date_start": "2026-11-01"}, "not of one day"),
    "a day not asked for": (
        {"date_start": "2026-09-30", "date_stop": "2026-09-30"},
        "not asked for",
    ),
    "another account": ({"account_id": "2"}, "a row of account 2"),
    "a null account": ({"account_id": None}, "a row of account None"),
    "no ad": ({"ad_id": ...}, "without ad_id"),
    "an empty ad": ({"ad_id": ""}, "without ad_id"),
    "no campaign": ({"campaign_id": ...}, "without its campaign_id"),
    "no ad set": ({"adset_id": None}, "without its adset_id"),
    "a word for a number": ({"impressions": "many"}, "impressions is 'many'"),
    "an empty number": ({"clicks": ""}, "clicks is ''"),
    "half a click": ({"clicks": "1.5"}, "not a whole number"),
    "a truth for a number": ({"reach": True}, "reach is 'True'"),
    "not a number": ({"spend": "NaN"}, "spend is 'NaN'"),
    "a number without end": ({"spend": "Infinity"}, "spend"),
    "a number of another script": ({"impressions": "१२"}, "impressions"),
    "a number with signs in it": ({"impressions": "1_000"}, "impressions"),
    "a number with commas": ({"spend": "1,000.50"}, "spend"),
    "a number too great to store": ({"spend": "1e400"}, "spend"),
    "a list for a number": ({"spend": ["1"]}, "spend"),
    "actions that are a text": ({"actions": "none"}, "actions is not a list"),
    "an action that is a text": ({"actions": ["purchase"]}, "without action_type"),
    "an action without a type": ({"actions": [{"value": "1"}]}, "without action_type"),
    "an action of many": (
        {"action_values": [{"action_type": "purchase", "value": "many"}]},
        "action_values.purchase",
    ),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_row_stops_the_whole_page(name: str) -> None:
    change, words = MALFORMED[name]
    wrong = {key: value for key, value in {**ROW, **change}.items() if value is not ...}
    with pytest.raises(IncompleteData, match=words) as refused:
        raw_rows(page(ROW, wrong), ACCOUNT, "run")
    assert "GET /insights of act_1" in refused.value.what


@given(st.decimals(-(10**12), 10**12, places=6))
def test_every_amount_passes_with_the_digits_it_came_with(amount: Decimal) -> None:
    text = f"{amount:f}"
    assert one(spend=text)["spend"] == text


@given(st.text() | st.integers() | st.floats() | st.booleans() | st.lists(st.text(), max_size=1))
def test_whatever_passes_as_a_whole_number_is_one(value: object) -> None:
    try:
        text = one(impressions=value)["impressions"]
    except IncompleteData:
        return
    assert Decimal(text) == int(Decimal(text))
    assert text.isascii()


def test_a_row_that_comes_twice_is_incomplete_and_named() -> None:
    rows = raw_rows(page(ROW, {**ROW, "clicks": "6"}), ACCOUNT, "run")
    with pytest.raises(IncompleteData, match="ad 120210000000000001 twice for 2026-11-02"):
        raw_frame(rows, "1")


def test_the_frame_has_the_tables_columns_also_when_it_is_empty() -> None:
    assert raw_frame([], "1").schema == RAW_INSIGHTS.schema
    frame = raw_frame(raw_rows(page(ROW, {**ROW, "ad_id": "2"}), ACCOUNT, "run"), "1")
    assert (frame.schema, frame.height) == (RAW_INSIGHTS.schema, 2)


def test_the_types_of_actions_are_collected_from_counts_and_values() -> None:
    rows = [
        {"actions": json.dumps([{"action_type": "a"}]), "action_values": None},
        {"actions": None, "action_values": json.dumps([{"action_type": "b"}])},
    ]
    assert action_types(rows) == {"a", "b"}


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
