"""Specs as the parameters that Meta takes, and what is refused before it is sent."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.platforms.launching import (
    AD,
    AD_SET,
    CAMPAIGN,
    CATALOGUE,
    CREATIVE,
    START,
    TARGETING,
    VIDEO,
)
from zyenta_ads_pipeline.domain.campaign import CampaignObjective
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.domain.launch import Spec
from zyenta_ads_pipeline.platforms.meta.forms import encoded
from zyenta_ads_pipeline.platforms.meta.objectives import OBJECTIVES
from zyenta_ads_pipeline.platforms.meta.specs import params_of

CATALOG_SALES = CampaignObjective.CATALOG_SALES
CATALOG_CAMPAIGN = replace(CAMPAIGN, objective=CATALOG_SALES, product_catalog_id="66")
CATALOG_AD_SET = replace(AD_SET, objective=CATALOG_SALES, product_set_id="88")
SPECS: list[Spec] = [
    CAMPAIGN, CATALOG_CAMPAIGN, AD_SET, CATALOG_AD_SET, CREATIVE, VIDEO, CATALOGUE, AD,
]  # fmt: skip

ROWS: dict[CampaignObjective, tuple[str, str, str | None, dict[str, str] | None]] = {
    CampaignObjective.AWARENESS: ("OUTCOME_AWARENESS", "REACH", None, {"page_id": AD_SET.page_id}),
    CampaignObjective.TRAFFIC: ("OUTCOME_TRAFFIC", "LANDING_PAGE_VIEWS", "WEBSITE", None),
    CampaignObjective.ENGAGEMENT: ("OUTCOME_ENGAGEMENT", "POST_ENGAGEMENT", "ON_POST", None),
    CampaignObjective.CONVERSIONS: (
        "OUTCOME_SALES", "OFFSITE_CONVERSIONS", "WEBSITE",
        {"pixel_id": "900000000000001", "custom_event_type": "PURCHASE"},
    ),
    CampaignObjective.CATALOG_SALES: (
        "OUTCOME_SALES", "OFFSITE_CONVERSIONS", None,
        {"product_set_id": "88", "custom_event_type": "PURCHASE", "pixel_id": "900000000000001"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("objective", CampaignObjective)
def test_each_objective_has_its_row_of_metas_table(objective: CampaignObjective) -> None:
    name, goal, destination, promoted = ROWS[objective]
    campaign = params_of(replace(CAMPAIGN, objective=objective, product_catalog_id="66"))
    ad_set = params_of(replace(AD_SET, objective=objective, product_set_id="88"))
    assert campaign["objective"] == name
    catalogue = {"product_catalog_id": "66"} if objective is CATALOG_SALES else None
    assert campaign.get("promoted_object") == catalogue
    assert ad_set["optimization_goal"] == goal
    assert ad_set["billing_event"] == "IMPRESSIONS"
    assert ad_set.get("destination_type") == destination
    assert ad_set.get("promoted_object") == promoted
    assert set(OBJECTIVES) == set(CampaignObjective)


def test_a_catalogue_ad_set_without_a_pixel_promotes_its_product_set() -> None:
    promoted = params_of(replace(CATALOG_AD_SET, pixel_id=None))["promoted_object"]
    assert promoted == {"product_set_id": "88", "custom_event_type": "PURCHASE"}


def test_a_campaign_without_a_budget_says_that_its_ad_sets_share_none() -> None:
    assert params_of(CAMPAIGN) == {
        "name": CAMPAIGN.name,
        "objective": "OUTCOME_SALES",
        "status": "PAUSED",
        "special_ad_categories": [],
        "is_adset_budget_sharing_enabled": False,
    }
    sent = encoded(params_of(CAMPAIGN))
    assert sent["special_ad_categories"] == "[]"
    assert sent["is_adset_budget_sharing_enabled"] == "false"


def test_budget_and_bid_strategy_stand_on_the_same_level_and_only_there() -> None:
    holding = params_of(replace(CAMPAIGN, daily_budget_minor=7500))
    assert (holding["daily_budget"], holding["bid_strategy"]) == (7500, "LOWEST_COST_WITHOUT_CAP")
    assert "is_adset_budget_sharing_enabled" not in holding
    below = params_of(replace(AD_SET, daily_budget_minor=None))
    assert not {"daily_budget", "bid_strategy"} & below.keys()
    alone = params_of(AD_SET)
    assert (alone["daily_budget"], alone["bid_strategy"]) == (2500, "LOWEST_COST_WITHOUT_CAP")


def test_an_ad_set_tells_its_times_with_their_offset() -> None:
    berlin = timezone(timedelta(hours=1))
    start = datetime(2026, 11, 4, 0, 0, tzinfo=berlin)
    params = params_of(replace(AD_SET, start_time=start, end_time=start + timedelta(days=2)))
    assert params["start_time"] == "2026-11-04T00:00:00+0100"
    assert params["end_time"] == "2026-11-06T00:00:00+0100"
    assert "end_time" not in params_of(replace(AD_SET, end_time=None))
    with pytest.raises(ValueError, match="time zone"):
        params_of(replace(AD_SET, start_time=datetime(2026, 11, 4), end_time=None))  # noqa: DTZ001


def test_an_ad_set_names_beneficiary_and_payor_where_they_are_given() -> None:
    params = params_of(replace(AD_SET, dsa_beneficiary="Tarnfell GmbH"))
    assert (params["dsa_beneficiary"], params["dsa_payor"]) == ("Tarnfell GmbH",) * 2
    assert not {"dsa_beneficiary", "dsa_payor"} & params_of(AD_SET).keys()


ACTION = {"type": "SHOP_NOW", "value": {"link": CREATIVE.link_url}}
LINK = {
    "link": CREATIVE.link_url,
    "message": CREATIVE.message,
    "name": CREATIVE.headline,
    "call_to_action": ACTION,
}


def test_an_image_tells_its_story_as_a_link() -> None:
    spec = replace(CREATIVE, instagram_user_id="55")
    assert params_of(spec) == {
        "name": spec.name,
        "object_story_spec": {
            "page_id": spec.page_id,
            "instagram_user_id": "55",
            "link_data": {**LINK, "image_hash": "a1b2c3"},
        },
    }


def test_a_video_tells_it_as_a_video_with_a_thumbnail_and_without_a_link_of_its_own() -> None:
    data = {
        "video_id": "77",
        "image_hash": "d4e5f6",
        "title": CREATIVE.headline,
        "message": CREATIVE.message,
        "call_to_action": ACTION,
    }
    story = params_of(VIDEO)["object_story_spec"]
    assert story == {"page_id": CREATIVE.page_id, "video_data": data}
    by_link = replace(VIDEO, thumbnail_hash=None, thumbnail_url="https://cdn.example/t.jpg")
    shown = params_of(by_link)["object_story_spec"]["video_data"]
    assert shown["image_url"] == "https://cdn.example/t.jpg"
    assert "image_hash" not in shown


def test_a_product_set_tells_it_as_a_template() -> None:
    params = params_of(CATALOGUE)
    assert params["product_set_id"] == "88"
    assert params["object_story_spec"] == {"page_id": CREATIVE.page_id, "template_data": LINK}


def test_an_ad_is_its_ad_sets_and_creatives() -> None:
    assert params_of(AD) == {
        "name": AD.name,
        "adset_id": AD.ad_set_id,
        "creative": {"creative_id": AD.creative_id},
        "status": "PAUSED",
    }


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: type(spec).__name__)
def test_whatever_can_be_paused_is_made_paused_and_everything_travels_as_text(spec: Spec) -> None:
    sent = encoded(params_of(spec))
    assert sent.get("status", "PAUSED") == "PAUSED"
    assert "ACTIVE" not in "".join(sent.values())
    for name, value in params_of(spec).items():
        assert sent[name] == value or json.loads(sent[name]) == value


def aimed(**changes: Any) -> dict[str, Any]:
    return {**TARGETING, **changes}


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (replace(CAMPAIGN, name=" "), "name of 1 char"),
        (replace(CAMPAIGN, name="x" * 401), "401"),
        (replace(CAMPAIGN, daily_budget_minor=0), "daily budget 0"),
        (replace(CAMPAIGN, daily_budget_minor=12.5), "daily budget 12.5"),  # type: ignore[arg-type]
        (replace(CAMPAIGN, objective=CATALOG_SALES), "product catalogue"),
        (replace(AD_SET, pixel_id=None), "needs a pixel"),
        (replace(AD_SET, objective=CATALOG_SALES), "product set"),
        (replace(AD_SET, objective=CampaignObjective.AWARENESS, page_id=""), "needs a page"),
        (replace(AD_SET, end_time=START + timedelta(hours=24)), "more than 24 hours"),
        (replace(AD_SET, end_time=START - timedelta(days=1)), "more than 24 hours"),
        (replace(AD_SET, daily_budget_minor=-5), "daily budget -5"),
        (replace(AD_SET, campaign_id=""), "campaign_id ''"),
        (replace(AD_SET, targeting={}), "no place"),
        (replace(AD_SET, targeting=aimed(geo_locations={"countries": []})), "no place"),
        (
            replace(AD_SET, targeting=aimed(geo_locations={"countries": ["US"],
                                                           "location_types": ["home"]})),
            "location_types",
        ),
        (replace(AD_SET, targeting=aimed(targeting_automation={})), "may widen"),
        (replace(AD_SET, targeting=aimed(age_min=40, age_max=30)), "ages from 40 to 30"),
        (
            replace(AD_SET, targeting=aimed(targeting_automation={"advantage_audience": 1},
                                            age_min=30)),
            "ages from 30",
        ),
        (replace(CREATIVE, name="x" * 101), "101"),
        (replace(CREATIVE, headline=""), "no headline"),
        (replace(CREATIVE, message=" "), "no text"),
        (replace(CREATIVE, image_hash=None), "shows nothing"),
        (replace(CREATIVE, video_id="77"), "shows image and video"),
        (replace(CREATIVE, product_set_id="88"), "shows image and product set"),
        (replace(VIDEO, thumbnail_hash=None), "without a thumbnail"),
        (replace(CREATIVE, link_url="shop.example"), "links to 'shop.example'"),
        (replace(CREATIVE, link_url="https://"), "links to"),
        (replace(CREATIVE, link_url="http://[x"), "links to"),
        (replace(CREATIVE, call_to_action="Shop now"), "call to action 'Shop now'"),
        (replace(CREATIVE, page_id="my page"), "page_id 'my page'"),
        (replace(AD, ad_set_id="x"), "ad_set_id 'x'"),
        (replace(AD, creative_id=""), "creative_id ''"),
    ],
)  # fmt: skip
def test_what_meta_is_known_to_refuse_is_not_sent(spec: Spec, words: str) -> None:
    with pytest.raises(InputError, match=words) as failed:
        params_of(spec)
    assert failed.value.remedy


@given(
    st.sampled_from([CREATIVE, VIDEO, CATALOGUE]),
    st.text(min_size=1, max_size=300).filter(str.strip),
    st.text(min_size=1, max_size=60).filter(str.strip),
)
def test_a_creative_has_exactly_one_story_whatever_it_says(
    spec: Any, message: str, headline: str
) -> None:
    story = params_of(replace(spec, message=message, headline=headline))["object_story_spec"]
    (kind,) = story.keys() - {"page_id"}
    assert kind in ("link_data", "video_data", "template_data")
    assert story[kind]["message"] == message
    assert json.loads(encoded({"x": story})["x"]) == story
