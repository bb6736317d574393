"""Replies as JSON: money and ratios with exactly their digits, moments in UTC."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from starlette.responses import Response

from zyenta_ads_pipeline.domain.money import offset

Number = int | float
EXACT_MINOR = 10**15
"""Below it an amount in cents is one number of JSON and back again, digit by digit."""


class Json(Response):
    """A reply of plain values, written at once and not looked at row by row.

    What it may hold is declared beside each route, and the tests hold the two together.
    """

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return dumps(content).encode()


class Written(Response):
    """A reply whose JSON is written already."""

    media_type = "application/json"


class ProblemJson(Json):
    """A problem's reply."""

    media_type = "application/problem+json"


def amount(minor: int, currency: str) -> Number:
    """An amount in major units: 4990 cents give 49.9.

    The shortest digits that mean the same number are the amount's own, since there are at most
    fifteen; so nothing like 49.900000000000006 is ever written.
    """
    if offset(currency) == 1:
        return minor
    if abs(minor) >= EXACT_MINOR:
        return minor // 100
    return minor / 100


def optional_amount(minor: int | None, currency: str) -> Number | None:
    """The same, where there may be none."""
    return None if minor is None else amount(minor, currency)


def number(value: Decimal | float | None) -> Number | None:
    """A ratio, an estimate or an amount as a number, to a millionth; None where there is none."""
    return None if value is None else round(float(value), 6)


def moment(value: datetime | None) -> str | None:
    """`2026-11-20T12:00:00Z`."""
    if value is None:
        return None
    if value.tzinfo is not UTC:
        value = value.astimezone(UTC)
    return f"{value.isoformat()[:-6]}Z"


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset | tuple):
        return list(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


dumps = partial(
    json.dumps, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain
)
"""Compact JSON text; a number that is none is refused rather than written."""
