"""Stores with their products and media, and what of the media an ad account has already.

Each method is one transaction. Several processes may import into the same store: one after the
other. Moments are aware.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, or_, select, update
from sqlalchemy.orm import Session

from zyenta_ads_pipeline.domain.errors import InputError, NotThere
from zyenta_ads_pipeline.domain.money import offset
from zyenta_ads_pipeline.domain.shop import MediaAsset, Product, ShopStore
from zyenta_ads_pipeline.store.database import LOCK, Store
from zyenta_ads_pipeline.store.mapping import record, values_of
from zyenta_ads_pipeline.store.shop_models import MediaRow, ProductRow, ShopRow, UploadRow
from zyenta_ads_pipeline.store.upsert import inserting, replacing

_AT_ONCE = 500
"""Ids in one question: SQLite bounds the parameters of a statement."""
_GIVEN = ("store_id", "kind", "source", "product_id", "alt")
_SEEN = ("mime", "width", "height", "bytes", "content_hash")


class Shops:
    """The stores in one operational database."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, shop: ShopStore) -> None:
        """Take in a new store. `InputError` for an id that is taken or an unknown currency."""
        offset(shop.currency)
        with self._store.write() as session:
            made = inserting(self._store, ShopRow).values(**values_of(shop))
            once = made.on_conflict_do_nothing(index_elements=[ShopRow.id])
            if session.execute(once.returning(ShopRow.id)).first() is None:
                raise InputError(
                    f"There is a store {shop.id!r} already.", "Choose another id, or update it."
                )

    def update(self, shop: ShopStore) -> None:
        """Change a store, all but its `created_at`. `InputError` if there is none of that id."""
        offset(shop.currency)
        with self._store.write() as session:
            _lock_shop(session, shop.id)
            values = values_of(shop, leave_out=("id", "created_at"))
            session.execute(update(ShopRow).where(ShopRow.id == shop.id).values(**values))

    def get(self, store_id: str) -> ShopStore:
        """One store; `InputError` if there is none of that id."""
        with self._store.read() as session:
            row = session.get(ShopRow, store_id)
            if row is None:
                raise _no_store(store_id)
            return record(ShopStore, row)

    def all(self) -> list[ShopStore]:
        """Every store, the oldest first."""
        with self._store.read() as session:
            rows = session.scalars(select(ShopRow).order_by(ShopRow.created_at, ShopRow.id))
            return [record(ShopStore, row) for row in rows]

    def put_products(self, products: Sequence[Product], now: datetime) -> tuple[int, int]:
        """Take in or change products by their ids; how many were new, how many changed.

        Of several with the same id the last counts. `InputError` if a store is not there, or for
        an unknown currency; then nothing is stored.
        """
        given = {(product.store_id, product.id): product for product in products}
        for currency in {product.currency for product in given.values()}:
            offset(currency)
        new: list[dict[str, Any]] = []
        changed: list[Product] = []
        with self._store.write() as session:
            for store_id in sorted({product.store_id for product in given.values()}):
                _lock_shop(session, store_id)
                ids = [each for store, each in given if store == store_id]
                known = {
                    row.id: record(Product, row) for row in _product_rows(session, store_id, ids)
                }
                for product in (given[store_id, each] for each in ids):
                    if product.id not in known:
                        new.append(values_of(product) | {"updated_at": now})
                    elif known[product.id] != product:
                        changed.append(product)
            if new:
                session.execute(insert(ProductRow), new)
            for product in changed:
                session.execute(
                    update(ProductRow)
                    .where(ProductRow.store_id == product.store_id, ProductRow.id == product.id)
                    .values(**values_of(product), updated_at=now)
                )
        return len(new), len(changed)

    def products(self, store_id: str, ids: Collection[str] = ()) -> list[Product]:
        """The store's products in the order of their positions; with `ids`, those alone.

        `InputError` for a store or an id that is not there.
        """
        with self._store.read() as session:
            _require_shop(session, store_id)
            found = [record(Product, row) for row in _product_rows(session, store_id, ids or None)]
        missing = set(ids) - {product.id for product in found}
        if missing:
            raise InputError(
                f"Store {store_id!r} has no product {_listed(missing)}.",
                "List its products to see their ids, or import the catalogue.",
            )
        return sorted(found, key=lambda product: (product.position, product.id))

    def put_media(self, media: Sequence[MediaAsset], now: datetime) -> tuple[int, int]:
        """Take in or change media by their ids; how many were new, how many changed.

        What was seen of an asset (its type, size and hash) is kept while its source is the same.
        `InputError` if a store or a product is not there, or an id belongs to another store.
        """
        given = {asset.id: asset for asset in media}
        new: list[dict[str, Any]] = []
        changed = 0
        with self._store.write() as session:
            for store_id in sorted({asset.store_id for asset in given.values()}):
                _lock_shop(session, store_id)
                _require_products(session, store_id, given.values())
            numbers = _last_numbers(session, {asset.store_id for asset in given.values()})
            known = {row.id: row for row in _media_rows(session, list(given))}
            for asset in given.values():
                row = known.get(asset.id)
                if row is None:
                    number = numbers[asset.store_id] = numbers.get(asset.store_id, 0) + 1
                    new.append(values_of(asset) | {"number": number, "updated_at": now})
                else:
                    changed += _renew(row, asset, now)
            if new:
                session.execute(insert(MediaRow), new)
        return len(new), changed

    def media(self, store_id: str, product_ids: Collection[str] | None = None) -> list[MediaAsset]:
        """The store's media in the order of their arrival; with `product_ids`, those of these."""
        with self._store.read() as session:
            _require_shop(session, store_id)
            rows = session.scalars(
                select(MediaRow).where(MediaRow.store_id == store_id).order_by(MediaRow.number)
            )
            wanted = None if product_ids is None else set(product_ids)
            return [
                record(MediaAsset, row)
                for row in rows
                if wanted is None or row.product_id in wanted
            ]

    def media_named(self, ids: Collection[str]) -> list[MediaAsset]:
        """The media of these ids; what is not there is left out."""
        with self._store.read() as session:
            return [record(MediaAsset, row) for row in _media_rows(session, list(ids))]

    def products_named(self, store_id: str, ids: Collection[str]) -> list[Product]:
        """The store's products of these ids in their order; what is not there is left out."""
        with self._store.read() as session:
            found = [record(Product, row) for row in _product_rows(session, store_id, ids)]
        return sorted(found, key=lambda product: (product.position, product.id))

    def product_page(
        self, store_id: str, *, text: str, limit: int, offset: int
    ) -> tuple[list[Product], int]:
        """A part of a store's products in their order, and how many there are: those whose title
        or id holds `text`, without regard to case. `NotThere` for a store that is not there."""
        wanted = [ProductRow.store_id == store_id]
        if text:
            held = (ProductRow.title, ProductRow.id)
            wanted.append(or_(*(each.icontains(text, autoescape=True) for each in held)))
        order = (ProductRow.position, ProductRow.id)
        asked = select(ProductRow).where(*wanted).order_by(*order).limit(limit).offset(offset)
        with self._store.read() as session:
            _require_shop(session, store_id)
            found = session.scalar(select(func.count()).select_from(ProductRow).where(*wanted))
            return [record(Product, row) for row in session.scalars(asked)], found or 0

    def counts(self) -> dict[str, tuple[int, int]]:
        """How many products and media each store has."""
        products = select(ProductRow.store_id, func.count()).group_by(ProductRow.store_id)
        media = select(MediaRow.store_id, func.count()).group_by(MediaRow.store_id)
        with self._store.read() as session:
            of_products = dict(session.execute(products).all())
            of_media = dict(session.execute(media).all())
        stores = of_products.keys() | of_media.keys()
        return {each: (of_products.get(each, 0), of_media.get(each, 0)) for each in stores}

    def media_asset(self, asset_id: str) -> MediaAsset:
        """One asset; `InputError` if there is none of that id."""
        with self._store.read() as session:
            row = session.get(MediaRow, asset_id)
            if row is None:
                raise _no_asset(asset_id)
            return record(MediaAsset, row)

    def inspected(self, asset: MediaAsset) -> MediaAsset:
        """Store what was seen of an asset: its type, its size and its content's hash.

        An asset whose source was changed meanwhile stays as it is: that was seen of another file.
        """
        with self._store.write() as session:
            row = session.get(MediaRow, asset.id, with_for_update=LOCK)
            if row is None:
                raise _no_asset(asset.id)
            if row.source == asset.source:
                for name in _SEEN:
                    setattr(row, name, getattr(asset, name))
            return record(MediaAsset, row)

    def uploaded(self, account_id: str, content_hash: str) -> str | None:
        """The image's hash or the video's id of this content on an ad account; None if absent."""
        with self._store.read() as session:
            row = session.get(UploadRow, (account_id, content_hash))
            return None if row is None else row.platform_ref

    def remember_upload(
        self, account_id: str, content_hash: str, platform_ref: str, now: datetime
    ) -> None:
        """Remember what an account calls a content; a later upload takes an earlier one's place."""
        with self._store.write() as session:
            session.execute(
                replacing(self._store, UploadRow),
                {
                    "account_id": account_id,
                    "content_hash": content_hash,
                    "platform_ref": platform_ref,
                    "uploaded_at": now,
                },
            )


