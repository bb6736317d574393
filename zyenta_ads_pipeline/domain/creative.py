"""Ad creatives of ours: what they say and show, which test state they are in, where they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

HEADLINE_CHARACTERS = 40
TEXT_CHARACTERS = 125
"""Longest texts that Meta shows in full (fact sheet 5.5). Longer ones are asked for again."""


class CreativeType(StrEnum):
    """What a creative shows (the seeds' three)."""

    IMAGE = "image"
    VIDEO = "video"
    CAROUSEL = "carousel"


class CreativeStatus(StrEnum):
    """Where a creative stands in its test (the seeds' five)."""

    ACTIVE = "active"
    PAUSED = "paused"
    TESTING = "testing"
    WINNER = "winner"
    LOSER = "loser"


class Angle(StrEnum):
    """How a creative argues (the seeds' three variations)."""

    BENEFIT = "benefit"
    SOCIAL_PROOF = "social_proof"
    URGENCY = "urgency"
    PROBLEM_SOLUTION = "problem_solution"


CREATIVE_TRANSITIONS: dict[CreativeStatus, frozenset[CreativeStatus]] = {
    CreativeStatus.ACTIVE: frozenset({CreativeStatus.PAUSED, CreativeStatus.TESTING}),
    CreativeStatus.PAUSED: frozenset({CreativeStatus.ACTIVE, CreativeStatus.TESTING}),
    CreativeStatus.TESTING: frozenset(set(CreativeStatus) - {CreativeStatus.TESTING}),
    # A test that is over can be set aside or begun anew, never turned round.
    CreativeStatus.WINNER: frozenset({CreativeStatus.PAUSED, CreativeStatus.TESTING}),
    CreativeStatus.LOSER: frozenset({CreativeStatus.PAUSED, CreativeStatus.TESTING}),
}


@dataclass(frozen=True)
class CreativeOrigin:
    """Where a creative's texts come from, for the lineage. `writer` is `openai` or `template`.

    `cost_usd_micros` is in millionths of a US dollar, None where the price is not known.
    """

    writer: str
    model: str
    prompt_version: str
    product_ids: Sequence[str]
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd_micros: int | None = None


@dataclass(frozen=True)
class CreativeDraft:
    """A creative before its launch: the seeds' AdCreative with its origin.

    `media_ids` are ids of the store's media assets, first the one that is shown first.
    `description` is the primary text.
    """

    name: str
    type: CreativeType
    angle: Angle | None
    """None: a human made it on the platform, and what it argues with is not known."""
    headline: str
    description: str
    call_to_action: str
    media_ids: Sequence[str]
    link_url: str
    origin: CreativeOrigin


@dataclass(frozen=True)
class Rejection:
    """A text that was not taken, and why; kept, so that a buyer can read it."""

    angle: str
    headline: str
    description: str
    call_to_action: str
    rule: str
    reason: str
    attempt: int


@dataclass(frozen=True)
class AdCreative:
    """A stored creative, its place on the platform, its numbers since its start (minor units)."""

    id: str
    campaign_id: str
    draft: CreativeDraft
    status: CreativeStatus
    created_at: datetime
    updated_at: datetime
    platform_creative_id: str | None = None
    platform_ad_set_id: str | None = None
    platform_ad_id: str | None = None
    impressions: int = 0
    clicks: int = 0
    conversions: int = 0
    spend_minor: int = 0
    revenue_minor: int = 0
    review_feedback: Mapping[str, str] = field(default_factory=dict)
    """The platform's policy texts, where it disapproved the ad."""
