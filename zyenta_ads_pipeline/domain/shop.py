"""Whose ads they are: a store, its products and media, and its connection to a platform."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class MediaKind(StrEnum):
    """What a media asset is (the seeds' two)."""

    IMAGE = "image"
    VIDEO = "video"


@dataclass(frozen=True)
class ShopStore:
    """A shop that advertises. `countries` are ISO 3166 codes; `domain` has no scheme.

    `interests` are words to look interests up by; empty: the niche's own words.
    """

    id: str
    name: str
    niche: str
    domain: str
    countries: Sequence[str]
    currency: str
    created_at: datetime
    age_min: int = 18
    age_max: int = 65
    advantage_audience: bool = False
    interests: Sequence[str] = ()


@dataclass(frozen=True)
class Product:
    """A product of a store; its price in minor units of `currency`. `url` may be empty."""

    id: str
    store_id: str
    title: str
    description: str
    price_minor: int
    currency: str
    category: str = ""
    brand: str = ""
    url: str = ""
    position: int = 0
    """Its place in the catalogue: the first are advertised first."""


@dataclass(frozen=True)
class MediaAsset:
    """A picture or video of a store. `source` is a file's path or an https address.

    `content_hash` (SHA-256), `mime`, size in pixels and `bytes` are known once it was looked at.
    """

    id: str
    store_id: str
    kind: MediaKind
    source: str
    product_id: str | None = None
    alt: str = ""
    mime: str = ""
    width: int | None = None
    height: int | None = None
    bytes: int | None = None
    content_hash: str | None = None


@dataclass(frozen=True)
class PlatformConnection:
    """A store's account on a platform; its token is kept apart, encrypted, and is never in here.

    `token_expires_at` None: it does not expire, or is not known (`token_checked_at` tells).
    """

    store_id: str
    platform: str
    account_id: str
    account_name: str
    currency: str
    timezone: str
    page_id: str
    page_name: str
    pixel_id: str | None
    instagram_user_id: str | None
    product_catalog_id: str | None
    product_set_id: str | None
    has_token: bool
    token_expires_at: datetime | None
    token_checked_at: datetime | None
    connected_at: datetime
    updated_at: datetime
