"""Asynchronous reports: POST of insights, the run's status, and its pages.

A report's time is the larger of the real and of the sandbox's time that has passed, so that it
goes on while the sandbox's clock stands still. Its rows are computed when it is first seen to
be over, and stay as they are; they lie in a file beside the state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from zyenta_ads_pipeline.sandbox.call import Call
from zyenta_ads_pipeline.sandbox.clock import real_now
from zyenta_ads_pipeline.sandbox.graph_error import GraphError, unknown_field
from zyenta_ads_pipeline.sandbox.insights import Insights, TooLarge
from zyenta_ads_pipeline.sandbox.insights_query import InsightsQuery
from zyenta_ads_pipeline.sandbox.objects import Objects, Thing
from zyenta_ads_pipeline.sandbox.report_plan import (
    FAILED,
    SKIPPED,
    STALLED,
    TOO_LARGE,
    ReportPlan,
    failure,
    read_outcome,
)
from zyenta_ads_pipeline.sandbox.selection import parse_fields
from zyenta_ads_pipeline.sandbox.state import ReportRun, State

KEPT = timedelta(days=30)
_FIRST_ID = 120_330_000_000_000_000
_STEP = 17
_FOLDER = "reports"
_PLAN = "report_plan"
_PLANNED = frozenset({"seconds", "next", "limits", "deleted", "restating"})
_OF_PAGES = ("after", "before", "limit", "summary")
_FIELDS = frozenset({
    "account_id", "async_percent_completion", "async_report_url", "async_status", "date_start",
    "date_stop", "emails", "error_code", "error_message", "error_subcode", "error_user_msg",
    "error_user_title", "friendly_name", "id", "is_async_export", "is_bookmarked", "is_running",
    "report_run_id", "schedule_id", "time_completed", "time_ref",
})  # fmt: skip


@dataclass(frozen=True)
class Look:
    """A report as it is announced at one moment; `error` are the error fields of a failed one."""

    status: str
    percent: int
    error: Mapping[str, Any]

    @property
    def done(self) -> bool:
        """Whether its pages can be read."""
        return self.status == "Job Completed" and self.percent == 100

    @property
    def running(self) -> bool:
        """Whether it may still change."""
        return self.status not in ("Job Completed", "Job Failed", "Job Skipped")


_COMPLETED = Look("Job Completed", 100, {})
_LAST_STEPS: tuple[tuple[Look, ...], ...] = (
    (),
    (Look("Job Completed", 97, {}),),
    (Look("Job Running", 100, {}),),
)
"""What clients are told between the end of the work and the real end, in turns: at times a
report is Completed below 100 %, at times Running at 100 %. Only both together is done."""


class ReportJobs:
    """The reports of one sandbox. They outlive a restart."""

    def __init__(self, objects: Objects, insights: Insights, state: State) -> None:
        self.plan = ReportPlan()
        self._objects = objects
        self._insights = insights
        self._state = state
        self._runs = {run.id: run for run in state.reports()}
        if (plan := state.note(_PLAN)) is not None:
            self.change(plan)

    def submit(
        self, call: Call, node: Thing, now: datetime, ending: dict[str, Any] | None = None
    ) -> dict[str, str]:
        """`POST /{node}/insights`. `GraphError` for a query that is wrong.

        `ending` is how this report ends whatever the plan says.
        """
        self._insights.query(call, node, now)
        number = len(self._runs)
        while self._objects.get(str(_FIRST_ID + number * _STEP)) is not None:
            number += 1
        run = ReportRun(
            id=str(_FIRST_ID + number * _STEP),
            node_id=node.node_id,
            params={k: v for k, v in call.params.items() if k not in _OF_PAGES},
            made=now,
            made_real=real_now(),
            seconds=self.plan.seconds,
            outcome=self.plan.draw() if ending is None else read_outcome(ending),
        )
        self._keep(run)
        self._state.keep_note(_PLAN, self._planned())
        return {"report_run_id": run.id}

    def change(self, asked: Any) -> None:
        """Take over `seconds`, `next`, `limits`, `deleted` and `restating`, for good.

        `ValueError` says what is wrong with them.
        """
        if not isinstance(asked, dict) or not asked.keys() <= _PLANNED:
            raise ValueError(f"give an object with any of {', '.join(sorted(_PLANNED))}")
        settings = self._insights.settings.changed(asked.get("limits", {}), asked.get("deleted"))
        self.plan.change(asked)
        if "restating" in asked:
            self._insights.restate(asked["restating"])
        self._insights.settings = settings
        self._state.keep_note(_PLAN, self._planned())

    def shown(self) -> dict[str, Any]:
        """The plan, and every report with what was asked and how it ended, oldest first."""
        return self._planned() | {"reports": [_told(run) for run in self._runs.values()]}

    def _planned(self) -> dict[str, Any]:
        limits = asdict(self._insights.settings)
        deleted = limits.pop("deleted")
        told = {"seconds": self.plan.seconds, "next": self.plan.coming, "limits": limits}
        return told | {"deleted": deleted, "restating": self._insights.restating}

    def node_of(self, run_id: str) -> Thing | None:
        """The object whose insights a report is about; None for an unknown report."""
        run = self._runs.get(run_id)
        return None if run is None else self._objects.get(run.node_id)

    def status(self, call: Call, run_id: str, now: datetime) -> dict[str, Any]:
        """`GET /{run}`."""
        run, look = self._look(call, run_id, now)
        days = self._query(call, run).periods
        shown: dict[str, Any] = {
            "id": run.id,
            "report_run_id": run.id,
            "account_id": self._node(run).account_id,
            "async_status": look.status,
            "async_percent_completion": look.percent,
            "is_running": look.running,
            "time_ref": int(run.made.timestamp()),
            "date_start": min(each.since for each in days).isoformat(),
            "date_stop": max(each.until for each in days).isoformat(),
            **look.error,
        }
        if not look.running:
            shown["time_completed"] = int((run.finished or now).timestamp())
        wanted = [field.name for field in parse_fields(call.params.get("fields", ""))]
        for name in wanted:
            if name not in _FIELDS:
                raise unknown_field(name, "AdReportRun")
        always = {"id", "report_run_id"}
        return {k: v for k, v in shown.items() if not wanted or k in wanted or k in always}

    def results(self, call: Call, run_id: str, now: datetime) -> dict[str, Any]:
        """`GET /{run}/insights`. `GraphError` 2601/1815107 before the report is done."""
        run, look = self._look(call, run_id, now)
        if not look.done:
            raise GraphError(
                2601,
                "(#2601) The report is not ready: "
                f"{look.status}, {look.percent} percent. Wait until it is completed",
                subcode=1815107,
                user_title="Loading the report failed",
                user_msg="Wait until the job is completed, then ask for its results.",
                transient=look.running or look.status == "Job Completed",
            )
        query = self._query(call, run)
        saved = self._insights.saved_page(query, call)
        if saved is not None:
            return saved
        key = ("report", run.id)
        rows = self._insights.remembered(key)
        if rows is None:
            rows = pl.read_parquet(self._file(run))
            self._insights.remember(key, rows)
        return self._insights.page(call, query, rows)

    def _look(self, call: Call, run_id: str, now: datetime) -> tuple[ReportRun, Look]:
        """The report as it is announced now; looking at one that is over counts."""
        run = self._runs[run_id]
        if now - run.made >= KEPT:
            self._file(run).unlink(missing_ok=True)
            return run, Look("Job Skipped", 0, {})
        passed = max(now - run.made, real_now() - run.made_real).total_seconds()
        part = passed / run.seconds if run.seconds else 1.0
        kind = run.outcome["outcome"]
        if part < 1 or kind == STALLED:
            return run, _under_way(part, run.outcome.get("percent", 100))
        if kind not in (FAILED, SKIPPED) and run.finished is None:
            run = self._finish(call, run, now)
            kind = run.outcome["outcome"]
        if kind == FAILED:
            return run, Look("Job Failed", int(run.outcome.get("percent", 0)), run.outcome["error"])
        if kind == SKIPPED:
            return run, Look("Job Skipped", 0, {})
        steps = _LAST_STEPS[(int(run.id) - _FIRST_ID) // _STEP % len(_LAST_STEPS)]
        if run.observed >= len(steps):
            return run, _COMPLETED
        self._keep(replace(run, observed=run.observed + 1))
        return run, steps[run.observed]

    def _finish(self, call: Call, run: ReportRun, now: datetime) -> ReportRun:
        """Compute the rows; a report that is too large fails."""
        query = self._query(call, run)
        try:
            if not self._insights.is_saved(query, self._asking(call, run)):
                rows = self._insights.compute(query, now, self._insights.settings.async_rows)
                file = self._file(run)
                file.parent.mkdir(exist_ok=True)
                rows.write_parquet(file, compression="zstd", compression_level=1)
                self._insights.remember(("report", run.id), rows)
            run = replace(run, finished=now)
        except TooLarge:
            run = replace(run, outcome={"outcome": FAILED, "error": failure(*TOO_LARGE)})
        except GraphError as error:
            told = failure(error.code, error.subcode or 0, error.message)
            run = replace(run, outcome={"outcome": FAILED, "error": told})
        self._keep(run)
        return run

    def _keep(self, run: ReportRun) -> None:
        self._state.save_report(run)
        self._runs[run.id] = run

    def _node(self, run: ReportRun) -> Thing:
        node = self._objects.get(run.node_id)
        assert node is not None  # noqa: S101 - objects are never removed, only marked
        return node

    def _asking(self, call: Call, run: ReportRun) -> Call:
        """The call that asked for the report."""
        return replace(call, params=dict(run.params), path=(run.node_id, "insights"))

    def _query(self, call: Call, run: ReportRun) -> InsightsQuery:
        return self._insights.query(self._asking(call, run), self._node(run), run.made)

    def _file(self, run: ReportRun) -> Path:
        return self._state.directory / _FOLDER / f"{run.id}.parquet"


def _under_way(part: float, most: int) -> Look:
    """A report at a part of its time; a stalled one stays at `most` percent."""
    if part < 0.1:
        return Look("Job Not Started", 0, {})
    if part < 0.2:
        return Look("Job Started", 0, {})
    return Look("Job Running", min(most, int(part * 100)), {})


def _told(run: ReportRun) -> dict[str, Any]:
    return {
        "id": run.id,
        "node": run.node_id,
        "params": run.params,
        "made": run.made.isoformat(),
        "seconds": run.seconds,
        "outcome": run.outcome,
        "finished": None if run.finished is None else run.finished.isoformat(),
    }
