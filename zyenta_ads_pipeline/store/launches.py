"""Launches: the steps of each, where they stand, and who may take them now.

Each method is one transaction; each move of a step is one of `STEP_TRANSITIONS` and writes its
journal row, which cannot be altered, in the same transaction. One run at a time holds a
campaign's launch; a step can be begun by that run alone. A step that a run finds in SENDING was
left by another: it has to be looked up on the platform before anything is sent. Moments are aware.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from zyenta_ads_pipeline.domain.campaign import require_step
from zyenta_ads_pipeline.domain.errors import IllegalTransition, InputError, NotThere
from zyenta_ads_pipeline.domain.launch import STEP_TRANSITIONS, StepKind, StepState
from zyenta_ads_pipeline.store.campaign_records import load_campaign
from zyenta_ads_pipeline.store.database import LOCK, Store
from zyenta_ads_pipeline.store.launch_models import (
    LaunchHoldRow,
    LaunchJournalRow,
    LaunchStepRow,
)
from zyenta_ads_pipeline.store.mapping import record, values_of
from zyenta_ads_pipeline.store.upsert import inserting


class LaunchLost(InputError):
    """The launch is not, or no longer, held by this run."""


@dataclass(frozen=True)
class PlannedStep:
    """A step to take. `key` is unique in its campaign, `token` is a part of the object's name."""

    key: str
    kind: StepKind
    name: str
    token: str
    creative_id: str | None = None


@dataclass(frozen=True)
class LaunchStep:
    """A step as it stands. `attempt` counts how often it was begun, `owner` is who began it last.

    `params` is what was sent, `platform_id` what was made.
    """

    id: str
    campaign_id: str
    position: int
    key: str
    kind: StepKind
    name: str
    token: str
    creative_id: str | None
    state: StepState
    platform_id: str | None
    owner: str | None
    attempt: int
    params: Mapping[str, Any]
    note: str
    updated_at: datetime


@dataclass(frozen=True)
class LaunchEntry:
    """One move of one step; `from_state` None: it was planned."""

    id: int
    campaign_id: str
    step_id: str
    at: datetime
    from_state: StepState | None
    to_state: StepState
    owner: str | None
    attempt: int
    platform_id: str | None
    params: Mapping[str, Any]
    note: str
    platform_reply: Mapping[str, Any] | None
    trace_id: str


@dataclass(frozen=True)
class _Told:
    """What is said of a move."""

    at: datetime
    note: str = ""
    reply: Mapping[str, Any] | None = None
    trace_id: str = ""


