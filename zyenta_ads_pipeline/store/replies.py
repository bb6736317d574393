"""Replies to what was asked under an idempotency key, so that asking again does nothing twice.

`begin` says whether to go ahead; the reply is kept with `keep`, for 24 hours. Each method is one
transaction, and several workers agree. Moments are aware.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update

from zyenta_ads_pipeline.domain.errors import InProgress, InputError, TakenAlready
from zyenta_ads_pipeline.store.console_models import ReplyRow
from zyenta_ads_pipeline.store.database import Store
from zyenta_ads_pipeline.store.upsert import inserting

KEPT_FOR = timedelta(hours=24)
GIVEN_UP_AFTER = timedelta(seconds=60)
"""A reply in progress that is older was cut off; the next who asks goes ahead."""
LONGEST_KEY = 200


@dataclass(frozen=True)
class KeptReply:
    """The reply of the first time. `headers` are those that matter: type, location, tag."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def can_be_key(key: str) -> bool:
    """Whether a text can be an idempotency key."""
    return bool(key.strip()) and len(key) <= LONGEST_KEY and key.isprintable()


class Replies:
    """The kept replies in one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def begin(
        self, who: str, key: str, *, route: str, body: bytes, now: datetime
    ) -> KeptReply | None:
        """None: go ahead, the key is new and now held. A `KeptReply`: give that.

        Raises `InProgress` while the first is still being answered, `TakenAlready` when the key was
        used for another route or body, `InputError` for a key that cannot be one. What is older
        than 24 hours is forgotten here.
        """
        if not can_be_key(key):
            raise InputError(
                f"The Idempotency-Key has {len(key)} characters.",
                f"Give 1 to {LONGEST_KEY}, such as a UUID, new for each thing you ask for.",
            )
        asked = hashlib.sha256(route.encode() + b"\0" + body).hexdigest()
        whose = who[:LONGEST_KEY]
        made = inserting(self._store, ReplyRow).values(
            who=whose, key=key, asked_hash=asked, begun_at=now, headers=[]
        )
        with self._store.write() as session:
            session.execute(delete(ReplyRow).where(ReplyRow.begun_at < now - KEPT_FOR))
            new = made.on_conflict_do_nothing().returning(ReplyRow.key)
            if session.execute(new).first() is not None:
                return None
            row = session.scalars(
                select(ReplyRow)
                .where(ReplyRow.who == whose, ReplyRow.key == key)
                .with_for_update(key_share=True)
            ).one()
            if row.asked_hash != asked:
                raise TakenAlready(
                    f"The Idempotency-Key {key!r} was used for another request.",
                    "Take a new key for each thing you ask for.",
                )
            if row.status is not None:
                headers = tuple((name, value) for name, value in row.headers)
                return KeptReply(row.status, headers, row.body or b"")
            if row.begun_at > now - GIVEN_UP_AFTER:
                raise InProgress(
                    f"The request with the Idempotency-Key {key!r} is still being answered.",
                    "Ask again in a moment, with the same key.",
                )
            row.begun_at = now
            return None

    def keep(self, who: str, key: str, reply: KeptReply) -> None:
        """Keep the reply to a key that is held; nothing happens for one that is not."""
        with self._store.write() as session:
            session.execute(
                update(ReplyRow)
                .where(ReplyRow.who == who[:LONGEST_KEY], ReplyRow.key == key)
                .values(
                    status=reply.status,
                    headers=[list(each) for each in reply.headers],
                    body=reply.body,
                )
            )

    def drop(self, who: str, key: str) -> None:
        """Let go of a key that is held: nothing was done, since it was refused or broke."""
        with self._store.write() as session:
            session.execute(
                delete(ReplyRow).where(
                    ReplyRow.who == who[:LONGEST_KEY],
                    ReplyRow.key == key,
                    ReplyRow.status.is_(None),
                )
            )
