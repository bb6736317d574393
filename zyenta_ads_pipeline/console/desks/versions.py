"""Versions of what can be edited, for `ETag` and `If-Match`: the same text, the same state."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256

from zyenta_ads_pipeline.domain.errors import Stale


def version_of(thing_id: str, updated_at: datetime) -> str:
    """The version of something that was last changed at that moment: 16 hex digits."""
    return sha256(f"{thing_id}@{updated_at.isoformat()}".encode()).hexdigest()[:16]


def require_version(what: str, expected: str | None, found: str) -> None:
    """Raise `Stale` unless the version is the one that was seen; None: whatever it is."""
    if expected is not None and expected != found:
        raise Stale(
            f"{what} has changed since you looked at it, so nothing was done.",
            "Look at it again, and decide anew.",
        )