class Launches:
    """The launches in one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def plan(
        self, campaign_id: str, steps: Sequence[PlannedStep], now: datetime
    ) -> list[LaunchStep]:
        """Plan a campaign's steps in this order; gives all of them.

        A step whose key is there stays as it is but for its place, so planning again is harmless;
        one that is not in this plan stays too, behind the others. `InputError` if the campaign is
        not there, or two steps have one key.
        """
        if len({step.key for step in steps}) < len(steps):
            raise InputError(
                f"The plan for campaign {campaign_id} names a step twice.", "Give each its own key."
            )
        with self._store.write() as session:
            load_campaign(session, campaign_id, lock=True)
            known = {row.key: row for row in _rows(session, campaign_id)}
            planned = {step.key for step in steps}
            others = [row for key, row in known.items() if key not in planned]
            for position, step in enumerate(steps):
                if step.key in known:
                    known[step.key].position = position
                else:
                    row = _new(campaign_id, step, position, now)
                    session.add(row)
                    session.flush()
                    _write(session, row, None, _Told(now, row.note))
            for position, row in enumerate(others, start=len(steps)):
                row.position = position
            session.flush()
            return [record(LaunchStep, row) for row in _rows(session, campaign_id)]

    def steps(self, campaign_id: str) -> list[LaunchStep]:
        """A campaign's steps in order; none if it was never planned."""
        with self._store.read() as session:
            return [record(LaunchStep, row) for row in _rows(session, campaign_id)]

    def hold(self, campaign_id: str, owner: str, lease: timedelta, now: datetime) -> bool:
        """Be the only run that launches a campaign, until `now + lease`: of many, one gets True.

        Whoever holds it already prolongs it; once the lease is over any other takes it over. So
        `owner` must name one run. `InputError` if the campaign is not there.
        """
        values = {"owner": owner, "lease_until": now + lease}
        made = inserting(self._store, LaunchHoldRow).values(campaign_id=campaign_id, **values)
        with self._store.write() as session:
            load_campaign(session, campaign_id)
            held = session.execute(
                made.on_conflict_do_update(
                    index_elements=[LaunchHoldRow.campaign_id],
                    set_=values,
                    where=or_(
                        LaunchHoldRow.owner.is_(None),
                        LaunchHoldRow.owner == owner,
                        LaunchHoldRow.lease_until <= now,
                    ),
                ).returning(LaunchHoldRow.campaign_id)
            ).first()
            return held is not None

    def release(self, campaign_id: str, owner: str) -> None:
        """Give the launch back, if `owner` still holds it."""
        with self._store.write() as session:
            session.execute(
                update(LaunchHoldRow)
                .where(LaunchHoldRow.campaign_id == campaign_id, LaunchHoldRow.owner == owner)
                .values(owner=None)
            )

    def holder(self, campaign_id: str, now: datetime) -> str | None:
        """Who launches a campaign at this moment; None if nobody does, or the lease is over."""
        with self._store.read() as session:
            row = session.get(LaunchHoldRow, campaign_id)
            return row.owner if row is not None and now < row.lease_until else None

    def begin(
        self,
        step_id: str,
        owner: str,
        now: datetime,
        params: Mapping[str, Any],
        note: str = "",
    ) -> LaunchStep:
        """PENDING → SENDING, by the run that holds the launch: of two who try, one gets it.

        Raises `LaunchLost` for a run that does not hold it (a lease that is over counts as held
        until another run takes over), `IllegalTransition` for a step that is not PENDING.
        """
        with self._store.write() as session:
            row = _load(session, step_id)
            hold = session.get(LaunchHoldRow, row.campaign_id, with_for_update=LOCK)
            if hold is None or hold.owner != owner:
                holder = "nobody" if hold is None or hold.owner is None else hold.owner
                raise LaunchLost(
                    f"The launch of campaign {row.campaign_id} is held by {holder}, not by "
                    f"{owner}.",
                    "Leave it to that run, or hold the launch first.",
                )
            values = {"owner": owner, "attempt": row.attempt + 1, "params": dict(params)}
            return _move(session, row, StepState.SENDING, _Told(now, note), values)

    def done(
        self,
        step_id: str,
        platform_id: str,
        now: datetime,
        note: str = "",
        reply: Mapping[str, Any] | None = None,
        trace_id: str = "",
        *,
        owner: str | None = None,
    ) -> LaunchStep:
        """SENDING → DONE: the platform has made `platform_id`.

        With `owner`, here and in `back` and `refuse`: `LaunchLost` if another has begun it since.
        """
        told = _Told(now, note, reply, trace_id)
        return self._settle(step_id, StepState.DONE, told, owner, {"platform_id": platform_id})

    def back(
        self, step_id: str, now: datetime, note: str = "", *, owner: str | None = None
    ) -> LaunchStep:
        """SENDING → PENDING: it is known that nothing was made."""
        with self._store.write() as session:
            row = _load(session, step_id)
            _require_from(row, {StepState.SENDING}, StepState.PENDING, "be given back")
            _require_owner(row, owner)
            return _move(session, row, StepState.PENDING, _Told(now, note), {})

    def refuse(
        self,
        step_id: str,
        now: datetime,
        note: str = "",
        reply: Mapping[str, Any] | None = None,
        trace_id: str = "",
        *,
        owner: str | None = None,
    ) -> LaunchStep:
        """SENDING or PENDING → REFUSED: the platform will not make it as it is."""
        told = _Told(now, note, reply, trace_id)
        return self._settle(step_id, StepState.REFUSED, told, owner, {})

    def reopen(self, step_id: str, now: datetime, note: str = "opened again") -> LaunchStep:
        """REFUSED or ROLLED_BACK → PENDING: to be made anew."""
        with self._store.write() as session:
            row = _load(session, step_id)
            over = {StepState.REFUSED, StepState.ROLLED_BACK}
            _require_from(row, over, StepState.PENDING, "be opened again")
            return _move(session, row, StepState.PENDING, _Told(now, note), {"platform_id": None})

    def rolled_back(self, step_id: str, now: datetime, note: str = "") -> LaunchStep:
        """DONE → ROLLED_BACK: what was made is deleted. Its `platform_id` stays, to be named."""
        return self._settle(step_id, StepState.ROLLED_BACK, _Told(now, note), None, {})

    def journal(self, campaign_id: str) -> list[LaunchEntry]:
        """Every move of every step of a campaign, in order."""
        with self._store.read() as session:
            rows = session.scalars(
                select(LaunchJournalRow)
                .where(LaunchJournalRow.campaign_id == campaign_id)
                .order_by(LaunchJournalRow.id)
            )
            return [record(LaunchEntry, row) for row in rows]

    def _settle(
        self,
        step_id: str,
        to_state: StepState,
        told: _Told,
        owner: str | None,
        values: Mapping[str, Any],
    ) -> LaunchStep:
        with self._store.write() as session:
            row = _load(session, step_id)
            _require_owner(row, owner)
            return _move(session, row, to_state, told, values)


