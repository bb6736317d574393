"""Meta as an `AdsPlatform`: which edges and fields are asked, and how their replies are read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any, Self

from zyenta_ads_pipeline.domain.ads import (
    LINK_CLICK_FIELD,
    AdAccount,
    AdObject,
    Level,
    account_number,
)
from zyenta_ads_pipeline.domain.errors import IncompleteData
from zyenta_ads_pipeline.domain.time import DateRange
from zyenta_ads_pipeline.platforms.base import Capabilities, InsightsPage, WriteReceipt
from zyenta_ads_pipeline.platforms.meta.client import MetaClient, Reply

_ID_FIELDS: dict[Level, tuple[str, ...]] = {
    Level.ACCOUNT: ("account_id",),
    Level.CAMPAIGN: ("account_id", "campaign_id"),
    Level.ADSET: ("account_id", "campaign_id", "adset_id"),
    Level.AD: ("account_id", "campaign_id", "adset_id", "ad_id"),
}
_METRIC_FIELDS = (
    "account_currency",
    "impressions",
    "clicks",
    LINK_CLICK_FIELD,
    "reach",
    "spend",
    "actions",
    "action_values",
)
_DAYS_PER_REPORT = 90
_ROWS_PER_PAGE = 500
_OBJECTS_PER_PAGE = 200

_EDGES: dict[Level, str] = {Level.CAMPAIGN: "campaigns", Level.ADSET: "adsets", Level.AD: "ads"}
_OBJECT_FIELDS: dict[Level, tuple[str, ...]] = {
    Level.CAMPAIGN: ("objective", "daily_budget", "lifetime_budget"),
    Level.ADSET: ("campaign_id", "daily_budget", "lifetime_budget"),
    Level.AD: ("campaign_id", "adset_id", "creative{id}"),
}
_COMMON_FIELDS = (
    "id",
    "account_id",
    "name",
    "status",
    "effective_status",
    "created_time",
    "updated_time",
)
_CAMPAIGN_STATUSES = ("ACTIVE", "PAUSED", "ARCHIVED", "IN_PROCESS", "WITH_ISSUES")
_STATUSES: dict[Level, tuple[str, ...]] = {
    Level.CAMPAIGN: _CAMPAIGN_STATUSES,
    Level.ADSET: (*_CAMPAIGN_STATUSES, "CAMPAIGN_PAUSED"),
    Level.AD: (
        *_CAMPAIGN_STATUSES,
        "CAMPAIGN_PAUSED",
        "ADSET_PAUSED",
        "PENDING_REVIEW",
        "DISAPPROVED",
        "PREAPPROVED",
        "PENDING_BILLING_INFO",
    ),
}


class MetaAds:
    """Facebook and Instagram ads through the Marketing API. Open with `async with`."""

    name = "meta"
    capabilities = Capabilities(insights=True, budgets=True, statuses=True, launch=False)

    def __init__(self, client: MetaClient) -> None:
        self._client = client

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._client.__aexit__(*exc)

    async def server_time(self) -> datetime:
        """Meta's own clock, from the Date of a small reply."""
        return (await self._client.get("me", {"fields": "id"})).at

    async def account(self, account_id: str) -> AdAccount:
        """Currency, time zone, status and minimum budget of one account."""
        reply = await self._client.get(
            f"act_{account_id}",
            {"fields": "id,account_id,name,currency,timezone_name,account_status,min_daily_budget"},
        )
        body = reply.body
        return AdAccount(
            id=account_number(_told(body, "account_id", reply)),
            name=str(body.get("name", "")),
            currency=_told(body, "currency", reply),
            timezone=_told(body, "timezone_name", reply),
            account_status=_whole(body, "account_status", reply) or 1,
            min_daily_budget=_whole(body, "min_daily_budget", reply),
            observed_at=reply.at,
        )

    async def ad_objects(self, account_id: str) -> list[AdObject]:
        """All campaigns, ad sets and ads that Meta lists, archived ones included."""
        objects: list[AdObject] = []
        for level, edge in _EDGES.items():
            params = {
                "fields": ",".join((*_COMMON_FIELDS, *_OBJECT_FIELDS[level])),
                "effective_status": list(_STATUSES[level]),
            }
            pages = self._client.pages(f"act_{account_id}/{edge}", params, limit=_OBJECTS_PER_PAGE)
            async for reply in pages:
                objects += [_ad_object(row, level, reply) for row in reply.body["data"]]
        return objects

    async def insights(
        self, account_id: str, level: Level, days: DateRange
    ) -> AsyncIterator[InsightsPage]:
        """Daily rows of one level, page by page, in pieces of at most 90 days."""
        for piece in days.split(_DAYS_PER_REPORT):
            params: dict[str, Any] = {
                "level": level.value,
                "fields": ",".join(
                    (*_ID_FIELDS[level], "date_start", "date_stop", *_METRIC_FIELDS)
                ),
                "time_range": {"since": str(piece.since), "until": str(piece.until)},
                "time_increment": 1,
            }
            if level is not Level.ACCOUNT:
                # Without it Meta leaves archived objects out, and the sums fall short of totals.
                params["filtering"] = [
                    {
                        "field": f"{level.value}.effective_status",
                        "operator": "IN",
                        "value": [*_STATUSES[level], "DELETED"],
                    }
                ]
            path = f"act_{account_id}/insights"
            async for reply in self._client.pages(path, params, limit=_ROWS_PER_PAGE):
                yield InsightsPage(
                    account_id=account_id,
                    level=level,
                    days=piece,
                    rows=reply.body["data"],
                    request=f"{reply.request}?level={level.value}&time_range={piece}",
                    reply=_without_links(reply.body),
                    observed_at=reply.at,
                )

    async def read_object(self, object_id: str, level: Level) -> AdObject:
        """One campaign, ad set or ad as it is now."""
        fields = ",".join((*_COMMON_FIELDS, *_OBJECT_FIELDS[level]))
        reply = await self._client.get(object_id, {"fields": fields})
        return _ad_object(reply.body, level, reply)

    async def set_daily_budget(self, object_id: str, minor: int) -> WriteReceipt:
        """Set a daily budget, in whole minor units. Sent once."""
        reply = await self._client.post(object_id, {"daily_budget": str(minor)})
        return WriteReceipt(reply.body, reply.trace_id)

    async def set_status(self, object_id: str, status: str) -> WriteReceipt:
        """Set ACTIVE, PAUSED or ARCHIVED. Sent once."""
        reply = await self._client.post(object_id, {"status": status})
        return WriteReceipt(reply.body, reply.trace_id)


