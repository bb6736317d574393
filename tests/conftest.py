"""How tests run here: Hypothesis without a deadline for one example, since a busy machine is not a
failure; and the browser's tests by file, since each file has a world that is dear to make."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from hypothesis import settings

settings.register_profile("zyenta", deadline=None)
settings.load_profile("zyenta")

_BY_FILE = "tests/browser/"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With `--dist loadgroup`, as `make test` has it: any test to any worker, but the browser's
    tests of one file to one. No marks: pytest 9.2 does not see what pytest-xdist 3.8 makes of
    `xdist_group`."""
    if config.getvalue("dist") != "loadgroup":
        return None
    scheduler: Any = import_module("xdist.scheduler").LoadScopeScheduling(config, log)
    scheduler._split_scope = _split_scope
    return scheduler


def _split_scope(nodeid: str) -> str:
    return nodeid.partition("::")[0] if nodeid.startswith(_BY_FILE) else nodeid
