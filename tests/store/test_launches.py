"""Launches: planned once, held by one run, each step taken once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from tests.store.campaign_samples import LATER, LEASE, NOW, PLAN, launched, opened
from zyenta_ads_pipeline.domain.errors import IllegalTransition, InputError
from zyenta_ads_pipeline.domain.launch import StepKind, StepState
from zyenta_ads_pipeline.store.database import LOCK, Store
from zyenta_ads_pipeline.store.launch_models import LaunchStepRow
from zyenta_ads_pipeline.store.launches import Launches, LaunchLost, PlannedStep


@pytest.fixture
def launches(store: Store) -> Launches:
    return Launches(opened(store))


@pytest.fixture
def campaign_id(launches: Launches, store: Store) -> str:
    return launched(store).id


def test_a_plan_is_kept_in_order(launches: Launches, store: Store) -> None:
    made = launched(store)
    creative = made.creatives[0].id
    steps = [*PLAN, PlannedStep("creative:1", StepKind.CREATIVE, "Warm", "zy-k", creative)]
    planned = launches.plan(made.id, steps, NOW)
    assert planned == launches.steps(made.id)
    assert [PlannedStep(s.key, s.kind, s.name, s.token, s.creative_id) for s in planned] == steps
    assert [step.position for step in planned] == [0, 1, 2, 3]
    assert {(step.state, step.attempt, step.platform_id) for step in planned} == {
        (StepState.PENDING, 0, None)
    }
    assert [entry.step_id for entry in launches.journal(made.id)] == [step.id for step in planned]


def test_a_plan_made_again_keeps_what_is_there(launches: Launches, campaign_id: str) -> None:
    image, campaign, adset = launches.plan(campaign_id, PLAN, NOW)
    launches.hold(campaign_id, "w", LEASE, NOW)
    sent = launches.begin(image.id, "w", NOW, {}, "")
    new = PlannedStep("image:b", StepKind.IMAGE, "another", "zy-j")
    changed = replace(PLAN[1], name="A new name", token="zy-new")
    again = launches.plan(campaign_id, [new, PLAN[0], changed], LATER)
    assert [step.key for step in again] == ["image:b", "image:a", "campaign", "adset:1"]
    assert again[1:] == [
        replace(sent, position=1),
        replace(campaign, position=2),
        replace(adset, position=3),
    ]
    assert len(launches.journal(campaign_id)) == 5
    assert launches.plan(campaign_id, [new, PLAN[0], changed], LATER) == again


def test_plans_that_cannot_be(launches: Launches, campaign_id: str) -> None:
    with pytest.raises(InputError, match="There is no campaign 'x'"):
        launches.plan("x", PLAN, NOW)
    with pytest.raises(InputError, match="names a step twice"):
        launches.plan(campaign_id, [PLAN[0], PLAN[0]], NOW)
    assert launches.steps(campaign_id) == launches.steps("x") == []
    of_step: tuple[Callable[[], object], ...] = (
        lambda: launches.begin("x", "w", NOW, {}, ""),
        lambda: launches.done("x", "1", NOW, ""),
        lambda: launches.reopen("x", NOW),
    )
    for call in of_step:
        with pytest.raises(InputError, match="There is no launch step 'x'"):
            call()
    with pytest.raises(InputError, match="There is no campaign 'x'"):
        launches.hold("x", "w", LEASE, NOW)


def test_plans_at_once_plan_each_step_once(launches: Launches, campaign_id: str) -> None:
    barrier = threading.Barrier(4)

    def work() -> None:
        barrier.wait()
        launches.plan(campaign_id, PLAN, NOW)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [step.key for step in launches.steps(campaign_id)] == [step.key for step in PLAN]
    assert len(launches.journal(campaign_id)) == len(PLAN)


def test_one_run_holds_a_launch(launches: Launches, campaign_id: str) -> None:
    assert launches.holder(campaign_id, NOW) is None
    assert launches.hold(campaign_id, "a", LEASE, NOW)
    assert not launches.hold(campaign_id, "b", LEASE, NOW)
    assert launches.hold(campaign_id, "a", LEASE, NOW + timedelta(minutes=4))  # prolonged
    assert not launches.hold(campaign_id, "b", LEASE, NOW + LEASE)
    assert launches.holder(campaign_id, NOW + LEASE) == "a"
    over = NOW + timedelta(minutes=9)
    assert launches.holder(campaign_id, over) is None
    assert launches.hold(campaign_id, "b", LEASE, over)
    launches.release(campaign_id, "a")
    assert launches.holder(campaign_id, over) == "b"
    launches.release(campaign_id, "b")
    assert launches.hold(campaign_id, "a", LEASE, over)


def test_a_step_is_begun_by_the_run_that_holds_the_launch(
    launches: Launches, campaign_id: str
) -> None:
    step = launches.plan(campaign_id, PLAN, NOW)[0]
    with pytest.raises(LaunchLost, match="held by nobody, not by a"):
        launches.begin(step.id, "a", NOW, {}, "")
    launches.hold(campaign_id, "a", LEASE, NOW)
    with pytest.raises(LaunchLost, match="held by a, not by b"):
        launches.begin(step.id, "b", NOW, {}, "")
    params = {"name": "zy-i", "budget": Decimal("5.00"), "at": NOW}
    sent = launches.begin(step.id, "a", LATER, params, "sent")
    assert sent == launches.steps(campaign_id)[0]
    assert (sent.state, sent.owner, sent.attempt, sent.note) == ("sending", "a", 1, "sent")
    assert sent.params == {"name": "zy-i", "budget": "5.00", "at": NOW.isoformat()}
    with pytest.raises(IllegalTransition, match="is sending and cannot become sending"):
        launches.begin(step.id, "a", LATER, {}, "")


def test_a_launch_goes_on_after_a_take_over(launches: Launches, campaign_id: str) -> None:
    step = launches.plan(campaign_id, PLAN, NOW)[0]
    launches.hold(campaign_id, "a", LEASE, NOW)
    launches.begin(step.id, "a", NOW, {}, "")
    launches.hold(campaign_id, "b", LEASE, NOW + LEASE)
    assert launches.steps(campaign_id)[0].state is StepState.SENDING
    assert launches.back(step.id, LATER, "was looked up: not there").state is StepState.PENDING
    again = launches.begin(step.id, "b", LATER, {}, "")
    assert again.attempt == 2
    too_late: tuple[Callable[[], object], ...] = (
        lambda: launches.done(step.id, "55", LATER, owner="a"),
        lambda: launches.back(step.id, LATER, owner="a"),
        lambda: launches.refuse(step.id, LATER, owner="a"),
    )
    for late in too_late:
        with pytest.raises(LaunchLost, match="begun by b and no longer by a"):
            late()
    assert launches.done(step.id, "56", LATER, owner="b").platform_id == "56"


def test_each_move_is_in_the_journal(launches: Launches, campaign_id: str) -> None:
    step, other, _ = launches.plan(campaign_id, PLAN, NOW)
    launches.hold(campaign_id, "a", LEASE, NOW)
    launches.begin(step.id, "a", NOW, {"name": "x"}, "first")
    launches.back(step.id, NOW, "nothing was made")
    launches.begin(step.id, "a", NOW, {"name": "y"}, "second")
    launches.refuse(step.id, NOW, "too dark", {"code": 100}, "trace-1")
    launches.reopen(step.id, NOW)
    launches.begin(step.id, "a", NOW, {"name": "z"}, "third")
    launches.done(step.id, "h1", NOW, "made", {"hash": "h1"}, "trace-2")
    gone = launches.rolled_back(step.id, LATER, "deleted")
    assert (gone.state, gone.platform_id) == ("rolled_back", "h1")
    assert launches.reopen(step.id, LATER).platform_id is None
    launches.refuse(other.id, LATER, "not sent at all")
    entries = [entry for entry in launches.journal(campaign_id) if entry.from_state]
    assert [(e.to_state, e.attempt, e.note) for e in entries if e.step_id == step.id] == [
        ("sending", 1, "first"),
        ("pending", 1, "nothing was made"),
        ("sending", 2, "second"),
        ("refused", 2, "too dark"),
        ("pending", 2, "opened again"),
        ("sending", 3, "third"),
        ("done", 3, "made"),
        ("rolled_back", 3, "deleted"),
        ("pending", 3, "opened again"),
    ]
    refusal, made = entries[3], entries[6]
    assert (refusal.platform_reply, refusal.trace_id) == ({"code": 100}, "trace-1")
    assert (made.platform_id, made.platform_reply, made.params) == (
        "h1",
        {"hash": "h1"},
        {"name": "z"},
    )
    assert entries[-1].step_id == other.id


def test_what_is_being_sent_is_not_opened_again(launches: Launches, campaign_id: str) -> None:
    step = launches.plan(campaign_id, PLAN, NOW)[0]
    launches.hold(campaign_id, "a", LEASE, NOW)
    launches.begin(step.id, "a", NOW, {}, "")
    with pytest.raises(IllegalTransition, match="is sending and cannot become pending"):
        launches.reopen(step.id, NOW)
    launches.refuse(step.id, NOW, "no")
    with pytest.raises(IllegalTransition, match="is refused and cannot become pending"):
        launches.back(step.id, NOW)


def test_of_several_threads_each_step_is_begun_by_one(launches: Launches, campaign_id: str) -> None:
    step = launches.plan(campaign_id, PLAN, NOW)[0]
    won: list[str] = []
    barrier = threading.Barrier(4)

    def work(owner: str) -> None:
        barrier.wait()
        if launches.hold(campaign_id, owner, LEASE, NOW):
            launches.begin(step.id, owner, NOW, {}, "")
            won.append(owner)

    threads = [threading.Thread(target=work, args=(f"w{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert launches.steps(campaign_id)[0].owner == won[0]


def test_of_two_who_settle_a_step_the_second_sees_what_the_first_did(
    launches: Launches, campaign_id: str, store: Store
) -> None:
    step = launches.plan(campaign_id, PLAN, NOW)[0]
    launches.hold(campaign_id, "a", LEASE, NOW)
    launches.begin(step.id, "a", NOW, {}, "")
    refused: list[str] = []

    def second() -> None:
        try:
            launches.back(step.id, NOW, "was looked up: not there")
        except IllegalTransition as error:
            refused.append(error.what)

    thread = threading.Thread(target=second)
    with store.write() as session:
        row = session.get_one(LaunchStepRow, step.id, with_for_update=LOCK)
        thread.start()
        thread.join(0.2)
        assert thread.is_alive()  # it waits for the first
        row.state, row.platform_id = StepState.DONE, "55"
    thread.join()
    assert refused == ["Launch step 'image:a' is done and cannot become pending."]


def test_planning_and_taking_steps_do_not_wait_for_each_other(
    launches: Launches, campaign_id: str
) -> None:
    steps = launches.plan(campaign_id, PLAN, NOW)
    launches.hold(campaign_id, "a", LEASE, NOW)
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for _ in range(10):
                if number:
                    launches.plan(campaign_id, PLAN if number == 1 else PLAN[::-1], NOW)
                else:
                    for step in steps:
                        launches.begin(step.id, "a", NOW, {}, "")
                        launches.back(step.id, NOW)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
