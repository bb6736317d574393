"""Each account's own rules: the settings, and over them a file of the accounts' own, in TOML.

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
from collections.abc import Mapping
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
from zyenta_ads_pipeline.domain.ads import account_number
from zyenta_ads_pipeline.domain.change import Autopilot
from zyenta_ads_pipeline.domain.errors import InputError, SettingsError
from zyenta_ads_pipeline.optimizer.ab_plan import Metric
from zyenta_ads_pipeline.optimizer.account import Caution, Goal
from zyenta_ads_pipeline.policy_files import chosen_policy
from zyenta_ads_pipeline.settings import WINDOWS, Settings

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


def rules_of(settings: Settings, account_id: str) -> AccountRules:
    """The rules of one account (digits): its own table, else `[all]`, else the settings.

    The file is read anew each time. Raises `SettingsError` that names the file and the place, for
    any account's table that cannot be used, and for a policy that cannot.
    """
    bounds, named, folder = _bounds(settings, account_id)
    return AccountRules(policy=chosen_policy(named, folder), **_fields(bounds))


def bounds_of(settings: Settings, account_id: str) -> AccountBounds:
    """The same without the policy, which a write does not need and may not fail on."""
    return _bounds(settings, account_id)[0]


def _bounds(settings: Settings, account_id: str) -> tuple[AccountBounds, str, Path]:
    """The bounds; the policy's name, and the folder from which a file's is found."""
    path = settings.accounts_file
    tables = {} if path is None else _read(path)
    own = tables.get(account_id, _Account())
    said = _said(tables.get(ALL, _Table())) | _said(own)
    named, folder = settings.policy, Path.cwd()
    if "policy" in said and path is not None:
        named, folder = said.pop("policy"), path.absolute().parent
    caution = {name: said.pop(name) for name in Caution.__dataclass_fields__ if name in said}
    if "reversal_confidence" in caution:
        caution["reversal_confidence"] = float(caution["reversal_confidence"])
    tests = {
        name: said.pop(f"test_{name}") for name in ("metric", "days") if f"test_{name}" in said
    }
    fields: dict[str, Any] = {
        "window_days": settings.decision_window,
        "floor": settings.budget_floor,
        "cap": settings.budget_cap,
        "max_step": settings.max_step,
        "total": settings.total_daily_budget,
        "autopilot": settings.autopilot,
        "campaigns": {name: CampaignRules(**dict(each)) for name, each in own.campaigns.items()},
    } | said
    bounds = AccountBounds(**fields, caution=Caution(**caution), tests=CreativeTestRules(**tests))
    problems = _problems(bounds, settings)
    if problems:
        where = f"{path}: act_{account_id}" if path else f"act_{account_id}"
        raise SettingsError(
            f"The rules of an account cannot be used: {where}: {'; '.join(problems)}.", _MEND
        )
    return bounds, named, folder


def _said(table: _Table) -> dict[str, Any]:
    return {name: getattr(table, name) for name in table.model_fields_set - {"campaigns"}}


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
