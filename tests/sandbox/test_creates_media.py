"""Images and videos: uploads in every form, what they are worth, and where they count."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import pytest

from tests.sandbox.conftest import Client
from tests.sandbox.creating import MP4, Maker, codes, png
from zyenta_ads_pipeline.sandbox.image_header import image_size

GIF = b"GIF89a" + (320).to_bytes(2, "little") + (200).to_bytes(2, "little") + bytes(20)
WEBP = (
    b"RIFF" + bytes(4) + b"WEBPVP8X" + bytes(8)
    + (639).to_bytes(3, "little") + (479).to_bytes(3, "little")
)  # fmt: skip
JPEG = (
    b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x11\x08"
    + (600).to_bytes(2, "big") + (800).to_bytes(2, "big") + bytes(20)
)  # fmt: skip


def sent(client: Client, edge: str, files: dict[str, Any], **fields: str) -> httpx.Response:
    return client.http.post(f"/v26.0/{client.account}/{edge}", data=fields, files=files)


def test_sizes_are_read_from_the_file() -> None:
    assert image_size(png(12, 7)) == (12, 7)
    assert image_size(GIF) == (320, 200)
    assert image_size(WEBP) == (640, 480)
    assert image_size(JPEG) == (800, 600)
    for broken in (b"", b"<svg/>", png()[:10], JPEG[:9], b"\xff\xd8\x00", b"RIFF" + bytes(30)):
        assert image_size(broken) is None


def test_images_by_bytes_and_as_files(fresh: Client) -> None:
    content = png(600, 400)
    text = base64.b64encode(content).decode()
    by_bytes = fresh.post(f"{fresh.account}/adimages", bytes=text)["images"]
    assert list(by_bytes) == ["bytes"]
    as_file = sent(fresh, "adimages", {"filename": ("shoe 1.png", content)}).json()["images"]
    assert list(as_file) == ["shoe 1.png"]
    assert by_bytes["bytes"]["hash"] == as_file["shoe 1.png"]["hash"]
    assert (by_bytes["bytes"]["width"], by_bytes["bytes"]["height"]) == (600, 400)
    two: dict[str, Any] = {"a": ("a.gif", GIF), "b": ("b.jpg", JPEG)}
    assert list(sent(fresh, "adimages", two).json()["images"]) == ["a.gif", "b.jpg"]
    rows = fresh.every(f"{fresh.account}/adimages", fields="hash,width,name", limit="2")
    assert [row["width"] for row in rows] == [600, 320, 800]
    one = fresh.every(f"{fresh.account}/adimages", hashes=[rows[1]["hash"]], fields="id,status")
    assert one == [{"id": f"{fresh.account[4:]}:{rows[1]['hash']}", "status": "ACTIVE"}]
    assert fresh.get(one[0]["id"], fields="height")["height"] == 200


def test_images_that_are_refused(fresh: Client) -> None:
    edge = f"{fresh.account}/adimages"
    assert codes(sent(fresh, "adimages", {"f": ("a.png", b"no image")}).json()["error"]) == (
        100, 1487411,
    )  # fmt: skip
    assert fresh.refused(edge, "POST", bytes="*no base64*")["code"] == 100
    assert fresh.refused(edge, "POST", url="https://shop.example/1.png")["code"] == 3
    assert fresh.refused(edge, "POST")["code"] == 100


def test_a_hash_is_good_in_its_own_account_alone(fresh: Client, market: Client) -> None:
    maker = Maker(fresh)
    digest = maker.image(77)
    assert maker.creative(object_story_spec=maker.story(image_hash=digest))
    assert fresh.http.delete(
        f"/v26.0/{fresh.account}/adimages", params={"hash": digest}
    ).json() == {"success": True}
    assert fresh.every(f"{fresh.account}/adimages") == []
    fields = {"object_story_spec": maker.story(image_hash=digest)}
    assert fresh.refused(f"{fresh.account}/adcreatives", "POST", **fields)["code"] == 100
    assert maker.image(77) == digest
    assert maker.creative(object_story_spec=maker.story(image_hash=digest))
    other = Maker(market)
    fields = {"object_story_spec": other.story(image_hash=digest)}
    error = market.refused(
        f"{market.account}/adcreatives", "POST", **fields, execution_options=["validate_only"]
    )
    assert codes(error) == (100, None)


def status(client: Client, video: str) -> str:
    found: str = client.get(video, fields="status")["status"]["video_status"]
    return found


def test_a_video_in_one_piece_becomes_ready(fresh: Client) -> None:
    video = sent(fresh, "advideos", {"source": ("a.mp4", MP4)}, name="Ridge").json()["id"]
    assert status(fresh, video) == "processing"
    fresh.sandbox.advance(hours=0.01)
    assert status(fresh, video) == "ready"
    seen = fresh.get(video, fields="title,picture,length,status")
    assert seen["title"] == "Ridge"
    assert seen["status"]["processing_phase"] == {"status": "complete"}
    assert len(fresh.get(f"{video}/thumbnails")["data"]) == 3
    assert [row["id"] for row in fresh.every(f"{fresh.account}/advideos")] == [video]


def test_videos_by_plan_and_broken_ones(fresh: Client) -> None:
    fresh.sandbox.plan_videos(seconds=60, next=["error", "expired"])
    made = [
        sent(fresh, "advideos", {"source": ("a.mp4", content)}).json()["id"]
        for content in (MP4, MP4, b"no video", MP4)
    ]
    fresh.sandbox.kill()
    fresh.sandbox.restart()
    fresh.sandbox.advance(hours=0.1)
    assert [status(fresh, each) for each in made] == ["error", "expired", "error", "ready"]


def test_videos_by_address(fresh: Client) -> None:
    edge = f"{fresh.account}/advideos"
    video = fresh.post(edge, file_url="https://shop.example/a.mp4?x=1")["id"]
    fresh.sandbox.advance(hours=1)
    assert status(fresh, video) == "ready"
    assert fresh.refused(edge, "POST", file_url="nowhere")["code"] == 389
    assert fresh.refused(edge, "POST")["code"] == 100


def test_videos_in_chunks(fresh: Client) -> None:
    content = MP4 + bytes(5 * 1024 * 1024)
    edge = f"{fresh.account}/advideos"
    begun = fresh.post(edge, upload_phase="start", file_size=len(content))
    session = begun["upload_session_id"]
    offsets = (begun["start_offset"], begun["end_offset"])

    def transfer(start: str, end: str) -> httpx.Response:
        chunk = content[int(start) : int(end)]
        return sent(
            fresh, "advideos", {"video_file_chunk": ("a.mp4", chunk)},
            upload_phase="transfer", upload_session_id=session, start_offset=start,
        )  # fmt: skip

    error = fresh.refused(edge, "POST", upload_phase="finish", upload_session_id=session)
    assert error["error_subcode"] == 1363037
    first = transfer(*offsets).json()
    error = transfer(*offsets).json()["error"]
    data = error["error_data"]
    data = json.loads(data) if isinstance(data, str) else data
    assert (error["error_subcode"], data["start_offset"]) == (1363037, first["start_offset"])
    fresh.sandbox.kill()
    fresh.sandbox.restart()
    last = transfer(data["start_offset"], data["end_offset"]).json()
    assert last == {"start_offset": str(len(content)), "end_offset": str(len(content))}
    done = fresh.post(edge, upload_phase="finish", upload_session_id=session, title="Chunks")
    assert done == {"success": True}
    assert status(fresh, begun["video_id"]) == "processing"
    fresh.sandbox.advance(hours=1)
    assert status(fresh, begun["video_id"]) == "ready"
    assert fresh.refused(edge, "POST", upload_phase="finish", upload_session_id=session)


def test_uploads_that_end_early(fresh: Client) -> None:
    edge = f"{fresh.account}/advideos"
    left = fresh.post(edge, upload_phase="start", file_size=5000)
    cancelled = fresh.post(edge, upload_phase="start", file_size=5000)
    session = cancelled["upload_session_id"]
    fresh.post(edge, upload_phase="cancel", upload_session_id=session)
    fresh.sandbox.advance(days=1.1)
    assert status(fresh, left["video_id"]) == "expired"
    assert fresh.get(cancelled["video_id"], fields="title")["id"] == cancelled["video_id"]


@pytest.mark.parametrize("body", [b"", b"--x\r\n", b"--x\r\nno head\r\n--x--\r\n"])
def test_multipart_bodies_that_cannot_be_read(market: Client, body: bytes) -> None:
    reply = market.http.post(
        f"/v26.0/{market.account}/adimages",
        content=body,
        headers={"Content-Type": "multipart/form-data; boundary=x"},
    )
    assert reply.json()["error"]["code"] == 100
