"""Rules of placements: platforms and positions that exist and go together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zyenta_ads_pipeline.sandbox.words import words
from zyenta_ads_pipeline.sandbox.write_errors import refused

_NAME = "targeting"
_PLATFORMS = words("facebook instagram messenger audience_network threads whatsapp")
_DEVICES = words("mobile desktop connected_tv")
_POSITIONS = {
    "facebook": words("""
        feed right_hand_column marketplace story search instream_video facebook_reels
        facebook_reels_overlay profile_feed notification
    """),
    "instagram": words("stream story explore_home reels profile_feed ig_search profile_reels"),
    "messenger": words("story sponsored_messages messenger_home"),
    "audience_network": words("classic rewarded_video"),
    "threads": words("threads_stream"),
    "whatsapp": words("status"),
}  # fmt: skip
_DROPPED = {"messenger": words("story")}
"""Positions that Meta takes and drops without a word."""


def check_placements(given: Mapping[str, Any]) -> dict[str, Any]:
    """The placements as they read back; those that Meta drops are gone."""
    shown: dict[str, Any] = {}
    platforms = _listed(given, "publisher_platforms", _PLATFORMS)
    devices = _listed(given, "device_platforms", _DEVICES)
    for platform, allowed in _POSITIONS.items():
        name = f"{platform}_positions"
        positions = _listed(given, name, allowed)
        if positions and platform not in (platforms or ()):
            because = f"{name} needs {platform} among publisher_platforms."
            raise refused(1815433, blame=_NAME, because=because)
        kept = [each for each in positions or () if each not in _DROPPED.get(platform, ())]
        if kept:
            shown[name] = kept
    if platforms:
        shown["publisher_platforms"] = platforms
    if devices:
        shown["device_platforms"] = devices
    return shown


def _listed(given: Mapping[str, Any], name: str, allowed: tuple[str, ...]) -> list[str] | None:
    listed = given.get(name)
    if listed is None:
        return None
    for item in listed if isinstance(listed, list) else [listed]:
        if not isinstance(listed, list) or not isinstance(item, str) or item not in allowed:
            raise refused(1815433, blame=_NAME, because=f"{name} cannot be {item!r}.")
    return listed
