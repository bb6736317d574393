"""Upkeep of the lake: small files joined, logs summed up, what nobody can read any more removed.

Nothing here changes what a reader sees. Run it in one process at a time; writers may go on.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import stamina
from deltalake import DeltaTable, WriterProperties
from deltalake.exceptions import CommitFailedError

from zyenta_ads_pipeline.lake.files import files_of, flush, storage_errors
from zyenta_ads_pipeline.lake.lake import KEPT_DAYS, Lake
from zyenta_ads_pipeline.lake.schema import Table

FEW_FILES = 4
"""A day with fewer files is left as it is."""


@dataclass(frozen=True)
class Upkeep:
    """What was done to one table: files joined, files they became, files removed."""

    table: str
    joined: int
    became: int
    removed: int


def tend(lake: Lake, table: Table, *, settled_before: date) -> Upkeep:
    """Compact, checkpoint and vacuum one table.

    Of a daily table only days before `settled_before` are compacted: younger ones are still
    written every hour. Old files stay readable for 90 days, so that a snapshot in use, and a
    decision's recorded versions, find theirs. Raises `StorageError`.
    """
    joined, became = compact(lake, table, settled_before=settled_before)
    checkpoint(lake, table)
    return Upkeep(table.name, joined, became, vacuum(lake, table))


def compact(lake: Lake, table: Table, *, settled_before: date) -> tuple[int, int]:
    """Join the small files of each day, or of a table without days; gives files before, after."""
    delta = lake.open(table)
    if delta is None:
        return 0, 0
    days = _crowded_days(delta, settled_before) if table.daily else None
    if days == [] or len(files_of(delta)) < FEW_FILES:
        return 0, 0
    before = delta.version()
    with storage_errors(table.name):
        for attempt in stamina.retry_context(on=CommitFailedError, attempts=5, timeout=120):
            with attempt:
                delta.update_incremental()
                done = delta.optimize.compact(
                    partition_filters=None if days is None else [("date", "in", days)],
                    writer_properties=WriterProperties(compression="ZSTD"),
                )
        delta.update_incremental()
        if lake.is_local:
            flush(Path(lake.uri(table.name)), before, delta.version())
    return int(done["numFilesRemoved"]), int(done["numFilesAdded"])


def checkpoint(lake: Lake, table: Table) -> None:
    """Sum up the table's log, so that opening it reads one file."""
    if (delta := lake.open(table)) is not None:
        with storage_errors(table.name):
            delta.create_checkpoint()


def vacuum(lake: Lake, table: Table) -> int:
    """Remove files and commits that were replaced more than 90 days ago; gives how many files."""
    if (delta := lake.open(table)) is None:
        return 0
    with storage_errors(table.name):
        removed = delta.vacuum(retention_hours=KEPT_DAYS * 24, dry_run=False)
        delta.cleanup_metadata()
    return len(removed)


def _crowded_days(delta: DeltaTable, settled_before: date) -> list[str]:
    """The days before `settled_before` that have more than a few files."""
    counted = Counter(Path(file).parent.name.removeprefix("date=") for file in files_of(delta))
    return sorted(
        day for day, files in counted.items() if files >= FEW_FILES and day < str(settled_before)
    )
