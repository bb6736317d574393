from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from itertools import repeat
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from tests.forked import processes
from tests.store.databases import server
from tests.store.samples import NOW, approved, budget, states
from zyenta_ads_pipeline.domain.change import ChangeState
from zyenta_ads_pipeline.domain.errors import StorageError
from zyenta_ads_pipeline.store.database import VERSION_TABLE, Store, open_store
from zyenta_ads_pipeline.store.outbox import Outbox
from zyenta_ads_pipeline.store.schema import METADATA
from zyenta_ads_pipeline.store.switches import KillSwitches

PROCESSES = 3


def _open_and_propose(url: str, number: int, start: float) -> int:
    time.sleep(max(0.0, start - time.time()))  # all at the same moment
    store = open_store(url)
    try:
        change = budget(str(number))
        return len(Outbox(store).propose([change], actor="a", now=NOW).inserted)
    finally:
        store.close()


def _claim_all(url: str, ids: list[str], owner: str) -> list[str]:
    store = open_store(url)
    try:
        outbox = Outbox(store)
        lease = timedelta(minutes=5)
        won = [i for i in ids if outbox.claim(i, owner=owner, lease=lease, now=NOW)]
    finally:
        store.close()
    return won


def test_several_processes_open_an_empty_database_at_once(empty_url: str) -> None:
    numbers = range(1, 2 * PROCESSES + 1)
    with ProcessPoolExecutor(PROCESSES, mp_context=processes()) as pool:
        list(pool.map(len, [""] * PROCESSES))  # the processes have started
        start = time.time() + 1
        done = pool.map(_open_and_propose, repeat(empty_url), numbers, repeat(start))
        assert list(done) == [1] * len(numbers)
    store = open_store(empty_url)
    assert len(Outbox(store).find()) == 2 * PROCESSES
    with store.read() as session:
        assert session.execute(text(f"SELECT count(*) FROM {VERSION_TABLE}")).scalar() == 1
    store.close()


def test_several_threads_open_an_empty_database_at_once(empty_url: str) -> None:
    failures: list[BaseException] = []

    def work() -> None:
        try:
            open_store(empty_url).close()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_of_several_processes_each_change_is_claimed_by_one(store: Store, store_url: str) -> None:
    outbox = Outbox(store)
    ids = approved(outbox, *(budget(str(n)) for n in range(1, 41)))
    owners = [f"worker {number}" for number in range(PROCESSES)]
    with ProcessPoolExecutor(PROCESSES, mp_context=processes()) as pool:
        won = list(pool.map(_claim_all, repeat(store_url), repeat(ids), owners))
    assert Counter(change_id for part in won for change_id in part) == Counter(ids)
    for record in outbox.find():
        assert record.state is ChangeState.SENDING
        assert states(outbox, record.id).count(ChangeState.SENDING) == 1


def test_of_several_threads_each_change_is_claimed_by_one(store: Store) -> None:
    outbox = Outbox(store)
    ids = approved(outbox, *(budget(str(n)) for n in range(1, 21)))
    won: list[str] = []
    barrier = threading.Barrier(6)

    def work(owner: str) -> None:
        barrier.wait()
        for change_id in ids:
            if outbox.claim(change_id, owner=owner, lease=timedelta(minutes=5), now=NOW):
                won.append(change_id)

    threads = [threading.Thread(target=work, args=(f"t{n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == sorted(ids)


def test_proposals_from_several_threads_leave_one_open_change(store: Store) -> None:
    outbox = Outbox(store)
    changes = [budget("7", new=10_000 + n) for n in range(1, 13)]
    threads = [
        threading.Thread(target=outbox.propose, args=([c],), kwargs={"actor": "a", "now": NOW})
        for c in changes
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = Counter(record.state for record in outbox.find())
    assert found == {ChangeState.PROPOSED: 1, ChangeState.SUPERSEDED: len(changes) - 1}


def test_the_migrations_give_the_tables_of_the_models(store: Store) -> None:
    with store.read() as session:
        context = MigrationContext.configure(
            session.connection(), opts={"version_table": VERSION_TABLE}
        )
        assert compare_metadata(context, METADATA) == []


def test_a_schema_from_the_future_is_refused(store: Store, store_url: str) -> None:
    with store.write() as session:
        session.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = 'zzzz'"))
    with pytest.raises(StorageError, match="newer version"):
        open_store(store_url)


def test_foreign_keys_and_durability_of_sqlite(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/deep/er/store.db")
    with store.read() as session:
        for pragma, value in [("journal_mode", "wal"), ("foreign_keys", 1), ("synchronous", 2)]:
            assert session.execute(text(f"PRAGMA {pragma}")).scalar() == value
    store.close()


def test_readers_do_not_wait_for_a_writer(store: Store) -> None:
    outbox = Outbox(store)
    [change_id] = approved(outbox, budget())
    with store.write() as session:
        session.execute(text("UPDATE changes SET last_note = 'half-done'"))
        assert outbox.get(change_id).last_note != "half-done"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://bob:sesame@127.0.0.1:1/ads",
        "postgres://bob:sesame@127.0.0.1:1/ads",
        "postgresql+psycopg://127.0.0.1:1/ads?password=sesame&user=bob",
        "postgresql://bob:sesame@127.0.0.1:port/ads",
        "mysql://bob:sesame@localhost/ads",
        "sesame",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:////proc/sesame/store.db",
        "sqlite+aiosqlite:///store.db",
    ],
)
def test_a_url_that_cannot_be_used(url: str) -> None:
    with pytest.raises(StorageError) as caught:
        open_store(url)
    assert caught.value.remedy
    if "proc" not in url:
        assert "sesame" not in str(caught.value)


def test_the_traceback_shows_no_password_either() -> None:
    code = "from zyenta_ads_pipeline.store.database import open_store; open_store({!r})"
    for url in ("postgresql://bob:sesame@127.0.0.1:1/ads", "postgresql://bob:sesame@h:x/ads"):
        ended = subprocess.run(
            [sys.executable, "-c", "import sys; exec(sys.stdin.read())"],
            input=code.format(url),
            capture_output=True,
            text=True,
            check=False,
        )
        assert "StorageError" in ended.stderr
        assert "sesame" not in ended.stderr


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.write_text("this is a letter, not a database " * 100)
    with pytest.raises(StorageError, match="not a database"):
        open_store(f"sqlite:///{path}")


def test_a_database_that_goes_away_while_open(tmp_path: Path) -> None:
    name = "goes_away"
    server().run(f"CREATE DATABASE {name} TEMPLATE zyenta_template")
    store = open_store(server().url(name))
    Outbox(store).find()
    server().run(f"DROP DATABASE {name} WITH (FORCE)")
    with pytest.raises(StorageError, match="goes_away"):
        Outbox(store).find()
    with pytest.raises(StorageError, match="goes_away"):
        KillSwitches(store).all()
    store.close()
