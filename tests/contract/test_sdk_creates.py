"""The unmodified `facebook-business` SDK makes campaigns in the sandbox, from image to ad."""

from __future__ import annotations

import base64
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.creating import MP4, png
from tests.sandboxes import run_sandbox
from zyenta_ads_pipeline.sandbox.config import SandboxConfig
from zyenta_ads_pipeline.sandbox.process import SandboxHandle

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    facebook_business = pytest.importorskip("facebook_business")
    from facebook_business import video_uploader
    from facebook_business.adobjects.ad import Ad
    from facebook_business.adobjects.adaccount import AdAccount
    from facebook_business.adobjects.adcreative import AdCreative
    from facebook_business.adobjects.adimage import AdImage
    from facebook_business.adobjects.adset import AdSet
    from facebook_business.adobjects.advideo import AdVideo
    from facebook_business.adobjects.business import Business
    from facebook_business.adobjects.campaign import Campaign
    from facebook_business.adobjects.productcatalog import ProductCatalog
    from facebook_business.adobjects.targetingsearch import TargetingSearch
    from facebook_business.api import FacebookAdsApi
    from facebook_business.exceptions import FacebookRequestError
    from facebook_business.session import FacebookSession

LINK = "https://shop.example/shoes"
SHOP_NOW = {"type": "SHOP_NOW", "value": {"link": LINK}}
BROAD = {
    "geo_locations": {"countries": ["US"]},
    "targeting_automation": {"advantage_audience": 1},
}
GOALS: dict[str, tuple[str, str | None, str]] = {
    "awareness": ("OUTCOME_AWARENESS", None, "REACH"),
    "traffic": ("OUTCOME_TRAFFIC", "WEBSITE", "LANDING_PAGE_VIEWS"),
    "engagement": ("OUTCOME_ENGAGEMENT", "ON_POST", "POST_ENGAGEMENT"),
    "conversions": ("OUTCOME_SALES", "WEBSITE", "OFFSITE_CONVERSIONS"),
    "catalog_sales": ("OUTCOME_SALES", "WEBSITE", "OFFSITE_CONVERSIONS"),
}


class Shop:
    """An account with what it can promote, as the SDK reads it."""

    def __init__(self, sandbox: SandboxHandle) -> None:
        session = type("Session", (FacebookSession,), {"GRAPH": sandbox.url})
        self.api = FacebookAdsApi(session("1", "secret", SandboxConfig.token, timeout=30))
        self.account = AdAccount(f"act_{sandbox.account_ids[0]}", api=self.api)
        self.sandbox = sandbox
        self.page = self.account.get_promote_pages()[0]["id"]
        self.pixel = self.account.get_ads_pixels()[0]["id"]
        owner = self.account.api_get(fields=["business"])["business"]["id"]
        catalog = Business(owner, api=self.api).get_owned_product_catalogs()[0]
        self.catalog = catalog["id"]
        self.product_set = ProductCatalog(self.catalog, api=self.api).get_product_sets()[0]["id"]

    def promoted(self, objective: str) -> dict[str, str] | None:
        pixel = {"pixel_id": self.pixel, "custom_event_type": "PURCHASE"}
        return {
            "awareness": {"page_id": self.page},
            "conversions": pixel,
            "catalog_sales": {"product_set_id": self.product_set, "custom_event_type": "PURCHASE"},
        }.get(objective)

    def campaign(self, kind: str, /, **other: Any) -> Campaign:
        params = {
            "name": f"Launch | {kind}",
            "objective": GOALS[kind][0],
            "special_ad_categories": [],
            "is_adset_budget_sharing_enabled": False,
            "status": Campaign.Status.paused,
        }
        if kind == "catalog_sales":
            params["promoted_object"] = {"product_catalog_id": self.catalog}
        return self.account.create_campaign(params=params | other)

    def adset(self, campaign: Campaign, objective: str, **other: Any) -> AdSet:
        _, destination, goal = GOALS[objective]
        params = {
            "name": "Everybody",
            "campaign_id": campaign["id"],
            "daily_budget": 2000,
            "billing_event": AdSet.BillingEvent.impressions,
            "optimization_goal": goal,
            "destination_type": destination,
            "promoted_object": self.promoted(objective),
            "targeting": BROAD,
            "status": AdSet.Status.paused,
        } | other
        given = {name: value for name, value in params.items() if value is not None}
        return self.account.create_ad_set(params=given)

    def image(self) -> str:
        content = base64.b64encode(png()).decode()
        return str(self.account.create_ad_image(params={"bytes": content})["hash"])

    def creative(self, objective: str) -> AdCreative:
        data: dict[str, Any] = {"link": LINK, "message": "Light.", "call_to_action": SHOP_NOW}
        params: dict[str, Any] = {"name": f"Ridge | {objective}"}
        if objective == "catalog_sales":
            params["product_set_id"] = self.product_set
            story = {"template_data": data | {"name": "{{product.name}}"}}
        else:
            story = {"link_data": data | {"name": "Ridge shoe", "image_hash": self.image()}}
        params["object_story_spec"] = {"page_id": self.page, **story}
        return self.account.create_ad_creative(params=params)

    def ad(self, adset: AdSet, creative: AdCreative) -> Ad:
        return self.account.create_ad(params={
            "name": "Ridge",
            "adset_id": adset["id"],
            "creative": {"creative_id": creative["id"]},
            "status": Ad.Status.paused,
        })  # fmt: skip


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    config = SandboxConfig(
        state=tmp_path_factory.mktemp("creates"),
        port=0,
        days=5,
        start=datetime(2026, 11, 3, 17, 30, tzinfo=UTC),
        frozen=True,
    )
    with run_sandbox(config) as sandbox:
        yield Shop(sandbox)


