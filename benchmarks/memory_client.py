"""`python -m benchmarks.memory_client URL HOME DAYS`: one sync in a process of its own.

Prints a JSON object: `rows`, `calls`, CPU and wall `seconds`, and in MB the `peak` of the resident
memory, the process's own size before the sync (`start`), and the peaks of four equal parts of the
run (`quarters`). Linux only: it reads /proc.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.endless import ACCOUNT
from tests.ingestion.syncing import Home, home
from zyenta_ads_pipeline.domain.time import DateRange
from zyenta_ads_pipeline.ingestion.account_sync import Synced
from zyenta_ads_pipeline.ingestion.insights import sync_account
from zyenta_ads_pipeline.ingestion.report_jobs import Deadline
from zyenta_ads_pipeline.platforms.meta.client import MetaClient
from zyenta_ads_pipeline.platforms.meta.platform import MetaAds

_ANY = "any-word-will-do"
_EVERY = 0.02
_PAGE = os.sysconf("SC_PAGE_SIZE")


class _Sampler(threading.Thread):
    """Notes the resident memory, in MB, fifty times a second."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.samples: list[float] = []

    def run(self) -> None:
        while True:
            self.samples.append(resident())
            time.sleep(_EVERY)


def resident() -> float:
    """This process's resident memory now, in MB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * _PAGE / 1e6


def main(url: str, folder: str, days: int) -> None:
    """Sync that many days up to yesterday; print what it took."""
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    span = DateRange(yesterday - timedelta(days=days - 1), yesterday)
    start, sampler = resident(), _Sampler()
    with home(Path(folder), deadline=Deadline()) as made:
        sampler.start()
        began = time.perf_counter()
        synced = asyncio.run(_sync(url, made, span))
        wall = time.perf_counter() - began
    samples, number = sampler.samples, len(sampler.samples)
    assert not synced.gaps
    told = {
        "rows": synced.rows,
        "calls": synced.calls,
        "seconds": wall,
        "cpu": time.process_time(),
        "start": start,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6,
        "quarters": [max(samples[n * number // 4 : (n + 1) * number // 4]) for n in range(4)],
    }
    print(json.dumps(told))


async def _sync(url: str, made: Home, days: DateRange) -> Synced:
    async with MetaAds(MetaClient(base_url=url, version="v26.0", token=_ANY)) as meta:
        return await sync_account(made.place, meta, ACCOUNT, days)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
