"""What `zyenta store` does: shops added, shown, and filled from their catalogues."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Group, RenderableType
from rich.text import Text

from zyenta_ads_pipeline.connections import store_of, vault_of
from zyenta_ads_pipeline.creatives.catalogue import read_products
from zyenta_ads_pipeline.creatives.targeting import checked_countries
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.domain.money import offset, show, to_major
from zyenta_ads_pipeline.domain.shop import Product, ShopStore
from zyenta_ads_pipeline.settings import Settings
from zyenta_ads_pipeline.showing import add, table
from zyenta_ads_pipeline.store.connections import Connections
from zyenta_ads_pipeline.store.database import Store
from zyenta_ads_pipeline.store.shops import Shops

_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,49}")
_DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
_LONGEST_TEXT = 60
_MOST_NOTES = 10


def new_store(
    name: str,
    *,
    store_id: str | None,
    niche: str,
    domain: str,
    countries: Sequence[str],
    currency: str,
    ages: tuple[int, int],
    interests: Sequence[str],
    advantage_audience: bool,
) -> ShopStore:
    """A shop as a person describes it. Raises `InputError` for what cannot be used."""
    low, high = ages
    if low > high:
        raise InputError(f"Ages {low} to {high} hold nobody.", "Give the lower one as --age-min.")
    if not name.strip():
        raise InputError("The store has no name.", "Give the name that customers know.")
    offset(currency.upper())
    return ShopStore(
        id=_checked_id(store_id) if store_id is not None else _id_from(name),
        name=name.strip(),
        niche=niche.strip(),
        domain=_checked_domain(domain),
        countries=checked_countries([code for each in countries for code in each.split(",")]),
        currency=currency.upper(),
        created_at=datetime.now(UTC),
        age_min=low,
        age_max=high,
        advantage_audience=advantage_audience,
        interests=[each.strip() for each in interests if each.strip()],
    )


def add_store(settings: Settings, shop: ShopStore) -> RenderableType:
    """Store a new shop; says what comes next."""
    with store_of(settings) as store:
        Shops(store).add(shop)
    return Text(
        f"Store {shop.id} added. Next: `zyenta store import {shop.id} catalogue.csv`, "
        f"then `zyenta connect {shop.id}`."
    )


def list_stores(settings: Settings) -> RenderableType:
    """All shops as a table, the oldest first."""
    with store_of(settings) as store:
        shops = Shops(store)
        found = [
            (shop, len(shops.products(shop.id)), len(shops.media(shop.id))) for shop in shops.all()
        ]
        accounts = _accounts(settings, store)
    if not found:
        return Text("No stores yet. Add one with `zyenta store add`.")
    headings = ("id", "name", "niche", "domain", "countries", "currency", "products", "media",
                "connected to")  # fmt: skip
    shown = table("Stores", headings, justify=[*["left"] * 6, "right", "right", "left"])
    for shop, products, media in found:
        add(
            shown,
            shop.id,
            shop.name,
            shop.niche,
            shop.domain,
            ", ".join(shop.countries),
            shop.currency,
            f"{products:,}",
            f"{media:,}",
            accounts.get(shop.id, "nothing yet"),
        )
    return shown


def show_store(settings: Settings, store_id: str, most: int) -> RenderableType:
    """One shop, and the first `most` of its products."""
    with store_of(settings) as store:
        shops = Shops(store)
        shop = shops.get(store_id)
        products = shops.products(store_id)
        pictures = Counter(asset.product_id for asset in shops.media(store_id))
        account = _accounts(settings, store).get(store_id)
    facts = table(shop.name, ("", ""))
    facts.show_header = False
    interests = ", ".join(shop.interests) or f"from the niche, {shop.niche}"
    reach = "may go beyond these people" if shop.advantage_audience else "these people only"
    for name, value in (
        ("id", shop.id),
        ("address", shop.domain),
        ("sells to", f"{', '.join(shop.countries)}, aged {_ages(shop)} ({reach})"),
        ("interests", interests),
        ("prices in", shop.currency),
        ("connected to", account or f"nothing yet: zyenta connect {shop.id}"),
        ("products", f"{len(products):,}, with {sum(pictures.values()):,} pictures and videos"),
    ):
        add(facts, name, value)
    if not products:
        return Group(facts, Text(f"Next: `zyenta store import {shop.id} catalogue.csv`."))
    if not most:
        return facts
    return Group(facts, _products(products[:most], pictures, len(products)))


def import_catalogue(
    settings: Settings, store_id: str, file: Path, pictures: Path | None
) -> tuple[RenderableType, bool]:
    """Read a catalogue into a shop; what came of it, and whether every row was taken."""
    now = datetime.now(UTC)
    with store_of(settings) as store:
        shops = Shops(store)
        read = read_products(file, store=shops.get(store_id), pictures=pictures)
        new, changed = shops.put_products(read.products, now)
        new_media, changed_media = shops.put_media(read.media, now)
    said: list[RenderableType] = [
        Text(f"Products: {_counted(len(read.products), new, changed)}"),
        Text(f"Pictures and videos: {_counted(len(read.media), new_media, changed_media)}"),
    ]
    said += [Text(note) for note in read.notes[:_MOST_NOTES]]
    if len(read.notes) > _MOST_NOTES:
        said.append(Text(f"… and {len(read.notes) - _MOST_NOTES} more of this kind."))
    if not read.refused:
        said.append(Text("Every row was taken."))
        return Group(*said), True
    rows = "1 row was" if len(read.refused) == 1 else f"{len(read.refused)} rows were"
    shown = table(f"{rows} not taken", ("row", "what is wrong", "remedy"))
    for refused in read.refused:
        add(shown, refused.row, refused.what, refused.remedy)
    taken = "The other rows are stored. " if read.products else "Nothing was stored. "
    said += [shown, Text(f"{taken}Mend these in {file} and import it again.")]
    return Group(*said), False


def _products(
    products: Sequence[Product], pictures: Counter[str | None], everything: int
) -> RenderableType:
    title = "Products" if len(products) == everything else f"The first {len(products)} products"
    headings = ("id", "title", "price", "category", "brand", "pictures")
    shown = table(title, headings, justify=["left", "left", "right", "left", "left", "right"])
    for product in products:
        price = show(to_major(product.price_minor, product.currency), product.currency)
        add(
            shown,
            product.id,
            _cut(product.title),
            price,
            product.category,
            product.brand,
            pictures[product.id],
        )
    return shown


def _accounts(settings: Settings, store: Store) -> dict[str, str]:
    """The ad account of each connected shop, in words."""
    return {
        each.store_id: f"act_{each.account_id} ({each.account_name}, {each.currency})"
        for each in Connections(store, vault_of(settings)).all()
    }


def _counted(read: int, new: int, changed: int) -> str:
    return f"{read:,} read, {new:,} new, {changed:,} changed, {read - new - changed:,} as before."


def _ages(shop: ShopStore) -> str:
    return f"{shop.age_min} and over" if shop.age_max == 65 else f"{shop.age_min} to {shop.age_max}"


def _id_from(name: str) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:50].rstrip("-")
    if not slug:
        raise InputError(f"No id can be made from the name {name!r}.", "Give one with --id.")
    return slug


def _checked_id(text: str) -> str:
    if not _ID.fullmatch(text):
        raise InputError(
            f"{text!r} cannot be a store's id.", "Use a-z, 0-9, - and _, at most 50 of them."
        )
    return text


def _checked_domain(text: str) -> str:
    found = re.sub(r"^https?://", "", text.strip().lower()).rstrip("/")
    if not _DOMAIN.fullmatch(found):
        raise InputError(
            f"{text!r} is not the domain of a shop.", "Write it like shop.example.com."
        )
    return found


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 1]}…"
