"""Asynchronous reports: how they are asked for, go on, end, freeze, and outlive a restart."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.sandbox.conftest import START, Client
from tests.sandboxes import run_sandbox
from zyenta_ads_pipeline.sandbox.config import SandboxConfig

DAYS = {"since": "2026-10-27", "until": "2026-11-02"}
QUERY: dict[str, Any] = {"level": "ad", "time_increment": "1", "time_range": DAYS,
                         "fields": "ad_id,impressions,spend,actions"}  # fmt: skip


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A market whose reports are done at once; tests that plan otherwise plan it back."""
    state = tmp_path_factory.mktemp("reports")
    with run_sandbox(SandboxConfig(state=state, port=0, days=20, start=START, frozen=True)) as it:
        it.plan_reports(seconds=0)
        yield Client(it)


def submit(client: Client, path: str = "", **params: Any) -> str:
    found = client.post(path or f"{client.account}/insights", **(QUERY | params))
    assert set(found) == {"report_run_id"}
    assert int(found["report_run_id"]) > 2**53
    return str(found["report_run_id"])


def waited(client: Client, run: str, tries: int = 400) -> list[tuple[str, int]]:
    """Every announcement until the report is over."""
    seen: list[tuple[str, int]] = []
    for _ in range(tries):
        found = client.get(f"{run}/", fields="async_status,async_percent_completion")
        assert found["report_run_id"] == run
        seen.append((found["async_status"], found["async_percent_completion"]))
        if seen[-1] == ("Job Completed", 100) or seen[-1][0] in ("Job Failed", "Job Skipped"):
            return seen
        time.sleep(0.01)
    return seen


def done(client: Client, **params: Any) -> str:
    run = submit(client, **params)
    assert waited(client, run)[-1] == ("Job Completed", 100)
    return run


def test_a_report_has_the_rows_of_the_direct_query(shop: Client) -> None:
    direct = shop.every(f"{shop.account}/insights", limit="500", **QUERY)
    run = done(shop)
    assert shop.every(f"{run}/insights", limit="20") == direct
    status = shop.get(run)
    assert status["id"] == run
    assert f"act_{status['account_id']}" == shop.account
    assert (status["is_running"], status["date_start"]) == (False, DAYS["since"])
    assert status["time_completed"] >= status["time_ref"]
    campaign = direct and shop.get(f"{shop.account}/campaigns", limit="1")["data"][0]["id"]
    own = submit(shop, f"{campaign}/insights")
    waited(shop, own)
    assert shop.every(f"{own}/insights") == shop.every(f"{campaign}/insights", **QUERY)


@pytest.mark.parametrize(
    "fields", ["ad_id,spend", '["ad_id","spend"]', "['ad_id', 'spend']"]
)  # fmt: skip
def test_spellings(shop: Client, fields: str) -> None:
    path = f"/v26.0/{shop.account}/insights/"
    texts = {"level": "ad", "fields": fields, "time_ranges": json.dumps([DAYS])}
    body: dict[str, Any] = {"level": "ad", "fields": ["ad_id", "spend"], "time_range": DAYS}
    replies = [
        shop.http.post(path, data=texts),
        shop.http.post(f"{path}?{urlencode(texts)}"),
        shop.http.post(path, json=body),
    ]
    pages = []
    for reply in replies:
        run = reply.json()["report_run_id"]
        waited(shop, run)
        pages.append(shop.get(f"{run}/insights", limit="50")["data"])
    assert pages[0] == pages[1] == pages[2]
    assert len(pages[0]) > 5


def test_percent_and_status_disagree_at_times(shop: Client) -> None:
    seen = {step for _ in range(3) for step in waited(shop, submit(shop))}
    assert ("Job Running", 100) in seen
    assert any(status == "Job Completed" and percent < 100 for status, percent in seen)


def test_results_before_the_end_are_refused(shop: Client) -> None:
    shop.sandbox.plan_reports(seconds=3600)
    run = submit(shop)
    error = shop.refused(f"{run}/insights")
    assert (error["code"], error["error_subcode"], error["is_transient"]) == (2601, 1815107, True)
    assert shop.get(run)["async_status"] == "Job Not Started"
    shop.sandbox.plan_reports(seconds=0)


def test_reports_go_on_with_either_clock(tmp_path: Path) -> None:
    config = SandboxConfig(state=tmp_path, port=0, days=3, start=START, frozen=True)
    with run_sandbox(config) as sandbox:
        client = Client(sandbox)
        sandbox.plan_reports(seconds=0.2)
        first = waited(client, submit(client))
        assert first[0][0] in ("Job Not Started", "Job Started", "Job Running")
        assert first[-1] == ("Job Completed", 100)
        sandbox.plan_reports(seconds=7200)
        run = submit(client)
        sandbox.advance(hours=1)
        assert client.get(run)["async_percent_completion"] == 50
        sandbox.advance(hours=1)
        assert waited(client, run)[-1] == ("Job Completed", 100)


