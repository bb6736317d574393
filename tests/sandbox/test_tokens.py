"""Tokens: what each may see and do, what becomes of them, and what is told of them."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.sandbox.conftest import START, Client
from tests.sandboxes import run_sandbox
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.sandbox.config import SandboxConfig

US, DE = "10158734012345601", "10158734012345602"
ALL, ONE, BOTH = "token-of-all", "token-of-one", "token-of=both"
APP = ("77", "app-secret")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    config = SandboxConfig(
        state=tmp_path_factory.mktemp("tokens"), port=0, days=5, accounts=3, start=START,
        frozen=True, tokens={ALL: ("*",), ONE: (f"act_{DE}",), BOTH: (f"act_{US}", DE)},
        app_id=APP[0], app_secret=APP[1],
    )  # fmt: skip
    with run_sandbox(config) as sandbox:
        yield Client(sandbox)


def call(
    client: Client, token: str, path: str, method: str = "GET", **params: Any
) -> tuple[int, Any]:
    reply = httpx.request(
        method, f"{client.sandbox.url}/v26.0/{path}", params=params,
        headers={"Authorization": f"Bearer {token}"},
    )  # fmt: skip
    return reply.status_code, reply.json()


def code(client: Client, token: str, path: str, method: str = "GET", **params: Any) -> Any:
    error = call(client, token, path, method, **params)[1].get("error", {})
    return error.get("code"), error.get("error_subcode")


OK = (None, None)


def test_each_token_sees_its_accounts(client: Client) -> None:
    def seen(token: str) -> list[str]:
        page = call(client, token, "me/adaccounts", summary="true")[1]
        assert page["summary"]["total_count"] == len(page["data"])
        return [row["account_id"] for row in page["data"]]

    assert (len(seen(ALL)), seen(ONE), seen(BOTH)) == (3, [DE], [US, DE])
    campaign = call(client, ALL, f"act_{US}/campaigns")[1]["data"][0]["id"]
    for path in (f"act_{US}", f"act_{US}/ads", f"act_{US}/insights"):
        assert code(client, ONE, path) == (200, None)
        assert code(client, BOTH, path) == OK
    for path in (campaign, f"{campaign}/insights"):
        assert code(client, ONE, path) == (100, 33)
    assert code(client, ONE, campaign, "POST", name="X") == (100, 33)
    report = call(client, ALL, f"act_{US}/insights", "POST")[1]["report_run_id"]
    assert code(client, ONE, report) == (100, 33)
    assert code(client, BOTH, report) == OK
    assert code(client, "token-of-nobody", "me") == (190, None)


def test_a_token_dies_and_lives_again_without_the_others(client: Client) -> None:
    client.sandbox.set_token(token=ONE, state="expired", subcode=460)
    for path in ("me", "me/adaccounts", f"act_{DE}", f"act_{DE}/insights"):
        assert code(client, ONE, path) == (190, 460)
    assert code(client, BOTH, f"act_{DE}") == OK
    client.sandbox.set_token(token_of=f"act_{DE}", state="expired")
    assert [code(client, token, "me") for token in (ALL, ONE, BOTH)] == [(190, 463)] * 3
    client.sandbox.set_token(token_of=f"act_{DE}", state="valid")
    assert [code(client, token, "me") for token in (ALL, ONE, BOTH)] == [OK] * 3
    for wrong in ({"token_of": "act_1x"}, {"token": "?", "state": "valid"}, {"token": ONE},
                  {"token": ONE, "state": "ill"}, {"token": ONE, "state": "expired", "subcode": 1},
                  {"token": ONE, "scopes": ["all"]}, {"token": ONE, "nonsense": 1}):  # fmt: skip
        with pytest.raises(InputError):
            client.sandbox.set_token(**wrong)


def test_scopes(client: Client) -> None:
    campaign = call(client, ALL, f"act_{DE}/campaigns")[1]["data"][0]["id"]
    client.sandbox.set_token(token=ONE, scopes=["ads_read"])
    rows = call(client, ONE, "me/permissions")[1]["data"]
    assert rows == [{"permission": "ads_read", "status": "granted"}]
    assert code(client, ONE, campaign) == OK
    assert code(client, ONE, f"act_{DE}/insights", "POST") == OK
    assert code(client, ONE, campaign, "POST", name="X") == (294, None)
    client.sandbox.set_token(token=ONE, scopes=["pages_show_list"])
    assert code(client, ONE, campaign) == (200, None)
    client.sandbox.set_token(token=ONE, scopes=["ads_read", "ads_management"])
    assert code(client, ONE, campaign, "POST", name="X") == OK


def test_the_proof_must_be_right_when_it_is_sent(client: Client) -> None:
    proof = hmac.new(APP[1].encode(), ALL.encode(), hashlib.sha256).hexdigest()
    assert code(client, ALL, "me", appsecret_proof=proof) == OK
    assert code(client, ALL, "me") == OK
    assert code(client, ALL, "me", appsecret_proof="0" * 64) == (104, None)
    parts = json.dumps([{"method": "GET", "relative_url": "me"}])
    status, found = call(client, ALL, "", "POST", batch=parts, appsecret_proof=proof)
    assert (status, found[0]["code"]) == (200, 200)
    assert code(client, ALL, "", "POST", batch=parts, appsecret_proof="no") == (104, None)


def test_debug_token(client: Client) -> None:
    app = "|".join(APP)
    data = call(client, app, "debug_token", input_token=ONE)[1]["data"]
    assert data["is_valid"] is True
    assert (data["app_id"], data["type"], data["expires_at"]) == (APP[0], "SYSTEM_USER", 0)
    assert data["data_access_expires_at"] == 0
    assert {"scope": "ads_read", "target_ids": [DE]} in data["granular_scopes"]
    assert "ads_read" in data["scopes"]
    assert data["user_id"] == call(client, ONE, "me")[1]["id"]
    data = call(client, ALL, "debug_token", input_token=ALL)[1]["data"]
    assert {"scope": "ads_read"} in data["granular_scopes"]
    client.sandbox.set_token(
        token=ONE, state="expired", subcode=467, expires_at=1800000000, data_access_expires_at=9
    )
    status, body = call(client, app, "debug_token", input_token=ONE)
    assert (status, body["data"]["is_valid"], body["data"]["expires_at"]) == (
        200,
        False,
        1800000000,
    )
    assert (body["data"]["error"]["code"], body["data"]["error"]["subcode"]) == (190, 467)
    assert code(client, ONE, "debug_token", input_token=ONE) == (190, 467)
    assert body["data"]["data_access_expires_at"] == 9
    client.sandbox.set_token(token=ONE, state="valid")
    status, body = call(client, app, "debug_token", input_token="unknown")
    assert (status, body["data"]["is_valid"], body["data"]["scopes"]) == (200, False, [])
    assert code(client, "77|wrong", "debug_token", input_token=ONE) == (190, None)
    assert code(client, app, "me") == (190, None)
    assert code(client, app, "debug_token") == (100, None)


def test_a_token_is_exchanged_for_sixty_more_days(client: Client) -> None:
    asked = {"grant_type": "fb_exchange_token", "client_id": APP[0], "client_secret": APP[1],
             "fb_exchange_token": BOTH, "set_token_expires_in_60_days": "true"}  # fmt: skip
    url = f"{client.sandbox.url}/v26.0/oauth/access_token"
    given = httpx.get(url, params=asked).json()
    assert (given["access_token"], given["expires_in"]) == (BOTH, 60 * 86400)
    data = call(client, BOTH, "debug_token", input_token=BOTH)[1]["data"]
    assert data["expires_at"] == int(START.timestamp()) + 60 * 86400
    for wrong in ({"client_secret": "no"}, {"fb_exchange_token": "no"}, {"grant_type": "code"}):
        assert httpx.get(url, params=asked | wrong).status_code == 400
    log = json.dumps(client.sandbox.calls())
    assert not any(secret in log for secret in (ALL, ONE, BOTH, APP[1]))


def test_a_token_ends_at_its_time(client: Client) -> None:
    client.sandbox.set_token(token=ONE, expires_at=int(START.timestamp()) + 1)
    assert code(client, ONE, "me") == OK
    client.sandbox.set_token(token=ONE, expires_at=int(START.timestamp()))
    assert code(client, ONE, "me") == (190, 463)
    body = call(client, ALL, "debug_token", input_token=ONE)[1]
    assert body["data"]["is_valid"] is False
    client.sandbox.set_token(token=ONE, expires_at=0)
    assert code(client, ONE, "me") == OK


def test_pages_pixels_and_empty_lists(client: Client) -> None:
    pages = call(client, BOTH, "me/accounts", fields="id,name")[1]["data"]
    assert len(pages) == len({page["id"] for page in pages}) == 2
    assert call(client, BOTH, f"act_{US}/promote_pages")[1]["data"] == [pages[0]]
    (pixel,) = call(client, BOTH, f"act_{US}/adspixels", fields="name,last_fired_time")[1]["data"]
    assert set(pixel) == {"id", "name", "last_fired_time"}
    assert pixel["id"] != pages[0]["id"]
    for edge in ("customconversions", "customaudiences", "adimages", "adlabels"):
        assert call(client, BOTH, f"act_{US}/{edge}", since="0")[1] == {"data": []}
    assert call(client, BOTH, f"act_{US}/minimum_budgets")[1]["data"][0]["currency"] == "USD"
    assert code(client, BOTH, f"act_{US}/adspixels", fields="nonsense") == (100, None)
    assert code(client, BOTH, f"act_{US}/nonsense") == (100, None)
    message = call(client, BOTH, f"act_{US}/adimages", "POST")[1]["error"]["message"]
    assert "bytes is required" in message
    upload = httpx.post(
        f"{client.sandbox.url}/v26.0/act_{US}/adimages", files={"bytes": b"x"},
        headers={"Authorization": f"Bearer {ALL}"},
    )  # fmt: skip
    assert upload.json()["error"]["error_subcode"] == 1487411


@pytest.mark.parametrize("tokens", [{"a": ()}, {"": ("*",)}])
def test_grants_that_make_no_sense(tokens: dict[str, tuple[str, ...]], tmp_path: Any) -> None:
    with pytest.raises(InputError):
        SandboxConfig(state=tmp_path, tokens=tokens)
