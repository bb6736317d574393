"""Waiting for an order, for callers that ask for it by `Prefer: wait=SECONDS` (RFC 7240)."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from typing import Annotated

from fastapi import Header
from starlette.concurrency import run_in_threadpool

from zyenta_ads_pipeline.store.orders import Order

MOST_SECONDS = 30
_LOOK_SECONDS = 0.3
_WAIT = re.compile(r"(?:^|[,;])\s*wait=(\d{1,6})\b")

Prefer = Annotated[
    str | None,
    Header(
        description=f"`wait=SECONDS`, at most {MOST_SECONDS}: answer once the order is done, or "
        "the time is over. Without it the answer comes at once.",
        examples=["wait=20"],
    ),
]


async def settled(order: Order, prefer: str | None, look: Callable[[str], Order]) -> Order:
    """The order once it is done or has failed, or as it stands when the time is over."""
    found = _WAIT.search(prefer or "")
    until = time.monotonic() + min(int(found[1]), MOST_SECONDS) if found else 0.0
    while order.is_open and time.monotonic() < until:
        await asyncio.sleep(_LOOK_SECONDS)
        order = await run_in_threadpool(look, order.id)
    return order
