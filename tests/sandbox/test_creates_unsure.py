"""Creates whose outcome the client does not learn: lost replies, batches, restarts."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from tests.sandbox.conftest import START, Client
from tests.sandbox.creating import Maker
from tests.sandboxes import run_sandbox
from zyenta_ads_pipeline.sandbox.config import SandboxConfig


def named(client: Client, edge: str = "campaigns") -> list[str]:
    wanted = [{"field": "name", "operator": "CONTAIN", "value": "Shoes | sales"}]
    return [row["id"] for row in client.every(f"{client.account}/{edge}", filtering=wanted)]


def attempt(client: Client) -> httpx.Response | None:
    fields = Maker(client).campaign_fields()
    texts = {k: v if isinstance(v, str) else json.dumps(v) for k, v in fields.items()}
    try:
        return client.http.post(f"/v26.0/{client.account}/campaigns", data=texts)
    except httpx.TransportError:
        return None


@pytest.mark.parametrize(("preset", "made"), [
    ("commit_then_drop", 1),
    ("drop", 0),
    ("commit_then_500", 1),
    ("commit_then_502", 1),
    ("html_500", 0),
    ("html_502", 0),
    ("rate_limit", 0),
    ("management_throttle", 0),
    ("too_many_calls", 0),
    ("too_many_writes", 0),
    ("error_in_200", 0),
    ("commit_then_error_in_200", 1),
    ("unknown_error", 0),
])  # fmt: skip
def test_faults_of_creates(fresh: Client, preset: str, made: int) -> None:
    fresh.sandbox.faults([{"preset": preset, "kind": "create", "path": "act_*/campaigns",
                           "times": 1}])  # fmt: skip
    reply = attempt(fresh)
    assert reply is None or reply.status_code != 200 or "error" in reply.json()
    assert fresh.sandbox.fault_uses() == [1]
    assert len(named(fresh)) == made


def test_lists_that_lag_behind(fresh: Client) -> None:
    fresh.sandbox.faults([{"preset": "late_object", "seconds": 30, "times": 1}])
    reply = attempt(fresh)
    assert reply is not None
    made = reply.json()["id"]
    assert named(fresh) == []
    assert fresh.get(made, fields="name")["name"] == "Shoes | sales"
    fresh.sandbox.advance(hours=0.01)
    assert named(fresh) == [made]


def batch(client: Client, *parts: dict[str, Any]) -> Any:
    reply = client.http.post("/v26.0/", data={"batch": json.dumps(parts)})
    return reply.json()


def part(path: str, label: str, /, **fields: Any) -> dict[str, Any]:
    body = urlencode({k: v if isinstance(v, str) else json.dumps(v) for k, v in fields.items()})
    return {
        "method": "POST", "relative_url": path, "body": body, "name": label,
        "omit_response_on_success": False,
    }  # fmt: skip


def test_a_whole_tree_in_one_batch(fresh: Client) -> None:
    maker = Maker(fresh)
    act = fresh.account
    found = batch(
        fresh,
        part(f"{act}/campaigns", "c", **maker.campaign_fields()),
        part(f"{act}/adsets", "s", **maker.adset_fields("{result=c:$.id}")),
        part(f"{act}/adcreatives", "k", object_story_spec=maker.story()),
        part(f"{act}/ads", "a", name="Ad", adset_id="{result=s:$.id}", status="PAUSED",
             creative={"creative_id": "{result=k:$.id}"}),
    )  # fmt: skip
    assert [each["code"] for each in found] == [200] * 4, found
    ad = json.loads(found[3]["body"])["id"]
    seen = fresh.get(ad, fields="campaign{name},adset{name}")
    assert (seen["campaign"]["name"], seen["adset"]["name"]) == ("Shoes | sales", "Runners")


def test_ad_sets_of_one_campaign_do_not_go_into_one_batch(fresh: Client) -> None:
    maker = Maker(fresh)
    campaign = maker.campaign()
    fields = maker.adset_fields(campaign)
    parts = [part(f"{fresh.account}/adsets", name, **fields) for name in ("a", "b")]
    assert batch(fresh, *parts)["error"]["code"] == 100
    change = {"method": "POST", "relative_url": maker.adset(campaign), "body": "status=PAUSED"}
    assert batch(fresh, parts[0], change)["error"]["code"] == 100
    other = part(f"{fresh.account}/adsets", "b", **maker.adset_fields(maker.campaign()))
    assert [each["code"] for each in batch(fresh, parts[0], other)] == [200, 200]


@pytest.mark.parametrize(("preset", "made"), [("null_part", 0), ("null_part_done", 1)])
def test_null_parts(fresh: Client, preset: str, made: int) -> None:
    fresh.sandbox.faults([{"preset": preset, "times": 1}])
    create = part(f"{fresh.account}/campaigns", "c", **Maker(fresh).campaign_fields())
    assert batch(fresh, create) == [None]
    assert len(named(fresh)) == made


def test_what_was_made_survives_kill_nine(fresh: Client) -> None:
    maker = Maker(fresh)
    image = maker.image()
    tree = maker.tree()
    fields = {
        tree[0]: "name,objective,status,created_time,updated_time",
        tree[1]: "targeting,promoted_object,daily_budget,start_time",
        tree[2]: "object_story_spec,title",
        tree[3]: "effective_status,creative",
    }
    before = [fresh.get(each, fields=wanted) for each, wanted in fields.items()]
    fresh.sandbox.kill()
    fresh.sandbox.restart()
    assert [fresh.get(each, fields=wanted) for each, wanted in fields.items()] == before
    assert [row["hash"] for row in fresh.every(f"{fresh.account}/adimages")] == [image]
    assert maker.campaign() not in tree
    assert fresh.get(f"{fresh.account}/activities", fields="event_type,object_id")["data"][0]


def test_a_state_of_an_older_sandbox_goes_on(fresh: Client) -> None:
    maker = Maker(fresh)
    first = maker.campaign()
    fresh.sandbox.stop()
    with closing(sqlite3.connect(fresh.sandbox.config.state / "sandbox.sqlite")) as state:
        state.execute("ALTER TABLE writes DROP COLUMN author")
    fresh.sandbox.restart()
    second = maker.campaign()
    assert named(fresh) == [first, second]
    assert [write["object"] for write in fresh.sandbox.writes()] == [first, second]


def test_creates_in_a_replay(tmp_path: Path) -> None:
    days = tmp_path / "days.csv"
    days.write_text(
        "date,account_id,currency,timezone,campaign_id,campaign_name,adset_id,ad_id,"
        "impressions,clicks,spend\n"
        "2026-11-01,42,JPY,Asia/Tokyo,11,Shoes,21,31,1000,10,143\n"
    )
    config = SandboxConfig(state=tmp_path / "state", port=0, replay=days, start=START, frozen=True)
    with run_sandbox(config) as sandbox:
        client = Client(sandbox)
        maker = Maker(client)
        error = client.refused(
            f"{client.account}/campaigns", "POST", **maker.campaign_fields(daily_budget=149)
        )
        assert error["error_subcode"] == 1885272
        *_, ad = maker.tree()
        assert client.every(f"{ad}/insights") == []
        assert len(client.every(f"{client.account}/ads")) == 2
