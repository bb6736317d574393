"""The sandbox as an HTTP server on the loopback interface."""

from __future__ import annotations

import signal
import socket
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from email.utils import format_datetime
from types import FrameType

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.sandbox.call import LATEST, VERSIONS, read_call
from zyenta_ads_pipeline.sandbox.clock import Clock, real_now
from zyenta_ads_pipeline.sandbox.config import SandboxConfig
from zyenta_ads_pipeline.sandbox.control import control_routes
from zyenta_ads_pipeline.sandbox.graph import Graph, Refused, open_graph
from zyenta_ads_pipeline.sandbox.graph_error import GraphError
from zyenta_ads_pipeline.sandbox.open_source import open_source
from zyenta_ads_pipeline.sandbox.state import State
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
            server = uvicorn.Server(
                uvicorn.Config(
                    create_app(graph, config.token),
                    log_level="warning",
                    access_log=False,
                    date_header=False,
                    server_header=False,
                    timeout_graceful_shutdown=2,
                )
            )
            if ready is not None:
                ready(url, graph)
            with _quiet_signals():
                server.run(sockets=[listener])
    finally:
        state.close()


def create_app(graph: Graph, token: str) -> Starlette:
    """The application: control endpoints, and everything else as a call to the Graph API."""

    async def call_graph(request: Request) -> Response:
        body = await request.body()
        return await run_in_threadpool(_answer, graph, token, request, body)

    app = Starlette(
        routes=[
            *control_routes(graph),
            Route("/{path:path}", call_graph, methods=["GET", "POST", "DELETE", "PUT", "PATCH"]),
        ]
    )
    app.add_middleware(_SandboxDate, graph=graph)
    return app


def _answer(graph: Graph, token: str, request: Request, body: bytes) -> Response:
    trace_id = "A" + uuid.uuid4().hex[:22]
    parts = request.url.path.split("/")
    headers = {
        "facebook-api-version": next((p for p in parts if p in VERSIONS), LATEST),
        "x-fb-trace-id": trace_id,
        "x-fb-request-id": "B" + uuid.uuid4().hex[:22],
        "Cache-Control": "private, no-cache, no-store, must-revalidate",
        "Pragma": "no-cache",
    }
    try:
        call = read_call(
            method=request.method,
            path=request.url.path,
            query=request.url.query,
            authorization=request.headers.get("authorization", ""),
            content_type=request.headers.get("content-type", ""),
            body=body,
            base_url=f"{request.url.scheme}://{request.url.netloc}",
            token=token,
        )
        answer = graph.answer(call)
    except GraphError as error:
        headers.update(graph.app_usage())
        return JSONResponse(error.envelope(trace_id), status_code=400, headers=headers)
    except Refused as refused:
        headers.update(refused.headers)
        return JSONResponse(refused.error.envelope(trace_id), status_code=400, headers=headers)
    headers.update(answer.headers)
    return JSONResponse(answer.body, headers=headers)


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
