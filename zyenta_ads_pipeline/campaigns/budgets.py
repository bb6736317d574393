"""From the lake's tables to decided and allocated budgets, one account at a time.

The arithmetic is the optimizer's; here its inputs are read and its answers become rows. "Now" is
the moment the account was last observed, so the same tables give the same decisions again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from zyenta_ads_pipeline.campaigns.account_objects import (
    account_objects,
    account_row,
    campaigns_among,
)
from zyenta_ads_pipeline.campaigns.curves import stored_curves, with_curves
from zyenta_ads_pipeline.campaigns.expectations import expectations
from zyenta_ads_pipeline.campaigns.history import account_history
from zyenta_ads_pipeline.campaigns.rules import AccountRules
from zyenta_ads_pipeline.campaigns.rules_json import rules_from_json, rules_to_json
from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.errors import NotDecidable
from zyenta_ads_pipeline.domain.insights import PLAIN
from zyenta_ads_pipeline.domain.money import decimals
from zyenta_ads_pipeline.domain.time import account_day, day_start, zone
from zyenta_ads_pipeline.lake.decision_tables import (
    BUDGET_ALLOCATION,
    BUDGET_DECISIONS,
    DECISION_STOPS,
)
from zyenta_ads_pipeline.lake.lake import Snapshot
from zyenta_ads_pipeline.lake.tables import CAMPAIGN_TRAILING, INSIGHT_READS
from zyenta_ads_pipeline.optimizer.account import AccountHistory
from zyenta_ads_pipeline.optimizer.allocation import Allocation, allocate
from zyenta_ads_pipeline.optimizer.allocation_cases import RowAction
from zyenta_ads_pipeline.optimizer.deciding import decided
from zyenta_ads_pipeline.optimizer.holds import holds
from zyenta_ads_pipeline.optimizer.stops import Forbids, Stop, StopKind, bounded, stops
from zyenta_ads_pipeline.optimizer.windows import window_sums

_FRESH_FOR = timedelta(hours=3)
_SHARED = ("date", "account_id", "currency", "decision_id", "decided_at")
"""Columns that decisions and allocation have in common."""


@dataclass(frozen=True)
class Decided:
    """One account's decisions and stops, as rows of `budget_decisions` and `decision_stops`."""

    decisions: pl.DataFrame
    stops: pl.DataFrame


_NOTHING = Decided(
    pl.DataFrame(schema=BUDGET_DECISIONS.schema), pl.DataFrame(schema=DECISION_STOPS.schema)
)


@dataclass(frozen=True)
class Recorded:
    """Decisions that were taken before, as a policy: the allocation fits what was decided."""

    name: str
    shares_total: bool
    decisions: pl.DataFrame

    def decide(self, account: AccountHistory) -> pl.DataFrame:
        """What was decided then (columns of `DECISIONS`)."""
        return self.decisions


def decide(
    snapshot: Snapshot, account_id: str, rules: AccountRules, *, run_id: str, now: datetime
) -> Decided:
    """The policy's decision on every campaign of one account, and what forbids to act on it.

    Looks at the account's last complete day. Raises `NotDecidable` unless account, objects and
    that day were read by this run, or within the last three hours before `now` (aware). Nothing is
    decided on an account without campaigns.
    """
    account, objects = account_row(snapshot, account_id), account_objects(snapshot, account_id)
    if account is None or not objects:
        raise NotDecidable(f"act_{account_id} has not been read yet.", "Sync it first.")
    if not campaigns_among(objects):
        return _NOTHING
    decided_at: datetime = account["observed_at"]
    day = account_day(decided_at, account["timezone"]) - timedelta(days=1)
    read_at = _check_fresh(snapshot, account, objects, day, run_id, now)
    local = decided_at.astimezone(zone(account["timezone"]))
    known = account_history(snapshot, account_id, rules, day=day)
    found = stops(known, read_at=read_at, now=local)
    history = bounded(with_curves(known, snapshot), found)
    # What `planning.plan` does in one go is done in two, so that each shows by itself; the last
    # step is `allocate_budgets`.
    asked = decided(rules.policy, history)
    held = holds(history, asked)
    key = {
        "date": day,
        "account_id": account_id,
        "decision_id": f"{account_id}-{decided_at:%Y%m%dT%H%M%S}-{run_id[:8]}",
        "decided_at": decided_at,
        "run_id": run_id,
    }
    told = {
        **key,
        "currency": history.currency,
        "policy": rules.policy.name,
        "shares_total": rules.policy.shares_total,
        "window_days": rules.window_days,
        "table_versions": json.dumps(snapshot.versions, sort_keys=True),
        "rules": rules_to_json(rules),
    }
    roas = pl.when(pl.col("spend") > 0).then(pl.col("revenue").cast(pl.Float64) / pl.col("spend"))
    rows = (
        asked.join(window_sums(history), on="campaign_id", maintain_order="left")
        .join(held, on="campaign_id", how="left", maintain_order="left")
        .with_columns(
            **{name: pl.lit(value) for name, value in told.items()},
            campaign_name=pl.col("name"),
            current_budget=_major(pl.col("current_minor"), history.currency),
            purchases=pl.col("conversions"),
            purchase_value=pl.col("revenue"),
            roas=roas if account["purchase_type"] else pl.lit(None, pl.Float64),
        )
    )
    stop_rows = [
        key | {"kind": stop.kind.value, "forbids": stop.forbids.value, "reason": stop.reason}
        for stop in found
    ]
    return Decided(
        rows.select(pl.col(name).cast(kind) for name, kind in BUDGET_DECISIONS.schema.items()),
        pl.DataFrame(stop_rows, schema=DECISION_STOPS.schema),
    )


