"""Guardrails and a change to ask them about, for tests."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.change import ChangeField, ProposedChange
from zyenta_ads_pipeline.optimizer.guardrail_check import check
from zyenta_ads_pipeline.optimizer.guardrails import Guardrails, Verdict

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 3, 10, 15, 30, tzinfo=BERLIN)

RAILS = Guardrails(
    max_step=Decimal("0.20"), minimum_minor=500, cap_minor=20_000, max_total_minor=100_000
)


def change(
    new: str, old: str = "10000", field: ChangeField = ChangeField.DAILY_BUDGET, name: str = "Shoes"
) -> ProposedChange:
    return ProposedChange(
        platform="meta",
        account_id="1",
        campaign_id="11",
        level=Level.CAMPAIGN,
        object_id="11",
        object_name=name,
        field=field,
        old_value=old,
        new_value=new,
        currency="USD",
        reason="Good ROAS of 2.40x - gradual scaling by $10.00",
        confidence=Decimal("0.75"),
        policy="roas_thresholds",
        decision_id="d1",
        decided_at=NOW,
    )


def ask(proposed: ProposedChange, **known: Any) -> Verdict:
    facts: dict[str, Any] = {
        "live_value": proposed.old_value,
        "live_status": "ACTIVE",
        "changes_last_hour": 0,
        "changes_today": 0,
        "committed_total_minor": 50_000,
        "now": NOW,
        "guardrails": RAILS,
    }
    return check(proposed, **(facts | known))


def rails(**other: Any) -> Guardrails:
    return dataclasses.replace(RAILS, **other)


NO_TOTAL = dataclasses.replace(RAILS, max_total_minor=None)
