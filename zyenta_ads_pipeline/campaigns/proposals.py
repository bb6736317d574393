"""From an allocation to changes: the absolute values of the objects that hold the budgets, put into
the outbox as the autopilot's position allows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import polars as pl

from zyenta_ads_pipeline.campaigns.account_objects import (
    Row,
    account_objects,
    account_row,
    account_timezone,
    budgeted_ad_sets,
    campaigns_among,
    current_minor,
)
from zyenta_ads_pipeline.campaigns.ad_set_shares import shared
from zyenta_ads_pipeline.campaigns.creative_tests import TESTER
from zyenta_ads_pipeline.campaigns.curves import stored_curves
from zyenta_ads_pipeline.campaigns.expectations import in_words
from zyenta_ads_pipeline.campaigns.rules import AccountBounds
from zyenta_ads_pipeline.campaigns.rules_json import bounds_from_json
from zyenta_ads_pipeline.campaigns.undo import UNDO_POLICY
from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.change import Autopilot, ChangeField, ChangeState, ProposedChange
from zyenta_ads_pipeline.domain.money import plain
from zyenta_ads_pipeline.domain.time import account_day, day_start
from zyenta_ads_pipeline.lake.decision_tables import CHANGE_SET
from zyenta_ads_pipeline.lake.lake import Snapshot
from zyenta_ads_pipeline.optimizer.allocation_cases import AllocationCase, RowAction
from zyenta_ads_pipeline.store.outbox import Outbox

_CHANGED_TODAY = "held back: this campaign's budget was changed today already"
_UNDONE_TODAY = "held back: a person took this back today"
_TESTED_TODAY = "held back: its creative test moves its budgets today"
_REJECTED_TODAY = "held back: a person rejected this move today"
_KNOWN = ("spend", "purchases", "purchase_value", "roas", "window_days", "days_running")
_EXPECTED = (
    "purchases_change_low",
    "purchases_change_high",
    "value_change_low",
    "value_change_high",
)


def propose_changes(
    decisions: pl.DataFrame,
    allocation: pl.DataFrame,
    snapshot: Snapshot,
    outbox: Outbox,
    *,
    rules: AccountBounds,
    run_id: str,
    by_hand: Collection[str] = (),
    of_tests: Sequence[ProposedChange] = (),
) -> pl.DataFrame:
    """Offer one account's changes to the outbox; what became of each, as rows of `change_set`.

    What a person rejected, or took back, on the account's day is not offered again that day, nor
    another amount in the direction that was rejected: budgets found anew each hour differ. A
    campaign whose budget was changed on the account's day gets no further budget proposal that
    day. In the position *auto* changes are approved at once, unless the allocation had to break a
    limit that somebody set, or the campaign is one of `by_hand`: then a person decides.

    `of_tests` are what creative tests ask for. They go first: on a day on which a test moves a
    campaign's budgets, the allocation leaves them.
    """
    moment: datetime = decisions["decided_at"][0]
    account_id: str = decisions["account_id"][0]
    timezone = account_timezone(snapshot, account_id)
    midnight = day_start(account_day(moment, timezone), timezone)
    fresh: list[ProposedChange] = []
    held: list[tuple[ProposedChange, str]] = []
    rejected = {
        _move(record.change)
        for record in outbox.find(account_id=account_id, states=[ChangeState.REJECTED])
        if record.updated_at >= midnight
    }
    undone = {
        (record.change.object_id, record.change.field)
        for record in outbox.find(account_id=account_id, states=[ChangeState.APPLIED])
        if record.change.policy == UNDO_POLICY and record.updated_at >= midnight
    }
    moved_by_test = {
        each.campaign_id for each in of_tests if each.field is ChangeField.DAILY_BUDGET
    }
    for change in (*of_tests, *propose(decisions, allocation, snapshot)):
        is_budget = change.field is ChangeField.DAILY_BUDGET
        if is_budget and change.policy != TESTER and change.campaign_id in moved_by_test:
            held.append((change, _TESTED_TODAY))
        elif change.old_value == change.new_value:
            fresh.append(change)
        elif (change.object_id, change.field) in undone:
            held.append((change, _UNDONE_TODAY))
        elif is_budget and outbox.budget_decisions(
            change.campaign_id, since=midnight, except_decision=change.decision_id
        ):
            held.append((change, _CHANGED_TODAY))
        elif _move(change) in rejected:
            held.append((change, _REJECTED_TODAY))
        else:
            fresh.append(change)
    may_approve = not bool(allocation["needs_person"].any())
    rows: list[dict[str, object]] = []
    for approve in (True, False):
        some = [
            each
            for each in fresh
            if approve
            is (
                (may_approve or each.policy == TESTER)
                and each.campaign_id not in by_hand
                and rules.autopilot_of(each.campaign_id) is Autopilot.AUTO
            )
        ]
        result = outbox.propose(some, actor=f"run {run_id}", now=moment, approve=approve)
        known = (*result.inserted, *result.known)
        rows += [_row(r.change, r.id, r.state.value, run_id) for r in known]
        rows += [_row(r.change, r.open_id, r.note, run_id) for r in result.refused]
    rows += [_row(change, None, why, run_id) for change, why in held]
    # A test's changes keep a decision of their own in the outbox; here they are of this run's.
    return pl.DataFrame(rows, schema=CHANGE_SET.schema).with_columns(
        date=pl.lit(decisions["date"][0]), decision_id=pl.lit(decisions["decision_id"][0])
    )


def propose(
    decisions: pl.DataFrame,
    allocation: pl.DataFrame,
    snapshot: Snapshot,
) -> list[ProposedChange]:
    """The absolute values that make Meta match the allocation, unchanged ones included.

    A campaign that holds its own budget changes itself; otherwise its ad sets share the allocated
    amount: by what the next unit of money returns in each where their curves are known, else as
    they share today's. A paused campaign keeps its budget and is switched off. Values that stay
    are told too, since they take back an older proposal for the object.
    """
    if decisions.is_empty():
        return []
    account_id = decisions["account_id"][0]
    objects = account_objects(snapshot, account_id)
    minimum = (account_row(snapshot, account_id) or {}).get("min_daily_budget") or 1
    holding = budgeted_ad_sets(objects)
    campaigns = {campaign["object_id"]: campaign for campaign in campaigns_among(objects)}
    allocated = {row["campaign_id"]: row for row in allocation.iter_rows(named=True)}
    curves = stored_curves(snapshot, account_id, Level.ADSET, decisions["date"][0])
    bounds = bounds_from_json(decisions["rules"][0])
    changes: list[ProposedChange] = []
    for decision in decisions.iter_rows(named=True):
        campaign = campaigns.get(decision["campaign_id"])
        share = allocated.get(decision["campaign_id"])
        if campaign is None or share is None:
            continue  # archived since it was decided on
        because = _because(decision, share)
        now = campaign["status"]
        wanted = "PAUSED" if share["action"] == RowAction.PAUSE else now
        changes.append(_change(because, campaign, ChangeField.STATUS, now, wanted))
        ad_sets = holding.get(campaign["object_id"], [])
        current = current_minor(campaign, ad_sets)
        target = share["allocated_minor"] if share["allocated_minor"] is not None else current
        if target is None:
            continue
        marginal: Mapping[str, float] = {}
        if campaign["daily_budget"]:
            holders: list[tuple[Row, int]] = [(campaign, target)]
        else:
            parts = shared(
                target,
                {each["object_id"]: each["daily_budget"] for each in ad_sets},
                minimum,
                curves,
                decision=decision,
                share=share,
                bounds=bounds,
            )
            holders = [(each, parts.minor[each["object_id"]]) for each in ad_sets]
            marginal = parts.marginal
            if parts.confidence is not None:
                because = because | {"confidence": parts.confidence}
        changes += [
            _change(
                _of_ad_set(because, marginal.get(holder["object_id"])),
                holder,
                ChangeField.DAILY_BUDGET,
                str(holder["daily_budget"]),
                str(to),
            )
            for holder, to in holders
        ]
    return changes


def _of_ad_set(because: Mapping[str, Any], marginal: float | None) -> Mapping[str, Any]:
    """Why an ad set gets its part of the campaign's budget; as the campaign where it holds it."""
    if marginal is None:
        return because
    told = (
        "Its ad sets share the budget by what the next unit of money returns in each, "
        f"{marginal:.2f} here."
    )
    return {**because, "reason": f"{because['reason']} {told}"}


