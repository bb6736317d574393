"""Alerts: one row a trouble until it is over, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.examples import examples
from tests.store.databases import fresh_url
from zyenta_ads_pipeline.store.alerts import Alerts
from zyenta_ads_pipeline.store.database import Store, open_store

START = datetime(2026, 11, 20, 12, tzinfo=UTC)


class Clock:
    """Moves by an hour whenever it is asked."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        self.now += timedelta(hours=1)
        return self.now


@pytest.fixture
def alerts(store: Store) -> Alerts:
    return Alerts(store, clock=Clock())


def test_a_trouble_is_raised_once_until_it_is_over(alerts: Alerts) -> None:
    assert alerts.raise_once("token:act_1", "the token is dead", "renew it", "1")
    assert not alerts.raise_once("token:act_1", "it is still dead", "renew it now", "1")
    (alert,) = alerts.open()
    assert (alert.key, alert.account_id) == ("token:act_1", "1")
    assert (alert.told, alert.remedy) == ("it is still dead", "renew it now")
    assert alert.raised_at == START + timedelta(hours=1)
    assert alert.last_seen_at == START + timedelta(hours=2)
    assert alert.resolved_at is None
    assert alerts.resolve("token:act_1")
    assert alerts.open() == []
    assert not alerts.resolve("token:act_1")
    assert alerts.raise_once("token:act_1", "dead again", "renew it", "1")
    (again,) = alerts.open()
    assert again.id != alert.id


def test_troubles_of_different_keys_are_listed_by_age(alerts: Alerts) -> None:
    for key in ("token:act_2", "gap:act_1", "token:act_1"):
        assert alerts.raise_once(key, "told", "remedy")
    assert [alert.key for alert in alerts.open()] == ["token:act_2", "gap:act_1", "token:act_1"]
    assert alerts.resolve_all(["token:act_2", "token:act_1", "token:act_9"]) == 2
    assert [alert.key for alert in alerts.open()] == ["gap:act_1"]
    assert alerts.resolve_all([]) == 0


def test_what_the_webhook_took_is_not_given_again(alerts: Alerts) -> None:
    alerts.raise_once("a", "told", "remedy")
    alerts.raise_once("b", "told", "remedy")
    first, second = alerts.undelivered()
    alerts.mark_delivered(first.id)
    assert [alert.key for alert in alerts.undelivered()] == ["b"]
    (taken,) = [alert for alert in alerts.open() if alert.key == "a"]
    moment = taken.delivered_at
    alerts.mark_delivered(first.id)
    assert moment == next(a.delivered_at for a in alerts.open() if a.key == "a") is not None
    assert not alerts.raise_once("a", "told", "remedy"), "it is the same trouble"
    assert [alert.key for alert in alerts.undelivered()] == ["b"]
    alerts.resolve("b")
    assert alerts.undelivered() == [], "what is over needs nobody"
    assert second.delivered_at is None


def test_of_many_that_raise_it_at_once_one_is_first(store_url: str) -> None:
    def one(_number: int) -> bool:
        store = open_store(store_url)
        try:
            return Alerts(store).raise_once("token:act_1", "dead", "renew it")
        finally:
            store.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(one, range(16))) == 1


def test_alerts_follow_what_was_raised_and_resolved(tmp_path: Path) -> None:
    with fresh_url("sqlite", tmp_path) as url:
        store = open_store(url)

        class Machine(RuleBasedStateMachine):
            """Alerts against a plain mapping of the open keys."""

            def __init__(self) -> None:
                super().__init__()
                self.open: dict[str, str] = {}
                self.alerts = Alerts(store, clock=Clock())
                self.alerts.resolve_all(["a", "b", "c"])

            @rule(key=st.sampled_from("abc"), told=st.text("xyz", max_size=3))
            def raised(self, key: str, told: str) -> None:
                assert self.alerts.raise_once(key, told, "remedy") == (key not in self.open)
                self.open[key] = told

            @rule(keys=st.lists(st.sampled_from("abcd"), max_size=3))
            def resolved(self, keys: list[str]) -> None:
                assert self.alerts.resolve_all(keys) == len(set(keys) & set(self.open))
                for key in keys:
                    self.open.pop(key, None)

            @invariant()
            def the_same_are_open(self) -> None:
                assert {alert.key: alert.told for alert in self.alerts.open()} == self.open

        run_state_machine_as_test(
            Machine,
            settings=settings(max_examples=examples(15), stateful_step_count=15, deadline=None),
        )
        store.close()
