"""Versions of what can be edited: `ETag` out, `If-Match` and `If-None-Match` in."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header, Request
from starlette.responses import Response

from zyenta_ads_pipeline.console.api.problems import ProblemRaised
from zyenta_ads_pipeline.console.api.writing import Json

IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        description="The ETag that was read: what has changed since is not overwritten (412). "
        "`*` for whatever is there.",
        examples=['"4f1d2c3b4a596877"'],
    ),
]


def tag(version: str) -> str:
    """A version as it stands in a header."""
    return f'"{version}"'


def seen(given: str | None) -> str | None:
    """The version in `If-Match`; None where none was given, or `*`."""
    if given is None or given.strip() == "*":
        return None
    return given.strip().removeprefix("W/").strip('"')


def required(given: str | None) -> str | None:
    """The same for an edit, which may not do without. Raises a problem (428)."""
    if given is None:
        raise ProblemRaised(
            428,
            "The header If-Match is missing, so that another's edit could be lost.",
            "Read the thing first and send its ETag as If-Match; or * for whatever is there.",
            field="If-Match",
        )
    return seen(given)


def tagged(request: Request, content: object, version: str) -> Response:
    """A reply with its version; without its body (304) for whoever has that already."""
    own = tag(version)
    known = request.headers.get("if-none-match", "")
    headers = {"ETag": own, "Cache-Control": "private, no-cache"}
    if any(each.strip().removeprefix("W/") == own for each in known.split(",")):
        return Response(status_code=304, headers=headers)
    return Json(content, headers=headers)
