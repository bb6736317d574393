"""A launch, step by step: each step is journalled before and after, and taken once.

The truth is in the store. A run that is killed leaves at most one step in SENDING; the next run
asks the platform what became of it, by the token in its name, before it sends anything. Everything
is made PAUSED, so a launch that stops half-way spends nothing.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from zyenta_ads_pipeline.campaigns.halt import HALTS, PLATFORM_ERRORS, REFUSALS
from zyenta_ads_pipeline.campaigns.launch_plan import (
    budgets,
    check_connection,
    planned_steps,
    spec_of,
)
from zyenta_ads_pipeline.campaigns.launch_state import is_launched
from zyenta_ads_pipeline.domain.campaign import AdCampaign, CampaignStatus
from zyenta_ads_pipeline.domain.errors import (
    AuthenticationFailed,
    IllegalTransition,
    InputError,
    LaunchStopped,
    PlatformError,
    RateLimited,
    UnknownOutcome,
    Unreachable,
)
from zyenta_ads_pipeline.domain.launch import (
    AdSetSpec,
    AdSpec,
    CampaignSpec,
    Created,
    CreativeSpec,
    Spec,
    StepKind,
    StepState,
)
from zyenta_ads_pipeline.domain.shop import MediaAsset, MediaKind, PlatformConnection
from zyenta_ads_pipeline.platforms.base import AdsLauncher
from zyenta_ads_pipeline.store.campaigns import Campaigns
from zyenta_ads_pipeline.store.launches import Launches, LaunchLost, LaunchStep
from zyenta_ads_pipeline.store.shops import Shops

LEASE = timedelta(minutes=20)
"""How long a launch keeps others away without a sign of life. It is renewed right before each
write, and longer than any write may take: who takes over finds what was written."""
_TRIES = 3
"""How often one run sends a step whose earlier try is known to have made nothing."""
LOOKS = 4
"""How often what a lost answer may have made is looked for, since lists lag behind."""
_VIDEO_POLLS = 60
_MEDIA = (StepKind.IMAGE, StepKind.VIDEO)


class LaunchPaused(LaunchStopped):
    """A launch that goes on by itself later: nothing is wrong with what it makes."""

    def __init__(self, what: str, remedy: str, *, wait_seconds: float | None = None) -> None:
        self.wait_seconds = wait_seconds
        super().__init__(what, remedy)


Content = Callable[[MediaAsset], Awaitable[tuple[MediaAsset, bytes]]]
"""Fetches and checks a media asset: what is known of it then, and the bytes to upload."""


@dataclass(frozen=True)
class LaunchPlace:
    """What a launch works with. `stopped` gives the kill switch's reason for an account, if it is
    thrown; `tell` hears a sentence a step; `look_again` is seconds between two looks."""

    platform: AdsLauncher
    campaigns: Campaigns
    launches: Launches
    shops: Shops
    connection: PlatformConnection
    content: Content
    stopped: Callable[[str], str | None]
    owner: str
    now: Callable[[], datetime]
    least_budget_minor: int
    tell: Callable[[str], None] = lambda _: None
    lease: timedelta = LEASE
    look_again: float = 2.0
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


async def launch(place: LaunchPlace, campaign_id: str) -> AdCampaign:
    """Make the campaign on the platform, or go on where an earlier run stopped.

    Gives the campaign in PENDING_REVIEW. Raises `LaunchPaused` where trying again later helps (the
    campaign stays a draft), `LaunchStopped` where a person has to mend something (it is in ERROR
    with the reason, and can be resumed or rolled back), `InputError` for one that cannot be
    launched as it is.
    """
    campaign = place.campaigns.get(campaign_id)
    if campaign.status is CampaignStatus.PENDING_REVIEW and not campaign.adopted:
        return campaign
    if is_launched(place.campaigns, campaign):
        raise InputError(
            f"Campaign {campaign.name} is {campaign.status.value}: it has been launched already.",
            f"Look at it with `zyenta campaign show {campaign.id}`.",
        )
    if not place.launches.hold(campaign_id, place.owner, place.lease, place.now()):
        raise LaunchPaused(
            f"Campaign {campaign.name} is being launched by another run.",
            "Wait for it; a run that died is taken over after twenty minutes.",
        )
    try:
        return await _Launch(place, campaign).run()
    except (LaunchLost, IllegalTransition) as error:
        raise LaunchPaused(
            f"Another run is at the launch of {campaign.name}: {error.what}", "Look at that run."
        ) from error
    finally:
        place.launches.release(campaign_id, place.owner)


@dataclass
class _Launch:
    place: LaunchPlace
    campaign: AdCampaign
    done: dict[str, str] = field(default_factory=dict)
    shares: Mapping[str, int | None] = field(default_factory=dict)

    async def run(self) -> AdCampaign:
        place, campaign = self.place, self.campaign
        try:
            check_connection(campaign, place.connection)
            self.shares = budgets(campaign, place.least_budget_minor)
        except InputError as error:
            raise self._stopped(error.what, error.remedy) from error
        wanted = {each for creative in campaign.creatives for each in creative.draft.media_ids}
        media = {each: place.shops.media_asset(each) for each in sorted(wanted)}
        place.launches.plan(campaign.id, planned_steps(campaign, media), place.now())
        steps = place.launches.steps(campaign.id)
        for number, step in enumerate(steps, start=1):
            place.tell(f"Step {number} of {len(steps)}: {step.kind.value} {step.name}")
            self.done[step.key] = await self._taken(step, media)
        return place.campaigns.move(
            campaign.id,
            CampaignStatus.PENDING_REVIEW,
            reason="Launched, paused, and handed in for review.",
            actor=place.owner,
            now=place.now(),
        )

    async def _taken(self, step: LaunchStep, media: Mapping[str, MediaAsset]) -> str:
        """The id of what the step makes, made now or earlier."""
        if step.state is StepState.DONE and step.platform_id:
            # The run that made it may have died before it noted, or checked, what it had made.
            self._placed(step, step.platform_id)
            if self.campaign.status is CampaignStatus.DRAFT:
                await self._check_again(step, step.platform_id)
            return step.platform_id
        if step.state in (StepState.REFUSED, StepState.ROLLED_BACK):
            # To launch again is a person's word that what was wrong is mended.
            step = self.place.launches.reopen(step.id, self.place.now())
        if step.state is StepState.SENDING and (found := await self._recognised(step)):
            return found
        for attempt in range(1, _TRIES + 1):
            self._check_switch()
            self._keep_hold()
            try:
                return await self._sent(step, media)
            except UnknownOutcome as error:
                self.place.tell(f"{step.name}: the answer was lost; looking it up")
                if found := await self._recognised(step, error):
                    return found
                if attempt == _TRIES:
                    raise self._paused(step, error) from error
                await self.place.sleep(self.place.look_again * attempt)
        raise AssertionError("the loop returns or raises")

    async def _sent(self, step: LaunchStep, media: Mapping[str, MediaAsset]) -> str:
        if step.kind in _MEDIA:
            return await self._uploaded(step, media[step.key.partition(":")[2]])
        place = self.place
        try:
            spec = await self._with_ready_video(
                spec_of(step, self.campaign, place.connection, self.done, self.shares)
            )
            await self._create(spec, validate_only=True)
        except PLATFORM_ERRORS as error:
            raise self._failed(step, error) from error
        except InputError as error:
            raise self._stopped(error.what, error.remedy) from error
        self._check_switch()
        self._keep_hold()
        place.launches.begin(step.id, place.owner, place.now(), _params(spec), "Sending it.")
        with self._sending(step):
            created = await self._create(spec)
        self._made(step, created.id, "Made.", created)
        await self._check_read_back(step, created.id, spec)
        return created.id

    async def _create(self, spec: Spec, *, validate_only: bool = False) -> Created:
        platform, account = self.place.platform, self.campaign.account_id
        match spec:
            case CampaignSpec():
                make = platform.create_campaign(account, spec, validate_only=validate_only)
            case AdSetSpec():
                make = platform.create_ad_set(account, spec, validate_only=validate_only)
            case CreativeSpec():
                make = platform.create_ad_creative(account, spec, validate_only=validate_only)
            case AdSpec():
                make = platform.create_ad(account, spec, validate_only=validate_only)
        return await make

    async def _check_read_back(self, step: LaunchStep, made: str, spec: Spec) -> None:
        """The platform acknowledged it; does it also show it?"""
        try:
            found = await self.place.platform.differences(step.kind, made, spec)
            if found:  # what was just written may show a moment later
                await self.place.sleep(self.place.look_again)
                found = await self.place.platform.differences(step.kind, made, spec)
        except PLATFORM_ERRORS as error:
            raise self._paused(step, error) from error
        if found:
            raise self._stopped(
                f"{step.name} was made, but not as asked: {' '.join(found)}",
                "Look at it in Ads Manager; launch again to take it as it is, or roll it back.",
            )

    async def _check_again(self, step: LaunchStep, made: str) -> None:
        """Read back what an earlier run made; media are what they are."""
        if step.kind in _MEDIA:
            return
        place = self.place
        try:
            spec = await self._with_ready_video(
                spec_of(step, self.campaign, place.connection, self.done, self.shares)
            )
        except PLATFORM_ERRORS as error:
            raise self._paused(step, error) from error
        except InputError as error:
            raise self._stopped(error.what, error.remedy) from error
        await self._check_read_back(step, made, spec)

    async def _recognised(self, step: LaunchStep, outcome: Exception | None = None) -> str | None:
        """What an earlier try made after all, looked for until the platform's lists must show it.

        None when there is nothing: then the step is open again.
        """
        place = self.place
        for look in range(LOOKS):
            if look:
                await place.sleep(place.look_again * look)
            self._keep_hold()
            try:
                found = await self._found(step)
            except PLATFORM_ERRORS as error:
                raise self._paused(step, error) from error
            if found:
                why = f" ({outcome})" if outcome else ""
                self._made(step, found, f"Recognised by its token{why}: it had been made.")
                await self._check_again(step, found)
                return found
        place.launches.back(step.id, place.now(), "Looked for by its token: nothing was made.")
        return None

    async def _found(self, step: LaunchStep) -> str | None:
        platform, account = self.place.platform, self.campaign.account_id
        if step.kind is StepKind.IMAGE:
            return None  # the same content gives the same hash: it is simply uploaded again
        if step.kind is StepKind.VIDEO:
            return await platform.find_video(account, step.token)
        return await platform.find_by_token(account, step.kind, step.token)

    async def _uploaded(self, step: LaunchStep, asset: MediaAsset) -> str:
        place, account = self.place, self.campaign.account_id
        try:
            asset, content = await place.content(asset)
        except InputError as error:
            raise self._stopped(error.what, error.remedy) from error
        place.shops.inspected(asset)
        digest = asset.content_hash or ""
        self._keep_hold()
        place.launches.begin(step.id, place.owner, place.now(), {"content": digest}, "Uploading.")
        ref = place.shops.uploaded(account, digest)
        if ref is None:
            self._check_switch()
            is_video = asset.kind is MediaKind.VIDEO
            upload = place.platform.upload_video if is_video else place.platform.upload_image
            with self._sending(step):
                ref = await upload(account, content, step.name)
        place.shops.remember_upload(account, digest, ref, place.now())
        self._made(step, ref, "Uploaded.")
        return ref

    async def _with_ready_video(self, spec: Spec) -> Spec:
        """The spec of a video creative once the platform can show the video."""
        if not isinstance(spec, CreativeSpec) or spec.video_id is None:
            return spec
        place = self.place
        for poll in range(_VIDEO_POLLS):
            status = await place.platform.video_status(spec.video_id)
            if status.state == "ready":
                thumbnail = None if spec.thumbnail_hash else status.thumbnail_url
                return dataclasses.replace(spec, thumbnail_url=thumbnail)
            if status.state in ("error", "expired"):
                raise InputError(
                    f"The platform could not prepare the video of {spec.name}: "
                    f"{status.problem or status.state}.",
                    "Give another file (MP4, H.264), then launch again.",
                )
            place.tell(f"The platform prepares the video of {spec.name}")
            self._keep_hold()
            await place.sleep(min(place.look_again * (poll + 1), 30.0))
        raise LaunchPaused(
            f"The platform still prepares the video of {spec.name}.",
            "The launch goes on later by itself.",
        )

    def _made(self, step: LaunchStep, made: str, note: str, created: Created | None = None) -> None:
        place, now = self.place, self.place.now()
        reply = created.reply if created else None
        trace = created.trace_id if created else ""
        place.launches.done(step.id, made, now, note, reply=reply, trace_id=trace)
        self._placed(step, made)

    def _placed(self, step: LaunchStep, made: str) -> None:
        """Note with the campaign, or its creative, what it is on the platform."""
        place, now = self.place, self.place.now()
        if step.kind is StepKind.CAMPAIGN:
            place.campaigns.placed(self.campaign.id, platform_campaign_id=made, now=now)
        elif step.creative_id is not None:
            column = {
                StepKind.ADSET: "ad_set_id",
                StepKind.CREATIVE: "creative_ref",
                StepKind.AD: "ad_id",
            }[step.kind]
            place.campaigns.creative_placed(step.creative_id, now=now, **{column: made})

    def _check_switch(self) -> None:
        reason = self.place.stopped(self.campaign.account_id)
        if reason is not None:
            raise LaunchPaused(
                f"The kill switch is on: {reason} Nothing more is made.",
                "Lift it with `zyenta resume`; the launch then goes on where it stopped.",
            )

    def _keep_hold(self) -> None:
        """Renew the lease; a run whose hold another has taken over must not go on."""
        place = self.place
        if not place.launches.hold(self.campaign.id, place.owner, place.lease, place.now()):
            raise LaunchPaused(
                f"Another run has taken over the launch of {self.campaign.name}.",
                "Look at that run.",
            )

    @contextmanager
    def _sending(self, step: LaunchStep) -> Iterator[None]:
        """Around what is sent: what is known to have made nothing opens the step again, anything
        else that is not an answer is an unknown outcome, to be looked up."""
        try:
            yield
        except UnknownOutcome:
            raise
        except (*REFUSALS, *HALTS, Unreachable) as error:
            raise self._failed(step, error) from error
        except PLATFORM_ERRORS as error:
            raise UnknownOutcome(
                f"It is not known whether {step.name} was made: {error}",
                "It is looked for before anything is sent again.",
            ) from error

    def _failed(self, step: LaunchStep, error: Exception) -> LaunchStopped:
        """What an error of the platform's means: a refusal to mend, or trouble that passes."""
        place, now = self.place, self.place.now()
        now_there = {each.id: each.state for each in place.launches.steps(self.campaign.id)}
        sent = now_there[step.id] is StepState.SENDING
        if isinstance(error, REFUSALS):
            trace = error.origin.trace_id if isinstance(error, PlatformError) else ""
            place.launches.refuse(step.id, now, f"Refused: {error}", trace_id=trace)
        elif sent:
            place.launches.back(step.id, now, f"Nothing was made: {error}")
        if isinstance(error, (*REFUSALS, AuthenticationFailed)):
            return self._stopped(
                f"The platform refused {step.kind.value} {step.name}: {error}",
                "Mend that and launch again, or roll the launch back.",
            )
        return self._paused(step, error)

    def _paused(self, step: LaunchStep, error: Exception) -> LaunchPaused:
        wait = error.wait_seconds if isinstance(error, RateLimited) else None
        return LaunchPaused(
            f"The launch of {self.campaign.name} waits at {step.kind.value} {step.name}: {error}",
            "It goes on from here by itself, or with `zyenta campaign launch`.",
            wait_seconds=wait,
        )

    def _stopped(self, what: str, remedy: str) -> LaunchStopped:
        place = self.place
        place.campaigns.move(
            self.campaign.id,
            CampaignStatus.ERROR,
            reason=f"{what} {remedy}".strip(),
            actor=place.owner,
            now=place.now(),
        )
        return LaunchStopped(what, remedy)


def _params(spec: Spec) -> dict[str, Any]:
    """A spec for the journal."""
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in dataclasses.asdict(spec).items()
        if value is not None
    }
