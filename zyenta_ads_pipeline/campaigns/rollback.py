"""Taking a launch back: what it made is deleted on the platform, ads first, each once."""

from __future__ import annotations

from zyenta_ads_pipeline.campaigns.halt import PLATFORM_ERRORS
from zyenta_ads_pipeline.campaigns.launch import LaunchPaused, LaunchPlace
from zyenta_ads_pipeline.campaigns.launch_state import is_launched
from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.campaign import AdCampaign, CampaignStatus
from zyenta_ads_pipeline.domain.errors import InputError, NotFound
from zyenta_ads_pipeline.domain.launch import StepKind, StepState
from zyenta_ads_pipeline.platforms.base import AdsPlatform
from zyenta_ads_pipeline.store.launches import LaunchStep

_ORDER = (StepKind.AD, StepKind.ADSET, StepKind.CAMPAIGN, StepKind.CREATIVE)
"""Media stay: they cost nothing, and the next launch uses them."""
_LEVELS = {StepKind.AD: Level.AD, StepKind.ADSET: Level.ADSET, StepKind.CAMPAIGN: Level.CAMPAIGN}


async def roll_back(place: LaunchPlace, live: AdsPlatform, campaign_id: str) -> AdCampaign:
    """Delete what a stopped launch made; gives the campaign as a draft again.

    What a lost answer may have made is looked for first. `live` reads objects. Raises `InputError`
    for a campaign whose launch did not stop, `LaunchPaused` where the platform fails: then it can
    be called again.
    """
    campaign = place.campaigns.get(campaign_id)
    if campaign.status is not CampaignStatus.ERROR or is_launched(place.campaigns, campaign):
        raise InputError(
            f"Campaign {campaign.name} is {campaign.status.value}: only a launch that stopped can "
            "be rolled back.",
            "Pause it, or delete it in Ads Manager.",
        )
    if not place.launches.hold(campaign_id, place.owner, place.lease, place.now()):
        raise LaunchPaused(
            f"The launch of {campaign.name} is under way in another run.", "Wait for it."
        )
    try:
        steps = place.launches.steps(campaign_id)
        for kind in _ORDER:
            for step in reversed([each for each in steps if each.kind is kind]):
                await _undo(place, live, campaign, step)
    except PLATFORM_ERRORS as error:
        raise LaunchPaused(
            f"The launch of {campaign.name} is not rolled back yet: {error}",
            "Roll it back again: what is deleted stays so.",
        ) from error
    finally:
        place.launches.release(campaign_id, place.owner)
    reason = "Rolled back: nothing of it is left on the platform."
    place.campaigns.unplaced(campaign_id, now=place.now(), actor=place.owner, reason=reason)
    return place.campaigns.move(
        campaign_id,
        CampaignStatus.DRAFT,
        reason=reason,
        actor=place.owner,
        now=place.now(),
    )


async def _undo(
    place: LaunchPlace, live: AdsPlatform, campaign: AdCampaign, step: LaunchStep
) -> None:
    made = step.platform_id if step.state is StepState.DONE else None
    if step.state is StepState.SENDING:
        made = await place.platform.find_by_token(campaign.account_id, step.kind, step.token)
        if made is None:
            place.launches.back(step.id, place.now(), "Looked for to roll back: it is not there.")
            return
        place.launches.done(step.id, made, place.now(), "Recognised by its token, to roll back.")
    if made is None:
        return
    place.tell(f"Deleting {step.kind.value} {step.name}")
    if not await _is_gone(live, step.kind, made):
        await place.platform.delete(made)  # a value that is set: repeating it does no harm
    place.launches.rolled_back(step.id, place.now(), f"Deleted {made}.")


async def _is_gone(live: AdsPlatform, kind: StepKind, made: str) -> bool:
    level = _LEVELS.get(kind)
    if level is None:
        return False
    try:
        found = await live.read_object(made, level)
    except NotFound:
        return True
    return found.effective_status == "DELETED" and found.status == "DELETED"