def allocate_budgets(
    known: Decided, snapshot: Snapshot, run_id: str, *, alone: bool = False
) -> pl.DataFrame:
    """One account's decisions made to fit together, as rows of `budget_allocation`.

    `snapshot` is the lake as the decision saw it, and the rules are those of its time: the two
    tables of one decision belong together, whatever was read since. With `alone` each decision
    stands by itself, and no total is shared.
    """
    decisions = known.decisions
    if decisions.is_empty():
        return pl.DataFrame(schema=BUDGET_ALLOCATION.schema)
    first = decisions.row(0, named=True)
    account_id, day = first["account_id"], first["date"]
    recorded = Recorded(first["policy"], first["shares_total"] and not alone, decisions)
    rules = rules_from_json(first["rules"], recorded)
    found = [
        Stop(StopKind(row["kind"]), row["reason"], Forbids(row["forbids"]))
        for row in known.stops.sort("kind").iter_rows(named=True)
    ]
    history = bounded(account_history(snapshot, account_id, rules, day=day), found)
    if alone:
        history = _without_totals(history, decisions["campaign_id"])
    allocation = allocate(
        history,
        decided(recorded, history),
        shares_total=recorded.shares_total,
        holds=decisions.select("campaign_id", "hold").drop_nulls("hold"),
    )
    set_to = pl.when(pl.col("action") == RowAction.SET.value).then("budget_minor")
    after = pl.when(pl.col("action") == RowAction.PAUSE.value).then(0).otherwise("budget_minor")
    forecasts = expectations(
        stored_curves(snapshot, account_id, Level.CAMPAIGN, day),
        allocation.rows.filter(pl.col("action") != RowAction.LEAVE.value).select(
            "campaign_id", now="current_minor", new=after
        ),
        history.currency,
        day,
    )
    rows = (
        allocation.rows.join(
            decisions.select("campaign_id", "campaign_name", *_SHARED, "hold"), on="campaign_id"
        )
        .join(forecasts, on="campaign_id", how="left")
        .join(_pools(allocation), on="group", how="left", nulls_equal=True)
        .sort("campaign_id")
        .with_columns(
            current_budget_minor=pl.col("current_minor"),
            allocated_minor=set_to,
            needs_person=pl.lit(allocation.needs_person),
            run_id=pl.lit(run_id),
        )
    )
    return rows.select(pl.col(name).cast(kind) for name, kind in BUDGET_ALLOCATION.schema.items())


def recorded_versions(decisions: pl.DataFrame) -> dict[str, int]:
    """The version of each table that a decision read, from its rows."""
    versions: dict[str, int] = json.loads(decisions["table_versions"][0])
    return versions


