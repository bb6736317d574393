"""The outbox of changes and its append-only journal."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from zyenta_ads_pipeline.store.columns import ExactDecimal, UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_OPEN = sa.text("state IN ('proposed', 'approved', 'sending')")
_WORD = sa.String(16)

_APPEND_ONLY_SQLITE = """
CREATE TRIGGER change_journal_no_{event} BEFORE {event} ON change_journal
BEGIN SELECT RAISE(ABORT, 'change_journal is append-only'); END
"""
_APPEND_ONLY_POSTGRES = """
CREATE FUNCTION change_journal_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'change_journal is append-only'; END $$;
CREATE TRIGGER change_journal_no_change BEFORE UPDATE OR DELETE ON change_journal
FOR EACH ROW EXECUTE FUNCTION change_journal_append_only()
"""


def upgrade() -> None:
    op.create_table(
        "changes",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("platform", sa.String(32), nullable=False),
        sa.Column("account_id", sa.String(64), nullable=False),
        sa.Column("campaign_id", sa.String(64), nullable=False),
        sa.Column("level", _WORD, nullable=False),
        sa.Column("object_id", sa.String(64), nullable=False),
        sa.Column("object_name", sa.Text(), nullable=False),
        sa.Column("field", _WORD, nullable=False),
        sa.Column("old_value", sa.Text(), nullable=False),
        sa.Column("new_value", sa.Text(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("confidence", ExactDecimal(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("decision_id", sa.String(200), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=False),
        sa.Column("metrics", sa.JSON(), nullable=False),
        sa.Column("state", _WORD, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("lease_until", UtcDateTime(), nullable=True),
        sa.Column("claimed_by", sa.Text(), nullable=True),
        sa.Column("retry_after", UtcDateTime(), nullable=True),
        sa.Column("written_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("last_note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_changes"),
    )
    op.create_index(
        "uq_changes_open_object_field",
        "changes",
        ["object_id", "field"],
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
    op.create_index(
        "uq_changes_decision_object_field",
        "changes",
        ["decision_id", "object_id", "field"],
        unique=True,
    )
    op.create_index("ix_changes_account_state", "changes", ["account_id", "state", "number"])
    op.create_index("ix_changes_state", "changes", ["state", "number"])
    op.create_index("uq_changes_number", "changes", ["number"], unique=True)
    op.create_index("ix_changes_object_written", "changes", ["object_id", "field", "written_at"])
    op.create_index(
        "ix_changes_campaign_written", "changes", ["campaign_id", "field", "written_at"]
    )
    op.create_table(
        "change_journal",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("change_id", sa.String(32), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("from_state", _WORD, nullable=True),
        sa.Column("to_state", _WORD, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("old_value", sa.Text(), nullable=False),
        sa.Column("new_value", sa.Text(), nullable=False),
        sa.Column("confidence", ExactDecimal(), nullable=False),
        sa.Column("metrics", sa.JSON(), nullable=False),
        sa.Column("platform_reply", sa.JSON(), nullable=True),
        sa.Column("trace_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_change_journal"),
        sa.ForeignKeyConstraint(["change_id"], ["changes.id"], name="fk_change_journal_change_id"),
    )
    op.create_index("ix_change_journal_change_id", "change_journal", ["change_id", "id"])
    if op.get_context().dialect.name == "sqlite":
        for event in ("update", "delete"):
            op.execute(_APPEND_ONLY_SQLITE.format(event=event))
    else:
        op.execute(_APPEND_ONLY_POSTGRES)


def downgrade() -> None:
    op.drop_table("change_journal")
    op.drop_table("changes")
    if op.get_context().dialect.name != "sqlite":
        op.execute("DROP FUNCTION change_journal_append_only()")
