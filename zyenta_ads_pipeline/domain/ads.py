"""Meta's objects as the product knows them: account, campaign, ad set, ad."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from zyenta_ads_pipeline.domain.errors import InputError


class Level(StrEnum):
    """The four levels at which Meta reports; finest last."""

    ACCOUNT = "account"
    CAMPAIGN = "campaign"
    ADSET = "adset"
    AD = "ad"


PURCHASE_TYPES: tuple[str, ...] = (
    "omni_purchase",
    "purchase",
    "offsite_conversion.fb_pixel_purchase",
)
"""One sale appears under several of these names: exactly one is counted, the first that the
account uses. Summing them counts a sale two or three times."""

LEAD_TYPES: tuple[str, ...] = (
    "lead",
    "onsite_conversion.lead_grouped",
    "offsite_conversion.fb_pixel_lead",
)
"""The same rule for leads."""

LINK_CLICK_FIELD = "inline_link_clicks"


def account_number(account: str) -> str:
    """An ad account's id as bare digits: `act_123` and `123` both give `123`.

    Raises `InputError` for anything else.
    """
    digits = account.strip().removeprefix("act_")
    if not (digits.isascii() and digits.isdigit()):
        raise InputError(
            f"{account!r} is not an ad account's id.",
            "Write it as act_ followed by digits, as Ads Manager shows it.",
        )
    return digits


@dataclass(frozen=True)
class AdAccount:
    """One ad account. `id` is digits; money in minor units of `currency`."""

    id: str
    name: str
    currency: str
    timezone: str
    account_status: int
    min_daily_budget: int | None
    observed_at: datetime


@dataclass(frozen=True)
class AdObject:
    """A campaign, ad set or ad as it stood at `observed_at`; money in minor units."""

    level: Level
    id: str
    account_id: str
    name: str
    status: str
    effective_status: str
    campaign_id: str
    adset_id: str | None = None
    creative_id: str | None = None
    objective: str | None = None
    daily_budget: int | None = None
    lifetime_budget: int | None = None
    created_time: datetime | None = None
    updated_time: datetime | None = None
    observed_at: datetime | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    """The rest of what the platform said of it (goal, bid strategy, schedule), by its names."""


@dataclass(frozen=True)
class AdCreative:
    """A creative as it stood at `observed_at`; `details` as in `AdObject`."""

    id: str
    account_id: str
    name: str
    status: str
    observed_at: datetime
    details: Mapping[str, Any] = field(default_factory=dict)
