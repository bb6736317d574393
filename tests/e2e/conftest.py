"""Sandboxes and homes of the end-to-end tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.command import Zyenta
from tests.sandboxes import run_sandbox
from zyenta_ads_pipeline.sandbox.config import SandboxConfig
from zyenta_ads_pipeline.sandbox.process import SandboxHandle


@pytest.fixture
def market(tmp_path: Path) -> Iterator[SandboxHandle]:
    """A young market of its own for one test, its clock standing still."""
    config = SandboxConfig(state=tmp_path / "sandbox", port=0, days=20, frozen=True)
    with run_sandbox(config) as handle:
        yield handle


@pytest.fixture
def zyenta(tmp_path: Path, market: SandboxHandle) -> Zyenta:
    """The command in an empty home, pointed at the market."""
    accounts = ",".join(market.account_ids)
    return Zyenta(tmp_path / "home", market.url, {"META_AD_ACCOUNT_IDS": accounts})
