"""Who may come in: tokens, one-time links, sessions, and failed tries.

Nothing that opens a door is stored as it is: tokens, links and the values of cookies are kept as
SHA-256 of 256 random bits. Each method is one transaction; moments are aware.
"""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.orm import Session as Transaction

from zyenta_ads_pipeline.domain.access import Person, Role
from zyenta_ads_pipeline.domain.errors import InputError, NotThere, TakenAlready
from zyenta_ads_pipeline.store.console_models import LinkRow, SessionRow, TokenRow, TryRow
from zyenta_ads_pipeline.store.database import Store
from zyenta_ads_pipeline.store.mapping import record

TOKEN_START = "zyt_"  # noqa: S105 - how every token begins
_PREFIX = 10
LINK_LASTS = timedelta(minutes=10)
SESSION_LASTS = timedelta(hours=12)
"""From its last use."""
SESSION_ENDS = timedelta(days=7)
"""From its beginning, however much it is used."""
LINK_SESSION_ENDS = timedelta(hours=12)
"""The same of one by link: it has no token that could be revoked."""
_LINK_ID = 12
"""Signs of a link's hash that it is named by; they open nothing."""
_SEEN_EVERY = timedelta(minutes=5)
"""How often use is written down: a page costs no write."""
TRIES_WITHIN = timedelta(minutes=15)
TRIES_OF_A_PLACE = 5


@dataclass(frozen=True)
class AccessToken:
    """A token as it may be shown: `prefix` is its beginning, enough to know it by.

    `last_used_at` is right to a few minutes; `expires_at` None: it does not end by itself.
    """

    id: str
    name: str
    role: Role
    prefix: str
    created_at: datetime
    created_by: str
    last_used_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None
    revoked_by: str | None

    def is_good(self, now: datetime) -> bool:
        """Whether it opens the door."""
        return _is_good(self.expires_at, self.revoked_at, now)


@dataclass(frozen=True)
class Session:
    """Somebody who is signed in, until `expires_at`: later with each use, at most `ends_at`."""

    person: Person
    expires_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class OpenSession:
    """A session as it may be listed. `token` is the beginning of the token that it was opened with;
    None: by a link. `seen_at` is right to a few minutes."""

    name: str
    role: Role
    token: str | None
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class OpenLink:
    """A one-time link that can still be used, as it may be listed. `id` names it and opens
    nothing."""

    id: str
    name: str
    role: Role
    created_at: datetime
    created_by: str
    expires_at: datetime


@dataclass(frozen=True)
class Ended:
    """What ended at once: how many sessions, and how many links that could still be used."""

    sessions: int
    links: int


