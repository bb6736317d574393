"""The fault plan: every fault can be played, counted, and taken away again."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.sandbox.conftest import START, Client
from tests.sandboxes import run_sandbox
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.sandbox.config import SandboxConfig
from zyenta_ads_pipeline.sandbox.fault_presets import PRESETS
from zyenta_ads_pipeline.sandbox.fault_rules import OPTIONS
from zyenta_ads_pipeline.sandbox.faults import Faults
from zyenta_ads_pipeline.sandbox.sight import Sight


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A market whose faults the tests of this module set."""
    state = tmp_path_factory.mktemp("faulty")
    config = SandboxConfig(state=state, port=0, accounts=2, days=10, start=START, frozen=True)
    with run_sandbox(config) as sandbox:
        yield Client(sandbox)


@pytest.fixture
def client(faulty: Client) -> Iterator[Client]:
    """The same, cleared of faults and counts, before and after."""
    faulty.sandbox.clear_faults()
    faulty.sandbox.reset_calls()
    yield faulty
    faulty.sandbox.clear_faults()


def ads(client: Client, **params: Any) -> httpx.Response:
    return client.http.get(f"/v26.0/{client.account}/ads", params=params)


def test_a_plan_is_shown_counted_and_cleared(client: Client) -> None:
    rules = [{"preset": "html_502", "skip": 1, "times": 2}, {"what": "error", "code": 4}]
    client.sandbox.faults(rules)
    assert [ads(client).status_code for _ in range(4)] == [400, 502, 502, 400]
    shown = client.http.get("/_sandbox/faults").json()["rules"]
    assert [(rule["rule"], rule["matched"], rule["used"]) for rule in shown] == [
        (rules[0], 4, 2), (rules[1], 2, 2),
    ]  # fmt: skip
    assert client.sandbox.fault_uses() == [2, 2]
    client.sandbox.clear_faults()
    assert ads(client).status_code == 200
    assert client.sandbox.fault_uses() == []


@pytest.mark.parametrize("rule", [
    {}, {"what": "nothing"}, {"what": "error"}, {"what": "error", "code": "17"},
    {"what": "drop", "seconds": 1}, {"preset": "nonsense"}, {"what": "html", "status": 99},
    {"what": "html", "times": -1}, {"what": "html", "times": True}, {"what": "random"},
    {"what": "null_part", "parts": ["0"]}, {"what": "html", "kind": "nonsense"},
    {"what": "random", "names": ["nonsense"]}, [], "drop",
])  # fmt: skip
def test_a_rule_that_cannot_be_read_changes_nothing(client: Client, rule: object) -> None:
    client.sandbox.faults([{"preset": "html_502"}])
    reply = client.http.post("/_sandbox/faults", json=[{"preset": "drop"}, rule])
    assert reply.status_code == 400
    assert reply.json()["error"]
    assert ads(client).status_code == 502


def test_errors_carry_all_that_meta_sends(client: Client) -> None:
    client.sandbox.faults([
        {"what": "error", "code": 100, "subcode": 1885272, "is_transient": False, "status": 500,
         "message": "Invalid parameter", "user_title": "Too low", "user_msg": "More",
         "error_data": {"blame_field_specs": [["x"]]}, "times": 1},
        {"preset": "error_data_as_text", "times": 1},
        {"preset": "number_in_code", "times": 1},
        {"preset": "transient_unlisted", "times": 1},
        {"preset": "error_in_200", "times": 1},
    ])  # fmt: skip
    first = ads(client)
    assert first.status_code == 500
    error = first.json()["error"]
    assert error.pop("fbtrace_id") == first.headers["x-fb-trace-id"]
    assert error == {
        "message": "Invalid parameter", "type": "OAuthException", "code": 100,
        "error_data": {"blame_field_specs": [["x"]]}, "error_subcode": 1885272,
        "is_transient": False, "error_user_title": "Too low", "error_user_msg": "More",
    }  # fmt: skip
    text = ads(client).json()["error"]["error_data"]
    assert json.loads(text) == {"blame_field_specs": [["daily_budget"]]}
    error = ads(client).json()["error"]
    assert (error["code"], "error_subcode" in error) == (1487901, False)
    assert ads(client).json()["error"]["is_transient"] is True
    last = ads(client)
    assert (last.status_code, last.json()["error"]["code"]) == (200, 2)


