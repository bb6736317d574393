"""Errors as RFC 9457 problem details: what is wrong, in which field, and how to mend it."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from zyenta_ads_pipeline.console.api.writing import ProblemJson
from zyenta_ads_pipeline.domain.errors import (
    FieldsRefused,
    IllegalTransition,
    InProgress,
    InputError,
    NotAllowed,
    NotDecidable,
    NotSignedIn,
    NotThere,
    PlatformError,
    Stale,
    TakenAlready,
    TooManyTries,
    ZyentaError,
)

log = logging.getLogger(__name__)

TITLES = {
    400: "The request cannot be read",
    401: "Not signed in",
    403: "Not allowed",
    404: "Not there",
    405: "Not a method of this address",
    406: "Not a type that is served",
    409: "Not as things stand",
    412: "Changed meanwhile",
    413: "Too large",
    415: "Not a type that is understood",
    421: "Not the address of this console",
    422: "Not as asked for",
    428: "A condition is missing",
    429: "Too many attempts",
    500: "A defect of ours",
    502: "The platform did not do it",
    503: "Not able to at the moment",
}
_NOTHING = {
    404: "There is nothing at this address.",
    405: "This address does not take that method.",
    413: "The body is larger than is taken here.",
}
_REMEDIES = {
    404: "Look at /api/docs for the addresses there are.",
    405: "Look at /api/docs for what this address does.",
    413: "Send less at once.",
    500: "Try again; if it stays, send the console's log to its maintainers.",
}
_STATUS: tuple[tuple[type[ZyentaError], int], ...] = (
    (NotSignedIn, 401),
    (NotAllowed, 403),
    (NotThere, 404),
    (Stale, 412),
    (TakenAlready, 409),
    (InProgress, 409),
    (IllegalTransition, 409),
    (NotDecidable, 409),
    (InputError, 422),
    (TooManyTries, 429),
    (PlatformError, 502),
)
"""The first that fits; what is none of them is the installation's trouble: 503."""
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="zyenta"'}


class FieldProblem(BaseModel):
    """One thing that is wrong, and its remedy."""

    field: str = Field(description="Parameter, or place in the body; empty: the request.")
    message: str
    remedy: str


class Problem(BaseModel):
    """An error as RFC 9457 has it, with what to do about each part of it."""

    type: str = Field(description="Address of the kind of problem.")
    title: str
    status: int
    detail: str
    instance: str = Field(description="The address that was asked.")
    errors: list[FieldProblem]

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "type": "/api/docs#problem-422",
                    "title": TITLES[422],
                    "status": 422,
                    "detail": "A daily budget of 500 JPY is too small. "
                    "Choose 1,000 to 10,000,000 JPY a day.",
                    "instance": "/api/v1/ads/campaigns/create",
                    "errors": [
                        {
                            "field": "daily_budget",
                            "message": "A daily budget of 500 JPY is too small.",
                            "remedy": "Choose 1,000 to 10,000,000 JPY a day.",
                        }
                    ],
                }
            ]
        }
    }


