"""Raw replies as they came: immutable compressed files, from which everything can be rebuilt."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from zyenta_ads_pipeline.domain.errors import StorageError


class RawArchive:
    """Files of replies under one local folder, one per run, account and kind of call."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def store(
        self, account_id: str, run_id: str, name: str, replies: list[Mapping[str, Any]]
    ) -> Path:
        """Write one file of JSON lines, one reply a line, and return its path.

        Written aside, flushed to disk and renamed: a file is whole or absent. Raises
        `StorageError` when it cannot be written.
        """
        path = self.root / account_id / run_id / f"{name}.jsonl.gz"
        aside = path.with_suffix(f".{os.getpid()}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with aside.open("wb") as raw:
                with gzip.GzipFile(fileobj=raw, mode="wb", mtime=0, compresslevel=5) as packed:
                    for reply in replies:
                        packed.write(json.dumps(reply, default=_exact).encode() + b"\n")
                raw.flush()
                os.fsync(raw.fileno())
            aside.replace(path)
        except OSError as error:
            raise StorageError(
                f"The raw replies cannot be archived in {path}: {error}",
                "Check ZYENTA_HOME: does the place exist, may this user write there, is there "
                "room?",
            ) from error
        return path

    def replies(self, path: Path) -> Iterator[dict[str, Any]]:
        """Read one file back."""
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line, parse_float=Decimal)


def _exact(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no place in a reply")
