"""Accounts of a few campaigns for the tests of the allocation, told in one line each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from zyenta_ads_pipeline.optimizer.account import CAMPAIGNS, DAYS, AccountHistory, Limits
from zyenta_ads_pipeline.optimizer.allocation import Allocation, allocate
from zyenta_ads_pipeline.optimizer.deciding import DECISIONS

DAY = date(2026, 9, 30)


@dataclass(frozen=True)
class Share:
    """One campaign and what was decided on it. `weight` is its new budget in major units."""

    campaign_id: str
    weight: str | None = None
    current: int | None = 5000
    action: str = ""
    active: bool = True
    floor: int | None = None
    cap: int | None = None
    locked: bool = False
    hold: str | None = None
    group: str | None = None
    days_running: int = 30
    log_marginal: float | None = None
    curvature: float | None = None
    up: float | None = None
    spent: tuple[str, str] | None = None
    """Spend of the day before the last and of the last, major units."""

    def decision(self, offset: int) -> dict[str, Any]:
        action = self.action
        if not action:
            wanted = None if self.weight is None else Decimal(self.weight) * offset
            now = self.current or 0
            rises = wanted is not None and wanted > now
            action = "maintain" if wanted is None else "increase" if rises else "decrease"
        return {
            "campaign_id": self.campaign_id,
            "action": action,
            "new_budget": None if self.weight is None else Decimal(self.weight),
            "reason": "Because",
            "confidence": 0.6,
            "probability_up": self.up,
            "log_marginal": self.log_marginal,
            "curvature": self.curvature,
        }

    def campaign(self) -> dict[str, Any]:
        return {
            "campaign_id": self.campaign_id,
            "name": f"Campaign {self.campaign_id}",
            "active": self.active,
            "current_minor": self.current,
            "floor_minor": self.floor,
            "cap_minor": self.cap,
            "locked": self.locked,
            "group": self.group,
            "days_running": self.days_running,
            "last_change_day": None,
            "last_change": None,
            "committed_week_minor": 0,
        }

    def days(self) -> list[dict[str, Any]]:
        return [
            {
                "campaign_id": self.campaign_id,
                "date": DAY - timedelta(days=1 - number),
                "impressions": 1000,
                "clicks": 50,
                "spend": Decimal(spent),
                "conversions": Decimal(3),
                "revenue": Decimal(150),
                "maturity": 0.6,
                "budget_minor": self.current,
            }
            for number, spent in enumerate(self.spent or ())
        ]


def limits(total: int | None = None, **others: Any) -> Limits:
    """Limits as the tests like them: no step and no dead band unless asked for."""
    given = {"floor_minor": 1000, "max_step": None, "dead_band": Decimal(0)} | others
    if isinstance(given["max_step"], str):
        given["max_step"] = Decimal(given["max_step"])
    if isinstance(given["dead_band"], str):
        given["dead_band"] = Decimal(given["dead_band"])
    return Limits(total_minor=total, **given)


def account(shares: Sequence[Share], bounds: Limits, currency: str = "USD") -> AccountHistory:
    """The account of these campaigns."""
    return AccountHistory(
        account_id="1",
        currency=currency,
        day=DAY,
        campaigns=pl.DataFrame([share.campaign() for share in shares], schema=dict(CAMPAIGNS)),
        days=pl.DataFrame([d for share in shares for d in share.days()], schema=dict(DAYS)),
        limits=bounds,
    )


def run(
    shares: Sequence[Share],
    total: int | None = None,
    *,
    currency: str = "USD",
    shares_total: bool = False,
    bounds: Limits | None = None,
    **others: Any,
) -> Allocation:
    """Allocate to these campaigns."""
    of = account(shares, bounds or limits(total, **others), currency)
    decisions = pl.DataFrame(
        [share.decision(of.offset) for share in shares], schema=dict(DECISIONS)
    )
    held = [{"campaign_id": s.campaign_id, "hold": s.hold} for s in shares if s.hold is not None]
    holds = pl.DataFrame(held, schema={"campaign_id": pl.String, "hold": pl.String})
    return allocate(of, decisions, shares_total=shares_total, holds=holds)


def budgets(allocation: Allocation) -> dict[str, int]:
    """What each campaign gets."""
    return dict(allocation.rows.select("campaign_id", "budget_minor").iter_rows())


def row(allocation: Allocation, campaign: str) -> Mapping[str, Any]:
    """One campaign's row."""
    return allocation.rows.row(by_predicate=pl.col("campaign_id") == campaign, named=True)
