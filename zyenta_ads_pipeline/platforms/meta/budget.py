"""The budget of calls: who may call Meta now, who waits, and for how long.

Meta counts calls by app, by ad account and by use case, tells the counts with each reply, and
shuts out whoever reaches 100 %. Here each call asks first. Below 75 % reads go as they come; from
there to the reading ceiling they are spaced out more and more; at the ceiling they wait until the
use has fallen. What is above is kept for writes. While Meta shuts a quota, nobody calls.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

from zyenta_ads_pipeline.domain.errors import DeadlinePassed, RateLimited, StorageError
from zyenta_ads_pipeline.domain.quota import QuotaUse
from zyenta_ads_pipeline.platforms.meta.usage import (
    APP,
    blocked_scopes,
    decay_seconds,
    measurements,
    scopes_of,
)

log = logging.getLogger(__name__)

_SLOW_FROM = 75.0
_STOP_AT = 95.0
_FULL = 100.0
_SLOWEST = 1 / 120
"""The longest pause between two reads, as a share of the time in which the use is forgotten."""
_LONGEST_BLOCK = 2 * 86_400.0
_LOOK_AGAIN = 30.0
"""Seconds after which a waiting call looks again: another process may know better by then."""
_SHARE_EVERY = 1.0
_SHARE_ABOVE = 50.0
_SHARE_STEP = 10.0
_UNMEASURED = datetime(1970, 1, 1, tzinfo=UTC)


class SharedUsage(Protocol):
    """Where the processes of a deployment tell each other what they know of the quotas.

    Both methods block, may be called from any thread and raise `StorageError`.
    """

    def load(self, scopes: Collection[str]) -> dict[str, QuotaUse]:
        """What is known of `scopes`."""
        ...

    def store(self, uses: Mapping[str, QuotaUse]) -> None:
        """Merge `uses` into what is known."""
        ...


@dataclass(frozen=True)
class Time:
    """The clocks a budget lives by; a test gives its own."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


@dataclass(frozen=True)
class _Wait:
    scope: str
    seconds: float
    why: str
    shut: bool
    """Nobody is let in before; else it is a mere pause between two reads."""


