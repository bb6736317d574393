"""A saved sequence of insights pages, and what happens when one is cut out of it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.command import Zyenta
from tests.sandboxes import run_sandbox
from zyenta_ads_pipeline.sandbox.config import SandboxConfig

_FIRST = date.today() - timedelta(days=12)  # noqa: DTZ011 - any recent day will do
_DAYS, _ADS, _PER_PAGE = 5, 4, 6
_ACCOUNT = "3344"


def _offset(n: int) -> str:
    """A cursor as Meta's insights have them: base64 of the row's number."""
    return base64.b64encode(str(n).encode()).decode().replace("=", "ZD")


def _chained(n: int) -> str:
    return f"cursor-{n // _PER_PAGE}"


def _pages(cursor: Callable[[int], str]) -> list[dict[str, Any]]:
    rows = [
        {
            "account_id": _ACCOUNT,
            "account_currency": "EUR",
            "campaign_id": "31",
            "adset_id": "32",
            "ad_id": f"33{ad}",
            "date_start": str(_FIRST + timedelta(days=day)),
            "date_stop": str(_FIRST + timedelta(days=day)),
            "impressions": "1000",
            "clicks": "10",
            "spend": "12.34",
            "actions": [{"action_type": "purchase", "value": "2"}],
            "action_values": [{"action_type": "purchase", "value": "61.7"}],
        }
        for day in range(_DAYS)
        for ad in range(_ADS)
    ]
    starts = range(0, len(rows), _PER_PAGE)
    pages: list[dict[str, Any]] = []
    for start in starts:
        held = rows[start : start + _PER_PAGE]
        offsets = cursor is _offset
        after = cursor(start + len(held) - 1 if offsets else start + _PER_PAGE)
        paging: dict[str, Any] = {"cursors": {"before": cursor(start), "after": after}}
        if start != starts[-1]:
            paging["next"] = (
                f"https://graph.facebook.com/v26.0/act_{_ACCOUNT}/insights?after={after}"
            )
        pages.append({"data": held, "paging": paging})
    return pages


def _sync(folder: Path, name: str, pages: list[dict[str, Any]], home: Path) -> tuple[int, str]:
    file = folder / f"{name}.json"
    file.write_text(json.dumps(pages))
    config = SandboxConfig(state=folder / f"state-{name}", port=0, replay=file)
    with run_sandbox(config) as sandbox:
        done = Zyenta(home, sandbox.url).run(
            "sync", "--account", f"act_{_ACCOUNT}", "--from", str(_FIRST),
            "--to", str(_FIRST + timedelta(days=_DAYS - 1)),
        )  # fmt: skip
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("cursor", "cut"),
    [
        pytest.param(_offset, 1, id="one in the middle", marks=pytest.mark.slow),
        pytest.param(_chained, 3, id="the last"),
    ],
)
def test_a_missing_page_fails_the_sync_and_keeps_the_earlier_data(
    tmp_path: Path, cursor: Callable[[int], str], cut: int
) -> None:
    home = tmp_path / "home"
    pages = _pages(cursor)
    assert len(pages) == 4
    code, err = _sync(tmp_path, "whole", pages, home)
    assert code == 0, err
    stored = "SELECT count(*) AS n, sum(spend) AS spend, sum(purchases) AS sales FROM ad_metrics"
    whole = [{"n": 20, "spend": 246.8, "sales": 40}]
    zyenta = Zyenta(home, "http://127.0.0.1:1")
    assert zyenta.sql(stored) == whole
    code, err = _sync(tmp_path, "cut", pages[:cut] + pages[cut + 1 :], home)
    assert code != 0
    error = next(line for line in err.splitlines() if line.startswith("Error:"))
    assert "missing" in error
    assert "Traceback" not in err
    assert zyenta.sql(stored) == whole
    assert zyenta.sql(stored.replace("ad_metrics", "account_metrics")) == [{**whole[0], "n": 5}]
