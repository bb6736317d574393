"""Taking an applied change back: a new change, approved and pushed like any other."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from zyenta_ads_pipeline.campaigns.live import in_words
from zyenta_ads_pipeline.domain.change import ChangeState, ProposedChange
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.store.deciding import BUYER
from zyenta_ads_pipeline.store.outbox import Outbox
from zyenta_ads_pipeline.store.records import ChangeRecord

UNDO_POLICY = "undo"
"""The policy's name on such a change. It is a person's own wish to have back what was there."""
BUYER_POLICY = BUYER
"""The policy's name on what a person asks for by hand."""
OWN_WISHES = frozenset({UNDO_POLICY, BUYER_POLICY})
"""A person may go further than the autopilot: beyond a step, and more than once a day."""


def undo(
    outbox: Outbox, change_id: str, *, actor: str, now: datetime, approve: bool = False
) -> ChangeRecord:
    """Propose a change that restores the value from before `change_id`; returns that change.

    Raises `InputError` as `require_undo`, and when another change to the object's field is
    approved or on its way.
    """
    done = outbox.get(change_id)
    require_undo(outbox, done)
    prefix = f"{UNDO_POLICY}:{done.id}:"
    earlier = len(outbox.of_decision(prefix))
    proposal = _reverse(done, f"{prefix}{earlier + 1}", now)
    result = outbox.propose([proposal], actor=actor, now=now, approve=approve)
    if result.refused:
        refusal = result.refused[0]
        raise InputError(
            f"Change {done.id} cannot be undone now: {refusal.note}.",
            f"Wait for change {refusal.open_id} or reject it.",
        )
    return (result.inserted or result.known)[0]


def require_undo(outbox: Outbox, done: ChangeRecord) -> None:
    """Raise `InputError` unless the change is APPLIED, was written by us, and is the last one
    written to its object's field."""
    if done.state is not ChangeState.APPLIED:
        raise InputError(
            f"Change {done.id} is {done.state.value}; only an applied change can be undone.",
            "Reject it instead, if it is still open.",
        )
    if done.written_at is None:
        raise InputError(
            f"Change {done.id} wrote nothing, since the value was there already: "
            "there is nothing to undo."
        )
    later = outbox.last_over(done.id)
    if later is not None:
        raise InputError(
            f"Change {later} was applied to the same object after change {done.id}.",
            "Undo the later one first.",
        )


def _reverse(done: ChangeRecord, decision_id: str, now: datetime) -> ProposedChange:
    change = done.change
    old, new = in_words(change.old_value, change), in_words(change.new_value, change)
    return ProposedChange(
        platform=change.platform,
        account_id=change.account_id,
        campaign_id=change.campaign_id,
        level=change.level,
        object_id=change.object_id,
        object_name=change.object_name,
        field=change.field,
        old_value=change.new_value,
        new_value=change.old_value,
        currency=change.currency,
        reason=f"Undoes change {done.id} ({old} to {new}), which was made because: {change.reason}",
        confidence=Decimal(1),
        policy=UNDO_POLICY,
        decision_id=decision_id,
        decided_at=now,
        metrics={"undoes": done.id},
    )
