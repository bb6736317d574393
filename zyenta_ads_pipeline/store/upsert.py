"""Insert a row, or change the one that is there, in a single statement.

To look first and insert then loses on Postgres: of two transactions that find nothing, one fails.
"""

from __future__ import annotations

from sqlalchemy.dialects.postgresql import Insert as PostgresInsert
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import Insert as SqliteInsert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import DeclarativeBase

from zyenta_ads_pipeline.store.database import Store

Insert = PostgresInsert | SqliteInsert


def inserting(store: Store, row: type[DeclarativeBase]) -> Insert:
    """An insert that can say what to do on conflict, in the store's dialect."""
    return sqlite_insert(row) if store.is_sqlite else postgres_insert(row)


def replacing(store: Store, row: type[DeclarativeBase]) -> Insert:
    """An insert that puts the new row in the place of the one with the same key."""
    made = inserting(store, row)
    columns = row.__mapper__.columns
    return made.on_conflict_do_update(
        index_elements=[column for column in columns if column.primary_key],
        set_={
            column.name: made.excluded[column.name] for column in columns if not column.primary_key
        },
    )
