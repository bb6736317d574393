"""Throttles: headers, levels, blocks and their end; in the score keeper and over the wire."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sandbox.conftest import Client
from zyenta_ads_pipeline.sandbox.graph_error import GraphError
from zyenta_ads_pipeline.sandbox.usage import FULL, LIMITED, Usage


class Watch:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def outcome(usage: Usage, account: str | None = "1", **call: Any) -> str:
    try:
        usage.count(account, **({"write": False} | call))
    except GraphError as error:
        return f"{error.code}/{error.subcode}"
    return "ok"


def header(usage: Usage, name: str, *, insights: bool = False) -> Any:
    return json.loads(usage.headers("1", insights=insights)[name])


def test_the_score_of_an_account_blocks_it_alone_and_begins_anew() -> None:
    watch = Watch()
    usage = Usage(ceiling=10, clock=watch)
    assert [outcome(usage, write=True) for _ in range(5)] == ["ok"] * 3 + ["17/2446079"] * 2
    shown = header(usage, "X-Ad-Account-Usage")
    assert shown == {
        "acc_id_util_pct": 120.0, "reset_time_duration": 60, "ads_api_access_tier": FULL,
    }  # fmt: skip
    assert outcome(usage, "2") == "ok"
    watch.seconds = 59.5
    assert outcome(usage) == "17/2446079"
    assert header(usage, "X-Ad-Account-Usage")["reset_time_duration"] == 1
    watch.seconds = 60
    assert outcome(usage) == "ok"
    assert header(usage, "X-Ad-Account-Usage")["acc_id_util_pct"] == 10
    assert header(usage, "X-Ad-Account-Usage")["reset_time_duration"] == 300


def test_limited_access_blocks_earlier_and_for_longer() -> None:
    watch = Watch()
    usage = Usage(ceiling=9000, clock=watch)
    usage.set_tier(LIMITED)
    assert [outcome(usage) for _ in range(61)] == ["ok"] * 60 + ["17/2446079"]
    shown = header(usage, "X-Ad-Account-Usage")
    assert (shown["reset_time_duration"], shown["ads_api_access_tier"]) == (300, LIMITED)
    watch.seconds = 300
    assert outcome(usage) == "ok"


@given(st.lists(st.tuples(st.integers(0, 200), st.booleans()), max_size=40))
def test_the_score_is_the_points_of_the_last_300_seconds(calls: list[tuple[int, bool]]) -> None:
    watch = Watch()
    usage = Usage(ceiling=1000, clock=watch)
    made: list[tuple[float, int]] = []
    for pause, write in calls:
        watch.seconds += pause
        usage.count("1", write=write)
        made.append((watch.seconds, 3 if write else 1))
    points = sum(each for moment, each in made if moment > watch.seconds - 300)
    assert header(usage, "X-Ad-Account-Usage")["acc_id_util_pct"] == points / 10


def test_use_cases_have_hours_of_their_own_in_minutes() -> None:
    watch = Watch()
    usage = Usage(ceiling=10**9, clock=watch)
    usage.set_tier(LIMITED)
    usage.set_level("ads_insights", "1", 92)
    (row,) = header(usage, "X-Business-Use-Case-Usage", insights=True)["1"]
    assert (row["type"], row["call_count"]) == ("ads_insights", 92)
    assert row["estimated_time_to_regain_access"] == 0
    usage.set_level("ads_insights", "1", 100)
    watch.seconds = 600.5
    assert outcome(usage) == "ok"
    assert outcome(usage, insights=True) == "80000/2446079"
    insights, management = header(usage, "X-Business-Use-Case-Usage", insights=True)["1"]
    assert insights["estimated_time_to_regain_access"] == 50
    assert management["type"] == "ads_management"
    assert header(usage, "X-FB-Ads-Insights-Throttle", insights=True)["acc_id_util_pct"] >= 100
    assert outcome(usage) == "ok"
    usage.set_level("ads_management", "1", 130)
    assert outcome(usage) == "80004/2446079"
    assert outcome(usage, "2", insights=True) == "ok"
    usage.advance(3600)
    assert outcome(usage, insights=True) == "ok"


def test_large_answers_use_up_computing_time() -> None:
    usage = Usage(ceiling=9000, clock=Watch())
    usage.set_tier(LIMITED)
    usage.count("1", write=False, insights=True)
    usage.spend("1", insights=True, rows=50_000)
    (row,) = header(usage, "X-Business-Use-Case-Usage", insights=True)["1"]
    assert 0 == row["call_count"] < row["total_cputime"] < row["total_time"] < 100
    usage.spend("1", insights=True, rows=150_000)
    assert outcome(usage, insights=True) == "80000/2446079"


def test_active_ads_raise_the_quota() -> None:
    def used(active_ads: int) -> int:
        usage = Usage(ceiling=10**9, clock=Watch())
        usage.set_active_ads("1", active_ads)
        for _ in range(3000):
            usage.count("1", write=False)
        (row,) = header(usage, "X-Business-Use-Case-Usage")["1"]
        return int(row["call_count"])

    assert (used(0), used(5000)) == (3, 1)


def test_app_and_platform_limits() -> None:
    usage = Usage(ceiling=9000, clock=Watch())
    usage.set_level("insights_platform", "", 100)
    assert outcome(usage, insights=True) == "4/1504022"
    assert outcome(usage) == "ok"
    shown = header(usage, "X-FB-Ads-Insights-Throttle", insights=True)
    assert shown["app_id_util_pct"] >= 100
    usage.set_level("app", "", 100)
    assert outcome(usage) == outcome(usage, None) == "4/None"
    assert header(usage, "X-App-Usage")["call_count"] == 100


def test_a_hundred_writes_in_a_second() -> None:
    watch = Watch()
    usage = Usage(ceiling=10**9, clock=watch)
    assert [outcome(usage, write=True) for _ in range(101)] == ["ok"] * 100 + ["613/5044001"]
    watch.seconds = 1
    assert outcome(usage, write=True) == "ok"


def test_over_the_wire(fresh: Client) -> None:
    account = fresh.account.removeprefix("act_")
    url = f"/v26.0/{fresh.account}/insights"
    fresh.sandbox.throttle(account=fresh.account, use_case="ads_insights", percent=92)
    reply = fresh.http.get(url)
    (row,) = json.loads(reply.headers["x-business-use-case-usage"])[account]
    assert (row["type"], row["call_count"]) == ("ads_insights", 92)
    fresh.sandbox.throttle(account=fresh.account, use_case="account", percent=100)
    error = fresh.refused(fresh.account)
    assert (error["code"], error["error_subcode"], error["is_transient"]) == (17, 2446079, True)
    shown = fresh.sandbox.throttle(advance_seconds=60)
    assert shown["accounts"][account]["X-Ad-Account-Usage"]["reset_time_duration"] == 0
    assert fresh.http.get(url).status_code == 200
    fresh.sandbox.throttle(leave_out=["x-app-usage", "X-Business-Use-Case-Usage"])
    headers = fresh.http.get(url).headers
    assert {"x-app-usage", "x-business-use-case-usage"}.isdisjoint(headers)
    assert "x-fb-ads-insights-throttle" in headers
    shown = fresh.sandbox.throttle(tier="development_access", leave_out=[])
    assert shown["tier"] == "development_access"
    assert '"development_access"' in fresh.http.get(url).headers["x-ad-account-usage"]
    fresh.sandbox.throttle(account=fresh.account, use_case="ads_insights", percent=0)
    report = fresh.http.post(url, data={"level": "ad"}).json()["report_run_id"]
    assert "x-ad-account-usage" in fresh.http.get(f"/v26.0/{report}").headers


@pytest.mark.parametrize("wrong", [
    {}, [], {"tier": "gold"}, {"percent": 5}, {"percent": -1, "account": "1"}, {"nonsense": 1},
    {"use_case": "app", "account": "1", "percent": 1}, {"leave_out": ["Date"]},
    {"use_case": "nonsense", "account": "1", "percent": 1}, {"advance_seconds": "60"},
])  # fmt: skip
def test_a_change_that_cannot_be_read(market: Client, wrong: object) -> None:
    reply = market.http.post("/_sandbox/throttles", json=wrong)
    assert reply.status_code == 400
    assert reply.json()["error"]
