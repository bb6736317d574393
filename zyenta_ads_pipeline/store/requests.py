"""Campaigns that buyers asked for, from the asking to the campaign: a queue that workers share.

Each method is one transaction. Of several workers that claim a request one gets it, for the time
of its lease; when that is over another may take it over. Moments are aware.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, bindparam, or_, select, update
from sqlalchemy.orm import Session

from zyenta_ads_pipeline.domain.campaign import CampaignRequest, require_step
from zyenta_ads_pipeline.domain.errors import InputError, NotThere
from zyenta_ads_pipeline.domain.money import offset
from zyenta_ads_pipeline.store.campaign_models import CampaignRow, RequestRow, RequestStep
from zyenta_ads_pipeline.store.database import LOCK, Store
from zyenta_ads_pipeline.store.mapping import record, values_of
from zyenta_ads_pipeline.store.shop_models import ShopRow
from zyenta_ads_pipeline.store.upsert import inserting

REQUEST_TRANSITIONS: dict[RequestStep, frozenset[RequestStep]] = {
    RequestStep.WAITING: frozenset({RequestStep.WORKING}),
    RequestStep.WORKING: frozenset({RequestStep.DONE, RequestStep.FAILED}),
    RequestStep.FAILED: frozenset({RequestStep.WAITING}),
    RequestStep.DONE: frozenset(),
}
"""The allowed steps. WORKING with a lease that is over is WORKING for whoever claims it next."""


class RequestLost(InputError):
    """The request is no longer held by this worker: another has taken it over."""


@dataclass(frozen=True)
class RequestState:
    """How far a request is: `waiting`, `working`, `done` or `failed`; moments are UTC.

    `note` says in words what is being done; `error` why it failed. `attempt` counts the claims.
    """

    state: RequestStep
    campaign_id: str | None
    error: str | None
    attempt: int
    note: str
    owner: str | None
    lease_until: datetime | None
    updated_at: datetime


class CampaignRequests:
    """The requests in one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, request: CampaignRequest, *, key: str | None) -> tuple[CampaignRequest, bool]:
        """Take in a request; True when it is new.

        With a key that was used before, the request of that time comes back, if it asked for the
        same (its id, moment and author apart); else `InputError`. So an answer that was lost can
        be asked for again. `InputError` also for an id that is taken, a store that is not there
        or an unknown currency.
        """
        offset(request.currency)
        if key is not None and not key.strip():
            raise InputError("The idempotency key is empty.", "Leave it out, or give a unique one.")
        asked = _body_hash(request)
        with self._store.write() as session:
            if session.get(ShopRow, request.store_id) is None:
                raise InputError(f"There is no store {request.store_id!r}.", "Add the store first.")
            made = inserting(self._store, RequestRow).values(
                **values_of(request),
                key=key,
                body_hash=asked,
                state=RequestStep.WAITING,
                attempt=0,
                note="",
                updated_at=request.requested_at,
            )
            once = made.on_conflict_do_nothing().returning(RequestRow.id)
            if session.execute(once).first() is not None:
                return record(CampaignRequest, _load(session, request.id)), True
            earlier = _by_key(session, key)
            if earlier is None:
                raise InputError(f"There is a request {request.id!r} already.", "Give a new id.")
            if earlier.body_hash != asked:
                raise InputError(
                    f"The idempotency key {key!r} was used for request {earlier.id!r}, which asks "
                    "for something else.",
                    "Use a new key for a new request.",
                )
            return record(CampaignRequest, earlier), False

    def get(self, request_id: str) -> CampaignRequest:
        """One request as it was asked; `InputError` if there is none of that id."""
        with self._store.read() as session:
            return record(CampaignRequest, _load(session, request_id))

    def state(self, request_id: str) -> RequestState:
        """How far a request is; `InputError` if there is none of that id."""
        with self._store.read() as session:
            return record(RequestState, _load(session, request_id))

    def waiting(
        self, limit: int | None = None, *, now: datetime | None = None
    ) -> list[CampaignRequest]:
        """Requests that nobody works on, the oldest first.

        With `now` also those whose worker's lease is over: their worker died, or lags.
        """
        open_now: ColumnElement[bool] = RequestRow.state == RequestStep.WAITING
        if now is not None:
            open_now = or_(open_now, _abandoned(now))
        order = (RequestRow.requested_at, RequestRow.id)
        with self._store.read() as session:
            rows = session.scalars(select(RequestRow).where(open_now).order_by(*order).limit(limit))
            return [record(CampaignRequest, row) for row in rows]

    def find(
        self, states: Collection[RequestStep] = (), limit: int = 200
    ) -> list[tuple[CampaignRequest, RequestState]]:
        """Requests in one of these states (none named: all), the newest first, and how far each
        is."""
        asked = {"states": list(states or RequestStep), "limit": limit}
        with self._store.look() as connection:
            return [
                (record(CampaignRequest, row), record(RequestState, row))
                for row in connection.execute(_FOUND, asked)
            ]

    def claim(self, request_id: str, owner: str, lease: timedelta, now: datetime) -> bool:
        """Work on a request until `now + lease`: of many who try, one gets True.

        An abandoned one is taken over. False when another holds it, or it is done or failed.
        `InputError` if there is none of that id.
        """
        free = or_(RequestRow.state == RequestStep.WAITING, _abandoned(now))
        with self._store.write() as session:
            claimed = session.execute(
                update(RequestRow)
                .where(RequestRow.id == request_id, free)
                .values(
                    state=RequestStep.WORKING,
                    owner=owner,
                    lease_until=now + lease,
                    attempt=RequestRow.attempt + 1,
                    updated_at=now,
                )
                .returning(RequestRow.id)
                .execution_options(synchronize_session=False)
            ).first()
            if claimed is None:
                _load(session, request_id)
            return claimed is not None

    def renew(self, request_id: str, owner: str, lease: timedelta, now: datetime) -> bool:
        """Prolong one's own claim to `now + lease`; False when it is lost."""
        with self._store.write() as session:
            row = _load(session, request_id, lock=True)
            if row.state is not RequestStep.WORKING or row.owner != owner:
                return False
            row.lease_until, row.updated_at = now + lease, now
            return True

    def finish(
        self,
        request_id: str,
        *,
        campaign_id: str | None = None,
        error: str | None = None,
        now: datetime,
        owner: str | None = None,
    ) -> RequestState:
        """Working → failed with an `error` (and its campaign, if one came about), else → done.

        To finish it once more in the same way changes nothing. Raises `RequestLost` if `owner` is
        given and does not hold it, `IllegalTransition` for a step that is not allowed,
        `InputError` with neither a campaign nor an error, or for a campaign that is not there.
        """
        if campaign_id is None and error is None:
            raise InputError(
                f"Request {request_id} cannot be finished without a campaign or an error.",
                "Name the campaign that was made, or what went wrong.",
            )
        to_state = RequestStep.DONE if error is None else RequestStep.FAILED
        with self._store.write() as session:
            row = _load(session, request_id, lock=True)
            if (row.state, row.campaign_id, row.error) == (to_state, campaign_id, error):
                return record(RequestState, row)
            require_step(f"Request {row.id}", row.state, to_state, REQUEST_TRANSITIONS)
            if owner is not None and row.owner != owner:
                raise RequestLost(
                    f"Request {row.id} is held by {row.owner} and no longer by {owner}.",
                    "Leave it: another worker looks after it.",
                )
            if campaign_id is not None and session.get(CampaignRow, campaign_id) is None:
                raise InputError(f"There is no campaign {campaign_id!r}.", "Store it first.")
            row.state, row.campaign_id, row.error = to_state, campaign_id, error
            row.owner, row.lease_until, row.updated_at = None, None, now
            session.flush()
            return record(RequestState, row)

    def note(self, request_id: str, text: str, now: datetime) -> None:
        """Say in words what is being done about a request; the latest words stay."""
        with self._store.write() as session:
            row = _load(session, request_id, lock=True)
            row.note, row.updated_at = text, now

    def retry(self, request_id: str, now: datetime) -> RequestState:
        """Failed → waiting. Its campaign, if one came about, stays named, to be gone on with.

        `IllegalTransition` for a request that has not failed.
        """
        with self._store.write() as session:
            row = _load(session, request_id, lock=True)
            require_step(f"Request {row.id}", row.state, RequestStep.WAITING, REQUEST_TRANSITIONS)
            row.state, row.error, row.note = RequestStep.WAITING, None, ""
            row.updated_at = now
            session.flush()
            return record(RequestState, row)


# The list of campaigns asks this with each look at it: made once, and of columns alone.
_FOUND = (
    select(RequestRow.__table__)
    .where(RequestRow.state.in_(bindparam("states", expanding=True)))
    .order_by(RequestRow.requested_at.desc(), RequestRow.id)
    .limit(bindparam("limit"))
)


def _abandoned(now: datetime) -> ColumnElement[bool]:
    return and_(RequestRow.state == RequestStep.WORKING, RequestRow.lease_until <= now)


def _load(session: Session, request_id: str, *, lock: bool = False) -> RequestRow:
    row = session.get(RequestRow, request_id, with_for_update=LOCK if lock else None)
    if row is None:
        raise NotThere(f"There is no request {request_id!r}.", "List the requests.")
    return row


def _by_key(session: Session, key: str | None) -> RequestRow | None:
    if key is None:
        return None
    return session.scalars(select(RequestRow).where(RequestRow.key == key)).one_or_none()


def _body_hash(request: CampaignRequest) -> str:
    """What is asked for, without who asked, when, and under which id."""
    body = values_of(request, leave_out=("id", "requested_at", "requested_by"))
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
