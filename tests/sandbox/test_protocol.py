"""Versions, tokens, headers, fields, lists and cursors, over the wire."""

from __future__ import annotations

import json
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.sandbox.conftest import START, TOKEN, Client
from zyenta_ads_pipeline.sandbox.cursors import object_cursor, offset_cursor, read_object_cursor
from zyenta_ads_pipeline.sandbox.graph_error import GraphError
from zyenta_ads_pipeline.sandbox.selection import parse_fields


@pytest.mark.parametrize("path", ["/v24.0/me", "/v18.0/me", "/me", "/"])
def test_only_two_versions_answer(market: Client, path: str) -> None:
    reply = market.http.get(path)
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, 2635)


@pytest.mark.parametrize("version", ["v25.0", "v26.0"])
def test_each_reply_names_version_trace_usage_and_the_sandbox_time(
    market: Client, version: str
) -> None:
    reply = market.http.get(f"/{version}/{market.account}/insights/")
    assert reply.headers["facebook-api-version"] == version
    assert reply.headers["x-fb-trace-id"]
    assert reply.headers["x-fb-request-id"]
    for name in ("x-app-usage", "x-ad-account-usage", "x-business-use-case-usage",
                 "x-fb-ads-insights-throttle"):  # fmt: skip
        assert name in reply.headers
    assert reply.headers.get_list("date") == [reply.headers["date"]]
    assert parsedate_to_datetime(reply.headers["date"]) == START
    assert "server" not in reply.headers


def test_usage_rises_with_each_call(market: Client) -> None:
    def usage() -> float:
        reply = market.http.get(f"/v26.0/{market.account}")
        return float(json.loads(reply.headers["x-ad-account-usage"])["acc_id_util_pct"])

    first = usage()
    assert max(usage() for _ in range(20)) > first


def test_tokens(market: Client) -> None:
    url = f"{market.sandbox.url}/v26.0/me"
    assert httpx.get(url, params={"access_token": TOKEN, "appsecret_proof": "x"}).is_success
    bad = httpx.get(url, headers={"Authorization": "Bearer wrong"})
    assert bad.status_code == 400
    error = bad.json()["error"]
    assert (error["code"], error["type"]) == (190, "OAuthException")
    assert error["message"] == "Invalid OAuth access token - Cannot parse access token"
    assert error["fbtrace_id"] == bad.headers["x-fb-trace-id"]
    assert httpx.get(url).json()["error"]["code"] == 104


def test_accounts_come_with_both_ids_by_default(market: Client) -> None:
    page = market.get("me/adaccounts", summary="true")
    assert [set(row) for row in page["data"]] == [{"account_id", "id"}] * 2
    assert page["summary"] == {"total_count": 2}
    assert int(page["data"][0]["account_id"]) > 2**53


@pytest.mark.parametrize(
    "spelling",
    ["name,creative{id,name}", '["name","creative{id,name}"]', "['name', 'creative{id,name}']"],
)
def test_fields_in_every_spelling(market: Client, spelling: str) -> None:
    row = market.get(f"{market.account}/ads", fields=spelling, limit="1")["data"][0]
    assert set(row) == {"id", "name", "creative"}
    assert set(row["creative"]) == {"id", "name"}


def test_nested_objects_and_lists(market: Client) -> None:
    row = market.get(
        f"{market.account}/campaigns", fields="adsets.limit(1){id,campaign{name}},daily_budget"
    )["data"][0]
    assert list(row["adsets"]["data"][0]["campaign"]) == ["name", "id"]
    assert row["daily_budget"] == "15000"


def test_unknown_field_and_object(market: Client) -> None:
    error = market.refused(f"{market.account}/campaigns", fields="id,nonsense")
    assert error["message"].startswith("(#100) Tried accessing nonexisting field (nonsense)")
    error = market.refused("999")
    assert (error["code"], error["error_subcode"]) == (100, 33)
    assert market.refused(f"{market.account}/nonsense")["code"] == 100


@pytest.mark.parametrize("params", [{"date_format": "U"}, {"ids": "1,2"}, {"limit": "x"},
                                    {"filtering": "[{'field': 'name'}]"}, {"limit": "0"},
                                    {"effective_status": ["NONSENSE"]}])  # fmt: skip
def test_refused_parameters(market: Client, params: dict[str, str]) -> None:
    assert market.refused(f"{market.account}/campaigns", **params)["code"] == 100


