"""Delta tables that this process opened before, given again as long as nobody wrote to them.

Opening a table replays its log, which costs more than most reads; the name of the newest commit
says at once whether that would find anything new. Handles given here are read from and never
brought up to date: a writer opens its own.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError

_MOST = 512
"""Tables kept open: a process that works on one lake has some forty."""


class _Mark(NamedTuple):
    """The newest commit of a table, and its file: a lake may be removed and made anew."""

    name: str
    inode: int
    written: int


_opened: dict[str, tuple[_Mark, DeltaTable]] = {}


def newest(uri: str) -> DeltaTable | None:
    """The table at its newest version, for reading; None while there is none."""
    mark = None if "://" in uri else _mark(Path(unquote(uri)))
    if mark is None:
        return _open(uri)
    known = _opened.get(uri)
    if known is not None and known[0] == mark:
        return known[1]
    table = _open(uri)
    if table is not None:
        # The mark is older than what was opened, or as old: a commit in between is seen next time.
        _opened.pop(uri, None)
        _opened[uri] = (mark, table)
        while len(_opened) > _MOST:
            _opened.pop(next(iter(_opened)), None)
    return table


def _open(uri: str) -> DeltaTable | None:
    try:
        return DeltaTable(uri)
    except TableNotFoundError:
        return None


def _mark(folder: Path) -> _Mark | None:
    """None where the log cannot be looked at: then the table is simply opened."""
    try:
        commits = [name for name in os.listdir(folder / "_delta_log") if _is_commit(name)]  # noqa: PTH208 - names alone, at a third of the cost
        if not commits:
            return None
        last = max(commits)
        seen = (folder / "_delta_log" / last).stat()
    except OSError:
        return None
    return _Mark(last, seen.st_ino, seen.st_mtime_ns)


def _is_commit(name: str) -> bool:
    return name.endswith(".json") and name[:20].isdigit()
