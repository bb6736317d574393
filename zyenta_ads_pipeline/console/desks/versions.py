"""Versions of what can be edited, for `ETag` and `If-Match`: the same text, the same state."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256

from zyenta_ads_pipeline.domain.errors import Stale


def version_of(thing_id: str, updated_at: datetime, *more: object) -> str:
    """The version of something that was last changed at that moment: 16 hex digits. `more` is what
    else it changes with."""
    told = f"{thing_id}@{updated_at.isoformat()}{''.join(f' {each}' for each in more)}"
    return sha256(told.encode()).hexdigest()[:16]


def require_version(what: str, expected: str | None, found: str) -> None:
    """Raise `Stale` unless the version is the one that was seen; None: whatever it is."""
    if expected is not None and expected != found:
        raise Stale(
            f"{what} has changed since you looked at it, so nothing was done.",
            "Look at it again, and decide anew.",
        )