def _renew(row: MediaRow, asset: MediaAsset, now: datetime) -> bool:
    if row.store_id != asset.store_id:
        raise InputError(
            f"Media {asset.id!r} belongs to store {row.store_id!r}, not to {asset.store_id!r}.",
            "Give it another id.",
        )
    same_source = row.source == asset.source
    before = [getattr(row, name) for name in (*_GIVEN, *_SEEN)]
    for name in _GIVEN:
        setattr(row, name, getattr(asset, name))
    if asset.content_hash is not None or not same_source:
        for name in _SEEN:
            setattr(row, name, getattr(asset, name))
    if before == [getattr(row, name) for name in (*_GIVEN, *_SEEN)]:
        return False
    row.updated_at = now
    return True


def _parts(ids: Collection[str]) -> Iterator[list[str]]:
    listed = list(ids)
    for start in range(0, len(listed), _AT_ONCE):
        yield listed[start : start + _AT_ONCE]


def _product_rows(
    session: Session, store_id: str, ids: Collection[str] | None
) -> Iterator[ProductRow]:
    of_store = select(ProductRow).where(ProductRow.store_id == store_id)
    if ids is None:
        yield from session.scalars(of_store)
        return
    for part in _parts(ids):
        yield from session.scalars(of_store.where(ProductRow.id.in_(part)))


