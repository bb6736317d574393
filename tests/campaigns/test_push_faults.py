from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.campaigns.fake_platform import FakePlatform, Fault
from tests.campaigns.pushing import LEASE, Clock, push
from tests.store.samples import NOW, approved, budget, replay, states
from zyenta_ads_pipeline.domain.change import ChangeState
from zyenta_ads_pipeline.domain.errors import (
    AuthenticationFailed,
    NotFound,
    ObjectRateLimited,
    PolicyBlocked,
    RateLimited,
    StorageError,
    Transient,
    UnknownOutcome,
    Unreachable,
    ValidationRefused,
)
from zyenta_ads_pipeline.store.outbox import Outbox

P, A, S = ChangeState.PROPOSED, ChangeState.APPROVED, ChangeState.SENDING
APPLIED, FAILED, CONFLICT = ChangeState.APPLIED, ChangeState.FAILED, ChangeState.CONFLICT


@pytest.mark.parametrize("arrived", [True, False])
def test_an_unknown_outcome_is_looked_up_and_never_sent_again(
    platform: FakePlatform, outbox: Outbox, clock: Clock, arrived: bool
) -> None:
    [change_id] = approved(outbox, budget())
    fault = Fault(UnknownOutcome("The connection broke."), effect=arrived)
    platform.fail("set_daily_budget", "11", fault)
    report = push(platform, outbox, clock)
    if arrived:
        assert report.state_of(change_id) is APPLIED
        assert "Recognised" in outbox.get(change_id).last_note
        assert len(platform.writes) == 1
        return
    assert report.state_of(change_id) is S
    assert platform.asked.count(("set_daily_budget", "11")) == 1
    assert platform.asked[-2:] == [("read_object", "11")] * 2
    report = push(platform, outbox, clock)  # the lease is alive: still left alone
    assert report.state_of(change_id) is S
    clock.at = NOW + LEASE
    assert push(platform, outbox, clock).state_of(change_id) is APPLIED
    assert len(platform.writes) == 1
    assert states(outbox, change_id) == [P, A, S, A, S, APPLIED]


def test_an_unknown_outcome_that_shows_late_is_recognised(
    platform: FakePlatform, outbox: Outbox, clock: Clock
) -> None:
    [change_id] = approved(outbox, budget())
    fault = Fault(UnknownOutcome("Timed out."), effect=True)
    platform.fail("set_daily_budget", "11", fault)
    platform.lag["11"] = ["10000", "10000"]  # before the write, and once after it
    assert push(platform, outbox, clock).state_of(change_id) is APPLIED
    assert len(platform.writes) == 1


def test_passing_trouble_on_a_write_counts_as_unknown(
    platform: FakePlatform, outbox: Outbox, clock: Clock
) -> None:
    [change_id] = approved(outbox, budget())
    platform.fail("set_daily_budget", "11", Fault(Transient("Code 2."), effect=True))
    assert push(platform, outbox, clock).state_of(change_id) is APPLIED
    assert len(platform.writes) == 1


@pytest.mark.parametrize("late", [True, False])
def test_an_acknowledged_write_that_is_not_shown(
    platform: FakePlatform, outbox: Outbox, clock: Clock, late: bool
) -> None:
    [change_id] = approved(outbox, budget())
    if late:
        platform.lag["11"] = ["10000", "10000"]
    else:
        platform.fail("set_daily_budget", "11", Fault(ignored=True))
    report = push(platform, outbox, clock)
    assert report.state_of(change_id) is (APPLIED if late else FAILED)
    last = outbox.journal(change_id)[-1]
    assert last.platform_reply == {"success": True}
    if not late:
        assert "acknowledged 110.00 EUR but shows 100.00 EUR" in last.note
        assert outbox.budget_writes("11", since=NOW) == 1, "it counts against Meta's limit"


def test_an_acknowledged_write_that_cannot_be_read_back_is_settled_by_the_next_push(
    platform: FakePlatform, outbox: Outbox, clock: Clock
) -> None:
    [change_id] = approved(outbox, budget())
    break_later = Fault(
        before=lambda: platform.fail("read_object", "11", Unreachable("No connection."))
    )
    platform.fail("set_daily_budget", "11", break_later)
    assert push(platform, outbox, clock).state_of(change_id) is S
    assert outbox.journal(change_id)[-1].trace_id == "trace-1"
    assert push(platform, outbox, clock).state_of(change_id) is APPLIED
    assert len(platform.writes) == 1


def test_a_rate_limit_stops_its_account_and_no_other(
    platform: FakePlatform, outbox: Outbox, clock: Clock
) -> None:
    platform.add("21", account_id="2")
    first, second, other = approved(
        outbox, budget("11"), budget("12"), budget("21", account_id="2")
    )
    platform.fail("set_daily_budget", "11", RateLimited("Too many calls.", wait_seconds=1800))
    report = push(platform, outbox, clock)
    assert [report.state_of(i) for i in (first, second, other)] == [A, A, APPLIED]
    [stop] = report.stops
    assert (stop.account_id, stop.wait_seconds) == ("1", 1800)
    assert "Wait 1800 s" in str(report)
    assert outbox.get(first).attempt == 2
    for change_id in (first, second):
        assert outbox.get(change_id).retry_after == NOW + timedelta(seconds=1800)
    assert platform.writes == [["21", "daily_budget", "11000"]]
    assert ("read_object", "12") not in platform.asked


