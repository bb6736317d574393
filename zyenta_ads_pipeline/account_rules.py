"""Each account's own rules: the settings, over them a file of the accounts' own, in TOML, and over
that what a person set in the console, under the same names.

```toml
[all]                       # every account
max_step = 0.15

[act_123]
policy = "roas_thresholds"
total = 500
groups = { prospecting = 300 }

[act_123.campaigns.120210000]
locked = true
```
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from zyenta_ads_pipeline.campaigns.rules import (
    AccountBounds,
    AccountRules,
    CampaignRules,
    CreativeTestRules,
)
from zyenta_ads_pipeline.connections import kept_store
from zyenta_ads_pipeline.domain.ads import account_number
from zyenta_ads_pipeline.domain.change import Autopilot
from zyenta_ads_pipeline.domain.errors import InputError, SettingsError
from zyenta_ads_pipeline.optimizer.ab_plan import Metric
from zyenta_ads_pipeline.optimizer.account import Caution, Goal
from zyenta_ads_pipeline.policy_files import chosen_policy
from zyenta_ads_pipeline.settings import WINDOWS, Settings
from zyenta_ads_pipeline.store.database import Store
from zyenta_ads_pipeline.store.own_rules import OwnRule, OwnRules

ALL = "all"
"""The table of the file that holds for every account."""
_MEND = "Mend it; docs/configuration.md lists what may stand in the file."


# TOML has kinds of its own, so a number in quotes is a slip of the pen and not read as a number.
# Pydantic hears ValueError alone.
def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError("must be a number, without quotes")  # noqa: TRY004
    return Decimal(value)


def _whole(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("must be a whole number")  # noqa: TRY004
    return value


def _none(value: Any) -> Any:
    return None if value == "none" else value


_Number: TypeAlias = Annotated[Decimal, BeforeValidator(_number), Field(allow_inf_nan=False)]
_Whole: TypeAlias = Annotated[int, BeforeValidator(_whole)]
_Amount: TypeAlias = Annotated[_Number, Field(gt=0)]
_Share: TypeAlias = Annotated[_Number, Field(gt=0, le=10)]
_NoneOrAmount: TypeAlias = Annotated[_Amount | None, BeforeValidator(_none)]
_NoneOrShare: TypeAlias = Annotated[_Share | None, BeforeValidator(_none)]


class _Campaign(BaseModel):
    """`[act_….campaigns.<id>]`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    locked: bool = Field(False, strict=True)
    floor: Annotated[_Number, Field(ge=0)] | None = None
    cap: _Amount | None = None
    group: str | None = Field(None, strict=True, min_length=1)
    autopilot: Autopilot | None = None


