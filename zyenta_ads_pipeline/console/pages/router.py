"""All pages of the console, as one router for the app."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from zyenta_ads_pipeline.console.office import Office
from zyenta_ads_pipeline.console.pages import (
    access,
    accounts,
    campaign,
    campaign_acts,
    campaigns,
    catalogue,
    changes,
    create,
    doors,
    launches,
    settings,
)
from zyenta_ads_pipeline.console.pages.pictures import static, static_files
from zyenta_ads_pipeline.console.pages.site import Site
from zyenta_ads_pipeline.domain.errors import NotThere

_A_YEAR = "public, max-age=31536000, immutable"


def make_site(office: Office) -> Site:
    """What the pages share; `error_page` looks for it in the app's state, as `pages`."""
    return Site(office)


def make_router(office: Office, site: Site | None = None) -> APIRouter:
    """The pages and their files."""
    site = site or make_site(office)
    made: list[BaseRoute] = [
        Route("/", _home, methods=["GET"]),
        Route("/favicon.ico", _favicon, methods=["GET"]),
        Route("/static/{mark}/{name}", _static, methods=["GET"]),
    ]
    rooms = (doors, campaigns, create, launches, campaign, campaign_acts, changes, accounts,
             settings, access, catalogue)  # fmt: skip
    for room in rooms:
        made += room.routes(site)
    return APIRouter(routes=made)


async def _home(request: Request) -> Response:
    return RedirectResponse("/campaigns", status_code=303)


async def _favicon(request: Request) -> Response:
    return RedirectResponse(static("icon.svg"), status_code=301)


async def _static(request: Request) -> Response:
    """A file by its address; an old address still gives the file, but is not kept."""
    name, mark = request.path_params["name"], request.path_params["mark"]
    found = static_files().get(name)
    if found is None:
        raise NotThere(f"There is no file {name!r}.", "")
    keep = _A_YEAR if mark == found.mark else "no-cache"
    return Response(found.content, media_type=found.kind, headers={"Cache-Control": keep})
