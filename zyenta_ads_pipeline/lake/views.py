"""What a DuckDB connection gets of a snapshot: views of the tables, macros, and views over them."""

from __future__ import annotations

import duckdb

from zyenta_ads_pipeline.domain.money import CURRENCY_OFFSETS
from zyenta_ads_pipeline.lake.history import as_of_macro
from zyenta_ads_pipeline.lake.models import model, view_names
from zyenta_ads_pipeline.lake.schema import Table, duckdb_type
from zyenta_ads_pipeline.metrics.definitions import RATIOS
from zyenta_ads_pipeline.metrics.lag import assumed_macro

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


def create_shipped_views(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Define the views of `sql/views/` over the tables' views, and `insights_as_of`.

    One that does not fit its tables leaves the others alone: reading it fails in DuckDB's words.
    Gives those, by name.
    """
    connection.execute(as_of_macro())
    broken: dict[str, str] = {}
    for name in view_names():
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
