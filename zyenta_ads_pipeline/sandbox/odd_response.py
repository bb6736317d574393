"""Replies that do not travel as they should: late, slowly, in part, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from zyenta_ads_pipeline.sandbox.reply import Reply

_PIECES = 20


class OddResponse(Response):
    """A reply with a delivery of its own. `hang_up` closes its connection: see `create_app`."""

    def __init__(self, reply: Reply, hang_up: Callable[[Scope, bool], None]) -> None:
        super().__init__(
            reply.content(), reply.status, dict(reply.headers), media_type=reply.media_type
        )
        self._delivery = reply.delivery
        self._hang_up = hang_up

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(self._delivery.wait)
        if self._delivery.drop:
            await self._closed(scope, receive, gently=False)
            return
        await send(
            {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        )
        body = bytes(self.body)
        if self._delivery.cut:
            half = {"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True}
            await send(half)
            await self._closed(scope, receive, gently=True)
            return
        size = max(1, -(-len(body) // _PIECES))
        for start in range(0, len(body), size):
            await asyncio.sleep(self._delivery.spread / _PIECES)
            piece = body[start : start + size]
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _closed(self, scope: Scope, receive: Receive, *, gently: bool) -> None:
        """Close, and wait until the server has noticed, or it would report a broken reply."""
        self._hang_up(scope, gently)
        while (await receive())["type"] != "http.disconnect":
            pass
