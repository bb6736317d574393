"""Appending adds each key once: after a crash, and in two threads at once."""

from __future__ import annotations

import threading
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable

from tests.lake.frames import DAY, SEEN, day, frame
from zyenta_ads_pipeline.domain.errors import StorageError
from zyenta_ads_pipeline.lake.lake import Lake
from zyenta_ads_pipeline.lake.tables import EXCHANGE_RATES, INSIGHT_RESTATEMENTS


def versions(*ads: str, account: str = "1") -> pl.DataFrame:
    return frame(
        INSIGHT_RESTATEMENTS,
        (
            {
                "date": DAY, "account_id": account, "level": "ad", "object_id": ad,
                "observed_at": SEEN, "clicks": "1",
            }
            for ad in ads
        ),
    )  # fmt: skip


def ids(lake: Lake) -> list[str]:
    return sorted(lake.snapshot().scan(INSIGHT_RESTATEMENTS).collect()["object_id"].to_list())


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"))


def test_rows_that_are_there_are_left_out(lake: Lake) -> None:
    first = lake.append(INSIGHT_RESTATEMENTS, versions("1", "2"), run_id="a")
    assert (first.rows, first.changed) == (2, True)
    second = lake.append(INSIGHT_RESTATEMENTS, versions("2", "3"), run_id="b")
    assert (second.rows, second.changed) == (1, True)
    again = lake.append(INSIGHT_RESTATEMENTS, versions("1", "2", "3"), run_id="c")
    assert (again.rows, again.changed, again.version) == (0, False, second.version)
    assert ids(lake) == ["1", "2", "3"]
    assert lake.append(INSIGHT_RESTATEMENTS, versions("1", account="2")).rows == 1


def test_nothing_is_appended_to_no_effect(lake: Lake) -> None:
    assert not lake.append(INSIGHT_RESTATEMENTS, versions()).changed
    with pytest.raises(StorageError, match="share their key"):
        lake.append(INSIGHT_RESTATEMENTS, versions("1", "1"))


def test_a_table_without_accounts_is_appended_to_as_well(lake: Lake) -> None:
    rates = frame(
        EXCHANGE_RATES,
        [{"date": day(n), "currency": "USD", "reporting_currency": "EUR"} for n in range(3)],
    )
    assert lake.append(EXCHANGE_RATES, rates.head(2)).rows == 2
    assert lake.append(EXCHANGE_RATES, rates).rows == 1


def test_threads_that_append_the_same_at_once_double_nothing(lake: Lake) -> None:
    wanted = [str(n) for n in range(20)]
    threads = [
        threading.Thread(target=lake.append, args=(INSIGHT_RESTATEMENTS, versions(*wanted[n:])))
        for n in (0, 0, 5, 10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ids(lake) == sorted(wanted)
    assert DeltaTable(lake.uri(INSIGHT_RESTATEMENTS.name)).version() >= 1