def test_rate_limits_tell_how_long_to_wait(client: Client) -> None:
    account = client.account.removeprefix("act_")
    client.sandbox.faults([
        {"preset": "rate_limit", "wait_seconds": 100, "times": 1},
        {"preset": "management_throttle", "wait_minutes": 9, "times": 1},
        {"preset": "insights_platform_limit", "times": 1},
    ])  # fmt: skip
    reply = ads(client)
    assert (reply.json()["error"]["code"], reply.json()["error"]["error_subcode"]) == (17, 2446079)
    usage = json.loads(reply.headers["x-ad-account-usage"])
    assert (usage["acc_id_util_pct"], usage["reset_time_duration"]) == (100, 100)
    reply = ads(client)
    assert reply.json()["error"]["code"] == 80004
    (row,) = json.loads(reply.headers["x-business-use-case-usage"])[account]
    assert (row["type"], row["estimated_time_to_regain_access"]) == ("ads_management", 9)
    reply = client.http.get(f"/v26.0/{client.account}/insights")
    assert (reply.json()["error"]["code"], reply.json()["error"]["error_subcode"]) == (4, 1504022)
    assert json.loads(reply.headers["x-fb-ads-insights-throttle"])["app_id_util_pct"] == 100


@pytest.mark.parametrize(("preset", "status", "text"), [
    ("html_502", 502, "<!DOCTYPE html>"), ("html_503", 503, "<!DOCTYPE html>"),
    ("html_504", 504, "<!DOCTYPE html>"), ("server_error_text", 500, "Internal Server Error"),
    ("service_unavailable_text", 200, "Service Unavailable"), ("http_429", 429, "Too Many"),
    ("json_string_reply", 200, '"Service Unavailable"'), ("json_list_reply", 200, "[]"),
    ("empty_reply", 200, ""), ("success_false", 200, '{"success": false}'),
])  # fmt: skip
def test_bodies_that_are_no_replies(client: Client, preset: str, status: int, text: str) -> None:
    client.sandbox.faults([{"preset": preset, "times": 1, "write": False}])
    reply = ads(client)
    assert (reply.status_code, reply.text[: len(text) or None]) == (status, text)
    assert ads(client).status_code == 200


def test_connections_that_break(client: Client) -> None:
    client.sandbox.faults([{"preset": "drop", "times": 1}, {"preset": "truncated", "times": 1}])
    with pytest.raises(httpx.RemoteProtocolError, match="without sending"):
        ads(client)
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete"):
        ads(client, fields="name")
    assert len(ads(client, limit=50).json()["data"]) == 14
    assert client.sandbox.calls()["last"][0]["status"] is None


def test_slow_replies(client: Client) -> None:
    client.sandbox.faults([
        {"what": "slow_answer", "seconds": 0.3, "times": 1},
        {"what": "slow_body", "seconds": 0.3, "times": 1},
    ])  # fmt: skip
    for _ in range(2):
        began = time.monotonic()
        assert len(ads(client, limit=50).json()["data"]) == 14
        assert time.monotonic() - began >= 0.3
    client.sandbox.faults([{"what": "slow_answer", "seconds": 0.5, "times": 1}])
    with pytest.raises(httpx.ReadTimeout):
        client.http.get(f"/v26.0/{client.account}", timeout=0.1)


@pytest.mark.parametrize(
    ("preset", "done"),
    [("drop", False), ("html_502", False), ("commit_then_drop", True), ("commit_then_502", True)],
)
def test_a_write_behind_a_fault_is_done_or_not(client: Client, preset: str, done: bool) -> None:
    campaign = client.get(f"{client.account}/campaigns", limit="1")["data"][0]["id"]
    name = f"Renamed by {preset}"
    client.sandbox.faults([{"preset": preset, "write": True, "times": 1}])
    try:
        assert client.http.post(f"/v26.0/{campaign}", data={"name": name}).status_code == 502
    except httpx.RemoteProtocolError:
        assert "drop" in preset
    assert (client.get(campaign, fields="name")["name"] == name) is done
    assert any(write["new"] == name for write in client.sandbox.writes()) is done


