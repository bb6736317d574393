"""The clairvoyant: it knows every curve and level, and obeys the same limits.

Each day it spends the total where the next unit of money truly brings most, within the step around
yesterday's budgets, floors, caps, locked budgets and groups. What it earns is the measure of all
policies. It does not look ahead; `best_split` without a step bounds it from above.
"""

from __future__ import annotations

import numpy as np

from benchmarks.market import Flags, Floats, Market, Whole, World
from zyenta_ads_pipeline.domain import money

_ROUNDS = 70
"""Halvings of the price's logarithm: more than a double can tell apart."""


def lead(world: World, *, step: float | None = 0.2, margin: float | None = None) -> Market:
    """The oracle's account after the world's last decided day."""
    market = Market(world)
    market.warm_up()
    nobody = np.zeros(world.order.size, dtype=bool)
    while market.day < world.warm_up + world.days:
        market.change(budgets_of(market, step=step, margin=margin), nobody)
        market.deliver()
    return market


def budgets_of(market: Market, *, step: float | None, margin: float | None) -> Whole:
    """(N,) the best budgets of the market's day, whole minor units. `step` None: no step."""
    world, day = market.world, market.day
    offset = money.offset(world.currency)
    running = market.running
    low, high = _bounds(market, step)
    budgets = np.zeros(world.order.size)
    free = running & ~world.locked
    for members, total in pools(world, day, running):
        part = members & free
        pinned = market.budgets[members & running & world.locked].sum()
        budgets[part] = best_split(
            world,
            day,
            part,
            low[part] / offset,
            high[part] / offset,
            max(float(total - pinned), 0.0) / offset,
            margin=margin,
        )
    whole = np.floor(budgets * offset + 1e-6).astype(np.int64)
    result: Whole = np.where(free, np.maximum(whole, 1), market.budgets)
    return result


def pools(world: World, day: int, running: Flags) -> list[tuple[Flags, int]]:
    """Who shares which total, minor units: each group its own, all others the rest."""
    groups = np.array([name or "" for name in world.groups])
    result = []
    rest = int(world.totals[day])
    for name, total in world.group_totals.items():
        result.append((groups == name, total))
        rest -= total
    result.append((~np.isin(groups, list(world.group_totals)), rest))
    return [(members, total) for members, total in result if (members & running).any()]


def best_split(
    world: World,
    day: int,
    part: Flags,
    low: Floats,
    high: Floats,
    total: float,
    *,
    margin: float | None = None,
) -> Floats:
    """The budgets (M,) of the campaigns in `part` (N,) that sell most of `day`; major units.

    `low` and `high` (M,) bound them; where even the lowest are too much, all give the same share.
    With a `margin`, what would return less than it costs is not spent.
    """
    if low.sum() >= total:
        shared: Floats = low * (total / low.sum())
        return shared
    worth = (world.level[day] * world.season[day] * world.mean_order)[part]
    most = np.minimum(high, np.maximum(world.most[day][part], low))
    curve = world.curve.taken(part)

    def spend(log_price: float) -> Floats:
        wanted: Floats = np.clip(curve.spend_at(np.exp(log_price) / worth), low, most)
        return wanted

    cheapest = -40.0 if margin is None else -float(np.log(margin))
    if spend(cheapest).sum() <= total:
        return spend(cheapest)
    below, above = cheapest, 40.0
    for _ in range(_ROUNDS):
        middle = (below + above) / 2
        below, above = (middle, above) if spend(middle).sum() > total else (below, middle)
    return spend(above)


def optimum(market: Market) -> Floats:
    """(N,) where each running campaign's budget would best be on the market's day, major units:
    no step, and no limits but the account's floor. Nan for those that do not run."""
    world, day = market.world, market.day
    offset = money.offset(world.currency)
    running = market.running
    result = np.full(world.order.size, np.nan)
    for members, total in pools(world, day, running):
        part = members & running
        floor = np.full(int(part.sum()), world.floor_minor / offset)
        most = np.full(floor.size, total / offset)
        result[part] = best_split(world, day, part, floor, most, total / offset)
    return result


def _bounds(market: Market, step: float | None) -> tuple[Floats, Floats]:
    """(N,) lowest and highest budgets, minor units."""
    world = market.world
    floor = np.where(world.floors >= 0, world.floors, world.floor_minor).astype(np.float64)
    cap = np.where(world.caps >= 0, world.caps, np.inf)
    if step is None:
        return floor, np.minimum(cap, 1e15)
    low = np.ceil(market.budgets * (1 - step) - 1e-6)
    high = np.floor(market.budgets * (1 + step) + 1e-6)
    return np.clip(low, floor, cap), np.clip(high, floor, cap)
