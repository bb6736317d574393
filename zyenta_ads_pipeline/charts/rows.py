"""The numbers of a chart as a table, for people and machines that read instead of look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from zyenta_ads_pipeline.domain.money import CURRENCY_OFFSETS, decimals

UNKNOWN = "-"
"""Where there is no number."""


@dataclass(frozen=True)
class Rows:
    """A table of ready texts: as many in each row as there are headings."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def number(value: float | None, digits: int = 0) -> str:
    """`1,234.50`; a dash without one."""
    return UNKNOWN if value is None else f"{value:,.{digits}f}"


def money(value: float | None, currency: str) -> str:
    """An amount with its currency's decimals, without its name."""
    return number(value, decimals(currency) if currency in CURRENCY_OFFSETS else 2)


def between(low: float | None, high: float | None, digits: int = 0) -> str:
    """`3 to 7`; a dash without both."""
    if low is None or high is None:
        return UNKNOWN
    return f"{number(low, digits)} to {number(high, digits)}"


def money_between(low: float | None, high: float | None, currency: str) -> str:
    """The same of amounts."""
    return between(low, high, decimals(currency) if currency in CURRENCY_OFFSETS else 2)


def day(value: date) -> str:
    """`2026-11-28`, as everywhere in the console."""
    return value.isoformat()


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Rows:
    """The table of these texts."""
    return Rows(tuple(headings), tuple(tuple(row) for row in rows))
