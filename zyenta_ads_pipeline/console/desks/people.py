"""People: signing in and out, tokens, and the audit."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import NoReturn

from zyenta_ads_pipeline.console.office import Office
from zyenta_ads_pipeline.domain.access import Person, Role
from zyenta_ads_pipeline.domain.errors import (
    FieldProblem,
    FieldsRefused,
    NotSignedIn,
    TooManyTries,
)
from zyenta_ads_pipeline.store.access import (
    Access,
    AccessToken,
    OpenLink,
    OpenSession,
    Session,
)
from zyenta_ads_pipeline.store.audit import AuditEntry

SESSION_COOKIE = "zyenta_session"
LONGEST_NAME = 80
LONGEST_DAYS = 3650
_OPEN_TO_ALL = ("campaign", "request", "change", "account", "switch", "run", "store", "rule")
"""Kinds of acts that whoever is signed in may read of."""
_FIRST = "first start"


@dataclass(frozen=True)
class SignedIn:
    """Somebody who is signed in. `cookie` is the session's value for the cookie, HttpOnly and
    SameSite; `csrf` goes into every form of this session (it is derived from the cookie, so it
    needs no store). `expires_at` moves with use."""

    person: Person
    cookie: str
    csrf: str
    expires_at: datetime


@dataclass(frozen=True)
class IssuedToken:
    """A new token. `secret` is shown once and cannot be had again."""

    secret: str
    token: AccessToken


@dataclass(frozen=True)
class SignedOut:
    """What ended of a name: how many sessions, and how many links that nobody had used yet. Where
    that is nothing, `alike` holds the names in use that differ from it by upper and lower case."""

    name: str
    sessions: int
    links: int
    alike: Sequence[str] = ()


def link_path(secret: str) -> str:
    """Where on the console the secret of a one-time link signs in."""
    return f"/sign-in/link?code={secret}"


class PeopleDesk:
    """Doors. `where` is the address that a request comes from, for the limit of failed tries: after
    5 in a row it must wait, longer with each. What is good always comes in, so that a stranger
    behind the same address locks nobody out: 256 bits are not guessed."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._access = Access(office.store)

    def sign_in(self, secret: str, where: str) -> SignedIn:
        """Open a session with a token. Raises `NotSignedIn`, `TooManyTries`."""
        opened = self._access.open_session(secret.strip(), self._office.now())
        if opened is None:
            self._refuse(where, "This token is unknown, over or revoked.")
        return self._came_in(opened, where, "sign_in.token")

    def sign_in_by_link(self, secret: str, where: str) -> SignedIn:
        """Open a session with the secret of a one-time link; it is used up. Raises `NotSignedIn`,
        `TooManyTries`."""
        opened = self._access.follow_link(secret.strip(), self._office.now())
        if opened is None:
            self._refuse(where, "This link was used already, or is older than ten minutes.")
        return self._came_in(opened, where, "sign_in.link")

    def session(self, cookie: str | None) -> SignedIn | None:
        """Who a cookie belongs to, its time prolonged; None for none, one that is over, or one
        whose token was revoked."""
        if not cookie:
            return None
        found = self._access.session(cookie, self._office.now())
        return None if found is None else self._signed_in(cookie, found)

    def sign_out(self, cookie: str | None) -> None:
        """End a session; nothing happens for one that is over."""
        if not cookie:
            return
        found = self._access.session(cookie, self._office.now())
        self._access.close_session(cookie)
        if found is not None:
            self._office.note(found.person, "sign_out", "session", found.person.name)

    def person_of_token(self, secret: str, where: str) -> Person:
        """Who a bearer token belongs to (`via` is `api`). Raises `NotSignedIn`, `TooManyTries`."""
        person = self._access.person_of(secret.strip(), self._office.now())
        if person is None:
            self._refuse(where, "This token is unknown, over or revoked.")
        return person

    def first_link(self) -> str | None:
        """The secret of a one-time link for an admin, to be printed at the start on loopback; None
        once there is a token that is good. Lasts 10 minutes and works once."""
        now = self._office.now()
        if any(token.is_good(now) for token in self._access.tokens()):
            return None
        return self._access.link("admin", Role.ADMIN, by=_FIRST, now=now)

    def link(self, person: Person, name: str, role: Role) -> str:
        """The secret of a one-time link for somebody. Admin."""
        self._office.allow(person, Role.ADMIN, "link.issue", "token", name)
        _require_name(name, "A link needs the name of who will use it.", "Name the person")
        secret = self._access.link(name.strip(), role, by=person.name, now=self._office.now())
        self._office.note(person, "link.issue", "token", name, {"role": role.value})
        return secret

    def links(self, person: Person) -> Sequence[OpenLink]:
        """The one-time links that can still be used, the newest first. Admin."""
        self._office.allow(person, Role.ADMIN, "link.list", "token", "")
        return self._access.links(self._office.now())

    def end_link(self, person: Person, link_id: str) -> OpenLink:
        """End a link that nobody used yet. Admin. `NotThere` for one that is used or over."""
        self._office.allow(person, Role.ADMIN, "link.end", "token", link_id)
        ended = self._access.end_link(link_id, self._office.now())
        self._office.note(person, "link.end", "token", ended.name, {"role": ended.role.value})
        return ended

    def sessions(self, person: Person) -> Sequence[OpenSession]:
        """Who is signed in to the console, the newest first. Admin."""
        self._office.allow(person, Role.ADMIN, "session.list", "session", "")
        return self._access.sessions(self._office.now())

    def sign_out_all(self, person: Person, name: str) -> SignedOut:
        """End every session of a name at once, also those by a link, and the links for it and by it
        that nobody used yet. Its tokens stay good: `revoke` ends those. Everybody may for the own
        name, an admin for all. Raises `FieldsRefused` for no name."""
        name, now = name.strip(), self._office.now()
        if name != person.name:
            self._office.allow(person, Role.ADMIN, "session.end", "session", name)
        if not name:
            raise FieldsRefused([FieldProblem("name", "No name was given.", "Say who it is.")])
        ended = self._access.end_sessions(name, now)
        detail = {"ended": ended.sessions, "links": ended.links}
        self._office.note(person, "session.end", "session", name, detail)
        alike: Sequence[str] = ()
        if not ended.sessions and not ended.links and person.may(Role.ADMIN):
            alike = self._alike(name, now)
        return SignedOut(name, ended.sessions, ended.links, alike)

    def tokens(self, person: Person) -> Sequence[AccessToken]:
        """Every token, the newest first, revoked ones too. Admin."""
        self._office.allow(person, Role.ADMIN, "token.list", "token", "")
        return self._access.tokens()

    def issue(self, person: Person, name: str, role: Role, days: int | None = None) -> IssuedToken:
        """Make a token, good for `days` (None: until it is revoked). Admin. `FieldsRefused` for a
        name or days that cannot be, `TakenAlready` for a name that another good token has."""
        self._office.allow(person, Role.ADMIN, "token.issue", "token", name)
        _require_name(name, "A token needs a name.", "Name the person or program that uses it")
        if days is not None and not 1 <= days <= LONGEST_DAYS:
            raise FieldsRefused(
                [FieldProblem("days", f"A token cannot last {days} days.",
                              f"Give 1 to {LONGEST_DAYS}, or none.")]
            )  # fmt: skip
        secret, token = self._access.issue(
            name,
            role,
            by=person.name,
            now=self._office.now(),
            lasts=None if days is None else timedelta(days=days),
        )
        detail = {"name": token.name, "role": role.value, "prefix": token.prefix, "days": days}
        self._office.note(person, "token.issue", "token", token.id, detail)
        return IssuedToken(secret, token)

    def revoke(self, person: Person, token_id: str) -> AccessToken:
        """End a token and its sessions, at once, and the unused links for its name and by it.
        Admin. `token_id` may be its prefix or name. Raises `NotThere`, and `InputError` for the
        last admin's, which would lock everybody out of the console; the terminal may revoke that
        too."""
        self._office.allow(person, Role.ADMIN, "token.revoke", "token", token_id[:16])
        token = self._access.revoke(
            token_id,
            by=person.name,
            now=self._office.now(),
            keep_an_admin=person.via != "cli",
        )
        self._office.note(person, "token.revoke", "token", token.id, {"name": token.name})
        return token

    def audit(
        self,
        person: Person,
        *,
        who: str | None = None,
        kind: str | None = None,
        about: str | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> list[AuditEntry]:
        """Acts, the newest first; those with an id below `before` for the next page. Admins see
        all; others their own, and those that are not about doors."""
        return self._office.audit.entries(
            who=who,
            kind=kind,
            about=about,
            before=before,
            limit=max(1, min(limit, 500)),
            for_person=None if person.may(Role.ADMIN) else person.name,
            kinds=_OPEN_TO_ALL,
        )

    def _alike(self, name: str, now: datetime) -> list[str]:
        """Names in use that are another's only by upper and lower case."""
        used = {each.name for each in self._access.sessions(now)}
        used |= {each.name for each in self._access.links(now)}
        return sorted(each for each in used - {name} if each.casefold() == name.casefold())

    def _require_patience(self, where: str) -> None:
        wait = self._access.wait_seconds(where, self._office.now())
        if wait:
            raise TooManyTries(
                "Signing in failed too often from here.",
                f"Try again in {wait} seconds.",
                wait_seconds=wait,
            )

    def _refuse(self, where: str, what: str) -> NoReturn:
        self._require_patience(where)
        self._access.failed(where, self._office.now())
        raise NotSignedIn(what, "Ask an admin for a token: `zyenta token issue NAME` makes one.")

    def _came_in(self, opened: tuple[str, Session], where: str, act: str) -> SignedIn:
        cookie, session = opened
        self._access.came_in(where)
        self._office.note(session.person, act, "session", session.person.name, {"from": where})
        return self._signed_in(cookie, session)

    def _signed_in(self, cookie: str, session: Session) -> SignedIn:
        # Of the cookie and the console's secret: who could write into the store still has neither.
        secret = self._office.settings.console_secret
        key = b"zyenta csrf" if secret is None else secret.get_secret_value().encode()
        csrf = hmac.new(key, cookie.encode(), sha256).hexdigest()[:43]
        return SignedIn(session.person, cookie, csrf, session.expires_at)


def _require_name(name: str, what: str, remedy: str) -> None:
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        told = f"{remedy}, in at most {LONGEST_NAME} letters."
        raise FieldsRefused([FieldProblem("name", what, told)])
