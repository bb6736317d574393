"""The client against a server that misbehaves in every way Meta's does."""

from __future__ import annotations

import asyncio
import json
import logging
import time
import traceback
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

import pytest
import stamina

from tests.platforms.scripted import (
    Answer,
    Drop,
    Hang,
    Scripted,
    Step,
    broken_gzip,
    ok,
    refused,
    scripted,
)
from zyenta_ads_pipeline.domain.errors import (
    AuthenticationFailed,
    IncompleteData,
    PermissionDenied,
    PlatformError,
    RateLimited,
    TooMuchData,
    Transient,
    UnknownOutcome,
    Unreachable,
    ValidationRefused,
    ZyentaError,
)
from zyenta_ads_pipeline.platforms.meta.client import MetaClient
from zyenta_ads_pipeline.platforms.meta.replies import Reply

TOKEN = "EAAGsecretTOKEN0123456789"
HTML = Answer(502, b"<html><h1>502 Bad Gateway</h1></html>", {"content-type": "text/html"})
T = TypeVar("T")


def use(server: Scripted, call: Callable[[MetaClient], Awaitable[T]], **options: Any) -> T:
    """Run one call with a client of its own."""

    async def run() -> T:
        client = MetaClient(
            base_url=server.url, version="v26.0", token=TOKEN, **{"timeout": 5.0, **options}
        )
        async with client:
            return await call(client)

    return asyncio.run(run())


def get(server: Scripted, **options: Any) -> Reply:
    return use(server, lambda client: client.get("act_1", {"fields": "id"}), **options)


def post(server: Scripted, **options: Any) -> Reply:
    return use(server, lambda client: client.post("23", {"daily_budget": "1000"}), **options)


def pages(server: Scripted, limit: int = 40, **params: Any) -> list[dict[str, Any]]:
    async def read(client: MetaClient) -> list[dict[str, Any]]:
        replies = client.pages("act_1/ads", {"fields": "id", **params}, limit=limit)
        return [row async for reply in replies for row in reply.body["data"]]

    return use(server, read)


@pytest.fixture
def impatient() -> Iterator[None]:
    """No pauses between tries where the test is not about them."""
    with stamina.set_testing(True, attempts=5):
        yield


