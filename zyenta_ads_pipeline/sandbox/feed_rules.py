"""Rules of `asset_feed_spec`: lists of images, videos and texts that Meta combines."""

from __future__ import annotations

import json
from typing import Any

from zyenta_ads_pipeline.sandbox.asked import known_keys, objects_in, words_in
from zyenta_ads_pipeline.sandbox.desk import Desk
from zyenta_ads_pipeline.sandbox.story_rules import (
    CTA_TYPES,
    SPEC,
    check_instagram,
    check_link,
    check_page,
)
from zyenta_ads_pipeline.sandbox.write_errors import refused

_NAME = "asset_feed_spec"
_ASSETS = ("images", "videos", "bodies", "titles", "descriptions", "link_urls")
_KEYS = (*_ASSETS, "ad_formats", "call_to_action_types", "optimization_type",
         "asset_customization_rules", "captions", "call_to_actions")  # fmt: skip
_FORMATS = ("AUTOMATIC_FORMAT", "CAROUSEL", "CAROUSEL_IMAGE", "CAROUSEL_VIDEO", "COLLECTION",
            "SINGLE_IMAGE", "SINGLE_VIDEO")  # fmt: skip


def check_feed(feed: dict[str, Any], spec: dict[str, Any], desk: Desk) -> dict[str, Any]:
    """What a creative made of a feed shows besides it; the story spec tells page and no story."""
    known_keys(spec, ("page_id", "instagram_user_id"), SPEC)
    check_page(spec.get("page_id"), desk)
    if "instagram_user_id" in spec:
        check_instagram(spec["instagram_user_id"], desk)
    known_keys(feed, _KEYS, _NAME)
    for name in _ASSETS:
        texts = [json.dumps(item, sort_keys=True) for item in objects_in(feed.get(name, []), _NAME)]
        if len(texts) != len(set(texts)):
            raise refused(1815629, blame=_NAME, because=f"{name} has a value twice.")
    for image in feed.get("images", []):
        desk.check_image(image.get("hash"), _NAME)
    for video in feed.get("videos", []):
        desk.check_video(video.get("video_id"), _NAME)
    for link in feed.get("link_urls", []):
        check_link(link.get("website_url"), f"{_NAME}[link_urls]")
    words_in(feed.get("ad_formats", []), _FORMATS, f"{_NAME}[ad_formats]")
    words_in(feed.get("call_to_action_types", []), CTA_TYPES, f"{_NAME}[call_to_action_types]")
    if not feed.get("ad_formats"):
        raise refused(1885878, blame=_NAME, because="ad_formats is missing.")
    if not (feed.get("images") or feed.get("videos")):
        raise refused(1885878, blame=_NAME, because="Give images or videos.")
    links = feed.get("link_urls", [])
    return {"link_url": links[0]["website_url"]} if links else {}
