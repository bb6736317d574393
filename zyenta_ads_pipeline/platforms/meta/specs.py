"""Specifications of campaigns, ad sets, creatives and ads as the parameters that Meta takes.

Pure. Each function gives a create's parameters and raises `InputError` for what Meta is known to
refuse. Whatever is made is PAUSED; budgets are whole minor units.
Source: Marketing API, "Ad campaign group", "Ad campaign", "Ad creative", "Adgroup", "Targeting".
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.domain.launch import (
    AdSetSpec,
    AdSpec,
    CampaignSpec,
    CreativeSpec,
    Spec,
)
from zyenta_ads_pipeline.platforms.meta.objectives import (
    BILLING_EVENT,
    OBJECTIVES,
    ad_set_promotes,
    campaign_promotes,
)

PAUSED = "PAUSED"
BID_STRATEGY = "LOWEST_COST_WITHOUT_CAP"

_LONGEST_NAME = 400
_LONGEST_CREATIVE_NAME = 100
_DAILY_BUDGET_NEEDS = timedelta(hours=24)
_PLACES = frozenset({
    "countries", "regions", "cities", "zips", "places", "custom_locations", "country_groups",
    "geo_markets",
})  # fmt: skip
_YOUNGEST_SUGGESTED = 25
_OLDEST = 65


def params_of(spec: Spec) -> dict[str, Any]:
    """The parameters that make what a spec describes."""
    match spec:
        case CampaignSpec():
            return campaign_params(spec)
        case AdSetSpec():
            return ad_set_params(spec)
        case CreativeSpec():
            return creative_params(spec)
        case AdSpec():
            return ad_params(spec)


def campaign_params(spec: CampaignSpec) -> dict[str, Any]:
    """A campaign's. With a budget it holds budget and bid strategy; without one it says that its
    ad sets lend each other nothing."""
    what = f"The campaign {spec.name!r}"
    _require_name(what, spec.name, _LONGEST_NAME)
    params: dict[str, Any] = {
        "name": spec.name,
        "objective": OBJECTIVES[spec.objective].objective,
        "status": PAUSED,
        "special_ad_categories": [],
    }
    if spec.daily_budget_minor is None:
        params["is_adset_budget_sharing_enabled"] = False
    else:
        params |= _budget(what, spec.daily_budget_minor)
    promoted = campaign_promotes(spec.objective, spec.product_catalog_id)
    return params | ({"promoted_object": promoted} if promoted else {})


def ad_set_params(spec: AdSetSpec) -> dict[str, Any]:
    """An ad set's, with the budget unless its campaign holds it."""
    what = f"The ad set {spec.name!r}"
    _require_name(what, spec.name, _LONGEST_NAME)
    _require_id(what, "campaign_id", spec.campaign_id)
    _require_targeting(what, spec.targeting)
    goal = OBJECTIVES[spec.objective]
    promoted = ad_set_promotes(
        spec.objective,
        page_id=spec.page_id,
        pixel_id=spec.pixel_id,
        product_set_id=spec.product_set_id,
    )
    params: dict[str, Any] = {
        "name": spec.name,
        "campaign_id": spec.campaign_id,
        "status": PAUSED,
        "optimization_goal": goal.optimization_goal,
        "billing_event": BILLING_EVENT,
        "targeting": dict(spec.targeting),
        **_schedule(what, spec.start_time, spec.end_time),
    }
    if goal.destination_type is not None:
        params["destination_type"] = goal.destination_type
    if promoted is not None:
        params["promoted_object"] = promoted
    if spec.daily_budget_minor is not None:
        params |= _budget(what, spec.daily_budget_minor)
    if spec.dsa_beneficiary:
        params |= {"dsa_beneficiary": spec.dsa_beneficiary, "dsa_payor": spec.dsa_beneficiary}
    return params


def creative_params(spec: CreativeSpec) -> dict[str, Any]:
    """A creative's: one story that shows one image, one video, or a product set's products."""
    what = f"The creative {spec.name!r}"
    _require_name(what, spec.name, _LONGEST_CREATIVE_NAME)
    _require_id(what, "page_id", spec.page_id)
    for field, text in (("headline", spec.headline), ("text", spec.message)):
        if not text.strip():
            raise InputError(f"{what} has no {field}.", "Give it one.")
    story: dict[str, Any] = {"page_id": spec.page_id}
    if spec.instagram_user_id:
        story["instagram_user_id"] = spec.instagram_user_id
    story |= _story(what, spec)
    params: dict[str, Any] = {"name": spec.name, "object_story_spec": story}
    return params | ({"product_set_id": spec.product_set_id} if spec.product_set_id else {})


def ad_params(spec: AdSpec) -> dict[str, Any]:
    """An ad's."""
    what = f"The ad {spec.name!r}"
    _require_name(what, spec.name, _LONGEST_NAME)
    _require_id(what, "ad_set_id", spec.ad_set_id)
    _require_id(what, "creative_id", spec.creative_id)
    return {
        "name": spec.name,
        "adset_id": spec.ad_set_id,
        "creative": {"creative_id": spec.creative_id},
        "status": PAUSED,
    }


