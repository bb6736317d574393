"""`python -m benchmarks`: measure, and print a table; `--write FILE` writes it as a page."""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from benchmarks import allocation, insights, lake
from benchmarks.measure import Comparison

_ROOMS = (lake, insights, allocation)
_LIBRARIES = ("polars", "duckdb", "deltalake", "httpx", "numpy", "facebook-business")

_PAGE = """\
# Benchmarks

Written by `python -m benchmarks --write docs/benchmarks.md`; do not edit by hand. To repeat them
on your machine: `make bench` (about a minute, loopback only, nothing is kept).

{table}

**Ratio** is our time over the peer's: below 1 ours is faster, above 1 the peer is. Both are
measured in the same run, in turns, after one turn each that does not count; given are the median
of the turns' ratios and their span. "CPU" counts the seconds of this process with all its
threads, which other work on the machine disturbs little; "wall" is used where waiting for the
disk is a part of the matter.

What to keep in mind:

- The lake does more than a plain file: it checks keys, keeps a partition a day, commits all of it
  or nothing while others read, and keeps what was known before. The ratio is what that costs.
- The SDK's rows are its own objects with texts; ours are checked and typed when the clock stops.
  The server's share is left out of both.
- Sorting is what any allocation has to do at least; numpy does it in C on floats, ours counts in
  whole minor units and Python integers.

Measured on: {machine}.
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure everything; print, and write where told to."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the page there")
    chosen = parser.parse_args(arguments)
    lines = _HEAD.splitlines()
    print(_HEAD)
    with tempfile.TemporaryDirectory(prefix="zyenta-benchmarks-") as folder:
        for room in _ROOMS:
            for comparison in room.measure(Path(folder)):
                lines.append(_line(comparison))
                print(lines[-1], flush=True)
    print(f"\nMeasured on: {_machine()}.")
    if chosen.write is not None:
        page = _PAGE.format(table="\n".join(lines), machine=_machine())
        chosen.write.write_text(page, encoding="utf-8")


_HEAD = """\
| ours | peer | clock | ours | peer | ratio (span) |
|---|---|---|---|---|---|"""


def _line(comparison: Comparison) -> str:
    told = [
        comparison.what,
        comparison.peer,
        comparison.clock,
        _speed(comparison.ours, comparison.units),
        _speed(comparison.peers, comparison.units),
        f"**{_short(comparison.ratio)}** "
        f"({_short(min(comparison.ratios))} to {_short(max(comparison.ratios))})",
    ]
    return f"| {' | '.join(told)} |"


def _speed(seconds: Sequence[float], units: int) -> str:
    middle = statistics.median(seconds)
    return f"{middle * 1000:,.0f} ms, {_thousands(units / middle)}/s"


def _thousands(count: float) -> str:
    return f"{count / 1e6:.1f}M" if count >= 1e6 else f"{count / 1e3:,.0f}k"


def _short(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio < 10 else f"{ratio:,.0f}"


def _machine() -> str:
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    return (
        f"{os.cpu_count()} cores ({platform.machine()}), {platform.system()}, "
        f"Python {platform.python_version()}; {libraries}"
    )


if __name__ == "__main__":
    main()
