"""`zyenta doctor` against a sandbox: what is wrong is named with its remedy, and hides nothing."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console

from tests.sandboxes import run_sandbox
from zyenta_ads_pipeline.connections import alerts_of
from zyenta_ads_pipeline.doctor import examine
from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.insights import FIELDS, PLAIN, PRESETS, Report
from zyenta_ads_pipeline.domain.time import DateRange
from zyenta_ads_pipeline.platforms.meta.reports import params_of
from zyenta_ads_pipeline.sandbox.config import SandboxConfig
from zyenta_ads_pipeline.sandbox.process import SandboxHandle
from zyenta_ads_pipeline.settings import Settings, load_settings

FIRST, SECOND = "10158734012345601", "10158734012345602"
ONE, TWO = "EAAGdoctorONE0123456789", "EAAGdoctorTWO0123456789"
START = datetime(2026, 11, 3, 17, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxHandle]:
    """Two accounts, each seen by a token of its own."""
    config = SandboxConfig(
        state=tmp_path_factory.mktemp("doctor"),
        port=0,
        days=5,
        accounts=2,
        start=START,
        frozen=True,
        tokens={ONE: (f"act_{FIRST}",), TWO: (f"act_{SECOND}",)},
    )
    with run_sandbox(config) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(
    running: SandboxHandle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[SandboxHandle]:
    """The sandbox, well, and the settings that name it."""
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.validation_alias), raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZYENTA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("META_GRAPH_URL", running.url)
    monkeypatch.setenv("META_AD_ACCOUNT_IDS", f"act_{FIRST},act_{SECOND}")
    monkeypatch.setenv("META_ACCESS_TOKEN", ONE)
    monkeypatch.setenv("META_ACCOUNT_TOKENS", f"act_{SECOND}={TWO}")
    monkeypatch.setenv("ZYENTA_BREAKDOWNS", "by_hour")
    yield running
    running.clear_faults()
    for token in (ONE, TWO):
        running.set_token(
            token=token, state="valid", scopes=["ads_read", "ads_management"], expires_at=0
        )


@dataclass(frozen=True)
class Told:
    """What doctor printed: its verdict, and each line's state, words and remedy."""

    fine: bool
    lines: dict[str, tuple[str, str, str]]
    text: str

    def states(self, state: str) -> set[str]:
        return {what for what, line in self.lines.items() if line[0] == state}


def told() -> Told:
    out = io.StringIO()
    fine = examine(load_settings(), Console(file=out, width=1000))
    text = out.getvalue()
    lines = {}
    for row in text.splitlines():
        cells = [cell.strip() for cell in row.strip("│").split("│")]
        if len(cells) == 4:
            lines[cells[1]] = (cells[0], cells[2], cells[3])
    assert ONE not in text
    assert TWO not in text
    return Told(fine, lines, text)


