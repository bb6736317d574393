"""Rules of `object_story_spec`: one page and exactly one story, each with its own keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zyenta_ads_pipeline.sandbox.asked import known_keys, objects_in
from zyenta_ads_pipeline.sandbox.assets import AssetKind
from zyenta_ads_pipeline.sandbox.desk import Desk
from zyenta_ads_pipeline.sandbox.words import words
from zyenta_ads_pipeline.sandbox.write_errors import refused, wrong

SPEC = "object_story_spec"
STORIES = ("link_data", "video_data", "photo_data", "template_data", "text_data")
OBJECT_TYPES = {
    "link_data": "SHARE", "video_data": "VIDEO", "photo_data": "PHOTO", "template_data": "SHARE",
    "text_data": "STATUS",
}  # fmt: skip
FEWEST_CARDS, MOST_CARDS = 2, 10
CTA_TYPES = frozenset(
    words("""
    ADD_TO_CART APPLY_NOW ASK_ABOUT_SERVICES ASK_A_QUESTION ASK_FOR_MORE_INFO ASK_US AUDIO_CALL
    BOOK_A_CONSULTATION BOOK_NOW BOOK_TRAVEL BROWSE_SHOP BUY BUY_ACTIVITY_TICKETS BUY_NOW
    BUY_TICKETS BUY_VIA_MESSAGE CALL CALL_ME CALL_NOW CHAT_NOW CHAT_WITH_US CONFIRM CONTACT
    CONTACT_US DONATE DONATE_NOW DOWNLOAD EVENT_RSVP FIND_A_GROUP FIND_OUT_MORE FIND_YOUR_GROUPS
    FOLLOW_NEWS_STORYLINE FOLLOW_PAGE FOLLOW_USER GET_A_QUOTE GET_DETAILS GET_DIRECTIONS
    GET_IN_TOUCH GET_OFFER GET_OFFER_VIEW GET_PROMOTIONS GET_QUOTE GET_SHOWTIMES GET_STARTED
    INQUIRE_NOW INSTALL_APP INSTALL_MOBILE_APP JOIN_CHANNEL JOIN_LIVE_VIDEO LEARN_MORE LIKE_PAGE
    LISTEN_MUSIC LISTEN_NOW MAKE_AN_APPOINTMENT MESSAGE_PAGE MOBILE_DOWNLOAD NO_BUTTON
    OPEN_INSTANT_APP OPEN_LINK ORDER_NOW PAY_TO_ACCESS PLAY_GAME PLAY_GAME_ON_FACEBOOK
    PURCHASE_GIFT_CARDS RAISE_MONEY RECORD_NOW REFER_FRIENDS REQUEST_TIME SAY_THANKS SEE_MORE
    SEE_SHOP SELL_NOW SEND_A_GIFT SEND_GIFT_MONEY SEND_UPDATES SHARE SHOP_NOW SHOP_WITH_AI
    SIGN_UP SOTTO_SUBSCRIBE START_A_CHAT START_ORDER STREAM_NOW SUBSCRIBE SWIPE_UP_PRODUCT
    SWIPE_UP_SHOP TRY_DEMO TRY_ON_WITH_AI UPDATE_APP USE_APP USE_MOBILE_APP VIDEO_ANNOTATION
    VIDEO_CALL VIEW_CART VIEW_CHANNEL VIEW_IN_CART VIEW_PRODUCT VISIT_PAGES_FEED VISIT_WEBSITE
    WATCH_LIVE_VIDEO WATCH_MORE WATCH_NOW WATCH_VIDEO WHATSAPP_MESSAGE WOODHENGE_SUPPORT
""")
)
_LINK_KEYS = frozenset(
    words("""
    additional_image_index attachment_style branded_content_sponsor_page_id call_to_action
    caption child_attachments collection_thumbnails customization_rules_spec description
    event_id force_single_link format_option image_crops image_hash image_layer_specs
    image_overlay_spec link message multi_share_end_card multi_share_optimized name offer_id
    page_welcome_message picture post_click_configuration preferred_image_tags
    preferred_video_tags retailer_item_ids show_multiple_images static_fallback_spec
    use_flexible_image_aspect_ratio
""")
)
_VIDEO_KEYS = frozenset(
    words("""
    additional_image_index branded_content_sponsor_page_id call_to_action collection_thumbnails
    customization_rules_spec image_hash image_url link_description message offer_id
    page_welcome_message post_click_configuration retailer_item_ids targeting title video_id
""")
)
_PHOTO_KEYS = frozenset({"branded_content_sponsor_page_id", "caption", "image_hash",
                         "page_welcome_message", "url"})  # fmt: skip
_CARD_KEYS = frozenset(
    words("""
    android_url call_to_action caption description image_crops image_hash ios_url link name
    picture place_data static_card video_id
""")
)


def check_story(spec: dict[str, Any], desk: Desk, *, has_product_set: bool) -> str:
    """The one story that the spec holds. Refuses it when Meta would."""
    if "instagram_actor_id" in spec:
        raise wrong(SPEC, "instagram_actor_id is no longer supported; use instagram_user_id")
    known_keys(spec, ("page_id", "instagram_user_id", *STORIES), SPEC)
    check_page(spec.get("page_id"), desk)
    if "instagram_user_id" in spec:
        check_instagram(spec["instagram_user_id"], desk)
    told = [name for name in STORIES if spec.get(name)]
    if len(told) != 1:
        listed = ", ".join(STORIES)
        raise wrong(SPEC, f"Param {SPEC} must have exactly one of {listed}; it has {len(told)}")
    story = told[0]
    data = spec[story]
    if not isinstance(data, dict):
        raise wrong(SPEC, f"Param {SPEC}[{story}] must be an object")
    if story == "template_data" and not has_product_set:
        raise refused(1487831, blame="product_set_id", because="template_data needs one.")
    _CHECKS[story](data, f"{SPEC}[{story}]", desk)
    return story


def check_page(page_id: Any, desk: Desk) -> None:
    """Refuse a page that is not the account's."""
    if page_id is None:
        raise wrong(SPEC, f"Param {SPEC} must have a page_id")
    if not desk.owns(AssetKind.PAGE, page_id):
        raise refused(1487202, blame=SPEC)


