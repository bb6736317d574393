"""What was decided, and how creatives stand in their tests, from a snapshot of the lake."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from zyenta_ads_pipeline.campaigns.expectations import in_words
from zyenta_ads_pipeline.console.numbers_shown import (
    Decision,
    Fatigue,
    Stop,
    TestedCreative,
    TestState,
)
from zyenta_ads_pipeline.domain.money import CURRENCY_OFFSETS, to_minor
from zyenta_ads_pipeline.lake.creative_tables import CREATIVE_FATIGUE, CREATIVE_TESTS
from zyenta_ads_pipeline.lake.decision_tables import (
    BUDGET_ALLOCATION,
    BUDGET_DECISIONS,
    CHANGE_SET,
    DECISION_STOPS,
)
from zyenta_ads_pipeline.lake.lake import Snapshot
from zyenta_ads_pipeline.lake.tables import AD_ACCOUNTS, CREATIVE_PERFORMANCE
from zyenta_ads_pipeline.optimizer.ab_plan import CreativeTest, Metric
from zyenta_ads_pipeline.optimizer.ab_progress import progress

DECIDED_FROM = (AD_ACCOUNTS, BUDGET_DECISIONS, BUDGET_ALLOCATION, CHANGE_SET)
STOPPED_FROM = (AD_ACCOUNTS, BUDGET_DECISIONS, DECISION_STOPS)
TESTED_FROM = (CREATIVE_TESTS, CREATIVE_FATIGUE)
TEST_DAYS_FROM = (CREATIVE_TESTS, CREATIVE_PERFORMANCE)
"""The tables that each of the functions below reads."""

_REACHES = (7, 35, 140)
"""Days back that are looked at for the newest decisions, before all are."""
_DECIDED = (
    "decision_id", "decided_at", "date", "policy", "action", "reason", "confidence",
    "probability_up", "currency", "current_budget", "hold", "spend", "roas",
)  # fmt: skip
_FORECAST = tuple(
    f"{name}_change_{end}" for name in ("purchases", "value") for end in ("low", "high")
)
_ALLOCATED = (
    "decision_id", "action", "current_budget_minor", "allocated_minor", "note", "hold",
    "message", "needs_person", *_FORECAST,
)  # fmt: skip


def newest_decisions(snapshot: Snapshot, campaign_id: str, limit: int) -> tuple[Decision, ...]:
    """The newest decisions on a campaign, at most `limit`, newest first."""
    mine = pl.col("campaign_id") == campaign_id
    decided = pl.DataFrame()
    for since in _since(snapshot):
        decided = (
            snapshot.scan(BUDGET_DECISIONS)
            .filter(_from(since), mine)
            .select(_DECIDED)
            .collect()
            .sort("decided_at", "decision_id", descending=True)
            .head(limit)
        )
        if decided.height == limit:
            break
    if decided.is_empty():
        return ()
    ids = decided["decision_id"].to_list()
    near = pl.col("date").is_in(decided["date"].unique().to_list())
    these = (near, mine, pl.col("decision_id").is_in(ids))
    allocated = snapshot.scan(BUDGET_ALLOCATION).filter(*these).select(_ALLOCATED).collect()
    followed = (
        snapshot.scan(CHANGE_SET)
        .filter(*these, pl.col("change_id").is_not_null() & (pl.col("change_id") != ""))
        .select("decision_id", "change_id")
        .collect()
    )
    of = {row["decision_id"]: row for row in allocated.iter_rows(named=True)}
    changes: dict[str, list[str]] = {}
    for decision_id, change_id in followed.iter_rows():
        changes.setdefault(decision_id, []).append(change_id)
    return tuple(
        _decision(row, of.get(row["decision_id"], {}), changes.get(row["decision_id"], ()))
        for row in decided.iter_rows(named=True)
    )


def _decision(
    row: Mapping[str, Any], allocated: Mapping[str, Any], changes: Collection[str]
) -> Decision:
    currency = row["currency"] or ""
    before = allocated.get("current_budget_minor")
    if before is None and row["current_budget"] is not None and currency in CURRENCY_OFFSETS:
        before = to_minor(row["current_budget"], currency)
    return Decision(
        decision_id=row["decision_id"],
        decided_at=row["decided_at"],
        day=row["date"],
        policy=row["policy"] or "",
        action=row["action"] or "",
        reason=row["reason"] or "",
        confidence=row["confidence"],
        probability_up=row["probability_up"],
        currency=currency,
        before_minor=before,
        after_minor=allocated.get("allocated_minor"),
        outcome=allocated.get("action") or "",
        note=allocated.get("note") or "",
        hold=allocated.get("hold") or row["hold"] or "",
        expected=in_words(allocated, currency) if allocated else "",
        needs_person=bool(allocated.get("needs_person")),
        message=allocated.get("message") or "",
        spend=_short(row["spend"]),
        roas=row["roas"],
        change_ids=tuple(changes),
    )


def newest_stops(snapshot: Snapshot, account_id: str) -> tuple[Stop, ...]:
    """What stopped the account's newest decision; nothing where nothing did."""
    mine = pl.col("account_id") == account_id
    for since in _since(snapshot):
        moments = [
            snapshot.scan(table)
            .filter(_from(since), mine)
            .select(pl.col("decided_at").max())
            .collect()
            .item()
            for table in (BUDGET_DECISIONS, DECISION_STOPS)
        ]
        if known := [each for each in moments if each is not None]:
            break
    else:
        return ()
    columns = ("decision_id", "decided_at", "kind", "forbids", "reason")
    rows = (
        snapshot.scan(DECISION_STOPS)
        .filter(_from(since), mine, pl.col("decided_at") == max(known))
        .select(columns)
        .sort("kind")
        .collect()
    )
    return tuple(
        Stop(decision_id, decided_at, kind, forbids or "", reason or "")
        for decision_id, decided_at, kind, forbids, reason in rows.iter_rows()
    )


