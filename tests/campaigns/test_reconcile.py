from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.campaigns.fake_platform import FakePlatform, Fault
from tests.campaigns.pushing import LEASE, Clock, push
from tests.forked import processes
from tests.store.samples import NOW, approved, budget, states
from zyenta_ads_pipeline.domain.change import ChangeState
from zyenta_ads_pipeline.domain.errors import AuthenticationFailed, RateLimited, Unreachable
from zyenta_ads_pipeline.store.database import Store, open_store
from zyenta_ads_pipeline.store.outbox import Outbox

P, A, S = ChangeState.PROPOSED, ChangeState.APPROVED, ChangeState.SENDING
APPLIED = ChangeState.APPLIED


def _interrupted(outbox: Outbox, object_id: str = "11") -> str:
    [change_id] = approved(outbox, budget(object_id))
    assert outbox.claim(change_id, owner="killed", lease=LEASE, now=NOW) is not None
    return change_id


class Killer(FakePlatform):
    """Kills its own process right before or right after the write is done."""

    moment = ""

    def _write(self, method: str, object_id: str, field: str, value: int | str):
        if self.moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        receipt = super()._write(method, object_id, field, value)
        os.kill(os.getpid(), signal.SIGKILL)
        return receipt


def killed_push(url: str, path: str, moment: str) -> None:
    """What the child process runs."""
    platform = Killer(Path(path))
    platform.moment = moment
    push(platform, Outbox(open_store(url)), Clock())


def _push_and_die(url: str, path: Path, moment: str) -> None:
    pushing = processes().Process(target=killed_push, args=(url, str(path), moment))
    pushing.start()
    pushing.join()
    assert pushing.exitcode == -signal.SIGKILL


def test_killed_between_the_write_and_the_journal(
    store: Store, store_url: str, platform: FakePlatform, clock: Clock
) -> None:
    outbox = Outbox(store)
    [change_id] = approved(outbox, budget())
    _push_and_die(store_url, platform.path, "after")
    assert outbox.get(change_id).state is S
    assert len(platform.writes) == 1
    report = push(platform, outbox, clock)
    assert report.state_of(change_id) is APPLIED
    assert len(platform.writes) == 1
    assert "not written again" in outbox.journal(change_id)[-1].note
    assert outbox.budget_writes("11", since=NOW) == 1


def test_killed_before_the_write(
    store: Store, store_url: str, platform: FakePlatform, clock: Clock
) -> None:
    outbox = Outbox(store)
    [change_id] = approved(outbox, budget())
    _push_and_die(store_url, platform.path, "before")
    assert platform.writes == []
    assert push(platform, outbox, clock).state_of(change_id) is S
    clock.at = NOW + LEASE
    assert push(platform, outbox, clock).state_of(change_id) is APPLIED
    assert platform.writes == [["11", "daily_budget", "11000"]]
    assert outbox.get(change_id).attempt == 2
    assert states(outbox, change_id) == [P, A, S, A, S, APPLIED]


def test_another_value_is_a_conflict_once_nobody_can_write_any_more(
    platform: FakePlatform, outbox: Outbox, clock: Clock
) -> None:
    change_id = _interrupted(outbox)
    platform.edit("11", daily_budget=15_000)
    assert push(platform, outbox, clock).state_of(change_id) is S
    clock.at = NOW + LEASE
    assert push(platform, outbox, clock).state_of(change_id) is ChangeState.CONFLICT
    assert platform.writes == []


def test_an_object_that_is_gone_fails_once_the_lease_is_over(
    platform: FakePlatform, outbox: Outbox, clock: Clock
) -> None:
    change_id = _interrupted(outbox)
    platform.remove("11")
    assert push(platform, outbox, clock).state_of(change_id) is S
    clock.at = NOW + LEASE
    assert push(platform, outbox, clock).state_of(change_id) is ChangeState.FAILED


def test_what_cannot_be_looked_up_stays_and_the_others_go_on(
    platform: FakePlatform, outbox: Outbox, clock: Clock
) -> None:
    change_id = _interrupted(outbox)
    [other] = approved(outbox, budget("12"))
    platform.fail("read_object", "11", Unreachable("No connection."))
    report = push(platform, outbox, clock)
    assert (report.state_of(change_id), report.state_of(other)) == (S, APPLIED)


@pytest.mark.parametrize(
    "error", [AuthenticationFailed("Expired."), RateLimited("Too many.", wait_seconds=60)]
)
def test_errors_while_looking_up_stop_before_anything_is_sent(
    platform: FakePlatform, outbox: Outbox, clock: Clock, error: Exception
) -> None:
    change_id, second = _interrupted(outbox), _interrupted(outbox, "12")
    [third] = approved(outbox, budget("13"))
    platform.fail("read_object", "11", error)
    platform.fail("read_object", "12", error)
    report = push(platform, outbox, clock)
    assert [report.state_of(i) for i in (change_id, second, third)] == [S, S, A]
    assert platform.writes == []
    assert len([call for call in platform.asked if call[0] == "read_object"]) == 1


def test_a_slow_run_that_was_overtaken_adds_its_reply_to_the_journal(
    platform: FakePlatform, outbox: Outbox, clock: Clock
) -> None:
    [change_id] = approved(outbox, budget())

    def overtake() -> None:
        platform.edit("11", daily_budget=11_000)
        record = outbox.get(change_id)
        outbox.finish(record, APPLIED, actor="run 2", now=clock(), note="recognised")

    platform.fail("set_daily_budget", "11", Fault(before=overtake))
    assert push(platform, outbox, clock).state_of(change_id) is APPLIED
    last = outbox.journal(change_id)[-1]
    assert last.from_state is last.to_state is APPLIED
    assert last.trace_id == "trace-1"
