"""Sandboxes for the tests: processes of their own, which start at once."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO, cast

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
