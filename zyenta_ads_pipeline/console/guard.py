"""What stands before every page and every call: the right host name, a body of a size that is
taken, and headers that keep browsers from doing more than they should."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from zyenta_ads_pipeline.console.api import problems
from zyenta_ads_pipeline.console_settings import LOOPBACK

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
"""No inline script or style, no other host, no frame around us."""
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
API = "/api"
MB = 1_000_000
MOST_BODY = MB
"""Bytes of a request, but for uploads."""
MOST_UPLOAD = 201 * MB
"""A video of the largest size, with the form around it."""
_UPLOADS = ("/products", "/media", "/import", "/upload")
"""How the addresses end that take files; the desks hold each file to its own limit."""
Failed = Callable[[Request, Exception], Awaitable[Response]]


class Guard:
    """Answers only under its own names, and puts the headers on every reply.

    Another site can point a name of its own at this machine (DNS rebinding) and would then be
    one origin with the console; it cannot choose the Host that the browser sends.
    """

    def __init__(self, app: ASGIApp, names: Collection[str], failed: Failed) -> None:
        self._app = app
        self._failed = failed
        self._names = frozenset({*LOOPBACK, *names})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        secure = scope["scheme"] == "https"

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message.setdefault("headers", []))
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
                if secure:
                    headers["Strict-Transport-Security"] = "max-age=31536000"
            await send(message)

        sent = Headers(scope=scope)
        if _name(sent.get("host", "")) not in self._names:
            reply = _misdirected(scope["path"], sent.get("host", ""))
            await reply(scope, receive, guarded)
            return
        most = MOST_UPLOAD if scope["path"].endswith(_UPLOADS) else MOST_BODY
        length = sent.get("content-length", "")
        if length.isdigit() and int(length) > most:
            reply = await self._failed(Request(scope, receive), HTTPException(413))
            await reply(scope, receive, guarded)
            return
        await self._app(scope, _counted(receive, most), guarded)


def is_api(path: str) -> bool:
    """Whether errors at this address are for programs."""
    return path == API or path.startswith(f"{API}/")


def _counted(receive: Receive, most: int) -> Receive:
    """The same, for a body that did not say how large it is."""
    taken = 0

    async def counted() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > most:
            raise HTTPException(413)
        return message

    return counted


def _name(host: str) -> str:
    """`ads.example.com:8003` without its port, `[::1]:8003` as `::1`; what has no port behind its
    colon is no name of ours: `localhost:x@evil.example` is another's."""
    host = host.strip().lower()
    if host.startswith("["):
        name, _, rest = host[1:].partition("]")
        port = rest.removeprefix(":")
    else:
        name, _, port = host.partition(":")
    return name if not port or port.isdecimal() else host


def _misdirected(path: str, host: str) -> Response:
    shown = host[:100] or "no host"
    what = f"This console does not answer to the name {shown!r}."
    remedy = "Use its own address, or name this one in ZYENTA_CONSOLE_NAMES."
    if is_api(path):
        told = problems.FieldProblem(field="Host", message=what, remedy=remedy)
        return problems.reply(421, [told], instance=path)
    return PlainTextResponse(f"{what} {remedy}\n", status_code=421)