class Access:
    """The doors of one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def issue(
        self, name: str, role: Role, *, by: str, now: datetime, lasts: timedelta | None = None
    ) -> tuple[str, AccessToken]:
        """Make a token; the text is given here once and is not stored.

        `InputError` for a name that is empty, `TakenAlready` for one that a good token has.
        """
        if not name.strip():
            raise InputError("A token needs a name.", "Name the person or program that uses it.")
        secret = TOKEN_START + secrets.token_urlsafe(32)
        with self._store.write() as session:
            self._store.lock_access(session)
            for other in session.scalars(select(TokenRow).where(TokenRow.name == name.strip())):
                if record(AccessToken, other).is_good(now):
                    raise TakenAlready(
                        f"There is a token of the name {name.strip()!r}.",
                        f"Choose another name, or revoke {other.prefix}… first.",
                    )
            row = TokenRow(
                id=secrets.token_hex(6),
                secret_hash=_hash(secret),
                prefix=secret[:_PREFIX],
                name=name.strip(),
                role=role,
                created_at=now,
                created_by=by,
                expires_at=None if lasts is None else now + lasts,
            )
            session.add(row)
            session.flush()
            return secret, record(AccessToken, row)

    def tokens(self) -> list[AccessToken]:
        """Every token, the newest first."""
        order = (TokenRow.created_at.desc(), TokenRow.id)
        with self._store.read() as session:
            return [
                record(AccessToken, row)
                for row in session.scalars(select(TokenRow).order_by(*order))
            ]

    def revoke(
        self, token: str, *, by: str, now: datetime, keep_an_admin: bool = False
    ) -> AccessToken:
        """End a token, named by its id, its name or its prefix, its sessions, and the unused links
        that are for its name or made by it: by one of those who lost it would be in again.

        One that is ended already stays as it is. `NotThere` if there is none. With `keep_an_admin`
        an `InputError` for the last good admin's.
        """
        with self._store.write() as session:
            self._store.lock_access(session)
            row = _named(session, token, now)
            if row.revoked_at is None:
                if keep_an_admin:
                    _require_another_admin(session, row, now)
                row.revoked_at, row.revoked_by = now, by
                session.execute(delete(SessionRow).where(SessionRow.token_id == row.id))
                _end_links(session, row.name, now)
                session.flush()
            return record(AccessToken, row)

    def person_of(self, secret: str, now: datetime) -> Person | None:
        """Who a token belongs to; None for one that is unknown, over or revoked."""
        with self._store.look() as connection:
            row = connection.execute(_OF_TOKEN, {"hash": _hash(secret)}).one_or_none()
        if row is None or not _is_good(row.expires_at, row.revoked_at, now):
            return None
        found, seen = Person(row.name, row.role, "api", row.id), row.last_used_at
        if seen is None or now - seen >= _SEEN_EVERY:
            with self._store.write() as session:
                session.execute(
                    update(TokenRow).where(TokenRow.id == found.token_id).values(last_used_at=now)
                )
        return found

    def link(self, name: str, role: Role, *, by: str, now: datetime) -> str:
        """The secret of a link that signs somebody in once, within ten minutes."""
        secret = secrets.token_urlsafe(32)
        values = {"name": name, "role": role, "created_at": now, "created_by": by}
        with self._store.write() as session:
            session.execute(delete(LinkRow).where(LinkRow.expires_at < now - SESSION_ENDS))
            session.execute(
                insert(LinkRow).values(
                    secret_hash=_hash(secret), expires_at=now + LINK_LASTS, **values
                )
            )
        return secret

    def links(self, now: datetime) -> list[OpenLink]:
        """The links that can still be used, the newest first."""
        asked = (
            select(LinkRow)
            .where(*_usable(now))
            .order_by(LinkRow.created_at.desc(), LinkRow.secret_hash)
        )
        with self._store.read() as session:
            return [_open_link(row) for row in session.scalars(asked)]

    def end_link(self, link_id: str, now: datetime) -> OpenLink:
        """End a link before it is used. `NotThere` for one that is used or over."""
        named = func.substr(LinkRow.secret_hash, 1, _LINK_ID) == link_id
        with self._store.write() as session:
            asked = select(LinkRow).where(named, *_usable(now)).with_for_update()
            row = session.scalars(asked).one_or_none()
            if row is None:
                raise NotThere(
                    "There is no such link any more: it was used, ended, or is over.",
                    "Look at who is signed in.",
                )
            ended = _open_link(row)
            session.delete(row)
            return ended

    def open_session(self, secret: str, now: datetime) -> tuple[str, Session] | None:
        """A session for who has a token: the cookie's value, given once; None for a bad token."""
        with self._store.read() as session:  # guesses do not hold up who writes
            if _token(session, secret, now) is None:
                return None
        with self._store.write() as session:
            row = _token(session, secret, now)
            if row is None:
                return None
            row.last_used_at = now
            return _begin(session, Person(row.name, row.role, "console", row.id), now)

    def follow_link(self, secret: str, now: datetime) -> tuple[str, Session] | None:
        """A session for who has a link, which is used up; None for one that is used or over."""
        with self._store.read() as session:  # guesses do not hold up who writes
            if session.get(LinkRow, _hash(secret)) is None:
                return None
        with self._store.write() as session:
            used = session.execute(
                update(LinkRow)
                .where(
                    LinkRow.secret_hash == _hash(secret),
                    LinkRow.used_at.is_(None),
                    LinkRow.expires_at > now,
                )
                .values(used_at=now)
                .returning(LinkRow.name, LinkRow.role)
                .execution_options(synchronize_session=False)
            ).first()
            return None if used is None else _begin(session, Person(used.name, used.role), now)

    def session(self, cookie: str, now: datetime) -> Session | None:
        """Whose session it is, its time prolonged; None for one that is unknown or over, or whose
        token is not good any more."""
        key = _hash(cookie)
        with self._store.look() as connection:
            row = connection.execute(_OF_COOKIE, {"hash": key}).one_or_none()
        if row is None or row.expires_at <= now:
            return None
        if row.token_id is not None and not (
            row.token_is_there and _is_good(row.token_expires_at, row.token_revoked_at, now)
        ):
            return None
        person = Person(row.name, row.role, "console", row.token_id)
        found = Session(person, row.expires_at, row.ends_at)
        if now - row.seen_at < _SEEN_EVERY:
            return found
        until = min(now + SESSION_LASTS, found.ends_at)
        with self._store.write() as session:
            session.execute(
                update(SessionRow)
                .where(SessionRow.secret_hash == key)
                .values(seen_at=now, expires_at=until)
            )
        return Session(person, until, found.ends_at)

    def sessions(self, now: datetime) -> list[OpenSession]:
        """Who is signed in, the newest first; none whose token is not good any more."""
        asked = (
            select(SessionRow, TokenRow)
            .outerjoin(TokenRow, TokenRow.id == SessionRow.token_id)
            .where(SessionRow.expires_at > now)
            .order_by(SessionRow.created_at.desc(), SessionRow.secret_hash)
        )
        with self._store.read() as session:
            return [
                OpenSession(
                    row.name,
                    row.role,
                    None if token is None else token.prefix,
                    row.created_at,
                    row.seen_at,
                    row.expires_at,
                    row.ends_at,
                )
                for row, token in session.execute(asked)
                if token is None or record(AccessToken, token).is_good(now)
            ]

    def end_sessions(self, name: str, now: datetime) -> Ended:
        """End every session of a name, and the links that are for it or made by it and that nobody
        used yet. Its tokens stay good."""
        with self._store.write() as session:
            links = _end_links(session, name, now)
            ended = session.scalars(
                delete(SessionRow)
                .where(SessionRow.name == name)
                .returning(SessionRow.expires_at)
                .execution_options(synchronize_session=False)
            ).all()
            return Ended(sum(until > now for until in ended), links)

    def close_session(self, cookie: str) -> None:
        """End a session; nothing happens for one that is not there."""
        with self._store.write() as session:
            session.execute(delete(SessionRow).where(SessionRow.secret_hash == _hash(cookie)))

    def failed(self, place: str, now: datetime) -> None:
        """Remember that somebody at a place could not come in."""
        with self._store.write() as session:
            session.execute(delete(TryRow).where(TryRow.at < now - TRIES_WITHIN))
            session.execute(insert(TryRow).values(place=_place(place), at=now))

    def came_in(self, place: str) -> None:
        """Forget a place's failed tries."""
        with self._store.write() as session:
            session.execute(delete(TryRow).where(TryRow.place == _place(place)))

    def wait_seconds(self, place: str, now: datetime) -> int:
        """How long a place must wait before its next try; 0: it may try now."""
        asked = select(func.count(), func.max(TryRow.at)).where(
            TryRow.place == _place(place), TryRow.at > now - TRIES_WITHIN
        )
        with self._store.read() as session:
            count, last = session.execute(asked).one()
        if count < TRIES_OF_A_PLACE:
            return 0
        # Each further try doubles the wait, up to the whole window.
        wait = min(timedelta(seconds=30) * 2 ** min(count - TRIES_OF_A_PLACE, 6), TRIES_WITHIN)
        left = (last + wait - now).total_seconds()
        return int(left) + 1 if left > 0 else 0


