"""Orders: what a person asked to be done on the platform, until a worker has done it.

A queue like that of the requests: of several workers that claim an order one gets it, for the time
of its lease; when that is over another may take it over. The orders of one campaign are done in the
order asked; only a pause passes those that cannot switch anything on. Moments are aware.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, func, insert, or_, select, text, update
from sqlalchemy.orm import Session, aliased

from zyenta_ads_pipeline.domain.ads import account_number
from zyenta_ads_pipeline.domain.change import ChangeState
from zyenta_ads_pipeline.domain.errors import IllegalTransition, InputError, NotThere
from zyenta_ads_pipeline.store.campaign_records import load_campaign
from zyenta_ads_pipeline.store.console_models import OrderRow
from zyenta_ads_pipeline.store.database import LOCK, Store
from zyenta_ads_pipeline.store.deciding import BUYER
from zyenta_ads_pipeline.store.mapping import record
from zyenta_ads_pipeline.store.models import ChangeRow
from zyenta_ads_pipeline.store.steps import Remark, load_all, step

_OPEN = text("state IN ('waiting', 'working')")


class OrderKind(StrEnum):
    """What can be ordered, with what its payload holds."""

    ACTIVATE = "activate"
    PAUSE = "pause"
    BUDGET = "budget"
    """`daily_budget_minor`."""
    PAUSE_CREATIVE = "pause_creative"
    """`creative_id`."""
    SCALE_CREATIVE = "scale_creative"
    """`creative_id`, `percent`."""
    OPTIMIZE = "optimize"
    TAKE_OVER = "take_over"
    LAUNCH = "launch"
    """Go on with a stopped launch."""
    ROLL_BACK = "roll_back"
    UNDO = "undo"
    """`change_id`."""
    RETRY = "retry"
    """`change_id`."""
    REVIEW = "review"
    """Look how it stands on the platform."""


class OrderState(StrEnum):
    """Where an order stands."""

    WAITING = "waiting"
    WORKING = "working"
    DONE = "done"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"
    """By a person, or by a newer order in its place."""


_RIVALS = (
    frozenset({OrderKind.ACTIVATE, OrderKind.PAUSE}),
    frozenset({OrderKind.BUDGET}),
    frozenset({OrderKind.LAUNCH, OrderKind.ROLL_BACK}),
)
"""Of the kinds of one group a campaign can have one wish at a time: the newest."""
_PASSING = (OrderKind.PAUSE.value,)
"""These must not wait longer than they have to."""
_SWITCHING_ON = (OrderKind.ACTIVATE.value, OrderKind.UNDO.value, OrderKind.RETRY.value)
"""What a pause must not pass, or its campaign would spend after it."""


@dataclass(frozen=True)
class Order:
    """An order as it stands. `campaign_id` is ours; None for a change of a campaign that is not.

    `note` says in words what is being done or what came of it; for one that FAILED, why, and
    `remedy` how to mend it. `change_ids` are the changes that it led to. `attempt` counts claims.
    """

    id: str
    campaign_id: str | None
    account_id: str
    kind: OrderKind
    payload: Mapping[str, Any]
    asked_by: str
    asked_at: datetime
    state: OrderState
    note: str
    remedy: str
    attempt: int
    owner: str | None
    lease_until: datetime | None
    change_ids: Sequence[str]
    updated_at: datetime

    @property
    def is_open(self) -> bool:
        """Whether something is still to come."""
        return self.state in (OrderState.WAITING, OrderState.WORKING)


@dataclass(frozen=True)
class Wishes:
    """What was asked for of one campaign: its open orders, the oldest first, and the number of the
    newest that it ever had (0: none)."""

    open: Sequence[Order] = ()
    newest: int = 0


Seen = Callable[[datetime, Wishes], None]
"""Asked with a campaign's `updated_at` and its wishes, before an order is taken in: neither changes
until that is there. Raises to refuse it."""


class OrderLost(InputError):
    """The order is no longer held by this worker: another has taken it over."""


class Orders:
    """The orders in one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def ask(
        self,
        kind: OrderKind,
        *,
        campaign_id: str | None,
        account_id: str,
        payload: Mapping[str, Any],
        by: str,
        now: datetime,
        seen: Seen | None = None,
    ) -> tuple[Order, bool]:
        """Take in an order; True when it is new. One of the same kind and payload on the same
        campaign that is still open comes back in its place, whoever asked for it; `seen` is not
        asked then, since what is wanted is on its way.

        An older one that still waits and sets the same (on or off; the budget) is withdrawn, with
        what it had left in the outbox: the newest wish holds.
        """
        subject = campaign_id or f"act_{account_id}"
        with self._store.write() as session:
            self._store.lock_orders(session)
            rivals = _rivals(session, kind, campaign_id)
            if rivals and rivals[-1].kind == kind.value and rivals[-1].payload == dict(payload):
                return _order(rivals[-1]), False
            # One that is being done may be the same as this, with another asked for in between.
            same = _same(kind, subject, payload, after=rivals[-1].id if rivals else "")
            found = session.scalars(select(OrderRow).where(OrderRow.same == same, _OPEN)).first()
            if found is not None:
                return _order(found), False
            if seen is not None and campaign_id is not None:
                campaign = load_campaign(session, campaign_id, lock=True)
                seen(campaign.updated_at, _wishes(session, campaign_id))
            for row in rivals:
                if row.state == OrderState.WAITING.value:
                    _withdraw(session, row, _given_up(by, now), by, now)
            made = insert(OrderRow).values(
                id=secrets.token_hex(8),
                number=select(func.coalesce(func.max(OrderRow.number), 0) + 1).scalar_subquery(),
                campaign_id=campaign_id,
                account_id=account_number(account_id),
                kind=kind.value,
                payload=dict(payload),
                same=same,
                asked_by=by,
                asked_at=now,
                state=OrderState.WAITING.value,
                note="",
                remedy="",
                attempt=0,
                change_ids=[],
                updated_at=now,
            )
            own = session.execute(made.returning(OrderRow.id)).scalar_one()
            return _order(_load(session, own)), True

    def withdraw(self, order_id: str, *, by: str, now: datetime) -> tuple[Order, bool]:
        """Waiting → withdrawn, with what an earlier attempt had left in the outbox unwritten; True
        when it is so since now. Raises `IllegalTransition` for one that is being done or over,
        `NotThere` if there is none of that id."""
        with self._store.write() as session:
            row = _load(session, order_id, lock=True)
            if row.state == OrderState.WITHDRAWN.value:
                return _order(row), False
            if row.state != OrderState.WAITING.value:
                working = row.state == OrderState.WORKING.value
                raise IllegalTransition(
                    f"Order {order_id} is "
                    + ("being done" if working else row.state)
                    + " and cannot be withdrawn.",
                    "See how it ends, and ask for the opposite then.",
                )
            _withdraw(session, row, f"Withdrawn by {by} at {now:%H:%M} UTC.", by, now)
            return _order(row), True

    def get(self, order_id: str) -> Order:
        """One order; `NotThere` if there is none of that id."""
        with self._store.read() as session:
            return _order(_load(session, order_id))

    def find(
        self,
        *,
        campaign_id: str | None = None,
        account_id: str | None = None,
        kinds: Collection[OrderKind] = (),
        states: Collection[OrderState] = (),
        limit: int = 100,
    ) -> list[Order]:
        """Orders that fit every filter given, the newest first."""
        wanted: list[ColumnElement[bool]] = []
        if campaign_id is not None:
            wanted.append(OrderRow.campaign_id == campaign_id)
        if account_id is not None:
            wanted.append(OrderRow.account_id == account_number(account_id))
        if kinds:
            wanted.append(OrderRow.kind.in_([kind.value for kind in kinds]))
        if states:
            wanted.append(OrderRow.state.in_([state.value for state in states]))
        asked = select(OrderRow).where(*wanted).order_by(OrderRow.number.desc()).limit(limit)
        with self._store.read() as session:
            return [_order(row) for row in session.scalars(asked)]

    def wishes(self, campaign_id: str) -> Wishes:
        """What was asked for of a campaign, as it stands."""
        with self._store.read() as session:
            return _wishes(session, campaign_id)

    def waiting(self, *, now: datetime) -> list[Order]:
        """What can be claimed now, of each campaign the oldest: waiting, or working with its lease
        over. Pauses come first, then what was asked for first."""
        later = case((OrderRow.kind.in_(_PASSING), 0), else_=1)
        asked = select(OrderRow).where(_claimable(now)).order_by(later, OrderRow.number)
        with self._store.read() as session:
            return [_order(row) for row in session.scalars(asked)]

    def claim(self, order_id: str, owner: str, lease: timedelta, now: datetime) -> bool:
        """Take an order for `owner` until `now + lease`; False when another holds it, it is over,
        or an older one of its campaign is still open. `NotThere` if there is none of that id."""
        with self._store.write() as session:
            claimed = session.execute(
                update(OrderRow)
                .where(OrderRow.id == order_id, _claimable(now))
                .values(
                    state=OrderState.WORKING.value,
                    owner=owner,
                    lease_until=now + lease,
                    not_before=None,
                    attempt=OrderRow.attempt + 1,
                    updated_at=now,
                )
                .returning(OrderRow.id)
                .execution_options(synchronize_session=False)
            ).first()
            if claimed is None:
                _load(session, order_id)
            return claimed is not None

    def note(self, order_id: str, owner: str, words: str, now: datetime) -> None:
        """Say what is being done about an order one holds; `OrderLost` if one does not."""
        with self._store.write() as session:
            row = _held(session, order_id, owner)
            row.note, row.updated_at = words, now

    def put_back(
        self,
        order_id: str,
        owner: str,
        words: str,
        now: datetime,
        not_before: datetime | None = None,
    ) -> Order:
        """Working → waiting: it could not be done now, and is tried again later, not before a
        moment if one is given; withdrawn where something newer was asked for meanwhile.
        `OrderLost` if `owner` does not hold it."""
        with self._store.write() as session:
            row = _held(session, order_id, owner)
            if _gave_way(session, row, now):
                return _order(row)
            row.state, row.note, row.not_before = OrderState.WAITING.value, words, not_before
            row.owner, row.lease_until, row.updated_at = None, None, now
            session.flush()
            return _order(row)

    def give_way(self, order_id: str, owner: str, now: datetime) -> bool:
        """Withdraw an order one holds if something newer was asked for meanwhile; whether it was
        so. `OrderLost` if `owner` does not hold it."""
        with self._store.write() as session:
            return _gave_way(session, _held(session, order_id, owner), now)

    def finish(
        self,
        order_id: str,
        owner: str,
        *,
        note: str,
        now: datetime,
        failed: bool = False,
        remedy: str = "",
        change_ids: Sequence[str] = (),
    ) -> Order:
        """Working → done, or failed. `OrderLost` if `owner` does not hold it."""
        with self._store.write() as session:
            row = _held(session, order_id, owner)
            row.state = (OrderState.FAILED if failed else OrderState.DONE).value
            row.note, row.remedy, row.change_ids = note, remedy, list(change_ids)
            row.owner, row.lease_until, row.updated_at = None, None, now
            session.flush()
            return _order(row)


