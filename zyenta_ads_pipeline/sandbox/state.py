"""The state on disk: one SQLite file, owned by one process, safe against kill -9."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.sandbox.clock import Clock
from zyenta_ads_pipeline.sandbox.objects import Kind, Thing
from zyenta_ads_pipeline.sandbox.review import review_from_json

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS objects (
    position INTEGER PRIMARY KEY, node_id TEXT NOT NULL UNIQUE, body TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS writes (
    id INTEGER PRIMARY KEY AUTOINCREMENT, object TEXT NOT NULL, field TEXT NOT NULL,
    old TEXT, new TEXT, at TEXT NOT NULL, accepted INTEGER NOT NULL, error TEXT,
    author TEXT NOT NULL DEFAULT 'client'
) STRICT;
CREATE TABLE IF NOT EXISTS reports (
    id TEXT PRIMARY KEY, node_id TEXT NOT NULL, params TEXT NOT NULL, made TEXT NOT NULL,
    made_real TEXT NOT NULL, seconds REAL NOT NULL, outcome TEXT NOT NULL,
    observed INTEGER NOT NULL, finished TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS writes_by_object ON writes (object, field, at);
"""
_AUTHOR = "ALTER TABLE writes ADD COLUMN author TEXT NOT NULL DEFAULT 'client'"
_FILE = "sandbox.sqlite"
CLIENT, HUMAN, REVIEWER = "client", "human", "review"
"""Who writes: the API's client, a person in Meta's Ads Manager, Meta's review."""


@dataclass(frozen=True)
class Write:
    """One field of one object that was to change; values as texts, `at` UTC.

    `error` is `code/subcode` of a refusal. A create has the field `create`, and as `new` the kind.
    """

    object: str
    field: str
    old: str | None
    new: str | None
    at: datetime
    accepted: bool
    error: str | None = None
    author: str = CLIENT

    @property
    def changes(self) -> bool:
        """Whether it was accepted and made a difference."""
        return self.accepted and self.old != self.new


@dataclass(frozen=True)
class ReportRun:
    """An asynchronous report as it was asked for; times UTC, `made` in the sandbox's time.

    It takes `seconds` and ends as `outcome` says. `observed` counts how often a client has
    looked since it ended; `finished` is when its rows were computed, or None.
    """

    id: str
    node_id: str
    params: dict[str, str]
    made: datetime
    made_real: datetime
    seconds: float
    outcome: dict[str, Any]
    observed: int = 0
    finished: datetime | None = None


