"""Errors: problem details everywhere under the API, each with its field and its remedy."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.api.home import API, Home
from zyenta_ads_pipeline.console.api import document
from zyenta_ads_pipeline.console.api.problems import problem_of
from zyenta_ads_pipeline.console.guard import MOST_BODY
from zyenta_ads_pipeline.console.pages.errors import error_page
from zyenta_ads_pipeline.domain import errors
from zyenta_ads_pipeline.domain.access import Role

PACKAGE = "zyenta_ads_pipeline"


def checked(reply: Any, status: int) -> dict[str, Any]:
    """A reply that has to be a whole problem of that status."""
    assert reply.status_code == status, reply.text
    assert reply.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = reply.json()
    assert set(body) == {"type", "title", "status", "detail", "instance", "errors"}
    assert body["status"] == status
    for each in body["errors"]:
        assert set(each) == {"field", "message", "remedy"}
        assert each["message"]
        assert each["remedy"], body
    assert body["errors"]
    return body


def test_nobody_is_told_how_to_come_in(home: Home) -> None:
    with home.client(None) as client:
        reply = client.get(f"{API}/campaigns")
        body = checked(reply, 401)
        assert reply.headers["www-authenticate"].startswith("Bearer")
        assert "zyenta token issue" in body["detail"]
        wrong = client.get(f"{API}/campaigns", headers={"Authorization": "Basic abc"})
        checked(wrong, 401)
        unknown = client.get(f"{API}/campaigns", headers={"Authorization": "Bearer nobody"})
        checked(unknown, 401)
        assert "nobody" not in unknown.text


def test_who_guesses_tokens_has_to_wait(home: Home) -> None:
    with home.client(None) as client:
        for number in range(8):
            reply = client.get(f"{API}/me", headers={"Authorization": f"Bearer guess{number}"})
        checked(reply, 429)
        assert int(reply.headers["retry-after"]) > 0


def test_a_body_that_is_no_json_is_told_where(home: Home) -> None:
    with home.client() as client:
        for text in ("{", '{"reason": NaN}', "[1,", "nonsense"):
            reply = client.post(
                f"{API}/kill-switch/throw",
                content=text,
                headers={"Content-Type": "application/json"},
            )
            checked(reply, 400)
        latin = client.post(
            f"{API}/kill-switch/throw",
            content=b'{"reason": "\xe9"}',
            headers={"Content-Type": "application/json"},
        )
        checked(latin, 400)


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"reason"}),
        ({"reason": ""}, {"reason"}),
        ({"reason": 5}, {"reason"}),
        ({"reason": "x" * 1001}, {"reason"}),
        ({"reason": "why", "colour": "red"}, {"colour"}),
        ({"reason": None, "account_id": 7}, {"reason", "account_id"}),
        ([], {""}),
        ("text", {""}),
    ],
)
def test_each_field_that_is_wrong_is_named(home: Home, body: Any, fields: set[str]) -> None:
    with home.client() as client:
        told = checked(client.post(f"{API}/kill-switch/throw", json=body), 422)
    assert {each["field"] for each in told["errors"]} == fields


def test_a_form_in_the_place_of_json_is_told_what_to_send(home: Home) -> None:
    with home.client() as client:
        told = checked(client.post(f"{API}/kill-switch/throw", data={"reason": "why"}), 422)
    assert "Content-Type: application/json" in told["detail"]


def test_an_address_that_is_none_and_a_method_that_is_none(home: Home) -> None:
    with home.client() as client:
        checked(client.get(f"{API}/nothing"), 404)
        reply = client.delete(f"{API}/campaigns")
        checked(reply, 405)
        assert reply.headers["allow"] == "GET"
        several = client.delete(f"{API}/campaigns/none")
        checked(several, 405)
        assert several.headers["allow"] == "GET, PATCH"


def test_a_body_that_is_too_large_is_refused(home: Home) -> None:
    with home.client() as client:
        reply = client.post(f"{API}/kill-switch/throw", json={"reason": "x" * MOST_BODY})
        checked(reply, 413)
        keyed = client.post(
            f"{API}/kill-switch/throw",
            json={"reason": "x" * MOST_BODY},
            headers={"Idempotency-Key": "large"},
        )
        checked(keyed, 413)
        pieces = (b"x" * 1000 for _ in range(MOST_BODY // 1000 + 1))
        checked(client.post(f"{API}/kill-switch/throw", content=pieces), 413)


def test_another_host_is_not_answered(home: Home) -> None:
    with home.client() as client:
        for host in ("evil.example", "localhost.evil.example:8003", "", "127.0.0.1.evil.example"):
            told = checked(client.get(f"{API}/me", headers={"Host": host}), 421)
            assert told["errors"][0]["field"] == "Host"
        for host in ("localhost", "LOCALHOST:9", "127.0.0.1:8003", "[::1]:8003", "[::1]"):
            assert client.get(f"{API}/me", headers={"Host": host}).status_code == 200


def test_every_reply_carries_the_headers(home: Home) -> None:
    with home.client() as client:
        for path in ("/api/docs", f"{API}/me", f"{API}/nothing", "/nothing"):
            reply = client.get(path)
            assert "default-src 'none'" in reply.headers["content-security-policy"]
            assert reply.headers["x-content-type-options"] == "nosniff"
            assert reply.headers["referrer-policy"] == "same-origin"
            assert reply.headers["cache-control"]
        assert client.get(f"{API}/me").headers["cache-control"] == "no-store"


def test_a_defect_is_told_without_its_words(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(home.desks.switches, "all", broken)
    with home.client(Role.VIEWER) as client:
        reply = client.get(f"{API}/kill-switch")
    checked(reply, 500)
    assert "secret" not in reply.text


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.NotSignedIn("a", "b"), 401),
        (errors.NotAllowed("a", "b"), 403),
        (errors.NotThere("a", "b"), 404),
        (errors.Stale("a", "b"), 412),
        (errors.TakenAlready("a", "b"), 409),
        (errors.InProgress("a", "b"), 409),
        (errors.IllegalTransition("a", "b"), 409),
        (errors.InputError("a", "b"), 422),
        (errors.FieldsRefused([errors.FieldProblem("f", "a", "b")]), 422),
        (errors.TooManyTries("a", "b", wait_seconds=9), 429),
        (errors.Transient("a", "b"), 502),
        (errors.StorageError("a", "b"), 503),
        (errors.SettingsError("a", "b"), 503),
    ],
)
def test_each_error_of_ours_has_its_status(error: Exception, status: int) -> None:
    assert problem_of(error, "/here").status_code == status


def test_errors_are_answered_beside_the_event_loop(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def beside(name: str, act: Any) -> Any:
        def called(*given: Any) -> Any:
            with pytest.raises(RuntimeError):
                asyncio.get_running_loop()
            seen.append(name)
            return act(*given)

        return called

    monkeypatch.setattr(f"{PACKAGE}.console.app.error_page", beside("page", error_page))
    monkeypatch.setattr(document, "describe", beside("document", document.describe))
    with home.client() as client:
        assert client.get("/nothing").status_code == 404
        reply = client.put(f"{API}/campaigns")
        checked(reply, 405)
        assert "GET" in reply.headers["allow"]
    assert seen == ["page", "document"]
