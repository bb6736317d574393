"""Stores, their products and media: listed, added, imported, uploaded."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import File, Form, Path, Query, Request, UploadFile
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile as Uploaded
from starlette.responses import Response

from zyenta_ads_pipeline.console.api import catalogue_shapes as shapes
from zyenta_ads_pipeline.console.api.declared import (
    ADMIN,
    BUYER,
    PREFIX,
    acting,
    problems,
    router,
)
from zyenta_ads_pipeline.console.api.entry import Me, TheDesks
from zyenta_ads_pipeline.console.api.problems import ProblemRaised
from zyenta_ads_pipeline.console.api.shapes import Body, PageNumber, PageSize, page_of
from zyenta_ads_pipeline.console.api.writing import Json
from zyenta_ads_pipeline.console.desks.catalogue import NewStore

routes = router("stores")
StoreId = Annotated[str, Path(min_length=1, max_length=50)]
AssetId = Annotated[str, Path(min_length=1, max_length=200)]
_KINDS = {"application/json": "catalogue.json", "text/csv": "catalogue.csv"}
_Word = Annotated[str, Field(min_length=1, max_length=100)]


class NewStoreBody(Body):
    """A store to be added."""

    name: str = Field(min_length=1, max_length=200, examples=["Trail Shop"])
    domain: str = Field(min_length=1, max_length=253, examples=["trail.example.com"])
    niche: str = Field("", max_length=100, examples=["outdoor"])
    countries: list[_Word] = Field(
        default_factory=lambda: ["US"], min_length=1, max_length=250, examples=[["DE", "AT"]]
    )
    currency: str = Field("USD", min_length=3, max_length=3)
    id: str = Field("", max_length=50, description="Left out: made from the name.")
    age_min: int = Field(18, ge=13, le=65)
    age_max: int = Field(65, ge=13, le=65)
    interests: list[_Word] = Field(default_factory=list, max_length=50)
    advantage_audience: bool = False


@routes.get("/stores", response_model=shapes.Stores, responses=problems(), summary="List stores")
def list_stores(me: Me, desks: TheDesks) -> Response:
    """All stores, the oldest first, with what they are connected to."""
    return Json({"stores": [shapes.store(each) for each in desks.catalogue.stores(me)]})


@routes.post(
    "/stores",
    response_model=shapes.Store,
    status_code=201,
    responses=acting(),
    openapi_extra=ADMIN,
    summary="Add a store",
)
def add_store(body: NewStoreBody, me: Me, desks: TheDesks) -> Response:
    """Adds a store. To connect it to an ad account a terminal is needed: `zyenta connect`."""
    made = desks.catalogue.add_store(me, NewStore(**body.model_dump()))
    content = shapes.store(desks.catalogue.store(me, made.id))
    return Json(content, status_code=201, headers={"Location": f"{PREFIX}/stores/{made.id}"})


@routes.get(
    "/stores/{store_id}",
    response_model=shapes.Store,
    responses=problems(404),
    summary="Look at a store",
)
def get_store(store_id: StoreId, me: Me, desks: TheDesks) -> Response:
    """One store."""
    return Json(shapes.store(desks.catalogue.store(me, store_id)))


@routes.get(
    "/stores/{store_id}/products",
    response_model=shapes.Products,
    responses=problems(404),
    summary="List products",
)
def list_products(
    store_id: StoreId,
    me: Me,
    desks: TheDesks,
    search: Annotated[str, Query(max_length=200)] = "",
    page: PageNumber = 1,
    per_page: PageSize = 50,
) -> Response:
    """A store's products whose title or id holds `search`, in the order of the catalogue."""
    found = desks.catalogue.products(me, store_id, text=search, page=page, size=per_page)
    return Json(page_of(found) | {"products": shapes.products(found)})


_CATALOGUE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "A catalogue: a JSON list of products, a CSV file, or either as the part "
        "`file` of a form. docs/catalogue.md lists the columns.",
        "content": {
            "application/json": {
                "schema": {"type": "array", "items": {"type": "object"}},
                "example": [
                    {"id": "101", "title": "Trail Shoes", "price": "89.90", "url": "/products/101"}
                ],
            },
            "text/csv": {
                "schema": {"type": "string"},
                "example": "id,title,price,url\n101,Trail Shoes,89.90,/products/101\n",
            },
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            },
        },
    }
}


@routes.post(
    "/stores/{store_id}/products",
    response_model=shapes.Import,
    responses=acting(415),
    openapi_extra=BUYER | _CATALOGUE,
    summary="Import products",
)
async def import_products(store_id: StoreId, request: Request, me: Me, desks: TheDesks) -> Response:
    """Reads a catalogue into a store, at most 20 MB. A row that cannot be used is refused by
    itself, with its remedy; the others are stored."""
    content, name = await _catalogue(request)
    read = await run_in_threadpool(desks.catalogue.import_products, me, store_id, content, name)
    return Json(shapes.imported(read))


@routes.get(
    "/stores/{store_id}/media",
    response_model=shapes.MediaList,
    responses=problems(404),
    summary="List media",
)
def list_media(store_id: StoreId, me: Me, desks: TheDesks) -> Response:
    """All pictures and videos of a store."""
    found = desks.catalogue.media(me, store_id)
    return Json({"media": [shapes.asset(each, _content(each.id)) for each in found]})


@routes.post(
    "/stores/{store_id}/media",
    response_model=shapes.Media,
    status_code=201,
    responses=acting(),
    openapi_extra=BUYER,
    summary="Upload a picture or video",
)
async def upload_media(
    store_id: StoreId,
    me: Me,
    desks: TheDesks,
    file: Annotated[UploadFile, File(description="JPEG, PNG, WebP, GIF, MP4 or QuickTime.")],
    product_id: Annotated[str | None, Form(max_length=100)] = None,
    alt: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Takes in a picture (at most 30 MB) or a video (at most 200 MB), looked at as a launch does.
    The same content gives the same asset."""
    content = await file.read()
    made = await run_in_threadpool(
        desks.catalogue.upload_media,
        me,
        store_id,
        content,
        file.filename or "upload",
        product_id=product_id or None,
        alt=alt,
    )
    return Json(shapes.asset(made, _content(made.id)), status_code=201)


@routes.get(
    "/media/{asset_id}/content",
    response_class=Response,
    responses={
        200: {
            "description": "The picture's or video's bytes.",
            "content": {
                kind: {"schema": {"type": "string", "format": "binary"}}
                for kind in ("image/*", "video/*")
            },
        },
        **problems(404),
    },
    summary="Get a picture or video",
)
def get_media(asset_id: AssetId, me: Me, desks: TheDesks) -> Response:
    """The bytes of a file on this machine."""
    content, mime = desks.catalogue.media_content(me, asset_id)
    return Response(content, media_type=mime, headers={"Cache-Control": "private, max-age=3600"})


async def _catalogue(request: Request) -> tuple[bytes, str]:
    """The catalogue that was sent, and a name that tells its kind."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in _KINDS:
        return await request.body(), _KINDS[kind]
    if kind != "multipart/form-data":
        raise ProblemRaised(
            415,
            f"A catalogue is not read from {kind[:60] or 'a body of no type'}.",
            "Send application/json, text/csv, or a form with the part `file`.",
            field="Content-Type",
        )
    form = await request.form()
    file = form.get("file")
    if not isinstance(file, Uploaded):
        raise ProblemRaised(422, "file is missing.", "Give the catalogue as file.", field="file")
    return await file.read(), file.filename or "catalogue.csv"


def _content(asset_id: str) -> str:
    return f"{PREFIX}/media/{asset_id}/content"
