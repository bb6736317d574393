"""What rules there are to set in the console, for people: their names, kinds and words; and how a
value that was typed is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from zyenta_ads_pipeline.account_rules import Said, read_table
from zyenta_ads_pipeline.campaigns.rules import AccountBounds
from zyenta_ads_pipeline.domain.change import Autopilot
from zyenta_ads_pipeline.domain.errors import FieldProblem, FieldsRefused, SettingsError
from zyenta_ads_pipeline.optimizer.ab_plan import Metric
from zyenta_ads_pipeline.optimizer.account import Goal
from zyenta_ads_pipeline.optimizer.policies import policy_names
from zyenta_ads_pipeline.settings import WINDOWS, Settings

AMOUNT, SHARE, WHOLE, CHOICE, YES_NO, TEXT = (
    "amount", "share", "whole", "choice", "yes_no", "text",
)  # fmt: skip
NOTHING_SAID = Said({}, {}, {}, {}, {})
_SETTINGS = frozenset({"policy", "window_days", "floor", "cap", "max_step", "total", "autopilot"})
"""Rules that a variable of the environment gives too."""
_LONGEST = 40


@dataclass(frozen=True)
class RuleSpec:
    """A rule: its name, what its value is, how it is called, and what it does."""

    name: str
    kind: str
    label: str
    help: str
    choices: tuple[str, ...] = ()
    may_be_none: bool = False


_AUTOPILOT = tuple(each.value for each in Autopilot)
ACCOUNT_RULES = (
    RuleSpec("autopilot", CHOICE, "Autopilot",
             "watch: changes are proposed only. approve: a person confirms each. auto: approved by "
             "itself, within the limits.", _AUTOPILOT),
    RuleSpec("policy", CHOICE, "Policy", "Who decides on budgets.", policy_names()),
    RuleSpec("goal", CHOICE, "Goal", "What the budget is to be spent for.",
             tuple(each.value for each in Goal)),
    RuleSpec("target", AMOUNT, "Target",
             "The ROAS for goal target_roas, or the cost of a conversion for target_cpa."),
    RuleSpec("margin", SHARE, "Margin", "Share of revenue that is left before ads, for goal "
             "profit."),
    RuleSpec("total", AMOUNT, "Daily total",
             "What all campaigns may spend in a day together; it is distributed over them.",
             may_be_none=True),
    RuleSpec("week_cap", AMOUNT, "Cap of a week",
             "What the account may spend from Sunday to Saturday, in Meta's pacing.",
             may_be_none=True),
    RuleSpec("floor", AMOUNT, "Least daily budget", "No active campaign gets less."),
    RuleSpec("cap", AMOUNT, "Most daily budget", "No campaign gets more.", may_be_none=True),
    RuleSpec("max_step", SHARE, "Largest step",
             "How far one change may move a budget: 0.2 is 20 %."),
    RuleSpec("max_day_change", SHARE, "Largest change of a day",
             "What all changes of a day may come to, as a share of the account's budgets."),
    RuleSpec("max_week_growth", SHARE, "Largest growth of a week",
             "How far the account's budgets may grow within a week without a total.",
             may_be_none=True),
    RuleSpec("max_week_change", SHARE, "Largest change of a week",
             "How far one campaign's budget may move within a week.", may_be_none=True),
    RuleSpec("dead_band", SHARE, "Dead band", "A smaller move is not worth a change."),
    RuleSpec("window_days", CHOICE, "Days looked at", "Complete days a decision looks at.",
             tuple(map(str, WINDOWS))),
    RuleSpec("cooldown_days", WHOLE, "Cool-down", "Days a budget stays as it was set."),
    RuleSpec("reversal_days", WHOLE, "Reversal", "Days before a move may be turned round."),
    RuleSpec("pause_days", WHOLE, "Days before a pause", "Days with spend that a pause needs."),
    RuleSpec("test_metric", CHOICE, "Creative tests compare", "What counts in a creative test.",
             tuple(each.value for each in Metric)),
    RuleSpec("test_days", WHOLE, "Longest test", "Days a creative test lasts at most."),
)  # fmt: skip
CAMPAIGN_RULES = (
    RuleSpec("autopilot", CHOICE, "Autopilot",
             "This campaign's own position; never further than the account's.", _AUTOPILOT,
             may_be_none=True),
    RuleSpec("locked", YES_NO, "Locked", "Nobody but a person changes its budget."),
    RuleSpec("floor", AMOUNT, "Least daily budget", "The account's, unless set.",
             may_be_none=True),
    RuleSpec("cap", AMOUNT, "Most daily budget", "The account's, unless set.", may_be_none=True),
)  # fmt: skip
"""Where "none" is given the account's own holds; to take the rule back says the same."""


