"""A reply of the Graph API: its bytes, what they hold, and the error they are if they are one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from zyenta_ads_pipeline.domain.errors import (
    ErrorOrigin,
    IncompleteData,
    PlatformError,
    RateLimited,
    Transient,
    ValidationRefused,
)
from zyenta_ads_pipeline.platforms.meta.errors import error_from_reply

_DEFAULT_WAIT = 60.0


@dataclass(frozen=True)
class RawReply:
    """A reply as it came, without our secrets. `headers` have lower-case names; `request` tells
    what was asked, `at` is Meta's clock (UTC) when it answered."""

    content: bytes
    status: int
    headers: Mapping[str, str]
    at: datetime
    request: str

    @property
    def trace_id(self) -> str:
        """What Meta's support desk asks for."""
        return self.headers.get("x-fb-trace-id", "")

    @property
    def is_success(self) -> bool:
        """Whether HTTP calls it good; it may hold an error all the same."""
        return 200 <= self.status < 300


@dataclass(frozen=True)
class Reply:
    """A decoded reply: its body, Meta's clock when it was given, and its trace id."""

    body: dict[str, Any]
    at: datetime
    trace_id: str
    request: str


def server_time(headers: Mapping[str, str]) -> datetime:
    """The reply's Date in UTC; this machine's clock where there is none."""
    try:
        return parsedate_to_datetime(headers["date"]).astimezone(UTC)
    except (KeyError, ValueError):
        return datetime.now(UTC)


def decoded(raw: RawReply) -> Reply:
    """The JSON object that a reply holds; its fractions are kept as texts, exact.

    Raises the typed error that it is, if it is one, and `Transient` where it holds something
    else than an object.
    """
    body = json_value(raw.content)
    if not isinstance(body, dict) or body.get("error") is not None or not raw.is_success:
        raise refusal(raw, body)
    return Reply(body=body, at=raw.at, trace_id=raw.trace_id, request=raw.request)


def json_value(content: bytes) -> Any:
    """What JSON bytes hold, fractions as texts; None for what is no JSON."""
    try:
        return json.loads(content, parse_float=str)
    except (ValueError, RecursionError):
        return None


def refusal(raw: RawReply, body: Any) -> PlatformError:
    """The typed error for a reply that is no good one; `body` is its JSON value."""
    if isinstance(body, dict) and isinstance(body.get("error"), dict):
        return error_from_reply(
            body["error"], request=raw.request, http_status=raw.status, headers=raw.headers
        )
    origin = ErrorOrigin(request=raw.request, http_status=raw.status, trace_id=raw.trace_id)
    what = f"The reply to {raw.request} is not one of the Graph API's (HTTP {raw.status})."
    if raw.status == 429:
        return RateLimited(
            what, "The next run tries again.", origin=origin, wait_seconds=_DEFAULT_WAIT
        )
    # 408 is a proxy's that gave up waiting: what it waited for may have happened all the same.
    if 400 <= raw.status < 500 and raw.status != 408:
        return ValidationRefused(what, "Check META_GRAPH_URL.", origin=origin)
    return Transient(what, "The next run tries again.", origin=origin)


def next_cursor(paging: object, where: str) -> str | None:
    """The cursor of the next page; None on the last, which alone lacks `paging.next`.

    The link itself is not followed: it can carry the token. Raises `IncompleteData` when a next
    page is announced without a cursor to it.
    """
    if not isinstance(paging, Mapping) or not paging.get("next"):
        return None
    cursors = paging.get("cursors")
    after = cursors.get("after") if isinstance(cursors, Mapping) else None
    after = after or next(
        iter(parse_qs(urlsplit(str(paging["next"])).query).get("after", [])), None
    )
    if not after:
        raise IncompleteData(
            f"{where} announces a next page but no cursor to it.",
            "Nothing of this list was stored; run it again.",
        )
    return str(after)
