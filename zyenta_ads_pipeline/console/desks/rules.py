"""Rules of accounts and campaigns: what holds, where it comes from, and setting it here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

from zyenta_ads_pipeline.account_rules import bounds_with, kept_value, said_of
from zyenta_ads_pipeline.campaigns.rules import CampaignRules
from zyenta_ads_pipeline.console.desks.rule_specs import (
    ACCOUNT_RULES,
    CAMPAIGN_RULES,
    NOTHING_SAID,
    RuleSpec,
    campaign_origin,
    default_bounds,
    origin_of,
    read_given,
    rule_values,
    spec_of,
)
from zyenta_ads_pipeline.console.desks.runs import accounts_in
from zyenta_ads_pipeline.console.desks.versions import require_version
from zyenta_ads_pipeline.console.office import Office
from zyenta_ads_pipeline.domain.access import Person, Role
from zyenta_ads_pipeline.domain.ads import account_number
from zyenta_ads_pipeline.domain.errors import (
    FieldProblem,
    FieldsRefused,
    NotThere,
    SettingsError,
)
from zyenta_ads_pipeline.store.campaigns import Campaigns
from zyenta_ads_pipeline.store.connections import Connections
from zyenta_ads_pipeline.store.own_rules import OwnRule, OwnRuleEntry, OwnRules

_TOGETHER = "Change the other rule first, or choose another value."


class RuleOrigin(StrEnum):
    """Where a rule's value comes from; a later one goes before an earlier one."""

    DEFAULT = "default"
    """As the product comes."""
    SETTINGS = "settings"
    """A variable `ZYENTA_…`, or its default."""
    FILE_ALL = "file_all"
    """`[all]` in the accounts file."""
    FILE = "file"
    """The account's own table in the file."""
    CONSOLE = "console"
    """Set here."""


class RuleKind(StrEnum):
    """What a rule's value is, for a form."""

    AMOUNT = "amount"
    """A day's amount in major units of the account's currency: Decimal."""
    SHARE = "share"
    """A fraction: 0.2 is 20 %."""
    WHOLE = "whole"
    CHOICE = "choice"
    YES_NO = "yes_no"
    TEXT = "text"


@dataclass(frozen=True)
class RuleScope:
    """Whose rule: an account's (digits), or one campaign's of it (the platform's id)."""

    account_id: str
    campaign_id: str | None = None


@dataclass(frozen=True)
class RuleValue:
    """One rule as it holds. `value` is a Decimal, int, bool, text or None (no limit).

    `label` and `help` are for people; `choices` for CHOICE; `may_be_none`: "no limit" can be set.
    `by` and `at` tell who set it here.
    """

    name: str
    kind: RuleKind
    label: str
    help: str
    value: Any
    origin: RuleOrigin
    choices: Sequence[str] = ()
    may_be_none: bool = False
    by: str | None = None
    at: datetime | None = None


@dataclass(frozen=True)
class RuleSheet:
    """The rules of one account and the own rules of its campaigns (by the platform's id; only those
    that have some). `version` for `ETag`.

    `problem` says why the rules as they stand cannot be used; the values shown are then the
    settings'.
    """

    account_id: str
    currency: str
    rules: Sequence[RuleValue]
    campaigns: Mapping[str, Sequence[RuleValue]]
    version: str
    problem: str = ""


