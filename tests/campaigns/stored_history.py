"""A lake with the whole memory of an invented account: synced each morning, numbers that came in
late, budgets that were changed. Days are UTC; each morning at six the last eight days are read."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from zyenta_ads_pipeline.lake.content import with_content_hash
from zyenta_ads_pipeline.lake.lake import Lake, Scope
from zyenta_ads_pipeline.lake.models import model
from zyenta_ads_pipeline.lake.schema import Table
from zyenta_ads_pipeline.lake.tables import (
    AD_ACCOUNTS,
    AD_METRICS,
    AD_OBJECT_HISTORY,
    AD_OBJECTS,
    ADSET_METRICS,
    CAMPAIGN_METRICS,
    CAMPAIGN_TRAILING,
    CONVERSION_LAG,
    INSIGHT_READINGS,
    INSIGHT_READS,
    INSIGHT_RESTATEMENTS,
    RAW_INSIGHTS,
)
from zyenta_ads_pipeline.metrics.lag import lag_curve

ACCOUNT = "77"
FIRST = date(2026, 9, 1)
REPORTED = (0.5, 0.75, 0.9, 1.0)
"""Share of a day's purchases that the reading of the next morning, of the one after it … shows."""
READ_BACK = 8


@dataclass(frozen=True)
class Campaign:
    """What it spends and sells: `level` purchases a day at a spend of 100, and their elasticity.
    `budgets` are major units by the day they begin on; 0: paused."""

    own: str
    level: float
    budgets: dict[int, float]
    elasticity: float = 0.6
    order: float = 40.0
    ad_sets: int = 0
    delivered: float = 1.0


@dataclass(frozen=True)
class World:
    """The lake, and what no lake knows: purchases and revenue as they were in the end."""

    lake: Lake
    days: int
    truth: dict[tuple[str, date], tuple[int, float]] = field(default_factory=dict)

    @property
    def last_day(self) -> date:
        """The last complete day that was read."""
        return day(self.days - 1)


def day(n: int) -> date:
    """The n-th day, 0 the first."""
    return FIRST + timedelta(days=n)


def morning_after(n: int, hour: int = 6) -> datetime:
    """When the n-th day was first read after its end."""
    return datetime.combine(day(n + 1), time(hour), UTC)


def remembered(
    root: Path,
    campaigns: list[Campaign],
    *,
    days: int,
    seed: int = 1,
    missed: frozenset[int] = frozenset(),
) -> World:
    """The account's lake after the reading of the morning after the last of `days`. On the mornings
    after the days `missed` nobody read anything."""
    rng = np.random.default_rng(seed)
    world = World(Lake(str(root / "lake")), days)
    mornings = [n for n in range(days) if n not in missed]
    now = morning_after(days - 1)
    newest: list[dict[str, Any]] = []
    before: list[dict[str, Any]] = []
    for campaign in campaigns:
        for n in range(days):
            budget = _budget(campaign, n)
            if budget == 0:
                continue
            spend = round(budget * campaign.delivered * float(rng.uniform(0.95, 1.0)), 2)
            mean = campaign.level * (spend / 100) ** campaign.elasticity
            sold = int(rng.poisson(mean))
            orders = (campaign.order * rng.lognormal(-0.125, 0.5, sold)).round(2)
            world.truth[campaign.own, day(n)] = (sold, float(orders.sum()))
            late = rng.choice(len(REPORTED), sold, p=np.diff([0.0, *REPORTED]))
            _versions(campaign, n, spend, orders, late, mornings, newest, before)
    _write(world, campaigns, newest, before, mornings, now)
    return world


