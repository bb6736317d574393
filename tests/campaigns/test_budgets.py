"""From the lake's tables to decisions, allocations and proposed values."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from zyenta_ads_pipeline.campaigns.budgets import (
    BudgetLimits,
    allocate_budgets,
    current_decisions,
    decide,
    guardrails_of,
    propose,
)
from zyenta_ads_pipeline.campaigns.proposals import propose_changes
from zyenta_ads_pipeline.domain.change import Autopilot, ChangeField, ChangeState
from zyenta_ads_pipeline.domain.errors import NotDecidable
from zyenta_ads_pipeline.lake.lake import Lake, Scope
from zyenta_ads_pipeline.lake.schema import Table
from zyenta_ads_pipeline.lake.tables import (
    AD_ACCOUNTS,
    AD_OBJECTS,
    BUDGET_DECISIONS,
    CAMPAIGN_METRICS,
    CAMPAIGN_TRAILING,
    INSIGHT_READS,
)
from zyenta_ads_pipeline.optimizer.policies import RoasThresholds
from zyenta_ads_pipeline.store.database import open_store
from zyenta_ads_pipeline.store.outbox import Outbox

# 03:00 UTC on the 20th is still the 19th in New York: the 18th is the last complete day.
NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)
LAST_DAY = date(2026, 11, 18)
FREE = BudgetLimits(floor=Decimal(5), cap=None, max_step=None, total=None)


def _rows(table: Table, *rows: dict[str, Any]) -> pl.DataFrame:
    empty: dict[str, Any] = dict.fromkeys(table.schema.names())
    return pl.DataFrame([empty | row for row in rows], schema=table.schema)


def _object(level: str, own: str, **more: Any) -> dict[str, Any]:
    base = {"account_id": "1", "level": level, "object_id": own, "campaign_id": own, "name": own}
    return (
        base
        | {"status": "ACTIVE", "effective_status": "ACTIVE", "observed_at": NOW, "run_id": "run"}
        | more
    )


def _window(campaign: str, day: date, spend: str, value: str) -> dict[str, Any]:
    return {
        "date": day,
        "account_id": "1",
        "campaign_id": campaign,
        "window_days": 7,
        "spend": Decimal(spend),
        "purchase_value": Decimal(value),
        "purchases": Decimal(3),
        "roas": float(value) / float(spend),
        "observed_at": NOW,
    }


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A campaign with its own budget (ROAS 3), one with two ad sets (2), a losing one (0.3)."""
    lake = Lake(str(tmp_path / "lake"))
    account = {
        "account_id": "1", "currency": "USD", "timezone": "America/New_York",
        "account_status": 1, "min_daily_budget": 100, "observed_at": NOW, "run_id": "run",
        "purchase_type": "omni_purchase",
    }  # fmt: skip
    lake.write(AD_ACCOUNTS, _rows(AD_ACCOUNTS, account), Scope(["1"]))
    objects = _rows(
        AD_OBJECTS,
        _object("campaign", "10", daily_budget=5000),
        _object("campaign", "20"),
        _object("adset", "21", campaign_id="20", daily_budget=3000),
        _object("adset", "22", campaign_id="20", daily_budget=1001),
        _object("adset", "23", campaign_id="20", daily_budget=9000, status="PAUSED"),
        _object("campaign", "30", daily_budget=2000),
        _object("campaign", "40", daily_budget=2000, status="PAUSED", effective_status="PAUSED"),
        _object("campaign", "50", status="ARCHIVED", effective_status="ARCHIVED"),
    )
    lake.write(AD_OBJECTS, objects, Scope(["1"]))
    days = [LAST_DAY - timedelta(days=n) for n in range(4)]
    lake.write(
        CAMPAIGN_METRICS,
        _rows(
            CAMPAIGN_METRICS,
            *(
                {"date": day, "account_id": "1", "campaign_id": one, "spend": Decimal(25)}
                for day in days
                for one in ("10", "20", "30")
            ),
        ),
        Scope(["1"], days),
    )
    tomorrow = LAST_DAY + timedelta(days=1)
    lake.write(
        CAMPAIGN_TRAILING,
        _rows(
            CAMPAIGN_TRAILING,
            _window("10", LAST_DAY, "100", "300"),
            _window("20", LAST_DAY, "100", "200"),
            _window("30", LAST_DAY, "100", "30"),
            _window("10", tomorrow, "100", "1"),
        ),
        Scope(["1"], [LAST_DAY, tomorrow]),
    )
    return lake


def _decided(lake: Lake, *, run_id: str = "run", now: datetime = NOW) -> pl.DataFrame:
    return decide(lake.snapshot(), "1", RoasThresholds(), 7, run_id=run_id, now=now)


def _keep(lake: Lake, decided: pl.DataFrame) -> None:
    key = ("decision_id", decided["decision_id"][0])
    lake.write(BUDGET_DECISIONS, decided, Scope(["1"], key=key))


def test_the_accounts_own_last_complete_day_is_decided_on(lake: Lake) -> None:
    rows = {row["campaign_id"]: row for row in _decided(lake).iter_rows(named=True)}
    assert set(rows) == {"10", "20", "30", "40"}, "archived campaigns are left out"
    assert {row["date"] for row in rows.values()} == {LAST_DAY}
    assert [rows[one]["action"] for one in ("10", "20", "30", "40")] == [
        "increase", "increase", "pause", "maintain",
    ]  # fmt: skip
    assert rows["10"]["new_budget"] == Decimal(60)
    assert rows["20"]["current_budget"] == Decimal("40.01"), "its active ad sets' budgets"
    assert rows["20"]["days_running"] == 4


