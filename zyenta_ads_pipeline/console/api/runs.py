"""Runs of the pipeline: started, watched, listed."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import Path, Query
from pydantic import Field
from starlette.responses import Response

from zyenta_ads_pipeline.console.api.declared import BUYER, PREFIX, acting, problems, router
from zyenta_ads_pipeline.console.api.entry import Me, TheDesks
from zyenta_ads_pipeline.console.api.problems import ProblemRaised
from zyenta_ads_pipeline.console.api.shapes import Body, Moment, Shape
from zyenta_ads_pipeline.console.api.shapes import Json as Plain
from zyenta_ads_pipeline.console.api.writing import Json, moment
from zyenta_ads_pipeline.console.desks.runs import RunLine
from zyenta_ads_pipeline.domain.time import DateRange

routes = router("runs")
RunId = Annotated[str, Path(min_length=1, max_length=100)]


class SyncBody(Body):
    """What to read; nothing named: today and the days that are still restated, of all accounts."""

    accounts: list[Annotated[str, Field(min_length=1, max_length=40)]] = Field(
        default_factory=list, max_length=500, examples=[["act_101"]]
    )
    since: date | None = Field(None, description="First day; goes with `until`.")
    until: date | None = Field(None, description="Last day, included.")
    decide: bool = Field(False, description="Also decide, and propose changes.")


class Started(Shape):
    """A run that was started, or the one that is going already."""

    success: bool
    run_id: str
    href: str


class Run(Shape):
    """One run. `url` opens it in Dagster's own pages."""

    id: str
    job: str
    state: str
    days: str
    started_at: Moment | None
    ended_at: Moment | None
    url: str


class Step(Shape):
    """One step of a run."""

    name: str
    state: str
    started_at: Moment | None
    ended_at: Moment | None


class RunDetail(Run):
    """A run with its steps; `error` is what stopped it."""

    steps: list[Step]
    steps_done: int
    error: str


class Runs(Shape):
    """The newest runs; none, and why, while Dagster is down."""

    up: bool
    url: str
    told: str
    runs: list[Run]


@routes.post(
    "/runs/sync",
    response_model=Started,
    responses=acting(),
    openapi_extra=BUYER,
    summary="Sync now",
)
def sync_now(me: Me, desks: TheDesks, body: SyncBody | None = None) -> Response:
    """Starts reading Meta now. The same asked for again while it is going gives the same run."""
    wanted = body or SyncBody()
    run_id = desks.runs.sync_now(me, wanted.accounts, _days(wanted), decide=wanted.decide)
    return Json({"success": True, "runId": run_id, "href": f"{PREFIX}/runs/{run_id}"})


@routes.get("/runs", response_model=Runs, responses=problems(), summary="List runs")
def list_runs(me: Me, desks: TheDesks, limit: Annotated[int, Query(ge=1, le=100)] = 20) -> Response:
    """The newest runs; while Dagster is down `up` is false, and `told` says why."""
    found = desks.runs.recent(me, limit)
    return Json(
        {
            "up": found.reach.up,
            "url": found.reach.url,
            "told": found.reach.told,
            "runs": [_run(each) for each in found.runs],
        }
    )


@routes.get(
    "/runs/{run_id}",
    response_model=RunDetail,
    responses=problems(404),
    summary="Look how far a run is",
)
def get_run(run_id: RunId, me: Me, desks: TheDesks) -> Response:
    """One run with its steps, in the order of their start."""
    found = desks.runs.state(me, run_id)
    steps = [
        {
            "name": each.name,
            "state": each.state,
            "startedAt": moment(each.started_at),
            "endedAt": moment(each.ended_at),
        }
        for each in found.steps
    ]
    more = {"steps": steps, "stepsDone": found.done, "error": found.error}
    return Json(_run(found.run) | more)


def _days(body: SyncBody) -> DateRange | None:
    if body.since is None and body.until is None:
        return None
    if body.since is None or body.until is None or body.since > body.until:
        raise ProblemRaised(
            422,
            "since and until do not make a range of days.",
            "Give both, the earlier day as since; or neither.",
            field="since",
        )
    return DateRange(body.since, body.until)


def _run(one: RunLine) -> Plain:
    return {
        "id": one.id,
        "job": one.job,
        "state": one.state,
        "days": one.days,
        "startedAt": moment(one.started_at),
        "endedAt": moment(one.ended_at),
        "url": one.url,
    }
