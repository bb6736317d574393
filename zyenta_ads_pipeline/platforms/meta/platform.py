"""Meta as an `AdsPlatform`: which edges are asked, for what purpose, and in which shape.

What makes it an `AdsLauncher` too is in `launcher`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Self, TypeVar
from urllib.parse import urlencode

from zyenta_ads_pipeline.domain.ads import AdAccount, AdCreative, AdObject, Level
from zyenta_ads_pipeline.domain.errors import NotFound, PlatformError
from zyenta_ads_pipeline.domain.insights import Report
from zyenta_ads_pipeline.platforms.base import (
    InsightsPage,
    Pixel,
    PlatformPage,
    ReportStatus,
    TokenStatus,
    WriteReceipt,
)
from zyenta_ads_pipeline.platforms.meta import tokens
from zyenta_ads_pipeline.platforms.meta.batch import read_each, relative_url
from zyenta_ads_pipeline.platforms.meta.client import Purpose
from zyenta_ads_pipeline.platforms.meta.launcher import MetaLauncher
from zyenta_ads_pipeline.platforms.meta.objects import (
    ACCOUNT_FIELDS,
    CREATIVE_FIELDS,
    EDGES,
    PIXEL_FIELDS,
    STATUSES,
    ad_account,
    ad_creative,
    ad_object,
    object_fields,
    page_of,
    pixel_of,
    told,
)
from zyenta_ads_pipeline.platforms.meta.pages import read_archived, read_reply
from zyenta_ads_pipeline.platforms.meta.replies import Reply, decoded
from zyenta_ads_pipeline.platforms.meta.reports import (
    STATUS_FIELDS,
    params_of,
    path_of,
    status_of,
)
from zyenta_ads_pipeline.platforms.meta.usage import INSIGHTS, MANAGEMENT
from zyenta_ads_pipeline.platforms.registry import PLATFORMS

T = TypeVar("T")

_OBJECTS_PER_PAGE = 200
_CREATIVES_PER_PAGE = 100
_ACTIVITIES_PER_PAGE = 500
_ACTIVITY_PAGES = 5


class MetaAds(MetaLauncher):
    """Facebook and Instagram ads through the Marketing API. Open with `async with`."""

    name = "meta"
    capabilities = PLATFORMS["meta"]

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._client.__aexit__(*exc)

    @property
    def calls(self) -> int:
        """Requests sent so far, repeated ones included; a batch is one."""
        return self._client.calls

    @property
    def calls_by_kind(self) -> Counter[str]:
        """The same by what they were for."""
        return self._client.calls_by_kind

    def percent_used(self, account_id: str) -> float:
        """How much of the quotas that an account's calls count against is used, as of now."""
        client = self._client
        return max(
            client.budget.percent(account_id, use_case, app=client.app)
            for use_case in (INSIGHTS, MANAGEMENT)
        )

    @property
    def answered_version(self) -> str | None:
        """The version that Meta last answered as; None before the first reply."""
        return self._client.answered_version

    async def server_time(self) -> datetime:
        """Meta's own clock, from the Date of a small reply."""
        purpose = Purpose("clock", reserve=True)
        return (await self._client.get("me", {"fields": "id"}, purpose)).at

    async def account(self, account_id: str) -> AdAccount:
        """Currency, time zone, status and minimum budget of one account."""
        purpose = Purpose("account", account_id, reserve=True)
        path = f"act_{account_id}"
        return ad_account(await self._client.get(path, {"fields": ACCOUNT_FIELDS}, purpose))

    async def ad_objects(self, account_id: str) -> list[AdObject]:
        """All campaigns, ad sets and ads that Meta lists, archived ones included."""
        objects: list[AdObject] = []
        for level, edge in EDGES.items():
            params = {
                "fields": object_fields(level),
                "effective_status": list(STATUSES[level]),
            }
            objects += await self._listed(
                account_id,
                edge,
                params,
                _OBJECTS_PER_PAGE,
                partial(ad_object, level=level),
            )
        return objects

    async def creatives(self, account_id: str) -> list[AdCreative]:
        """All creatives that Meta lists (at most 50,000 an account)."""
        return await self._listed(
            account_id,
            "adcreatives",
            {"fields": CREATIVE_FIELDS},
            _CREATIVES_PER_PAGE,
            partial(ad_creative, account_id=account_id),
        )

    async def pages(self, account_id: str) -> list[PlatformPage]:
        """The pages that the account may advertise."""
        params = {"fields": "id,name"}
        return await self._listed(account_id, "promote_pages", params, _OBJECTS_PER_PAGE, page_of)

    async def pixels(self, account_id: str) -> list[Pixel]:
        """The account's pixels, and when each last saw something."""
        params = {"fields": PIXEL_FIELDS}
        return await self._listed(account_id, "adspixels", params, _OBJECTS_PER_PAGE, pixel_of)

    async def objects_by_id(
        self, account_id: str, level: Level, ids: Sequence[str]
    ) -> dict[str, AdObject | None]:
        """Objects by their ids, deleted ones too; None for one that Meta does not know."""
        fields = {"fields": object_fields(level)}
        urls = {each: relative_url(each, fields) for each in ids}
        found = await read_each(self._client, urls, Purpose("batch", account_id))
        return {
            each: None if reply is None else ad_object(reply.body, reply, level)
            for each, reply in found.items()
        }

    async def touched_objects(self, account_id: str, since: datetime) -> list[str]:
        """Ids of the objects in the account's activity log since then, newest first."""
        params = {"fields": "object_id,event_time", "since": str(int(since.timestamp()))}
        replies = self._client.pages(
            f"act_{account_id}/activities",
            params,
            limit=_ACTIVITIES_PER_PAGE,
            purpose=Purpose("objects", account_id),
        )
        ids: dict[str, None] = {}
        pages = 0
        async for reply in replies:
            ids |= {str(row["object_id"]): None for row in reply.body["data"] if "object_id" in row}
            pages += 1
            if pages == _ACTIVITY_PAGES:
                break
        return list(ids)

    async def read_page(self, report: Report, *, limit: int, after: str | None) -> InsightsPage:
        """One page of a report, computed while we wait."""
        return await self._page(
            path_of(report),
            {**params_of(report), "limit": limit, "after": after},
            report,
            Purpose("insights page", report.account_id, INSIGHTS),
        )

    async def start_report(self, report: Report) -> str:
        """Have a report computed in the background; gives its run id."""
        reply = await self._client.read(
            path_of(report),
            params_of(report),
            purpose=Purpose("report start", report.account_id, INSIGHTS),
            decode=decoded,
            method="POST",
        )
        return told(reply.body, "report_run_id", reply)

    async def report_status(self, run_id: str, account_id: str) -> ReportStatus:
        """How far a report has come. Raises `NotFound` for one that Meta forgot."""
        reply = await self._client.read(
            run_id,
            {"fields": STATUS_FIELDS},
            purpose=Purpose("report poll", account_id, INSIGHTS),
            decode=decoded,
            again_on=(NotFound,),  # Meta may not know it yet right after its start
        )
        return status_of(reply, run_id)

    async def report_page(
        self, run_id: str, report: Report, *, limit: int, after: str | None
    ) -> InsightsPage:
        """One page of a completed report."""
        return await self._page(
            f"{run_id}/insights",
            {"limit": limit, "after": after},
            report,
            Purpose("report page", report.account_id, INSIGHTS),
            again_on=(NotFound,) if after is None else (),
        )

    def decoded(
        self, report: Report, body: bytes, *, observed_at: datetime, request: str
    ) -> InsightsPage:
        """The page of an archived reply. Raises `IncompleteData` for one that is not a page."""
        return read_archived(report, body, observed_at=observed_at, request=request)

    async def token_status(self) -> TokenStatus:
        """What Meta says of the token; a dead one is an answer, not an error."""
        return await tokens.token_status(self._client)

    async def read_object(self, object_id: str, level: Level) -> AdObject:
        """One campaign, ad set or ad as it is now. May use what is kept for writes."""
        purpose = Purpose("object", self._owners.get(object_id, ""), reserve=True)
        reply = await self._client.get(object_id, {"fields": object_fields(level)}, purpose)
        found = ad_object(reply.body, reply, level)
        self._owners[object_id] = found.account_id
        return found

    async def set_daily_budget(self, object_id: str, minor: int) -> WriteReceipt:
        """Set a daily budget, in whole minor units. Sent once."""
        return await self._write(object_id, {"daily_budget": str(minor)})

    async def set_status(self, object_id: str, status: str) -> WriteReceipt:
        """Set ACTIVE, PAUSED or ARCHIVED. Sent once."""
        return await self._write(object_id, {"status": status})

    async def _listed(
        self,
        account_id: str,
        edge: str,
        params: Mapping[str, Any],
        limit: int,
        made: Callable[[Mapping[str, Any], Reply], T],
    ) -> list[T]:
        replies = self._client.pages(
            f"act_{account_id}/{edge}", params, limit=limit, purpose=Purpose("objects", account_id)
        )
        return [made(row, reply) async for reply in replies for row in reply.body["data"]]

    async def _page(
        self,
        path: str,
        params: Mapping[str, Any],
        report: Report,
        purpose: Purpose,
        again_on: tuple[type[PlatformError], ...] = (),
    ) -> InsightsPage:
        asked = {
            "level": report.level.value,
            "breakdowns": ",".join(report.preset.breakdowns),
            "time_range": str(report.days),
            "limit": params["limit"],
            "after": params["after"],
        }
        described = urlencode({name: value for name, value in asked.items() if value})
        return await self._client.read(
            path,
            params,
            purpose=purpose,
            decode=lambda raw: read_reply(raw, report, f"{raw.request}?{described}"),
            again_on=again_on,
        )
