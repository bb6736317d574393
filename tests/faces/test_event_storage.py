"""Dagster's events in SQLite: a batch of them is stored whole, in one transaction a file."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import cast

import dagster as dg
import pytest
from dagster._core.events import DagsterEvent, DagsterEventType, StepMaterializationData
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log.base import EventLogStorage
from sqlalchemy import event
from sqlalchemy.engine import Engine

from zyenta_ads_pipeline.instance import _SqliteStorage

KEY = dg.AssetKey("ad_metrics")


@pytest.fixture
def storage(tmp_path: Path) -> EventLogStorage:
    return _SqliteStorage(str(tmp_path)).event_log_storage


def materialised(run_id: str, days: Sequence[str]) -> list[EventLogEntry]:
    """One event a day."""
    return [
        EventLogEntry(  # type: ignore[no-untyped-call]
            error_info=None,
            level=10,
            user_message="",
            run_id=run_id,
            timestamp=time.time(),
            dagster_event=DagsterEvent(
                DagsterEventType.ASSET_MATERIALIZATION.value,
                "hourly",
                event_specific_data=StepMaterializationData(
                    dg.AssetMaterialization(KEY, partition=day)
                ),
            ),
        )
        for day in days
    ]


def days_of(storage: EventLogStorage, run_id: str) -> list[str | None]:
    """Of the run's own file, in the order of the events."""
    records = storage.get_records_for_run(run_id).records
    return [each.event_log_entry.dagster_event.partition for each in records]  # type: ignore[union-attr]


def test_a_batch_is_in_both_files(storage: EventLogStorage) -> None:
    days = [f"2026-11-{day:02}" for day in range(1, 31)]
    begun: list[object] = []
    noted = begun.append
    event.listen(Engine, "begin", noted)
    try:
        storage.store_event_batch(materialised("run", days))
    finally:
        event.remove(Engine, "begin", noted)
    assert days_of(storage, "run") == days
    assert storage.get_materialized_partitions(KEY) == set(days)
    assert len(begun) < len(days)


def test_a_batch_with_an_event_that_cannot_be_stored_leaves_nothing(
    storage: EventLogStorage,
) -> None:
    wrong = cast("EventLogEntry", "no event")
    batch = materialised("run", ["2026-11-01", "2026-11-02"])
    with pytest.raises(Exception, match="EventLogEntry"):
        storage.store_event_batch([*batch, wrong])
    assert days_of(storage, "run") == []
    assert storage.get_materialized_partitions(KEY) == set()
    storage.store_event_batch(batch)
    assert days_of(storage, "run") == ["2026-11-01", "2026-11-02"]


def test_batches_and_single_events_of_several_threads_are_all_kept(
    storage: EventLogStorage,
) -> None:
    def write(number: int) -> None:
        days = [f"2026-{number:02}-{day:02}" for day in range(1, 11)]
        storage.store_event_batch(materialised(f"run {number}", days))
        storage.store_event(materialised(f"run {number}", ["2026-12-24"])[0])

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(write, range(1, 7)))
    assert all(len(days_of(storage, f"run {number}")) == 11 for number in range(1, 7))
    assert len(storage.get_materialized_partitions(KEY)) == 61
