"""Runs by GraphQL: asked of a Dagster that answers as Dagster does, and of one that is down."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.console.desk_home import EVA, VIC, acts
from zyenta_ads_pipeline.console.dagster_link import DagsterDown, DagsterLink
from zyenta_ads_pipeline.console.desks.desks import Desks
from zyenta_ads_pipeline.console.desks.runs import FIRST_DAY, RunDesk
from zyenta_ads_pipeline.console.office import Office
from zyenta_ads_pipeline.domain.errors import (
    FieldsRefused,
    InputError,
    NotAllowed,
    NotThere,
    ZyentaError,
)
from zyenta_ads_pipeline.domain.time import DateRange
from zyenta_ads_pipeline.partitions import FIRST_DAY as FIRST_PARTITION

URL = "http://dagster.test"
DAYS = DateRange(date(2026, 10, 1), date(2026, 10, 3))


class Dagster:
    """What a Dagster would say; `asked` is what it was told to launch."""

    def __init__(self) -> None:
        self.runs: list[dict[str, Any]] = []
        self.asked: list[dict[str, Any]] = []
        self.refusal: dict[str, Any] | None = None
        self.calls = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.calls += 1
        assert request.url.path == "/graphql"
        body = json.loads(request.content)
        return httpx.Response(200, json={"data": self._data(body["query"], body["variables"])})

    def _data(  # noqa: PLR0911 - a table
        self, query: str, variables: dict[str, Any]
    ) -> dict[str, Any]:
        if "version" in query:
            return {"version": "1.13"}
        if "repositoriesOrError" in query:
            jobs = [{"name": "sync"}, {"name": "hourly"}]
            node = {"name": "__repository__", "location": {"name": "zyenta_ads_pipeline"}}
            return {
                "repositoriesOrError": {
                    "__typename": "RepositoryConnection",
                    "nodes": [node | {"pipelines": jobs}],
                }
            }
        if "launchRun" in query:
            if self.refusal:
                return {"launchRun": self.refusal}
            return {"launchRun": self._launched(variables["params"])}
        if "runsOrError" in query:
            wanted = {(t["key"], t["value"]) for t in variables["filter"].get("tags", ())}
            states = variables["filter"].get("statuses")
            found = [
                run
                for run in self.runs
                if wanted <= {(t["key"], t["value"]) for t in run["tags"]}
                and (not states or run["status"] in states)
            ]
            return {"runsOrError": {"__typename": "Runs", "results": found[: variables["limit"]]}}
        run = next((each for each in self.runs if each["runId"] == variables["id"]), None)
        if "eventConnection" in query:
            error = {
                "message": "dagster.X: outer",
                "cause": {
                    "message": "zyenta_ads_pipeline.domain.errors.InputError: The token is dead.\n"
                },
            }
            event = {"__typename": "ExecutionStepFailureEvent", "stepKey": "raw", "error": error}
            return {"runOrError": {"eventConnection": {"events": [event]}}}  # fmt: skip
        missing = {"__typename": "RunNotFoundError"}
        return {"runOrError": missing if run is None else {"__typename": "Run"} | run}

    def _launched(self, params: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(params)
        run = {
            "runId": f"run{len(self.asked)}",
            "jobName": params["selector"]["jobName"],
            "status": "QUEUED",
            "tags": params["executionMetadata"]["tags"],
            "startTime": None,
            "endTime": None,
        }
        self.runs.insert(0, run)
        return {"__typename": "LaunchRunSuccess", "run": {"runId": run["runId"]}}


@pytest.fixture
def dagster() -> Dagster:
    return Dagster()


@pytest.fixture
def desk(office: Office, dagster: Dagster) -> RunDesk:
    return RunDesk(office, DagsterLink(URL, transport=httpx.MockTransport(dagster)))


def test_the_first_day_is_that_of_the_partitions() -> None:
    assert FIRST_DAY == FIRST_PARTITION


def test_a_sync_is_started_once(desk: RunDesk, dagster: Dagster, office: Office) -> None:
    run = desk.sync_now(EVA, ["act_101"], DAYS)
    assert desk.sync_now(EVA, ["101"], DAYS) == run
    (asked,) = dagster.asked
    assert asked["selector"] == {
        "repositoryName": "__repository__",
        "repositoryLocationName": "zyenta_ads_pipeline",
        "jobName": "sync",
    }
    ops = asked["runConfigData"]["ops"]
    assert ops["raw_insights"] == {"config": {"accounts": ["101"]}}
    assert "budget_decisions" not in ops
    tags = {each["key"]: each["value"] for each in asked["executionMetadata"]["tags"]}
    assert tags["dagster/asset_partition_range_start"] == "2026-10-01"
    assert tags["dagster/asset_partition_range_end"] == "2026-10-03"
    assert tags["zyenta/by"] == "eva"
    dagster.runs[0]["status"] = "SUCCESS"
    assert desk.sync_now(EVA, ["101"], DAYS) != run
    other = desk.sync_now(EVA, decide=True)
    assert dagster.asked[-1]["runConfigData"] == {"ops": {}}
    assert dagster.runs[0]["jobName"] == "hourly"
    tags = {each["key"]: each["value"] for each in dagster.runs[0]["tags"]}
    newest = (datetime.now(UTC) + timedelta(hours=14)).date()
    assert tags["dagster/asset_partition_range_end"] == str(newest)
    assert acts(office) == [("eva", "run.sync", False)] * 3
    assert other


def test_a_run_tells_how_far_it_is(desk: RunDesk, dagster: Dagster) -> None:
    run_id = desk.sync_now(EVA, (), DAYS)
    run = dagster.runs[0]
    run["executionPlan"] = {"steps": [{"key": "raw"}, {"key": "metrics"}, {"key": "views"}]}
    run |= {"status": "STARTED", "startTime": 1000.0}
    run["stepStats"] = [
        {"stepKey": "metrics", "status": "IN_PROGRESS", "startTime": 1002.0, "endTime": None},
        {"stepKey": "raw", "status": "SUCCESS", "startTime": 1001.0, "endTime": 1002.0},
    ]
    state = desk.state(VIC, run_id)
    assert [(step.name, step.state) for step in state.steps] == [
        ("raw", "done"),
        ("metrics", "running"),
        ("views", "waiting"),
    ]
    assert (state.done, state.error, state.run.is_open) == (1, "", True)
    assert state.run.days == "2026-10-01 to 2026-10-03"
    assert state.run.started_at == datetime.fromtimestamp(1000, UTC)
    assert state.run.url == f"{URL}/runs/{run_id}"
    run["status"] = "FAILURE"
    state = desk.state(VIC, run_id)
    assert (state.run.state, state.error) == ("failed", "raw: The token is dead.")
    with pytest.raises(NotThere):
        desk.state(VIC, "nothing")
    recent = desk.recent(VIC)
    assert (recent.reach.up, [each.id for each in recent.runs]) == (True, [run_id])


def test_what_dagster_refuses_is_told(desk: RunDesk, dagster: Dagster) -> None:
    dagster.refusal = {"__typename": "RunConfigValidationInvalid",
                       "errors": [{"message": "no such op"}]}  # fmt: skip
    with pytest.raises(ZyentaError, match="no such op"):
        desk.sync_now(EVA, (), DAYS)


def test_who_may_start_what(desk: RunDesk, dagster: Dagster) -> None:
    with pytest.raises(NotAllowed):
        desk.sync_now(VIC)
    with pytest.raises(NotThere):
        desk.sync_now(EVA, ["999"])
    with pytest.raises(InputError):
        desk.sync_now(EVA, ["act_x"])
    late = date.today() + timedelta(days=5)  # noqa: DTZ011
    for days in (
        DateRange(late, late),
        DateRange(date(2020, 1, 1), date(2020, 1, 2)),
    ):
        with pytest.raises(FieldsRefused):
            desk.sync_now(EVA, (), days)
    assert dagster.asked == []


def test_reach_is_known_for_a_while(desk: RunDesk, dagster: Dagster) -> None:
    assert all(desk.reach().up for _ in range(5))
    assert dagster.calls == 1


def test_a_dagster_that_is_down_breaks_nothing(desks: Desks) -> None:
    reach = desks.runs.reach()
    assert not reach.up
    assert "nothing listens there" in reach.told
    assert desks.runs.recent(VIC).runs == ()
    with pytest.raises(DagsterDown, match="Start it"):
        desks.runs.sync_now(EVA, (), DAYS)
    with pytest.raises(DagsterDown):
        desks.runs.state(VIC, "run1")


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(502, text="bad gateway"),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json=[]),
        httpx.Response(302, headers={"location": "https://login.example.com"}),
    ],
)
def test_what_is_no_dagster_counts_as_down(office: Office, answer: httpx.Response) -> None:
    link = DagsterLink(URL, transport=httpx.MockTransport(lambda _: answer))
    assert not RunDesk(office, link).reach().up
    with pytest.raises(ZyentaError):
        link.runs(1)


def test_what_stopped_a_long_run_is_found_beyond_the_first_thousand_events() -> None:
    failed = {"__typename": "ExecutionStepFailureEvent", "stepKey": "raw",
              "error": {"message": "The token is dead.", "cause": None}}  # fmt: skip
    pages = {
        None: {"cursor": "1000", "hasMore": True, "events": [{"__typename": "Log"}] * 1000},
        "1000": {"cursor": "1001", "hasMore": False, "events": [failed]},
    }

    def answer(request: httpx.Request) -> httpx.Response:
        after = json.loads(request.content)["variables"]["after"]
        return httpx.Response(
            200, json={"data": {"runOrError": {"eventConnection": pages.pop(after)}}}
        )

    link = DagsterLink(URL, transport=httpx.MockTransport(answer))
    assert link.failure("run1") == "raw: The token is dead."
    assert pages == {}
