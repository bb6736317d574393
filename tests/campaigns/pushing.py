"""A push with a clock and a sleep that the test holds."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.campaigns.fake_platform import FakePlatform
from tests.store.samples import NOW
from zyenta_ads_pipeline.campaigns.changes import push_changes
from zyenta_ads_pipeline.campaigns.report import PushReport
from zyenta_ads_pipeline.optimizer.guardrails import Guardrails
from zyenta_ads_pipeline.store.outbox import Outbox

LEASE = timedelta(minutes=5)


def rails(**more: Any) -> Guardrails:
    """Wide guardrails, narrowed by `more`."""
    wide: dict[str, Any] = {
        "max_step": Decimal("0.5"),
        "minimum_minor": 100,
        "cap_minor": None,
        "max_total_minor": None,
        "max_budget_changes_per_day": 9,
    }
    return Guardrails(**(wide | more))


class Clock:
    """Stands still until moved."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        return self.at

    def move(self, **units: float) -> None:
        self.at += timedelta(**units)


def push(platform: FakePlatform, outbox: Outbox, clock: Clock, **more: Any) -> PushReport:
    """`push_changes` to its end; a wait moves the clock and takes no time."""

    async def sleep(seconds: float) -> None:
        clock.move(seconds=seconds)

    given: dict[str, Any] = {"guardrails": rails(), "owner": "run 1", "now": clock, "sleep": sleep}
    return asyncio.run(push_changes(platform, outbox, **(given | more)))
