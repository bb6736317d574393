"""Decisions on budgets and the changes they lead to, with the states a change goes through."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from zyenta_ads_pipeline.domain.ads import Level


class BudgetAction(StrEnum):
    """What a policy says about a campaign's budget (the seeds' four)."""

    INCREASE = "increase"
    DECREASE = "decrease"
    MAINTAIN = "maintain"
    PAUSE = "pause"


class Autopilot(StrEnum):
    """How far the pipeline may act by itself."""

    WATCH = "watch"
    """Propose only."""
    APPROVE = "approve"
    """A person confirms each change."""
    AUTO = "auto"
    """Approved by itself, within the guardrails."""


class ChangeField(StrEnum):
    """What a change sets. Values are texts: whole minor units, or a status."""

    DAILY_BUDGET = "daily_budget"
    STATUS = "status"


class ChangeState(StrEnum):
    """Where a change stands in the outbox."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    SENDING = "sending"
    APPLIED = "applied"
    REJECTED = "rejected"
    SUPERSEDED = "superseded"
    CONFLICT = "conflict"
    FAILED = "failed"


TRANSITIONS: dict[ChangeState, frozenset[ChangeState]] = {
    ChangeState.PROPOSED: frozenset(
        {ChangeState.APPROVED, ChangeState.REJECTED, ChangeState.SUPERSEDED}
    ),
    ChangeState.APPROVED: frozenset(
        {
            ChangeState.SENDING,
            ChangeState.REJECTED,
            ChangeState.SUPERSEDED,
            ChangeState.CONFLICT,
            ChangeState.FAILED,
        }
    ),
    ChangeState.SENDING: frozenset(
        {ChangeState.APPLIED, ChangeState.APPROVED, ChangeState.CONFLICT, ChangeState.FAILED}
    ),
    ChangeState.APPLIED: frozenset(),
    ChangeState.REJECTED: frozenset(),
    ChangeState.SUPERSEDED: frozenset(),
    ChangeState.CONFLICT: frozenset(),
    ChangeState.FAILED: frozenset(),
}
"""The allowed steps. SENDING goes back to APPROVED only when it is known that nothing was
written."""


@dataclass(frozen=True)
class Decision:
    """What one policy says about one campaign, on the data of one window.

    `new_budget` is in major units of the account's currency, exact and not yet rounded; None
    leaves the budget alone, 0 goes with PAUSE. `confidence` is between 0 and 1.
    """

    action: BudgetAction
    new_budget: Decimal | None
    reason: str
    confidence: Decimal


@dataclass(frozen=True)
class ProposedChange:
    """An absolute value to be written to one object, with the value that was seen.

    `old_value` and `new_value` are texts as Meta writes them: whole minor units for a budget,
    a status word otherwise. `metrics` is what was known when the decision was taken.
    """

    platform: str
    account_id: str
    campaign_id: str
    level: Level
    object_id: str
    object_name: str
    field: ChangeField
    old_value: str
    new_value: str
    currency: str
    reason: str
    confidence: Decimal
    policy: str
    decision_id: str
    decided_at: datetime
    metrics: dict[str, str | None] = dataclasses.field(default_factory=dict)
