"""The console as one app: the API, its handbook, and the pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response

from zyenta_ads_pipeline.console.api import (
    accounts,
    campaigns,
    catalogue,
    changes,
    creatives,
    docs,
    document,
    metrics,
    orders,
    people,
    runs,
    switches,
)
from zyenta_ads_pipeline.console.api.problems import problem_of
from zyenta_ads_pipeline.console.guard import HEADERS, Guard, is_api
from zyenta_ads_pipeline.console.office import Office
from zyenta_ads_pipeline.console.pages.errors import error_page
from zyenta_ads_pipeline.console.pages.router import make_router, make_site
from zyenta_ads_pipeline.domain.errors import ZyentaError
from zyenta_ads_pipeline.settings import Settings

_SMALL = 1000
"""Bytes below which a reply is not worth compressing."""
_ROUTES = (
    campaigns, orders, creatives, changes, metrics, catalogue, accounts, runs, switches, people,
)  # fmt: skip


def create_app(settings: Settings, names: Collection[str] = ()) -> FastAPI:
    """The whole console on one store, which is opened here and closed as the app ends.

    It answers under the loopback names, those of the settings, and `names`. Raises `StorageError`
    when the store cannot be opened.
    """
    office = Office(settings)

    @asynccontextmanager
    async def living(_: FastAPI) -> AsyncIterator[None]:
        yield
        office.close()

    app = FastAPI(
        title="Zyenta",
        version=version("zyenta-ads-pipeline"),
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        generate_unique_id_function=lambda route: route.name,
        lifespan=living,
        middleware=[
            Middleware(Guard, names={*settings.console_names, *names}, failed=_failed),
            Middleware(GZipMiddleware, minimum_size=_SMALL, compresslevel=3),
        ],
        exception_handlers=dict.fromkeys(
            (Exception, HTTPException, RequestValidationError, ZyentaError), _failed
        ),
    )
    site = make_site(office)
    app.state.office, app.state.pages = office, site
    app.state.desks, app.state.numbers = site.desks, site.numbers
    # Pages first: routes are tried in turn, and there are few of them.
    app.include_router(make_router(office, site))
    for each in _ROUTES:
        app.include_router(each.routes)
    app.include_router(docs.routes)
    app.openapi = lambda: document.describe(app)  # type: ignore[method-assign]
    return app


async def _failed(request: Request, error: Exception) -> Response:
    """What no route has answered: as a problem under /api, else as a page.

    A page reads the store and asks whether Dagster is up, so it is made beside the event loop.
    """
    if is_api(request.url.path):
        reply: Response = problem_of(error, request.url.path)
        if reply.status_code == 405:  # Starlette knows of the first route alone
            own = await run_in_threadpool(_methods, request)
            reply.headers["Allow"] = own or reply.headers.get("Allow", "")
    else:
        words = _in_words(error, request.url.path)
        reply = await run_in_threadpool(error_page, request, *words)
    reply.headers.update(HEADERS)  # a defect is answered outside of the guard
    return reply


def _methods(request: Request) -> str:
    return document.methods_of(request.app.openapi(), request.url.path)


def _in_words(error: Exception, path: str) -> tuple[int, str, str]:
    """An error's status, what it is, and its remedy, as a page tells them."""
    told = problem_of(error, path)
    if isinstance(error, ZyentaError):
        return told.status_code, error.what, error.remedy
    if isinstance(error, HTTPException):
        return error.status_code, str(error.detail), ""
    return told.status_code, "", ""
