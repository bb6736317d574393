"""A launch on paper: which objects a campaign of ours becomes, under which names and budgets.

Every object's name carries a token made from the campaign's id and the step, so that an object
whose creation was not answered is found again, and never made twice.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence

from zyenta_ads_pipeline.domain.campaign import AdCampaign, BudgetLevel, CampaignObjective
from zyenta_ads_pipeline.domain.creative import AdCreative, CreativeType
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.domain.launch import (
    AdSetSpec,
    AdSpec,
    CampaignSpec,
    CreativeSpec,
    Spec,
    StepKind,
)
from zyenta_ads_pipeline.domain.money import show, to_major
from zyenta_ads_pipeline.domain.shop import MediaAsset, MediaKind, PlatformConnection
from zyenta_ads_pipeline.optimizer.sharing import fill
from zyenta_ads_pipeline.store.launches import LaunchStep, PlannedStep

_LONGEST_NAME = 100
"""Characters; Meta takes no more for a creative, and one length for all reads better."""
CAMPAIGN = "campaign"
_TOKEN = re.compile(r" \[zy[0-9a-f]{12}\]$")


def planned_steps(campaign: AdCampaign, media: Mapping[str, MediaAsset]) -> list[PlannedStep]:
    """The steps of a launch in their order: media, campaign, then ad set, creative and ad of each
    creative. The same campaign gives the same steps, whenever it is asked."""
    steps: list[PlannedStep] = []
    for creative in campaign.creatives:
        for asset in (media[each] for each in creative.draft.media_ids):
            kind = StepKind.VIDEO if asset.kind is MediaKind.VIDEO else StepKind.IMAGE
            step = _step(campaign, f"{kind.value}:{asset.id}", kind, asset.alt or asset.id)
            if step not in steps:
                steps.append(step)
    steps.append(_step(campaign, CAMPAIGN, StepKind.CAMPAIGN, campaign.name))
    for creative in campaign.creatives:
        name = f"{campaign.name} - {creative.draft.name}"
        for kind in (StepKind.ADSET, StepKind.CREATIVE, StepKind.AD):
            steps.append(_step(campaign, key(kind, creative), kind, name, creative.id))
    return steps


def key(kind: StepKind, creative: AdCreative) -> str:
    """The key of a creative's step."""
    return f"{kind.value}:{creative.id}"


def token_of(campaign_id: str, step_key: str) -> str:
    """The token in the name of what a step makes; the same in every attempt."""
    digest = hashlib.blake2b(f"{campaign_id}/{step_key}".encode(), digest_size=6).hexdigest()
    return f"zy{digest}"


def own_name(name: str, campaign: str = "") -> str:
    """An object's name without the token at its end, and without its campaign's name."""
    bare = _TOKEN.sub("", name)
    return bare.removeprefix(f"{campaign} - ") if campaign else bare


def budgets(campaign: AdCampaign, least_minor: int) -> dict[str, int | None]:
    """The daily budget of each creative's ad set, in minor units; None where the campaign holds
    it. Equal shares that add up exactly.

    Raises `InputError` when a share would be below the platform's least.
    """
    creatives = campaign.creatives
    if campaign.budget_level is BudgetLevel.CAMPAIGN:
        _check_least(campaign.daily_budget_minor, 1, least_minor, campaign.currency)
        return dict.fromkeys((creative.id for creative in creatives), None)
    number = len(creatives)
    _check_least(campaign.daily_budget_minor, number, least_minor, campaign.currency)
    total = campaign.daily_budget_minor
    shares = fill([1] * number, [0] * number, [total] * number, total).amounts
    return {creative.id: share for creative, share in zip(creatives, shares, strict=True)}


