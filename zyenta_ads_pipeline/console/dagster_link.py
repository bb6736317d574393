"""The link to Dagster: is it up, start a job, how far is a run. GraphQL over HTTP.

Dagster may be down: then everything here says so (`Reach`, `DagsterDown`) and nothing else breaks.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from zyenta_ads_pipeline.domain.errors import NotThere, ZyentaError

KNOWN_FOR = 5.0
"""Seconds for which it is remembered whether Dagster answers."""
_QUICK = 1.5
_PATIENT = 20.0
_LAUNCHING = 60.0
_MOST_PAGES = 50
"""Thousands of a run's events that are looked through for what stopped it."""
LOCATION = "zyenta_ads_pipeline"
_REMEDY = (
    "Start it: `zyenta dev`, or `dagster-webserver` and `dagster-daemon` where it is deployed."
)

_JOBS = """query { repositoriesOrError { __typename ... on RepositoryConnection {
  nodes { name location { name } pipelines { name } } } ... on PythonError { message } } }"""
_LAUNCH = """mutation($params: ExecutionParams!) { launchRun(executionParams: $params) {
  __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
  ... on RunConfigValidationInvalid { errors { message } }
  ... on PipelineNotFoundError { message } ... on UnauthorizedError { message }
  ... on InvalidStepError { invalidStepKey } ... on RunConflict { message } } }"""
_LINE = """ fragment Line on Run { runId jobName status tags { key value } startTime endTime }"""
_RUN = (
    """query($id: ID!) { runOrError(runId: $id) { __typename ... on Run { ...Line
  stepStats { stepKey status startTime endTime }
  executionPlan { steps { key } } } ... on PythonError { message } } }"""
    + _LINE
)
_RUNS = (
    """query($filter: RunsFilter, $limit: Int) { runsOrError(filter: $filter, limit: $limit) {
  __typename ... on Runs { results { ...Line } } ... on PythonError { message } } }"""
    + _LINE
)
_FAILURES = """query($id: ID!, $after: String) { runOrError(runId: $id) { ... on Run {
  eventConnection(limit: 1000, afterCursor: $after) { cursor hasMore events { __typename
  ... on ExecutionStepFailureEvent { stepKey error { message cause { message } } }
  ... on RunFailureEvent { message } } } } } }"""


class DagsterDown(ZyentaError):
    """Dagster does not answer, so no run can be started or looked at."""


@dataclass(frozen=True)
class Reach:
    """Whether Dagster answers; `told` says in words why it does not. `url` is its address."""

    up: bool
    url: str
    told: str = ""