def frame(table: Table, rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Rows of a table; what they leave out is null."""
    empty: dict[str, Any] = dict.fromkeys(table.schema.names())
    return pl.DataFrame([empty | row for row in rows], schema=table.schema)


def _budget(campaign: Campaign, n: int) -> float:
    return [amount for since, amount in sorted(campaign.budgets.items()) if since <= n][-1]


def _versions(
    campaign: Campaign,
    n: int,
    spend: float,
    orders: Any,
    late: Any,
    mornings: list[int],
    newest: list[dict[str, Any]],
    before: list[dict[str, Any]],
) -> None:
    """The ad's row of one day as each reading found it."""
    rows: list[dict[str, Any]] = []
    for morning in mornings:
        age = morning - n
        if not 0 <= age < READ_BACK:
            continue
        told = orders[late <= age]
        actions = [("omni_purchase", str(len(told)))] if len(told) else []
        values = [("omni_purchase", f"{told.sum():.2f}")] if len(told) else []
        row = {
            "date": day(n), "account_id": ACCOUNT, "level": "ad", "object_id": f"{campaign.own}9",
            "campaign_id": campaign.own, "adset_id": f"{campaign.own}1",
            "ad_id": f"{campaign.own}9",
            "currency": "USD", "impressions": str(int(spend * 100)), "clicks": str(int(spend)),
            "spend": f"{spend:.2f}", "actions": _items(actions), "action_values": _items(values),
            "missing": "", "observed_at": morning_after(morning), "run_id": f"run-{morning}",
        }  # fmt: skip
        same = rows and all(rows[-1][name] == row[name] for name in ("actions", "action_values"))
        if not same:
            rows.append(row)
    before.extend(
        row | {"replaced_at": later["observed_at"], "removed": False}
        for row, later in pairwise(rows)
    )
    newest.extend(rows[-1:])


def _items(pairs: list[tuple[str, str]]) -> list[dict[str, Any]]:
    windows = ("1d_click", "7d_click", "28d_click", "1d_view")
    return [
        {"action_type": name, "value": value, **dict.fromkeys(windows)} for name, value in pairs
    ]


def _write(
    world: World,
    campaigns: list[Campaign],
    newest: list[dict[str, Any]],
    before: list[dict[str, Any]],
    mornings: list[int],
    now: datetime,
) -> None:
    lake = world.lake
    scope = Scope([ACCOUNT])
    days = [day(n) for n in range(world.days)]
    account = {
        "account_id": ACCOUNT, "name": "Shop", "currency": "USD", "timezone": "UTC",
        "account_status": 1, "min_daily_budget": 100, "purchase_type": "omni_purchase",
        "observed_at": now, "run_id": "run",
    }  # fmt: skip
    lake.write(AD_ACCOUNTS, frame(AD_ACCOUNTS, [account]), scope)
    lake.write(RAW_INSIGHTS, with_content_hash(frame(RAW_INSIGHTS, newest)), Scope([ACCOUNT], days))
    lake.append(INSIGHT_RESTATEMENTS, with_content_hash(frame(INSIGHT_RESTATEMENTS, before)))
    _write_readings(lake, days, mornings)
    states = [state for campaign in campaigns for state in _states(campaign, now)]
    lake.write(AD_OBJECT_HISTORY, frame(AD_OBJECT_HISTORY, states), scope)
    current = [
        {name: value for name, value in state.items() if name in AD_OBJECTS.schema}
        | {"observed_at": now}
        for state in states
        if state["valid_to"] is None
    ]
    lake.write(AD_OBJECTS, frame(AD_OBJECTS, current), scope)
    since = {"since": days[0], "until": days[-1]}
    readings = lake.snapshot().query(model("conversion_lag"), {"since": days[0]})
    lag = lag_curve(readings).with_columns(observed_at=pl.lit(now), run_id=pl.lit("run"))
    lake.write(CONVERSION_LAG, lag, scope)
    for table in (AD_METRICS, ADSET_METRICS, CAMPAIGN_METRICS, CAMPAIGN_TRAILING):
        rows = lake.snapshot().query(model(table.name), since)
        lacking = [name for name in table.schema.names() if name not in rows.columns]
        rows = rows.with_columns(pl.lit(None).alias(name) for name in lacking)
        lake.write(table, rows, Scope([ACCOUNT], days))


def _write_readings(lake: Lake, days: list[date], mornings: list[int]) -> None:
    readings, reads = [], []
    for n, each in enumerate(days):
        seen = [m for m in mornings if 0 <= m - n < READ_BACK]
        readings += [
            {
                "date": each, "account_id": ACCOUNT, "age_days": m - n + 1,
                "read_at": morning_after(m),
            }
            for m in seen
        ]  # fmt: skip
        if seen:
            last = morning_after(seen[-1])
            reads.append(
                {
                    "date": each, "account_id": ACCOUNT, "stream": "insights", "read_at": last,
                    "age_days": seen[-1] - n + 1, "rows": 1, "whole_at": last, "proof": "equal",
                    "run_id": "run",
                }
            )  # fmt: skip
    lake.write(INSIGHT_READINGS, frame(INSIGHT_READINGS, readings), Scope([ACCOUNT], days))
    lake.write(INSIGHT_READS, frame(INSIGHT_READS, reads), Scope([ACCOUNT], days))


def _states(campaign: Campaign, now: datetime) -> list[dict[str, Any]]:
    """The states of a campaign, and of its ad sets where they hold the budget in equal parts. A
    change of the n-th day is seen at seven that morning."""
    starts = sorted(campaign.budgets)
    rows = []
    for number, since in enumerate(starts):
        begun = datetime.combine(day(since), time(7), UTC)
        last = number == len(starts) - 1
        until = None if last else datetime.combine(day(starts[number + 1]), time(7), UTC)
        minor = round(campaign.budgets[since] * 100)
        state: dict[str, Any] = {
            "account_id": ACCOUNT, "level": "campaign", "object_id": campaign.own,
            "campaign_id": campaign.own, "name": f"Campaign {campaign.own}",
            "status": "ACTIVE" if minor else "PAUSED",
            "effective_status": "ACTIVE" if minor else "PAUSED", "is_deleted": False,
            "valid_from": begun, "valid_to": until, "last_seen_at": until or now,
            "observed_at": begun, "run_id": "run",
        }  # fmt: skip
        if not campaign.ad_sets:
            rows.append(state | {"daily_budget": minor or None})
            continue
        rows.append(state)
        for part in range(campaign.ad_sets):
            share = minor // campaign.ad_sets + (minor % campaign.ad_sets if part == 0 else 0)
            own = f"{campaign.own}{part + 1}"
            rows.append(
                state | {"level": "adset", "object_id": own, "adset_id": own, "daily_budget": share}
            )
    return rows
