"""Changes of what was made: what may change, what the whole of, and what never."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.conftest import Client
from tests.sandbox.creating import BROAD, Maker, codes


def test_ad_sets(fresh: Client) -> None:
    maker = Maker(fresh)
    adset = maker.adset(maker.campaign(), bid_strategy="COST_CAP", bid_amount=900)
    fresh.post(adset, bid_amount=1100, end_time="2026-12-01T00:00:00-0500", daily_budget=2500)
    seen = fresh.get(adset, fields="bid_amount,bid_strategy,end_time,daily_budget")
    assert seen == {
        "id": adset, "bid_amount": 1100, "bid_strategy": "COST_CAP", "daily_budget": "2500",
        "end_time": "2026-12-01T00:00:00-0500",
    }  # fmt: skip
    fresh.post(adset, bid_strategy="LOWEST_COST_WITHOUT_CAP", end_time=0)
    seen = fresh.get(adset, fields="bid_amount,bid_strategy,end_time")
    assert seen == {"id": adset, "bid_strategy": "LOWEST_COST_WITHOUT_CAP"}
    fresh.post(adset, optimization_goal="OFFSITE_CONVERSIONS", adlabels=[{"name": "kept"}])
    assert fresh.get(adset, fields="adlabels{name}")["adlabels"] == [{"name": "kept"}]


@pytest.mark.parametrize(("fields", "subcode"), [
    ({"optimization_goal": "REACH"}, 3260011),
    ({"promoted_object": {"pixel_id": "1", "custom_event_type": "LEAD"}}, 3260011),
    ({"end_time": "2026-11-01T00:00:00-0500"}, 1487033),
    ({"bid_amount": 500}, 1885204),
    ({"targeting": {**BROAD, "geo_locations": {}}}, None),
    ({"targeting": {**BROAD, "age_min": 30}}, 1870188),
    ({"campaign_id": "5"}, None),
    ({"nonsense": 1}, None),
    ({"lifetime_budget": 90000}, 1885621),
])  # fmt: skip
def test_ad_sets_refused(fresh: Client, fields: dict[str, Any], subcode: int | None) -> None:
    maker = Maker(fresh)
    adset = maker.adset(maker.campaign())
    before = fresh.get(adset, fields="targeting,updated_time,name")
    assert codes(fresh.refused(adset, "POST", name="Not kept", **fields)) == (100, subcode)
    assert fresh.get(adset, fields="targeting,updated_time,name") == before


def test_campaigns(fresh: Client) -> None:
    maker = Maker(fresh)
    campaign = maker.campaign(daily_budget=5000)
    fresh.post(campaign, spend_cap=30000, bid_strategy="COST_CAP")
    assert fresh.get(campaign, fields="spend_cap,bid_strategy") == {
        "id": campaign, "spend_cap": "30000", "bid_strategy": "COST_CAP",
    }  # fmt: skip
    fresh.post(campaign, spend_cap=922337203685478)
    assert "spend_cap" not in fresh.get(campaign, fields="spend_cap")
    assert codes(fresh.refused(campaign, "POST", objective="OUTCOME_LEADS")) == (100, None)
    error = fresh.refused(maker.campaign(), "POST", bid_strategy="COST_CAP")
    assert codes(error) == (100, 1885737)


def test_ads(fresh: Client) -> None:
    maker = Maker(fresh)
    _, _, creative, ad = maker.tree()
    fresh.sandbox.advance(hours=1)
    only = {"creative": {"creative_id": maker.creative()}, "execution_options": ["validate_only"]}
    assert fresh.post(ad, **only) == {"success": True}
    assert fresh.get(ad, fields="creative,effective_status") == {
        "id": ad, "creative": {"id": creative}, "effective_status": "PAUSED",
    }  # fmt: skip
    fresh.post(ad, creative={"creative_id": creative}, conversion_domain="shop.example")
    assert fresh.get(ad, fields="effective_status")["effective_status"] == "PAUSED"
    assert codes(fresh.refused(ad, "POST", adset_id="5")) == (100, None)
    assert codes(fresh.refused(ad, "POST", creative={"creative_id": "5"})) == (100, None)


def test_what_is_gone_keeps_its_content(fresh: Client) -> None:
    maker = Maker(fresh)
    adset = maker.adset(maker.campaign())
    fresh.post(adset, status="ARCHIVED")
    assert codes(fresh.refused(adset, "POST", targeting=BROAD)) == (100, 1487056)
    assert fresh.post(adset, name="Only its name") == {"success": True}


ODD: list[Any] = [5, -1, "x", "", [], {}, [1], [[]], [{}], {"a": 1}, {"a": [{}]}, True, None, 1.5]
JSON_PARAMS = {
    "campaigns": ["special_ad_categories", "promoted_object", "adlabels", "pacing_type",
                  "special_ad_category_country", "execution_options", "daily_budget",
                  "start_time"],
    "adsets": ["targeting", "promoted_object", "attribution_spec", "bid_constraints", "adlabels",
               "frequency_control_specs", "bid_amount", "end_time", "campaign_id"],
    "ads": ["creative", "adlabels", "tracking_specs", "adset_id"],
    "adcreatives": ["object_story_spec", "asset_feed_spec", "degrees_of_freedom_spec",
                    "call_to_action", "product_set_id", "instagram_user_id", "object_story_id"],
    "adimages": ["bytes", "copy_from"],
    "advideos": ["upload_phase", "file_size", "file_url"],
}  # fmt: skip
NESTED = {
    "targeting": ["geo_locations", "flexible_spec", "interests", "genders", "locales", "age_min",
                  "targeting_automation", "publisher_platforms", "facebook_positions",
                  "exclusions", "custom_audiences", "excluded_geo_locations"],
    "object_story_spec": ["page_id", "link_data", "video_data", "photo_data", "text_data",
                          "template_data"],
    "asset_feed_spec": ["images", "videos", "bodies", "link_urls", "ad_formats",
                        "call_to_action_types"],
    "link_data": ["link", "message", "image_hash", "picture", "call_to_action",
                  "child_attachments"],
    "promoted_object": ["pixel_id", "custom_event_type", "page_id"],
    "geo_locations": ["countries", "regions", "cities", "zips", "country_groups",
                      "custom_locations"],
}  # fmt: skip


def test_no_value_breaks_the_sandbox(fresh: Client) -> None:
    """Whatever is sent, the answer is Meta's envelope or an object, never a crash."""
    maker = Maker(fresh)
    campaign = maker.campaign()
    adset, creative = maker.adset(campaign), maker.creative()
    usual: dict[str, dict[str, Any]] = {
        "campaigns": maker.campaign_fields(),
        "adsets": maker.adset_fields(campaign),
        "ads": {"name": "Ad", "adset_id": adset, "status": "PAUSED",
                "creative": {"creative_id": creative}},
        "adcreatives": {"object_story_spec": maker.story()},
        "adimages": {},
        "advideos": {},
    }  # fmt: skip
    sent: list[tuple[str, dict[str, Any]]] = []
    for edge, names in JSON_PARAMS.items():
        sent += [(edge, usual[edge] | {name: value}) for name in names for value in ODD]
    for value in ODD:
        for key in NESTED["targeting"]:
            sent.append(("adsets", usual["adsets"] | {"targeting": {**BROAD, key: value}}))
        for key in NESTED["geo_locations"]:
            places = {"geo_locations": {"countries": ["US"], key: value}}
            sent.append(("adsets", usual["adsets"] | {"targeting": places}))
        for key in NESTED["promoted_object"]:
            promoted = usual["adsets"]["promoted_object"] | {key: value}
            sent.append(("adsets", usual["adsets"] | {"promoted_object": promoted}))
        for key in NESTED["object_story_spec"]:
            for spec in ({**maker.story(), key: value}, {"page_id": maker.page, key: value}):
                sent.append(("adcreatives", {"object_story_spec": spec}))
        for key in NESTED["link_data"]:
            sent.append(("adcreatives", {"object_story_spec": maker.story(**{key: value})}))
        for key in NESTED["asset_feed_spec"]:
            feed = {"ad_formats": ["SINGLE_IMAGE"], key: value}
            spec = {"page_id": maker.page}
            sent.append(("adcreatives", {"object_story_spec": spec, "asset_feed_spec": feed}))
    broken = []
    for edge, fields in sent:
        fresh.sandbox.throttle(advance_seconds=600)
        reply = fresh.http.post(f"/v26.0/{fresh.account}/{edge}", json=fields)
        if reply.status_code not in (200, 400):
            broken.append((edge, fields, reply.status_code))
    assert broken == []
