"""Asynchronous reports: submitted once, followed by their progress, taken up again after a crash.

What a job is judged by is its progress, not its age: one that moves may take an hour, one that
stands still is asked anew. A platform's report is only ever read, so a doubled one costs quota
and nothing else.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from zyenta_ads_pipeline.domain.errors import (
    AuthenticationFailed,
    DeadlinePassed,
    NotFound,
    PermissionDenied,
    PolicyBlocked,
    ReportFailed,
    TooMuchData,
    ValidationRefused,
)
from zyenta_ads_pipeline.domain.insights import Report
from zyenta_ads_pipeline.platforms.base import AdsPlatform, ReportState, ReportStatus
from zyenta_ads_pipeline.store.ledger import ReportJob, ReportLedger

log = logging.getLogger(__name__)

FRESH_FOR = timedelta(hours=6)
"""A report submitted longer ago says too little about now to be taken up again."""
_FINAL = (AuthenticationFailed, PermissionDenied, PolicyBlocked, TooMuchData, ValidationRefused)
"""What a report that failed with it would fail with again."""
_ATTEMPTS = 3
_SHORTEST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0


@dataclass(frozen=True)
class Patience:
    """How long a job may stand still, in seconds: `stall` at least, and `share` of the time that
    its progress so far has taken where that is longer."""

    stall: float = 120.0
    share: float = 2.0

    def over(self, standing: float, moving: float) -> bool:
        """Whether a job that moved for `moving` and then stood for `standing` has stalled."""
        return standing > max(self.stall, self.share * moving)


@dataclass(frozen=True)
class Clock:
    """This machine's time: how old a job is, and how the next look at it is waited for."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


@dataclass(frozen=True)
class Deadline:
    """The moment (monotonic seconds) at which a whole sync has to be over; None: never."""

    at: float | None = None

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """A deadline that many seconds from now."""
        return cls(time.monotonic() + seconds)

    def left(self) -> float:
        """Seconds until then; never below zero."""
        return float("inf") if self.at is None else max(self.at - time.monotonic(), 0.0)

    def check(self, doing: str) -> None:
        """Raise `DeadlinePassed` when it is over."""
        if self.left() <= 0:
            raise DeadlinePassed(
                f"The time allowed for the sync is over; it ended before {doing}.",
                "What was read is kept and the next sync goes on from there; "
                "ZYENTA_SYNC_DEADLINE sets the time.",
            )


