"""The sandbox as an HTTP server on the loopback interface."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from email.utils import format_datetime
from types import FrameType

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.sandbox.call import RawCall
from zyenta_ads_pipeline.sandbox.clock import Clock, real_now
from zyenta_ads_pipeline.sandbox.config import SandboxConfig
from zyenta_ads_pipeline.sandbox.control import control_routes
from zyenta_ads_pipeline.sandbox.front import Front
from zyenta_ads_pipeline.sandbox.graph import Graph, open_graph
from zyenta_ads_pipeline.sandbox.odd_response import OddResponse
from zyenta_ads_pipeline.sandbox.open_source import open_source
from zyenta_ads_pipeline.sandbox.reply import Delivery
from zyenta_ads_pipeline.sandbox.state import State
from zyenta_ads_pipeline.sandbox.tokens import ALL, Tokens
from zyenta_ads_pipeline.sandbox.usage import Usage


def serve(config: SandboxConfig, ready: Callable[[str, Graph], None] | None = None) -> None:
    """Run a sandbox until SIGINT or SIGTERM; blocks.

    `ready` is called once with the address when connections are taken. Raises `InputError` when
    the port or the state is taken, or the replay cannot be used.
    """
    state = State(config.state)
    try:
        graph = _open(config, state)
        with _listening(config.host, config.port) as listener:
            url = f"http://{config.host}:{listener.getsockname()[1]}"
            server = _server(Front(graph, _tokens(config)))
            if ready is not None:
                ready(url, graph)
            with _quiet_signals():
                server.run(sockets=[listener])
    finally:
        state.close()


def _server(front: Front) -> uvicorn.Server:
    def hang_up(scope: Scope, gently: bool) -> None:
        for connection in list(server.server_state.connections):
            if getattr(connection, "client", None) == scope["client"]:
                transport = connection.transport
                transport.close() if gently else transport.abort()

    server = uvicorn.Server(
        uvicorn.Config(
            create_app(front, hang_up),
            log_level="warning",
            access_log=False,
            date_header=False,
            server_header=False,
            timeout_graceful_shutdown=2,
        )
    )
    return server


def create_app(front: Front, hang_up: Callable[[Scope, bool], None]) -> Starlette:
    """The application: control endpoints, and everything else as a call to the Graph API.

    `hang_up` closes the connection of a request, at once or (True) once all is sent.
    """

    async def call_graph(request: Request) -> Response:
        raw = RawCall(
            method=request.method,
            path=request.url.path,
            query=request.url.query,
            authorization=request.headers.get("authorization", ""),
            content_type=request.headers.get("content-type", ""),
            body=await request.body(),
            base_url=f"{request.url.scheme}://{request.url.netloc}",
        )
        reply = await run_in_threadpool(front.answer, raw)
        if reply.delivery == Delivery():
            return Response(
                reply.content(), reply.status, dict(reply.headers), media_type=reply.media_type
            )
        return OddResponse(reply, hang_up)

    app = Starlette(
        routes=[
            *control_routes(front),
            Route("/{path:path}", call_graph, methods=["GET", "POST", "DELETE", "PUT", "PATCH"]),
        ]
    )
    app.add_middleware(_SandboxDate, graph=front.graph)
    return app


class _SandboxDate:
    """Writes the sandbox's own time into `Date`: clients take the account's today from it."""

    def __init__(self, app: ASGIApp, graph: Graph) -> None:
        self._app = app
        self._graph = graph

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                date = format_datetime(self._graph.now(), usegmt=True).encode()
                message["headers"] = [*message["headers"], (b"date", date)]
            await send(message)

        await self._app(scope, receive, dated)


def _tokens(config: SandboxConfig) -> Tokens:
    grants = config.tokens or {config.token: (ALL,)}
    return Tokens(grants, app_id=config.app_id, app_secret=config.app_secret)


def _open(config: SandboxConfig, state: State) -> Graph:
    def first_clock() -> Clock:
        now = real_now()
        start = config.start if config.start is not None else now
        return Clock(start - timedelta(days=config.behind_days), now, config.frozen)

    known = state.identity() is not None
    born = state.born() if known else None
    clock = state.clock() if known else first_clock()
    source = open_source(config, state, born if born is not None else clock.sandbox)
    graph = open_graph(state, source, lambda: clock, Usage(config.ceiling))
    if config.frozen and not graph.clock.frozen:
        graph.set_clock(lambda current: current.frozen_as(True))
    return graph


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(128)
        except OSError as error:
            raise InputError(
                f"The sandbox cannot listen on {host}:{port}: {error.strerror}.",
                "Stop what uses the port, or choose another port.",
            ) from None
        yield listener


@contextmanager
def _quiet_signals() -> Iterator[None]:
    """uvicorn repeats the signal that stopped it; here a stop is an ordinary end."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_number: int, _frame: FrameType | None) -> None:
        return

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
