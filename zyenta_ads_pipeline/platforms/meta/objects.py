"""Meta's accounts, campaigns, ad sets, ads and creatives: fields asked for, and replies read.

`details` keep what tells objects apart over time. Left out is what changes by itself (counts of
the learning phase) and what is signed (links to pictures).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from zyenta_ads_pipeline.domain.ads import AdAccount, AdCreative, AdObject, Level, account_number
from zyenta_ads_pipeline.domain.errors import IncompleteData
from zyenta_ads_pipeline.platforms.base import Pixel, PlatformPage
from zyenta_ads_pipeline.platforms.meta.replies import Reply

EDGES: dict[Level, str] = {Level.CAMPAIGN: "campaigns", Level.ADSET: "adsets", Level.AD: "ads"}
ACCOUNT_FIELDS = "id,account_id,name,currency,timezone_name,account_status,min_daily_budget"
PIXEL_FIELDS = "id,name,last_fired_time"

_COMMON = (
    "id",
    "account_id",
    "name",
    "status",
    "effective_status",
    "created_time",
    "updated_time",
)
_OWN: dict[Level, tuple[str, ...]] = {
    Level.CAMPAIGN: ("objective", "daily_budget", "lifetime_budget"),
    Level.ADSET: ("campaign_id", "daily_budget", "lifetime_budget"),
    Level.AD: ("campaign_id", "adset_id", "creative{id}"),
}
_DETAILS: dict[Level, tuple[str, ...]] = {
    Level.CAMPAIGN: (
        "bid_strategy",
        "buying_type",
        "special_ad_categories",
        "start_time",
        "stop_time",
        "issues_info",
    ),
    Level.ADSET: (
        "optimization_goal",
        "billing_event",
        "bid_strategy",
        "attribution_spec",
        "promoted_object",
        "start_time",
        "end_time",
        "learning_stage_info",
        "issues_info",
    ),
    Level.AD: ("issues_info",),
}
_CREATIVE_DETAILS = (
    "object_type",
    "title",
    "body",
    "call_to_action_type",
    "image_hash",
    "video_id",
    "effective_object_story_id",
)
CREATIVE_FIELDS = ",".join(("id", "account_id", "name", "status", *_CREATIVE_DETAILS))

_ALWAYS_MOVING = {"learning_stage_info": frozenset({"conversions"})}

_CAMPAIGN_STATUSES = ("ACTIVE", "PAUSED", "ARCHIVED", "IN_PROCESS", "WITH_ISSUES")
STATUSES: dict[Level, tuple[str, ...]] = {
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
"""Every effective status that an edge lists; it hides archived objects unless they are named."""


def object_fields(level: Level) -> str:
    """What is asked of a campaign, ad set or ad."""
    return ",".join((*_COMMON, *_OWN[level], *_DETAILS[level]))


def ad_account(reply: Reply) -> AdAccount:
    """An account. Raises `IncompleteData` without id, currency or time zone."""
    body = reply.body
    return AdAccount(
        id=account_number(told(body, "account_id", reply)),
        name=str(body.get("name", "")),
        currency=told(body, "currency", reply),
        timezone=told(body, "timezone_name", reply),
        account_status=_whole(body, "account_status", reply) or 1,
        min_daily_budget=_whole(body, "min_daily_budget", reply),
        observed_at=reply.at,
    )


def ad_object(row: Mapping[str, Any], reply: Reply, level: Level) -> AdObject:
    """A campaign, ad set or ad. Raises `IncompleteData` for one that cannot be read."""
    creative = row.get("creative")
    own = told(row, "id", reply)
    return AdObject(
        level=level,
        id=own,
        account_id=account_number(told(row, "account_id", reply)),
        name=str(row.get("name", "")),
        status=told(row, "status", reply),
        effective_status=str(row.get("effective_status", row["status"])),
        campaign_id=own if level is Level.CAMPAIGN else told(row, "campaign_id", reply),
        adset_id={Level.ADSET: own, Level.AD: row.get("adset_id")}.get(level),
        creative_id=told(creative, "id", reply) if isinstance(creative, dict) else None,
        objective=row.get("objective"),
        daily_budget=_whole(row, "daily_budget", reply),
        lifetime_budget=_whole(row, "lifetime_budget", reply),
        created_time=moment(row, "created_time", reply),
        updated_time=moment(row, "updated_time", reply),
        observed_at=reply.at,
        details=_details(row, _DETAILS[level]),
    )


def ad_creative(row: Mapping[str, Any], reply: Reply, account_id: str) -> AdCreative:
    """A creative of the account. Raises `IncompleteData` for one without an id."""
    return AdCreative(
        id=told(row, "id", reply),
        account_id=account_number(str(row.get("account_id") or account_id)),
        name=str(row.get("name", "")),
        status=str(row.get("status", "")),
        observed_at=reply.at,
        details=_details(row, _CREATIVE_DETAILS),
    )


def page_of(row: Mapping[str, Any], reply: Reply) -> PlatformPage:
    """A page that the account may advertise."""
    return PlatformPage(id=told(row, "id", reply), name=str(row.get("name", "")))


def pixel_of(row: Mapping[str, Any], reply: Reply) -> Pixel:
    """A pixel of the account."""
    return Pixel(
        id=told(row, "id", reply),
        name=str(row.get("name", "")),
        last_fired_at=moment(row, "last_fired_time", reply),
    )


def told(row: Mapping[str, Any], field: str, reply: Reply) -> str:
    """A field that must be there, as text. Raises `IncompleteData` where it is not."""
    value = row.get(field)
    if value is None or value == "":
        raise IncompleteData(
            f"Meta's answer to {reply.request} lacks {field}, which was asked for.",
            "Check that the token may see the object.",
        )
    return str(value)


def moment(row: Mapping[str, Any], field: str, reply: Reply) -> datetime | None:
    """A field that is a moment, in UTC; None where it is absent. Raises `IncompleteData`."""
    value = row.get(field)
    try:
        return datetime.fromisoformat(str(value)).astimezone(UTC) if value else None
    except (ValueError, OverflowError):
        raise _misread(field, value, reply) from None


def _details(row: Mapping[str, Any], fields: tuple[str, ...]) -> dict[str, Any]:
    """What is there of `fields`, as Meta wrote it, less what moves by itself."""
    return {
        field: _still(field, row[field])
        for field in fields
        if row.get(field) not in (None, "", [], {})
    }


def _still(field: str, value: Any) -> Any:
    moving = _ALWAYS_MOVING.get(field)
    if moving is None or not isinstance(value, dict):
        return value
    return {name: part for name, part in value.items() if name not in moving}


def _whole(row: Mapping[str, Any], field: str, reply: Reply) -> int | None:
    """A whole number, as budgets in minor units; Graph writes an absent one as nothing or "0"."""
    value = row.get(field)
    try:
        return (int(str(value)) or None) if value not in (None, "") else None
    except ValueError:
        raise _misread(field, value, reply) from None


def _misread(field: str, value: object, reply: Reply) -> IncompleteData:
    return IncompleteData(
        f"Meta's answer to {reply.request} has {field} {value!r}, which cannot be read.",
        "Nothing of it was stored; if it stays so, this version of the API is a new one.",
    )
