"""Lists that hang on a user or an ad account besides its ads: pages, pixels, and empty ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zyenta_ads_pipeline.sandbox import cursors
from zyenta_ads_pipeline.sandbox.call import Call
from zyenta_ads_pipeline.sandbox.graph_error import unknown_field
from zyenta_ads_pipeline.sandbox.made_objects import page_of, pixel_of
from zyenta_ads_pipeline.sandbox.objects import Kind, Thing
from zyenta_ads_pipeline.sandbox.selection import parse_fields

_DEFAULTS = {
    "accounts": ("name", "category", "tasks", "id"),
    "promote_pages": ("name", "id"),
    "adspixels": ("id",),
    "permissions": ("permission", "status"),
}
_NODE_TYPES = {"adspixels": "AdsPixel", "permissions": "Permission"}
_EMPTY = {
    Kind.ACCOUNT: frozenset({
        "adimages", "adlabels", "advideos", "assigned_users",
        "connected_instagram_accounts", "customaudiences", "customconversions",
        "instagram_accounts",
    }),
    Kind.AD: frozenset({"leads"}),
}  # fmt: skip
_EMPTY_OF_USER = frozenset({"business_users", "businesses"})


def read_user_edge(
    call: Call, edge: str, accounts: Sequence[Thing], scopes: Sequence[str]
) -> dict[str, Any] | None:
    """`/me/{edge}`: the pages of the user's accounts, the permissions; None if not played."""
    if edge == "accounts":
        return _page(call, edge, [_page_row(account) for account in accounts])
    if edge == "permissions":
        rows = [{"permission": scope, "status": "granted"} for scope in scopes]
        return _page(call, edge, rows, key="permission")
    return {"data": []} if edge in _EMPTY_OF_USER else None


def read_asset_edge(call: Call, thing: Thing, edge: str) -> dict[str, Any] | None:
    """`/act_X/{edge}`: one page and one pixel an account, nothing else; None if not played."""
    if thing.kind is Kind.ACCOUNT and edge == "promote_pages":
        return _page(call, edge, [_page_row(thing)])
    if thing.kind is Kind.ACCOUNT and edge == "adspixels":
        return _page(call, edge, [_pixel_row(thing)])
    return {"data": []} if edge in _EMPTY.get(thing.kind, ()) else None


def _page_row(account: Thing) -> dict[str, Any]:
    return {
        "id": page_of(account.id),
        "name": account.name,
        "category": "Outdoor & Sporting Goods Company",
        "tasks": ["ADVERTISE", "ANALYZE", "CREATE_CONTENT"],
    }


def _pixel_row(account: Thing) -> dict[str, Any]:
    return {
        "id": pixel_of(account.id),
        "name": f"{account.name} pixel",
        "last_fired_time": account.updated_time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "creation_time": account.created_time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "is_unavailable": False,
    }


def _page(call: Call, edge: str, rows: Sequence[dict[str, Any]], key: str = "id") -> dict[str, Any]:
    names = [field.name for field in parse_fields(call.params.get("fields", ""))]
    for name in names:
        if rows and name not in rows[0]:
            raise unknown_field(name, _NODE_TYPES.get(edge, "Page"))
    wanted = dict.fromkeys([*(names or _DEFAULTS[edge]), *(["id"] if key == "id" else [])])
    ids = [row[key] for row in rows]

    def position(cursor: str) -> int:
        node_id = cursors.read_object_cursor(cursor)
        if node_id not in ids:
            raise cursors.unknown_cursor(cursor)
        return ids.index(node_id)

    span = cursors.cut(call, len(rows), position)
    body = cursors.envelope(
        call,
        [{name: row[name] for name in wanted} for row in rows[span.start : span.stop]],
        span,
        lambda row: cursors.object_cursor(ids[row]),
    )
    if cursors.wants_total(call):
        body["summary"] = {"total_count": len(rows)}
    return body
