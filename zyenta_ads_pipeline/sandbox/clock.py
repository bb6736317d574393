"""The sandbox's own clock: real time plus an offset, or standing still. It only goes forward."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


def real_now() -> datetime:
    """This machine's time, UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Clock:
    """A moment of the sandbox's time (UTC) tied to a moment of real time.

    `frozen` stops it at `sandbox`.
    """

    sandbox: datetime
    real: datetime
    frozen: bool = False

    def now(self) -> datetime:
        """The sandbox's time, UTC, to the second when it is told on the wire."""
        return self.sandbox if self.frozen else self.sandbox + (real_now() - self.real)

    def moved_to(self, moment: datetime) -> Clock:
        """The clock set to a later moment; `ValueError` for an earlier one."""
        if moment < self.now():
            raise ValueError(f"the clock stands at {self.now().isoformat()} and only goes forward")
        return Clock(moment.astimezone(UTC), real_now(), self.frozen)

    def advanced(self, by: timedelta) -> Clock:
        """The clock moved forward by a duration; `ValueError` when it is negative."""
        return self.moved_to(self.now() + by) if by >= timedelta() else self._backwards(by)

    def frozen_as(self, frozen: bool) -> Clock:
        """The clock stopped, or running on from where it stands."""
        return Clock(self.now(), real_now(), frozen)

    def _backwards(self, by: timedelta) -> Clock:
        raise ValueError(f"the clock only goes forward, not by {by}")
