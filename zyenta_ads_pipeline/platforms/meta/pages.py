"""A page of insights: from the bytes of a reply to a typed frame, without an object for each row.

Polars reads the JSON into a declared schema; all fields are texts, so that numbers keep the digits
they came with. What does not fit the schema is looked at a second time, slowly, to name what is
wrong with it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import polars as pl
from polars.exceptions import PolarsError

from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.errors import IncompleteData
from zyenta_ads_pipeline.domain.insights import ATTRIBUTION_WINDOWS, PLAIN, STATS, Report
from zyenta_ads_pipeline.platforms.base import InsightsPage
from zyenta_ads_pipeline.platforms.meta.replies import RawReply, json_value, next_cursor, refusal

_VALUES = ("value", *ATTRIBUTION_WINDOWS)
_ITEM = pl.Struct({name: pl.String() for name in ("action_type", *_VALUES)})
_PAGING = pl.Struct({"cursors": pl.Struct({"after": pl.String()}), "next": pl.String()})
_ENDS = b" \t\r\n\xef\xbb\xbf"
_SECRET = re.compile(rb"(access_token|appsecret_proof)(=|\\u003d|%3D)[^&\"\\]*", re.IGNORECASE)
_REMEDY = "Nothing of it was stored; run it again."


@dataclass(frozen=True)
class _Decoded:
    rows: pl.DataFrame
    paging: Mapping[str, Any] | None


def report_fields(report: Report) -> tuple[str, ...]:
    """The fields that a report asks for and its pages have, in order; the key's are among them."""
    setting = ("attribution_setting",) if _has_setting(report) else ()
    asked = (
        *report.id_fields,
        "date_start",
        "date_stop",
        *report.preset.breakdowns,
        *report.fields,
        *setting,
    )
    return tuple(dict.fromkeys(asked))


def read_reply(raw: RawReply, report: Report, request: str) -> InsightsPage:
    """The page that a reply holds; `request` describes the call for the archive.

    Raises the typed error that the reply is, if it is one, `Transient` for one that is not JSON,
    and `IncompleteData` for JSON that is not a page of this report.
    """
    found = _frame(raw.content, report) if raw.is_success else None
    if found is None:
        body = json_value(raw.content)
        if not isinstance(body, dict) or body.get("error") is not None or not raw.is_success:
            raise refusal(raw, body)
        found = _second_look(body, report, request)
    return _page(found, report, kept_body(raw.content), raw.at, request)


def read_archived(
    report: Report, body: bytes, *, observed_at: datetime, request: str
) -> InsightsPage:
    """The page of a reply kept by `kept_body`. Raises `IncompleteData` for what is no page."""
    found = _frame(body, report)
    if found is None:
        value = json_value(body)
        if not isinstance(value, dict) or value.get("error") is not None:
            raise IncompleteData(f"The kept reply to {request} is not a page of insights.", _REMEDY)
        found = _second_look(value, report, request)
    return _page(found, report, body, observed_at, request)


def kept_body(content: bytes) -> bytes:
    """A reply for the archive: one line, without the secrets that a link may carry."""
    if b"\n" in content or b"\r" in content:
        content = content.replace(b"\r", b" ").replace(b"\n", b" ")  # JSON texts hold neither
    query = content.find(b"?")  # rows hold no links as a rule: only what follows is searched
    if query >= 0 and _SECRET.search(content, query):
        content = content[:query] + _SECRET.sub(rb"\1\2***", content[query:])
    return content


def _page(
    found: _Decoded, report: Report, body: bytes, observed_at: datetime, request: str
) -> InsightsPage:
    return InsightsPage(
        report=report,
        rows=found.rows,
        after=next_cursor(found.paging, f"The page {request}"),
        body=body,
        observed_at=observed_at,
        request=request,
    )


def _has_setting(report: Report) -> bool:
    return report.preset == PLAIN and report.level in (Level.ADSET, Level.AD)


@lru_cache(maxsize=64)
def _schema(fields: tuple[str, ...]) -> pl.Schema:
    row = {field: pl.List(_ITEM) if field in STATS else pl.String() for field in fields}
    return pl.Schema({"data": pl.List(pl.Struct(row)), "paging": _PAGING, "error": pl.String()})


def _frame(content: bytes, report: Report) -> _Decoded | None:
    """Rows and paging of a page; None for whatever is not one."""
    if not content.lstrip(_ENDS).startswith(b"{"):
        return None  # Polars takes a list for several objects
    fields = report_fields(report)
    try:
        whole = pl.read_json(content, schema=_schema(fields))
    except PolarsError:
        return None
    data, paging = whole.item(0, "data"), whole.item(0, "paging")
    if data is None or data.null_count() or whole.item(0, "error") is not None:
        return None
    rows = data.struct.unnest()
    if any(_lacks_a_type(rows[name]) for name in STATS if name in fields):
        return None
    return _Decoded(rows, paging)


def _lacks_a_type(column: pl.Series) -> bool:
    items = column.list.explode(empty_as_null=False, keep_nulls=False)
    return bool(items.struct.unnest()["action_type"].null_count())


def _second_look(body: Mapping[str, Any], report: Report, request: str) -> _Decoded:
    """The page after all, where `paging` alone is an odd nothing; else the error, in words."""
    if "paging" in body and not body["paging"]:
        found = _frame(json.dumps({"data": body.get("data")}).encode(), report)
        if found is not None:
            return found
    raise IncompleteData(f"The page {request} {_fault(body, report)}.", _REMEDY)


def _fault(body: Mapping[str, Any], report: Report) -> str:
    rows = body.get("data")
    if not isinstance(rows, list):
        return "has no list of rows"
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, dict):
            return f"has no list of rows: the one of number {number} is no object"
        for field in report_fields(report):
            if fault := _fault_of(field, row.get(field)):
                return f"has {fault} as {field} in row {number}"
    return "has rows or paging that cannot be read"


def _fault_of(field: str, value: Any) -> str | None:
    if value is None:
        return None
    if field not in STATS:
        return "a list or object" if isinstance(value, list | dict) else None
    if not isinstance(value, list):
        return "something else than a list"
    for item in value:
        if not isinstance(item, dict) or item.get("action_type") is None:
            return "an item without action_type"
        if any(isinstance(item.get(name), list | dict) for name in ("action_type", *_VALUES)):
            return "an item with something else than texts"
    return None