def spec_of(
    step: LaunchStep,
    campaign: AdCampaign,
    connection: PlatformConnection,
    done: Mapping[str, str],
    shares: Mapping[str, int | None],
) -> Spec:
    """What a step makes, given the ids that the steps before it have got (`done`, by key)."""
    catalogue = campaign.objective is CampaignObjective.CATALOG_SALES
    if step.kind is StepKind.CAMPAIGN:
        holds = campaign.budget_level is BudgetLevel.CAMPAIGN
        return CampaignSpec(
            name=step.name,
            objective=campaign.objective,
            daily_budget_minor=campaign.daily_budget_minor if holds else None,
            product_catalog_id=connection.product_catalog_id if catalogue else None,
        )
    creative = next(each for each in campaign.creatives if each.id == step.creative_id)
    if step.kind is StepKind.ADSET:
        return AdSetSpec(
            campaign_id=done[CAMPAIGN],
            name=step.name,
            objective=campaign.objective,
            targeting=campaign.targeting,
            start_time=campaign.start_date,
            end_time=campaign.end_date,
            daily_budget_minor=shares[creative.id],
            page_id=connection.page_id,
            pixel_id=connection.pixel_id,
            product_set_id=connection.product_set_id if catalogue else None,
            dsa_beneficiary=connection.page_name,
        )
    if step.kind is StepKind.AD:
        return AdSpec(
            name=step.name,
            ad_set_id=done[key(StepKind.ADSET, creative)],
            creative_id=done[key(StepKind.CREATIVE, creative)],
        )
    return _creative_spec(step, creative, connection, done, catalogue=catalogue)


def check_connection(campaign: AdCampaign, connection: PlatformConnection) -> None:
    """Raise `InputError` when the connection lacks what the objective needs."""
    lacking: list[tuple[str, str]] = []
    if not connection.page_id:
        lacking.append(("a page", "--page"))
    if campaign.objective is CampaignObjective.CONVERSIONS and not connection.pixel_id:
        lacking.append(("a pixel, which counts the purchases", "--pixel"))
    if campaign.objective is CampaignObjective.CATALOG_SALES and not (
        connection.product_catalog_id and connection.product_set_id
    ):
        lacking.append(("a product catalogue and a product set", "--product-set"))
    if lacking:
        names = " and ".join(name for name, _ in lacking)
        options = " ".join(option for _, option in lacking)
        raise InputError(
            f"The store's connection to {connection.platform} has no {names}, which a campaign "
            f"for {campaign.objective.value} needs.",
            f"Run `zyenta connect` again with {options}, or choose another objective.",
        )
    if connection.account_id != campaign.account_id:
        raise InputError(
            f"The campaign is drafted for act_{campaign.account_id}, and the store is connected to "
            f"act_{connection.account_id} now.",
            "Connect the store to that account again, or create the campaign anew.",
        )
    if connection.currency != campaign.currency:
        raise InputError(
            f"The campaign is in {campaign.currency}, the ad account in {connection.currency}.",
            "State the budget in the account's currency.",
        )


def _creative_spec(
    step: LaunchStep,
    creative: AdCreative,
    connection: PlatformConnection,
    done: Mapping[str, str],
    *,
    catalogue: bool,
) -> CreativeSpec:
    draft = creative.draft
    images = _uploaded(draft.media_ids, StepKind.IMAGE, done)
    videos = _uploaded(draft.media_ids, StepKind.VIDEO, done)
    video = videos[0] if videos and draft.type is CreativeType.VIDEO else None
    image = images[0] if images else None
    return CreativeSpec(
        name=step.name,
        page_id=connection.page_id,
        headline=draft.headline,
        message=draft.description,
        call_to_action=draft.call_to_action,
        link_url=draft.link_url,
        image_hash=None if video or catalogue else image,
        video_id=None if catalogue else video,
        thumbnail_hash=image if video else None,
        product_set_id=connection.product_set_id if catalogue else None,
        instagram_user_id=connection.instagram_user_id,
    )


def _uploaded(media_ids: Sequence[str], kind: StepKind, done: Mapping[str, str]) -> list[str]:
    keys = (f"{kind.value}:{each}" for each in media_ids)
    return [done[each] for each in keys if each in done]


def _step(
    campaign: AdCampaign, step_key: str, kind: StepKind, name: str, creative_id: str | None = None
) -> PlannedStep:
    token = token_of(campaign.id, step_key)
    room = _LONGEST_NAME - len(token) - 3
    short = name if len(name) <= room else name[: room - 1].rstrip() + "…"
    return PlannedStep(
        key=step_key, kind=kind, name=f"{short} [{token}]", token=token, creative_id=creative_id
    )


def _check_least(total: int, parts: int, least: int, currency: str) -> None:
    if total // parts >= least:
        return
    needed = show(to_major(least * parts, currency), currency)
    share = f", shared by {parts} creatives," if parts > 1 else ""
    fewer = ", fewer variations, or one budget for the campaign" if parts > 1 else ""
    raise InputError(
        f"A daily budget of {show(to_major(total, currency), currency)}{share} is below what the "
        f"platform takes for an ad set ({show(to_major(least, currency), currency)}).",
        f"Choose at least {needed} a day{fewer}.",
    )
