"""Asked twice, done once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.api.home import API, Home, proposal, proposed
from tests.api.test_problems import checked
from tests.api.test_seeds import QUERY
from zyenta_ads_pipeline.domain.access import Role
from zyenta_ads_pipeline.store.requests import CampaignRequests

KEY = {"Idempotency-Key": "a key"}


def test_the_first_reply_comes_back(home: Home) -> None:
    with home.client() as client:
        first = client.post(f"{API}/campaigns/create", params=QUERY, headers=KEY)
        again = client.post(f"{API}/campaigns/create", params=QUERY, headers=KEY)
    assert first.status_code == again.status_code == 200
    assert again.content == first.content
    assert again.headers["location"] == first.headers["location"]
    assert again.headers["content-type"] == first.headers["content-type"]
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert len(CampaignRequests(home.store).waiting()) == 1


def test_a_key_is_for_one_thing(home: Home) -> None:
    with home.client() as client:
        client.post(f"{API}/campaigns/create", params=QUERY, headers=KEY)
        other = QUERY | {"daily_budget": "60"}
        told = checked(client.post(f"{API}/campaigns/create", params=other, headers=KEY), 422)
        assert told["errors"][0]["field"] == "Idempotency-Key"
        elsewhere = client.post(f"{API}/kill-switch/throw", json={"reason": "x"}, headers=KEY)
        checked(elsewhere, 422)


def test_a_key_is_one_persons(home: Home) -> None:
    with home.client() as client, home.client(Role.ADMIN) as other:
        first = client.post(f"{API}/campaigns/create", params=QUERY, headers=KEY).json()
        second = other.post(f"{API}/campaigns/create", params=QUERY, headers=KEY).json()
    assert first["campaign_id"] != second["campaign_id"]


def test_what_was_refused_may_be_asked_again_with_the_same_key(home: Home) -> None:
    with home.client() as client:
        wrong = QUERY | {"daily_budget": "5"}
        checked(client.post(f"{API}/campaigns/create", params=wrong, headers=KEY), 422)
        right = client.post(f"{API}/campaigns/create", params=QUERY, headers=KEY)
    assert right.status_code == 200
    assert "idempotency-replayed" not in right.headers


def test_a_defect_holds_no_key(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError

    with home.client() as client:
        with monkeypatch.context() as patched:
            patched.setattr(home.desks.campaigns, "ask", broken)
            checked(client.post(f"{API}/campaigns/create", params=QUERY, headers=KEY), 500)
        assert client.post(f"{API}/campaigns/create", params=QUERY, headers=KEY).status_code == 200


@pytest.mark.parametrize("key", ["", " ", "x" * 201])
def test_a_key_has_to_be_one(home: Home, key: str) -> None:
    with home.client() as client:
        reply = client.post(
            f"{API}/campaigns/create", params=QUERY, headers={"Idempotency-Key": key}
        )
    assert checked(reply, 422)["errors"][0]["field"] == "Idempotency-Key"


def test_of_many_at_once_one_is_done(home: Home) -> None:
    start = threading.Barrier(6)

    def ask(_: int) -> Any:
        with home.client() as client:
            start.wait()
            return client.post(f"{API}/campaigns/create", params=QUERY, headers=KEY)

    with ThreadPoolExecutor(6) as threads:
        replies = list(threads.map(ask, range(6)))
    assert {each.status_code for each in replies} <= {200, 409}
    good = [each for each in replies if each.status_code == 200]
    assert len({each.json()["campaign_id"] for each in good}) == 1
    assert sum("idempotency-replayed" not in each.headers for each in good) == 1
    for each in replies:
        if each.status_code == 409:
            checked(each, 409)
            assert each.headers["retry-after"]
    assert len(CampaignRequests(home.store).waiting()) == 1


def test_a_new_token_is_never_kept(home: Home) -> None:
    body = {"name": "eva", "role": "viewer"}
    with home.client(Role.ADMIN) as client:
        first = client.post(f"{API}/tokens", json=body, headers=KEY)
        assert first.status_code == 201, first.text
        told = checked(client.post(f"{API}/tokens", json=body, headers=KEY), 409)
        assert told["errors"][0]["field"] == "name"


def test_of_several_changes_a_reply_is_kept_where_any_was_moved(home: Home) -> None:
    first, second = proposed(home.store, proposal("1"), proposal("2", decision_id="d2"))
    address, stale = f"{API}/changes/approve", {first: "0123", second: "0123"}
    with home.client() as client:
        none = {"ids": [first, second], "versions": stale}
        for _ in range(2):
            refused = client.post(address, json=none, headers=KEY)
            assert refused.json()["success"] is False
            assert "idempotency-replayed" not in refused.headers
        some = none | {"versions": {second: "0123"}}
        done = client.post(address, json=some, headers=KEY)
        assert "idempotency-replayed" not in done.headers, "what was refused holds no key"
        assert [each["id"] for each in done.json()["changes"]] == [first]
        again = client.post(address, json=some, headers=KEY)
        assert again.headers["idempotency-replayed"] == "true"
        assert again.content == done.content
