"""Pages of which a large part is the same for everybody who looks: packed once, sent to many.

A gzip stream is a row of blocks. A part that was packed by itself, up to a whole byte, can stand
between the blocks of any page; so a page of two hundred rows costs only the packing of its frame.
What is kept follows from the part's own text alone: nothing of a person can be in it.
"""

from __future__ import annotations

import secrets
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from starlette.requests import Request
from starlette.responses import HTMLResponse

_KEPT = 32
"""Parts that are kept, of some 200 kB each."""
_LEVEL = 3
"""Of compression: beyond it a page takes twice the time and is a tenth smaller."""
_BEGIN = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
"""A gzip stream without a name or a moment."""
_MARK = f"<{secrets.token_hex(16)}>"
"""Stands for the part while the page around it is drawn. Nobody can know it and write it."""


@dataclass(frozen=True)
class Part:
    """HTML that templates show as it is, once in a page; `packed` is `plain`, deflated."""

    plain: bytes
    packed: bytes

    def __html__(self) -> str:
        return _MARK

    def __bool__(self) -> bool:
        return bool(self.plain)


@lru_cache(maxsize=_KEPT)
def part_of(html: str) -> Part:
    """The part with this text, which has to be safe: it is not escaped."""
    plain = html.encode()
    return Part(plain, _deflated(plain, zlib.Z_SYNC_FLUSH))


def page_of(
    request: Request, html: str, part: Part | None, status: int, headers: Mapping[str, str]
) -> HTMLResponse:
    """A page, drawn with `part` or without any; packed, if it has the part and the browser takes
    that."""
    before, found, after = html.partition(_MARK)
    if part is None or not found:
        return HTMLResponse(html, status, headers)
    head, tail = before.encode(), after.encode()
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return HTMLResponse(b"".join((head, part.plain, tail)), status, headers)
    response = HTMLResponse(_packed(head, part, tail), status, headers)
    response.headers["Content-Encoding"] = "gzip"
    response.headers.add_vary_header("Accept-Encoding")
    return response


def _packed(head: bytes, part: Part, tail: bytes) -> bytes:
    check = zlib.crc32(tail, zlib.crc32(part.plain, zlib.crc32(head)))
    length = len(head) + len(part.plain) + len(tail)
    return b"".join(
        (
            _BEGIN,
            _deflated(head, zlib.Z_SYNC_FLUSH),
            part.packed,
            _deflated(tail, zlib.Z_FINISH),
            struct.pack("<LL", check, length),
        )
    )


def _deflated(plain: bytes, end: int) -> bytes:
    """Blocks that refer to nothing before them."""
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(plain) + packer.flush(end)
