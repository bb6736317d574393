"""At which ages days were read is kept, also where nothing had changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from tests.lake.frames import DAY, day, frame
from zyenta_ads_pipeline.ingestion import reads
from zyenta_ads_pipeline.lake.lake import Lake
from zyenta_ads_pipeline.lake.tables import INSIGHT_READINGS, INSIGHT_READS

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"))


def store(
    lake: Lake,
    days: Sequence[date],
    hours: int,
    *,
    account: str = "1",
    stream: str = reads.STREAM,
    whole: bool = True,
) -> None:
    """Read these days so many hours after the noon of the first."""
    at = NOON + timedelta(hours=hours)
    rows = (
        {
            "date": each, "account_id": account, "stream": stream, "read_at": at,
            "whole_at": at if whole else None, "age_days": (at.date() - each).days,
        }
        for each in days
    )  # fmt: skip
    reads.store(lake, account, stream, frame(INSIGHT_READS, rows), days)


def ages(lake: Lake, account: str = "1") -> list[tuple[date, int, datetime]]:
    found = lake.snapshot().scan(INSIGHT_READINGS).filter(account_id=account)
    return found.sort("date", "age_days").select("date", "age_days", "read_at").collect().rows()


def version(lake: Lake) -> int:
    return lake.snapshot().versions[INSIGHT_READINGS.name]


def test_each_age_is_kept_once_and_costs_one_commit(lake: Lake) -> None:
    store(lake, [DAY], 0)
    first = version(lake)
    store(lake, [DAY], 3)  # the same age
    assert version(lake) == first
    store(lake, [DAY, day(1)], 30)
    store(lake, [DAY, day(1)], 31)
    assert version(lake) == first + 1
    store(lake, [DAY], 24 * 6)
    assert ages(lake) == [
        (DAY, 0, NOON),
        (DAY, 1, NOON + timedelta(hours=30)),
        (DAY, 6, NOON + timedelta(hours=24 * 6)),
        (day(1), 0, NOON + timedelta(hours=30)),
    ]


def test_what_is_not_a_reading_of_whole_days_is_not_kept(lake: Lake) -> None:
    store(lake, [DAY], 0, stream="by_hour")
    store(lake, [DAY], 0, whole=False)  # about to be replaced
    store(lake, [], 0)
    assert ages(lake) == []


def test_accounts_leave_each_other_alone(lake: Lake) -> None:
    store(lake, [DAY], 0, account="1")
    store(lake, [DAY], 30, account="2")
    assert [age for _, age, _ in ages(lake, "1")] == [0]
    assert [age for _, age, _ in ages(lake, "2")] == [1]
