"""Whether a campaign's launch came to its end, or stopped on the way."""

from __future__ import annotations

from zyenta_ads_pipeline.domain.campaign import AdCampaign, CampaignStatus
from zyenta_ads_pipeline.store.campaigns import Campaigns

_UNDECIDED = {CampaignStatus.ERROR.value}


def is_launched(campaigns: Campaigns, campaign: AdCampaign) -> bool:
    """True once all of it was made. An ERROR can be either: a launch that stopped, or a campaign
    that the platform has issues with; its journal tells where it came from."""
    if campaign.adopted or campaign.status not in (CampaignStatus.DRAFT, CampaignStatus.ERROR):
        return True
    if campaign.status is CampaignStatus.DRAFT:
        return False
    for event in reversed(campaigns.journal(campaign.id)):
        if event.what == "status" and event.from_value not in _UNDECIDED:
            return event.from_value != CampaignStatus.DRAFT.value
        if event.what == "status" and event.to_value == CampaignStatus.DRAFT.value:
            return False
    return False
