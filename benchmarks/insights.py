"""Reading insights through the product's client, against Meta's own SDK on the same sandbox."""

from __future__ import annotations

import asyncio
import csv
import warnings
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.measure import Comparison, compare
from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.time import DateRange
from zyenta_ads_pipeline.ingestion.normalising import raw_frame, raw_rows
from zyenta_ads_pipeline.platforms.meta.client import MetaClient
from zyenta_ads_pipeline.platforms.meta.platform import MetaAds
from zyenta_ads_pipeline.sandbox.config import SandboxConfig
from zyenta_ads_pipeline.sandbox.process import SandboxHandle, run_sandbox

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from facebook_business.adobjects.adaccount import AdAccount
    from facebook_business.api import FacebookAdsApi
    from facebook_business.session import FacebookSession

_ACCOUNT = "42"
_ADS = 100
_DAYS = DateRange(date(2026, 8, 1), date(2026, 10, 29))
_NOW = datetime(2026, 11, 3, 12, tzinfo=UTC)
_VERSION = "v26.0"
_PAGE = 500
_FIELDS = [
    *("account_id", "campaign_id", "adset_id", "ad_id", "date_start", "date_stop"),
    *("account_currency", "impressions", "clicks", "inline_link_clicks", "reach", "spend"),
    *("actions", "action_values"),
]
_COLUMNS = [
    *("date", "account_id", "currency", "timezone", "campaign_id", "campaign_name", "adset_id"),
    *("ad_id", "impressions", "clicks", "spend", "actions.purchase", "action_values.purchase"),
    "actions.landing_page_view",
]


def measure(folder: Path) -> Iterator[Comparison]:
    """`_ADS` ads over `_DAYS`, page by page, replayed from a file."""
    config = SandboxConfig(
        state=folder / "sandbox",
        port=0,
        replay=_ad_days(folder / "days.csv"),
        start=_NOW,
        frozen=True,
        ceiling=10**9,
    )
    with run_sandbox(config) as sandbox:
        yield _client(sandbox)


def _client(sandbox: SandboxHandle) -> Comparison:
    """CPU of this process alone: the server's time is the same for both."""
    account = AdAccount(f"act_{_ACCOUNT}", api=_sdk(sandbox))
    asked: dict[str, Any] = {
        "level": "ad",
        "time_increment": 1,
        "time_range": {"since": str(_DAYS.since), "until": str(_DAYS.until)},
        "limit": _PAGE,
    }

    def ours() -> pl.DataFrame:
        return asyncio.run(_read(sandbox))

    def theirs() -> list[Any]:
        return list(account.get_insights(fields=_FIELDS, params=asked))

    frame, rows = ours(), theirs()
    assert frame.height == len(rows) == _ADS * len(_DAYS)
    assert set(frame["spend"]) == {row["spend"] for row in rows}
    return compare(
        f"read {frame.height:,} ad days in pages of {_PAGE} and normalise them: keys, numbers "
        "and days checked, one typed frame",
        "facebook-business reads the same rows into its objects",
        ours,
        theirs,
        clock="CPU",
        units=frame.height,
    )


async def _read(sandbox: SandboxHandle) -> pl.DataFrame:
    client = MetaClient(base_url=sandbox.url, version=_VERSION, token=sandbox.config.token)
    rows: list[dict[str, Any]] = []
    async with MetaAds(client) as platform:
        account = await platform.account(_ACCOUNT)
        async for page in platform.insights(_ACCOUNT, Level.AD, _DAYS):
            rows += raw_rows(page, account, "benchmark")
    return raw_frame(rows, _ACCOUNT)


def _sdk(sandbox: SandboxHandle) -> FacebookAdsApi:
    session = type("Session", (FacebookSession,), {"GRAPH": sandbox.url})
    return FacebookAdsApi(session("1", "app-secret", sandbox.config.token, timeout=60))


def _ad_days(path: Path) -> Path:
    """A replay file; see docs/sandbox.md."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            [
                "date",
                "account_id",
                "currency",
                "timezone",
                "campaign_id",
                "campaign_name",
                "adset_id",
                "ad_id",
                "impressions",
                "clicks",
                "spend",
                "actions.purchase",
                "action_values.purchase",
                "actions.landing_page_view",
            ]
        )
        for number in range(len(_DAYS)):
            day = _DAYS.since + timedelta(days=number)
            for ad in range(_ADS):
                cents = (number * 131 + ad * 17) % 9000 + 100
                writer.writerow(
                    [
                        *(day, f"act_{_ACCOUNT}", "EUR", "Europe/Berlin"),
                        *(100 + ad // 10, f"Campaign {ad // 10}", 1000 + ad // 5, 10_000 + ad),
                        *(cents * 3, cents // 20, f"{cents / 100:.2f}"),
                        *(cents % 4 or "", f"{cents % 4 * 29.9:.2f}" if cents % 4 else ""),
                        cents // 30 or "",
                    ]
                )
    return path
