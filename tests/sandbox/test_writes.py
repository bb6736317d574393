"""Budgets and statuses: what is accepted, what is refused, what stays after a crash."""

from __future__ import annotations

from tests.sandbox.conftest import Client


def campaign_of(client: Client, name: str) -> str:
    rows = client.every(f"{client.account}/campaigns", fields="name")
    return next(str(row["id"]) for row in rows if row["name"].startswith(name))


def test_budget_rules(fresh: Client) -> None:
    cbo, abo = campaign_of(fresh, "Trail"), campaign_of(fresh, "Tents")
    cbo_adset = fresh.get(f"{cbo}/adsets")["data"][0]["id"]
    abo_adset = fresh.get(f"{abo}/adsets")["data"][0]["id"]
    assert fresh.post(cbo, daily_budget="16000") == {"success": True}
    assert fresh.post(f"{abo_adset}/", daily_budget=9000) == {"success": True}
    seen = fresh.get(cbo, fields="daily_budget,updated_time")
    assert seen["daily_budget"] == "16000"
    assert seen["updated_time"] == "2026-11-03T12:30:00-0500"
    for wrong in (cbo_adset, abo):
        error = fresh.refused(wrong, "POST", daily_budget="16000")
        assert (error["code"], error["error_subcode"]) == (100, 1885621)
    forms = set()
    for _ in range(2):
        error = fresh.refused(cbo, "POST", daily_budget="99")
        assert (error["code"], error["error_subcode"]) == (100, 1885272)
        assert error["error_user_title"] == "Budget is too low"
        forms.add(type(error["error_data"]))
    assert forms == {dict, str}
    for text in ("12.5", "-5", "many"):
        assert fresh.refused(cbo, "POST", daily_budget=text)["code"] == 100


def test_the_fifth_change_in_an_hour_is_refused(fresh: Client) -> None:
    cbo = campaign_of(fresh, "Trail")
    for amount in (16000, 16000, 17000, 18000, 19000):
        fresh.post(cbo, daily_budget=amount)
    error = fresh.refused(cbo, "POST", daily_budget="20000")
    assert (error["code"], error["error_subcode"]) == (613, 1487632)
    fresh.post(cbo, daily_budget=19000)
    fresh.sandbox.advance(hours=1.01)
    fresh.post(cbo, daily_budget=20000)
    log = fresh.sandbox.writes()
    assert [w["new"] for w in log if w["accepted"] and w["old"] != w["new"]] == [
        "16000", "17000", "18000", "19000", "20000",
    ]  # fmt: skip
    assert [w["error"] for w in log if not w["accepted"]] == ["613/1487632"]


def test_validate_only_stores_nothing(fresh: Client) -> None:
    cbo = campaign_of(fresh, "Trail")
    body = {"daily_budget": "17000", "execution_options": ["validate_only"]}
    assert fresh.post(cbo, **body) == {"success": True}
    assert fresh.refused(cbo, "POST", **(body | {"daily_budget": "5"}))["error_subcode"] == 1885272
    assert fresh.get(cbo, fields="daily_budget")["daily_budget"] == "15000"
    assert fresh.sandbox.writes() == []


def test_statuses_follow_parents(fresh: Client) -> None:
    cbo = campaign_of(fresh, "Trail")
    adset = fresh.get(f"{cbo}/adsets")["data"][0]["id"]
    ad = fresh.get(f"{adset}/ads")["data"][0]["id"]

    def effective(thing: str) -> str:
        return str(fresh.get(thing, fields="effective_status")["effective_status"])

    fresh.post(adset, status="PAUSED")
    assert (effective(adset), effective(ad)) == ("PAUSED", "ADSET_PAUSED")
    fresh.http.post(f"/v26.0/{cbo}", json={"status": "PAUSED", "name": "Renamed"})
    assert (effective(adset), effective(ad)) == ("PAUSED", "CAMPAIGN_PAUSED")
    assert fresh.get(cbo, fields="name")["name"] == "Renamed"
    assert fresh.refused(cbo, "POST", status="DRAFT")["code"] == 100
    assert fresh.refused(cbo, "POST", bid_amount="5")["message"].count("bid_amount") == 1


