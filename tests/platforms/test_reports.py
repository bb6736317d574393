"""Report jobs, batches and the token, against replies written down one by one."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any, TypeVar

import pytest
import stamina

from tests.platforms.scripted import Answer, Drop, Scripted, ok, refused, scripted
from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.errors import (
    AuthenticationFailed,
    IncompleteData,
    NotFound,
    PermissionDenied,
    PolicyBlocked,
    RateLimited,
    ReportFailed,
    TooMuchData,
    Transient,
    ValidationRefused,
)
from zyenta_ads_pipeline.domain.insights import FIELDS, PRESETS, Report
from zyenta_ads_pipeline.domain.time import DateRange
from zyenta_ads_pipeline.platforms.base import ReportState, ReportStatus
from zyenta_ads_pipeline.platforms.meta.client import MetaClient
from zyenta_ads_pipeline.platforms.meta.platform import MetaAds

TOKEN = "EAAGsecretTOKEN0123456789"
DAYS = DateRange(date(2026, 11, 1), date(2026, 11, 7))
REPORT = Report("1", Level.AD, DAYS)
T = TypeVar("T")


def use(server: Scripted, call: Callable[[MetaAds], Awaitable[T]], **options: Any) -> T:
    async def run() -> T:
        client = MetaClient(
            base_url=server.url, version="v26.0", token=TOKEN, **{"timeout": 5.0, **options}
        )
        async with MetaAds(client) as meta:
            return await call(meta)

    return asyncio.run(run())


@pytest.fixture(autouse=True)
def impatient() -> Iterator[None]:
    """No pauses between tries."""
    with stamina.set_testing(True, attempts=5):
        yield


# What is asked


def asked(report: Report) -> dict[str, str]:
    with scripted(ok({"report_run_id": "7"})) as server:
        assert use(server, lambda meta: meta.start_report(report)) == "7"
    (request,) = server.requests
    assert request.method == "POST"
    assert "?" not in request.target
    return {"path": request.path, **request.params}


def test_a_report_asks_for_key_fields_days_windows_and_all_statuses() -> None:
    params = asked(REPORT)
    assert params["path"] == "/v26.0/act_1/insights"
    assert params["level"] == "ad"
    assert params["fields"].split(",") == [
        "account_id", "campaign_id", "adset_id", "ad_id", "date_start", "date_stop", *FIELDS,
        "attribution_setting",
    ]  # fmt: skip
    assert json.loads(params["time_range"]) == {"since": "2026-11-01", "until": "2026-11-07"}
    assert params["time_increment"] == "1"
    windows = ["1d_click", "7d_click", "28d_click", "1d_view", "default"]
    assert json.loads(params["action_attribution_windows"]) == windows
    (condition,) = json.loads(params["filtering"])
    assert (condition["field"], condition["operator"]) == ("ad.effective_status", "IN")
    assert {"ACTIVE", "ARCHIVED", "DELETED", "DISAPPROVED"} <= set(condition["value"])
    assert "breakdowns" not in params


def test_ids_take_the_place_of_statuses_and_a_node_that_of_the_account() -> None:
    params = asked(Report("1", Level.ADSET, DAYS, ids=("5", "6"), node="99"))
    assert params["path"] == "/v26.0/99/insights"
    assert json.loads(params["filtering"]) == [
        {"field": "adset.id", "operator": "IN", "value": ["5", "6"]}
    ]


def test_the_account_needs_no_filter() -> None:
    assert "filtering" not in asked(Report("1", Level.ACCOUNT, DAYS))


@pytest.mark.parametrize("preset", PRESETS.values(), ids=lambda preset: preset.name)
def test_breakdowns_are_asked_as_such_and_not_as_fields(preset: Any) -> None:
    params = asked(Report("1", Level.AD, DAYS, preset, preset.fields))
    assert json.loads(params["breakdowns"]) == list(preset.breakdowns)
    fields = params["fields"].split(",")
    assert not set(fields) & {*preset.breakdowns, *preset.lacks, "attribution_setting"}


def test_a_page_is_asked_like_the_report_with_limit_and_cursor() -> None:
    with scripted(ok({"data": []}), ok({"data": []})) as server:
        use(server, lambda meta: meta.read_page(REPORT, limit=500, after="QQ=="))
        use(server, lambda meta: meta.report_page("7", REPORT, limit=900, after=None))
    first, second = server.requests
    assert (first.method, first.params["limit"], first.params["after"]) == ("GET", "500", "QQ==")
    assert {**asked(REPORT), "limit": "500", "after": "QQ=="} == {
        "path": first.path,
        **first.params,
    }
    assert (second.path, second.params) == ("/v26.0/7/insights", {"limit": "900"})


# Starting


@pytest.mark.parametrize("trouble", [Drop(), Answer(502, b"<html>"), refused(2, status=500)])
def test_a_start_may_be_repeated(trouble: Any) -> None:
    with scripted(trouble, ok({"report_run_id": "7"})) as server:
        assert use(server, lambda meta: meta.start_report(REPORT)) == "7"


def test_a_start_that_is_too_much_or_never_heals_or_names_no_report_is_told() -> None:
    for answers, kind in (
        ([refused(100, 1487534)], TooMuchData),
        ([refused(2, 1504041)], ValidationRefused),
        ([Answer(502, b"<html>")] * 5, Transient),
        ([ok({"success": True})], IncompleteData),
    ):
        with scripted(*answers) as server, pytest.raises(kind):
            use(server, lambda meta: meta.start_report(REPORT))
        assert server.unused == 0


# Following


def status(body: dict[str, Any]) -> ReportStatus:
    with scripted(ok(body)) as server:
        return use(server, lambda meta: meta.report_status("7", "1"))


@pytest.mark.parametrize(
    ("said", "percent", "state"),
    [
        ("Job Not Started", 0, ReportState.WAITING),
        ("Job Started", 0, ReportState.RUNNING),
        ("Job Running", 100, ReportState.RUNNING),
        ("Job Completed", 99, ReportState.RUNNING),
        ("Job Completed", None, ReportState.RUNNING),
        ("Job Completed", 100, ReportState.COMPLETED),
        ("Job Completed", "100", ReportState.COMPLETED),
        ("Job Skipped", 0, ReportState.SKIPPED),
        ("Job Failed", 30, ReportState.FAILED),
    ],
)
def test_each_state_is_told_apart(said: str, percent: object, state: ReportState) -> None:
    found = status({"async_status": said, "async_percent_completion": percent})
    assert (found.run_id, found.state) == ("7", state)
    assert 0 <= found.percent <= 100
    assert (found.error is None) == (state is not ReportState.FAILED)


@pytest.mark.parametrize("body", [{"async_status": "Job Paused"}, {}, {"async_status": 3}])
def test_an_unknown_state_counts_as_running_and_is_warned_of(
    body: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    assert status({**body, "async_percent_completion": "x"}).state is ReportState.RUNNING
    assert "waiting on" in caplog.text


@pytest.mark.parametrize(
    ("code", "subcode", "message", "kind"),
    [
        (-3, 1504045, "", TooMuchData),
        (2, 1504038, "", TooMuchData),
        (100, 1504018, "", TooMuchData),
        (100, 1487534, "", TooMuchData),
        (1, None, "Please reduce the amount of data you're asking for", TooMuchData),
        (2, 1504041, "", ValidationRefused),
        (2, 1504042, "", ValidationRefused),
        (100, 3018, "", ReportFailed),
        (190, 463, "", AuthenticationFailed),
        (102, None, "", AuthenticationFailed),
        (10, None, "", PermissionDenied),
        (200, None, "", PermissionDenied),
        (294, None, "", PermissionDenied),
        (100, 33, "", NotFound),
        (368, None, "", PolicyBlocked),
        (2635, None, "", ValidationRefused),
        (17, 2446079, "", ReportFailed),
        (3018, None, "", ValidationRefused),
        (-2, 2490547, "", ReportFailed),
        (2, 1504044, "", ReportFailed),
        (100, None, "", ReportFailed),
        (None, None, "", ReportFailed),
        ("2", "1504038", "", TooMuchData),
    ],
)
def test_a_failed_report_says_what_may_be_done(
    code: Any, subcode: Any, message: str, kind: type
) -> None:
    body = {"async_status": "Job Failed", "async_percent_completion": 3, "error_code": code,
            "error_subcode": subcode, "error_message": message,
            "error_user_msg": "Told to people"}  # fmt: skip
    error = status(body).error
    assert type(error) is kind
    assert "Told to people" in str(error)


def test_a_report_just_started_may_not_be_known_yet() -> None:
    done = ok({"async_status": "Job Running", "async_percent_completion": 5})
    with scripted(refused(100, 33), refused(100, 33), done) as server:
        assert use(server, lambda meta: meta.report_status("7", "1")).percent == 5
    early = refused(2601, 1815107)
    with scripted(early, refused(100, 33), ok({"data": []})) as server:
        page = use(server, lambda meta: meta.report_page("7", REPORT, limit=9, after=None))
        assert page.rows.is_empty()


def test_a_report_that_stays_unknown_is_not_found() -> None:
    with scripted(*[refused(100, 33)] * 5) as server, pytest.raises(NotFound):
        use(server, lambda meta: meta.report_status("7", "1"))
    assert server.unused == 0
    with scripted(refused(100, 33)) as server, pytest.raises(NotFound):
        use(server, lambda meta: meta.report_page("7", REPORT, limit=9, after="QQ"))


# Batches


def part(body: Any, code: int = 200, **headers: str) -> dict[str, Any]:
    listed = [{"name": name.replace("_", "-"), "value": value} for name, value in headers.items()]
    return {"code": code, "headers": listed, "body": json.dumps(body)}


def failed(code: int, subcode: int | None = None) -> dict[str, Any]:
    return part({"error": {"code": code, "error_subcode": subcode, "message": "No"}}, 400)


def ad(object_id: str) -> dict[str, Any]:
    return part({"id": object_id, "account_id": "1", "status": "DELETED", "name": "A",
                 "campaign_id": "8", "adset_id": "9"})  # fmt: skip


def by_id(server: Scripted, *ids: str) -> dict[str, Any]:
    return use(server, lambda meta: meta.objects_by_id("1", Level.AD, ids))


def test_parts_that_did_not_finish_are_asked_again_alone() -> None:
    first = ok([ad("1"), None, failed(100, 33), failed(2)])
    with scripted(first, ok([ad("2"), ad("4")])) as server:
        found = by_id(server, "1", "2", "3", "4")
    assert {key: thing and thing.id for key, thing in found.items()} == {
        "1": "1", "2": "2", "3": None, "4": "4",
    }  # fmt: skip
    again = json.loads(server.requests[1].params["batch"])
    assert [call["relative_url"].partition("?")[0] for call in again] == ["2", "4"]


def test_parts_that_never_finish_are_told_and_not_left_out() -> None:
    with scripted(*[ok([ad("1"), None])] + [ok([None])] * 3) as server, pytest.raises(Transient):
        by_id(server, "1", "2")
    assert server.unused == 0


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (ok([failed(200), ad("2")]), PermissionDenied),
        (ok([ad("1")]), IncompleteData),
        (refused(190), AuthenticationFailed),
        (ok([part({"id": "1"}), ad("2")]), IncompleteData),
    ],
)
def test_a_batch_that_cannot_be_used_is_a_typed_error(answer: Answer, kind: Any) -> None:
    with scripted(answer) as server, pytest.raises(kind):
        by_id(server, "1", "2")


@pytest.mark.parametrize(
    "odd", [{"code": 200}, {"code": "x", "body": 5}, 7, "x", {"code": 200, "body": "<html>"}]
)
def test_an_odd_part_is_asked_again(odd: Any) -> None:
    with scripted(ok([odd]), ok([ad("1")])) as server:
        assert by_id(server, "1")["1"].id == "1"


def test_a_throttled_part_makes_the_whole_batch_wait() -> None:
    reply = ok([ad("1"), failed(17, 2446079)])
    with scripted(reply) as server, pytest.raises(RateLimited):
        use(server, lambda meta: meta.objects_by_id("1", Level.AD, ["1", "2"]), max_wait=1)
    assert len(server.requests) == 1


def test_the_usage_in_a_parts_headers_counts() -> None:
    usage = json.dumps({"acc_id_util_pct": 66})
    heavy = {**ad("1"), "headers": [{"name": "X-Ad-Account-Usage", "value": usage}]}

    async def read(meta: MetaAds) -> float:
        await meta.objects_by_id("1", Level.AD, ["1", "2"])
        return meta.percent_used("1")

    with scripted(ok([heavy, ad("2")])) as server:
        assert use(server, read) == pytest.approx(66, abs=0.5)


def test_sixty_objects_are_read_in_two_calls_and_the_parts_are_reads() -> None:
    ids = [str(n) for n in range(60)]
    answers = (ok([ad(each) for each in part]) for part in (ids[:50], ids[50:]))
    with scripted(*answers) as server:
        assert list(by_id(server, *ids)) == ids
    for request in server.requests:
        assert (request.method, request.path) == ("POST", "/v26.0/")
        assert {call["method"] for call in json.loads(request.params["batch"])} == {"GET"}


# The token


def token(data: dict[str, Any], caplog: pytest.LogCaptureFixture) -> Any:
    with caplog.at_level(logging.DEBUG), scripted(ok([part({"data": data})])) as server:
        found = use(server, lambda meta: meta.token_status())
    (request,) = server.requests
    assert TOKEN not in request.target
    assert TOKEN in request.body
    assert TOKEN not in caplog.text
    return found


def test_a_token_tells_scopes_and_ends(caplog: pytest.LogCaptureFixture) -> None:
    found = token(
        {"app_id": 5, "user_id": "6", "type": "USER", "is_valid": True, "scopes": ["ads_read"],
         "expires_at": 0, "data_access_expires_at": 1_800_000_000},
        caplog,
    )  # fmt: skip
    assert (found.valid, found.scopes, found.app_id, found.user_id, found.kind) == (
        True, ("ads_read",), "5", "6", "USER",
    )  # fmt: skip
    assert found.expires_at is None
    assert found.data_expires_at == datetime.fromtimestamp(1_800_000_000, UTC)


def test_a_dead_token_is_an_answer(caplog: pytest.LogCaptureFixture) -> None:
    error = {"code": 190, "message": f"Session of {TOKEN} has expired"}
    found = token({"is_valid": False, "error": error}, caplog)
    assert (found.valid, found.problem) == (False, "Session of *** has expired")
    with scripted(refused(190, 463, message="It has expired")) as server:
        found = use(server, lambda meta: meta.token_status())
    assert not found.valid
    assert "It has expired" in found.problem


@pytest.mark.parametrize("data", [None, {"is_valid": True, "expires_at": "soon"}])
def test_an_answer_about_the_token_that_cannot_be_read_is_incomplete(data: Any) -> None:
    with scripted(ok([part({"data": data})])) as server, pytest.raises(IncompleteData):
        use(server, lambda meta: meta.token_status())
