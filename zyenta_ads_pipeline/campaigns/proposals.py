"""Puts the values an allocation asks for into the outbox, as the autopilot's position allows."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import polars as pl

from zyenta_ads_pipeline.campaigns.budgets import account_timezone, propose
from zyenta_ads_pipeline.campaigns.undo import UNDO_POLICY
from zyenta_ads_pipeline.domain.change import Autopilot, ChangeField, ChangeState, ProposedChange
from zyenta_ads_pipeline.domain.time import account_day, day_start
from zyenta_ads_pipeline.lake.lake import Snapshot
from zyenta_ads_pipeline.lake.tables import CHANGE_SET
from zyenta_ads_pipeline.store.outbox import Outbox

_CHANGED_TODAY = "held back: this campaign's budget was changed today already"
_UNDONE_TODAY = "held back: a person took this back today"
_REJECTED_TODAY = "held back: a person rejected this value today"


def propose_changes(
    decisions: pl.DataFrame,
    allocation: pl.DataFrame,
    snapshot: Snapshot,
    outbox: Outbox,
    *,
    autopilot: Autopilot,
    run_id: str,
    by_hand: Collection[str] = (),
) -> pl.DataFrame:
    """Offer one account's changes to the outbox; what became of each, as rows of `change_set`.

    A value that a person rejected, or took back, on the account's day is not offered again that
    day. A campaign whose budget was changed on the account's day gets no further budget proposal
    that day. In the position *auto* changes are approved at once, unless the allocation had to
    break a limit that somebody set, or the campaign is one of `by_hand`: then a person decides.
    """
    moment: datetime = decisions["decided_at"][0]
    account_id: str = decisions["account_id"][0]
    timezone = account_timezone(snapshot, account_id)
    midnight = day_start(account_day(moment, timezone), timezone)
    fresh: list[ProposedChange] = []
    held: list[tuple[ProposedChange, str]] = []
    rejected = {
        (record.change.object_id, record.change.field, record.change.new_value)
        for record in outbox.find(account_id=account_id, states=[ChangeState.REJECTED])
        if record.updated_at >= midnight
    }
    undone = {
        (record.change.object_id, record.change.field)
        for record in outbox.find(account_id=account_id, states=[ChangeState.APPLIED])
        if record.change.policy == UNDO_POLICY and record.updated_at >= midnight
    }
    for change in propose(decisions, allocation, snapshot):
        if change.old_value == change.new_value:
            fresh.append(change)
        elif (change.object_id, change.field) in undone:
            held.append((change, _UNDONE_TODAY))
        elif change.field is ChangeField.DAILY_BUDGET and outbox.budget_decisions(
            change.campaign_id, since=midnight, except_decision=change.decision_id
        ):
            held.append((change, _CHANGED_TODAY))
        elif (change.object_id, change.field, change.new_value) in rejected:
            held.append((change, _REJECTED_TODAY))
        else:
            fresh.append(change)
    approve = autopilot is Autopilot.AUTO and not bool(allocation["needs_person"].any())
    rows: list[dict[str, object]] = []
    for is_by_hand in (False, True):
        some = [each for each in fresh if (each.campaign_id in by_hand) is is_by_hand]
        result = outbox.propose(
            some, actor=f"run {run_id}", now=moment, approve=approve and not is_by_hand
        )
        known = (*result.inserted, *result.known)
        rows += [_row(r.change, r.id, r.state.value, run_id) for r in known]
        rows += [_row(r.change, r.open_id, r.note, run_id) for r in result.refused]
    rows += [
        *(_row(change, None, why, run_id) for change, why in held),
    ]
    return pl.DataFrame(rows, schema=CHANGE_SET.schema).with_columns(
        date=pl.lit(decisions["date"][0])
    )


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
