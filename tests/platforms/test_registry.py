"""Which platforms are known, and which can be launched on."""

from __future__ import annotations

import pytest

from zyenta_ads_pipeline.domain.errors import NotSupported
from zyenta_ads_pipeline.platforms.meta.platform import MetaAds
from zyenta_ads_pipeline.platforms.registry import PLATFORMS, TITLES, require_supported, supported


def test_meta_is_supported_and_the_others_are_known_by_name() -> None:
    assert list(PLATFORMS) == list(TITLES) == ["meta", "google", "tiktok"]
    assert supported() == ["meta"]
    assert require_supported("meta") == MetaAds.capabilities
    assert MetaAds.capabilities.launch


@pytest.mark.parametrize(("name", "title"), [("google", "Google Ads"), ("tiktok", "TikTok Ads")])
def test_a_platform_that_is_known_by_name_only_says_so(name: str, title: str) -> None:
    with pytest.raises(NotSupported, match=f"{title} is known .* not supported yet") as failed:
        require_supported(name)
    assert "meta" in failed.value.remedy


@pytest.mark.parametrize("name", ["", "Meta", "bing"])
def test_an_unknown_name_is_told_the_known_ones(name: str) -> None:
    with pytest.raises(NotSupported, match=r"known are meta, google, tiktok"):
        require_supported(name)
