"""Alembic's entry: runs the migrations on the connection that the caller has opened and locked."""

from __future__ import annotations

from alembic import context

from zyenta_ads_pipeline.store.database import VERSION_TABLE
from zyenta_ads_pipeline.store.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table=VERSION_TABLE,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