class ProblemRaised(Exception):
    """A problem on its way to its reply."""

    def __init__(
        self,
        status: int,
        message: str,
        remedy: str,
        *,
        field: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.status = status
        self.errors = [FieldProblem(field=field, message=message, remedy=remedy)]
        self.headers = dict(headers or {})
        super().__init__(f"{message} {remedy}")


def reply(
    status: int,
    errors: Sequence[FieldProblem],
    *,
    instance: str,
    headers: Mapping[str, str] | None = None,
) -> ProblemJson:
    """A problem as a response."""
    said = " ".join(f"{each.message} {each.remedy}".strip() for each in errors)
    body = {
        "type": f"/api/docs#problem-{status}",
        "title": TITLES.get(status, "Refused"),
        "status": status,
        "detail": said,
        "instance": instance,
        "errors": [each.model_dump() for each in errors],
    }
    return ProblemJson(body, status_code=status, headers=dict(headers or {}))


def problem_of(error: Exception, instance: str, field: str = "") -> ProblemJson:
    """Any error as a problem. What is no user's to mend is logged, and told without its words.

    `field` is what was asked about, for an error that names none itself.
    """
    if isinstance(error, ProblemRaised):
        return reply(error.status, error.errors, instance=instance, headers=error.headers)
    if isinstance(error, RequestValidationError):
        return _of_validation(error, instance)
    if isinstance(error, HTTPException):
        told = FieldProblem(
            field="",
            message=_NOTHING.get(error.status_code, f"{str(error.detail).rstrip('.')}."),
            remedy=_REMEDIES.get(error.status_code, "Look at /api/docs."),
        )
        return reply(error.status_code, [told], instance=instance, headers=error.headers)
    if isinstance(error, ZyentaError):
        return _of_ours(error, instance, field)
    log.error("A defect at %s", instance, exc_info=error)
    told = FieldProblem(
        field="", message="The console failed over a defect of its own.", remedy=_REMEDIES[500]
    )
    return reply(500, [told], instance=instance)


def status_of(error: ZyentaError) -> int:
    """The HTTP status of an error of ours."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 503)


def _of_ours(error: ZyentaError, instance: str, field: str) -> ProblemJson:
    status, headers = status_of(error), {}
    if status == 401:
        headers = dict(_CHALLENGE)
    if isinstance(error, TooManyTries):
        headers["Retry-After"] = str(error.wait_seconds)
    if isinstance(error, InProgress):
        headers["Retry-After"] = "1"
    about = field if isinstance(error, InputError) else ""
    told = [FieldProblem(field=about, message=error.what, remedy=error.remedy)]
    if isinstance(error, FieldsRefused):
        told = [
            FieldProblem(field=each.field, message=each.what, remedy=each.remedy)
            for each in error.problems
        ]
    if status >= 500:
        log.warning("%s answered %s: %s", instance, status, error)
    return reply(status, told, instance=instance, headers=headers)


def _of_validation(error: RequestValidationError, instance: str) -> ProblemJson:
    found = error.errors()
    unreadable = any(each["type"] == "json_invalid" for each in found)
    told = [_field_problem(each) for each in found]
    return reply(400 if unreadable else 422, told, instance=instance)


def _field_problem(error: Mapping[str, Any]) -> FieldProblem:
    kind, context = str(error["type"]), dict(error.get("ctx") or {})
    place = [str(part) for part in error["loc"]]
    field = ".".join(place[1:]) if len(place) > 1 else ("" if place == ["body"] else place[0])
    name = field or "The body"
    if kind == "json_invalid":
        at = f"at character {error['loc'][-1]}: {context.get('error', 'it is none')}"
        return FieldProblem(
            field="",
            message=f"The body is no JSON, {at}.",
            remedy="Send one JSON object, with Content-Type: application/json.",
        )
    given = _shown(error.get("input"))
    words = _WORDS.get(kind)
    if words is None:
        said = str(error["msg"]).removeprefix("Value error, ").rstrip(".")
        message, remedy = f"{name}: {said}.", f"See /api/docs for what {name} may be."
    else:
        values = _Named(context, name=name, given=given)
        message, remedy = (each.format_map(values) for each in words)
    return FieldProblem(field=field, message=message, remedy=remedy)


class _Named(dict[str, Any]):
    """What a sentence may name; what Pydantic does not tell is left open."""

    def __missing__(self, key: str) -> str:
        return "?"


def _shown(value: Any) -> str:
    """A given value, short enough for a sentence."""
    text = str(value) if value is not None else "nothing"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


_LONGEST = 60
_WORDS = {
    "missing": ("{name} is missing.", "Give {name}."),
    "greater_than_equal": ("{name} is {given}, and the least is {ge}.", "Give {ge} or more."),
    "less_than_equal": ("{name} is {given}, and the most is {le}.", "Give {le} or less."),
    "greater_than": ("{name} is {given}, and must be above {gt}.", "Give more than {gt}."),
    "less_than": ("{name} is {given}, and must be below {lt}.", "Give less than {lt}."),
    "enum": ("{name} is {given}, which it cannot be.", "Give one of {expected}."),
    "literal_error": ("{name} is {given}, which it cannot be.", "Give {expected}."),
    "decimal_parsing": ("{name} is {given}, which is no number.", "Write it like 50 or 49.90."),
    "decimal_type": ("{name} is {given}, which is no number.", "Write it like 50 or 49.90."),
    "finite_number": ("{name} is {given}, which is no amount.", "Write it like 50 or 49.90."),
    "int_parsing": ("{name} is {given}, which is no whole number.", "Write it like 7."),
    "int_type": ("{name} is {given}, which is no whole number.", "Write it like 7."),
    "int_from_float": ("{name} is {given}, which is no whole number.", "Write it like 7."),
    "bool_parsing": ("{name} is {given}, which is neither yes nor no.", "Give true or false."),
    "bool_type": ("{name} is {given}, which is neither yes nor no.", "Give true or false."),
    "date_from_datetime_parsing": (
        "{name} is {given}, which is no day.", "Write it like 2026-11-20.",
    ),
    "string_too_short": ("{name} is too short.", "Give at least {min_length} characters."),
    "string_too_long": ("{name} is too long.", "Give at most {max_length} characters."),
    "string_type": ("{name} is {given}, which is no text.", "Write it in quotes."),
    "string_pattern_mismatch": (
        "{name} is {given}, which it cannot be.", "Write it so that it fits {pattern}.",
    ),
    "extra_forbidden": ("{name} is not known here.", "Leave it out; is it misspelt?"),
    "too_short": ("{name} holds too few.", "Give at least {min_length}."),
    "too_long": ("{name} holds too many.", "Give at most {max_length}."),
    "list_type": ("{name} is no list.", "Write it in brackets: […]."),
    "model_attributes_type": (
        "The body is no JSON object.",
        "Send one JSON object, with Content-Type: application/json.",
    ),
    "dict_type": ("{name} is no JSON object.", "Write it in braces: {{…}}."),
}  # fmt: skip
"""What Pydantic finds, in a sentence, and its remedy."""
