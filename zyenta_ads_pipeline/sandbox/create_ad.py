"""`POST /act_X/ads`: what an ad must tell, and what it reads back."""

from __future__ import annotations

import json
from typing import Any

from zyenta_ads_pipeline.sandbox.asked import Asked
from zyenta_ads_pipeline.sandbox.create_campaign import NEW_STATUSES
from zyenta_ads_pipeline.sandbox.create_creative import (
    make_creative_as_asked,
    story_of,
    website_of,
)
from zyenta_ads_pipeline.sandbox.desk import Desk
from zyenta_ads_pipeline.sandbox.goal_rules import CLICK_OBJECTIVES
from zyenta_ads_pipeline.sandbox.objects import Kind, Thing
from zyenta_ads_pipeline.sandbox.param_names import PLAYED, refuse_other
from zyenta_ads_pipeline.sandbox.review import submitted
from zyenta_ads_pipeline.sandbox.write_errors import refused, wrong

MOST_ADS = 50
"""Ads of an ad set that are not archived."""
_CHATS = frozenset({"MESSENGER", "WHATSAPP", "INSTAGRAM_DIRECT"})


def make_ad_as_asked(asked: Asked, desk: Desk) -> list[Thing]:
    """The ad, in review, with what is new with it; the ad comes last."""
    refuse_other(Kind.AD, frozenset(asked.params), PLAYED[Kind.AD])
    asked.need("name", "adset_id", "creative", "status")
    name = asked.text("name") or ""
    status = asked.choice("status", NEW_STATUSES) or ""
    adset = desk.own(Kind.ADSET, asked.params["adset_id"], "adset_id")
    if desk.is_final(adset):
        raise refused(1487056, blame="adset_id")
    held = [ad for ad in desk.objects.below(adset, Kind.AD)
            if ad.status not in ("ARCHIVED", "DELETED")]  # fmt: skip
    if len(held) >= MOST_ADS:
        raise wrong("adset_id", f"An ad set can have {MOST_ADS} ads at most")
    creative, new = read_creative(asked, desk)
    check_fit(creative, adset, desk)
    attributes: dict[str, Any] = {}
    labels, new_labels = desk.labels(asked, len(new))
    if labels is not None:
        attributes["adlabels"] = labels
    if "conversion_domain" in asked:
        attributes["conversion_domain"] = read_domain(asked)
    if (specs := asked.json("tracking_specs")) is not None:
        attributes["tracking_specs"] = specs
    ad = desk.thing(
        Kind.AD,
        name,
        taken=len(new) + len(new_labels),
        status=status,
        campaign_id=adset.campaign_id,
        adset_id=adset.id,
        creative_id=creative.id,
        attributes=attributes,
        review=submitted(story_of(creative), desk.now, desk.minutes),
    )
    return [*new, *new_labels, ad]


def read_creative(asked: Asked, desk: Desk) -> tuple[Thing, list[Thing]]:
    """The creative that is named, or made inline, and what is new with it."""
    given = asked.object("creative") or {}
    if given.keys() == {"creative_id"}:
        creative = desk.own(Kind.CREATIVE, given["creative_id"], "creative")
        if creative.status == "DELETED":
            raise wrong("creative", f"The creative {creative.id} was deleted")
        return creative, []
    if "creative_id" in given or not given:
        raise wrong("creative", 'Param creative must be {"creative_id": …} or a whole creative')
    params = {key: value if isinstance(value, str) else json.dumps(value)
              for key, value in given.items()}  # fmt: skip
    new = make_creative_as_asked(desk.reads(params), desk)
    return new[0], new


def check_fit(creative: Thing, adset: Thing, desk: Desk) -> None:
    """Refuse a creative that does not suit what its ad set is for."""
    campaign = desk.objects.parent(adset, Kind.CAMPAIGN)
    above = campaign.attributes if campaign is not None else {}
    if "product_catalog_id" in above.get("promoted_object", {}):
        if "product_set_id" not in creative.attributes:
            raise wrong("creative", "The campaign promotes a catalogue: the creative needs a "
                        "product_set_id with template_data")  # fmt: skip
    elif (
        above.get("objective") in CLICK_OBJECTIVES
        and adset.attributes.get("destination_type") not in _CHATS
        and website_of(creative) is None
        and "object_story_id" not in creative.attributes
    ):
        raise refused(2446383, blame="creative")


def read_domain(asked: Asked) -> str:
    """`conversion_domain`: a host, without scheme and path."""
    text = asked.text("conversion_domain") or ""
    if "/" in text or ":" in text or "." not in text:
        raise wrong("conversion_domain", "Param conversion_domain must be a domain alone")
    return text
