"""Media files: what is read from where, what it is by its bytes, and what is uploaded."""

from __future__ import annotations

import asyncio
import io
import os
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from tests.creatives.media_samples import asset, movie, picture, png_bomb
from zyenta_ads_pipeline.creatives.media_files import Fetched, Limits, fetch
from zyenta_ads_pipeline.creatives.media_kinds import mime_of, video
from zyenta_ads_pipeline.creatives.pictures import prepared, shape
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.domain.shop import MediaKind


def read(folder: Path, content: bytes, kind: MediaKind = MediaKind.IMAGE) -> Fetched:
    path = folder / "file.bin"
    path.write_bytes(content)
    return asyncio.run(fetch(asset(path, kind)))


@pytest.mark.parametrize(("kind", "mime"), [("JPEG", "image/jpeg"), ("PNG", "image/png")])
def test_jpeg_and_png_go_up_as_they_are(tmp_path: Path, kind: str, mime: str) -> None:
    content = picture(kind, (1080, 1350))
    found = read(tmp_path, content)
    assert found.content == content
    assert (found.asset.mime, found.asset.width, found.asset.height) == (mime, 1080, 1350)
    assert found.asset.content_hash == sha256(content).hexdigest()
    assert found.asset.bytes == len(content)
    assert (found.asset.id, found.asset.product_id) == ("m1", "p1")
    assert (found.aspect_ratio, found.notes) == ("4:5", ())
    assert "content=" not in repr(found)


@pytest.mark.parametrize(
    ("kind", "mode", "color", "mime"),
    [
        ("WEBP", "RGB", (200, 10, 10), "image/jpeg"),
        ("WEBP", "RGBA", (200, 10, 10, 255), "image/jpeg"),
        ("WEBP", "RGBA", (200, 10, 10, 100), "image/png"),
        ("GIF", "RGB", (200, 10, 10), "image/jpeg"),
        ("JPEG", "CMYK", (0, 200, 200, 0), "image/jpeg"),
    ],
)
def test_others_are_converted(
    tmp_path: Path, kind: str, mode: str, color: tuple[int, ...], mime: str
) -> None:
    content = picture(kind, mode=mode, color=color)
    found = read(tmp_path, content)
    assert (found.asset.mime, mime_of(found.content)) == (mime, mime)
    assert found.content != content
    assert found.asset.content_hash == sha256(found.content).hexdigest()
    with Image.open(io.BytesIO(found.content)) as image:
        assert image.size == (600, 600)
        assert image.mode == ("RGBA" if mime == "image/png" else "RGB")
    assert read(tmp_path, content).asset.content_hash == found.asset.content_hash
    assert any("converted" in note for note in found.notes) == (kind != "JPEG")


def test_a_picture_is_turned_as_its_camera_says(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    found = read(tmp_path, picture("JPEG", (800, 600), exif=exif))
    assert (found.asset.width, found.asset.height) == (600, 800)
    assert found.notes == ("It was turned upright.", "Its shape is 3:4; outside of 4:5 to 1.91:1 "
                           "feeds cut it.")  # fmt: skip
    with Image.open(io.BytesIO(found.content)) as image:
        assert image.size == (600, 800)


def test_of_an_animation_the_first_frame_is_taken(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (600, 600), (50 * n, 0, 0)) for n in range(3)]
    for kind in ("GIF", "WEBP", "PNG"):
        out = io.BytesIO()
        frames[0].save(out, kind, save_all=True, append_images=frames[1:])
        found = read(tmp_path, out.getvalue())
        assert "It moves, and an ad shows its first frame only." in found.notes
        with Image.open(io.BytesIO(found.content)) as image:
            assert getattr(image, "n_frames", 1) == 1
            assert image.convert("RGB").getpixel((5, 5)) == (0, 0, 0)


