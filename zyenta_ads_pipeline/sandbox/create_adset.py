"""`POST /act_X/adsets`: what an ad set must tell, and what it reads back."""

from __future__ import annotations

from typing import Any

from zyenta_ads_pipeline.sandbox.asked import Asked
from zyenta_ads_pipeline.sandbox.create_campaign import DEFAULT_STATUS, NEW_STATUSES
from zyenta_ads_pipeline.sandbox.desk import Desk
from zyenta_ads_pipeline.sandbox.geo_rules import reaches_eu
from zyenta_ads_pipeline.sandbox.goal_rules import BILLED_FOR_ITSELF, BILLING_EVENTS
from zyenta_ads_pipeline.sandbox.money_rules import (
    check_adset_level,
    check_amount,
    check_bid_against_budget,
    read_bid,
    read_budget,
    spend_targets,
)
from zyenta_ads_pipeline.sandbox.object_views import wire_time
from zyenta_ads_pipeline.sandbox.objects import Kind, Thing
from zyenta_ads_pipeline.sandbox.param_names import PLAYED, refuse_other
from zyenta_ads_pipeline.sandbox.promoted_objects import adset_promotes, read_goal
from zyenta_ads_pipeline.sandbox.schedule_rules import (
    attribution_setting,
    read_attribution,
    read_frequency,
    read_schedule,
)
from zyenta_ads_pipeline.sandbox.targeting_rules import read_targeting
from zyenta_ads_pipeline.sandbox.write_errors import refused, wrong

MOST_ADSETS = 200
_DSA = (("dsa_payor", 3858079), ("dsa_beneficiary", 3858081))


def make_adset_as_asked(asked: Asked, desk: Desk) -> list[Thing]:
    """The ad set, and labels that are new with it; the ad set comes first."""
    refuse_other(Kind.ADSET, frozenset(asked.params), PLAYED[Kind.ADSET])
    asked.need("name", "campaign_id")
    name = asked.text("name") or ""
    campaign = desk.own(Kind.CAMPAIGN, asked.params["campaign_id"], "campaign_id")
    if desk.is_final(campaign):
        raise refused(1487566, blame="campaign_id")
    _refuse_full(campaign, desk)
    status = asked.choice("status", NEW_STATUSES) or DEFAULT_STATUS
    goal, destination, row = read_goal(asked, campaign)
    billing = _billing(asked, goal)
    budget = read_budget(asked)
    check_adset_level(asked, budget, campaign)
    lifetime = budget.lifetime is not None or campaign.lifetime_budget is not None
    start, end = read_schedule(asked, desk, lifetime=lifetime)
    check_amount(budget, desk.currency, billing, start, end)
    bid = read_bid(asked, campaign, goal)
    check_bid_against_budget(budget, bid, billing, desk.currency)
    asked.need("targeting")
    targeting = read_targeting(asked.object("targeting") or {}, desk, campaign, creating=True)
    attribution = read_attribution(asked, goal)
    found: dict[str, Any] = {
        "optimization_goal": goal,
        "billing_event": billing,
        "destination_type": destination or "UNDEFINED",
        "targeting": targeting,
        "promoted_object": adset_promotes(asked, desk, campaign, goal, row),
        "attribution_spec": attribution,
        "attribution_setting": attribution_setting(attribution),
        "frequency_control_specs": read_frequency(asked, goal),
        "is_dynamic_creative": asked.flag("is_dynamic_creative"),
        "pacing_type": asked.texts("pacing_type"),
        **bid,
        **spend_targets(asked, budget),
        **read_dsa(asked, desk, targeting),
        "start_time": wire_time(start, desk.timezone),
        "end_time": None if end is None else wire_time(end, desk.timezone),
        "learning_stage_info": learning(desk, attribution),
    }
    labels, new = desk.labels(asked, 1)
    found["adlabels"] = labels
    adset = desk.thing(
        Kind.ADSET,
        name,
        status=status,
        campaign_id=campaign.id,
        daily_budget=budget.daily,
        lifetime_budget=budget.lifetime,
        attributes={key: value for key, value in found.items() if value is not None},
    )
    return [adset, *new]


def read_dsa(asked: Asked, desk: Desk, targeting: dict[str, Any]) -> dict[str, str]:
    """Who is advertised for and who pays; Meta wants both told for delivery in the EU."""
    found: dict[str, str] = {}
    for name, subcode in _DSA:
        default = desk.account.attributes.get(f"default_{name}")
        text = asked.text(name) or (default if reaches_eu(targeting) else None)
        if text:
            found[name] = text
        elif reaches_eu(targeting):
            raise refused(subcode, blame=name)
    return found


def learning(desk: Desk, attribution: list[dict[str, Any]]) -> dict[str, Any]:
    """The learning stage of an ad set that was just made or significantly edited."""
    return {
        "status": "LEARNING",
        "conversions": 0,
        "last_sig_edit_ts": int(desk.now.timestamp()),
        "attribution_windows": sorted(attribution_setting([item]) for item in attribution),
    }


def _billing(asked: Asked, goal: str) -> str:
    """IMPRESSIONS fits every goal; the others fit the goal of their own name, or none."""
    asked.need("billing_event")
    billing = asked.choice("billing_event", BILLING_EVENTS) or ""
    if billing != "IMPRESSIONS" and (billing not in BILLED_FOR_ITSELF or billing != goal):
        because = f"{billing} is not billed for {goal}."
        raise refused(2490408, blame="billing_event", because=because)
    return billing


def _refuse_full(campaign: Thing, desk: Desk) -> None:
    held = [each for each in desk.objects.below(campaign, Kind.ADSET) if each.status != "DELETED"]
    if len(held) >= MOST_ADSETS:
        raise wrong("campaign_id", f"A campaign can have {MOST_ADSETS} ad sets at most")
