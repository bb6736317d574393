from __future__ import annotations

from decimal import Decimal

import pytest

from tests.campaigns.fake_platform import FakePlatform
from tests.campaigns.pushing import Clock, push, rails
from tests.store.samples import NOW, approved, budget, states, status
from zyenta_ads_pipeline.domain.change import ChangeState
from zyenta_ads_pipeline.domain.errors import (
    InputError,
    Transient,
    UnknownOutcome,
    Unreachable,
    ValidationRefused,
)
from zyenta_ads_pipeline.store.outbox import Outbox

P, A, S = ChangeState.PROPOSED, ChangeState.APPROVED, ChangeState.SENDING
APPLIED, FAILED, CONFLICT = ChangeState.APPLIED, ChangeState.FAILED, ChangeState.CONFLICT


def test_an_approved_change_is_written_once_read_back_and_journalled(
    platform: FakePlatform, outbox: Outbox, clock: Clock
) -> None:
    [change_id] = approved(outbox, budget())
    report = push(platform, outbox, clock)
    assert report.state_of(change_id) is APPLIED
    assert platform.writes == [["11", "daily_budget", "11000"]]
    assert platform.asked[-2:] == [("set_daily_budget", "11"), ("read_object", "11")]
    assert states(outbox, change_id) == [P, A, S, APPLIED]
    last = outbox.journal(change_id)[-1]
    assert (last.platform_reply, last.trace_id, last.actor) == (
        {"success": True},
        "trace-1",
        "run 1",
    )
    assert outbox.get(change_id).written_at == NOW
    assert push(platform, outbox, clock).rows == ()
    assert len(platform.writes) == 1
    assert "110.00 EUR" in str(report)


def test_a_status_is_written_too(platform: FakePlatform, outbox: Outbox, clock: Clock) -> None:
    [change_id] = approved(outbox, status())
    assert push(platform, outbox, clock).state_of(change_id) is APPLIED
    assert platform.writes == [["11", "status", "PAUSED"]]


def test_what_lowers_spending_goes_first(
    platform: FakePlatform, outbox: Outbox, clock: Clock
) -> None:
    platform.add("15", status="PAUSED")
    approved(
        outbox,
        status("15", old="PAUSED", new="ACTIVE"),
        budget("11", new=11_000),
        budget("12", new=9_000),
        status("13"),
        budget("14", new=8_000),
    )
    push(platform, outbox, clock)
    assert [write[0] for write in platform.writes] == ["13", "12", "14", "11", "15"]


def test_the_total_is_never_overshot_in_between(
    platform: FakePlatform, outbox: Outbox, clock: Clock
) -> None:
    up, down, too_much = approved(
        outbox,
        budget("11", new=12_000),
        budget("12", new=8_000),
        budget("13", new=10_001),
    )
    report = push(platform, outbox, clock, guardrails=rails(max_total_minor=40_000))
    assert report.state_of(down) is APPLIED
    assert report.state_of(up) is APPLIED
    assert report.state_of(too_much) is FAILED
    assert "above the total" in outbox.get(too_much).last_note
    assert [write[0] for write in platform.writes] == ["12", "11"]


def test_a_raise_waits_while_a_cut_of_its_account_is_still_open(
    platform: FakePlatform, outbox: Outbox, clock: Clock
) -> None:
    up, down = approved(outbox, budget("11", new=12_000), budget("12", new=8_000))
    platform.fail("set_daily_budget", "12", Unreachable("No connection."))
    report = push(platform, outbox, clock, guardrails=rails(max_total_minor=40_000))
    assert report.state_of(down) is A
    assert report.state_of(up) is A
    report = push(platform, outbox, clock, guardrails=rails(max_total_minor=40_000))
    assert (report.state_of(down), report.state_of(up)) == (APPLIED, APPLIED)


def test_a_refused_raise_does_not_use_up_the_total(
    platform: FakePlatform, outbox: Outbox, clock: Clock
) -> None:
    refused, other = approved(outbox, budget("11", new=12_000), budget("12", new=12_000))
    platform.fail("set_daily_budget", "11", ValidationRefused("Too low."))
    report = push(platform, outbox, clock, guardrails=rails(max_total_minor=42_000))
    assert (report.state_of(refused), report.state_of(other)) == (FAILED, APPLIED)