def test_state(snapshot: Snapshot, campaign_id: str) -> TestState:
    """The newest look at the creatives of a campaign (its id on Meta)."""
    newest = _newest_look(snapshot, campaign_id)
    if newest.is_empty():
        return TestState()
    tired = fatigue_of(snapshot, newest["creative_id"].to_list())
    first = newest.row(0, named=True)
    return TestState(
        creatives=tuple(
            _tested(row, tired.get(row["creative_id"])) for row in newest.iter_rows(named=True)
        ),
        day=first["date"],
        started=first["started"],
        metric=first["metric"] or "",
        horizon_days=first["horizon_days"],
        currency=first["currency"] or "",
    )


def test_progress(snapshot: Snapshot, campaign_id: str) -> pl.DataFrame:
    """Each arm's rate up to each day of the test: date, arm, rate, low, high; empty without one."""
    newest = _newest_look(snapshot, campaign_id)
    names = dict(newest.select("creative_id", "name").iter_rows())
    empty = pl.DataFrame(
        schema={"date": pl.Date, "arm": pl.String}
        | dict.fromkeys(("rate", "low", "high"), pl.Float64)
    )
    if len(names) < 2 or len(set(names.values())) < len(names) or newest["started"][0] is None:
        return empty
    first = newest.row(0, named=True)
    test = CreativeTest(
        arms=tuple(names.values()),
        started=first["started"],
        metric=Metric(first["metric"]),
        horizon_days=None,
    )
    days = (
        snapshot.scan(CREATIVE_PERFORMANCE)
        .filter(
            pl.col("creative_id").is_in(list(names)),
            pl.col("date").is_between(test.started, first["date"]),
        )
        .select(
            "date",
            pl.col("creative_id").replace_strict(names, return_dtype=pl.String).alias("arm"),
            "impressions",
            conversions="purchases",
            revenue="purchase_value",
        )
        .collect()
    )
    return progress(test, days, first["date"])


def fatigue_of(snapshot: Snapshot, creative_ids: Collection[str]) -> dict[str, Fatigue]:
    """Whether each of these creatives has tired, where that was looked at."""
    columns = ("creative_id", "tired", "since", "fall", "fall_low", "fall_high", "reason")
    rows = (
        snapshot.scan(CREATIVE_FATIGUE)
        .filter(pl.col("creative_id").is_in(list(creative_ids)))
        .select(columns)
        .collect()
    )
    return {
        own: Fatigue(bool(tired), since, fall, low, high, reason or "")
        for own, tired, since, fall, low, high, reason in rows.iter_rows()
    }


def _newest_look(snapshot: Snapshot, campaign_id: str) -> pl.DataFrame:
    looks = (
        snapshot.scan(CREATIVE_TESTS)
        .filter(pl.col("platform_campaign_id") == campaign_id)
        .collect()
    )
    return looks.filter(pl.col("date") == pl.col("date").max()).sort("name", "creative_id")


def _tested(row: Mapping[str, Any], tired: Fatigue | None) -> TestedCreative:
    return TestedCreative(
        creative_id=row["creative_id"],
        name=row["name"] or "",
        standing=row["standing"] or "",
        reason=row["reason"] or "",
        impressions=row["impressions"] or 0,
        conversions=row["conversions"] or 0.0,
        revenue=row["revenue"] or 0.0,
        spend=row["spend"] or 0.0,
        rate=row["rate"],
        against=row["against"],
        lift=row["lift"],
        lift_low=row["lift_low"],
        lift_high=row["lift_high"],
        probability_better=row["probability_better"],
        days_needed=row["days_needed"],
        fatigue=tired,
    )


def _since(snapshot: Snapshot) -> list[date | None]:
    """First days of ever wider looks back from the newest account's day; last None, for all."""
    observed = snapshot.scan(AD_ACCOUNTS).select(pl.col("observed_at").max()).collect().item()
    if observed is None:
        return [None]
    today: date = observed.date()
    return [*(today - timedelta(days=back) for back in _REACHES), None]


def _from(since: date | None) -> pl.Expr:
    return pl.lit(value=True) if since is None else pl.col("date") >= since


def _short(amount: Decimal | None) -> Decimal:
    if amount is None:
        return Decimal()
    two = round(amount, 2)
    return two if two == amount else amount.normalize()
