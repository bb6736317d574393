"""The control endpoints under `/_sandbox`: health, clock, and the log of writes."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from zyenta_ads_pipeline.sandbox.clock import Clock
from zyenta_ads_pipeline.sandbox.graph import Graph


def control_routes(graph: Graph) -> list[Route]:
    """Routes without version and without token; the port answers this machine alone."""

    async def health(_: Request) -> Response:
        return JSONResponse(
            {
                "ok": True,
                "now": graph.now().isoformat(),
                "source": graph.source.name,
                "accounts": [account.node_id for account in graph.objects.accounts()],
                "warnings": list(graph.source.warnings),
            }
        )

    async def clock(request: Request) -> Response:
        if request.method == "POST":
            try:
                change = read_clock_change(await request.body())
                await run_in_threadpool(graph.set_clock, change)
            except ValueError as error:
                return JSONResponse({"error": str(error)}, status_code=400)
        return JSONResponse({"now": graph.now().isoformat(), "frozen": graph.clock.frozen})

    async def writes(_: Request) -> Response:
        return JSONResponse({"writes": await run_in_threadpool(graph.writes)})

    return [
        Route("/_sandbox/health", health, methods=["GET"]),
        Route("/_sandbox/clock", clock, methods=["GET", "POST"]),
        Route("/_sandbox/writes", writes, methods=["GET"]),
    ]


def read_clock_change(body: bytes) -> Callable[[Clock], Clock]:
    """What a clock request asks for; `ValueError` says what is wrong with it."""
    try:
        asked = json.loads(body)
    except ValueError:
        raise ValueError("the body must be JSON") from None
    if not isinstance(asked, dict) or len(asked) != 1:
        raise ValueError("give one of advance_days, advance_hours, now, frozen")
    ((name, value),) = asked.items()
    if name in ("advance_days", "advance_hours"):
        by = _duration(name, value)
        return lambda clock: clock.advanced(by)
    if name == "now":
        moment = _moment(value)
        return lambda clock: clock.moved_to(moment)
    if name == "frozen":
        if not isinstance(value, bool):
            raise ValueError("frozen must be true or false")
        return lambda clock: clock.frozen_as(value)
    raise ValueError(f"unknown {name}: give one of advance_days, advance_hours, now, frozen")


def _duration(name: str, value: Any) -> timedelta:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 10000:
        raise ValueError(f"{name} must be a number from 0 to 10000")
    return timedelta(days=value) if name == "advance_days" else timedelta(hours=value)


def _moment(value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError("now must be an ISO time such as 2026-11-01T09:00:00Z") from None
    if moment.tzinfo is None:
        raise ValueError("now must carry an offset, such as Z or +01:00")
    return moment
