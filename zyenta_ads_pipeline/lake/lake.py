"""The lake: Delta tables written whole by account and day, read through pinned snapshots.

Every write is one commit that replaces the given accounts and days, so a reader sees all of it
or nothing, and loading the same thing twice changes nothing. Measured against the alternatives in
`docs/decisions/0001-delta-lake.md`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import unquote

import duckdb
import polars as pl
import stamina
from deltalake import (
    CommitProperties,
    DeltaTable,
    Field,
    Transaction,
    WriterProperties,
    write_deltalake,
)
from deltalake.exceptions import CommitFailedError, TableNotFoundError
from deltalake.schema import ArrayType, PrimitiveType, StructType

from zyenta_ads_pipeline.domain.errors import StorageError
from zyenta_ads_pipeline.lake.files import (
    REMEDY,
    WIDENED,
    files_of,
    flush,
    lacking_columns,
    scan_files,
    select_files,
    storage_errors,
)
from zyenta_ads_pipeline.lake.handles import newest
from zyenta_ads_pipeline.lake.history import as_of_frame, as_of_select, reads_as_of, sql_moment
from zyenta_ads_pipeline.lake.rows import aligned, check_inside, check_keys, scope_predicate
from zyenta_ads_pipeline.lake.schema import PolarsType, Table, delta_type
from zyenta_ads_pipeline.lake.tables import (
    AD_ACCOUNTS,
    INSIGHT_READS,
    INSIGHT_RESTATEMENTS,
    RAW_INSIGHTS,
    TABLES,
)
from zyenta_ads_pipeline.lake.views import (
    create_macros,
    create_shipped_views,
    failing_select,
    named_in,
    readable,
)

_UNADDRESSABLE = re.compile(r"[\[\]^|\\\x00-\x1f]|%[0-9A-Fa-f]{2}")
"""What delta-rs cannot have in a folder's path: it panics, or looks into another folder."""
KEPT_DAYS = 90
"""Days for which replaced files and old commits of a table stay readable."""
_PROPERTIES = {
    "delta.logRetentionDuration": f"interval {KEPT_DAYS} days",
    "delta.deletedFileRetentionDuration": f"interval {KEPT_DAYS} days",
    # Opening a table replays its commits since the last checkpoint.
    "delta.checkpointInterval": "20",
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

    Never empty: a write without a predicate would replace the table. Only a table without
    accounts is written with `accounts` None.
    """

    accounts: Collection[str] | None
    dates: Collection[date] | None = None
    key: tuple[str, str] | None = None

    def predicate(self) -> str:
        """The scope in delta-rs' SQL. Raises `StorageError` where it names nothing."""
        return scope_predicate(self.accounts, self.dates, self.key)

    def expression(self) -> pl.Expr:
        """The scope as a Polars filter."""
        parts = []
        if self.accounts is not None:
            parts.append(pl.col("account_id").is_in(list(self.accounts)))
        if self.dates is not None:
            parts.append(pl.col("date").is_in(list(self.dates)))
        if self.key is not None:
            parts.append(pl.col(self.key[0]) == self.key[1])
        return pl.all_horizontal(parts)


Change: TypeAlias = Callable[[pl.LazyFrame], tuple[pl.DataFrame, Scope] | None]


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
        predicate = scope.predicate()
        rows = aligned(frame, table)
        check_keys(table, rows)
        check_inside(table, rows, scope.expression())
        delta = self._open_or_create(table)
        if _same_content(delta, table, rows, scope):
            return WriteResult(rows.height, delta.version(), changed=False)
        before = delta.version()
        with storage_errors(table.name):
            for attempt in stamina.retry_context(
                on=CommitFailedError, attempts=20, timeout=120, wait_initial=0.05, wait_max=2
            ):
                with attempt:
                    delta.update_incremental()
                    self._commit(table, delta, rows, run_id, predicate=predicate)
        return self._written(table, delta, before, rows.height)

    def revise(
        self, table: Table, scope: Scope, change: Change, *, run_id: str = ""
    ) -> WriteResult:
        """Replace rows by what `change` makes of those that are stored in `scope`.

        `change` gets them and gives checked rows with the scope they replace, or None to leave
        all as it is. When another process wrote what it replaces in between, it is called again
        with what is stored then, so that neither's work is lost. Raises `StorageError` when it
        cannot be written.
        """
        with storage_errors(table.name):
            for attempt in stamina.retry_context(
                on=CommitFailedError, attempts=40, timeout=120, wait_initial=0.02, wait_max=1
            ):
                with attempt:
                    delta = self._open_or_create(table)
                    before = delta.version()
                    stored = scan_files(files_of(delta, scope.predicate()), table)
                    revised = change(stored.filter(scope.expression()))
                    if revised is None:
                        return WriteResult(0, before, changed=False)
                    rows, replaced = revised
                    # Not brought up to date: a commit since then is to be found a conflict.
                    self._commit(table, delta, rows, run_id, predicate=replaced.predicate())
        return self._written(table, delta, before, rows.height)

    def append(self, table: Table, frame: pl.DataFrame, *, run_id: str = "") -> WriteResult:
        """Add the rows of `frame` whose keys are not in the table yet.

        One commit, or none when all are there: doing it again after a crash, or in two processes
        at once, doubles nothing. `rows` counts those added. Raises `StorageError` for null or
        duplicate keys, and when it cannot be written.
        """
        rows = aligned(frame, table)
        check_keys(table, rows)
        if rows.is_empty():
            return WriteResult(0, self._open_or_create(table).version(), changed=False)
        added = rows.clear()
        delta = self._open_or_create(table)
        before = delta.version()
        with storage_errors(table.name):
            for attempt in stamina.retry_context(
                on=CommitFailedError, attempts=40, timeout=120, wait_initial=0.02, wait_max=1
            ):
                with attempt:
                    delta.update_incremental()
                    added = rows.join(self._keys_near(delta, table, rows), on=table.key, how="anti")
                    if added.height:
                        self._commit(table, delta, added, run_id)
        if added.is_empty():
            return WriteResult(0, delta.version(), changed=False)
        return self._written(table, delta, before, added.height)

    def stored(
        self, table: Table, predicate: str, inside: pl.Expr, columns: Collection[str]
    ) -> pl.DataFrame:
        """Some columns of the newest rows in a scope; only files that can hold them are read."""
        delta = self._open(table.name)
        if delta is None:
            return pl.DataFrame(schema=table.schema).select(columns)
        with storage_errors(table.name):
            rows = scan_files(files_of(delta, predicate), table)
            return rows.filter(inside).select(columns).collect()

    def snapshot(self) -> Snapshot:
        """All tables pinned at their newest versions; a whole SQL model reads one moment."""
        return Snapshot({name: self._newest(name) for name in TABLES})

    def publish_views(self, path: Path) -> dict[str, str]:
        """Write a small DuckDB file of views over the current snapshots, for analysts' tools.

        Built aside and renamed, so that a reader never opens half of it. Gives the views that
        are broken, with DuckDB's words; reading one of them fails, the others work.
        """
        aside = path.with_name(f".{path.name}.{os.getpid()}")
        snapshot = self.snapshot()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            aside.unlink(missing_ok=True)
            with duckdb.connect(str(aside)) as connection:
                broken = snapshot.create_views(connection)
            aside.replace(path)
        except (duckdb.Error, OSError) as error:
            raise StorageError(
                f"The views for analysts, {path}, cannot be written: {error}", REMEDY
            ) from error
        return broken

    def open(self, table: Table) -> DeltaTable | None:
        """The table itself, for its upkeep; None while it was never written."""
        return self._open(table.name)

    def _newest(self, name: str) -> DeltaTable | None:
        with storage_errors(name):
            return newest(self.uri(name))

    def _open(self, name: str) -> DeltaTable | None:
        with storage_errors(name):
            try:
                return DeltaTable(self.uri(name))
            except TableNotFoundError:
                return None

    def _open_or_create(self, table: Table) -> DeltaTable:
        opened = self._open(table.name)
        if opened is not None:
            return self._widened(table, opened)
        statistics = ",".join(name for name in table.key if not (table.daily and name == "date"))
        with storage_errors(table.name):
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
                        configuration={
                            **_PROPERTIES,
                            "delta.dataSkippingStatsColumns": statistics,
                        },
                    )
            return DeltaTable(self.uri(table.name))

    def _widened(self, table: Table, delta: DeltaTable) -> DeltaTable:
        """The table with the columns that its declaration got since it was made."""
        if not (lacking := lacking_columns(delta, table)):
            return delta
        with storage_errors(table.name):
            for attempt in stamina.retry_context(on=CommitFailedError, attempts=10, timeout=30):
                with attempt:
                    delta = DeltaTable(self.uri(table.name))
                    lacking = lacking_columns(delta, table)
                    if not lacking:
                        return delta
                    # First the mark: whoever reads in between finds the columns in no file.
                    delta.alter.set_table_properties({WIDENED: "true"}, raise_if_not_exists=False)
                    delta.alter.add_columns(
                        [Field(name, _field_type(table.schema[name])) for name in lacking]
                    )
            return DeltaTable(self.uri(table.name))

    def _keys_near(self, delta: DeltaTable, table: Table, rows: pl.DataFrame) -> pl.DataFrame:
        """The keys stored for the accounts and days of `rows`."""
        names = rows.columns
        accounts = rows["account_id"].unique().to_list() if "account_id" in names else None
        dates = rows["date"].unique().to_list() if table.daily else None
        near = Scope(accounts, dates)
        files = files_of(delta, near.predicate() if accounts or dates else None)
        keys = scan_files(files, table)
        return (
            keys.filter(near.expression() if accounts or dates else True)
            .select(table.key)
            .collect()
        )

    def _commit(
        self,
        table: Table,
        delta: DeltaTable,
        rows: pl.DataFrame,
        run_id: str,
        *,
        predicate: str | None = None,
    ) -> None:
        # Sorted by day, delta-rs writes one folder after the other, for half the time.
        ordered = rows.sort("date", maintain_order=True) if table.daily else rows
        options: dict[str, Any] = {} if predicate is None else {"predicate": predicate}
        # Two appends at once are a conflict: the second looks again what is there.
        appends = [Transaction("append", 1)] if predicate is None else None
        write_deltalake(
            delta,
            ordered,
            mode="append" if predicate is None else "overwrite",
            writer_properties=WriterProperties(compression="ZSTD"),
            commit_properties=CommitProperties(
                custom_metadata={"run_id": run_id},
                max_commit_retries=200,
                app_transactions=appends,
            ),
            **options,
        )

    def _written(self, table: Table, delta: DeltaTable, before: int, rows: int) -> WriteResult:
        """The result of a write, once it is on the disk.

        Other writers may have committed since version `before`, so every commit from then on is
        flushed; that one too, since it may be the table's first.
        """
        with storage_errors(table.name):
            delta.update_incremental()
            if self.is_local:
                flush(Path(self.uri(table.name)), before, delta.version())
        return WriteResult(rows, delta.version(), changed=True)


