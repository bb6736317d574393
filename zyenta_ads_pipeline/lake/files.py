"""The Parquet files of a Delta table: listed, scanned by Polars or DuckDB, flushed to disk."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote

import polars as pl
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from zyenta_ads_pipeline.domain.errors import StorageError
from zyenta_ads_pipeline.lake.schema import Table, delta_type, duckdb_type

REMEDY = (
    "Check ZYENTA_HOME or ZYENTA_LAKE_ROOT: does the place exist, may this user write there, is "
    "there room?"
)
WIDENED = "zyenta.widened"
"""Property of a table that got columns later: its older files lack them."""


@contextmanager
def storage_errors(name: str) -> Iterator[None]:
    """Raise `StorageError` for what goes wrong below with the table `name`."""
    try:
        yield
    except (DeltaError, OSError) as error:
        raise StorageError(f"Table {name} cannot be read or written: {error}", REMEDY) from error


def files_of(delta: DeltaTable, predicate: str | None = None) -> list[str]:
    """The table's files: paths on this machine, addresses on an object store.

    With a predicate only those that can hold a matching row, by partition and statistics.
    delta-rs gives local paths in the spelling of a URL, a space as %20; no engine finds those.
    """
    local = delta.table_uri.startswith("file:")
    found = delta.file_uris(file_pruning_predicate=predicate)
    return [unquote(uri) if local else uri for uri in found]


def scan_files(files: list[str], table: Table) -> pl.LazyFrame:
    """Some files of one table as a lazy frame; the day comes from the folder's name.

    A column that a file lacks is null in its rows.
    """
    if not files:
        return pl.LazyFrame(schema=table.schema)
    in_files = {
        name: kind for name, kind in table.schema.items() if not (table.daily and name == "date")
    }
    frame = pl.scan_parquet(
        files,
        glob=False,
        schema=in_files,
        hive_partitioning=table.daily,
        missing_columns="insert",
        extra_columns="ignore",
    )
    return frame.select(table.schema.names())


def select_files(table: Table, delta: DeltaTable | None) -> str:
    """The whole table as a SELECT for DuckDB; empty and typed while it was never written.

    Raises `StorageError` as `lacking_columns` does.
    """
    files = [] if delta is None else files_of(delta)
    if delta is None or not files:
        return f"SELECT {_typed(table, set())} WHERE false"
    held = set(table.schema.names()) - set(lacking_columns(delta, table))
    listed = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
    options = ", hive_partitioning = true, hive_types = {'date': DATE}" if table.daily else ""
    if WIDENED in delta.metadata().configuration:
        options += ", union_by_name = true"
    return f"SELECT {_typed(table, held)} FROM read_parquet([{listed}]{options})"


def _typed(table: Table, held: Collection[str]) -> str:
    return ", ".join(
        f'"{name}"' if name in held else f'CAST(NULL AS {duckdb_type(kind)}) AS "{name}"'
        for name, kind in table.schema.items()
    )


def lacking_columns(delta: DeltaTable, table: Table) -> list[str]:
    """The declared columns that the stored table does not have yet.

    Raises `StorageError` where it has one of another type, or one that is not declared: such a
    table was written by another version and cannot be mended in place.
    """
    held = {field.name: _short(json.loads(field.type.to_json())) for field in delta.schema().fields}
    declared = {name: delta_type(kind) for name, kind in table.schema.items()}
    other = [name for name, kind in held.items() if declared.get(name) != kind]
    if other:
        folder = unquote(delta.table_uri.removeprefix("file://"))
        raise StorageError(
            f"Table {table.name} was written by another version of the pipeline: "
            f"{', '.join(other)} is not as declared.",
            f"Remove the folder {folder} and sync again; Meta keeps 37 months.",
        )
    return [name for name in declared if name not in held]


def _short(kind: object) -> str:
    """A type from Delta's JSON as `schema.delta_type` writes it."""
    if not isinstance(kind, dict):
        return str(kind)
    if kind["type"] == "array":
        return f"array<{_short(kind['elementType'])}>"
    fields = ",".join(f"{field['name']}:{_short(field['type'])}" for field in kind["fields"])
    return f"struct<{fields}>"


def flush(folder: Path, first: int, last: int) -> None:
    """Flush the commits `first` to `last` of a local table, and the files they added, to disk.

    delta-rs leaves flushing to the system; a power cut must not cost a commit.
    """
    log = folder / "_delta_log"
    commits = [path for n in range(first, last + 1) if (path := log / f"{n:020d}.json").exists()]
    added = [folder / file for commit in commits for file in _added(commit)]
    parts = {path.parent for path in added}
    for path in (*added, *commits, *parts, log, folder, folder.parent):
        if not path.exists():
            continue
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _added(commit: Path) -> Iterator[str]:
    with commit.open(encoding="utf-8") as lines:
        for line in lines:
            if line.startswith('{"add"'):
                yield unquote(json.loads(line)["add"]["path"])
