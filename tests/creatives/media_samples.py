"""Pictures, videos and a loopback web server for the tests of media."""

from __future__ import annotations

import io
import struct
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from PIL import Image

from zyenta_ads_pipeline.domain.shop import MediaAsset, MediaKind

Handler = Callable[[BaseHTTPRequestHandler], None]


def asset(source: object, kind: MediaKind = MediaKind.IMAGE) -> MediaAsset:
    return MediaAsset(id="m1", store_id="s1", kind=kind, source=str(source), product_id="p1")


def picture(kind: str = "JPEG", size: tuple[int, int] = (600, 600), mode: str = "RGB", **how: Any):
    made = Image.new(mode, size, how.pop("color", 128 if mode == "L" else None) or 0)
    out = io.BytesIO()
    made.save(out, kind, **how)
    return out.getvalue()


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", len(body) + 8, kind) + body


def movie(
    width: int = 1080, height: int = 1920, *, brand: bytes = b"isom", version: int = 0,
    turned: bool = False, tail: bytes = b"",
) -> bytes:  # fmt: skip
    """A video's skeleton: a track of sound, then one with a picture."""

    def track(wide: int, high: int) -> bytes:
        one = 0x00010000
        matrix = (0, one, 0, -one, 0, 0, 0, 0, 0x40000000) if turned else (
            one, 0, 0, 0, one, 0, 0, 0, 0x40000000)  # fmt: skip
        head = bytes([version, 0, 0, 7]) + bytes(32 if version else 20) + bytes(16)
        return box(b"tkhd", head + struct.pack(">9i", *matrix) + struct.pack(
            ">II", wide << 16, high << 16))  # fmt: skip

    tracks = box(b"trak", track(0, 0)) + box(b"trak", box(b"edts", b"") + track(width, height))
    moov = box(b"moov", box(b"mvhd", bytes(100)) + tracks)
    mdat = struct.pack(">I4sQ", 1, b"mdat", 16 + 50) + bytes(50)
    return box(b"ftyp", brand + bytes(4)) + mdat + moov + tail


def png_bomb(width: int, height: int) -> bytes:
    """A small PNG that claims to be a huge one."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(
            ">I", zlib.crc32(kind + body))  # fmt: skip

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = zlib.compress(bytes(1_000_000))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    )


@contextmanager
def web_server(pages: dict[str, Handler]) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """A server on loopback: its base address, and what it was asked for as (path, Host)."""
    asked: list[tuple[str, str]] = []

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.path, self.headers["Host"]))
            try:
                pages[self.path.partition("?")[0]](self)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def log_message(self, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def gives(body: bytes, **headers: str) -> Handler:
    def handle(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", headers.pop("length", str(len(body))))
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(body)

    return handle


def leads_to(target: str, status: int = 302) -> Handler:
    def handle(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        if target:
            request.send_header("Location", target)
        request.send_header("Content-Length", "0")
        request.end_headers()

    return handle