def test_a_raise_that_may_have_arrived_counts_against_the_total(
    platform: FakePlatform, outbox: Outbox, clock: Clock
) -> None:
    unknown, other = approved(outbox, budget("11", new=12_000), budget("12", new=12_000))
    platform.fail("set_daily_budget", "11", UnknownOutcome("Timed out."))
    report = push(platform, outbox, clock, guardrails=rails(max_total_minor=42_000))
    assert (report.state_of(unknown), report.state_of(other)) == (S, A)
    assert platform.writes == []
    report = push(platform, outbox, clock, guardrails=rails(max_total_minor=42_000))
    assert report.state_of(other) is A, "also for a later push, until it is settled"


def test_without_the_sum_nothing_is_raised_but_cuts_go_on(
    platform: FakePlatform, outbox: Outbox, clock: Clock
) -> None:
    up, down = approved(outbox, budget("11", new=12_000), budget("12", new=8_000))
    platform.fail("ad_objects", "1", Transient("Service temporarily down."))
    report = push(platform, outbox, clock, guardrails=rails(max_total_minor=40_000))
    assert (report.state_of(down), report.state_of(up)) == (APPLIED, A)
    assert "Service temporarily down" in outbox.get(up).last_note


def test_switching_on_counts_the_budget_that_comes_with_it(
    platform: FakePlatform, outbox: Outbox, clock: Clock
) -> None:
    platform.add("15", status="PAUSED", budget=5_000)
    [change_id] = approved(outbox, status("15", old="PAUSED", new="ACTIVE"))
    narrow = rails(max_total_minor=44_999)
    assert push(platform, outbox, clock, guardrails=narrow).state_of(change_id) is FAILED
    [change_id] = approved(outbox, status("15", old="PAUSED", new="ACTIVE"))
    wide = rails(max_total_minor=45_000)
    assert push(platform, outbox, clock, guardrails=wide).state_of(change_id) is APPLIED


def test_a_value_that_is_there_already_is_not_written(
    platform: FakePlatform, outbox: Outbox, clock: Clock
) -> None:
    [change_id] = approved(outbox, budget())
    platform.edit("11", daily_budget=11_000)
    assert push(platform, outbox, clock).state_of(change_id) is APPLIED
    assert platform.writes == []
    assert outbox.get(change_id).written_at is None
    assert "Nothing was written" in outbox.journal(change_id)[-1].note


def test_somebody_elses_edit_is_a_conflict(
    platform: FakePlatform, outbox: Outbox, clock: Clock
) -> None:
    [change_id] = approved(outbox, budget())
    platform.edit("11", daily_budget=20_000)
    assert push(platform, outbox, clock).state_of(change_id) is CONFLICT
    assert platform.writes == []
    assert platform.budget("11") == 20_000


@pytest.mark.parametrize(
    ("more", "state"),
    [
        ({"kill_switch": True}, A),
        ({"max_changes_per_hour": 1}, A),
        ({"max_budget_changes_per_day": 1}, A),
        ({"max_step": Decimal("0.05")}, FAILED),
        ({"cap_minor": 10_500}, FAILED),
    ],
)
def test_what_the_guardrails_block(
    platform: FakePlatform,
    outbox: Outbox,
    clock: Clock,
    more: dict[str, object],
    state: ChangeState,
) -> None:
    approved(outbox, budget(old=9_999, new=10_000))
    platform.edit("11", daily_budget=9_999)
    push(platform, outbox, clock)
    [change_id] = approved(outbox, budget())
    report = push(platform, outbox, clock, guardrails=rails(**more))
    record = outbox.get(change_id)
    assert report.state_of(change_id) is record.state is state
    assert record.last_note == report.rows[-1].words
    assert len(platform.writes) == 1
    if state is A:
        assert record.retry_after is not None
        assert record.retry_after > NOW
        assert outbox.find(states=[A], due=NOW) == []
        journal = outbox.journal(change_id)
        push(platform, outbox, clock, guardrails=rails(**more))
        assert outbox.journal(change_id) == journal, "the same words are journalled once"


def test_without_guardrails_nothing_is_written(
    platform: FakePlatform, outbox: Outbox, clock: Clock
) -> None:
    [change_id] = approved(outbox, budget())
    report = push(platform, outbox, clock, guardrails=lambda _account: None)
    assert report.state_of(change_id) is A
    assert platform.writes == []


