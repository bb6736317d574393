"""Proposals and helpers that the tests of the store and of the pushes share."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.change import (
    TRANSITIONS,
    ChangeField,
    ChangeState,
    ProposedChange,
)
from zyenta_ads_pipeline.store.outbox import Outbox
from zyenta_ads_pipeline.store.records import JournalEntry

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
_decisions = itertools.count(1)


def budget(
    object_id: str = "11", old: int = 10_000, new: int = 11_000, **more: Any
) -> ProposedChange:
    """A change of one ad set's daily budget, in cents; each call is a decision of its own."""
    change = ProposedChange(
        platform="meta",
        account_id="1",
        campaign_id=f"9{object_id}",
        level=Level.ADSET,
        object_id=object_id,
        object_name=f"Ad set {object_id}",
        field=ChangeField.DAILY_BUDGET,
        old_value=str(old),
        new_value=str(new),
        currency="EUR",
        reason="ROAS 4.2 is above the target of 3",
        confidence=Decimal("0.80"),
        policy="roas_thresholds",
        decision_id=f"d{next(_decisions)}",
        decided_at=NOW,
        metrics={"roas": "4.2", "cpa": None},
    )
    return replace(change, **more)


def status(
    object_id: str = "11", old: str = "ACTIVE", new: str = "PAUSED", **more: Any
) -> ProposedChange:
    """A change of one ad set's status."""
    change = budget(object_id)
    values: dict[str, Any] = {"field": ChangeField.STATUS, "old_value": old, "new_value": new}
    return replace(change, **values, **more)


def approved(outbox: Outbox, *changes: ProposedChange, now: datetime = NOW) -> list[str]:
    """The ids of `changes`, taken in and approved."""
    result = outbox.propose(changes, actor="test", now=now, approve=True)
    assert len(result.inserted) == len(changes), result
    return [record.id for record in result.inserted]


def replay(entries: Sequence[JournalEntry]) -> ChangeState:
    """The state that a journal leads to; fails on a step that is not allowed or not joined."""
    first, *others = entries
    assert first.from_state is None
    assert first.to_state is ChangeState.PROPOSED
    state: ChangeState = first.to_state
    for entry in others:
        assert entry.from_state is state
        assert entry.to_state is state or entry.to_state in TRANSITIONS[state]
        state = entry.to_state
    return state


def states(outbox: Outbox, change_id: str) -> list[ChangeState]:
    """The states a change went through, notes left out."""
    entries = outbox.journal(change_id)
    return [entry.to_state for entry in entries if entry.from_state is not entry.to_state]
