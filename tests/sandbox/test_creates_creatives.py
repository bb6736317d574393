"""Creating creatives: one story, its keys, its images and videos, its button."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.conftest import Client
from tests.sandbox.creating import MP4, Maker, codes

READ = (
    "name,status,title,body,image_hash,call_to_action_type,object_type,object_story_spec,"
    "effective_object_story_id,url_tags"
)
LINK = "https://shop.example/shoes"


def refused(maker: Maker, **fields: Any) -> tuple[int, int | None]:
    given = {"name": "Creative", **fields}
    return codes(maker.client.refused(f"{maker.account}/adcreatives", "POST", **given))


def test_a_creative_reads_back_as_it_was_sent(fresh: Client) -> None:
    maker = Maker(fresh)
    story = maker.story(image_hash=maker.image())
    made = fresh.get(maker.creative(object_story_spec=story, url_tags="utm_source=x"), fields=READ)
    assert made == {
        "id": made["id"],
        "name": "Ridge shoe | still",
        "status": "ACTIVE",
        "title": "Ridge shoe",
        "body": "Light on the trail, firm on the rock.",
        "image_hash": story["link_data"]["image_hash"],
        "call_to_action_type": "SHOP_NOW",
        "object_type": "SHARE",
        "object_story_spec": story,
        "effective_object_story_id": f"{maker.page}_{made['id']}",
        "url_tags": "utm_source=x",
    }
    post = maker.creative(object_story_spec=None, object_story_id=made["effective_object_story_id"])
    assert fresh.get(post, fields="title")["title"] == "Ridge shoe"


def test_every_story(fresh: Client) -> None:
    maker = Maker(fresh)
    image = maker.image()
    fresh.sandbox.plan_videos(seconds=0)
    upload = fresh.http.post(f"/v26.0/{fresh.account}/advideos", files={"source": ("a.mp4", MP4)})
    video = upload.json()["id"]
    action = {"type": "SHOP_NOW", "value": {"link": LINK}}
    business = fresh.get(fresh.account, fields="business")["business"]["id"]
    catalog = fresh.get(f"{business}/owned_product_catalogs")["data"][0]["id"]
    product_set = fresh.get(f"{catalog}/product_sets")["data"][0]["id"]
    cards = [{"link": LINK, "name": name, "image_hash": image} for name in ("One", "Two")]
    for story, more, kind in (
        ({"video_data": {"video_id": video, "image_hash": image, "title": "Ridge",
                         "message": "Light.", "call_to_action": action}}, {}, "VIDEO"),
        ({"photo_data": {"image_hash": image, "caption": "Light."}}, {}, "PHOTO"),
        ({"text_data": {"message": "Light."}}, {}, "STATUS"),
        ({"template_data": {"link": LINK, "name": "{{product.name}}", "message": "Light."}},
         {"product_set_id": product_set}, "SHARE"),
        ({"link_data": {"link": LINK, "message": "Light.", "child_attachments": cards}}, {},
         "SHARE"),
    ):  # fmt: skip
        spec = {"page_id": maker.page, **story}
        made = fresh.get(maker.creative(object_story_spec=spec, **more), fields=READ)
        assert (made["object_story_spec"], made["object_type"]) == (spec, kind)


@pytest.mark.parametrize(("data", "subcode"), [
    ({"link": None}, None),
    ({"link": "shop.example"}, None),
    ({"image_hash": "0123456789abcdef0123456789abcdef"}, None),
    ({"image_hash": "IMAGE", "picture": "https://shop.example/1.jpg"}, None),
    ({"picture": "file:///etc/hosts"}, 3858258),
    ({"title": "no key of link_data"}, None),
    ({"call_to_action": {"type": "SHOP", "value": {"link": LINK}}}, None),
    ({"call_to_action": "SHOP_NOW"}, 1373054),
    ({"child_attachments": [{"link": LINK}]}, None),
    ({"child_attachments": [{"link": LINK}] * 11}, None),
    ({"child_attachments": [{"name": "no link"}] * 2}, None),
])  # fmt: skip
def test_links_that_are_refused(fresh: Client, data: dict[str, Any], subcode: int | None) -> None:
    maker = Maker(fresh)
    if data.get("image_hash") == "IMAGE":
        data = {**data, "image_hash": maker.image()}
    assert refused(maker, object_story_spec=maker.story(**data)) == (100, subcode)


@pytest.mark.parametrize(("spec", "subcode"), [
    ({}, None),
    ({"page_id": "12", "text_data": {"message": "Light."}}, 1487202),
    ({"text_data": {"message": "Light."}}, None),
    ({"page_id": "PAGE"}, None),
    ({"page_id": "PAGE", "text_data": {"message": "x"}, "photo_data": {"url": LINK}}, None),
    ({"page_id": "PAGE", "text_data": {"message": "x"}, "instagram_actor_id": "4"}, None),
    ({"page_id": "PAGE", "text_data": {"message": "x"}, "instagram_user_id": "4"}, 1815199),
    ({"page_id": "PAGE", "template_data": {"link": LINK}}, 1487831),
    ({"page_id": "PAGE", "video_data": {"video_id": "99", "image_url": LINK}}, None),
    ({"page_id": "PAGE", "photo_data": {"caption": "no picture"}}, None),
])  # fmt: skip
def test_stories_that_are_refused(
    market: Client, spec: dict[str, Any], subcode: int | None
) -> None:
    maker = Maker(market)
    if spec.get("page_id") == "PAGE":
        spec = {**spec, "page_id": maker.page}
    assert refused(maker, object_story_spec=spec) == (100, subcode)


@pytest.mark.parametrize("fields", [
    {"name": "x" * 101},
    {"instagram_actor_id": "4"},
    {"degrees_of_freedom_spec": {"creative_features_spec": {
        "standard_enhancements": {"enroll_status": "OPT_IN"}}}},
    {"degrees_of_freedom_spec": {"creative_features_spec": {
        "image_touchups": {"enroll_status": "MAYBE"}}}},
    {"object_story_spec": ""},
    {"object_story_spec": "{'page_id': '1'}"},
    {"title": "a legacy field"},
])  # fmt: skip
def test_parameters_that_are_refused(market: Client, fields: dict[str, Any]) -> None:
    maker = Maker(market)
    assert refused(maker, **({"object_story_spec": maker.story()} | fields)) == (100, None)


def test_videos_need_to_be_ready_and_to_have_a_thumbnail(fresh: Client) -> None:
    maker = Maker(fresh)
    upload = fresh.http.post(f"/v26.0/{fresh.account}/advideos", files={"source": ("a.mp4", MP4)})
    data = {"video_id": upload.json()["id"], "image_url": "https://shop.example/1.jpg"}

    def spec(**more: Any) -> dict[str, Any]:
        given = {name: value for name, value in (data | more).items() if value is not None}
        return {"page_id": maker.page, "video_data": given}

    assert refused(maker, object_story_spec=spec()) == (100, 1885252)
    fresh.sandbox.advance(hours=1)
    assert refused(maker, object_story_spec=spec(image_url=None)) == (100, 1443226)
    for key in ("link", "name", "description"):
        assert refused(maker, object_story_spec=spec(**{key: LINK})) == (100, None)
    assert maker.creative(object_story_spec=spec())


def test_asset_feeds(fresh: Client) -> None:
    maker = Maker(fresh)
    feed = {
        "images": [{"hash": maker.image()}, {"hash": maker.image(9)}],
        "bodies": [{"text": "Light."}, {"text": "Firm."}],
        "titles": [{"text": "Ridge shoe"}],
        "link_urls": [{"website_url": LINK}],
        "ad_formats": ["SINGLE_IMAGE"],
        "call_to_action_types": ["SHOP_NOW"],
    }
    spec = {"page_id": maker.page}
    assert maker.creative(object_story_spec=spec, asset_feed_spec=feed)
    twice = feed | {"bodies": [{"text": "Light."}] * 2}
    assert refused(maker, object_story_spec=spec, asset_feed_spec=twice) == (100, 1815629)
    without = {name: value for name, value in feed.items() if name != "ad_formats"}
    assert refused(maker, object_story_spec=spec, asset_feed_spec=without) == (100, 1885878)


def test_creatives_do_not_change_and_cannot_go_while_in_use(fresh: Client) -> None:
    maker = Maker(fresh)
    _, _, creative, ad = maker.tree()
    assert fresh.post(creative, name="Another name") == {"success": True}
    error = fresh.refused(creative, "POST", object_story_spec=maker.story())
    assert codes(error) == (100, None)
    assert fresh.refused(creative, "DELETE")["code"] == 100
    fresh.http.delete(f"/v26.0/{ad}")
    assert fresh.http.delete(f"/v26.0/{creative}").json() == {"success": True}
    assert fresh.get(creative, fields="status,name") == {
        "id": creative, "status": "DELETED", "name": "Another name",
    }  # fmt: skip
    assert creative not in [row["id"] for row in fresh.every(f"{fresh.account}/adcreatives")]
