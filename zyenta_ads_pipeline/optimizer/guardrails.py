"""Guardrails: the last look at one change before it is written.

They fail closed: what is not configured, or not known where a rule needs it, refuses the write.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from zyenta_ads_pipeline.domain import money
from zyenta_ads_pipeline.domain.change import ChangeField, ProposedChange
from zyenta_ads_pipeline.domain.errors import SettingsError

META_CHANGES_PER_HOUR = 4
"""Meta refuses a fifth budget change of one ad set within an hour."""

_GONE = frozenset({"ARCHIVED", "DELETED"})
_ACTIVE = "ACTIVE"
_PAUSED = "PAUSED"


@dataclass(frozen=True, kw_only=True)
class Guardrails:
    """The limits of one account. Amounts are a day's, in minor units of its currency.

    What has no default must be said, None included: a limit is absent because somebody chose
    so, never because it was forgotten. `max_step` is a share of the live budget (0.20 for
    20 %); `max_total_minor` bounds the sum of all active daily budgets.
    """

    kill_switch: bool = False
    max_step: Decimal | None
    max_changes_per_hour: int = META_CHANGES_PER_HOUR
    max_budget_changes_per_day: int = 1
    minimum_minor: int
    cap_minor: int | None
    max_total_minor: int | None

    def __post_init__(self) -> None:
        if self.max_step is not None and not (self.max_step.is_finite() and self.max_step >= 0):
            raise SettingsError(
                f"The guardrail max_step is {self.max_step}.",
                "Write it as a share, as in 0.20 for 20 %.",
            )
        if not 1 <= self.max_changes_per_hour <= META_CHANGES_PER_HOUR:
            raise SettingsError(
                f"The guardrail max_changes_per_hour is {self.max_changes_per_hour}.",
                f"Set 1 to {META_CHANGES_PER_HOUR}: Meta itself allows no more.",
            )
        if self.max_budget_changes_per_day < 1:
            raise SettingsError(
                f"The guardrail max_budget_changes_per_day is {self.max_budget_changes_per_day}.",
                "Set 1 or more; the kill switch stops all changes.",
            )
        if self.minimum_minor < 1:
            raise SettingsError(
                f"The guardrail minimum_minor is {self.minimum_minor}.",
                "Set the account's smallest daily budget in minor units, at least 1.",
            )
        if self.cap_minor is not None and self.cap_minor < self.minimum_minor:
            raise SettingsError(
                f"The guardrail cap_minor ({self.cap_minor}) is below minimum_minor "
                f"({self.minimum_minor}).",
                "Raise the cap or lower the minimum.",
            )
        if self.max_total_minor is not None and self.max_total_minor < 0:
            raise SettingsError(
                f"The guardrail max_total_minor is {self.max_total_minor}.", "Set 0 or more."
            )


class VerdictKind(StrEnum):
    """What may be done with a change."""

    OK = "ok"
    """Write it."""
    ALREADY = "already"
    """The object has the value already: nothing to write."""
    BLOCKED = "blocked"
    """A rule forbids it, for now or for good."""
    CONFLICT = "conflict"
    """The object is no longer as the decision saw it: somebody else changed it."""


class Rule(StrEnum):
    """The rules, in the order in which they are asked."""

    NOT_CONFIGURED = "not_configured"
    KILL_SWITCH = "kill_switch"
    OBJECT_GONE = "object_gone"
    INVALID = "invalid"
    ALREADY = "already"
    EDITED = "edited"
    HOUR = "hour"
    DAY = "day"
    MINIMUM = "minimum"
    CAP = "cap"
    STEP = "step"
    TOTAL = "total"


@dataclass(frozen=True)
class Verdict:
    """The answer for one change. `rule` is None only for OK.

    `retry_after` is set where waiting helps: the moment at which the rule is surely over.
    """

    kind: VerdictKind
    reason: str
    rule: Rule | None = None
    retry_after: datetime | None = None


def check(
    change: ProposedChange,
    *,
    live_value: str,
    live_status: str,
    changes_last_hour: int,
    changes_today: int,
    committed_total_minor: int | None,
    now: datetime,
    guardrails: Guardrails | None,
) -> Verdict:
    """Whether `change` may be written now; the first rule that objects gives the answer.

    `live_value` and `live_status` are read from the platform just before. `changes_last_hour`
    counts writes to this object, `changes_today` budget changes of its campaign on the
    account's day. `now` is aware and in the account's time zone. `committed_total_minor` is the
    sum of all active daily budgets of the account at this moment, in minor units, including
    this object's own when it is active; for a change to ACTIVE it already includes the budget
    that would be switched on. None when it is not known.

    A change to PAUSED is stopped only by missing configuration, the kill switch, a gone object
    and a conflict: stopping must always be possible.
    """
    if now.tzinfo is None:
        raise ValueError("now must carry the account's time zone")
    if changes_last_hour < 0 or changes_today < 0:
        raise ValueError("changes are counted from zero")
    if guardrails is None:
        return _blocked(
            Rule.NOT_CONFIGURED, "No guardrails are set for this account, so nothing is written."
        )
    case = _Case(
        change=change,
        live_value=live_value.strip(),
        live_status=live_status.strip().upper(),
        changes_last_hour=changes_last_hour,
        changes_today=changes_today,
        committed=committed_total_minor,
        now=now,
        rails=guardrails,
    )
    rules = _BUDGET_RULES if change.field is ChangeField.DAILY_BUDGET else _STATUS_RULES
    for rule in rules:
        verdict = rule(case)
        if verdict is not None:
            return verdict
    return Verdict(VerdictKind.OK, f"{case.name} may be changed.")


@dataclass(frozen=True)
class _Case:
    """What one check knows."""

    change: ProposedChange
    live_value: str
    live_status: str
    changes_last_hour: int
    changes_today: int
    committed: int | None
    now: datetime
    rails: Guardrails

    @property
    def name(self) -> str:
        return self.change.object_name or f"{self.change.level.value} {self.change.object_id}"

    @property
    def new(self) -> int:
        """The new budget; `_valid_budget` comes before every rule that asks."""
        return int(self.change.new_value)

    @property
    def live(self) -> int:
        """The live budget; `_same_budget` comes before every rule that asks."""
        return int(self.live_value)

    @property
    def stops(self) -> bool:
        """Whether this stops spending, which no rule on budgets may prevent."""
        return self.change.field is ChangeField.STATUS and _word(self.change.new_value) == _PAUSED

    def show(self, minor: int) -> str:
        currency = self.change.currency
        return money.show(money.to_major(minor, currency), currency)


def _kill_switch(case: _Case) -> Verdict | None:
    if not case.rails.kill_switch:
        return None
    return _blocked(Rule.KILL_SWITCH, "The kill switch is on: nothing is written until it is off.")


def _gone(case: _Case) -> Verdict | None:
    if not case.live_status:
        return _blocked(
            Rule.OBJECT_GONE, f"The status of {case.name} could not be read from the platform."
        )
    if case.live_status in _GONE:
        return _blocked(
            Rule.OBJECT_GONE, f"{case.name} is {case.live_status.lower()} and cannot be changed."
        )
    return None


def _valid_status(case: _Case) -> Verdict | None:
    if _word(case.change.new_value) in (_ACTIVE, _PAUSED):
        return None
    # Archiving and deleting cannot be undone, so they are no business of an autopilot.
    return _blocked(
        Rule.INVALID,
        f"{case.name} can be set active or paused, not {case.change.new_value!r}.",
    )


def _same_status(case: _Case) -> Verdict | None:
    new, old, live = (
        _word(text) for text in (case.change.new_value, case.change.old_value, case.live_value)
    )
    if live == new:
        return _already(f"{case.name} is {new.lower()} already: nothing to do.")
    if live != old:
        return _edited(
            f"{case.name} was {old.lower() or 'unknown'} when this was decided and is "
            f"{live.lower() or 'unknown'} now: somebody else changed it."
        )
    return None


def _valid_budget(case: _Case) -> Verdict | None:
    if _amount(case.change.new_value) is not None:
        return None
    return _blocked(
        Rule.INVALID,
        f"{case.change.new_value!r} is no budget in whole minor units, so it is not written.",
    )


def _same_budget(case: _Case) -> Verdict | None:
    old, live = _amount(case.change.old_value), _amount(case.live_value)
    if live is None:
        return _edited(f"{case.name} has no daily budget any more: somebody else changed it.")
    if live == case.new:
        return _already(f"The budget of {case.name} is {case.show(live)} already: nothing to do.")
    if live != old:
        before = "unknown" if old is None else case.show(old)
        return _edited(
            f"The budget of {case.name} was {before} when this was decided and is "
            f"{case.show(live)} now: somebody else changed it."
        )
    return None


def _hour(case: _Case) -> Verdict | None:
    most = case.rails.max_changes_per_hour
    if case.stops or case.changes_last_hour < most:
        return None
    # Only the count is known, so the wait is the longest it can be. Added in UTC: an hour is
    # an hour, also across a change of the clocks.
    later = (case.now.astimezone(UTC) + timedelta(hours=1)).astimezone(case.now.tzinfo)
    return _blocked(
        Rule.HOUR,
        f"{case.name} was changed {_times(case.changes_last_hour)} within the last hour and may "
        f"be changed {_times(most)}. It can be tried again in an hour.",
        later,
    )


def _day(case: _Case) -> Verdict | None:
    most = case.rails.max_budget_changes_per_day
    if case.changes_today < most:
        return None
    return _blocked(
        Rule.DAY,
        f"The campaign's budget was changed {_times(case.changes_today)} today and may be changed "
        f"{_times(most)} a day. It can be tried again tomorrow.",
        datetime.combine(case.now.date() + timedelta(days=1), time.min, tzinfo=case.now.tzinfo),
    )


def _minimum(case: _Case) -> Verdict | None:
    least = case.rails.minimum_minor
    if case.new >= least:
        return None
    return _blocked(
        Rule.MINIMUM, f"{case.show(case.new)} a day is below the minimum of {case.show(least)}."
    )


def _cap(case: _Case) -> Verdict | None:
    most = case.rails.cap_minor
    if most is None or case.new <= most:
        return None
    return _blocked(Rule.CAP, f"{case.show(case.new)} a day is above the cap of {case.show(most)}.")


def _step(case: _Case) -> Verdict | None:
    step, live, new = case.rails.max_step, case.live, case.new
    if step is None or abs(new - live) <= live * Fraction(step) + 1:
        return None
    # From below the minimum or above the cap, the move to exactly that bound is allowed however
    # large: otherwise no value at all would be, and the budget stuck where it must not be.
    if live < new == case.rails.minimum_minor:
        return None
    if case.rails.cap_minor is not None and live > new == case.rails.cap_minor:
        return None
    return _blocked(
        Rule.STEP,
        f"From {case.show(live)} to {case.show(new)} is more than the allowed step of "
        f"{float(step * 100):g} %.",
    )


def _total(case: _Case) -> Verdict | None:
    most = case.rails.max_total_minor
    if most is None or case.stops:
        return None
    added = 0
    if case.change.field is ChangeField.DAILY_BUDGET:
        # A cut is never stopped by the total, whatever the rest of the account does.
        if case.new < case.live:
            return None
        # Of an object that is not active nothing is committed yet. It is counted as though it
        # were switched on, or a raise while it is paused would slip by the total.
        added = case.new - (case.live if case.live_status == _ACTIVE else 0)
    if case.committed is None:
        return _blocked(
            Rule.TOTAL,
            "The sum of the account's budgets is not known, so its total cannot be guarded "
            "and nothing is raised or switched on.",
        )
    after = case.committed + added
    if after <= most:
        return None
    return _blocked(
        Rule.TOTAL,
        f"With this the account's daily budgets come to {case.show(after)}, above the total of "
        f"{case.show(most)}.",
    )


_BUDGET_RULES = (
    _kill_switch,
    _gone,
    _valid_budget,
    _same_budget,
    _hour,
    _day,
    _minimum,
    _cap,
    _step,
    _total,
)
_STATUS_RULES = (_kill_switch, _gone, _valid_status, _same_status, _hour, _total)


def _word(text: str) -> str:
    """A status as Meta writes it."""
    return text.strip().upper()


def _amount(text: str) -> int | None:
    """A budget as Meta writes it, in whole minor units; None for anything else."""
    digits = text.strip()
    return int(digits) if digits.isascii() and digits.isdigit() else None


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _already(reason: str) -> Verdict:
    return Verdict(VerdictKind.ALREADY, reason, Rule.ALREADY)


def _edited(reason: str) -> Verdict:
    return Verdict(VerdictKind.CONFLICT, reason, Rule.EDITED)


def _blocked(rule: Rule, reason: str, retry_after: datetime | None = None) -> Verdict:
    return Verdict(VerdictKind.BLOCKED, reason, rule, retry_after)
