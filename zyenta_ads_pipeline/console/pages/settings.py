"""Settings: the kill switch, autopilot and limits of each account, and the audit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from zyenta_ads_pipeline.console.desks.accounts import AccountHealth
from zyenta_ads_pipeline.console.desks.rule_specs import ACCOUNT_RULES, AMOUNT
from zyenta_ads_pipeline.console.desks.rules import RuleKind, RuleOrigin, RuleScope, RuleValue
from zyenta_ads_pipeline.console.pages.site import Site
from zyenta_ads_pipeline.console.pages.typed import amount
from zyenta_ads_pipeline.console.pages.visit import Visit, with_query
from zyenta_ads_pipeline.console.pages.words import (
    AUTOPILOT,
    NOTHING,
    moment,
    percent,
    refusal,
    words,
)
from zyenta_ads_pipeline.domain.change import Autopilot
from zyenta_ads_pipeline.domain.errors import FieldProblem, FieldsRefused, InputError
from zyenta_ads_pipeline.domain.money import plain, show
from zyenta_ads_pipeline.store.audit import AuditEntry
from zyenta_ads_pipeline.store.own_rules import OwnRuleEntry

PATH = "/settings"
_ORIGINS = {
    RuleOrigin.DEFAULT: "as the product comes",
    RuleOrigin.SETTINGS: "from the settings",
    RuleOrigin.FILE_ALL: "from [all] in the accounts file",
    RuleOrigin.FILE: "from the accounts file",
    RuleOrigin.CONSOLE: "set here",
}
_AMOUNTS = frozenset(each.name for each in ACCOUNT_RULES if each.kind == AMOUNT)
_AUDIT = 30
_PLACES = {"campaign": "/campaigns/", "change": "/changes/", "request": "/requests/"}
"""Where a thing of the audit has its page."""


@dataclass(frozen=True)
class RuleLine:
    """One rule as it is shown, with what its form needs."""

    name: str
    label: str
    help: str
    value: str
    typed: str
    kind: str
    choices: Sequence[tuple[str, str]]
    may_be_none: bool
    origin: str
    here: bool
    unit: str


def routes(site: Site) -> list[Route]:
    """The page and its forms."""
    return [
        site.get(PATH, page),
        site.post(f"{PATH}/stop", stop),
        site.post(f"{PATH}/resume", resume),
        site.post(f"{PATH}/rules", set_rule),
    ]


def page(visit: Visit) -> Response:
    """All settings, the limits of one account."""
    return _show(visit, visit.given("account"))


def _show(
    visit: Visit,
    account_id: str,
    status: int = 200,
    *,
    errors: dict[str, str] | None = None,
    typed: dict[str, str] | None = None,
) -> Response:
    accounts = visit.site.desks.accounts.all(visit.person)
    chosen = next((each for each in accounts if each.account_id == account_id), None)
    if chosen is None and accounts:
        chosen = accounts[0]
    return visit.site.show(
        visit,
        "settings.html",
        status,
        stoppable=[(each.account_id, _name(each)) for each in accounts],
        errors=errors or {},
        may=visit.buyer,
        admin=visit.admin,
        **_stops(visit),
        **_limits(visit, accounts, chosen, typed or {}),
        **_audit(visit),
    )


def _name(account: AccountHealth) -> str:
    return account.name or f"act_{account.account_id}"


def _stops(visit: Visit) -> dict[str, Any]:
    """The kill switches, and their history."""
    desk, person = visit.site.desks.switches, visit.person
    return {
        "outside": desk.set_outside(),
        "switches": [
            (
                each.account_id or "",
                _where(each.account_id),
                each.by,
                moment(each.at),
                each.reason,
            )
            for each in desk.all(person)
        ],
        "history": [
            (
                moment(each.at),
                "Stopped" if each.thrown else "Resumed",
                _where(each.account_id),
                each.by,
                each.reason,
            )
            for each in desk.history(person)[:20]
        ],
    }


def _where(account_id: str | None) -> str:
    return f"act_{account_id}" if account_id else "every account"


def _scope(entry: OwnRuleEntry) -> str:
    own = f", campaign {entry.campaign_id}" if entry.campaign_id else ""
    return f"act_{entry.account_id}{own}"


def _limits(
    visit: Visit,
    accounts: Sequence[AccountHealth],
    chosen: AccountHealth | None,
    typed: dict[str, str],
) -> dict[str, Any]:
    """The rules of one account, and the ways to those of the others."""
    desk, person = visit.site.desks.rules, visit.person
    own = chosen.account_id if chosen else ""
    sheet = desk.of_account(person, own) if chosen else None
    lines = [_line(each, sheet.currency, typed) for each in sheet.rules] if sheet else []
    return {
        "accounts": [
            (
                with_query(PATH, {"account": each.account_id}) + "#limits",
                _name(each),
                each.account_id == own,
            )
            for each in accounts
        ],
        "account": own,
        "account_name": _name(chosen) if chosen else "",
        "autopilot": next((each for each in lines if each.name == "autopilot"), None),
        "positions": [(each.value, name, told) for each, (name, told) in AUTOPILOT.items()],
        "rules": [each for each in lines if each.name != "autopilot"],
        "version": sheet.version if sheet else "",
        "problem": sheet.problem if sheet else "",
        "rule_history": [
            (
                moment(each.at),
                each.by,
                words(each.name),
                _scope(each),
                f"set to {_told(each.value)}" if each.set else "taken back",
            )
            for each in (desk.history(person, own)[:20] if chosen else [])
        ],
    }


def _audit(visit: Visit) -> dict[str, Any]:
    """Acts, and the way to older ones."""
    before = visit.given("before")
    found = visit.site.desks.people.audit(
        visit.person, limit=_AUDIT, before=int(before[:18]) if before.isdecimal() else None
    )
    return {
        "audit": [_audited(each) for each in found],
        "older": f"{PATH}?before={found[-1].id}#audit" if len(found) == _AUDIT else "",
        "newer": bool(before),
    }


def _audited(entry: AuditEntry) -> tuple[str, str, str, str, str, str, bool]:
    """When, who, what, the kind of thing, the thing, its page, whether it was refused."""
    place = _PLACES.get(entry.kind, "")
    return (
        moment(entry.at),
        entry.who,
        words(entry.act.replace(".", " ")),
        entry.kind,
        entry.about,
        f"{place}{entry.about}" if place and entry.about else "",
        entry.refused,
    )


def _told(value: Any) -> str:
    return "no limit" if value is None else str(value)


def _line(rule: RuleValue, currency: str, typed: dict[str, str]) -> RuleLine:
    here = rule.origin is RuleOrigin.CONSOLE
    origin = _ORIGINS[rule.origin]
    if here and rule.by:
        origin += f" by {rule.by}"
        if rule.at is not None:
            origin += f", {moment(rule.at)}"
    return RuleLine(
        name=rule.name,
        label=rule.label,
        help=rule.help,
        value=_value(rule, currency),
        typed=typed.get(rule.name, _typed(rule)),
        kind=rule.kind.value,
        choices=[(each, words(each)) for each in rule.choices],
        may_be_none=rule.may_be_none,
        origin=origin,
        here=here,
        unit=_unit(rule, currency),
    )


def _value(rule: RuleValue, currency: str) -> str:
    value = rule.value
    if value is None:
        return "No limit" if rule.may_be_none else NOTHING
    if rule.kind is RuleKind.AMOUNT and isinstance(value, Decimal) and currency:
        return show(value, currency)
    if rule.kind is RuleKind.SHARE:
        return percent(Decimal(str(value)), 1).replace(".0%", "%")
    if rule.kind is RuleKind.YES_NO:
        return "Yes" if value else "No"
    if rule.name == "autopilot":
        return AUTOPILOT[Autopilot(value)][0]
    return words(value) if rule.kind is RuleKind.CHOICE else str(value)


def _typed(rule: RuleValue) -> str:
    """The value as the form sends it."""
    if rule.value is None:
        return "none" if rule.may_be_none else ""
    if isinstance(rule.value, Decimal):
        return plain(rule.value)
    if isinstance(rule.value, bool):
        return "true" if rule.value else "false"
    return str(rule.value)


def _unit(rule: RuleValue, currency: str) -> str:
    if rule.kind is RuleKind.AMOUNT:
        return currency
    return "a fraction: 0.2 is 20 %" if rule.kind is RuleKind.SHARE else ""


def stop(visit: Visit) -> Response:
    """Throw the kill switch of one account, or of all."""
    account = visit.sent("account") or None
    try:
        visit.site.desks.switches.throw(visit.person, account, visit.sent("reason"))
    except InputError as error:
        return visit.go(f"{PATH}#stop", refusal(error), kind="bad")
    where = f"act_{account}" if account else "every account"
    return visit.go(f"{PATH}#stop", f"Writing to {where} is stopped.")


def resume(visit: Visit) -> Response:
    """Lift a kill switch."""
    account = visit.sent("account") or None
    try:
        lifted = visit.site.desks.switches.lift(visit.person, account, visit.sent("reason"))
    except InputError as error:
        return visit.go(f"{PATH}#stop", refusal(error), kind="bad")
    where = f"act_{account}" if account else "every account"
    if not lifted:
        return visit.go(f"{PATH}#stop", f"No stop of {where} was thrown.", kind="warn")
    return visit.go(f"{PATH}#stop", f"The stop of {where} is lifted.")


def set_rule(visit: Visit) -> Response:
    """Set one rule of an account, or take it back."""
    account, name = visit.sent("account"), visit.sent("name")
    back = with_query(PATH, {"account": account}) + "#limits"
    scope = RuleScope(account)
    desk, seen = visit.site.desks.rules, visit.sent("version") or None
    value = visit.sent("value")
    try:
        if visit.sent("act") == "unset":
            desk.unset(visit.person, scope, name, seen)
            return visit.go(back, f"{words(name)}: the file or the settings hold again.")
        desk.set(visit.person, scope, name, _read(name, value), seen)
    except FieldsRefused as error:
        told = error.by_field
        return _show(visit, account, 422, errors=told, typed={name: value})
    except InputError as error:
        return visit.go(back, str(error), kind="bad")
    return visit.go(back, f"{words(name)} is set. It holds from the next decision and write on.")


def _read(name: str, text: str) -> str:
    """What a form says of a rule, an amount as a plain number. Raises `FieldsRefused`."""
    if name not in _AMOUNTS or text.lower() == "none":
        return text
    try:
        return str(amount(text, words(name)))
    except InputError as error:
        raise FieldsRefused([FieldProblem(name, error.what, error.remedy)]) from None
