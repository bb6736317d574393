"""What a test may set of the insights: how much is too much, and how deleted ads show."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

BY_ID, BY_FILTER = "by_id", "filter"
_LIMITS = frozenset({"sync_rows", "sync_seconds", "async_rows", "page_rows"})


@dataclass(frozen=True)
class InsightSettings:
    """Ceilings of insights, in rows that a query may have.

    Above `sync_rows` a direct query is refused with 100/1487534, above `sync_seconds` (estimated)
    with 100/1504018; a report above `async_rows` fails with -3/1504045. A page of more than
    `page_rows` rows is refused with code 1; None for no ceiling. `deleted` tells when deleted
    objects have rows in a list: only when named by id (`by_id`), or also when a filter names
    their effective status (`filter`).
    """

    sync_rows: int = 100_000
    sync_seconds: float = 30.0
    async_rows: int = 1_000_000
    page_rows: int | None = None
    deleted: str = BY_ID

    def changed(self, limits: Any, deleted: Any = None) -> InsightSettings:
        """With other values; `ValueError` says what is wrong with them."""
        if not isinstance(limits, dict) or not limits.keys() <= _LIMITS:
            raise ValueError(f"limits must be an object of {', '.join(sorted(_LIMITS))}")
        for name, value in limits.items():
            number = isinstance(value, int | float) and not isinstance(value, bool) and value > 0
            if not number and not (name == "page_rows" and value is None):
                raise ValueError(f"{name} must be a number above 0")
        if deleted is not None and deleted not in (BY_ID, BY_FILTER):
            raise ValueError(f"deleted must be {BY_ID} or {BY_FILTER}")
        return replace(self, **limits, deleted=self.deleted if deleted is None else deleted)
