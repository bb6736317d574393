"""What a person does with campaigns on the command line, and how it is told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from rich.console import Group, RenderableType
from rich.text import Text

from zyenta_ads_pipeline.account_rules import bounds_of
from zyenta_ads_pipeline.agent import AdsAgent
from zyenta_ads_pipeline.campaign_list import (
    SHORT,
    in_table,
    in_words,
    refresh_numbers,
)
from zyenta_ads_pipeline.campaigns.adoption import Adopted
from zyenta_ads_pipeline.campaigns.launch import LaunchPaused
from zyenta_ads_pipeline.campaigns.launch_plan import own_name
from zyenta_ads_pipeline.campaigns.manager import Acted
from zyenta_ads_pipeline.campaigns.optimize import Optimized
from zyenta_ads_pipeline.change_desk import change_in_words
from zyenta_ads_pipeline.connections import store_of
from zyenta_ads_pipeline.domain.campaign import AdCampaign, CampaignRequest, CampaignStatus
from zyenta_ads_pipeline.domain.change import Autopilot, ChangeState
from zyenta_ads_pipeline.domain.creative import AdCreative
from zyenta_ads_pipeline.domain.errors import InputError, LaunchStopped, ZyentaError
from zyenta_ads_pipeline.domain.money import show, to_major
from zyenta_ads_pipeline.settings import Settings
from zyenta_ads_pipeline.showing import add, table
from zyenta_ads_pipeline.store.campaigns import Campaigns
from zyenta_ads_pipeline.store.records import ChangeRecord
from zyenta_ads_pipeline.store.shops import Shops

_SHORTEST = 4
"""Letters of an id that may stand for the whole."""


class _Named(Protocol):
    @property
    def id(self) -> str: ...


N = TypeVar("N", bound=_Named)


def campaign_of(settings: Settings, text: str) -> AdCampaign:
    """The campaign of an id, or of the beginning of one. `InputError` for none and for several."""
    with store_of(settings) as store:
        campaigns = Campaigns(store)
        chosen = _one("campaign", text, campaigns.find(), "`zyenta campaign list` shows them.")
        return campaigns.get(chosen.id)


def creative_of(settings: Settings, campaign: str, text: str) -> AdCreative:
    """A campaign's creative by its id, or the beginning of it. `InputError` as above."""
    found = campaign_of(settings, campaign)
    creatives: Sequence[AdCreative] = found.creatives
    remedy = f"`zyenta campaign show {found.id[:SHORT]}` shows them."
    return _one(f"creative of {found.name}", text, creatives, remedy)


async def carry_out(settings: Settings, agent: AdsAgent, request_id: str) -> AdCampaign:
    """The request's campaign, launched. What stops it says how to go on."""
    try:
        return await agent.carry_out(request_id)
    except LaunchStopped as error:
        with store_of(settings) as store:
            known = Campaigns(store).find(request_id=request_id)
        if not known:
            raise
        raise _to_go_on(error, known[0]) from error


async def launch(agent: AdsAgent, campaign_id: str) -> AdCampaign:
    """A campaign launched, from where it is. What stops it says how to go on."""
    try:
        return await agent.launch(campaign_id)
    except LaunchPaused as error:
        raise LaunchStopped(f"{error.what} Nothing is lost.", error.remedy) from error


def asked_for(request: CampaignRequest) -> RenderableType:
    """A request that is left to the running pipeline."""
    return Text(
        f"Asked for, as request {request.id}. The running pipeline (`zyenta dev --live`) makes it; "
        "`zyenta campaign requests` lists what waits."
    )


def launched(settings: Settings, campaign: AdCampaign) -> RenderableType:
    """A launched campaign: what it says, and what happens next."""
    from zyenta_ads_pipeline.campaign_page import creatives_side_by_side  # noqa: PLC0415

    with store_of(settings) as store:
        found = Campaigns(store).get(campaign.id)
        titles = {each.id: each.title for each in Shops(store).products(found.store_id)}
    own = found.id[:SHORT]
    daily = show(to_major(found.daily_budget_minor, found.currency), found.currency)
    end = f" until {found.end_date:%Y-%m-%d}" if found.end_date else ""
    steps = (
        f"{found.name} is made, as {own}. Everything in it is paused; nothing is spent yet.",
        "",
        "What happens next:",
        f"  1. Meta reviews the ads, mostly within a day. `zyenta campaign review {found.store_id}`"
        " asks how it went.",
        f"  2. `zyenta campaign activate {own}` switches it on: {daily} a day{end}.",
        f"  3. `zyenta campaign show {own}` tells everything about it, at any time.",
    )
    return Group(*creatives_side_by_side(found, titles), Text("\n".join(steps)))


def rolled_back(campaign: AdCampaign) -> RenderableType:
    """A campaign that is a draft again."""
    own = campaign.id[:SHORT]
    return Text(
        f"{campaign.name} is a draft again: nothing of it is left on Meta. "
        f"`zyenta campaign launch {own}` makes it anew."
    )


def taken_over(campaign: AdCampaign) -> RenderableType:
    """A campaign whose budget is as the platform shows it."""
    daily = show(to_major(campaign.daily_budget_minor, campaign.currency), campaign.currency)
    return Text(f"{campaign.name} has {daily} a day, as Ads Manager shows it.")


