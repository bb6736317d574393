"""The Graph API itself: which call does what. Knows nothing of HTTP servers."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.sandbox.account_edges import (
    read_asset,
    read_asset_edge,
    read_user_edge,
)
from zyenta_ads_pipeline.sandbox.activities import read_activities
from zyenta_ads_pipeline.sandbox.assets import Asset, find_asset
from zyenta_ads_pipeline.sandbox.call import Call
from zyenta_ads_pipeline.sandbox.clock import Clock
from zyenta_ads_pipeline.sandbox.creates import MAKERS, Creator
from zyenta_ads_pipeline.sandbox.estimates import read_adset_estimate, read_estimate
from zyenta_ads_pipeline.sandbox.graph_error import GraphError, not_played, unknown_object
from zyenta_ads_pipeline.sandbox.human import Human
from zyenta_ads_pipeline.sandbox.insights import Insights
from zyenta_ads_pipeline.sandbox.object_views import error_for_edge
from zyenta_ads_pipeline.sandbox.objects import LEVELS, Kind, Objects, Thing
from zyenta_ads_pipeline.sandbox.plans import Plans
from zyenta_ads_pipeline.sandbox.reads import (
    read_accounts,
    read_by_labels,
    read_edge,
    read_object,
    read_user,
)
from zyenta_ads_pipeline.sandbox.report_jobs import ReportJobs
from zyenta_ads_pipeline.sandbox.source import Source
from zyenta_ads_pipeline.sandbox.state import CLIENT, State
from zyenta_ads_pipeline.sandbox.targeting_search import read_search, read_targeting_edge
from zyenta_ads_pipeline.sandbox.tokens import Grant, refuse_unseen
from zyenta_ads_pipeline.sandbox.usage import Usage
from zyenta_ads_pipeline.sandbox.videos import thumbnails
from zyenta_ads_pipeline.sandbox.writes import Writer

_UPLOADS = ("adimages", "advideos")
_BY_LABELS = {f"{edge}bylabels": MAKERS[edge][0] for edge in MAKERS if edge != "adlabels"}
_REPORTING = (Kind.ACCOUNT, *LEVELS)
"""The kinds of objects that have insights."""


@dataclass(frozen=True)
class Meddling:
    """What a fault does to the work itself.

    With an `error` the call is counted and refused with it; `skipped` parts of a batch are not
    done; `report_ending` is how the report that is started will end; lists show what is made only
    after `late` seconds.
    """

    error: GraphError | None = None
    skipped: frozenset[int] = frozenset()
    report_ending: dict[str, Any] | None = None
    late: float = 0.0


NO_MEDDLING = Meddling()


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
        self._reports = ReportJobs(self.objects, self._insights, state)
        self.plans = Plans(state)
        self._human = Human(self.objects, state, self.plans)
        self._creator = Creator(self.objects, state, self.plans)
        self._writer = Writer(self.objects, state, self.plans)
        self._active: dict[str, tuple[int, int]] = {}
        self._lock = threading.RLock()

    def answer(self, call: Call, grant: Grant, meddling: Meddling = NO_MEDDLING) -> Answer:
        """Answer a call. A refusal is a `Refused`, which carries the usage headers too."""
        with self._lock:
            self.objects.settle(self.now())
            account_id = self.account_of(call)
            insights = call.path[-1:] == ("insights",)
            if account_id is not None:
                self._usage.set_active_ads(account_id, self._active_ads(account_id))
            try:
                self._usage.count(account_id, write=_writes(call), insights=insights)
                if meddling.error is not None:
                    raise meddling.error
                self._refuse_hidden(call, grant, account_id)
                body = self._route(call, grant, meddling)
                rows = body.get("data", ())
                self._usage.spend(account_id, insights=insights, rows=len(rows))
            except GraphError as error:
                headers = self._usage.headers(account_id, insights=insights)
                raise Refused(error, headers) from error
            return Answer(body, self._usage.headers(account_id, insights=insights))

    def app_usage(self) -> dict[str, str]:
        """The usage header of a reply that concerns no account."""
        with self._lock:
            return self._usage.headers(None, insights=False)

    def throttle(self, change: Callable[[Usage], None]) -> None:
        """Change the throttles, between two calls."""
        with self._lock:
            for account in self.objects.accounts():
                self._usage.set_active_ads(account.id, self._active_ads(account.id))
            change(self._usage)

    def throttles(self) -> dict[str, Any]:
        """The tier, and the usage headers of each account as they stand."""
        with self._lock:
            return {
                "tier": self._usage.tier,
                "left_out": sorted(self._usage.left_out),
                "accounts": {
                    account.id: {
                        name: json.loads(text)
                        for name, text in self._usage.headers(account.id, insights=True).items()
                    }
                    for account in self.objects.accounts()
                },
            }

    def kind_of(self, node_id: str) -> str:
        """What a node is: a kind of object, `run` for a report, `me`, or "" for an unknown id."""
        thing = self.objects.get(node_id)
        if thing is not None:
            return thing.kind.value
        if self._reports.node_of(node_id) is not None:
            return "run"
        if (asset := self._asset(node_id)) is not None:
            return asset.kind.value
        return "me" if node_id == "me" else ""

    def account_of(self, call: Call) -> str | None:
        """The account (bare id) that a call concerns, or None."""
        if not call.path:
            return None
        thing = self.objects.get(call.path[0]) or self._reports.node_of(call.path[0])
        if thing is None and (asset := self._asset(call.path[0])) is not None:
            thing = asset.account
        return None if thing is None else thing.account_id

    def plan_reports(self, asked: Any) -> dict[str, Any]:
        """Change the plan of reports and the ceilings of insights; gives how they stand.

        `ValueError` says what cannot be used.
        """
        with self._lock:
            if asked is not None:
                self._reports.change(asked)
            return self._reports.shown()

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
        """Every write of the client that was accepted or refused, oldest first."""
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
                if write.author == CLIENT
            ]

    def by_hand(self, deed: Callable[[Human, datetime], dict[str, Any]]) -> dict[str, Any]:
        """Let a person in Meta's own tools do something; `ValueError` says why it cannot be."""
        with self._lock:
            self.objects.settle(self.now())
            return deed(self._human, self.now())

    def plan_videos(self, asked: dict[str, Any] | None) -> dict[str, Any]:
        """Change how the next videos come out; gives the plan. `ValueError` as above."""
        with self._lock:
            if asked is not None:
                self.plans.plan_videos(asked)
            return self.plans.videos.as_json()

    def _refuse_hidden(self, call: Call, grant: Grant, account_id: str | None) -> None:
        named = call.path[:1] == (f"act_{account_id}",)
        if refuse_unseen(grant, account_id, named=named, write=_writes(call)):
            raise unknown_object(call.path[0], call.method)

    def _active_ads(self, account_id: str) -> int:
        """How many ads of an account deliver."""
        known = self._active.get(account_id)
        if known is None or known[0] != self.objects.version:
            ads = self.objects.below(self.objects.account(account_id), Kind.AD)
            active = sum(self.objects.effective_status(ad) == "ACTIVE" for ad in ads)
            known = self._active[account_id] = (self.objects.version, active)
        return known[1]

    def _route(self, call: Call, grant: Grant, meddling: Meddling) -> dict[str, Any]:
        if not call.path:
            raise not_played("calls without an object")
        if len(call.path) > 2:
            raise GraphError(2500, f"Unknown path components: /{'/'.join(call.path[2:])}")
        if call.method == "GET":
            return self._get(call, grant)
        if call.method in ("POST", "DELETE"):
            return self._write(call, meddling)
        raise GraphError(100, f"Unsupported {call.method.lower()} request")

    def _get(self, call: Call, grant: Grant) -> dict[str, Any]:
        node_id, *edges = call.path
        now = self.now()
        if node_id == "me":
            return self._user(call, edges, grant)
        if node_id == "search" and not edges:
            return read_search(call)
        if self._reports.node_of(node_id) is not None:
            if edges not in ([], ["insights"]):
                raise not_played(f"the edge {edges[0]} of a report")
            read = self._reports.results if edges else self._reports.status
            return read(call, node_id, now)
        if (asset := self._asset(node_id)) is not None:
            return read_asset(call, asset, edges)
        thing = self._thing(call, node_id)
        return (
            self._edge(call, thing, edges[0], now)
            if edges
            else (read_object(call, self.objects, thing, now))
        )

    def _edge(self, call: Call, thing: Thing, edge: str, now: datetime) -> dict[str, Any]:
        if edge == "insights":
            if thing.kind not in _REPORTING:
                raise error_for_edge(thing, "insights")
            return self._insights.read(call, thing, now)
        if edge == "delivery_estimate" and thing.kind is Kind.ADSET:
            return read_adset_estimate(thing)
        if edge == "thumbnails" and thing.kind is Kind.VIDEO:
            return {"data": thumbnails(thing)}
        listed = self._account_edge(call, thing, edge, now) if thing.kind is Kind.ACCOUNT else None
        if listed is None:
            listed = read_asset_edge(call, thing, edge)
        return listed if listed is not None else read_edge(call, self.objects, thing, edge, now)

    def _account_edge(
        self, call: Call, account: Thing, edge: str, now: datetime
    ) -> dict[str, Any] | None:
        """An edge that accounts alone have; None for another."""
        if edge == "activities":
            return read_activities(call, self.objects, account, now)
        if edge == "delivery_estimate":
            return read_estimate(call, self.plans.desk(self.objects, account, now))
        if edge in _BY_LABELS:
            return read_by_labels(call, self.objects, account, _BY_LABELS[edge], now)
        return read_targeting_edge(call, edge)

    def _user(self, call: Call, edges: list[str], grant: Grant) -> dict[str, Any]:
        if not edges:
            return read_user(call)
        seen = [each for each in self.objects.accounts() if grant.sees(each.id)]
        if edges == ["adaccounts"]:
            return read_accounts(call, self.objects, seen, self.now())
        found = read_user_edge(call, edges[0], seen, grant.scopes)
        if found is None:
            raise not_played(f"the edge {edges[0]} of a user")
        return found

    def _write(self, call: Call, meddling: Meddling) -> dict[str, Any]:
        node_id, *edges = call.path
        if node_id == "me":
            raise not_played("writing to a user")
        thing = self._thing(call, node_id)
        if edges == ["insights"] and call.method == "POST":
            if thing.kind not in _REPORTING:
                raise error_for_edge(thing, "insights")
            return self._reports.submit(call, thing, self.now(), meddling.report_ending)
        if edges:
            return self._write_edge(call, thing, edges[0], meddling)
        if call.method == "DELETE":
            return self._writer.delete(thing, self.now())
        return self._writer.update(call, thing, self.now())

    def _write_edge(
        self, call: Call, thing: Thing, edge: str, meddling: Meddling
    ) -> dict[str, Any]:
        if thing.kind is Kind.ACCOUNT and call.method == "POST":
            if edge in MAKERS:
                return self._creator.create(call, thing, edge, self.now(), meddling.late)
            if edge in _UPLOADS:
                return self._creator.upload(call, thing, edge, self.now())
        if thing.kind is Kind.ACCOUNT and edge == "adimages":
            return self._creator.delete_image(call, thing, self.now())
        raise not_played(f"{call.method} on the edge {edge}")

    def _asset(self, node_id: str) -> Asset | None:
        """A page, a pixel and so on, unless an object has the same id."""
        if self.objects.get(node_id) is not None:
            return None
        return find_asset(node_id, self.objects.accounts())

    def _thing(self, call: Call, node_id: str) -> Thing:
        thing = self.objects.get(node_id)
        if thing is None:
            raise unknown_object(node_id, call.method)
        return thing


def _writes(call: Call) -> bool:
    """Whether it changes something; to start a report takes no more than the right to read."""
    return call.method != "GET" and call.path[-1:] != ("insights",)


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