def test_small_pictures_are_noted_and_tiny_ones_refused(tmp_path: Path) -> None:
    found = read(tmp_path, picture(size=(400, 300)))
    assert found.notes == ("It has 400x300 pixels; at least 600x600 are recommended.",)
    assert read(tmp_path, picture(size=(2000, 600))).notes == (
        "Its shape is 10:3; outside of 4:5 to 1.91:1 feeds cut it.",
    )
    with pytest.raises(InputError, match="has 1000x199 pixels, and ads need 200 a side"):
        read(tmp_path, picture(size=(1000, 199)))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "is not a picture"),
        (b"<html>not found</html>", "is not a picture"),
        (b"%PDF-1.7", "is not a picture"),
        (movie(), "is a video"),
        (b"\xff\xd8\xff" + b"junk" * 100, "is damaged"),
        (b"\x89PNG\r\n\x1a\n" + b"junk" * 100, "is damaged"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 junk", "is damaged"),
        (b"GIF89a", "is damaged"),
        (picture(size=(600, 600))[:-200], "is damaged"),
        (picture("PNG")[:-20], "is damaged"),
        (png_bomb(50_000, 50_000), "is damaged: DecompressionBombError"),
        (png_bomb(9_000, 9_000), "has 9000x9000 pixels, more than 50 million"),
    ],
)
def test_what_only_pretends_to_be_a_picture(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read(tmp_path, content)


@given(st.integers(0, 2**63), st.sampled_from(["JPEG", "PNG", "WEBP", "GIF"]))
def test_a_damaged_picture_is_refused_or_whole(chance: int, kind: str) -> None:
    content = bytearray(picture(kind, (220, 210), color=(1, 2, 3)))
    content[chance % len(content)] ^= 1 + chance % 255
    try:
        ready = prepared(bytes(content), "it")
    except InputError:
        return
    with Image.open(io.BytesIO(ready.content)) as image:
        image.load()
        assert image.size == (ready.width, ready.height)


@pytest.mark.parametrize("version", [0, 1])
def test_videos_tell_their_size(tmp_path: Path, version: int) -> None:
    content = movie(1080, 1920, version=version)
    found = read(tmp_path, content, MediaKind.VIDEO)
    assert found.content == content
    assert (found.asset.mime, found.asset.width, found.asset.height) == ("video/mp4", 1080, 1920)
    assert (found.aspect_ratio, found.notes) == ("9:16", ())
    assert found.asset.content_hash == sha256(content).hexdigest()
    turned = read(tmp_path, movie(1920, 1080, version=version, turned=True), MediaKind.VIDEO)
    assert (turned.asset.width, turned.asset.height) == (1080, 1920)
    assert read(tmp_path, movie(brand=b"qt  "), MediaKind.VIDEO).asset.mime == "video/quicktime"
    unknown = read(tmp_path, movie(0, 0), MediaKind.VIDEO)
    assert (unknown.asset.width, unknown.asset.height, unknown.aspect_ratio) == (None, None, None)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (picture(), "is a picture"),
        (b"MZ\x00\x00\x00", "is not a video"),
        (b"\x00\x00\x00\x18ftypavif" + bytes(12), "is not a video"),
        (b"\x00\x00\x00\x18ftypM4A " + bytes(12), "is not a video"),
        (b"\x00\x00\x00\x18ftypisom" + bytes(500), "holds no list of tracks"),
        (movie()[:-100], "holds no list of tracks"),
    ],
)
def test_what_only_pretends_to_be_a_video(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read(tmp_path, content, MediaKind.VIDEO)


@given(st.binary(max_size=200))
@example(b"\x00\x00\x00\x08ftyp" * 3000)
@example(b"\x00\x00\x00\x01ftypisom" + b"\xff" * 20)
def test_no_bytes_break_the_reader_of_boxes(content: bytes) -> None:
    for each in (content, movie()[:32] + content, content + movie()):
        try:
            video(each, "video/mp4", "it")
        except InputError:
            continue


def test_files_stay_below_their_root(tmp_path: Path) -> None:
    root = tmp_path / "shop"
    root.mkdir()
    (root / "in.jpg").write_bytes(picture())
    (tmp_path / "out.jpg").write_bytes(picture())
    (root / "link.jpg").symlink_to(tmp_path / "out.jpg")
    (root / "own.jpg").symlink_to(root / "in.jpg")
    (root / "up").symlink_to(tmp_path)
    for source in ("in.jpg", "own.jpg", root / "in.jpg"):
        assert asyncio.run(fetch(asset(source), root=root)).asset.width == 600
    for source in ("../out.jpg", "link.jpg", "up/out.jpg", tmp_path / "out.jpg", "/etc/passwd"):
        with pytest.raises(InputError, match="is not below"):
            asyncio.run(fetch(asset(source), root=root))


def test_only_files_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for source, said in (
        (tmp_path / "none.jpg", "No such file"),
        (tmp_path, "cannot be read|is not a file"),
        (tmp_path / "pipe", "is not a file"),
        ("/dev/zero", "is not a file"),
        ("a\0b", "cannot be read"),
        ("x" * 5000, "cannot be read"),
    ):
        with pytest.raises(InputError, match=said):
            asyncio.run(fetch(asset(source)))


def test_sizes_are_bounded(tmp_path: Path) -> None:
    content = picture("PNG", (300, 300))
    (tmp_path / "a.png").write_bytes(content)
    limit = Limits(image_bytes=len(content))
    asyncio.run(fetch(asset(tmp_path / "a.png"), limits=limit))
    with pytest.raises(InputError, match="is larger than"):
        asyncio.run(fetch(asset(tmp_path / "a.png"), limits=Limits(image_bytes=len(content) - 1)))
    with pytest.raises(InputError, match="outside of what Meta takes"):
        Limits(video_bytes=10**10)


def test_shapes_in_words() -> None:
    assert [shape(1080, 1080), shape(1080, 1350), shape(1920, 1080)] == ["1:1", "4:5", "16:9"]
    assert shape(1200, 628) == "1.91:1"
