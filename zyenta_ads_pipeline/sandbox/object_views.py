"""An object as the API shows it: the wanted fields, nested objects and nested lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from zyenta_ads_pipeline.domain.time import zone
from zyenta_ads_pipeline.sandbox import cursors, field_names
from zyenta_ads_pipeline.sandbox.budgets import minimum_daily_budget
from zyenta_ads_pipeline.sandbox.call import Call
from zyenta_ads_pipeline.sandbox.graph_error import GraphError, invalid, not_played, unknown_field
from zyenta_ads_pipeline.sandbox.objects import LEVELS, NODE_TYPES, Kind, Objects, Thing
from zyenta_ads_pipeline.sandbox.review import DISAPPROVED
from zyenta_ads_pipeline.sandbox.selection import Field
from zyenta_ads_pipeline.sandbox.video_states import video_status

FIELD_NAMES = {
    Kind.ACCOUNT: field_names.ACCOUNT,
    Kind.CAMPAIGN: field_names.CAMPAIGN,
    Kind.ADSET: field_names.ADSET,
    Kind.AD: field_names.AD,
    Kind.CREATIVE: field_names.CREATIVE,
    Kind.IMAGE: field_names.IMAGE,
    Kind.VIDEO: field_names.VIDEO,
    Kind.LABEL: field_names.LABEL,
}
EDGES: dict[Kind, dict[str, Kind]] = {
    Kind.ACCOUNT: {
        "campaigns": Kind.CAMPAIGN,
        "adsets": Kind.ADSET,
        "ads": Kind.AD,
        "adcreatives": Kind.CREATIVE,
        "adimages": Kind.IMAGE,
        "advideos": Kind.VIDEO,
        "adlabels": Kind.LABEL,
    },
    Kind.CAMPAIGN: {"adsets": Kind.ADSET, "ads": Kind.AD},
    Kind.ADSET: {"ads": Kind.AD},
    Kind.AD: {"adcreatives": Kind.CREATIVE},
    Kind.CREATIVE: {},
    Kind.IMAGE: {},
    Kind.VIDEO: {},
    Kind.LABEL: {},
}
_NESTED = {"campaign": Kind.CAMPAIGN, "adset": Kind.ADSET, "creative": Kind.CREATIVE}
_HIDDEN = frozenset({"ARCHIVED", "DELETED"})


def wire_time(moment: datetime, timezone: str) -> str:
    """A time as Meta writes it, in the account's zone: `2026-11-01T00:00:00+0100`."""
    return moment.astimezone(zone(timezone)).strftime("%Y-%m-%dT%H:%M:%S%z")


def default_fields(kind: Kind) -> tuple[Field, ...]:
    """What comes when no fields are asked for."""
    names = {Kind.ACCOUNT: ("account_id", "id"), Kind.IMAGE: ("hash", "id")}.get(kind, ("id",))
    return tuple(Field(name) for name in names)


def review_feedback(thing: Thing) -> dict[str, Any] | None:
    """Why Meta disapproved an ad, as the field `ad_review_feedback` tells it."""
    if thing.review is None or thing.review.state != DISAPPROVED:
        return None
    return {"global": dict(thing.review.feedback)}


