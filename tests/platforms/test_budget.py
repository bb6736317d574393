"""The budget of calls, on a clock of the tests' own: nobody really waits here."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Collection, Coroutine, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zyenta_ads_pipeline.domain.errors import (
    DeadlinePassed,
    ErrorOrigin,
    RateLimited,
    StorageError,
)
from zyenta_ads_pipeline.domain.quota import QuotaUse
from zyenta_ads_pipeline.platforms.meta.budget import RateBudget, Time
from zyenta_ads_pipeline.platforms.meta.usage import INSIGHTS, MANAGEMENT

START = datetime(2026, 11, 20, 12, tzinfo=UTC)
T = TypeVar("T")


class Clock:
    """Time that passes only when somebody sleeps, or the test says so."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.slept: list[float] = []

    def times(self) -> Time:
        return Time(
            now=lambda: START + timedelta(seconds=self.seconds),
            monotonic=lambda: self.seconds,
            sleep=self.sleep,
        )

    async def sleep(self, seconds: float) -> None:
        """Sleepers wake in order of their time; what passes for one passes for all."""
        until = self.seconds + seconds
        self.slept.append(seconds)
        await asyncio.sleep(seconds / 100_000)
        self.seconds = max(self.seconds, until)


class Memory:
    """What the processes of a deployment share, without a database."""

    def __init__(self) -> None:
        self.uses: dict[str, QuotaUse] = {}
        self.stored = 0
        self.loaded = 0
        self.broken = False

    def load(self, scopes: Collection[str]) -> dict[str, QuotaUse]:
        self._enter()
        self.loaded += 1
        return {scope: use for scope, use in self.uses.items() if scope in scopes}

    def store(self, uses: Mapping[str, QuotaUse]) -> None:
        self._enter()
        self.stored += 1
        for scope, use in uses.items():
            known = self.uses.get(scope)
            self.uses[scope] = use if known is None else known.merged(use)

    def _enter(self) -> None:
        if self.broken:
            raise StorageError("The store is gone.", "Bring it back.")


