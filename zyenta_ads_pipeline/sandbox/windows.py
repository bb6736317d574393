"""What happened in the last so many seconds, added up."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Lump:
    """Calls (or points) and seconds of computing."""

    calls: float = 0.0
    cpu: float = 0.0


class Window:
    """A rolling sum. Moments are seconds of a monotonic clock and never go back."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lumps: deque[tuple[float, Lump]] = deque()
        self._calls = 0.0
        self._cpu = 0.0

    def add(self, now: float, lump: Lump) -> None:
        """Note what happened now."""
        self._lumps.append((now, lump))
        self._calls += lump.calls
        self._cpu += lump.cpu

    def total(self, now: float) -> Lump:
        """The sum of what is not yet too old."""
        while self._lumps and self._lumps[0][0] <= now - self._seconds:
            _, lump = self._lumps.popleft()
            self._calls -= lump.calls
            self._cpu -= lump.cpu
        if not self._lumps:
            self._calls = self._cpu = 0.0
        return Lump(self._calls, self._cpu)

    def seconds_until(self, now: float, fine: Callable[[Lump], bool]) -> float:
        """How long it takes, without another call, until the sum is `fine` (it is when empty)."""
        total = self.total(now)
        wait = 0.0
        for moment, lump in self._lumps:
            if fine(total):
                break
            total = Lump(total.calls - lump.calls, total.cpu - lump.cpu)
            wait = moment + self._seconds - now
        return wait

    def seconds_until_empty(self, now: float) -> float:
        """How long it takes, without another call, until nothing is left."""
        self.total(now)
        return self._lumps[-1][0] + self._seconds - now if self._lumps else 0.0

    def clear(self) -> None:
        """Forget everything."""
        self._lumps.clear()
        self._calls = self._cpu = 0.0
