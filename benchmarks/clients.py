"""The clients that are compared: our reader and sync, Meta's own SDK, and the least one can do."""

from __future__ import annotations

import asyncio
import importlib
import itertools
import json
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import polars as pl

from benchmarks.measure import Cost
from benchmarks.shop import calls, rested
from tests.ingestion.syncing import home
from zyenta_ads_pipeline.domain.ads import AdAccount, Level
from zyenta_ads_pipeline.domain.insights import Report
from zyenta_ads_pipeline.domain.time import DateRange
from zyenta_ads_pipeline.ingestion.account_sync import SyncPlace
from zyenta_ads_pipeline.ingestion.insights import sync_account
from zyenta_ads_pipeline.ingestion.normalising import normalised
from zyenta_ads_pipeline.ingestion.planner import days_per_piece, pieces
from zyenta_ads_pipeline.ingestion.report_jobs import Deadline
from zyenta_ads_pipeline.ingestion.reports import ReportReader
from zyenta_ads_pipeline.lake.lake import Scope
from zyenta_ads_pipeline.lake.versions import store_versions
from zyenta_ads_pipeline.platforms.meta.client import MetaClient
from zyenta_ads_pipeline.platforms.meta.platform import MetaAds
from zyenta_ads_pipeline.platforms.meta.reports import params_of
from zyenta_ads_pipeline.sandbox.process import SandboxHandle

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from facebook_business.adobjects.adaccount import AdAccount as SdkAccount
    from facebook_business.api import FacebookAdsApi
    from facebook_business.session import FacebookSession

VERSION = "v26.0"
_TIMEOUT = 600


class Product:
    """The product's client, its connection open: a process opens one for all it does.

    Each turn has a fresh home; making it is no part of the turn.
    """

    def __init__(self, sandbox: SandboxHandle, folder: Path, runner: asyncio.Runner) -> None:
        self._sandbox = sandbox
        self._homes = (folder / f"home{number}" for number in itertools.count())
        self._runner = runner
        self.meta = MetaAds(
            MetaClient(base_url=sandbox.url, version=VERSION, token=sandbox.config.token)
        )

    def read(self, account_id: str, days: DateRange) -> Cost:
        """Ad rows as typed frames; the account is looked up before."""
        with self._home() as place:
            return self._timed(account_id, partial(self._pieces, place, days, store=False))

    def read_and_store(self, account_id: str, days: DateRange) -> Cost:
        """The same, and into the lake with its history."""
        with self._home() as place:
            return self._timed(account_id, partial(self._pieces, place, days, store=True))

    def sync(self, account_id: str, days: DateRange) -> Cost:
        """The whole sync: four levels, looked up, proved, stored."""
        with self._home() as place:
            return self._sync(place, account_id, days)

    def sync_again(self, account_id: str, days: DateRange) -> Cost:
        """The third sync of days that did not change."""
        with self._home() as place:
            self._sync(place, account_id, days)
            self._sync(place, account_id, days)
            return self._sync(place, account_id, days)

    @contextmanager
    def _home(self) -> Iterator[SyncPlace]:
        with home(next(self._homes), deadline=Deadline()) as made:
            yield made.run("run")

    def _sync(self, place: SyncPlace, account_id: str, days: DateRange) -> Cost:
        rested(self._sandbox)
        start = time.process_time()
        synced = self._runner.run(sync_account(place, self.meta, account_id, days))
        seconds = time.process_time() - start
        assert not synced.gaps
        return Cost(seconds, calls(self._sandbox), synced.rows)

    def _timed(self, account_id: str, read: Callable[[AdAccount], Any]) -> Cost:
        account = self._runner.run(self.meta.account(account_id))
        rested(self._sandbox)
        start = time.process_time()
        rows = self._runner.run(read(account))
        return Cost(time.process_time() - start, calls(self._sandbox), rows)

    async def _pieces(
        self, place: SyncPlace, days: DateRange, account: AdAccount, *, store: bool
    ) -> int:
        """The ad level of a sync: piece by piece, so that memory is bounded."""
        reader = ReportReader(
            self.meta,
            place.ledger,
            place.archive,
            now=account.observed_at,
            deadline=place.deadline,
            known_ids=lambda _: (),
            patience=place.patience,
            clock=place.clock,
        )
        rows = 0

        def length(left: DateRange) -> int:
            report = Report(account.id, Level.AD, left)
            return days_per_piece(report, reader.model(report), place.most_rows)

        for piece in pieces(days, length):
            report = Report(account.id, Level.AD, piece)
            read = await reader.read(report)
            frame = normalised(read.rows, report, account, place.run_id)
            if store:
                store_versions(
                    place.lake,
                    frame,
                    Scope([account.id], list(piece.days())),
                    run_id=place.run_id,
                    observed_at=account.observed_at,
                )
            reader.settle(read, place.run_id)
            rows += frame.height
        return rows


@contextmanager
def product(sandbox: SandboxHandle, folder: Path) -> Iterator[Product]:
    """The product's client on a sandbox."""
    with asyncio.Runner() as runner:
        made = Product(sandbox, folder, runner)
        runner.run(made.meta.__aenter__())
        try:
            yield made
        finally:
            runner.run(made.meta.__aexit__(None, None, None))


def sdk(sandbox: SandboxHandle, account_id: str, days: DateRange, limit: int) -> Cost:
    """Meta's SDK iterates the same rows; none is kept, which is the best case for it."""
    session = type("Session", (FacebookSession,), {"GRAPH": sandbox.url})
    api = FacebookAdsApi(session("1", "app-secret", sandbox.config.token, timeout=_TIMEOUT))
    account = SdkAccount(f"act_{account_id}", api=api)
    params = _asked(account_id, days)
    fields = params.pop("fields").split(",")
    rested(sandbox)
    start = time.process_time()
    rows = sum(1 for _ in account.get_insights(fields=fields, params=params | {"limit": limit}))
    return Cost(time.process_time() - start, calls(sandbox), rows)


def least(sandbox: SandboxHandle, account_id: str, days: DateRange, path: Path, limit: int) -> Cost:
    """Fetch the same bytes, decode them, write one Parquet file: nothing else."""
    loads = decoder()
    asked = {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in _asked(account_id, days).items()
    }
    headers = {"Authorization": f"Bearer {sandbox.config.token}"}
    frames: list[pl.DataFrame] = []
    with httpx.Client(base_url=sandbox.url, headers=headers, timeout=_TIMEOUT) as client:
        rested(sandbox)
        start = time.process_time()
        params = asked | {"limit": str(limit)}
        while True:
            reply = client.get(f"/{VERSION}/act_{account_id}/insights", params=params)
            body = loads(reply.content)
            frames.append(pl.DataFrame(body["data"]))
            if "next" not in body["paging"]:
                break
            params["after"] = body["paging"]["cursors"]["after"]
        rows = pl.concat(frames, how="diagonal_relaxed")
        rows.write_parquet(path, compression="zstd")
        return Cost(time.process_time() - start, calls(sandbox), rows.height)


def decoder() -> Callable[[bytes], Any]:
    """orjson where it is installed, else the standard library's JSON."""
    loads: Callable[[bytes], Any]
    try:
        loads = importlib.import_module("orjson").loads
    except ModuleNotFoundError:
        loads = json.loads
    return loads


def _asked(account_id: str, days: DateRange) -> dict[str, Any]:
    """What our own client sends, so that all get the same rows."""
    return params_of(Report(account_id, Level.AD, days))
