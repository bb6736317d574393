"""What was known when: `raw_insights` rebuilt as it stood at an earlier moment.

`raw_insights` holds the newest version of each row, `insight_restatements` those before it. At a
moment, the version known is the last one first seen by then; unless Meta had taken it back.
"""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl

from zyenta_ads_pipeline.lake.tables import INSIGHT_READS, INSIGHT_RESTATEMENTS, RAW_INSIGHTS

AS_OF = "insights_as_of"
"""Table macro: `SELECT ... FROM insights_as_of(TIMESTAMPTZ '2026-11-02 06:00+00')`."""

_KEY = ", ".join(RAW_INSIGHTS.key)
_COLUMNS = ", ".join(f'"{name}"' for name in RAW_INSIGHTS.schema.names())


def as_of_select(moment: str, now: str, before: str) -> str:
    """The rows known at `moment` (SQL), from the relations `now` and `before` (SQL)."""
    return (
        f"SELECT {_COLUMNS} FROM ("
        f"SELECT {_COLUMNS}, false AS gone, 1 AS newness FROM {now} "
        f"WHERE observed_at <= {moment} UNION ALL "
        f"SELECT {_COLUMNS}, removed AND replaced_at <= {moment} AS gone, 0 AS newness "
        f"FROM {before} WHERE observed_at <= {moment}"
        f") QUALIFY row_number() OVER (PARTITION BY {_KEY} "
        f"ORDER BY observed_at DESC, newness DESC, gone DESC) = 1 AND NOT gone"
    )


def as_of_macro() -> str:
    """The macro of that name, over the views of both tables."""
    select = as_of_select("moment", RAW_INSIGHTS.name, INSIGHT_RESTATEMENTS.name)
    return f"CREATE OR REPLACE MACRO {AS_OF}(moment) AS TABLE {select}"


def as_of_frame(now: pl.LazyFrame, before: pl.LazyFrame, moment: datetime) -> pl.LazyFrame:
    """The same as a lazy Polars frame."""
    known = pl.concat(
        [
            now.with_columns(pl.lit(False).alias("gone"), pl.lit(1).alias("newness")),
            before.select(
                *RAW_INSIGHTS.schema.names(),
                (pl.col("removed") & (pl.col("replaced_at") <= moment)).alias("gone"),
                pl.lit(0).alias("newness"),
            ),
        ]
    ).filter(pl.col("observed_at") <= moment)
    newest = known.sort("observed_at", "newness", "gone").unique(RAW_INSIGHTS.key, keep="last")
    return newest.filter(~pl.col("gone")).select(RAW_INSIGHTS.schema.names())


def reads_as_of(moment: str, reads: str, accounts: str) -> str:
    """`insight_reads` as it can have stood at `moment`: no day is older or read later than then.

    Only the last reading of a day is kept, so that an earlier one is taken to be at `moment`.
    """
    age = (
        "greatest(0, least(reads.age_days, date_diff('day', reads.date, "
        f"CAST(timezone(accounts.timezone, {moment}) AS DATE))))"
    )
    columns = ", ".join(
        {
            "read_at": f"least(reads.read_at, {moment}) AS read_at",
            "age_days": f"coalesce({age}, reads.age_days) AS age_days",
        }.get(name, f'reads."{name}"')
        for name in INSIGHT_READS.schema.names()
    )
    return (
        f"SELECT {columns} FROM ({reads}) AS reads "
        f"LEFT JOIN ({accounts}) AS accounts USING (account_id)"
    )


def sql_moment(moment: datetime) -> str:
    """An aware moment as a literal of DuckDB."""
    return f"TIMESTAMPTZ '{moment.astimezone(UTC).isoformat(sep=' ')}'"
