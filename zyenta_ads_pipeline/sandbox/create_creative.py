"""`POST /act_X/adcreatives`: what a creative must tell, and what it reads back."""

from __future__ import annotations

from typing import Any

from zyenta_ads_pipeline.sandbox.asked import Asked, known_keys
from zyenta_ads_pipeline.sandbox.assets import AssetKind, asset_id
from zyenta_ads_pipeline.sandbox.desk import Desk
from zyenta_ads_pipeline.sandbox.feed_rules import check_feed
from zyenta_ads_pipeline.sandbox.objects import Kind, Thing
from zyenta_ads_pipeline.sandbox.param_names import PLAYED, refuse_other
from zyenta_ads_pipeline.sandbox.story_rules import (
    OBJECT_TYPES,
    SPEC,
    check_call_to_action,
    check_instagram,
    check_story,
    leads_to,
)
from zyenta_ads_pipeline.sandbox.write_errors import missing, refused, wrong

LONGEST_NAME = 100
_ENROLL = ("OPT_IN", "OPT_OUT")
_GONE_FEATURE = "standard_enhancements"
_PLAIN = ("authorization_category", "object_type", "url_tags")
_OBJECTS = ("asset_feed_spec", "call_to_action", "contextual_multi_ads", "degrees_of_freedom_spec",
            "template_url_spec")  # fmt: skip


def make_creative_as_asked(asked: Asked, desk: Desk, taken: int = 0) -> list[Thing]:
    """The creative, and labels that are new with it; the creative comes first."""
    refuse_other(Kind.CREATIVE, frozenset(asked.params), PLAYED[Kind.CREATIVE])
    name = asked.text("name", LONGEST_NAME)
    attributes: dict[str, Any] = {each: asked.params[each] for each in _PLAIN if each in asked}
    attributes |= {each: value for each in _OBJECTS if (value := asked.object(each)) is not None}
    _check_features(attributes.get("degrees_of_freedom_spec", {}))
    if "call_to_action" in attributes:
        check_call_to_action(attributes["call_to_action"], "call_to_action")
    if "product_set_id" in asked:
        if not desk.owns(AssetKind.PRODUCT_SET, asked.params["product_set_id"]):
            raise refused(1487831, blame="product_set_id")
        attributes["product_set_id"] = asked.params["product_set_id"]
    if "instagram_user_id" in asked:
        check_instagram(asked.params["instagram_user_id"], desk)
        attributes["instagram_user_id"] = asked.params["instagram_user_id"]
    attributes |= _content(asked, desk, attributes)
    labels, new = desk.labels(asked, taken + 1)
    if labels is not None:
        attributes["adlabels"] = labels
    creative_id = desk.new_id(taken)
    page = asset_id(AssetKind.PAGE, desk.account.id)
    attributes = {
        "effective_object_story_id": f"{page}_{creative_id}",
        "thumbnail_url": f"https://scontent.sandbox.example/thumbnails/{creative_id}.jpg",
    } | attributes
    made = desk.thing(
        Kind.CREATIVE, name or f"Creative {creative_id}", id=creative_id, attributes=attributes
    )
    return [made, *new]


def _content(asked: Asked, desk: Desk, attributes: dict[str, Any]) -> dict[str, Any]:
    """What is shown: a story, a post that exists, or a feed of assets."""
    spec = asked.object(SPEC)
    if "object_story_id" in asked:
        if spec is not None:
            raise wrong("object_story_id", f"Only one of {SPEC} and object_story_id may be sent")
        return _post(asked.params["object_story_id"], desk)
    if spec is None:
        raise missing(SPEC)
    if "asset_feed_spec" in attributes:
        feed = check_feed(attributes["asset_feed_spec"], spec, desk)
        return {SPEC: spec} | feed
    story = check_story(spec, desk, has_product_set="product_set_id" in attributes)
    data = spec[story]
    found: dict[str, Any] = {
        SPEC: spec,
        "object_type": attributes.get("object_type", OBJECT_TYPES[story]),
        "title": data.get("title") or data.get("name"),
        "body": data.get("message"),
        "call_to_action_type": data.get("call_to_action", {}).get("type"),
        "image_hash": data.get("image_hash"),
        "image_url": data.get("image_url") or data.get("picture") or data.get("url"),
        "video_id": data.get("video_id"),
        "link_url": leads_to(spec),
    }
    return {name: value for name, value in found.items() if value is not None}


def _post(post: str, desk: Desk) -> dict[str, Any]:
    """A post that an earlier creative of the account has published."""
    for creative in desk.objects.below(desk.account, Kind.CREATIVE):
        if creative.attributes.get("effective_object_story_id") == post:
            shown = {key: value for key, value in creative.attributes.items()
                     if key in ("title", "body", "call_to_action_type", "image_hash", "video_id",
                                "link_url", "object_type")}  # fmt: skip
            return shown | {"object_story_id": post, "effective_object_story_id": post}
    raise refused(1885557, blame="object_story_id")


def _check_features(spec: dict[str, Any]) -> None:
    """Enhancements are entered one by one; the bundle of all is gone."""
    name = "degrees_of_freedom_spec"
    features = spec.get("creative_features_spec", {})
    if not isinstance(features, dict):
        raise wrong(name, f"Param {name}[creative_features_spec] must be an object")
    if _GONE_FEATURE in features:
        raise wrong(name, f"{_GONE_FEATURE} is no longer supported; opt in to single features")
    for feature, value in features.items():
        if not isinstance(value, dict) or value.get("enroll_status") not in _ENROLL:
            raise wrong(name, f"Param {name}[{feature}] needs an enroll_status out of {_ENROLL}")
        known_keys(value, ("enroll_status", "customizations"), name)


def story_of(creative: Thing) -> dict[str, Any]:
    """All texts and links of a creative, for its review."""
    return {name: creative.attributes[name] for name in (SPEC, "asset_feed_spec", "title", "body")
            if name in creative.attributes}  # fmt: skip


def website_of(creative: Thing) -> str | None:
    """The web address that a creative leads to, or None."""
    link = creative.attributes.get("link_url")
    if link is None:
        link = leads_to(creative.attributes.get(SPEC, {}))
    return link
