"""The outbox: every change on its way to a platform, and the journal of each of its steps.

Each method is one transaction. Each step is checked against `domain.change.TRANSITIONS` and
writes its journal row in the same transaction. All moments are aware; they are kept in UTC.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, distinct, func, or_, select
from sqlalchemy.orm import aliased

from zyenta_ads_pipeline.domain.change import (
    TRANSITIONS,
    ChangeField,
    ChangeState,
    ProposedChange,
)
from zyenta_ads_pipeline.domain.errors import InputError, NotThere
from zyenta_ads_pipeline.store.database import Store
from zyenta_ads_pipeline.store.deciding import replace_proposal, require_decidable, stands_so
from zyenta_ads_pipeline.store.models import OPEN_STATES, ChangeRow, JournalRow
from zyenta_ads_pipeline.store.proposals import take_in
from zyenta_ads_pipeline.store.records import (
    ChangeRecord,
    JournalEntry,
    ProposalResult,
    change_record,
    journal_entry,
)
from zyenta_ads_pipeline.store.steps import Remark, add_note, load, load_all, require, step


class ClaimLost(InputError):
    """The change is no longer held by this claim: another run has taken it over or settled it."""


@dataclass(frozen=True)
class Decision:
    """What became of a person's deciding: the changes moved, those that stood so already (approved:
    also what has gone on from there), and by id why the others were left as they are."""

    moved: Sequence[ChangeRecord]
    already: Sequence[ChangeRecord]
    refused: Mapping[str, InputError]


class Outbox:
    """The changes in one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def propose(
        self,
        changes: Sequence[ProposedChange],
        *,
        actor: str,
        now: datetime,
        approve: bool = False,
    ) -> ProposalResult:
        """Take in proposals; with `approve` they are approved at once (autopilot *auto*).

        An older PROPOSED change of the same object and field gives way to a newer decision
        (also to one that keeps the value). One that is APPROVED or SENDING stays: the new one is
        refused, with a note in the journal of the one in its way. The same decision proposing the
        same object and field again changes nothing. Raises `InputError`, and takes in nothing, if
        any proposal is malformed.
        """
        with self._store.write() as session:
            self._store.lock_proposals(session)
            return take_in(session, changes, actor=actor, now=now, approve=approve)

    def approve(
        self, change_ids: Collection[str], *, actor: str, now: datetime, note: str = ""
    ) -> list[ChangeRecord]:
        """PROPOSED → APPROVED, all of them or, with an `InputError`, none."""
        return self._move_all(change_ids, ChangeState.APPROVED, Remark(actor, now, note))

    def reject(
        self, change_ids: Collection[str], *, actor: str, reason: str, now: datetime
    ) -> list[ChangeRecord]:
        """PROPOSED or APPROVED → REJECTED, all of them or, with an `InputError`, none."""
        return self._move_all(change_ids, ChangeState.REJECTED, Remark(actor, now, reason))

    def decide(
        self,
        seen: Collection[str] | Mapping[str, datetime],
        to_state: ChangeState,
        *,
        actor: str,
        now: datetime,
        note: str = "",
    ) -> Decision:
        """A person's APPROVED or REJECTED of several changes, of each that allows it, together.

        With a mapping, each must have last changed at that moment. Refused is, with `TakenAlready`,
        what somebody decided otherwise or what has moved on, and with `Stale` what is not as it was
        seen. Raises `NotThere`, and moves none, if one is not there.
        """
        moments = seen if isinstance(seen, Mapping) else {}
        remark = Remark(actor, now, note)
        moved: list[ChangeRecord] = []
        already: list[ChangeRecord] = []
        refused: dict[str, InputError] = {}
        with self._store.write() as session:
            for row in load_all(session, list(seen)):
                if stands_so(row, to_state):
                    already.append(change_record(row))
                    continue
                try:
                    require_decidable(row, to_state, moments.get(row.id), session)
                except InputError as error:
                    refused[row.id] = error
                    continue
                step(session, row, to_state, remark)
                moved.append(change_record(row))
        return Decision(moved, already, refused)

    def replace(
        self, seen: ChangeRecord, new_value: str, *, actor: str, now: datetime, approve: bool
    ) -> ChangeRecord:
        """A person's own value in the place of a proposed one: that is SUPERSEDED, and the new
        change given back, APPROVED or PROPOSED. Both, or with an error neither.

        Raises `TakenAlready` where `seen` is not proposed any more, `Stale` where it has changed
        otherwise, `InputError` for a value that cannot be written.
        """
        with self._store.write() as session:
            self._store.lock_proposals(session)
            row = load(session, seen.id)
            require_decidable(row, ChangeState.SUPERSEDED, seen.updated_at, session)
            return replace_proposal(session, row, new_value, actor=actor, now=now, approve=approve)

    def claim(
        self, change_id: str, *, owner: str, lease: timedelta, now: datetime, note: str = ""
    ) -> ChangeRecord | None:
        """APPROVED → SENDING for `owner` until `now + lease`: of many who try, one gets it.

        None when another was faster or the change has been settled meanwhile. Raises
        `InputError` for a change that was never approved.
        """
        values = {"claimed_by": owner, "lease_until": now + lease, "retry_after": None}
        remark = Remark(owner, now, note or f"claimed by {owner}", values=values)
        return self._from_approved(change_id, ChangeState.SENDING, remark)

    def close(
        self,
        change_id: str,
        to_state: ChangeState,
        *,
        actor: str,
        now: datetime,
        note: str,
    ) -> ChangeRecord | None:
        """APPROVED → CONFLICT, FAILED or SUPERSEDED: settled without having been sent.

        None when another was faster. `InputError` for any other state to go to.
        """
        if to_state not in {ChangeState.CONFLICT, ChangeState.FAILED, ChangeState.SUPERSEDED}:
            raise InputError(f"Change {change_id} cannot be closed as {to_state.value}.")
        return self._from_approved(change_id, to_state, Remark(actor, now, note))

    def finish(
        self,
        held: ChangeRecord,
        to_state: ChangeState,
        *,
        actor: str,
        now: datetime,
        note: str,
        reply: Mapping[str, Any] | None = None,
        trace_id: str = "",
        written: bool = False,
        retry_after: datetime | None = None,
    ) -> ChangeRecord:
        """SENDING → `to_state`, if `held` (as claimed or read) is still how the row stands.

        `written` says that a write has reached the platform, or may have: it then counts
        against the limits. APPROVED gives the claim back and counts an attempt. Raises
        `ClaimLost` when the row has moved on, `InputError` for a step that is not allowed.
        """
        if to_state not in TRANSITIONS[ChangeState.SENDING]:
            raise InputError(
                f"Change {held.id} is {ChangeState.SENDING.value} and cannot become "
                f"{to_state.value}."
            )
        values: dict[str, Any] = {"lease_until": None, "claimed_by": None}
        if to_state is ChangeState.APPROVED:
            values |= {"attempt": held.attempt + 1, "retry_after": retry_after}
        if written:
            values["written_at"] = now
        with self._store.write() as session:
            row = load(session, held.id)
            if not _still_held(row, held):
                raise ClaimLost(
                    f"Change {held.id} is {row.state.value} (attempt {row.attempt}) and no longer "
                    f"held by {held.claimed_by}.",
                    "Read its journal: another run has looked after it.",
                )
            step(session, row, to_state, Remark(actor, now, note, reply, trace_id, values))
            return change_record(row)

    def holds(self, held: ChangeRecord, *, now: datetime) -> bool:
        """Whether the claim is still in force: not taken over, and its lease not over."""
        row = self.get(held.id)
        alive = row.lease_until is not None and now < row.lease_until
        return alive and _still_held(row, held)

    def note(
        self,
        change_id: str,
        *,
        actor: str,
        now: datetime,
        note: str,
        reply: Mapping[str, Any] | None = None,
        trace_id: str = "",
        retry_after: datetime | None = None,
    ) -> ChangeRecord:
        """Add a journal row without a step. `retry_after` replaces the change's own, if given."""
        values = {} if retry_after is None else {"retry_after": retry_after}
        with self._store.write() as session:
            row = load(session, change_id)
            add_note(session, row, Remark(actor, now, note, reply, trace_id, values))
            return change_record(row)

    def postpone(self, change_id: str, *, until: datetime, now: datetime) -> ChangeRecord:
        """Set an open change's `retry_after`, where there is nothing new for the journal.

        A change that has been settled meanwhile is left as it is.
        """
        with self._store.write() as session:
            row = load(session, change_id)
            if row.state in OPEN_STATES:
                row.retry_after, row.updated_at = until, now
                session.flush()
            return change_record(row)

    def get(self, change_id: str) -> ChangeRecord:
        """One change; `InputError` if there is none of that id."""
        with self._store.read() as session:
            row = session.get(ChangeRow, change_id)
            if row is None:
                raise NotThere(
                    f"There is no change {change_id!r}.", "List the changes to see their ids."
                )
            return change_record(row)

    def find(
        self,
        *,
        platform: str | None = None,
        account_id: str | None = None,
        object_id: str | None = None,
        states: Collection[ChangeState] = (),
        ids: Collection[str] | None = None,
        due: datetime | None = None,
        newest_first: bool = False,
        limit: int | None = None,
    ) -> list[ChangeRecord]:
        """Changes that fit every filter given, oldest first.

        `due` leaves out what need not be looked at before that moment: where `retry_after`, or
        the lease of one being sent, lies beyond it.
        """
        wanted: list[ColumnElement[bool]] = []
        if platform is not None:
            wanted.append(ChangeRow.platform == platform)
        if account_id is not None:
            wanted.append(ChangeRow.account_id == account_id)
        if object_id is not None:
            wanted.append(ChangeRow.object_id == object_id)
        if states:
            wanted.append(ChangeRow.state.in_(states))
        if ids is not None:
            wanted.append(ChangeRow.id.in_(ids))
        if due is not None:
            wanted += [
                or_(moment.is_(None), moment <= due)
                for moment in (ChangeRow.retry_after, ChangeRow.lease_until)
            ]
        order = ChangeRow.number.desc() if newest_first else ChangeRow.number.asc()
        with self._store.read() as session:
            rows = session.scalars(select(ChangeRow).where(*wanted).order_by(order).limit(limit))
            return [change_record(row) for row in rows]

    def overwritten(self, change_ids: Collection[str]) -> set[str]:
        """Those of these changes after which another of ours was written to the same field."""
        if not change_ids:
            return set()
        asked = select(ChangeRow.id).where(ChangeRow.id.in_(change_ids), _later().exists())
        with self._store.read() as session:
            return set(session.scalars(asked))

    def last_over(self, change_id: str) -> str | None:
        """The newest of the changes written over one; None where what it wrote still stands."""
        later = _later().order_by(_LATER.written_at.desc(), _LATER.number.desc()).limit(1)
        asked = select(later.scalar_subquery()).where(ChangeRow.id == change_id)
        with self._store.read() as session:
            return session.scalar(asked)

    def of_decision(self, prefix: str) -> list[ChangeRecord]:
        """The changes of the decisions whose ids begin so, oldest first."""
        known = ChangeRow.decision_id.startswith(prefix, autoescape=True)
        with self._store.read() as session:
            rows = session.scalars(select(ChangeRow).where(known).order_by(ChangeRow.number))
            return [change_record(row) for row in rows]

    def journal(self, change_id: str) -> list[JournalEntry]:
        """Every step and note of one change, in order."""
        with self._store.read() as session:
            rows = session.scalars(
                select(JournalRow).where(JournalRow.change_id == change_id).order_by(JournalRow.id)
            )
            return [journal_entry(row) for row in rows]

    def budget_writes(self, object_id: str, *, since: datetime) -> int:
        """How many budget writes of ours have reached one object from `since` on.

        A change that is being sent counts too: whether it arrived is not known yet.
        """
        with self._store.read() as session:
            return (
                session.scalar(
                    select(func.count())
                    .select_from(ChangeRow)
                    .where(ChangeRow.object_id == object_id, *_written_budget(since))
                )
                or 0
            )

    def budget_decisions(
        self, campaign_id: str, *, since: datetime, except_decision: str = ""
    ) -> int:
        """How many decisions have changed budgets of one campaign from `since` on.

        The ad sets of a campaign that one decision changes together count once;
        `except_decision` leaves out the one that is being carried out.
        """
        with self._store.read() as session:
            return (
                session.scalar(
                    select(func.count(distinct(ChangeRow.decision_id))).where(
                        ChangeRow.campaign_id == campaign_id,
                        ChangeRow.decision_id != except_decision,
                        *_written_budget(since),
                    )
                )
                or 0
            )

    def written_budgets(self, account_id: str, *, since: datetime) -> list[ChangeRecord]:
        """The budget writes of ours that have reached one account from `since` on, oldest first.

        A change that is being sent is among them: whether it arrived is not known yet.
        """
        with self._store.read() as session:
            rows = session.scalars(
                select(ChangeRow)
                .where(ChangeRow.account_id == account_id, *_written_budget(since))
                .order_by(ChangeRow.number)
            )
            return [change_record(row) for row in rows]

    def _move_all(
        self, change_ids: Collection[str], to_state: ChangeState, remark: Remark
    ) -> list[ChangeRecord]:
        with self._store.write() as session:
            rows = load_all(session, change_ids)
            problems = [problem for row in rows if (problem := _problem(row, to_state))]
            if problems:
                raise InputError(" ".join(problems), "Nothing was changed. Leave those out.")
            for row in rows:
                step(session, row, to_state, remark)
            return [change_record(row) for row in rows]

    def _from_approved(
        self, change_id: str, to_state: ChangeState, remark: Remark
    ) -> ChangeRecord | None:
        with self._store.write() as session:
            row = load(session, change_id)
            if row.state is ChangeState.PROPOSED:
                raise InputError(
                    f"Change {row.id} is {row.state.value} and cannot become {to_state.value}.",
                    "Approve it first.",
                )
            if row.state is not ChangeState.APPROVED:
                return None
            step(session, row, to_state, remark)
            return change_record(row)


