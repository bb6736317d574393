"""One measurement: ours and a peer in turns, so that both meet the same machine."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
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
class Section:
    """One question: a table, and in `text` what its ratio means."""

    title: str
    text: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


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


@dataclass(frozen=True)
class Cost:
    """What one turn of a client came to: CPU seconds of this process, calls, rows."""

    seconds: float
    calls: int
    rows: int


def in_turns(works: Mapping[str, Callable[[], Cost]], turns: int) -> dict[str, list[Cost]]:
    """The costs of several clients, each measuring itself, turn by turn."""
    costs: dict[str, list[Cost]] = {name: [] for name in works}
    for _ in range(turns):
        for name, work in works.items():
            costs[name].append(work())
    return costs


def seconds(costs: Sequence[Cost]) -> list[float]:
    """The seconds of each turn."""
    return [cost.seconds for cost in costs]


def ratio(one: Sequence[float], other: Sequence[float]) -> str:
    """`one` over `other`, turn by turn: the median and, of several turns, the span."""
    ratios = [mine / theirs for mine, theirs in zip(one, other, strict=True)]
    middle = f"**{short(statistics.median(ratios))}**"
    if len(ratios) == 1:
        return middle
    return f"{middle} ({short(min(ratios))} to {short(max(ratios))})"


def short(number: float) -> str:
    """A ratio as people read it."""
    return f"{number:.2f}" if number < 10 else f"{number:,.0f}"


def thousands(count: float) -> str:
    """A count as people read it."""
    return f"{count / 1e6:.1f}M" if count >= 1e6 else f"{count / 1e3:,.0f}k"


def _seconds(work: Callable[[], object], clock: Clock) -> float:
    start = clock()
    work()
    return clock() - start