def acted(done: Acted) -> RenderableType:
    """What an act came to, with its changes, which can be undone."""
    own = done.campaign.id[:SHORT]
    said: list[RenderableType] = [Text(_headline(done))]
    if done.changes:
        said.append(changes_in_table(done.changes, done.campaign.name))
    waiting = [each.id for each in done.changes if each.state is ChangeState.APPROVED]
    if any(each.state is ChangeState.CONFLICT for each in done.changes):
        said.append(
            Text(
                "Somebody changed it on Meta meanwhile, and that was left alone. "
                f"`zyenta campaign take-over {own}` takes the budget there for the campaign's own; "
                "then ask again."
            )
        )
    elif waiting:
        said.append(
            Text(
                "What is not written yet the running pipeline tries again, or "
                f"`zyenta campaign retry {waiting[0]}`; `zyenta reject {' '.join(waiting)}` "
                "drops it."
            )
        )
    elif done.applied and done.changes:
        if done.campaign.status is CampaignStatus.PENDING_REVIEW:
            said.append(Text("Meta still reviews it; what is switched on runs once that is over."))
        said.append(Text(f"`zyenta campaign undo {done.changes[0].id}` takes it back."))
    return Group(*said)


def _headline(done: Acted) -> str:
    """What came of it; without the notes on single changes, which the table shows."""
    if done.applied:
        return done.told
    rest = done.told
    for record in done.changes:
        rest = rest.replace(f"{record.state.value}: {record.last_note}", "")
    written = sum(record.state is ChangeState.APPLIED for record in done.changes)
    head = f"{written} of {len(done.changes)} changes are written." if written else (
        "Nothing was changed."
    )  # fmt: skip
    return " ".join(f"{head} {rest}".split())


def changes_in_table(changes: Sequence[ChangeRecord], campaign: str = "") -> RenderableType:
    """Changes with their ids and what was last said of each."""
    shown = table("", ("change", "state", "object", "what", "note"))
    for record in changes:
        name = record.change.object_name or record.change.object_id
        add(
            shown,
            record.id,
            record.state.value,
            f"{record.change.level.value} {own_name(name, campaign)}",
            change_in_words(record),
            record.last_note,
        )
    return shown


def optimized(settings: Settings, done: Optimized) -> RenderableType:
    """What the policy says of a campaign, and what became of it."""
    said: list[RenderableType] = [
        Text(f"Decision: {in_words(done.action)}, with a confidence of {done.confidence:.0%}."),
        Text(f"Reason: {done.reason}"),
        Text(done.told),
    ]
    if done.changes and not done.approved:
        said.append(changes_in_table(done.changes))
        watching = bounds_of(settings, done.account_id).autopilot is Autopilot.WATCH
        first = "Set ZYENTA_AUTOPILOT=approve, then " if watching else ""
        said.append(Text(f"{first}`zyenta approve CHANGE` and `zyenta push` carry it out."))
    return Group(*said)


def adopted(done: Adopted) -> RenderableType:
    """What was taken in, and what was left alone with the reasons."""
    said: list[RenderableType] = []
    if done.campaigns:
        said.append(in_table("Taken in", done.campaigns))
    said.append(
        Text(f"{len(done.campaigns)} taken in, {done.known} known before, "
             f"{len(done.skipped)} left alone.")
    )  # fmt: skip
    said += [Text(f"  {reason}") for reason in done.skipped]
    if done.campaigns:
        said.append(Text("Their numbers come with the next sync."))
    return Group(*said)


def refresh_store(settings: Settings, store_id: str) -> None:
    """Take the numbers of a store's campaigns from the lake."""
    with store_of(settings) as store:
        accounts = {each.account_id for each in Campaigns(store).find(store_id=store_id)}
    refresh_numbers(settings, sorted(accounts))


def reviewed(moved: Sequence[AdCampaign]) -> RenderableType:
    """The campaigns that stand otherwise than before, or that none does."""
    if not moved:
        return Text("Every campaign stands as before.")
    shown = table("After review", ("campaign", "name", "status", "why"))
    for campaign in moved:
        add(
            shown,
            campaign.id[:SHORT],
            campaign.name,
            in_words(campaign.status),
            campaign.status_reason,
        )
    return shown


def _to_go_on(error: LaunchStopped, campaign: AdCampaign) -> ZyentaError:
    own = campaign.id[:SHORT]
    return LaunchStopped(
        error.what,
        f"{error.remedy} What is made so far is kept, paused: `zyenta campaign launch {own}` goes "
        f"on, `zyenta campaign rollback {own}` takes it back, `zyenta campaign show {own}` shows "
        "the steps.",
    )


def _one(what: str, text: str, all_: Sequence[N], remedy: str) -> N:
    wanted = text.strip().lower()
    for each in all_:
        if each.id == wanted:
            return each
    if len(wanted) < _SHORTEST:
        raise InputError(
            f"{text!r} is too short for the id of a {what}.",
            f"Give at least its first {_SHORTEST} letters. {remedy}",
        )
    found = [each for each in all_ if each.id.startswith(wanted)]
    if not found:
        raise InputError(f"There is no {what} {text!r}.", remedy)
    if len(found) > 1:
        ids = ", ".join(each.id for each in found[:5])
        raise InputError(
            f"{len(found)} ids of a {what} begin with {text!r}: {ids}"
            f"{' and more' if len(found) > 5 else ''}.",
            "Give more letters.",
        )
    return found[0]
