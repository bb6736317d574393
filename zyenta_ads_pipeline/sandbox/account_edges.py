"""Lists that hang on a user, an account or a business besides ads: pages, pixels, catalogues."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zyenta_ads_pipeline.sandbox import cursors
from zyenta_ads_pipeline.sandbox.assets import NODE_TYPES, Asset, AssetKind
from zyenta_ads_pipeline.sandbox.call import Call
from zyenta_ads_pipeline.sandbox.graph_error import not_played, unknown_field
from zyenta_ads_pipeline.sandbox.objects import Kind, Thing
from zyenta_ads_pipeline.sandbox.selection import parse_fields

_DEFAULTS = {
    AssetKind.PAGE: ("name", "id"),
    AssetKind.INSTAGRAM: ("id",),
    AssetKind.BUSINESS: ("name", "id"),
    AssetKind.CATALOG: ("name", "id"),
    AssetKind.PRODUCT_SET: ("name", "id"),
    AssetKind.PIXEL: ("id",),
}
_OF_ACCOUNT = {
    "promote_pages": AssetKind.PAGE,
    "adspixels": AssetKind.PIXEL,
    "instagram_accounts": AssetKind.INSTAGRAM,
    "connected_instagram_accounts": AssetKind.INSTAGRAM,
}
_OF_ASSET = {
    (AssetKind.BUSINESS, "owned_product_catalogs"): AssetKind.CATALOG,
    (AssetKind.BUSINESS, "owned_pages"): AssetKind.PAGE,
    (AssetKind.BUSINESS, "owned_instagram_accounts"): AssetKind.INSTAGRAM,
    (AssetKind.BUSINESS, "adspixels"): AssetKind.PIXEL,
    (AssetKind.CATALOG, "product_sets"): AssetKind.PRODUCT_SET,
}
_EMPTY_OF_ASSET = frozenset({
    (AssetKind.BUSINESS, "client_pages"), (AssetKind.BUSINESS, "client_product_catalogs"),
})  # fmt: skip
_EMPTY = {
    Kind.ACCOUNT: frozenset({"assigned_users", "customaudiences", "customconversions"}),
    Kind.AD: frozenset({"leads"}),
}


def read_user_edge(
    call: Call, edge: str, accounts: Sequence[Thing], scopes: Sequence[str]
) -> dict[str, Any] | None:
    """`/me/{edge}`: pages and businesses of the user's accounts, the permissions; None if not
    played."""
    if edge == "accounts":
        pages = [Asset(AssetKind.PAGE, account) for account in accounts]
        return _assets(call, pages, ("name", "category", "tasks", "id"))
    if edge == "businesses":
        return _assets(call, [Asset(AssetKind.BUSINESS, account) for account in accounts])
    if edge == "permissions":
        rows = [{"permission": scope, "status": "granted"} for scope in scopes]
        return _page(call, rows, ("permission", "status"), "Permission", key="permission")
    return {"data": []} if edge == "business_users" else None


def read_asset_edge(call: Call, thing: Thing, edge: str) -> dict[str, Any] | None:
    """`/act_X/{edge}`: one page, one Instagram account, one pixel; None if not played."""
    if thing.kind is Kind.ACCOUNT and edge in _OF_ACCOUNT:
        return _assets(call, [Asset(_OF_ACCOUNT[edge], thing)])
    return {"data": []} if edge in _EMPTY.get(thing.kind, ()) else None


def read_asset(call: Call, asset: Asset, edges: Sequence[str]) -> dict[str, Any]:
    """`/{id}` and `/{id}/{edge}` of a page, a pixel, a business or a catalogue."""
    if not edges:
        row: dict[str, Any] = _assets(call, [asset])["data"][0]
        return row
    found = _OF_ASSET.get((asset.kind, edges[0]))
    if found is not None:
        return _assets(call, [Asset(found, asset.account)])
    if (asset.kind, edges[0]) in _EMPTY_OF_ASSET:
        return {"data": []}
    raise not_played(f"the edge {edges[0]} of a {NODE_TYPES[asset.kind]}")


def _assets(
    call: Call, assets: Sequence[Asset], defaults: tuple[str, ...] | None = None
) -> dict[str, Any]:
    """One page of assets of one kind."""
    if not assets:
        return {"data": []}
    kind = assets[0].kind
    rows = [asset.row() for asset in assets]
    return _page(call, rows, defaults or _DEFAULTS[kind], NODE_TYPES[kind])


def _page(
    call: Call,
    rows: Sequence[dict[str, Any]],
    defaults: tuple[str, ...],
    node_type: str,
    key: str = "id",
) -> dict[str, Any]:
    names = [field.name for field in parse_fields(call.params.get("fields", ""))]
    for name in names:
        if rows and name not in rows[0]:
            raise unknown_field(name, node_type)
    wanted = dict.fromkeys([*(names or defaults), *(["id"] if key == "id" else [])])
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
