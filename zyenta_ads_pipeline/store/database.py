"""The operational database: opened, brought to the newest schema, read and written.

One transaction a `with` block. On SQLite a writing block takes the write lock at its start
(`BEGIN IMMEDIATE`), so what it has read cannot change under it; on Postgres rows are locked as
they are read for update.
"""

from __future__ import annotations

import functools
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import URL, Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session

from zyenta_ads_pipeline.domain.errors import StorageError
from zyenta_ads_pipeline.store import address

VERSION_TABLE = "zyenta_store_version"
"""Not Alembic's default name: another program in the same database may use that."""
_BUSY_MS = 30_000
_CONNECT_SECONDS = 10
_WRITE_OPTION = "zyenta_write"
_LOCK_MIGRATE = 0x7A79_6E74_0001
"""Postgres advisory lock while the schema is brought up to date."""
_LOCK_PROPOSE = 0x7A79_6E74_0002
"""Postgres advisory lock while proposals are sorted against the open changes."""
_LOCK_ORDERS = 0x7A79_6E74_0003
"""Postgres advisory lock while an order is numbered."""
_LOCK_RULES = 0x7A79_6E74_0004
"""Postgres advisory lock while a rule is set against the others."""
_LOCK_ACCESS = 0x7A79_6E74_0005
"""Postgres advisory lock while a token is made or ended."""
LOCK = {"key_share": True}
"""Locks a row as it is read (`with_for_update`), and still lets rows be added that refer to it:
two transactions that lock a parent and a child would else wait for each other. Postgres only."""
_migrating = threading.Lock()  # Alembic keeps its context in module globals


class Store:
    """An open operational database. Get one by `open_store`; `close` it when done.

    Safe to share between threads; a process opens its own.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writer = engine.execution_options(**{_WRITE_OPTION: True})
        self.place = address.describe(engine.url)

    @property
    def is_sqlite(self) -> bool:
        """Whether the store is one file on this machine."""
        return self._engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A transaction that sees one snapshot and changes nothing."""
        with self._failing(), Session(self._engine) as session:
            yield session

    @contextmanager
    def look(self) -> Iterator[Connection]:
        """The same for single columns: without objects, which cost more than asking does. For what
        every request of the console reads."""
        with self._failing(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction: all of it is kept when the block ends, nothing when it raises.

        Raises `StorageError` when the database cannot be reached, is locked for longer than
        30 seconds, or refuses a row by one of its guards.
        """
        with self._failing(), Session(self._writer) as session, session.begin():
            yield session

    def lock_proposals(self, session: Session) -> None:
        """Make this transaction the only one that proposes; SQLite writers are alone anyway."""
        self._alone(session, _LOCK_PROPOSE)

    def lock_orders(self, session: Session) -> None:
        """Make this transaction the only one that takes in orders, likewise."""
        self._alone(session, _LOCK_ORDERS)

    def lock_rules(self, session: Session) -> None:
        """Make this transaction the only one that sets rules, likewise."""
        self._alone(session, _LOCK_RULES)

    def lock_access(self, session: Session) -> None:
        """Make this transaction the only one that makes or ends tokens, likewise."""
        self._alone(session, _LOCK_ACCESS)

    def _alone(self, session: Session, key: int) -> None:
        if not self.is_sqlite:
            session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})

    def close(self) -> None:
        """Give back every connection."""
        self._engine.dispose()

    @contextmanager
    def _failing(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise _failure(error, self._engine.url) from error


def open_store(url: str) -> Store:
    """Open the store at `url` and bring its schema up to date.

    Several processes may do so at the same time: one migrates, the others wait for it. Raises
    `StorageError` for a URL that cannot be used or a database that cannot be reached, and when
    the schema is newer than this program.
    """
    parsed = address.parse(url)
    address.prepare_directory(parsed)
    engine = _engine(parsed)
    try:
        if parsed.get_backend_name() == "sqlite":
            _use_wal(engine)
        _migrate(engine)
    except (SQLAlchemyError, sqlite3.Error) as error:
        engine.dispose()
        raise _failure(error, parsed) from None  # the chain could show the driver's own URL
    except BaseException:
        engine.dispose()
        raise
    return Store(engine)


def alembic_config(connection: Connection | None = None) -> Config:
    """Alembic's settings, made here so that no file beside the package is needed."""
    config = Config()
    config.set_main_option("script_location", "zyenta_ads_pipeline.store:migrations")
    config.attributes["connection"] = connection
    return config


def _engine(url: URL) -> Engine:
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    return create_engine(
        url,
        pool_pre_ping=True,
        connect_args={"connect_timeout": _CONNECT_SECONDS, "application_name": "zyenta"},
    )


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver's own BEGIN is too late and of the wrong kind
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
    cursor.execute("PRAGMA foreign_keys = ON")
    # A claim must be on the disk before its write is sent, even if the power fails.
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITE_OPTION, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _use_wal(engine: Engine) -> None:
    """Turn on write-ahead logging, once for the file: readers no longer wait for a writer.

    Turning it on needs the file alone, and SQLite does not always wait for that by itself.
    """
    deadline = time.monotonic() + _BUSY_MS / 1000
    while True:
        try:
            raw = engine.raw_connection()
            try:
                mode = str(raw.cursor().execute("PRAGMA journal_mode = WAL").fetchone()[0])
            finally:
                raw.close()
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
        else:
            if mode != "wal":
                raise StorageError(
                    f"The {address.describe(engine.url)} cannot use write-ahead logging "
                    f"(journal mode {mode}).",
                    "Put it on a local disk, or use Postgres.",
                )
            return
        time.sleep(0.02)


def _migrate(engine: Engine) -> None:
    head = _head()
    with engine.connect() as connection:
        if _version(connection) == head:
            return
    with _migrating, engine.execution_options(**{_WRITE_OPTION: True}).begin() as connection:
        # BEGIN IMMEDIATE has already locked a SQLite file; both locks end with the transaction.
        if engine.dialect.name != "sqlite":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_MIGRATE})
        if _version(connection) == head:
            return
        try:
            command.upgrade(alembic_config(connection), "head")
        except CommandError as error:
            raise StorageError(
                f"The schema of the {address.describe(engine.url)} is unknown to this program "
                f"({error}).",
                "It was probably made by a newer version: install that one.",
            ) from error


@functools.cache
def _head() -> str | None:
    """The newest schema's revision. To read it takes longer than to open a database."""
    return ScriptDirectory.from_config(alembic_config()).get_current_head()


def _version(connection: Connection) -> str | None:
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    return context.get_current_revision()


def _failure(error: Exception, url: URL) -> StorageError:
    cause = getattr(error, "orig", None) or error
    said = address.scrub(str(cause), url)
    if isinstance(error, IntegrityError):
        return StorageError(
            f"The {address.describe(url)} refused a row: {said}.",
            "Nothing of this step was stored. Read the change again: another process was faster.",
        )
    return StorageError(
        f"The {address.describe(url)} cannot be used: {said}.",
        "Check that it is running, reachable and writable with the rights given. " + address.REMEDY,
    )
