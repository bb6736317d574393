"""The last look at one change before it is written.

It fails closed: what is not configured, or not known where a rule needs it, refuses the write.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction

from zyenta_ads_pipeline.domain import money
from zyenta_ads_pipeline.domain.change import ChangeField, ProposedChange
from zyenta_ads_pipeline.optimizer.change_limits import (
    Moved,
    day_is_full,
    grows_too_fast,
    strays_too_far,
)
from zyenta_ads_pipeline.optimizer.guardrails import (
    CampaignRails,
    Guardrails,
    Rule,
    Verdict,
    VerdictKind,
)

_GONE = frozenset({"ARCHIVED", "DELETED"})
_ACTIVE = "ACTIVE"
_PAUSED = "PAUSED"


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
    moved: Moved | None = None,
    campaign_others_minor: int | None = 0,
) -> Verdict:
    """Whether `change` may be written now; the first rule that objects gives the answer.

    `live_value` and `live_status` are read from the platform just before. `changes_last_hour`
    counts writes to this object, `changes_today` budget changes of its campaign on the
    account's day. `now` is aware and in the account's time zone. `committed_total_minor` is the
    sum of all active daily budgets of the account at this moment, in minor units, including
    this object's own when it is active; for a change to ACTIVE it already includes the budget
    that would be switched on. None when it is not known.

    A change to PAUSED is stopped only by missing configuration, the kill switch, an autopilot that
    only watches, a gone object and a conflict: stopping must always be possible.
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
        moved=moved or Moved(),
        others=campaign_others_minor,
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
    moved: Moved
    others: int | None

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
    def own(self) -> CampaignRails:
        """The campaign's own limits; none unless somebody set them."""
        return self.rails.campaigns.get(self.change.campaign_id, CampaignRails())

    @property
    def mends(self) -> bool:
        """Whether this moves the budget from below the minimum or above a cap to exactly that
        bound: no limit on the size of a change may keep it stuck where it must not be."""
        bounds = [self.rails.cap_minor]
        if self.own.cap_minor is not None and self.others is not None:
            bounds.append(self.own.cap_minor - self.others)
        lowered = any(most is not None and self.live > self.new == most for most in bounds)
        return lowered or self.live < self.new == self.rails.minimum_minor

    @property
    def tomorrow(self) -> datetime:
        """When the account's next day begins."""
        day = self.now.date() + timedelta(days=1)
        return datetime.combine(day, time.min, tzinfo=self.now.tzinfo)

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


def _watched(case: _Case) -> Verdict | None:
    if not case.own.watched:
        return None
    return _blocked(
        Rule.WATCHED, f"The autopilot only watches the campaign of {case.name}: nothing is written."
    )


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


def _locked(case: _Case) -> Verdict | None:
    if not case.own.locked:
        return None
    return _blocked(
        Rule.LOCKED, f"A person locked the budget of the campaign: {case.name} keeps what it has."
    )


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
        case.tomorrow,
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


def _campaign_cap(case: _Case) -> Verdict | None:
    most = case.own.cap_minor
    if most is None or case.new < case.live:
        return None
    if case.others is None:
        return _blocked(
            Rule.CAMPAIGN_CAP,
            f"The campaign's other budgets are not known, so its cap of {case.show(most)} cannot "
            "be guarded and nothing is raised.",
        )
    after = case.new + case.others
    if after <= most:
        return None
    return _blocked(
        Rule.CAMPAIGN_CAP,
        f"With this the campaign has {case.show(after)} a day, above its own cap of "
        f"{case.show(most)}.",
    )


def _step(case: _Case) -> Verdict | None:
    step, live, new = case.rails.max_step, case.live, case.new
    if step is None or case.mends or abs(new - live) <= live * Fraction(step) + 1:
        return None
    return _blocked(
        Rule.STEP,
        f"From {case.show(live)} to {case.show(new)} is more than the allowed step of "
        f"{_percent(step)}.",
    )


def _day_change(case: _Case) -> Verdict | None:
    share = case.rails.day_change
    if share is None or case.mends or case.live_status != _ACTIVE:
        return None
    # The account has at least the object's own budget: where that is enough, the sum of all is not
    # asked for.
    known = case.live if case.committed is None else case.committed
    if not day_is_full(case.moved, case.new - case.live, known, share):
        return None
    if case.committed is None:
        return _sum_unknown(Rule.DAY_CHANGE)
    return _blocked(
        Rule.DAY_CHANGE,
        f"Today's changes come to {case.show(case.moved.day_minor)}. With this they go beyond "
        f"{_percent(share)} of the account's budgets. It can be tried again tomorrow.",
        case.tomorrow,
    )


def _week_change(case: _Case) -> Verdict | None:
    share = case.rails.max_week_change
    if share is None or case.mends:
        return None
    if not strays_too_far(case.moved, case.live, case.new, share):
        return None
    start = case.live if case.moved.start_minor is None else case.moved.start_minor
    return _blocked(
        Rule.WEEK_CHANGE,
        f"{case.name} had {case.show(start)} a week ago and may move by {_percent(share)} within a "
        f"week, which {case.show(case.new)} goes beyond.",
        case.tomorrow,
    )


def _week_growth(case: _Case) -> Verdict | None:
    share = case.rails.max_week_growth
    # A total is a person's word on what the account may come to.
    if share is None or case.rails.max_total_minor is not None:
        return None
    if case.mends or case.new < case.live or case.live_status != _ACTIVE:
        return None
    known = case.live if case.committed is None else case.committed
    if not grows_too_fast(case.moved, case.new - case.live, known, share):
        return None
    if case.committed is None:
        return _sum_unknown(Rule.WEEK_GROWTH)
    return _blocked(
        Rule.WEEK_GROWTH,
        f"With this the account's daily budgets come to "
        f"{case.show(case.committed + case.new - case.live)}, more than {_percent(share)} above "
        f"the {case.show(max(case.committed - case.moved.week_net_minor, 0))} of a week ago. A "
        "total set for the account takes the place of this limit.",
        case.tomorrow,
    )


def _sum_unknown(rule: Rule) -> Verdict:
    return _blocked(
        rule,
        "The sum of the account's budgets is not known, so it cannot be told how far today's and "
        "this week's changes go.",
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
    _watched,
    _gone,
    _valid_budget,
    _same_budget,
    _locked,
    _hour,
    _day,
    _minimum,
    _cap,
    _campaign_cap,
    _step,
    _day_change,
    _week_change,
    _week_growth,
    _total,
)
_STATUS_RULES = (_kill_switch, _watched, _gone, _valid_status, _same_status, _hour, _total)


def _word(text: str) -> str:
    """A status as Meta writes it."""
    return text.strip().upper()


def _amount(text: str) -> int | None:
    """A budget as Meta writes it, in whole minor units; None for anything else."""
    digits = text.strip()
    return int(digits) if digits.isascii() and digits.isdigit() else None


def _percent(share: Decimal) -> str:
    return f"{float(share * 100):g} %"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _already(reason: str) -> Verdict:
    return Verdict(VerdictKind.ALREADY, reason, Rule.ALREADY)


def _edited(reason: str) -> Verdict:
    return Verdict(VerdictKind.CONFLICT, reason, Rule.EDITED)


def _blocked(rule: Rule, reason: str, retry_after: datetime | None = None) -> Verdict:
    return Verdict(VerdictKind.BLOCKED, reason, rule, retry_after)