@pytest.fixture(autouse=True)
def no_secret_in_any_log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whatever happens in a test here, at the finest level of every logger."""
    with caplog.at_level(logging.DEBUG):
        yield
        assert TOKEN not in caplog.text
        assert not any(TOKEN in repr(record.args) for record in caplog.records)


def assert_no_secret(error: BaseException) -> None:
    """Neither in its words nor in those of whatever led to it."""
    told = "".join(traceback.format_exception(error)) + repr(error) + str(vars(error))
    assert TOKEN not in told


def page(ids: list[str], after: str | None = None, **more: Any) -> Answer:
    paging: dict[str, Any] = {"cursors": {"before": "b", "after": after or "last"}}
    if after:
        paging["next"] = f"https://graph.facebook.com/v26.0/x?access_token={TOKEN}&after={after}"
    return ok({"data": [{"id": each} for each in ids], "paging": paging, **more})


# What is sent


def test_the_token_travels_in_the_header_and_in_no_url() -> None:
    with scripted(page(["1"], "c1"), page(["2"]), ok({"success": True})) as server:
        assert pages(server) == [{"id": "1"}, {"id": "2"}]
        post(server)
    for request in server.requests:
        assert request.headers["authorization"] == f"Bearer {TOKEN}"
        assert TOKEN not in request.target + request.body
        assert "access_token" not in request.target + request.body


def test_lists_and_objects_are_sent_as_json_texts_and_nothing_as_nothing() -> None:
    with scripted(page([])) as server:
        pages(server, time_range={"since": "2026-11-01"}, statuses=["A", "B"], flag=True, no=None)
    assert server.requests[0].params == {
        "fields": "id",
        "time_range": '{"since":"2026-11-01"}',
        "statuses": '["A","B"]',
        "flag": "true",
        "limit": "40",
    }
    assert server.requests[0].path == "/v26.0/act_1/ads"


def test_a_write_is_a_form() -> None:
    with scripted(ok({"success": True})) as server:
        reply = post(server)
    assert reply.body == {"success": True}
    (request,) = server.requests
    assert (request.method, request.path) == ("POST", "/v26.0/23")
    assert request.params == {"daily_budget": "1000"}
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"


def test_numbers_come_exact_and_the_time_is_the_servers() -> None:
    body = Answer(200, b'{"spend": 0.10, "id": 120210000000000001}', {"x-fb-trace-id": "T9"})
    with scripted(body) as server:
        reply = get(server)
    assert (str(reply.body["spend"]), reply.body["id"]) == ("0.10", 120210000000000001)
    assert abs(reply.at.timestamp() - time.time()) < 5
    assert reply.trace_id == "T9"


# Reads that fail

HEALING: dict[str, Step] = {
    "an HTML 502": HTML,
    "an HTML 200": Answer(200, b"<html>moved</html>"),
    "a bare 503": Answer(503, b"Service Unavailable"),
    "code 2": refused(2, status=500),
    "code 1": refused(1, status=500),
    "a 200 with an error in it": refused(2, status=200),
    "an error that is a text": ok({"error": "temporarily unavailable"}),
    "a closed connection": Drop(),
    "a body cut short": Answer(200, b'{"id": "1', claimed=50),
    "a list": ok([1, 2]),
    "a number": ok(7),
    "an unfinished object": Answer(200, b'{"id": "1"'),
    "bytes that are no text": Answer(200, b'{"id": "\xff"}'),
    "a broken gzip": broken_gzip(),
    "an unknown code with is_transient": refused(987_654, is_transient=True),
    "an unknown code with HTTP 500": refused(987_654, status=500),
}


@pytest.mark.parametrize("name", HEALING)
@pytest.mark.usefixtures("impatient")
def test_a_read_is_tried_again_after(name: str) -> None:
    with scripted(HEALING[name], ok({"id": "1"})) as server:
        assert get(server).body == {"id": "1"}
    assert len(server.requests) == 2


@pytest.mark.usefixtures("impatient")
def test_a_read_that_never_heals_gives_up_after_five_tries() -> None:
    with scripted(*[HTML] * 9) as server, pytest.raises(Transient, match="HTTP 502") as failed:
        get(server)
    assert len(server.requests) == 5
    assert_no_secret(failed.value)


@pytest.mark.parametrize("code", [1, 389, 5000, 6000, 6001])
@pytest.mark.usefixtures("impatient")
def test_some_trouble_heals_at_the_second_try_or_not_at_all(code: int) -> None:
    with scripted(*[refused(code)] * 5) as server, pytest.raises(Transient):
        get(server)
    assert len(server.requests) == 2


FINAL: dict[str, tuple[Answer, type[PlatformError]]] = {
    "a wrong parameter": (refused(100), ValidationRefused),
    "an invalid breakdown, though Meta calls it transient": (
        refused(2, 1504041, status=500, is_transient=True),
        ValidationRefused,
    ),
    "an invalid metric": (refused(2, 1504042, status=500), ValidationRefused),
    "a wrong parameter that claims to be transient": (
        refused(100, is_transient=True),
        ValidationRefused,
    ),
    "a dead token": (refused(190, 463), AuthenticationFailed),
    "a missing permission": (refused(200), PermissionDenied),
    "a page of a web server": (Answer(404, b"<html>not here</html>"), ValidationRefused),
    "an error without a code": (refused(None), ValidationRefused),
}


@pytest.mark.parametrize("name", FINAL)
def test_a_read_is_not_tried_again_after(name: str) -> None:
    answer, kind = FINAL[name]
    with scripted(answer, ok({})) as server, pytest.raises(kind) as failed:
        get(server)
    assert len(server.requests) == 1
    assert type(failed.value) is kind
    assert failed.value.remedy


# Waiting


def account_usage(seconds: float) -> dict[str, str]:
    usage = {"acc_id_util_pct": 100, "reset_time_duration": seconds}
    business = {"1": [{"type": "ads_insights", "estimated_time_to_regain_access": 999}]}
    return {
        "X-Ad-Account-Usage": json.dumps(usage),
        "X-Business-Use-Case-Usage": json.dumps(business),
    }


def business_usage(*minutes: float) -> dict[str, str]:
    uses = [{"type": "ads_insights", "estimated_time_to_regain_access": m} for m in minutes]
    return {
        "X-Business-Use-Case-Usage": json.dumps({"1": uses, "2": []}),
        "X-Ad-Account-Usage": json.dumps({"reset_time_duration": 999}),
    }


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (refused(17, 2446079, headers=account_usage(0.3)), 0.3),
        (refused(4, headers=account_usage(0.3), status=403), 0.3),
        (refused(613, 1487742, headers=account_usage(0.3)), 0.3),
        (refused(80004, headers=business_usage(0.001, 0.005)), 0.3),
        (refused(80000, 2446079, headers=business_usage(0.005)), 0.3),
    ],
)
def test_a_throttled_read_waits_as_long_as_the_right_header_says(
    answer: Answer, seconds: float
) -> None:
    with scripted(answer, ok({"id": "1"})) as server:
        started = time.monotonic()
        assert get(server, max_wait=1).body == {"id": "1"}
        assert seconds <= time.monotonic() - started < seconds + 1.5
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("answer", "wait"),
    [
        (refused(17, 2446079, headers=account_usage(100)), 100),
        (refused(80004, headers=business_usage(3, 7, 5)), 7 * 60),
        (refused(80014, headers=business_usage(2)), 2 * 60),
        (refused(80004), 60),
        (refused(17), 60),
        (refused(80004, headers={"X-Business-Use-Case-Usage": "not json"}), 60),
        (refused(80004, headers={"X-Business-Use-Case-Usage": "[1]"}), 60),
        (refused(80004, headers={"X-Business-Use-Case-Usage": '{"1": [7], "2": 3}'}), 60),
        (refused(17, headers={"X-Ad-Account-Usage": '{"reset_time_duration": "soon"}'}), 60),
        (refused(17, headers={"X-Ad-Account-Usage": '{"reset_time_duration": -5}'}), 60),
        (refused(17, headers={"X-Ad-Account-Usage": '{"reset_time_duration": NaN}'}), 60),
        (refused(613, 1487632), 3600),
        (refused(1487632), 3600),
        (refused(613, 5044001), 5),
        (refused(613, 1487225), 86_400),
        (refused(17, 1885172), 86_400),
        (refused(4, 1504022), 180),
        (refused(4, 1504039), 180),
        (refused(None, status=429), 60),
    ],
)
def test_a_wait_longer_than_allowed_is_told_and_not_sat_out(answer: Answer, wait: float) -> None:
    with scripted(answer, ok({})) as server, pytest.raises(RateLimited) as failed:
        get(server, max_wait=4)
    assert failed.value.wait_seconds == wait
    assert len(server.requests) == 1


def test_waits_add_up_against_the_longest_allowed() -> None:
    throttled = refused(17, headers=account_usage(0.2))
    with scripted(*[throttled] * 9) as server, pytest.raises(RateLimited):
        get(server, max_wait=0.5)
    assert len(server.requests) == 3


def test_a_bare_429_is_a_throttle() -> None:
    with scripted(Answer(429, b"slow down")) as server, pytest.raises(RateLimited):
        get(server, max_wait=0)


# No connection


@pytest.mark.usefixtures("impatient")
def test_a_dead_port_is_unreachable_and_named() -> None:
    with scripted() as server:
        pass
    for call in (get, post):
        with pytest.raises(Unreachable, match=server.url) as failed:
            call(server)
        assert "META_GRAPH_URL" in failed.value.remedy
        assert_no_secret(failed.value)


@pytest.mark.usefixtures("impatient")
def test_a_read_that_gets_no_answer_in_time_is_tried_again() -> None:
    with scripted(Hang(), ok({"id": "1"})) as server:
        assert get(server, timeout=0.2).body == {"id": "1"}


# Writes

UNKNOWN: dict[str, Step] = {
    "no answer in time": Hang(),
    "a closed connection": Drop(),
    "a body cut short": Answer(200, b'{"success": tr', claimed=50),
    "an HTML 502": HTML,
    "a bare 200": Answer(200, b"Service Unavailable"),
    "code 1": refused(1, status=500),
    "code 2": refused(2, status=503),
    "a negative code": refused(-2),
    "success: false": ok({"success": False}),
    "an error that is a text": ok({"error": "temporarily unavailable"}),
    "a list": ok([]),
    "a broken gzip": broken_gzip(),
    "a redirect": Answer(302, b"", {"location": "/elsewhere"}),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_a_write_is_sent_once_and_its_outcome_unknown_after(name: str) -> None:
    with scripted(UNKNOWN[name], ok({"success": True})) as server:
        with pytest.raises(UnknownOutcome) as failed:
            post(server, timeout=0.4)
        assert len(server.requests) == 1
    assert "looked at" in failed.value.remedy
    assert failed.value.origin.request == "POST /v26.0/23"
    assert_no_secret(failed.value)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refused(100, 1885272), ValidationRefused),
        (refused(190), AuthenticationFailed),
        (refused(613, 1487632), RateLimited),
        (refused(200), PermissionDenied),
        (refused(100, 1487534), TooMuchData),
    ],
)
def test_a_write_that_meta_refused_is_sent_once_and_known_not_to_have_happened(
    answer: Answer, kind: type[PlatformError]
) -> None:
    with scripted(answer, ok({"success": True})) as server:
        with pytest.raises(kind) as failed:
            post(server)
        assert len(server.requests) == 1
    assert not isinstance(failed.value, UnknownOutcome)


# Pages


def test_pages_end_where_there_is_no_next_though_there_is_a_cursor() -> None:
    with scripted(page(["1", "2"], "c1"), page([], "c2"), page(["3"])) as server:
        assert [row["id"] for row in pages(server)] == ["1", "2", "3"]
        assert [r.params.get("after") for r in server.requests] == [None, "c1", "c2"]
        assert {r.params["limit"] for r in server.requests} == {"40"}
        assert {r.params["fields"] for r in server.requests} == {"id"}
    assert server.unused == 0


def test_a_list_without_paging_is_its_own_end() -> None:
    with scripted(ok({"data": []})) as server:
        assert pages(server) == []


def test_the_cursor_may_stand_in_the_link_alone() -> None:
    first = ok({"data": [], "paging": {"next": "https://x/y?limit=5&after=Qz%3D%3D"}})
    with scripted(first, page(["1"])) as server:
        assert len(pages(server)) == 1
    assert server.requests[1].params["after"] == "Qz=="


BREAKS: dict[str, tuple[tuple[Step, ...], str]] = {
    "a circle": ((page(["1"], "a"), page(["2"], "b"), page(["3"], "a")), "circles"),
    "a page that points to itself": ((page(["1"], "a"), page(["1"], "a")), "circles"),
    "a next without a cursor": (
        (ok({"data": [], "paging": {"next": "https://x/y?limit=5"}}),),
        "no cursor",
    ),
    "a second page refused": ((page(["1"], "a"), refused(100)), "page 2 could not be read"),
    "no list": ((ok({"data": {"id": "1"}}),), "no list of rows"),
    "no data": ((page(["1"], "a"), ok({"success": True})), "no list of rows"),
    "rows that are texts": ((ok({"data": ["1"]}),), "no list of rows"),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_chain_is_incomplete_after(name: str) -> None:
    steps, words = BREAKS[name]
    with scripted(*steps) as server, pytest.raises(IncompleteData, match=words) as failed:
        pages(server)
    assert server.unused == 0
    assert "act_1/ads" in failed.value.what
    assert "run it again" in failed.value.remedy
    assert_no_secret(failed.value)


def test_a_first_page_refused_is_what_it_is() -> None:
    with scripted(refused(100)) as server, pytest.raises(ValidationRefused):
        pages(server)


@pytest.mark.usefixtures("impatient")
def test_trouble_on_a_later_page_is_tried_again_at_its_cursor() -> None:
    with scripted(page(["1"], "a"), HTML, page(["2"])) as server:
        assert len(pages(server)) == 2
    assert [r.params.get("after") for r in server.requests] == [None, "a", "a"]


def test_trouble_on_a_later_page_that_does_not_end_is_raised() -> None:
    with (
        stamina.set_testing(True, attempts=2),
        scripted(page(["1"], "a"), HTML, HTML) as server,
        pytest.raises(Transient),
    ):
        pages(server)


TOO_LARGE = [
    refused(100, 1487534),
    refused(1487534),
    refused(1, message="Please reduce the amount of data you're asking for", status=500),
]


@pytest.mark.parametrize("answer", TOO_LARGE)
def test_a_page_too_large_is_halved_at_the_same_cursor(answer: Answer) -> None:
    with scripted(page(["1"], "a"), answer, answer, page(["2"], "b"), page(["3"])) as server:
        assert [row["id"] for row in pages(server)] == ["1", "2", "3"]
    asked = [(r.params.get("after"), r.params["limit"]) for r in server.requests]
    assert asked == [(None, "40"), ("a", "40"), ("a", "20"), ("a", "10"), ("b", "10")]


def test_a_page_too_large_at_its_smallest_gives_up() -> None:
    with scripted(*[refused(100, 1487534)] * 9) as server, pytest.raises(TooMuchData):
        pages(server)
    assert [r.params["limit"] for r in server.requests] == ["40", "20", "10"]


# What is told


@pytest.mark.parametrize("wrap", [lambda data: data, json.dumps])
def test_an_error_tells_metas_words_the_blamed_field_and_where_it_came_from(
    wrap: Callable[[object], object],
) -> None:
    data = wrap({"blame_field_specs": [["daily_budget"], ["targeting", "geo"]]})
    answer = refused(
        100, 1885272, message="Invalid parameter", error_user_title="Budget is too low",
        error_user_msg="Raise it to $1.00.", error_data=data,
    )  # fmt: skip
    with scripted(answer) as server, pytest.raises(ValidationRefused) as failed:
        get(server)
    told = failed.value.what
    words = ("Invalid parameter", "Budget is too low", "Raise it to $1.00")
    for word in (*words, "field daily_budget, targeting.geo", "100/1885272", "GET /v26.0/act_1"):
        assert word in told
    origin = failed.value.origin
    assert (origin.code, origin.subcode, origin.http_status) == (100, 1885272, 400)
    assert origin.trace_id == "A1b2"


@pytest.mark.parametrize(
    "data", ["no json", "[]", [], None, 7, {"blame_field_specs": "x"}, {"blame_field_specs": ["a"]}]
)
def test_odd_error_data_harm_nothing(data: object) -> None:
    with (
        scripted(refused(100, error_data=data)) as server,
        pytest.raises(ValidationRefused, match="No"),
    ):
        get(server)


@pytest.mark.parametrize("code", [190, 100, 2, 17, 613, 1])
@pytest.mark.usefixtures("impatient")
def test_a_token_that_meta_echoes_is_taken_out_of_every_text(code: int) -> None:
    echo = f"Malformed access token {TOKEN}"
    answer = refused(
        code, message=echo, error_user_title=TOKEN, error_user_msg=echo, fbtrace_id=TOKEN,
        error_data={"blame_field_specs": [[TOKEN]]},
    )  # fmt: skip
    for call in (get, post):
        with scripted(*[answer] * 5) as server, pytest.raises(ZyentaError) as failed:
            call(server, max_wait=0)
        assert_no_secret(failed.value)
        assert "***" in str(failed.value)


def test_an_answer_of_another_version_is_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    older = Answer(200, b"{}", {"facebook-api-version": "v25.0"})

    async def twice(client: MetaClient) -> None:
        await client.get("me")
        await client.get("me")

    with scripted(older, older) as server:
        use(server, twice)
    warned = [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]
    assert warned == ["Meta answered as v25.0 though v26.0 was asked"]
