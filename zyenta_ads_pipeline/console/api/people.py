"""Who I am, tokens, links, sessions, and the audit."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Query
from pydantic import Field
from starlette.responses import Response

from zyenta_ads_pipeline.console.api.declared import ADMIN, acting, problems, router
from zyenta_ads_pipeline.console.api.entry import SECRET, Me, TheDesks
from zyenta_ads_pipeline.console.api.problems import ProblemRaised
from zyenta_ads_pipeline.console.api.shapes import Body, Moment, Shape
from zyenta_ads_pipeline.console.api.shapes import Json as Plain
from zyenta_ads_pipeline.console.api.writing import Json, moment
from zyenta_ads_pipeline.console.desks.people import LONGEST_NAME, SignedOut, link_path
from zyenta_ads_pipeline.domain.access import Role
from zyenta_ads_pipeline.domain.errors import TakenAlready
from zyenta_ads_pipeline.store.access import AccessToken, OpenLink, OpenSession

routes = router("people")
TokenId = Annotated[str, Path(min_length=1, max_length=100)]
LinkId = Annotated[str, Path(min_length=1, max_length=100)]


class Myself(Shape):
    """Who the token or session belongs to."""

    name: str
    role: Role
    via: str


class Token(Shape):
    """A token; itself it is shown once, when it is issued."""

    id: str
    name: str
    role: Role
    prefix: str
    created_at: Moment
    created_by: str
    last_used_at: Moment | None
    expires_at: Moment | None
    revoked_at: Moment | None
    revoked_by: str | None


class Tokens(Shape):
    """Every token, the newest first."""

    tokens: list[Token]


class Issued(Token):
    """A new token. `secret` cannot be had again."""

    secret: str


class AuditRow(Shape):
    """One act of a person."""

    id: int
    at: Moment
    who: str
    role: str
    via: str
    act: str
    kind: str
    about: str
    detail: dict[str, Any]
    refused: bool


class AuditRows(Shape):
    """Acts, the newest first. `before` is where the next page begins; null: this is the last."""

    audit: list[AuditRow]
    before: int | None


class NewToken(Body):
    """Whose token, and how far it reaches."""

    name: str = Field(min_length=1, max_length=100, examples=["eva"])
    role: Role
    days: int | None = Field(None, ge=1, le=3650, description="Left out: until it is revoked.")


class NewLink(Body):
    """Who will sign in by it, and how far that reaches."""

    name: str = Field(min_length=1, max_length=LONGEST_NAME, examples=["mia"])
    role: Role


class Link(Shape):
    """A one-time link. `path` cannot be had again; put it behind the console's own address."""

    name: str
    role: Role
    path: str = Field(examples=["/sign-in/link?code=..."])


class UnusedLink(Shape):
    """A one-time link that can still be used. `id` names it; it does not sign in."""

    id: str
    name: str
    role: Role
    created_at: Moment
    created_by: str
    expires_at: Moment


class UnusedLinks(Shape):
    """Links that nobody used yet, the newest first."""

    links: list[UnusedLink]


class OneSession(Shape):
    """Somebody who is signed in to the console. `token` is how the token begins that opened it;
    null: a one-time link did."""

    name: str
    role: Role
    token: str | None
    created_at: Moment
    seen_at: Moment
    expires_at: Moment
    ends_at: Moment


class Sessions(Shape):
    """Who is signed in, the newest first."""

    sessions: list[OneSession]


class Leaving(Body):
    """Whose sessions end."""

    name: str = Field(min_length=1, max_length=100, examples=["mia"])


class Left(Shape):
    """How many sessions ended, and links that nobody had used yet. `alike`: where nothing did, the
    names in use that differ by upper and lower case alone."""

    name: str
    ended: int
    links: int
    alike: list[str]


@routes.get("/me", response_model=Myself, responses=problems(), summary="Who am I?")
def who_am_i(me: Me) -> Response:
    """Who the token or session belongs to, and how far it reaches."""
    return Json({"name": me.name, "role": me.role, "via": me.via})


@routes.get(
    "/tokens",
    response_model=Tokens,
    responses=problems(),
    openapi_extra=ADMIN,
    summary="List tokens",
)
def list_tokens(me: Me, desks: TheDesks) -> Response:
    """Every token, revoked ones too."""
    return Json({"tokens": [_token(each) for each in desks.people.tokens(me)]})


@routes.post(
    "/tokens",
    response_model=Issued,
    status_code=201,
    responses=acting(),
    openapi_extra=ADMIN | {SECRET: True},
    summary="Issue a token",
)
def issue_token(body: NewToken, me: Me, desks: TheDesks) -> Response:
    """Makes a token. It is in this reply alone; here an `Idempotency-Key` is not kept."""
    try:
        made = desks.people.issue(me, body.name, body.role, body.days)
    except TakenAlready as error:
        raise ProblemRaised(409, error.what, error.remedy, field="name") from None
    return Json(_token(made.token) | {"secret": made.secret}, status_code=201)


