"""Sandboxes for the tests: processes of their own, which start at once."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO, cast

import pytest

from tests.forked import Forked
from zyenta_ads_pipeline.sandbox.config import SandboxConfig
from zyenta_ads_pipeline.sandbox.process import SandboxHandle


class ForkedSandbox(SandboxHandle):
    """A sandbox as `SandboxHandle` has it, without reading its code anew."""

    def _child_of(self, arguments: list[str], stderr: TextIO) -> subprocess.Popen[str]:
        child = Forked("zyenta_ads_pipeline.sandbox", *arguments, stderr=stderr)
        return cast("subprocess.Popen[str]", child)


@contextmanager
def run_sandbox(config: SandboxConfig) -> Iterator[SandboxHandle]:
    """As the product's own `run_sandbox`."""
    handle = ForkedSandbox(config)
    try:
        yield handle
    finally:
        handle.stop()


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxHandle]:
    """A sandbox of three days for the tests of one file."""
    config = SandboxConfig(state=tmp_path_factory.mktemp("sandbox"), port=0, days=3)
    with run_sandbox(config) as handle:
        yield handle
