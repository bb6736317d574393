"""Pages of insights from bytes: every digit kept, nothing wrong let through silently."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.errors import (
    AuthenticationFailed,
    IncompleteData,
    PlatformError,
    TooMuchData,
    Transient,
    ValidationRefused,
    ZyentaError,
)
from zyenta_ads_pipeline.domain.insights import ATTRIBUTION_WINDOWS, PRESETS, STATS, Report
from zyenta_ads_pipeline.domain.time import DateRange
from zyenta_ads_pipeline.platforms.base import InsightsPage
from zyenta_ads_pipeline.platforms.meta.pages import (
    kept_body,
    read_archived,
    read_reply,
    report_fields,
)
from zyenta_ads_pipeline.platforms.meta.replies import RawReply

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
REPORT = Report("1", Level.AD, DateRange(date(2026, 11, 1), date(2026, 11, 2)))
ITEM = ("action_type", "value", *ATTRIBUTION_WINDOWS)


def raw(body: object, status: int = 200) -> RawReply:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return RawReply(content, status, {"x-fb-trace-id": "T1"}, AT, "GET /v26.0/act_1/insights")


def read(body: object, status: int = 200, report: Report = REPORT) -> InsightsPage:
    return read_reply(raw(body, status), report, "GET /v26.0/act_1/insights?limit=5")


def archived(body: object, report: Report = REPORT) -> InsightsPage:
    return read_archived(report, raw(body).content, observed_at=AT, request="GET /x")


def test_the_fields_are_the_key_the_breakdowns_and_what_is_asked_for() -> None:
    assert report_fields(REPORT)[:6] == (
        "account_id", "campaign_id", "adset_id", "ad_id", "date_start", "date_stop",
    )  # fmt: skip
    assert report_fields(REPORT)[-1] == "attribution_setting"
    for level in (Level.ACCOUNT, Level.CAMPAIGN):
        assert "attribution_setting" not in report_fields(replace(REPORT, level=level))
    for preset in PRESETS.values():
        fields = report_fields(replace(REPORT, preset=preset, fields=("spend",)))
        assert fields == (*report_fields(REPORT)[:6], *preset.breakdowns, "spend")


def test_numbers_become_the_texts_they_were() -> None:
    body = (
        b'{"data":[{"ad_id":120210000000000000000001,"account_id":9007199254740993,"spend":12.34,'
        b'"impressions":18446744073709551615,"clicks":"007","reach":-5,"new":{"a":[1]},'
        b'"actions":[{"action_type":"x","value":3,"7d_click":0.5,"inline":"9","dda":{"a":1}}]}]}'
    )
    (row,) = read(body).rows.to_dicts()
    assert row["ad_id"] == "120210000000000000000001"
    assert row["account_id"] == "9007199254740993"
    assert row["impressions"] == "18446744073709551615"
    assert (row["spend"], row["clicks"], row["reach"]) == ("12.34", "007", "-5")
    assert row["inline_link_clicks"] is None
    assert row["action_values"] is None
    assert row["actions"] == [
        {**dict.fromkeys(ITEM), "action_type": "x", "value": "3", "7d_click": "0.5"}
    ]


texts = st.none() | st.text(max_size=8) | st.integers(-(2**63), 2**64 - 1).map(str)
items = st.fixed_dictionaries(
    {"action_type": st.text(min_size=1, max_size=8)},
    optional=dict.fromkeys(("value", *ATTRIBUTION_WINDOWS, "unknown"), texts),
)
rows = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            **{name: st.lists(items, max_size=3) | st.none() for name in STATS},
            **{name: texts for name in report_fields(REPORT) if name not in STATS},
            "unknown": texts,
        },
    ),
    max_size=4,
)


def expected(row: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {name: row.get(name) for name in report_fields(REPORT)}
    for name in STATS:
        if found[name] is not None:
            found[name] = [{key: item.get(key) for key in ITEM} for item in found[name]]
    return found


@given(rows, st.sampled_from([None, 1]))
def test_any_rows_come_as_json_says_them(listed: list[dict[str, Any]], indent: int | None) -> None:
    page = read(json.dumps({"data": listed}, indent=indent).encode())
    assert page.rows.to_dicts() == [expected(row) for row in listed]
    assert page.rows.columns == list(report_fields(REPORT))
    assert page.after is None
    assert b"\n" not in page.body
    assert archived(page.body).rows.equals(page.rows)


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode), st.sampled_from([200, 502]))
def test_any_bytes_are_a_page_or_a_typed_error(content: bytes, status: int) -> None:
    try:
        page = read(content, status)
    except (PlatformError, IncompleteData):
        return
    assert page.rows.columns == list(report_fields(REPORT))


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**80), 2**80) | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["data", "actions", "action_type", "value", "spend", "paging", "next"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["data", "paging", "error", "x"]), values))
def test_any_json_is_a_page_or_a_typed_error_and_no_row_is_lost(body: dict[str, Any]) -> None:
    try:
        page = read(body)
    except (PlatformError, IncompleteData):
        return
    assert body.get("error") is None
    assert page.rows.height == len(body["data"])
    for row, found in zip(body["data"], page.rows.to_dicts(), strict=True):
        for name in report_fields(REPORT):
            assert (row.get(name) is None) == (found[name] is None)


NOT_PAGES: dict[str, object] = {
    "no data": {"success": True},
    "null data": {"data": None},
    "an object as data": {"data": {"ad_id": "1"}},
    "a text as data": {"data": "x"},
    "texts as rows": {"data": ["1"]},
    "null as a row": {"data": [{"spend": "1"}, None]},
    "a list as a row": {"data": [[{"spend": "1"}]]},
    "a list where a text should be": {"data": [{"spend": ["1"]}]},
    "an object where a text should be": {"data": [{"ad_id": {"id": "1"}}]},
    "a text as actions": {"data": [{"actions": "x"}]},
    "an object as actions": {"data": [{"actions": {"action_type": "x"}}]},
    "a text as an action": {"data": [{"actions": ["x"]}]},
    "null as an action": {"data": [{"actions": [None]}]},
    "an action without a type": {"data": [{"spend": "1"}, {"action_values": [{"value": "1"}]}]},
    "an action with a null type": {"data": [{"actions": [{"action_type": None}]}]},
    "a list as an action's value": {"data": [{"actions": [{"action_type": "x", "value": [1]}]}]},
    "a list as paging": {"data": [], "paging": [1]},
    "a next page without a cursor": {"data": [], "paging": {"next": "https://x/y?limit=5"}},
    "a number beyond all measure": b'{"data":[{"spend":1' + b"0" * 60 + b"}]}",
}


@pytest.mark.parametrize("name", NOT_PAGES)
def test_what_is_no_page_is_incomplete_live_and_from_the_archive(name: str) -> None:
    for call in (read, archived):
        with pytest.raises(IncompleteData) as failed:
            call(NOT_PAGES[name])
        assert "GET /" in failed.value.what
        assert failed.value.remedy


def test_the_error_names_the_row_and_the_field() -> None:
    with pytest.raises(IncompleteData, match="an item without action_type as actions in row 2"):
        read({"data": [{}, {"actions": [{"value": "1"}]}]})
    with pytest.raises(IncompleteData, match="a list or object as spend in row 1"):
        read({"data": [{"spend": []}]})
    with pytest.raises(IncompleteData, match="no list of rows"):
        read({"data": {}})


ERRORS: dict[str, tuple[object, int, type[ZyentaError]]] = {
    "an error with HTTP 200": ({"error": {"code": 190, "message": "x"}}, 200, AuthenticationFailed),
    "an error beside rows": ({"data": [], "error": {"code": 2, "message": "x"}}, 200, Transient),
    "an error that is a text": ({"data": [], "error": "later"}, 200, Transient),
    "too much data": ({"error": {"code": 100, "error_subcode": 1487534}}, 400, TooMuchData),
    "rows with HTTP 500": ({"data": []}, 500, Transient),
    "rows with HTTP 404": ({"data": []}, 404, ValidationRefused),
    "HTML": (b"<html>Bad Gateway</html>", 502, Transient),
    "HTML with HTTP 200": (b"<html>moved</html>", 200, Transient),
    "a bare text": (b"Service Unavailable", 200, Transient),
    "truncated JSON": (b'{"data":[{"spend":"1"}', 200, Transient),
    "JSON cut within a text": (b'{"data":[{"spend":"1', 200, Transient),
    "nothing": (b"", 200, Transient),
    "a list of pages": ([{"data": []}], 200, Transient),
    "two pages": (b'{"data":[]}\n{"data":[]}', 200, Transient),
    "bytes that are no text": (b'{"data":[{"spend":"\xff"}]}', 200, Transient),
    "a number that is none": (b'{"data":[{"spend":NaN}]}', 200, IncompleteData),
    "endless nesting": (b'{"data":' + b"[" * 100_000, 200, Transient),
}


@pytest.mark.parametrize("name", ERRORS)
def test_a_reply_that_is_an_error_becomes_its_class(name: str) -> None:
    body, status, kind = ERRORS[name]
    with pytest.raises(kind) as failed:
        read(body, status)
    assert type(failed.value) is kind
    if status == 200:
        with pytest.raises(IncompleteData):
            archived(body)


def paged(after: str | None, **paging: object) -> dict[str, Any]:
    return {"data": [], "paging": {"cursors": {"before": "b", "after": after}, **paging}}


def test_the_cursor_counts_only_where_a_next_page_is_announced() -> None:
    assert read({"data": []}).after is None
    assert read(paged("Qw==")).after is None
    assert read(paged("Qw==", next="")).after is None
    assert read(paged("Qw==", next="https://x/y?after=zz")).after == "Qw=="
    assert read(paged(None, next="https://x/y?after=Qz%3D%3D&limit=1")).after == "Qz=="


@pytest.mark.parametrize("nothing", [None, [], "", {}])
def test_paging_that_is_some_nothing_ends_the_list(nothing: object) -> None:
    page = read({"data": [{"spend": "1.50", "ad_id": 2**63}], "paging": nothing})
    assert page.after is None
    assert page.rows["spend"].to_list() == ["1.50"]
    assert page.rows["ad_id"].to_list() == [str(2**63)]


@pytest.mark.parametrize("equals", ["=", "%3D", "\\u003d"])
def test_links_are_kept_without_what_they_would_give_away(equals: str) -> None:
    link = f"https:\\/\\/graph.facebook.com\\/x?access_token{equals}EAAGother&after=QQ&"
    link += f"appsecret_proof{equals}abc"
    body = f'{{"data":[],\n"paging":{{"cursors":{{"after":"QQ"}},"next":"{link}"}}}}'.encode()
    kept = kept_body(body)
    assert b"EAAGother" not in kept
    assert b"abc" not in kept
    assert b"\n" not in kept
    json.loads(kept)
    page = read(body)
    assert (page.body, page.after) == (kept, "QQ")
    assert archived(kept).after == "QQ"
