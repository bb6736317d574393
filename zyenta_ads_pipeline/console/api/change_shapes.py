"""Changes as the API shows them."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from zyenta_ads_pipeline.console.api.problems import status_of
from zyenta_ads_pipeline.console.api.shapes import Json, Moment, Money, Numeric, PageOf, Shape
from zyenta_ads_pipeline.console.api.writing import amount, moment, number
from zyenta_ads_pipeline.console.desks.changes import AlreadyDecided
from zyenta_ads_pipeline.console.desks.changes import Refused as RefusedChange
from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.change import ChangeField, ChangeState
from zyenta_ads_pipeline.store.change_pages import ChangeLine
from zyenta_ads_pipeline.store.records import ChangeRecord, JournalEntry


class Change(Shape):
    """A change on its way to the platform. `oldValue` and `newValue` are as the platform writes
    them (whole minor units, or a status); of a budget `oldBudget` and `newBudget` are amounts."""

    id: str
    number: int
    version: str = Field(description="The change's ETag, without quotes.")
    state: ChangeState
    platform: str
    account_id: str
    platform_campaign_id: str
    level: Level
    object_id: str
    object_name: str
    field: ChangeField
    old_value: str
    new_value: str
    old_budget: Money | None
    new_budget: Money | None
    currency: str
    reason: str
    confidence: Numeric
    policy: str
    decision_id: str
    decided_at: Moment
    metrics: dict[str, str | None]
    attempt: int
    retry_after: Moment | None
    written_at: Moment | None
    created_at: Moment
    updated_at: Moment
    last_note: str


class ListedChange(Change):
    """A change in a list, with the campaign of ours that it belongs to, if it does to any."""

    campaign_id: str | None
    campaign_name: str | None


class ListedChanges(PageOf):
    """A page of changes."""

    changes: list[ListedChange]
    by_state: dict[str, int]


class Already(Shape):
    """A change that stood as it was wanted before."""

    change: Change
    by: str
    at: Moment
    told: str


class Refused(Shape):
    """A change that was left as it is, and why. `change` null: there is none of that id."""

    id: str
    change: Change | None
    status: int = Field(description="What deciding on it alone would be answered with.")
    detail: str
    remedy: str


class Decided(Shape):
    """What became of the changes: those moved now, those that stood so already, and those that were
    left as they are. `success`: there is none of the last."""

    success: bool
    changes: list[Change]
    already: list[Already]
    refused: list[Refused]


class Entry(Shape):
    """One step or note of a change."""

    id: int
    at: Moment
    from_state: ChangeState | None
    to_state: ChangeState
    actor: str
    note: str
    old_value: str
    new_value: str
    confidence: Numeric
    metrics: dict[str, str | None]
    platform_reply: dict[str, Any] | None
    trace_id: str


class Journal(Shape):
    """Every step and note of a change, in order."""

    journal: list[Entry]


def change(record: ChangeRecord, version: str) -> Json:
    """One change."""
    own = record.change
    budgets = own.field is ChangeField.DAILY_BUDGET
    return {
        "id": record.id,
        "number": record.number,
        "version": version,
        "state": record.state,
        "platform": own.platform,
        "accountId": own.account_id,
        "platformCampaignId": own.campaign_id,
        "level": own.level,
        "objectId": own.object_id,
        "objectName": own.object_name,
        "field": own.field,
        "oldValue": own.old_value,
        "newValue": own.new_value,
        "oldBudget": amount(int(own.old_value), own.currency) if budgets else None,
        "newBudget": amount(int(own.new_value), own.currency) if budgets else None,
        "currency": own.currency,
        "reason": own.reason,
        "confidence": number(own.confidence),
        "policy": own.policy,
        "decisionId": own.decision_id,
        "decidedAt": moment(own.decided_at),
        "metrics": dict(own.metrics),
        "attempt": record.attempt,
        "retryAfter": moment(record.retry_after),
        "writtenAt": moment(record.written_at),
        "createdAt": moment(record.created_at),
        "updatedAt": moment(record.updated_at),
        "lastNote": record.last_note,
    }


def listed(row: ChangeLine, version: str) -> Json:
    """A change in a list."""
    return change(row.record, version) | {
        "campaignId": row.campaign_id,
        "campaignName": row.campaign_name,
    }


def already(each: AlreadyDecided, version: str) -> Json:
    """A change that stood so already."""
    return {
        "change": change(each.record, version),
        "by": each.by,
        "at": moment(each.at),
        "told": each.told,
    }


def refused(each: RefusedChange, version: str) -> Json:
    """A change that was left as it is."""
    return {
        "id": each.id,
        "change": None if each.record is None else change(each.record, version),
        "status": status_of(each.why),
        "detail": each.why.what,
        "remedy": each.why.remedy,
    }


def entry(each: JournalEntry) -> Json:
    """One line of a change's history."""
    return {
        "id": each.id,
        "at": moment(each.at),
        "fromState": each.from_state,
        "toState": each.to_state,
        "actor": each.actor,
        "note": each.note,
        "oldValue": each.old_value,
        "newValue": each.new_value,
        "confidence": number(each.confidence),
        "metrics": dict(each.metrics),
        "platformReply": None if each.platform_reply is None else dict(each.platform_reply),
        "traceId": each.trace_id,
    }
