"""Ledgers of ingestion: report jobs, their costs, used quotas, and alerts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from zyenta_ads_pipeline.store.columns import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_OPEN = sa.text("resolved_at IS NULL")
_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "report_jobs",
        sa.Column("request", sa.String(64), nullable=False),
        sa.Column("account_id", sa.String(64), nullable=False),
        sa.Column("run_id", sa.String(64), nullable=False),
        sa.Column("described", sa.Text(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("polls", sa.Integer(), nullable=False),
        sa.Column("submitted_at", UtcDateTime(), nullable=False),
        sa.Column("progressed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("request", name="pk_report_jobs"),
    )
    op.create_index("ix_report_jobs_account_id", "report_jobs", ["account_id"])
    op.create_table(
        "report_costs",
        sa.Column("account_id", sa.String(64), nullable=False),
        sa.Column("stream", sa.String(64), nullable=False),
        sa.Column("model", sa.JSON(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "stream", name="pk_report_costs"),
    )
    op.create_table(
        "rate_usage",
        sa.Column("scope", sa.String(120), nullable=False),
        sa.Column("percent", sa.Float(), nullable=False),
        sa.Column("measured_at", UtcDateTime(), nullable=False),
        sa.Column("blocked_until", UtcDateTime(), nullable=True),
        sa.Column("decay_seconds", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("scope", name="pk_rate_usage"),
    )
    op.create_table(
        "alerts",
        sa.Column("id", _SERIAL, autoincrement=True, nullable=False),
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("account_id", sa.String(64), nullable=True),
        sa.Column("told", sa.Text(), nullable=False),
        sa.Column("remedy", sa.Text(), nullable=False),
        sa.Column("raised_at", UtcDateTime(), nullable=False),
        sa.Column("last_seen_at", UtcDateTime(), nullable=False),
        sa.Column("delivered_at", UtcDateTime(), nullable=True),
        sa.Column("resolved_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_alerts"),
    )
    op.create_index(
        "uq_alerts_open_key",
        "alerts",
        ["key"],
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )


def downgrade() -> None:
    for table in ("alerts", "rate_usage", "report_costs", "report_jobs"):
        op.drop_table(table)
