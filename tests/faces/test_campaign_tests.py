"""`zyenta campaign tests`: what is shown of a test, and where there is none."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from rich.console import Console

from tests.store.campaign_samples import campaign
from zyenta_ads_pipeline.campaign_tests import show_tests
from zyenta_ads_pipeline.lake.creative_tables import CREATIVE_FATIGUE, CREATIVE_TESTS
from zyenta_ads_pipeline.lake.lake import Lake, Scope
from zyenta_ads_pipeline.lake.schema import Table
from zyenta_ads_pipeline.settings import Settings, load_settings

CAMPAIGN = campaign("c1")
ACCOUNT = CAMPAIGN.account_id
NOW = datetime(2026, 10, 20, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("ZYENTA_HOME", str(tmp_path))
    return load_settings()


def shown(settings: Settings) -> str:
    console = Console(width=160, record=True)
    with console.capture() as captured:
        console.print(show_tests(settings, CAMPAIGN))
    return " ".join(captured.get().split())


def _rows(table: Table, *rows: dict[str, Any]) -> pl.DataFrame:
    empty: dict[str, Any] = dict.fromkeys(table.schema.names())
    return pl.DataFrame([empty | row for row in rows], schema=table.schema)


def _look(day: date, name: str, standing: str, **more: Any) -> dict[str, Any]:
    return {
        "date": day, "account_id": ACCOUNT, "creative_id": f"id-{name}", "campaign_id": "c1",
        "name": name, "started": date(2026, 10, 1), "metric": "conversion_rate",
        "horizon_days": 28, "standing": standing, "reason": f"{name} because.",
        "impressions": 12_000, "conversions": 31.0, "observed_at": NOW,
    } | more  # fmt: skip


def test_where_nothing_was_tested_it_says_when_a_test_begins(settings: Settings) -> None:
    assert "No creatives of Candles in winter have been tested" in shown(settings)


def test_the_newest_look_is_shown_with_reasons_and_fatigue(settings: Settings) -> None:
    lake = Lake(settings.lake_location)
    old, new = date(2026, 10, 10), date(2026, 10, 19)
    looks = _rows(
        CREATIVE_TESTS,
        _look(old, "Warm", "testing"),
        _look(new, "Warm", "winner", lift=0.42, lift_low=0.08, lift_high=0.9),
        _look(new, "Dry", "loser", lift=-0.3, lift_low=None, lift_high=-0.05),
    )
    lake.write(CREATIVE_TESTS, looks, Scope([ACCOUNT], [old, new]))
    tired = {
        "account_id": ACCOUNT, "creative_id": "id-Warm", "tired": True,
        "reason": "It sold 30 % less since 2026-10-12.", "observed_at": NOW,
    }  # fmt: skip
    lake.write(CREATIVE_FATIGUE, _rows(CREATIVE_FATIGUE, tired), Scope([ACCOUNT]))
    text = shown(settings)
    assert "by conversion rate, since 2026-10-01, for 28 days at most" in text
    assert "winner" in text
    assert "testing" not in text, "the newest look alone"
    assert "+8% to +90%" in text
    assert "? to -5%" in text
    assert "Dry: Dry because." in text
    assert "Warm: It sold 30 % less" in text
