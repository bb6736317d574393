"""Upkeep joins files and sums up logs; what readers see stays the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from deltalake import DeltaTable

from tests.lake.frames import ads, day, frame
from zyenta_ads_pipeline.lake.lake import Lake, Scope
from zyenta_ads_pipeline.lake.tables import AD_METRICS, EXCHANGE_RATES
from zyenta_ads_pipeline.lake.upkeep import Upkeep, tend

ACCOUNTS = ["1", "2", "3", "4", "5"]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(str(tmp_path / "my lake"))
    for n, account in enumerate(ACCOUNTS):
        rows = ads([day(0), day(1)], [account], clicks=n)
        lake.write(AD_METRICS, rows, Scope([account], [day(0), day(1)]))
    return lake


def test_settled_days_become_one_file_and_read_the_same(lake: Lake) -> None:
    before = lake.snapshot()
    rows = before.scan(AD_METRICS).sort(AD_METRICS.key).collect()
    done = tend(lake, AD_METRICS, settled_before=day(1))
    assert done == Upkeep("ad_metrics", joined=5, became=1, removed=0)
    after = lake.snapshot()
    assert after.scan(AD_METRICS).sort(AD_METRICS.key).collect().equals(rows)
    assert len(DeltaTable(lake.uri("ad_metrics")).file_uris()) == 6  # yesterday is left alone
    assert before.scan(AD_METRICS).sort(AD_METRICS.key).collect().equals(rows)
    assert list(Path(lake.uri("ad_metrics"), "_delta_log").glob("*.checkpoint.parquet"))
    assert tend(lake, AD_METRICS, settled_before=day(1)).joined == 0
    result = lake.write(AD_METRICS, ads([day(0)], ["1"], clicks=0), Scope(["1"], [day(0)]))
    assert not result.changed


def test_a_table_without_days_is_joined_whole(lake: Lake) -> None:
    for n in range(5):
        row = {"date": day(n), "currency": "USD", "reporting_currency": "EUR"}
        lake.append(EXCHANGE_RATES, frame(EXCHANGE_RATES, [row]))
    done = tend(lake, EXCHANGE_RATES, settled_before=day(0))
    assert (done.joined, done.became) == (5, 1)
    assert lake.snapshot().scan(EXCHANGE_RATES).collect().height == 5


def test_a_table_that_was_never_written_needs_none(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path))
    assert tend(lake, AD_METRICS, settled_before=day(9)) == Upkeep("ad_metrics", 0, 0, 0)
    assert not Path(lake.uri("ad_metrics")).exists()