class State:
    """The open state of one sandbox. Closing it lets another process have it."""

    def __init__(self, directory: Path) -> None:
        """Open or create the state. Raises `InputError` when it cannot be had."""
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(
                directory / _FILE, timeout=0.5, isolation_level=None, check_same_thread=False
            )
        except (OSError, sqlite3.OperationalError) as error:
            raise InputError(
                f"The sandbox's state {directory} cannot be used: {error}.",
                "Give a directory that can be written.",
            ) from None
        try:
            # Exclusive mode keeps the file's lock for as long as the process lives.
            self._db.execute("PRAGMA locking_mode=EXCLUSIVE")
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute("COMMIT")
            self._db.executescript(_SCHEMA)
            self._add_author()
        except sqlite3.OperationalError as error:
            self._db.close()
            if "locked" not in str(error):
                raise
            raise InputError(
                f"The sandbox's state {directory} is in use by another process.",
                "Stop that sandbox, or give this one a state directory of its own.",
            ) from None
        except sqlite3.DatabaseError:
            self._db.close()
            raise InputError(
                f"The file {directory / _FILE} is not a sandbox's state.",
                "Give an empty directory.",
            ) from None
        self.directory = directory

    def close(self) -> None:
        """Release the state."""
        self._db.close()

    def identity(self) -> dict[str, Any] | None:
        """What this state was made for, or None when it is new."""
        text = self._get("identity")
        return json.loads(text) if text is not None else None

    def initialise(
        self, identity: Mapping[str, Any], born: datetime, clock: Clock, things: Iterable[Thing]
    ) -> None:
        """Fill a new state, all or nothing."""
        with self._transaction():
            self._set("identity", json.dumps(dict(identity)))
            self._set("born", born.isoformat())
            self._set_clock(clock)
            self._db.executemany(
                "INSERT INTO objects (node_id, body) VALUES (?, ?)",
                ((thing.node_id, _to_text(thing)) for thing in things),
            )

    def born(self) -> datetime:
        """The sandbox's time (UTC) at which this state was made."""
        return datetime.fromisoformat(self._need("born"))

    def clock(self) -> Clock:
        """The clock as it was last set."""
        value = json.loads(self._need("clock"))
        return Clock(
            datetime.fromisoformat(value["sandbox"]),
            datetime.fromisoformat(value["real"]),
            value["frozen"],
        )

    def save_clock(self, clock: Clock) -> None:
        """Remember a clock that was set."""
        with self._transaction():
            self._set_clock(clock)

    def things(self) -> list[Thing]:
        """All objects, in order."""
        rows = self._db.execute("SELECT body FROM objects ORDER BY position")
        return [_from_text(body) for (body,) in rows]

    def record(self, writes: Iterable[Write], things: Iterable[Thing] = ()) -> None:
        """Log writes and store the objects that they made or changed, all or nothing."""
        with self._transaction():
            self._db.executemany(
                "INSERT INTO writes (object, field, old, new, at, accepted, error, author)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    (w.object, w.field, w.old, w.new, w.at.isoformat(), w.accepted, w.error,
                     w.author)
                    for w in writes
                ),
            )  # fmt: skip
            self._db.executemany(
                "INSERT INTO objects (node_id, body) VALUES (?, ?)"
                " ON CONFLICT (node_id) DO UPDATE SET body = excluded.body",
                ((thing.node_id, _to_text(thing)) for thing in things),
            )

    def writes(self, object_id: str | None = None) -> list[tuple[int, Write]]:
        """The log with its numbers, oldest first; of one object or of all."""
        where = "" if object_id is None else "WHERE object = ?"
        rows = self._db.execute(
            "SELECT id, object, field, old, new, at, accepted, error, author FROM writes "
            f"{where} ORDER BY id",
            () if object_id is None else (object_id,),
        )
        return [
            (
                number,
                Write(
                    object=thing,
                    field=field,
                    old=old,
                    new=new,
                    at=datetime.fromisoformat(at),
                    accepted=bool(accepted),
                    error=error,
                    author=author,
                ),
            )
            for number, thing, field, old, new, at, accepted, error, author in rows
        ]

    def save_report(self, report: ReportRun) -> None:
        """Store a report, new or changed."""
        with self._transaction():
            self._db.execute(
                "INSERT OR REPLACE INTO reports VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    report.id,
                    report.node_id,
                    json.dumps(report.params),
                    report.made.isoformat(),
                    report.made_real.isoformat(),
                    report.seconds,
                    json.dumps(report.outcome),
                    report.observed,
                    None if report.finished is None else report.finished.isoformat(),
                ),
            )

    def reports(self) -> list[ReportRun]:
        """All asynchronous reports, oldest first."""
        rows = self._db.execute(
            "SELECT id, node_id, params, made, made_real, seconds, outcome, observed, finished"
            " FROM reports ORDER BY id"
        )
        return [
            ReportRun(
                id=row[0],
                node_id=row[1],
                params=json.loads(row[2]),
                made=datetime.fromisoformat(row[3]),
                made_real=datetime.fromisoformat(row[4]),
                seconds=row[5],
                outcome=json.loads(row[6]),
                observed=row[7],
                finished=None if row[8] is None else datetime.fromisoformat(row[8]),
            )
            for row in rows
        ]

    def note(self, key: str) -> Any:
        """A remembered setting, or None."""
        text = self._get(f"note:{key}")
        return None if text is None else json.loads(text)

    def keep_note(self, key: str, value: Any) -> None:
        """Remember a setting; `value` must be JSON."""
        with self._transaction():
            self._set(f"note:{key}", json.dumps(value))

    def _add_author(self) -> None:
        """Give the log of an older sandbox the column that it lacks."""
        columns = {row[1] for row in self._db.execute("PRAGMA table_info(writes)")}
        if "author" not in columns:
            self._db.execute(_AUTHOR)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def _get(self, key: str) -> str | None:
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def _need(self, key: str) -> str:
        value = self._get(key)
        if value is None:
            raise InputError(
                f"The sandbox's state {self.directory} is incomplete: {key} is missing.",
                "Give an empty directory.",
            )
        return value

    def _set(self, key: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def _set_clock(self, clock: Clock) -> None:
        self._set(
            "clock",
            json.dumps(
                {
                    "sandbox": clock.sandbox.isoformat(),
                    "real": clock.real.isoformat(),
                    "frozen": clock.frozen,
                }
            ),
        )


def _to_text(thing: Thing) -> str:
    values = asdict(thing)
    values["created_time"] = thing.created_time.isoformat()
    values["updated_time"] = thing.updated_time.isoformat()
    values["review"] = None if thing.review is None else thing.review.as_json()
    return json.dumps(values)


def _from_text(text: str) -> Thing:
    values = json.loads(text)
    values["kind"] = Kind(values["kind"])
    values["created_time"] = datetime.fromisoformat(values["created_time"])
    values["updated_time"] = datetime.fromisoformat(values["updated_time"])
    if values.get("review") is not None:
        values["review"] = review_from_json(values["review"])
    return Thing(**values)
