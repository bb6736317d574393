"""The lake: Delta tables written whole by account and day, read through pinned snapshots.

Every write is one commit that replaces the given accounts and days, so a reader sees all of it
or nothing, and loading the same thing twice changes nothing. Measured against the alternatives in
`docs/decisions/0001-delta-lake.md`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import duckdb
import polars as pl
import stamina
from deltalake import CommitProperties, DeltaTable, WriterProperties, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError

from zyenta_ads_pipeline.domain.errors import StorageError
from zyenta_ads_pipeline.domain.money import CURRENCY_OFFSETS
from zyenta_ads_pipeline.lake.tables import TABLES, PolarsType, Table
from zyenta_ads_pipeline.metrics.definitions import RATIOS

_MINOR_UNIT = (
    "CREATE OR REPLACE MACRO minor_unit(currency) AS CASE WHEN currency IN ("
    + ", ".join(f"'{code}'" for code, offset in sorted(CURRENCY_OFFSETS.items()) if offset == 1)
    + ") THEN 1 ELSE 0.01 END"
)
_SAFE_KEY = re.compile(r"[A-Za-z0-9_.:-]+")
_UNADDRESSABLE = re.compile(r"[\[\]^|\\\x00-\x1f]|%[0-9A-Fa-f]{2}")
"""What delta-rs cannot have in a folder's path: it panics, or looks into another folder."""
_REMEDY = (
    "Check ZYENTA_HOME or ZYENTA_LAKE_ROOT: does the place exist, may this user write there, is "
    "there room?"
)
_DUCKDB_TYPES: Mapping[PolarsType, str] = {
    pl.Date: "DATE",
    pl.String: "VARCHAR",
    pl.Int64: "BIGINT",
    pl.Float64: "DOUBLE",
    pl.Boolean: "BOOLEAN",
}


@dataclass(frozen=True)
class WriteResult:
    """What a write did: rows stored, the table's version, and whether anything changed."""

    rows: int
    version: int
    changed: bool


@dataclass(frozen=True)
class Scope:
    """What a write replaces, whole: some accounts, on some days, or under one key value.

    Never empty: a write without a predicate would replace the table.
    """

    accounts: Collection[str]
    dates: Collection[date] | None = None
    key: tuple[str, str] | None = None

    def predicate(self) -> str:
        """The scope in delta-rs' SQL."""
        parts = [f"account_id IN ({_quoted(self.accounts)})"]
        if self.dates is not None:
            parts.append(f"date IN ({_quoted(str(day) for day in self.dates)})")
        if self.key is not None:
            parts.append(f"{self.key[0]} = {_quoted([self.key[1]])}")
        return " AND ".join(parts)

    def expression(self) -> pl.Expr:
        """The scope as a Polars filter."""
        inside = pl.col("account_id").is_in(list(self.accounts))
        if self.dates is not None:
            inside &= pl.col("date").is_in(list(self.dates))
        if self.key is not None:
            inside &= pl.col(self.key[0]) == self.key[1]
        return inside


