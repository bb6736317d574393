"""The memory of a sync: flat in the number of pages."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.measure import Section

_ADS = 10_000


def measure(folder: Path, *, full: bool) -> Section:
    """Syncs of a million ad rows and, if `full`, of ten million."""
    rows = [_told(folder / f"memory{days}", days) for days in ((100, 1_000) if full else (100,))]
    return Section(
        "Memory",
        f"""\
A client process syncs {_ADS:,} ads, all four levels, into an empty lake; the peaks of its resident
memory over the whole run and in each quarter of its time. Aimed at is at most 600 MB, and that it
does not grow from the first quarter to the last. The server is not the sandbox, which keeps its
rows in memory, but a small one that makes up pages of about 800 bytes a row, every day alike.""",
        [
            *("ads, days", "rows, all levels", "calls", "wall", "CPU", "before (MB)"),
            *("peak (MB)", "peaks by quarter (MB)"),
        ],
        rows,
    )


def _told(folder: Path, days: int) -> list[str]:
    with _server() as url:
        command = [sys.executable, "-m", "benchmarks.memory_client", url, str(folder), str(days)]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
    shutil.rmtree(folder, ignore_errors=True)
    assert run.returncode == 0, run.stderr
    found: dict[str, Any] = json.loads(run.stdout)
    return [
        f"{_ADS:,}, {days:,}",
        f"{found['rows']:,}",
        f"{found['calls']:,}",
        f"{found['seconds']:,.0f} s",
        f"{found['cpu']:,.0f} s",
        f"{found['start']:,.0f}",
        f"**{found['peak']:,.0f}**",
        " / ".join(f"{peak:,.0f}" for peak in found["quarters"]),
    ]


@contextmanager
def _server() -> Iterator[str]:
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.endless", str(_ADS)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        assert child.stdin is not None
        try:
            yield child.stdout.readline().strip()
        finally:
            child.stdin.close()
