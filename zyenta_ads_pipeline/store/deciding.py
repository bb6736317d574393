"""What a person decides about a proposed change: against what others decided, and in its place."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from zyenta_ads_pipeline.domain.change import ChangeState
from zyenta_ads_pipeline.domain.errors import InputError, Stale, TakenAlready
from zyenta_ads_pipeline.store.models import ChangeRow, JournalRow
from zyenta_ads_pipeline.store.proposals import check, insert_proposal
from zyenta_ads_pipeline.store.records import ChangeRecord, change_record
from zyenta_ads_pipeline.store.steps import Remark, step

BUYER = "buyer"
"""The policy's name on what a person asks for by hand."""
_APPROVED_ONCE = frozenset({ChangeState.APPROVED, ChangeState.SENDING, ChangeState.APPLIED})


def stands_so(row: ChangeRow, wanted: ChangeState) -> bool:
    """Whether a change stands already as a person wants it."""
    if wanted is ChangeState.APPROVED:
        return row.state in _APPROVED_ONCE
    return row.state is wanted


def require_decidable(
    row: ChangeRow, to_state: ChangeState, seen: datetime | None, session: Session
) -> None:
    """Raise `TakenAlready` unless a person may still take this step, and `Stale` unless the change
    is as it was `seen` (None: whatever it is)."""
    approved_yet = to_state is ChangeState.REJECTED and row.state is ChangeState.APPROVED
    if row.state is not ChangeState.PROPOSED and not approved_yet:
        last = session.scalars(
            select(JournalRow)
            .where(JournalRow.change_id == row.id, JournalRow.to_state == row.state)
            .order_by(JournalRow.id.desc())
            .limit(1)
        ).one()
        note = f": {last.note}" if last.note else ""
        raise TakenAlready(
            f"Change {row.id} is {row.state.value} already, by {last.actor} at "
            f"{last.at:%Y-%m-%d %H:%M} UTC{note}.",
            "Nothing was done. Look at the changes again.",
        )
    if seen is not None and row.updated_at != seen:
        raise Stale(
            f"Change {row.id} has changed since you looked at it, so nothing was done.",
            "Look at it again, and decide anew.",
        )


def replace_proposal(
    session: Session, row: ChangeRow, new_value: str, *, actor: str, now: datetime, approve: bool
) -> ChangeRecord:
    """Supersede a loaded proposal by a person's own value; the caller holds the lock."""
    if new_value in (row.old_value, row.new_value):
        same = "is what it is now" if new_value == row.old_value else "is what is proposed"
        raise InputError(
            f"{new_value} {same} already.", "Reject the change to keep it, or approve it."
        )
    before = change_record(row).change
    made = type(before)(
        platform=before.platform,
        account_id=before.account_id,
        campaign_id=before.campaign_id,
        level=before.level,
        object_id=before.object_id,
        object_name=before.object_name,
        field=before.field,
        old_value=before.old_value,
        new_value=new_value,
        currency=before.currency,
        reason=f"{actor} chose another value than was proposed because: {before.reason}",
        confidence=Decimal(1),
        policy=BUYER,
        decision_id=f"{BUYER}:edit:{row.id}",
        decided_at=now,
        metrics={"edits": row.id},
    )
    check(made)
    step(session, row, ChangeState.SUPERSEDED, Remark(actor, now, f"{actor} chose {new_value}"))
    taken = insert_proposal(session, made, actor=actor, now=now, approve=False)
    if approve:
        step(session, taken, ChangeState.APPROVED, Remark(actor, now, "the buyer's own value"))
    return change_record(taken)
