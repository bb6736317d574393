"""What the rest of the product needs from an ad platform. Google and TikTok can follow.

Every method is a coroutine; every error is one of `domain.errors`. Ids are digit strings
without `act_`; budgets are whole minor units.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from zyenta_ads_pipeline.domain.ads import AdAccount, AdObject, Level
from zyenta_ads_pipeline.domain.time import DateRange


@dataclass(frozen=True)
class InsightsPage:
    """One page of a report, as the platform gave it.

    `rows` keep the platform's own names and texts; `request` describes the call without its
    secret; `reply` is the whole body, for the raw archive.
    """

    account_id: str
    level: Level
    days: DateRange
    rows: Sequence[Mapping[str, Any]]
    request: str
    reply: Mapping[str, Any]
    observed_at: datetime


@dataclass(frozen=True)
class WriteReceipt:
    """The platform's answer to a write; `reply` is its body, `trace_id` for its support desk."""

    reply: Mapping[str, Any]
    trace_id: str


@dataclass(frozen=True)
class Capabilities:
    """What a platform can do, so that faces can grey out what it cannot."""

    insights: bool
    budgets: bool
    statuses: bool
    launch: bool


class AdsPlatform(Protocol):
    """One connected platform. Open with `async with`."""

    name: str
    capabilities: Capabilities

    async def server_time(self) -> datetime:
        """The platform's own clock (aware, UTC): its days, not this machine's, count."""
        ...

    async def account(self, account_id: str) -> AdAccount:
        """The account's currency, time zone, status and minimum budget."""
        ...

    async def ad_objects(self, account_id: str) -> list[AdObject]:
        """All campaigns, ad sets and ads of the account, archived ones included."""
        ...

    def insights(
        self, account_id: str, level: Level, days: DateRange
    ) -> AsyncIterator[InsightsPage]:
        """Daily rows of one level, page by page; raises before yielding a broken chain's rest."""
        ...

    async def read_object(self, object_id: str, level: Level) -> AdObject:
        """One object as it is now."""
        ...

    async def set_daily_budget(self, object_id: str, minor: int) -> WriteReceipt:
        """Set a campaign's or ad set's daily budget to an absolute value. Sent once.

        Raises `UnknownOutcome` when it may or may not have happened.
        """
        ...

    async def set_status(self, object_id: str, status: str) -> WriteReceipt:
        """Set a status. Sent once; `UnknownOutcome` when it may or may not have happened."""
        ...