# Every page and every call of the API asks one of these: made once, and of columns alone.
_OF_TOKEN = select(
    TokenRow.id,
    TokenRow.name,
    TokenRow.role,
    TokenRow.last_used_at,
    TokenRow.expires_at,
    TokenRow.revoked_at,
).where(TokenRow.secret_hash == bindparam("hash"))
_OF_COOKIE = (
    select(
        SessionRow.name,
        SessionRow.role,
        SessionRow.token_id,
        SessionRow.seen_at,
        SessionRow.expires_at,
        SessionRow.ends_at,
        TokenRow.id.is_not(None).label("token_is_there"),
        TokenRow.expires_at.label("token_expires_at"),
        TokenRow.revoked_at.label("token_revoked_at"),
    )
    .outerjoin(TokenRow, TokenRow.id == SessionRow.token_id)
    .where(SessionRow.secret_hash == bindparam("hash"))
)


def _is_good(expires_at: datetime | None, revoked_at: datetime | None, now: datetime) -> bool:
    return revoked_at is None and (expires_at is None or expires_at > now)


def _begin(session: Transaction, person: Person, now: datetime) -> tuple[str, Session]:
    session.execute(delete(SessionRow).where(SessionRow.expires_at < now))
    cookie = secrets.token_urlsafe(32)
    ends = now + (LINK_SESSION_ENDS if person.token_id is None else SESSION_ENDS)
    until = min(now + SESSION_LASTS, ends)
    session.add(
        SessionRow(
            secret_hash=_hash(cookie),
            token_id=person.token_id,
            name=person.name,
            role=person.role,
            created_at=now,
            seen_at=now,
            expires_at=until,
            ends_at=ends,
        )
    )
    return cookie, Session(person, until, ends)


