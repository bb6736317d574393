"""`zyenta campaign undo` and `retry`: changes written at once, and our own books set right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from rich.console import Group, RenderableType
from rich.text import Text

from zyenta_ads_pipeline.account_rules import bounds_of
from zyenta_ads_pipeline.agent import AdsAgent
from zyenta_ads_pipeline.campaign_desk import changes_in_table
from zyenta_ads_pipeline.campaigns.changes import push_changes
from zyenta_ads_pipeline.campaigns.reviews import bring_back
from zyenta_ads_pipeline.campaigns.undo import OWN_WISHES, undo
from zyenta_ads_pipeline.connections import connect_meta, stopped, store_of
from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.campaign import AdCampaign, CampaignStatus
from zyenta_ads_pipeline.domain.change import ChangeField, ChangeState
from zyenta_ads_pipeline.domain.creative import AdCreative, CreativeStatus
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.optimizer.guardrails import Guardrails
from zyenta_ads_pipeline.platforms.meta.platform import MetaAds
from zyenta_ads_pipeline.settings import Settings, load_settings
from zyenta_ads_pipeline.store.campaigns import Campaigns
from zyenta_ads_pipeline.store.database import Store
from zyenta_ads_pipeline.store.outbox import Outbox
from zyenta_ads_pipeline.store.records import ChangeRecord


@dataclass(frozen=True)
class Written:
    """What a writing came to."""

    shown: RenderableType
    applied: bool


async def undo_now(settings: Settings, change_id: str, by: str) -> Written:
    """Propose, approve and push the reverse of an applied change and of those of the same act.

    Raises `InputError`, and takes in nothing, where one cannot be undone; and what the platform
    raises.
    """

    def prepare(outbox: Outbox, now: Callable[[], datetime]) -> list[str]:
        return _approved(outbox, change_id, by, now)

    return await _written(settings, change_id, prepare, by, "It is as it was before.")


async def retry_now(settings: Settings, change_id: str, by: str) -> Written:
    """Push an approved change that a person asked for by hand, with those of the same act.

    Raises `InputError` for one that is not approved, or that the autopilot proposed: those are
    for `zyenta push`.
    """

    def prepare(outbox: Outbox, now: Callable[[], datetime]) -> list[str]:
        chosen = outbox.get(change_id)
        if chosen.state is not ChangeState.APPROVED or chosen.change.policy not in OWN_WISHES:
            raise InputError(
                f"Change {change_id} is {chosen.state.value}, of {chosen.change.policy}: only what "
                "was asked for by hand and is not written yet can be retried.",
                "`zyenta changes` lists what stands where.",
            )
        return _together(outbox, chosen, ChangeState.APPROVED)

    return await _written(settings, change_id, prepare, by, "It is written.")


async def _written(
    settings: Settings,
    change_id: str,
    prepare: Callable[[Outbox, Callable[[], datetime]], list[str]],
    by: str,
    done_words: str,
) -> Written:
    """Push what `prepare` names, of the account of `change_id`."""
    with store_of(settings) as store:
        outbox = Outbox(store)
        account_id = outbox.get(change_id).change.account_id
        async with connect_meta(settings, account_id) as platform:
            account = await platform.account(account_id)
            ahead = account.observed_at - datetime.now(UTC)

            def now() -> datetime:
                return datetime.now(UTC) + ahead

            def guardrails(asked: str) -> Guardrails:
                latest = load_settings()
                return bounds_of(latest, asked).guardrails(
                    account.currency,
                    account.min_daily_budget,
                    kill_switch=stopped(latest, store, asked) is not None,
                )

            ids = prepare(outbox, now)
            report = await push_changes(
                platform, outbox, guardrails=guardrails, owner=f"{by} (by hand)", now=now, ids=ids
            )
            records = [outbox.get(each) for each in ids]
            done = [record for record in records if record.state is ChangeState.APPLIED]
            await _know_of_it(settings, store, platform, done, by, now())
            own = Campaigns(store).find(platform_campaign_id=records[0].change.campaign_id)
    name = own[0].name if own else ""
    applied = len(done) == len(records)
    told = done_words if applied else str(report)
    return Written(Group(Text(told), changes_in_table(records, name)), applied)


def _approved(outbox: Outbox, change_id: str, by: str, now: Callable[[], datetime]) -> list[str]:
    """Ids of the approved reverses of a change's act; of all of them or, with an error, of none."""
    proposed: list[str] = []
    try:
        for each in _together(outbox, outbox.get(change_id), ChangeState.APPLIED):
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
    settings: Settings,
    store: Store,
    platform: MetaAds,
    records: Sequence[ChangeRecord],
    by: str,
    now: datetime,
) -> None:
    """Set right what the campaign of ours says, if the changes were to one."""
    campaigns = Campaigns(store)
    ids = {record.change.campaign_id for record in records}
    for known in [each for own in ids for each in campaigns.find(platform_campaign_id=own)]:
        campaign = campaigns.get(known.id)
        statuses = [each.change for each in records if each.change.field is ChangeField.STATUS]
        for change in statuses:
            for creative in _paused_with(campaign, change.level, change.object_id):
                if change.new_value == "ACTIVE":
                    campaigns.move_creative(
                        creative.id, CreativeStatus.ACTIVE, reason=change.reason, actor=by, now=now
                    )
        if statuses:
            campaign = await bring_back(platform, campaigns, campaign, actor=by, now=now)
        if campaign.status is not CampaignStatus.COMPLETED:
            # What is switched on or off takes its part of the campaign's budget with it.
            await AdsAgent(settings, actor=by).take_over(known.id)


def _paused_with(campaign: AdCampaign, level: Level, object_id: str) -> list[AdCreative]:
    """The creatives that were paused by pausing this ad set or ad."""
    return [
        creative
        for creative in campaign.creatives
        if creative.status is CreativeStatus.PAUSED
        and object_id
        == (creative.platform_ad_set_id if level is Level.ADSET else creative.platform_ad_id)
    ]