def test_a_well_world_has_nothing_to_mend(
    sandbox: SandboxHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZYENTA_BREAKDOWNS", "all")
    sandbox.reset_calls()
    found = told()
    assert found.fine
    assert found.states("warn") == found.states("no") == set()
    assert {
        "home folder", "lake", "store", "sandbox", "version v25.0", "token",
        f"token of act_{SECOND}", f"act_{FIRST}", f"act_{FIRST} page", f"act_{FIRST} pixel",
        f"act_{SECOND}", f"act_{SECOND} pixel", f"act_{FIRST} fields", f"act_{FIRST} breakdowns",
        f"act_{SECOND} fields", "exchange rates", "alert webhook", "alerts", "autopilot",
    } <= set(found.lines)  # fmt: skip
    assert all(name in found.lines[f"act_{FIRST} breakdowns"][1] for name in PRESETS)
    assert "USD, America/New_York, today 2026-11-03" in found.lines[f"act_{FIRST}"][1]
    assert "its own token" in found.lines[f"act_{SECOND}"][1]
    assert "its own token" not in found.lines[f"act_{FIRST}"][1]
    (calls,) = re.findall(r"(\d+) calls to", found.text)
    assert int(calls) == sandbox.calls()["requests"] == 2 * (3 + 3 + 4 + len(PRESETS))


def test_a_dead_token_takes_down_its_own_accounts_alone(sandbox: SandboxHandle) -> None:
    sandbox.set_token(token=ONE, state="expired")
    found = told()
    assert not found.fine
    assert found.states("no") == {"token", f"act_{FIRST}"}
    assert "META_ACCESS_TOKEN" in found.lines["token"][2]
    assert "see token" in found.lines[f"act_{FIRST}"][1]
    assert found.lines[f"act_{SECOND} fields"][0] == "ok"


def test_what_a_token_lacks_is_named(
    sandbox: SandboxHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.set_token(token=ONE, scopes=["ads_read"])
    found = told()
    assert found.fine
    assert "pushing would need ads_management" in found.lines["token"][1]
    assert "type SYSTEM_USER" in found.lines["token"][1]
    monkeypatch.setenv("ZYENTA_AUTOPILOT", "approve")
    found = told()
    assert found.states("no") == {"token"}
    assert "lacks ads_management" in found.lines["token"][1]
    sandbox.set_token(token=ONE, scopes=["business_management"])
    assert "lacks ads_read and ads_management" in told().lines["token"][1]


def test_a_token_that_ends_soon_is_a_warning(
    sandbox: SandboxHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.set_token(token=ONE, expires_at=int((START + timedelta(days=6)).timestamp()))
    sandbox.set_token(token=TWO, expires_at=int((START + timedelta(days=30)).timestamp()))
    found = told()
    assert found.fine
    assert found.states("warn") == {"token"}
    assert "expires 2026-11-09" in found.lines["token"][1]
    assert "expires 2026-12-03" in found.lines[f"token of act_{SECOND}"][1]
    monkeypatch.setenv("META_APP_ID", "1")
    assert "another app" in told().lines[f"token of act_{SECOND}"][1]


def test_an_account_that_the_token_may_not_see(
    sandbox: SandboxHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("META_AD_ACCOUNT_IDS", f"act_{SECOND},act_999")
    found = told()
    assert found.states("no") == {"act_999"}
    assert found.lines["act_999"][2]
    assert found.lines[f"act_{SECOND} fields"][0] == "ok"


def test_each_refused_field_and_breakdown_is_named_with_its_reason(
    sandbox: SandboxHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("META_AD_ACCOUNT_IDS", f"act_{FIRST}")
    monkeypatch.setenv("ZYENTA_BREAKDOWNS", "all")
    day = DateRange((START - timedelta(days=1)).date(), (START - timedelta(days=1)).date())
    refused = [
        {"fields": params_of(Report(FIRST, Level.CAMPAIGN, day, PLAIN, fields))["fields"]}
        for fields in (FIELDS, ("reach",))
    ]
    refused.append({"breakdowns": '["region"]'})
    sandbox.faults(
        [
            {"what": "error", "code": 100, "params": params, "level": level}
            for params, level in zip(refused, ("campaign", "campaign", "ad"), strict=True)
        ]
    )
    found = told()
    reach, region = f"act_{FIRST} fields: campaign reach", f"act_{FIRST} breakdowns: by_region"
    assert found.states("no") == {reach, region}
    assert "ValidationRefused" in found.lines[reach][1]
    assert "ZYENTA_BREAKDOWNS" in found.lines[region][2]
    assert found.lines[f"act_{FIRST} fields"][1] == "taken: account, adset, ad"
    monkeypatch.setenv("ZYENTA_BREAKDOWNS", "by_hour")
    assert region not in told().lines


def test_what_cannot_be_tried_now_is_no_fault_of_the_query(
    sandbox: SandboxHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("META_AD_ACCOUNT_IDS", f"act_{FIRST}")
    throttled = {"what": "error", "code": 80000, "wait_minutes": 30, "path": "*/insights"}
    sandbox.faults([throttled, {"what": "no_data", "path": "*/promote_pages"}])
    found = told()
    assert found.fine
    assert f"act_{FIRST} fields: ad" in found.states("warn")
    assert f"act_{FIRST} page" in found.states("warn")
    assert "RateLimited" in found.lines[f"act_{FIRST} fields: ad"][1]


def test_a_reply_that_makes_no_sense_hides_nothing(
    sandbox: SandboxHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("META_AD_ACCOUNT_IDS", f"act_{FIRST}")
    sandbox.faults([{"what": "no_data", "path": "*/insights", "level": "ad"}])
    found = told()
    assert f"act_{FIRST} fields: ad" in found.states("no")
    assert found.lines[f"act_{FIRST} fields"][1] == "taken: account, campaign, adset"
    assert found.lines["autopilot"][0] == "ok"


def test_without_page_and_pixel_reading_still_goes(sandbox: SandboxHandle) -> None:
    sandbox.faults([{"what": "json", "path": "*/promote_pages", "body": {"data": []}}])
    found = told()
    assert found.fine
    assert found.states("warn") == {f"act_{FIRST} page", f"act_{SECOND} page"}


def test_a_version_that_answers_as_another_is_a_warning(sandbox: SandboxHandle) -> None:
    sandbox.faults([{"what": "wrong_version", "path": "me", "version": "v25.0"}])
    assert "answers as v25.0 though v26.0 was asked" in told().lines["sandbox"][1]


def test_open_alerts_stand_beside_the_rest(sandbox: SandboxHandle) -> None:
    with alerts_of(load_settings()) as alerts:
        alerts.raise_once(f"gap:act_{FIRST}", "Three ads are missing.", "Sync again.", FIRST)
    found = told()
    assert found.fine
    state, words, remedy = found.lines[f"alert gap:act_{FIRST}"]
    assert (state, remedy) == ("warn", "Sync again.")
    assert "Three ads are missing." in words


def test_rates_and_webhook(
    sandbox: SandboxHandle, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    rates = tmp_path / "rates.csv"
    monkeypatch.setenv("META_AD_ACCOUNT_IDS", f"act_{FIRST}")
    monkeypatch.setenv("ZYENTA_BREAKDOWNS", "none")
    monkeypatch.setenv("ZYENTA_REPORTING_CURRENCY", "EUR")
    monkeypatch.setenv("ZYENTA_ALERT_WEBHOOK", "https://example.com/SECRET")
    found = told()
    assert found.lines["exchange rates"][:2] == ("warn", "no file for USD")
    assert "not posted" in found.lines["alert webhook"][1]
    assert "SECRET" not in found.text
    monkeypatch.setenv("ZYENTA_RATES_FILE", str(rates))
    assert told().lines["exchange rates"][0] == "no"
    rates.write_text("date,currency,rate\n2026-11-01,GBP,1.1\n")
    assert "none for USD" in told().lines["exchange rates"][1]
    rates.write_text("date,currency,rate\n2026-11-01,USD,0.9\n")
    assert "newest 2026-11-01" in told().lines["exchange rates"][1]


def test_a_server_that_is_away_hides_nothing(
    sandbox: SandboxHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("META_GRAPH_URL", "http://127.0.0.1:9")
    monkeypatch.setattr("zyenta_ads_pipeline.platforms.meta.client._TRIES", 1)
    found = told()
    assert not found.fine
    assert {"sandbox", f"act_{FIRST}", f"act_{SECOND}"} == found.states("no")
    assert found.lines["store"][0] == "ok"


def test_no_account_and_no_token_are_each_told(
    sandbox: SandboxHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("META_AD_ACCOUNT_IDS", "")
    found = told()
    assert found.states("no") == {"ad accounts"}
    assert found.lines["token"][0] == "ok"
    monkeypatch.setenv("META_GRAPH_URL", "https://graph.facebook.com")
    monkeypatch.setenv("META_ACCESS_TOKEN", "")
    assert told().states("no") == {"ad accounts", "token"}
