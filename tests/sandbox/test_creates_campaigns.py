"""Creating campaigns: what reads back, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.conftest import Client
from tests.sandbox.creating import Maker, codes

READ = (
    "id,account_id,name,objective,status,configured_status,effective_status,daily_budget,"
    "bid_strategy,buying_type,special_ad_categories,is_adset_budget_sharing_enabled,spend_cap,"
    "start_time,created_time"
)


def test_a_campaign_reads_back_as_it_was_sent(fresh: Client) -> None:
    maker = Maker(fresh)
    fields = maker.campaign_fields(
        daily_budget=5000, is_adset_budget_sharing_enabled=None, spend_cap=20000
    )
    made = fresh.post(f"{fresh.account}/campaigns", **fields, fields=READ)
    assert made == {
        "id": made["id"],
        "account_id": fresh.account.removeprefix("act_"),
        "name": "Shoes | sales",
        "objective": "OUTCOME_SALES",
        "status": "PAUSED",
        "configured_status": "PAUSED",
        "effective_status": "PAUSED",
        "daily_budget": "5000",
        "bid_strategy": "LOWEST_COST_WITHOUT_CAP",
        "buying_type": "AUCTION",
        "special_ad_categories": [],
        "spend_cap": "20000",
        "start_time": "2026-11-03T12:30:00-0500",
        "created_time": "2026-11-03T12:30:00-0500",
    }
    assert int(made["id"]) > 2**53
    assert fresh.get(made["id"], fields=READ) == made
    assert fresh.get(maker.campaign(status=None), fields="status")["status"] == "PAUSED"


def test_a_name_is_found_again(fresh: Client) -> None:
    maker = Maker(fresh)
    made = maker.campaign(name="Shoes [zy-7f3a]")
    named = [{"field": "name", "operator": "CONTAIN", "value": "[zy-7f3a]"}]
    assert fresh.every(f"{fresh.account}/campaigns", filtering=named) == [{"id": made}]


def test_bodies_of_json(fresh: Client) -> None:
    fields = Maker(fresh).campaign_fields()
    reply = fresh.http.post(f"/v26.0/{fresh.account}/campaigns", json=fields)
    assert reply.json().keys() == {"id"}
    python = fields | {"special_ad_categories": "['NONE']"}
    assert fresh.refused(f"{fresh.account}/campaigns", "POST", **python)["code"] == 100


@pytest.mark.parametrize(("other", "subcode"), [
    ({"name": None}, None),
    ({"objective": None}, None),
    ({"special_ad_categories": None}, None),
    ({"special_ad_categories": ["NONE", "HOUSING"]}, None),
    ({"special_ad_categories": ["HOUSING"]}, None),
    ({"special_ad_categories": ["SHOES"]}, None),
    ({"special_ad_categories": ["ISSUES_ELECTIONS_POLITICS"],
      "special_ad_category_country": ["DE"]}, 2708008),
    ({"objective": "CONVERSIONS"}, None),
    ({"objective": "LINK_CLICKS"}, None),
    ({"status": "ARCHIVED"}, None),
    ({"is_adset_budget_sharing_enabled": None}, 4834011),
    ({"daily_budget": 99}, 1885272),
    ({"daily_budget": "19.99"}, None),
    ({"daily_budget": 5000, "lifetime_budget": 50000}, 1885621),
    ({"bid_strategy": "LOWEST_COST_WITHOUT_CAP"}, 1885737),
    ({"daily_budget": 5000, "bid_strategy": "CHEAPEST"}, None),
    ({"spend_cap": 500}, 2446307),
    ({"stop_time": "2026-11-01T00:00:00-0500"}, 1487033),
    ({"promoted_object": {"product_catalog_id": "7"}}, 1487831),
    ({"promoted_object": {"page_id": "7"}}, 1885014),
    ({"smart_promotion_type": "AUTOMATED_SHOPPING_ADS"}, None),
    ({"targeting": {}}, None),
    ({"nonsense": 1}, None),
])  # fmt: skip
def test_refused(market: Client, other: dict[str, Any], subcode: int | None) -> None:
    fields = Maker(market).campaign_fields(**other)
    error = market.refused(f"{market.account}/campaigns", "POST", **fields)
    assert codes(error) == (100, subcode)


def test_error_data_comes_as_object_and_as_text(fresh: Client) -> None:
    fields = Maker(fresh).campaign_fields(daily_budget=99)
    errors = [fresh.refused(f"{fresh.account}/campaigns", "POST", **fields) for _ in range(2)]
    assert {type(error["error_data"]) for error in errors} == {dict, str}
    assert [(w["object"], w["field"], w["new"], w["error"]) for w in fresh.sandbox.writes()] == [
        (fresh.account, "create", "campaign", "100/1885272")
    ] * 2


def test_validate_only_stores_nothing_and_gives_no_id(fresh: Client) -> None:
    maker = Maker(fresh)
    before = len(fresh.every(f"{fresh.account}/campaigns"))
    only = {"execution_options": ["validate_only"]}
    fields = maker.campaign_fields(**only)
    assert fresh.post(f"{fresh.account}/campaigns", **fields) == {"success": True}
    wrong = maker.campaign_fields(objective="SALES", **only)
    assert fresh.refused(f"{fresh.account}/campaigns", "POST", **wrong)["code"] == 100
    assert len(fresh.every(f"{fresh.account}/campaigns")) == before
    assert fresh.sandbox.writes() == []


def test_labels(fresh: Client) -> None:
    maker = Maker(fresh)
    label = fresh.post(f"{fresh.account}/adlabels", name="launch 7")["id"]
    one = maker.campaign(adlabels=[{"name": "launch 7"}])
    two = maker.campaign(adlabels=[{"id": label}, {"name": "other"}])
    shown = fresh.get(one, fields="adlabels")["adlabels"]
    assert shown == [{"id": label, "name": "launch 7"}]
    found = fresh.every(f"{fresh.account}/campaignsbylabels", ad_label_ids=[label])
    assert [row["id"] for row in found] == [one, two]
    labels = fresh.every(f"{fresh.account}/adlabels", fields="name")
    assert [row["name"] for row in labels] == ["launch 7", "other"]
    both = [row["id"] for row in labels]
    found = fresh.every(
        f"{fresh.account}/campaignsbylabels", ad_label_ids=both, operator="ALL", fields="name"
    )
    assert [row["id"] for row in found] == [two]
