"""What routes declare besides their own reply: problems, headers, roles."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from zyenta_ads_pipeline.console.api.entry import DOOR, ROLE, ApiRoute
from zyenta_ads_pipeline.console.api.problems import TITLES
from zyenta_ads_pipeline.domain.access import Role

PREFIX = "/api/v1/ads"
Responses = dict[int | str, dict[str, Any]]
_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_ALWAYS = (400, 401, 403, 421, 422, 429, 500, 503)
_EXPLAINED = {
    400: "The body cannot be read.",
    401: "No good token, and no good session.",
    403: "The role does not reach; the reply names the one that does.",
    404: "There is nothing of that id.",
    409: "Not as things stand: decided otherwise, or still being done.",
    412: "It has changed since it was read.",
    413: "The body is too large.",
    421: "Another host name than the console's.",
    422: "Something is missing or cannot be used; each field is named, with its remedy.",
    428: "An edit without If-Match.",
    429: "Too many failed tries to come in.",
    500: "A defect.",
    503: "Something that is needed does not answer: the store, or Dagster.",
}


def problems(*statuses: int) -> Responses:
    """The problems of a route: those that each has, and these."""
    found = sorted({*_ALWAYS, *statuses})
    return {
        status: {"description": _EXPLAINED.get(status, TITLES[status]), "content": _PROBLEM}
        for status in found
    }


def acting(*statuses: int) -> Responses:
    """The problems of a route that does something."""
    return problems(404, 409, 413, *statuses)


def takes(role: Role) -> dict[str, Any]:
    """Says which role a route takes, to the door and to the document."""
    return {ROLE: role.value}


BUYER, ADMIN = takes(Role.BUYER), takes(Role.ADMIN)


def router(tag: str) -> APIRouter:
    """A router of the API."""
    return APIRouter(prefix=PREFIX, tags=[tag], route_class=ApiRoute, dependencies=DOOR)