def _story(what: str, spec: CreativeSpec) -> dict[str, Any]:
    """The one kind of story that Meta takes: it refuses two in one creative."""
    shown = {
        "image": spec.image_hash,
        "video": spec.video_id,
        "product set": spec.product_set_id,
    }
    given = [name for name, value in shown.items() if value]
    if len(given) != 1:
        raise InputError(
            f"{what} shows {' and '.join(given) or 'nothing'}.",
            "Give it exactly one of an image, a video and a product set.",
        )
    link = _link(what, spec.link_url)
    action = {"type": _action_type(what, spec.call_to_action), "value": {"link": link}}
    if spec.video_id:
        # A video has neither `link` nor `name`: its headline is `title`, its link the action's.
        return {
            "video_data": {
                "video_id": spec.video_id,
                **_thumbnail(what, spec),
                "title": spec.headline,
                "message": spec.message,
                "call_to_action": action,
            }
        }
    data = {"link": link, "message": spec.message, "name": spec.headline, "call_to_action": action}
    if spec.product_set_id:
        return {"template_data": data}
    return {"link_data": data | {"image_hash": spec.image_hash}}


def _thumbnail(what: str, spec: CreativeSpec) -> dict[str, Any]:
    if spec.thumbnail_hash:
        return {"image_hash": spec.thumbnail_hash}
    if spec.thumbnail_url:
        return {"image_url": spec.thumbnail_url}
    raise InputError(
        f"{what} shows a video without a thumbnail, which Meta refuses.",
        "Wait until Meta has made the video's own thumbnail, or give an image for it.",
    )


def _budget(what: str, minor: int) -> dict[str, Any]:
    if isinstance(minor, bool) or not isinstance(minor, int) or minor <= 0:
        raise InputError(
            f"{what} has the daily budget {minor!r}.",
            "Give it as a whole number above 0, in the currency's minor units.",
        )
    return {"daily_budget": minor, "bid_strategy": BID_STRATEGY}


def _schedule(what: str, start: datetime, end: datetime | None) -> dict[str, str]:
    if end is None:
        return {"start_time": wire_time(start)}
    if end - start <= _DAILY_BUDGET_NEEDS:
        raise InputError(
            f"{what} would run from {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}: with a daily "
            "budget Meta wants more than 24 hours.",
            "Let the campaign run for two days or longer.",
        )
    return {"start_time": wire_time(start), "end_time": wire_time(end)}


def wire_time(moment: datetime) -> str:
    """A moment as Meta writes it: ISO 8601 with its offset. Raises `ValueError` without one."""
    if moment.tzinfo is None:
        raise ValueError(f"the moment {moment} has no time zone")
    return moment.strftime("%Y-%m-%dT%H:%M:%S%z")


def _require_targeting(what: str, targeting: Mapping[str, Any]) -> None:
    places = targeting.get("geo_locations") or {}
    if not any(places.get(kind) for kind in _PLACES):
        raise InputError(
            f"{what} has no place to advertise in.", "Give the store at least one country."
        )
    if "location_types" in places:
        raise InputError(
            f"{what} has location_types in its targeting, which Meta refuses.", "Leave it out."
        )
    automatic = (targeting.get("targeting_automation") or {}).get("advantage_audience")
    if automatic not in (0, 1):
        raise InputError(
            f"{what} does not say whether Meta may widen its audience.",
            "Set targeting_automation.advantage_audience to 0 or 1.",
        )
    youngest, oldest = targeting.get("age_min", 18), targeting.get("age_max", _OLDEST)
    if youngest > oldest:
        raise InputError(f"{what} wants ages from {youngest} to {oldest}.", "Turn them round.")
    if automatic == 1 and (youngest > _YOUNGEST_SUGGESTED or oldest < _OLDEST):
        raise InputError(
            f"{what} wants ages from {youngest} to {oldest} though Meta may widen its audience.",
            f"With Advantage+ audience the youngest age is at most {_YOUNGEST_SUGGESTED} and the "
            f"oldest {_OLDEST}; or switch it off for the store.",
        )


def _require_name(what: str, name: str, longest: int) -> None:
    if not name.strip() or len(name) > longest:
        raise InputError(
            f"{what} has a name of {len(name)} characters.",
            f"Give it one of 1 to {longest} characters.",
        )


def _require_id(what: str, field: str, value: str) -> None:
    if not (value.isascii() and value.isdigit()):
        raise InputError(f"{what} has the {field} {value!r}.", "Give an id of Meta's: digits only.")


def _link(what: str, url: str) -> str:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        usable = False
    if not usable:
        raise InputError(
            f"{what} links to {url!r}.", "Give a whole address, as https://shop.example/product."
        )
    return url


def _action_type(what: str, action: str) -> str:
    if not action or action.strip("ABCDEFGHIJKLMNOPQRSTUVWXYZ_"):
        raise InputError(
            f"{what} has the call to action {action!r}.",
            "Give it in Meta's spelling, as SHOP_NOW or LEARN_MORE.",
        )
    return action
