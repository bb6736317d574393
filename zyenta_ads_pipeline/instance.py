"""Dagster's own storage: SQLite under `$ZYENTA_HOME`, or Postgres when its address is set."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

from dagster import DagsterInstance
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.base_storage import DagsterStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClass, ConfigurableClassData
from dagster_postgres.storage import DagsterPostgresStorage
from sqlalchemy import Connection, Engine, NullPool, create_engine

from zyenta_ads_pipeline.domain.errors import StorageError
from zyenta_ads_pipeline.settings import Settings, load_settings

_MOST_ENGINES = 64


class ZyentaStorage(DagsterStorage, ConfigurableClass):
    """Named by `dagster.yaml`; Dagster builds it and gets one of its own two storages back."""

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config_value(  # type: ignore[override]
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> DagsterStorage:
        settings = load_settings()
        folder = settings.dagster_home / "storage"
        folder.mkdir(parents=True, exist_ok=True)
        # Two processes that meet a fresh folder would both create its tables.
        with (folder / ".creating").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if settings.store_url.startswith("postgres"):
                return DagsterPostgresStorage(
                    postgres_driver_url(settings.store_url), inst_data=inst_data
                )
            return _SqliteStorage(str(folder), inst_data=inst_data)


class _Batch(threading.local):
    """The open transactions of the batch that a thread is storing, by file; None without one."""

    held: dict[str, Connection] | None = None
    files: ExitStack


class _SqliteEvents(SqliteEventLogStorage):
    """Dagster's events in SQLite, with one engine a file instead of one a statement: a new engine
    compiles every statement anew, which took a third of the time of storing an event. And with
    one transaction a file for a batch of events, where Dagster takes several for each event."""

    def __init__(self, base_dir: str) -> None:
        self._engines: dict[str, Engine] = {}
        self._columns: set[str] = set()
        self._batch = _Batch()
        super().__init__(base_dir)

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store all of them, or none when one cannot be stored."""
        with ExitStack() as files:
            self._batch.held, self._batch.files = {}, files
            try:
                super().store_event_batch(events)
            finally:
                self._batch.held = None

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        held = self._batch.held
        if held is None:
            with self._db_lock, self._transaction(shard) as connection:
                yield connection
            return
        if shard not in held:
            if not held:
                self._batch.files.enter_context(self._db_lock)
            held[shard] = self._batch.files.enter_context(self._transaction(shard))
        yield held[shard]

    def _has_asset_key_col_on_connection(self, conn: Connection, column_name: str) -> bool:
        # Asked for each event by reading the table's description; a column stays once it is there.
        if column_name in self._columns:
            return True
        if found := super()._has_asset_key_col_on_connection(conn, column_name):
            self._columns.add(column_name)
        return found

    @contextmanager
    def _transaction(self, shard: str) -> Iterator[Connection]:
        engine = self._engine(shard)
        if shard not in self._initialized_dbs:
            self._initdb(engine)
            self._initialized_dbs.add(shard)
        with engine.begin() as connection:
            yield connection

    def _engine(self, shard: str) -> Engine:
        engine = self._engines.get(shard)
        if engine is None:
            engine = self._engines[shard] = create_engine(
                self.conn_string_for_shard(shard),
                poolclass=NullPool,
                connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS},
            )
            if len(self._engines) > _MOST_ENGINES:  # each run has a file of its own
                self._engines.pop(next(iter(self._engines)))
        return engine


class _SqliteStorage(DagsterSqliteStorage):
    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(base_dir, inst_data=inst_data)
        self._event_log_storage = _SqliteEvents(self._event_log_storage._base_dir)


def postgres_driver_url(url: str) -> str:
    """`url` with psycopg2 named as its driver.

    SQLAlchemy 2.1 would choose psycopg 3, on which Dagster's NOTIFY fails.
    """
    _, _, rest = url.partition("://")
    return f"postgresql+psycopg2://{rest}"


def prepare_home(settings: Settings) -> Path:
    """Make Dagster's folder, with the settings file in it, and point this process at it.

    A DAGSTER_HOME that the operator has set is left as it is.
    """
    if chosen := os.environ.get("DAGSTER_HOME"):
        return Path(chosen)
    home = settings.dagster_home
    try:
        home.mkdir(parents=True, exist_ok=True)
        _copy_settings(home / "dagster.yaml")
    except OSError as error:
        raise StorageError(
            f"{home} cannot be written: {error.strerror}.",
            "Choose another ZYENTA_HOME, or give this user the right to write there.",
        ) from None
    os.environ["DAGSTER_HOME"] = str(home)
    # 730 days of events take a fifth of the time when they are written in batches.
    os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", "500")
    return home


def open_instance(settings: Settings) -> DagsterInstance:
    """Dagster's instance for this home."""
    prepare_home(settings)
    return DagsterInstance.get()


def _copy_settings(path: Path) -> None:
    """Whole or not at all: a run that starts meanwhile must not read half of it."""
    wanted = _settings_file().read_bytes()
    if path.is_file() and path.read_bytes() == wanted:
        return
    aside = path.with_suffix(f".{os.getpid()}")
    aside.write_bytes(wanted)
    aside.replace(path)


def _settings_file() -> Path:
    shipped = Path(str(files("zyenta_ads_pipeline"))) / "dagster.yaml"
    return shipped if shipped.is_file() else Path(__file__).parents[1] / "dagster.yaml"
