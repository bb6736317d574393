"""Stores, their products and media, and what they are connected to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zyenta_ads_pipeline.console.desks.uploads import (
    kept_upload,
    media_folder,
    read_upload,
    shown_file,
)
from zyenta_ads_pipeline.console.office import Office
from zyenta_ads_pipeline.creatives.catalogue_columns import Refused
from zyenta_ads_pipeline.domain.access import Person, Role
from zyenta_ads_pipeline.domain.errors import (
    FieldProblem,
    FieldsRefused,
    InputError,
    TakenAlready,
)
from zyenta_ads_pipeline.domain.shop import MediaAsset, PlatformConnection, Product, ShopStore
from zyenta_ads_pipeline.store.campaign_pages import require_page
from zyenta_ads_pipeline.store.connections import Connections
from zyenta_ads_pipeline.store.shops import Shops
from zyenta_ads_pipeline.store_desk import new_store


@dataclass(frozen=True)
class StoreLine:
    """A store, how much it has, and its connections (first that to Meta)."""

    shop: ShopStore
    products: int
    media: int
    connections: Sequence[PlatformConnection]


@dataclass(frozen=True, kw_only=True)
class NewStore:
    """A store as it was filled in; checked by `CatalogueDesk.add_store`. `id` empty: made from the
    name."""

    name: str
    domain: str
    niche: str = ""
    countries: Sequence[str] = ("US",)
    currency: str = "USD"
    id: str = ""
    age_min: int = 18
    age_max: int = 65
    interests: Sequence[str] = ()
    advantage_audience: bool = False


@dataclass(frozen=True)
class ProductPage:
    """A page of a store's products in their order; `media` by product id, the first one first."""

    rows: Sequence[Product]
    media: dict[str, list[MediaAsset]]
    total_rows: int
    page: int
    size: int

    @property
    def pages(self) -> int:
        """How many pages there are; at least one."""
        return max(1, -(-self.total_rows // self.size))


@dataclass(frozen=True)
class CatalogueImport:
    """What an import came to. `refused` rows (`row`, `what`, `remedy`) were not taken; the others
    are stored."""

    products: int
    new_products: int
    changed_products: int
    media: int
    new_media: int
    changed_media: int
    refused: Sequence[Refused]
    notes: Sequence[str]


class CatalogueDesk:
    """Stores. Viewers look, buyers import products and upload media, admins add stores. Every
    method takes the person first; raises `NotAllowed`, `NotThere`, `InputError`."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._shops = Shops(office.store)

    def stores(self, person: Person) -> list[StoreLine]:
        """All stores, the oldest first."""
        counts, connections = self._shops.counts(), self._connected()
        return [_line(shop, counts, connections) for shop in self._shops.all()]

    def store(self, person: Person, store_id: str) -> StoreLine:
        """One store."""
        return _line(self._shops.get(store_id), self._shops.counts(), self._connected())

    def add_store(self, person: Person, new: NewStore) -> ShopStore:
        """Add a store. Admin. `FieldsRefused` names each field that cannot be used, `TakenAlready`
        an id that another store has."""
        office = self._office
        office.allow(person, Role.ADMIN, "store.add", "store", new.id or new.name)
        shop = checked_store(new)
        if any(other.id == shop.id for other in self._shops.all()):
            raise TakenAlready(f"There is a store {shop.id!r}.", "Choose another id.")
        self._shops.add(shop)
        office.note(person, "store.add", "store", shop.id, {"name": shop.name})
        return self._shops.get(shop.id)

    def products(
        self, person: Person, store_id: str, *, text: str = "", page: int = 1, size: int = 50
    ) -> ProductPage:
        """A page of a store's products whose title or id holds `text`."""
        require_page(page, size)
        text = text.strip()
        rows, found = self._shops.product_page(
            store_id, text=text, limit=size, offset=(page - 1) * size
        )
        last = max(1, -(-found // size))
        if page > last:
            page = last
            rows, found = self._shops.product_page(
                store_id, text=text, limit=size, offset=(page - 1) * size
            )
        media: dict[str, list[MediaAsset]] = {}
        for asset in self._shops.media(store_id, [product.id for product in rows]):
            media.setdefault(asset.product_id or "", []).append(asset)
        return ProductPage(rows, media, found, page, size)

    def import_products(
        self, person: Person, store_id: str, content: bytes, name: str
    ) -> CatalogueImport:
        """Read a catalogue (CSV or JSON, by the file's `name`) into a store. Buyer. At most 20 MB.
        Pictures that were uploaded to the store before may be named in it. Raises `InputError`
        where the file as a whole cannot be read."""
        office = self._office
        office.allow(person, Role.BUYER, "store.import", "store", store_id)
        shop = self._shops.get(store_id)
        read = read_upload(content, name, shop, media_folder(office.settings.home, store_id))
        now = office.now()
        new, changed = self._shops.put_products(read.products, now)
        new_media, changed_media = self._shops.put_media(read.media, now)
        done = CatalogueImport(
            products=len(read.products),
            new_products=new,
            changed_products=changed,
            media=len(read.media),
            new_media=new_media,
            changed_media=changed_media,
            refused=tuple(read.refused),
            notes=tuple(read.notes),
        )
        detail = {"file": name[:200], "products": done.products, "refused": len(done.refused)}
        office.note(person, "store.import", "store", store_id, detail)
        return done

    def media(self, person: Person, store_id: str) -> list[MediaAsset]:
        """All pictures and videos of a store."""
        return self._shops.media(store_id)

    def upload_media(
        self,
        person: Person,
        store_id: str,
        content: bytes,
        name: str,
        *,
        product_id: str | None = None,
        alt: str = "",
    ) -> MediaAsset:
        """Take in a picture or video, looked at as a launch does. Buyer. The same content gives the
        same asset. `FieldsRefused` for what Meta would not take, or a product that is not there."""
        office = self._office
        office.allow(person, Role.BUYER, "media.upload", "store", store_id)
        self._shops.get(store_id)
        if product_id is not None:
            try:
                self._shops.products(store_id, [product_id])
            except InputError as error:
                problem = FieldProblem("product_id", error.what, error.remedy)
                raise FieldsRefused([problem]) from None
        folder = media_folder(office.settings.home, store_id)
        asset = kept_upload(folder, store_id, content, name, product_id=product_id, alt=alt)
        self._shops.put_media([asset], office.now())
        kept = self._shops.inspected(asset)
        detail = {"asset": kept.id, "file": name[:200], "product": product_id}
        office.note(person, "media.upload", "store", store_id, detail)
        return kept

    def media_content(self, person: Person, asset_id: str) -> tuple[bytes, str]:
        """A picture's bytes and their MIME type, for showing it; only of files on this machine.
        `NotThere` for an address elsewhere or a file that is gone."""
        return shown_file(self._shops.media_asset(asset_id))

    def connections(self, person: Person) -> list[PlatformConnection]:
        """What the stores are connected to; tokens are never in it. To connect one, a terminal is
        needed: `zyenta connect`."""
        return self._connected()

    def _connected(self) -> list[PlatformConnection]:
        return Connections(self._office.store, self._office.vault).all()


def _line(
    shop: ShopStore,
    counts: Mapping[str, tuple[int, int]],
    connections: Sequence[PlatformConnection],
) -> StoreLine:
    products, media = counts.get(shop.id, (0, 0))
    return StoreLine(
        shop, products, media, [each for each in connections if each.store_id == shop.id]
    )


def checked_store(new: NewStore) -> ShopStore:
    """The store as it was filled in. Raises `FieldsRefused` naming the field that cannot be used.

    One field at a time is asked for on its own, so that each problem is told at its place.
    """
    good: dict[str, Any] = {
        "name": "Shop", "store_id": "shop", "niche": "", "domain": "shop.example.com",
        "countries": ("US",), "currency": "USD", "ages": (18, 65), "interests": (),
        "advantage_audience": False,
    }  # fmt: skip
    given: dict[str, Any] = {
        "name": new.name, "store_id": new.id or None, "niche": new.niche, "domain": new.domain,
        "countries": new.countries, "currency": new.currency, "ages": (new.age_min, new.age_max),
        "interests": new.interests, "advantage_audience": new.advantage_audience,
    }  # fmt: skip
    problems = []
    for name, value in given.items():
        if value is None:
            continue
        try:
            new_store(**{**good, name: value})
        except InputError as error:
            field = {"store_id": "id", "ages": "age_min"}.get(name, name)
            problems.append(FieldProblem(field, error.what, error.remedy))
    if not (13 <= new.age_min <= 65 and 13 <= new.age_max <= 65):
        problems.append(
            FieldProblem("age_min", "Meta knows ages from 13 to 65.", "65 means and over.")
        )
    if problems:
        raise FieldsRefused(problems)
    try:
        return new_store(**given)
    except InputError as error:  # no id can be made from the name
        raise FieldsRefused([FieldProblem("id", error.what, error.remedy)]) from None