def test_times_are_in_the_accounts_zone(market: Client) -> None:
    row = market.get(f"{market.account}/campaigns", fields="created_time", limit="1")["data"][0]
    assert row["created_time"] == "2026-09-01T00:00:00-0400"


def test_next_repeats_the_token_only_when_it_came_by_query(market: Client) -> None:
    by_header = market.get(f"{market.account}/ads", limit="1", fields="id,name")["paging"]["next"]
    assert "access_token" not in by_header
    url = f"{market.sandbox.url}/v26.0/{market.account}/ads"
    page = httpx.get(url, params={"access_token": TOKEN, "limit": 1, "fields": "creative{id}"})
    following = page.json()["paging"]["next"]
    assert parse_qs(urlsplit(following).query)["access_token"] == [TOKEN]
    row = httpx.get(following).json()["data"][0]
    assert set(row["creative"]) == {"id"}


@settings(max_examples=examples(12), deadline=None)
@given(limit=st.integers(1, 40))
def test_every_object_and_row_once_for_any_limit(market: Client, limit: int) -> None:
    ads = [ad["id"] for ad in market.every(f"{market.account}/ads", limit=str(limit))]
    assert len(ads) == len(set(ads)) == 14
    params = {"level": "ad", "time_increment": "1", "fields": "ad_id", "date_preset": "last_7d"}
    rows = market.every(f"{market.account}/insights", limit=str(limit), **params)
    whole = market.get(f"{market.account}/insights", limit="5000", **params)
    assert rows == whole["data"]
    assert "next" not in whole["paging"]
    assert "after" in whole["paging"]["cursors"]


def test_paging_backwards(market: Client) -> None:
    first = market.get(f"{market.account}/ads", limit="4")
    second = market.get(
        f"{market.account}/ads", limit="4", after=first["paging"]["cursors"]["after"]
    )
    back = market.get(
        f"{market.account}/ads", limit="4", before=second["paging"]["cursors"]["before"]
    )
    assert back["data"] == first["data"]


@pytest.mark.parametrize("edge", ["ads", "insights"])
@pytest.mark.parametrize("cursor", ["nonsense", "MAZD", "OTk5OTk5", object_cursor("1")])
def test_a_cursor_that_leads_nowhere_is_an_error(market: Client, edge: str, cursor: str) -> None:
    assert market.refused(f"{market.account}/{edge}", after=cursor)["code"] == 100


def test_cursors_look_like_metas() -> None:
    assert (offset_cursor(0), offset_cursor(24)) == ("MAZDZD", "MjQZD")


@given(st.text(min_size=1, max_size=30))
def test_object_cursors_round_trip(name: str) -> None:
    assert read_object_cursor(object_cursor(name)) == name


@pytest.mark.parametrize("text", ["a{b", "a}", "a{b}c", "[1]", "a.b", "['a'"])
def test_broken_fields_are_refused(text: str) -> None:
    with pytest.raises(GraphError):
        parse_fields(text)


def test_filtering_lists(market: Client) -> None:
    def names(**condition: object) -> list[str]:
        rows = market.every(f"{market.account}/campaigns", fields="name", filtering=[condition])
        return [row["name"] for row in rows]

    assert len(names(field="name", operator="CONTAIN", value="RAIN")) == 1
    ids = [row["id"] for row in market.every(f"{market.account}/campaigns")][:2]
    assert len(names(field="id", operator="IN", value=ids)) == 2
    paused = names(field="campaign.effective_status", operator="IN", value=["PAUSED"])
    assert paused == ["Winter boots | Last season"]
    recent = {"field": "campaign.updated_time", "operator": "GREATER_THAN"}
    assert names(**recent, value=int(START.timestamp())) == []
    assert len(names(**recent, value=0)) == 5
    error = market.refused(
        f"{market.account}/ads",
        filtering=[{"field": "ad.adset_id", "operator": "IN", "value": ["1"]}],
    )
    assert error["code"] == 100
    rows = market.every(f"{market.account}/ads", effective_status=["CAMPAIGN_PAUSED"])
    assert len(rows) == 2


def test_minimum_budgets(market: Client) -> None:
    row = market.get(f"{market.account}/minimum_budgets")["data"][0]
    assert (row["currency"], row["min_daily_budget_imp"]) == ("USD", 100)
