"""What the launcher sends, and what it makes of answers, against scripted ones."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import stamina

from tests.platforms.launching import AD, AD_SET, CAMPAIGN, CREATIVE, use
from tests.platforms.scripted import Answer, Drop, Scripted, ok, refused, scripted
from zyenta_ads_pipeline.domain.errors import (
    DuplicateObject,
    IncompleteData,
    InputError,
    NotFound,
    PermissionDenied,
    RateLimited,
    UnknownOutcome,
    Unreachable,
    ValidationRefused,
)
from zyenta_ads_pipeline.domain.launch import Created, StepKind
from zyenta_ads_pipeline.platforms.base import AdsLauncher, AdsPlatform, Catalogue
from zyenta_ads_pipeline.platforms.meta.client import MetaClient
from zyenta_ads_pipeline.platforms.meta.platform import MetaAds

HTML = Answer(502, b"<html>")
CREATES: dict[str, Callable[..., Awaitable[Created]]] = {
    "campaigns": lambda meta, **how: meta.create_campaign("1", CAMPAIGN, **how),
    "adsets": lambda meta, **how: meta.create_ad_set("1", AD_SET, **how),
    "adcreatives": lambda meta, **how: meta.create_ad_creative("1", CREATIVE, **how),
    "ads": lambda meta, **how: meta.create_ad("1", AD, **how),
}
EDGES = {
    StepKind.CAMPAIGN: "campaigns",
    StepKind.ADSET: "adsets",
    StepKind.CREATIVE: "adcreatives",
    StepKind.AD: "ads",
}


def test_meta_is_a_platform_and_a_launcher() -> None:
    client = MetaClient(base_url="http://127.0.0.1:1", version="v26.0", token="t")
    platform: AdsPlatform = MetaAds(client)
    launcher: AdsLauncher = MetaAds(client)
    assert platform.capabilities.launch
    assert launcher.name == "meta"


@pytest.mark.parametrize("edge", CREATES)
def test_a_create_is_sent_once_and_gives_the_new_id(edge: str) -> None:
    with scripted(ok({"id": "120200000000000099"}, x_fb_trace_id="T1")) as server:
        made = use(server.url, CREATES[edge])
    (request,) = server.requests
    assert (request.method, request.target) == ("POST", f"/v26.0/act_1/{edge}")
    assert "execution_options" not in request.params
    assert made == Created("120200000000000099", "T1", {"id": "120200000000000099"})


@pytest.mark.parametrize("edge", CREATES)
@pytest.mark.parametrize(
    "lost",
    [HTML, Drop(), ok({}), ok({"success": False}), refused(2), refused(1, status=500),
     Answer(200, b"Service Unavailable"), Answer(200, b'{"id": "1', claimed=40)],
    ids=["html", "drop", "no id", "false", "2", "1", "text", "cut"],
)  # fmt: skip
def test_a_create_whose_answer_is_lost_is_unknown_and_not_sent_again(
    edge: str, lost: Answer | Drop
) -> None:
    with scripted(lost, ok({"id": "9"})) as server, pytest.raises(UnknownOutcome) as failed:
        use(server.url, CREATES[edge])
    assert len(server.requests) == 1
    assert "before anything is sent again" in failed.value.remedy


def test_a_create_that_was_refused_made_nothing() -> None:
    error: dict[str, Any] = {
        "error_user_title": "Budget is too low",
        "error_user_msg": "Your budget must be at least $1.00.",
        "error_data": '{"blame_field_specs":[["daily_budget"]]}',
    }
    with (
        scripted(refused(100, 1885272, **error)) as server,
        pytest.raises(ValidationRefused) as failed,
    ):
        use(server.url, CREATES["adsets"])
    told = str(failed.value)
    for words in ("Your budget must be at least $1.00", "field daily_budget", "Raise the daily"):
        assert words in told
    with scripted(refused(100, 3858798)) as server, pytest.raises(DuplicateObject):
        use(server.url, CREATES["adcreatives"])
    with scripted(refused(613, 5044001)) as server, pytest.raises(RateLimited):
        use(server.url, CREATES["ads"])
    with pytest.raises(Unreachable):
        use("http://127.0.0.1:1", CREATES["campaigns"])


def test_what_is_known_to_be_refused_is_not_sent() -> None:
    broken = AD_SET.__class__(**{**vars(AD_SET), "pixel_id": None})
    with scripted() as server, pytest.raises(InputError, match="pixel"):
        use(server.url, lambda meta: meta.create_ad_set("1", broken))
    assert server.requests == []


@pytest.mark.parametrize("edge", CREATES)
def test_a_validation_makes_nothing_and_may_be_repeated(edge: str) -> None:
    with stamina.set_testing(True, attempts=5), scripted(HTML, ok({"success": True})) as server:
        made = use(server.url, lambda meta: CREATES[edge](meta, validate_only=True))
    assert made.id == ""
    for request in server.requests:
        assert request.params["execution_options"] == '["validate_only"]'
    assert len(server.requests) == 2


def test_a_validation_without_success_is_a_refusal() -> None:
    with scripted(ok({"success": False})) as server, pytest.raises(ValidationRefused):
        use(server.url, lambda meta: meta.create_ad("1", AD, validate_only=True))


def test_creates_and_uploads_use_what_is_kept_for_writes_and_weigh_as_such() -> None:
    usage = {"x-ad-account-usage": json.dumps({"acc_id_util_pct": 91})}

    def answer(body: Any) -> Answer:
        return Answer(200, json.dumps(body).encode(), usage)

    async def run(meta: MetaAds) -> None:
        await meta.create_campaign("1", CAMPAIGN)
        with pytest.raises(RateLimited):
            await meta.ad_objects("1")
        await meta.create_ad_set("1", AD_SET)
        await meta.create_ad("1", AD, validate_only=True)
        await meta.find_by_token("1", StepKind.AD, "zy")
        await meta.differences(StepKind.CAMPAIGN, "9", CAMPAIGN)
        await meta.upload_image("1", b"x", "x")
        await meta.delete("9")

    with scripted(
        answer({"id": "9"}), answer({"id": "8"}), answer({"success": True}),
        answer({"data": []}), answer({"id": "9"}),
        answer({"images": {"bytes": {"hash": "h"}}}), answer({"success": True}),
    ) as server:  # fmt: skip
        use(server.url, run)
    assert server.unused == 0


def listed(*rows: tuple[str, str], after: str = "") -> Answer:
    paging = {"paging": {"cursors": {"after": after}, "next": "http://x/?after=" + after}}
    data = [{"id": own, "name": name} for own, name in rows]
    return ok({"data": data} | (paging if after else {}))


@pytest.mark.parametrize("kind", EDGES)
def test_an_object_is_found_by_the_token_in_its_name(kind: StepKind) -> None:
    pages = listed(("7", "other"), after="c1"), listed(("9", "benefit zy-1a x"))
    with scripted(*pages) as server:
        found = use(server.url, lambda meta: meta.find_by_token("1", kind, "zy-1a"))
    assert found == "9"
    request = server.requests[0]
    assert request.path == f"/v26.0/act_1/{EDGES[kind]}"
    assert json.loads(request.params["filtering"]) == [
        {"field": "name", "operator": "CONTAIN", "value": "zy-1a"}
    ]
    statuses = json.loads(request.params.get("effective_status", "[]"))
    assert ("ARCHIVED" in statuses) is (kind is not StepKind.CREATIVE)
    assert ("ADSET_PAUSED" in statuses) is (kind is StepKind.AD)


def test_a_token_that_no_name_has_finds_nothing_and_one_that_two_have_is_not_settled() -> None:
    with scripted(listed(("7", "zy-1A"))) as server:
        assert use(server.url, lambda m: m.find_by_token("1", StepKind.AD, "zy-1a")) is None
    with (
        scripted(listed(("7", "zy-1a"), ("8", "zy-1a"), ("8", "zy-1a"))) as server,
        pytest.raises(IncompleteData, match=r"2 objects with zy-1a .* 7, 8") as failed,
    ):
        use(server.url, lambda m: m.find_by_token("1", StepKind.AD, "zy-1a"))
    assert "Ads Manager" in failed.value.remedy


def test_creatives_are_read_whole_where_they_cannot_be_filtered() -> None:
    with scripted(refused(100), listed(("9", "zy-1k"))) as server:
        assert use(server.url, lambda m: m.find_by_token("1", StepKind.CREATIVE, "zy-1k")) == "9"
    assert "filtering" not in server.requests[1].params
    with scripted(refused(100), listed()) as server, pytest.raises(ValidationRefused):
        use(server.url, lambda m: m.find_by_token("1", StepKind.ADSET, "zy-1s"))


def test_a_new_object_that_meta_does_not_know_yet_is_asked_for_again() -> None:
    row = {"name": CAMPAIGN.name, "objective": "OUTCOME_SALES", "status": "ACTIVE"}
    with stamina.set_testing(True, attempts=5), scripted(refused(100, 33), ok(row)) as server:
        found = use(server.url, lambda m: m.differences(StepKind.CAMPAIGN, "9", CAMPAIGN))
    assert found == ["The campaign's status is ACTIVE, not PAUSED."]
    assert "daily_budget" in server.requests[0].params["fields"]


def test_a_delete_is_sent_once() -> None:
    with scripted(ok({"success": True}, x_fb_trace_id="T2")) as server:
        receipt = use(server.url, lambda meta: meta.delete("9"))
    (request,) = server.requests
    assert (request.method, request.target, request.body) == ("DELETE", "/v26.0/9?", "")
    assert (receipt.reply, receipt.trace_id) == ({"success": True}, "T2")
    with scripted(HTML, ok({"success": True})) as server, pytest.raises(UnknownOutcome):
        use(server.url, lambda meta: meta.delete("9"))
    assert len(server.requests) == 1
    with scripted(refused(100, 33)) as server, pytest.raises(NotFound):
        use(server.url, lambda meta: meta.delete("9"))


def test_interests_come_with_their_size_and_topic() -> None:
    rows = [
        {"id": "6003", "name": "Hiking", "audience_size_lower_bound": 5000, "topic": "Sports"},
        {"id": "6004", "name": "Tents", "audience_size": "77"},
        {"id": "6005", "name": "Odd", "audience_size_lower_bound": -1},
    ]
    with scripted(ok({"data": rows})) as server:
        found = use(server.url, lambda meta: meta.search_interests("hik", limit=3))
    assert server.requests[0].params == {"type": "adinterest", "q": "hik", "limit": "3"}
    assert [(each.id, each.audience_size, each.topic, each.valid) for each in found] == [
        ("6003", 5000, "Sports", True), ("6004", 77, "", True), ("6005", None, "", True),
    ]  # fmt: skip


def test_interests_that_meta_retired_or_never_knew_are_not_valid() -> None:
    rows = [
        {"id": "6003", "name": "Hiking", "valid": True},
        {"id": "6004", "name": "Old", "valid": False},
        {"name": "nameless", "valid": False},
    ]
    with scripted(ok({"data": rows})) as server:
        found = use(server.url, lambda m: m.validate_interests(["6009", "6004", "6003", "6003"]))
    assert [(each.id, each.valid) for each in found] == [
        ("6009", False), ("6004", False), ("6003", True),
    ]  # fmt: skip
    assert server.requests[0].params["type"] == "adinterestvalid"
    assert json.loads(server.requests[0].params["interest_fbid_list"]) == ["6009", "6004", "6003"]
    with scripted() as server:
        assert use(server.url, lambda meta: meta.validate_interests([])) == []


def test_a_review_tells_issues_and_feedback_of_every_ad() -> None:
    issue = {"level": "AD", "error_code": 1815869, "error_summary": "Ad disapproved",
             "error_message": "It breaks a policy."}  # fmt: skip
    campaign = {"id": "9", "status": "PAUSED", "effective_status": "WITH_ISSUES",
                "issues_info": [issue, issue]}  # fmt: skip
    ads = [
        {
            "id": "1", "adset_id": "2", "name": "A", "status": "PAUSED",
            "configured_status": "PAUSED", "effective_status": "DISAPPROVED",
            "issues_info": [issue],
            "ad_review_feedback": {
                "global": {"Personal health": "No before and after."},
                "placement_specific": {
                    "instagram": {"Personal health": "No before and after.", "Text": "Too much."}
                },
            },
        },
        {"id": "3", "adset_id": "2", "status": "PAUSED", "effective_status": "PENDING_REVIEW"},
    ]  # fmt: skip
    with scripted(ok(campaign), ok({"data": ads})) as server:
        review = use(server.url, lambda meta: meta.review("1", "9"))
    assert server.requests[1].path == "/v26.0/9/ads"
    assert '"DISAPPROVED"' in server.requests[1].params["effective_status"]
    assert (review.configured_status, review.effective_status) == ("PAUSED", "WITH_ISSUES")
    assert review.issues == ("Ad disapproved: It breaks a policy (code 1815869).",)
    refused_ad, waiting = review.ads
    assert refused_ad.feedback == {
        "Personal health": "No before and after.", "Text (instagram)": "Too much.",
    }  # fmt: skip
    assert refused_ad.issues == review.issues
    assert (waiting.effective_status, waiting.feedback, waiting.issues) == (
        "PENDING_REVIEW", {}, (),
    )  # fmt: skip


@pytest.mark.parametrize("odd", [None, "text", 7, [], ["x"], {"global": "x"}, "{}"])
def test_odd_issues_and_feedback_are_as_good_as_none(odd: Any) -> None:
    row = {"id": "9", "adset_id": "2", "status": "PAUSED", "effective_status": "PAUSED"}
    odd_row = row | {"issues_info": odd, "ad_review_feedback": odd}
    with scripted(ok(odd_row), ok({"data": [odd_row]})) as server:
        review = use(server.url, lambda meta: meta.review("1", "9"))
    assert (review.issues, review.ads[0].issues, review.ads[0].feedback) == ((), (), {})


def test_catalogues_are_the_businesss_with_their_product_sets() -> None:
    answers = (
        ok({"id": "act_1", "business": {"id": "500", "name": "B"}}),
        listed(("66", "Shop"), ("67", "Outlet")),
        listed(("88", "All"), ("89", "Sale")),
        listed(),
    )
    with scripted(*answers) as server:
        found = use(server.url, lambda meta: meta.catalogues("1"))
    assert found == [
        Catalogue("66", "Shop", [("88", "All"), ("89", "Sale")]), Catalogue("67", "Outlet", []),
    ]  # fmt: skip
    assert [request.path for request in server.requests] == [
        "/v26.0/act_1", "/v26.0/500/owned_product_catalogs", "/v26.0/66/product_sets",
        "/v26.0/67/product_sets",
    ]  # fmt: skip


def test_an_account_of_no_business_has_no_catalogues_and_a_lacking_right_is_named() -> None:
    with scripted(ok({"id": "act_1"})) as server:
        assert use(server.url, lambda meta: meta.catalogues("1")) == []
    with (
        scripted(ok({"business": {"id": "500"}}), refused(200)) as server,
        pytest.raises(PermissionDenied) as failed,
    ):
        use(server.url, lambda meta: meta.catalogues("1"))
    assert "business_management" in failed.value.remedy


def test_writes_to_what_was_made_are_charged_to_its_account() -> None:
    full = {"x-ad-account-usage": json.dumps({"acc_id_util_pct": 100, "reset_time_duration": 50})}
    made = Answer(200, b'{"id": "9"}', full)

    async def run(server: Scripted) -> None:
        client = MetaClient(base_url=server.url, version="v26.0", token="t", max_wait=0)
        async with MetaAds(client) as meta:
            await meta.create_campaign("1", CAMPAIGN)
            with pytest.raises(RateLimited, match="act_1"):
                await meta.delete("9")
            await meta.create_campaign("2", CAMPAIGN)

    with scripted(made, ok({"id": "8"})) as server:
        asyncio.run(run(server))
    assert len(server.requests) == 2