class Lake:
    """The analytical tables under one root: a folder, or an object store's address."""

    def __init__(self, root: str) -> None:
        """Raise `StorageError` for a folder whose path Delta Lake cannot address."""
        self.root = root.rstrip("/")
        if self.is_local and (found := _UNADDRESSABLE.search(str(Path(root).absolute()))):
            raise StorageError(
                f"The lake cannot live in {root}: its path holds {found[0]!r}.",
                "Set ZYENTA_HOME or ZYENTA_LAKE_ROOT to a folder without such characters.",
            )

    @property
    def is_local(self) -> bool:
        """True for a folder on this machine."""
        return "://" not in self.root

    def uri(self, table: str) -> str:
        """Address of one table."""
        return f"{self.root}/{table}"

    def write(
        self, table: Table, frame: pl.DataFrame, scope: Scope, *, run_id: str = ""
    ) -> WriteResult:
        """Replace the rows in `scope` by `frame`.

        One commit; none at all when the content is there already. Raises `StorageError` when the
        frame has rows outside of the scope, null or duplicate keys, or cannot be written.
        """
        rows = aligned(frame, table)
        _check_rows(table, rows, scope)
        predicate = scope.predicate()
        delta = self._open_or_create(table)
        if _same_content(delta, table, rows, scope):
            return WriteResult(rows.height, delta.version(), changed=False)
        before = delta
        with _storage_errors(table.name):
            for attempt in stamina.retry_context(
                on=CommitFailedError, attempts=20, timeout=120, wait_initial=0.05, wait_max=2
            ):
                with attempt:
                    write_deltalake(
                        self.uri(table.name),
                        rows,
                        mode="overwrite",
                        predicate=predicate,
                        writer_properties=WriterProperties(compression="ZSTD"),
                        commit_properties=CommitProperties(
                            custom_metadata={"run_id": run_id}, max_commit_retries=200
                        ),
                    )
        delta = self._open(table.name) or delta
        if self.is_local:
            self._fsync(table, before, delta)
        return WriteResult(rows.height, delta.version(), changed=True)

    def snapshot(self) -> Snapshot:
        """All tables pinned at their newest versions; a whole SQL model reads one moment."""
        return Snapshot({name: self._open(name) for name in TABLES})

    def publish_views(self, path: Path) -> None:
        """Write a small DuckDB file of views over the current snapshots, for analysts' tools.

        Built aside and renamed, so that a reader never opens half of it.
        """
        aside = path.with_name(f".{path.name}.{os.getpid()}")
        snapshot = self.snapshot()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            aside.unlink(missing_ok=True)
            with duckdb.connect(str(aside)) as connection:
                snapshot.create_views(connection)
            aside.replace(path)
        except (duckdb.Error, OSError) as error:
            raise StorageError(
                f"The views for analysts, {path}, cannot be written: {error}", _REMEDY
            ) from error

    def _open(self, name: str) -> DeltaTable | None:
        with _storage_errors(name):
            try:
                return DeltaTable(self.uri(name))
            except TableNotFoundError:
                return None

    def _open_or_create(self, table: Table) -> DeltaTable:
        opened = self._open(table.name)
        if opened is not None:
            return opened
        with _storage_errors(table.name):
            if self.is_local:
                Path(self.root).mkdir(parents=True, exist_ok=True)
            for attempt in stamina.retry_context(on=CommitFailedError, attempts=10, timeout=30):
                with attempt:
                    write_deltalake(
                        self.uri(table.name),
                        pl.DataFrame(schema=table.schema),
                        mode="ignore",
                        name=table.name,
                        description=table.meaning,
                        partition_by=["date"] if table.daily else None,
                    )
            return DeltaTable(self.uri(table.name))

    def _fsync(self, table: Table, before: DeltaTable, after: DeltaTable) -> None:
        """delta-rs leaves flushing to the system; a power cut must not cost a commit.

        Other writers may have committed since, so every commit from `before` on is flushed; that
        one too, since it may be the table's first.
        """
        log = Path(self.uri(table.name)) / "_delta_log"
        commits = (log / f"{n:020d}.json" for n in range(before.version(), after.version() + 1))
        added = [Path(file) for file in sorted(set(_files(after)) - set(_files(before)))]
        folders = {path.parent for path in added} | {log, log.parent, log.parent.parent}
        for path in (*added, *commits, *folders):
            if not path.exists():
                continue
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


