"""Reads in batches: up to fifty in one call, each with a reply of its own.

Meta counts each part as a call and tells its usage in the part's own headers. A part that did not
finish comes as null (Graph API, "Batch requests").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from zyenta_ads_pipeline.domain.errors import (
    IncompleteData,
    NotFound,
    PlatformError,
    RateLimited,
    Transient,
)
from zyenta_ads_pipeline.platforms.meta.client import MetaClient, Purpose
from zyenta_ads_pipeline.platforms.meta.replies import (
    RawReply,
    Reply,
    decoded,
    json_value,
    refusal,
)

BATCH = 50
_ROUNDS = 4

Part = Reply | PlatformError | None


def relative_url(path: str, params: Mapping[str, str]) -> str:
    """A part's address. It travels in the form's body, never in a URL."""
    return f"{path}?{urlencode(params)}"


async def read_batch(client: MetaClient, urls: Sequence[str], purpose: Purpose) -> list[Part]:
    """The replies to at most fifty reads, in order: a reply, the error it is, or None.

    A part that is throttled makes the whole batch wait and be asked again. Raises what any read
    raises when the batch itself fails.
    """
    if len(urls) > BATCH:
        raise ValueError(f"a batch holds {BATCH} reads, not {len(urls)}")

    def parts(raw: RawReply) -> list[Part]:
        body = json_value(raw.content)
        if not isinstance(body, list):
            raise refusal(raw, body)
        if len(body) != len(urls):
            raise IncompleteData(
                f"The batch {raw.request} has {len(body)} replies to {len(urls)} reads.",
                "Nothing of it was stored; run it again.",
            )
        replies = [_raw_part(part, url, raw) for part, url in zip(body, urls, strict=True)]
        for reply in replies:
            if reply is not None:
                client.note(purpose, reply.headers)
        return [None if reply is None else _part(reply) for reply in replies]

    calls = [{"method": "GET", "relative_url": url} for url in urls]
    return await client.read(
        "",
        {"batch": calls},
        purpose=replace(purpose, points=len(urls)),
        decode=parts,
        method="POST",
    )


async def read_each(
    client: MetaClient, urls: Mapping[str, str], purpose: Purpose
) -> dict[str, Reply | None]:
    """One reply for each key of `urls`; None for an object that Meta does not know.

    Parts that did not finish, or failed in passing, are asked again, four times at most. Raises
    the error of any other part.
    """
    found: dict[str, Reply | None] = {}
    waiting = list(urls)
    last: PlatformError | None = None
    for _ in range(_ROUNDS):
        unfinished: list[str] = []
        for start in range(0, len(waiting), BATCH):
            keys = waiting[start : start + BATCH]
            parts = await read_batch(client, [urls[key] for key in keys], purpose)
            for key, part in zip(keys, parts, strict=True):
                if isinstance(part, Reply):
                    found[key] = part
                elif isinstance(part, NotFound):
                    found[key] = None
                elif part is None or isinstance(part, Transient):
                    unfinished.append(key)
                    last = part or last
                else:
                    raise part
        waiting = unfinished
        if not waiting:
            return found
    raise last or Transient(
        f"Meta did not finish {len(waiting)} of {len(urls)} reads in a batch, asked {_ROUNDS} "
        "times.",
        "The next run tries again.",
    )


def _raw_part(part: Any, url: str, whole: RawReply) -> RawReply | None:
    if part is None:
        return None
    fields = part if isinstance(part, dict) else {}
    body, code, headers = fields.get("body"), fields.get("code"), fields.get("headers")
    listed = headers if isinstance(headers, list) else []
    return RawReply(
        content=body.encode() if isinstance(body, str) else b"",
        status=code if isinstance(code, int) else 502,
        headers={
            str(header.get("name")).lower(): str(header.get("value"))
            for header in listed
            if isinstance(header, dict)
        },
        at=whole.at,
        request=f"{whole.request} (GET {url.partition('?')[0]})",
    )


def _part(raw: RawReply) -> Reply | PlatformError:
    try:
        return decoded(raw)
    except RateLimited:
        raise
    except PlatformError as error:
        return error
