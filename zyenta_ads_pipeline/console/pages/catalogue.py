"""The catalogue: stores, their products and media, imported and uploaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from zyenta_ads_pipeline.console.desks.catalogue import CatalogueImport, NewStore, StoreLine
from zyenta_ads_pipeline.console.pages.paging import pager
from zyenta_ads_pipeline.console.pages.site import Site
from zyenta_ads_pipeline.console.pages.visit import Visit
from zyenta_ads_pipeline.console.pages.words import many, money
from zyenta_ads_pipeline.domain.errors import FieldsRefused, InputError
from zyenta_ads_pipeline.domain.money import CURRENCY_OFFSETS
from zyenta_ads_pipeline.domain.shop import (
    MediaAsset,
    MediaKind,
    PlatformConnection,
    Product,
)

PATH = "/catalogue"
_SIZE = 50
_MEDIA_SHOWN = 60
_TEXTS = ("name", "domain", "niche", "countries", "currency", "interests")
LABELS = {
    "name": "Name",
    "domain": "Domain",
    "niche": "Niche",
    "countries": "Countries",
    "currency": "Currency",
    "interests": "Interests",
    "file": "File",
}


@dataclass(frozen=True)
class ProductLine:
    """One product as it is shown."""

    id: str
    title: str
    price: str
    category: str
    picture: str
    media: str
    link: str


def routes(site: Site) -> list[Route]:
    """Stores, one store, what is brought into it, and its pictures."""
    return [
        site.get(PATH, page),
        site.post(PATH, add),
        site.get(f"{PATH}/{{store}}", one),
        site.post(f"{PATH}/{{store}}/import", bring),
        site.post(f"{PATH}/{{store}}/media", upload),
        site.get("/media/{id}", picture),
    ]


def page(visit: Visit) -> Response:
    """All stores."""
    return _page(visit, {}, {})


def _page(
    visit: Visit, errors: dict[str, str], typed: dict[str, str], status: int = 200
) -> Response:
    stores = visit.site.desks.catalogue.stores(visit.person)
    return visit.site.show(
        visit,
        "catalogue.html",
        status,
        stores=[_store(each) for each in stores],
        errors=errors,
        typed={"currency": "USD", "countries": "US"} | typed,
        labels=LABELS,
        currencies=sorted(CURRENCY_OFFSETS),
        admin=visit.admin,
    )


def _store(line: StoreLine) -> dict[str, Any]:
    shop = line.shop
    return {
        "id": shop.id,
        "name": shop.name,
        "facts": [
            (name, value)
            for name, value in (
                ("Domain", shop.domain),
                ("Niche", shop.niche),
                ("Advertises in", ", ".join(shop.countries)),
                ("Currency", shop.currency),
                ("Aged", f"{shop.age_min} to {shop.age_max}"),
                ("Products", f"{line.products:,}"),
                ("Pictures and videos", f"{line.media:,}"),
            )
            if value
        ],
        "connections": [_connection(each) for each in line.connections],
    }


def _connection(each: PlatformConnection) -> str:
    account = each.account_name or f"act_{each.account_id}"
    told = f"{account}, page {each.page_name or each.page_id}"
    return told if each.has_token else f"{told} (its token is missing)"


def add(visit: Visit) -> Response:
    """Add a store."""
    typed = {name: visit.sent(name) for name in _TEXTS}
    new = NewStore(
        name=typed["name"],
        domain=typed["domain"],
        niche=typed["niche"],
        countries=_split(typed["countries"].upper()),
        currency=typed["currency"] or "USD",
        interests=_split(typed["interests"]),
    )
    try:
        shop = visit.site.desks.catalogue.add_store(visit.person, new)
    except FieldsRefused as error:
        told = error.by_field
        return _page(visit, told, typed, 422)
    except InputError as error:
        return _page(visit, {"name": str(error)}, typed, 422)
    return visit.go(f"{PATH}/{shop.id}", f"{shop.name} is added. Import its products next.")


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.replace(";", ",").split(",") if part.strip())


def one(visit: Visit) -> Response:
    """One store with a page of its products, and its pictures."""
    return _one(visit)


def _one(
    visit: Visit,
    status: int = 200,
    *,
    errors: dict[str, str] | None = None,
    imported: CatalogueImport | None = None,
) -> Response:
    desk, own = visit.site.desks.catalogue, visit.request.path_params["store"]
    store = desk.store(visit.person, own)
    text = visit.given("q").strip()[:200]
    found = desk.products(visit.person, own, text=text, page=visit.page_number(), size=_SIZE)
    media = desk.media(visit.person, own)
    path = f"{PATH}/{own}"
    return visit.site.show(
        visit,
        "store.html",
        status,
        store=_store(store),
        path=path,
        products=[_product(each, found.media.get(each.id, ())) for each in found.rows],
        any_products=store.products > 0,
        text=text,
        said=many(found.total_rows, "product"),
        pages=pager(path, {"q": text}, one="product", rows=found.total_rows, page=found.page,
                    size=found.size),
        media=[
            (each.id, each.kind.value, each.alt or each.source.rsplit("/", 1)[-1],
             _picture([each]), _size(each))
            for each in media[:_MEDIA_SHOWN]
        ],
        media_more=max(0, len(media) - _MEDIA_SHOWN),
        choices=[(each.id, each.title) for each in found.rows],
        errors=errors or {},
        imported=imported,
        may=visit.buyer,
    )  # fmt: skip


def _product(product: Product, media: Sequence[MediaAsset]) -> ProductLine:
    return ProductLine(
        id=product.id,
        title=product.title,
        price=money(product.price_minor, product.currency),
        category=product.category,
        picture=_picture(media),
        media=many(len(media), "file"),
        link=product.url if product.url.startswith(("https://", "http://")) else "",
    )


def _picture(media: Sequence[MediaAsset]) -> str:
    """The address of the first that can be shown from this machine."""
    for each in media:
        if each.kind is MediaKind.IMAGE and not each.source.startswith("http"):
            return f"/media/{each.id}"
    return ""


def _size(asset: MediaAsset) -> str:
    return f"{asset.width} by {asset.height}" if asset.width and asset.height else ""


def bring(visit: Visit) -> Response:
    """Import products from a CSV or JSON file; rows that cannot be used are listed with why."""
    own = visit.request.path_params["store"]
    file = visit.file("file")
    if file is None:
        return _one(visit, 422, errors={"file": "Choose a CSV or JSON file."})
    content = file.file.read()
    try:
        done = visit.site.desks.catalogue.import_products(
            visit.person, own, content, file.filename or "catalogue"
        )
    except InputError as error:
        return _one(visit, 422, errors={"file": str(error)})
    if done.refused or done.notes:
        return _one(visit, imported=done)
    told = (
        f"{many(done.products, 'product')} read: {done.new_products} new, "
        f"{done.changed_products} changed; {many(done.new_media, 'new file')}."
    )
    return visit.go(f"{PATH}/{own}", told)


def upload(visit: Visit) -> Response:
    """Take in pictures and videos; those that Meta would not take are named with why."""
    own = visit.request.path_params["store"]
    files = [
        each
        for each in (visit.form.getlist("media") if visit.form else [])
        if not isinstance(each, str) and each.filename
    ]
    if not files:
        return _one(visit, 422, errors={"media": "Choose a picture or a video."})
    taken, wrong = 0, []
    for each in files:
        try:
            visit.site.desks.catalogue.upload_media(
                visit.person,
                own,
                each.file.read(),
                each.filename or "",
                product_id=visit.sent("product_id") or None,
                alt=visit.sent("alt"),
            )
            taken += 1
        except InputError as error:
            wrong.append(f"{each.filename}: {error}")
    if wrong:
        told = f"{many(taken, 'file')} taken. " if taken else ""
        return _one(visit, 422, errors={"media": told + " ".join(wrong)})
    return visit.go(f"{PATH}/{own}#media", f"{many(taken, 'file')} taken in.")


def picture(visit: Visit) -> Response:
    """A picture of the catalogue. Kept by the browser for an hour: an id's content stays."""
    content, mime = visit.site.desks.catalogue.media_content(
        visit.person, visit.request.path_params["id"]
    )
    known = mime in ("image/jpeg", "image/png", "image/gif", "image/webp")
    headers = {"Cache-Control": "private, max-age=3600"}
    if not known:
        headers["Content-Disposition"] = "attachment"
    return Response(
        content, media_type=mime if known else "application/octet-stream", headers=headers
    )
