"""Reads the user's file of exchange rates: all of it, or nothing and the reasons why."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import polars as pl

from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.domain.money import CURRENCY_OFFSETS
from zyenta_ads_pipeline.domain.time import parse_day
from zyenta_ads_pipeline.lake.lake import Lake, Scope, WriteResult
from zyenta_ads_pipeline.lake.tables import EXCHANGE_RATES

_HEADER = ("date", "currency", "rate")
_DECIMALS = 12
_LARGEST = Decimal(10) ** 12
_TOLD = 20


def read_rates(path: Path, reporting_currency: str) -> pl.DataFrame:
    """The rates of a CSV file as rows of `exchange_rates`.

    The file is UTF-8 with a header that names date, currency and rate in any order; a rate is
    units of `reporting_currency` for one unit of `currency`, with a decimal point. Raises
    `InputError` that names every line that cannot be used, with its reason; nothing is read then.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{path} is not UTF-8 text.", "Save it as UTF-8.") from None
    except OSError as error:
        raise InputError(
            f"The file of exchange rates, {path}, cannot be read: {error.strerror}.",
            "Set ZYENTA_RATES_FILE to a CSV file that this user may read.",
        ) from None
    rows: dict[tuple[date, str], dict[str, Any]] = {}
    refused: list[str] = []
    for line, fields in _lines(text, path):
        try:
            row = _row(fields, reporting_currency)
        except InputError as error:
            refused.append(f"line {line}: {error.what}")
            continue
        key = (row["date"], row["currency"])
        if key in rows:
            refused.append(f"line {line}: {key[1]} has a rate for {key[0]} already.")
        rows[key] = row
    if refused:
        more = f"; and {len(refused) - _TOLD} more" if len(refused) > _TOLD else ""
        raise InputError(
            f"{path} was not taken: {'; '.join(refused[:_TOLD])}{more}",
            "Mend these lines; a line is a date as 2026-11-20, a currency as USD, a rate as 0.92.",
        )
    return pl.DataFrame(list(rows.values()), schema=EXCHANGE_RATES.schema)


def store_rates(lake: Lake, rates: pl.DataFrame, currency: str, run_id: str) -> WriteResult:
    """Replace all rates into one reporting currency by those of the file; one commit, or none."""
    scope = Scope(None, key=("reporting_currency", currency))
    return lake.write(EXCHANGE_RATES, rates, scope, run_id=run_id)


def _lines(text: str, path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Each line's number and its fields by name, none where their number is wrong.

    Raises `InputError` without the right header.
    """
    reader = csv.reader(StringIO(text), strict=True)
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        if sorted(header) != sorted(_HEADER):
            raise InputError(
                f"{path} does not begin with a header of {', '.join(_HEADER)}.",
                "Make its first line: date,currency,rate",
            )
        for fields in reader:
            if any(field.strip() for field in fields):
                whole = len(fields) == len(header)
                told = dict(zip(header, map(str.strip, fields), strict=True)) if whole else {}
                yield reader.line_num, told
    except csv.Error as error:
        raise InputError(
            f"{path} is no CSV: line {reader.line_num}: {error}.", "Save it as CSV."
        ) from None


def _row(fields: dict[str, str], reporting_currency: str) -> dict[str, Any]:
    if not fields:
        raise InputError("it does not have three fields.")
    day, currency, text = (fields[name] for name in _HEADER)
    if currency not in CURRENCY_OFFSETS:
        raise InputError(f"{currency!r} is no currency of ad accounts.")
    rate = _rate(text)
    if currency == reporting_currency and rate != 1:
        raise InputError(f"the rate of {currency} into itself is not {text}.")
    return {
        "date": parse_day(day),
        "currency": currency,
        "rate": rate,
        "reporting_currency": reporting_currency,
    }


def _rate(text: str) -> Decimal:
    """A positive number with a decimal point and at most twelve decimals."""
    whole, _, decimals = text.partition(".")
    digits = (whole + decimals).isascii() and (whole + decimals).isdigit() and whole
    rate = Decimal(text) if digits and len(decimals) <= _DECIMALS else Decimal(0)
    if not 0 < rate < _LARGEST:
        raise InputError(f"{text!r} is no rate, such as 0.9231 (at most {_DECIMALS} decimals).")
    return rate
