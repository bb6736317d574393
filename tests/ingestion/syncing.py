"""A home to sync into, and an account whose truth is known: what the tests of ingestion share."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import httpx
import polars as pl

from tests.sandboxes import run_sandbox
from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.time import DateRange, parse_tiers
from zyenta_ads_pipeline.ingestion.account_sync import Synced, SyncPlace
from zyenta_ads_pipeline.ingestion.insights import sync_account
from zyenta_ads_pipeline.ingestion.report_jobs import Clock, Deadline
from zyenta_ads_pipeline.lake.archive import RawArchive
from zyenta_ads_pipeline.lake.lake import Lake
from zyenta_ads_pipeline.lake.tables import RAW_INSIGHTS
from zyenta_ads_pipeline.platforms.meta.client import MetaClient
from zyenta_ads_pipeline.platforms.meta.platform import MetaAds
from zyenta_ads_pipeline.sandbox.config import SandboxConfig
from zyenta_ads_pipeline.sandbox.process import SandboxHandle
from zyenta_ads_pipeline.store.database import open_store
from zyenta_ads_pipeline.store.ledger import ReportLedger

TOKEN = "EAAGingestSECRET0123456789"
TIERS = parse_tiers("2d/1h,3d/6h,7d/24h,28d/168h")
ACCOUNT = "42"
T = TypeVar("T")


def days(first: str, last: str) -> DateRange:
    return DateRange.parse(first, last)


@dataclass
class Home:
    """A lake, an archive and a ledger in one folder."""

    folder: Path
    place: SyncPlace

    def run(self, name: str) -> SyncPlace:
        """The place as the run of that name uses it."""
        return replace(self.place, run_id=name, writing=asyncio.Lock())

    def rows(self, level: Level = Level.AD) -> pl.DataFrame:
        """What is stored of one level."""
        scanned = self.place.lake.snapshot().scan(RAW_INSIGHTS)
        return scanned.filter(pl.col("level") == level.value).collect()

    def spend(self, level: Level = Level.AD) -> Decimal:
        """The spend stored of one level."""
        return sum(map(Decimal, self.rows(level)["spend"].drop_nulls()), Decimal(0))


@contextmanager
def home(folder: Path, **changes: Any) -> Iterator[Home]:
    """A fresh home, or the one that lies in `folder` already; `changes` are of its place."""
    folder.mkdir(parents=True, exist_ok=True)
    store = open_store(f"sqlite:///{folder / 'store.db'}")
    place = SyncPlace(
        lake=Lake(str(folder / "lake")),
        archive=RawArchive(folder / "raw"),
        ledger=ReportLedger(store),
        run_id="run",
        deadline=Deadline.after(120),
        tiers=TIERS,
    )
    try:
        yield Home(folder, replace(place, **changes))
    finally:
        store.close()


def with_meta(sandbox: SandboxHandle, call: Callable[[MetaAds], Awaitable[T]]) -> T:
    """Run a coroutine function with a platform that talks to the sandbox."""

    async def run() -> T:
        client = MetaClient(
            base_url=sandbox.url, version="v26.0", token=sandbox.config.token, max_wait=2
        )
        async with MetaAds(client) as meta:
            return await call(meta)

    return asyncio.run(run())


def sync(
    sandbox: SandboxHandle,
    home: Home,
    days: DateRange,
    *,
    account: str = ACCOUNT,
    name: str = "run",
    **how: Any,
) -> Synced:
    """One sync of an account into the home."""
    place = home.run(name)
    return with_meta(sandbox, lambda meta: sync_account(place, meta, account, days, **how))


def graph(sandbox: SandboxHandle) -> httpx.Client:
    """A plain HTTP client, for what the product does not do."""
    token = sandbox.config.token
    return httpx.Client(
        base_url=f"{sandbox.url}/v26.0/", headers={"Authorization": f"Bearer {token}"}
    )


def shop_csv(path: Path, ads: int, first: date, number_of_days: int) -> Decimal:
    """A replay of `ads` ads of two campaigns and three ad sets; gives the whole spend."""
    head = (
        "date,account_id,currency,timezone,campaign_id,campaign_name,adset_id,ad_id,"
        "impressions,clicks,spend,actions.purchase,action_values.purchase"
    )
    lines, total = [head], Decimal(0)
    for n in range(number_of_days):
        day = first + timedelta(days=n)
        for ad in range(ads):
            spend = Decimal(1000 + 37 * ad + 11 * n).scaleb(-2)
            total += spend
            lines.append(
                f"{day},act_{ACCOUNT},USD,America/New_York,{11 + ad % 2},Campaign {ad % 2},"
                f"{21 + ad % 3 * 10 + ad % 2},{3100 + ad},{1000 + ad},{10 + ad % 7},{spend},"
                f"{ad % 3},{ad % 3 * 20}.50"
            )
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return total


@contextmanager
def shop(
    folder: Path,
    *,
    ads: int = 8,
    first: str = "2026-11-16",
    number_of_days: int = 7,
    running: bool = False,
    **config: Any,
) -> Iterator[tuple[SandboxHandle, Decimal]]:
    """A sandbox that replays such a shop, on the day after its last, or on its last (`running`);
    and the whole spend."""
    folder.mkdir(parents=True, exist_ok=True)
    begin = date.fromisoformat(first)
    total = shop_csv(folder / "days.csv", ads, begin, number_of_days)
    today = begin + timedelta(days=number_of_days - running)
    start = datetime.combine(today, time(18), UTC)
    made = SandboxConfig(
        state=folder / "state",
        port=0,
        token=TOKEN,
        replay=folder / "days.csv",
        start=start,
        frozen=True,
        **config,
    )
    with run_sandbox(made) as sandbox:
        yield sandbox, total


@dataclass
class VirtualTime:
    """Time that passes only when it is slept: the sandbox's clock goes along, so that a report
    of two minutes is waited for in no time. `slept` counts the seconds."""

    sandbox: SandboxHandle
    slept: float = 0.0

    def clock(self) -> Clock:
        """What a home is given in place of this machine's time."""
        return Clock(now=self.now, sleep=self.sleep)

    def now(self) -> datetime:
        return datetime(2026, 11, 23, tzinfo=UTC) + timedelta(seconds=self.slept)

    async def sleep(self, seconds: float) -> None:
        """Those who sleep at the same time sleep it together."""
        until = self.slept + seconds
        await asyncio.sleep(0.02)
        if until > self.slept:
            self.sandbox.advance(hours=(until - self.slept) / 3600)
            self.slept = until


def keys(rows: pl.DataFrame) -> Sequence[tuple[Any, ...]]:
    """The keys of stored rows."""
    return rows.select(RAW_INSIGHTS.key).rows()
