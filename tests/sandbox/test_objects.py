"""Objects and creatives: the fields that clients read, lists in pages, and their filters."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.conftest import START, Client

CREATIVE = ("id,account_id,name,status,title,body,call_to_action_type,object_story_spec,image_hash,"
            "object_type,thumbnail_url,effective_object_story_id")  # fmt: skip
CAMPAIGN = ("bid_strategy,buying_type,special_ad_categories,start_time,stop_time,issues_info,"
            "objective")  # fmt: skip
ADSET = ("optimization_goal,billing_event,bid_strategy,attribution_spec,promoted_object,targeting,"
         "start_time,end_time,learning_stage_info,issues_info")  # fmt: skip


def test_creatives_in_pages_and_alone(market: Client) -> None:
    rows = market.every(f"{market.account}/adcreatives", fields=CREATIVE, limit="4")
    total = market.get(f"{market.account}/adcreatives", summary="true", limit="1")["summary"]
    assert len(rows) == total["total_count"] == len({row["id"] for row in rows})
    assert all(row.keys() == set(CREATIVE.split(",")) for row in rows)
    assert market.get(rows[3]["id"], fields=CREATIVE) == rows[3]
    story = rows[0]["object_story_spec"]
    page = market.get(f"{market.account}/promote_pages")["data"][0]["id"]
    assert story["page_id"] == page
    assert story["link_data"]["image_hash"] == rows[0]["image_hash"]
    assert rows[0]["effective_object_story_id"].startswith(f"{page}_")
    ad = market.get(f"{market.account}/ads", limit="1", fields="creative{id,name}")["data"][0]
    assert ad["creative"] == {"id": rows[0]["id"], "name": rows[0]["name"]}


def test_fields_of_campaigns_ad_sets_and_ads(market: Client) -> None:
    campaign = market.get(f"{market.account}/campaigns", fields=CAMPAIGN, limit="1")["data"][0]
    assert campaign["bid_strategy"] == "LOWEST_COST_WITHOUT_CAP"
    assert campaign["special_ad_categories"] == []
    assert "stop_time" not in campaign
    adset = market.get(f"{market.account}/adsets", fields=ADSET, limit="1")["data"][0]
    assert adset["learning_stage_info"]["status"] == "SUCCESS"
    pixel = market.get(f"{market.account}/adspixels")["data"][0]["id"]
    assert adset["promoted_object"] == {"pixel_id": pixel, "custom_event_type": "PURCHASE"}
    assert "bid_strategy" not in adset
    ad = market.get(f"{market.account}/ads", fields="issues_info,ad_review_feedback", limit="1")
    assert ad["data"][0].keys() == {"id"}


@pytest.mark.parametrize("edge", ["campaigns", "adsets", "ads"])
def test_only_what_was_changed_since(fresh: Client, edge: str) -> None:
    everything = fresh.every(f"{fresh.account}/{edge}", fields="name")
    changed = everything[2]
    fresh.sandbox.advance(hours=1)
    fresh.post(changed["id"], name="Renamed by hand")
    since = int(START.timestamp())
    kind = {"campaigns": "campaign", "adsets": "adset", "ads": "ad"}[edge]

    def listed(**params: Any) -> list[str]:
        return [row["id"] for row in fresh.every(f"{fresh.account}/{edge}", **params)]

    for field in ("updated_time", f"{kind}.updated_time"):
        newer = [{"field": field, "operator": "GREATER_THAN", "value": since}]
        assert listed(filtering=newer) == [changed["id"]]
    if edge != "campaigns":
        assert listed(updated_since=str(since)) == [changed["id"]]
    named = [{"field": "name", "operator": "CONTAIN", "value": "renamed BY"}]
    assert listed(filtering=named) == [changed["id"]]
    two = [each["id"] for each in everything[:2]]
    assert listed(filtering=[{"field": "id", "operator": "IN", "value": two}]) == two
    paused = [{"field": f"{kind}.effective_status", "operator": "IN", "value": ["PAUSED"]}]
    assert len(listed(filtering=paused)) == (1 if edge == "campaigns" else 0)