class ReportJobs:
    """Has reports computed by the platform and waits for them."""

    def __init__(
        self,
        platform: AdsPlatform,
        ledger: ReportLedger,
        deadline: Deadline,
        *,
        patience: Patience,
        clock: Clock,
    ) -> None:
        self._platform = platform
        self._ledger = ledger
        self._deadline = deadline
        self._patience = patience
        self._now = clock.now
        self._wait = clock.sleep

    def under_way(self, report: Report, fresh_for: timedelta = FRESH_FOR) -> ReportJob | None:
        """The job of the same report that an earlier process left, if it is fresh enough."""
        job = self._ledger.job(report.fingerprint())
        if job is not None and self._now() - job.submitted_at > fresh_for:
            self._ledger.close(job.request)
            return None
        return job

    def age(self, job: ReportJob) -> timedelta:
        """How long ago a job was submitted: its numbers may be as old as that."""
        return self._now() - job.submitted_at

    async def completed(self, report: Report, expected: float | None) -> ReportJob:
        """The report's job once it is complete.

        One that an earlier process submitted is taken up; otherwise it is submitted. `expected`
        is how long such a job took before. Raises `TooMuchData` for a report that has to be made
        smaller, `ReportFailed` for one that the platform keeps failing, `DeadlinePassed` with the
        job left in the ledger; an error about the token or its rights at once.
        """
        job = self.under_way(report)
        if job is None:
            job = await self._submit(report, attempt=1)
            await self._sleep(job, min(expected or _SHORTEST_PAUSE, _LONGEST_PAUSE), report)
        while True:
            try:
                status = await self._platform.report_status(job.run_id, report.account_id)
            except NotFound as error:
                job = await self._again(job, report, f"the platform lost it: {error.what}")
                continue
            job = self._noted(job, status)
            if status.state is ReportState.COMPLETED:
                return job
            if status.state is ReportState.FAILED:
                job = await self._failed(job, report, status)
            elif status.state is ReportState.SKIPPED:
                job = await self._again(job, report, "it expired before it was computed")
            elif self._stalled(job):
                job = await self._again(job, report, f"it stands at {job.percent} %")
            await self._sleep(job, self._pause(job), report)

    def close(self, report: Report) -> None:
        """Forget the job: its rows are stored, or it is given up."""
        self._ledger.close(report.fingerprint())

    async def _submit(self, report: Report, attempt: int) -> ReportJob:
        self._deadline.check(f"the report {report} was asked for")
        run_id = await self._platform.start_report(report)
        moment = self._now()
        job = ReportJob(
            request=report.fingerprint(),
            account_id=report.account_id,
            run_id=run_id,
            described=str(report),
            state=ReportState.WAITING.value,
            percent=0,
            attempt=attempt,
            polls=0,
            submitted_at=moment,
            progressed_at=moment,
        )
        self._ledger.save(job)
        log.info("%s: report %s asked for, attempt %d", report, run_id, attempt)
        return job

    def _noted(self, job: ReportJob, status: ReportStatus) -> ReportJob:
        moved = (status.state.value, status.percent) != (job.state, job.percent)
        noted = replace(
            job,
            state=status.state.value,
            percent=status.percent,
            polls=job.polls + 1,
            progressed_at=self._now() if moved else job.progressed_at,
        )
        if moved:
            self._ledger.save(noted)
            log.info("%s: %s at %d %%", job.described, status.state.value, status.percent)
        return noted

    async def _failed(self, job: ReportJob, report: Report, status: ReportStatus) -> ReportJob:
        if isinstance(status.error, _FINAL):
            self._ledger.close(job.request)
            raise status.error
        return await self._again(job, report, f"it failed: {status.error}")

    async def _again(self, job: ReportJob, report: Report, why: str) -> ReportJob:
        if job.attempt >= _ATTEMPTS:
            self._ledger.close(job.request)
            raise ReportFailed(
                f"Report {job.run_id} of {report} gave nothing in {job.attempt} attempts; of the "
                f"last one, {why}.",
                "The next sync asks again, in smaller parts.",
            )
        log.warning("%s: report %s is asked anew, since %s", report, job.run_id, why)
        return await self._submit(report, job.attempt + 1)

    def _stalled(self, job: ReportJob) -> bool:
        standing = (self._now() - job.progressed_at).total_seconds()
        moving = (job.progressed_at - job.submitted_at).total_seconds()
        return self._patience.over(standing, moving)

    def _pause(self, job: ReportJob) -> float:
        """Until the job should be done by its progress; else half of its age again."""
        age = (self._now() - job.submitted_at).total_seconds()
        longest = min(max(age / 2, _SHORTEST_PAUSE), _LONGEST_PAUSE)
        if 0 < job.percent < 100:
            return min(max(age * (100 - job.percent) / job.percent, _SHORTEST_PAUSE), longest)
        return longest

    async def _sleep(self, job: ReportJob, seconds: float, report: Report) -> None:
        """Wait, but not past the deadline: then the job is left to the next sync."""
        if seconds >= self._deadline.left():
            raise DeadlinePassed(
                f"The time allowed for the sync is over while report {job.run_id} of {report} "
                f"stands at {job.percent} %.",
                "The next sync takes the report up where it is; ZYENTA_SYNC_DEADLINE sets the "
                "time.",
            )
        await self._wait(seconds)
