"""Targeting of new ad sets, and the look-ups that lead to it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.conftest import Client
from tests.sandbox.creating import BROAD, Maker, codes

US = {"geo_locations": {"countries": ["US"]}}
OFF = {"targeting_automation": {"advantage_audience": 0}}


@pytest.fixture(scope="module")
def fields(market: Client) -> dict[str, Any]:
    """An ad set in a campaign of the market that only waits for its targeting."""
    campaigns = market.every(f"{market.account}/campaigns", fields="name")
    tents = next(row["id"] for row in campaigns if row["name"].startswith("Tents"))
    return Maker(market).adset_fields(tents) | {"execution_options": ["validate_only"]}


@pytest.mark.parametrize(("targeting", "subcode"), [
    ({}, None),
    ({"geo_locations": {}}, None),
    ({"geo_locations": {"countries": []}}, None),
    ({"geo_locations": {"countries": ["UK"]}}, None),
    ({"geo_locations": {"regions": [{"key": "1"}]}}, None),
    ({"geo_locations": {"countries": ["US"], "regions": [{"key": "3847"}]}}, 1487756),
    ({"geo_locations": {"regions": [{"key": "3847"}], "cities": [{"key": "2420605"}]}}, 1487756),
    ({"geo_locations": {"countries": ["US"], "zips": [{"key": "US:94304"}]}}, 1487756),
    ({"geo_locations": {"countries": ["DE"], "country_groups": ["europe"]}}, 1487756),
    ({**US, "excluded_geo_locations": {"countries": ["US"]}}, 1487756),
    ({"geo_locations": {"countries": ["US"], "location_types": ["home"]}}, 1870199),
    ({**US, **OFF, "age_min": 12}, None),
    ({**US, **OFF, "age_max": 70}, None),
    ({**US, **OFF, "age_min": 40, "age_max": 30}, None),
    ({**US, **OFF, "age_min": 16, "genders": [1]}, 1870165),
    ({**US, **OFF, "genders": [3]}, None),
    ({**US, "age_min": 30}, 1870227),
    ({**US, "genders": [2]}, 1870227),
    ({**US, "age_max": 50}, 1870227),
    ({**BROAD, "age_min": 30}, 1870188),
    ({**BROAD, "age_max": 50}, 1870189),
    ({**US, "targeting_automation": {"advantage_audience": 2}}, 1870196),
    ({**US, "targeting_automation": {"magic": 1}}, 1870196),
    ({**US, **OFF, "flexible_spec": [{"interests": [{"id": "1", "name": "Shoes"}]}]}, 1487079),
    ({**US, **OFF, "interests": [{"id": "RETIRED"}]}, 1487079),
    ({**US, **OFF, "exclusions": {"interests": [{"id": "1"}]}}, None),
    ({**US, **OFF, "custom_audiences": [{"id": "5"}]}, None),
    ({**BROAD, "facebook_positions": ["feed"]}, 1815433),
    ({**BROAD, "publisher_platforms": ["facebook"], "facebook_positions": ["video_feeds"]},
     1815433),
    ({**BROAD, "publisher_platforms": ["instagram"], "instagram_positions": ["explore"]},
     1815433),
    ({**BROAD, "shoe_size": 42}, None),
])  # fmt: skip
def test_refused(
    market: Client, fields: dict[str, Any], targeting: dict[str, Any], subcode: int | None
) -> None:
    if targeting.get("interests") == [{"id": "RETIRED"}]:
        targeting = {**targeting, "interests": [{"id": retired_id()}]}
    error = market.refused(
        f"{market.account}/adsets", "POST", **(fields | {"targeting": targeting})
    )
    assert codes(error) == (100, subcode)


def test_forbidden_places(market: Client, fields: dict[str, Any]) -> None:
    places = {"geo_locations": {"countries": ["KP"]}}
    error = market.refused(f"{market.account}/adsets", "POST", **(fields | {"targeting": places}))
    assert error["code"] == 2641


@pytest.mark.parametrize("targeting", [
    US,
    {**US, "age_min": 21},
    {**US, **OFF, "age_min": 30, "age_max": 45, "genders": [2], "locales": [6]},
    {"geo_locations": {"regions": [{"key": "3848"}], "cities": [
        {"key": "2420605", "radius": 25, "distance_unit": "mile"}]}},
    {**BROAD, "publisher_platforms": ["facebook", "instagram"],
     "facebook_positions": ["feed"], "instagram_positions": ["stream", "reels"]},
    {"geo_locations": {"country_groups": ["north_america"]}},
])  # fmt: skip
def test_accepted(market: Client, fields: dict[str, Any], targeting: dict[str, Any]) -> None:
    answer = market.post(f"{market.account}/adsets", **(fields | {"targeting": targeting}))
    assert answer == {"success": True}


def test_what_reads_back_is_enriched(fresh: Client) -> None:
    maker = Maker(fresh)
    shoes = fresh.get("search", type="adinterest", q="running shoes")["data"][0]
    made = maker.adset(maker.campaign(), targeting={
        **US, **OFF, "flexible_spec": [{"interests": [{"id": shoes["id"], "name": "shoes"}]}],
        "publisher_platforms": ["facebook", "messenger"], "messenger_positions": ["story"],
    })  # fmt: skip
    seen = fresh.get(made, fields="targeting")["targeting"]
    assert seen == {
        **US, **OFF, "age_min": 18, "age_max": 65,
        "flexible_spec": [{"interests": [{"id": shoes["id"], "name": "shoes"}]}],
        "publisher_platforms": ["facebook", "messenger"],
    }  # fmt: skip


def test_special_categories(fresh: Client) -> None:
    maker = Maker(fresh)
    campaign = maker.campaign(special_ad_categories=["HOUSING"], special_ad_category_country=["US"])
    for targeting, subcode in (
        (US, 1870227),
        ({**US, **OFF, "genders": [1]}, 2909034),
        ({**US, **OFF, "age_min": 30}, 2909034),
        ({**OFF, "geo_locations": {"zips": [{"key": "US:94304"}]}}, 2909034),
    ):
        fields = maker.adset_fields(campaign, targeting=targeting)
        error = fresh.refused(f"{fresh.account}/adsets", "POST", **fields)
        assert codes(error) == (100, subcode)
    assert maker.adset(campaign, targeting={**US, **OFF})


def test_interests_are_found_suggested_and_judged(market: Client) -> None:
    found = market.get("search", type="adinterest", q="ski")["data"]
    assert {"Skiing", "Ski touring"} <= {row["name"] for row in found}
    assert all(row["audience_size_upper_bound"] > row["audience_size_lower_bound"] for row in found)
    assert found[0]["path"][0] == "Interests"
    near = market.get("search", type="adinterestsuggestion", interest_list=["Hiking"])["data"]
    assert "Camping" in {row["name"] for row in near}
    judged = market.get(
        "search", type="adinterestvalid", interest_list=["Hiking", "Orienteering", "Sharks"]
    )["data"]
    assert [(row["name"], row["valid"]) for row in judged] == [
        ("Hiking", True), ("Orienteering", False), ("Sharks", False),
    ]  # fmt: skip
    ids = [judged[0]["id"], retired_id()]
    judged = market.get("search", type="adinterestvalid", interest_fbid_list=ids)["data"]
    assert [row["valid"] for row in judged] == [True, False]
    listed = [{"type": "interests", "id": each} for each in ids]
    rows = market.get(f"{market.account}/targetingvalidation", targeting_list=listed)["data"]
    assert [row["valid"] for row in rows] == [True, False]
    rows = market.get(f"{market.account}/targetingsearch", q="shoppers")["data"]
    assert rows[0]["type"] == "behaviors"
    assert market.refused("search", type="adworkemployer", q="x")["code"] == 100
    assert market.refused("search", q="x")["code"] == 100


def test_searches_come_in_pages(market: Client) -> None:
    every = market.every("search", type="adTargetingCategory", **{"class": "interests"}, limit="9")
    assert len(every) == len({row["id"] for row in every}) > 60


def test_places_and_languages(market: Client) -> None:
    rows = market.get("search", type="adgeolocation", q="berlin")["data"]
    assert {(row["type"], row["country_code"]) for row in rows} == {
        ("region", "DE"),
        ("city", "DE"),
    }
    rows = market.get("search", type="adgeolocation", q="united", location_types=["country"])
    assert {row["key"] for row in rows["data"]} == {"US", "GB", "AE"}
    assert market.get("search", type="adlocale", q="german")["data"] == [
        {"key": 5, "name": "German"}
    ]


def test_estimates(market: Client) -> None:
    def people(targeting: dict[str, Any]) -> int:
        answer = market.get(
            f"{market.account}/delivery_estimate",
            optimization_goal="OFFSITE_CONVERSIONS",
            targeting_spec=targeting,
        )["data"][0]
        assert answer["estimate_ready"] is True
        return int(answer["estimate_mau_lower_bound"])

    assert (
        people(US) > people({**US, "age_min": 30}) > people({**US, "age_min": 30, "genders": [1]})
    )
    adset = market.get(f"{market.account}/adsets", limit="1")["data"][0]["id"]
    assert market.get(f"{adset}/delivery_estimate")["data"][0]["estimate_mau_upper_bound"] > 0


def retired_id() -> str:
    from zyenta_ads_pipeline.sandbox.interests import named

    interest = named("Orienteering")
    assert interest is not None
    return interest.id
