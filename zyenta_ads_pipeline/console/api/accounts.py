"""Ad accounts: their health, and the rules that hold in them."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from fastapi import Path, Query, Request
from pydantic import Field, WithJsonSchema
from starlette.responses import Response

from zyenta_ads_pipeline.console.api.declared import ADMIN, acting, problems, router
from zyenta_ads_pipeline.console.api.entry import Me, TheDesks
from zyenta_ads_pipeline.console.api.metrics import AccountId
from zyenta_ads_pipeline.console.api.shapes import Body, Moment, Numeric, Shape
from zyenta_ads_pipeline.console.api.shapes import Json as Plain
from zyenta_ads_pipeline.console.api.tags import IfMatch, required, tag, tagged
from zyenta_ads_pipeline.console.api.writing import Json, moment, number
from zyenta_ads_pipeline.console.desks.accounts import AccountHealth
from zyenta_ads_pipeline.console.desks.rules import (
    RuleKind,
    RuleOrigin,
    RuleScope,
    RuleSheet,
    RuleValue,
)
from zyenta_ads_pipeline.domain.ads import account_number
from zyenta_ads_pipeline.domain.change import Autopilot
from zyenta_ads_pipeline.store.alerts import Alert

routes = router("accounts")
RuleName = Annotated[str, Path(min_length=1, max_length=50, examples=["max_step"])]
CampaignOf = Annotated[
    str | None,
    Query(max_length=40, description="The platform's id of a campaign, for that one's own rule."),
]


_Exact = Annotated[Decimal, Field(allow_inf_nan=False), WithJsonSchema({"type": "number"})]


class AlertShape(Shape):
    """One trouble that a person has to mend."""

    key: str
    account_id: str | None
    told: str
    remedy: str
    raised_at: Moment
    last_seen_at: Moment


class Account(Shape):
    """An ad account and how it fares."""

    id: str
    name: str
    currency: str
    least_daily_budget: Numeric | None = Field(
        description="Of a campaign, in major units of `currency`; null while that is not known."
    )
    most_daily_budget: Numeric | None
    timezone: str
    well: bool
    synced_at: Moment | None
    newest_day: str | None
    quota_percent: Numeric | None
    quota_at: Moment | None
    blocked_until: Moment | None
    alerts: list[AlertShape]
    stopped: str | None
    autopilot: Autopilot
    has_token: bool
    token_until: Moment | None
    stores: list[str]
    campaigns: int
    active: int
    proposed_changes: int


class Accounts(Shape):
    """All accounts."""

    accounts: list[Account]


class AlertList(Shape):
    """Open alerts, the oldest first."""

    alerts: list[AlertShape]


class Rule(Shape):
    """A rule as it holds, and where that comes from."""

    name: str
    kind: RuleKind
    label: str
    help: str
    value: Numeric | bool | str | None
    origin: RuleOrigin
    choices: list[str]
    may_be_none: bool
    by: str | None
    at: Moment | None


class Rules(Shape):
    """The rules of an account, and its campaigns' own by the platform's ids."""

    account_id: str
    currency: str
    rules: list[Rule]
    campaigns: dict[str, list[Rule]]
    problem: str


class RuleEntry(Shape):
    """One setting, or taking back, of a rule here."""

    account_id: str
    campaign_id: str | None
    name: str
    set: bool
    value: Numeric | bool | str | None
    before: Numeric | bool | str | None
    by: str
    at: Moment


class RuleHistory(Shape):
    """Settings and takings back, the newest first."""

    history: list[RuleEntry]


class RuleBody(Body):
    """A rule's value; null: no limit."""

    value: bool | int | _Exact | Annotated[str, Field(max_length=200)] | None = Field(
        examples=["0.15"],
        description="As `GET` shows it; a number as text stays exact to any digit.",
    )


@routes.get("/accounts", response_model=Accounts, responses=problems(), summary="List accounts")
def list_accounts(me: Me, desks: TheDesks) -> Response:
    """Every ad account of the settings and of connected stores, with its health."""
    return Json({"accounts": [_account(each) for each in desks.accounts.all(me)]})


@routes.get(
    "/accounts/{account_id}",
    response_model=Account,
    responses=problems(404),
    summary="Look at an account",
)
def get_account(account_id: AccountId, me: Me, desks: TheDesks) -> Response:
    """One ad account."""
    return Json(_account(desks.accounts.get(me, account_id)))


@routes.get("/alerts", response_model=AlertList, responses=problems(), summary="List alerts")
def list_alerts(me: Me, desks: TheDesks) -> Response:
    """Every open alert, with its remedy; also those of no account."""
    return Json({"alerts": [_alert(each) for each in desks.accounts.alerts(me)]})


