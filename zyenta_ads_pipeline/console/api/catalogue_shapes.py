"""Stores, products and media as the API shows them. Tokens are never in it."""

from __future__ import annotations

from zyenta_ads_pipeline.console.api.shapes import Json, Moment, Money, PageOf, Shape
from zyenta_ads_pipeline.console.api.writing import amount, moment
from zyenta_ads_pipeline.console.desks.catalogue import CatalogueImport, ProductPage, StoreLine
from zyenta_ads_pipeline.domain.shop import MediaAsset, PlatformConnection, Product, ShopStore


class Connection(Shape):
    """A store's account on a platform."""

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
    has_token: bool
    token_expires_at: Moment | None
    connected_at: Moment


class Store(Shape):
    """A store that advertises."""

    id: str
    name: str
    niche: str
    domain: str
    countries: list[str]
    currency: str
    age_min: int
    age_max: int
    interests: list[str]
    advantage_audience: bool
    created_at: Moment
    products: int
    media: int
    connections: list[Connection]


class Stores(Shape):
    """All stores, the oldest first."""

    stores: list[Store]


class ProductShape(Shape):
    """A product of a store."""

    id: str
    title: str
    description: str
    price: Money
    currency: str
    category: str
    brand: str
    url: str
    position: int
    media_ids: list[str]


class Products(PageOf):
    """A page of products, in their order."""

    products: list[ProductShape]


class Media(Shape):
    """A picture or video. `source` is a file's name or an address."""

    id: str
    store_id: str
    product_id: str | None
    kind: str
    source: str
    alt: str
    mime: str
    width: int | None
    height: int | None
    bytes: int | None
    content_hash: str | None
    href: str | None


class MediaList(Shape):
    """All pictures and videos of a store."""

    media: list[Media]


class RefusedRow(Shape):
    """A row of a catalogue that was not taken."""

    row: int
    message: str
    remedy: str


class Import(Shape):
    """What an import came to. The rows that are not among `refused` are stored."""

    success: bool
    products: int
    new_products: int
    changed_products: int
    media: int
    new_media: int
    changed_media: int
    refused: list[RefusedRow]
    notes: list[str]


def connection(one: PlatformConnection) -> Json:
    """A connection, without its token."""
    return {
        "platform": one.platform,
        "accountId": one.account_id,
        "accountName": one.account_name,
        "currency": one.currency,
        "timezone": one.timezone,
        "pageId": one.page_id,
        "pageName": one.page_name,
        "pixelId": one.pixel_id,
        "instagramUserId": one.instagram_user_id,
        "productCatalogId": one.product_catalog_id,
        "hasToken": one.has_token,
        "tokenExpiresAt": moment(one.token_expires_at),
        "connectedAt": moment(one.connected_at),
    }


def store(line: StoreLine) -> Json:
    """A store with how much it has."""
    return _shop(line.shop) | {
        "products": line.products,
        "media": line.media,
        "connections": [connection(each) for each in line.connections],
    }


def _shop(shop: ShopStore) -> Json:
    return {
        "id": shop.id,
        "name": shop.name,
        "niche": shop.niche,
        "domain": shop.domain,
        "countries": list(shop.countries),
        "currency": shop.currency,
        "ageMin": shop.age_min,
        "ageMax": shop.age_max,
        "interests": list(shop.interests),
        "advantageAudience": shop.advantage_audience,
        "createdAt": moment(shop.created_at),
    }


def products(page: ProductPage) -> list[Json]:
    """The products of a page."""
    return [product(each, page.media.get(each.id, [])) for each in page.rows]


def product(one: Product, media: list[MediaAsset]) -> Json:
    """A product with its media."""
    return {
        "id": one.id,
        "title": one.title,
        "description": one.description,
        "price": amount(one.price_minor, one.currency),
        "currency": one.currency,
        "category": one.category,
        "brand": one.brand,
        "url": one.url,
        "position": one.position,
        "mediaIds": [each.id for each in media],
    }


def asset(one: MediaAsset, content: str) -> Json:
    """A media asset; of a file only its name is told, and that it can be had at `content`."""
    away = "://" in one.source
    return {
        "id": one.id,
        "storeId": one.store_id,
        "productId": one.product_id,
        "kind": one.kind,
        "source": one.source if away else one.source.replace("\\", "/").rpartition("/")[2],
        "alt": one.alt,
        "mime": one.mime,
        "width": one.width,
        "height": one.height,
        "bytes": one.bytes,
        "contentHash": one.content_hash,
        "href": None if away else content,
    }


def imported(read: CatalogueImport) -> Json:
    """What an import came to."""
    return {
        "success": not read.refused,
        "products": read.products,
        "newProducts": read.new_products,
        "changedProducts": read.changed_products,
        "media": read.media,
        "newMedia": read.new_media,
        "changedMedia": read.changed_media,
        "refused": [
            {"row": each.row, "message": each.what, "remedy": each.remedy} for each in read.refused
        ],
        "notes": list(read.notes),
    }
