"""What a frame must be to enter a table: its columns, types, keys and scope."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from datetime import date

import polars as pl

from zyenta_ads_pipeline.domain.errors import StorageError
from zyenta_ads_pipeline.lake.schema import Table

_SAFE_KEY = re.compile(r"[A-Za-z0-9_.:-]+")


def scope_predicate(
    accounts: Collection[str] | None, dates: Collection[date] | None, key: tuple[str, str] | None
) -> str:
    """What a write replaces, in delta-rs' SQL. Raises `StorageError` where it names nothing."""
    parts = []
    if accounts is not None:
        parts.append(f"account_id IN ({_quoted(accounts)})")
    if dates is not None:
        parts.append(f"date IN ({_quoted(str(day) for day in dates)})")
    if key is not None:
        parts.append(f"{key[0]} = {_quoted([key[1]])}")
    if not parts:
        raise StorageError("A write needs at least one account and one day to replace.")
    return " AND ".join(parts)


def _quoted(values: Iterable[str]) -> str:
    checked = sorted(values)
    if not checked:
        raise StorageError("A write needs at least one account and one day to replace.")
    for value in checked:
        if not _SAFE_KEY.fullmatch(value):
            raise StorageError(f"{value!r} cannot be a key in the lake.")
    return ", ".join(f"'{value}'" for value in checked)


def aligned(frame: pl.DataFrame, table: Table) -> pl.DataFrame:
    """`frame` with exactly the table's columns, in its order and types.

    Raises `StorageError` when a column is missing or a value does not fit its type.
    """
    missing = [name for name in table.schema.names() if name not in frame.columns]
    if missing:
        raise StorageError(f"Table {table.name}: the frame lacks {', '.join(missing)}.")
    try:
        return frame.select(table.schema.names()).cast(table.schema, strict=True)
    except pl.exceptions.PolarsError as error:
        raise StorageError(f"Table {table.name}: a value does not fit: {error}") from None


def check_keys(table: Table, rows: pl.DataFrame) -> None:
    """Raise `StorageError` where a row lacks a part of its key or shares it with another."""
    if (nulls := rows.filter(pl.any_horizontal(pl.col(table.key).is_null()))).height:
        raise StorageError(f"Table {table.name}: {nulls.height} rows lack a part of their key.")
    if (doubled := rows.filter(pl.struct(table.key).is_duplicated())).height:
        raise StorageError(
            f"Table {table.name}: {doubled.height} rows share their key with another, the first "
            f"at {doubled.select(table.key).row(0)}."
        )


def check_inside(table: Table, rows: pl.DataFrame, inside: pl.Expr) -> None:
    """Raise `StorageError` where a row lies outside of what its write replaces."""
    if (outside := rows.filter(~inside.fill_null(False))).height:
        raise StorageError(
            f"Table {table.name}: {outside.height} rows lie outside of what the write replaces, "
            f"the first at {outside.select(table.key).row(0)}."
        )
