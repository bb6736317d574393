"""Stores, products and media that come as plain objects and dictionaries, in our own shapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from zyenta_ads_pipeline.domain import money
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.domain.shop import MediaAsset, MediaKind, Product, ShopStore

_UNKNOWN_DOMAIN = "example.com"


def store_from(given: Any) -> ShopStore:
    """A store from anything with `name`, `niche` and perhaps `id`, `domain`, `currency`.

    Without a domain its ads lead to example.com, which belongs to nobody: for trying out.
    """
    if isinstance(given, ShopStore):
        return given
    return ShopStore(
        id=str(getattr(given, "id", "") or "store"),
        name=str(getattr(given, "name", "") or "Store"),
        niche=str(getattr(given, "niche", "") or "general"),
        domain=str(getattr(given, "domain", "") or _UNKNOWN_DOMAIN),
        countries=tuple(getattr(given, "countries", None) or ("US",)),
        currency=str(getattr(given, "currency", "") or "USD"),
        created_at=getattr(given, "created_at", None) or datetime(1970, 1, 1, tzinfo=UTC),
    )


def products_from(given: Sequence[Mapping[str, Any]], store: ShopStore) -> list[Product]:
    """Products from dictionaries with `id`, `title`, `description`, `sellingPrice`, `url`."""
    return [
        Product(
            id=str(_first(each, "id") or place),
            store_id=store.id,
            title=str(_first(each, "title", "name")),
            description=str(_first(each, "description")),
            price_minor=_minor(_first(each, "sellingPrice", "price"), store.currency),
            currency=store.currency,
            category=str(_first(each, "category", "type")),
            brand=str(_first(each, "brand")),
            url=str(_first(each, "url")),
            position=place,
        )
        for place, each in enumerate(given)
    ]


def media_from(given: Sequence[Mapping[str, Any]], store: ShopStore) -> list[MediaAsset]:
    """Media from dictionaries with `url`, `type` (IMAGE or VIDEO) and perhaps `id`, `productId`.

    Without an `id` the address stands for it.
    """
    found = []
    for each in given:
        source = str(_first(each, "url", "source"))
        kind = str(_first(each, "type", "kind") or "image").lower()
        if kind not in set(MediaKind):
            raise InputError(f"{source or 'A medium'} is a {kind!r}.", "Use IMAGE or VIDEO.")
        found.append(
            MediaAsset(
                id=str(_first(each, "id") or source),
                store_id=store.id,
                kind=MediaKind(kind),
                source=source,
                product_id=str(_first(each, "productId", "product_id")) or None,
                alt=str(_first(each, "alt")),
            )
        )
    return found


def _first(given: Mapping[str, Any], *names: str) -> Any:
    """The first of the named values that is there, in any spelling of the name's case."""
    lower = {str(name).lower(): value for name, value in given.items()}
    for name in names:
        if (value := lower.get(name.lower())) is not None:
            return value
    return ""


def _minor(value: Any, currency: str) -> int:
    if value == "":
        return 0
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        raise InputError(f"{value!r} is no price.", "Write it as a number, like 29.99.") from None
    return money.to_minor(amount, currency)