def test_rules_choose_their_calls(client: Client) -> None:
    account, other = (f"act_{each}" for each in client.sandbox.account_ids)
    client.sandbox.faults([
        {"what": "error", "code": 1, "account": other},
        {"what": "error", "code": 2, "path": "act_*/insights", "level": "ad"},
        {"what": "error", "code": 3, "path": "<campaign>"},
        {"what": "error", "code": 4, "params": {"limit": "7"}, "kind": "list"},
        {"what": "error", "code": 5, "write": True, "method": "delete"},
        {"what": "error", "code": 6, "limit_over": 100},
    ])  # fmt: skip
    campaign = client.get(f"{account}/campaigns")["data"][0]["id"]
    assert client.refused(f"{other}/campaigns")["code"] == 1
    assert client.refused(f"{account}/insights", level="ad")["code"] == 2
    assert client.refused(campaign)["code"] == 3
    assert client.refused(f"{account}/ads", limit="7")["code"] == 4
    ad = client.get(f"{account}/ads")["data"][0]["id"]
    assert client.refused(ad, "DELETE")["code"] == 5
    assert client.refused(f"{account}/adsets", limit="101")["code"] == 6
    client.get(f"{account}/insights", level="campaign")
    client.get(f"{account}/adsets", limit="100")


def test_page_faults(client: Client) -> None:
    everything = [ad["id"] for ad in client.every(f"{client.account}/ads", limit="5")]

    def walked(*rules: dict[str, Any], limit: int = 5) -> list[list[str]]:
        client.sandbox.faults(rules)
        pages: list[list[str]] = []
        params: dict[str, Any] = {"limit": limit}
        while True:
            page = ads(client, **params).json()
            pages.append([row["id"] for row in page["data"]])
            if "next" not in page.get("paging", {}):
                return pages
            params["after"] = page["paging"]["cursors"]["after"]

    sizes = [len(page) for page in walked({"preset": "short_page", "page": 2})]
    assert sizes == [5, 2, 5, 2]
    pages = walked({"preset": "empty_page", "times": 3})
    assert [len(page) for page in pages] == [0, 0, 0, 5, 5, 4]
    assert list(chain(*pages)) == everything
    pages = walked({"preset": "empty_page", "page": 2, "times": 1})
    assert [len(page) for page in pages] == [5, 0, 5, 4]
    assert list(chain(*pages)) == everything
    assert len(list(chain(*walked({"preset": "cut_chain", "page": 2})))) == 10
    pages = walked({"preset": "repeat_row", "times": 1})
    assert [len(page) for page in pages] == [5, 6, 4]
    assert pages[1][0] == pages[0][-1]
    client.sandbox.faults([{"preset": "no_data", "times": 1}])
    assert "data" not in ads(client).json()
    assert list(chain(*walked())) == everything


def test_page_faults_on_insights(client: Client) -> None:
    params = {"level": "ad", "time_increment": "1", "fields": "ad_id", "limit": "20"}
    rows = client.every(f"{client.account}/insights", **params)
    client.sandbox.faults([
        {"preset": "repeat_row", "page": 3}, {"preset": "short_page", "times": 1},
        {"preset": "empty_page", "page": 2, "times": 1},
    ])  # fmt: skip
    seen = client.every(f"{client.account}/insights", **params)
    assert len(seen) == len(rows) + 1
    assert [row for at, row in enumerate(seen) if row not in seen[:at]] == rows
    assert client.sandbox.fault_uses() == [1, 1, 1]


