"""A platform's insight rows as rows of `raw_insights`: checked, keyed, texts untouched."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from zyenta_ads_pipeline.domain.ads import (
    LEAD_TYPES,
    LINK_CLICK_FIELD,
    PURCHASE_TYPES,
    AdAccount,
    Level,
)
from zyenta_ads_pipeline.domain.errors import IncompleteData
from zyenta_ads_pipeline.domain.time import account_day
from zyenta_ads_pipeline.lake.tables import RAW_INSIGHTS
from zyenta_ads_pipeline.platforms.base import InsightsPage

RESTATED_FOR_DAYS = 28
"""Meta's numbers stop changing this many days after they were first reported."""

_NUMBER = re.compile(r"-?[0-9]{1,26}(\.[0-9]{1,26})?([eE][+-]?[0-9]{1,2})?")
"""Numbers as JSON writes them, of a size the lake's columns hold."""

_WHOLE_NUMBERS = ("impressions", "clicks", LINK_CLICK_FIELD, "reach")
_OBJECT_ID = {
    Level.ACCOUNT: "account_id",
    Level.CAMPAIGN: "campaign_id",
    Level.ADSET: "adset_id",
    Level.AD: "ad_id",
}


def raw_rows(page: InsightsPage, account: AdAccount, run_id: str) -> list[dict[str, Any]]:
    """The rows of one page in the shape of `raw_insights`.

    Raises `IncompleteData` where a row lacks a part of its key, belongs to another account or
    day, or holds something else than a number.
    """
    today = account_day(page.observed_at, account.timezone)
    return [_raw_row(row, page, today, run_id) for row in page.rows]


def raw_frame(rows: Sequence[Mapping[str, Any]], account_id: str) -> pl.DataFrame:
    """The collected rows of one account as one frame; raises on a key that comes twice."""
    frame = pl.DataFrame(rows, schema=RAW_INSIGHTS.schema)
    doubled = frame.filter(pl.struct(RAW_INSIGHTS.key).is_duplicated())
    if doubled.height:
        first = doubled.row(0, named=True)
        raise IncompleteData(
            f"Account act_{account_id}: Meta listed {first['level']} {first['object_id']} twice "
            f"for {first['date']}.",
            "Its pages moved while they were read; nothing was stored, run it again.",
        )
    return frame


def action_types(rows: Iterable[Mapping[str, Any]]) -> set[str]:
    """Every action type named in rows of `raw_insights`."""
    return {
        str(item["action_type"])
        for row in rows
        for name in ("actions", "action_values")
        if row[name]
        for item in json.loads(row[name])
    }


def canonical_type(order: Sequence[str], seen: set[str], before: str | None) -> str | None:
    """The one type to count: the first of `order` that was ever seen on the account."""
    return next((name for name in order if name in seen or name == before), before)


def purchase_type(seen: set[str], before: str | None) -> str | None:
    """The account's canonical purchase type, given what it had before."""
    return canonical_type(PURCHASE_TYPES, seen, before)


def lead_type(seen: set[str], before: str | None) -> str | None:
    """The account's canonical lead type, given what it had before."""
    return canonical_type(LEAD_TYPES, seen, before)


def _raw_row(
    row: Mapping[str, Any], page: InsightsPage, today: date, run_id: str
) -> dict[str, Any]:
    where = f"{page.request} of act_{page.account_id}"
    day = _day(row, page, where)
    if str(row.get("account_id", page.account_id)) != page.account_id:
        raise IncompleteData(f"{where} answered with a row of account {row['account_id']}.")
    object_id = row.get(_OBJECT_ID[page.level]) or (
        page.account_id if page.level is Level.ACCOUNT else None
    )
    if not object_id:
        raise IncompleteData(f"{where} answered with a row without {_OBJECT_ID[page.level]}.")
    for name in ("campaign_id", "adset_id"):
        if page.level is Level.AD and not row.get(name):
            raise IncompleteData(f"{where} answered with ad {object_id} without its {name}.")
    return {
        "date": day,
        "account_id": page.account_id,
        "level": page.level.value,
        "object_id": str(object_id),
        **{name: _text(row.get(name)) for name in ("campaign_id", "adset_id", "ad_id")},
        "currency": _text(row.get("account_currency")),
        **{name: _whole(row, name, where) for name in _WHOLE_NUMBERS},
        "spend": _number(row.get("spend"), "spend", where),
        "actions": _items(row, "actions", where),
        "action_values": _items(row, "action_values", where),
        "age_days": min(max((today - day).days, 0), RESTATED_FOR_DAYS),
        "observed_at": page.observed_at,
        "run_id": run_id,
    }


def _day(row: Mapping[str, Any], page: InsightsPage, where: str) -> date:
    try:
        start, stop = (date.fromisoformat(str(row[name])) for name in ("date_start", "date_stop"))
    except (KeyError, ValueError):
        raise IncompleteData(f"{where} answered with a row without its day.") from None
    if start != stop:
        raise IncompleteData(f"{where} answered with a row of {start}..{stop}, not of one day.")
    if start not in page.days:
        raise IncompleteData(f"{where} answered with a row of {start}, which was not asked for.")
    return start


def _items(row: Mapping[str, Any], name: str, where: str) -> str | None:
    """A list of actions as compact JSON; each value checked to be a number."""
    items = row.get(name)
    if items is None:
        return None
    if not isinstance(items, list):
        raise IncompleteData(f"{where}: {name} is not a list.")
    kept = []
    for item in items:
        if not isinstance(item, dict) or "action_type" not in item:
            raise IncompleteData(f"{where}: {name} holds an item without action_type.")
        texts = {key: _text(value) for key, value in item.items()}
        texts["value"] = _number(item.get("value"), f"{name}.{item['action_type']}", where)
        kept.append(texts)
    return json.dumps(kept, separators=(",", ":"))


def _whole(row: Mapping[str, Any], name: str, where: str) -> str | None:
    text = _number(row.get(name), name, where)
    if text is not None and Decimal(text) != int(Decimal(text)):
        raise IncompleteData(f"{where}: {name} is {text}, not a whole number.")
    return text


def _number(value: Any, name: str, where: str) -> str | None:
    text = _text(value)
    if text is None:
        return None
    if not _NUMBER.fullmatch(text):
        raise IncompleteData(f"{where}: {name} is {text!r}, not a number.")
    return text


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
