"""Lead one account through its days by one policy, as the product would, and judge what was done.

The product's own way is taken: `planning.plan` with its holds and its allocation, once each
morning, on what was known that morning. The judge trusts nothing that the plan says of itself: it
counts every budget against the total, the floors, the caps and the step once more.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal

import numpy as np

from benchmarks.market import Flags, Market, Whole, World
from zyenta_ads_pipeline.domain import money
from zyenta_ads_pipeline.optimizer.account import Goal, Limits
from zyenta_ads_pipeline.optimizer.allocation_cases import AllocationCase
from zyenta_ads_pipeline.optimizer.deciding import Policy
from zyenta_ads_pipeline.optimizer.planning import Plan, plan

Watcher = Callable[[Market, Plan], None]
_BROKEN_ANYHOW = frozenset({AllocationCase.FLOORS_EXCEED_TOTAL, AllocationCase.STEPS_EXCEED_TOTAL})
"""Where the limits contradict each other; the step then gives way, and a person is asked."""


@dataclass(frozen=True)
class Played:
    """What came of it, over the decided days. Money in major units."""

    revenue: float
    """Expected: no luck in it."""
    budget: float
    """The sum of all daily budgets asked for."""
    total: float
    """The sum of the totals that there were to spend."""
    over_total: int
    """Days on which the budgets came to more than the total."""
    broken: tuple[str, ...]
    """Each bound that was broken, in words."""
    changes: int
    """Budgets that were set."""
    chances: int
    """Campaigns times days: how many could have been."""
    learning: int
    """Campaign days on which a step of more than 20 % had its price."""
    paused: int
    """Campaigns that the policy stopped for good."""
    seconds: float
    """CPU time of the plans."""

    def profit(self, margin: float) -> float:
        """Profit per unit of total budget."""
        return (margin * self.revenue - self.budget) / self.total


@dataclass
class _Judge:
    over_total: int = 0
    changes: int = 0
    chances: int = 0
    learning: int = 0
    broken: list[str] = field(default_factory=list)

    def see(self, market: Market, before: Whole, limits: Limits, case: AllocationCase) -> None:
        """Look at the budgets that were set for the market's day."""
        world, running = market.world, market.running
        total = int(world.totals[market.day])
        self.over_total += int(market.budgets[running].sum()) > total
        self.chances += int(running.sum())
        self.learning += int((running & (market.learning > 0)).sum())
        moved = np.flatnonzero(running & (market.budgets != before))
        self.changes += moved.size
        if case in _BROKEN_ANYHOW:
            return
        step = math.inf if limits.max_step is None else float(limits.max_step)
        for i in moved:
            old, new = int(before[i]), int(market.budgets[i])
            floor = int(world.floors[i]) if world.floors[i] >= 0 else world.floor_minor
            cap = int(world.caps[i]) if world.caps[i] >= 0 else None
            where = f"{world.name} {world.seed} day {market.day} campaign {i}: {old} -> {new}"
            if abs(new - old) > step * old + 1e-6 and new not in (floor, cap):
                self.broken.append(f"step: {where}")
            if new < min(floor, old):
                self.broken.append(f"floor {floor}: {where}")
            if cap is not None and new > max(cap, old):
                self.broken.append(f"cap {cap}: {where}")
            if world.locked[i]:
                self.broken.append(f"locked: {where}")


def play(
    world: World,
    policy: Policy,
    *,
    with_total: bool = True,
    free_step: bool = False,
    margin: float | None = None,
    watch: Watcher | None = None,
) -> tuple[Played, Market]:
    """Lead the account to its last decided day.

    Without a total each decision stands alone, as far as the policy does not share one; what then
    comes to more than the world's total is counted, and cut by its owner, all alike. With a free
    step no change is too large. A `margin` makes profit the goal. `watch` sees the market and
    each morning's plan before it is carried out.
    """
    market = Market(world)
    market.warm_up()
    judge, seconds = _Judge(), 0.0
    while market.day < world.warm_up + world.days:
        limits = world.limits(market.day)
        if not with_total:
            limits = replace(limits, total_minor=None)
        if free_step:
            limits = replace(limits, max_step=None)
        if margin is not None:
            limits = replace(limits, goal=Goal.PROFIT, margin=Decimal(str(margin)))
        account = market.history(limits)
        start = time.process_time()
        planned = plan(account, policy)
        seconds += time.process_time() - start
        if watch is not None:
            watch(market, planned)
        before = market.budgets.copy()
        market.change(*_asked(market, planned))
        judge.see(market, before, account.limits, planned.allocation.case)
        if not with_total:
            _trim(market)
        market.deliver()
    return _result(market, judge, seconds), market


def led(market: Market) -> Played:
    """The same account of a market that somebody else led to its end (the oracle)."""
    return _result(market, _Judge(), 0.0)


def _trim(market: Market) -> None:
    """Cut the budgets of the day to the total, all in the same proportion."""
    total = int(market.world.totals[market.day])
    asked = int(market.budgets[market.running].sum())
    if asked > total:
        cut = np.maximum(market.budgets * total // asked, 1)
        market.change(cut, np.zeros(cut.size, dtype=bool))


def _asked(market: Market, planned: Plan) -> tuple[Whole, Flags]:
    """(N,) the budgets of the plan, and which campaigns it stops."""
    budgets, paused = market.budgets.copy(), np.zeros(market.budgets.size, dtype=bool)
    places = {own: place for place, own in enumerate(market.world.ids)}
    rows = planned.allocation.rows.select("campaign_id", "action", "budget_minor")
    for own, action, budget in rows.iter_rows():
        if action == "set":
            budgets[places[own]] = budget
        paused[places[own]] = action == "pause"
    return budgets, paused


def _result(market: Market, judge: _Judge, seconds: float) -> Played:
    world = market.world
    decided = slice(world.warm_up, world.warm_up + world.days)
    offset = money.offset(world.currency)
    return Played(
        revenue=float(market.expected[decided].sum()),
        budget=float(market.asked[decided].sum()) / offset,
        total=float(world.totals[decided].sum()) / offset,
        over_total=judge.over_total,
        broken=tuple(judge.broken),
        changes=judge.changes,
        chances=judge.chances,
        learning=judge.learning,
        paused=int(market.paused.sum()),
        seconds=seconds,
    )
