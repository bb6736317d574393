"""Taking in what the policies propose: what is new, what gives way, what is refused."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.change import ChangeField, ChangeState, ProposedChange
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.domain.money import offset
from zyenta_ads_pipeline.store.models import OPEN_STATES, ChangeRow
from zyenta_ads_pipeline.store.records import (
    ChangeRecord,
    ProposalResult,
    Refusal,
    change_record,
)
from zyenta_ads_pipeline.store.steps import Remark, add_note, step, write_journal

_WHOLE = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)
_BUDGET_LEVELS = frozenset({Level.CAMPAIGN, Level.ADSET})
_STATUSES = frozenset({"ACTIVE", "PAUSED"})


def check(change: ProposedChange) -> None:
    """`InputError` unless the change is one that can be written and undone.

    Budgets are whole minor units above zero, without leading zeros (values are compared as
    texts). A status is ACTIVE or PAUSED: archived and deleted objects do not come back.
    """
    where = f"The proposal for {change.object_id} ({change.field.value})"
    if not (change.object_id and change.account_id and change.decision_id and change.platform):
        raise InputError(f"{where} lacks its platform, account, object or decision.")
    if not 0 <= change.confidence <= 1:
        raise InputError(f"{where} has confidence {change.confidence}; it lies between 0 and 1.")
    if change.decided_at.tzinfo is None:
        raise InputError(f"{where} was decided at a moment without a time zone.")
    offset(change.currency)
    values = (change.old_value, change.new_value)
    if change.field is ChangeField.DAILY_BUDGET:
        if change.level not in _BUDGET_LEVELS:
            raise InputError(f"{where}: a {change.level.value} has no daily budget.")
        if not all(_WHOLE.fullmatch(value) for value in values):
            raise InputError(
                f"{where} goes from {change.old_value!r} to {change.new_value!r}.",
                "Budgets are whole minor units above zero, written in digits.",
            )
    elif change.level is Level.ACCOUNT or not set(values) <= _STATUSES:
        raise InputError(
            f"{where} goes from {change.old_value!r} to {change.new_value!r}.",
            "Only ACTIVE and PAUSED of a campaign, ad set or ad are set here.",
        )


@dataclass
class _Sorted:
    inserted: list[ChangeRow] = field(default_factory=list)
    known: list[ChangeRecord] = field(default_factory=list)
    unchanged: list[ProposedChange] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    superseded: list[str] = field(default_factory=list)


def take_in(
    session: Session,
    changes: Sequence[ProposedChange],
    *,
    actor: str,
    now: datetime,
    approve: bool,
) -> ProposalResult:
    """Sort the proposals against what is open; the caller holds the lock on proposals."""
    for change in changes:
        check(change)
    outcome = _Sorted()
    for change in changes:
        _take_one(session, change, outcome, actor=actor, now=now, approve=approve)
    return ProposalResult(
        inserted=tuple(change_record(row) for row in outcome.inserted),
        known=tuple(outcome.known),
        unchanged=tuple(outcome.unchanged),
        refused=tuple(outcome.refused),
        superseded=tuple(outcome.superseded),
    )


def _take_one(
    session: Session,
    change: ProposedChange,
    outcome: _Sorted,
    *,
    actor: str,
    now: datetime,
    approve: bool,
) -> None:
    same = session.scalars(
        select(ChangeRow).where(
            ChangeRow.decision_id == change.decision_id,
            ChangeRow.object_id == change.object_id,
            ChangeRow.field == change.field,
        )
    ).one_or_none()
    if same is not None:
        outcome.known.append(change_record(same))
        return
    older = session.scalars(
        select(ChangeRow)
        .where(
            ChangeRow.object_id == change.object_id,
            ChangeRow.field == change.field,
            ChangeRow.state.in_(OPEN_STATES),
        )
        .with_for_update()
    ).one_or_none()
    stays = older is not None and _stays(change, older)
    keeps = change.old_value == change.new_value
    if older is not None and not stays:
        words = "keeps the value" if keeps else f"wants {change.new_value}"
        remark = Remark(actor, now, f"superseded by decision {change.decision_id}, which {words}")
        step(session, older, ChangeState.SUPERSEDED, remark)
        outcome.superseded.append(older.id)
    if keeps:
        outcome.unchanged.append(change)
    elif older is not None and stays:
        refusal = _refusal(change, older)
        outcome.refused.append(refusal)
        add_note(session, older, Remark(actor, now, refusal.note))
    else:
        outcome.inserted.append(
            insert_proposal(session, change, actor=actor, now=now, approve=approve)
        )


def _stays(change: ProposedChange, older: ChangeRow) -> bool:
    """Whether `older` stays: it is approved or on its way, or its decision is the newer one."""
    return older.state is not ChangeState.PROPOSED or change.decided_at < older.decided_at


def _refusal(change: ProposedChange, older: ChangeRow) -> Refusal:
    newer = older.state is ChangeState.PROPOSED
    why = "comes from a newer decision" if newer else f"is {older.state.value}"
    return Refusal(
        change,
        older.id,
        f"decision {change.decision_id} wanted {change.new_value} and was refused, "
        f"because change {older.id} {why}",
    )


def insert_proposal(
    session: Session, change: ProposedChange, *, actor: str, now: datetime, approve: bool
) -> ChangeRow:
    """A new change with its journal; the caller holds the lock, and has sorted it in."""
    row = ChangeRow(
        id=secrets.token_hex(6),
        number=(session.scalar(select(func.max(ChangeRow.number))) or 0) + 1,
        platform=change.platform,
        account_id=change.account_id,
        campaign_id=change.campaign_id,
        level=change.level,
        object_id=change.object_id,
        object_name=change.object_name,
        field=change.field,
        old_value=change.old_value,
        new_value=change.new_value,
        currency=change.currency,
        reason=change.reason,
        confidence=change.confidence,
        policy=change.policy,
        decision_id=change.decision_id,
        decided_at=change.decided_at,
        metrics=dict(change.metrics),
        state=ChangeState.PROPOSED,
        attempt=1,
        created_at=now,
        updated_at=now,
        last_note=change.reason,
    )
    session.add(row)
    session.flush()
    write_journal(session, row, None, Remark(actor=actor, at=now, note=change.reason))
    if approve:
        step(session, row, ChangeState.APPROVED, Remark(actor, now, "approved by the autopilot"))
    return row
