"""What is a difference between what was meant and what Meta gives back, and what is not."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.platforms.launching import AD, AD_SET, CAMPAIGN, CATALOGUE, CREATIVE, TARGETING, VIDEO
from zyenta_ads_pipeline.domain.campaign import CampaignObjective
from zyenta_ads_pipeline.domain.launch import AdSpec, Spec, StepKind
from zyenta_ads_pipeline.platforms.meta.readback import differences
from zyenta_ads_pipeline.platforms.meta.specs import params_of

HOLDING = replace(CAMPAIGN, daily_budget_minor=7500)
RICH = {
    **TARGETING,
    "flexible_spec": [{"interests": [{"id": "6003", "name": "Hiking"}, {"id": "6004"}]}],
    "facebook_positions": ["feed", "story"],
}
AIMED = replace(AD_SET, targeting=RICH)
KINDS: dict[type, StepKind] = {
    type(CAMPAIGN): StepKind.CAMPAIGN,
    type(AD_SET): StepKind.ADSET,
    type(CREATIVE): StepKind.CREATIVE,
    type(AD): StepKind.AD,
}
SPECS: list[Spec] = [CAMPAIGN, HOLDING, AD_SET, AIMED, CREATIVE, VIDEO, CATALOGUE, AD]


def row_of(spec: Spec) -> dict[str, Any]:
    """The object as a Meta that changes nothing would give it back."""
    row: dict[str, Any] = json.loads(json.dumps(params_of(spec)))
    if isinstance(spec, AdSpec):
        row["creative"] = {"id": spec.creative_id}
    row.pop("is_adset_budget_sharing_enabled", None)
    if "daily_budget" in row:
        row["daily_budget"] = str(row["daily_budget"])
    return {"id": "9", **row}


def told(spec: Spec, **changes: Any) -> list[str]:
    return differences(KINDS[type(spec)], row_of(spec) | changes, spec)


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: type(spec).__name__)
def test_what_was_meant_does_not_differ(spec: Spec) -> None:
    assert told(spec) == []
    assert told(spec, updated_time="2026-11-04T10:00:00+0000", lifetime_budget="0") == []


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: type(spec).__name__)
def test_a_field_that_is_gone_is_told(spec: Spec) -> None:
    may_be_absent = {"id", "special_ad_categories", "destination_type"}
    for field in row_of(spec).keys() - may_be_absent:
        row = row_of(spec)
        del row[field]
        found = differences(KINDS[type(spec)], row, spec)
        assert found, field
        assert "missing" in found[0]


@pytest.mark.parametrize(
    ("spec", "changes"),
    [
        (CAMPAIGN, {"special_ad_categories": ["NONE"]}),
        (CAMPAIGN, {"special_ad_categories": None, "daily_budget": "0"}),
        (CAMPAIGN, {"name": f"{CAMPAIGN.name} "}),
        (HOLDING, {"daily_budget": 7500}),
        (AD_SET, {"destination_type": "UNDEFINED"}),
        (AD_SET, {"start_time": "2026-11-04T10:00:00+0100"}),
        (AD_SET, {"start_time": "2026-11-04T09:00:30+0000"}),
        (
            AD_SET,
            {"created_time": "2026-11-04T11:00:00+0000", "start_time": "2026-11-04T11:00:01+0000"},
        ),
        (AD_SET, {"promoted_object": {**params_of(AD_SET)["promoted_object"], "smart_pse": False}}),
        (
            AIMED,
            {
                "targeting": {
                    **RICH,
                    "age_min": "18",
                    "geo_locations": {
                        "countries": ["CA", "US"],
                        "location_types": ["home", "recent"],
                    },
                    "flexible_spec": [
                        {"interests": [{"id": 6004, "name": "Zelten"}, {"id": "6003"}]}
                    ],
                    "facebook_positions": ["feed"],
                    "brand_safety_content_filter_levels": ["FACEBOOK_STANDARD"],
                }
            },
        ),
        (
            replace(AD_SET, objective=CampaignObjective.AWARENESS),
            {"optimization_goal": "IMPRESSIONS"},
        ),
        (AD, {"creative": {"id": AD.creative_id, "name": "x"}}),
    ],
)
def test_metas_own_ways_are_no_differences(spec: Spec, changes: dict[str, Any]) -> None:
    assert told(spec, **changes) == []


def story(spec: Any, **changes: Any) -> dict[str, Any]:
    """The story of a creative with other values, under dotted names."""
    found: dict[str, Any] = deepcopy(row_of(spec)["object_story_spec"])
    for path, value in changes.items():
        *parts, last = path.split("__")
        at = found
        for part in parts:
            at = at[part]
        at[last] = value
    return {"object_story_spec": found}


def test_a_creatives_link_may_get_a_slash_and_its_image_stand_elsewhere() -> None:
    changed = story(CREATIVE, link_data__link=f"{CREATIVE.link_url}/")
    del changed["object_story_spec"]["link_data"]["image_hash"]
    assert told(CREATIVE, **changed, image_hash="a1b2c3") == []
    assert told(CREATIVE, **changed, image_hash="ffff") == [
        "The creative's image is ffff, not a1b2c3."
    ]
    by_link = replace(VIDEO, thumbnail_hash=None, thumbnail_url="https://cdn.example/t.jpg")
    copied = story(by_link, video_data__image_url="https://scontent.example/copy.jpg")
    assert told(by_link, **copied) == []


@pytest.mark.parametrize(
    ("spec", "changes", "sentence"),
    [
        (CAMPAIGN, {"status": "ACTIVE"}, "The campaign's status is ACTIVE, not PAUSED."),
        (
            CAMPAIGN,
            {"objective": "OUTCOME_TRAFFIC"},
            "The campaign's objective is OUTCOME_TRAFFIC, not OUTCOME_SALES.",
        ),
        (
            CAMPAIGN,
            {"daily_budget": "500"},
            "The campaign's daily_budget is 500, though it should have none.",
        ),
        (
            CAMPAIGN,
            {"special_ad_categories": ["HOUSING"]},
            "The campaign's special_ad_categories is ['HOUSING'], not [].",
        ),
        (HOLDING, {"daily_budget": "7501"}, "The campaign's daily_budget is 7501, not 7500."),
        (
            HOLDING,
            {"bid_strategy": "COST_CAP"},
            "The campaign's bid_strategy is COST_CAP, not LOWEST_COST_WITHOUT_CAP.",
        ),
        (
            AD_SET,
            {"optimization_goal": "LINK_CLICKS"},
            "The ad set's optimization_goal is LINK_CLICKS, not OFFSITE_CONVERSIONS.",
        ),
        (
            AD_SET,
            {"promoted_object": {"pixel_id": "1", "custom_event_type": "PURCHASE"}},
            "The ad set's promoted_object.pixel_id is 1, not 900000000000001.",
        ),
        (
            AD_SET,
            {"targeting": {**TARGETING, "geo_locations": {"countries": ["US", "CA", "MX"]}}},
            "The ad set's targeting.geo_locations.countries is ['US', 'CA', 'MX'], "
            "not ['US', 'CA'].",
        ),
        (
            AD_SET,
            {"targeting": {**TARGETING, "targeting_automation": {"advantage_audience": 1}}},
            "The ad set's targeting.targeting_automation.advantage_audience is 1, not 0.",
        ),
        (
            AD_SET,
            {"end_time": "2026-11-12T09:00:00+0000"},
            "The ad set's end_time is 2026-11-12T09:00:00+0000, not 2026-11-11T09:00:00+0000.",
        ),
        (
            AD_SET,
            {"start_time": "2026-11-05T09:00:00+0000"},
            "The ad set's start_time is 2026-11-05T09:00:00+0000, not 2026-11-04T09:00:00+0000.",
        ),
        (AD_SET, {"campaign_id": "5"}, "The ad set's campaign is 5, not 120200000000000011."),
        (AD, {"adset_id": "5"}, "The ad's ad set is 5, not 120200000000000012."),
        (AD, {"creative": {"id": "5"}}, "The ad's creative is 5, not 120200000000000013."),
        (
            CREATIVE,
            story(CREATIVE, link_data__name="Cold"),
            "The creative's headline is Cold, not Warm all day.",
        ),
        (
            CREATIVE,
            story(CREATIVE, link_data__call_to_action={"type": "LEARN_MORE"}),
            "The creative's call to action is LEARN_MORE, not SHOP_NOW.",
        ),
        (
            VIDEO,
            story(VIDEO, video_data__title="Cold"),
            "The creative's headline is Cold, not Warm all day.",
        ),
        (VIDEO, story(VIDEO, video_data__video_id="5"), "The creative's video is 5, not 77."),
        (CATALOGUE, {"product_set_id": "5"}, "The creative's product_set_id is 5, not 88."),
    ],
)
def test_what_differs_is_told_in_a_sentence(
    spec: Spec, changes: dict[str, Any], sentence: str
) -> None:
    assert sentence in told(spec, **changes)


def test_an_interest_more_or_less_is_a_difference() -> None:
    for interests in ([{"id": "6003"}], [{"id": "6003"}, {"id": "6004"}, {"id": "6005"}]):
        aimed = {**RICH, "flexible_spec": [{"interests": interests}]}
        assert told(AIMED, targeting=aimed)


def test_a_placement_more_is_a_difference() -> None:
    wider = {**RICH, "facebook_positions": ["feed", "story", "marketplace"]}
    assert told(AIMED, targeting=wider)


def test_a_spec_of_another_kind_is_a_mistake() -> None:
    with pytest.raises(TypeError, match="adset has no CampaignSpec"):
        differences(StepKind.ADSET, {}, CAMPAIGN)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.sampled_from(SPECS), st.data())
def test_whatever_comes_back_is_compared_and_breaks_nothing(spec: Spec, data: Any) -> None:
    row = row_of(spec)
    field = data.draw(st.sampled_from(sorted(row)))
    row[field] = data.draw(JSON)
    assert all(text.endswith(".") for text in differences(KINDS[type(spec)], row, spec))
