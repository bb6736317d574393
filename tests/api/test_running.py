"""Runs, switches, accounts: also while Dagster is down."""

from __future__ import annotations

from tests.api.home import API, Home
from tests.api.test_problems import checked
from zyenta_ads_pipeline.console.api import accounts, runs, switches
from zyenta_ads_pipeline.domain.access import Role


def test_while_dagster_is_down_everything_else_answers(home: Home) -> None:
    with home.client() as client:
        found = runs.Runs.model_validate(client.get(f"{API}/runs").json())
        assert not found.up
        assert found.told
        told = checked(client.post(f"{API}/runs/sync"), 503)
        assert told["errors"][0]["remedy"]
        checked(client.get(f"{API}/runs/none"), 503)
        assert client.get(f"{API}/campaigns").status_code == 200


def test_a_sync_names_what_is_wrong_with_its_days(home: Home) -> None:
    with home.client() as client:
        for days in (
            {"since": "2026-11-02"},
            {"since": "2026-11-02", "until": "2026-11-01"},
        ):
            told = checked(client.post(f"{API}/runs/sync", json=days), 422)
            assert told["errors"][0]["field"] == "since"


def test_the_kill_switch_is_thrown_by_a_buyer_and_lifted_by_an_admin(home: Home) -> None:
    with home.client() as buyer, home.client(Role.ADMIN) as admin:
        thrown = buyer.post(f"{API}/kill-switch/throw", json={"reason": "The shop is down."})
        assert thrown.status_code == 200, thrown.text
        found = switches.Changed.model_validate(thrown.json())
        assert found.stopped is not None
        assert found.switches[0].by == "the buyer"
        own = home.campaigns[1]
        refused = checked(buyer.post(f"{API}/campaigns/{own.id}/pause"), 422)
        assert "stopped" in refused["detail"]
        checked(buyer.post(f"{API}/kill-switch/lift", json={}), 403)
        lifted = admin.post(f"{API}/kill-switch/lift", json={})
        assert switches.Changed.model_validate(lifted.json()).stopped is None
        again = admin.post(f"{API}/kill-switch/lift", json={})
        assert again.json()["message"] == "No such switch was thrown"
        history = switches.History.model_validate(
            buyer.get(f"{API}/kill-switch/history").json()
        ).history
    assert [each.thrown for each in history] == [False, True]


def test_accounts_show_their_health(home: Home) -> None:
    with home.client(Role.VIEWER) as client:
        found = accounts.Accounts.model_validate(client.get(f"{API}/accounts").json()).accounts
        assert [each.id for each in found] == ["101", "1"]
        assert found[0].stores == ["shop"]
        assert found[0].campaigns == 3
        limits = [(each.least_daily_budget, each.most_daily_budget) for each in found]
        assert limits == [(10, 10_000), (None, None)], "nothing is known of the second"
        assert not found[0].well, "it was never read"
        one = client.get(f"{API}/accounts/act_101").json()
        assert one["id"] == "101"
        sheet = accounts.Rules.model_validate(client.get(f"{API}/accounts/101/rules").json())
        assert {"max_step", "autopilot"} <= {each.name for each in sheet.rules}
        assert accounts.AlertList.model_validate(client.get(f"{API}/alerts").json()).alerts == []