def test_archived_and_deleted(fresh: Client) -> None:
    cbo, gone = campaign_of(fresh, "Trail"), campaign_of(fresh, "Rain")
    before = fresh.get(f"{fresh.account}/insights", fields="spend")["data"]
    fresh.post(cbo, status="ARCHIVED")
    assert fresh.http.delete(f"/v26.0/{gone}").json() == {"success": True}
    listed = {row["id"] for row in fresh.every(f"{fresh.account}/campaigns")}
    assert listed.isdisjoint({cbo, gone})
    archived = fresh.every(f"{fresh.account}/campaigns", effective_status=["ARCHIVED", "DELETED"])
    assert [row["id"] for row in archived] == [cbo]
    assert fresh.get(gone, fields="status")["status"] == "DELETED"
    error = fresh.refused(gone, "POST", status="ACTIVE")
    assert (error["code"], error["error_subcode"]) == (100, 1487566)
    assert fresh.refused(cbo, "POST", daily_budget="16000")["error_subcode"] == 1487566
    rows = fresh.every(f"{fresh.account}/insights", level="campaign", fields="campaign_id")
    assert {row["campaign_id"] for row in rows}.isdisjoint({cbo, gone})
    statuses = [{"field": "campaign.effective_status", "operator": "IN",
                 "value": ["ACTIVE", "PAUSED", "ARCHIVED", "DELETED"]}]  # fmt: skip
    rows = fresh.every(
        f"{fresh.account}/insights", level="campaign", fields="campaign_id", filtering=statuses
    )
    shown = {row["campaign_id"] for row in rows}
    assert cbo in shown
    assert gone not in shown
    by_id = [{"field": "campaign.id", "operator": "IN", "value": [gone]}]
    rows = fresh.every(
        f"{fresh.account}/insights", level="campaign", fields="campaign_id", filtering=by_id
    )
    assert [row["campaign_id"] for row in rows] == [gone]
    assert fresh.get(f"{fresh.account}/insights", fields="spend")["data"] == before
    assert len(fresh.get(f"{gone}/insights")["data"]) == 1


def test_writes_and_clock_survive_kill_nine(fresh: Client) -> None:
    cbo = campaign_of(fresh, "Trail")
    fresh.post(cbo, daily_budget=30000, status="PAUSED")
    now = fresh.sandbox.advance(days=2)
    rows = fresh.every(f"{fresh.account}/insights", level="ad", time_increment="1", limit="500")
    fresh.sandbox.kill()
    fresh.sandbox.restart()
    assert fresh.sandbox.now() == now
    seen = fresh.get(cbo, fields="daily_budget,status")
    assert (seen["daily_budget"], seen["status"]) == ("30000", "PAUSED")
    assert len(fresh.sandbox.writes()) == 2
    again = fresh.every(f"{fresh.account}/insights", level="ad", time_increment="1", limit="500")
    assert again == rows


def test_account_is_blocked_over_its_ceiling() -> None:
    from zyenta_ads_pipeline.sandbox.graph_error import GraphError
    from zyenta_ads_pipeline.sandbox.usage import Usage

    seconds = 0.0
    usage = Usage(ceiling=10, clock=lambda: seconds)
    outcomes = []
    for _ in range(5):
        try:
            usage.count("1", write=True)
            outcomes.append("ok")
        except GraphError as error:
            outcomes.append(f"{error.code}/{error.subcode}")
    assert outcomes == ["ok"] * 3 + ["17/2446079"] * 2
    assert '"reset_time_duration": 60' in usage.headers("1", insights=False)["X-Ad-Account-Usage"]
    usage.count("2", write=False)
    seconds = 301
    usage.count("1", write=False)