class RateBudget:
    """All quotas that our calls count against, as far as this process knows them. One for all
    clients of a process.

    `write_reserve` is how many percent below Meta's ceiling (taken as 95 %) reads stop, so that a
    write finds room. With `shared` all processes of a deployment spend from one budget; while its
    storage fails, this process goes on with what it knows. Safe to share between threads.
    """

    def __init__(
        self,
        *,
        shared: SharedUsage | None = None,
        write_reserve: float = 10.0,
        clocks: Time | None = None,
    ) -> None:
        self.waited_seconds = 0.0
        """Seconds that calls have waited so far, added up."""
        self._shared = shared
        self._read_ceiling = max(_STOP_AT - write_reserve, 1.0)
        self._slow_from = min(_SLOW_FROM, self._read_ceiling)
        self._time = clocks or Time()
        self._lock = threading.Lock()  # held for sums only, never while waiting
        self._uses: dict[str, QuotaUse] = {}
        self._raised: dict[str, float] = {}
        self._point: dict[str, float] = {}
        self._next_read: dict[str, float] = {}
        self._wanted: set[str] = set()
        self._news: dict[str, QuotaUse] = {}
        self._told: dict[str, float] = {}
        self._urgent = False
        self._sharing = False
        self._shared_at = float("-inf")
        self._storage_failed = False

    async def admit(
        self,
        account_id: str,
        use_case: str,
        *,
        app: str = "",
        write: bool = False,
        points: int = 1,
        patience: float = float("inf"),
        deadline: float | None = None,
    ) -> float:
        """Wait until a call may be sent, and count it. Gives the seconds waited for a quota.

        `app` tells apart the apps whose tokens are used: each has quotas of its own. `write` may
        use what is kept from reads. `points` are its weight: 1 for a read, 3 for a write (Meta's
        own weights). Raises `RateLimited` at once when the wait would be longer than `patience`
        seconds or than what is left until `deadline` (by the monotonic clock), and
        `DeadlinePassed` when that is over already.
        """
        scopes = scopes_of(account_id, use_case, app)
        with self._lock:
            self._wanted.update(scopes)
        waited, paced, told = 0.0, False, False
        while True:
            await self.share()
            left = float("inf") if deadline is None else deadline - self._time.monotonic()
            if left <= 0:
                raise DeadlinePassed(
                    "The time allowed is over, so Meta is asked nothing more.",
                    "What was read is kept; the next run goes on from here.",
                )
            wait = self._next_wait(scopes, points, write=write, paced=paced)
            if wait is None:
                return waited
            if wait.seconds > min(left, patience - waited if wait.shut else left):
                raise RateLimited(
                    f"{_named(wait.scope)} {wait.why}: calls are let in again in "
                    f"{wait.seconds:.0f} s, which is longer than may be waited.",
                    "Nothing is lost, the next run goes on from here.",
                    wait_seconds=wait.seconds,
                )
            if not told:
                told = wait.shut
                level = logging.WARNING if wait.shut else logging.INFO
                where = _named(wait.scope)
                log.log(level, "%s %s. Waiting %.1f s.", where, wait.why, wait.seconds)
            rest = min(wait.seconds, _LOOK_AGAIN) if wait.shut else wait.seconds
            await self._time.sleep(rest)
            with self._lock:
                self.waited_seconds += rest
            waited += rest if wait.shut else 0.0
            paced = not wait.shut

    def note(self, account_id: str, headers: Mapping[str, str], *, app: str = "") -> None:
        """Take in the usage headers of a reply, whether it was a good one or not."""
        now = self._time.now()
        with self._lock:
            for found in measurements(headers, account_id, app):
                blocked = found.blocked_seconds
                use = QuotaUse(
                    found.percent,
                    now,
                    found.decay_seconds,
                    now + timedelta(seconds=blocked) if blocked else None,
                )
                self._raised[found.scope] = 0.0
                self._point[found.scope] = found.point
                self._learn(found.scope, use)

    def refused(self, account_id: str, use_case: str, error: RateLimited, *, app: str = "") -> None:
        """Take in a throttling error: its quota is shut for as long as it says."""
        if not error.wait_seconds:
            return
        now = self._time.now()
        until = now + timedelta(seconds=min(error.wait_seconds, _LONGEST_BLOCK))
        with self._lock:
            for scope in blocked_scopes(error, account_id, use_case, app):
                known = self._uses.get(scope) or QuotaUse(0.0, _UNMEASURED, decay_seconds(scope))
                self._learn(scope, replace(known, blocked_until=until))

    async def share(self, *, now: bool = False) -> None:
        """Exchange news with the other processes, if it is time for it or `now`."""
        if self._shared is None:
            return
        while self._may_share(now=now):
            try:
                await asyncio.to_thread(self._exchange, self._shared)
            except StorageError as error:
                if not self._storage_failed:
                    self._storage_failed = True
                    log.warning(
                        "%s Until it is back, this process does not know of the calls of others.",
                        error.what,
                    )
            finally:
                with self._lock:
                    self._sharing = False
                    self._shared_at = self._time.monotonic()
            now = False

    def percent(self, account_id: str, use_case: str, *, app: str = "") -> float:
        """The highest use among the quotas that such a call counts against, as of now."""
        now = self._time.now()
        with self._lock:
            return max(self._percent(scope, now) for scope in scopes_of(account_id, use_case, app))

    def _next_wait(
        self, scopes: tuple[str, ...], points: int, *, write: bool, paced: bool
    ) -> _Wait | None:
        """What stands before a call; None counts it as sent."""
        now = self._time.now()
        with self._lock:
            waits = [self._shut(scope, now, write=write) for scope in scopes]
            shut = max(
                (wait for wait in waits if wait is not None),
                key=lambda wait: wait.seconds,
                default=None,
            )
            if shut is not None:
                return shut
            if not (write or paced):
                pause = max(
                    (self._pause(scope, now) for scope in scopes), key=lambda wait: wait.seconds
                )
                if pause.seconds > 0:
                    return pause
            for scope in scopes:
                self._raised[scope] = (
                    self._raised.get(scope, 0.0) + self._point.get(scope, 0.0) * points
                )
            return None

    def _shut(self, scope: str, now: datetime, *, write: bool) -> _Wait | None:
        use = self._uses.get(scope)
        if use is None:
            return None
        if blocked := use.blocked_for(now):
            return _Wait(scope, blocked, "is shut by Meta", shut=True)
        ceiling = _FULL if write else self._read_ceiling
        percent = self._percent(scope, now)
        if percent < ceiling:
            return None
        whole = use.percent + self._raised.get(scope, 0.0)
        seconds = (percent - ceiling) / whole * use.decay_seconds
        return _Wait(scope, max(seconds, 0.1), f"is used up to {percent:.0f} %", shut=True)

    def _pause(self, scope: str, now: datetime) -> _Wait:
        """The pause before the next read of a scope; taking it takes its place in the row."""
        percent, use = self._percent(scope, now), self._uses.get(scope)
        if use is None or percent <= self._slow_from:
            return _Wait(scope, 0.0, "", shut=False)
        share = (percent - self._slow_from) / (self._read_ceiling - self._slow_from)
        clock = self._time.monotonic()
        start = max(clock, self._next_read.get(scope, clock))
        self._next_read[scope] = start + share * _SLOWEST * use.decay_seconds
        return _Wait(scope, start - clock, f"is used up to {percent:.0f} %", shut=False)

    def _percent(self, scope: str, now: datetime) -> float:
        """What is in use of a scope: as measured, fallen since, and our own calls on top."""
        use = self._uses.get(scope)
        if use is None:
            return 0.0
        age = max((now - use.measured_at).total_seconds(), 0.0)
        fresh = max(1 - age / use.decay_seconds, 0.0)
        return use.percent_at(now) + self._raised.get(scope, 0.0) * fresh

    def _learn(self, scope: str, use: QuotaUse) -> None:
        known = self._uses.get(scope)
        merged = use if known is None else known.merged(use)
        self._uses[scope] = merged
        self._news[scope] = merged
        told = self._told.get(scope, 0.0)
        blocked = known.blocked_until if known else None
        if (
            merged.blocked_until != blocked
            or told <= _SHARE_ABOVE < merged.percent
            or merged.percent - told >= _SHARE_STEP
        ):
            self._urgent = True

    def _may_share(self, *, now: bool) -> bool:
        with self._lock:
            due = self._time.monotonic() - self._shared_at >= _SHARE_EVERY
            if self._sharing or not (due or self._urgent or now):
                return False
            self._sharing, self._urgent = True, False
            return True

    def _exchange(self, shared: SharedUsage) -> None:
        with self._lock:
            news, wanted = dict(self._news), set(self._wanted)
        if news:
            shared.store(news)
        known = shared.load(wanted) if wanted else {}
        with self._lock:
            self._storage_failed = False
            for scope, use in news.items():
                self._told[scope] = use.percent
                if self._news.get(scope) == use:
                    del self._news[scope]
            for scope, use in known.items():
                mine = self._uses.get(scope)
                merged = use if mine is None else mine.merged(use)
                if mine is None or merged.measured_at > mine.measured_at:
                    self._raised[scope] = 0.0
                self._uses[scope] = merged


def _named(scope: str) -> str:
    """A scope in words, as `act_1's quota of ads_insights`."""
    whose, *rest = scope.split("/")
    if whose.partition(":")[0] == APP:
        return f"The app's quota of {rest[0]}" if rest else "The app's quota"
    account = f"act_{rest[0]}" if rest[0] else "The account"
    return f"{account}'s quota of {rest[1]}" if rest[1:] else f"{account}'s quota"
