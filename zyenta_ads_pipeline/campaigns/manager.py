"""The campaign manager: what a buyer does with a launched campaign, as changes in the outbox.

Each act reads what the platform shows now and asks for absolute values; the push writes them
through the guardrails, reads them back and journals each step. What a human changed in between
in Ads Manager becomes a conflict, never an overwrite, and each applied change can be undone.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import uuid4

from zyenta_ads_pipeline.campaigns.changes import push_changes
from zyenta_ads_pipeline.campaigns.giving_way import give_way
from zyenta_ads_pipeline.campaigns.launch_state import is_launched
from zyenta_ads_pipeline.campaigns.live import own_object
from zyenta_ads_pipeline.campaigns.undo import BUYER_POLICY, OWN_WISHES
from zyenta_ads_pipeline.domain.ads import AdObject, Level
from zyenta_ads_pipeline.domain.budget_limits import limits_of
from zyenta_ads_pipeline.domain.campaign import (
    AdCampaign,
    CampaignStatus,
    OptimizationAction,
    OptimizationLog,
)
from zyenta_ads_pipeline.domain.change import ChangeField, ChangeState, ProposedChange
from zyenta_ads_pipeline.domain.creative import AdCreative, CreativeStatus
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.domain.money import raised, show, to_major
from zyenta_ads_pipeline.optimizer.guardrails import Guardrails
from zyenta_ads_pipeline.optimizer.sharing import fill, split_over_ad_sets
from zyenta_ads_pipeline.platforms.base import AdsPlatform
from zyenta_ads_pipeline.store.campaigns import Campaigns
from zyenta_ads_pipeline.store.outbox import Outbox
from zyenta_ads_pipeline.store.records import ChangeRecord

_ACTIVE, _PAUSED = "ACTIVE", "PAUSED"
_STATUSES = {_ACTIVE, _PAUSED}
_OUT = frozenset({CreativeStatus.PAUSED, CreativeStatus.LOSER})


@dataclass(frozen=True)
class Acted:
    """What an act came to: the campaign as it is now, its changes, and the story in words."""

    campaign: AdCampaign
    changes: Sequence[ChangeRecord]
    told: str

    @property
    def applied(self) -> bool:
        """Whether everything asked for is shown by the platform."""
        return all(record.state is ChangeState.APPLIED for record in self.changes)


@dataclass(frozen=True)
class CampaignManager:
    """Acts on campaigns of one account. `guardrails` is asked before each write.

    Every method raises `InputError` for what cannot be asked of the campaign as it stands, and
    the platform's errors where it cannot be read; those of writing are told in the `Acted`.
    """

    platform: AdsPlatform
    campaigns: Campaigns
    outbox: Outbox
    guardrails: Callable[[str], Guardrails | None]
    now: Callable[[], datetime]
    wish: str | None = None
    """What marks the changes of an act (of one act alone), so that they are found again should it
    be cut off; None: something of its own for each act."""

    async def activate(self, campaign_id: str, *, actor: str) -> Acted:
        """Switch on the campaign with its ad sets and ads; creatives set aside stay off.

        The campaign comes last, so that nothing runs until everything is as it should be.
        """
        campaign = self._launched(campaign_id)
        if campaign.status is CampaignStatus.REJECTED:
            raise InputError(
                f"{campaign.name} was rejected: {campaign.status_reason}",
                "Mend its creatives first; the platform would not deliver it.",
            )
        wanted = [
            *(
                (level, object_id)
                for creative in campaign.creatives
                if not self._set_aside(campaign, creative, actor)
                for level, object_id in (
                    (Level.AD, creative.platform_ad_id),
                    (Level.ADSET, creative.platform_ad_set_id),
                )
                if object_id and not campaign.adopted
            ),
            (Level.CAMPAIGN, campaign.platform_campaign_id or ""),
        ]
        changes = [
            change
            for level, object_id in dict.fromkeys(wanted)
            if (change := await self._status(campaign, level, object_id, _ACTIVE, "Activated"))
        ]
        own = {campaign.platform_campaign_id or "": _ACTIVE}
        acted = await self._carried_out(campaign, changes, actor, "switched on", own)
        # What waits for review is not running yet: the next look at the platform will tell.
        if acted.applied and campaign.status is not CampaignStatus.PENDING_REVIEW:
            return self._moved(acted, CampaignStatus.ACTIVE, "Switched on.", actor)
        return acted

    async def pause(self, campaign_id: str, *, actor: str) -> Acted:
        """Stop the campaign's delivery; its ad sets and ads keep their own status."""
        campaign = self._launched(campaign_id, also_over=True)
        change = await self._status(
            campaign, Level.CAMPAIGN, campaign.platform_campaign_id or "", _PAUSED, "Paused"
        )
        own = {campaign.platform_campaign_id or "": _PAUSED}
        acted = await self._carried_out(campaign, [change] if change else [], actor, "paused", own)
        settled = (CampaignStatus.PENDING_REVIEW, CampaignStatus.COMPLETED)
        if acted.applied and campaign.status not in settled:
            return self._moved(acted, CampaignStatus.PAUSED, "Paused by hand.", actor)
        return acted

    async def adjust_budget(self, campaign_id: str, daily_minor: int, *, actor: str) -> Acted:
        """Set the campaign's daily budget, in minor units: on the campaign where it holds the
        budget, else shared over its ad sets in the proportions they have now.

        A budget that was changed in Ads Manager since we last read it becomes a conflict; once the
        new value is taken over (by the hourly sync, or `take_over`), it can be asked for again.
        """
        campaign = self._launched(campaign_id)
        if daily_minor < 1:
            raise InputError("A daily budget must be more than nothing.", "Pause the campaign.")
        holders = await self._budget_holders(campaign)
        current = {holder.id: holder.daily_budget or 0 for holder in holders}
        rails = self.guardrails(campaign.account_id)
        least = rails.minimum_minor if rails else 1
        shares = (
            {holders[0].id: daily_minor}
            if len(holders) == 1
            else split_over_ad_sets(daily_minor, current, least)
        )
        amount = show(to_major(daily_minor, campaign.currency), campaign.currency)
        reason = f"Daily budget set to {amount}"
        seen = self._seen(campaign, current)
        changes = [
            self._budget(campaign, holder, shares[holder.id], reason, seen[holder.id])
            for holder in holders
            if shares[holder.id] != holder.daily_budget
        ]
        wanted = {own: str(share) for own, share in shares.items()}
        acted = await self._carried_out(campaign, changes, actor, f"set to {amount} a day", wanted)
        if acted.applied:
            before = sum(current.values())
            self.campaigns.set_budget(
                campaign.id, daily_minor, actor=actor, reason=reason, now=self.now()
            )
            grew = daily_minor > before
            action = (
                OptimizationAction.BUDGET_INCREASE if grew else OptimizationAction.BUDGET_DECREASE
            )
            if daily_minor == before:
                action = OptimizationAction.BUDGET_MAINTAIN
            self._log(campaign, action, before, daily_minor, reason)
        return self._fresh(acted)

    def _seen(self, campaign: AdCampaign, current: Mapping[str, int]) -> Mapping[str, int]:
        """What the buyer saw of each budget when asking: what is live, unless a human changed it
        since we last read it. Then it is what we wrote last, so that what drifted stands out."""
        if campaign.daily_budget_minor == sum(current.values()):
            return current
        number, total = len(current), campaign.daily_budget_minor
        even = fill([1] * number, [0] * number, [total] * number, total).amounts
        known = dict(zip(current, even, strict=True))
        for object_id in current:
            written = self.outbox.find(object_id=object_id, states=[ChangeState.APPLIED])
            for record in written:
                if record.change.field is ChangeField.DAILY_BUDGET:
                    known[object_id] = int(record.change.new_value)
        return known

    async def take_over(self, campaign_id: str, *, actor: str) -> AdCampaign:
        """Resolve a conflict: know of the budget that the platform shows from now on."""
        campaign = self._launched(campaign_id)
        shown = sum(holder.daily_budget or 0 for holder in await self._budget_holders(campaign))
        if shown == campaign.daily_budget_minor:
            return campaign
        amount = show(to_major(shown, campaign.currency), campaign.currency)
        reason = f"Taken over from the platform: {amount} a day."
        return self.campaigns.set_budget(campaign.id, shown, actor, reason, self.now())

    async def pause_creative(self, campaign_id: str, creative_id: str, *, actor: str) -> Acted:
        """Stop one creative by pausing its ad set, as the seeds do; its ad where it shares one."""
        campaign, creative = self._creative(campaign_id, creative_id)
        level, object_id = own_object(campaign, creative)
        live = await self.platform.read_object(object_id, level)
        change = self._to_status(campaign, live, _PAUSED, "Creative paused")
        acted = await self._carried_out(
            campaign,
            [change] if change else [],
            actor,
            f"{creative.draft.name} paused",
            {object_id: _PAUSED},
        )
        if acted.applied:
            freed = live.daily_budget or 0
            if acted.changes and campaign.daily_budget_minor > freed > 0:
                # What is switched off spends nothing, so the campaign's budget is that of the rest.
                self._know_budget(campaign, -freed, f"{creative.draft.name} was paused.", actor)
            if creative.status is not CreativeStatus.PAUSED:
                self.campaigns.move_creative(
                    creative.id,
                    CreativeStatus.PAUSED,
                    reason="Paused by hand.",
                    actor=actor,
                    now=self.now(),
                )
            self._log(
                campaign,
                OptimizationAction.CREATIVE_PAUSED,
                _ACTIVE,
                _PAUSED,
                f"{creative.draft.name} paused",
            )
        return self._fresh(acted)

    async def scale_creative(
        self, campaign_id: str, creative_id: str, percent: int, *, actor: str
    ) -> Acted:
        """Raise the budget of a creative's own ad set by so many percent of what it has now.

        Rounded to whole minor units, half up. Raises `InputError` where the campaign, not the ad
        set, holds the budget, or would get beyond the most of its currency.
        """
        campaign, creative = self._creative(campaign_id, creative_id)
        if not 1 <= percent <= 100:
            raise InputError(f"{percent} is no raise in percent.", "Give 1 to 100.")
        if creative.platform_ad_set_id is None:
            raise InputError(f"{creative.draft.name} has no ad set.", "Launch the campaign first.")
        live = await self.platform.read_object(creative.platform_ad_set_id, Level.ADSET)
        if live.daily_budget is None:
            raise InputError(
                f"The campaign {campaign.name} holds the budget for all its creatives.",
                "Adjust the campaign's budget; Meta itself favours the better creative.",
            )
        now, told = live.daily_budget, f"{creative.draft.name} scaled by {percent} %"
        after = raised(now, percent)
        limits_of(campaign.currency).require_part(
            after, part_now_minor=now, now_minor=campaign.daily_budget_minor
        )
        change = self._budget(campaign, live, after, told)
        acted = await self._carried_out(campaign, [change], actor, told, {})
        if acted.applied:
            self._know_budget(campaign, after - now, change.reason, actor)
            self._log(campaign, OptimizationAction.CREATIVE_SCALED, now, after, change.reason)
        return self._fresh(acted)

    async def push(self, ids: Sequence[str]) -> str:
        """Write approved changes; the story in words."""
        report = await push_changes(
            self.platform,
            self.outbox,
            guardrails=self.guardrails,
            owner="campaign manager",
            now=self.now,
            ids=ids,
        )
        return str(report)

    def _set_aside(self, campaign: AdCampaign, creative: AdCreative, actor: str) -> bool:
        """Whether a creative is to stay off; one whose pause was written later than it was asked
        for is known of from now on."""
        if creative.status in _OUT:
            return True
        if creative.platform_ad_set_id is None and creative.platform_ad_id is None:
            return False
        _, object_id = own_object(campaign, creative)
        written = [
            record.change.new_value
            for record in self.outbox.find(object_id=object_id, states=[ChangeState.APPLIED])
            if record.change.field is ChangeField.STATUS
        ]
        if not written or written[-1] != _PAUSED:
            return False
        reason = "Its pause has been written meanwhile."
        self.campaigns.move_creative(
            creative.id, CreativeStatus.PAUSED, reason=reason, actor=actor, now=self.now()
        )
        return True

    async def _budget_holders(self, campaign: AdCampaign) -> list[AdObject]:
        own = await self.platform.read_object(campaign.platform_campaign_id or "", Level.CAMPAIGN)
        if own.daily_budget is not None:
            return [own]
        ids = dict.fromkeys(
            creative.platform_ad_set_id
            for creative in campaign.creatives
            if creative.platform_ad_set_id and creative.status not in _OUT
        )
        found = [await self.platform.read_object(each, Level.ADSET) for each in ids if each]
        holders = [one for one in found if one.daily_budget is not None]
        if not holders:
            raise InputError(
                f"Neither {campaign.name} nor an ad set of it that is switched on has a daily "
                "budget.",
                "A lifetime budget is changed in Ads Manager.",
            )
        active = [one for one in holders if one.status == _ACTIVE]
        return active or holders

    async def _status(
        self, campaign: AdCampaign, level: Level, object_id: str, wanted: str, reason: str
    ) -> ProposedChange | None:
        live = await self.platform.read_object(object_id, level)
        return self._to_status(campaign, live, wanted, reason)

    def _to_status(
        self, campaign: AdCampaign, live: AdObject, wanted: str, reason: str
    ) -> ProposedChange | None:
        """The change to a status; None where the platform shows it already."""
        if live.status == wanted:
            return None
        return self._change(campaign, live, ChangeField.STATUS, live.status, wanted, reason)

    def _know_budget(self, campaign: AdCampaign, more: int, reason: str, actor: str) -> None:
        total = campaign.daily_budget_minor + more
        self.campaigns.set_budget(campaign.id, total, actor, reason, self.now())

    def _budget(
        self, campaign: AdCampaign, live: AdObject, minor: int, reason: str, seen: int | None = None
    ) -> ProposedChange:
        """The change to a budget; `seen` is what it is believed to be, if not what is live."""
        before = str(live.daily_budget if seen is None else seen)
        return self._change(campaign, live, ChangeField.DAILY_BUDGET, before, str(minor), reason)

    def _change(
        self,
        campaign: AdCampaign,
        live: AdObject,
        field: ChangeField,
        old: str,
        new: str,
        reason: str,
    ) -> ProposedChange:
        return ProposedChange(
            platform=self.platform.name,
            account_id=campaign.account_id,
            campaign_id=campaign.platform_campaign_id or "",
            level=live.level,
            object_id=live.id,
            object_name=live.name,
            field=field,
            old_value=old,
            new_value=new,
            currency=campaign.currency,
            reason=f"{reason} by hand.",
            confidence=Decimal(1),
            policy=BUYER_POLICY,
            decision_id="",
            decided_at=self.now(),
            metrics={},
        )

    async def _carried_out(
        self,
        campaign: AdCampaign,
        changes: Sequence[ProposedChange],
        actor: str,
        done: str,
        wanted: Mapping[str, str],
    ) -> Acted:
        """Propose, approve and push; what another open change blocks is told as an error.

        Changes on their way to another value than is `wanted` of an object give way first, or they
        would be written after this.
        """
        wish = f"{BUYER_POLICY}:{self.wish or uuid4().hex}"
        proposals = [_of_wish(change, wish) for change in changes]
        to_do = {change.object_id for change in proposals}
        given_way = give_way(
            self.outbox,
            ChangeField.STATUS if set(wanted.values()) <= _STATUSES else ChangeField.DAILY_BUDGET,
            {own: (value, own not in to_do) for own, value in wanted.items()},
            actor=actor,
            now=self.now(),
        )
        if not proposals:
            more = " What was still to change that is not written any more." if given_way else ""
            return Acted(campaign, (), f"{campaign.name} is {done} already.{more}")
        ids = self._taken_in(campaign, proposals, actor)
        report = await push_changes(
            self.platform,
            self.outbox,
            guardrails=self.guardrails,
            owner=f"{actor} (campaign manager)",
            now=self.now,
            ids=ids,
        )
        records = [self.outbox.get(each) for each in ids]
        undone = [record for record in records if record.state is not ChangeState.APPLIED]
        if not undone:
            return Acted(campaign, records, f"{campaign.name} is {done}.")
        words = [f"{record.state.value}: {record.last_note}" for record in undone]
        words += [str(stop) for stop in report.stops]
        return Acted(campaign, records, " ".join(dict.fromkeys(words)))

    def _taken_in(
        self, campaign: AdCampaign, proposals: Sequence[ProposedChange], actor: str
    ) -> list[str]:
        """The ids of approved changes that carry the act out, all of it or nothing.

        What a buyer asked for before and could not be written yet, with the same value, is that
        change. Raises `InputError` where another one is in the way.
        """
        taken = self.outbox.propose(proposals, actor=actor, now=self.now())
        ids = [record.id for record in taken.inserted]
        in_the_way = None
        for refusal in taken.refused:
            other = self.outbox.get(refusal.open_id)
            same = other.change.new_value == refusal.change.new_value
            if same and other.change.policy in OWN_WISHES and other.state is ChangeState.APPROVED:
                ids.append(other.id)
            else:
                in_the_way = in_the_way or refusal
        if in_the_way is not None:
            words = "Another change is in the way of a part of it."
            new = [record.id for record in taken.inserted]
            self.outbox.reject(new, actor=actor, reason=words, now=self.now())
            raise InputError(
                f"{campaign.name} cannot be changed now: {in_the_way.note}.",
                f"Wait for change {in_the_way.open_id}, or reject it.",
            )
        self.outbox.approve([record.id for record in taken.inserted], actor=actor, now=self.now())
        return ids

    def _launched(self, campaign_id: str, *, also_over: bool = False) -> AdCampaign:
        campaign = self.campaigns.get(campaign_id)
        # What is over by our books may run on, where somebody moved its end: it can be stopped.
        done = campaign.status is CampaignStatus.COMPLETED and not also_over
        if done or not is_launched(self.campaigns, campaign):
            raise InputError(
                f"{campaign.name} is {campaign.status.value}, so there is nothing to change on the "
                "platform.",
                f"Look at it with `zyenta campaign show {campaign.id}`.",
            )
        return campaign

    def _creative(self, campaign_id: str, creative_id: str) -> tuple[AdCampaign, AdCreative]:
        campaign = self._launched(campaign_id)
        for creative in campaign.creatives:
            if creative.id == creative_id:
                return campaign, creative
        raise InputError(
            f"{campaign.name} has no creative {creative_id!r}.",
            "It has: " + ", ".join(each.id for each in campaign.creatives) + ".",
        )

    def _moved(self, acted: Acted, status: CampaignStatus, reason: str, actor: str) -> Acted:
        moved = self.campaigns.move(
            acted.campaign.id, status, reason=reason, actor=actor, now=self.now()
        )
        return Acted(moved, acted.changes, acted.told)

    def _fresh(self, acted: Acted) -> Acted:
        return Acted(self.campaigns.get(acted.campaign.id), acted.changes, acted.told)

    def _log(
        self,
        campaign: AdCampaign,
        action: OptimizationAction,
        before: int | str,
        after: int | str,
        reason: str,
    ) -> None:
        self.campaigns.log(
            OptimizationLog(
                campaign_id=campaign.id,
                action=action,
                previous_value={"value": before},
                new_value={"value": after},
                reason=reason,
                confidence=Decimal(1),
                metrics={
                    "spent_minor": campaign.spent_minor,
                    "conversions": campaign.conversions,
                    "revenue_minor": campaign.revenue_minor,
                },
                created_at=self.now(),
            )
        )


def _of_wish(change: ProposedChange, wish: str) -> ProposedChange:
    return dataclasses.replace(change, decision_id=wish)
