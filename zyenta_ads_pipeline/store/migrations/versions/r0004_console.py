"""The console: access, audit, kept replies, orders, rules of one's own; indexes for long lists."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from zyenta_ads_pipeline.store.columns import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_WORD = sa.String(16)
_ID = sa.String(64)
_HASH = sa.String(64)
_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_OPEN_ORDER = sa.text("state IN ('waiting', 'working')")

_APPEND_ONLY = ("audit_log", "own_rule_journal")
_APPEND_ONLY_SQLITE = """
CREATE TRIGGER {table}_no_{event} BEFORE {event} ON {table}
BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END
"""
_APPEND_ONLY_POSTGRES = """
CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION zyenta_append_only()
"""
_LISTED = (
    "currency", "status", "name", "objective", "store_id", "account_id", "platform", "created_at",
    "updated_at", "daily_budget_minor", "spent_minor", "revenue_minor", "impressions", "clicks",
    "conversions", "id",
)  # fmt: skip
"""What a list of campaigns filters, sorts and sums by: it reads the index and not the rows."""


def upgrade() -> None:
    _access()
    _acts()
    _orders()
    _rules()
    op.create_index("ix_ad_campaigns_listed", "ad_campaigns", list(_LISTED))
    op.create_index("ix_ad_campaigns_updated_at", "ad_campaigns", ["updated_at"])
    op.create_index("ix_changes_state_campaign", "changes", ["state", "campaign_id"])
    for table in _APPEND_ONLY:
        if op.get_context().dialect.name == "sqlite":
            for event in ("update", "delete"):
                op.execute(_APPEND_ONLY_SQLITE.format(table=table, event=event))
        else:
            op.execute(_APPEND_ONLY_POSTGRES.format(table=table))


def downgrade() -> None:
    op.drop_index("ix_changes_state_campaign", "changes")
    op.drop_index("ix_ad_campaigns_updated_at", "ad_campaigns")
    op.drop_index("ix_ad_campaigns_listed", "ad_campaigns")
    for table in (
        "own_rule_journal",
        "own_rules",
        "platform_orders",
        "kept_replies",
        "audit_log",
        "access_tries",
        "access_sessions",
        "access_links",
        "access_tokens",
    ):
        op.drop_table(table)


def _access() -> None:
    op.create_table(
        "access_tokens",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("secret_hash", _HASH, nullable=False),
        sa.Column("prefix", sa.String(16), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", _WORD, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("last_used_at", UtcDateTime(), nullable=True),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.Column("revoked_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_access_tokens"),
    )
    op.create_index("uq_access_tokens_secret_hash", "access_tokens", ["secret_hash"], unique=True)
    op.create_table(
        "access_links",
        sa.Column("secret_hash", _HASH, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", _WORD, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("secret_hash", name="pk_access_links"),
    )
    op.create_table(
        "access_sessions",
        sa.Column("secret_hash", _HASH, nullable=False),
        sa.Column("token_id", sa.String(32), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", _WORD, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("secret_hash", name="pk_access_sessions"),
        sa.ForeignKeyConstraint(
            ["token_id"], ["access_tokens.id"], name="fk_access_sessions_token_id"
        ),
    )
    op.create_index("ix_access_sessions_token_id", "access_sessions", ["token_id"])
    op.create_index("ix_access_sessions_expires_at", "access_sessions", ["expires_at"])
    op.create_table(
        "access_tries",
        sa.Column("id", _SERIAL, autoincrement=True, nullable=False),
        sa.Column("place", sa.String(64), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_access_tries"),
    )
    op.create_index("ix_access_tries_place", "access_tries", ["place", "at"])
    op.create_index("ix_access_tries_at", "access_tries", ["at"])


def _acts() -> None:
    op.create_table(
        "audit_log",
        sa.Column("id", _SERIAL, autoincrement=True, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("role", _WORD, nullable=False),
        sa.Column("via", _WORD, nullable=False),
        sa.Column("act", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("refused", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_log"),
    )
    op.create_index("ix_audit_log_about", "audit_log", ["kind", "about", "id"])
    op.create_index("ix_audit_log_who", "audit_log", ["who", "id"])
    op.create_table(
        "kept_replies",
        sa.Column("who", sa.String(200), nullable=False),
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("asked_hash", _HASH, nullable=False),
        sa.Column("begun_at", UtcDateTime(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("who", "key", name="pk_kept_replies"),
    )
    op.create_index("ix_kept_replies_begun_at", "kept_replies", ["begun_at"])


def _orders() -> None:
    op.create_table(
        "platform_orders",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("campaign_id", _ID, nullable=True),
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("kind", _WORD, nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("same", _HASH, nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("state", _WORD, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("remedy", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("lease_until", UtcDateTime(), nullable=True),
        sa.Column("not_before", UtcDateTime(), nullable=True),
        sa.Column("change_ids", sa.JSON(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_platform_orders"),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["ad_campaigns.id"], name="fk_platform_orders_campaign_id"
        ),
    )
    op.create_index(
        "uq_platform_orders_open_same",
        "platform_orders",
        ["same"],
        unique=True,
        sqlite_where=_OPEN_ORDER,
        postgresql_where=_OPEN_ORDER,
    )
    op.create_index("uq_platform_orders_number", "platform_orders", ["number"], unique=True)
    op.create_index("ix_platform_orders_state", "platform_orders", ["state", "number"])
    op.create_index("ix_platform_orders_campaign", "platform_orders", ["campaign_id", "number"])


def _rules() -> None:
    op.create_table(
        "own_rules",
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("campaign_id", _ID, nullable=False),
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "campaign_id", "name", name="pk_own_rules"),
    )
    op.create_table(
        "own_rule_journal",
        sa.Column("id", _SERIAL, autoincrement=True, nullable=False),
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("campaign_id", _ID, nullable=False),
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("value", sa.JSON(), nullable=True),
        sa.Column("before", sa.JSON(), nullable=True),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_own_rule_journal"),
    )
    op.create_index("ix_own_rule_journal_account_id", "own_rule_journal", ["account_id", "id"])