def test_an_archived_object_fails_for_good(
    platform: FakePlatform, outbox: Outbox, clock: Clock
) -> None:
    [change_id] = approved(outbox, budget())
    platform.edit("11", status="ARCHIVED")
    assert push(platform, outbox, clock).state_of(change_id) is FAILED


def test_the_fifth_change_in_an_hour_waits(
    platform: FakePlatform, outbox: Outbox, clock: Clock
) -> None:
    for number in range(4):
        approved(outbox, budget(old=10_000 + number, new=10_001 + number))
        push(platform, outbox, clock)
        clock.move(minutes=10)
    [fifth] = approved(outbox, budget(old=10_004, new=10_005))
    assert push(platform, outbox, clock).state_of(fifth) is A
    assert len(platform.writes) == 4
    clock.move(minutes=25)
    assert push(platform, outbox, clock).state_of(fifth) is APPLIED


def test_one_decision_a_campaign_and_account_day(
    platform: FakePlatform, outbox: Outbox, clock: Clock
) -> None:
    once = rails(max_budget_changes_per_day=1)
    shared = {"campaign_id": "9", "decision_id": "morning"}
    approved(outbox, *(budget(i, **shared) for i in ("11", "12")))  # type: ignore[arg-type]
    push(platform, outbox, clock, guardrails=once)
    assert len(platform.writes) == 2
    [later] = approved(outbox, budget("13", campaign_id="9"))
    assert push(platform, outbox, clock, guardrails=once).state_of(later) is A
    clock.move(hours=11)  # 00:00 in Berlin, 23:00 UTC
    assert push(platform, outbox, clock, guardrails=once).state_of(later) is APPLIED


def test_the_kill_switch_is_asked_again_right_before_the_write(
    platform: FakePlatform, outbox: Outbox, clock: Clock
) -> None:
    [change_id] = approved(outbox, budget())
    answers = iter([rails(), rails(kill_switch=True)])
    report = push(platform, outbox, clock, guardrails=lambda _account: next(answers))
    assert report.state_of(change_id) is A
    assert platform.writes == []
    assert states(outbox, change_id) == [P, A, S, A]
    assert outbox.get(change_id).attempt == 2


def test_a_claim_that_ran_out_before_the_write_sends_nothing(
    platform: FakePlatform, outbox: Outbox, clock: Clock
) -> None:
    [change_id] = approved(outbox, budget())
    asked = 0

    def slow(_account: str) -> object:
        nonlocal asked
        asked += 1
        if asked == 2:
            clock.move(minutes=6)
        return rails()

    report = push(platform, outbox, clock, guardrails=slow)
    assert report.state_of(change_id) is S
    assert platform.writes == []
    assert push(platform, outbox, clock).state_of(change_id) is APPLIED
    assert len(platform.writes) == 1


def test_a_change_that_cannot_be_meant_for_the_object_fails(
    platform: FakePlatform, outbox: Outbox, clock: Clock
) -> None:
    platform.add("31", account_id="3")
    wrong_account, wrong_currency = approved(outbox, budget("31"), budget("11", currency="USD"))
    report = push(platform, outbox, clock)
    assert report.state_of(wrong_account) is FAILED
    assert report.state_of(wrong_currency) is FAILED
    assert platform.writes == []


def test_only_the_named_changes_are_pushed(
    platform: FakePlatform, outbox: Outbox, clock: Clock
) -> None:
    first, second = approved(outbox, budget("11"), budget("12"))
    [third] = outbox.propose([budget("13")], actor="a", now=NOW).inserted
    report = push(platform, outbox, clock, ids=[first, third.id])
    assert {row.change_id: row.state for row in report.rows} == {first: APPLIED, third.id: P}
    assert outbox.get(second).state is A
    with pytest.raises(InputError, match="no change 'nope'"):
        push(platform, outbox, clock, ids=["nope"])
    [google] = approved(outbox, budget("99", platform="google"))
    with pytest.raises(InputError, match="is for google"):
        push(platform, outbox, clock, ids=[google])


def test_only_the_named_account_is_pushed(
    platform: FakePlatform, outbox: Outbox, clock: Clock
) -> None:
    platform.add("21", account_id="2")
    first, other = approved(outbox, budget("11"), budget("21", account_id="2"))
    report = push(platform, outbox, clock, account_id="act_2")
    assert report.state_of(other) is APPLIED
    assert outbox.get(first).state is A