class ObjectViews:
    """Renders objects. `call` is the one that asked; `today` moments come from the caller."""

    def __init__(self, objects: Objects, call: Call, now: datetime) -> None:
        self._objects = objects
        self._call = call
        self._now = now

    def show(self, thing: Thing, wanted: Sequence[Field]) -> dict[str, Any]:
        """The object with the wanted fields; known fields without a value are left out."""
        values = self._values(thing)
        shown: dict[str, Any] = {}
        for field in wanted or default_fields(thing.kind):
            if field.name in EDGES[thing.kind]:
                shown[field.name] = self._nested_list(thing, field)
            elif field.name not in FIELD_NAMES[thing.kind]:
                if field.name == "insights":
                    raise not_played("insights nested in fields")
                raise unknown_field(field.name, NODE_TYPES[thing.kind])
            elif field.name in _NESTED:
                nested = self._objects.parent(thing, _NESTED[field.name])
                if nested is not None:
                    shown[field.name] = self.show(nested, field.children or (Field("id"),))
            elif (value := values.get(field.name)) is not None:
                shown[field.name] = _picked(value, field) if field.children else value
        shown.setdefault("id", thing.node_id)
        return shown

    def _nested_list(self, thing: Thing, field: Field) -> dict[str, Any]:
        limit = field.modifiers.get("limit", "")
        unknown = field.modifiers.keys() - {"limit"}
        if unknown:
            raise not_played(f"the modifier {sorted(unknown)[0]} of a nested list")
        call = replace(self._call, params={"limit": limit}, path=(thing.node_id, field.name))
        kind = EDGES[thing.kind][field.name]
        members = [
            member
            for member in self._objects.listed(self._objects.below(thing, kind), self._now)
            if self._objects.effective_status(member) not in _HIDDEN
        ]
        span = cursors.cut(call, len(members), lambda cursor: 0)
        page = members[span.start : span.stop]
        pairs = (("fields", ",".join(child.name for child in field.children)), ("limit", limit))
        call = replace(call, query=tuple(pair for pair in pairs if pair[1]))
        return cursors.envelope(
            call,
            [self.show(member, field.children) for member in page],
            span,
            lambda row: cursors.object_cursor(members[row].node_id),
        )

    def _values(self, thing: Thing) -> dict[str, Any]:
        account = self._objects.account(thing.account_id)
        timezone = account.attributes["timezone_name"]
        values: dict[str, Any] = {
            **thing.attributes,
            "id": thing.node_id,
            "account_id": thing.account_id,
            "name": thing.name,
        }
        if thing.kind is Kind.ACCOUNT:
            offset = self._now.astimezone(zone(timezone)).utcoffset()
            hours = (offset or timedelta()).total_seconds() / 3600
            currency = thing.attributes["currency"]
            values["timezone_offset_hours_utc"] = int(hours) if hours.is_integer() else hours
            values["min_daily_budget"] = minimum_daily_budget(currency)
            values["created_time"] = wire_time(thing.created_time, timezone)
            return values
        values["status"] = thing.status
        if thing.kind is Kind.CREATIVE:
            return values
        values["created_time"] = wire_time(thing.created_time, timezone)
        values["updated_time"] = wire_time(thing.updated_time, timezone)
        if thing.kind is Kind.VIDEO:
            values["status"] = video_status(thing, self._now)
        if thing.kind not in LEVELS:
            return values
        values["configured_status"] = thing.status
        values["effective_status"] = self._objects.effective_status(thing)
        values["ad_review_feedback"] = review_feedback(thing)
        if thing.kind is not Kind.AD:
            values.setdefault("start_time", wire_time(thing.created_time, timezone))
        for name in ("campaign_id", "adset_id"):
            owner = getattr(thing, name)
            if owner is not None and name != f"{thing.kind.value}_id":
                values[name] = owner
        for name in ("daily_budget", "lifetime_budget"):
            amount = getattr(thing, name)
            if amount is not None:
                values[name] = str(amount)
        return values


def _picked(value: Any, field: Field) -> Any:
    """The wanted keys of an object, or of each object in a list."""
    names = [child.name for child in field.children]
    if isinstance(value, dict):
        return {name: value[name] for name in names if name in value}
    if isinstance(value, list) and all(isinstance(item, dict) for item in value):
        return [_picked(item, field) for item in value]
    raise invalid(f"Field {field.name} has no subfields")


def error_for_edge(thing: Thing, edge: str) -> GraphError:
    """An edge that this kind of object does not have, or that is not played."""
    return GraphError(
        100,
        f"(#100) Tried accessing nonexisting field ({edge}) on node type "
        f"({NODE_TYPES[thing.kind]}), or an edge that the sandbox does not play yet",
    )
