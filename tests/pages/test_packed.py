"""Pages of which a part is packed once: what arrives is what was drawn, whoever asks for it."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape
from starlette.requests import Request

from zyenta_ads_pipeline.console.pages.packed import page_of, part_of

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
LONG = WORDS.map(lambda words: words * 200)


def asking(encodings: str | None) -> Request:
    sent = [] if encodings is None else [(b"accept-encoding", encodings.encode())]
    return Request({"type": "http", "method": "GET", "path": "/", "headers": sent})


@given(before=WORDS, shown=LONG, after=WORDS)
def test_a_packed_page_says_the_same_as_a_plain_one(before: str, shown: str, after: str) -> None:
    part = part_of(shown)
    html = f"{before}{escape(part)}{after}"
    plain = page_of(asking(None), html, part, 200, {"Vary": "Cookie"})
    packed = page_of(asking("br, gzip"), html, part, 200, {"Vary": "Cookie"})
    assert bytes(plain.body).decode() == f"{before}{shown}{after}"
    assert gzip.decompress(packed.body) == plain.body  # with its checksum and its length
    reader = zlib.decompressobj(16 + zlib.MAX_WBITS)
    assert reader.decompress(packed.body) == plain.body
    assert reader.eof
    assert reader.unused_data == b"", "one stream: not every browser reads a second one"
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["vary"] == "Cookie, Accept-Encoding"
    assert packed.headers["content-length"] == str(len(packed.body))


def test_a_part_is_packed_once_for_every_page_around_it() -> None:
    rows = "<tr><td>Candles\n" * 200
    part = part_of(rows)
    assert part_of("".join([rows])) is part
    first, second = (
        page_of(asking("gzip"), f"<p>{name}</p>{escape(part)}", part, 200, {}).body
        for name in ("eva", "max")
    )
    assert gzip.decompress(first) == b"<p>eva</p>" + rows.encode()
    assert gzip.decompress(second) == b"<p>max</p>" + rows.encode()
    assert part_of(rows + " ").plain != part.plain


@pytest.mark.parametrize("encodings", [None, "gzip"])
def test_a_page_that_does_not_show_its_part_does_not_send_it(encodings: str | None) -> None:
    part = part_of("<tr><td>Candles")
    reply = page_of(asking(encodings), "<p>Nothing fits.</p>", part, 404, {})
    assert (reply.status_code, reply.body) == (404, b"<p>Nothing fits.</p>")
    assert "content-encoding" not in reply.headers


def test_no_rows_are_no_part() -> None:
    assert not part_of("")
    assert part_of("<tr>")