def _new(campaign_id: str, step: PlannedStep, position: int, now: datetime) -> LaunchStepRow:
    return LaunchStepRow(
        **values_of(step),
        id=uuid.uuid4().hex,
        campaign_id=campaign_id,
        position=position,
        state=StepState.PENDING,
        attempt=0,
        params={},
        note="planned",
        updated_at=now,
    )


def _rows(session: Session, campaign_id: str) -> Sequence[LaunchStepRow]:
    return session.scalars(
        select(LaunchStepRow)
        .where(LaunchStepRow.campaign_id == campaign_id)
        .order_by(LaunchStepRow.position, LaunchStepRow.key)
    ).all()


def _load(session: Session, step_id: str) -> LaunchStepRow:
    """The step's row, locked until the transaction ends; `InputError` if there is none."""
    row = session.get(LaunchStepRow, step_id, with_for_update=LOCK)
    if row is None:
        raise NotThere(f"There is no launch step {step_id!r}.", "List the campaign's steps.")
    return row


def _move(
    session: Session,
    row: LaunchStepRow,
    to_state: StepState,
    told: _Told,
    values: Mapping[str, Any],
) -> LaunchStep:
    """Move a locked row and write the journal, in the caller's transaction."""
    require_step(f"Launch step {row.key!r}", row.state, to_state, STEP_TRANSITIONS)
    before, row.state = row.state, to_state
    row.note, row.updated_at = told.note, told.at
    for column, value in values.items():
        setattr(row, column, value)
    session.flush()
    _write(session, row, before, told)
    session.refresh(row)  # so that it is given back as it will be read
    return record(LaunchStep, row)


def _write(session: Session, row: LaunchStepRow, before: StepState | None, told: _Told) -> None:
    session.add(
        LaunchJournalRow(
            campaign_id=row.campaign_id,
            step_id=row.id,
            at=told.at,
            from_state=before,
            to_state=row.state,
            owner=row.owner,
            attempt=row.attempt,
            platform_id=row.platform_id,
            params=row.params,
            note=told.note,
            platform_reply=told.reply,
            trace_id=told.trace_id,
        )
    )
    session.flush()


def _require_from(
    row: LaunchStepRow, allowed: set[StepState], to_state: StepState, what: str
) -> None:
    """For a state that other steps may lead to as well."""
    if row.state not in allowed:
        raise IllegalTransition(
            f"Launch step {row.key!r} is {row.state.value} and cannot become {to_state.value}.",
            f"Only a step that is {' or '.join(sorted(allowed))} can {what}.",
        )


def _require_owner(row: LaunchStepRow, owner: str | None) -> None:
    if owner is not None and row.owner != owner:
        raise LaunchLost(
            f"Launch step {row.key!r} was begun by {row.owner} and no longer by {owner}.",
            "Read the launch's journal: another run looks after it.",
        )