def run(call: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(call)


def made(clock: Clock, **options: Any) -> RateBudget:
    return RateBudget(clocks=clock.times(), **options)


def score(percent: float, tier: str = "standard_access", reset: float = 0) -> dict[str, str]:
    told = {
        "acc_id_util_pct": percent,
        "reset_time_duration": reset,
        "ads_api_access_tier": tier,
    }
    return {"x-ad-account-usage": json.dumps(told)}


def app(percent: float) -> dict[str, str]:
    return {"x-app-usage": json.dumps({"call_count": percent})}


def throttled(code: int = 17, subcode: int | None = 2446079, wait: float = 60) -> RateLimited:
    origin = ErrorOrigin(code=code, subcode=subcode)
    return RateLimited("Too many.", origin=origin, wait_seconds=wait)


@pytest.mark.parametrize("percent", [0, 50, 74.9])
def test_below_75_percent_reads_go_as_they_come(percent: float) -> None:
    clock = Clock()
    budget = made(clock)
    budget.note("1", score(percent))

    async def ten() -> None:
        for _ in range(10):
            assert await budget.admit("1", INSIGHTS) == 0
            budget.note("1", score(percent))

    run(ten())
    assert clock.slept == []
    assert budget.waited_seconds == 0


def gap_at(percent: float) -> float:
    """The mean pause between reads when the headers keep saying `percent`."""
    clock = Clock()
    budget = made(clock)

    async def five() -> None:
        for _ in range(5):
            budget.note("1", score(percent))
            await budget.admit("1", INSIGHTS)

    run(five())
    return budget.waited_seconds / 4


def test_from_75_percent_on_reads_are_spaced_out_more_and_more() -> None:
    gaps = [gap_at(percent) for percent in (75, 77, 80, 83, 84.9)]
    assert gaps[0] == 0
    assert gaps == sorted(set(gaps))
    assert gaps[-1] < 2.5


def test_at_the_ceiling_reads_wait_until_the_use_has_fallen_and_writes_go_on() -> None:
    clock = Clock()
    budget = made(clock)
    budget.note("1", score(90))
    assert run(budget.admit("1", MANAGEMENT, write=True, points=3)) == 0
    waited = run(budget.admit("1", INSIGHTS))
    assert waited == pytest.approx(300 * (90 + 100 * 3 / 9000 - 85) / (90 + 100 * 3 / 9000), abs=1)
    assert budget.percent("1", INSIGHTS) < 85
    assert budget.waited_seconds == pytest.approx(waited)


def test_the_reserve_is_a_setting() -> None:
    clock = Clock()
    budget = made(clock, write_reserve=30)
    budget.note("1", score(66))
    assert run(budget.admit("1", INSIGHTS)) > 0
    assert run(made(Clock(), write_reserve=30).admit("1", INSIGHTS)) == 0


def test_a_write_stops_at_the_very_end() -> None:
    budget = made(Clock())
    budget.note("1", score(99.9))
    assert run(budget.admit("1", MANAGEMENT, write=True)) == 0
    budget.note("1", score(100))
    with pytest.raises(RateLimited) as failed:
        run(budget.admit("1", MANAGEMENT, write=True, patience=0))
    assert failed.value.wait_seconds is not None


def test_own_calls_raise_the_use_until_the_next_header() -> None:
    budget = made(Clock())
    budget.note("1", score(60, "development_access"))
    for _ in range(3):
        run(budget.admit("1", MANAGEMENT, write=True, points=3))
    assert budget.percent("1", MANAGEMENT) == pytest.approx(60 + 9 * 100 / 60)
    budget.note("1", score(61))
    assert budget.percent("1", MANAGEMENT) == 61


def test_while_meta_shuts_an_account_nobody_calls_it_and_others_go_on() -> None:
    clock = Clock()
    budget = made(clock)
    budget.refused("1", INSIGHTS, throttled(wait=60))
    with pytest.raises(RateLimited, match="act_1's quota is shut") as failed:
        run(budget.admit("1", MANAGEMENT, write=True, patience=0))
    assert failed.value.wait_seconds == pytest.approx(60)
    assert run(budget.admit("2", INSIGHTS)) == 0
    assert run(budget.admit("1", INSIGHTS)) == pytest.approx(60)
    assert clock.seconds == pytest.approx(60)


def test_a_use_case_that_is_shut_leaves_the_other_open() -> None:
    budget = made(Clock())
    budget.refused("1", INSIGHTS, throttled(80000, None, 600))
    assert run(budget.admit("1", MANAGEMENT)) == 0
    with pytest.raises(RateLimited):
        run(budget.admit("1", INSIGHTS, patience=599))


def test_the_apps_quota_holds_every_account() -> None:
    budget = made(Clock())
    budget.note("1", app(96))
    assert run(budget.admit("2", INSIGHTS)) > 0


def test_one_apps_quota_holds_no_other_app() -> None:
    budget = made(Clock())
    budget.note("1", app(96), app="a")
    budget.refused("1", INSIGHTS, throttled(4, 1504022, 600), app="b")
    assert run(budget.admit("2", INSIGHTS, app="c", patience=0)) == 0
    assert budget.percent("2", INSIGHTS, app="c") == 0
    assert budget.percent("2", INSIGHTS, app="a") == 96
    assert run(budget.admit("2", MANAGEMENT, app="b", patience=0)) == 0
    for held in ("a", "b"):
        with pytest.raises(RateLimited, match="The app's quota"):
            run(budget.admit("2", INSIGHTS, app=held, patience=0))


def test_a_limit_on_one_object_holds_nobody() -> None:
    budget = made(Clock())
    budget.refused("1", MANAGEMENT, throttled(613, 1487632, 3600))
    assert run(budget.admit("1", MANAGEMENT, write=True, patience=0)) == 0


@pytest.mark.parametrize("reset", [30.0, 90.0])
def test_after_a_block_told_by_a_header_calls_are_let_in_again(reset: float) -> None:
    clock = Clock()
    budget = made(clock)
    budget.note("1", score(120, reset=reset))
    assert run(budget.admit("1", INSIGHTS)) == pytest.approx(reset, abs=0.5)


def test_a_wait_beyond_the_deadline_is_told_at_once() -> None:
    clock = Clock()
    budget = made(clock)
    budget.refused("1", INSIGHTS, throttled(wait=60))
    with pytest.raises(RateLimited, match="60 s"):
        run(budget.admit("1", INSIGHTS, deadline=59))
    with pytest.raises(DeadlinePassed):
        run(budget.admit("2", INSIGHTS, deadline=0))
    assert clock.slept == []
    assert run(budget.admit("1", INSIGHTS, deadline=61)) == pytest.approx(60)


def test_a_pause_beyond_the_deadline_is_told_at_once_too() -> None:
    clock = Clock()
    budget = made(clock)

    async def two() -> None:
        budget.note("1", score(84))
        await budget.admit("1", INSIGHTS, deadline=1)
        await budget.admit("1", INSIGHTS, deadline=1)

    with pytest.raises(RateLimited):
        run(two())
    assert clock.slept == []


def test_waits_are_logged_with_account_scope_and_seconds(caplog: pytest.LogCaptureFixture) -> None:
    budget = made(Clock())
    budget.refused("7", INSIGHTS, throttled(80000, None, 90))
    with caplog.at_level(logging.INFO):
        run(budget.admit("7", INSIGHTS))
    (told,) = [record.getMessage() for record in caplog.records if "Waiting" in record.message]
    assert told == "act_7's quota of ads_insights is shut by Meta. Waiting 90.0 s."


def test_one_accounts_wait_holds_no_other() -> None:
    clock = Clock()
    budget = made(clock)
    budget.refused("1", INSIGHTS, throttled(wait=600))
    order: list[str] = []

    async def call(account: str) -> None:
        await budget.admit(account, INSIGHTS)
        order.append(account)

    async def both() -> None:
        await asyncio.gather(call("1"), *(call("2") for _ in range(5)))

    run(both())
    assert order == ["2"] * 5 + ["1"]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["read", "write", "header", "block", "pass"]),
            st.floats(0, 130),
        ),
        max_size=30,
    )
)
def test_no_read_above_the_ceiling_and_no_call_while_shut(steps: list[tuple[str, float]]) -> None:
    clock = Clock()
    clock.sleep = _no_sleep(clock)  # type: ignore[method-assign, assignment]
    budget = made(clock)
    shut_until = 0.0

    async def play() -> None:
        nonlocal shut_until
        for step, value in steps:
            if step == "header":
                budget.note("1", score(value))
            elif step == "block":
                budget.refused("1", INSIGHTS, throttled(wait=value + 1))
                shut_until = max(shut_until, clock.seconds + value + 1)
            elif step == "pass":
                clock.seconds += value
            else:
                write = step == "write"
                await budget.admit("1", INSIGHTS, write=write, points=3 if write else 1)
                assert clock.seconds >= shut_until - 1e-3
                assert budget.percent("1", INSIGHTS) <= (100 if write else 85) + 3 * 100 / 60

    run(play())


