"""GET of objects and of lists of objects."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from zyenta_ads_pipeline.sandbox import cursors, field_names
from zyenta_ads_pipeline.sandbox.budgets import minimum_budget_row
from zyenta_ads_pipeline.sandbox.call import Call
from zyenta_ads_pipeline.sandbox.filters import (
    Condition,
    about_objects,
    object_value,
    read_conditions,
)
from zyenta_ads_pipeline.sandbox.graph_error import invalid, not_played, unknown_field
from zyenta_ads_pipeline.sandbox.object_views import EDGES, ObjectViews, error_for_edge
from zyenta_ads_pipeline.sandbox.objects import Kind, Objects, Thing
from zyenta_ads_pipeline.sandbox.selection import parse_fields

USER_ID = "10204060801030501"
_USER = {"id": USER_ID, "name": "Sandbox System User"}
_EFFECTIVE = {
    Kind.CAMPAIGN: {"IN_PROCESS", "WITH_ISSUES"},
    Kind.ADSET: {"IN_PROCESS", "WITH_ISSUES", "CAMPAIGN_PAUSED"},
    Kind.AD: {
        "IN_PROCESS", "WITH_ISSUES", "CAMPAIGN_PAUSED", "ADSET_PAUSED", "PENDING_REVIEW",
        "DISAPPROVED", "PREAPPROVED", "PENDING_BILLING_INFO",
    },
}  # fmt: skip


def read_user(call: Call) -> dict[str, Any]:
    """`/me`: the one user whose token is valid here."""
    wanted = parse_fields(call.params.get("fields", "")) or parse_fields("name,id")
    for field in wanted:
        if field.name not in field_names.USER:
            raise unknown_field(field.name, "User")
    shown = {field.name: _USER[field.name] for field in wanted if field.name in _USER}
    return shown | {"id": USER_ID}


def read_object(call: Call, objects: Objects, thing: Thing, now: datetime) -> dict[str, Any]:
    """`/{id}`: one object, deleted ones too."""
    return ObjectViews(objects, call, now).show(thing, parse_fields(call.params.get("fields", "")))


def read_accounts(
    call: Call, objects: Objects, accounts: list[Thing], now: datetime
) -> dict[str, Any]:
    """`/me/adaccounts`: the accounts that the token may see."""
    return _page(call, objects, accounts, accounts, now)


def read_edge(
    call: Call, objects: Objects, thing: Thing, edge: str, now: datetime
) -> dict[str, Any]:
    """`/{id}/{edge}` for an edge of objects."""
    if thing.kind is Kind.ACCOUNT and edge == "minimum_budgets":
        return {"data": [minimum_budget_row(thing.attributes["currency"])]}
    kind = EDGES[thing.kind].get(edge)
    if kind is None:
        raise error_for_edge(thing, edge)
    for name in ("date_preset", "time_range", "ad_draft_id"):
        if call.params.get(name):
            raise not_played(f"the parameter {name} of {edge}")
    everything = objects.listed(objects.below(thing, kind), now)
    if kind is Kind.IMAGE and (hashes := call.text_list("hashes")) is not None:
        everything = [image for image in everything if image.attributes["hash"] in hashes]
    return _page(call, objects, everything, _filtered(call, objects, everything, kind), now)


def read_by_labels(
    call: Call, objects: Objects, account: Thing, kind: Kind, now: datetime
) -> dict[str, Any]:
    """`/act_X/{campaigns,…}bylabels`: what carries any of the labels, with `operator` ALL all."""
    wanted = set(call.text_list("ad_label_ids") or [])
    operator = call.params.get("operator", "ANY")
    if not wanted or operator not in ("ANY", "ALL"):
        raise invalid("Give ad_label_ids, and ANY or ALL as operator")

    def carries(thing: Thing) -> bool:
        labels = {label["id"] for label in thing.attributes.get("adlabels", [])}
        return wanted <= labels if operator == "ALL" else bool(wanted & labels)

    things = objects.listed(objects.below(account, kind), now)
    everything = [thing for thing in things if carries(thing)]
    return _page(call, objects, everything, _filtered(call, objects, everything, kind), now)


def _filtered(call: Call, objects: Objects, things: list[Thing], kind: Kind) -> list[Thing]:
    """The objects that pass; archived ones only when asked for, deleted ones never."""
    conditions = []
    asked_for_archived = False
    for condition in read_conditions(call):
        target = about_objects(condition, kind)
        if target is None:
            raise invalid(
                f"Filtering field {condition.field} with operation {condition.operator.lower()} "
                "is not supported"
            )
        conditions.append((condition, target))
        if _asks_for_archived(condition, target, kind):
            asked_for_archived = True
    if since := call.params.get("updated_since"):
        if kind not in (Kind.ADSET, Kind.AD):
            raise invalid("Param updated_since is not supported on this edge")
        updated = Condition("updated_time", "GREATER_THAN", since)
        conditions.append((updated, (kind, "updated_time")))
    statuses = call.text_list("effective_status")
    if statuses is not None and kind in _EFFECTIVE:
        known = {"ACTIVE", "PAUSED", "ARCHIVED", "DELETED"} | _EFFECTIVE[kind]
        for status in statuses:
            if status not in known:
                raise invalid(
                    f"Param effective_status must be one of {{{', '.join(sorted(known))}}}, "
                    f"not {status}"
                )
        asked_for_archived = asked_for_archived or "ARCHIVED" in statuses
    hidden = {"DELETED"} if asked_for_archived else {"DELETED", "ARCHIVED"}

    def passes(thing: Thing) -> bool:
        status = objects.effective_status(thing)
        if status in hidden or (statuses is not None and status not in statuses):
            return False
        return all(
            condition.holds(object_value(objects, thing, owner, field))
            for condition, (owner, field) in conditions
        )

    return [thing for thing in things if passes(thing)]


def _asks_for_archived(condition: Condition, target: tuple[Kind, str], kind: Kind) -> bool:
    word = {(kind, "effective_status"): "ARCHIVED", (kind, "delivery_info"): "archived"}
    return target in word and condition.names(word[target])


def _page(
    call: Call, objects: Objects, everything: list[Thing], things: list[Thing], now: datetime
) -> dict[str, Any]:
    """One page of `things`, which are those of `everything` that passed the filters."""
    views = ObjectViews(objects, call, now)
    wanted = parse_fields(call.params.get("fields", ""))
    position = _position(objects, everything, things, before=bool(call.params.get("before")))
    span = cursors.cut(call, len(things), position)
    body = cursors.envelope(
        call,
        [views.show(thing, wanted) for thing in things[span.start : span.stop]],
        span,
        lambda row: cursors.object_cursor(things[row].node_id),
    )
    if cursors.wants_total(call):
        body["summary"] = {"total_count": len(things)}
    return body


def _position(
    objects: Objects, everything: list[Thing], things: list[Thing], *, before: bool
) -> Callable[[str], int]:
    """Finds a cursor's place, also when its object no longer passes the filters."""

    def position(cursor: str) -> int:
        node_id = cursors.read_object_cursor(cursor)
        if all(thing.node_id != node_id for thing in everything):
            raise cursors.unknown_cursor(cursor)
        place = objects.position(node_id)
        earlier = sum(objects.position(thing.node_id) < place for thing in things)
        listed = any(thing.node_id == node_id for thing in things)
        return earlier if listed or before else earlier - 1

    return position
