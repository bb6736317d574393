"""How tests run here, and what makes them quick: Hypothesis by profile, certificates of nobody,
files in memory, copies of one migrated database; and some tests by file, since each file has a
world that is dear to make."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests.examples import load_profile

load_profile()

_BY_FILE = ("tests/browser/", "tests/e2e/test_kag")
"""Where the tests of a file share a world that is dear to make."""
_POSTGRES_TOO = {
    "console.test_two_buyers", "store.test_access", "store.test_campaign_guards",
    "store.test_campaign_machine", "store.test_database", "store.test_launches",
    "store.test_ledger", "store.test_migrations", "store.test_orders", "store.test_outbox",
    "store.test_pages", "store.test_usage",
}  # fmt: skip
"""Whose SQL, locks or migrations are not the same on both databases."""
_ROOM = 4 * 1024**3


def pytest_configure() -> None:
    """Every HTTP client reads the world's certificate authorities, which takes longer than most
    tests, and no test speaks to the world: a folder without any is read at once."""
    os.environ.pop("SSL_CERT_FILE", None)
    os.environ["SSL_CERT_DIR"] = str(Path(__file__).parent)
    if (memory := in_memory(_ROOM)) is not None:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", memory)


def in_memory(room: int) -> str | None:
    """A folder in memory with `room` for so many bytes, else None."""
    shared = Path("/dev/shm")  # noqa: S108
    roomy = shared.is_dir() and shutil.disk_usage(shared).free > room
    return str(shared) if roomy and os.access(shared, os.W_OK) else None


@pytest.fixture(scope="session", autouse=True)
def _migrated_by_copy() -> Iterator[None]:
    from tests.store.databases import migrated_by_copy  # which needs this module itself

    with migrated_by_copy():
        yield


@pytest.fixture(autouse=True)
def _own_dagster_home() -> Iterator[None]:
    """What a test lets the product set does not reach the next one, whose folder is another."""
    before = os.environ.get("DAGSTER_HOME")
    yield
    if before is None:
        os.environ.pop("DAGSTER_HOME", None)
    else:
        os.environ["DAGSTER_HOME"] = before


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What runs on SQLite and on Postgres alike is slow on Postgres."""
    for item in items:
        if not isinstance(item, pytest.Function):
            continue
        if item.module.__name__.removeprefix("tests.") not in _POSTGRES_TOO:
            values = item.callspec.params.values() if hasattr(item, "callspec") else ()
            if any(isinstance(value, str) and value == "postgres" for value in values):
                item.add_marker(pytest.mark.slow)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With `--dist loadgroup`, as `make test` has it: any test to any worker, but those of one
    file to one where `_BY_FILE` says so. No marks: pytest 9.2 does not see what pytest-xdist 3.8
    makes of `xdist_group`."""
    if config.getvalue("dist") != "loadgroup":
        return None
    scheduler: Any = import_module("xdist.scheduler").LoadScopeScheduling(config, log)
    scheduler._split_scope = _split_scope
    return scheduler


def _split_scope(nodeid: str) -> str:
    return nodeid.partition("::")[0] if nodeid.startswith(_BY_FILE) else nodeid
