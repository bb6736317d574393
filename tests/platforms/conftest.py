"""Sandboxes with a token of their own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.sandboxes import run_sandbox
from zyenta_ads_pipeline.sandbox.config import SandboxConfig
from zyenta_ads_pipeline.sandbox.process import SandboxHandle

TOKEN = "EAAGsandboxSECRET0123456789"
START = datetime(2026, 11, 3, 17, 30, tzinfo=UTC)


@pytest.fixture(scope="package")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxHandle]:
    """Two accounts and a hundred days, which no test changes."""
    state = tmp_path_factory.mktemp("market")
    config = SandboxConfig(
        state=state, port=0, accounts=2, days=100, start=START, frozen=True, token=TOKEN
    )
    with run_sandbox(config) as sandbox:
        yield sandbox


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[SandboxHandle]:
    """A small market of a test's own."""
    config = SandboxConfig(
        state=tmp_path / "state", port=0, days=10, start=START, frozen=True, token=TOKEN
    )
    with run_sandbox(config) as sandbox:
        yield sandbox
