"""What a DuckDB connection gets of a snapshot: views of the tables, macros, and views over them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import cache

import duckdb

from zyenta_ads_pipeline.domain.money import CURRENCY_OFFSETS
from zyenta_ads_pipeline.lake.history import AS_OF, as_of_macro
from zyenta_ads_pipeline.lake.models import model, view_names
from zyenta_ads_pipeline.lake.schema import Table, duckdb_type
from zyenta_ads_pipeline.lake.tables import TABLES
from zyenta_ads_pipeline.metrics.definitions import RATIOS
from zyenta_ads_pipeline.metrics.lag import assumed_macro

_WORD = re.compile(r"\w+")
_CATALOGUE = re.compile(r"\b(information_schema|pg_catalog|show|duckdb_\w+)\b", re.IGNORECASE)
_MINOR_UNIT = (
    "CREATE OR REPLACE MACRO minor_unit(currency) AS CASE WHEN currency IN ("
    + ", ".join(f"'{code}'" for code, offset in sorted(CURRENCY_OFFSETS.items()) if offset == 1)
    + ") THEN 1 ELSE 0.01 END"
)

_AMOUNT = (
    "CREATE OR REPLACE MACRO amount(text) AS CASE "
    "WHEN length(text) <= 9 AND NOT contains(lower(text), 'e') "
    "THEN CAST(CAST(text AS DECIMAL(18, 8)) AS DECIMAL(38, 12)) "
    "ELSE CAST(text AS DECIMAL(38, 12)) END"
)
"""A number's text as an exact amount. DuckDB reads short decimals fifteen times faster than long
ones, and nine characters have no more than eight decimals."""

_COUNTED = (
    "CREATE OR REPLACE MACRO counted(items, type) AS "
    "coalesce(amount(list_filter(items, lambda item: item.action_type = type)[1].value), 0)"
)
"""The amount of one action type in a list of actions; Meta leaves out what did not happen."""

_AGE_OF = (
    "CREATE OR REPLACE MACRO age_of(day, moment, timezone) AS "
    "least(28, greatest(0, date_diff('day', day, CAST(timezone(timezone, moment) AS DATE))))"
)
"""Account days from a day to a moment, 0 to 28; 0 as well where the moment is empty."""


def create_macros(connection: duckdb.DuckDBPyConnection) -> None:
    """Define the metrics and units as functions."""
    for ratio in RATIOS:
        connection.execute(ratio.macro())
    connection.execute(_MINOR_UNIT)
    connection.execute(_AMOUNT)
    connection.execute(_COUNTED)
    connection.execute(_AGE_OF)
    connection.execute(assumed_macro())


def named_in(sql: str) -> frozenset[str] | None:
    """The tables and shipped views that a query can read, with those that they read in turn; None
    for all of them, where it asks for no table by name or for what tables there are.

    A name that stands in it as something else counts too: a view too many does no harm.
    """
    if _CATALOGUE.search(sql):
        return None
    known = _reads()
    found: set[str] = set()
    new = set(known) & _words(sql)
    while new:
        found |= new
        new = {other for name in new for other in known[name]} - found
    return frozenset(found) or None


@cache
def _reads() -> Mapping[str, frozenset[str]]:
    """By name of a table, a shipped view or the macro of the past: the names in what defines it."""
    views = {name: _words(model(f"views/{name}")) for name in view_names()}
    known = {*TABLES, *views, AS_OF}
    made = {**dict.fromkeys(TABLES, frozenset()), **views, AS_OF: _words(as_of_macro())}
    return {name: frozenset(words & known) - {name} for name, words in made.items()}


def _words(sql: str) -> frozenset[str]:
    return frozenset(_WORD.findall(sql.lower()))


def create_shipped_views(
    connection: duckdb.DuckDBPyConnection, wanted: Collection[str] | None = None
) -> dict[str, str]:
    """Define the views of `sql/views/` over the tables' views, and `insights_as_of`; only those
    `wanted`, if given.

    One that does not fit its tables leaves the others alone: reading it fails in DuckDB's words.
    Gives those, by name.
    """
    if wanted is None or AS_OF in wanted:
        connection.execute(as_of_macro())
    broken: dict[str, str] = {}
    for name in view_names():
        if wanted is not None and name not in wanted:
            continue
        try:
            connection.execute(f"CREATE VIEW {name} AS {model(f'views/{name}')}")
        except duckdb.Error as error:
            broken[name] = " ".join(str(error).split())
            failing = failing_select(f"The view {name} is broken: {broken[name]}")
            connection.execute(f"CREATE VIEW {name} AS {failing}")
    return broken


def failing_select(told: str, table: Table | None = None) -> str:
    """A SELECT of a table's columns that fails in these words when any of it is read."""
    quoted = told.replace("'", "''")
    # In each column as well: a filter on constants would be found false, and nothing would fail.
    columns = {} if table is None else table.schema
    failing = ", ".join(
        f"CAST(error('{quoted}') AS {duckdb_type(kind)}) AS \"{name}\""
        for name, kind in columns.items()
    )
    return f"SELECT {failing or 'NULL AS broken'} WHERE error('{quoted}') IS NULL"


def readable(relation: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    """`relation` with intervals as text, since Polars has no such type."""
    kinds = zip(relation.columns, relation.types, strict=True)
    if not any(str(kind) == "INTERVAL" for _, kind in kinds):
        return relation
    columns = [
        f'CAST("{name}" AS VARCHAR) AS "{name}"' if str(kind) == "INTERVAL" else f'"{name}"'
        for name, kind in zip(relation.columns, relation.types, strict=True)
    ]
    return relation.project(", ".join(columns))
