"""Sixty days on auto with the response curves: more revenue, and no guardrail ever broken.

What was written is asked of the sandbox, not of the product: its own record of every write.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console

from zyenta_ads_pipeline.demo import Story, story
from zyenta_ads_pipeline.demo_gain import revenue_gain
from zyenta_ads_pipeline.sandbox.market_shop import build_account
from zyenta_ads_pipeline.settings import Settings

DAYS = 60
START = datetime(2026, 9, 1, 15, 30, tzinfo=UTC)
FLOOR_MINOR = 1000
"""ZYENTA_MIN_DAILY_BUDGET of a home that sets nothing: 10 dollars."""


@dataclass(frozen=True)
class Moved:
    """One budget that was written, in minor units; `day` is the account's."""

    object: str
    day: date
    old: int
    new: int


@pytest.fixture
def own_process_settings() -> Iterator[None]:
    """Puts back what the demo says in this process's environment."""
    before, env_file = dict(os.environ), Settings.model_config.get("env_file")
    yield
    os.environ.clear()
    os.environ.update(before)
    Settings.model_config["env_file"] = env_file


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.usefixtures("own_process_settings")
def test_sixty_days_on_auto_earn_more_and_break_nothing(tmp_path: Path) -> None:
    told = story(tmp_path / "demo", Console(quiet=True), days=DAYS, between=1, start=START)
    assert all(write["accepted"] for write in told.writes), "Meta refused a write"
    moves = _moves(told)
    assert len({move.day for move in moves}) > DAYS / 3
    for move in moves:
        # A campaign's step, shared over its ad sets, is rounded by a minor unit of theirs.
        assert (abs(move.new - move.old) - 1) * 5 <= move.old, f"{move} is beyond the step of 20 %"
        assert move.new >= FLOOR_MINOR, f"{move} goes below the floor"
    pairs = [(move.object, move.day) for move in moves]
    assert len(set(pairs)) == len(pairs), "a budget was changed twice on a day"
    _check_sums(told, moves)
    gain = revenue_gain(told.managed, told.untouched)
    assert gain.days == DAYS
    assert gain.low > 0, f"{gain} is not surely a gain"
    spent = [sum(day.spend for day in days) for days in (told.managed, told.untouched)]
    assert spent[0] <= spent[1] * 103 / 100


def _moves(told: Story) -> list[Moved]:
    return [
        Moved(write["object"], _day(told, write), int(write["old"]), int(write["new"]))
        for write in told.writes
        if write["field"] == "daily_budget"
    ]


def _day(told: Story, write: dict[str, Any]) -> date:
    """The account's day of a write."""
    moment = datetime.fromisoformat(write["at"])
    return moment.astimezone(ZoneInfo(told.shop.timezone)).date()


def _check_sums(told: Story, moves: list[Moved]) -> None:
    """All budgets together: never above the total, and a fifth of them moved a day at most."""
    shop = _Budgets()
    total = int(told.total * 100)
    assert shop.committed() == total
    by_day = defaultdict[date, list[Moved]](list)
    for move in moves:
        by_day[move.day].append(move)
    seen: set[date] = set()
    for write in told.writes:
        day = _day(told, write)
        if day not in seen:
            moved = sum(abs(move.new - move.old) for move in by_day[day])
            assert moved * 5 <= shop.committed(), f"{moved} were moved on {day}"
            seen.add(day)
        assert shop.value(write) == write["old"], f"{write} starts from elsewhere"
        shop.apply(write)
        assert shop.committed() <= total, f"{write} takes all budgets to {shop.committed()}"


class _Budgets:
    """The shop's budgets and statuses as the writes leave them."""

    def __init__(self) -> None:
        self._things = {thing.id: thing for thing in build_account(0, START, 32).things}

    def committed(self) -> int:
        """What all that may deliver has for a day, in minor units."""
        return sum(
            thing.daily_budget or 0
            for thing in self._things.values()
            if thing.status == "ACTIVE"
            and (not thing.campaign_id or self._things[thing.campaign_id].status == "ACTIVE")
        )

    def value(self, write: dict[str, Any]) -> str:
        return str(getattr(self._things[write["object"]], write["field"]))

    def apply(self, write: dict[str, Any]) -> None:
        thing = self._things[write["object"]]
        new = int(write["new"]) if write["field"] == "daily_budget" else write["new"]
        changed: dict[str, Any] = {write["field"]: new}
        self._things[thing.id] = replace(thing, **changed)
