"""One step of one change: the state and its journal row, together or not at all.

Every change of a state in the store goes through `step`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from zyenta_ads_pipeline.domain.change import TRANSITIONS, ChangeState
from zyenta_ads_pipeline.domain.errors import InputError, NotThere, StorageError
from zyenta_ads_pipeline.store.models import ChangeRow, JournalRow


@dataclass(frozen=True)
class Remark:
    """What the journal says about a step: who, when (aware), in which words, on what reply."""

    actor: str
    at: datetime
    note: str = ""
    reply: Mapping[str, Any] | None = None
    trace_id: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    """Further columns of `changes` to set: lease, claim, attempt, moments."""


def load(session: Session, change_id: str) -> ChangeRow:
    """The change's row, locked until the transaction ends; `InputError` if there is none."""
    row = session.scalars(
        select(ChangeRow).where(ChangeRow.id == change_id).with_for_update()
    ).one_or_none()
    if row is None:
        raise NotThere(f"There is no change {change_id!r}.", "List the changes to see their ids.")
    return row


def load_all(session: Session, change_ids: Collection[str]) -> list[ChangeRow]:
    """As `load`, for several; locked in the order of their ids, so that no two wait in a ring."""
    return [load(session, change_id) for change_id in sorted(set(change_ids))]


def require(row: ChangeRow, to_state: ChangeState) -> None:
    """`InputError` naming both states unless the step is one of `domain.change.TRANSITIONS`."""
    if to_state not in TRANSITIONS[row.state]:
        allowed = ", ".join(sorted(state.value for state in TRANSITIONS[row.state]))
        raise InputError(
            f"Change {row.id} is {row.state.value} and cannot become {to_state.value}.",
            f"From {row.state.value} it can become: {allowed or 'nothing, it is settled'}.",
        )


def step(session: Session, row: ChangeRow, to_state: ChangeState, remark: Remark) -> None:
    """Move a loaded row to `to_state` and write the journal, in the caller's transaction.

    Raises `InputError` for a step that is not allowed, and `StorageError` if the row has
    moved since it was loaded.
    """
    require(row, to_state)
    from_state = row.state
    moved = session.execute(
        update(ChangeRow)
        .where(ChangeRow.id == row.id, ChangeRow.state == from_state)
        .values(state=to_state, updated_at=remark.at, last_note=remark.note, **remark.values)
        .returning(ChangeRow.id)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if moved is None:
        raise StorageError(
            f"Change {row.id} left the state {from_state.value} while it was being moved.",
            "Read it again.",
        )
    session.refresh(row)
    write_journal(session, row, from_state, remark)


def add_note(session: Session, row: ChangeRow, remark: Remark) -> None:
    """Add a remark to a loaded row without moving it."""
    row.updated_at = remark.at
    row.last_note = remark.note
    for column, value in remark.values.items():
        setattr(row, column, value)
    session.flush()
    write_journal(session, row, row.state, remark)


def write_journal(
    session: Session, row: ChangeRow, from_state: ChangeState | None, remark: Remark
) -> None:
    """Append the journal row of a step that led to the row's present state."""
    session.add(
        JournalRow(
            change_id=row.id,
            at=remark.at,
            from_state=from_state,
            to_state=row.state,
            actor=remark.actor,
            note=remark.note,
            old_value=row.old_value,
            new_value=row.new_value,
            confidence=row.confidence,
            metrics=row.metrics,
            platform_reply=None if remark.reply is None else dict(remark.reply),
            trace_id=remark.trace_id,
        )
    )
    session.flush()
