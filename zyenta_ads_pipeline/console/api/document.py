"""The OpenAPI document: what FastAPI says of the routes, and what holds for all of them."""

from __future__ import annotations

import re
from threading import Lock
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from zyenta_ads_pipeline.console.api.entry import (
    KEY_HEADER,
    REPLAYED,
    ROLE,
    SECRET,
)
from zyenta_ads_pipeline.console.api.problems import FieldProblem, Problem
from zyenta_ads_pipeline.domain.access import Role
from zyenta_ads_pipeline.store.replies import LONGEST_KEY

DESCRIPTION = """\
Everything that the console's pages do, for programs.

**Come in** with `Authorization: Bearer TOKEN`; `zyenta token issue NAME --role buyer` makes one. A
viewer looks, a buyer acts, an admin sets rules and issues tokens.

**Writes are orders.** What concerns the ad platform is put into the store and carried out by the
running pipeline. The reply holds the order and where to look how far it is;
`Prefer: wait=20` waits for it.

**Ask twice, do once.** Every POST takes an `Idempotency-Key`: asked again with it, the first reply
comes back.

**Nobody's edit is lost.** What can be edited carries an `ETag`; PATCH, PUT and DELETE need it as
`If-Match`.

**Errors** are problem details (RFC 9457). `errors` names each field, what is wrong with it, and the
remedy.

**Money** is in major units of `currency`, exact to its smallest unit. Moments are UTC, days the ad
account's own. Parameters are snake_case, fields of replies camelCase.
"""
TAGS = (
    ("campaigns", "Ask for campaigns, look at them, switch them on and off."),
    ("creatives", "What a campaign's ads say and show."),
    ("changes", "Proposed changes of budgets: approve, edit, reject, undo."),
    ("metrics", "Numbers over time, decisions, tests, forecasts."),
    ("orders and requests", "How far is what was asked for."),
    ("stores", "Stores, their products and media."),
    ("accounts", "Ad accounts, their health and rules."),
    ("runs", "Runs of the pipeline."),
    ("kill switch", "Stop all writing."),
    ("people", "Tokens, and who did what."),
)
_KEY = {
    "name": KEY_HEADER,
    "in": "header",
    "required": False,
    "description": "Of your own, such as a UUID. Asked again with it and the same body within a "
    f"day, the first reply comes back with `{REPLAYED}: true`, and nothing is done twice. With "
    "another body it is refused (422), while the first is still being answered too (409).",
    "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY},
    "example": "5f0c7c1e-6a39-4a41-9d0f-3c2c5d3b7a10",
}


_making = Lock()


def describe(app: FastAPI) -> dict[str, Any]:
    """The app's document; made once, which takes a second or two: never in the event loop."""
    with _making:
        if app.openapi_schema is None:
            found = get_openapi(
                title=app.title,
                version=app.version,
                description=DESCRIPTION,
                routes=app.routes,
                tags=[{"name": name, "description": told} for name, told in TAGS],
            )
            _finish(found)
            app.openapi_schema = found
        return app.openapi_schema


def methods_of(document: dict[str, Any], path: str) -> str:
    """Every method that an address takes, as the header Allow has them."""
    found: set[str] = set()
    for template, methods in document["paths"].items():
        if re.fullmatch(re.sub(r"\\{[^}]+\\}", "[^/]+", re.escape(template)), path):
            found |= {method.upper() for method in methods}
    return ", ".join(sorted(found))


def _finish(document: dict[str, Any]) -> None:
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for model in (Problem, FieldProblem):
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schema.pop("$defs", None)
        schemas[model.__name__] = schema
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for schema in schemas.values():
        if "enum" in schema:
            schema.pop("description", None)  # it is for who reads the code
    for path in document["paths"].values():
        for method, operation in path.items():
            _finish_operation(method, operation)


def _finish_operation(method: str, operation: dict[str, Any]) -> None:
    role = operation.setdefault(ROLE, Role.VIEWER.value)
    told = operation.get("description", "")
    operation["description"] = f"{told}\n\nTakes the role {role}.".strip()
    for given in operation.get("parameters", ()):
        given["schema"] = _without_null(given["schema"])
    for content in operation.get("requestBody", {}).get("content", {}).values():
        content["schema"] = _without_null(content["schema"])
    for status, response in operation["responses"].items():
        if response.get("description") == "Successful Response":
            response["description"] = "Made." if str(status) == "201" else "As asked."
    if method == "post" and not operation.get(SECRET):
        operation.setdefault("parameters", []).append(_KEY)
        for status, response in operation["responses"].items():
            if str(status).startswith("2"):
                response.setdefault("headers", {})[REPLAYED] = {
                    "description": "`true`: the reply of the first time.",
                    "schema": {"type": "string"},
                }


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """What may be left out is not sent as null: there is none in a query or a header."""
    some = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    if len(some) != 1:
        return schema
    rest = {name: value for name, value in schema.items() if name != "anyOf"}
    found: dict[str, Any] = some[0] if "$ref" in some[0] else rest | some[0]
    return found
