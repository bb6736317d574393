"""`/act_X/activities`: what was created, paused, archived and deleted, newest first.

It is the one list of Meta's that names objects which its other lists hide.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from zyenta_ads_pipeline.sandbox import cursors
from zyenta_ads_pipeline.sandbox.call import Call
from zyenta_ads_pipeline.sandbox.graph_error import invalid, unknown_field
from zyenta_ads_pipeline.sandbox.objects import Kind, Objects, Thing
from zyenta_ads_pipeline.sandbox.selection import parse_fields

_EVENTS = {
    Kind.CAMPAIGN: ("create_campaign_group", "update_campaign_run_status", "CAMPAIGN"),
    Kind.ADSET: ("create_ad_set", "update_ad_set_run_status", "ADSET"),
    Kind.AD: ("create_ad", "update_ad_run_status", "AD"),
}
_FIELDS = (
    "actor_id", "actor_name", "application_id", "application_name", "event_time", "event_type",
    "extra_data", "object_id", "object_name", "object_type", "translated_event_type",
)  # fmt: skip
_DEFAULTS = ("event_time", "event_type", "extra_data", "object_id", "object_name")


def read_activities(call: Call, objects: Objects, account: Thing, now: datetime) -> dict[str, Any]:
    """One page of the log between `since` and `until` (unix seconds or ISO; default: all)."""
    names = [field.name for field in parse_fields(call.params.get("fields", ""))] or [*_DEFAULTS]
    for name in names:
        if name not in _FIELDS:
            raise unknown_field(name, "AdActivity")
    since, until = _moment(call, "since"), _moment(call, "until")
    events = [
        event
        for event in _events(objects, account)
        if (since is None or event[0] >= since) and event[0] <= (until or now)
    ]
    events.sort(key=lambda event: (event[0], event[1]["object_id"]), reverse=True)
    span = cursors.cut(call, len(events), cursors.offset_position(len(events)))
    rows = [{name: event[name] for name in names} for _, event in events[span.start : span.stop]]
    return cursors.envelope(call, rows, span, cursors.offset_cursor)


def _events(objects: Objects, account: Thing) -> Iterator[tuple[datetime, dict[str, Any]]]:
    for kind, (created, changed, word) in _EVENTS.items():
        for thing in objects.below(account, kind):
            yield thing.created_time, _event(thing, created, word, {"type": "create"})
            if thing.status != "ACTIVE" and thing.updated_time != thing.created_time:
                status = {"old_value": "Active", "new_value": thing.status.capitalize()}
                yield thing.updated_time, _event(thing, changed, word, status)


def _event(thing: Thing, kind: str, word: str, extra: dict[str, str]) -> dict[str, Any]:
    moment = thing.created_time if kind.startswith("create") else thing.updated_time
    return {
        "actor_id": "10204060801030501",
        "actor_name": "Sandbox System User",
        "application_id": "1",
        "application_name": "Ads Manager",
        "event_time": moment.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "event_type": kind,
        "extra_data": json.dumps(extra),
        "object_id": thing.id,
        "object_name": thing.name,
        "object_type": word,
        "translated_event_type": kind.replace("_", " ").capitalize(),
    }


def _moment(call: Call, name: str) -> datetime | None:
    text = call.params.get(name, "")
    if not text:
        return None
    try:
        if text.isdigit():
            return datetime.fromtimestamp(int(text), UTC)
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise invalid(f"Param {name} must be a time, not {text[:40]!r}") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
