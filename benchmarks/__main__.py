"""`python -m benchmarks`: measure, and print tables; `--write FILE` writes them as a page.

`--full` measures the large accounts too, which takes long; its results are those documented.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

from benchmarks import abtests, allocation, console, forecasts, insights, lake, memory, waiting
from benchmarks.measure import Comparison, Section, ratio, thousands

_LIBRARIES = ("polars", "duckdb", "deltalake", "httpx", "numpy", "fastapi", "facebook-business")

_PAGE = """\
# Benchmarks

Written by `python -m benchmarks {mode}--write docs/benchmarks.md`; do not edit by hand. To repeat
them on your machine: `make bench` (the quick ones, about three minutes) or
`.venv/bin/python -m benchmarks --full` (all of them, about twenty). Loopback only, nothing is kept.

Ours and the peer are measured in the same run, in turns, on the same data; given are the median of
the turns' ratios and, where there are several, their span. "CPU" counts the seconds of the client's
process with all its threads: the server is another process and counts for neither. Other work on
the machine shows in all figures, least in the ratios.

{sections}
Measured on: {machine}.
"""
_SECTION = """\
## {title}
{text}

{table}
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure everything; print, and write where told to."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    sizes = parser.add_mutually_exclusive_group()
    sizes.add_argument("--quick", action="store_true", help="small accounts only (default)")
    sizes.add_argument("--full", action="store_true", help="all sizes")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the page there")
    chosen = parser.parse_args(arguments)
    told = []
    with tempfile.TemporaryDirectory(prefix="zyenta-benchmarks-") as folder:
        for section in _sections(Path(folder), full=chosen.full):
            told.append(_SECTION.format_map({**vars(section), "table": _table(section)}))
            print(told[-1], flush=True)
    print(f"Measured on: {_machine()}.")
    if chosen.write is not None:
        page = _PAGE.format(
            mode="--full " if chosen.full else "",
            sections="\n".join(told),
            machine=_machine(),
        )
        chosen.write.write_text(page, encoding="utf-8")


def _sections(folder: Path, *, full: bool) -> Iterator[Section]:
    yield from insights.measure(folder, full=full)
    yield memory.measure(folder, full=full)
    yield waiting.measure(folder)
    yield Section(
        "The lake, and allocation",
        """\
**Ratio**: our time over the peer's. "Wall" is used where waiting for the disk is a part of the
matter. The lake does more than a plain file: it checks keys, keeps a partition a day, commits all
of it or nothing while others read, and keeps what was known before; the ratio is what that costs.
Sorting is what any allocation has to do at least.""",
        ["ours", "peer", "clock", "ours", "peer", "ratio"],
        [_line(one) for room in (lake, allocation) for one in room.measure(folder)],
    )
    yield allocation.solvers()
    yield abtests.section()
    yield console.measure(folder)
    if full:
        yield forecasts.section()


def _table(section: Section) -> str:
    lines = [section.head, ["---"] * len(section.head), *section.rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _line(comparison: Comparison) -> list[str]:
    return [
        comparison.what,
        comparison.peer,
        comparison.clock,
        _speed(comparison.ours, comparison.units),
        _speed(comparison.peers, comparison.units),
        ratio(comparison.ours, comparison.peers),
    ]


def _speed(seconds: Sequence[float], units: int) -> str:
    middle = statistics.median(seconds)
    return f"{middle * 1000:,.0f} ms, {thousands(units / middle)}/s"


def _machine() -> str:
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    return (
        f"{os.cpu_count()} cores ({platform.machine()}), {platform.system()}, "
        f"Python {platform.python_version()}; {libraries}"
    )


if __name__ == "__main__":
    main()