def _claimable(now: datetime) -> ColumnElement[bool]:
    waits = and_(
        OrderRow.state == OrderState.WAITING.value,
        or_(OrderRow.not_before.is_(None), OrderRow.not_before <= now),
    )
    abandoned = and_(OrderRow.state == OrderState.WORKING.value, OrderRow.lease_until <= now)
    return and_(or_(waits, abandoned), ~_older_open())


def _older_open() -> ColumnElement[bool]:
    """Whether one that was asked for earlier on the same campaign must be done first; of orders
    without a campaign, on the same account."""
    older = aliased(OrderRow)
    together = or_(
        older.campaign_id == OrderRow.campaign_id,
        and_(
            older.campaign_id.is_(None),
            OrderRow.campaign_id.is_(None),
            older.account_id == OrderRow.account_id,
        ),
    )
    return exists().where(
        together,
        older.number < OrderRow.number,
        older.state.in_([OrderState.WAITING.value, OrderState.WORKING.value]),
        or_(OrderRow.kind.not_in(_PASSING), older.kind.in_((*_PASSING, *_SWITCHING_ON))),
    )


def _rivals(
    session: Session, kind: OrderKind, campaign_id: str | None, *, after: int = 0
) -> Sequence[OrderRow]:
    """The open orders of a campaign that set the same as this kind, the oldest first, locked;
    those after a number alone."""
    kinds = next((each for each in _RIVALS if kind in each), None)
    if kinds is None or campaign_id is None:
        return []
    return session.scalars(
        select(OrderRow)
        .where(
            OrderRow.campaign_id == campaign_id,
            OrderRow.kind.in_(kinds),
            OrderRow.number > after,
            _OPEN,
        )
        .order_by(OrderRow.number)
        .with_for_update()
    ).all()


