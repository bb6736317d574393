"""What the platform thinks of a campaign, brought back: its status in the seeds' seven words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from zyenta_ads_pipeline.campaigns.launch_state import is_launched
from zyenta_ads_pipeline.domain.campaign import AdCampaign, CampaignStatus
from zyenta_ads_pipeline.domain.launch import AdReview, CampaignReview
from zyenta_ads_pipeline.platforms.base import AdsLauncher
from zyenta_ads_pipeline.store.campaigns import Campaigns

WATCHED = (
    CampaignStatus.PENDING_REVIEW,
    CampaignStatus.ACTIVE,
    CampaignStatus.PAUSED,
    CampaignStatus.REJECTED,
    CampaignStatus.ERROR,
)
"""Campaigns that something may still happen to."""
_IN_REVIEW = frozenset({"IN_PROCESS", "PENDING_REVIEW", "PREAPPROVED"})
_GONE = frozenset({"DELETED", "ARCHIVED"})
_BILLING = "PENDING_BILLING_INFO"


def status_from(
    review: CampaignReview, end_date: datetime | None, now: datetime
) -> tuple[CampaignStatus, str]:
    """The status that a review amounts to, with the reason in a buyer's words.

    What is over comes first, then what a person has to mend, then what has to be waited for.
    """
    if over := _over(review, end_date, now):
        return CampaignStatus.COMPLETED, over
    ads = [ad for ad in review.ads if ad.effective_status not in _GONE]
    rejected = [ad for ad in ads if ad.effective_status == "DISAPPROVED"]
    if ads and len(rejected) == len(ads):
        return CampaignStatus.REJECTED, _objections("All ads were disapproved", rejected)
    if issues := _issues(review, ads):
        return CampaignStatus.ERROR, " ".join(issues)
    some = _objections(f"{len(rejected)} of {len(ads)} ads disapproved", rejected)
    waiting = sum(ad.effective_status in _IN_REVIEW for ad in ads)
    if waiting:
        reason = f"{waiting} of {len(ads)} ads are in review. {some}".strip()
        return CampaignStatus.PENDING_REVIEW, reason
    if review.configured_status == "ACTIVE":
        return CampaignStatus.ACTIVE, some or "Reviewed and switched on."
    return CampaignStatus.PAUSED, some or "Reviewed, and paused."


async def bring_back(
    platform: AdsLauncher, campaigns: Campaigns, campaign: AdCampaign, *, actor: str, now: datetime
) -> AdCampaign:
    """Read a launched campaign's review and store what it says; gives the campaign as it is then.

    One whose launch stopped on the way is left as it is. Each disapproved creative keeps the
    platform's objections. Raises what the platform raises.
    """
    if campaign.platform_campaign_id is None or not is_launched(campaigns, campaign):
        return campaign
    review = await platform.review(campaign.account_id, campaign.platform_campaign_id)
    by_ad = {creative.platform_ad_id: creative for creative in campaign.creatives}
    for ad in review.ads:
        creative = by_ad.get(ad.ad_id)
        if creative is not None and dict(creative.review_feedback) != dict(ad.feedback):
            campaigns.creative_feedback(creative.id, ad.feedback, now=now)
    status, reason = status_from(review, campaign.end_date, now)
    if (status, reason) == (campaign.status, campaign.status_reason):
        return campaign
    return campaigns.move(campaign.id, status, reason=reason, actor=actor, now=now)


def _over(review: CampaignReview, end_date: datetime | None, now: datetime) -> str:
    """Why the campaign is over; empty while it is not."""
    if end_date is not None and end_date <= now:
        return f"It ended on {end_date:%Y-%m-%d}."
    if review.effective_status in _GONE:
        return f"It is {review.effective_status.lower()} on the platform."
    return ""


def _issues(review: CampaignReview, ads: Sequence[AdReview]) -> list[str]:
    told = [*review.issues, *(f"{ad.name}: {issue}" for ad in ads for issue in ad.issues)]
    told += [f"{ad.name}: billing is not set up." for ad in ads if ad.effective_status == _BILLING]
    if not told and review.effective_status == "WITH_ISSUES":
        told = ["The platform reports issues that it does not name: look into Ads Manager."]
    return list(dict.fromkeys(told))


def _objections(head: str, ads: Sequence[AdReview]) -> str:
    if not ads:
        return ""
    said = dict.fromkeys(f"{policy}: {text}" for ad in ads for policy, text in ad.feedback.items())
    return f"{head}. {' '.join(said)}".strip()
