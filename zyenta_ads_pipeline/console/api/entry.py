"""The door of the API: who asks, with which role, and whether it was asked before.

Every route is an `ApiRoute`. It finds the person (a bearer token, or the console's own session),
holds the route's role against theirs, gives a kept reply for a known `Idempotency-Key`, and turns
every error into a problem.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Coroutine
from decimal import Decimal
from typing import Annotated, Any, NoReturn

from fastapi import Depends, Request, Security
from fastapi.routing import APIRoute
from fastapi.security import APIKeyCookie, HTTPBearer
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from zyenta_ads_pipeline.console.api.problems import ProblemRaised, problem_of
from zyenta_ads_pipeline.console.api.writing import Json
from zyenta_ads_pipeline.console.desks.desks import Desks
from zyenta_ads_pipeline.console.desks.people import SESSION_COOKIE
from zyenta_ads_pipeline.console.numbers import Numbers
from zyenta_ads_pipeline.domain.access import Person, Role
from zyenta_ads_pipeline.domain.errors import NotSignedIn, TakenAlready
from zyenta_ads_pipeline.store.replies import LONGEST_KEY, KeptReply, can_be_key

CSRF_HEADER = "X-CSRF-Token"
KEY_HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
ROLE = "x-role"
"""Where a route says, in its OpenAPI, which role it takes."""
SECRET = "x-secret"  # noqa: S105 - a word of the document
"""Where a route says that its reply holds a secret, so that it is never kept."""
_SAFE = ("GET", "HEAD", "OPTIONS")
_KEPT_HEADERS = ("content-type", "etag", "location")

_bearer = HTTPBearer(
    auto_error=False, scheme_name="token", description="A token from `zyenta token issue`."
)
_cookie = APIKeyCookie(
    name=SESSION_COOKIE,
    auto_error=False,
    scheme_name="session",
    description=f"The console's own session; writes also need the header {CSRF_HEADER}.",
)
DOOR = [Security(_bearer), Security(_cookie)]
"""What the document says of the door; `ApiRoute` is what stands in it."""


class NothingDone(Json):
    """A reply that refuses all that was asked for: like an error it holds no idempotency key."""


class ApiRequest(Request):
    """A request whose numbers are read digit by digit: 49.90 never becomes a float."""

    async def json(self) -> Any:
        """The body as JSON. Raises `json.JSONDecodeError`, for NaN and Infinity too."""
        if not hasattr(self, "_exact"):
            self._exact = json.loads(
                await self.body(), parse_float=Decimal, parse_constant=_no_number
            )
        return self._exact


class ApiRoute(APIRoute):
    """A route of the API; see the module."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's own handler, with the door before it."""
        inner = super().get_route_handler()
        extra = self.openapi_extra or {}
        needed, kept = Role(extra.get(ROLE, Role.VIEWER)), not extra.get(SECRET)
        name = self.name

        async def handle(request: Request) -> Response:
            asked = ApiRequest(request.scope, request.receive)
            try:
                desks: Desks = request.app.state.desks
                asked.state.person = await run_in_threadpool(_enter, desks, asked, needed, name)
                key = asked.headers.get(KEY_HEADER)
                if key is None or request.method != "POST" or not kept:
                    return await inner(asked)
                return await _once(desks, asked, key, inner)
            except Exception as error:  # each becomes a reply; defects are logged
                return problem_of(error, request.url.path, next(reversed(request.path_params), ""))

        return handle


async def _me(request: Request) -> Person:
    person: Person = request.state.person
    return person


async def _desks(request: Request) -> Desks:
    desks: Desks = request.app.state.desks
    return desks


Me = Annotated[Person, Depends(_me)]
"""Who asks."""
TheDesks = Annotated[Desks, Depends(_desks)]
"""The desks of this worker."""


async def _numbers(request: Request) -> Numbers:
    numbers: Numbers = request.app.state.numbers
    return numbers


TheNumbers = Annotated[Numbers, Depends(_numbers)]
"""What the lake says."""


def _enter(desks: Desks, request: Request, needed: Role, name: str) -> Person:
    person = _who(desks, request)
    desks.office.allow(person, needed, name, "api", request.url.path)
    return person


def _who(desks: Desks, request: Request) -> Person:
    where = request.client.host if request.client else ""
    given = request.headers.get("authorization")
    if given is not None:
        scheme, _, secret = given.partition(" ")
        if scheme.lower() != "bearer" or not secret.strip():
            raise NotSignedIn(
                "The header Authorization holds no bearer token.",
                "Write it as Authorization: Bearer TOKEN.",
            )
        return desks.people.person_of_token(secret.strip(), where)
    signed = desks.people.session(request.cookies.get(SESSION_COOKIE))
    if signed is None:
        raise NotSignedIn(
            "No token came with the request, and no session that is good.",
            "Send Authorization: Bearer TOKEN; `zyenta token issue` makes one.",
        )
    if request.method not in _SAFE:
        sent = request.headers.get(CSRF_HEADER, "")
        if not hmac.compare_digest(sent.encode(), signed.csrf.encode()):
            raise ProblemRaised(
                403,
                f"The header {CSRF_HEADER} is missing or not this session's.",
                "Send the page's own, or use a bearer token.",
                field=CSRF_HEADER,
            )
    return signed.person


async def _once(
    desks: Desks,
    request: ApiRequest,
    key: str,
    inner: Callable[[Request], Coroutine[Any, Any, Response]],
) -> Response:
    """The reply of the first time, or one that is kept for the next: where anything was done, so
    that it is not done twice."""
    who = request.state.person.name
    _require_key(key)
    route = f"{request.method} {request.url.path}?{request.url.query}"
    body = await request.body()
    try:
        kept = await run_in_threadpool(
            desks.replies.begin, who, key, route=route, body=body, now=desks.office.now()
        )
    except TakenAlready as error:
        raise ProblemRaised(422, error.what, error.remedy, field=KEY_HEADER) from None
    if kept is not None:
        headers = {**dict(kept.headers), REPLAYED: "true"}
        return Response(kept.body, status_code=kept.status, headers=headers)
    done = False
    try:
        response = await inner(request)
        done = response.status_code < 300 and not isinstance(response, NothingDone)
    finally:
        if not done:  # nothing was done, so that it may be asked again, mended or not
            await run_in_threadpool(desks.replies.drop, who, key)
    if not done:
        return response
    headers_kept = tuple(
        (name, value) for name, value in response.headers.items() if name in _KEPT_HEADERS
    )
    keeping = KeptReply(response.status_code, headers_kept, bytes(response.body))
    await run_in_threadpool(desks.replies.keep, who, key, keeping)
    return response


def _require_key(key: str) -> None:
    if not can_be_key(key):
        raise ProblemRaised(
            422,
            f"The header {KEY_HEADER} is empty or longer than {LONGEST_KEY} characters.",
            "Give a value of your own, such as a UUID.",
            field=KEY_HEADER,
        )


def _no_number(word: str) -> NoReturn:
    raise json.JSONDecodeError(f"{word} is no number of JSON", word, 0)
