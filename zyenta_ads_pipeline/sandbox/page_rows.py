"""The rows inside saved pages: their level, days, accounts, names and numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.domain.money import CURRENCY_OFFSETS
from zyenta_ads_pipeline.domain.time import DateRange, zone
from zyenta_ads_pipeline.sandbox.facts import COUNTS, IDS
from zyenta_ads_pipeline.sandbox.objects import Objects, Thing
from zyenta_ads_pipeline.sandbox.page_chain import Page
from zyenta_ads_pipeline.sandbox.synthesis import AccountTraits

_AMOUNT = re.compile(r"[0-9]+(\.[0-9]*)?")
_ACCOUNT_IN_LINK = re.compile(r"/act_([0-9]+)/insights")
_FINEST_FIRST = (Level.AD, Level.ADSET, Level.CAMPAIGN, Level.ACCOUNT)


class PageRows:
    """All rows of the pages as one table; `level` is theirs, `longest` the days of the longest.

    Raises `InputError` for rows that do not say whose they are or what day, or whose numbers
    are none.
    """

    def __init__(self, path: Path, pages: Sequence[Page]) -> None:
        self._path = path
        rows = [(number, row) for number, page in enumerate(pages, 1) for row in page.rows]
        links = "".join(page.next + page.previous for page in pages)
        linked = _ACCOUNT_IN_LINK.search(links)
        self._linked_account = linked[1] if linked else ""
        self.level = next(
            level for level in _FINEST_FIRST
            if level is Level.ACCOUNT or all(f"{level}_id" in row for _, row in rows)
        )  # fmt: skip
        self.accounts: dict[str, AccountTraits] = {}
        self.names: dict[tuple[Level, str], str] = {}
        records = [self._record(number, row) for number, row in rows]
        days = [self.days_of(row) for _, row in rows]
        self.days = DateRange(min(d.since for d in days), max(d.until for d in days))
        self.longest = max(len(d) for d in days)
        self.frame = self._frame(records)

    def account_of(self, row: Mapping[str, Any]) -> str:
        """The account of a row, as bare digits."""
        return str(row.get("account_id", self._linked_account)).removeprefix("act_")

    def days_of(self, row: Mapping[str, Any]) -> DateRange:
        """The days of a row."""
        return DateRange.parse(str(row.get("date_start")), str(row.get("date_stop")))

    def thing_of(self, row: Mapping[str, Any], objects: Objects) -> Thing:
        """The object that a row is about."""
        account = objects.account(self.account_of(row))
        if self.level is Level.ACCOUNT:
            return account
        return objects.get(str(row[f"{self.level}_id"])) or account

    def _frame(self, records: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
        ids = [
            name for name in IDS[self.level]
            if all(record.get(name) is not None for record in records)
        ]  # fmt: skip
        schema: dict[str, Any] = {"date": pl.Date} | dict.fromkeys(ids, pl.String)
        found = dict.fromkeys(name for record in records for name in record)
        schema |= {name: pl.Int64 for name in COUNTS if name in found}
        stats = [name for name in found if name.startswith(("actions.", "action_values."))]
        schema |= dict.fromkeys([*(["spend"] if "spend" in found else []), *stats], pl.String)
        return pl.DataFrame(
            [{name: record.get(name) for name in schema} for record in records], schema=schema
        )

    def _record(self, page: int, row: Mapping[str, Any]) -> dict[str, Any]:
        account_id = self.account_of(row)
        if not (account_id.isascii() and account_id.isdigit()):
            raise self._bad(page, "account_id", row.get("account_id"))
        try:
            since = self.days_of(row).since
        except InputError:
            shown = f"{row.get('date_start')!r} to {row.get('date_stop')!r}"
            raise self._bad(page, "date_start and date_stop", shown) from None
        record: dict[str, Any] = {"date": since, "account_id": account_id}
        for level in (Level.CAMPAIGN, Level.ADSET, Level.AD):
            if (found := row.get(f"{level}_id")) is not None:
                if not isinstance(found, str) or not found:
                    raise self._bad(page, f"{level}_id", found)
                record[f"{level}_id"] = found
                if name := row.get(f"{level}_name"):
                    self.names[(level, found)] = str(name)
        for name in COUNTS:
            if name in row:
                record[name] = int(self._number(page, name, row[name], whole=True))
        if "spend" in row:
            record["spend"] = self._number(page, "spend", row["spend"])
        for name in ("actions", "action_values"):
            record |= self._stats(page, name, row.get(name, []))
        self._learn_account(page, account_id, row)
        return record

    def _stats(self, page: int, name: str, items: Any) -> dict[str, str]:
        """A list of statistics as columns, windows included."""
        found: dict[str, str] = {}
        if not isinstance(items, list):
            raise self._bad(page, name, items)
        for item in items:
            if not isinstance(item, dict) or not isinstance(item.get("action_type"), str):
                raise self._bad(page, name, item)
            for key, value in item.items():
                if key == "value" or re.fullmatch(r"[0-9]+d_[a-z]+", key):
                    suffix = "" if key == "value" else f"|{key}"
                    text = self._number(page, f"{name}.{item['action_type']}", value)
                    found[f"{name}.{item['action_type']}{suffix}"] = text
        return found

    def _learn_account(self, page: int, account_id: str, row: Mapping[str, Any]) -> None:
        known = self.accounts.get(account_id)
        currency = str(row.get("account_currency", known.currency if known else "USD"))
        timezone = str(row.get("timezone_name", known.timezone if known else "UTC"))
        name = str(row.get("account_name", known.name if known else f"Replay {account_id}"))
        if currency not in CURRENCY_OFFSETS:
            raise self._bad(page, "account_currency", currency)
        if known is not None and (currency, timezone) != (known.currency, known.timezone):
            raise self._bad(page, "account_currency", currency)
        zone(timezone)
        self.accounts[account_id] = AccountTraits(name, currency, timezone)

    def _number(self, page: int, name: str, value: Any, *, whole: bool = False) -> str:
        good = isinstance(value, str) and _AMOUNT.fullmatch(value)
        if not good or (whole and not value.isdigit()):
            raise self._bad(page, name, value)
        return str(value)

    def _bad(self, page: int, name: str, value: Any) -> InputError:
        return InputError(
            f"The saved pages {self._path}: page {page} has a row whose {name} is {value!r}.",
            "Give rows as the Graph API sends them: ids, dates and numbers as texts, one currency "
            "for an account.",
        )
