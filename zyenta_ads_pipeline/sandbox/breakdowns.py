"""The breakdowns that are played: which may be asked together, and their keys with shares.

Meta allows a fixed table of combinations. Delivery is cut by the finest grid of a family
(placements with devices; age with gender) and gathered to what was asked, so that a breakdown
and a finer one of the same family agree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from zyenta_ads_pipeline.sandbox.graph_error import GraphError, invalid, not_played

HOURLY = "hourly_stats_aggregated_by_advertiser_time_zone"
_ALLOWED = (
    ("age",),
    ("gender",),
    ("age", "gender"),
    ("country",),
    ("region",),
    ("publisher_platform",),
    ("publisher_platform", "platform_position"),
    ("publisher_platform", "impression_device"),
    ("publisher_platform", "platform_position", "impression_device"),
    (HOURLY,),
)
_KNOWN_ELSEWHERE = frozenset({
    "product_id", "dma", "comscore_market", "device_platform", "frequency_value", "place_page_id",
    "hourly_stats_aggregated_by_audience_time_zone", "media_type", "image_asset", "video_asset",
    "body_asset", "title_asset", "description_asset", "link_url_asset", "ad_format_asset",
    "call_to_action_asset", "skan_campaign_id", "skan_conversion_id", "user_segment_key",
})  # fmt: skip
ON_META = frozenset({
    "link_click", "landing_page_view", "post_engagement", "page_engagement", "post_reaction",
    "post", "comment", "like", "photo_view", "video_view",
})  # fmt: skip
"""Actions that happen on Meta; all others are absent by region and by hour."""

_AGES = {"18-24": 0.15, "25-34": 0.27, "35-44": 0.22, "45-54": 0.17, "55-64": 0.11, "65+": 0.07,
         "unknown": 0.01}  # fmt: skip
_GENDERS = {"female": 0.51, "male": 0.47, "unknown": 0.02}
_PLACES = {
    ("facebook", "feed"): 0.34, ("facebook", "facebook_reels"): 0.12,
    ("facebook", "marketplace"): 0.06, ("facebook", "facebook_stories"): 0.04,
    ("instagram", "feed"): 0.17, ("instagram", "instagram_stories"): 0.11,
    ("instagram", "instagram_reels"): 0.1, ("audience_network", "an_classic"): 0.04,
    ("messenger", "messenger_stories"): 0.02,
}  # fmt: skip
_DEVICES = {"iphone": 0.42, "android_smartphone": 0.4, "desktop": 0.11, "ipad": 0.04,
            "android_tablet": 0.02, "unknown": 0.01}  # fmt: skip
_COUNTRIES = {
    "US": {"US": 0.88, "CA": 0.07, "GB": 0.04, "unknown": 0.01},
    "DE": {"DE": 0.86, "AT": 0.09, "CH": 0.04, "unknown": 0.01},
    "GB": {"GB": 0.9, "IE": 0.06, "US": 0.03, "unknown": 0.01},
    "JP": {"JP": 0.96, "US": 0.02, "TW": 0.01, "unknown": 0.01},
}
_REGIONS = {
    "US": {"California": 0.26, "Texas": 0.19, "New York": 0.16, "Florida": 0.14,
           "Washington": 0.11, "Colorado": 0.12, "Unknown": 0.02},
    "DE": {"Bayern": 0.27, "Nordrhein-Westfalen": 0.25, "Berlin": 0.17, "Hessen": 0.15,
           "Sachsen": 0.14, "Unknown": 0.02},
    "GB": {"England": 0.8, "Scotland": 0.12, "Wales": 0.06, "Unknown": 0.02},
    "JP": {"Tokyo": 0.5, "Osaka": 0.27, "Kyoto": 0.21, "Unknown": 0.02},
}  # fmt: skip
_HOME = {"USD": "US", "EUR": "DE", "GBP": "GB", "JPY": "JP"}


@dataclass(frozen=True)
class Grid:
    """The cells that rows are cut into: the keys' values of each cell, and its share of all."""

    names: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]
    shares: tuple[float, ...]


def read_breakdowns(asked: Sequence[str]) -> tuple[str, ...]:
    """The breakdowns of a call in their canonical order.

    `GraphError` 100 for an unknown name or one that is not played, 2/1504041 for a combination
    outside Meta's table.
    """
    names = tuple(dict.fromkeys(asked))
    known = {name for each in _ALLOWED for name in each}
    for name in names:
        if name in _KNOWN_ELSEWHERE:
            raise not_played(f"the breakdown {name}")
        if name not in known:
            raise invalid(f"Param breakdowns has an unknown value {name}")
    if not names:
        return ()
    for allowed in _ALLOWED:
        if set(allowed) == set(names):
            return allowed
    raise GraphError(
        2,
        f"(#2) The combination of breakdowns {', '.join(names)} is not valid",
        subcode=1504041,
        user_title="Invalid breakdown combination",
        user_msg="These breakdowns cannot be asked for together. Choose an allowed combination.",
    )


def lacks_off_meta(names: Sequence[str]) -> bool:
    """Whether actions off Meta, website purchases above all, are absent from these rows."""
    return HOURLY in names or "region" in names


def grid_of(names: tuple[str, ...], currency: str) -> Grid:
    """The finest grid that holds these breakdowns (not the hourly one); the account's currency
    tells its country."""
    if names[0] in ("age", "gender"):
        return _grid(("age", "gender"), {
            (age, gender): a * g for age, a in _AGES.items() for gender, g in _GENDERS.items()
        })  # fmt: skip
    if names[0] == "publisher_platform":
        return _grid(("publisher_platform", "platform_position", "impression_device"), {
            (*place, device): share * part
            for place, share in _PLACES.items()
            for device, part in _DEVICES.items()
        })  # fmt: skip
    table = _COUNTRIES if names[0] == "country" else _REGIONS
    shares = table[_HOME.get(currency, "US")]
    return _grid(names, {(name,): share for name, share in shares.items()})


def _grid(names: tuple[str, ...], cells: Mapping[tuple[str, ...], float]) -> Grid:
    return Grid(names, tuple(cells), tuple(cells.values()))
