"""What the rest of the product needs from an ad platform. Google and TikTok can follow.

Every coroutine raises one of `domain.errors`. Ids are digit strings without `act_`; budgets are
whole minor units; moments are aware, UTC, by the platform's own clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

import polars as pl

from zyenta_ads_pipeline.domain.ads import AdAccount, AdCreative, AdObject, Level
from zyenta_ads_pipeline.domain.insights import Report
from zyenta_ads_pipeline.domain.launch import (
    AdSetSpec,
    AdSpec,
    CampaignReview,
    CampaignSpec,
    Created,
    CreativeSpec,
    Interest,
    StepKind,
)


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
class VideoStatus:
    """How far the platform is with a video: `processing`, `ready`, `expired` or `error`."""

    id: str
    state: str
    thumbnail_url: str | None = None
    problem: str = ""


@dataclass(frozen=True)
class Catalogue:
    """A product catalogue of a business, with the sets of products that ads can show."""

    id: str
    name: str
    product_sets: Sequence[tuple[str, str]]
    """Id and name of each."""


@dataclass(frozen=True)
class RenewedToken:
    """A token with a new lifetime. Never shown: `repr` hides it."""

    token: str = field(repr=False)
    expires_at: datetime | None = None


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


class AdsLauncher(Protocol):
    """What a platform with `capabilities.launch` does besides: make objects, and look them up.

    Whatever is made is PAUSED. Each create is sent once; `UnknownOutcome` when it may or may not
    have happened. With `validate_only` nothing is made, and the id is empty.
    """

    name: str
    capabilities: Capabilities

    async def create_campaign(
        self, account_id: str, spec: CampaignSpec, *, validate_only: bool = False
    ) -> Created:
        """Make a campaign."""
        ...

    async def create_ad_set(
        self, account_id: str, spec: AdSetSpec, *, validate_only: bool = False
    ) -> Created:
        """Make an ad set in a campaign that exists."""
        ...

    async def create_ad_creative(
        self, account_id: str, spec: CreativeSpec, *, validate_only: bool = False
    ) -> Created:
        """Make a creative; its media were uploaded before."""
        ...

    async def create_ad(
        self, account_id: str, spec: AdSpec, *, validate_only: bool = False
    ) -> Created:
        """Make an ad of an ad set and a creative that exist."""
        ...

    async def find_by_token(self, account_id: str, kind: StepKind, token: str) -> str | None:
        """The id of the campaign, ad set, creative or ad whose name contains the token, of
        whatever status the platform lists; None if there is none. Raises `IncompleteData` when
        there are several."""
        ...

    async def differences(self, kind: StepKind, object_id: str, spec: object) -> list[str]:
        """Read an object back and tell, a sentence each, in what it differs from its spec."""
        ...

    async def delete(self, object_id: str) -> WriteReceipt:
        """Set an object to DELETED, for good. Sent once."""
        ...

    async def upload_image(self, account_id: str, content: bytes, name: str) -> str:
        """Upload an image; gives its hash. The same content gives the same hash: repeatable."""
        ...

    async def upload_video(self, account_id: str, content: bytes, name: str) -> str:
        """Upload a video in chunks; gives its id."""
        ...

    async def find_video(self, account_id: str, token: str) -> str | None:
        """The id of an uploaded video whose title contains the token."""
        ...

    async def video_status(self, video_id: str) -> VideoStatus:
        """Whether a video can be used."""
        ...

    async def search_interests(self, query: str, *, limit: int = 25) -> list[Interest]:
        """Interests by a word."""
        ...

    async def validate_interests(self, ids: Sequence[str]) -> list[Interest]:
        """What the platform says of interests by their ids; unknown ones come back not valid."""
        ...

    async def review(self, account_id: str, campaign_id: str) -> CampaignReview:
        """The campaign's and its ads' status, issues and review feedback."""
        ...

    async def catalogues(self, account_id: str) -> list[Catalogue]:
        """Product catalogues that the account's business owns."""
        ...

    async def renewed_token(self) -> RenewedToken:
        """The token in use with a new lifetime of 60 days; needs the app's id and secret."""
        ...
