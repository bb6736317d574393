"""The tables of shops: stores, products, media, what was uploaded, connections.

Ids of stores, products and media are their owners' own words, so they are of any length. Prices
are whole minor units of `currency`. A connection's token is kept encrypted.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Boolean, ForeignKey, ForeignKeyConstraint, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from zyenta_ads_pipeline.domain.shop import MediaKind
from zyenta_ads_pipeline.store.columns import PlainJson, UtcDateTime, words
from zyenta_ads_pipeline.store.models import Base


class ShopRow(Base):
    """One store that advertises."""

    __tablename__ = "stores"

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    niche: Mapped[str] = mapped_column(Text)
    domain: Mapped[str] = mapped_column(Text)
    countries: Mapped[list[str]] = mapped_column(PlainJson)
    currency: Mapped[str] = mapped_column(String(3))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    age_min: Mapped[int]
    age_max: Mapped[int]
    advantage_audience: Mapped[bool] = mapped_column(Boolean)
    interests: Mapped[list[str]] = mapped_column(PlainJson)


class ProductRow(Base):
    """One product of a store; its id is unique in that store only."""

    __tablename__ = "products"

    store_id: Mapped[str] = mapped_column(Text, ForeignKey("stores.id"), primary_key=True)
    id: Mapped[str] = mapped_column(Text, primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text)
    price_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    category: Mapped[str] = mapped_column(Text)
    brand: Mapped[str] = mapped_column(Text)
    url: Mapped[str] = mapped_column(Text)
    position: Mapped[int]
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (Index("ix_products_store_position", "store_id", "position"),)


class MediaRow(Base):
    """One picture or video of a store; `number` is the order of arrival in that store."""

    __tablename__ = "media_assets"

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    store_id: Mapped[str] = mapped_column(Text, ForeignKey("stores.id"))
    number: Mapped[int]
    kind: Mapped[MediaKind] = mapped_column(words(MediaKind))
    source: Mapped[str] = mapped_column(Text)
    product_id: Mapped[str | None] = mapped_column(Text)
    alt: Mapped[str] = mapped_column(Text)
    mime: Mapped[str] = mapped_column(Text)
    width: Mapped[int | None]
    height: Mapped[int | None]
    bytes: Mapped[int | None] = mapped_column("size_bytes", BigInteger)
    content_hash: Mapped[str | None] = mapped_column(String(64))
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        ForeignKeyConstraint(
            ["store_id", "product_id"],
            ["products.store_id", "products.id"],
            name="fk_media_assets_product",
        ),
        Index("uq_media_assets_store_number", "store_id", "number", unique=True),
        Index("ix_media_assets_product", "store_id", "product_id"),
    )


class UploadRow(Base):
    """One content on one ad account: the image's hash or the video's id there."""

    __tablename__ = "media_uploads"

    account_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    content_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    platform_ref: Mapped[str] = mapped_column(Text)
    uploaded_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ConnectionRow(Base):
    """A store's account on a platform, with the token that opens it, encrypted."""

    __tablename__ = "platform_connections"

    store_id: Mapped[str] = mapped_column(Text, ForeignKey("stores.id"), primary_key=True)
    platform: Mapped[str] = mapped_column(String(32), primary_key=True)
    account_id: Mapped[str] = mapped_column(String(64))
    account_name: Mapped[str] = mapped_column(Text)
    currency: Mapped[str] = mapped_column(String(3))
    timezone: Mapped[str] = mapped_column(Text)
    page_id: Mapped[str] = mapped_column(String(64))
    page_name: Mapped[str] = mapped_column(Text)
    pixel_id: Mapped[str | None] = mapped_column(String(64))
    instagram_user_id: Mapped[str | None] = mapped_column(String(64))
    product_catalog_id: Mapped[str | None] = mapped_column(String(64))
    product_set_id: Mapped[str | None] = mapped_column(String(64))
    sealed_token: Mapped[str | None] = mapped_column(Text)
    """By `store.vault`; never the token itself."""
    token_expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    token_checked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    connected_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (Index("ix_platform_connections_account_id", "account_id"),)
