"""What the package does when it is imported: one thing, and nothing against the user's word."""

from __future__ import annotations

import os
import subprocess
import sys

_ASK = "import os, zyenta_ads_pipeline; print(os.environ['_RJEM_MALLOC_CONF'])"


def _setting(**environment: str) -> str:
    inherited = {name: text for name, text in os.environ.items() if name != "_RJEM_MALLOC_CONF"}
    asked = subprocess.run(
        [sys.executable, "-c", _ASK],
        env=inherited | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return asked.stdout.strip()


def test_polars_allocator_gives_memory_back() -> None:
    assert "muzzy_decay_ms:0" in _setting()


def test_a_setting_of_the_user_stands() -> None:
    assert _setting(_RJEM_MALLOC_CONF="narenas:4") == "narenas:4"
