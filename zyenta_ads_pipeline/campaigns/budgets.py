"""From the lake's tables to decided, allocated and proposed budgets, one account at a time.

The arithmetic is the optimizer's; here its inputs are read and its answers become rows. "Now" is
the moment the account was last observed, so the same tables give the same decisions again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.change import BudgetAction, ChangeField, Decision, ProposedChange
from zyenta_ads_pipeline.domain.errors import InputError, NotDecidable
from zyenta_ads_pipeline.domain.insights import PLAIN
from zyenta_ads_pipeline.domain.money import plain, to_major, to_minor
from zyenta_ads_pipeline.domain.time import account_day, day_start
from zyenta_ads_pipeline.lake.lake import Snapshot
from zyenta_ads_pipeline.lake.tables import (
    AD_ACCOUNTS,
    AD_OBJECTS,
    BUDGET_ALLOCATION,
    BUDGET_DECISIONS,
    CAMPAIGN_METRICS,
    CAMPAIGN_TRAILING,
    INSIGHT_READS,
)
from zyenta_ads_pipeline.optimizer.allocation import (
    AllocationCase,
    AllocationRow,
    CampaignShare,
    RowAction,
    allocate,
)
from zyenta_ads_pipeline.optimizer.guardrails import Guardrails
from zyenta_ads_pipeline.optimizer.policies import CampaignHistory, Policy
from zyenta_ads_pipeline.optimizer.sharing import split_over_ad_sets

_GONE = ("ARCHIVED", "DELETED")
_FRESH_FOR = timedelta(hours=3)
_NO_PURCHASES = Decision(
    BudgetAction.MAINTAIN,
    None,
    "No purchase has been reported yet, so ROAS is not known - leaving its budget alone",
    Decimal("0.5"),
)


@dataclass(frozen=True)
class BudgetLimits:
    """What bounds one account's budgets, in major units of its currency."""

    floor: Decimal
    cap: Decimal | None
    max_step: Decimal | None
    total: Decimal | None


def decide(
    snapshot: Snapshot,
    account_id: str,
    policy: Policy,
    window_days: int,
    *,
    run_id: str,
    now: datetime,
) -> pl.DataFrame:
    """The policy's decision on every campaign of one account, as rows of `budget_decisions`.

    Looks at the account's last complete day. Raises `NotDecidable` unless account, objects and
    that day were read by this run, or within the last three hours before `now` (aware).
    """
    account, objects = _account(snapshot, account_id), _objects(snapshot, account_id)
    if account is None or not objects:
        raise NotDecidable(f"act_{account_id} has not been read yet.", "Sync it first.")
    decided_at: datetime = account["observed_at"]
    day = account_day(decided_at, account["timezone"]) - timedelta(days=1)
    _check_fresh(snapshot, account, objects, day, run_id, now)
    windows = _windows(snapshot, account_id, day, window_days)
    running = _days_running(snapshot, account_id, day)
    versions = json.dumps(snapshot.versions, sort_keys=True)
    rows = []
    for campaign in _campaigns(objects):
        campaign_id = campaign["object_id"]
        window = windows.get(campaign_id, {})
        history = CampaignHistory(
            account_id=account_id,
            campaign_id=campaign_id,
            currency=account["currency"],
            daily_budget=_major(_current_minor(campaign, objects), account["currency"]),
            spend=window.get("spend", Decimal(0)),
            revenue=window.get("purchase_value", Decimal(0)),
            conversions=window.get("purchases", Decimal(0)),
            days_running=running.get(campaign_id, 0),
            active=campaign["effective_status"] == "ACTIVE",
        )
        decision = policy.decide(history) if account["purchase_type"] else _NO_PURCHASES
        rows.append(
            {
                "date": day,
                "account_id": account_id,
                "campaign_id": campaign_id,
                "campaign_name": campaign["name"],
                "currency": account["currency"],
                "decision_id": f"{account_id}-{decided_at:%Y%m%dT%H%M%S}-{run_id[:8]}",
                "decided_at": decided_at,
                "policy": policy.name,
                "window_days": window_days,
                "action": decision.action.value,
                "current_budget": history.daily_budget,
                "new_budget": decision.new_budget,
                "reason": decision.reason,
                "confidence": float(decision.confidence),
                "spend": history.spend,
                "purchases": history.conversions,
                "purchase_value": history.revenue,
                "roas": window.get("roas") if account["purchase_type"] else None,
                "days_running": history.days_running,
                "table_versions": versions,
                "run_id": run_id,
            }
        )
    return pl.DataFrame(rows, schema=BUDGET_DECISIONS.schema)


