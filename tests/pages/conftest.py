"""One console for each test of the pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.home import Home, opened


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A console on a new store with a connected shop, three campaigns and a token per role."""
    with opened(tmp_path, monkeypatch) as made:
        yield made
