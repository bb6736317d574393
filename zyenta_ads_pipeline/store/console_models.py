"""The tables of the console: who may come in, what was done, what was asked for, rules set there.

`audit_log` and `own_rule_journal` are append-only: triggers refuse any other change. What opens a
door is kept as its SHA-256 alone.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from zyenta_ads_pipeline.domain.access import Role
from zyenta_ads_pipeline.store.campaign_models import CampaignRow
from zyenta_ads_pipeline.store.columns import PlainJson, UtcDateTime, words
from zyenta_ads_pipeline.store.models import Base

_SERIAL = BigInteger().with_variant(Integer, "sqlite")
_OPEN_ORDER = text("state IN ('waiting', 'working')")


class TokenRow(Base):
    """One access token."""

    __tablename__ = "access_tokens"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    secret_hash: Mapped[str] = mapped_column(String(64))
    prefix: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(Text)
    role: Mapped[Role] = mapped_column(words(Role))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str] = mapped_column(Text)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_by: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (Index("uq_access_tokens_secret_hash", "secret_hash", unique=True),)


class LinkRow(Base):
    """One link that signs somebody in once."""

    __tablename__ = "access_links"

    secret_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    role: Mapped[Role] = mapped_column(words(Role))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str] = mapped_column(Text)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class SessionRow(Base):
    """Somebody who is signed in; `token_id` empty: by a link."""

    __tablename__ = "access_sessions"

    secret_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    token_id: Mapped[str | None] = mapped_column(String(32), ForeignKey(TokenRow.id))
    name: Mapped[str] = mapped_column(Text)
    role: Mapped[Role] = mapped_column(words(Role))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index("ix_access_sessions_token_id", "token_id"),
        Index("ix_access_sessions_expires_at", "expires_at"),
    )


class TryRow(Base):
    """One failed try to come in; forgotten when it is old."""

    __tablename__ = "access_tries"

    id: Mapped[int] = mapped_column(_SERIAL, primary_key=True, autoincrement=True)
    place: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index("ix_access_tries_place", "place", "at"),
        Index("ix_access_tries_at", "at"),
    )


class AuditRow(Base):
    """One act of a person; append-only."""

    __tablename__ = "audit_log"

    id: Mapped[int] = mapped_column(_SERIAL, primary_key=True, autoincrement=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    who: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(String(16))
    via: Mapped[str] = mapped_column(String(16))
    act: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(32))
    about: Mapped[str] = mapped_column(Text)
    detail: Mapped[dict[str, Any]] = mapped_column(PlainJson)
    refused: Mapped[bool] = mapped_column(Boolean)

    __table_args__ = (
        Index("ix_audit_log_about", "kind", "about", "id"),
        Index("ix_audit_log_who", "who", "id"),
    )


class ReplyRow(Base):
    """The reply to what was asked under an idempotency key; `status` empty: not answered yet."""

    __tablename__ = "kept_replies"

    who: Mapped[str] = mapped_column(String(200), primary_key=True)
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    asked_hash: Mapped[str] = mapped_column(String(64))
    begun_at: Mapped[datetime] = mapped_column(UtcDateTime)
    status: Mapped[int | None]
    headers: Mapped[list[list[str]]] = mapped_column(PlainJson)
    body: Mapped[bytes | None] = mapped_column(LargeBinary)

    __table_args__ = (Index("ix_kept_replies_begun_at", "begun_at"),)


class OrderRow(Base):
    """One thing that a person asked to be done on the platform."""

    __tablename__ = "platform_orders"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    number: Mapped[int] = mapped_column(Integer)
    """The order of arrival."""
    campaign_id: Mapped[str | None] = mapped_column(String(64), ForeignKey(CampaignRow.id))
    account_id: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(16))
    payload: Mapped[dict[str, Any]] = mapped_column(PlainJson)
    same: Mapped[str] = mapped_column(String(64))
    """What makes two orders the same: campaign or account, kind and payload, hashed."""
    asked_by: Mapped[str] = mapped_column(Text)
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    state: Mapped[str] = mapped_column(String(16))
    note: Mapped[str] = mapped_column(Text)
    remedy: Mapped[str] = mapped_column(Text)
    attempt: Mapped[int]
    owner: Mapped[str | None] = mapped_column(Text)
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    not_before: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Until then another try is known to be in vain."""
    change_ids: Mapped[list[str]] = mapped_column(PlainJson)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index(
            "uq_platform_orders_open_same",
            "same",
            unique=True,
            sqlite_where=_OPEN_ORDER,
            postgresql_where=_OPEN_ORDER,
        ),
        Index("uq_platform_orders_number", "number", unique=True),
        Index("ix_platform_orders_state", "state", "number"),
        Index("ix_platform_orders_campaign", "campaign_id", "number"),
    )


class OwnRuleRow(Base):
    """One rule as it is set; `campaign_id` empty: the account's own."""

    __tablename__ = "own_rules"

    account_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    campaign_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    value: Mapped[dict[str, Any]] = mapped_column(PlainJson)
    """`{"is": …}`, numbers as texts."""
    by: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class OwnRuleJournalRow(Base):
    """One setting or taking back of a rule; append-only."""

    __tablename__ = "own_rule_journal"

    id: Mapped[int] = mapped_column(_SERIAL, primary_key=True, autoincrement=True)
    account_id: Mapped[str] = mapped_column(String(64))
    campaign_id: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(32))
    value: Mapped[dict[str, Any] | None] = mapped_column(PlainJson)
    """Empty: it was taken back."""
    before: Mapped[dict[str, Any] | None] = mapped_column(PlainJson)
    by: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (Index("ix_own_rule_journal_account_id", "account_id", "id"),)
