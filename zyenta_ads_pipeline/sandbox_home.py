"""The folder that demo and dev share: kept apart from a real account's, used by one at a time."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.sandbox.process import SandboxHandle
from zyenta_ads_pipeline.settings import SANDBOX_TOKEN

_MARK = ".sandbox-home"


@contextmanager
def sandbox_home(home: Path, *, fresh: bool) -> Iterator[Path]:
    """Hold `home` for this process; with `fresh` empty it first.

    Raises `InputError` when another demo or dev holds it, or when it has data that neither made.
    """
    home = home.absolute()
    mark = home / _MARK
    if home.is_dir() and any(home.iterdir()) and not mark.exists():
        raise InputError(
            f"{home} holds data that is not the sandbox's.",
            "Choose another folder with ZYENTA_HOME or --home; nothing was touched.",
        )
    home.mkdir(parents=True, exist_ok=True)
    with mark.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(
                f"{home} is in use by another `zyenta demo` or `zyenta dev`.", "Stop that first."
            ) from None
        if fresh:
            for entry in home.iterdir():
                if entry != mark:
                    shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        yield home


def use_sandbox(handle: SandboxHandle, home: Path) -> None:
    """Point this process, and the ones it starts, at a running sandbox and its home."""
    os.environ.update(
        {
            "ZYENTA_HOME": str(home),
            "META_GRAPH_URL": handle.url,
            "META_ACCESS_TOKEN": SANDBOX_TOKEN,
            "META_AD_ACCOUNT_IDS": ",".join(handle.account_ids),
            # Said, since .env may name real ones, which a sandbox must not be sent.
            "META_ACCOUNT_TOKENS": ",".join(f"{one}={SANDBOX_TOKEN}" for one in handle.account_ids),
            # Said, since .env may name others: a sandbox never writes into real accounts' data.
            "ZYENTA_LAKE_ROOT": str(home / "lake"),
            "ZYENTA_DATABASE_URL": f"sqlite:///{home / 'store.db'}",
        }
    )
    os.environ.pop("DAGSTER_HOME", None)
