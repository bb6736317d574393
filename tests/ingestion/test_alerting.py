"""Alerts reach the log once and the webhook at least once, and never show its address."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from tests.platforms.scripted import Answer, Drop, scripted
from tests.store.databases import fresh_url
from zyenta_ads_pipeline.domain.ads import AdAccount
from zyenta_ads_pipeline.domain.errors import (
    AuthenticationFailed,
    PermissionDenied,
    RateLimited,
    SettingsError,
    Transient,
)
from zyenta_ads_pipeline.ingestion.alerting import (
    GAP,
    Notifier,
    Trouble,
    account_outcomes,
    gap_troubles,
    settle,
    settle_gaps,
    unreadable,
)
from zyenta_ads_pipeline.ingestion.completeness import Gap
from zyenta_ads_pipeline.ingestion.reads import STREAM, read_rows, store
from zyenta_ads_pipeline.lake.lake import Lake
from zyenta_ads_pipeline.store.alerts import Alerts
from zyenta_ads_pipeline.store.database import open_store

DEAD = AuthenticationFailed("The token expired.", "Put a valid one in.")
ONE = AdAccount("1", "One", "USD", "UTC", 1, None, datetime(2026, 11, 20, 12, tzinfo=UTC))
TAKEN = Answer(204, b"")


@pytest.fixture
def alerts(tmp_path: Path) -> Iterator[Alerts]:
    with fresh_url("sqlite", tmp_path) as url:
        store = open_store(url)
        yield Alerts(store)
        store.close()


def keys(alerts: Alerts) -> set[str]:
    return {alert.key for alert in alerts.open()}


def test_a_dead_token_is_told_once_per_account_and_closed_by_a_success(
    alerts: Alerts, caplog: pytest.LogCaptureFixture
) -> None:
    notifier = Notifier(alerts)
    for _ in range(24):
        account_outcomes(notifier, ["3"], {"1": DEAD, "2": DEAD}, "insights")
    assert keys(alerts) == {"token:act_1", "token:act_2"}
    told = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(told) == 2
    assert "Put a valid one in." in told[0].getMessage()
    account_outcomes(notifier, ["1", "3"], {"2": DEAD}, "insights")
    assert keys(alerts) == {"token:act_2"}


def test_passing_trouble_raises_nothing_and_closes_nothing(alerts: Alerts) -> None:
    notifier = Notifier(alerts)
    account_outcomes(
        notifier, [], {"1": Transient("An outage."), "2": RateLimited("Throttled.")}, "insights"
    )
    assert keys(alerts) == set()
    account_outcomes(notifier, [], {"1": DEAD}, "insights")
    account_outcomes(notifier, [], {"1": Transient("An outage.")}, "insights")
    assert keys(alerts) == {"token:act_1"}


def test_lacking_rights_and_missing_tokens_are_told_too(alerts: Alerts) -> None:
    failures = {"1": PermissionDenied("Not allowed."), "2": SettingsError("No token.")}
    account_outcomes(Notifier(alerts), [], failures, "insights")
    assert keys(alerts) == {"access:act_1:insights", "token:act_2"}
    account_outcomes(Notifier(alerts), ["1", "2"], {}, "insights")
    assert keys(alerts) == set()


def test_what_may_not_be_read_is_closed_by_a_reading_of_the_same_part_alone(
    alerts: Alerts, caplog: pytest.LogCaptureFixture
) -> None:
    notifier = Notifier(alerts)
    for _ in range(3):  # hours: the insights are refused, the objects of the same run are read
        account_outcomes(notifier, [], {"1": PermissionDenied("Not allowed.")}, "insights")
        account_outcomes(notifier, ["1"], {}, "objects")
        (alert,) = alerts.open()
        assert (alert.id, alert.key) == (1, "access:act_1:insights")
    told = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(told) == 1
    account_outcomes(notifier, ["1"], {}, "insights")
    assert keys(alerts) == set()


def test_a_dead_token_is_closed_by_a_success_of_any_part(alerts: Alerts) -> None:
    notifier = Notifier(alerts)
    account_outcomes(notifier, [], {"1": DEAD}, "insights")
    account_outcomes(notifier, ["1"], {}, "objects")
    assert keys(alerts) == set()


def test_those_are_unreadable_whose_token_or_insights_wait_for_a_person(alerts: Alerts) -> None:
    notifier = Notifier(alerts)
    denied = PermissionDenied("Not allowed.")
    account_outcomes(notifier, [], {"1": DEAD, "2": denied}, "insights")
    account_outcomes(notifier, ["4"], {"3": denied}, "objects")
    settle(notifier, GAP, {"4": Trouble("3 ads are missing.", "")}, ["4"])
    assert unreadable(alerts.open()) == {"1", "2"}


def test_a_gap_stays_told_until_the_day_that_has_it_is_whole(
    alerts: Alerts, tmp_path: Path
) -> None:
    notifier, lake = Notifier(alerts), Lake(str(tmp_path / "lake"))
    old, new = date(2026, 11, 3), date(2026, 11, 9)

    def read(day: date, *, whole: bool, stream: str = STREAM) -> set[str]:
        gap = Gap(day, impressions=5, clicks=0, spend=Decimal(0), purchases=Decimal(0))
        rows = read_rows(ONE, stream, [day], {day: 1}, {} if whole else {day: gap}, "run")
        store(lake, ONE.id, stream, rows, [day])
        settle_gaps(notifier, lake, [ONE.id], stream)
        return keys(alerts)

    assert read(old, whole=False) == {"gap:act_1"}
    assert read(new, whole=True) == {"gap:act_1"}, "another day is no proof of it"
    assert read(old, whole=False, stream="by_country") == {"gap:act_1", "gap:act_1:by_country"}
    assert "by_country" in alerts.open()[-1].told
    assert read(old, whole=True) == {"gap:act_1:by_country"}
    assert read(old, whole=True, stream="by_country") == set()


def test_one_kind_is_settled_for_the_accounts_looked_at(alerts: Alerts) -> None:
    notifier = Notifier(alerts)
    gap = Trouble("3 ads are missing.", "Sync again.")
    account_outcomes(notifier, [], {"1": DEAD}, "insights")
    settle(notifier, GAP, {"1": gap, "2": gap}, ["1", "2", "3"])
    assert keys(alerts) == {"token:act_1", "gap:act_1", "gap:act_2"}
    settle(notifier, GAP, {}, ["1"])
    assert keys(alerts) == {"token:act_1", "gap:act_2"}


def test_gaps_of_one_account_are_one_trouble_that_names_the_newest() -> None:
    newer, older = date(2026, 11, 4), date(2026, 11, 3)
    troubles = gap_troubles({"1": {newer: "the newer", older: "the older"}, "2": {}})
    assert set(troubles) == {"1"}
    assert "on 2 days" in troubles["1"].told
    assert "the newer" in troubles["1"].told


def test_the_webhook_is_given_each_alert_once(alerts: Alerts) -> None:
    with scripted(TAKEN, TAKEN) as server:
        notifier = Notifier(alerts, f"{server.url}/hook/SECRET")
        for _ in range(3):
            account_outcomes(notifier, [], {"1": DEAD, "2": DEAD}, "insights")
    assert [request.path for request in server.requests] == ["/hook/SECRET"] * 2
    assert all(request.method == "POST" for request in server.requests)
    first, second = (json.loads(request.body) for request in server.requests)
    assert (first["account"], second["account"]) == ("act_1", "act_2")
    assert first["key"] == "token:act_1"
    assert first["text"] == "Zyenta: The token expired. Put a valid one in."


@pytest.mark.parametrize(
    "step",
    [Answer(500, b"no"), Drop(), Answer(302, b"", {"location": "http://127.0.0.1:9/"})],
    ids=["refused", "dropped", "moved"],
)
def test_a_webhook_that_fails_is_logged_and_given_the_alert_at_the_next_occasion(
    alerts: Alerts, caplog: pytest.LogCaptureFixture, step: Answer | Drop
) -> None:
    caplog.set_level(logging.DEBUG)
    with scripted(step, step, step, TAKEN, TAKEN) as server:
        notifier = Notifier(alerts, f"{server.url}/hook/SECRET")
        account_outcomes(notifier, [], {"1": DEAD, "2": DEAD}, "insights")
        assert len(server.requests) == 3, "tried a few times, and the second alert not at all"
        assert len(alerts.undelivered()) == 2
        account_outcomes(notifier, [], {"1": DEAD}, "insights")
        assert alerts.undelivered() == []
        assert server.unused == 0
    assert any("token:act_1" in record.getMessage() for record in caplog.records)
    assert "SECRET" not in caplog.text


def test_a_webhook_that_is_away_stops_nothing(
    alerts: Alerts, caplog: pytest.LogCaptureFixture
) -> None:
    account_outcomes(Notifier(alerts, "http://127.0.0.1:9/SECRET"), [], {"1": DEAD}, "insights")
    assert [alert.key for alert in alerts.undelivered()] == ["token:act_1"]
    assert "ConnectError" in caplog.text
    assert "SECRET" not in caplog.text