def current_decisions(snapshot: Snapshot, account_id: str, run_id: str, now: datetime) -> Decided:
    """What this run decided on the account; in a run that decides nothing, the newest decision
    of the last three hours. Empty if there is none."""
    every = snapshot.scan(BUDGET_DECISIONS)
    mine = every.filter(pl.col("account_id") == account_id)
    if every.filter(pl.col("run_id") == run_id).head(1).collect().height:
        found = mine.filter(pl.col("run_id") == run_id).collect()
    else:
        recent = mine.filter(pl.col("decided_at") > now - _FRESH_FOR)
        newest = recent.filter(pl.col("decided_at") == pl.col("decided_at").max())
        found = newest.filter(pl.col("decision_id") == pl.col("decision_id").max()).collect()
    ids = found["decision_id"].unique().implode()
    stopped = snapshot.scan(DECISION_STOPS).filter(pl.col("decision_id").is_in(ids)).collect()
    return Decided(found, stopped)


def latest_allocation(snapshot: Snapshot, decision: str) -> pl.DataFrame:
    """The rows of `budget_allocation` that belong to one decision."""
    return snapshot.scan(BUDGET_ALLOCATION).filter(pl.col("decision_id") == decision).collect()


def last_allocated(snapshot: Snapshot, account_id: str) -> dict[str, int]:
    """The budgets that the account's newest allocation sets, minor units, by campaign."""
    mine = snapshot.scan(BUDGET_ALLOCATION).filter(pl.col("account_id") == account_id)
    newest = mine.filter(pl.col("decided_at") == pl.col("decided_at").max())
    rows = newest.select("campaign_id", "allocated_minor").drop_nulls().collect()
    return dict(rows.iter_rows())


def _check_fresh(
    snapshot: Snapshot,
    account: Mapping[str, Any],
    objects: Sequence[Mapping[str, Any]],
    day: date,
    run_id: str,
    now: datetime,
) -> datetime:
    """When the oldest part was read; `NotDecidable` where anything is missing or too old."""
    read = (account, *objects)
    oldest: datetime = min(row["observed_at"] for row in read)
    if any(row["run_id"] != run_id for row in read) and now - oldest > _FRESH_FOR:
        raise NotDecidable(
            f"act_{account['account_id']} was last read on {oldest:%Y-%m-%d %H:%M} UTC, too long "
            "ago to decide on.",
            "Run the hourly job, or `zyenta run`.",
        )
    that_day = (pl.col("account_id") == account["account_id"]) & (pl.col("date") == day)
    seen = snapshot.scan(CAMPAIGN_TRAILING).filter(that_day).select("observed_at").collect()
    # Numbers that no longer moved keep the moment at which they were first seen.
    reads = snapshot.scan(INSIGHT_READS).filter(that_day & (pl.col("stream") == PLAIN.name))
    moments = [*seen["observed_at"], *reads.select("read_at").collect()["read_at"]]
    ended = day_start(day + timedelta(days=1), account["timezone"])
    if seen.is_empty() or not any(moment >= ended for moment in moments):
        raise NotDecidable(
            f"act_{account['account_id']} has no numbers of {day}, its last complete day.",
            "If it delivered that day, sync it; if nothing is running, there is nothing to decide.",
        )
    return oldest


def _pools(allocation: Allocation) -> pl.DataFrame:
    """Each total and what came of it, by the group that shares it."""
    names = ("group", "case", "message", "price", "total_minor", "distributed_minor")
    schema = {name: BUDGET_ALLOCATION.schema[name] for name in names}
    rows = [
        (pool.group, pool.case.value, pool.message, pool.price, pool.total, pool.distributed)
        for pool in allocation.pools
    ]
    return pl.DataFrame(rows, schema=schema, orient="row")


def _without_totals(history: AccountHistory, campaign_ids: pl.Series) -> AccountHistory:
    """The history of some campaigns, each by itself."""
    mine = pl.col("campaign_id").is_in(campaign_ids.implode())
    return replace(
        history,
        campaigns=history.campaigns.filter(mine),
        days=history.days.filter(mine),
        limits=replace(history.limits, total_minor=None, group_totals={}),
    )


def _major(minor: pl.Expr, currency: str) -> pl.Expr:
    """Whole minor units as an exact amount in major units."""
    unit = pl.lit(Decimal(1).scaleb(-decimals(currency)), pl.Decimal(38, 12))
    return (minor.cast(pl.Decimal(38, 12)) * unit).cast(pl.Decimal(38, 12))