def _because(decision: Row, share: Row) -> dict[str, Any]:
    """What a change says of why it is made: decision, allocation and what both expect."""
    confidence = share["confidence"] if share["confidence"] is not None else decision["confidence"]
    reason = _reason(decision, share)
    return {**share, **decision, "reason": reason, "confidence": confidence}


def _reason(decision: Row, share: Row) -> str:
    """Why, in the order that counts: with a total, what the whole asks for comes first."""
    if share["case"] == AllocationCase.PASS_THROUGH:
        why = f"{_sentence(decision['reason'])} {share['note']}"
    else:
        why = f"{share['note']} On its own: {_sentence(decision['reason'])}"
    expected = in_words(share, share["currency"])
    return f"{why} Expected: {expected}." if expected else why


def _sentence(words: str) -> str:
    return words if words.endswith(".") else f"{words}."


def _change(
    because: Mapping[str, Any], holder: Row, field: ChangeField, old: str, new: str
) -> ProposedChange:
    known = (*_KNOWN, *(_EXPECTED if old != new else ()))
    return ProposedChange(
        platform="meta",
        account_id=because["account_id"],
        campaign_id=because["campaign_id"],
        level=Level(holder["level"]),
        object_id=holder["object_id"],
        object_name=holder["name"],
        field=field,
        old_value=old,
        new_value=new,
        currency=because["currency"],
        reason=because["reason"],
        confidence=Decimal(str(because["confidence"])),
        policy=because["policy"],
        decision_id=because["decision_id"],
        decided_at=because["decided_at"],
        metrics={name: _known(because[name]) for name in known},
    )


def _move(change: ProposedChange) -> tuple[str, ChangeField, str]:
    """The object, what of it changes, and which way: the new status, or up or down."""
    if change.field is ChangeField.STATUS:
        return change.object_id, change.field, change.new_value
    way = "up" if int(change.new_value) > int(change.old_value) else "down"
    return change.object_id, change.field, way


def _known(value: Decimal | float | int | None) -> str | None:
    """What was known, as text."""
    if isinstance(value, Decimal):
        return plain(value)
    return None if value is None else str(value)


def _row(
    change: ProposedChange, change_id: str | None, outcome: str, run_id: str
) -> dict[str, object]:
    return {
        "date": None,
        "account_id": change.account_id,
        "campaign_id": change.campaign_id,
        "decision_id": change.decision_id,
        "decided_at": change.decided_at,
        "change_id": change_id,
        "level": change.level.value,
        "object_id": change.object_id,
        "object_name": change.object_name,
        "field": change.field.value,
        "old_value": change.old_value,
        "new_value": change.new_value,
        "currency": change.currency,
        "reason": change.reason,
        "confidence": float(change.confidence),
        "outcome": outcome,
        "run_id": run_id,
    }