def allocate_budgets(
    decisions: pl.DataFrame, snapshot: Snapshot, limits: BudgetLimits, run_id: str
) -> pl.DataFrame:
    """One account's decisions made to fit together, as rows of `budget_allocation`."""
    if decisions.is_empty():
        return pl.DataFrame(schema=BUDGET_ALLOCATION.schema)
    first = decisions.row(0, named=True)
    currency = first["currency"]
    account = _account(snapshot, first["account_id"]) or {}
    active = {
        campaign["object_id"]
        for campaign in _campaigns(_objects(snapshot, first["account_id"]))
        if campaign["effective_status"] == "ACTIVE"
    }
    shares = [
        CampaignShare(
            campaign_id=row["campaign_id"],
            roas=row["purchase_value"] / row["spend"] if row["roas"] is not None else None,
            current_minor=_minor(row["current_budget"], currency),
            decided_budget=row["new_budget"],
            active=row["campaign_id"] in active,
            paused_by_decision=row["action"] == BudgetAction.PAUSE,
        )
        for row in decisions.iter_rows(named=True)
    ]
    floor = max(to_minor(limits.floor, currency), account.get("min_daily_budget") or 1)
    allocation = allocate(
        shares,
        currency=currency,
        total_minor=_minor(limits.total, currency),
        floor_minor=floor,
        cap_minor=_minor(limits.cap, currency),
        max_step=limits.max_step,
    )
    rows = [
        {
            "date": first["date"],
            "account_id": first["account_id"],
            "campaign_id": row.campaign_id,
            "currency": currency,
            "decision_id": first["decision_id"],
            "decided_at": first["decided_at"],
            "action": row.action.value,
            "current_budget_minor": row.current_minor,
            "allocated_minor": _allocated(row),
            "note": row.note,
            "case": allocation.case.value,
            "message": allocation.message,
            "needs_person": allocation.needs_person,
            "total_minor": allocation.total,
            "distributed_minor": allocation.distributed,
            "run_id": run_id,
        }
        for row in allocation.rows
    ]
    return pl.DataFrame(rows, schema=BUDGET_ALLOCATION.schema)


def propose(
    decisions: pl.DataFrame, allocation: pl.DataFrame, snapshot: Snapshot
) -> list[ProposedChange]:
    """The absolute values that make Meta match the allocation, unchanged ones included.

    A campaign that holds its own budget changes itself; otherwise its ad sets share the
    allocated amount as they share today's. A paused campaign keeps its budget and is switched
    off. Values that stay are told too, since they take back an older proposal for the object.
    """
    if decisions.is_empty():
        return []
    account_id = decisions["account_id"][0]
    objects = _objects(snapshot, account_id)
    minimum = (_account(snapshot, account_id) or {}).get("min_daily_budget")
    campaigns = {campaign["object_id"]: campaign for campaign in _campaigns(objects)}
    allocated = {row["campaign_id"]: row for row in allocation.iter_rows(named=True)}
    changes: list[ProposedChange] = []
    for decision in decisions.iter_rows(named=True):
        campaign = campaigns.get(decision["campaign_id"])
        share = allocated.get(decision["campaign_id"])
        if campaign is None or share is None:
            continue  # archived since it was decided on
        because = decision | {"reason": _reason(decision, share)}
        now = campaign["status"]
        wanted = "PAUSED" if share["action"] == RowAction.PAUSE else now
        changes.append(_change(because, campaign, ChangeField.STATUS, now, wanted))
        current = _current_minor(campaign, objects)
        target = share["allocated_minor"] if share["allocated_minor"] is not None else current
        if target is not None:
            changes += [
                _change(
                    because, holder, ChangeField.DAILY_BUDGET, str(holder["daily_budget"]), str(to)
                )
                for holder, to in _holders(campaign, objects, target, minimum)
            ]
    return changes


