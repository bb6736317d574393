"""Adoption: campaigns made by hand in Ads Manager become campaigns of ours.

They keep their names, budgets and states; from then on they are shown, decided on and changed like
those that we launched. Nothing is written to the platform.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from zyenta_ads_pipeline.domain.ads import AdCreative as LiveCreative
from zyenta_ads_pipeline.domain.ads import AdObject, Level
from zyenta_ads_pipeline.domain.campaign import (
    AdCampaign,
    BudgetLevel,
    CampaignObjective,
    CampaignStatus,
)
from zyenta_ads_pipeline.domain.creative import (
    CreativeDraft,
    CreativeOrigin,
    CreativeType,
)
from zyenta_ads_pipeline.domain.shop import PlatformConnection
from zyenta_ads_pipeline.store.campaigns import Campaigns

ADS_MANAGER = "ads_manager"
"""The writer of a creative that a human made on the platform."""
_GONE = frozenset({"DELETED", "ARCHIVED"})
_OBJECTIVES = {
    "OUTCOME_AWARENESS": CampaignObjective.AWARENESS,
    "BRAND_AWARENESS": CampaignObjective.AWARENESS,
    "REACH": CampaignObjective.AWARENESS,
    "OUTCOME_TRAFFIC": CampaignObjective.TRAFFIC,
    "LINK_CLICKS": CampaignObjective.TRAFFIC,
    "OUTCOME_ENGAGEMENT": CampaignObjective.ENGAGEMENT,
    "POST_ENGAGEMENT": CampaignObjective.ENGAGEMENT,
    "PAGE_LIKES": CampaignObjective.ENGAGEMENT,
    "VIDEO_VIEWS": CampaignObjective.ENGAGEMENT,
    "MESSAGES": CampaignObjective.ENGAGEMENT,
    "OUTCOME_SALES": CampaignObjective.CONVERSIONS,
    "OUTCOME_LEADS": CampaignObjective.CONVERSIONS,
    "CONVERSIONS": CampaignObjective.CONVERSIONS,
    "LEAD_GENERATION": CampaignObjective.CONVERSIONS,
    "PRODUCT_CATALOG_SALES": CampaignObjective.CATALOG_SALES,
}


@dataclass(frozen=True)
class Adopted:
    """What an adoption came to. `skipped` are campaigns left alone, each with the reason."""

    campaigns: Sequence[AdCampaign]
    known: int
    skipped: Sequence[str]


def adopt(
    campaigns: Campaigns,
    connection: PlatformConnection,
    objects: Sequence[AdObject],
    creatives: Sequence[LiveCreative],
    *,
    actor: str,
    now: datetime,
) -> Adopted:
    """Take in every campaign of the account that is not ours yet; repeating it does no harm.

    `objects` and `creatives` are all that the platform lists. Skipped, and told: campaigns of an
    objective that we have no word for, and those without a daily budget.
    """
    by_campaign = _by_campaign(objects)
    texts = {creative.id: creative for creative in creatives}
    ours = {
        campaign.platform_campaign_id
        for campaign in campaigns.find(account_id=connection.account_id)
    }
    taken: list[AdCampaign] = []
    skipped: list[str] = []
    known = 0
    for live in objects:
        if live.level is not Level.CAMPAIGN or live.effective_status in _GONE:
            continue
        if live.id in ours:
            known += 1
            continue
        below = by_campaign[live.id]
        objective = _OBJECTIVES.get(live.objective or "")
        level, budget = _budget(live, below)
        if objective is None:
            skipped.append(f"{live.name}: the objective {live.objective} is not worked with.")
        elif budget is None:
            skipped.append(
                f"{live.name}: it has no daily budget (a lifetime budget is left alone)."
            )
        else:
            taken.append(
                _adopted(
                    campaigns, connection, live, objective, level, budget, below, texts, actor, now
                )
            )
    return Adopted(taken, known, skipped)


def _adopted(
    campaigns: Campaigns,
    connection: PlatformConnection,
    live: AdObject,
    objective: CampaignObjective,
    level: BudgetLevel,
    budget: int,
    below: Sequence[AdObject],
    texts: Mapping[str, LiveCreative],
    actor: str,
    now: datetime,
) -> AdCampaign:
    ads = [each for each in below if each.level is Level.AD and each.effective_status not in _GONE]
    ad_sets = [each for each in below if each.level is Level.ADSET]
    targeting: Mapping[str, Any] = next(
        (each.details["targeting"] for each in ad_sets if _aimed(each)), {}
    )
    status = CampaignStatus.ACTIVE if live.status == "ACTIVE" else CampaignStatus.PAUSED
    campaign = AdCampaign(
        id="",
        store_id=connection.store_id,
        platform=connection.platform,
        account_id=connection.account_id,
        name=live.name,
        objective=objective,
        status=status,
        status_reason="Adopted from Ads Manager.",
        currency=connection.currency,
        daily_budget_minor=budget,
        total_budget_minor=None,
        budget_level=level,
        start_date=live.created_time or now,
        end_date=None,
        targeting=targeting,
        auto_optimize=True,
        created_at=now,
        updated_at=now,
        platform_campaign_id=live.id,
        adopted=True,
    )
    drafts = [_draft(ad, texts.get(ad.creative_id or "")) for ad in ads]
    stored = campaigns.add(campaign, drafts, actor=actor, now=now)
    for creative, ad in zip(stored.creatives, ads, strict=True):
        campaigns.creative_placed(
            creative.id, ad_set_id=ad.adset_id, creative_ref=ad.creative_id, ad_id=ad.id, now=now
        )
    return campaigns.get(stored.id)


def _draft(ad: AdObject, live: LiveCreative | None) -> CreativeDraft:
    said: Mapping[str, Any] = live.details if live is not None else {}
    story = said.get("object_story_spec") or {}
    data = story.get("link_data") or story.get("video_data") or {}
    action = said.get("call_to_action_type") or (data.get("call_to_action") or {}).get("type")
    is_video = "video_data" in story or bool(said.get("video_id"))
    return CreativeDraft(
        name=ad.name,
        type=CreativeType.VIDEO if is_video else CreativeType.IMAGE,
        angle=None,
        headline=str(said.get("title") or data.get("name") or data.get("title") or ""),
        description=str(said.get("body") or data.get("message") or ""),
        call_to_action=str(action or ""),
        media_ids=(),
        link_url=str(data.get("link") or ""),
        origin=CreativeOrigin(writer=ADS_MANAGER, model="", prompt_version="", product_ids=()),
    )


def _budget(live: AdObject, below: Sequence[AdObject]) -> tuple[BudgetLevel, int | None]:
    if live.daily_budget is not None:
        return BudgetLevel.CAMPAIGN, live.daily_budget
    held = [
        each.daily_budget
        for each in below
        if each.level is Level.ADSET and each.status == "ACTIVE" and each.daily_budget is not None
    ]
    return BudgetLevel.ADSET, sum(held) or None


def _aimed(ad_set: AdObject) -> bool:
    return isinstance(ad_set.details.get("targeting"), Mapping)


def _by_campaign(objects: Sequence[AdObject]) -> dict[str, list[AdObject]]:
    found: dict[str, list[AdObject]] = defaultdict(list)
    for each in objects:
        if each.level is not Level.CAMPAIGN:
            found[each.campaign_id].append(each)
    return found
