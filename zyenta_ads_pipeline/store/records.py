"""What the outbox hands out: plain values, free of any database session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from zyenta_ads_pipeline.domain.change import ChangeState, ProposedChange
from zyenta_ads_pipeline.store.models import ChangeRow, JournalRow


@dataclass(frozen=True)
class ChangeRecord:
    """A change as it stood in the outbox when read. Moments are UTC; `number` counts arrivals.

    After a claim, `claimed_by` and `attempt` together prove that the claim is still one's own.
    """

    id: str
    number: int
    change: ProposedChange
    state: ChangeState
    attempt: int
    lease_until: datetime | None
    claimed_by: str | None
    retry_after: datetime | None
    written_at: datetime | None
    created_at: datetime
    updated_at: datetime
    last_note: str


@dataclass(frozen=True)
class JournalEntry:
    """One line of a change's history; a note when both states are the same."""

    id: int
    change_id: str
    at: datetime
    from_state: ChangeState | None
    to_state: ChangeState
    actor: str
    note: str
    old_value: str
    new_value: str
    confidence: Decimal
    metrics: Mapping[str, str | None]
    platform_reply: Mapping[str, Any] | None
    trace_id: str


@dataclass(frozen=True)
class Refusal:
    """A proposal that was not taken in, and why; `open_id` is the change in its way."""

    change: ProposedChange
    open_id: str
    note: str


@dataclass(frozen=True)
class ProposalResult:
    """What became of a list of proposals; each is in exactly one of the first four.

    `known` were proposed before by the same decision, so a repeated run adds nothing.
    `superseded` are ids of older proposals that gave way.
    """

    inserted: tuple[ChangeRecord, ...]
    known: tuple[ChangeRecord, ...]
    unchanged: tuple[ProposedChange, ...]
    refused: tuple[Refusal, ...]
    superseded: tuple[str, ...]


def change_record(row: ChangeRow) -> ChangeRecord:
    """A row of `changes` as a plain value."""
    return ChangeRecord(
        id=row.id,
        number=row.number,
        change=ProposedChange(
            platform=row.platform,
            account_id=row.account_id,
            campaign_id=row.campaign_id,
            level=row.level,
            object_id=row.object_id,
            object_name=row.object_name,
            field=row.field,
            old_value=row.old_value,
            new_value=row.new_value,
            currency=row.currency,
            reason=row.reason,
            confidence=row.confidence,
            policy=row.policy,
            decision_id=row.decision_id,
            decided_at=row.decided_at,
            metrics=dict(row.metrics),
        ),
        state=row.state,
        attempt=row.attempt,
        lease_until=row.lease_until,
        claimed_by=row.claimed_by,
        retry_after=row.retry_after,
        written_at=row.written_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
        last_note=row.last_note,
    )


def journal_entry(row: JournalRow) -> JournalEntry:
    """A row of `change_journal` as a plain value."""
    return JournalEntry(
        id=row.id,
        change_id=row.change_id,
        at=row.at,
        from_state=row.from_state,
        to_state=row.to_state,
        actor=row.actor,
        note=row.note,
        old_value=row.old_value,
        new_value=row.new_value,
        confidence=row.confidence,
        metrics=dict(row.metrics),
        platform_reply=row.platform_reply,
        trace_id=row.trace_id,
    )
