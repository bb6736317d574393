"""One measurement: ours and a peer in turns, so that both meet the same machine."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

Clock = Callable[[], float]
CLOCKS: Mapping[str, Clock] = MappingProxyType(
    {
        "CPU": time.process_time,  # of this process, all its threads
        "wall": time.perf_counter,
    }
)


@dataclass(frozen=True)
class Comparison:
    """What was compared: seconds of each turn, ours and the peer's, on one clock."""

    what: str
    peer: str
    clock: str
    units: int
    """How many rows or campaigns one turn handles."""
    ours: tuple[float, ...]
    peers: tuple[float, ...]

    @property
    def ratios(self) -> list[float]:
        """Our time over the peer's, turn by turn; below 1 ours is faster."""
        return [mine / theirs for mine, theirs in zip(self.ours, self.peers, strict=True)]

    @property
    def ratio(self) -> float:
        """The median of `ratios`."""
        return statistics.median(self.ratios)


def compare(
    what: str,
    peer: str,
    ours: Callable[[], object],
    theirs: Callable[[], object],
    *,
    clock: str,
    units: int,
    turns: int = 5,
) -> Comparison:
    """Time both in turns, after one turn each that does not count."""
    ours()
    theirs()
    mine, others = [], []
    for _ in range(turns):
        mine.append(_seconds(ours, CLOCKS[clock]))
        others.append(_seconds(theirs, CLOCKS[clock]))
    return Comparison(what, peer, clock, units, tuple(mine), tuple(others))


def _seconds(work: Callable[[], object], clock: Clock) -> float:
    start = clock()
    work()
    return clock() - start
