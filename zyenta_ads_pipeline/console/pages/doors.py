"""Signing in and out."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from zyenta_ads_pipeline.console.desks.people import SESSION_COOKIE, SignedIn
from zyenta_ads_pipeline.console.pages.site import Site
from zyenta_ads_pipeline.console.pages.visit import DOOR, Visit, own_path, with_query
from zyenta_ads_pipeline.domain.errors import NotSignedIn, TooManyTries


def routes(site: Site) -> list[Route]:
    """The pages in front of all others."""
    return [
        site.get("/sign-in", sign_in_page, open_to_all=True),
        site.post("/sign-in", sign_in, open_to_all=True, keep=_again),
        site.get("/sign-in/link", link_page, open_to_all=True),
        site.post("/sign-in/link", use_link, open_to_all=True, keep=_again_with_link),
        site.post("/sign-out", sign_out, open_to_all=True),
    ]


def sign_in_page(visit: Visit) -> Response:
    """Where a token is given. Whoever is signed in goes on at once."""
    if visit.signed is not None and not visit.given("over"):
        return visit.go(own_path(visit.given("next")))
    return _page(visit, {}, visit.given("next"), kept=bool(visit.given("kept")))


def sign_in(visit: Visit) -> Response:
    """Open a session with a token."""
    wanted = visit.sent("next")
    if not visit.sent("token"):
        return _page(visit, {"token": "Paste your access token."}, wanted, status=422)
    try:
        signed = visit.site.desks.people.sign_in(visit.sent("token"), visit.where)
    except NotSignedIn as error:
        return _page(visit, {"token": str(error)}, wanted, status=401)
    except TooManyTries as error:
        response = _page(visit, {"token": str(error)}, wanted, status=429)
        response.headers["Retry-After"] = str(error.wait_seconds)
        return response
    return _opened(visit, signed, own_path(wanted))


def link_page(visit: Visit) -> Response:
    """Looking at the link does not use it up: mail programs and chats look at links too."""
    return _link(visit, visit.given("code"), {})


def use_link(visit: Visit) -> Response:
    """Open a session with a one-time link."""
    try:
        signed = visit.site.desks.people.sign_in_by_link(visit.sent("code"), visit.where)
    except NotSignedIn as error:
        return _link(visit, visit.sent("code"), {"code": str(error)}, 401)
    except TooManyTries as error:
        response = _link(visit, visit.sent("code"), {"code": str(error)}, 429)
        response.headers["Retry-After"] = str(error.wait_seconds)
        return response
    return _opened(visit, signed, "/campaigns")


def sign_out(visit: Visit) -> Response:
    """End the session, or all that the person has anywhere."""
    everywhere = visit.sent("everywhere") and visit.signed is not None
    if everywhere:
        visit.site.desks.people.sign_out_all(visit.person, visit.person.name)
    else:
        visit.site.desks.people.sign_out(visit.request.cookies.get(SESSION_COOKIE))
    response = visit.go("/sign-in", f"You are signed out{' everywhere' if everywhere else ''}.")
    response.delete_cookie(
        SESSION_COOKIE, path="/", httponly=True, samesite="lax", secure=visit.secure
    )
    return response


def _opened(visit: Visit, signed: SignedIn, to: str) -> Response:
    response = visit.go(to)
    visit.put_cookie(response, SESSION_COOKIE, signed.cookie, None)
    response.delete_cookie(DOOR, path="/", httponly=True, samesite="lax", secure=visit.secure)
    return response


def _page(
    visit: Visit, errors: dict[str, str], wanted: str, *, status: int = 200, kept: bool = False
) -> Response:
    over = bool(visit.given("over"))
    return visit.site.show(
        visit,
        "sign_in.html",
        status,
        errors=errors,
        next=own_path(wanted, ""),
        kept=kept,
        over=over,
    )


def _link(visit: Visit, code: str, errors: dict[str, str], status: int = 200) -> Response:
    return visit.site.show(visit, "sign_in_link.html", status, errors=errors, code=code)


def _again(visit: Visit) -> str:
    return with_query("/sign-in", {"next": own_path(visit.sent("next"), "")})


def _again_with_link(visit: Visit) -> str:
    return with_query("/sign-in/link", {"code": visit.sent("code")})
