"""Taking a launch back: what it made is deleted on the platform, ads first, each once."""

from __future__ import annotations

from collections.abc import Callable

from zyenta_ads_pipeline.campaigns.halt import PLATFORM_ERRORS
from zyenta_ads_pipeline.campaigns.launch import LOOKS, LaunchPaused, LaunchPlace
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


async def roll_back(
    place: LaunchPlace,
    live: AdsPlatform,
    campaign_id: str,
    *,
    first: Callable[[], None] = lambda: None,
) -> AdCampaign:
    """Delete what a stopped launch made; gives the campaign as a draft again.

    What a lost answer may have made is looked for first. `live` reads objects; `first` is done
    once nothing speaks against it, before anything is deleted. Raises `InputError`
    for a campaign whose launch did not stop, `LaunchPaused` where the platform fails: then it can
    be called again.
    """
    if not place.launches.hold(campaign_id, place.owner, place.lease, place.now()):
        raise LaunchPaused("The launch is under way in another run.", "Wait for it.")
    try:
        campaign = place.campaigns.get(campaign_id)
        _check_stopped(place, campaign)
        steps = place.launches.steps(campaign_id)
        await _refuse_running(live, campaign)
        first()
        for kind in _ORDER:
            for step in reversed([each for each in steps if each.kind is kind]):
                await _undo(place, campaign, live, step)
        reason = "Rolled back: nothing of it is left on the platform."
        place.campaigns.unplaced(campaign_id, now=place.now(), actor=place.owner, reason=reason)
        if campaign.status is CampaignStatus.DRAFT:
            return place.campaigns.get(campaign_id)
        return place.campaigns.move(
            campaign_id,
            CampaignStatus.DRAFT,
            reason=reason,
            actor=place.owner,
            now=place.now(),
        )
    except PLATFORM_ERRORS as error:
        raise LaunchPaused(
            f"The launch is not rolled back yet: {error}",
            "Roll it back again: what is deleted stays so.",
        ) from error
    finally:
        place.launches.release(campaign_id, place.owner)


def _check_stopped(place: LaunchPlace, campaign: AdCampaign) -> None:
    made = any(
        step.state in (StepState.DONE, StepState.SENDING)
        for step in place.launches.steps(campaign.id)
    )
    half_done = campaign.status is CampaignStatus.DRAFT and made
    failed = campaign.status is CampaignStatus.ERROR
    if not (half_done or failed) or is_launched(place.campaigns, campaign):
        raise InputError(
            f"Campaign {campaign.name} is {campaign.status.value}: only a launch that stopped can "
            "be rolled back.",
            "Pause it, or delete it in Ads Manager.",
        )


async def _refuse_running(live: AdsPlatform, campaign: AdCampaign) -> None:
    """Somebody may have finished it by hand and switched it on."""
    if campaign.platform_campaign_id is None:
        return
    try:
        found = await live.read_object(campaign.platform_campaign_id, Level.CAMPAIGN)
    except NotFound:
        return
    if found.status == "ACTIVE":
        raise InputError(
            f"Campaign {campaign.name} was switched on in Ads Manager, so it is not deleted.",
            "Pause it there first, if it is to be rolled back.",
        )


async def _undo(
    place: LaunchPlace, campaign: AdCampaign, live: AdsPlatform, step: LaunchStep
) -> None:
    made = step.platform_id if step.state is StepState.DONE else None
    if step.state is StepState.SENDING:
        made = await _looked_for(place, campaign, step)
        if made is None:
            place.launches.back(step.id, place.now(), "Looked for to roll back: it is not there.")
            return
        place.launches.done(step.id, made, place.now(), "Recognised by its token, to roll back.")
    if made is None:
        return
    reason = place.stopped(campaign.account_id)
    if reason is not None:
        raise LaunchPaused(
            f"The kill switch is on: {reason} Nothing more is deleted.",
            "Lift it with `zyenta resume`, then roll back again.",
        )
    if not place.launches.hold(campaign.id, place.owner, place.lease, place.now()):
        raise LaunchPaused("Another run has taken the launch over.", "Look at that run.")
    place.tell(f"Deleting {step.kind.value} {step.name}")
    if not await _is_gone(live, step.kind, made):
        try:
            await place.platform.delete(made)  # a value that is set: repeating it does no harm
        except NotFound:
            place.tell(f"{step.name} is gone already")
    place.launches.rolled_back(step.id, place.now(), f"Deleted {made}.")


async def _looked_for(place: LaunchPlace, campaign: AdCampaign, step: LaunchStep) -> str | None:
    """What a lost answer made, looked for as long as the platform's lists may lag."""
    for look in range(LOOKS):
        if look:
            await place.sleep(place.look_again * look)
        found = await place.platform.find_by_token(campaign.account_id, step.kind, step.token)
        if found is not None:
            return found
    return None


async def _is_gone(live: AdsPlatform, kind: StepKind, made: str) -> bool:
    level = _LEVELS.get(kind)
    if level is None:
        return False
    try:
        found = await live.read_object(made, level)
    except NotFound:
        return True
    return found.effective_status == "DELETED" and found.status == "DELETED"
