"""Ad days as a replay for the sandbox: accounts of several sizes in one file, from a fixed seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from zyenta_ads_pipeline.domain.time import DateRange
from zyenta_ads_pipeline.sandbox.config import SandboxConfig
from zyenta_ads_pipeline.sandbox.process import SandboxHandle, run_sandbox

LAST_DAY = date(2026, 10, 31)
NOW = datetime(2026, 11, 3, 12, tzinfo=UTC)
_FIRST_DAY = LAST_DAY - timedelta(days=89)
_ADS_PER_ADSET = 4
_ADS_PER_CAMPAIGN = 20
_WITH_VALUE = ("purchase", "omni_purchase")
_UNLIMITED = 10**9


def account_of(ads: int) -> str:
    """The id of the account that has so many ads."""
    return f"{7_000_000_000 + ads}"


def last_days(number: int) -> DateRange:
    """The newest so many days of the replay; at most 90."""
    return DateRange(LAST_DAY - timedelta(days=number - 1), LAST_DAY)


@contextmanager
def shops(folder: Path, sizes: Sequence[int]) -> Iterator[SandboxHandle]:
    """A sandbox with an account of each size (in ads), 90 days long, that refuses no size.

    Rows are computed at once however many they are: whoever asks for all of them in one list
    gets them, which is the best case of a client that does not plan.
    """
    folder.mkdir(parents=True, exist_ok=True)
    replay = folder / "days.parquet"
    pl.concat([_ad_days(ads) for ads in sizes]).write_parquet(replay)
    config = SandboxConfig(
        state=folder / "state",
        port=0,
        replay=replay,
        start=NOW,
        frozen=True,
        ceiling=_UNLIMITED,
    )
    with run_sandbox(config) as sandbox:
        sandbox.plan_reports(
            limits={"sync_rows": _UNLIMITED, "sync_seconds": _UNLIMITED, "async_rows": _UNLIMITED}
        )
        yield sandbox


def rested(sandbox: SandboxHandle) -> None:
    """An hour later for the quotas, and calls counted anew: each client begins alike."""
    sandbox.throttle(advance_seconds=3600)
    sandbox.reset_calls()


def calls(sandbox: SandboxHandle) -> int:
    """Calls since `rested`, as Meta counts them."""
    return int(sandbox.calls()["calls"])


def _ad_days(ads: int) -> pl.DataFrame:
    """90 days of so many ads, each of which delivers on each day."""
    rng = np.random.default_rng(ads)
    rows = ads * 90
    place = np.arange(rows)
    ad, day = place % ads, place // ads
    impressions = rng.poisson(2_000, rows)
    clicks = rng.binomial(impressions, 0.02)
    cents = rng.integers(100, 20_000, rows)
    purchases = rng.binomial(clicks, 0.05)
    counts = {
        "link_click": rng.binomial(clicks, 0.8),
        "landing_page_view": rng.binomial(clicks, 0.6),
        "post_engagement": clicks + 3,
        "page_engagement": clicks + 5,
        "add_to_cart": rng.binomial(clicks, 0.2),
        "initiate_checkout": rng.binomial(clicks, 0.1),
        "purchase": purchases,
        "omni_purchase": purchases,
    }
    base = ads * 10**9
    frame = pl.DataFrame(
        {
            "date": [str(_FIRST_DAY + timedelta(days=n)) for n in day.tolist()],
            "account_id": f"act_{account_of(ads)}",
            "currency": "EUR",
            "timezone": "Europe/Berlin",
            "campaign_id": base + 1_000_000 + ad // _ADS_PER_CAMPAIGN,
            "campaign_name": "Campaign",
            "adset_id": base + 2_000_000 + ad // _ADS_PER_ADSET,
            "ad_id": base + 3_000_000 + ad,
            "impressions": impressions,
            "clicks": clicks,
            "spend": _money(cents),
            **{f"actions.{name}": count for name, count in counts.items()},
            **{f"action_values.{name}": _money(counts[name] * 2990) for name in _WITH_VALUE},
        }
    )
    absent = (
        pl.when(pl.col(f"actions.{name}") > 0)
        .then(pl.col(f"{kind}.{name}"))
        .alias(f"{kind}.{name}")
        for kind, names in (("action_values", _WITH_VALUE), ("actions", counts))
        for name in names
    )
    return frame.with_columns(*absent)


def _money(cents: NDArray[np.int64]) -> pl.Series:
    return pl.Series([f"{one // 100}.{one % 100:02}" for one in cents.tolist()])
