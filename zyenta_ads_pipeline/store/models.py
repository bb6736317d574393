"""The tables of the operational database.

`changes` is the outbox: one row a change, at its present state. `change_journal` is append-only:
one row a step or note, never altered (triggers refuse it). Moments are UTC; values are texts as
the platform writes them, budgets in whole minor units of `currency`.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Text,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.change import ChangeField, ChangeState
from zyenta_ads_pipeline.store.columns import ExactDecimal, UtcDateTime, words

OPEN_STATES = (ChangeState.PROPOSED, ChangeState.APPROVED, ChangeState.SENDING)
"""A change in one of these may still be written; at most one such for an object's field."""

_OPEN = text("state IN ('proposed', 'approved', 'sending')")


class Base(DeclarativeBase):
    """Common metadata; constraints are named so that migrations can speak of them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class ChangeRow(Base):
    """One change: what was proposed, and where it stands."""

    __tablename__ = "changes"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    number: Mapped[int] = mapped_column(Integer)
    """The order of arrival, also among those taken in at the same moment."""

    platform: Mapped[str] = mapped_column(String(32))
    account_id: Mapped[str] = mapped_column(String(64))
    campaign_id: Mapped[str] = mapped_column(String(64))
    level: Mapped[Level] = mapped_column(words(Level))
    object_id: Mapped[str] = mapped_column(String(64))
    object_name: Mapped[str] = mapped_column(Text)
    field: Mapped[ChangeField] = mapped_column(words(ChangeField))
    old_value: Mapped[str] = mapped_column(Text)
    new_value: Mapped[str] = mapped_column(Text)
    currency: Mapped[str] = mapped_column(String(3))
    reason: Mapped[str] = mapped_column(Text)
    confidence: Mapped[Decimal] = mapped_column(ExactDecimal)
    policy: Mapped[str] = mapped_column(Text)
    decision_id: Mapped[str] = mapped_column(String(200))
    decided_at: Mapped[datetime] = mapped_column(UtcDateTime)
    metrics: Mapped[dict[str, str | None]] = mapped_column(JSON)

    state: Mapped[ChangeState] = mapped_column(words(ChangeState))
    attempt: Mapped[int] = mapped_column(Integer)
    """1 at first; one more each time the change comes back from SENDING to be tried again."""
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    claimed_by: Mapped[str | None] = mapped_column(Text)
    retry_after: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Until then another try is known to be in vain (a guardrail or the platform said so)."""
    written_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When a write of this change reached the platform; empty if none did."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_note: Mapped[str] = mapped_column(Text)

    __table_args__ = (
        Index(
            "uq_changes_open_object_field",
            "object_id",
            "field",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        Index("uq_changes_decision_object_field", "decision_id", "object_id", "field", unique=True),
        Index("ix_changes_account_state", "account_id", "state", "number"),
        Index("ix_changes_state", "state", "number"),
        Index("ix_changes_state_campaign", "state", "campaign_id"),
        Index("uq_changes_number", "number", unique=True),
        Index("ix_changes_object_written", "object_id", "field", "written_at"),
        Index("ix_changes_campaign_written", "campaign_id", "field", "written_at"),
    )


class JournalRow(Base):
    """One step of a change, or a note on it (then both states are the same)."""

    __tablename__ = "change_journal"

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    )
    change_id: Mapped[str] = mapped_column(String(32), ForeignKey("changes.id"))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    from_state: Mapped[ChangeState | None] = mapped_column(words(ChangeState))
    to_state: Mapped[ChangeState] = mapped_column(words(ChangeState))
    actor: Mapped[str] = mapped_column(Text)
    """A person, a policy or a run."""
    note: Mapped[str] = mapped_column(Text)
    old_value: Mapped[str] = mapped_column(Text)
    new_value: Mapped[str] = mapped_column(Text)
    confidence: Mapped[Decimal] = mapped_column(ExactDecimal)
    metrics: Mapped[dict[str, str | None]] = mapped_column(JSON)
    platform_reply: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    trace_id: Mapped[str] = mapped_column(Text)

    __table_args__ = (Index("ix_change_journal_change_id", "change_id", "id"),)


class ReportJobRow(Base):
    """One asynchronous report that the platform was asked for and whose rows are not stored yet."""

    __tablename__ = "report_jobs"

    request: Mapped[str] = mapped_column(String(64), primary_key=True)
    """The server's prefix and `Report.fingerprint()`: one open report a request."""
    account_id: Mapped[str] = mapped_column(String(64))
    run_id: Mapped[str] = mapped_column(String(64))
    """The platform's own id of the report."""
    described: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(16))
    percent: Mapped[int] = mapped_column(Integer)
    attempt: Mapped[int] = mapped_column(Integer)
    polls: Mapped[int] = mapped_column(Integer)
    submitted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    progressed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    """When state or percent last changed: what a stall is measured from."""

    __table_args__ = (Index("ix_report_jobs_account_id", "account_id"),)


class ReportCostRow(Base):
    """What reports of one account and kind were found to cost; the planner reads and renews it."""

    __tablename__ = "report_costs"

    account_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    stream: Mapped[str] = mapped_column(String(64), primary_key=True)
    """The server's prefix, level and preset, as `1f0c9a2b:ad/insights`."""
    model: Mapped[dict[str, Any]] = mapped_column(JSON)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class RateUsageRow(Base):
    """How much of one of the platform's quotas was used when last seen, by any process."""

    __tablename__ = "rate_usage"

    scope: Mapped[str] = mapped_column(String(120), primary_key=True)
    """The server's prefix, and whose quota: an app's, an account's score, its use case."""
    percent: Mapped[float] = mapped_column(Float)
    measured_at: Mapped[datetime] = mapped_column(UtcDateTime)
    blocked_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decay_seconds: Mapped[float] = mapped_column(Float)


class AlertRow(Base):
    """One trouble that a person has to mend, raised once until it is over."""

    __tablename__ = "alerts"

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    )
    key: Mapped[str] = mapped_column(String(200))
    """What the trouble is about, as `token:act_1`; at most one open alert a key."""
    account_id: Mapped[str | None] = mapped_column(String(64))
    told: Mapped[str] = mapped_column(Text)
    remedy: Mapped[str] = mapped_column(Text)
    raised_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    delivered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the webhook took it; empty while it was not delivered, or there is none."""
    resolved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index(
            "uq_alerts_open_key",
            "key",
            unique=True,
            sqlite_where=text("resolved_at IS NULL"),
            postgresql_where=text("resolved_at IS NULL"),
        ),
    )
