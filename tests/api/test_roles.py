"""Every call of the API, asked by nobody and by each role."""

from __future__ import annotations

import re
from typing import Any

from tests.api.home import API, Home
from tests.api.test_problems import checked
from zyenta_ads_pipeline.domain.access import Role

BODY: dict[str, Any] = {"reason": "x"}


def calls(home: Home) -> list[tuple[str, str, Role]]:
    """Method, address and the role it takes, of every call in the document."""
    found = []
    for path, methods in home.app.openapi()["paths"].items():
        for method, operation in methods.items():
            own = re.sub(r"\{[^}]+\}", "none", path)
            found.append((method.upper(), own, Role(operation["x-role"])))
    return found


def asked(client: Any, method: str, path: str) -> Any:
    body = BODY if method in ("POST", "PUT", "PATCH") else None
    return client.request(method, path, json=body)


def test_each_call_holds_to_its_role(home: Home) -> None:
    every = calls(home)
    assert len(every) > 50
    for role in Role:
        with home.client(role) as client:
            for method, path, needed in every:
                reply = asked(client, method, path)
                if role.reaches(needed):
                    assert reply.status_code not in (401, 403, 405, 500), (method, path, reply.text)
                else:
                    told = checked(reply, 403)
                    assert needed.value in told["detail"], path


def test_nobody_gets_in(home: Home) -> None:
    with home.client(None) as client:
        for method, path, _ in calls(home):
            reply = asked(client, method, path)
            checked(reply, 401)
            assert "www-authenticate" in reply.headers


def test_what_writes_takes_a_buyer_and_what_is_the_houses_an_admin(home: Home) -> None:
    roles = {(method, path): role for method, path, role in calls(home)}
    for (method, path), role in roles.items():
        if method != "GET":
            assert role is not Role.VIEWER, path
    for method, path in (
        ("POST", f"{API}/tokens"),
        ("GET", f"{API}/tokens"),
        ("POST", f"{API}/tokens/none/revoke"),
        ("POST", f"{API}/stores"),
        ("PUT", f"{API}/accounts/none/rules/none"),
        ("DELETE", f"{API}/accounts/none/rules/none"),
        ("POST", f"{API}/kill-switch/lift"),
    ):
        assert roles[method, path] is Role.ADMIN


def test_a_refusal_stands_in_the_audit(home: Home) -> None:
    with home.client(Role.VIEWER) as client:
        checked(client.post(f"{API}/campaigns/{home.campaigns[1].id}/pause"), 403)
    with home.client(Role.ADMIN) as client:
        rows = client.get(f"{API}/audit").json()["audit"]
    refused = [row for row in rows if row["refused"]]
    assert refused[0]["who"] == "the viewer"
    assert refused[0]["act"] == "pause_campaign"


def test_a_revoked_token_is_worth_nothing_at_once(home: Home) -> None:
    with home.client(Role.ADMIN) as admin, home.client(Role.VIEWER) as viewer:
        assert viewer.get(f"{API}/me").json()["role"] == "viewer"
        tokens = admin.get(f"{API}/tokens").json()["tokens"]
        own = next(each for each in tokens if each["role"] == "viewer")
        assert home.tokens[Role.VIEWER] not in str(tokens)
        assert admin.post(f"{API}/tokens/{own['id']}/revoke").status_code == 200
        checked(viewer.get(f"{API}/me"), 401)


def test_a_session_may_read_and_needs_its_own_word_to_write(home: Home) -> None:
    signed = home.desks.people.sign_in(home.tokens[Role.BUYER], "test")
    address = f"{API}/kill-switch/throw"
    with home.client(None) as client:
        client.cookies.set("zyenta_session", signed.cookie)
        assert client.get(f"{API}/me").json()["name"] == "the buyer"
        told = checked(client.post(address, json=BODY), 403)
        assert told["errors"][0]["field"] == "X-CSRF-Token"
        checked(client.post(address, json=BODY, headers={"X-CSRF-Token": "other"}), 403)
        done = client.post(address, json=BODY, headers={"X-CSRF-Token": signed.csrf})
        assert done.status_code == 200, done.text
        home.desks.people.sign_out(signed.cookie)
        checked(client.get(f"{API}/me"), 401)