class _Table(BaseModel):
    """`[all]`, and what an account's own table may say as well. A limit that is "none" is said to
    be None, which is more than not being said."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    policy: str | None = Field(None, strict=True)
    window_days: _Whole | None = None
    floor: Annotated[_Number, Field(ge=0)] | None = None
    cap: _NoneOrAmount = None
    max_step: _Share | None = None
    max_day_change: _Share | None = None
    max_week_growth: _NoneOrShare = None
    max_week_change: _NoneOrShare = None
    total: _NoneOrAmount = None
    week_cap: _NoneOrAmount = None
    dead_band: Annotated[_Number, Field(ge=0, lt=1)] | None = None
    goal: Goal | None = None
    margin: Annotated[_Number, Field(gt=0, le=1)] | None = None
    target: _Amount | None = None
    autopilot: Autopilot | None = None
    cooldown_days: Annotated[_Whole, Field(ge=1, le=28)] | None = None
    reversal_days: Annotated[_Whole, Field(ge=0, le=28)] | None = None
    reversal_confidence: Annotated[_Number, Field(ge=0, le=1)] | None = None
    pause_days: Annotated[_Whole, Field(ge=1, le=28)] | None = None
    test_metric: Metric | None = None
    test_days: Annotated[_Whole, Field(ge=7, le=90)] | None = None


class _Account(_Table):
    """`[act_…]`."""

    groups: dict[str, _Amount] = Field(default_factory=dict)
    campaigns: dict[str, _Campaign] = Field(default_factory=dict)


@dataclass(frozen=True)
class Said:
    """Where the rules of one account are said, each by name: `[all]`, the account's own table, and
    what was set in the console; the same of its campaigns, by their id. Later goes before earlier.
    """

    of_all: Mapping[str, Any]
    of_file: Mapping[str, Any]
    of_console: Mapping[str, Any]
    campaigns_of_file: Mapping[str, Mapping[str, Any]]
    campaigns_of_console: Mapping[str, Mapping[str, Any]]


def rules_of(settings: Settings, account_id: str, *, store: Store | None = None) -> AccountRules:
    """The rules of one account (digits): as set in the console, else its own table of the file,
    else `[all]`, else the settings.

    File and store (that of the settings, unless one is at hand) are read anew each time. Raises
    `SettingsError` that names the file and the place, for any account's table that cannot be used,
    and for a policy that cannot; `StorageError` where the store cannot be read.
    """
    bounds, named, folder = _bounds(settings, account_id, own_rules(settings, account_id, store))
    return AccountRules(policy=chosen_policy(named, folder), **_fields(bounds))


def bounds_of(settings: Settings, account_id: str, *, store: Store | None = None) -> AccountBounds:
    """The same without the policy, which a write does not need and may not fail on."""
    return _bounds(settings, account_id, own_rules(settings, account_id, store))[0]


def may_write(
    settings: Settings,
    account_id: str,
    campaign_id: str | None = None,
    *,
    store: Store | None = None,
) -> None:
    """Raise `InputError` while the autopilot only watches the account, or this campaign of it (the
    platform's id). What a person asks for by hand is not asked about here: it is always written."""
    bounds = bounds_of(settings, account_id, store=store)
    if bounds.autopilot is Autopilot.WATCH:
        raise InputError(
            f"The autopilot is in the position watch for act_{account_id}: changes are proposed "
            "and none is written.",
            "Set ZYENTA_AUTOPILOT=approve, or `autopilot` in the accounts file or the console, to "
            "let a person's approval write.",
        )
    if campaign_id is not None and bounds.autopilot_of(campaign_id) is Autopilot.WATCH:
        raise InputError(
            f"The autopilot is in the position watch for campaign {campaign_id} of "
            f"act_{account_id}: changes are proposed and none is written.",
            "Set the campaign's own `autopilot` to approve, in the accounts file or the console.",
        )


def bounds_with(
    settings: Settings, account_id: str, rules: Sequence[OwnRule]
) -> tuple[AccountBounds, str]:
    """The bounds, and the name of the policy, that an account would have with these rules set in
    the console. Raises as `bounds_of`."""
    return _bounds(settings, account_id, rules)[:2]


def read_table(table: Mapping[str, Any], *, of_campaign: bool) -> None:
    """Raise `SettingsError`, in words without a place, where one of these rules of an account or of
    a campaign cannot have that value."""
    kind = _Campaign if of_campaign else _Table
    try:
        kind.model_validate(dict(table))
    except ValidationError as error:
        problems = [_place(each).partition(": ")[2] for each in error.errors(include_url=False)]
        raise SettingsError(
            "; ".join(problems)[:1].upper() + "; ".join(problems)[1:] + "."
        ) from None


def own_rules(settings: Settings, account_id: str, store: Store | None = None) -> list[OwnRule]:
    """What was set in the console for an account and its campaigns."""
    opened = store or kept_store(settings)
    return [] if opened is None else OwnRules(opened).of_account(account_id)


def said_of(settings: Settings, account_id: str, rules: Sequence[OwnRule]) -> Said:
    """Which rules are said where; raises as `bounds_of` for what cannot be read."""
    path = settings.accounts_file
    tables = {} if path is None else _read(path)
    own = tables.get(account_id, _Account())
    console = _console(account_id, rules)
    return Said(
        of_all=_said(tables.get(ALL, _Table())),
        of_file=_said(own),
        of_console=_said(console),
        campaigns_of_file={name: _set(each) for name, each in own.campaigns.items()},
        campaigns_of_console={name: _set(each) for name, each in console.campaigns.items()},
    )


def _bounds(
    settings: Settings, account_id: str, rules: Sequence[OwnRule]
) -> tuple[AccountBounds, str, Path]:
    """The bounds; the policy's name, and the folder from which a file's is found."""
    path = settings.accounts_file
    found = said_of(settings, account_id, rules)
    said = {**found.of_all, **found.of_file}
    named, folder = settings.policy, Path.cwd()
    if "policy" in said and path is not None:
        named, folder = said.pop("policy"), path.absolute().parent
    said |= found.of_console
    named = said.pop("policy", named)
    caution = {name: said.pop(name) for name in Caution.__dataclass_fields__ if name in said}
    if "reversal_confidence" in caution:
        caution["reversal_confidence"] = float(caution["reversal_confidence"])
    tests = {
        name: said.pop(f"test_{name}") for name in ("metric", "days") if f"test_{name}" in said
    }
    own = {**found.campaigns_of_file}
    for name, each in found.campaigns_of_console.items():
        own[name] = {**own.get(name, {}), **each}
    fields: dict[str, Any] = {
        "window_days": settings.decision_window,
        "floor": settings.budget_floor,
        "cap": settings.budget_cap,
        "max_step": settings.max_step,
        "total": settings.total_daily_budget,
        "autopilot": settings.autopilot,
        "campaigns": {name: CampaignRules(**each) for name, each in own.items()},
    } | said
    bounds = AccountBounds(**fields, caution=Caution(**caution), tests=CreativeTestRules(**tests))
    problems = _problems(bounds, settings)
    if problems:
        where = f"{path}: act_{account_id}" if path else f"act_{account_id}"
        where += " (with what was set in the console)" if rules else ""
        raise SettingsError(
            f"The rules of an account cannot be used: {where}: {'; '.join(problems)}.", _MEND
        )
    return bounds, named, folder


def _console(account_id: str, rules: Sequence[OwnRule]) -> _Account:
    """What was set in the console, as the file's models read it. It was checked as it was set, so a
    `SettingsError` here is one of another version."""
    table: dict[str, Any] = {"campaigns": {}}
    for rule in rules:
        own = table if rule.campaign_id is None else table["campaigns"].setdefault(
            rule.campaign_id, {}
        )  # fmt: skip
        if rule.value is None and rule.campaign_id is not None:
            continue  # of a campaign: the account's holds
        own[rule.name] = read_value(rule.name, rule.value)
    try:
        return _Account.model_validate(table)
    except ValidationError as error:
        problems = "; ".join(
            _place(each).removeprefix(".") for each in error.errors(include_url=False)
        )
        raise SettingsError(
            f"The rules set in the console for act_{account_id} cannot be used: {problems}.",
            "Take them back in the console, or set them anew.",
        ) from None


WHOLE_RULES = frozenset({"window_days", "cooldown_days", "reversal_days", "pause_days",
                         "test_days"})  # fmt: skip
WORD_RULES = frozenset({"policy", "group", "goal", "autopilot", "test_metric"})


def read_value(name: str, kept: Any) -> Any:
    """A rule's value as the file would give it, from how the store keeps it."""
    if kept is None:
        return "none"
    if isinstance(kept, str) and name not in WORD_RULES:
        return Decimal(kept)
    return kept


def kept_value(value: Any) -> Any:
    """A rule's value as the store keeps it: a Decimal as text, None for no limit."""
    return str(value) if isinstance(value, Decimal) else value


def _said(table: _Table) -> dict[str, Any]:
    return {name: getattr(table, name) for name in table.model_fields_set - {"campaigns"}}


def _set(campaign: _Campaign) -> dict[str, Any]:
    return {name: getattr(campaign, name) for name in campaign.model_fields_set}


def _read(path: Path) -> dict[str, Any]:
    """The file's tables, `[all]` under its name and the accounts' under their digits."""
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except OSError as error:
        raise SettingsError(
            f"ZYENTA_ACCOUNTS_FILE: {path} cannot be read: {error.strerror}.",
            "Set the path of your file of accounts, or unset it.",
        ) from None
    except UnicodeDecodeError:
        raise SettingsError(f"{path} is not UTF-8 text.", "Save it as UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} is no TOML: {error}.", _MEND) from None
    tables: dict[str, Any] = {}
    problems: list[str] = []
    for name, table in found.items():
        try:
            key = name if name == ALL else account_number(name)
            kind = _Table if name == ALL else _Account
            if key in tables:
                problems.append(f"{name}: named twice")
            tables[key] = kind.model_validate(table)
        except InputError:
            problems.append(f"{name}: must be written act_123, or {ALL}")
        except ValidationError as error:
            problems += [f"{name}{_place(each)}" for each in error.errors(include_url=False)]
    if problems:
        raise SettingsError(f"{path} cannot be used: {'; '.join(problems)}.", _MEND)
    return tables


def _place(problem: Mapping[str, Any]) -> str:
    """Where in a table, and what is wrong there."""
    steps = [str(step) for step in problem["loc"]]
    told = str(problem["msg"]).removeprefix("Value error, ").rstrip(".")
    if problem["type"] == "extra_forbidden":
        told = "there is no such rule"
    return "".join(f".{step}" for step in steps) + f": {told}"


def _problems(bounds: AccountBounds, settings: Settings) -> list[str]:
    """What does not fit together, in words."""
    problems = []
    if bounds.window_days not in WINDOWS:
        problems.append(f"window_days must be one of {', '.join(map(str, WINDOWS))}")
    elif bounds.window_days > settings.restatement_days:
        problems.append("window_days goes further back than ZYENTA_RESTATEMENT_TIERS")
    if bounds.cap is not None and bounds.cap < bounds.floor:
        problems.append("cap is below floor")
    if bounds.goal is Goal.PROFIT and bounds.margin is None:
        problems.append("goal profit needs margin: the share of revenue left before ads")
    if bounds.goal in (Goal.TARGET_ROAS, Goal.TARGET_CPA) and bounds.target is None:
        problems.append(f"goal {bounds.goal.value} needs target")
    if bounds.total is not None and sum(bounds.groups.values()) > bounds.total:
        problems.append("the groups' totals are more than total")
    if bounds.total and bounds.week_cap and bounds.week_cap < 7 * bounds.total:
        problems.append("week_cap is below 7 times total")
    for name, campaign in bounds.campaigns.items():
        place = f"campaigns.{name}"
        if not (name.isascii() and name.isdigit()):
            problems.append(f"{place}: must be a campaign's id, digits alone")
        if campaign.group is not None and campaign.group not in bounds.groups:
            problems.append(f"{place}.group: there is no group {campaign.group} with a total")
        floor = bounds.floor if campaign.floor is None else campaign.floor
        cap = bounds.cap if campaign.cap is None else campaign.cap
        if cap is not None and cap < floor:
            problems.append(f"{place}: its cap is below its floor")
    return problems


def _fields(bounds: AccountBounds) -> dict[str, Any]:
    return {name: getattr(bounds, name) for name in AccountBounds.__dataclass_fields__}