def spec_of(name: str, *, of_campaign: bool) -> RuleSpec:
    """The rule of that name. Raises `FieldsRefused` for one that cannot be set here."""
    specs = CAMPAIGN_RULES if of_campaign else ACCOUNT_RULES
    for spec in specs:
        if spec.name == name:
            return spec
    whose = "a campaign" if of_campaign else "an account"
    names = ", ".join(spec.name for spec in specs)
    raise FieldsRefused(
        [FieldProblem(name[:40], f"{whose.capitalize()} has no rule {name[:40]!r} that can be set "
                      "here.", f"Set one of {names}.")]
    )  # fmt: skip


def read_given(spec: RuleSpec, given: Any) -> Any:
    """A value as the rules' models want it, None for "none". Raises `FieldsRefused`."""
    text = "none" if given is None else str(given).strip()
    if text.lower() == "none":
        if not spec.may_be_none:
            raise _refused(spec, "This rule cannot be none.", "Give a value, or take it back.")
        return None
    if isinstance(given, float):
        raise _refused(spec, f"{given} is not exact.", "Give the number as a text.")
    value: Any = text
    if len(text) > _LONGEST:
        raise _refused(spec, "The value is too long.", "Give a shorter one.")
    if spec.kind == YES_NO:
        words = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False,
                 "off": False, "0": False}  # fmt: skip
        if text.lower() not in words:
            raise _refused(spec, f"{text!r} is neither yes nor no.", "Give true or false.")
        value = words[text.lower()]
    elif spec.kind == CHOICE:
        if text not in spec.choices:
            raise _refused(spec, f"{text!r} cannot be chosen.",
                           f"Choose one of {', '.join(spec.choices)}.")  # fmt: skip
        value = int(text) if spec.name == "window_days" else text
    elif spec.kind == WHOLE:
        if not (text.isascii() and text.isdigit()):
            raise _refused(spec, f"{text!r} is no whole number.", "Give a number of days.")
        value = int(text)
    else:
        try:
            value = Decimal(text)
        except InvalidOperation:
            raise _refused(spec, f"{text!r} is no number.", "Write it like 0.2 or 50.") from None
    _require_valid(spec, value)
    return value


def _require_valid(spec: RuleSpec, value: Any) -> None:
    """By the models that the file is read with."""
    try:
        read_table({spec.name: value}, of_campaign=spec in CAMPAIGN_RULES)
    except SettingsError as error:
        must = error.what.replace("Input should be", "It must be")
        raise _refused(spec, f"{value} cannot be: {spec.label.lower()}.", must) from None


def rule_values(bounds: AccountBounds, policy: str) -> Mapping[str, Any]:
    """The values that hold, by the rules' names."""
    found = {
        spec.name: getattr(bounds, spec.name)
        for spec in ACCOUNT_RULES
        if hasattr(bounds, spec.name)
    }
    caution, tests = bounds.caution, bounds.tests
    return found | {
        "policy": policy,
        "cooldown_days": caution.cooldown_days,
        "reversal_days": caution.reversal_days,
        "pause_days": caution.pause_days,
        "test_metric": tests.metric,
        "test_days": tests.days,
    }


def default_bounds(settings: Settings) -> AccountBounds:
    """The bounds of the settings alone."""
    return AccountBounds(
        window_days=settings.decision_window,
        floor=settings.budget_floor,
        cap=settings.budget_cap,
        max_step=settings.max_step,
        total=settings.total_daily_budget,
        autopilot=settings.autopilot,
    )


def origin_of(name: str, said: Said) -> str:
    """Where an account's rule comes from: a value of `RuleOrigin`."""
    if name in said.of_console:
        return "console"
    if name in said.of_file:
        return "file"
    if name in said.of_all:
        return "file_all"
    return "settings" if name in _SETTINGS else "default"


def campaign_origin(name: str, campaign_id: str, said: Said) -> str:
    """Where a campaign's own rule comes from."""
    if name in said.campaigns_of_console.get(campaign_id, {}):
        return "console"
    return "file" if name in said.campaigns_of_file.get(campaign_id, {}) else "default"


def _refused(spec: RuleSpec, what: str, remedy: str) -> FieldsRefused:
    return FieldsRefused([FieldProblem(spec.name, what, remedy)])