class Snapshot:
    """The lake at one moment: each table at a fixed version."""

    def __init__(self, tables: Mapping[str, DeltaTable | None]) -> None:
        self._tables = tables

    @property
    def versions(self) -> dict[str, int]:
        """The version of each table that exists; enough to read the same again."""
        return {name: t.version() for name, t in self._tables.items() if t is not None}

    def scan(self, table: Table) -> pl.LazyFrame:
        """One table as a lazy Polars frame; empty and typed while it was never written."""
        delta = self._tables[table.name]
        if delta is None or not (files := _files(delta)):
            return pl.LazyFrame(schema=table.schema)
        return _scan(files, table)

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> pl.DataFrame:
        """Run a SELECT over the snapshot with DuckDB.

        Named parameters are written `$name`. Raises `StorageError` with DuckDB's own words.
        """
        connection = duckdb.connect()
        try:
            connection.execute("SET TimeZone = 'UTC'")
            self.create_views(connection)
            self._lock(connection)
            relation = connection.sql(sql, params=dict(parameters or {}))
            if relation is not None and len(set(relation.columns)) < len(relation.columns):
                relation = connection.sql(f"SELECT * FROM ({sql.rstrip().rstrip(';')})")
            return pl.DataFrame() if relation is None else pl.DataFrame(_readable(relation))
        except duckdb.Error as error:
            raise StorageError(
                f"The query failed: {' '.join(str(error).split())}",
                "`zyenta sql --tables` lists the tables and their columns.",
            ) from None
        finally:
            connection.close()

    def _lock(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Let a query read the lake's own files and nothing else, where they are local."""
        roots = sorted(
            {delta.table_uri.removeprefix("file://") for delta in self._tables.values() if delta}
        )
        if all("://" not in root for root in roots):
            listed = ", ".join("'" + unquote(root).replace("'", "''") + "'" for root in roots)
            connection.execute(f"SET allowed_directories = [{listed}]")
            connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")

    def create_views(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Define one view per table and one macro per metric on `connection`."""
        for ratio in RATIOS:
            connection.execute(ratio.macro())
        connection.execute(_MINOR_UNIT)
        for name, delta in self._tables.items():
            connection.execute(f"CREATE VIEW {name} AS {_select(TABLES[name], delta)}")


def _readable(relation: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    """`relation` with intervals as text, since Polars has no such type."""
    kinds = zip(relation.columns, relation.types, strict=True)
    if not any(str(kind) == "INTERVAL" for _, kind in kinds):
        return relation
    columns = [
        f'CAST("{name}" AS VARCHAR) AS "{name}"' if str(kind) == "INTERVAL" else f'"{name}"'
        for name, kind in zip(relation.columns, relation.types, strict=True)
    ]
    return relation.project(", ".join(columns))


def aligned(frame: pl.DataFrame, table: Table) -> pl.DataFrame:
    """`frame` with exactly the table's columns, in its order and types.

    Raises `StorageError` when a column is missing or a value does not fit its type.
    """
    missing = [name for name in table.schema.names() if name not in frame.columns]
    if missing:
        raise StorageError(f"Table {table.name}: the frame lacks {', '.join(missing)}.")
    try:
        return frame.select(table.schema.names()).cast(table.schema, strict=True)
    except pl.exceptions.PolarsError as error:
        raise StorageError(f"Table {table.name}: a value does not fit: {error}") from None


def _check_rows(table: Table, rows: pl.DataFrame, scope: Scope) -> None:
    if (nulls := rows.filter(pl.any_horizontal(pl.col(table.key).is_null()))).height:
        raise StorageError(f"Table {table.name}: {nulls.height} rows lack a part of their key.")
    if (outside := rows.filter(~scope.expression().fill_null(False))).height:
        raise StorageError(
            f"Table {table.name}: {outside.height} rows lie outside of what the write replaces, "
            f"the first at {outside.select(table.key).row(0)}."
        )
    if (doubled := rows.filter(pl.struct(table.key).is_duplicated())).height:
        raise StorageError(
            f"Table {table.name}: {doubled.height} rows share their key with another, the first "
            f"at {doubled.select(table.key).row(0)}."
        )


def _quoted(values: Iterable[str]) -> str:
    checked = sorted(values)
    if not checked:
        raise StorageError("A write needs at least one account and one day to replace.")
    for value in checked:
        if not _SAFE_KEY.fullmatch(value):
            raise StorageError(f"{value!r} cannot be a key in the lake.")
    return ", ".join(f"'{value}'" for value in checked)


def _same_content(delta: DeltaTable, table: Table, rows: pl.DataFrame, scope: Scope) -> bool:
    """Whether the rows are stored already.

    A day's numbers are the same whenever they were seen; of what is true now (accounts, objects)
    the moment is part of the content.
    """
    if not (files := _files(delta)):
        return rows.is_empty()
    aside = {"observed_at", "run_id"} if table.daily else set()
    told = [name for name in table.schema.names() if name not in aside]
    with _storage_errors(table.name):
        stored = _scan(files, table).filter(scope.expression()).select(told).collect()
    return stored.sort(table.key).equals(rows.select(told).sort(table.key))


def _files(delta: DeltaTable) -> list[str]:
    """The snapshot's files: paths on this machine, addresses on an object store.

    delta-rs gives local paths in the spelling of a URL, a space as %20; no engine finds those.
    """
    local = delta.table_uri.startswith("file:")
    return [unquote(uri) if local else uri for uri in delta.file_uris()]


def _scan(files: list[str], table: Table) -> pl.LazyFrame:
    """Some files of one table as a lazy frame; the day comes from the folder's name."""
    frame = pl.scan_parquet(files, glob=False, hive_partitioning=table.daily)
    return frame.select(table.schema.names()).cast(table.schema)


def _select(table: Table, delta: DeltaTable | None) -> str:
    files = [] if delta is None else _files(delta)
    columns = ", ".join(f'"{name}"' for name in table.schema.names())
    if not files:
        typed = ", ".join(
            f'CAST(NULL AS {_duckdb_type(kind)}) AS "{name}"' for name, kind in table.schema.items()
        )
        return f"SELECT {typed} WHERE false"
    listed = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
    hive = ", hive_partitioning = true, hive_types = {'date': DATE}" if table.daily else ""
    return f"SELECT {columns} FROM read_parquet([{listed}]{hive})"


def _duckdb_type(kind: PolarsType) -> str:
    if isinstance(kind, pl.Decimal):
        return f"DECIMAL({kind.precision}, {kind.scale})"
    if isinstance(kind, pl.Datetime):
        return "TIMESTAMPTZ"
    return next(text for known, text in _DUCKDB_TYPES.items() if kind == known)


@contextmanager
def _storage_errors(name: str) -> Iterator[None]:
    try:
        yield
    except (DeltaError, OSError) as error:
        raise StorageError(f"Table {name} cannot be read or written: {error}", _REMEDY) from error
