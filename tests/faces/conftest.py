"""A sandbox, a home on it, and Dagster's instance, for the tests of jobs on campaigns."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from tests.faces.campaign_home import settled
from tests.sandboxes import sandbox
from zyenta_ads_pipeline.sandbox.process import SandboxHandle
from zyenta_ads_pipeline.settings import Settings

__all__ = ["sandbox"]


@pytest.fixture
def settings(sandbox: SandboxHandle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    return settled(sandbox, tmp_path, monkeypatch)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made
