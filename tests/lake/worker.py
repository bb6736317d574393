"""A writer in a process of its own: `python -m tests.lake.worker ROOT ACCOUNTS DAYS ROUNDS`.

Each round replaces one account and day by 50 ads that all carry the round's number as clicks.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator

from tests.lake.frames import ads, day
from zyenta_ads_pipeline.lake.lake import Lake, Scope
from zyenta_ads_pipeline.lake.tables import AD_METRICS

ROWS = 50


def main(root: str, accounts: str, days: str, rounds: str) -> None:
    """Write `rounds` rounds (0: without end), telling each on a line when it is stored."""
    lake = Lake(root)
    scopes = [(a, int(d)) for a in accounts.split(",") for d in days.split(",")]
    endless: Iterator[int] = itertools.count(1)
    for number in range(1, int(rounds) + 1) if int(rounds) else endless:
        for account, n in scopes:
            rows = ads([day(n)], [account], count=ROWS, clicks=number)
            lake.write(AD_METRICS, rows, Scope([account], [day(n)]), run_id=str(number))
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
