"""Transport to the Graph API: one request at a time, typed errors, bounded retries of reads.

The token travels in the Authorization header and is taken out of every text that leaves here.
A read is tried again where the error table allows it; a write is sent exactly once.
"""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import stamina

from zyenta_ads_pipeline.domain.errors import (
    ErrorOrigin,
    IncompleteData,
    PlatformError,
    RateLimited,
    TooMuchData,
    Transient,
    UnknownOutcome,
    Unreachable,
    ValidationRefused,
)
from zyenta_ads_pipeline.platforms.meta.errors import error_from_reply, heals_once

log = logging.getLogger(__name__)

_SMALLEST_PAGE = 10
_TRIES = 5


@dataclass(frozen=True)
class Reply:
    """A decoded reply: its body, Meta's clock when it was given, and its trace id."""

    body: dict[str, Any]
    at: datetime
    trace_id: str
    request: str


class MetaClient:
    """A connection to the Graph API with one token. Open it with `async with`.

    `max_wait` bounds, in seconds, how long a throttled read sits out before it gives up.
    """

    def __init__(
        self,
        *,
        base_url: str,
        version: str,
        token: str,
        timeout: float = 60.0,
        max_wait: float = 300.0,
    ) -> None:
        self._version = version
        self._token = token
        self._max_wait = max_wait
        self._warned = False
        self._http = httpx.AsyncClient(
            base_url=f"{base_url}/{version}/",
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
            timeout=timeout,
            follow_redirects=False,
        )

    async def __aenter__(self) -> MetaClient:
        await self._http.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._http.aclose()

    async def get(self, path: str, params: Mapping[str, Any] | None = None) -> Reply:
        """Read one object. Tried again, within bounds, where Meta's error allows it."""
        async for attempt in stamina.retry_context(
            on=_Patience(self._max_wait), attempts=_TRIES, timeout=None, wait_jitter=0.5
        ):
            with attempt:
                return await self._send("GET", path, params=params)
        raise AssertionError("the retry loop returns or raises")

    async def pages(
        self, path: str, params: Mapping[str, Any], *, limit: int
    ) -> AsyncIterator[Reply]:
        """Every page of an edge, to its real end: the page without `paging.next`.

        Pages that Meta finds too large are asked for again at half the size. Raises
        `IncompleteData` when the chain of cursors breaks, so that no partial list passes as whole.
        """
        after: str | None = None
        seen: set[str] = set()
        number = 1
        while True:
            asked = {**params, "limit": limit, **({"after": after} if after else {})}
            try:
                reply = await self.get(path, asked)
            except TooMuchData:
                if limit <= _SMALLEST_PAGE:
                    raise
                limit = max(limit // 2, _SMALLEST_PAGE)
                continue
            except ValidationRefused as error:
                if after is None:
                    raise
                raise IncompleteData(
                    f"The list {path} broke off: page {number} could not be read: {error.what}",
                    "Nothing of this list was stored; run it again.",
                ) from error
            _check_page(reply, path, number)
            yield reply
            after = _next_cursor(reply.body, path, number)
            if after is None:
                return
            if after in seen:
                raise IncompleteData(
                    f"The list {path} goes in circles: page {number} points to an earlier one.",
                    "Nothing of this list was stored; run it again.",
                )
            seen.add(after)
            number += 1

    async def post(self, path: str, data: Mapping[str, Any]) -> Reply:
        """Write, once. Raises `UnknownOutcome` when it may or may not have happened."""
        try:
            reply = await self._send("POST", path, data=data)
        except Transient as error:
            raise UnknownOutcome(
                f"It is not known whether {error.origin.request} took effect: {error.what}",
                "The object is looked at before anything is sent again.",
                origin=error.origin,
            ) from error
        if reply.body.get("success") is False:
            raise UnknownOutcome(
                f"Meta answered {reply.request} with success: false.",
                "The object is looked at before anything is sent again.",
                origin=ErrorOrigin(request=reply.request, trace_id=reply.trace_id),
            )
        return reply

    async def _send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> Reply:
        request = f"{method} /{self._version}/{path}"
        origin = ErrorOrigin(request=request)
        try:
            response = await self._http.request(
                method, path, params=_encoded(params), data=_encoded(data)
            )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise Unreachable(
                f"No connection to {self._host} for {request}: {self._clean(error)}.",
                "Check META_GRAPH_URL and the network; on the sandbox, start `zyenta sandbox`.",
                origin=origin,
            ) from None
        except httpx.RequestError as error:
            raise Transient(
                f"The connection broke during {request}: {type(error).__name__} "
                f"{self._clean(error)}".rstrip()
                + ".",
                "The next run tries again.",
                origin=origin,
            ) from None
        return self._decoded(response, request)

    def _decoded(self, response: httpx.Response, request: str) -> Reply:
        try:
            body = json.loads(response.content, parse_float=Decimal)
        except ValueError:
            body = None
        if isinstance(body, dict) and isinstance(body.get("error"), dict):
            raise error_from_reply(
                json.loads(self._clean(json.dumps(body["error"], default=str))),
                request=request,
                http_status=response.status_code,
                headers=response.headers,
            )
        trace = response.headers.get("x-fb-trace-id", "")
        if not isinstance(body, dict) or "error" in body or not response.is_success:
            raise _unreadable(request, response.status_code, trace)
        self._check_version(response)
        return Reply(body=body, at=_server_time(response), trace_id=trace, request=request)

    def _check_version(self, response: httpx.Response) -> None:
        answered = response.headers.get("facebook-api-version")
        if answered and answered != self._version and not self._warned:
            self._warned = True
            log.warning("Meta answered as %s though %s was asked", answered, self._version)

    @property
    def _host(self) -> str:
        return f"{self._http.base_url.scheme}://{self._http.base_url.netloc.decode()}"

    def _clean(self, text: object) -> str:
        return str(text).replace(self._token, "***")


class _Patience:
    """Decides for each failed try whether, and after how long, to try again."""

    def __init__(self, max_wait: float) -> None:
        self._left = max_wait
        self._tries = 0

    def __call__(self, error: Exception) -> bool | float:
        self._tries += 1
        if isinstance(error, RateLimited):
            wait = error.wait_seconds or 1.0
            if wait > self._left:
                return False
            self._left -= wait
            log.warning("%s Waiting %.0f s.", error.what, wait)
            return wait
        if not isinstance(error, Transient | Unreachable):
            return False
        if self._tries > 1 and isinstance(error, PlatformError) and heals_once(error):
            return False
        log.warning("%s Trying again.", error.what)
        return True


def _encoded(values: Mapping[str, Any] | None) -> dict[str, str] | None:
    """Parameters as Graph wants them: lists, objects and booleans each as JSON text."""
    if values is None:
        return None
    return {
        name: value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
        for name, value in values.items()
        if value is not None
    }


def _server_time(response: httpx.Response) -> datetime:
    try:
        return parsedate_to_datetime(response.headers["date"]).astimezone(UTC)
    except (KeyError, ValueError):
        return datetime.now(UTC)


def _unreadable(request: str, status: int, trace: str) -> PlatformError:
    origin = ErrorOrigin(request=request, http_status=status, trace_id=trace)
    kind: type[PlatformError] = ValidationRefused
    if status == 429:
        kind = RateLimited
    elif status < 400 or status >= 500:
        kind = Transient
    return kind(
        f"The reply to {request} is not one of the Graph API's (HTTP {status}).",
        "Check META_GRAPH_URL." if kind is ValidationRefused else "The next run tries again.",
        origin=origin,
    )


def _check_page(reply: Reply, path: str, number: int) -> None:
    rows = reply.body.get("data")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise IncompleteData(
            f"Page {number} of {path} has no list of rows.",
            "Nothing of this list was stored; run it again.",
        )


def _next_cursor(body: Mapping[str, Any], path: str, number: int) -> str | None:
    """The cursor of the next page; None on the last, which alone lacks `paging.next`.

    The link itself is not followed: it can carry the token.
    """
    paging = body.get("paging")
    if not isinstance(paging, dict) or not paging.get("next"):
        return None
    cursors = paging.get("cursors")
    after = cursors.get("after") if isinstance(cursors, dict) else None
    after = after or next(
        iter(parse_qs(urlsplit(str(paging["next"])).query).get("after", [])), None
    )
    if not after:
        raise IncompleteData(
            f"Page {number} of {path} announces a next page but no cursor to it.",
            "Nothing of this list was stored; run it again.",
        )
    return str(after)