def _wishes(session: Session, campaign_id: str) -> Wishes:
    of_it = OrderRow.campaign_id == campaign_id
    newest = session.scalar(select(func.max(OrderRow.number)).where(of_it)) or 0
    asked = select(OrderRow).where(of_it, _OPEN).order_by(OrderRow.number)
    return Wishes([_order(row) for row in session.scalars(asked)], newest)


def _gave_way(session: Session, row: OrderRow, now: datetime) -> bool:
    """Withdraw a row if a newer open order sets the same."""
    rivals = _rivals(session, OrderKind(row.kind), row.campaign_id, after=row.number)
    if rivals:
        by, at = rivals[-1].asked_by, rivals[-1].asked_at
        _withdraw(session, row, _given_up(by, at), by, now)
    return bool(rivals)


def _given_up(by: str, at: datetime) -> str:
    return f"Given up: {by} asked for something else at {at:%H:%M} UTC."


def _withdraw(session: Session, row: OrderRow, words: str, by: str, now: datetime) -> None:
    """Close a waiting order; a change that an attempt had approved and not sent is rejected."""
    row.state, row.note, row.remedy = OrderState.WITHDRAWN.value, words, ""
    row.owner, row.lease_until, row.not_before, row.updated_at = None, None, None, now
    left = session.scalars(
        select(ChangeRow.id).where(
            ChangeRow.decision_id.startswith(f"{BUYER}:{row.id}:", autoescape=True),
            ChangeRow.state.in_([ChangeState.PROPOSED, ChangeState.APPROVED]),
        )
    ).all()
    for change in load_all(session, left):
        if change.state in (ChangeState.PROPOSED, ChangeState.APPROVED):
            step(session, change, ChangeState.REJECTED, Remark(by, now, words))
    session.flush()


def _load(session: Session, order_id: str, *, lock: bool = False) -> OrderRow:
    row = session.get(
        OrderRow, order_id, with_for_update=LOCK if lock else None, populate_existing=True
    )
    if row is None:
        raise NotThere(f"There is no order {order_id!r}.", "List the campaign's orders.")
    return row


def _held(session: Session, order_id: str, owner: str) -> OrderRow:
    row = _load(session, order_id, lock=True)
    if row.state != OrderState.WORKING.value or row.owner != owner:
        raise OrderLost(
            f"Order {order_id} is {row.state}"
            + (f", held by {row.owner}" if row.owner else "")
            + f", and no longer held by {owner}.",
            "Leave it: another worker looks after it.",
        )
    return row


def _order(row: OrderRow) -> Order:
    return record(Order, row, kind=OrderKind(row.kind), state=OrderState(row.state))


def _same(kind: OrderKind, subject: str, payload: Mapping[str, Any], after: str = "") -> str:
    told = json.dumps([subject, kind.value, payload, after], sort_keys=True, default=str)
    return hashlib.sha256(told.encode()).hexdigest()
