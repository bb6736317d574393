"""A token and an app's secret stay where they belong, whatever a launch calls and meets."""

from __future__ import annotations

import base64
import logging
import traceback
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import stamina

from tests.platforms.launching import AD, AD_SET, CAMPAIGN, CREATIVE, use
from tests.platforms.scripted import Answer, ok, refused, scripted
from zyenta_ads_pipeline.domain.errors import (
    AuthenticationFailed,
    IncompleteData,
    InputError,
    Transient,
    ZyentaError,
)
from zyenta_ads_pipeline.domain.launch import StepKind
from zyenta_ads_pipeline.platforms.meta.platform import MetaAds

TOKEN = "EAAGsecretTOKEN0123456789"
NEW = "EAAGrenewedTOKEN9876543210"
SECRET = "appSECRET9876543210"
APP = {"app_id": "4711", "app_secret": SECRET}
HTML = Answer(502, b"<html>")

CALLS: dict[str, Callable[[MetaAds], Awaitable[Any]]] = {
    "create_campaign": lambda m: m.create_campaign("1", CAMPAIGN),
    "create_ad_set": lambda m: m.create_ad_set("1", AD_SET, validate_only=True),
    "create_ad_creative": lambda m: m.create_ad_creative("1", CREATIVE),
    "create_ad": lambda m: m.create_ad("1", AD),
    "find_by_token": lambda m: m.find_by_token("1", StepKind.AD, "zy"),
    "differences": lambda m: m.differences(StepKind.AD, "9", AD),
    "delete": lambda m: m.delete("9"),
    "upload_image": lambda m: m.upload_image("1", b"x", "x"),
    "upload_video": lambda m: m.upload_video("1", b"x", "x"),
    "find_video": lambda m: m.find_video("1", "zy"),
    "video_status": lambda m: m.video_status("77"),
    "search_interests": lambda m: m.search_interests("hik"),
    "validate_interests": lambda m: m.validate_interests(["1"]),
    "review": lambda m: m.review("1", "9"),
    "catalogues": lambda m: m.catalogues("1"),
    "renewed_token": lambda m: m.renewed_token(),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("kind", ["refused", "broken", "odd"])
def test_no_call_shows_a_secret_in_urls_logs_or_errors(
    name: str, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    told = f"Bad call with access_token={TOKEN} and client_secret={SECRET}"
    answer = {
        "refused": refused(190, 463, message=told, error_user_msg=told),
        "broken": Answer(502, told.encode()),
        "odd": ok({"said": told, "data": told, "images": told}),
    }[kind]
    with (
        stamina.set_testing(True, attempts=2),
        caplog.at_level(logging.DEBUG),
        scripted(*[answer] * 8) as server,
    ):
        error: Exception = AssertionError("an odd answer may pass for a good one")
        try:
            use(server.url, CALLS[name], TOKEN, **APP)
        except ZyentaError as failed:
            error = failed
    shown = "".join(traceback.format_exception(error)) + repr(error) + str(vars(error))
    assert server.requests
    for request in server.requests:
        assert TOKEN not in request.target
        assert SECRET not in request.target
        assert request.headers["authorization"] == f"Bearer {TOKEN}"
        assert name == "renewed_token" or TOKEN not in request.body + request.target
    for secret in (TOKEN, SECRET):
        assert secret not in shown
        assert secret not in caplog.text
    if kind == "refused":
        assert isinstance(error, AuthenticationFailed)
        assert "***" in error.what


def test_a_token_is_renewed_by_a_form() -> None:
    reply = ok({"access_token": NEW, "token_type": "bearer", "expires_in": 5_184_000},
               Date="Tue, 03 Nov 2026 17:30:00 GMT")  # fmt: skip
    with stamina.set_testing(True, attempts=3), scripted(HTML, reply) as server:
        found = use(server.url, lambda meta: meta.renewed_token(), TOKEN, **APP)
    assert found.token == NEW
    assert found.expires_at is not None
    assert NEW not in repr(found)
    request = server.requests[1]
    assert (request.method, request.target) == ("POST", "/v26.0/oauth/access_token")
    assert {name: request.params[name] for name in request.params.keys() - {"appsecret_proof"}} == {
        "method": "GET",
        "grant_type": "fb_exchange_token",
        "client_id": "4711",
        "client_secret": SECRET,
        "fb_exchange_token": TOKEN,
        "set_token_expires_in_60_days": "true",
    }


def test_a_token_that_stays_the_same_is_given_back_though_it_is_hidden_in_replies() -> None:
    with scripted(ok({"access_token": TOKEN})) as server:
        found = use(server.url, lambda meta: meta.renewed_token(), TOKEN, **APP)
    assert (found.token, found.expires_at) == (TOKEN, None)


@pytest.mark.parametrize("body", [{}, {"access_token": ""}, {"access_token": None}])
def test_a_renewal_without_a_token_is_incomplete(body: dict[str, Any]) -> None:
    with scripted(ok(body)) as server, pytest.raises(IncompleteData, match="no token"):
        use(server.url, lambda meta: meta.renewed_token(), TOKEN, **APP)


@pytest.mark.parametrize("options", [{}, {"app_id": "4711"}, {"app_secret": SECRET}])
def test_a_token_is_not_renewed_without_the_app(options: dict[str, str]) -> None:
    with scripted() as server, pytest.raises(InputError) as failed:
        use(server.url, lambda meta: meta.renewed_token(), TOKEN, **options)
    assert server.requests == []
    for name in ("META_APP_ID", "META_APP_SECRET"):
        assert name in failed.value.remedy
    assert SECRET not in str(failed.value)


def test_the_renewals_lifetime_counts_from_metas_clock() -> None:
    with scripted(ok({"access_token": NEW, "expires_in": "3600"})) as server:
        before = datetime.now(UTC)
        found = use(server.url, lambda meta: meta.renewed_token(), TOKEN, **APP)
    assert found.expires_at is not None
    assert 3500 < (found.expires_at - before).total_seconds() < 3700


def test_an_images_bytes_are_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    content = b"picture" * 2000
    with (
        caplog.at_level(logging.DEBUG),
        stamina.set_testing(True, attempts=1),
        scripted(HTML) as server,
        pytest.raises(Transient) as failed,
    ):
        use(server.url, lambda meta: meta.upload_image("1", content, "x"), TOKEN)
    assert base64.b64encode(content).decode()[:100] not in caplog.text + str(failed.value)
