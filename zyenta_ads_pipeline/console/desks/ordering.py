"""What may be ordered of a campaign as it stands, and with which payload."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from zyenta_ads_pipeline.account_rules import bounds_of
from zyenta_ads_pipeline.campaigns.launch_state import is_launched
from zyenta_ads_pipeline.connections import stopped
from zyenta_ads_pipeline.console.office import Office
from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.budget_limits import limits_of
from zyenta_ads_pipeline.domain.campaign import AdCampaign, BudgetLevel, CampaignStatus
from zyenta_ads_pipeline.domain.change import ChangeField, ChangeState, ProposedChange
from zyenta_ads_pipeline.domain.creative import AdCreative, CreativeStatus
from zyenta_ads_pipeline.domain.errors import (
    FieldProblem,
    FieldsRefused,
    IllegalTransition,
    InputError,
    ZyentaError,
)
from zyenta_ads_pipeline.domain.launch import StepState
from zyenta_ads_pipeline.domain.money import raised, show, to_major, to_minor
from zyenta_ads_pipeline.store.campaigns import Campaigns
from zyenta_ads_pipeline.store.launches import Launches
from zyenta_ads_pipeline.store.orders import OrderKind
from zyenta_ads_pipeline.store.outbox import Outbox
from zyenta_ads_pipeline.store.records import ChangeRecord

_RUNNING = frozenset(
    {
        OrderKind.BUDGET,
        OrderKind.PAUSE_CREATIVE,
        OrderKind.SCALE_CREATIVE,
        OrderKind.OPTIMIZE,
        OrderKind.TAKE_OVER,
    }
)
_WITH_VALUE = frozenset({OrderKind.BUDGET, OrderKind.PAUSE_CREATIVE, OrderKind.SCALE_CREATIVE})
_SWITCHES = frozenset({OrderKind.ACTIVATE, OrderKind.PAUSE})
_SWITCHING_ON = frozenset({OrderKind.ACTIVATE, OrderKind.UNDO, OrderKind.RETRY})
_WORDS = {
    OrderKind.ACTIVATE: "switched on",
    OrderKind.PAUSE: "paused",
    OrderKind.BUDGET: "given another budget",
    OrderKind.PAUSE_CREATIVE: "changed",
    OrderKind.SCALE_CREATIVE: "changed",
    OrderKind.OPTIMIZE: "optimized",
    OrderKind.TAKE_OVER: "taken over",
    OrderKind.LAUNCH: "launched",
    OrderKind.ROLL_BACK: "rolled back",
    OrderKind.REVIEW: "looked at",
}


@dataclass(frozen=True)
class UnderWay:
    """What is still to come for a campaign: the kinds of its open orders, the oldest first, and
    whether a change that was approved before is yet to switch it on."""

    kinds: Sequence[OrderKind] = ()
    switches_on: bool = False

    @property
    def switch(self) -> OrderKind | None:
        """The newest wish to switch it on or off."""
        return next((each for each in reversed(self.kinds) if each in _SWITCHES), None)

    @property
    def may_run(self) -> bool:
        """Whether something to come may switch it on."""
        return self.switches_on or any(each in _SWITCHING_ON for each in self.kinds)


def allowed_kinds(
    campaigns: Campaigns, launches: Launches, campaign: AdCampaign, under_way: UnderWay
) -> frozenset[OrderKind]:
    """What a campaign allows as it stands, and as what is under way will leave it: who sees it
    being switched on can pause it."""
    status = campaign.status
    if not is_launched(campaigns, campaign):
        made = any(
            step.state in (StepState.DONE, StepState.SENDING)
            for step in launches.steps(campaign.id)
        )
        return frozenset({OrderKind.LAUNCH, *([OrderKind.ROLL_BACK] if made else [])})
    found = {OrderKind.REVIEW}
    if status is not CampaignStatus.COMPLETED:
        found |= _RUNNING
    never = (CampaignStatus.COMPLETED, CampaignStatus.REJECTED)
    runs = status is CampaignStatus.ACTIVE and under_way.switch is not OrderKind.PAUSE
    if status not in never and not runs:
        found.add(OrderKind.ACTIVATE)
    if status is not CampaignStatus.PAUSED or under_way.may_run:
        found.add(OrderKind.PAUSE)
    return frozenset(found)


def offered_kinds(allowed: frozenset[OrderKind], under_way: UnderWay) -> frozenset[OrderKind]:
    """Of what a campaign allows, what is not asked for already: on or off by its newest wish alone.
    What needs a value can be asked for again with another."""
    asked = set(under_way.kinds) - _WITH_VALUE - _SWITCHES
    if under_way.switch is not None:
        asked.add(under_way.switch)
    elif under_way.switches_on:
        asked.add(OrderKind.ACTIVATE)
    return allowed - asked


def require_allowed(
    campaigns: Campaigns,
    launches: Launches,
    campaign: AdCampaign,
    kind: OrderKind,
    under_way: UnderWay,
) -> None:
    """Raise `IllegalTransition` for what the campaign does not allow as it stands. What is asked
    for already is allowed: it is the same order."""
    can = allowed_kinds(campaigns, launches, campaign, under_way)
    if kind not in can and kind is not under_way.switch:
        why = f": {campaign.status_reason}" if campaign.status_reason else "."
        raise IllegalTransition(
            f"{campaign.name} is {campaign.status.value.replace('_', ' ')} and cannot be "
            f"{_WORDS.get(kind, 'changed')}{why}",
            "It can be " + ", ".join(sorted({_WORDS[each] for each in can})) + ".",
        )


def require_going(office: Office, account_id: str) -> None:
    """Raise `InputError` while a kill switch holds the account: nothing is lined up behind it."""
    why = stopped(office.settings, office.store, account_id)
    if why is not None:
        raise InputError(why, "Let it go on first: an admin lifts the stop.")


def checked_payload(
    office: Office, campaign: AdCampaign, kind: OrderKind, payload: Mapping[str, Any]
) -> dict[str, Any]:
    """The payload as an order keeps it. Raises `FieldsRefused`."""
    if kind is OrderKind.BUDGET:
        return {"daily_budget_minor": _budget(office, campaign, payload)}
    if kind not in (OrderKind.PAUSE_CREATIVE, OrderKind.SCALE_CREATIVE):
        return {}
    wanted = str(payload.get("creative_id", ""))
    creative = next((each for each in campaign.creatives if each.id == wanted), None)
    if creative is None:
        raise _refused(
            "creative_id",
            f"{campaign.name} has no creative {wanted!r}.",
            "Take one of the campaign's creatives.",
        )
    if kind is OrderKind.PAUSE_CREATIVE:
        return {"creative_id": creative.id}
    if creative.status in (CreativeStatus.PAUSED, CreativeStatus.LOSER):
        raise _refused(
            "creative_id", f"{creative.draft.name} is switched off.", "Scale one that runs."
        )
    percent = payload.get("percent")
    if isinstance(percent, bool) or not isinstance(percent, int) or not 1 <= percent <= 100:
        raise _refused("percent", f"{percent} is no raise in percent.", "Give 1 to 100.")
    if campaign.budget_level is BudgetLevel.ADSET:
        now = _believed(office, campaign, creative)
        _require_part(
            "percent", raised(now, percent), now, campaign.daily_budget_minor, campaign.currency
        )
    return {"creative_id": creative.id, "percent": percent}


def require_value(office: Office, record: ChangeRecord, minor: int) -> None:
    """Raise `FieldsRefused` for a budget that nobody can ask for here, or that the account's own
    bounds never let pass: its caps and its total. What depends on the moment is asked as it is
    written."""
    change = record.change
    name = "daily_budget"
    if isinstance(minor, bool) or not 1 <= minor < 10**15:
        raise _refused(name, f"{minor} is no daily budget.", "Give an amount above zero.")
    now = int(change.old_value) if change.old_value.isdecimal() else 0
    if change.level is Level.ADSET:
        _require_part(name, minor, now, _whole(office, change, now), change.currency)
    else:
        require_budget(name, minor, now, change.currency)
    if str(minor) in (change.old_value, change.new_value):
        same = "what it is now" if str(minor) == change.old_value else "what is proposed"
        raise _refused(
            name,
            f"{show(to_major(minor, change.currency), change.currency)} is {same}.",
            "Reject the change to keep it, or approve it as it is.",
        )
    bounds = bounds_of(office.settings, change.account_id, store=office.store)
    own = bounds.campaigns.get(change.campaign_id)
    limits = {
        "the cap": bounds.cap,
        "the campaign's own cap": own.cap if own else None,
        "the account's total": bounds.total,
    }
    for words, most in limits.items():
        if most is not None and minor > to_minor(most, change.currency):
            raise _refused(
                name,
                f"{show(to_major(minor, change.currency), change.currency)} a day is more than "
                f"{words}, {show(most, change.currency)}.",
                "Choose less, or let an admin raise it in the rules.",
            )


def _budget(office: Office, campaign: AdCampaign, payload: Mapping[str, Any]) -> int:
    minor, major = payload.get("daily_budget_minor"), payload.get("daily_budget")
    name = "daily_budget" if minor is None else "daily_budget_minor"
    if minor is None:
        try:
            minor = to_minor(Decimal(str(major)), campaign.currency)
        except (ArithmeticError, ValueError, ZyentaError):
            minor = None
    if isinstance(minor, bool) or not isinstance(minor, int) or not 1 <= minor < 10**15:
        limits = limits_of(campaign.currency).around(campaign.daily_budget_minor)
        raise _refused(
            name,
            f"{major if name == 'daily_budget' else minor} is no daily budget.",
            f"Choose {limits.words} a day.",
        )
    require_budget(name, minor, campaign.daily_budget_minor, campaign.currency)
    bounds = bounds_of(office.settings, campaign.account_id, store=office.store)
    own = bounds.campaigns.get(campaign.platform_campaign_id or "")
    caps = [cap for cap in (bounds.cap, own.cap if own else None) if cap is not None]
    if caps and minor > to_minor(min(caps), campaign.currency):
        asked = show(to_major(minor, campaign.currency), campaign.currency)
        raise _refused(
            name,
            f"{asked} a day is more than the cap of {show(min(caps), campaign.currency)}.",
            "Ask for less, or let an admin raise the cap in the rules.",
        )
    return minor


def require_budget(field: str, minor: int, now_minor: int, currency: str) -> None:
    """Raise `FieldsRefused` for a budget beyond its currency's limits, which hold for one that is
    set later as for a new campaign's. `now_minor` is today's, or 0."""
    try:
        limits_of(currency).around(now_minor).require(minor)
    except InputError as error:
        raise _refused(field, error.what, error.remedy) from None


def _require_part(field: str, minor: int, part_now: int, now: int, currency: str) -> None:
    """Raise `FieldsRefused` for an ad set's budget that takes its campaign, of `now` in all, beyond
    the most."""
    try:
        limits_of(currency).require_part(minor, part_now_minor=part_now, now_minor=now)
    except InputError as error:
        raise _refused(field, error.what, error.remedy) from None


def _whole(office: Office, change: ProposedChange, part_now: int) -> int:
    """What the campaign of an ad set's change has a day, with the raises of its other ad sets that
    are yet to be written; of a campaign that is not ours only the ad set is known."""
    ours = Campaigns(office.store).find(platform_campaign_id=change.campaign_id, limit=1)
    moving = (ChangeState.APPROVED, ChangeState.SENDING)
    others = [
        each.change
        for each in Outbox(office.store).find(account_id=change.account_id, states=moving)
        if each.change.campaign_id == change.campaign_id
        and each.change.object_id != change.object_id
        and each.change.field is ChangeField.DAILY_BUDGET
    ]
    more = sum(max(0, int(each.new_value) - int(each.old_value or 0)) for each in others)
    return max(part_now, (ours[0].daily_budget_minor if ours else part_now) + more)


def _believed(office: Office, campaign: AdCampaign, creative: AdCreative) -> int:
    """What a creative's ad set has a day: as we wrote it last, else its even share. What Meta shows
    is asked when the raise is written, and may still refuse it."""
    written = [
        int(each.change.new_value)
        for each in Outbox(office.store).find(
            object_id=creative.platform_ad_set_id or "", states=[ChangeState.APPLIED]
        )
        if each.change.field is ChangeField.DAILY_BUDGET
    ]
    out = (CreativeStatus.PAUSED, CreativeStatus.LOSER)
    running = sum(each.status not in out for each in campaign.creatives)
    return written[-1] if written else campaign.daily_budget_minor // running


def _refused(field: str, what: str, remedy: str) -> FieldsRefused:
    return FieldsRefused([FieldProblem(field, what, remedy)])
