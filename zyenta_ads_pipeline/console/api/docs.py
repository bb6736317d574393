"""The API's handbook, made from the OpenAPI document: plain HTML, nothing from other hosts."""

from __future__ import annotations

import json
import re
from typing import Any

from fastapi import APIRouter, Request
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse, JSONResponse, Response

from zyenta_ads_pipeline.console.api.entry import ROLE
from zyenta_ads_pipeline.console.api.problems import TITLES

routes = APIRouter(include_in_schema=False)
_METHODS = ("get", "post", "put", "patch", "delete")
_DEEP = 6
_KEEP = {"Cache-Control": "private, no-cache"}
_pages = Environment(
    loader=PackageLoader("zyenta_ads_pipeline.console.api"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=StrictUndefined,
)


@routes.get("/api/openapi.json")
def document(request: Request) -> Response:
    """The OpenAPI document itself."""
    return JSONResponse(request.app.openapi(), headers=_KEEP)


@routes.get("/api/docs")
def handbook(request: Request) -> Response:
    """The handbook; made once."""
    state = request.app.state
    if not hasattr(state, "handbook"):
        state.handbook = _handbook(request.app.openapi())
    return HTMLResponse(state.handbook, headers=_KEEP)


@routes.get("/api/docs.css")
def style() -> Response:
    """Its style."""
    text = _pages.get_template("docs.css").render()
    return Response(text, media_type="text/css", headers={"Cache-Control": "public, max-age=3600"})


def _handbook(document: dict[str, Any]) -> str:
    groups: dict[str, list[dict[str, Any]]] = {
        each["name"]: [] for each in document.get("tags", [])
    }
    for path, methods in document["paths"].items():
        for method in _METHODS:
            if method in methods:
                told = _operation(document, path, method, methods[method])
                groups.setdefault(told["tag"], []).append(told)
    return _pages.get_template("docs.html").render(
        title=document["info"]["title"],
        version=document["info"]["version"],
        about=_words(document["info"]["description"]),
        tags={each["name"]: each["description"] for each in document.get("tags", [])},
        groups=groups,
        problems=TITLES,
    )


def _operation(
    document: dict[str, Any], path: str, method: str, operation: dict[str, Any]
) -> dict[str, Any]:
    body = operation.get("requestBody", {}).get("content", {})
    replies = [
        {
            "status": status,
            "told": response.get("description", ""),
            "problem": int(status) >= 400,
            "schema": _first_schema(document, response.get("content", {})),
        }
        for status, response in sorted(operation["responses"].items(), key=lambda one: str(one[0]))
    ]
    return {
        "tag": (operation.get("tags") or ["other"])[0],
        "method": method.upper(),
        "path": path,
        "id": operation["operationId"],
        "summary": operation.get("summary", ""),
        "about": _words(operation.get("description", "")),
        "role": operation.get(ROLE, ""),
        "parameters": [_parameter(document, each) for each in operation.get("parameters", [])],
        "bodies": {kind: _shape(document, told.get("schema", {})) for kind, told in body.items()},
        "replies": replies,
        "example": _example(document, path, method, operation),
    }


def _parameter(document: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    schema = given.get("schema", {})
    return {
        "name": given["name"],
        "place": given["in"],
        "required": given.get("required", False),
        "type": _type(document, schema),
        "default": schema.get("default"),
        "told": _words(given.get("description") or _any(schema, "description") or ""),
    }


def _first_schema(document: dict[str, Any], content: dict[str, Any]) -> list[dict[str, Any]]:
    for told in content.values():
        return _shape(document, told.get("schema", {}))
    return []


def _shape(
    document: dict[str, Any], schema: dict[str, Any], before: str = "", deep: int = 0
) -> list[dict[str, Any]]:
    """A schema's fields as rows, those of what it holds below them."""
    schema = _seen(document, schema)
    if deep > _DEEP:
        return []
    if schema.get("type") == "array":
        return _shape(document, schema.get("items", {}), f"{before}[]", deep + 1)
    rows: list[dict[str, Any]] = []
    required = schema.get("required", ())
    for name, own in schema.get("properties", {}).items():
        place = f"{before}.{name}" if before else name
        inner = _seen(document, own)
        rows.append(
            {
                "name": place,
                "required": name in required,
                "type": _type(document, own),
                "told": _words(inner.get("description", "")),
            }
        )
        rows += _shape(document, inner, place, deep + 1)
    return rows


def _seen(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """What a schema refers to; of several the first that is something."""
    while True:
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            schema = document["components"]["schemas"].get(name, {})
        elif len(schema.get("allOf", ())) == 1:
            schema = {**schema["allOf"][0], **{k: v for k, v in schema.items() if k != "allOf"}}
        elif some := [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]:
            more = {k: v for k, v in schema.items() if k not in ("anyOf", "$ref")}
            schema = {**some[0], **more} if "$ref" not in some[0] else some[0]
        else:
            return schema


def _type(document: dict[str, Any], schema: dict[str, Any]) -> str:
    """A type in a few words: `number, 10 to 10000`, `text or null`."""
    maybe = any(one.get("type") == "null" for one in schema.get("anyOf", ()))
    seen = _seen(document, schema)
    words = str(seen.get("type", "any"))
    words = {"string": "text", "integer": "whole number", "boolean": "true or false"}.get(
        words, words
    )
    if "enum" in seen:
        words = ", ".join(str(each) for each in seen["enum"])
    elif seen.get("type") == "array":
        words = f"list of {_type(document, seen.get('items', {}))}"
    elif seen.get("format"):
        words = {"date-time": "moment", "date": "day", "binary": "file"}.get(seen["format"], words)
    low, high = seen.get("minimum"), seen.get("maximum")
    if low is not None and high is not None:
        words += f", {round(low):,} to {round(high):,}"
    elif low is not None:
        words += f", from {round(low):,}"
    return f"{words} or null" if maybe else words


def _example(document: dict[str, Any], path: str, method: str, operation: dict[str, Any]) -> str:
    """A call that can be pasted into a terminal."""
    lines = [f"curl -X {method.upper()} http://127.0.0.1:8003{path}"]
    lines.append("-H 'Authorization: Bearer TOKEN'")
    needs = {each["name"] for each in operation.get("parameters", ())}
    if "If-Match" in needs and method != "post":
        lines.append("""-H 'If-Match: "4f1d2c3b4a596877"'""")
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" in content:
        told = content["application/json"]
        body = told.get("example") or _sample(document, told.get("schema", {}))
        lines.append("-H 'Content-Type: application/json'")
        lines.append(f"-d '{json.dumps(body)}'")
    elif "multipart/form-data" in content:
        lines.append("-F file=@picture.jpg")
    return " \\\n  ".join(lines)


def _sample(document: dict[str, Any], schema: dict[str, Any]) -> Any:
    """A body made of the examples of what is required."""
    seen = _seen(document, schema)
    if "properties" not in seen:
        return (seen.get("examples") or [{}])[0]
    return {
        name: _any(own, "examples")[0]
        for name, own in seen["properties"].items()
        if _any(own, "examples")
    }


def _any(schema: dict[str, Any], name: str) -> Any:
    """A word of a schema, or of the first of several that has it."""
    parts = [schema, *schema.get("anyOf", ())]
    return next((part[name] for part in parts if part.get(name)), None)


def _words(text: str) -> Markup:
    """A text's paragraphs, `code` and **weight**; everything else stays as it is written."""
    paragraphs = [str(escape(part.strip())) for part in text.split("\n\n") if part.strip()]
    told = "".join(f"<p>{part}</p>" for part in paragraphs)
    told = re.sub(r"`([^`]+)`", r"<code>\1</code>", told)
    return Markup(re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", told))  # noqa: S704 - escaped
