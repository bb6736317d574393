"""What the rest of the product needs from an ad platform. Google and TikTok can follow.

Every coroutine raises one of `domain.errors`. Ids are digit strings without `act_`; budgets are
whole minor units; moments are aware, UTC, by the platform's own clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

import polars as pl

from zyenta_ads_pipeline.domain.ads import AdAccount, AdCreative, AdObject, Level
from zyenta_ads_pipeline.domain.insights import Report


@dataclass(frozen=True)
class InsightsPage:
    """One page of a report, as the platform gave it.

    `rows` has one column per field of the report, key first, under the platform's names; all are
    texts, and `STATS` lists of structs of texts (`action_type`, `value` and one key a window); a
    field that a row lacks is null. `after` leads to the next page; None on the last. `body` is
    the reply itself without any secret, one line of JSON, for the raw archive; `request`
    describes the call without its secret.
    """

    report: Report
    rows: pl.DataFrame
    after: str | None
    body: bytes
    observed_at: datetime
    request: str


class ReportState(StrEnum):
    """Where an asynchronous report stands."""

    WAITING = "waiting"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class ReportStatus:
    """An asynchronous report's progress. `percent` is 0 to 100.

    `error` says why it failed, and what its class lets be done about it (smaller, or again).
    """

    run_id: str
    state: ReportState
    percent: int
    observed_at: datetime
    error: Exception | None = None


@dataclass(frozen=True)
class TokenStatus:
    """What the platform says of the token in use. `expires_at` None: it does not expire.

    `kind` is whose it is in the platform's word, such as USER or SYSTEM_USER; empty if not told.
    """

    valid: bool
    scopes: Sequence[str]
    expires_at: datetime | None
    data_expires_at: datetime | None
    app_id: str
    user_id: str
    kind: str = ""
    problem: str = ""


@dataclass(frozen=True)
class PlatformPage:
    """A page in whose name an account may advertise."""

    id: str
    name: str


@dataclass(frozen=True)
class Pixel:
    """A pixel of an account. `last_fired_at` None: it has seen nothing."""

    id: str
    name: str
    last_fired_at: datetime | None


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
    """One connected platform, with one token. Open with `async with`."""

    name: str
    capabilities: Capabilities

    @property
    def calls(self) -> int:
        """Requests sent so far, repeated ones included; a batch is one."""
        ...

    async def server_time(self) -> datetime:
        """The platform's own clock: its days, not this machine's, count."""
        ...

    async def account(self, account_id: str) -> AdAccount:
        """The account's currency, time zone, status and minimum budget."""
        ...

    async def ad_objects(self, account_id: str) -> list[AdObject]:
        """All campaigns, ad sets and ads of the account that it lists, of every status."""
        ...

    async def creatives(self, account_id: str) -> list[AdCreative]:
        """All creatives of the account that it lists."""
        ...

    async def objects_by_id(
        self, account_id: str, level: Level, ids: Sequence[str]
    ) -> dict[str, AdObject | None]:
        """Objects that the lists leave out, such as deleted ones; None for one it does not know."""
        ...

    async def touched_objects(self, account_id: str, since: datetime) -> list[str]:
        """Ids of the objects that someone created or changed since then, newest first: the way to
        objects that the lists hide. A bounded part of the account's log."""
        ...

    async def read_page(self, report: Report, *, limit: int, after: str | None) -> InsightsPage:
        """One page of a report, computed while we wait.

        Raises `TooMuchData` for one that has to be asked smaller or as a report job.
        """
        ...

    async def start_report(self, report: Report) -> str:
        """Have a report computed in the background; gives its run id. Repeating it is harmless."""
        ...

    async def report_status(self, run_id: str, account_id: str) -> ReportStatus:
        """How far a report has come."""
        ...

    async def report_page(
        self, run_id: str, report: Report, *, limit: int, after: str | None
    ) -> InsightsPage:
        """One page of a completed report."""
        ...

    def decoded(
        self, report: Report, body: bytes, *, observed_at: datetime, request: str
    ) -> InsightsPage:
        """The page of an archived reply. Raises `IncompleteData` for one that is not a page."""
        ...

    async def token_status(self) -> TokenStatus:
        """What the platform says of the token."""
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
