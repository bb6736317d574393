"""`python -m benchmarks.scale`: what deciding on very many campaigns costs, step by step.

An account of 90 days is drawn, its curves are fitted, decided on, held, allocated and forecast,
as the product does it each day. Seconds are CPU of this process, all threads; the drawing of the
account does not count. `--objects` sets how many campaigns, `--json` prints numbers for programs.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import TypeVar

import numpy as np
import polars as pl

from zyenta_ads_pipeline.metrics.lag import assumed
from zyenta_ads_pipeline.optimizer.account import CAMPAIGNS, DAYS, AccountHistory, Limits
from zyenta_ads_pipeline.optimizer.allocation import allocate
from zyenta_ads_pipeline.optimizer.deciding import decided
from zyenta_ads_pipeline.optimizer.fitting import fit_curves
from zyenta_ads_pipeline.optimizer.forecast import forecast, gain
from zyenta_ads_pipeline.optimizer.holds import holds
from zyenta_ads_pipeline.optimizer.response_curve import ResponseCurve

OBJECTS = (1_000, 10_000, 100_000)
_DAYS = 90
_LAST = date(2026, 11, 20)
_HORIZON = 7

T = TypeVar("T")


def invented(count: int, seed: int = 1) -> AccountHistory:
    """An account of `count` campaigns with 90 days each: about $100 a day, six conversions."""
    chance = np.random.default_rng(seed)
    ref = np.exp(chance.normal(4.6, 0.5, count))[:, np.newaxis]
    elasticity = chance.uniform(0.4, 0.85, count)[:, np.newaxis]
    order = np.exp(chance.normal(3.7, 0.4, count))[:, np.newaxis]
    level = 0.06 * ref * np.exp(chance.normal(0, 0.4, count))[:, np.newaxis]
    swing = np.sin(np.arange(_DAYS) / chance.uniform(4, 10, (count, 1)))
    spend = np.round(ref * np.exp(0.3 * swing), 2)
    told = np.array([assumed(_DAYS - 1 - day) for day in range(_DAYS)])
    conversions = chance.poisson(level * (spend / ref) ** elasticity * told)
    ids = [f"{120_000_000_000_000 + place}" for place in range(count)]
    dates = pl.Series([_LAST - timedelta(days=_DAYS - 1 - day) for day in range(_DAYS)])
    days = pl.DataFrame(
        {
            "campaign_id": pl.Series(ids).gather(np.repeat(np.arange(count), _DAYS)),
            "date": dates.gather(np.tile(np.arange(_DAYS), count)),
            "impressions": np.full(count * _DAYS, 10_000),
            "clicks": np.full(count * _DAYS, 100),
            "spend": spend.ravel(),
            "conversions": conversions.ravel().astype(np.float64),
            "revenue": np.round(conversions * order, 2).ravel(),
            "maturity": np.tile(told, count),
            "budget_minor": np.round(100 * spend).ravel(),
        }
    )
    campaigns = pl.DataFrame(
        {
            "campaign_id": ids,
            "name": ids,
            "active": True,
            "current_minor": np.round(100 * spend[:, -1]),
            "floor_minor": None,
            "cap_minor": None,
            "locked": False,
            "group": None,
            "days_running": _DAYS,
            "last_change_day": None,
            "last_change": None,
            "committed_week_minor": 0,
        }
    )
    return AccountHistory(
        account_id="1",
        currency="USD",
        day=_LAST,
        campaigns=campaigns.select(pl.col(name).cast(kind) for name, kind in CAMPAIGNS.items()),
        days=days.select(pl.col(name).cast(kind) for name, kind in DAYS.items()),
        limits=Limits(total_minor=None, floor_minor=1_000),
    )


def measure(count: int) -> dict[str, float]:
    """CPU seconds of each step for an account of `count` campaigns, and their sum."""
    account = invented(count)
    seconds: dict[str, float] = {}

    def timed(name: str, work: Callable[[], T]) -> T:
        start = time.process_time()
        result = work()
        seconds[name] = time.process_time() - start
        return result

    curves = timed("fit", lambda: fit_curves(account.days, account.day))
    known = replace(account, curves=curves)
    policy = ResponseCurve()
    decisions = timed("decide", lambda: decided(policy, known))
    held = timed("hold", lambda: holds(known, decisions))
    shared = timed("allocate", lambda: allocate(known, decisions, shares_total=True, holds=held))
    rows = shared.rows.sort("campaign_id")
    now, new = (
        rows[name].fill_null(0).to_numpy() / account.offset
        for name in ("current_minor", "budget_minor")
    )
    since = account.day + timedelta(days=1)
    timed(
        "forecast",
        lambda: (
            forecast(curves, new, days=_HORIZON, since=since, current=now),
            gain(curves, now, new, days=_HORIZON),
        ),
    )
    return {**seconds, "all": sum(seconds.values())}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, nargs="+", default=list(OBJECTS))
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    measured = {count: measure(count) for count in given.objects}
    if given.json:
        print(json.dumps(measured, indent=2))
        return
    steps = next(iter(measured.values()))
    print("| campaigns | " + " | ".join(steps) + " |")
    print("|---" * (len(steps) + 1) + "|")
    for count, of in measured.items():
        print(f"| {count:,} | " + " | ".join(f"{each:.2f} s" for each in of.values()) + " |")


if __name__ == "__main__":
    main()