class RuleDesk:
    """Rules. Viewers look, admins set. Every method takes the person first."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._rules = OwnRules(office.store)

    def of_account(self, person: Person, account_id: str) -> RuleSheet:
        """The rules of one account; `NotThere` if it is none of ours."""
        return self._sheet(self._ours(account_id))

    def set(
        self,
        person: Person,
        scope: RuleScope,
        name: str,
        value: Any,
        expected: str | None = None,
    ) -> RuleSheet:
        """Set one rule. Admin. `value` as in `RuleValue`, or the text a form gave ("none": no
        limit). Takes effect with the next decision and the next write.

        Raises `FieldsRefused` (the field is the rule's name) for a rule that there is not, a value
        that cannot be used or does not go with the other rules, `Stale` for another version.
        """
        account = self._ours(scope.account_id)
        about = _about(account, scope)
        self._office.allow(person, Role.ADMIN, "rule.set", "rule", f"{about} {name}"[:200])
        spec = spec_of(name, of_campaign=scope.campaign_id is not None)
        read = read_given(spec, value)
        _require_campaign(scope)

        def seen(rules: Sequence[OwnRule]) -> None:
            _require_seen(account, rules, expected)

        def check(rules: Sequence[OwnRule]) -> None:
            self._require_usable(account, rules, name)

        self._rules.put(
            account,
            scope.campaign_id,
            name,
            kept_value(read),
            by=person.name,
            now=self._office.now(),
            seen=seen,
            check=check,
        )
        detail = {"value": "none" if read is None else str(read), "name": name}
        self._office.note(person, "rule.set", "rule", about, detail)
        return self._sheet(account)

    def unset(
        self, person: Person, scope: RuleScope, name: str, expected: str | None = None
    ) -> RuleSheet:
        """Take back what was set here: the file or the settings hold again. Admin."""
        account = self._ours(scope.account_id)
        about = _about(account, scope)
        self._office.allow(person, Role.ADMIN, "rule.unset", "rule", f"{about} {name}"[:200])
        spec_of(name, of_campaign=scope.campaign_id is not None)

        def seen(rules: Sequence[OwnRule]) -> None:
            _require_seen(account, rules, expected)

        def check(rules: Sequence[OwnRule]) -> None:
            self._require_usable(account, rules, name)

        was_set = self._rules.take_back(
            account,
            scope.campaign_id,
            name,
            by=person.name,
            now=self._office.now(),
            seen=seen,
            check=check,
        )
        if was_set:
            self._office.note(person, "rule.unset", "rule", about, {"name": name})
        return self._sheet(account)

    def history(self, person: Person, account_id: str) -> list[OwnRuleEntry]:
        """Every setting and taking back here, the newest first; at most 200."""
        return self._rules.history(self._ours(account_id))

    def _ours(self, account_id: str) -> str:
        number = account_number(account_id)
        if number not in accounts_in(self._office):
            raise NotThere(
                f"act_{number} is none of the accounts that are configured or connected.",
                "Set META_AD_ACCOUNT_IDS, or connect a store to it.",
            )
        return number

    def _require_usable(self, account_id: str, rules: Sequence[OwnRule], name: str) -> None:
        try:
            bounds_with(self._office.settings, account_id, rules)
        except SettingsError as error:
            what = error.what.partition(": ")[2].partition(": ")[2] or error.what
            problem = FieldProblem(name, what.strip()[:1].upper() + what.strip()[1:], _TOGETHER)
            raise FieldsRefused([problem]) from None

    def _sheet(self, account_id: str) -> RuleSheet:
        settings = self._office.settings
        own = self._rules.of_account(account_id)
        problem = ""
        try:
            bounds, policy = bounds_with(settings, account_id, own)
            said = said_of(settings, account_id, own)
        except SettingsError as error:
            problem = str(error)
            bounds, policy = default_bounds(settings), settings.policy
            said = NOTHING_SAID
        values = rule_values(bounds, policy)
        set_here = {(rule.campaign_id, rule.name): rule for rule in own}
        # Of ten thousand campaigns few have rules of their own.
        ids = set(said.campaigns_of_file) | set(said.campaigns_of_console)
        return RuleSheet(
            account_id=account_id,
            currency=self._currency(account_id),
            rules=[
                _value(spec, values[spec.name], origin_of(spec.name, said),
                       set_here.get((None, spec.name)))
                for spec in ACCOUNT_RULES
            ],
            campaigns={
                own_id: [
                    _value(
                        spec,
                        getattr(bounds.campaigns.get(own_id, CampaignRules()), spec.name),
                        campaign_origin(spec.name, own_id, said),
                        set_here.get((own_id, spec.name)),
                    )
                    for spec in CAMPAIGN_RULES
                ]
                for own_id in sorted(ids)
            },
            version=_version(account_id, own),
            problem=problem,
        )  # fmt: skip

    def _currency(self, account_id: str) -> str:
        newest = Campaigns(self._office.store).find(account_id=account_id, limit=1)
        if newest:
            return newest[0].currency
        known = Connections(self._office.store, self._office.vault).of_account(account_id)
        return known.currency if known else ""


def _value(spec: RuleSpec, value: Any, origin: str, own: OwnRule | None) -> RuleValue:
    return RuleValue(
        name=spec.name,
        kind=RuleKind(spec.kind),
        label=spec.label,
        help=spec.help,
        value=value.value if isinstance(value, StrEnum) else value,
        origin=RuleOrigin(origin),
        choices=spec.choices,
        may_be_none=spec.may_be_none,
        by=own.by if own else None,
        at=own.at if own else None,
    )


def _require_seen(account_id: str, rules: Sequence[OwnRule], expected: str | None) -> None:
    require_version(f"The rules of act_{account_id}", expected, _version(account_id, rules))


def _version(account_id: str, rules: Sequence[OwnRule]) -> str:
    told = [(rule.campaign_id, rule.name, rule.value, rule.at.isoformat()) for rule in rules]
    return sha256(f"{account_id} {told}".encode()).hexdigest()[:16]


def _about(account_id: str, scope: RuleScope) -> str:
    return f"act_{account_id}" + (f" campaign {scope.campaign_id}" if scope.campaign_id else "")


def _require_campaign(scope: RuleScope) -> None:
    own = scope.campaign_id
    if own is not None and not (own.isascii() and own.isdigit() and len(own) <= 40):
        raise FieldsRefused(
            [FieldProblem("campaign_id", f"{own!r} is not the id of a campaign on Meta.",
                          "It is digits alone.")]
        )  # fmt: skip
