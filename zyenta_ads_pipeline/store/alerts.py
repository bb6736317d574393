"""Alerts: each trouble that a person has to mend is one row, from when it began until it is over.

Each method is one transaction. Moments are aware and kept in UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from zyenta_ads_pipeline.store.database import Store
from zyenta_ads_pipeline.store.models import AlertRow

_OPEN = text("resolved_at IS NULL")


@dataclass(frozen=True)
class Alert:
    """One trouble: what it is (`told`), how to mend it, since when, and whether it is over.

    `key` names what it is about, as `token:act_1`. `delivered_at` is empty until the webhook has
    taken it.
    """

    id: int
    key: str
    account_id: str | None
    told: str
    remedy: str
    raised_at: datetime
    last_seen_at: datetime
    delivered_at: datetime | None
    resolved_at: datetime | None


def _now() -> datetime:
    return datetime.now(UTC)


class Alerts:
    """The alerts in one store. At most one of a key is open; `clock` gives the present moment."""

    def __init__(self, store: Store, *, clock: Callable[[], datetime] = _now) -> None:
        self._store = store
        self._clock = clock

    def raise_once(self, key: str, told: str, remedy: str, account_id: str | None = None) -> bool:
        """Open an alert; True when it is new.

        One that is open already stays the same alert: its words and `last_seen_at` are renewed.
        Of several processes that raise one at the same moment, one gets True.
        """
        now = self._clock()
        words = {"told": told, "remedy": remedy, "last_seen_at": now}
        with self._store.write() as session:
            if self._insert(session, key=key, account_id=account_id, raised_at=now, **words):
                return True
            session.execute(update(AlertRow).where(AlertRow.key == key, _OPEN).values(**words))
            return False

    def resolve(self, key: str) -> bool:
        """Close the open alert of this key; False when there is none."""
        return self.resolve_all([key]) > 0

    def resolve_all(self, keys: Collection[str]) -> int:
        """Close the open alerts of these keys; returns how many there were."""
        with self._store.read() as session:
            found = session.scalars(select(AlertRow.id).where(AlertRow.key.in_(keys), _OPEN)).all()
        if not found:  # the usual case takes no write lock
            return 0
        with self._store.write() as session:
            closing = update(AlertRow).where(AlertRow.id.in_(found), _OPEN)
            closed = session.scalars(
                closing.values(resolved_at=self._clock()).returning(AlertRow.id)
            )
            return len(closed.all())

    def open(self) -> list[Alert]:
        """Every alert that is not over, the oldest first."""
        return self._listed()

    def undelivered(self) -> list[Alert]:
        """The open alerts that the webhook has not taken yet, the oldest first."""
        return [alert for alert in self._listed() if alert.delivered_at is None]

    def mark_delivered(self, alert_id: int) -> None:
        """Remember that the webhook took this alert."""
        with self._store.write() as session:
            session.execute(
                update(AlertRow)
                .where(AlertRow.id == alert_id, AlertRow.delivered_at.is_(None))
                .values(delivered_at=self._clock())
            )

    def _listed(self) -> list[Alert]:
        with self._store.read() as session:
            rows = session.scalars(select(AlertRow).where(_OPEN).order_by(AlertRow.id))
            return [_alert(row) for row in rows]

    def _insert(self, session: Session, **values: object) -> bool:
        make = sqlite.insert if self._store.is_sqlite else postgresql.insert
        insert = make(AlertRow).values(**values)
        once = insert.on_conflict_do_nothing(index_elements=["key"], index_where=_OPEN)
        return session.execute(once.returning(AlertRow.id)).first() is not None


def _alert(row: AlertRow) -> Alert:
    return Alert(
        id=row.id,
        key=row.key,
        account_id=row.account_id,
        told=row.told,
        remedy=row.remedy,
        raised_at=row.raised_at,
        last_seen_at=row.last_seen_at,
        delivered_at=row.delivered_at,
        resolved_at=row.resolved_at,
    )