@routes.get(
    "/accounts/{account_id}/rules",
    response_model=Rules,
    responses={304: {"description": "As you have it."}, **problems(404)},
    summary="Read an account's rules",
)
def get_rules(account_id: AccountId, request: Request, me: Me, desks: TheDesks) -> Response:
    """What holds in an account, and where each rule comes from. `ETag` is the sheet's version."""
    sheet = desks.rules.of_account(me, account_id)
    return tagged(request, _sheet(sheet), sheet.version)


@routes.put(
    "/accounts/{account_id}/rules/{name}",
    response_model=Rules,
    responses=acting(412, 428),
    openapi_extra=ADMIN,
    summary="Set a rule",
)
def set_rule(
    account_id: AccountId,
    name: RuleName,
    body: RuleBody,
    me: Me,
    desks: TheDesks,
    campaign_id: CampaignOf = None,
    if_match: IfMatch = None,
) -> Response:
    """Sets one rule of an account, or of one of its campaigns; it holds from the next decision and
    the next write on. Needs `If-Match` with the sheet's `ETag`."""
    expected = required(if_match)
    scope = RuleScope(account_number(account_id), campaign_id)
    return _changed(desks.rules.set(me, scope, name, body.value, expected))


@routes.delete(
    "/accounts/{account_id}/rules/{name}",
    response_model=Rules,
    responses=acting(412, 428),
    openapi_extra=ADMIN,
    summary="Take back a rule",
)
def unset_rule(
    account_id: AccountId,
    name: RuleName,
    me: Me,
    desks: TheDesks,
    campaign_id: CampaignOf = None,
    if_match: IfMatch = None,
) -> Response:
    """Takes back what was set here: the accounts file or the settings hold again."""
    expected = required(if_match)
    scope = RuleScope(account_number(account_id), campaign_id)
    return _changed(desks.rules.unset(me, scope, name, expected))


@routes.get(
    "/accounts/{account_id}/rules-history",
    response_model=RuleHistory,
    responses=problems(404),
    summary="Read who set which rule",
)
def rule_history(account_id: AccountId, me: Me, desks: TheDesks) -> Response:
    """Every setting and taking back here, the newest first; at most 200."""
    found = [
        {
            "accountId": each.account_id,
            "campaignId": each.campaign_id,
            "name": each.name,
            "set": each.set,
            "value": _value(each.value),
            "before": _value(each.before),
            "by": each.by,
            "at": moment(each.at),
        }
        for each in desks.rules.history(me, account_id)
    ]
    return Json({"history": found})


def _account(one: AccountHealth) -> Plain:
    limits = one.budget_limits
    return {
        "id": one.account_id,
        "name": one.name,
        "currency": one.currency,
        "leastDailyBudget": number(limits.least) if limits else None,
        "mostDailyBudget": number(limits.most) if limits else None,
        "timezone": one.timezone,
        "well": one.is_well,
        "syncedAt": moment(one.synced_at),
        "newestDay": one.newest_day,
        "quotaPercent": number(one.quota_percent),
        "quotaAt": moment(one.quota_at),
        "blockedUntil": moment(one.blocked_until),
        "alerts": [_alert(each) for each in one.alerts],
        "stopped": one.stopped,
        "autopilot": one.autopilot,
        "hasToken": one.has_token,
        "tokenUntil": moment(one.token_until),
        "stores": list(one.stores),
        "campaigns": one.campaigns,
        "active": one.active,
        "proposedChanges": one.proposed,
    }


def _alert(one: Alert) -> Plain:
    return {
        "key": one.key,
        "accountId": one.account_id,
        "told": one.told,
        "remedy": one.remedy,
        "raisedAt": moment(one.raised_at),
        "lastSeenAt": moment(one.last_seen_at),
    }


def _changed(sheet: RuleSheet) -> Response:
    return Json(_sheet(sheet), headers={"ETag": tag(sheet.version)})


def _sheet(sheet: RuleSheet) -> Plain:
    return {
        "accountId": sheet.account_id,
        "currency": sheet.currency,
        "rules": [_rule(each) for each in sheet.rules],
        "campaigns": {
            own: [_rule(each) for each in rules] for own, rules in sheet.campaigns.items()
        },
        "problem": sheet.problem,
    }


def _rule(one: RuleValue) -> Plain:
    return {
        "name": one.name,
        "kind": one.kind,
        "label": one.label,
        "help": one.help,
        "value": _value(one.value),
        "origin": one.origin,
        "choices": list(one.choices),
        "mayBeNone": one.may_be_none,
        "by": one.by,
        "at": moment(one.at),
    }


def _value(value: Any) -> Any:
    """A rule's value as JSON has it: a Decimal as a number."""
    if value is None or isinstance(value, bool | int | str):
        return value
    return number(value)
