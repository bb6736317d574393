"""Images and videos, and the forms in which they travel."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
import stamina
from hypothesis import given
from hypothesis import strategies as st

from tests.platforms.launching import use
from tests.platforms.scripted import Answer, Request, ok, refused, scripted
from zyenta_ads_pipeline.domain.errors import (
    IncompleteData,
    InputError,
    UnknownOutcome,
    ValidationRefused,
)
from zyenta_ads_pipeline.domain.launch import StepKind
from zyenta_ads_pipeline.platforms.meta.client import MetaClient
from zyenta_ads_pipeline.platforms.meta.forms import encoded, form

HTML = Answer(502, b"<html>")
IMAGE = bytes(n * n % 251 for n in range(40_000))
VIDEO = bytes(range(120, 145))
TOKEN = "EAAGsecretTOKEN0123456789"


@given(st.dictionaries(st.text(min_size=1), st.text()))
def test_a_form_is_read_as_it_was_meant(values: dict[str, str]) -> None:
    read = parse_qs(form(values).decode(), keep_blank_values=True, strict_parsing=bool(values))
    assert {name: texts[0] for name, texts in read.items()} == values


@given(st.binary(min_size=1, max_size=40))
def test_a_long_base64_is_read_as_it_was_meant(pattern: bytes) -> None:
    content = pattern * 10_000
    sent = form({"bytes": base64.b64encode(content).decode(), "name": "a+b/c="})
    read = parse_qs(sent.decode())
    assert base64.b64decode(read["bytes"][0]) == content
    assert read["name"] == ["a+b/c="]


def test_each_value_travels_as_its_own_json() -> None:
    assert encoded({"a": [], "b": {"c": 1}, "d": False, "e": "x", "f": None, "g": 7}) == {
        "a": "[]", "b": '{"c":1}', "d": "false", "e": "x", "g": "7",
    }  # fmt: skip


@pytest.mark.parametrize("key", ["bytes", "shoe.png", "0"])
def test_an_images_hash_is_found_under_whatever_key(key: str) -> None:
    reply = ok({"images": {key: {"hash": "a1b2", "url": "https://x/"}}})
    with stamina.set_testing(True, attempts=5), scripted(HTML, reply) as server:
        assert use(server.url, lambda meta: meta.upload_image("1", IMAGE, "shoe.png")) == "a1b2"
    assert len(server.requests) == 2
    for request in server.requests:
        assert (request.method, request.target) == ("POST", "/v26.0/act_1/adimages")
        assert base64.b64decode(request.params["bytes"]) == IMAGE
        assert request.params["name"] == "shoe.png"


@pytest.mark.parametrize("images", [None, [], {}, {"bytes": "x"}, {"bytes": {}}])
def test_an_answer_without_a_hash_is_incomplete(images: Any) -> None:
    with scripted(ok({"images": images})) as server, pytest.raises(IncompleteData):
        use(server.url, lambda meta: meta.upload_image("1", IMAGE, "shoe.png"))


def test_an_empty_or_huge_file_is_not_sent() -> None:
    with scripted() as server:
        with pytest.raises(InputError, match="0 bytes"):
            use(server.url, lambda meta: meta.upload_image("1", b"", "shoe.png"))
        with pytest.raises(InputError, match=r"30,000,001 bytes"):
            use(server.url, lambda meta: meta.upload_image("1", bytes(30_000_001), "shoe.png"))
        with pytest.raises(InputError, match="0 bytes"):
            use(server.url, lambda meta: meta.upload_video("1", b"", "walk"))
    assert server.requests == []


def offsets(start: Any, end: Any, **more: Any) -> Answer:
    return ok({"start_offset": str(start), "end_offset": str(end), **more})


BEGUN = offsets(0, 10, upload_session_id="s1", video_id="77")
DONE = ok({"success": True})


def parts(request: Request) -> dict[str, str]:
    """The fields of a multipart form."""
    boundary = request.headers["content-type"].partition("boundary=")[2]
    found = {}
    for part in request.body.split(f"--{boundary}")[1:-1]:
        head, _, value = part.partition("\r\n\r\n")
        found[head.partition('name="')[2].partition('"')[0]] = value.removesuffix("\r\n")
    return found


def chunk_of(request: Request) -> bytes:
    return parts(request)["video_file_chunk"].encode("utf-8", "surrogateescape")


def test_a_video_goes_in_the_chunks_that_meta_asks_for_and_ends_with_its_title() -> None:
    script = (BEGUN, offsets(10, 20), offsets(20, 25), offsets(25, 25), DONE)
    with scripted(*script) as server:
        assert use(server.url, lambda meta: meta.upload_video("1", VIDEO, "walk zy-1v")) == "77"
    start, *chunks, finish = server.requests
    assert {r.target for r in server.requests} == {"/v26.0/act_1/advideos"}
    assert start.params == {"upload_phase": "start", "file_size": "25"}
    assert b"".join(map(chunk_of, chunks)) == VIDEO
    assert [parts(r)["start_offset"] for r in chunks] == ["0", "10", "20"]
    assert {parts(r)["upload_session_id"] for r in chunks} == {"s1"}
    assert finish.params == {
        "upload_phase": "finish", "upload_session_id": "s1", "title": "walk zy-1v",
    }  # fmt: skip


def wrong_offset(start: int, end: int, *, as_text: bool, in_code: bool = False) -> Answer:
    data: Any = {"start_offset": start, "end_offset": end}
    data = json.dumps(data) if as_text else data
    numbers = (1363037, None) if in_code else (6000, 1363037)
    return refused(*numbers, error_data=data)


@pytest.mark.parametrize("as_text", [True, False])
@pytest.mark.parametrize("in_code", [True, False])
def test_a_video_goes_on_where_meta_says(as_text: bool, in_code: bool) -> None:
    script = (
        BEGUN,
        HTML,  # the chunk arrived, its answer did not
        wrong_offset(10, 25, as_text=as_text, in_code=in_code),
        offsets(25, 25),
        DONE,
    )
    with stamina.set_testing(True, attempts=5), scripted(*script) as server:
        assert use(server.url, lambda meta: meta.upload_video("1", VIDEO, "walk")) == "77"
    assert [chunk_of(r) for r in server.requests[1:-1]] == [VIDEO[:10], VIDEO[:10], VIDEO[10:]]


def test_a_video_that_gets_nowhere_is_given_up() -> None:
    stuck = [wrong_offset(0, 10, as_text=False)] * 20
    with scripted(BEGUN, *stuck) as server, pytest.raises(IncompleteData, match="past byte 0"):
        use(server.url, lambda meta: meta.upload_video("1", VIDEO, "walk"))
    assert len(server.requests) == 7


@pytest.mark.parametrize(
    "answer",
    [offsets(5, 3), offsets(10, 26), offsets(-3, 4), offsets("x", 4), ok({}), offsets(20, 20)],
)
def test_offsets_that_make_no_sense_end_an_upload(answer: Answer) -> None:
    with scripted(BEGUN, answer) as server, pytest.raises(IncompleteData):
        use(server.url, lambda meta: meta.upload_video("1", VIDEO, "walk"))


def test_a_refused_chunk_ends_an_upload_and_a_lost_end_is_unknown() -> None:
    with scripted(BEGUN, refused(352)) as server, pytest.raises(ValidationRefused) as failed:
        use(server.url, lambda meta: meta.upload_video("1", VIDEO, "walk"))
    assert "MP4" in failed.value.remedy
    with scripted(BEGUN, offsets(25, 25), HTML, DONE) as server, pytest.raises(UnknownOutcome):
        use(server.url, lambda meta: meta.upload_video("1", VIDEO, "walk"))
    assert server.unused == 1


def test_a_video_is_found_by_the_token_in_its_title() -> None:
    first = {
        "data": [{"id": "1", "title": "other"}, {"id": "2"}],
        "paging": {"cursors": {"after": "c"}, "next": "x"},
    }
    second = {"data": [{"id": "3", "title": "walk zy-1v"}]}
    with scripted(ok(first), ok(second)) as server:
        assert use(server.url, lambda meta: meta.find_video("1", "zy-1v")) == "3"
    with scripted(ok(second)) as server:
        assert use(server.url, lambda m: m.find_by_token("1", StepKind.VIDEO, "zy-9v")) is None
    with scripted() as server:
        assert use(server.url, lambda m: m.find_by_token("1", StepKind.IMAGE, "zy-1v")) is None


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ("processing", "processing"),
        ("expired", "expired"),
        ("error", "error"),
        ("upload_failed", "error"),
        ("never heard of", "processing"),
    ],
)
def test_a_videos_state_is_one_of_four(said: str, state: str) -> None:
    error = {"status": "error", "errors": [{"code": 1, "message": "Too short."}]}
    status = {"video_status": said, "processing_phase": error, "uploading_phase": {"status": "x"}}
    with scripted(ok({"status": status, "picture": "https://x/p.jpg"})) as server:
        found = use(server.url, lambda meta: meta.video_status("77"))
    assert (found.id, found.state, found.thumbnail_url) == ("77", state, None)
    assert found.problem == "Too short."


@pytest.mark.parametrize(
    ("thumbnails", "url"),
    [
        ([{"uri": "https://x/1"}, {"uri": "https://x/2", "is_preferred": True}], "https://x/2"),
        ([{"uri": "https://x/1"}, {"uri": "https://x/2"}], "https://x/1"),
        ([], "https://x/p.jpg"),
    ],
)
def test_a_ready_video_has_a_thumbnail(thumbnails: list[dict[str, Any]], url: str) -> None:
    ready = {"status": {"video_status": "ready"}, "picture": "https://x/p.jpg"}
    with scripted(ok(ready), ok({"data": thumbnails})) as server:
        found = use(server.url, lambda meta: meta.video_status("77"))
    assert (found.state, found.thumbnail_url, found.problem) == ("ready", url, "")
    assert server.requests[1].path == "/v26.0/77/thumbnails"


def test_a_video_without_a_status_is_incomplete() -> None:
    with scripted(ok({"id": "77"})) as server, pytest.raises(IncompleteData, match="status"):
        use(server.url, lambda meta: meta.video_status("77"))


def test_videos_go_to_metas_video_host_and_large_bodies_have_more_time() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"images": {}})

    async def run() -> None:
        host = "https://graph.facebook.com"
        async with MetaClient(base_url=host, version="v26.0", token=TOKEN, timeout=20) as client:
            client._http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
            await client.post("act_1/advideos", {})
            await client.get("act_1/advideos")
            await client.post("act_1/adimages", {"bytes": "A" * 65_536 * 30})

    asyncio.run(run())
    assert [request.url.host for request in seen] == [
        "graph-video.facebook.com", "graph.facebook.com", "graph.facebook.com",
    ]  # fmt: skip
    assert [request.extensions["timeout"]["read"] for request in seen] == [20, 20, 50]