def check_instagram(user_id: Any, desk: Desk) -> None:
    """Refuse an Instagram account that is not the account's."""
    if not desk.owns(AssetKind.INSTAGRAM, user_id):
        raise refused(1815199, blame="instagram_user_id")


def check_link(value: Any, name: str) -> None:
    """Refuse what is no web address."""
    if not isinstance(value, str) or not value.startswith(("http://", "https://")):
        raise wrong(name, f"Param {name} must be a URL, not {str(value)[:60]!r}")


def check_call_to_action(value: Any, name: str) -> None:
    """Refuse a button of an unknown type or form."""
    if not isinstance(value, dict) or not isinstance(value.get("type"), str):
        raise refused(1373054, blame=name)
    known_keys(value, ("type", "value"), f"{name}[call_to_action]")
    if value["type"] not in CTA_TYPES:
        listed = ", ".join(sorted(CTA_TYPES))
        raise wrong(name, f"Param {name}[call_to_action][type] must be one of {{{listed}}}")
    target = value.get("value", {})
    if not isinstance(target, dict):
        raise refused(1373054, blame=name)
    if "link" in target:
        check_link(target["link"], f"{name}[call_to_action][value][link]")


def leads_to(spec: Mapping[str, Any]) -> str | None:
    """The first web address that a story leads to, or None."""
    for story in STORIES:
        data = spec.get(story) or {}
        action = (data.get("call_to_action") or {}).get("value") or {}
        if link := data.get("link") or action.get("link"):
            return str(link)
    return None


def _check_link_data(data: dict[str, Any], name: str, desk: Desk) -> None:
    known_keys(data, _LINK_KEYS, name)
    check_link(data.get("link"), f"{name}[link]")
    _check_texts(data, name, ("message", "name", "description", "caption"))
    _check_picture(data, name, desk)
    if "call_to_action" in data:
        check_call_to_action(data["call_to_action"], name)
    if "child_attachments" in data:
        _check_cards(data["child_attachments"], f"{name}[child_attachments]", desk)


def _check_cards(cards: Any, name: str, desk: Desk) -> None:
    if not FEWEST_CARDS <= len(objects_in(cards, name)) <= MOST_CARDS:
        raise wrong(name, f"Param {name} must have {FEWEST_CARDS} to {MOST_CARDS} elements")
    for card in cards:
        known_keys(card, _CARD_KEYS, name)
        check_link(card.get("link"), f"{name}[link]")
        _check_texts(card, name, ("name", "description", "caption"))
        _check_picture(card, name, desk)
        if "video_id" in card:
            desk.check_video(card["video_id"], name)
        if "call_to_action" in card:
            check_call_to_action(card["call_to_action"], name)


def _check_video_data(data: dict[str, Any], name: str, desk: Desk) -> None:
    known_keys(data, _VIDEO_KEYS, name)
    if "video_id" not in data:
        raise wrong(name, f"Param {name} must have a video_id")
    desk.check_video(data["video_id"], name)
    if not data.get("image_hash") and not data.get("image_url"):
        raise refused(1443226, blame=name)
    if data.get("image_hash") and data.get("image_url"):
        raise wrong(name, f"Only one of image_hash and image_url may be in {name}")
    if data.get("image_hash"):
        desk.check_image(data["image_hash"], name)
    else:
        _check_download(data["image_url"], name)
    _check_texts(data, name, ("message", "title", "link_description"))
    if "call_to_action" in data:
        check_call_to_action(data["call_to_action"], name)


def _check_photo_data(data: dict[str, Any], name: str, desk: Desk) -> None:
    known_keys(data, _PHOTO_KEYS, name)
    if bool(data.get("image_hash")) == bool(data.get("url")):
        raise wrong(name, f"Param {name} must have exactly one of image_hash and url")
    if data.get("image_hash"):
        desk.check_image(data["image_hash"], name)
    else:
        _check_download(data["url"], name)


def _check_text_data(data: dict[str, Any], name: str, _desk: Desk) -> None:
    known_keys(data, ("message",), name)
    _check_texts(data, name, ("message",))


def _check_picture(data: dict[str, Any], name: str, desk: Desk) -> None:
    """At most one picture, by hash or by address."""
    given = [each for each in ("image_hash", "picture") if data.get(each)]
    if len(given) > 1:
        raise wrong(name, f"Only one of image_hash and picture may be in {name}")
    if data.get("image_hash"):
        desk.check_image(data["image_hash"], name)
    if data.get("picture"):
        _check_download(data["picture"], name)


def _check_download(value: Any, name: str) -> None:
    if not isinstance(value, str) or not value.startswith(("http://", "https://")):
        raise refused(3858258, blame=name)


def _check_texts(data: Mapping[str, Any], name: str, texts: tuple[str, ...]) -> None:
    for each in texts:
        if each in data and not isinstance(data[each], str):
            raise wrong(name, f"Param {name}[{each}] must be a string")


_CHECKS = {
    "link_data": _check_link_data,
    "video_data": _check_video_data,
    "photo_data": _check_photo_data,
    "template_data": _check_link_data,
    "text_data": _check_text_data,
}
