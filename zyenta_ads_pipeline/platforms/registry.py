"""The ad platforms that are known by name, and what this version does on each."""

from __future__ import annotations

from zyenta_ads_pipeline.domain.errors import NotSupported
from zyenta_ads_pipeline.platforms.base import Capabilities

_NOTHING = Capabilities(insights=False, budgets=False, statuses=False, launch=False)

PLATFORMS: dict[str, Capabilities] = {
    "meta": Capabilities(insights=True, budgets=True, statuses=True, launch=True),
    "google": _NOTHING,
    "tiktok": _NOTHING,
}
TITLES: dict[str, str] = {"meta": "Meta", "google": "Google Ads", "tiktok": "TikTok Ads"}
"""What people call them."""


def supported() -> list[str]:
    """Names of the platforms on which campaigns can be launched."""
    return [name for name, can in PLATFORMS.items() if can.launch]


def require_supported(name: str) -> Capabilities:
    """What a platform can do. Raises `NotSupported` unless campaigns can be launched on it."""
    use = f"Use {' or '.join(supported())}."
    if name not in PLATFORMS:
        raise NotSupported(
            f"No ad platform is called {name!r}; known are {', '.join(PLATFORMS)}.", use
        )
    if not PLATFORMS[name].launch:
        raise NotSupported(f"{TITLES[name]} is known by name, but not supported yet.", use)
    return PLATFORMS[name]
