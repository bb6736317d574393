"""A small lake with what decisions are made of: one account, four days, four campaigns."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from zyenta_ads_pipeline.campaigns.rules import AccountRules
from zyenta_ads_pipeline.lake.lake import Lake, Scope
from zyenta_ads_pipeline.lake.schema import Table
from zyenta_ads_pipeline.lake.tables import (
    AD_ACCOUNTS,
    AD_OBJECTS,
    ADSET_METRICS,
    CAMPAIGN_METRICS,
    CAMPAIGN_TRAILING,
)
from zyenta_ads_pipeline.optimizer.roas_thresholds import RoasThresholds

# 03:00 UTC on the 20th is still the 19th in New York: the 18th is the last complete day.
NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)
LAST_DAY = date(2026, 11, 18)
DAYS = [LAST_DAY - timedelta(days=n) for n in range(4)]
SPEND = {"10": Decimal(50), "20": Decimal(40), "30": Decimal(20)}
VALUES = {"10": Decimal(150), "20": Decimal(80), "30": Decimal(6)}
"""Spend and value of a day by campaign: ROAS of 3, 2 and 0.3."""


def rules(**more: Any) -> AccountRules:
    """The seeds' policy under wide limits, narrowed by `more`."""
    wide: dict[str, Any] = {"policy": RoasThresholds(), "floor": Decimal(5), "max_step": None}
    return AccountRules(**(wide | more))


def rows(table: Table, *given: Mapping[str, Any]) -> pl.DataFrame:
    """Rows of a table; what they leave out is null."""
    empty: dict[str, Any] = dict.fromkeys(table.schema.names())
    return pl.DataFrame([empty | dict(row) for row in given], schema=table.schema)


def thing(level: str, own: str, **more: Any) -> dict[str, Any]:
    """An object of the account as the run `run` read it."""
    base = {"account_id": "1", "level": level, "object_id": own, "campaign_id": own, "name": own}
    read = {"status": "ACTIVE", "effective_status": "ACTIVE", "observed_at": NOW, "run_id": "run"}
    return base | read | more


def delivered(day: date, **more: Any) -> dict[str, Any]:
    """A day's row of metrics; one purchase unless said otherwise."""
    base: dict[str, Any] = {
        "date": day,
        "account_id": "1",
        "currency": "USD",
        "impressions": 1000,
        "clicks": 50,
        "purchases": Decimal(1),
        "maturity": 1.0,
        "observed_at": NOW,
    }
    return base | more


def trailing(campaign: str, day: date, **more: Any) -> dict[str, Any]:
    """That there are numbers of a day, as freshness is judged by."""
    return delivered(day, campaign_id=campaign, window_days=7) | more


def small_lake(root: Path) -> Lake:
    """A campaign with its own budget (ROAS 3), one with two ad sets (2), a losing one (0.3), one
    that is paused, and one that is archived."""
    lake = Lake(str(root / "lake"))
    account = {
        "account_id": "1", "currency": "USD", "timezone": "America/New_York",
        "account_status": 1, "min_daily_budget": 100, "observed_at": NOW, "run_id": "run",
        "purchase_type": "omni_purchase",
    }  # fmt: skip
    lake.write(AD_ACCOUNTS, rows(AD_ACCOUNTS, account), Scope(["1"]))
    objects = rows(
        AD_OBJECTS,
        thing("campaign", "10", daily_budget=5000),
        thing("campaign", "20"),
        thing("adset", "21", campaign_id="20", daily_budget=3000),
        thing("adset", "22", campaign_id="20", daily_budget=1001),
        thing("adset", "23", campaign_id="20", daily_budget=9000, status="PAUSED"),
        thing("campaign", "30", daily_budget=2000),
        thing("campaign", "40", daily_budget=2000, status="PAUSED", effective_status="PAUSED"),
        thing("campaign", "50", status="ARCHIVED", effective_status="ARCHIVED"),
    )
    lake.write(AD_OBJECTS, objects, Scope(["1"]))
    campaigns = [
        delivered(day, campaign_id=one, spend=SPEND[one], purchase_value=value)
        for day in DAYS
        for one, value in VALUES.items()
    ]
    lake.write(CAMPAIGN_METRICS, rows(CAMPAIGN_METRICS, *campaigns), Scope(["1"], DAYS))
    ad_sets = [
        delivered(
            day, campaign_id="20", adset_id=own, spend=Decimal(20), purchase_value=Decimal(value)
        )
        for day in DAYS
        for own, value in (("21", 30), ("22", 50))
    ]
    lake.write(ADSET_METRICS, rows(ADSET_METRICS, *ad_sets), Scope(["1"], DAYS))
    tomorrow = LAST_DAY + timedelta(days=1)
    windows = [*(trailing(one, LAST_DAY) for one in VALUES), trailing("10", tomorrow)]
    lake.write(
        CAMPAIGN_TRAILING, rows(CAMPAIGN_TRAILING, *windows), Scope(["1"], [LAST_DAY, tomorrow])
    )
    return lake
