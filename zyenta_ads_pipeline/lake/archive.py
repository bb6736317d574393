"""Raw replies as they came: one compressed file a report, from which everything can be rebuilt.

While a report is being read its file lies under `open/`, one zstandard frame a page, so that a
process that was killed finds the pages it had. Once the rows are stored the file moves, whole and
flushed, to `<account>/<run>/` and is never changed again. `zstd -dc` gives JSON lines; DuckDB
reads them as they are.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

import zstandard

from zyenta_ads_pipeline.domain.errors import StorageError
from zyenta_ads_pipeline.domain.insights import Report

_LEVEL = 3
_TRIES = 20
"""How often a file may be moved away between opening and locking it."""
_REMEDY = "Check ZYENTA_HOME: does the place exist, may this user write there, is there room?"


@dataclass(frozen=True)
class Reply:
    """One archived reply: the request (without secrets), when it was given, and its bytes."""

    request: str
    observed_at: datetime
    body: bytes


class RawArchive:
    """The files of replies under one local folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def open(self, report: Report) -> OpenReport:
        """The file of a report under way, with the pages that an earlier process left in it.

        A file that another process is using is left to it: this one then starts its own, which
        nobody takes up. Raises `StorageError` when the folder cannot be written.
        """
        folder = self.root / "open" / report.account_id
        path = folder / f"{report.fingerprint()}.jsonl.zst"
        with _storage_errors(path):
            folder.mkdir(parents=True, exist_ok=True)
            for _ in range(_TRIES):
                file = path.open("a+b")
                free = _lock(file)
                if free and _is_at(file, path):
                    return OpenReport(self.root, path, file, report)
                file.close()
                if not free:
                    path = folder / f"{report.fingerprint()}.jsonl.zst.{uuid4().hex}"
            raise BlockingIOError(errno.EAGAIN, "it is moved away whenever it is opened")

    def discard_older(self, account_id: str, moment: datetime) -> int:
        """Remove files of reports that nobody took up since `moment`; gives their number."""
        removed = 0
        for path in sorted((self.root / "open" / account_id).glob("*.jsonl.zst*")):
            with suppress(FileNotFoundError), path.open("rb") as file:
                touched = datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, UTC)
                if touched < moment and _lock(file) and _is_at(file, path):
                    path.unlink()
                    removed += 1
        return removed

    def prune(self, before: datetime) -> int:
        """Remove what was read before that moment (aware); gives the number of files.

        Raises `StorageError` where a file cannot be removed.
        """
        removed = 0
        for folder in sorted(path for path in self.root.glob("*/*") if path.parent.name != "open"):
            with _storage_errors(folder):
                old = [one for one in folder.glob("*.jsonl.zst") if _last_written(one) < before]
                for path in old:
                    path.unlink()
                removed += len(old)
                if old and not any(folder.iterdir()):  # one found empty may be of a run under way
                    folder.rmdir()
        for folder in sorted(self.root.glob("open/*")):
            removed += self.discard_older(folder.name, before)
        return removed

    def files(self, account_id: str, run_id: str) -> list[Path]:
        """The files that a run archived for an account."""
        return sorted((self.root / account_id / run_id).glob("*.jsonl.zst"))

    def replies(self, path: Path) -> Iterator[Reply]:
        """Read one file back, reply by reply; an unfinished last one is left out."""
        with path.open("rb") as file:
            for line, _ in _frames(file):
                yield _reply(line)


class OpenReport:
    """The file of one report under way; this process alone writes it."""

    def __init__(self, root: Path, path: Path, file: BinaryIO, report: Report) -> None:
        self._root = root
        self._path = path
        self._file = file
        self._report = report
        self._packer = zstandard.ZstdCompressor(level=_LEVEL)

    def replies(self) -> list[Reply]:
        """The pages that are there; what was cut off by a crash is cut off for good."""
        with _storage_errors(self._path):
            self._file.seek(0)
            kept, whole = [], 0
            for line, end in _frames(self._file):
                kept.append(_reply(line))
                whole = end
            self._file.truncate(whole)
            self._file.seek(whole)
        return kept

    def add(self, reply: Reply) -> None:
        """Append one page."""
        with _storage_errors(self._path):
            frame = self._packer.compressobj()
            for part in _line(reply):  # a page has megabytes: its parts are not joined first
                self._file.write(frame.compress(part))
            self._file.write(frame.flush())
            self._file.flush()

    def restart(self) -> None:
        """Forget the pages: the report is asked anew."""
        with _storage_errors(self._path):
            self._file.seek(0)
            self._file.truncate()

    def archive(self, run_id: str) -> Path:
        """Move the file to its final place, flushed; gives the path there."""
        report = self._report
        told = f"{report.level.value}_{report.preset.name}_{report.days.since}_{report.days.until}"
        folder = self._root / report.account_id / run_id
        stem = f"{told}_{report.fingerprint()[:12]}"
        target = folder / f"{stem}.jsonl.zst"
        with _storage_errors(target):
            folder.mkdir(parents=True, exist_ok=True)
            times = 1
            while target.exists():  # the same report, asked twice in one run
                times += 1
                target = folder / f"{stem}_{times}.jsonl.zst"
            self._file.flush()
            os.fsync(self._file.fileno())
            self._path.replace(target)
            self._file.close()
        return target

    def remove(self) -> None:
        """Forget the pages and the file."""
        with _storage_errors(self._path):
            self._path.unlink(missing_ok=True)
            self._file.close()

    def close(self) -> None:
        """Let go of the file; its pages stay for who takes the report up again."""
        self._file.close()


def _last_written(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _lock(file: BinaryIO) -> bool:
    """Lock the file until it is closed; False where another process has."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_at(file: BinaryIO, path: Path) -> bool:
    """Whether the open file is still the one at `path`: until it was locked, another process
    may have archived or removed it."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


@contextmanager
def _storage_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(f"The raw replies cannot be kept in {path}: {error}", _REMEDY) from error


def _line(reply: Reply) -> tuple[bytes, bytes, bytes]:
    head = json.dumps({"request": reply.request, "observed_at": reply.observed_at.isoformat()})
    return f'{head[:-1]}, "reply": '.encode(), reply.body, b"}\n"


def _reply(line: bytes) -> Reply:
    head, _, rest = line.partition(b', "reply": ')
    told = json.loads(head + b"}")
    return Reply(told["request"], datetime.fromisoformat(told["observed_at"]), rest[:-2])


def _frames(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Every whole frame's content with the offset of its end."""
    rest, end = file.read(), 0
    while rest:
        unpacker = zstandard.ZstdDecompressor().decompressobj()
        try:
            content = unpacker.decompress(rest)
        except zstandard.ZstdError:
            return
        if not unpacker.eof:
            return
        end += len(rest) - len(unpacker.unused_data)
        rest = unpacker.unused_data
        yield content, end
