"""The Graph API itself: which call does what. Knows nothing of HTTP servers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.sandbox.call import Call
from zyenta_ads_pipeline.sandbox.clock import Clock
from zyenta_ads_pipeline.sandbox.graph_error import GraphError, not_played, unknown_object
from zyenta_ads_pipeline.sandbox.insights import Insights
from zyenta_ads_pipeline.sandbox.object_views import error_for_edge
from zyenta_ads_pipeline.sandbox.objects import Kind, Objects, Thing
from zyenta_ads_pipeline.sandbox.reads import (
    read_accounts,
    read_edge,
    read_object,
    read_user,
)
from zyenta_ads_pipeline.sandbox.source import Source
from zyenta_ads_pipeline.sandbox.state import State
from zyenta_ads_pipeline.sandbox.usage import Usage
from zyenta_ads_pipeline.sandbox.writes import Writer


@dataclass(frozen=True)
class Answer:
    """The body of a reply and the headers that count the call."""

    body: dict[str, Any]
    headers: dict[str, str]


class Graph:
    """One sandbox, open: its clock, its objects and what they did. Safe to call from threads."""

    def __init__(self, state: State, source: Source, usage: Usage) -> None:
        self.state = state
        self.source = source
        self.objects = Objects(state.things())
        self.clock = state.clock()
        self._usage = usage
        self._insights = Insights(self.objects, source)
        self._writer = Writer(self.objects, state)
        self._lock = threading.RLock()

    def answer(self, call: Call) -> Answer:
        """Answer a call. A refusal is a `Refused`, which carries the usage headers too."""
        with self._lock:
            account_id = self._account_of(call)
            insights = call.path[-1:] == ("insights",)
            try:
                self._usage.count(account_id, write=call.method != "GET")
                body = self._route(call)
            except GraphError as error:
                headers = self._usage.headers(account_id, insights=insights)
                raise Refused(error, headers) from error
            return Answer(body, self._usage.headers(account_id, insights=insights))

    def app_usage(self) -> dict[str, str]:
        """The usage header of a reply that concerns no account."""
        with self._lock:
            return self._usage.headers(None, insights=False)

    def now(self) -> datetime:
        """The sandbox's time, UTC."""
        return self.clock.now()

    def set_clock(self, change: Callable[[Clock], Clock]) -> datetime:
        """Change the clock for good; `ValueError` for a change that would go backwards."""
        with self._lock:
            clock = change(self.clock)
            self.state.save_clock(clock)
            self.clock = clock
            return clock.now()

    def writes(self) -> list[dict[str, Any]]:
        """Every write that was accepted or refused, oldest first."""
        with self._lock:
            return [
                {
                    "id": number,
                    "object": write.object,
                    "field": write.field,
                    "old": write.old,
                    "new": write.new,
                    "at": write.at.isoformat(),
                    "accepted": write.accepted,
                    "error": write.error,
                }
                for number, write in self.state.writes()
            ]

    def _route(self, call: Call) -> dict[str, Any]:
        if not call.path:
            raise not_played("batches" if call.method == "POST" else "calls without an object")
        if len(call.path) > 2:
            raise GraphError(2500, f"Unknown path components: /{'/'.join(call.path[2:])}")
        if call.method == "GET":
            return self._get(call)
        if call.method in ("POST", "DELETE"):
            return self._write(call)
        raise GraphError(100, f"Unsupported {call.method.lower()} request")

    def _get(self, call: Call) -> dict[str, Any]:
        node_id, *edges = call.path
        now = self.now()
        if node_id == "me":
            if not edges:
                return read_user(call)
            if edges == ["adaccounts"]:
                return read_accounts(call, self.objects, now)
            raise not_played(f"the edge {edges[0]} of a user")
        thing = self._thing(call, node_id)
        if not edges:
            return read_object(call, self.objects, thing, now)
        if edges == ["insights"]:
            if thing.kind is Kind.CREATIVE:
                raise error_for_edge(thing, "insights")
            return self._insights.read(call, thing, now)
        return read_edge(call, self.objects, thing, edges[0], now)

    def _write(self, call: Call) -> dict[str, Any]:
        node_id, *edges = call.path
        if node_id == "me":
            raise not_played("writing to a user")
        thing = self._thing(call, node_id)
        if edges == ["insights"]:
            raise not_played("asynchronous insights (POST)")
        if edges:
            raise not_played(f"{call.method} on the edge {edges[0]}")
        if call.method == "DELETE":
            return self._writer.delete(call, thing, self.now())
        return self._writer.update(call, thing, self.now())

    def _thing(self, call: Call, node_id: str) -> Thing:
        thing = self.objects.get(node_id)
        if thing is None:
            raise unknown_object(node_id, call.method)
        return thing

    def _account_of(self, call: Call) -> str | None:
        thing = self.objects.get(call.path[0]) if call.path else None
        return None if thing is None else thing.account_id


class Refused(Exception):
    """A `GraphError` with the headers of its reply."""

    def __init__(self, error: GraphError, headers: dict[str, str]) -> None:
        super().__init__(error.message)
        self.error = error
        self.headers = headers


def open_graph(state: State, source: Source, start: Callable[[], Clock], usage: Usage) -> Graph:
    """The sandbox of a state: filled from its source when new, continued when not.

    `start` gives the clock of a new state. `InputError` when the state was made for another
    source.
    """
    identity = dict(source.identity)
    known = state.identity()
    if known is None:
        clock = start()
        state.initialise(identity, clock.now(), clock, source.things())
    elif _essence(known) != _essence(identity):
        raise InputError(
            f"The state {state.directory} was made for {_described(known)}, not for "
            f"{_described(identity)}.",
            "Start with the same options as the first time, or give an empty state directory.",
        )
    return Graph(state, source, usage)


def _essence(identity: dict[str, Any]) -> dict[str, Any]:
    """A file may be renamed; its content is what counts."""
    return {key: value for key, value in identity.items() if key != "file"}


def _described(identity: dict[str, Any]) -> str:
    kind = identity.get("source")
    details = ", ".join(f"{k} {v}" for k, v in identity.items() if k != "source")
    return f"a {kind} ({details})"