def _usable(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return LinkRow.used_at.is_(None), LinkRow.expires_at > now


def _open_link(row: LinkRow) -> OpenLink:
    return OpenLink(
        row.secret_hash[:_LINK_ID],
        row.name,
        row.role,
        row.created_at,
        row.created_by,
        row.expires_at,
    )


def _end_links(session: Transaction, name: str, now: datetime) -> int:
    """Delete the links for a name and by it that nobody used; how many could still have been."""
    ended = session.scalars(
        delete(LinkRow)
        .where(or_(LinkRow.name == name, LinkRow.created_by == name), LinkRow.used_at.is_(None))
        .returning(LinkRow.expires_at)
        .execution_options(synchronize_session=False)
    ).all()
    return sum(until > now for until in ended)


def _token(session: Transaction, secret: str, now: datetime) -> TokenRow | None:
    row = session.scalars(
        select(TokenRow).where(TokenRow.secret_hash == _hash(secret))
    ).one_or_none()
    return row if row is not None and record(AccessToken, row).is_good(now) else None


def _named(session: Transaction, token: str, now: datetime) -> TokenRow:
    """The token of that id, name or prefix; of several the one that is good."""
    asked = token.strip()
    known = or_(TokenRow.id == asked, TokenRow.name == asked, TokenRow.prefix == asked[:_PREFIX])
    rows = list(session.scalars(select(TokenRow).where(known).with_for_update(key_share=True)))
    exact = [row for row in rows if row.id == asked]
    good = [row for row in rows if record(AccessToken, row).is_good(now)]
    chosen = exact or good or rows
    if not chosen:
        raise NotThere(f"There is no token {asked[:_PREFIX]!r}.", "`zyenta token list` shows them.")
    return chosen[0]


def _require_another_admin(session: Transaction, row: TokenRow, now: datetime) -> None:
    admins = session.scalars(select(TokenRow).where(TokenRow.role == Role.ADMIN))
    good = {each.id for each in admins if record(AccessToken, each).is_good(now)}
    if good == {row.id}:
        raise InputError(
            f"{row.name} has the last good token of an admin.",
            "Issue another one first, or revoke it with `zyenta token revoke`.",
        )


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _place(place: str) -> str:
    """An address, short enough to store; of IPv6 the network, since a person has all of it."""
    try:
        found = ipaddress.ip_address(place.partition("%")[0])
    except ValueError:
        return place[:64]
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.IPv6Network((found, 64), strict=False))