def guardrails_of(
    snapshot: Snapshot, account_id: str, limits: BudgetLimits, *, kill_switch: bool
) -> Guardrails | None:
    """What every write to the account has to pass; None, which refuses all, if it is unknown."""
    account = _account(snapshot, account_id)
    if account is None:
        return None
    least = account["min_daily_budget"]
    return guardrails_for(account["currency"], least, limits, kill_switch=kill_switch)


def guardrails_for(
    currency: str, least_minor: int | None, limits: BudgetLimits, *, kill_switch: bool
) -> Guardrails:
    """The same for an account of that currency and least daily budget (minor units)."""
    return Guardrails(
        kill_switch=kill_switch,
        max_step=limits.max_step,
        minimum_minor=least_minor or 1,
        cap_minor=_minor(limits.cap, currency),
        max_total_minor=_minor(limits.total, currency),
    )


def current_decisions(
    snapshot: Snapshot, account_id: str, run_id: str, now: datetime
) -> pl.DataFrame:
    """What this run decided on the account; in a run that decides nothing, the newest decision
    of the last three hours. Empty if there is none."""
    mine = snapshot.scan(BUDGET_DECISIONS).filter(pl.col("account_id") == account_id)
    of_this_run = snapshot.scan(BUDGET_DECISIONS).filter(pl.col("run_id") == run_id)
    if of_this_run.collect().height:
        return mine.filter(pl.col("run_id") == run_id).collect()
    recent = mine.filter(pl.col("decided_at") > now - _FRESH_FOR)
    newest = recent.filter(pl.col("decided_at") == pl.col("decided_at").max())
    return newest.filter(pl.col("decision_id") == pl.col("decision_id").max()).collect()


def latest_allocation(snapshot: Snapshot, decision: str) -> pl.DataFrame:
    """The rows of `budget_allocation` that belong to one decision."""
    return snapshot.scan(BUDGET_ALLOCATION).filter(pl.col("decision_id") == decision).collect()


def account_timezone(snapshot: Snapshot, account_id: str) -> str:
    """The time zone of an account the lake knows."""
    account = _account(snapshot, account_id)
    if account is None:
        raise InputError(f"Account act_{account_id} is not in the lake yet.", "Sync it first.")
    return str(account["timezone"])


def _check_fresh(
    snapshot: Snapshot,
    account: Mapping[str, Any],
    objects: Sequence[Mapping[str, Any]],
    day: date,
    run_id: str,
    now: datetime,
) -> None:
    read = (account, *objects)
    oldest = min(row["observed_at"] for row in read)
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


def _allocated(row: AllocationRow) -> int | None:
    """The budget to set; None where the campaign's budget is left alone."""
    return row.budget_minor if row.action is RowAction.SET else None


def _account(snapshot: Snapshot, account_id: str) -> dict[str, Any] | None:
    mine = snapshot.scan(AD_ACCOUNTS).filter(pl.col("account_id") == account_id).collect()
    return mine.row(0, named=True) if mine.height else None


def _objects(snapshot: Snapshot, account_id: str) -> list[dict[str, Any]]:
    mine = (pl.col("account_id") == account_id) & ~pl.col("is_deleted").fill_null(False)
    return snapshot.scan(AD_OBJECTS).filter(mine).sort("object_id").collect().to_dicts()


