"""The calls that the field's other clients make, as they were seen on the wire."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
import pytest

from tests.sandbox.conftest import START, TOKEN, Client
from zyenta_ads_pipeline.sandbox.field_names import ACCOUNT

WINDOWS = ["1d_click", "7d_click", "28d_click", "1d_view", "7d_view", "28d_view"]
SPLIT = ["action_type", "action_target_id", "action_destination"]
DAY = {"since": "2026-10-30", "until": "2026-10-30"}
STATUSES = ["ACTIVE", "ADSET_PAUSED", "ARCHIVED", "CAMPAIGN_PAUSED", "DELETED", "DISAPPROVED",
            "IN_PROCESS", "PAUSED", "PENDING_BILLING_INFO", "PENDING_REVIEW", "PREAPPROVED",
            "WITH_ISSUES"]  # fmt: skip
EPOCH = int(START.timestamp()) - 90 * 86400


def read(client: Client, path: str, **params: Any) -> Any:
    """A GET in the manner of the SDK: the token is in the query."""
    texts = {k: v if isinstance(v, str) else json.dumps(v) for k, v in params.items()}
    reply = httpx.get(
        f"{client.sandbox.url}/v25.0/{path}", params={"access_token": TOKEN, **texts}, timeout=60
    )
    assert reply.status_code == 200, f"{path}: {reply.text}"
    return reply.json()


def report(client: Client, node: str, by_query: bool = False, **params: Any) -> str:
    """A report in the manner of the SDK: token in the query, everything else in the form."""
    texts = {k: v if isinstance(v, str) else json.dumps(v) for k, v in params.items()}
    url = f"{client.sandbox.url}/v25.0/{node}/insights"
    query = {"access_token": TOKEN} | (texts if by_query else {})
    reply = httpx.post(url, params=query, data=None if by_query else texts)
    assert reply.status_code == 200, reply.text
    run_id = reply.json()["report_run_id"]
    assert int(run_id) > 2**53
    for _ in range(300):
        run = read(client, f"{run_id}/")
        assert run["report_run_id"] == run["id"] == run_id
        if (run["async_status"], run["async_percent_completion"]) == ("Job Completed", 100):
            return str(run_id)
        time.sleep(0.02)
    raise AssertionError(f"the report never ended: {run}")


def batch(client: Client, urls: list[str]) -> list[Any]:
    parts = [{"method": "GET", "relative_url": url} for url in urls]
    reply = httpx.post(
        f"{client.sandbox.url}/v25.0/",
        params={"access_token": TOKEN},
        data={"batch": json.dumps(parts)},
    )
    found: list[Any] = [json.loads(part["body"]) for part in reply.json()]
    assert all("error" not in each for each in found)
    return found


def test_dlt(market: Client) -> None:
    act = market.account
    page = read(market, "me/adaccounts", summary="true")
    assert act.removeprefix("act_") in [row["account_id"] for row in page["data"]]
    for edge in ("campaigns", "adsets", "ads"):
        page = read(market, f"{act}/{edge}", limit="50", fields="id,name,updated_time",
                    summary="true", effective_status=["ACTIVE", "PAUSED"])  # fmt: skip
        assert page["summary"]["total_count"] == len(page["data"]) > 0
    ids = [row["id"] for row in read(market, f"{act}/adcreatives", limit="50")["data"]]
    assert read(market, f"{read(market, f'{act}/ads')['data'][0]['id']}/leads", limit="50") == {
        "data": []
    }
    found = batch(market, [f"{each}/?fields=name,object_story_spec" for each in ids])
    assert [each["id"] for each in found] == ids
    run = report(
        market, act, level="ad", limit=50, time_increment=1, time_ranges=[DAY],
        action_attribution_windows=WINDOWS, fields=["ad_id", "spend", "actions", "website_ctr"],
        breakdowns=["age", "gender"],
    )  # fmt: skip
    assert read(market, f"{run}/insights")["data"]


def test_airbyte(market: Client) -> None:
    act = market.account
    assert read(market, f"{act}/", fields="timezone_name")["timezone_name"]
    assert len(read(market, f"{act}/", fields=",".join(sorted(ACCOUNT)))) > 5
    assert len(read(market, f"{act}/insights")["data"]) == 1
    statuses = [{"field": "ad.effective_status", "operator": "IN", "value": STATUSES}]
    run = report(
        market, act, level="ad", action_breakdowns=SPLIT, breakdowns=[], time_increment=1,
        fields=["ad_id", "actions", "spend"], action_attribution_windows=WINDOWS[:4],
        filtering=statuses, time_range=DAY,
    )  # fmt: skip
    assert batch(market, [f"{run}/"] * 3)[2]["async_status"] == "Job Completed"
    page = read(market, f"{run}/insights", limit="100")
    assert page["data"]
    for edge, name in (("campaigns", "campaign"), ("adsets", "adset"), ("ads", "ad")):
        rows = read(
            market, f"{act}/{edge}", limit="100", fields="id,updated_time", filtering=[
                {"field": f"{name}.updated_time", "operator": "GREATER_THAN", "value": EPOCH},
                {"field": f"{name}.effective_status", "operator": "IN", "value": STATUSES[:4]},
            ],
        )["data"]  # fmt: skip
        part = report(market, rows[0]["id"], level="ad", time_range=DAY, fields=["ad_id"])
        assert "data" in read(market, f"{part}/insights", limit="100")
    for edge in ("customconversions", "customaudiences", "adimages", "advideos"):
        assert read(market, f"{act}/{edge}", limit="100")["data"] == []
    assert "data" in read(market, f"{act}/activities", since=EPOCH)
    assert read(market, f"{act}/assigned_users", business="1")["data"] == []
    assert read(market, "me/business_users")["data"] == []
    creative = read(market, f"{act}/adcreatives", limit="1")["data"][0]["id"]
    assert read(market, f"{creative}/", fields="id,name,status")["id"] == creative


def test_singer(market: Client) -> None:
    act = market.account
    for edge in ("ads", "adsets", "campaigns"):
        for row in read(market, f"{act}/{edge}", limit="100", fields="id,updated_time")["data"][:3]:
            assert read(market, f"{row['id']}/", fields="id,name")["name"]
    campaign = read(market, f"{act}/campaigns")["data"][0]["id"]
    assert read(market, f"{campaign}/ads")["data"]
    for edge, name in (("ads", "ad"), ("adsets", "adset"), ("campaigns", "campaign")):
        listed = {row["id"] for row in read(market, f"{act}/{edge}", limit="500")["data"]}
        found = [
            read(market, f"{act}/{edge}", limit="100", filtering=[
                {"field": f"{name}.delivery_info", "operator": "IN", "value": values},
            ])["data"]
            for values in (["active", "archived", "completed"], ["inactive", "limited"])
        ]  # fmt: skip
        ids = [row["id"] for rows in found for row in rows]
        assert listed <= set(ids)
        assert len(ids) == len(set(ids))
    run = report(
        market, act, level="ad", limit=100, action_breakdowns=SPLIT, time_increment=1,
        action_attribution_windows=WINDOWS, time_ranges=[DAY],
        fields=["ad_id", "spend", "actions", "hourly_stats_aggregated_by_advertiser_time_zone"][:3],
        breakdowns=["hourly_stats_aggregated_by_advertiser_time_zone"],
    )  # fmt: skip
    page = read(market, f"{run}/insights", limit="100")
    assert "hourly_stats_aggregated_by_advertiser_time_zone" in page["data"][0]


@pytest.mark.parametrize("edge", ["adimages", "adlabels", "ads", "adsets", "advideos",
                                  "campaigns", "adcreatives", "customaudiences",
                                  "customconversions"])  # fmt: skip
def test_meltano_lists_until_an_empty_page(market: Client, edge: str) -> None:
    rows: list[Any] = []
    params: dict[str, str] = {
        "fields": "['id', 'name']", "limit": "25", "sort": "asc", "order_by": "id",
    }  # fmt: skip
    for _ in range(5):
        page = market.get(f"{market.account}/{edge}", **params)
        rows += page["data"]
        after = page.get("paging", {}).get("cursors", {}).get("after")
        if after is None:
            break
        params["after"] = after
    assert "paging" not in page
    assert len(rows) == len({row["id"] for row in rows})


def test_meltano_reports(market: Client) -> None:
    run = report(
        market, market.account, level="ad", action_breakdowns=[], breakdowns=[], limit=100,
        action_report_time="mixed", fields="['ad_id', 'spend']", time_increment=1,
        action_attribution_windows=["1d_view", "7d_click"],
        time_range={"since": "2026-10-30", "until": "2026-10-31"},
    )  # fmt: skip
    days = {row["date_start"] for row in read(market, f"{run}/insights", limit="500")["data"]}
    assert days == {"2026-10-30", "2026-10-31"}


def test_estuary_posts_reports_as_query(market: Client) -> None:
    run = report(
        market, market.account, by_query=True, level="campaign", fields="campaign_id,spend",
        time_range=DAY,
    )  # fmt: skip
    rows = read(market, f"{run}/insights")["data"]
    ids = [row["campaign_id"] for row in rows]
    run = report(
        market, market.account, level="campaign", fields="campaign_id", time_range=DAY,
        filtering=[{"field": "campaign.id", "operator": "IN", "value": ids[:1]}],
    )  # fmt: skip
    assert [row["campaign_id"] for row in read(market, f"{run}/insights")["data"]] == ids[:1]


def test_the_root_look_up_is_gone(market: Client) -> None:
    reply = market.http.get(f"{market.sandbox.url}/v26.0//?ids=1,2")
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, 100)
    assert market.http.get(f"/v26.0//{market.account}//campaigns/").status_code == 200