def test_an_objects_own_limit_leaves_the_other_objects_alone(
    platform: FakePlatform, outbox: Outbox, clock: Clock
) -> None:
    first, second = approved(outbox, budget("11"), budget("12"))
    limit = ObjectRateLimited("Changed four times this hour.", wait_seconds=3600)
    platform.fail("set_daily_budget", "11", limit)
    report = push(platform, outbox, clock)
    assert [report.state_of(i) for i in (first, second)] == [A, APPLIED]
    assert report.stops == ()
    assert outbox.get(first).retry_after == NOW + timedelta(hours=1)


@pytest.mark.parametrize("method", ["read_object", "set_daily_budget"])
def test_a_dead_token_stops_everything(
    platform: FakePlatform, outbox: Outbox, clock: Clock, method: str
) -> None:
    platform.add("21", account_id="2")
    ids = approved(outbox, budget("11"), budget("12"), budget("21", account_id="2"))
    platform.fail(method, "11", AuthenticationFailed("The token has expired."))
    report = push(platform, outbox, clock, lanes=1)
    assert [report.state_of(i) for i in ids] == [A, A, A]
    assert platform.writes == []
    assert ("account", "2") not in platform.asked


def test_without_a_connection_nothing_is_sent_and_the_others_go_on(
    platform: FakePlatform, outbox: Outbox, clock: Clock
) -> None:
    first, second, third = approved(outbox, budget("11"), budget("12"), budget("13"))
    platform.fail("set_daily_budget", "11", Unreachable("No connection."))
    platform.fail("read_object", "12", Unreachable("No connection."))
    report = push(platform, outbox, clock)
    assert [report.state_of(i) for i in (first, second, third)] == [A, A, APPLIED]
    report = push(platform, outbox, clock)
    assert [report.state_of(i) for i in (first, second)] == [APPLIED, APPLIED]
    assert sorted(write[0] for write in platform.writes) == ["11", "12", "13"]


def test_a_refusal_fails_with_its_words_and_the_others_go_on(
    platform: FakePlatform, outbox: Outbox, clock: Clock
) -> None:
    first, gone, third = approved(outbox, budget("11"), budget("12"), budget("13"))
    error = ValidationRefused("The budget is too low.", "Raise it to 12.00 EUR.")
    platform.fail("set_daily_budget", "11", error)
    platform.remove("12")
    report = push(platform, outbox, clock)
    assert [report.state_of(i) for i in (first, gone, third)] == [FAILED, FAILED, APPLIED]
    assert "Raise it to 12.00 EUR." in outbox.get(first).last_note
    assert {row.change_id for row in report.needs_eyes} == {first, gone}


def test_a_policy_block_ends_the_accounts_turn(
    platform: FakePlatform, outbox: Outbox, clock: Clock
) -> None:
    first, second = approved(outbox, budget("11"), budget("12"))
    platform.fail("set_daily_budget", "11", PolicyBlocked("Blocked as abusive."))
    report = push(platform, outbox, clock)
    assert [report.state_of(i) for i in (first, second)] == [FAILED, A]


def test_a_store_that_fails_in_one_account_lets_the_others_finish(
    platform: FakePlatform, outbox: Outbox, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform.add("21", account_id="2")
    first, other = approved(outbox, budget("11"), budget("21", account_id="2"))
    real: Callable[..., object] = outbox.finish

    def finish(held: object, *args: object, **more: object) -> object:
        if getattr(held, "id", "") == first:
            raise StorageError("The disk is full.")
        return real(held, *args, **more)

    monkeypatch.setattr(outbox, "finish", finish)
    with pytest.raises(StorageError, match="disk is full"):
        push(platform, outbox, clock)
    monkeypatch.undo()
    assert outbox.get(other).state is APPLIED
    assert outbox.get(first).state is S
    assert push(platform, outbox, clock).state_of(first) is APPLIED
    assert len(platform.writes) == 2


def test_a_read_that_fails_while_looking_after_an_unknown_outcome(
    platform: FakePlatform, outbox: Outbox, clock: Clock
) -> None:
    [change_id] = approved(outbox, budget())
    broken = Fault(
        UnknownOutcome("Timed out."),
        effect=True,
        before=lambda: platform.fail("read_object", "11", NotFound("Gone?")),
    )
    platform.fail("set_daily_budget", "11", broken)
    assert push(platform, outbox, clock).state_of(change_id) is S
    assert push(platform, outbox, clock).state_of(change_id) is APPLIED
    assert replay(outbox.journal(change_id)) is APPLIED
