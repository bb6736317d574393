"""How a table of the lake is declared: columns with types and meaning, and the types in use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import polars as pl
from polars.datatypes import DataTypeClass

from zyenta_ads_pipeline.domain.insights import ATTRIBUTION_WINDOWS

PolarsType: TypeAlias = pl.DataType | DataTypeClass

MONEY = pl.Decimal(38, 12)
"""Twelve decimals hold every amount Meta or an export writes; see
`docs/decisions/0002-money-in-the-lake.md`."""

MOMENT = pl.Datetime("us", "UTC")

STAT_FIELDS: tuple[str, ...] = ("action_type", "value", *ATTRIBUTION_WINDOWS)

STAT_ITEMS = pl.List(pl.Struct(dict.fromkeys(STAT_FIELDS, pl.String)))
"""A list of actions: texts as Meta wrote them, one item a type. `value` follows the ad set's own
attribution; the windows were asked for by name, and a window without any action is null."""

_DELTA_TYPES: dict[PolarsType, str] = {
    pl.Date: "date",
    pl.String: "string",
    pl.Int64: "long",
    pl.Float64: "double",
    pl.Boolean: "boolean",
}
_DUCKDB_TYPES: dict[PolarsType, str] = {
    pl.Date: "DATE",
    pl.String: "VARCHAR",
    pl.Int64: "BIGINT",
    pl.Float64: "DOUBLE",
    pl.Boolean: "BOOLEAN",
}


@dataclass(frozen=True)
class Column:
    """One column: its type, and what it means in words (unit, origin, when it is empty)."""

    name: str
    type: PolarsType
    meaning: str


@dataclass(frozen=True)
class Table:
    """One table. `key` names the columns that make a row unique; `daily` tables are partitioned
    by `date`, the account's own day."""

    name: str
    meaning: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    daily: bool = True

    @property
    def schema(self) -> pl.Schema:
        """The declared schema, in the declared order."""
        return pl.Schema({column.name: column.type for column in self.columns})


def duckdb_type(kind: PolarsType) -> str:
    """The SQL name of a column's type in DuckDB."""
    if isinstance(kind, pl.Decimal):
        return f"DECIMAL({kind.precision}, {kind.scale})"
    if isinstance(kind, pl.Datetime):
        return "TIMESTAMPTZ"
    if isinstance(kind, pl.List):
        return f"{duckdb_type(kind.inner)}[]"
    if isinstance(kind, pl.Struct):
        fields = ", ".join(f'"{field.name}" {duckdb_type(field.dtype)}' for field in kind.fields)
        return f"STRUCT({fields})"
    return _of(_DUCKDB_TYPES, kind)


def delta_type(kind: PolarsType) -> str:
    """A column's type as Delta Lake's protocol writes it, nested ones in short."""
    if isinstance(kind, pl.Decimal):
        return f"decimal({kind.precision},{kind.scale})"
    if isinstance(kind, pl.Datetime):
        return "timestamp"
    if isinstance(kind, pl.List):
        return f"array<{delta_type(kind.inner)}>"
    if isinstance(kind, pl.Struct):
        fields = ",".join(f"{field.name}:{delta_type(field.dtype)}" for field in kind.fields)
        return f"struct<{fields}>"
    return _of(_DELTA_TYPES, kind)


def _of(names: dict[PolarsType, str], kind: PolarsType) -> str:
    return next(text for known, text in names.items() if kind == known)
