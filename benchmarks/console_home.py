"""Homes full of campaigns, and an empty server: what the console is measured on, and against."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import polars as pl
from sqlalchemy import insert
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from tests.browser.world import told
from tests.campaigns.budget_lake import rows
from tests.store.campaign_samples import shop
from zyenta_ads_pipeline.domain.campaign import BudgetLevel, CampaignObjective, CampaignStatus
from zyenta_ads_pipeline.lake.lake import Lake, Scope
from zyenta_ads_pipeline.lake.tables import AD_ACCOUNTS, CAMPAIGN_METRICS
from zyenta_ads_pipeline.store.campaign_models import CampaignRow
from zyenta_ads_pipeline.store.database import open_store
from zyenta_ads_pipeline.store.shops import Shops

ACCOUNT = "101"
_DAYS = 16
_LAST = datetime(2026, 11, 20, 12, tzinfo=UTC)
_WORDS = ("Winter sale", "Trail running", "Prospecting", "Retargeting", "New arrivals", "Bundles")
_START_SECONDS = 60.0


def fill(home: Path, campaigns: int) -> None:
    """A home with so many campaigns, each with sixteen days of delivery."""
    home.mkdir(parents=True)
    chance = random.Random(campaigns)  # noqa: S311 - no secret
    with closing(open_store(f"sqlite:///{home.absolute() / 'store.db'}")) as store:
        Shops(store).add(shop(currency="USD"))
        with store.write() as transaction:
            made = [_campaign(chance, number) for number in range(campaigns)]
            transaction.execute(insert(CampaignRow), made)
    lake = Lake(str(home / "lake"))
    account = {
        "account_id": ACCOUNT, "currency": "USD", "timezone": "America/New_York",
        "account_status": 1, "min_daily_budget": 100, "observed_at": _LAST, "run_id": "run",
        "purchase_type": "omni_purchase", "name": "Lumen ads",
    }  # fmt: skip
    lake.write(AD_ACCOUNTS, rows(AD_ACCOUNTS, account), Scope([ACCOUNT]))
    days = [_LAST.date() - timedelta(days=n) for n in range(_DAYS)]
    lake.write(CAMPAIGN_METRICS, _delivery(campaigns, days), Scope([ACCOUNT], days))


def _campaign(chance: random.Random, number: int) -> dict[str, Any]:
    spent, revenue = chance.randint(0, 500_000), chance.randint(0, 1_200_000)
    seen = chance.randint(0, 10**6)
    return {
        "id": f"{chance.getrandbits(128):032x}",
        "store_id": "shop",
        "platform": "meta",
        "account_id": ACCOUNT,
        "platform_campaign_id": str(120_000_000 + number),
        "request_id": None,
        "adopted": False,
        "name": f"{chance.choice(_WORDS)} | {chance.choice(_WORDS)} {number}",
        "objective": chance.choice(list(CampaignObjective)),
        "status": chance.choice(list(CampaignStatus)),
        "status_reason": "Asked for by eva.",
        "currency": "USD",
        "daily_budget_minor": chance.randint(10, 500) * 100,
        "total_budget_minor": None,
        "budget_level": BudgetLevel.ADSET,
        "start_date": _LAST - timedelta(days=20),
        "end_date": None,
        "targeting": {"geo_locations": {"countries": ["US"]}, "age_min": 18},
        "auto_optimize": True,
        "spent_minor": spent,
        "impressions": seen,
        "clicks": seen // 50,
        "conversions": seen // 1500,
        "revenue_minor": revenue,
        "cpc": Decimal("0.3512"),
        "cpm": Decimal("7.2"),
        "ctr": Decimal("0.02"),
        "roas": Decimal(revenue) / spent if spent else None,
        "last_optimized_at": None,
        "synced_at": _LAST,
        "created_at": _LAST - timedelta(days=20, seconds=number),
        "updated_at": _LAST,
    }


def _delivery(campaigns: int, days: list[Any]) -> pl.DataFrame:
    """Spend and value of every campaign and day, with no two alike."""
    number = pl.DataFrame({"number": range(campaigns)})
    day = pl.DataFrame({"date": days}, schema={"date": pl.Date})
    wave = ((pl.col("number") * 37 + pl.col("date").dt.ordinal_day() * 11) % 97).cast(pl.Float64)
    known = number.join(day, how="cross").with_columns(
        account_id=pl.lit(ACCOUNT),
        campaign_id=(pl.col("number") + 120_000_000).cast(pl.String),
        currency=pl.lit("USD"),
        impressions=pl.lit(1000),
        clicks=pl.lit(50),
        spend=20 + wave,
        purchase_value=pl.lit(60.0) + (wave * 7) % 83,
        purchases=pl.lit(1),
        maturity=pl.lit(1.0),
        observed_at=pl.lit(_LAST),
    )
    types = CAMPAIGN_METRICS.schema
    return known.select(
        (pl.col(name) if name in known.columns else pl.lit(None)).cast(kind).alias(name)
        for name, kind in types.items()
    )


async def _empty(_request: Request) -> HTMLResponse:
    return HTMLResponse('<!doctype html><title>Empty</title><link rel="icon" href="data:,">')


app = Starlette(routes=[Route("/", _empty)])
"""What a request costs at least: the same server with nothing to say."""


@contextmanager
def empty_server() -> Iterator[tuple[str, int]]:
    """Serve it as a process of its own; gives its address and process id."""
    with _serving("uvicorn", "--no-access-log", "--log-level", "critical", f"{__name__}:app") as it:
        yield it


@contextmanager
def console_server(settings: Mapping[str, str], folder: Path) -> Iterator[tuple[str, int]]:
    """Serve the console likewise, with these settings of ours and no others, in `folder`. Started
    as anybody starts it: a process that is forked, as in the tests, carries more about."""
    with told(settings, folder), _serving("zyenta_ads_pipeline", "console") as it:
        yield it


@contextmanager
def _serving(module: str, *options: str) -> Iterator[tuple[str, int]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", module, *options, "--port", str(port)]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        _wait(port, process)
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        process.terminate()
        process.wait()


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/")
            connection.getresponse().read()
        except (OSError, HTTPException):
            if time.monotonic() > deadline or process.poll() is not None:
                raise
            time.sleep(0.05)
        else:
            return
        finally:
            connection.close()


def cpu_seconds(pid: int) -> float:
    """What a process has used so far, user and system, with all its threads."""
    stat = Path(f"/proc/{pid}/stat")
    if stat.exists():
        user, system = stat.read_text(encoding="ascii").rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
    told = subprocess.run(  # a Mac
        ["ps", "-o", "time=", "-p", str(pid)],  # noqa: S607
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    seconds = 0.0
    for part in told.strip().split(":"):
        seconds = seconds * 60 + float(part)
    return seconds