def _campaigns(objects: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [
        thing
        for thing in objects
        if thing["level"] == Level.CAMPAIGN and thing["effective_status"] not in _GONE
    ]


def _budgeted_ad_sets(
    campaign: Mapping[str, Any], objects: Sequence[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """The campaign's ad sets that are switched on and hold a daily budget of their own."""
    return [
        thing
        for thing in objects
        if thing["level"] == Level.ADSET
        and thing["campaign_id"] == campaign["object_id"]
        and thing["status"] == "ACTIVE"
        and thing["daily_budget"]
    ]


def _current_minor(campaign: Mapping[str, Any], objects: Sequence[Mapping[str, Any]]) -> int | None:
    if campaign["daily_budget"]:
        return int(campaign["daily_budget"])
    ad_sets = _budgeted_ad_sets(campaign, objects)
    return sum(thing["daily_budget"] for thing in ad_sets) or None


def _holders(
    campaign: Mapping[str, Any],
    objects: Sequence[Mapping[str, Any]],
    allocated: int,
    minimum: int | None,
) -> list[tuple[Mapping[str, Any], int]]:
    """The objects that hold the campaign's budget, each with its share of `allocated`."""
    if campaign["daily_budget"]:
        return [(campaign, allocated)]
    ad_sets = {thing["object_id"]: thing for thing in _budgeted_ad_sets(campaign, objects)}
    current = {own: thing["daily_budget"] for own, thing in ad_sets.items()}
    split = split_over_ad_sets(allocated, current, minimum or 1)
    return [(ad_sets[own], minor) for own, minor in split.items()]


def _change(
    decision: Mapping[str, Any],
    holder: Mapping[str, Any],
    field: ChangeField,
    old: str,
    new: str,
) -> ProposedChange:
    known = ("spend", "purchases", "purchase_value", "roas", "window_days", "days_running")
    return ProposedChange(
        platform="meta",
        account_id=decision["account_id"],
        campaign_id=decision["campaign_id"],
        level=Level(holder["level"]),
        object_id=holder["object_id"],
        object_name=holder["name"],
        field=field,
        old_value=old,
        new_value=new,
        currency=decision["currency"],
        reason=decision["reason"],
        confidence=Decimal(str(decision["confidence"])),
        policy=decision["policy"],
        decision_id=decision["decision_id"],
        decided_at=decision["decided_at"],
        metrics={name: _known(decision[name]) for name in known},
    )


def _reason(decision: Mapping[str, Any], share: Mapping[str, Any]) -> str:
    """Why, in the order that counts: with a total, what the whole asks for comes first."""
    if share["case"] == AllocationCase.PASS_THROUGH:
        return f"{decision['reason']}. {share['note']}"
    return f"{share['note']} On its own: {decision['reason']}."


def _known(value: Decimal | float | int | None) -> str | None:
    """What was known, as text."""
    if isinstance(value, Decimal):
        return plain(value)
    return None if value is None else str(value)


def _windows(
    snapshot: Snapshot, account_id: str, day: date, window_days: int
) -> dict[str, dict[str, Any]]:
    rows = snapshot.scan(CAMPAIGN_TRAILING).filter(
        (pl.col("account_id") == account_id)
        & (pl.col("date") == day)
        & (pl.col("window_days") == window_days)
    )
    return {row["campaign_id"]: row for row in rows.collect().iter_rows(named=True)}


def _days_running(snapshot: Snapshot, account_id: str, day: date) -> dict[str, int]:
    """Days from each campaign's first spend known to `day`, both counted."""
    first = (
        snapshot.scan(CAMPAIGN_METRICS)
        .filter(
            (pl.col("account_id") == account_id) & (pl.col("spend") > 0) & (pl.col("date") <= day)
        )
        .group_by("campaign_id")
        .agg(pl.col("date").min())
        .collect()
    )
    return {row[0]: (day - row[1]).days + 1 for row in first.iter_rows()}


def _major(minor: int | None, currency: str) -> Decimal | None:
    return None if minor is None else to_major(minor, currency)


def _minor(major: Decimal | None, currency: str) -> int | None:
    return None if major is None else to_minor(major, currency)