@pytest.mark.parametrize("objective", list(GOALS))
def test_a_campaign_of_each_objective(shop: Shop, objective: str) -> None:
    campaign = shop.campaign(objective)
    adset = shop.adset(campaign, objective)
    ad = shop.ad(adset, shop.creative(objective))
    seen = ad.api_get(fields=["name", "campaign_id", "adset_id", "effective_status", "creative"])
    assert (seen["campaign_id"], seen["adset_id"]) == (campaign["id"], adset["id"])
    assert seen["effective_status"] == "IN_PROCESS"
    read = AdSet(adset["id"], api=shop.api).api_get(
        fields=["optimization_goal", "promoted_object", "targeting", "daily_budget"]
    )
    assert read["optimization_goal"] == GOALS[objective][2]
    assert read["daily_budget"] == "2000"
    promoted = shop.promoted(objective)
    assert (dict(read["promoted_object"]) if promoted else None) == promoted
    shop.sandbox.advance(hours=1)
    assert ad.api_get(fields=["effective_status"])["effective_status"] == "PAUSED"
    campaign.api_delete()
    assert ad.api_get(fields=["effective_status"])["effective_status"] == "DELETED"


@pytest.mark.parametrize(("objective", "other", "subcode"), [
    ("conversions", {"optimization_goal": "CONVERSIONS"}, None),
    ("engagement", {"optimization_goal": "ENGAGEMENT"}, None),
    ("traffic", {"optimization_goal": "OFFSITE_CONVERSIONS"}, 2490408),
    ("awareness", {"promoted_object": None}, 1815430),
    ("conversions", {"promoted_object": {"pixel_id": "1", "custom_event_type": "PURCHASE"}},
     1885014),
    ("conversions", {"daily_budget": 50}, 1885272),
    ("conversions", {"daily_budget": None}, 1885621),
    ("conversions", {"bid_amount": 100}, 1885204),
    ("traffic", {"targeting": {"geo_locations": {"countries": ["US"]}, "age_min": 30}}, 1870227),
    ("traffic", {"targeting": BROAD | {"age_min": 30}}, 1870188),
    ("traffic", {"targeting": {"geo_locations": {"countries": ["US"], "location_types": ["home"]}}},
     1870199),
    ("traffic", {"end_time": "2026-11-01T00:00:00+0000"}, 1487033),
])  # fmt: skip
def test_ad_sets_that_meta_refuses(
    shop: Shop, objective: str, other: dict[str, Any], subcode: int | None
) -> None:
    with pytest.raises(FacebookRequestError) as refused:
        shop.adset(shop.campaign(objective), objective, **other)
    error = refused.value
    assert (error.api_error_code(), error.api_error_subcode()) == (100, subcode)
    assert error.http_status() == 400
    assert not error.api_transient_error()
    assert error.api_blame_field_specs() is not None


@pytest.mark.parametrize(("other", "subcode"), [
    ({"objective": "CONVERSIONS"}, None),
    ({"is_adset_budget_sharing_enabled": ""}, 4834011),
    ({"special_ad_categories": ""}, None),
    ({"bid_strategy": "COST_CAP"}, 1885737),
])  # fmt: skip
def test_campaigns_that_meta_refuses(
    shop: Shop, other: dict[str, Any], subcode: int | None
) -> None:
    with pytest.raises(FacebookRequestError) as refused:
        shop.campaign("conversions", **other)
    assert (refused.value.api_error_code(), refused.value.api_error_subcode()) == (100, subcode)


def test_images_as_files(shop: Shop, tmp_path: Path) -> None:
    path = tmp_path / "shoe.png"
    path.write_bytes(png(300, 200))
    image = AdImage(parent_id=shop.account["id"], api=shop.api)
    image[AdImage.Field.filename] = str(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image.remote_create()
    listed = shop.account.get_ad_images(
        fields=["width", "hash"], params={"hashes": [image["hash"]]}
    )
    assert [row["width"] for row in listed] == [300]


def test_videos_by_the_sdks_own_uploader(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The SDK writes the host of videos into its code; all else is its own."""
    call = shop.api.call

    def here(*args: Any, **named: Any) -> Any:
        named.pop("url_override", None)
        return call(*args, **named)

    monkeypatch.setattr(shop.api, "call", here)
    path = tmp_path / "ridge.mp4"
    path.write_bytes(MP4 + bytes(9 * 1024 * 1024))
    video = AdVideo(parent_id=shop.account["id"], api=shop.api)
    video[AdVideo.Field.filepath] = str(path)
    made = video_uploader.VideoUploader().upload(video)
    shop.sandbox.advance(hours=1)
    seen = AdVideo(made["id"], api=shop.api).api_get(fields=["status", "title"])
    assert seen["status"]["video_status"] == "ready"
    assert seen["title"] == "ridge.mp4"


def test_interests(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FacebookSession, "GRAPH", shop.sandbox.url)
    found = TargetingSearch.search(params={"type": "adinterest", "q": "hiking"}, api=shop.api)
    assert found[0]["name"] == "Hiking"
    assert shop.account.get_targeting_search(params={"q": "hiking"})[0]["name"] == "Hiking"
