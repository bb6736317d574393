"""Where the browser of the tests comes from, and what is said where there is none."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.browser import finding


def test_the_systems_browser_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "chromium"
    own.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    nothing: Any = None
    assert finding.any_browser(nothing, tmp_path / "tried") == own


def test_what_cannot_be_fetched_is_tried_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[str] = []
    monkeypatch.setattr(finding, "system_browser", lambda: None)
    monkeypatch.setattr(finding, "_fetch", lambda: tries.append("once"))
    playwright: Any = SimpleNamespace(
        chromium=SimpleNamespace(executable_path=str(tmp_path / "none"))
    )
    for _ in range(2):
        assert finding.any_browser(playwright, tmp_path / "tried") is None
    assert tries == ["once"]
    assert "apt-get install chromium" in finding.REMEDY
