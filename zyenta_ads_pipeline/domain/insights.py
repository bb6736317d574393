"""What a report of insights asks for: level, days, breakdowns, fields, and the key of its rows."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace

from zyenta_ads_pipeline.domain.ads import LINK_CLICK_FIELD, Level
from zyenta_ads_pipeline.domain.time import DateRange

ATTRIBUTION_WINDOWS: tuple[str, ...] = ("1d_click", "7d_click", "28d_click", "1d_view")
"""Asked for by name and kept apart, beside `value`, which follows the ad set's own setting.
Meta retired 7d_view and 28d_view in January 2026."""

ID_FIELDS: dict[Level, tuple[str, ...]] = {
    Level.ACCOUNT: ("account_id",),
    Level.CAMPAIGN: ("account_id", "campaign_id"),
    Level.ADSET: ("account_id", "campaign_id", "adset_id"),
    Level.AD: ("account_id", "campaign_id", "adset_id", "ad_id"),
}

OBJECT_ID: dict[Level, str] = {level: fields[-1] for level, fields in ID_FIELDS.items()}

STATS: tuple[str, ...] = ("actions", "action_values")
"""Fields that are lists of actions, one item a type."""

FIELDS: tuple[str, ...] = (
    "account_currency",
    "impressions",
    "clicks",
    LINK_CLICK_FIELD,
    "reach",
    "spend",
    *STATS,
)
"""What every report asks for besides its key."""

HOURLY = "hourly_stats_aggregated_by_advertiser_time_zone"


@dataclass(frozen=True)
class Preset:
    """A way to break insights down. `breakdowns` are Meta's names and a part of the rows' key.

    `lacks` are fields that Meta does not serve with these breakdowns; where `off_meta` is false,
    website purchases are absent from them too, not zero, so that no ROAS follows from such rows.
    """

    name: str
    breakdowns: tuple[str, ...]
    meaning: str
    lacks: tuple[str, ...] = ()
    off_meta: bool = True

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields to ask for, besides the key."""
        return tuple(field for field in FIELDS if field not in self.lacks)


PLAIN = Preset("insights", (), "Whole days, not broken down.")

PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset("by_hour", (HOURLY,), "Hours of the account's own day.", ("reach",), off_meta=False),
        Preset("by_age_gender", ("age", "gender"), "Age groups and genders."),
        Preset("by_country", ("country",), "Countries."),
        Preset("by_region", ("region",), "Regions.", off_meta=False),
        Preset(
            "by_placement",
            ("publisher_platform", "platform_position"),
            "Publisher platforms and positions.",
        ),
        Preset(
            "by_device", ("publisher_platform", "impression_device"), "Devices of the impressions."
        ),
    )
}
"""The breakdowns that are kept, each in a table of its own, `insights_<name>`."""


@dataclass(frozen=True)
class Report:
    """One request for daily insights of one account.

    `ids` restricts it to objects of its level; `node` asks another object's edge in place of
    the account's. `fields` may be a part of the preset's, when all of them are too much at once.
    """

    account_id: str
    level: Level
    days: DateRange
    preset: Preset = PLAIN
    fields: tuple[str, ...] = FIELDS
    ids: tuple[str, ...] | None = None
    node: str | None = None

    @property
    def id_fields(self) -> tuple[str, ...]:
        """The ids of the level and of what lies above it; always asked for."""
        return ID_FIELDS[self.level]

    @property
    def key(self) -> tuple[str, ...]:
        """The fields that make a row unique."""
        return (OBJECT_ID[self.level], "date_start", *self.preset.breakdowns)

    def with_days(self, days: DateRange) -> Report:
        """The same for other days."""
        return replace(self, days=days)

    def fingerprint(self) -> str:
        """A short text that is the same for the same request, in any process."""
        told = [
            self.account_id,
            self.level.value,
            str(self.days),
            self.preset.breakdowns,
            self.fields,
            self.ids,
            self.node,
            ATTRIBUTION_WINDOWS,
        ]
        return hashlib.blake2b(json.dumps(told).encode(), digest_size=12).hexdigest()

    def __str__(self) -> str:
        part = "" if self.ids is None else f" of {len(self.ids)} objects"
        return f"act_{self.account_id} {self.level.value} {self.preset.name} {self.days}{part}"