def test_planned_ends(shop: Client) -> None:
    shop.sandbox.plan_reports(next=[
        {"outcome": "failed"}, {"outcome": "failed", "code": 2, "subcode": 1504044},
        {"outcome": "skipped"}, {"outcome": "stalled", "percent": 40},
    ])  # fmt: skip
    failed = submit(shop)
    assert waited(shop, failed)[-1][0] == "Job Failed"
    status = shop.get(failed)
    assert (status["error_code"], status["error_subcode"]) == (-2, 2490547)
    assert all(status[f"error_{name}"] for name in ("message", "user_title", "user_msg"))
    assert shop.refused(f"{failed}/insights")["is_transient"] is False
    assert shop.get(submit(shop))["error_subcode"] == 1504044
    assert waited(shop, submit(shop))[-1][0] == "Job Skipped"
    stalled = shop.get(submit(shop))
    assert (stalled["async_status"], stalled["async_percent_completion"]) == ("Job Running", 40)
    assert stalled["is_running"]
    assert waited(shop, submit(shop))[-1] == ("Job Completed", 100)


@pytest.mark.parametrize(
    "plan",
    [{"seconds": -1}, {"next": [{"outcome": "perhaps"}]}, {"limits": {"rows": 1}},
     {"limits": {"sync_rows": 0}}, {"deleted": "never"}, {"restating": False}, {"slow": True}],
)  # fmt: skip
def test_a_plan_that_cannot_be_used_is_refused(shop: Client, plan: dict[str, Any]) -> None:
    reply = shop.http.post("/_sandbox/reports", json=plan)
    assert reply.status_code == 400
    assert reply.json()["error"]


def test_too_much_data(fresh: Client) -> None:
    account = f"{fresh.account}/insights"
    fresh.sandbox.plan_reports(seconds=0, limits={"sync_rows": 20})
    error = fresh.refused(account, **QUERY)
    assert (error["code"], error["error_subcode"]) == (100, 1487534)
    assert len(fresh.get(account, time_range=DAYS)["data"]) == 1
    assert len(fresh.every(f"{done(fresh)}/insights")) > 20
    fresh.sandbox.plan_reports(limits={"sync_rows": 1000, "sync_seconds": 0.0001})
    assert fresh.refused(account, **QUERY)["error_subcode"] == 1504018
    fresh.sandbox.plan_reports(limits={"sync_seconds": 30, "async_rows": 20})
    run = submit(fresh)
    assert waited(fresh, run)[-1][0] == "Job Failed"
    status = fresh.get(run)
    assert (status["error_code"], status["error_subcode"]) == (-3, 1504045)
    fresh.sandbox.plan_reports(limits={"page_rows": 10})
    reply = fresh.http.get(f"/v26.0/{account}", params={"level": "ad", "limit": "25"})
    assert (reply.status_code, reply.json()["error"]["code"]) == (500, 1)
    assert "reduce the amount of data" in reply.json()["error"]["message"]
    assert len(fresh.every(account, level="ad", limit="10")) > 10


def test_numbers_freeze_and_reports_outlive_a_restart(fresh: Client) -> None:
    fresh.sandbox.plan_reports(seconds=0, next=[{"outcome": "complete"}, {"outcome": "skipped"}])
    run = done(fresh)
    frozen = fresh.every(f"{run}/insights")
    fresh.sandbox.advance(days=3)
    assert fresh.every(f"{run}/insights") == frozen
    assert fresh.every(f"{fresh.account}/insights", **QUERY) != frozen
    fresh.sandbox.kill()
    fresh.sandbox.restart()
    assert fresh.every(f"{run}/insights") == frozen
    assert fresh.get(run)["async_status"] == "Job Completed"
    assert waited(fresh, submit(fresh))[-1][0] == "Job Skipped"
    fresh.sandbox.advance(days=27)
    assert fresh.get(run)["async_status"] == "Job Skipped"
    assert fresh.refused(f"{run}/insights")["code"] == 2601


def test_wrong_reports(shop: Client) -> None:
    account = f"{shop.account}/insights"
    assert shop.refused(account, "POST", fields="nonsense")["code"] == 100
    assert shop.refused(account, "POST", breakdowns=["age", "country"])["error_subcode"] == 1504041
    assert shop.refused("120330009999999999")["error_subcode"] == 33
    run = submit(shop)
    assert "edge" in shop.refused(f"{run}/ads")["message"]
    assert shop.refused(run, fields="spend")["code"] == 100
    assert shop.refused(account, "DELETE")["code"] == 100
    assert shop.refused(run, "DELETE")["code"] == 100
