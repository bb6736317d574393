"""What a person wants written at once: changes taken back, or tried again; and our own books set
right by what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from zyenta_ads_pipeline.campaigns.changes import push_changes
from zyenta_ads_pipeline.campaigns.manager import CampaignManager
from zyenta_ads_pipeline.campaigns.reviews import bring_back
from zyenta_ads_pipeline.campaigns.undo import OWN_WISHES, UNDO_POLICY, undo
from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.campaign import AdCampaign, CampaignStatus
from zyenta_ads_pipeline.domain.change import ChangeField, ChangeState
from zyenta_ads_pipeline.domain.creative import AdCreative, CreativeStatus
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.platforms.base import AdsLauncher
from zyenta_ads_pipeline.store.outbox import Outbox
from zyenta_ads_pipeline.store.records import ChangeRecord


@dataclass(frozen=True)
class Rewritten:
    """What a writing came to: its changes, the story in words, and the campaign's name if it is one
    of ours."""

    changes: Sequence[ChangeRecord]
    told: str
    campaign_name: str

    @property
    def applied(self) -> bool:
        """Whether everything asked for is shown by the platform."""
        return all(record.state is ChangeState.APPLIED for record in self.changes)


async def undo_now(
    manager: CampaignManager,
    look: AdsLauncher,
    change_id: str,
    *,
    actor: str,
    again: bool = False,
) -> Rewritten:
    """Propose, approve and push the reverse of an applied change and of those of the same act.

    `look` asks how campaigns stand. Done again after it was cut off, it goes on with the reverses
    that are there; with `again` also with those that are written. Raises `InputError`, and takes in
    nothing, where one cannot be undone; and what the platform raises.
    """
    outbox = manager.outbox
    written = _written_reverses(outbox, change_id) if again else {}
    ids = [*written.values(), *_reverses(outbox, change_id)]
    left = [
        each
        for each in _together(outbox, outbox.get(change_id), ChangeState.APPLIED)
        if each not in written
    ]
    if left and len(ids) == len(written):
        ids += _approved(outbox, left, actor, manager.now)
    return await _written(manager, look, ids, actor, "It is as it was before.")


async def retry_now(
    manager: CampaignManager, look: AdsLauncher, change_id: str, *, actor: str
) -> Rewritten:
    """Push an approved change that a person asked for by hand, with those of the same act.

    Raises `InputError` for one that is not approved, or that the autopilot proposed: those are
    for the push.
    """
    chosen = manager.outbox.get(change_id)
    require_retry(chosen)
    ids = _together(manager.outbox, chosen, chosen.state)
    return await _written(manager, look, ids, actor, "It is written.")


def require_retry(chosen: ChangeRecord) -> None:
    """Raise `InputError` unless the change is one that `retry_now` may write."""
    open_ones = (ChangeState.APPROVED, ChangeState.SENDING)
    if chosen.state not in open_ones or chosen.change.policy not in OWN_WISHES:
        raise InputError(
            f"Change {chosen.id} is {chosen.state.value}, of {chosen.change.policy}: only what "
            "was asked for by hand and is not written yet can be retried.",
            "`zyenta changes` lists what stands where.",
        )


async def _written(
    manager: CampaignManager, look: AdsLauncher, ids: Sequence[str], actor: str, done_words: str
) -> Rewritten:
    outbox = manager.outbox
    report = await push_changes(
        manager.platform,
        outbox,
        guardrails=manager.guardrails,
        owner=f"{actor} (by hand)",
        now=manager.now,
        ids=ids,
    )
    records = [outbox.get(each) for each in ids]
    done = [record for record in records if record.state is ChangeState.APPLIED]
    await _know_of_it(manager, look, done, actor)
    own = manager.campaigns.find(platform_campaign_id=records[0].change.campaign_id)
    told = done_words if len(done) == len(records) else str(report)
    return Rewritten(records, told, own[0].name if own else "")


def _reverses(outbox: Outbox, change_id: str) -> list[str]:
    """The reverses of a change's act that are on their way already."""
    chosen = outbox.get(change_id)
    undone = set(_together(outbox, chosen, ChangeState.APPLIED))
    states = [ChangeState.APPROVED, ChangeState.SENDING]
    return [
        record.id
        for record in outbox.find(account_id=chosen.change.account_id, states=states)
        if record.change.metrics.get("undoes") in undone
    ]


def _written_reverses(outbox: Outbox, change_id: str) -> dict[str, str]:
    """Of a change's act those that are undone, with the reverse that the platform shows."""
    found = {}
    for own in _together(outbox, outbox.get(change_id), ChangeState.APPLIED):
        applied = [
            record.id
            for record in outbox.of_decision(f"{UNDO_POLICY}:{own}:")
            if record.state is ChangeState.APPLIED
        ]
        # The platform's clock, by which both were written, is known to a second.
        if applied and outbox.last_over(applied[-1]) in (None, own):
            found[own] = applied[-1]
    return found


def _approved(
    outbox: Outbox, change_ids: Sequence[str], by: str, now: Callable[[], datetime]
) -> list[str]:
    """Ids of the approved reverses of changes; of all of them or, with an error, of none."""
    proposed: list[str] = []
    try:
        for each in change_ids:
            proposed.append(undo(outbox, each, actor=by, now=now()).id)
    except InputError:
        if proposed:
            outbox.reject(proposed, actor=by, reason="another part cannot be undone", now=now())
        raise
    outbox.approve(proposed, actor=by, now=now())
    return proposed


def _together(outbox: Outbox, chosen: ChangeRecord, state: ChangeState) -> list[str]:
    """The change, and what else of the same decision on the same campaign is in that state."""
    if not chosen.change.decision_id:
        return [chosen.id]
    found = [
        record.id
        for record in outbox.find(account_id=chosen.change.account_id, states=[state])
        if record.change.decision_id == chosen.change.decision_id
        and record.change.campaign_id == chosen.change.campaign_id
        and (state is not ChangeState.APPLIED or record.written_at is not None)
    ]
    return found if chosen.id in found else [chosen.id]


async def _know_of_it(
    manager: CampaignManager, look: AdsLauncher, records: Sequence[ChangeRecord], by: str
) -> None:
    """Set right what the campaign of ours says, if the changes were to one."""
    campaigns, now = manager.campaigns, manager.now
    ids = {record.change.campaign_id for record in records}
    for known in [each for own in ids for each in campaigns.find(platform_campaign_id=own)]:
        campaign = campaigns.get(known.id)
        statuses = [each.change for each in records if each.change.field is ChangeField.STATUS]
        for change in statuses:
            for creative in _paused_with(campaign, change.level, change.object_id):
                if change.new_value == "ACTIVE":
                    campaigns.move_creative(
                        creative.id,
                        CreativeStatus.ACTIVE,
                        reason=change.reason,
                        actor=by,
                        now=now(),
                    )
        if statuses:
            campaign = await bring_back(look, campaigns, campaign, actor=by, now=now())
        if campaign.status is not CampaignStatus.COMPLETED:
            # What is switched on or off takes its part of the campaign's budget with it.
            await manager.take_over(known.id, actor=by)


def _paused_with(campaign: AdCampaign, level: Level, object_id: str) -> list[AdCreative]:
    """The creatives that were paused by pausing this ad set or ad."""
    return [
        creative
        for creative in campaign.creatives
        if creative.status is CreativeStatus.PAUSED
        and object_id
        == (creative.platform_ad_set_id if level is Level.ADSET else creative.platform_ad_id)
    ]
