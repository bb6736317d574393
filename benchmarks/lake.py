"""The lake against one plain Parquet file of the same rows."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks.measure import Comparison, compare
from zyenta_ads_pipeline.lake.lake import Lake, Scope
from zyenta_ads_pipeline.lake.rows import aligned
from zyenta_ads_pipeline.lake.schema import MONEY
from zyenta_ads_pipeline.lake.tables import AD_METRICS
from zyenta_ads_pipeline.metrics.definitions import with_ratios

_ACCOUNT = "1001"
_DAYS = 28
_ROWS = 200_000
_ADS_PER_CAMPAIGN = 20


def measure(folder: Path) -> Iterator[Comparison]:
    """Writing and reading `_ROWS` ad days."""
    frame = _ad_days()
    yield _first_load(frame, folder)
    yield _same_again(frame, folder)
    yield _roas(frame, folder)


def _first_load(frame: pl.DataFrame, folder: Path) -> Comparison:
    """A fresh table each turn: created, checked, committed, flushed."""
    number = itertools.count()

    def ours() -> None:
        result = Lake(str(folder / f"lake{next(number)}")).write(AD_METRICS, frame, _scope(frame))
        assert result.changed

    return compare(
        f"load {frame.height:,} ad days into the lake: keys checked, {_DAYS} day partitions, "
        "one commit, flushed",
        "Polars writes one Parquet file, flushed",
        ours,
        lambda: _write_plain(frame, folder / "plain.parquet"),
        clock="wall",
        units=frame.height,
    )


def _same_again(frame: pl.DataFrame, folder: Path) -> Comparison:
    """What an hourly sync mostly meets: the numbers are stored already."""
    lake = Lake(str(folder / "again"))
    lake.write(AD_METRICS, frame, _scope(frame))

    def ours() -> None:
        assert not lake.write(AD_METRICS, frame, _scope(frame)).changed

    return compare(
        f"load the same {frame.height:,} ad days again: recognised, nothing written",
        "Polars writes one Parquet file, flushed",
        ours,
        lambda: _write_plain(frame, folder / "plain.parquet"),
        clock="wall",
        units=frame.height,
    )


def _roas(frame: pl.DataFrame, folder: Path) -> Comparison:
    """The question the product is asked most, over all days."""
    lake = Lake(str(folder / "again"))
    plain = folder / "roas.parquet"
    _write_plain(frame, plain)
    peer_sql = (
        "SELECT campaign_id, CAST(sum(purchase_value) AS DOUBLE) / CAST(sum(spend) AS DOUBLE) "
        f"AS roas FROM read_parquet('{plain}') GROUP BY campaign_id ORDER BY campaign_id"
    )

    def ours() -> pl.DataFrame:
        return lake.snapshot().query(
            "SELECT campaign_id, roas(sum(purchase_value), sum(spend)) AS roas "
            "FROM ad_metrics GROUP BY campaign_id ORDER BY campaign_id"
        )

    def theirs() -> pl.DataFrame:
        with duckdb.connect() as connection:
            return pl.DataFrame(connection.sql(peer_sql))

    assert ours().equals(theirs())
    return compare(
        f"ROAS per campaign over {frame.height:,} ad days in the lake, snapshot opened each time",
        "DuckDB over one Parquet file",
        ours,
        theirs,
        clock="CPU",
        units=frame.height,
        turns=9,
    )


def _scope(frame: pl.DataFrame) -> Scope:
    return Scope([_ACCOUNT], frame["date"].unique().to_list())


def _write_plain(frame: pl.DataFrame, path: Path) -> None:
    frame.write_parquet(path, compression="zstd")
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _ad_days() -> pl.DataFrame:
    """`_ROWS` rows of `ad_metrics`, drawn from a fixed seed."""
    rng = np.random.default_rng(7)
    ads = -(-_ROWS // _DAYS)
    place = np.arange(_ROWS)
    ad = place % ads
    impressions = rng.poisson(2000, _ROWS)
    clicks = rng.binomial(impressions, 0.015)
    purchases = rng.binomial(clicks, 0.03)
    first = date(2026, 10, 1)
    frame = pl.DataFrame(
        {
            "date": [first + timedelta(days=int(day)) for day in place // ads],
            "account_id": [_ACCOUNT] * _ROWS,
            "campaign_id": [f"{10_000 + one // _ADS_PER_CAMPAIGN}" for one in ad],
            "adset_id": [f"{20_000 + one // 4}" for one in ad],
            "ad_id": [f"{30_000 + one}" for one in ad],
            "currency": ["EUR"] * _ROWS,
            "impressions": impressions,
            "clicks": clicks,
            "link_clicks": rng.binomial(clicks, 0.8),
            "reach": rng.binomial(impressions, 0.9),
            "spend": _cents(clicks * rng.integers(20, 90, _ROWS)),
            "purchases": purchases,
            "purchase_value": _cents(purchases * rng.integers(1500, 9000, _ROWS)),
            "leads": np.zeros(_ROWS, dtype=np.int64),
            "maturity": rng.integers(0, 29, _ROWS) / 28,
            "observed_at": [datetime(2026, 11, 1, tzinfo=UTC)] * _ROWS,
        }
    )
    forecast = (
        pl.col(name).alias(f"{name}_{part}")
        for name in ("purchases", "purchase_value")
        for part in ("expected", "low", "high")
    )
    return aligned(with_ratios(frame.with_columns(forecast)), AD_METRICS)


def _cents(minor: NDArray[np.int64]) -> pl.Series:
    """Whole cents as exact money."""
    return pl.Series(minor).cast(MONEY) / 100
