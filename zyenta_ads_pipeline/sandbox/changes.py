"""What `POST /{id}` may change besides name, status and budgets, by kind of object."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from zyenta_ads_pipeline.sandbox.asked import Asked
from zyenta_ads_pipeline.sandbox.create_ad import check_fit, read_creative, read_domain
from zyenta_ads_pipeline.sandbox.create_adset import learning, read_dsa
from zyenta_ads_pipeline.sandbox.create_creative import story_of
from zyenta_ads_pipeline.sandbox.desk import Desk
from zyenta_ads_pipeline.sandbox.money_rules import STRATEGIES, read_bid, read_spend_cap
from zyenta_ads_pipeline.sandbox.object_views import wire_time
from zyenta_ads_pipeline.sandbox.objects import Kind, Thing
from zyenta_ads_pipeline.sandbox.review import submitted
from zyenta_ads_pipeline.sandbox.schedule_rules import check_end, read_attribution
from zyenta_ads_pipeline.sandbox.targeting_rules import read_targeting
from zyenta_ads_pipeline.sandbox.write_errors import refused

BUDGETS = ("daily_budget", "lifetime_budget")
PLAIN = ("status", "name", *BUDGETS)
UPDATABLE = {
    Kind.CAMPAIGN: frozenset({*PLAIN, "adlabels", "bid_strategy", "spend_cap", "stop_time"}),
    Kind.ADSET: frozenset({
        *PLAIN, "adlabels", "attribution_spec", "bid_amount", "bid_constraints", "bid_strategy",
        "dsa_beneficiary", "dsa_payor", "end_time", "targeting", "billing_event",
        "destination_type", "optimization_goal", "promoted_object",
    }),
    Kind.AD: frozenset({*PLAIN, "adlabels", "conversion_domain", "creative", "tracking_specs"}),
    Kind.CREATIVE: frozenset({"name", "status", "adlabels"}),
    Kind.VIDEO: frozenset({"name"}),
    Kind.LABEL: frozenset({"name"}),
}  # fmt: skip
"""What an update may carry; a creative's content never changes."""
_FIXED = ("billing_event", "destination_type", "optimization_goal", "promoted_object")
_BIDS = ("bid_amount", "bid_constraints", "bid_strategy")


def change(thing: Thing, asked: Asked, desk: Desk) -> list[Thing]:
    """The object with its new values first; then what changes or comes to be with it.

    Raises `GraphError` when Meta would refuse one of them.
    """
    labels, new = desk.labels(asked, 0)
    if labels is not None:
        thing = with_attributes(thing, {"adlabels": labels})
    changer = _CHANGERS.get(thing.kind)
    return [*(changer(thing, asked, desk) if changer is not None else [thing]), *new]


def with_attributes(thing: Thing, values: dict[str, Any]) -> Thing:
    """The object with other attributes; None takes one away."""
    merged = thing.attributes | values
    return replace(thing, attributes={k: v for k, v in merged.items() if v is not None})


def _change_campaign(campaign: Thing, asked: Asked, desk: Desk) -> list[Thing]:
    values: dict[str, Any] = {}
    if "bid_strategy" in asked:
        if campaign.daily_budget is None and campaign.lifetime_budget is None:
            raise refused(1885737, blame="bid_strategy")
        values["bid_strategy"] = asked.choice("bid_strategy", STRATEGIES)
    if "spend_cap" in asked:
        values["spend_cap"] = read_spend_cap(asked, desk.currency)
    if "stop_time" in asked:
        values["stop_time"] = _end(campaign, asked, desk, "stop_time", lifetime=False)
    return [with_attributes(campaign, values)]


