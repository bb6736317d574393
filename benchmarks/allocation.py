"""The allocation of a total, against the least that sorting as many numbers takes."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import numpy as np

from benchmarks.measure import Comparison, compare
from zyenta_ads_pipeline.optimizer.allocation import Allocation, CampaignShare, allocate

_CAMPAIGNS = 100_000


def measure(_folder: Path) -> Iterator[Comparison]:
    """One total over `_CAMPAIGNS` campaigns under floor, cap and step."""
    rng = np.random.default_rng(7)
    current = rng.integers(1_000, 50_000, _CAMPAIGNS)
    roas = rng.integers(0, 600, _CAMPAIGNS)
    shares = [
        CampaignShare(
            campaign_id=f"{number}",
            roas=Decimal(int(hundredths)) / 100,
            current_minor=int(minor),
            decided_budget=None,
            active=True,
            paused_by_decision=False,
        )
        for number, (hundredths, minor) in enumerate(zip(roas, current, strict=True))
    ]
    total = int(current.sum())

    def ours() -> Allocation:
        return allocate(
            shares,
            currency="USD",
            total_minor=total,
            floor_minor=1_000,
            cap_minor=100_000,
            max_step=Decimal("0.20"),
        )

    assert ours().distributed == total
    keys = rng.random(_CAMPAIGNS)
    yield compare(
        f"allocate a total to {_CAMPAIGNS:,} campaigns, exact to the minor unit, each with its "
        "reason",
        "numpy sorts as many floats",
        ours,
        lambda: np.sort(keys),
        clock="CPU",
        units=_CAMPAIGNS,
    )
