"""An account from the sandbox into the lake: whole, proved, with few calls, taken up again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.ingestion.syncing import (
    ACCOUNT,
    TOKEN,
    VirtualTime,
    days,
    graph,
    home,
    keys,
    shop,
    sync,
)
from tests.sandboxes import run_sandbox
from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.errors import (
    AuthenticationFailed,
    DeadlinePassed,
    IncompleteData,
    ReportFailed,
    Transient,
)
from zyenta_ads_pipeline.domain.insights import FIELDS
from zyenta_ads_pipeline.ingestion import reads
from zyenta_ads_pipeline.ingestion.report_jobs import Deadline
from zyenta_ads_pipeline.lake.tables import INSIGHT_READS, INSIGHT_RESTATEMENTS, RAW_INSIGHTS
from zyenta_ads_pipeline.sandbox.config import SandboxConfig
from zyenta_ads_pipeline.sandbox.process import SandboxHandle

WEEK = days("2026-11-16", "2026-11-22")
ARCHIVED, DELETED = "3102", "3105"
Shop = tuple[SandboxHandle, Decimal]

FEWEST_CALLS_OF_A_PEER = {5: 29, 30: 38, 120: 57}
LEAST_WAIT_OF_A_PEER = {5: 30, 30: 30, 120: 120}
"""Measured on the same task: dlt, Airbyte, singer-io and Meltano; those that lost or doubled
rows included."""


@pytest.fixture
def week(tmp_path: Path) -> Iterator[Shop]:
    """Seven days of eight ads, one archived and one deleted since."""
    with shop(tmp_path / "shop") as (sandbox, total):
        with graph(sandbox) as client:
            assert client.post(ARCHIVED, data={"status": "ARCHIVED"}).json()["success"]
            assert client.delete(DELETED).json()["success"]
        sandbox.reset_calls()
        yield sandbox, total


def use_jobs(sandbox: SandboxHandle, seconds: float = 0.05, **plan: object) -> None:
    """Let only report jobs answer, after so many seconds."""
    sandbox.plan_reports(seconds=seconds, limits={"sync_rows": 1}, **plan)


@pytest.mark.parametrize("deleted", ["filter", "by_id"])
def test_a_week_with_archived_and_deleted_ads_adds_up_to_the_cent(
    week: Shop, tmp_path: Path, deleted: str
) -> None:
    sandbox, total = week
    sandbox.plan_reports(deleted=deleted)
    with home(tmp_path / "home") as place:
        synced = sync(sandbox, place, WEEK)
        assert place.spend() == place.spend(Level.ACCOUNT) == total
        assert len(keys(place.rows())) == len(set(keys(place.rows()))) == 56
        assert not synced.gaps
        assert synced.calls == calls(sandbox) <= 10


@pytest.mark.parametrize("seconds", [5, 30, 120])
def test_reports_at_once_are_not_waited_for_however_long_jobs_take(
    week: Shop, tmp_path: Path, seconds: int
) -> None:
    sandbox, total = week
    sandbox.plan_reports(seconds=seconds, deleted="filter")
    time = VirtualTime(sandbox)
    with home(tmp_path / "home", clock=time.clock()) as place:
        synced = sync(sandbox, place, WEEK)
        assert place.spend() == total
    assert synced.calls < FEWEST_CALLS_OF_A_PEER[seconds]
    assert time.slept == 0


@pytest.mark.parametrize("seconds", [5, 30, 120])
def test_where_ads_come_by_job_only_no_peer_asks_less_or_waits_less(
    week: Shop, tmp_path: Path, seconds: int
) -> None:
    sandbox, total = week
    sandbox.plan_reports(seconds=seconds, deleted="filter", limits={"sync_rows": 50})
    time = VirtualTime(sandbox)
    with home(tmp_path / "home", clock=time.clock()) as place:
        synced = sync(sandbox, place, WEEK)
        assert place.spend() == total
    assert synced.calls < FEWEST_CALLS_OF_A_PEER[seconds]
    assert time.slept <= max(LEAST_WAIT_OF_A_PEER[seconds], 1.15 * seconds)


def test_nothing_changed_costs_a_call_for_the_account_and_two_for_its_totals(
    week: Shop, tmp_path: Path
) -> None:
    sandbox, _ = week
    sandbox.plan_reports(deleted="filter")
    with home(tmp_path / "home") as place:
        sync(sandbox, place, WEEK)
        before = place.place.lake.snapshot().versions
        again = sync(sandbox, place, WEEK, name="again")
        assert again.calls == 3
        assert (len(again.days_confirmed), len(again.days_read)) == (7, 0)
        after = place.place.lake.snapshot().versions
        assert {name for name in after if after[name] != before.get(name)} <= {INSIGHT_READS.name}


def test_a_day_that_moved_is_read_alone_and_what_it_said_before_is_kept(
    market: SandboxHandle, tmp_path: Path
) -> None:
    account = market.account_ids[0]
    month = days("2026-10-08", "2026-11-04")
    with home(tmp_path / "home") as place:
        first = sync(market, place, month, account=account)
        assert not first.gaps
        before = place.rows()
        market.advance(hours=2)
        later = sync(market, place, month, account=account, name="later", purchases="omni_purchase")
        assert later.changed
        assert later.days_confirmed
        kept = place.place.lake.snapshot().scan(INSIGHT_RESTATEMENTS).collect()
        assert kept.height == later.changed + later.removed
        then = place.place.lake.snapshot().as_of(max(before["observed_at"]))
        known_then = then.scan(RAW_INSIGHTS).filter(pl.col("level") == "ad").collect()
        columns = before.columns
        assert (
            known_then.select(columns).sort(RAW_INSIGHTS.key).equals(before.sort(RAW_INSIGHTS.key))
        )


@pytest.mark.parametrize(
    "outcome",
    [
        {"outcome": "failed", "code": -2, "subcode": 2490547},
        {"outcome": "failed", "code": -3, "subcode": 1504045},
        {"outcome": "skipped"},
        {"outcome": "stalled", "percent": 40},
    ],
    ids=["failed", "too large", "skipped", "stalled"],
)
def test_a_job_that_comes_to_nothing_is_asked_anew_or_smaller(
    week: Shop, tmp_path: Path, outcome: dict[str, Any]
) -> None:
    sandbox, total = week
    sandbox.plan_reports(
        seconds=5, deleted="filter", limits={"sync_rows": 50}, next=[outcome, outcome]
    )
    time = VirtualTime(sandbox)
    with home(tmp_path / "home", clock=time.clock()) as place:
        sync(sandbox, place, WEEK)
        assert place.spend() == total
        assert place.place.ledger.jobs(ACCOUNT) == []


def test_a_job_that_never_succeeds_ends_in_one_typed_error_with_nothing_stored(
    week: Shop, tmp_path: Path
) -> None:
    sandbox, _ = week
    failed = {"outcome": "failed", "code": -2, "subcode": 2490547}
    sandbox.plan_reports(seconds=1, limits={"sync_rows": 1}, next=[failed] * 500)
    time = VirtualTime(sandbox)
    with home(tmp_path / "home", clock=time.clock()) as place:
        with pytest.raises(ReportFailed, match="gave nothing in 3 attempts"):
            sync(sandbox, place, WEEK)
        assert place.rows().is_empty()
        assert calls(sandbox) < 1000


def test_a_report_that_is_too_large_is_halved_until_it_passes_and_the_size_is_remembered(
    week: Shop, tmp_path: Path
) -> None:
    sandbox, total = week
    sandbox.plan_reports(
        seconds=1, deleted="filter", limits={"sync_rows": 20, "async_rows": 20, "page_rows": 30}
    )
    time = VirtualTime(sandbox)
    with home(tmp_path / "home", clock=time.clock()) as place:
        first = sync(sandbox, place, WEEK)
        assert place.spend() == total
        again = sync(sandbox, place, WEEK, name="again", whole=True)
        assert again.calls < first.calls
        assert place.spend() == total


def test_a_deadline_ends_the_wait_and_the_next_sync_takes_the_report_up(
    week: Shop, tmp_path: Path
) -> None:
    sandbox, total = week
    sandbox.plan_reports(seconds=3600, deleted="filter", limits={"sync_rows": 50})
    with home(tmp_path / "home", deadline=Deadline.after(3)) as place:
        with pytest.raises(DeadlinePassed, match="The next sync takes the report up"):
            sync(sandbox, place, WEEK)
        assert place.rows().is_empty()
        (job,) = place.place.ledger.jobs(ACCOUNT)
    sandbox.advance(hours=1.1)
    sandbox.reset_calls()
    with home(tmp_path / "home") as place:
        sync(sandbox, place, WEEK, name="next")
        assert place.spend() == total
        assert sandbox.calls()["by_kind"].get("report_start", 0) == 0
        assert place.place.ledger.jobs(ACCOUNT) == []
    assert job.run_id


def test_a_list_that_broke_off_goes_on_at_the_page_it_had(tmp_path: Path) -> None:
    with shop(tmp_path / "shop", ads=600, number_of_days=3) as (sandbox, total):
        sandbox.faults([{"what": "html", "status": 502, "path": "*/insights", "level": "ad",
                         "page": 3}])  # fmt: skip
        span = days("2026-11-16", "2026-11-18")
        with home(tmp_path / "home") as place:
            with pytest.raises(Transient):
                sync(sandbox, place, span)
            assert place.rows().is_empty()
        sandbox.clear_faults()
        sandbox.reset_calls()
        with home(tmp_path / "home") as place:
            sync(sandbox, place, span, name="next")
            assert place.spend() == total
            asked = sandbox.calls()["last"]
        pages = [call for call in asked if call["params"].get("level") == "ad"]
        assert pages[0]["params"].get("after"), "it began at the first page again"


def test_a_dead_token_is_a_typed_error_after_one_call(week: Shop, tmp_path: Path) -> None:
    sandbox, _ = week
    sandbox.set_token(token_of=f"act_{ACCOUNT}", state="expired", subcode=463)
    with home(tmp_path / "home") as place, pytest.raises(AuthenticationFailed):
        sync(sandbox, place, WEEK)
    assert calls(sandbox) == 1


def test_days_that_have_not_begun_are_not_asked_for(week: Shop, tmp_path: Path) -> None:
    sandbox, _ = week
    with home(tmp_path / "home") as place:
        synced = sync(sandbox, place, days("2026-11-24", "2026-11-30"))
        assert (synced.calls, synced.days_read) == (1, set())


def test_what_was_read_is_written_down_with_its_proof(week: Shop, tmp_path: Path) -> None:
    sandbox, _ = week
    sandbox.plan_reports(deleted="filter")
    with home(tmp_path / "home") as place:
        sync(sandbox, place, days("2026-11-16", "2026-11-23"))
        known = place.place.lake.snapshot().scan(INSIGHT_READS).sort("date").collect()
    assert known["proof"].to_list() == [reads.EQUAL] * 7 + [reads.RUNNING]
    assert known["age_days"].to_list() == [7, 6, 5, 4, 3, 2, 1, 0]
    assert (known["read_at"] == known["whole_at"]).all()


def test_ads_whose_parents_the_lists_hide_get_their_parents_rows_too(
    week: Shop, tmp_path: Path
) -> None:
    sandbox, total = week
    with graph(sandbox) as client:
        assert client.delete("11").json()["success"]
    with home(tmp_path / "home") as place:
        synced = sync(sandbox, place, WEEK)
        assert not synced.gaps
        assert place.spend() == place.spend(Level.CAMPAIGN) == place.spend(Level.ADSET) == total


def test_a_deleted_campaign_does_not_make_every_sync_a_full_one(week: Shop, tmp_path: Path) -> None:
    sandbox, _ = week
    with graph(sandbox) as client:
        assert client.delete("11").json()["success"]
    with home(tmp_path / "home") as place:
        sync(sandbox, place, WEEK)
        again = sync(sandbox, place, WEEK, name="again")
        assert again.calls == 3
        assert len(again.days_confirmed) == 7


def test_a_day_read_while_it_ran_is_proved_when_it_is_over(tmp_path: Path) -> None:
    with (
        shop(tmp_path / "shop", first="2026-11-14", running=True) as (sandbox, total),
        home(tmp_path / "home") as place,
    ):
        with graph(sandbox) as client:
            assert client.delete(DELETED).json()["success"]
        sync(sandbox, place, days("2026-11-20", "2026-11-20"))
        assert place.spend() < place.spend(Level.ACCOUNT), "a running day cannot be proved"
        sandbox.advance(hours=24)
        synced = sync(sandbox, place, days("2026-11-14", "2026-11-21"), name="over")
        assert not synced.gaps
        assert place.spend() == place.spend(Level.ACCOUNT) == total


def test_a_list_cut_short_does_not_take_away_ads_that_add_up(week: Shop, tmp_path: Path) -> None:
    sandbox, total = week
    sandbox.plan_reports(deleted="filter")
    with home(tmp_path / "home") as place:
        sync(sandbox, place, WEEK)
        before = place.rows()
        no_ads = {"what": "json", "body": {"data": []}, "path": "*/insights", "level": "ad"}
        sandbox.faults([no_ads])
        synced = sync(sandbox, place, WEEK, name="cut", whole=True)
        assert place.spend() == total
        assert place.rows().equals(before)
        assert not synced.gaps


def test_an_answer_without_any_row_does_not_wipe_days_that_had_delivery(
    week: Shop, tmp_path: Path
) -> None:
    sandbox, total = week
    sandbox.plan_reports(deleted="filter")
    with home(tmp_path / "home") as place:
        sync(sandbox, place, WEEK)
        sandbox.faults([{"what": "json", "body": {"data": []}, "path": "*/insights"}])
        with pytest.raises(IncompleteData, match="no delivery at all on 7 days"):
            sync(sandbox, place, WEEK, name="empty")
        assert place.spend() == total
        sandbox.clear_faults()
        sandbox.faults([{"what": "json", "body": {"data": []}, "path": "*/insights", "times": 2}])
        sync(sandbox, place, WEEK, name="again")
        assert place.spend() == total


def test_a_field_that_cannot_be_had_is_named_and_the_day_is_not_believed(
    week: Shop, tmp_path: Path
) -> None:
    sandbox, total = week
    sandbox.plan_reports(deleted="filter")
    values = "account_id,campaign_id,adset_id,ad_id,date_start,date_stop"
    refusal = {"what": "error", "code": 100, "subcode": 1487534, "path": "*/insights",
               "level": "ad"}  # fmt: skip
    with home(tmp_path / "home") as place:
        sync(sandbox, place, days("2026-11-16", "2026-11-16"))
        refused = (FIELDS, FIELDS[4:], FIELDS[6:], FIELDS[7:])
        sandbox.faults(
            [refusal | {"params": {"fields": fields_of(*some, values)}} for some in refused]
        )
        sync(sandbox, place, days("2026-11-16", "2026-11-16"), name="again", whole=True)
        ads = place.rows()
        assert set(ads["missing"]) == {"action_values"}
        assert ads["actions"].null_count() < ads.height
        known = place.place.lake.snapshot().scan(INSIGHT_READS).collect().row(0, named=True)
        assert known["proof"] == reads.GAP
        assert "action_values" in known["told"]
        sandbox.clear_faults()
        sync(sandbox, place, WEEK, name="mended")
        assert set(place.rows()["missing"]) == {None}
        assert place.spend() == total


def fields_of(*names: str) -> str:
    *asked, key = names
    return ",".join([key, *asked, "attribution_setting"])


def test_an_interrupted_first_run_does_not_lose_the_purchase_type(
    week: Shop, tmp_path: Path
) -> None:
    sandbox, _ = week
    with home(tmp_path / "home") as place:
        sync(sandbox, place, WEEK)
        again = sync(sandbox, place, WEEK, name="again")
        assert not again.days_read
        assert "purchase" in again.types


def calls(sandbox: SandboxHandle) -> int:
    return int(sandbox.calls()["calls"])


@pytest.fixture
def market(tmp_path: Path) -> Iterator[SandboxHandle]:
    config = SandboxConfig(
        state=tmp_path / "market", port=0, days=40, frozen=True, token=TOKEN,
        start=datetime(2026, 11, 4, 17, 30, tzinfo=UTC),
    )  # fmt: skip
    with run_sandbox(config) as sandbox:
        yield sandbox
