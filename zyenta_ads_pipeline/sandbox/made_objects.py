"""Makers of objects with the fields that Meta's objects of a web shop usually carry."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from zyenta_ads_pipeline.sandbox.assets import AssetKind, asset_id
from zyenta_ads_pipeline.sandbox.objects import Kind, Thing

_SHOP = "https://shop.tarnfell.example"


def make_account(
    account_id: str, name: str, currency: str, timezone: str, created: datetime
) -> Thing:
    """An active ad account; `timezone` is an IANA name."""
    attributes = {
        "currency": currency,
        "timezone_name": timezone,
        "account_status": 1,
        "disable_reason": 0,
        "is_personal": 0,
        "is_prepay_account": False,
        "spend_cap": "0",
        "business": {"id": asset_id(AssetKind.BUSINESS, account_id), "name": name},
        "default_dsa_beneficiary": name,
        "default_dsa_payor": name,
    }
    return Thing(
        kind=Kind.ACCOUNT,
        id=account_id,
        account_id=account_id,
        name=name,
        created_time=created,
        updated_time=created,
        attributes=attributes,
    )


def make_campaign(
    campaign_id: str,
    account_id: str,
    name: str,
    created: datetime,
    *,
    daily_budget: int | None,
    status: str = "ACTIVE",
) -> Thing:
    """A sales campaign; with a budget (whole minor units) it holds it for its ad sets (CBO)."""
    attributes: dict[str, Any] = {
        "objective": "OUTCOME_SALES",
        "buying_type": "AUCTION",
        "special_ad_categories": [],
    }
    if daily_budget is None:
        attributes["is_adset_budget_sharing_enabled"] = False
    else:
        attributes["bid_strategy"] = "LOWEST_COST_WITHOUT_CAP"
    return Thing(
        kind=Kind.CAMPAIGN,
        id=campaign_id,
        account_id=account_id,
        name=name,
        created_time=created,
        updated_time=created,
        attributes=attributes,
        daily_budget=daily_budget,
        status=status,
    )


def make_adset(
    adset_id: str,
    account_id: str,
    campaign_id: str | None,
    name: str,
    created: datetime,
    *,
    daily_budget: int | None = None,
    countries: tuple[str, ...] = ("US",),
) -> Thing:
    """An ad set that optimises for purchases on a website."""
    attributes: dict[str, Any] = {
        "optimization_goal": "OFFSITE_CONVERSIONS",
        "billing_event": "IMPRESSIONS",
        "destination_type": "WEBSITE",
        "targeting": {
            "age_min": 18,
            "age_max": 65,
            "geo_locations": {"countries": list(countries)},
        },
        "attribution_spec": [
            {"event_type": "CLICK_THROUGH", "window_days": 7},
            {"event_type": "VIEW_THROUGH", "window_days": 1},
        ],
        "attribution_setting": "7d_click_1d_view",
        "promoted_object": {
            "pixel_id": asset_id(AssetKind.PIXEL, account_id),
            "custom_event_type": "PURCHASE",
        },
        "learning_stage_info": {
            "status": "SUCCESS",
            "conversions": 57,
            "last_sig_edit_ts": int(created.timestamp()),
            "attribution_windows": ["1d_view", "7d_click"],
        },
    }
    if daily_budget is not None:
        attributes["bid_strategy"] = "LOWEST_COST_WITHOUT_CAP"
    return Thing(
        kind=Kind.ADSET,
        id=adset_id,
        account_id=account_id,
        name=name,
        created_time=created,
        updated_time=created,
        attributes=attributes,
        campaign_id=campaign_id,
        daily_budget=daily_budget,
    )


def make_ad(
    ad_id: str,
    account_id: str,
    name: str,
    created: datetime,
    *,
    campaign_id: str | None,
    adset_id: str | None,
    creative_id: str,
) -> Thing:
    """An ad that shows one creative."""
    return Thing(
        kind=Kind.AD,
        id=ad_id,
        account_id=account_id,
        name=name,
        created_time=created,
        updated_time=created,
        campaign_id=campaign_id,
        adset_id=adset_id,
        creative_id=creative_id,
    )


def make_creative(
    creative_id: str, account_id: str, name: str, title: str, created: datetime
) -> Thing:
    """A creative that links to the shop; one image for each title."""
    image_hash = hashlib.blake2b(title.encode(), digest_size=16).hexdigest()
    body, link = f"{title}, made for long days outside.", f"{_SHOP}/{image_hash[:8]}"
    action = {"type": "SHOP_NOW", "value": {"link": link}}
    attributes = {
        "title": title,
        "body": body,
        "object_type": "SHARE",
        "call_to_action_type": "SHOP_NOW",
        "image_hash": image_hash,
        "thumbnail_url": f"{_SHOP}/images/{image_hash}.jpg",
        "effective_object_story_id": f"{asset_id(AssetKind.PAGE, account_id)}_{creative_id}",
        "object_story_spec": {
            "page_id": asset_id(AssetKind.PAGE, account_id),
            "link_data": {
                "link": link,
                "message": body,
                "name": title,
                "image_hash": image_hash,
                "call_to_action": action,
            },
        },
    }
    return Thing(
        kind=Kind.CREATIVE,
        id=creative_id,
        account_id=account_id,
        name=name,
        created_time=created,
        updated_time=created,
        attributes=attributes,
    )
