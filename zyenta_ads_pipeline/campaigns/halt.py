"""What a platform's error means for one change, its account, and the whole push."""

from __future__ import annotations

from datetime import datetime, timedelta

from zyenta_ads_pipeline.campaigns.report import LaneStop
from zyenta_ads_pipeline.domain.errors import (
    AuthenticationFailed,
    DuplicateObject,
    IncompleteData,
    NotFound,
    ObjectRateLimited,
    PermissionDenied,
    PlatformError,
    PolicyBlocked,
    RateLimited,
    TooMuchData,
    ValidationRefused,
)

PLATFORM_ERRORS = (PlatformError, IncompleteData)
"""Everything a platform's method may raise for a reason outside this program."""

REFUSALS = (
    ValidationRefused,
    PermissionDenied,
    NotFound,
    PolicyBlocked,
    DuplicateObject,
    TooMuchData,
)
"""A definite no: nothing was written, and sending the same again cannot help."""

HALTS = (AuthenticationFailed, RateLimited)
"""A definite no that is not about the change: nothing was written, later it may pass."""

PAUSE = timedelta(minutes=5)
"""How long a change that could not be sent waits where nothing tells when it can be."""


class Halt:
    """Whether the push goes on: asked before each step, told of each error."""

    def __init__(self) -> None:
        self.everything: str = ""
        self.lanes: dict[str, LaneStop] = {}

    def hear(self, account_id: str, error: Exception) -> None:
        """Draw the consequence of `error`: a dead token stops all, a limit stops its account.

        A limit on one object stops nothing but that object's change.
        """
        if isinstance(error, ObjectRateLimited):
            return
        if isinstance(error, AuthenticationFailed):
            self.everything = str(error)
            self.lanes[account_id] = LaneStop(account_id, str(error))
        elif isinstance(error, RateLimited):
            self.lanes[account_id] = LaneStop(account_id, str(error), error.wait_seconds)
        elif isinstance(error, PolicyBlocked):
            self.lanes[account_id] = LaneStop(account_id, str(error))

    def stop(self, account_id: str, words: str) -> None:
        """End the account's turn for another reason."""
        self.lanes[account_id] = LaneStop(account_id, words)

    def until(self, account_id: str, now: datetime) -> datetime:
        """When to try the account again: as the platform asks, else after `PAUSE`."""
        stop = self.lanes.get(account_id)
        seconds = stop.wait_seconds if stop is not None else None
        return now + (PAUSE if seconds is None else timedelta(seconds=seconds))

    def reason(self, account_id: str) -> str:
        """Why the account's turn is over; empty while it goes on."""
        if account_id in self.lanes:
            return self.lanes[account_id].words
        return self.everything
