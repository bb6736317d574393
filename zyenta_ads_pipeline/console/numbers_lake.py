"""The lake as it was looked at last: pinned tables, and what was worked out from them, kept until
one of them changes."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any, Generic, TypeVar

import polars as pl
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from zyenta_ads_pipeline.domain.errors import StorageError
from zyenta_ads_pipeline.lake.files import REMEDY
from zyenta_ads_pipeline.lake.lake import Lake, Snapshot
from zyenta_ads_pipeline.lake.schema import Table

LOOK_EVERY = 5.0
"""Seconds that an answer may be behind the lake."""
MOST_KEPT = 512
MOST_WEIGHT = 32_000
"""Rows of all that is kept; a day of a series takes 1.3 kB."""
_STRIPES = 16

Value = TypeVar("Value")
Make = Callable[[Snapshot], Value]


@dataclass
class _Held:
    """One table: `pinned` is what is read, `probe` a second handle that is brought up to date to
    see whether it changed (reading one that moves meanwhile would mix two moments)."""

    pinned: DeltaTable | None
    probe: DeltaTable | None
    mark: str
    looked_at: float
    written_at: int | None = None


class Watch:
    """Tables at their newest versions, looked at again after `every` seconds. Thread-safe."""

    def __init__(
        self, lake: Lake, *, every: float = LOOK_EVERY, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._lake = lake
        self._every = every
        self._clock = clock
        self._lock = Lock()
        self._held: dict[str, _Held] = {}

    def at(self, *tables: Table) -> tuple[Snapshot, str]:
        """The tables pinned, and a text that changes when one of them does.

        Raises `StorageError` where one cannot be opened.
        """
        with self._lock:
            held = {table.name: self._look(table) for table in tables}
        marks = " ".join(f"{name}={each.mark}" for name, each in held.items())
        return Snapshot({name: each.pinned for name, each in held.items()}), marks

    def written_at(self, table: Table) -> int | None:
        """When the table's newest version was committed, this machine's clock, milliseconds since
        1970; None while it was never written."""
        with self._lock:
            held = self._look(table)
        if held.pinned is not None and held.written_at is None:
            with _one_error(table.name):
                (newest,) = held.pinned.history(1)
            held.written_at = int(newest["timestamp"])
        return held.written_at

    def forget(self) -> None:
        """Open every table anew the next time."""
        with self._lock:
            self._held.clear()

    def _look(self, table: Table) -> _Held:
        now = self._clock()
        held = self._held.get(table.name)
        if held is not None and now - held.looked_at < self._every:
            return held
        if held is None or held.probe is None or held.pinned is None or _moved(held):
            pinned = self._lake.open(table)
            probe = None if pinned is None else self._lake.open(table)
            mark = "" if pinned is None else f"{pinned.metadata().id}:{pinned.version()}"
            held = self._held[table.name] = _Held(pinned, probe, mark, now)
        held.looked_at = now
        return held


def _moved(held: _Held) -> bool:
    """Whether the table has another version than the one that is pinned."""
    if held.probe is None or held.pinned is None:
        return True
    try:
        held.probe.update_incremental()
    except DeltaError:  # its folder was replaced: opening it anew says what is wrong, if anything
        return True
    return bool(held.probe.version() != held.pinned.version())


@dataclass
class _Entry(Generic[Value]):
    mark: str
    value: Value
    weight: int


class Kept:
    """What was made from a lake, by key, until a table that it was made from changes.

    Those used last are kept: at most `MOST_KEPT` answers, of `MOST_WEIGHT` rows together. While one
    thread makes an answer anew, others get the one before. Thread-safe.
    """

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._lock = Lock()
        self._entries: OrderedDict[Hashable, _Entry[Any]] = OrderedDict()
        self._weight = 0
        self._stripes = [Lock() for _ in range(_STRIPES)]

    @property
    def size(self) -> tuple[int, int]:
        """How many answers are kept, and how many rows they have together."""
        with self._lock:
            return len(self._entries), self._weight

    def of(
        self,
        key: Hashable,
        tables: tuple[Table, ...],
        make: Make[Value],
        rows: Callable[[Value], int] = lambda _: 1,
    ) -> Value:
        """The kept answer under `key`, or what `make` reads from `tables`. `rows` says how long an
        answer is.

        Raises `StorageError` where they cannot be read.
        """
        snapshot, mark = self._watch.at(*tables)
        entry = self._entry(key)
        if entry is not None and entry.mark == mark:
            return entry.value  # type: ignore[no-any-return]
        stripe = self._stripes[hash(key) % _STRIPES]
        if not stripe.acquire(blocking=entry is None) and entry is not None:
            return entry.value  # type: ignore[no-any-return]
        try:
            entry = self._entry(key)
            if entry is not None and entry.mark == mark:
                return entry.value  # type: ignore[no-any-return]
            value, mark = self._made(tables, make, snapshot, mark)
            self._keep(key, _Entry(mark, value, max(1, rows(value))))
            return value
        finally:
            stripe.release()

    def _made(
        self, tables: tuple[Table, ...], make: Make[Value], snapshot: Snapshot, mark: str
    ) -> tuple[Value, str]:
        names = ", ".join(table.name for table in tables)
        try:
            with _one_error(names):
                return make(snapshot), mark
        except StorageError:  # perhaps it was replaced under the same version: look anew, once
            self._watch.forget()
            snapshot, mark = self._watch.at(*tables)
            with _one_error(names):
                return make(snapshot), mark

    def _keep(self, key: Hashable, entry: _Entry[Any]) -> None:
        with self._lock:
            before = self._entries.pop(key, None)
            self._weight -= before.weight if before else 0
            if entry.weight > MOST_WEIGHT:  # it would cost all others their place
                return
            self._entries[key] = entry
            self._weight += entry.weight
            while len(self._entries) > MOST_KEPT or self._weight > MOST_WEIGHT:
                _, oldest = self._entries.popitem(last=False)
                self._weight -= oldest.weight

    def _entry(self, key: Hashable) -> _Entry[Any] | None:
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None:
                self._entries.move_to_end(key)
            return entry


def fingerprint(mark: str) -> str:
    """A short text for a mark of `Watch.at`."""
    return hashlib.sha256(mark.encode()).hexdigest()[:16]


@contextmanager
def _one_error(names: str) -> Iterator[None]:
    """Raise `StorageError` for whatever Polars or the files say."""
    try:
        yield
    except (pl.exceptions.PolarsError, DeltaError, OSError) as error:
        raise StorageError(
            f"The lake's tables {names} cannot be read: {' '.join(str(error).split())}", REMEDY
        ) from error
