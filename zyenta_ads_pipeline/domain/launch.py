"""What a launch makes on a platform: its objects as plain specifications, step by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from zyenta_ads_pipeline.domain.campaign import CampaignObjective


class StepKind(StrEnum):
    """The kinds of steps, in the order in which a launch takes them."""

    IMAGE = "image"
    VIDEO = "video"
    CAMPAIGN = "campaign"
    ADSET = "adset"
    CREATIVE = "creative"
    AD = "ad"


class StepState(StrEnum):
    """Where a step stands. SENDING found by another run is looked up before anything is sent."""

    PENDING = "pending"
    SENDING = "sending"
    DONE = "done"
    REFUSED = "refused"
    ROLLED_BACK = "rolled_back"


STEP_TRANSITIONS: dict[StepState, frozenset[StepState]] = {
    StepState.PENDING: frozenset({StepState.SENDING, StepState.REFUSED}),
    StepState.SENDING: frozenset({StepState.DONE, StepState.PENDING, StepState.REFUSED}),
    StepState.DONE: frozenset({StepState.ROLLED_BACK}),
    StepState.REFUSED: frozenset({StepState.PENDING}),
    StepState.ROLLED_BACK: frozenset({StepState.PENDING}),
}
"""SENDING goes back to PENDING only when it is known that nothing was made."""


@dataclass(frozen=True)
class CampaignSpec:
    """A campaign to make, PAUSED. With `daily_budget_minor` it holds the budget for its ad sets.

    `product_catalog_id` is what a catalogue campaign sells from.
    """

    name: str
    objective: CampaignObjective
    daily_budget_minor: int | None = None
    product_catalog_id: str | None = None


@dataclass(frozen=True)
class AdSetSpec:
    """An ad set to make, PAUSED. Budget in minor units, None where the campaign holds it.

    `targeting` is in the platform's own form. Moments aware.
    """

    campaign_id: str
    name: str
    objective: CampaignObjective
    targeting: Mapping[str, Any]
    start_time: datetime
    end_time: datetime | None
    daily_budget_minor: int | None
    page_id: str
    pixel_id: str | None = None
    product_set_id: str | None = None
    dsa_beneficiary: str = ""
    """Who is advertised for and who pays; EU delivery wants them."""


@dataclass(frozen=True)
class CreativeSpec:
    """A creative to make: one image, or one video with a thumbnail, or the catalogue's products."""

    name: str
    page_id: str
    headline: str
    message: str
    call_to_action: str
    link_url: str
    image_hash: str | None = None
    video_id: str | None = None
    thumbnail_hash: str | None = None
    thumbnail_url: str | None = None
    product_set_id: str | None = None
    instagram_user_id: str | None = None


@dataclass(frozen=True)
class AdSpec:
    """An ad to make, PAUSED."""

    name: str
    ad_set_id: str
    creative_id: str


Spec = CampaignSpec | AdSetSpec | CreativeSpec | AdSpec


@dataclass(frozen=True)
class Created:
    """An object that the platform made, or was found to have made. `id` empty: validated only."""

    id: str
    trace_id: str = ""
    reply: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Interest:
    """An interest that ads can be aimed at. `valid` False: retired, or never known."""

    id: str
    name: str
    audience_size: int | None = None
    topic: str = ""
    valid: bool = True


@dataclass(frozen=True)
class AdReview:
    """One ad's review: its status with everything counted in, and what the platform objects to.

    `issues` are sentences; `feedback` is policy to text.
    """

    ad_id: str
    ad_set_id: str
    name: str
    configured_status: str
    effective_status: str
    feedback: Mapping[str, str] = field(default_factory=dict)
    issues: Sequence[str] = ()


@dataclass(frozen=True)
class CampaignReview:
    """A campaign with its ads, as the platform shows them."""

    campaign_id: str
    configured_status: str
    effective_status: str
    issues: Sequence[str]
    ads: Sequence[AdReview]
    observed_at: datetime