def test_a_fault_that_finds_no_room_is_not_spent(client: Client) -> None:
    client.sandbox.faults([{"preset": "cut_chain", "times": 1}])
    assert "paging" in ads(client, limit=50).json()
    assert client.sandbox.fault_uses() == [0]
    assert "paging" not in ads(client, limit=5).json()
    assert client.sandbox.fault_uses() == [1]


def test_another_version_answers(client: Client) -> None:
    client.sandbox.faults([{"preset": "wrong_version"}])
    assert ads(client).headers["facebook-api-version"] == "v25.0"


def test_calls_are_counted_without_their_secrets(client: Client) -> None:
    url, token = client.sandbox.url, client.sandbox.config.token
    client.sandbox.faults([{"preset": "rate_limit", "times": 1, "kind": "insights"}])
    client.http.get(f"/v26.0/{client.account}/insights", params={"level": "ad"})
    client.every(f"{client.account}/ads", limit="5")
    httpx.get(f"{url}/v26.0/me", params={"access_token": token})
    batch = [{"method": "GET", "relative_url": client.account}] * 3
    client.http.post("/v26.0/", json={"batch": batch})
    told = client.sandbox.calls()
    assert (told["requests"], told["calls"]) == (6, 8)
    assert told["by_kind"] == {"batch": 1, "insights": 1, "list": 3, "object": 3, "user": 1}
    assert told["last"][0] == {
        "kind": "insights", "method": "GET", "path": f"{client.account}/insights",
        "params": {"level": "ad"}, "account": client.account.removeprefix("act_"),
        "in_batch": False, "status": 400, "fault": "error",
    }  # fmt: skip
    assert token not in json.dumps(told)
    client.sandbox.reset_calls()
    assert client.http.get("/v24.0/me").status_code == 400
    assert client.sandbox.calls()["by_kind"] == {"malformed": 1}


def test_random_faults_follow_from_the_seed() -> None:
    sight = Sight("list", "GET", ("act_1", "ads"), "account", {}, "1")

    def drawn(seed: int) -> list[str | None]:
        plan = Faults()
        names = ["drop", "html_502", "rate_limit", "rate_limit_on_job_post"]
        plan.set([{"what": "random", "seed": seed, "probability": 0.3, "names": names}])
        found = [plan.choose(sight) for _ in range(200)]
        return [chosen[0].what if chosen else None for chosen in found]

    first = drawn(7)
    assert first == drawn(7) != drawn(8)
    assert set(first) == {None, "drop", "html", "error"}
    assert 30 < sum(what is not None for what in first) < 90


def test_a_soak_of_random_faults_still_ends_with_every_row(client: Client) -> None:
    """A client that repeats reads on any fault must come through, and meet the same each time."""
    names = ["html_502", "drop", "truncated", "rate_limit", "error_in_200", "empty_reply"]
    client.sandbox.faults([{"what": "random", "seed": 3, "probability": 0.4, "names": names}])
    rows: list[str] = []
    after: str | None = None
    for _ in range(200):
        try:
            reply = ads(client, limit=2, **({"after": after} if after else {}))
            page = reply.json()
        except (httpx.RemoteProtocolError, ValueError):
            continue
        if "data" not in page:
            continue
        rows += [row["id"] for row in page["data"]]
        if "next" not in page["paging"]:
            break
        after = page["paging"]["cursors"]["after"]
    assert len(rows) == len(set(rows)) == 14
    assert client.sandbox.fault_uses()[0] >= 3


def test_every_preset_is_a_rule(client: Client) -> None:
    client.sandbox.faults([{"preset": name} for name in sorted(PRESETS)])
    assert client.sandbox.fault_uses() == [0] * len(PRESETS)


def test_every_preset_and_fault_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs/sandbox.md").read_text(encoding="utf-8")
    assert [name for name in [*PRESETS, *OPTIONS] if f"`{name}`" not in page] == []


