"""Runs of Dagster: started, watched, listed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any

from zyenta_ads_pipeline.console.dagster_link import DagsterLink, Reach
from zyenta_ads_pipeline.console.office import Office
from zyenta_ads_pipeline.domain.access import Person, Role
from zyenta_ads_pipeline.domain.ads import account_number
from zyenta_ads_pipeline.domain.errors import (
    FieldProblem,
    FieldsRefused,
    InputError,
    NotThere,
    ZyentaError,
)
from zyenta_ads_pipeline.domain.time import DateRange
from zyenta_ads_pipeline.ingestion.reads import due_days
from zyenta_ads_pipeline.lineage import ASSETS_OF
from zyenta_ads_pipeline.store.connections import Connections

FIRST_DAY = date(2023, 10, 1)
"""As `partitions.FIRST_DAY`, which cannot be had without Dagster; a test compares the two."""


@dataclass(frozen=True)
class StepProgress:
    """One step (asset or op) of a run; `state` is `waiting`, `running`, `done`, `failed` or
    `skipped`."""

    name: str
    state: str
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True)
class RunLine:
    """One run. `state` is `waiting`, `running`, `done`, `failed` or `cancelled`; `days` as in
    `2026-10-01 to 2026-10-31` where it has a range; `url` opens it in Dagster's own pages."""

    id: str
    job: str
    state: str
    days: str
    started_at: datetime | None
    ended_at: datetime | None
    tags: Mapping[str, str]
    url: str

    @property
    def is_open(self) -> bool:
        """Whether something is still to come."""
        return self.state in ("waiting", "running")


@dataclass(frozen=True)
class RunState:
    """A run with its steps in the order of their start; `error` is what stopped it."""

    run: RunLine
    steps: Sequence[StepProgress]
    error: str

    @property
    def done(self) -> int:
        """Steps that are over."""
        return sum(step.state in ("done", "failed", "skipped") for step in self.steps)


@dataclass(frozen=True)
class RecentRuns:
    """The newest runs; none, and why, while Dagster is down."""

    reach: Reach
    runs: Sequence[RunLine]


_STATES = {
    "QUEUED": "waiting",
    "NOT_STARTED": "waiting",
    "STARTING": "waiting",
    "STARTED": "running",
    "SUCCESS": "done",
    "FAILURE": "failed",
    "CANCELING": "running",
    "CANCELED": "cancelled",
}
_STEPS = {
    "IN_PROGRESS": "running",
    "SUCCESS": "done",
    "FAILURE": "failed",
    "SKIPPED": "skipped",
}
_OPEN = ("QUEUED", "NOT_STARTED", "STARTING", "STARTED")
_ASKED = "zyenta/asked"
"""The tag by which a sync that was asked for twice is known."""
_BY = "zyenta/by"
_START, _END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
_EARLIEST_ZONE = timedelta(hours=14)
"""Partitions begin with the day of the zone ahead of all."""
_MOST_DAYS = 1100


