"""The tables of launches and kill switches.

`launch_journal` and `kill_switch_journal` are append-only: triggers refuse any other change.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from zyenta_ads_pipeline.domain.launch import StepKind, StepState
from zyenta_ads_pipeline.store.campaign_models import CampaignRow, CreativeRow
from zyenta_ads_pipeline.store.columns import PlainJson, UtcDateTime, words
from zyenta_ads_pipeline.store.models import Base

_SERIAL = BigInteger().with_variant(Integer, "sqlite")


class LaunchHoldRow(Base):
    """Who may launch a campaign now; `owner` empty: nobody does."""

    __tablename__ = "launch_holds"

    campaign_id: Mapped[str] = mapped_column(
        String(64), ForeignKey(CampaignRow.id), primary_key=True
    )
    owner: Mapped[str | None] = mapped_column(Text)
    lease_until: Mapped[datetime] = mapped_column(UtcDateTime)


class LaunchStepRow(Base):
    """One step of a campaign's launch: what is to be made, and where it stands."""

    __tablename__ = "launch_steps"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    campaign_id: Mapped[str] = mapped_column(String(64), ForeignKey(CampaignRow.id))
    position: Mapped[int]
    key: Mapped[str] = mapped_column(Text)
    kind: Mapped[StepKind] = mapped_column(words(StepKind))
    name: Mapped[str] = mapped_column(Text)
    token: Mapped[str] = mapped_column(Text)
    """Part of the object's name on the platform: by it a create of unknown outcome is found."""
    creative_id: Mapped[str | None] = mapped_column(String(64), ForeignKey(CreativeRow.id))
    state: Mapped[StepState] = mapped_column(words(StepState))
    platform_id: Mapped[str | None] = mapped_column(Text)
    owner: Mapped[str | None] = mapped_column(Text)
    """The run that began it last."""
    attempt: Mapped[int]
    """How many times it was begun."""
    params: Mapped[dict[str, Any]] = mapped_column(PlainJson)
    note: Mapped[str] = mapped_column(Text)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index("uq_launch_steps_campaign_key", "campaign_id", "key", unique=True),
        Index("ix_launch_steps_campaign_position", "campaign_id", "position"),
    )


class LaunchJournalRow(Base):
    """One move of one step; append-only."""

    __tablename__ = "launch_journal"

    id: Mapped[int] = mapped_column(_SERIAL, primary_key=True, autoincrement=True)
    campaign_id: Mapped[str] = mapped_column(String(64), ForeignKey(CampaignRow.id))
    step_id: Mapped[str] = mapped_column(String(32), ForeignKey(LaunchStepRow.id))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    from_state: Mapped[StepState | None] = mapped_column(words(StepState))
    to_state: Mapped[StepState] = mapped_column(words(StepState))
    owner: Mapped[str | None] = mapped_column(Text)
    attempt: Mapped[int]
    platform_id: Mapped[str | None] = mapped_column(Text)
    params: Mapped[dict[str, Any]] = mapped_column(PlainJson)
    note: Mapped[str] = mapped_column(Text)
    platform_reply: Mapped[dict[str, Any] | None] = mapped_column(PlainJson)
    trace_id: Mapped[str] = mapped_column(Text)

    __table_args__ = (Index("ix_launch_journal_campaign_id", "campaign_id", "id"),)


class SwitchRow(Base):
    """A kill switch as it stands; `scope` is an account's id, or `*` for all accounts."""

    __tablename__ = "kill_switches"

    scope: Mapped[str] = mapped_column(String(64), primary_key=True)
    thrown: Mapped[bool] = mapped_column(Boolean)
    by: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class SwitchJournalRow(Base):
    """One throw or lift of a kill switch; append-only."""

    __tablename__ = "kill_switch_journal"

    id: Mapped[int] = mapped_column(_SERIAL, primary_key=True, autoincrement=True)
    scope: Mapped[str] = mapped_column(String(64))
    thrown: Mapped[bool] = mapped_column(Boolean)
    by: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
