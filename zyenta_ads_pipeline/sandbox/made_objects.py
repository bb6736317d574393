"""Makers of objects with the fields that Meta's objects of a web shop usually carry."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from zyenta_ads_pipeline.sandbox.objects import Kind, Thing


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
    """A link creative."""
    attributes = {"title": title, "object_type": "SHARE", "call_to_action_type": "SHOP_NOW"}
    return Thing(
        kind=Kind.CREATIVE,
        id=creative_id,
        account_id=account_id,
        name=name,
        created_time=created,
        updated_time=created,
        attributes=attributes,
    )
