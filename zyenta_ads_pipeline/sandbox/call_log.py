"""What clients called: counts by kind, and the latest calls, without their secrets."""

from __future__ import annotations

import threading
from collections import Counter, deque
from typing import Any

from zyenta_ads_pipeline.sandbox.sight import Sight

_KEPT = 500
_LONGEST_VALUE = 300
_SECRET = frozenset({"input_token", "client_secret", "fb_exchange_token", "batch"})


class CallLog:
    """Counts since the start or the last reset. Safe to call from threads.

    `requests` counts what came over HTTP, `calls` what Meta counts: the parts of a batch each,
    the batch itself not.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Begin at nought."""
        with self._lock:
            self._kinds: Counter[str] = Counter()
            self._last: deque[dict[str, Any]] = deque(maxlen=_KEPT)
            self._requests = 0

    def add(self, sight: Sight, status: int | None, fault: str | None) -> None:
        """Note an answered call; `status` None: the client got no answer."""
        entry = {
            "kind": sight.kind,
            "method": sight.method,
            "path": "/".join(sight.path),
            "params": {
                name: value[:_LONGEST_VALUE]
                for name, value in sight.params.items()
                if name not in _SECRET
            },
            "account": sight.account_id,
            "in_batch": sight.in_batch,
            "status": status,
            "fault": fault,
        }
        with self._lock:
            self._requests += not sight.in_batch
            self._kinds[sight.kind] += 1
            self._last.append(entry)

    def shown(self) -> dict[str, Any]:
        """Counts, and up to 500 latest calls, oldest first."""
        with self._lock:
            kinds = dict(sorted(self._kinds.items()))
            calls = sum(kinds.values()) - kinds.get("batch", 0)
            return {
                "requests": self._requests,
                "calls": calls,
                "by_kind": kinds,
                "last": list(self._last),
            }