def _problem(row: ChangeRow, to_state: ChangeState) -> str:
    """Why a person may not take this step; what is being sent belongs to the run that holds it."""
    if row.state is ChangeState.SENDING:
        return f"Change {row.id} is {row.state.value} and cannot become {to_state.value}."
    try:
        require(row, to_state)
    except InputError as error:
        return error.what
    return ""


def _still_held(row: ChangeRow | ChangeRecord, held: ChangeRecord) -> bool:
    return (
        row.state is ChangeState.SENDING
        and row.claimed_by == held.claimed_by
        and row.attempt == held.attempt
    )


_LATER = aliased(ChangeRow)


def _later() -> Select[str]:
    """What was written after a row of `changes` to the same field of the same object."""
    return (
        select(_LATER.id)
        .where(
            _LATER.object_id == ChangeRow.object_id,
            _LATER.field == ChangeRow.field,
            _LATER.state == ChangeState.APPLIED,
            _LATER.written_at >= ChangeRow.written_at,
            or_(
                _LATER.written_at > ChangeRow.written_at,
                _LATER.number > ChangeRow.number,
            ),
        )
        .correlate(ChangeRow)
    )


def _written_budget(since: datetime) -> tuple[ColumnElement[bool], ...]:
    on_its_way = and_(ChangeRow.written_at.is_(None), ChangeRow.state == ChangeState.SENDING)
    return (
        ChangeRow.field == ChangeField.DAILY_BUDGET,
        or_(ChangeRow.written_at >= since, on_its_way),
    )