def test_faults_are_gone_after_a_restart_and_the_state_is_not(fresh: Client) -> None:
    campaign = fresh.get(f"{fresh.account}/campaigns")["data"][0]["id"]
    fresh.sandbox.faults([{"preset": "commit_then_drop", "write": True}])
    with pytest.raises(httpx.RemoteProtocolError):
        fresh.post(campaign, name="Kept")
    fresh.sandbox.kill()
    fresh.sandbox.restart()
    assert fresh.sandbox.fault_uses() == []
    assert fresh.get(campaign, fields="name")["name"] == "Kept"
    with pytest.raises(InputError, match="no preset"):
        fresh.sandbox.faults([{"preset": "nonsense"}])


def test_faults_of_reports(client: Client) -> None:
    client.sandbox.plan_reports(seconds=0)
    url = f"{client.account}/insights"
    client.sandbox.faults([
        {"preset": "rate_limit_on_job_post", "times": 2},
        {"preset": "too_many_rows_on_job_post", "times": 1},
        {"preset": "unknown_run_after_post", "times": 1},
        {"preset": "result_not_ready", "times": 1},
        {"preset": "reduce_on_result_page", "limit_over": 25},
        {"preset": "commit_then_drop", "path": "act_*/insights", "method": "POST", "times": 1},
        {"preset": "job_failed", "times": 1},
        {"preset": "job_stalled", "times": 1},
    ])  # fmt: skip
    codes = [client.refused(url, "POST", level="ad") for _ in range(3)]
    assert [(each["code"], each["error_subcode"]) for each in codes] == [
        (17, 2446079), (17, 2446079), (100, 1487534),
    ]  # fmt: skip
    with pytest.raises(httpx.RemoteProtocolError):
        client.post(url, level="ad")
    lost = client.http.get("/_sandbox/reports").json()["reports"]
    assert len(lost) == 1
    failed, stalled, run = (client.post(url, level="ad")["report_run_id"] for _ in range(3))
    assert client.refused(run)["error_subcode"] == 33

    def status(run_id: str) -> tuple[str, int]:
        told = [client.get(f"{run_id}/") for _ in range(3)][-1]
        return told["async_status"], told["async_percent_completion"]

    assert status(failed)[0] == "Job Failed"
    assert status(stalled) == ("Job Running", 40)
    assert status(run) == ("Job Completed", 100)
    error = client.refused(f"{run}/insights", limit="25")
    assert (error["code"], error["error_subcode"], error["is_transient"]) == (2601, 1815107, True)
    reply = client.http.get(f"/v26.0/{run}/insights", params={"limit": 100})
    assert (reply.status_code, reply.json()["error"]["code"]) == (500, 1)
    assert client.get(f"{run}/insights", limit="25")["data"]
    assert client.sandbox.calls()["by_kind"]["report_start"] == 7


def test_no_fault_harms_the_sandbox(client: Client) -> None:
    """Every preset at once, from several threads: whatever clients get, the server stays whole."""
    names = sorted(PRESETS.keys() - {"slow_body", "slow_answer"})
    client.sandbox.faults([{"what": "random", "seed": 5, "probability": 0.7, "names": names}])
    campaign = f"{client.account}/campaigns"
    parts = json.dumps([{"method": "GET", "relative_url": path} for path in ("me", campaign)])

    def hammer(number: int) -> int:
        broken = 0
        for turn in range(40):
            kind = (number + turn) % 4
            try:
                if kind == 0:
                    client.http.post(f"/v26.0/{client.account}/insights", data={"level": "ad"})
                elif kind == 1:
                    client.http.post("/v26.0/", data={"batch": parts})
                else:
                    path = "insights" if kind == 2 else "ads"
                    client.http.get(f"/v26.0/{client.account}/{path}", params={"limit": "3"})
            except httpx.RemoteProtocolError:
                broken += 1
        return broken

    with ThreadPoolExecutor(4) as pool:
        broken = list(pool.map(hammer, range(4)))
    assert sum(broken) > 0
    told = client.sandbox.calls()
    assert told["requests"] == 160
    assert any(call["fault"] for call in told["last"])
    client.sandbox.clear_faults()
    assert len(client.every(f"{client.account}/ads", limit="5")) == 14
    log = client.sandbox.config.state / "sandbox.log"
    assert log.read_text(encoding="utf-8") == ""
