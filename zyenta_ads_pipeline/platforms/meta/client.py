"""Transport to the Graph API: budgeted calls, typed errors, bounded retries of reads.

The token travels in the Authorization header and is taken out of every reply as it arrives. Each
call asks the rate budget first, and has an end: its own, a read also the deadline. A read is tried
again where the error table allows it; a write is sent exactly once.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import httpx
import stamina

from zyenta_ads_pipeline.domain.errors import (
    DeadlinePassed,
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
from zyenta_ads_pipeline.platforms.meta.budget import RateBudget
from zyenta_ads_pipeline.platforms.meta.forms import (
    FORM_TYPE,
    Attachment,
    encoded,
    form,
    query,
)
from zyenta_ads_pipeline.platforms.meta.patience import Patience
from zyenta_ads_pipeline.platforms.meta.replies import (
    RawReply,
    Reply,
    decoded,
    next_cursor,
    server_time,
)
from zyenta_ads_pipeline.platforms.meta.usage import MANAGEMENT, WRITE_POINTS

log = logging.getLogger(__name__)

T = TypeVar("T")
_Method = Literal["GET", "POST", "DELETE"]

_SMALLEST_PAGE = 10
_TRIES = 5
_SHORTEST_SECRET = 12
"""Bytes. Shorter ones are stand-ins such as `test`, and may be a part of what Meta says."""
_IN_FLIGHT = 8
_WHOLE_CALL = 10
"""A call may take this many times the timeout, which bounds a silence only: a body that drips in
piece by piece has none."""
_LONGEST_QUERY = 2000
"""Characters of parameters that travel in an address; far below what servers and httpx take."""
_SLOWEST_UPLINK = 65_536
"""Bytes a second. What is uploaded gives a call that much more time."""
_VIDEO_HOSTS = {"https://graph.facebook.com": "https://graph-video.facebook.com"}
"""Where Meta takes videos; any other server takes them itself."""

HIDDEN = "***"
"""What stands in a reply in place of each of our secrets."""


@dataclass(frozen=True)
class Purpose:
    """What a call is for: counted under `kind`, charged to an account's quota of a use case.

    `account_id` is empty where it is not known. `reserve`: it may use what is kept for writes,
    since it is a part of one. `points` is its weight.
    """

    kind: str
    account_id: str = ""
    use_case: str = MANAGEMENT
    reserve: bool = False
    points: int = 1


_ANY_READ = Purpose("other")
_ANY_WRITE = Purpose("write", reserve=True, points=WRITE_POINTS)


class MetaClient:
    """A connection to the Graph API with one token. Open it with `async with`.

    `timeout`, in seconds, bounds each silence of the server, and ten times of it each call.
    `max_wait` bounds how long a read sits out a quota before it gives up; `deadline` (of the
    monotonic clock) bounds all waits, and reads under way. `budget` is the process's; without one
    the client keeps its own. There `app_id` tells apps apart; without it each token counts as an
    app of its own. With `app_secret` each call carries its proof, never the secret itself (Graph
    API, "Securing requests").
    """

    def __init__(
        self,
        *,
        base_url: str,
        version: str,
        token: str,
        app_id: str | None = None,
        app_secret: str | None = None,
        timeout: float = 60.0,
        max_wait: float = 300.0,
        deadline: float | None = None,
        budget: RateBudget | None = None,
    ) -> None:
        self.token = token
        self.app_id = app_id
        self.app_secret = app_secret
        self.version = version
        self.answered_version: str | None = None
        """The version that Meta last said it answered as; None before the first reply."""
        self.calls_by_kind: Counter[str] = Counter()
        """Requests sent so far by what they were for, repeated ones included."""
        self.budget = budget or RateBudget()
        self.deadline = deadline
        self.app = app_id or hashlib.blake2b(token.encode(), digest_size=4).hexdigest()
        """Whose quotas the calls count against; tells nothing of the token."""
        self._timeout = timeout
        self._proof = _proof(app_secret, token) if app_secret else None
        self._secrets = [text.encode() for text in (token, app_secret, self._proof) if text]
        self._max_wait = max_wait
        self._warned = False
        self._places = asyncio.Semaphore(_IN_FLIGHT)
        self._host = base_url.rstrip("/")
        self._http = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
            timeout=timeout,
            follow_redirects=False,
        )

    async def __aenter__(self) -> MetaClient:
        await self._http.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._http.aclose()
        await self.budget.share(now=True)

    @property
    def calls(self) -> int:
        """Requests sent so far, repeated ones included."""
        return self.calls_by_kind.total()

    async def get(
        self,
        path: str,
        params: Mapping[str, Any] | None = None,
        purpose: Purpose = _ANY_READ,
    ) -> Reply:
        """Read one object. Tried again, within bounds, where Meta's error allows it."""
        return await self.read(path, params, purpose=purpose, decode=decoded)

    async def read(
        self,
        path: str,
        params: Mapping[str, Any] | None = None,
        *,
        purpose: Purpose,
        decode: Callable[[RawReply], T],
        method: _Method = "GET",
        again_on: tuple[type[PlatformError], ...] = (),
        attached: Attachment | None = None,
    ) -> T:
        """A call that may be repeated, its reply as `decode` makes it.

        A call is tried again where the error table allows it, and after errors of `again_on`.
        `decode` raises the error that the reply is, if it is one. With `method` POST the
        parameters travel as a form, and `attached` with them.
        """
        patience = Patience(self._max_wait, self.deadline, again_on)
        async for attempt in stamina.retry_context(
            on=patience, attempts=_TRIES, timeout=None, wait_jitter=0.5
        ):
            # Outside of the try: where the budget gives up, another try is in vain.
            patience.left -= await self.budget.admit(
                purpose.account_id,
                purpose.use_case,
                app=self.app,
                write=purpose.reserve,
                points=purpose.points,
                patience=patience.left,
                deadline=self.deadline,
            )
            with attempt:
                return await self._exchange(
                    method, path, params, purpose, decode, attached, deadline=self.deadline
                )
        raise AssertionError("the retry loop returns or raises")

    async def pages(
        self, path: str, params: Mapping[str, Any], *, limit: int, purpose: Purpose = _ANY_READ
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
                reply = await self.get(path, asked, purpose)
            except TooMuchData:
                if limit <= _SMALLEST_PAGE:
                    raise
                limit = max(limit // 2, _SMALLEST_PAGE)
                continue
            except ValidationRefused as error:
                if after is None:
                    raise
                raise broken_off(f"The list {path}", f"page {number}", error) from error
            _check_page(reply, path, number)
            yield reply
            after = next_cursor(reply.body.get("paging"), f"Page {number} of {path}")
            if after is None:
                return
            if after in seen:
                raise IncompleteData(
                    f"The list {path} goes in circles: page {number} points to an earlier one.",
                    "Nothing of this list was stored; run it again.",
                )
            seen.add(after)
            number += 1

    async def post(
        self, path: str, data: Mapping[str, Any], purpose: Purpose = _ANY_WRITE
    ) -> Reply:
        """Write, once. Raises `UnknownOutcome` when it may or may not have happened.

        It does not wait for a quota, since what was checked before it would grow old: it raises
        `RateLimited`, and nothing was sent. Once sent it is not cut off at the deadline.
        """
        return await self._write("POST", path, data, purpose)

    async def delete(self, path: str, purpose: Purpose = _ANY_WRITE) -> Reply:
        """Delete, once; otherwise as `post`."""
        return await self._write("DELETE", path, {}, purpose)

    async def _write(
        self, method: _Method, path: str, data: Mapping[str, Any], purpose: Purpose
    ) -> Reply:
        await self.budget.admit(
            purpose.account_id,
            purpose.use_case,
            app=self.app,
            write=True,
            points=purpose.points,
            patience=0.0,
            deadline=self.deadline,
        )
        try:
            reply = await self._exchange(method, path, data, purpose, decoded, deadline=None)
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

    def note(self, purpose: Purpose, headers: Mapping[str, str]) -> None:
        """Tell the budget what a reply, or a part of one, says of the quotas."""
        self.budget.note(purpose.account_id, headers, app=self.app)

    async def _exchange(
        self,
        method: _Method,
        path: str,
        params: Mapping[str, Any] | None,
        purpose: Purpose,
        decode: Callable[[RawReply], T],
        attached: Attachment | None = None,
        *,
        deadline: float | None,
    ) -> T:
        """One call, admitted already: sent, its usage noted, its reply decoded."""
        async with self._places:
            self.calls_by_kind[purpose.kind] += 1
            raw = await self._bounded(method, path, params, attached, deadline)
        self.note(purpose, raw.headers)
        try:
            return decode(raw)
        except RateLimited as error:
            self.budget.refused(purpose.account_id, purpose.use_case, error, app=self.app)
            raise
        finally:
            await self.budget.share()

    async def _bounded(
        self,
        method: _Method,
        path: str,
        params: Mapping[str, Any] | None,
        attached: Attachment | None,
        deadline: float | None,
    ) -> RawReply:
        """A call that ends in time. Raises `DeadlinePassed` where `deadline` ended it, `Transient`
        where it took longer than any call may."""
        request = f"{method} /{self.version}/{path}"
        values = encoded(params or {})
        size = sum(map(len, values.values())) + (len(attached.content) if attached else 0)
        extra = size // _SLOWEST_UPLINK
        longest = self._timeout * _WHOLE_CALL + extra
        left = float("inf") if deadline is None else max(deadline - time.monotonic(), 0.0)
        try:
            async with asyncio.timeout(min(left, longest)):
                return await self._send(
                    method, path, values, attached, request, self._timeout + extra
                )
        except TimeoutError:
            if left <= longest:
                raise DeadlinePassed(
                    f"The time allowed is over; it ended while {request} was under way.",
                    "What was read is kept; the next run goes on from here.",
                ) from None
            raise Transient(
                f"{request} took longer than {longest:g} s.",
                "The next run tries again; META_REQUEST_TIMEOUT sets how long a call may take.",
                origin=ErrorOrigin(request=request),
            ) from None

    async def _send(
        self,
        method: _Method,
        path: str,
        values: dict[str, str],
        attached: Attachment | None,
        request: str,
        silence: float,
    ) -> RawReply:
        """One call over the wire.

        A read with many parameters, such as thousands of ids, travels as POST with `method=GET` in
        its form, as Meta's older SDKs send every read. It was not tried on a real account.
        """
        origin = ErrorOrigin(request=request)
        if self._proof:
            values["appsecret_proof"] = self._proof
        host = self._host
        if method == "POST" and path.endswith("/advideos"):
            host = _VIDEO_HOSTS.get(host, host)
        address = f"{host}/{self.version}/{path}"
        # A whole address is parsed once; httpx would do it three times for its parts.
        asked = "" if method == "POST" else query(values)
        if len(asked) > _LONGEST_QUERY:
            values["method"] = method
        try:
            if attached is not None:
                part = (attached.name, attached.content, "application/octet-stream")
                response = await self._http.post(
                    address, data=values, files={attached.field: part}, timeout=silence
                )
            elif method == "POST" or "method" in values:
                response = await self._http.post(
                    address,
                    content=form(values),
                    headers={"Content-Type": FORM_TYPE},
                    timeout=silence,
                )
            else:
                response = await self._http.request(method, f"{address}?{asked}", timeout=silence)
        except httpx.InvalidURL as error:
            raise ValidationRefused(
                f"{request} has no address that can be sent: {self._clean(error)}.",
                "Check META_GRAPH_URL and the ids asked for.",
                origin=origin,
            ) from None
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise Unreachable(
                f"No connection to {host} for {request}: {self._clean(error)}.",
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
        self._check_version(response)
        content = response.content
        for secret in self._secrets:
            if len(secret) >= _SHORTEST_SECRET:
                content = content.replace(secret, HIDDEN.encode())
        return RawReply(
            content=content,
            status=response.status_code,
            headers=response.headers,
            at=server_time(response.headers),
            request=request,
        )

    def _check_version(self, response: httpx.Response) -> None:
        answered = response.headers.get("facebook-api-version")
        if not answered:
            return
        self.answered_version = answered
        if answered != self.version and not self._warned:
            self._warned = True
            log.warning("Meta answered as %s though %s was asked", answered, self.version)

    def _clean(self, text: object) -> str:
        cleaned = str(text)
        for secret in self._secrets:
            cleaned = cleaned.replace(secret.decode(), HIDDEN)
        return cleaned


def broken_off(what: str, where: str, error: PlatformError) -> IncompleteData:
    """The error for a list whose later page was refused: its cursor has gone stale."""
    return IncompleteData(
        f"{what} broke off: {where} could not be read: {error.what}",
        "Nothing of this list was stored; run it again.",
    )


def _proof(app_secret: str, token: str) -> str:
    return hmac.new(app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()


def _check_page(reply: Reply, path: str, number: int) -> None:
    rows = reply.body.get("data")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise IncompleteData(
            f"Page {number} of {path} has no list of rows.",
            "Nothing of this list was stored; run it again.",
        )
