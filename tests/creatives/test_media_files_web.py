"""Downloads: nothing reaches into a private network, nothing is endless, nothing leaks."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import ssl
import time
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from tests.certificates import certificate_for
from tests.creatives.media_samples import (
    Handler,
    asset,
    gives,
    leads_to,
    movie,
    picture,
    web_server,
)
from zyenta_ads_pipeline.creatives import media_guard
from zyenta_ads_pipeline.creatives.media_files import Limits, fetch
from zyenta_ads_pipeline.creatives.media_guard import Guard, Resolver, checked_address, forbidden
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.domain.shop import MediaKind


def resolver(*answers: Sequence[str]) -> Resolver:
    """Gives the answers one after the other, the last one for ever."""
    left = list(answers)

    async def resolve(host: str, port: int) -> Sequence[str]:
        return left.pop(0) if len(left) > 1 else left[0]

    return resolve


def download(guard: Guard, address: str, largest: int = 10_000, seconds: float = 10) -> bytes:
    return asyncio.run(guard.download(address, largest=largest, seconds=seconds, accept="*/*"))


def test_a_picture_from_the_web() -> None:
    content = picture()
    with web_server({"/a.jpg": gives(content, Content_Type="text/html")}) as (base, asked):
        found = asyncio.run(fetch(asset(f"{base}/a.jpg?sig=secret#x"), allow_private=True))
        host = base.removeprefix("http://")
        assert asked == [("/a.jpg?sig=secret", host)]
    assert found.content == content
    assert (found.asset.mime, found.asset.source) == ("image/jpeg", f"{base}/a.jpg?sig=secret#x")


def test_a_video_from_the_web() -> None:
    with web_server({"/a": gives(movie())}) as (base, _):
        found = asyncio.run(fetch(asset(f"{base}/a", MediaKind.VIDEO), allow_private=True))
    assert (found.asset.mime, found.asset.width) == ("video/mp4", 1080)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0x7f.1", "2130706433",
             "0.0.0", "169.254.169.254", "10.1.2.3", "[fe80::1]"]
)  # fmt: skip
def test_no_address_of_our_own_network(host: str) -> None:
    with web_server({"/a.jpg": gives(picture())}) as (base, asked):
        port = base.rpartition(":")[2]
        with pytest.raises(InputError, match=r"leads to|cannot be found"):
            asyncio.run(fetch(asset(f"http://{host}:{port}/a.jpg")))
        assert asked == []


@pytest.mark.parametrize(
    ("address", "public", "private"),
    [
        ("93.184.216.34", True, True), ("2606:4700::1111", True, True),
        ("64:ff9b::5db8:d822", True, True), ("::ffff:93.184.216.34", True, True),
        ("127.0.0.1", False, True), ("127.8.8.8", False, True), ("::1", False, True),
        ("10.0.0.1", False, True), ("172.31.0.1", False, True), ("192.168.1.1", False, True),
        ("fd12::1", False, True), ("::ffff:10.0.0.1", False, True), ("64:ff9b::a00:1", False, True),
        ("169.254.169.254", False, False), ("::ffff:169.254.169.254", False, False),
        ("64:ff9b::a9fe:a9fe", False, False), ("fe80::1", False, False),
        ("fd00:ec2::254", False, False), ("0.0.0.1", False, False), ("::", False, False),
        ("224.0.0.1", False, False), ("ff02::1", False, False), ("255.255.255.255", False, False),
        ("240.0.0.1", False, False), ("100.64.0.1", False, False),
        ("100.100.100.200", False, False),
        ("198.18.0.1", False, False), ("192.0.2.1", False, False), ("2001:db8::1", False, False),
        ("2002:7f00:1::", False, False), ("2001::1", False, False), ("::7f00:1", False, False),
        ("::ffff:0:7f00:1", False, False), ("fec0::1", False, False),
        ("64:ff9b:1::1", False, False),
    ],
)  # fmt: skip
def test_which_addresses_are_let_through(address: str, public: bool, private: bool) -> None:
    ip = ipaddress.ip_address(address)
    assert (forbidden(ip, allow_private=False) is None) == public
    assert (forbidden(ip, allow_private=True) is None) == private


def test_one_bad_address_among_good_ones_is_enough() -> None:
    guard = Guard(resolve=resolver(["93.184.216.34", "10.0.0.7"]))
    with pytest.raises(InputError, match=r"leads to 10\.0\.0\.7, which is in a private network"):
        download(guard, "https://shop.example/a.jpg?sig=secret")
    with pytest.raises(InputError, match="has no address"):
        download(Guard(resolve=resolver([])), "https://shop.example/a.jpg")


def test_the_connection_goes_to_the_address_that_was_checked() -> None:
    """The name is resolved once, so a second answer has no chance; the host keeps its name."""
    with web_server({"/a": gives(b"ok")}) as (base, asked):
        port = base.rpartition(":")[2]
        guard = Guard(allow_private=True, resolve=resolver(["127.0.0.1"], ["169.254.169.254"]))
        assert download(guard, f"http://shop.example:{port}/a") == b"ok"
        assert asked == [("/a", f"shop.example:{port}")]


def test_the_next_address_is_tried_where_one_takes_no_connection() -> None:
    with web_server({"/a": gives(b"ok")}) as (base, _):
        port = base.rpartition(":")[2]
        guard = Guard(allow_private=True, resolve=resolver(["127.0.0.9", "127.0.0.1"]))
        assert download(guard, f"http://shop.example:{port}/a") == b"ok"
    with pytest.raises(InputError, match="gives no answer"):
        download(guard, f"http://shop.example:{port}/a")


def test_redirects_are_followed_and_checked_anew() -> None:
    pages: dict[str, Handler] = {
        "/1": leads_to("/2", 301),
        "/2": leads_to("3", 307),
        "/3": gives(b"ok"),
        "/meta": leads_to("http://169.254.169.254/latest/meta-data/"),
        "/file": leads_to("file:///etc/passwd"),
        "/user": leads_to("http://user:hidden@shop.example/"),
        "/none": leads_to(""),
        "/loop": leads_to("/loop"),
        "/bad": leads_to("http://[::1/x"),
    }
    with web_server(pages) as (base, asked):
        guard = Guard(allow_private=True)
        assert download(guard, f"{base}/1") == b"ok"
        for path, said in (
            ("/meta", "169.254.169.254, which is an address of a network's inner workings"),
            ("/file", "redirects badly.*not an address on the web"),
            ("/user", "redirects badly.*holds a name or password"),
            ("/bad", "redirects"),
            ("/none", "redirects more than 5 times"),
            ("/loop", "redirects more than 5 times"),
        ):
            with pytest.raises(InputError, match=said) as caught:
                download(guard, f"{base}{path}")
            assert "hidden" not in str(caught.value)
        assert sum(path == "/loop" for path, _ in asked) == 6


def test_a_redirect_from_a_public_host_into_the_private_network() -> None:
    """The first host counts as allowed here because its address is looked up, not its name."""
    with web_server({"/in": leads_to("http://inside.example/")}) as (base, _):
        port = base.rpartition(":")[2]

        async def resolve(host: str, number: int) -> Sequence[str]:
            return ["127.0.0.1"] if host == "shop.example" else ["fe80::1"]

        with pytest.raises(InputError, match=r"http://inside\.example/ leads to fe80::1"):
            download(Guard(allow_private=True, resolve=resolve), f"http://shop.example:{port}/in")


def test_bodies_are_bounded() -> None:
    def endless(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        for _ in range(1000):
            request.wfile.write(bytes(10_000))

    pages = {
        "/fits": gives(bytes(10_000)),
        "/stated": gives(b"", length="10001"),
        "/endless": endless,
        "/short": gives(b"abc", length="100"),
        "/zipped": gives(b"abc", Content_Encoding="gzip"),
        "/gone": lambda request: request.send_error(404),
    }
    with web_server(pages) as (base, _):
        guard = Guard(allow_private=True)
        assert len(download(guard, f"{base}/fits")) == 10_000
        for path, said in (
            ("/stated", "is larger than"),
            ("/endless", "is larger than"),
            ("/short", "broke off"),
            ("/zipped", "compressed"),
            ("/gone", "answers with HTTP 404"),
        ):
            with pytest.raises(InputError, match=said):
                download(guard, f"{base}{path}")


def test_slow_bodies_have_an_end() -> None:
    def dripping(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        for _ in range(100):
            request.wfile.write(b"x")
            request.wfile.flush()
            time.sleep(0.05)

    with web_server({"/a": dripping}) as (base, _):
        began = time.monotonic()
        with pytest.raises(InputError, match=r"was not there after 0\.3 seconds"):
            asyncio.run(
                fetch(asset(f"{base}/a"), allow_private=True, limits=Limits(image_seconds=0.3))
            )
        assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("ftp://shop.example/a", "not an address on the web"),
        ("https:///a", "not an address on the web"),
        ("https://user:hidden@shop.example/a", "holds a name or password"),
        ("https://user:hidden@shop.example:x/a", "is no address"),
        ("https://shop example/a", "not an address on the web"),
        ("https://shop.example/" + "a" * 2000, "more than 2000 characters"),
        ("https://shop.example:99999/a", "not an address on the web"),
        ("https://" + "a" * 300 + ".example/", "cannot be found|is no address"),
        ("https://\udcff/", "is no address"),
    ],
)
def test_addresses_that_are_none(address: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        asyncio.run(fetch(asset(address)))
    assert "hidden" not in str(caught.value)


def test_an_address_keeps_its_query_to_itself(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with web_server({"/a": gives(b"no picture")}) as (base, _):
        for path in ("/a?sig=hidden", "/b?sig=hidden"):
            with pytest.raises(InputError) as caught:
                asyncio.run(fetch(asset(f"{base}{path}"), allow_private=True))
            assert "hidden" not in str(caught.value)
    assert "hidden" not in caplog.text
    assert str(checked_address(" https://shop.example/a b ")) == "https://shop.example/a%20b"


def test_the_proxy_of_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with web_server({"/a": gives(b"ok")}) as (base, _):
        assert download(Guard(allow_private=True), f"{base}/a") == b"ok"


async def _over_tls(folder: Path, name: str, asked: str, pages: str) -> tuple[bytes, list[str]]:
    """Ask a server whose certificate is for `name` under the name `asked`."""
    certificate, key = certificate_for(folder, name)
    names: list[str] = []
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(certificate, key)
    server_side.sni_callback = lambda _sock, told, _context: names.append(told or "")

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(pages.encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=server_side)
    async with server:
        port = server.sockets[0].getsockname()[1]
        guard = Guard(
            allow_private=True,
            resolve=resolver(["127.0.0.1"]),
            verify=ssl.create_default_context(cafile=str(certificate)),
        )
        body = await guard.download(
            f"https://{asked}:{port}/a", largest=100, seconds=10, accept="*/*"
        )
    return body, names


def test_certificates_are_checked_against_the_name_not_the_address(tmp_path: Path) -> None:
    ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    found, names = asyncio.run(_over_tls(tmp_path, "shop.example", "shop.example", ok))
    assert (found, names) == (b"ok", ["shop.example"])
    with pytest.raises(InputError, match=r"gives no answer.*certificate"):
        asyncio.run(_over_tls(tmp_path, "other.example", "shop.example", ok))
    down = "HTTP/1.1 302 Found\r\nLocation: http://shop.example/a\r\nContent-Length: 0\r\n\r\n"
    with pytest.raises(InputError, match="which is not encrypted"):
        asyncio.run(_over_tls(tmp_path, "shop.example", "shop.example", down))


def test_silence_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media_guard, "_SILENCE_SECONDS", 0.2)
    with (
        web_server({"/a": lambda request: time.sleep(1)}) as (base, _),
        pytest.raises(InputError, match="gives no answer: ReadTimeout"),
    ):
        download(Guard(allow_private=True), f"{base}/a")