def test_a_run_goes_on_with_its_own_decision_only(lake: Lake) -> None:
    first = _decided(lake)
    _keep(lake, first)
    second = _decided(lake, run_id="other")
    _keep(lake, second)
    snapshot = lake.snapshot()
    assert snapshot.scan(BUDGET_DECISIONS).collect().height == 2 * first.height
    assert set(current_decisions(snapshot, "1", "run", NOW)["run_id"]) == {"run"}
    assert set(current_decisions(snapshot, "1", "third", NOW)["decision_id"]) <= {
        first["decision_id"][0],
        second["decision_id"][0],
    }
    late = NOW + timedelta(hours=4)
    assert current_decisions(snapshot, "1", "third", late).is_empty(), "an old one is over"


def test_what_was_read_long_ago_is_not_decided_on(lake: Lake) -> None:
    late = NOW + timedelta(days=5)
    assert _decided(lake, now=late).height, "this very run has read it"
    with pytest.raises(NotDecidable, match="too long ago"):
        _decided(lake, run_id="other", now=late)


def test_a_day_that_was_not_read_after_its_end_is_not_decided_on(lake: Lake) -> None:
    early = _window("10", LAST_DAY, "100", "300") | {"observed_at": NOW - timedelta(hours=26)}
    lake.write(CAMPAIGN_TRAILING, _rows(CAMPAIGN_TRAILING, early), Scope(["1"], [LAST_DAY]))
    with pytest.raises(NotDecidable, match="no numbers of 2026-11-18"):
        _decided(lake)
    read = {"date": LAST_DAY, "account_id": "1", "stream": "insights", "read_at": NOW}
    lake.write(INSIGHT_READS, _rows(INSIGHT_READS, read), Scope(["1"], [LAST_DAY]))
    assert _decided(lake).height, "read again since, and found unchanged"


def test_without_any_purchase_nothing_is_judged(lake: Lake) -> None:
    account = (
        lake.snapshot()
        .scan(AD_ACCOUNTS)
        .collect()
        .with_columns(purchase_type=pl.lit(None, pl.String))
    )
    lake.write(AD_ACCOUNTS, account, Scope(["1"]))
    rows = _decided(lake)
    assert set(rows["action"]) == {"maintain"}
    assert rows["roas"].null_count() == rows.height


def test_an_unknown_account_decides_nothing(lake: Lake) -> None:
    with pytest.raises(NotDecidable, match="not been read"):
        decide(lake.snapshot(), "9", RoasThresholds(), 7, run_id="run", now=NOW)
    assert guardrails_of(lake.snapshot(), "9", FREE, kill_switch=False) is None


def test_changes_go_to_the_objects_that_hold_the_budgets(lake: Lake) -> None:
    decided = _decided(lake)
    snapshot = lake.snapshot()
    allocation = allocate_budgets(decided, snapshot, FREE, "run")
    moved = {
        (change.object_id, change.field): (change.old_value, change.new_value)
        for change in propose(decided, allocation, snapshot)
        if change.old_value != change.new_value
    }
    assert moved.pop(("10", ChangeField.DAILY_BUDGET)) == ("5000", "6000")
    assert moved.pop(("30", ChangeField.STATUS)) == ("ACTIVE", "PAUSED")
    assert set(moved) == {("21", ChangeField.DAILY_BUDGET), ("22", ChangeField.DAILY_BUDGET)}
    assert sum(int(new) for _, new in moved.values()) == 4401, "40.01 and ten per cent"


def test_a_total_is_kept_to_the_cent(lake: Lake) -> None:
    decided = _decided(lake)
    limits = BudgetLimits(Decimal(5), None, None, Decimal("100.01"))
    allocation = allocate_budgets(decided, lake.snapshot(), limits, "run")
    assert allocation["allocated_minor"].sum() == 10001
    assert allocation.filter(pl.col("campaign_id") == "30")["action"].item() == "pause"


def test_what_was_rejected_or_changed_today_is_held_back(lake: Lake, tmp_path: Path) -> None:
    decided, snapshot = _decided(lake), lake.snapshot()
    allocation = allocate_budgets(decided, snapshot, FREE, "run")
    store = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    outbox = Outbox(store)

    def offer(frame: pl.DataFrame, autopilot: Autopilot = Autopilot.APPROVE) -> dict[str, str]:
        rows = propose_changes(
            frame, allocation, snapshot, outbox, autopilot=autopilot, run_id="run"
        )
        return {f"{r['object_id']} {r['field']}": r["outcome"] for r in rows.iter_rows(named=True)}

    first = offer(decided)
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
    again = offer(decided.with_columns(decision_id=pl.lit("another")), Autopilot.AUTO)
    assert "rejected this value today" in again["30 status"]
    assert "changed today" in again["10 daily_budget"]
    assert again["21 daily_budget"] == "approved"
    store.close()


def test_the_autopilot_leaves_a_campaign_that_is_kept_by_hand_to_a_person(
    lake: Lake, tmp_path: Path
) -> None:
    decided, snapshot = _decided(lake), lake.snapshot()
    allocation = allocate_budgets(decided, snapshot, FREE, "run")
    store = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    rows = propose_changes(
        decided,
        allocation,
        snapshot,
        Outbox(store),
        autopilot=Autopilot.AUTO,
        run_id="run",
        by_hand={"10"},
    )
    outcomes = {row["object_id"]: row["outcome"] for row in rows.iter_rows(named=True)}
    assert outcomes["10"] == "proposed"
    assert outcomes["30"] == "approved"
    store.close()