def _change_adset(adset: Thing, asked: Asked, desk: Desk) -> list[Thing]:
    for name in _FIXED:
        if name in asked:
            held = adset.attributes.get(name)
            sent = asked.object(name) if name == "promoted_object" else asked.params[name]
            if sent != held:
                raise refused(3260011, blame=name)
    campaign = desk.objects.parent(adset, Kind.CAMPAIGN)
    values: dict[str, Any] = {}
    if any(name in asked for name in _BIDS) and campaign is not None:
        values |= _bid(adset, asked, desk, campaign)
    if "end_time" in asked:
        lifetime = adset.lifetime_budget is not None
        values["end_time"] = _end(adset, asked, desk, "end_time", lifetime=lifetime)
    if "attribution_spec" in asked:
        values["attribution_spec"] = read_attribution(asked, adset.attributes["optimization_goal"])
    if "targeting" not in asked:
        for name in ("dsa_beneficiary", "dsa_payor"):
            if name in asked:
                values[name] = asked.text(name)
        return [with_attributes(adset, values)]
    # The whole targeting is replaced: what is not sent again is gone.
    targeting = read_targeting(asked.object("targeting") or {}, desk, campaign, creating=False)
    values["targeting"] = targeting
    values |= read_dsa(asked, desk, targeting)
    spec = values.get("attribution_spec") or adset.attributes.get("attribution_spec", [])
    values["learning_stage_info"] = learning(desk, spec)
    return [with_attributes(adset, values), *_reviewed_below(adset, desk)]


def _change_ad(ad: Thing, asked: Asked, desk: Desk) -> list[Thing]:
    values: dict[str, Any] = {}
    if "conversion_domain" in asked:
        values["conversion_domain"] = read_domain(asked)
    if (specs := asked.json("tracking_specs")) is not None:
        values["tracking_specs"] = specs
    ad = with_attributes(ad, values)
    if "creative" not in asked:
        return [ad]
    creative, new = read_creative(asked, desk)
    adset = desk.objects.parent(ad, Kind.ADSET)
    if adset is not None:
        check_fit(creative, adset, desk)
    if creative.id == ad.creative_id:
        return [ad]
    review = submitted(story_of(creative), desk.now, desk.minutes)
    return [replace(ad, creative_id=creative.id, review=review), *new]


def _reviewed_below(adset: Thing, desk: Desk) -> list[Thing]:
    """The ads of an ad set, each in a review anew: Meta looks again when the audience changes."""
    found = []
    for ad in desk.objects.below(adset, Kind.AD):
        creative = desk.objects.parent(ad, Kind.CREATIVE)
        if creative is not None and not desk.is_final(ad):
            review = submitted(story_of(creative), desk.now, desk.minutes)
            found.append(replace(ad, review=review))
    return found


def _bid(adset: Thing, asked: Asked, desk: Desk, campaign: Thing) -> dict[str, Any]:
    """The bid, with what was sent in place of what was held."""
    params = {name: asked.params[name] for name in _BIDS if name in asked}
    held = adset.attributes
    if "bid_strategy" not in params:
        for name in ("bid_strategy", "bid_amount"):
            if name in held and name not in params:
                params[name] = str(held[name])
    if campaign.daily_budget is not None or campaign.lifetime_budget is not None:
        if "bid_strategy" in asked:
            raise refused(1885737, blame="bid_strategy")
        params.pop("bid_strategy", None)
    found = read_bid(desk.reads(params), campaign, held["optimization_goal"])
    return dict.fromkeys(_BIDS) | found


def _end(thing: Thing, asked: Asked, desk: Desk, name: str, *, lifetime: bool) -> str | None:
    end = asked.moment(name)
    started = thing.attributes.get("start_time")
    start = thing.created_time if started is None else datetime.fromisoformat(started)
    check_end(desk, start, end, lifetime=lifetime, end_name=name)
    return None if end is None else wire_time(end, desk.timezone)


_CHANGERS: dict[Kind, Callable[[Thing, Asked, Desk], list[Thing]]] = {
    Kind.CAMPAIGN: _change_campaign,
    Kind.ADSET: _change_adset,
    Kind.AD: _change_ad,
}