def _no_sleep(clock: Clock) -> Callable[[float], Coroutine[Any, Any, None]]:
    async def sleep(seconds: float) -> None:
        clock.seconds += seconds

    return sleep


# Shared between processes


def test_what_one_process_learns_another_knows() -> None:
    memory, clock = Memory(), Clock()
    one, other = made(clock, shared=memory), made(clock, shared=memory)

    async def play() -> None:
        one.refused("1", INSIGHTS, throttled(wait=60))
        await one.share()
        with pytest.raises(RateLimited):
            await other.admit("1", INSIGHTS, patience=59)

    run(play())
    assert set(memory.uses) == {"account/1"}


def test_exchanges_are_rare_unless_something_happens() -> None:
    memory, clock = Memory(), Clock()
    budget = made(clock, shared=memory)

    async def calls(percent: float, times: int = 20) -> int:
        before = memory.loaded
        for n in range(times):
            await budget.admit("1", INSIGHTS)
            budget.note("1", score(percent + n / 1000))
            await budget.share()
        return memory.loaded - before

    assert run(calls(5)) == 1  # at the start
    assert run(calls(6)) == 0  # within the same second
    assert run(calls(30)) == 1  # ten percent more
    assert run(calls(31)) == 0
    clock.seconds += 1
    assert run(calls(31)) == 1
    assert run(calls(50.5)) == 1  # past half
    budget.refused("1", INSIGHTS, throttled(613, None, 0.5))
    assert run(calls(52, 1)) == 1  # a block


def test_a_waiting_call_sees_what_another_process_measures_meanwhile() -> None:
    memory, clock = Memory(), Clock()
    budget = made(clock, shared=memory)
    busy = score(200)

    async def play() -> float:
        budget.note("1", busy)
        await budget.share()

        async def soon() -> None:
            while clock.seconds < 20:
                await asyncio.sleep(0)
            now = START + timedelta(seconds=clock.seconds)
            memory.store({"account/1": QuotaUse(10.0, now, 300.0)})

        task = asyncio.create_task(soon())
        waited = await budget.admit("1", INSIGHTS)
        await task
        return waited

    assert run(play()) <= 60


def test_storage_that_fails_stops_nobody_is_told_once_and_ends_no_block(
    caplog: pytest.LogCaptureFixture,
) -> None:
    memory, clock = Memory(), Clock()
    budget = made(clock, shared=memory)
    memory.broken = True

    async def play() -> None:
        for _ in range(3):
            await budget.admit("1", INSIGHTS)
            budget.note("1", score(40))
            clock.seconds += 2
        budget.refused("1", INSIGHTS, throttled(wait=60))
        with pytest.raises(RateLimited):
            await budget.admit("1", INSIGHTS, patience=30)
        memory.broken = False
        clock.seconds += 2
        await budget.share()

    with caplog.at_level(logging.WARNING):
        run(play())
    assert len([r for r in caplog.records if "The store is gone." in r.getMessage()]) == 1
    assert memory.uses["account/1"].blocked_until is not None


def test_what_is_not_told_yet_is_told_at_the_end() -> None:
    memory, clock = Memory(), Clock()
    budget = made(clock, shared=memory)

    async def play() -> None:
        await budget.admit("1", INSIGHTS)
        budget.note("1", score(3))
        await budget.share()
        assert memory.uses == {}
        await budget.share(now=True)

    run(play())
    assert memory.uses["account/1"].percent == 3