@routes.post(
    "/tokens/{token_id}/revoke",
    response_model=Token,
    responses=acting(),
    openapi_extra=ADMIN,
    summary="Revoke a token",
)
def revoke_token(token_id: TokenId, me: Me, desks: TheDesks) -> Response:
    """Ends a token and its sessions at once, and unused links for its name or made by it."""
    return Json(_token(desks.people.revoke(me, token_id)))


@routes.post(
    "/links",
    response_model=Link,
    status_code=201,
    responses=acting(),
    openapi_extra=ADMIN | {SECRET: True},
    summary="Make a one-time link",
)
def make_link(body: NewLink, me: Me, desks: TheDesks) -> Response:
    """Makes a link that signs somebody in to the console, once, within ten minutes, for 12 hours at
    most. It is in this reply alone; here an `Idempotency-Key` is not kept."""
    path = link_path(desks.people.link(me, body.name, body.role))
    return Json({"name": body.name.strip(), "role": body.role, "path": path}, status_code=201)


@routes.get(
    "/links",
    response_model=UnusedLinks,
    responses=problems(),
    openapi_extra=ADMIN,
    summary="List unused links",
)
def list_links(me: Me, desks: TheDesks) -> Response:
    """The one-time links that can still be used, without what signs in."""
    return Json({"links": [_link(each) for each in desks.people.links(me)]})


@routes.post(
    "/links/{link_id}/end",
    response_model=UnusedLink,
    responses=acting(),
    openapi_extra=ADMIN,
    summary="End a link",
)
def end_link(link_id: LinkId, me: Me, desks: TheDesks) -> Response:
    """Ends a link that nobody used yet."""
    return Json(_link(desks.people.end_link(me, link_id)))


@routes.get(
    "/sessions",
    response_model=Sessions,
    responses=problems(),
    openapi_extra=ADMIN,
    summary="List sessions",
)
def list_sessions(me: Me, desks: TheDesks) -> Response:
    """Who is signed in to the console."""
    return Json({"sessions": [_session(each) for each in desks.people.sessions(me)]})


@routes.post(
    "/sessions/end",
    response_model=Left,
    responses=acting(),
    openapi_extra=ADMIN,
    summary="Sign a person out",
)
def end_sessions(body: Leaving, me: Me, desks: TheDesks) -> Response:
    """Ends every session of a name at once, and unused links for it or made by it; tokens stay
    good."""
    return Json(_left(desks.people.sign_out_all(me, body.name)))


@routes.get("/audit", response_model=AuditRows, responses=problems(), summary="Read the audit")
def read_audit(
    me: Me,
    desks: TheDesks,
    who: Annotated[str | None, Query(max_length=100)] = None,
    kind: Annotated[str | None, Query(max_length=50)] = None,
    about: Annotated[str | None, Query(max_length=100)] = None,
    before: Annotated[int | None, Query(ge=0, le=2**62)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Response:
    """Who did what, and when. Admins see all; others their own, and what concerns campaigns,
    changes, accounts and switches."""
    found = desks.people.audit(me, who=who, kind=kind, about=about, before=before, limit=limit)
    rows = [
        {
            "id": each.id,
            "at": moment(each.at),
            "who": each.who,
            "role": each.role,
            "via": each.via,
            "act": each.act,
            "kind": each.kind,
            "about": each.about,
            "detail": dict(each.detail),
            "refused": each.refused,
        }
        for each in found
    ]
    return Json({"audit": rows, "before": found[-1].id if len(found) == limit else None})


def _token(one: AccessToken) -> Plain:
    return {
        "id": one.id,
        "name": one.name,
        "role": one.role,
        "prefix": one.prefix,
        "createdAt": moment(one.created_at),
        "createdBy": one.created_by,
        "lastUsedAt": moment(one.last_used_at),
        "expiresAt": moment(one.expires_at),
        "revokedAt": moment(one.revoked_at),
        "revokedBy": one.revoked_by,
    }


def _link(one: OpenLink) -> Plain:
    return {
        "id": one.id,
        "name": one.name,
        "role": one.role,
        "createdAt": moment(one.created_at),
        "createdBy": one.created_by,
        "expiresAt": moment(one.expires_at),
    }


def _left(done: SignedOut) -> Plain:
    return {
        "name": done.name,
        "ended": done.sessions,
        "links": done.links,
        "alike": list(done.alike),
    }


def _session(one: OpenSession) -> Plain:
    return {
        "name": one.name,
        "role": one.role,
        "token": one.token,
        "createdAt": moment(one.created_at),
        "seenAt": moment(one.seen_at),
        "expiresAt": moment(one.expires_at),
        "endsAt": moment(one.ends_at),
    }