class RunDesk:
    """Runs. Viewers look, buyers start. Every method takes the person first."""

    def __init__(self, office: Office, link: DagsterLink | None = None) -> None:
        self._office = office
        self._link = link or DagsterLink(office.settings.dagster_url)

    def reach(self) -> Reach:
        """Whether Dagster answers; known for five seconds, and never raises."""
        return self._link.reach()

    def sync_now(
        self,
        person: Person,
        accounts: Sequence[str] = (),
        days: DateRange | None = None,
        *,
        decide: bool = False,
    ) -> str:
        """Start reading Meta for accounts (none: all) over days (None: today and those before that
        are due again); `decide` also decides and proposes (the job `hourly`). Buyer.

        Gives the run's id; that of the one that is going, if the same was asked before. Raises
        `DagsterDown`, `NotThere` for an account that is none of ours, `FieldsRefused` for days that
        cannot be.
        """
        office = self._office
        about = ", ".join(accounts) or "all"
        office.allow(person, Role.BUYER, "run.sync", "run", about)
        ours = accounts_in(office)
        numbers = [account_number(account) for account in accounts]
        for number in numbers:
            if number not in ours:
                raise NotThere(
                    f"act_{number} is none of the accounts that are configured or connected.",
                    "Set META_AD_ACCOUNT_IDS, or connect a store to it.",
                )
        if not ours:
            raise InputError(
                "There is no ad account to read.", "Set META_AD_ACCOUNT_IDS, or connect a store."
            )
        chosen = self._checked(days) if days else self._due(numbers or ours)
        job = "hourly" if decide else "sync"
        asked = _mark(job, numbers, chosen)
        going = self._link.runs(1, tags={_ASKED: asked}, statuses=_OPEN)
        if going:
            return str(going[0]["runId"])
        config = {
            "ops": {name: {"config": {"accounts": numbers}} for name in ASSETS_OF[job] if numbers}
        }
        tags = {_START: str(chosen.since), _END: str(chosen.until), _ASKED: asked, _BY: person.name}
        run_id = self._link.launch(job, config, tags)
        detail = {"job": job, "days": str(chosen), "accounts": numbers}
        office.note(person, "run.sync", "run", run_id, detail)
        return run_id

    def state(self, person: Person, run_id: str) -> RunState:
        """How far a run is. Raises `DagsterDown`, `NotThere`."""
        found = self._link.run(run_id)
        run = self._line(found)
        known = {step["stepKey"]: step for step in found.get("stepStats") or ()}
        planned = [step["key"] for step in (found.get("executionPlan") or {}).get("steps", ())]
        steps = [_step(name, known.get(name)) for name in dict.fromkeys([*known, *planned])]
        late = datetime.max.replace(tzinfo=UTC)
        steps.sort(key=lambda step: step.started_at or late)
        error = self._link.failure(run_id) if run.state == "failed" else ""
        return RunState(run, steps, error)

    def recent(self, person: Person, limit: int = 20) -> RecentRuns:
        """The newest runs; never raises because Dagster is down."""
        reach = self.reach()
        if not reach.up:
            return RecentRuns(reach, ())
        try:
            runs = self._link.runs(max(1, min(limit, 100)))
        except ZyentaError as error:
            return RecentRuns(Reach(False, reach.url, error.what), ())
        return RecentRuns(reach, [self._line(run) for run in runs])

    def _line(self, run: Mapping[str, Any]) -> RunLine:
        tags = {tag["key"]: tag["value"] for tag in run["tags"]}
        days = f"{tags[_START]} to {tags[_END]}" if _START in tags and _END in tags else ""
        return RunLine(
            id=run["runId"],
            job=run["jobName"],
            state=_STATES.get(run["status"], "running"),
            days=days,
            started_at=_moment(run.get("startTime")),
            ended_at=_moment(run.get("endTime")),
            tags=tags,
            url=f"{self._link.url}/runs/{run['runId']}",
        )

    def _checked(self, days: DateRange) -> DateRange:
        today = (self._office.now() + _EARLIEST_ZONE).date()
        problems = []
        if days.until > today:
            problems.append(
                FieldProblem("until", f"{days.until} has not come yet.", f"End at {today}.")
            )
        if (days.until - days.since).days > _MOST_DAYS or days.since < FIRST_DAY:
            problems.append(
                FieldProblem(
                    "since",
                    f"{days.since} is older than the insights that Meta keeps.",
                    f"Start at {FIRST_DAY} or later.",
                )
            )
        if problems:
            raise FieldsRefused(problems)
        return days

    def _due(self, accounts: Sequence[str]) -> DateRange:
        """The newest days, as many as are due to be read again; at least the newest tier."""
        settings = self._office.settings
        tiers = settings.restatement_tiers
        depth = due_days(self._office.lake.snapshot(), accounts, tiers, self._office.now())
        newest = (self._office.now() + _EARLIEST_ZONE).date()
        oldest = newest - timedelta(days=max(depth, tiers[0].days) + 1)
        return DateRange(max(oldest, FIRST_DAY), newest)


def accounts_in(office: Office) -> list[str]:
    """The ad accounts to work on, as digits: those of the settings, then those connected."""
    connected = [each.account_id for each in Connections(office.store, office.vault).all()]
    return list(dict.fromkeys([*office.settings.ad_account_ids, *connected]))


def _mark(job: str, accounts: Sequence[str], days: DateRange) -> str:
    told = f"{job} {','.join(sorted(accounts))} {days.since} {days.until}"
    return sha256(told.encode()).hexdigest()[:16]


def _step(name: str, found: Mapping[str, Any] | None) -> StepProgress:
    if found is None:
        return StepProgress(name, "waiting", None, None)
    state = _STEPS.get(str(found.get("status")), "waiting")
    return StepProgress(name, state, _moment(found.get("startTime")), _moment(found.get("endTime")))


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
