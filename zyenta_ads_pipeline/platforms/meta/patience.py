"""Which failed reads are tried again, how often, and after how long."""

from __future__ import annotations

import logging
import time

from zyenta_ads_pipeline.domain.errors import (
    PlatformError,
    RateLimited,
    Transient,
    Unreachable,
)
from zyenta_ads_pipeline.platforms.meta.errors import heals_once

log = logging.getLogger(__name__)


class Patience:
    """Decides for each failed try whether, and after how long, to try again.

    `left` is how many seconds may still be spent waiting for quotas.
    """

    def __init__(
        self, left: float, deadline: float | None, again_on: tuple[type[PlatformError], ...]
    ) -> None:
        self.left = left
        self._deadline = deadline
        self._again_on = again_on
        self._tries = 0

    def __call__(self, error: Exception) -> bool | float:
        self._tries += 1
        if self._deadline is not None and time.monotonic() >= self._deadline:
            return False
        if isinstance(error, RateLimited):
            return self._after_throttle(error)
        if not isinstance(error, (Transient, Unreachable, *self._again_on)):
            return False
        if self._tries > 1 and isinstance(error, PlatformError) and heals_once(error):
            return False
        log.warning("%s Trying again.", error)
        return True

    def _after_throttle(self, error: RateLimited) -> bool | float:
        """The budget, which has learnt of it, does the waiting."""
        wait = error.wait_seconds or 1.0
        time_left = float("inf") if self._deadline is None else self._deadline - time.monotonic()
        if wait > min(self.left, time_left):
            return False
        log.warning("%s", error.what)
        return 0.0
