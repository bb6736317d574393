"""From the lake's tables to decisions, allocations and proposed values."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from tests.campaigns.budget_lake import (
    DAYS,
    LAST_DAY,
    NOW,
    SPEND,
    VALUES,
    delivered,
    rows,
    rules,
    small_lake,
    thing,
    trailing,
)
from zyenta_ads_pipeline.campaigns.budgets import (
    Decided,
    allocate_budgets,
    current_decisions,
    decide,
    recorded_versions,
)
from zyenta_ads_pipeline.campaigns.history import account_history
from zyenta_ads_pipeline.campaigns.proposals import propose, propose_changes
from zyenta_ads_pipeline.campaigns.rails import guardrails_of
from zyenta_ads_pipeline.campaigns.rules import AccountRules, CampaignRules
from zyenta_ads_pipeline.campaigns.rules_json import rules_from_json, rules_to_json
from zyenta_ads_pipeline.domain.change import Autopilot, ChangeField, ChangeState
from zyenta_ads_pipeline.domain.errors import InputError, NotDecidable
from zyenta_ads_pipeline.lake.decision_tables import BUDGET_DECISIONS, DECISION_STOPS
from zyenta_ads_pipeline.lake.lake import Lake, Scope
from zyenta_ads_pipeline.lake.pinned import snapshot_at
from zyenta_ads_pipeline.lake.tables import (
    AD_ACCOUNTS,
    AD_OBJECTS,
    CAMPAIGN_METRICS,
    CAMPAIGN_TRAILING,
    INSIGHT_READS,
)
from zyenta_ads_pipeline.optimizer.deciding import DECISIONS
from zyenta_ads_pipeline.optimizer.planning import plan
from zyenta_ads_pipeline.store.database import open_store
from zyenta_ads_pipeline.store.outbox import Outbox


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return small_lake(tmp_path)


def _decided(
    lake: Lake, *, run_id: str = "run", now: datetime = NOW, by: AccountRules | None = None
) -> Decided:
    return decide(lake.snapshot(), "1", by or rules(), run_id=run_id, now=now)


def _keep(lake: Lake, decided: Decided) -> None:
    scope = Scope(["1"], key=("decision_id", decided.decisions["decision_id"][0]))
    lake.write(BUDGET_DECISIONS, decided.decisions, scope)
    lake.write(DECISION_STOPS, decided.stops, scope)


def test_the_accounts_own_last_complete_day_is_decided_on(lake: Lake) -> None:
    found = {row["campaign_id"]: row for row in _decided(lake).decisions.iter_rows(named=True)}
    assert set(found) == {"10", "20", "30", "40"}, "archived campaigns are left out"
    assert {row["date"] for row in found.values()} == {LAST_DAY}
    assert [found[one]["action"] for one in ("10", "20", "30", "40")] == [
        "increase", "increase", "pause", "maintain",
    ]  # fmt: skip
    assert found["10"]["new_budget"] == Decimal(60)
    assert found["20"]["current_budget"] == Decimal("40.01"), "its active ad sets' budgets"
    assert found["20"]["days_running"] == 4


def test_a_run_goes_on_with_its_own_decision_only(lake: Lake) -> None:
    first = _decided(lake)
    _keep(lake, first)
    second = _decided(lake, run_id="other")
    _keep(lake, second)
    snapshot = lake.snapshot()
    assert snapshot.scan(BUDGET_DECISIONS).collect().height == 2 * first.decisions.height
    assert set(current_decisions(snapshot, "1", "run", NOW).decisions["run_id"]) == {"run"}
    assert set(current_decisions(snapshot, "1", "third", NOW).decisions["decision_id"]) <= {
        first.decisions["decision_id"][0],
        second.decisions["decision_id"][0],
    }
    late = NOW + timedelta(hours=4)
    assert current_decisions(snapshot, "1", "third", late).decisions.is_empty(), (
        "an old one is over"
    )


def test_what_was_read_long_ago_is_not_decided_on(lake: Lake) -> None:
    late = NOW + timedelta(days=5)
    assert _decided(lake, now=late).decisions.height, "this very run has read it"
    with pytest.raises(NotDecidable, match="too long ago"):
        _decided(lake, run_id="other", now=late)


def test_a_day_that_was_not_read_after_its_end_is_not_decided_on(lake: Lake) -> None:
    early = trailing("10", LAST_DAY, observed_at=NOW - timedelta(hours=26))
    lake.write(CAMPAIGN_TRAILING, rows(CAMPAIGN_TRAILING, early), Scope(["1"], [LAST_DAY]))
    with pytest.raises(NotDecidable, match="no numbers of 2026-11-18"):
        _decided(lake)
    read = {"date": LAST_DAY, "account_id": "1", "stream": "insights", "read_at": NOW}
    lake.write(INSIGHT_READS, rows(INSIGHT_READS, read), Scope(["1"], [LAST_DAY]))
    assert _decided(lake).decisions.height, "read again since, and found unchanged"


def test_without_any_purchase_nothing_is_judged(lake: Lake) -> None:
    account = (
        lake.snapshot()
        .scan(AD_ACCOUNTS)
        .collect()
        .with_columns(purchase_type=pl.lit(None, pl.String))
    )
    lake.write(AD_ACCOUNTS, account, Scope(["1"]))
    none = [
        delivered(day, campaign_id=one, spend=SPEND[one], purchases=Decimal(0))
        for day in DAYS
        for one in VALUES
    ]
    lake.write(CAMPAIGN_METRICS, rows(CAMPAIGN_METRICS, *none), Scope(["1"], DAYS))
    found = _decided(lake)
    assert found.stops["kind"].to_list() == ["no_conversions"]
    active = found.decisions.filter(pl.col("campaign_id") != "40")
    assert all("No conversion has been reported" in hold for hold in active["hold"])
    assert found.decisions["roas"].null_count() == found.decisions.height
    allocation = allocate_budgets(found, lake.snapshot(), "run")
    assert allocation["allocated_minor"].null_count() == allocation.height, "nothing is changed"
    assert set(allocation["action"]) == {"keep", "leave"}


def test_an_unknown_account_decides_nothing(lake: Lake) -> None:
    with pytest.raises(NotDecidable, match="not been read"):
        decide(lake.snapshot(), "9", rules(), run_id="run", now=NOW)
    assert guardrails_of(lake.snapshot(), "9", rules(), kill_switch=False) is None


def test_changes_go_to_the_objects_that_hold_the_budgets(lake: Lake) -> None:
    decided = _decided(lake)
    snapshot = lake.snapshot()
    allocation = allocate_budgets(decided, snapshot, "run")
    moved = {
        (change.object_id, change.field): (change.old_value, change.new_value)
        for change in propose(decided.decisions, allocation, snapshot)
        if change.old_value != change.new_value
    }
    assert moved.pop(("10", ChangeField.DAILY_BUDGET)) == ("5000", "6000")
    assert moved.pop(("30", ChangeField.STATUS)) == ("ACTIVE", "PAUSED")
    assert set(moved) == {("21", ChangeField.DAILY_BUDGET), ("22", ChangeField.DAILY_BUDGET)}
    assert sum(int(new) for _, new in moved.values()) == 4401, "40.01 and ten per cent"


def test_a_total_is_kept_to_the_cent(lake: Lake) -> None:
    decided = _decided(lake, by=rules(total=Decimal("100.01")))
    allocation = allocate_budgets(decided, lake.snapshot(), "run")
    assert allocation["allocated_minor"].sum() == 10001
    assert allocation.filter(pl.col("campaign_id") == "30")["action"].item() == "pause"


def test_what_was_rejected_or_changed_today_is_held_back(lake: Lake, tmp_path: Path) -> None:
    decided, snapshot = _decided(lake), lake.snapshot()
    allocation = allocate_budgets(decided, snapshot, "run")
    store = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    outbox = Outbox(store)

    def offer(frame: pl.DataFrame, autopilot: Autopilot = Autopilot.APPROVE) -> dict[str, str]:
        by = rules(autopilot=autopilot)
        offered = propose_changes(frame, allocation, snapshot, outbox, rules=by, run_id="run")
        return {f"{r['object_id']} {r['field']}": r["outcome"] for r in offered.to_dicts()}

    first = offer(decided.decisions)
    assert set(first.values()) == {"proposed"}
    (paused,) = [
        r for r in outbox.find(states=[ChangeState.PROPOSED]) if r.change.object_id == "30"
    ]
    outbox.reject([paused.id], actor="ada", reason="no", now=NOW)
    (raised,) = [
        r for r in outbox.find(states=[ChangeState.PROPOSED]) if r.change.object_id == "10"
    ]
    outbox.approve([raised.id], actor="ada", now=NOW)
    held = outbox.claim(raised.id, owner="run", lease=timedelta(minutes=5), now=NOW)
    assert held is not None
    outbox.finish(held, ChangeState.APPLIED, actor="run", now=NOW, note="done", written=True)
    again = offer(decided.decisions.with_columns(decision_id=pl.lit("another")), Autopilot.AUTO)
    assert "rejected this move today" in again["30 status"]
    assert "changed today" in again["10 daily_budget"]
    assert again["21 daily_budget"] == "approved"
    store.close()


def test_the_autopilot_leaves_a_campaign_that_is_kept_by_hand_to_a_person(
    lake: Lake, tmp_path: Path
) -> None:
    decided, snapshot = _decided(lake), lake.snapshot()
    allocation = allocate_budgets(decided, snapshot, "run")
    store = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    own = {"20": CampaignRules(autopilot=Autopilot.WATCH)}
    offered = propose_changes(
        decided.decisions,
        allocation,
        snapshot,
        Outbox(store),
        rules=rules(autopilot=Autopilot.AUTO, campaigns=own),
        run_id="run",
        by_hand={"10"},
    )
    outcomes = {row["object_id"]: row["outcome"] for row in offered.iter_rows(named=True)}
    assert outcomes["21"] == "proposed", "a campaign whose own autopilot only watches"
    assert outcomes["10"] == "proposed"
    assert outcomes["30"] == "approved"
    store.close()


def test_what_was_decided_is_decided_again_from_the_recorded_versions(lake: Lake) -> None:
    by = rules(total=Decimal("100.01"), campaigns={"10": CampaignRules(cap=Decimal(55))})
    first = _decided(lake, by=by)
    _keep(lake, first)
    later = [
        delivered(day, campaign_id=one, spend=SPEND[one], purchase_value=Decimal(999))
        for day in DAYS
        for one in VALUES
    ]
    lake.write(CAMPAIGN_METRICS, rows(CAMPAIGN_METRICS, *later), Scope(["1"], DAYS))
    moved = thing("campaign", "10", daily_budget=777)
    lake.write(AD_OBJECTS, rows(AD_OBJECTS, moved), Scope(["1"], key=("object_id", "10")))

    stored = current_decisions(lake.snapshot(), "1", "run", NOW)
    recorded = stored.decisions.row(0, named=True)
    then = snapshot_at(lake, recorded_versions(stored.decisions))
    again = rules_from_json(recorded["rules"], by.policy)
    assert again == by
    repeated = decide(then, "1", again, run_id=recorded["run_id"], now=recorded["decided_at"])
    assert repeated.decisions.equals(first.decisions), "to the byte"
    allocated = allocate_budgets(stored, then, "run")
    assert dict(allocated.select("campaign_id", "current_budget_minor").iter_rows())["10"] == 5000
    assert allocated["allocated_minor"].max() == 5500, "the cap of its time"


def test_decisions_and_allocation_are_together_what_the_plan_is(lake: Lake) -> None:
    by = rules(total=Decimal("100.01"))
    done = _decided(lake, by=by)
    whole = plan(account_history(lake.snapshot(), "1", by, day=LAST_DAY), by.policy)
    names = list(DECISIONS)
    assert done.decisions.select(names).equals(whole.decisions.select(names))
    allocated = allocate_budgets(done, lake.snapshot(), "run")
    shared = [name for name in whole.allocation.rows.columns if name in allocated.columns]
    assert allocated.select(shared).equals(whole.allocation.rows.select(shared))


def test_rules_come_back_as_they_were() -> None:
    by = rules(
        cap=Decimal("12.50"),
        groups={"new": Decimal(30)},
        autopilot=Autopilot.APPROVE,
        campaigns={"10": CampaignRules(locked=True, group="new", autopilot=Autopilot.WATCH)},
    )
    text = rules_to_json(by)
    assert rules_from_json(text, by.policy) == by
    assert rules_to_json(rules_from_json(text, by.policy)) == text
    older = {name: value for name, value in json.loads(text).items() if name != "caution"}
    assert rules_from_json(json.dumps(older), by.policy) == by, "a rule of later times: its default"
    with pytest.raises(InputError, match="cannot be read"):
        rules_from_json("{}", by.policy)


def test_one_campaign_alone_shares_no_total(lake: Lake) -> None:
    decided = _decided(lake, by=rules(total=Decimal("100.01")))
    mine = decided.decisions.filter(pl.col("campaign_id") == "10")
    allocation = allocate_budgets(Decided(mine, decided.stops), lake.snapshot(), "run", alone=True)
    assert allocation["allocated_minor"].to_list() == [6000]
    assert allocation["total_minor"].to_list() == [None]


def test_an_account_without_campaigns_is_nothing_to_decide_on(lake: Lake) -> None:
    gone = thing("campaign", "50", status="ARCHIVED", effective_status="ARCHIVED")
    lake.write(AD_OBJECTS, rows(AD_OBJECTS, gone), Scope(["1"]))
    assert _decided(lake).decisions.is_empty()


@pytest.mark.parametrize(
    ("amount", "outcome"),
    [(4300, "held back: a person rejected this move today"), (3500, "proposed")],
)
def test_another_amount_the_same_way_counts_as_rejected_too(
    lake: Lake, tmp_path: Path, amount: int, outcome: str
) -> None:
    decided, snapshot = _decided(lake), lake.snapshot()
    allocation = allocate_budgets(decided, snapshot, "run")
    store = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    outbox = Outbox(store)
    propose_changes(decided.decisions, allocation, snapshot, outbox, rules=rules(), run_id="run")
    raises = [each.id for each in outbox.find(object_id="21", states=[ChangeState.PROPOSED])]
    outbox.reject(raises, actor="ada", reason="no", now=NOW)
    of_20 = pl.when(pl.col("campaign_id") == "20")
    offered = propose_changes(
        decided.decisions.with_columns(decision_id=pl.lit("another")),
        allocation.with_columns(allocated_minor=of_20.then(amount).otherwise("allocated_minor")),
        snapshot,
        outbox,
        rules=rules(),
        run_id="other",
    )
    outcomes = {row["object_id"]: row["outcome"] for row in offered.to_dicts()}
    assert outcomes["21"] == outcome
    store.close()
