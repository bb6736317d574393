"""What `zyenta sql` prints: exact numbers, as a table, CSV or JSON."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable
from decimal import Decimal

import duckdb
import polars as pl
from rich.console import Console
from rich.table import Table as RichTable

from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.domain.money import plain
from zyenta_ads_pipeline.lake.lake import Lake
from zyenta_ads_pipeline.lake.tables import TABLES
from zyenta_ads_pipeline.settings import Settings
from zyenta_ads_pipeline.showing import add, table

_READING = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)
_SQL_REMEDY = "Write one SELECT; `zyenta sql --tables` lists the tables and their columns."


def print_rows(settings: Settings, query: str, format_: str, out: Console) -> None:
    """Run `query` on the newest snapshot and print its rows."""
    _check_reads_only(query)
    rows = Lake(settings.lake_location).snapshot().query(query)
    if format_ == "table":
        out.print(_table(rows))
        out.print(f"{rows.height} rows", style="dim", highlight=False)
    else:
        text = _csv(rows) if format_ == "csv" else _json(rows)
        out.file.write(text)


def print_tables(out: Console) -> None:
    """List every table with its columns."""
    for one in TABLES.values():
        shown = table(f"{one.name}: {one.meaning}", ("column", "type", "meaning"))
        for column in one.columns:
            add(shown, column.name, column.type, column.meaning)
        out.print(shown)


def _table(rows: pl.DataFrame) -> RichTable:
    sides = ["right" if kind.is_numeric() else "left" for kind in rows.schema.values()]
    shown = table("", rows.columns, justify=sides)
    for row in rows.iter_rows():
        add(shown, *(None if value is None else text_of(value) for value in row))
    return shown


def _check_reads_only(query: str) -> None:
    """Raise `InputError` unless `query` is one statement that only reads."""
    try:
        kinds = [statement.type for statement in duckdb.extract_statements(query)]
    except duckdb.Error as error:
        raise InputError(
            f"The query cannot be read: {' '.join(str(error).split())}", _SQL_REMEDY
        ) from None
    reads = len(kinds) == 1 and kinds[0] in _READING
    # DuckDB writes PIVOT as several statements of its own.
    if not reads and not query.lstrip().lower().startswith("pivot"):
        raise InputError("This is not one statement that only reads.", _SQL_REMEDY)


def _csv(rows: pl.DataFrame) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(rows.columns)
    for row in rows.iter_rows():
        writer.writerow("" if value is None else text_of(value) for value in row)
    return buffer.getvalue()


def _json(rows: pl.DataFrame) -> str:
    """A JSON array of objects; decimals are written as exact numbers, not through a float."""
    objects = (
        "{" + ", ".join(f"{json.dumps(name)}: {_json_value(value)}" for name, value in pairs) + "}"
        for pairs in (zip(rows.columns, row, strict=True) for row in rows.iter_rows())
    )
    return "[" + ",\n ".join(objects) + "]\n"


def _json_value(value: object) -> str:
    if isinstance(value, Decimal):
        return text_of(value)
    if isinstance(value, float) and not math.isfinite(value):
        return "null"
    if isinstance(value, list | pl.Series):
        return "[" + ", ".join(_json_value(item) for item in _items(value)) + "]"
    return json.dumps(value, default=str)


def _items(values: Iterable[object]) -> Iterable[object]:
    return values


def text_of(value: object) -> str:
    """A value as text; decimals without the zeros of their column's scale."""
    return plain(value) if isinstance(value, Decimal) else str(value)
