"""Taking an applied change back: a new change, approved and pushed like any other."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from zyenta_ads_pipeline.campaigns.live import in_words
from zyenta_ads_pipeline.domain.change import ChangeState, ProposedChange
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.store.outbox import Outbox
from zyenta_ads_pipeline.store.records import ChangeRecord

UNDO_POLICY = "undo"
"""The policy's name on such a change. It is a person's own wish to have back what was there."""
BUYER_POLICY = "buyer"
"""The policy's name on what a person asks for by hand."""
OWN_WISHES = frozenset({UNDO_POLICY, BUYER_POLICY})
"""A person may go further than the autopilot: beyond a step, and more than once a day."""


def undo(
    outbox: Outbox, change_id: str, *, actor: str, now: datetime, approve: bool = False
) -> ChangeRecord:
    """Propose a change that restores the value from before `change_id`; returns that change.

    Raises `InputError` unless the change is APPLIED, was written by us, and is the last one
    written to that object's field; and when another change to it is approved or on its way.
    """
    done = outbox.get(change_id)
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
    siblings = [
        other
        for other in outbox.find(object_id=done.change.object_id)
        if other.change.field is done.change.field
    ]
    later = [
        other
        for other in siblings
        if other.state is ChangeState.APPLIED
        and other.written_at is not None
        and (other.written_at, other.number) > (done.written_at, done.number)
    ]
    if later:
        raise InputError(
            f"Change {later[-1].id} was applied to the same object after change {done.id}.",
            "Undo the later one first.",
        )
    prefix = f"{UNDO_POLICY}:{done.id}:"
    earlier = sum(other.change.decision_id.startswith(prefix) for other in siblings)
    proposal = _reverse(done, f"{prefix}{earlier + 1}", now)
    result = outbox.propose([proposal], actor=actor, now=now, approve=approve)
    if result.refused:
        refusal = result.refused[0]
        raise InputError(
            f"Change {done.id} cannot be undone now: {refusal.note}.",
            f"Wait for change {refusal.open_id} or reject it.",
        )
    return (result.inserted or result.known)[0]


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
