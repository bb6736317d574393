"""`POST /act_X/campaigns`: what a campaign must tell, and what it reads back."""

from __future__ import annotations

from typing import Any

from zyenta_ads_pipeline.sandbox.asked import Asked
from zyenta_ads_pipeline.sandbox.desk import Desk
from zyenta_ads_pipeline.sandbox.goal_rules import OBJECTIVES
from zyenta_ads_pipeline.sandbox.graph_error import not_played
from zyenta_ads_pipeline.sandbox.money_rules import (
    campaign_strategy,
    check_campaign_budget,
    read_budget,
    read_spend_cap,
)
from zyenta_ads_pipeline.sandbox.object_views import wire_time
from zyenta_ads_pipeline.sandbox.objects import Kind, Thing
from zyenta_ads_pipeline.sandbox.param_names import PLAYED, refuse_other
from zyenta_ads_pipeline.sandbox.places import COUNTRIES, EU
from zyenta_ads_pipeline.sandbox.promoted_objects import campaign_promotes
from zyenta_ads_pipeline.sandbox.schedule_rules import read_schedule
from zyenta_ads_pipeline.sandbox.write_errors import missing, refused, wrong

NEW_STATUSES = ("ACTIVE", "PAUSED")
DEFAULT_STATUS = "PAUSED"
"""Meta does not say what it takes when no status is sent; the sandbox takes the safe one."""
_CATEGORIES = ("NONE", "EMPLOYMENT", "HOUSING", "CREDIT", "ISSUES_ELECTIONS_POLITICS",
               "ONLINE_GAMBLING_AND_GAMING", "FINANCIAL_PRODUCTS_SERVICES")  # fmt: skip


def make_campaign_as_asked(asked: Asked, desk: Desk) -> list[Thing]:
    """The campaign, and labels that are new with it; the campaign comes first."""
    refuse_other(Kind.CAMPAIGN, frozenset(asked.params), PLAYED[Kind.CAMPAIGN])
    asked.need("name", "objective", "special_ad_categories")
    name = asked.text("name") or ""
    objective = asked.choice("objective", OBJECTIVES) or ""
    status = asked.choice("status", NEW_STATUSES) or DEFAULT_STATUS
    if (asked.text("buying_type") or "AUCTION") != "AUCTION":
        raise not_played(f"the buying type {asked.params['buying_type']}")
    budget = read_budget(asked)
    sharing = asked.flag("is_adset_budget_sharing_enabled")
    if not budget.held and sharing is None:
        raise refused(4834011, blame="is_adset_budget_sharing_enabled")
    check_campaign_budget(budget, desk.currency)
    found: dict[str, Any] = {
        "objective": objective,
        "buying_type": "AUCTION",
        **_categories(asked),
        "bid_strategy": campaign_strategy(asked, budget),
        "is_adset_budget_sharing_enabled": None if budget.held else sharing,
        "spend_cap": read_spend_cap(asked, desk.currency),
        "promoted_object": campaign_promotes(asked, desk, objective),
        "pacing_type": asked.texts("pacing_type"),
        "frequency_control_specs": asked.array("frequency_control_specs"),
    }
    start, stop = read_schedule(asked, desk, lifetime=False, end_name="stop_time")
    found["start_time"] = wire_time(start, desk.timezone)
    found["stop_time"] = None if stop is None else wire_time(stop, desk.timezone)
    labels, new = desk.labels(asked, 1)
    found["adlabels"] = labels
    attributes = {key: value for key, value in found.items() if value is not None}
    campaign = desk.thing(
        Kind.CAMPAIGN,
        name,
        status=status,
        daily_budget=budget.daily,
        lifetime_budget=budget.lifetime,
        attributes=attributes,
    )
    return [campaign, *new]


def _categories(asked: Asked) -> dict[str, list[str] | None]:
    """The special ad categories and their countries, as they read back."""
    named = asked.texts("special_ad_categories", _CATEGORIES) or []
    if "NONE" in named and len(named) > 1:
        raise wrong("special_ad_categories", "NONE does not go with other special ad categories")
    special = [category for category in named if category != "NONE"]
    countries = asked.texts("special_ad_category_country", COUNTRIES)
    if special and not countries:
        raise missing("special_ad_category_country")
    if "ISSUES_ELECTIONS_POLITICS" in special and set(countries or ()) & EU:
        raise refused(2708008, blame="special_ad_categories")
    return {"special_ad_categories": special, "special_ad_category_country": countries}
