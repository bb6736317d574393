"""Batches: parts, tokens, references, and parts that come back as null."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from tests.sandbox.conftest import START, TOKEN, Client
from tests.sandboxes import run_sandbox
from zyenta_ads_pipeline.sandbox.config import SandboxConfig

Part = dict[str, Any]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    config = SandboxConfig(
        state=tmp_path_factory.mktemp("batch"), port=0, days=10, start=START, frozen=True
    )
    with run_sandbox(config) as sandbox:
        yield Client(sandbox)


def get(url: str, **more: Any) -> Part:
    return {"method": "GET", "relative_url": url, **more}


def post(url: str, body: dict[str, str], **more: Any) -> Part:
    return {"method": "POST", "relative_url": url, "body": urlencode(body), **more}


def run(client: Client, parts: list[Part], path: str = "/v26.0/", **form: str) -> list[Any]:
    reply = client.http.post(path, data={"batch": json.dumps(parts), **form})
    assert reply.status_code == 200, reply.text
    found: list[Any] = reply.json()
    assert len(found) == len(parts)
    return found


def body(part: Any) -> Any:
    return json.loads(part["body"])


@pytest.mark.parametrize("path", ["/v26.0/", "/v25.0", "/", "//"])
@pytest.mark.parametrize("as_json", [True, False])
def test_every_part_has_its_reply_in_order(client: Client, path: str, as_json: bool) -> None:
    parts = [
        get("me"), get(f"{client.account}/?fields=currency"), get("v25.0/999/"),
        get(f"/{client.account}/ads?limit=2"),
    ]  # fmt: skip
    form: Any = {"json": {"batch": parts}} if as_json else {"data": {"batch": json.dumps(parts)}}
    reply = client.http.post(path, **form)
    assert reply.status_code == 200
    found = reply.json()
    assert [part["code"] for part in found] == [200, 200, 400, 200]
    assert body(found[1]) == {"currency": "USD", "id": client.account}
    assert body(found[2])["error"]["error_subcode"] == 33
    assert len(body(found[3])["data"]) == 2
    headers = {item["name"].lower(): item["value"] for item in found[3]["headers"]}
    assert "acc_id_util_pct" in json.loads(headers["x-ad-account-usage"])
    version = "v25.0" if "v25" in path else "v26.0"
    assert headers["facebook-api-version"] == version


def test_headers_can_be_left_out(client: Client) -> None:
    (part,) = run(client, [get("me")], include_headers="false")
    assert set(part) == {"code", "body"}


def test_fifty_parts_and_no_more(client: Client) -> None:
    assert len(run(client, [get("me")] * 50)) == 50
    for parts in ([get("me")] * 51, [], "me", [{"method": "GET"}]):
        reply = client.http.post("/v26.0/", data={"batch": json.dumps(parts)})
        assert (reply.status_code, reply.json()["error"]["code"]) == (400, 100)


def test_tokens_of_batch_and_parts(client: Client) -> None:
    url = f"{client.sandbox.url}/v26.0/"
    parts = [get("me"), get("me?access_token=wrong"), get("me", access_token=TOKEN)]
    by_query = httpx.post(url, params={"access_token": TOKEN}, data={"batch": json.dumps(parts)})
    assert [part["code"] for part in by_query.json()] == [200, 400, 200]
    none = httpx.post(url, data={"batch": json.dumps(parts)}).json()
    assert [body(part).get("error", {}).get("code") for part in none] == [104, 190, None]
    wrong = httpx.post(url, data={"batch": json.dumps(parts), "access_token": "wrong"})
    assert wrong.json()["error"]["code"] == 190


def test_each_part_counts(client: Client) -> None:
    client.sandbox.throttle(account=client.account, use_case="account", percent=0)
    parts = [get(client.account)] * 45
    last = run(client, parts)[-1]
    usage = next(h for h in last["headers"] if h["name"] == "X-Ad-Account-Usage")
    assert json.loads(usage["value"])["acc_id_util_pct"] == pytest.approx(45 / 90, abs=0.01)


def test_writes_and_the_campaigns_of_ad_sets(client: Client) -> None:
    adsets = client.every(f"{client.account}/adsets", fields="campaign_id")
    first = next(a for a in adsets for b in adsets if a != b
                 and a["campaign_id"] == b["campaign_id"])  # fmt: skip
    same = [a["id"] for a in adsets if a["campaign_id"] == first["campaign_id"]]
    one_each = list({a["campaign_id"]: a["id"] for a in adsets}.values())
    done = run(client, [post(each, {"name": f"N{each}"}) for each in one_each])
    assert [body(part) for part in done] == [{"success": True}] * len(one_each)
    assert client.get(one_each[0], fields="name")["name"] == f"N{one_each[0]}"
    assert all(part["code"] == 200 for part in run(client, [get(each) for each in same]))
    before = client.sandbox.writes()
    parts = [post(f"v26.0/{each}/", {"name": "X"}) for each in same]
    reply = client.http.post("/v26.0/", data={"batch": json.dumps(parts)})
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, 100)
    assert "same campaign" in reply.json()["error"]["message"]
    assert client.sandbox.writes() == before


def test_one_part_can_use_what_another_gave(client: Client) -> None:
    found = run(client, [
        get("{result=ads:$.data[1].id}?fields=name", omit_response_on_success=False),
        get(f"{client.account}/ads?limit=2", name="ads"),
        get("{result=kept:$.data.*.id}", depends_on="kept"),
        get(f"{client.account}/ads?limit=1", name="kept", omit_response_on_success=False),
        get("999", name="broken"),
        get("me", depends_on=["broken"]),
    ])  # fmt: skip
    second = client.get(f"{client.account}/ads", fields="name", limit="2")["data"][1]
    assert body(found[0]) == second
    assert found[1] is None
    assert body(found[2])["id"] == body(found[3])["data"][0]["id"]
    assert found[4]["code"] == 400
    assert found[5] is None
    for parts in (
        [get("me", depends_on="nobody")],
        [get("me", name="a"), get("me", name="a")],
        [get("me", name="a", depends_on="b"), get("me", name="b", depends_on="a")],
    ):
        reply = client.http.post("/v26.0/", data={"batch": json.dumps(parts)})
        assert reply.status_code == 400  # fmt: skip


@pytest.mark.parametrize("done", [True, False])
def test_null_parts_are_done_or_not(client: Client, done: bool) -> None:
    campaigns = [row["id"] for row in client.get(f"{client.account}/campaigns")["data"]][:3]
    name = f"Null {done}"
    client.sandbox.faults([{"what": "null_part", "parts": [0, 2], "done": done, "times": 1}])
    found = run(client, [post(each, {"name": name}) for each in campaigns])
    client.sandbox.clear_faults()
    assert [part is None for part in found] == [True, False, True]
    names = [client.get(each, fields="name")["name"] == name for each in campaigns]
    assert names == [done, True, done]


def test_faults_inside_a_batch(client: Client) -> None:
    client.sandbox.faults([
        {"preset": "drop", "in_batch": True, "times": 1},
        {"preset": "rate_limit", "in_batch": True, "times": 1},
        {"preset": "html_502", "kind": "batch", "skip": 1},
    ])  # fmt: skip
    found = run(client, [get(client.account)] * 3)
    assert [part and part["code"] for part in found] == [None, 400, 200]
    assert client.http.post("/", json={"batch": [get("me")]}).status_code == 502
    client.sandbox.clear_faults()


def test_reports_are_polled_in_batches(client: Client) -> None:
    client.sandbox.plan_reports(seconds=0)
    run_ids = [
        client.post(f"{client.account}/insights", level=level)["report_run_id"]
        for level in ("ad", "campaign")
    ]
    for _ in range(4):
        found = [body(part) for part in run(client, [get(f"{each}/") for each in run_ids])]
    assert [each["async_status"] for each in found] == ["Job Completed"] * 2
    pages = run(client, [get(f"{each}/insights?limit=1") for each in run_ids])
    assert [len(body(page)["data"]) for page in pages] == [1, 1]
