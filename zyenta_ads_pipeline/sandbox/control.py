"""The control endpoints under `/_sandbox`: health, clock, writes, faults, a person's deeds."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from zyenta_ads_pipeline.sandbox.clock import Clock
from zyenta_ads_pipeline.sandbox.front import Front
from zyenta_ads_pipeline.sandbox.throttle_control import read_throttle_change

Answer = Callable[[Request], Awaitable[Any]]


def control_routes(front: Front) -> list[Route]:
    """Routes without version and without token; the port answers this machine alone.

    What cannot be used is answered with HTTP 400 and `{"error": …}`.
    """
    graph = front.graph

    async def health(_: Request) -> Any:
        return {
            "ok": True,
            "now": graph.now().isoformat(),
            "source": graph.source.name,
            "accounts": [account.node_id for account in graph.objects.accounts()],
            "warnings": list(graph.source.warnings),
        }

    async def clock(request: Request) -> Any:
        if request.method == "POST":
            await run_in_threadpool(graph.set_clock, read_clock_change(await _json(request)))
        return {"now": graph.now().isoformat(), "frozen": graph.clock.frozen}

    async def writes(_: Request) -> Any:
        return {"writes": await run_in_threadpool(graph.writes)}

    async def calls(request: Request) -> Any:
        if request.method == "DELETE":
            front.log.reset()
        return front.log.shown()

    async def faults(request: Request) -> Any:
        if request.method == "DELETE":
            front.faults.set([])
        elif request.method == "POST":
            front.faults.set(_rules(await _json(request)))
        return {"rules": front.faults.shown()}

    async def throttles(request: Request) -> Any:
        if request.method == "POST":
            change = read_throttle_change(await _json(request))
            await run_in_threadpool(graph.throttle, change)
        return await run_in_threadpool(graph.throttles)

    async def tokens(request: Request) -> Any:
        if request.method == "POST":
            front.tokens.change(_object(await _json(request)))
        return {"tokens": front.tokens.shown()}

    async def reports(request: Request) -> Any:
        asked = await _json(request) if request.method == "POST" else None
        return await run_in_threadpool(graph.plan_reports, asked)

    async def review(request: Request) -> Any:
        if request.method == "GET":
            return await run_in_threadpool(graph.by_hand, lambda human, _: human.reviews())
        asked = _object(await _json(request))
        return await run_in_threadpool(graph.by_hand, lambda human, now: human.review(asked, now))

    async def edit(request: Request) -> Any:
        asked = _object(await _json(request))
        return await run_in_threadpool(graph.by_hand, lambda human, now: human.edit(asked, now))

    async def issues(request: Request) -> Any:
        asked = _object(await _json(request))
        return await run_in_threadpool(graph.by_hand, lambda human, now: human.issues(asked, now))

    async def videos(request: Request) -> Any:
        asked = _object(await _json(request)) if request.method == "POST" else None
        return await run_in_threadpool(graph.plan_videos, asked)

    return [
        _route("health", health),
        _route("clock", clock, "POST"),
        _route("writes", writes),
        _route("calls", calls, "DELETE"),
        _route("faults", faults, "POST", "DELETE"),
        _route("throttles", throttles, "POST"),
        _route("tokens", tokens, "POST"),
        _route("reports", reports, "POST"),
        _route("review", review, "POST"),
        _route("edit", edit, "POST"),
        _route("issues", issues, "POST"),
        _route("videos", videos, "POST"),
    ]


def read_clock_change(asked: Any) -> Callable[[Clock], Clock]:
    """What a clock request asks for; `ValueError` says what is wrong with it."""
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


def _route(name: str, answer: Answer, *changing: str) -> Route:
    async def guarded(request: Request) -> Response:
        try:
            return JSONResponse(await answer(request))
        except ValueError as error:
            return JSONResponse({"error": str(error)}, status_code=400)

    return Route(f"/_sandbox/{name}", guarded, methods=["GET", *changing])


async def _json(request: Request) -> Any:
    try:
        return json.loads(await request.body())
    except ValueError:
        raise ValueError("the body must be JSON") from None


def _object(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    raise ValueError("the body must be an object")


def _rules(value: Any) -> list[dict[str, Any]]:
    rules = value.get("rules") if isinstance(value, dict) else value
    if isinstance(rules, list) and all(isinstance(rule, dict) for rule in rules):
        return rules
    raise ValueError("give a list of rules, each an object, or {rules: [...]}")


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