class DagsterLink:
    """Asks one Dagster. Safe to share between threads; `close` it at the end."""

    def __init__(self, url: str, *, transport: httpx.BaseTransport | None = None) -> None:
        self.url = url
        self._client = httpx.Client(base_url=url, transport=transport, follow_redirects=False)
        self._lock = threading.Lock()
        self._reach: tuple[float, Reach] | None = None
        self._places: dict[str, dict[str, str]] = {}

    def reach(self) -> Reach:
        """Whether it answers; known for five seconds, and never raises."""
        with self._lock:
            known = self._reach
        now = time.monotonic()
        if known is not None and now - known[0] < KNOWN_FOR:
            return known[1]
        try:
            self._ask("query { version }", {}, _QUICK)
            found = Reach(True, self.url)
        except ZyentaError as error:
            found = Reach(False, self.url, error.what)
        self._keep(found)
        return found

    def launch(self, job: str, config: Mapping[str, Any], tags: Mapping[str, str]) -> str:
        """Start a run of a job; its id. Raises `DagsterDown`, and `ZyentaError` where Dagster
        refuses."""
        params = {
            "selector": self._place(job),
            "runConfigData": dict(config),
            "executionMetadata": {
                "tags": [{"key": key, "value": value} for key, value in tags.items()]
            },
        }
        answer = self._ask(_LAUNCH, {"params": params}, _LAUNCHING)["launchRun"]
        if answer["__typename"] != "LaunchRunSuccess":
            told = answer.get("message") or "; ".join(
                each["message"] for each in answer.get("errors", ())
            )
            raise ZyentaError(
                f"Dagster did not start {job}: {told or answer['__typename']}.",
                f"Look at {self.url}.",
            )
        return str(answer["run"]["runId"])

    def run(self, run_id: str) -> dict[str, Any]:
        """A run with `stepStats` and `executionPlan`. Raises `DagsterDown`, `NotThere`."""
        answer = self._ask(_RUN, {"id": run_id}, _PATIENT)["runOrError"]
        if answer["__typename"] != "Run":
            raise NotThere(f"There is no run {run_id!r}.", f"Look at the runs in {self.url}.")
        return dict(answer)

    def failure(self, run_id: str) -> str:
        """What stopped a run that failed, in its own words; empty where it does not say."""
        told: list[str] = []
        last = ""
        for event in self._events(run_id):
            if event["__typename"] == "ExecutionStepFailureEvent" and event.get("error"):
                cause = event["error"].get("cause") or {}
                words = (cause.get("message") or event["error"].get("message") or "").strip()
                told.append(f"{event['stepKey']}: {_plain(words)}")
            elif event["__typename"] == "RunFailureEvent":
                last = _plain(event.get("message") or "")
        return " ".join(dict.fromkeys(told)) or last

    def _events(self, run_id: str) -> Iterator[dict[str, Any]]:
        """A run's events, the oldest first; Dagster gives a thousand at a time."""
        after: str | None = None
        for _ in range(_MOST_PAGES):
            asked = {"id": run_id, "after": after}
            found = self._ask(_FAILURES, asked, _PATIENT)["runOrError"].get("eventConnection") or {}
            yield from found.get("events", ())
            after = found.get("cursor")
            if not found.get("hasMore") or after is None:
                return

    def runs(
        self,
        limit: int,
        tags: Mapping[str, str] | None = None,
        statuses: tuple[str, ...] = (),
    ) -> list[dict[str, Any]]:
        """The newest runs, of those tags and statuses. Raises `DagsterDown`."""
        wanted: dict[str, Any] = {}
        if tags:
            wanted["tags"] = [{"key": key, "value": value} for key, value in tags.items()]
        if statuses:
            wanted["statuses"] = list(statuses)
        asked = {"filter": wanted, "limit": limit}
        answer = self._ask(_RUNS, asked, _PATIENT)["runsOrError"]
        if answer["__typename"] != "Runs":
            raise ZyentaError(
                f"Dagster does not list its runs: {answer.get('message', '')}.",
                f"Look at {self.url}.",
            )
        return list(answer["results"])

    def close(self) -> None:
        """Give back every connection."""
        self._client.close()

    def _place(self, job: str) -> dict[str, str]:
        """Where a job is found: its repository and code location."""
        if job in self._places:
            return self._places[job]
        answer = self._ask(_JOBS, {}, _PATIENT)["repositoriesOrError"]
        for node in answer.get("nodes", ()):
            for each in node["pipelines"]:
                self._places.setdefault(
                    each["name"],
                    {
                        "repositoryName": node["name"],
                        "repositoryLocationName": node["location"]["name"],
                        "jobName": each["name"],
                    },
                )
        if job not in self._places:
            raise ZyentaError(
                f"The Dagster at {self.url} has no job {job}.",
                f"Did {LOCATION} load there? Look at its deployment page.",
            )
        return self._places[job]

    def _ask(self, query: str, variables: Mapping[str, Any], timeout: float) -> dict[str, Any]:
        try:
            response = self._client.post(
                "/graphql",
                json={"query": query, "variables": dict(variables)},
                timeout=httpx.Timeout(timeout, connect=min(timeout, _QUICK)),
            )
            response.raise_for_status()
            answer = response.json()
            data = answer.get("data")
        except (httpx.HTTPError, ValueError, AttributeError) as error:
            told = f"Dagster does not answer at {self.url}: {_why(error)}."
            self._keep(Reach(False, self.url, told))
            raise DagsterDown(told, _REMEDY) from None
        if not isinstance(data, dict):
            said = "; ".join(str(each.get("message", "")) for each in answer.get("errors", ()))
            raise ZyentaError(f"Dagster refused to answer: {said}.", f"Look at {self.url}.")
        return data

    def _keep(self, reach: Reach) -> None:
        with self._lock:
            self._reach = (time.monotonic(), reach)


def _why(error: Exception) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "it takes too long"
    if isinstance(error, httpx.ConnectError):
        return "nothing listens there"
    if isinstance(error, httpx.HTTPStatusError):
        return f"it says {error.response.status_code}"
    return "what it says is not understood"


def _plain(words: str) -> str:
    """An error's text without the name of its class in front."""
    head, colon, rest = words.strip().partition(": ")
    return (rest if colon and "." in head and " " not in head else words).strip()
