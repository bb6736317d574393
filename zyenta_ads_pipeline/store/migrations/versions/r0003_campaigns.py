"""Shops and connections, campaigns and creatives with their histories, launches, kill switches."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from zyenta_ads_pipeline.store.columns import ExactDecimal, UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_WORD = sa.String(16)
_LONG_WORD = sa.String(32)
_ID = sa.String(64)
_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

_APPEND_ONLY = (
    "campaign_optimization_log",
    "campaign_journal",
    "creative_rejections",
    "launch_journal",
    "kill_switch_journal",
)
_APPEND_ONLY_SQLITE = """
CREATE TRIGGER {table}_no_{event} BEFORE {event} ON {table}
BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END
"""
_FUNCTION_POSTGRES = """
CREATE FUNCTION zyenta_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$
"""
_APPEND_ONLY_POSTGRES = """
CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION zyenta_append_only()
"""


def upgrade() -> None:
    _shops()
    _campaigns()
    _histories()
    _launches()
    _switches()
    if op.get_context().dialect.name == "sqlite":
        for table in _APPEND_ONLY:
            for event in ("update", "delete"):
                op.execute(_APPEND_ONLY_SQLITE.format(table=table, event=event))
    else:
        op.execute(_FUNCTION_POSTGRES)
        for table in _APPEND_ONLY:
            op.execute(_APPEND_ONLY_POSTGRES.format(table=table))


def downgrade() -> None:
    for table in (
        "kill_switch_journal",
        "kill_switches",
        "launch_journal",
        "launch_steps",
        "launch_holds",
        "creative_rejections",
        "campaign_journal",
        "campaign_optimization_log",
        "ad_creatives",
        "campaign_requests",
        "ad_campaigns",
        "platform_connections",
        "media_uploads",
        "media_assets",
        "products",
        "stores",
    ):
        op.drop_table(table)
    if op.get_context().dialect.name != "sqlite":
        op.execute("DROP FUNCTION zyenta_append_only()")


def _shops() -> None:
    op.create_table(
        "stores",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("niche", sa.Text(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("countries", sa.JSON(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("age_min", sa.Integer(), nullable=False),
        sa.Column("age_max", sa.Integer(), nullable=False),
        sa.Column("advantage_audience", sa.Boolean(), nullable=False),
        sa.Column("interests", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_stores"),
    )
    op.create_table(
        "products",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("brand", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("store_id", "id", name="pk_products"),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name="fk_products_store_id"),
    )
    op.create_index("ix_products_store_position", "products", ["store_id", "position"])
    op.create_table(
        "media_assets",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", _WORD, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("product_id", sa.Text(), nullable=True),
        sa.Column("alt", sa.Text(), nullable=False),
        sa.Column("mime", sa.Text(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("size_bytes", sa.BigInteger(), nullable=True),
        sa.Column("content_hash", sa.String(64), nullable=True),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_media_assets"),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name="fk_media_assets_store_id"),
        sa.ForeignKeyConstraint(
            ["store_id", "product_id"],
            ["products.store_id", "products.id"],
            name="fk_media_assets_product",
        ),
    )
    op.create_index(
        "uq_media_assets_store_number", "media_assets", ["store_id", "number"], unique=True
    )
    op.create_index("ix_media_assets_product", "media_assets", ["store_id", "product_id"])
    op.create_table(
        "media_uploads",
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("platform_ref", sa.Text(), nullable=False),
        sa.Column("uploaded_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "content_hash", name="pk_media_uploads"),
    )
    op.create_table(
        "platform_connections",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("platform", sa.String(32), nullable=False),
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("account_name", sa.Text(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("page_id", _ID, nullable=False),
        sa.Column("page_name", sa.Text(), nullable=False),
        sa.Column("pixel_id", _ID, nullable=True),
        sa.Column("instagram_user_id", _ID, nullable=True),
        sa.Column("product_catalog_id", _ID, nullable=True),
        sa.Column("product_set_id", _ID, nullable=True),
        sa.Column("sealed_token", sa.Text(), nullable=True),
        sa.Column("token_expires_at", UtcDateTime(), nullable=True),
        sa.Column("token_checked_at", UtcDateTime(), nullable=True),
        sa.Column("connected_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("store_id", "platform", name="pk_platform_connections"),
        sa.ForeignKeyConstraint(
            ["store_id"], ["stores.id"], name="fk_platform_connections_store_id"
        ),
    )
    op.create_index("ix_platform_connections_account_id", "platform_connections", ["account_id"])


def _campaigns() -> None:
    op.create_table(
        "ad_campaigns",
        sa.Column("id", _ID, nullable=False),
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("platform", sa.String(32), nullable=False),
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("platform_campaign_id", _ID, nullable=True),
        sa.Column("request_id", _ID, nullable=True),
        sa.Column("adopted", sa.Boolean(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("objective", _WORD, nullable=False),
        sa.Column("status", _WORD, nullable=False),
        sa.Column("status_reason", sa.Text(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("daily_budget_minor", sa.BigInteger(), nullable=False),
        sa.Column("total_budget_minor", sa.BigInteger(), nullable=True),
        sa.Column("budget_level", _WORD, nullable=False),
        sa.Column("start_date", UtcDateTime(), nullable=False),
        sa.Column("end_date", UtcDateTime(), nullable=True),
        sa.Column("targeting", sa.JSON(), nullable=False),
        sa.Column("auto_optimize", sa.Boolean(), nullable=False),
        sa.Column("spent_minor", sa.BigInteger(), nullable=False),
        sa.Column("impressions", sa.BigInteger(), nullable=False),
        sa.Column("clicks", sa.BigInteger(), nullable=False),
        sa.Column("conversions", sa.BigInteger(), nullable=False),
        sa.Column("revenue_minor", sa.BigInteger(), nullable=False),
        sa.Column("cpc", ExactDecimal(), nullable=True),
        sa.Column("cpm", ExactDecimal(), nullable=True),
        sa.Column("ctr", ExactDecimal(), nullable=True),
        sa.Column("roas", ExactDecimal(), nullable=True),
        sa.Column("last_optimized_at", UtcDateTime(), nullable=True),
        sa.Column("synced_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ad_campaigns"),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name="fk_ad_campaigns_store_id"),
    )
    op.create_index("ix_ad_campaigns_store_id", "ad_campaigns", ["store_id", "created_at"])
    op.create_index("ix_ad_campaigns_account_id", "ad_campaigns", ["account_id", "created_at"])
    op.create_index("ix_ad_campaigns_status", "ad_campaigns", ["status"])
    op.create_index("ix_ad_campaigns_created_at", "ad_campaigns", ["created_at"])
    op.create_index(
        "uq_ad_campaigns_platform_id",
        "ad_campaigns",
        ["platform", "platform_campaign_id"],
        unique=True,
    )
    op.create_index("uq_ad_campaigns_request_id", "ad_campaigns", ["request_id"], unique=True)
    op.create_table(
        "campaign_requests",
        sa.Column("id", _ID, nullable=False),
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("platform", sa.String(32), nullable=False),
        sa.Column("objective", _WORD, nullable=False),
        sa.Column("daily_budget_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("duration_days", sa.Integer(), nullable=False),
        sa.Column("requested_at", UtcDateTime(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("product_ids", sa.JSON(), nullable=False),
        sa.Column("variations", sa.Integer(), nullable=False),
        sa.Column("budget_level", _WORD, nullable=False),
        sa.Column("auto_optimize", sa.Boolean(), nullable=False),
        sa.Column("key", sa.String(200), nullable=True),
        sa.Column("body_hash", sa.String(64), nullable=False),
        sa.Column("state", _WORD, nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("lease_until", UtcDateTime(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("campaign_id", _ID, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_campaign_requests"),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name="fk_campaign_requests_store_id"),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["ad_campaigns.id"], name="fk_campaign_requests_campaign_id"
        ),
    )
    op.create_index("uq_campaign_requests_key", "campaign_requests", ["key"], unique=True)
    op.create_index("ix_campaign_requests_state", "campaign_requests", ["state", "requested_at"])
    op.create_table(
        "ad_creatives",
        sa.Column("id", _ID, nullable=False),
        sa.Column("campaign_id", _ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("type", _WORD, nullable=False),
        sa.Column("angle", _LONG_WORD, nullable=True),
        sa.Column("headline", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("call_to_action", sa.Text(), nullable=False),
        sa.Column("media_ids", sa.JSON(), nullable=False),
        sa.Column("link_url", sa.Text(), nullable=False),
        sa.Column("origin", sa.JSON(), nullable=False),
        sa.Column("status", _WORD, nullable=False),
        sa.Column("platform_creative_id", _ID, nullable=True),
        sa.Column("platform_ad_set_id", _ID, nullable=True),
        sa.Column("platform_ad_id", _ID, nullable=True),
        sa.Column("impressions", sa.BigInteger(), nullable=False),
        sa.Column("clicks", sa.BigInteger(), nullable=False),
        sa.Column("conversions", sa.BigInteger(), nullable=False),
        sa.Column("spend_minor", sa.BigInteger(), nullable=False),
        sa.Column("revenue_minor", sa.BigInteger(), nullable=False),
        sa.Column("review_feedback", sa.JSON(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ad_creatives"),
        _of_campaign("ad_creatives"),
    )
    op.create_index(
        "uq_ad_creatives_campaign_position",
        "ad_creatives",
        ["campaign_id", "position"],
        unique=True,
    )
    op.create_index("ix_ad_creatives_status", "ad_creatives", ["status"])


def _histories() -> None:
    op.create_table(
        "campaign_optimization_log",
        sa.Column("id", _SERIAL, autoincrement=True, nullable=False),
        sa.Column("campaign_id", _ID, nullable=False),
        sa.Column("action", _LONG_WORD, nullable=False),
        sa.Column("previous_value", sa.JSON(), nullable=True),
        sa.Column("new_value", sa.JSON(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("confidence", ExactDecimal(), nullable=False),
        sa.Column("metrics", sa.JSON(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_campaign_optimization_log"),
        _of_campaign("campaign_optimization_log"),
    )
    op.create_index(
        "ix_campaign_optimization_log_campaign_id",
        "campaign_optimization_log",
        ["campaign_id", "id"],
    )
    op.create_index(
        "ix_campaign_optimization_log_created_at", "campaign_optimization_log", ["created_at"]
    )
    op.create_table(
        "campaign_journal",
        sa.Column("id", _SERIAL, autoincrement=True, nullable=False),
        sa.Column("campaign_id", _ID, nullable=False),
        sa.Column("creative_id", _ID, nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("what", sa.String(64), nullable=False),
        sa.Column("from_value", sa.Text(), nullable=True),
        sa.Column("to_value", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_campaign_journal"),
        _of_campaign("campaign_journal"),
        _of_creative("campaign_journal"),
    )
    op.create_index("ix_campaign_journal_campaign_id", "campaign_journal", ["campaign_id", "id"])
    op.create_table(
        "creative_rejections",
        sa.Column("id", _SERIAL, autoincrement=True, nullable=False),
        sa.Column("campaign_id", _ID, nullable=False),
        sa.Column("angle", sa.Text(), nullable=False),
        sa.Column("headline", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("call_to_action", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_creative_rejections"),
        _of_campaign("creative_rejections"),
    )
    op.create_index(
        "ix_creative_rejections_campaign_id", "creative_rejections", ["campaign_id", "id"]
    )


def _launches() -> None:
    op.create_table(
        "launch_holds",
        sa.Column("campaign_id", _ID, nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("lease_until", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("campaign_id", name="pk_launch_holds"),
        _of_campaign("launch_holds"),
    )
    op.create_table(
        "launch_steps",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("campaign_id", _ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", _WORD, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("creative_id", _ID, nullable=True),
        sa.Column("state", _WORD, nullable=False),
        sa.Column("platform_id", sa.Text(), nullable=True),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("params", sa.JSON(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_launch_steps"),
        _of_campaign("launch_steps"),
        _of_creative("launch_steps"),
    )
    op.create_index(
        "uq_launch_steps_campaign_key", "launch_steps", ["campaign_id", "key"], unique=True
    )
    op.create_index(
        "ix_launch_steps_campaign_position", "launch_steps", ["campaign_id", "position"]
    )
    op.create_table(
        "launch_journal",
        sa.Column("id", _SERIAL, autoincrement=True, nullable=False),
        sa.Column("campaign_id", _ID, nullable=False),
        sa.Column("step_id", sa.String(32), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("from_state", _WORD, nullable=True),
        sa.Column("to_state", _WORD, nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("platform_id", sa.Text(), nullable=True),
        sa.Column("params", sa.JSON(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("platform_reply", sa.JSON(), nullable=True),
        sa.Column("trace_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_launch_journal"),
        _of_campaign("launch_journal"),
        sa.ForeignKeyConstraint(["step_id"], ["launch_steps.id"], name="fk_launch_journal_step_id"),
    )
    op.create_index("ix_launch_journal_campaign_id", "launch_journal", ["campaign_id", "id"])


def _switches() -> None:
    op.create_table(
        "kill_switches",
        sa.Column("scope", _ID, nullable=False),
        sa.Column("thrown", sa.Boolean(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("scope", name="pk_kill_switches"),
    )
    op.create_table(
        "kill_switch_journal",
        sa.Column("id", _SERIAL, autoincrement=True, nullable=False),
        sa.Column("scope", _ID, nullable=False),
        sa.Column("thrown", sa.Boolean(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_kill_switch_journal"),
    )


def _of_campaign(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["campaign_id"], ["ad_campaigns.id"], name=f"fk_{table}_campaign_id"
    )


def _of_creative(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["creative_id"], ["ad_creatives.id"], name=f"fk_{table}_creative_id"
    )
