from __future__ import annotations

from pathlib import Path

import pytest

from tests.campaigns.fake_platform import FakePlatform
from tests.campaigns.pushing import Clock
from tests.store.databases import empty_url, outbox, store, store_url
from zyenta_ads_pipeline.domain.ads import Level

__all__ = ["clock", "empty_url", "outbox", "platform", "store", "store_url"]


@pytest.fixture
def platform(tmp_path: Path) -> FakePlatform:
    made = FakePlatform(tmp_path / "platform.json")
    made.add("9", level=Level.CAMPAIGN, budget=None)
    for object_id in ("11", "12", "13", "14"):
        made.add(object_id)
    return made


@pytest.fixture
def clock() -> Clock:
    return Clock()
