"""Guardrails: what bounds the writes to one account, and the answers a change may get."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from zyenta_ads_pipeline.domain.errors import SettingsError

META_CHANGES_PER_HOUR = 4
"""Meta refuses a fifth budget change of one ad set within an hour."""


@dataclass(frozen=True, kw_only=True)
class CampaignRails:
    """One campaign's own limits: `cap_minor` bounds the sum of its budgets, beside the account's.

    `locked`: a person pinned its budget. `watched`: the autopilot may only propose for it.
    """

    cap_minor: int | None = None
    locked: bool = False
    watched: bool = False


@dataclass(frozen=True, kw_only=True)
class Guardrails:
    """The limits of one account. Amounts are a day's, in minor units of its currency.

    What has no default must be said, None included: a limit is absent because somebody chose
    so, never because it was forgotten. `max_step` is a share of the live budget (0.20 for
    20 %); `max_total_minor` bounds the sum of all active daily budgets.

    `max_day_change` bounds the sum of a day's changes, up or down, as a share of the account's
    budgets; None: the step's share. `max_week_growth` is how far these may grow within a week
    where no total bounds them, `max_week_change` how far one budget may move; None: no limit.
    """

    kill_switch: bool = False
    max_step: Decimal | None
    max_day_change: Decimal | None = None
    max_week_growth: Decimal | None = Decimal("0.50")
    max_week_change: Decimal | None = None
    max_changes_per_hour: int = META_CHANGES_PER_HOUR
    max_budget_changes_per_day: int = 1
    minimum_minor: int
    cap_minor: int | None
    max_total_minor: int | None
    campaigns: Mapping[str, CampaignRails] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("max_step", "max_day_change", "max_week_growth", "max_week_change"):
            share: Decimal | None = getattr(self, name)
            if share is not None and not (share.is_finite() and share >= 0):
                raise SettingsError(
                    f"The guardrail {name} is {share}.",
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

    @property
    def day_change(self) -> Decimal | None:
        """What the changes of a day may come to, as a share of the account's budgets."""
        return self.max_step if self.max_day_change is None else self.max_day_change

    def for_a_person(self) -> Guardrails:
        """The same for what a person asks for by hand: further than a step, on a campaign that is
        locked or watched, as often as wanted. Minimum, caps and total stay."""
        own = {
            campaign: dataclasses.replace(rails, locked=False, watched=False)
            for campaign, rails in self.campaigns.items()
        }
        return dataclasses.replace(
            self,
            max_step=None,
            max_day_change=None,
            max_week_growth=None,
            max_week_change=None,
            campaigns=own,
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
    WATCHED = "watched"
    OBJECT_GONE = "object_gone"
    INVALID = "invalid"
    ALREADY = "already"
    EDITED = "edited"
    LOCKED = "locked"
    HOUR = "hour"
    DAY = "day"
    MINIMUM = "minimum"
    CAP = "cap"
    CAMPAIGN_CAP = "campaign_cap"
    STEP = "step"
    DAY_CHANGE = "day_change"
    WEEK_CHANGE = "week_change"
    WEEK_GROWTH = "week_growth"
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
