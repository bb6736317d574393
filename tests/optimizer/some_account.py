"""An account's history for tests, in few words."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from zyenta_ads_pipeline.optimizer.account import CAMPAIGNS, DAYS, AccountHistory, Limits

DAY = date(2026, 11, 20)
"""The last complete day: a Friday."""


def campaign(campaign_id: str = "11", budget: int | None = 10_000, **more: Any) -> dict[str, Any]:
    """One row of `CAMPAIGNS`; `budget` in minor units."""
    plain: dict[str, Any] = {
        "campaign_id": campaign_id,
        "name": f"Campaign {campaign_id}",
        "active": True,
        "current_minor": budget,
        "floor_minor": None,
        "cap_minor": None,
        "locked": False,
        "group": None,
        "days_running": 30,
        "last_change_day": None,
        "last_change": None,
        "committed_week_minor": 0,
    }
    return plain | more


def ran(
    campaign_id: str = "11", *, days: int = 14, until: int = 0, **each: Any
) -> list[dict[str, Any]]:
    """Rows of `DAYS`, `days` of them up to `until` days before `DAY`: $100, 4 conversions, ROAS 2
    and a budget of $100, unless `each` says otherwise."""
    plain: dict[str, Any] = {
        "impressions": 10_000,
        "clicks": 100,
        "spend": "100",
        "conversions": "4",
        "revenue": "200",
        "maturity": 1.0,
        "budget_minor": 10_000,
    } | each
    money = {name: Decimal(plain[name]) for name in ("spend", "conversions", "revenue")}
    return [
        {"campaign_id": campaign_id, "date": DAY - timedelta(days=until + back), **plain, **money}
        for back in range(days)
    ]


def account(
    campaigns: Iterable[dict[str, Any]],
    days: Iterable[dict[str, Any]] = (),
    *,
    currency: str = "USD",
    window_days: int = 7,
    **limits: Any,
) -> AccountHistory:
    """The history of account 1; `limits` as for `Limits`, without a total and with a floor of 1."""
    bounds: dict[str, Any] = {"total_minor": None, "floor_minor": 1} | limits
    return AccountHistory(
        account_id="1",
        currency=currency,
        day=DAY,
        campaigns=pl.DataFrame(list(campaigns), schema=dict(CAMPAIGNS)),
        days=pl.DataFrame(list(days), schema=dict(DAYS)),
        limits=Limits(**bounds),
        window_days=window_days,
    )