class Snapshot:
    """The lake at one moment: each table at a fixed version."""

    def __init__(
        self, tables: Mapping[str, DeltaTable | None], known_at: datetime | None = None
    ) -> None:
        self._tables = tables
        self._known_at = known_at

    @property
    def versions(self) -> dict[str, int]:
        """The version of each table that exists; enough to read the same again."""
        return {name: t.version() for name, t in self._tables.items() if t is not None}

    @property
    def known_at(self) -> datetime | None:
        """The moment of `as_of`; None for a snapshot of what is known now."""
        return self._known_at

    def as_of(self, moment: datetime) -> Snapshot:
        """The same lake with `raw_insights` as it was known at `moment` (aware).

        SQL models run on it as they would have then: ages of days in `insight_reads` are cut at
        the moment, too. All other tables are as in this snapshot. A row of which the lake saw
        no earlier version than one read later is absent.
        """
        if moment.tzinfo is None:
            raise StorageError(f"The moment {moment} has no time zone.", "Write it in UTC.")
        return Snapshot(self._tables, moment)

    def scan(self, table: Table) -> pl.LazyFrame:
        """One table as a lazy Polars frame; empty and typed while it was never written."""
        if self._known_at is not None:
            if table is RAW_INSIGHTS:
                before = self._stored(INSIGHT_RESTATEMENTS)
                return as_of_frame(self._stored(table), before, self._known_at)
            if table is INSIGHT_READS:
                return self.query(f"SELECT * FROM {table.name}").cast(table.schema).lazy()
        return self._stored(table)

    def _stored(self, table: Table) -> pl.LazyFrame:
        delta = self._tables[table.name]
        if delta is None:
            return scan_files([], table)
        lacking_columns(delta, table)  # raises for a table that cannot be read as declared
        return scan_files(files_of(delta), table)

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> pl.DataFrame:
        """Run a SELECT over the snapshot with DuckDB.

        Named parameters are written `$name`. Raises `StorageError` with DuckDB's own words.
        """
        connection = duckdb.connect()
        try:
            connection.execute("SET TimeZone = 'UTC'")
            self.create_views(connection, named_in(sql))
            self._lock(connection)
            relation = connection.sql(sql, params=dict(parameters or {}))
            if relation is not None and len(set(relation.columns)) < len(relation.columns):
                relation = connection.sql(f"SELECT * FROM ({sql.rstrip().rstrip(';')})")
            return pl.DataFrame() if relation is None else pl.DataFrame(readable(relation))
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

    def create_views(
        self, connection: duckdb.DuckDBPyConnection, wanted: Collection[str] | None = None
    ) -> dict[str, str]:
        """Define one view per table, those of `sql/views/`, and one macro per metric; of tables
        and views only those `wanted`, if given.

        Gives the shipped views that are broken, with DuckDB's words.
        """
        create_macros(connection)
        for name, delta in self._tables.items():
            if wanted is not None and name not in wanted:
                continue
            try:
                select = self._select(TABLES[name], delta)
            except StorageError as error:
                select = failing_select(str(error), TABLES[name])
            connection.execute(f"CREATE VIEW {name} AS {select}")
        return create_shipped_views(connection, wanted)

    def _select(self, table: Table, delta: DeltaTable | None) -> str:
        stored = select_files(table, delta)
        if self._known_at is None or table not in (RAW_INSIGHTS, INSIGHT_READS):
            return stored
        moment = sql_moment(self._known_at)
        if table is RAW_INSIGHTS:
            before = self._tables[INSIGHT_RESTATEMENTS.name]
            return as_of_select(
                moment, f"({stored})", f"({select_files(INSIGHT_RESTATEMENTS, before)})"
            )
        accounts = self._tables[AD_ACCOUNTS.name]
        return reads_as_of(moment, stored, select_files(AD_ACCOUNTS, accounts))


def _same_content(delta: DeltaTable, table: Table, rows: pl.DataFrame, scope: Scope) -> bool:
    """Whether the rows are stored already.

    A day's numbers are the same whenever they were seen; of what is true now (accounts, objects)
    the moment is part of the content.
    """
    files = files_of(delta, scope.predicate())
    if not files:
        return rows.is_empty()
    aside = {"observed_at", "run_id"} if table.daily else set()
    told = [name for name in table.schema.names() if name not in aside]
    with storage_errors(table.name):
        stored = scan_files(files, table).filter(scope.expression()).select(told).collect()
    if stored.height != rows.height:
        return False
    return stored.sort(table.key).equals(rows.select(told).sort(table.key))


def _field_type(kind: PolarsType) -> PrimitiveType | ArrayType | StructType:
    """A column's type for a table that gets it later."""
    if isinstance(kind, pl.List):
        return ArrayType(_field_type(kind.inner))
    if isinstance(kind, pl.Struct):
        return StructType([Field(field.name, _field_type(field.dtype)) for field in kind.fields])
    return PrimitiveType(delta_type(kind))