def _media_rows(session: Session, ids: Collection[str]) -> Iterator[MediaRow]:
    for part in _parts(ids):
        yield from session.scalars(select(MediaRow).where(MediaRow.id.in_(part)))


def _last_numbers(session: Session, store_ids: Collection[str]) -> dict[str, int]:
    last = select(MediaRow.store_id, func.max(MediaRow.number)).group_by(MediaRow.store_id)
    found = session.execute(last.where(MediaRow.store_id.in_(store_ids)))
    return {row[0]: row[1] for row in found}


def _require_products(session: Session, store_id: str, media: Collection[MediaAsset]) -> None:
    wanted = {asset.product_id for asset in media if asset.store_id == store_id} - {None}
    ids = [each for each in wanted if each is not None]
    missing = set(ids) - {row.id for row in _product_rows(session, store_id, ids)}
    if missing:
        raise InputError(
            f"Store {store_id!r} has no product {_listed(missing)} for its media.",
            "Put the products first.",
        )


def _lock_shop(session: Session, store_id: str) -> None:
    """Be the only transaction that changes this store; `InputError` if it is not there."""
    if session.get(ShopRow, store_id, with_for_update=LOCK) is None:
        raise _no_store(store_id)


def _require_shop(session: Session, store_id: str) -> None:
    if session.get(ShopRow, store_id) is None:
        raise _no_store(store_id)


def _no_store(store_id: str) -> NotThere:
    return NotThere(f"There is no store {store_id!r}.", "List the stores, or add it.")


def _no_asset(asset_id: str) -> NotThere:
    return NotThere(f"There is no media asset {asset_id!r}.", "List the store's media.")


def _listed(ids: Collection[str]) -> str:
    shown = sorted(ids)[:5]
    more = f" and {len(ids) - len(shown)} more" if len(ids) > len(shown) else ""
    return ", ".join(repr(each) for each in shown) + more