def _ad_object(row: Mapping[str, Any], level: Level, reply: Reply) -> AdObject:
    creative = row.get("creative")
    own = _told(row, "id", reply)
    return AdObject(
        level=level,
        id=own,
        account_id=account_number(_told(row, "account_id", reply)),
        name=str(row.get("name", "")),
        status=_told(row, "status", reply),
        effective_status=str(row.get("effective_status", row["status"])),
        campaign_id=own if level is Level.CAMPAIGN else _told(row, "campaign_id", reply),
        adset_id={Level.ADSET: own, Level.AD: row.get("adset_id")}.get(level),
        creative_id=str(creative["id"]) if isinstance(creative, dict) else None,
        objective=row.get("objective"),
        daily_budget=_whole(row, "daily_budget", reply),
        lifetime_budget=_whole(row, "lifetime_budget", reply),
        created_time=_moment(row, "created_time", reply),
        updated_time=_moment(row, "updated_time", reply),
        observed_at=reply.at,
    )


def _told(row: Mapping[str, Any], field: str, reply: Reply) -> str:
    value = row.get(field)
    if value is None or value == "":
        raise IncompleteData(
            f"Meta's answer to {reply.request} lacks {field}, which was asked for.",
            "Check that the token may see the object.",
        )
    return str(value)


def _whole(row: Mapping[str, Any], field: str, reply: Reply) -> int | None:
    """A whole number, as budgets in minor units; Graph writes an absent one as nothing or "0"."""
    value = row.get(field)
    try:
        return (int(str(value)) or None) if value not in (None, "") else None
    except ValueError:
        raise _misread(field, value, reply) from None


def _moment(row: Mapping[str, Any], field: str, reply: Reply) -> datetime | None:
    value = row.get(field)
    try:
        return datetime.fromisoformat(str(value)).astimezone(UTC) if value else None
    except ValueError:
        raise _misread(field, value, reply) from None


def _misread(field: str, value: object, reply: Reply) -> IncompleteData:
    return IncompleteData(
        f"Meta's answer to {reply.request} has {field} {value!r}, which cannot be read.",
        "Nothing of it was stored; if it stays so, this version of the API is a new one.",
    )


def _without_links(body: Mapping[str, Any]) -> dict[str, Any]:
    """The reply without `paging.next` and `previous`, which can carry a token."""
    paging = body.get("paging")
    kept = {k: v for k, v in paging.items() if k == "cursors"} if isinstance(paging, dict) else {}
    return {**body, "paging": kept}
