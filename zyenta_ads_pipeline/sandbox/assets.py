"""What belongs to each account and is never made here: business, page, pixel, catalogue."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from zyenta_ads_pipeline.sandbox.objects import Thing

_SPAN = 10**14
_CATEGORY = "Outdoor & Sporting Goods Company"


class AssetKind(StrEnum):
    """The kinds of assets; an account has one of each."""

    PAGE = "page"
    INSTAGRAM = "instagram_user"
    BUSINESS = "business"
    CATALOG = "product_catalog"
    PRODUCT_SET = "product_set"
    PIXEL = "pixel"


_NUMBERS = {
    AssetKind.PAGE: 1, AssetKind.INSTAGRAM: 4, AssetKind.BUSINESS: 5, AssetKind.CATALOG: 6,
    AssetKind.PRODUCT_SET: 7, AssetKind.PIXEL: 9,
}  # fmt: skip
NODE_TYPES = {
    AssetKind.PAGE: "Page", AssetKind.INSTAGRAM: "IGUser", AssetKind.BUSINESS: "Business",
    AssetKind.CATALOG: "ProductCatalog", AssetKind.PRODUCT_SET: "ProductSet",
    AssetKind.PIXEL: "AdsPixel",
}  # fmt: skip
"""Meta's own names of the kinds."""


def asset_id(kind: AssetKind, account_id: str) -> str:
    """The id of an account's one asset of a kind; `account_id` is bare digits."""
    return str(_NUMBERS[kind] * _SPAN + int(account_id) % _SPAN)


@dataclass(frozen=True)
class Asset:
    """One asset and the account that it serves."""

    kind: AssetKind
    account: Thing

    @property
    def id(self) -> str:
        """Its id, digits."""
        return asset_id(self.kind, self.account.id)

    def row(self) -> dict[str, Any]:
        """Its fields, by Meta's names."""
        return {"id": self.id} | _ROWS[self.kind](self.account)


def find_asset(node_id: str, accounts: Iterable[Thing]) -> Asset | None:
    """The asset of that id, or None."""
    for kind, number in _NUMBERS.items():
        if node_id.isascii() and node_id.isdigit() and int(node_id) // _SPAN == number:
            for account in accounts:
                if asset_id(kind, account.id) == node_id:
                    return Asset(kind, account)
    return None


def _page(account: Thing) -> dict[str, Any]:
    tasks = ["ADVERTISE", "ANALYZE", "CREATE_CONTENT"]
    return {"name": account.name, "category": _CATEGORY, "tasks": tasks}


def _pixel(account: Thing) -> dict[str, Any]:
    return {
        "name": f"{account.name} pixel",
        "last_fired_time": account.updated_time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "creation_time": account.created_time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "is_unavailable": False,
    }


def _catalog(account: Thing) -> dict[str, Any]:
    return {"name": f"{account.name} catalogue", "product_count": 48, "vertical": "commerce"}


def _product_set(account: Thing) -> dict[str, Any]:
    catalog = {"id": asset_id(AssetKind.CATALOG, account.id), "name": f"{account.name} catalogue"}
    return {"name": "All products", "product_count": 48, "product_catalog": catalog}


_ROWS = {
    AssetKind.PAGE: _page,
    AssetKind.INSTAGRAM: lambda account: {"username": account.name.lower().replace(" ", ".")},
    AssetKind.BUSINESS: lambda account: {"name": account.name},
    AssetKind.CATALOG: _catalog,
    AssetKind.PRODUCT_SET: _product_set,
    AssetKind.PIXEL: _pixel,
}
