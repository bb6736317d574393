"""Wrong inputs: one paragraph that names the remedy, a failing exit, nothing half-written."""

from __future__ import annotations

import dataclasses
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.e2e.command import Zyenta
from zyenta_ads_pipeline.sandbox.process import SandboxHandle

_TODAY = date.today()  # noqa: DTZ011 - only to name days around now
_WEEK = ("--from", str(_TODAY - timedelta(days=7)), "--to", str(_TODAY - timedelta(days=1)))


def _no_tables(zyenta: Zyenta) -> bool:
    return not (zyenta.home / "lake").exists()


def test_a_bad_token(zyenta: Zyenta) -> None:
    secret = "EAAB-not-a-good-one"
    bad = dataclasses.replace(zyenta, settings={**zyenta.settings, "META_ACCESS_TOKEN": secret})
    error = bad.refused("sync", *_WEEK)
    assert "META_ACCESS_TOKEN" in error
    assert secret not in error
    assert _no_tables(bad)


def test_an_unknown_account(zyenta: Zyenta) -> None:
    error = zyenta.refused("sync", "--account", "act_999", *_WEEK)
    assert "act_999" in error
    assert "Check the id" in error
    assert _no_tables(zyenta)


def test_an_account_that_is_no_id(zyenta: Zyenta) -> None:
    assert "act_ followed by digits" in zyenta.refused("sync", "--account", "my shop", *_WEEK)


def test_an_unreachable_server(zyenta: Zyenta) -> None:
    away = dataclasses.replace(zyenta, graph_url="http://127.0.0.1:9")
    error = away.refused("sync", *_WEEK)
    assert "META_GRAPH_URL" in error
    assert _no_tables(away)


@pytest.mark.parametrize(
    ("setting", "value", "told"),
    [
        ("ZYENTA_AUTOPILOT", "yolo", "ZYENTA_AUTOPILOT"),
        ("META_API_VERSION", "v18.0", "v25.0, v26.0"),
        ("META_GRAPH_URL", "http://graph.facebook.com", "https"),
        ("ZYENTA_MAX_STEP", "a lot", "ZYENTA_MAX_STEP"),
        ("META_AD_ACCOUNT_IDS", "shop", "act_"),
        ("ZYENTA_POLICY", "magic", "roas_thresholds"),
    ],
)
def test_an_invalid_setting(zyenta: Zyenta, setting: str, value: str, told: str) -> None:
    wrong = dataclasses.replace(zyenta, settings={**zyenta.settings, setting: value})
    assert told in wrong.refused("sync", *_WEEK)


def test_dates_in_the_wrong_order(zyenta: Zyenta) -> None:
    error = zyenta.refused("sync", "--from", "2026-02-03", "--to", "2026-02-01")
    assert "wrong order" in error


def test_no_date_at_all(zyenta: Zyenta) -> None:
    assert "YYYY-MM-DD" in zyenta.refused("sync", "--from", "yesterday", "--to", "2026-02-01")


@pytest.mark.parametrize("since", [_TODAY - timedelta(days=38 * 31), date(2023, 10, 2)])
def test_a_start_older_than_37_months(zyenta: Zyenta, since: date) -> None:
    error = zyenta.refused("sync", "--from", str(since), "--to", str(_TODAY))
    assert "37 months" in error
    assert "Start at" in error
    assert _no_tables(zyenta)


def test_an_end_in_the_future(zyenta: Zyenta) -> None:
    error = zyenta.refused("sync", "--from", str(_TODAY), "--to", str(_TODAY + timedelta(days=9)))
    assert "has not come yet" in error


def test_a_malformed_replay_row(zyenta: Zyenta, tmp_path: Path) -> None:
    replay = tmp_path / "replay.csv"
    replay.write_text(
        "date,account_id,currency,timezone,campaign_id,campaign_name,adset_id,ad_id,impressions,"
        "clicks,spend\n"
        "2026-11-01,1,USD,UTC,2,c,3,4,100,1,1.50\n"
        "2026-11-02,1,USD,UTC,2,c,3,4,100,1,a lot\n"
    )
    error = zyenta.refused(
        "sandbox", "--port", "0", "--replay", str(replay), "--state", str(tmp_path / "new")
    )
    assert "replay.csv" in error
    assert "spend" in error
    assert "a lot" in error


def test_a_query_that_is_none(zyenta: Zyenta) -> None:
    assert "--tables" in zyenta.refused("sql", "selec 1")


def test_a_change_that_does_not_exist(zyenta: Zyenta) -> None:
    assert "nope" in zyenta.refused("reject", "nope")


def test_doctor_names_the_remedy(zyenta: Zyenta, market: SandboxHandle) -> None:
    well = zyenta.run("doctor")
    assert well.returncode == 0, well.stdout
    bad = dataclasses.replace(zyenta, settings={"META_AD_ACCOUNT_IDS": "act_999"}).run("doctor")
    assert bad.returncode == 1
    assert "Check the id" in bad.stdout
