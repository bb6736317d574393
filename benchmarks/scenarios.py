"""The scenarios of the public benchmark: what an account may be like, and what may happen to it.

A scenario is a few numbers; `world` draws an account from them by a seed. Seeds 1 to 10 are the
public ones; 101 and up are kept aside, to see that nothing was made to fit the public ones.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from benchmarks.market import Curve, Flags, Floats, Whole, World

PUBLIC_SEEDS = tuple(range(1, 11))
HELD_OUT_SEEDS = tuple(range(101, 109))
MARGIN_DAYS = 28
"""Days drawn beyond the last decision, for forecasts to be judged on."""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """What an account is like. Amounts in US dollars, spreads in standard deviations of logs.

    `budget` is the mean daily budget of a campaign and the spend at which curves are stated;
    `split` the spread of the first budgets around it. `roas` and `roas_spread` hold at that spend,
    `order` and `order_spread` are an order's mean value; `elasticity` is the range it is drawn
    from, evenly. `drift` is a campaign's own random walk a day, `day_noise` a day's own deviation,
    `pacing` that of a day's spend. Creatives wear out with a half-life of `half_life` days (0:
    never) and are renewed every `renewal` days or so. `shocks` are expected per campaign in the
    60 days, of spread `shock_size`. `stays` is the daily fall in the probability that an order is
    reported later still, `ages` how many days it can take. `capped` is the share of campaigns that
    cannot deliver much more than their budget; `launched` and `ended` the shares that come and go.
    """

    about: str
    campaigns: int = 12
    days: int = 60
    warm_up: int = 14
    budget: float = 100.0
    split: float = 0.6
    roas: float = 2.2
    roas_spread: float = 0.4
    order: float = 50.0
    order_spread: float = 0.5
    elasticity: tuple[float, float] = (0.4, 0.85)
    drift: float = 0.015
    day_noise: float = 0.08
    pacing: float = 0.05
    half_life: float = 90.0
    renewal: float = 30.0
    shocks: float = 0.0
    shock_size: float = 0.6
    stays: float = 0.45
    ages: int = 8
    whale_share: float = 0.0
    capped: float = 0.0
    launched: float = 0.0
    launches_are_paid: bool = True
    ended: float = 0.0
    outages: bool = False
    gaps: float = 0.0
    sale: bool = False
    totals: bool = False
    identical: bool = False
    bounded: bool = False
    tuned: bool = False
    currency: str = "USD"


SCENARIOS: Mapping[str, Scenario] = MappingProxyType(
    {
        "plain": Scenario(about="Twelve campaigns, badly split; nothing special happens."),
        "few": Scenario(about="Three campaigns.", campaigns=3),
        "small": Scenario(about="Five campaigns of $30 a day.", campaigns=5, budget=30.0),
        "many": Scenario(about="Sixty campaigns.", campaigns=60),
        "month": Scenario(about="Twenty campaigns, 30 days.", campaigns=20, days=30),
        "noisy": Scenario(about="Two conversions a day each.", order=110.0, day_noise=0.15),
        "rich": Scenario(about="Thirty-five conversions a day each.", budget=800.0),
        "flat": Scenario(
            about="Nearly straight curves: money may go far.", elasticity=(0.75, 0.93)
        ),
        "full": Scenario(about="Saturated curves.", elasticity=(0.2, 0.5)),
        "losers": Scenario(about="ROAS from far below 1 to far above.", roas=1.4, roas_spread=0.9),
        "identical": Scenario(
            about="All alike and evenly split: nothing can be gained.", identical=True, split=0.0
        ),
        "tuned": Scenario(about="It begins at the best split.", tuned=True),
        "fatigue": Scenario(
            about="Creatives wear out in three weeks.", half_life=21.0, renewal=25.0
        ),
        "drift": Scenario(about="Campaigns wander.", drift=0.05),
        "shock": Scenario(about="Sudden, lasting changes.", shocks=1.0),
        "slow": Scenario(about="Conversions take long to come in.", stays=0.8, ages=8),
        "month_late": Scenario(about="Some come in after weeks.", stays=0.88, ages=22),
        "cold": Scenario(about="Two days of history at the start.", warm_up=2),
        "launch": Scenario(about="A third starts on the way, each with its money.", launched=0.35),
        "crowded": Scenario(
            about="A third starts on the way, within the same total.",
            launched=0.35,
            launches_are_paid=False,
        ),
        "ending": Scenario(about="A third ends on the way.", campaigns=15, ended=0.35),
        "capped": Scenario(about="A third cannot spend more.", capped=0.35),
        "outage": Scenario(about="Tracking fails, for all and for some.", outages=True),
        "gaps": Scenario(about="Days are missing from the history.", gaps=0.08),
        "whale": Scenario(about="One order in 150 is 25 times as large.", whale_share=1 / 150),
        "sale": Scenario(about="Five days of twice the sales, then a hangover.", sale=True),
        "pacing": Scenario(about="A day's spend strays by a quarter.", pacing=0.25),
        "totals": Scenario(about="The total changes three times.", totals=True),
        "bounded": Scenario(
            about="Own floors, caps, locked budgets, a group with its own total.",
            bounded=True,
            campaigns=15,
        ),
        "yen": Scenario(about="The plain one in a currency without cents.", currency="JPY"),
    }
)


def world(name: str, seed: int) -> World:
    """The account of scenario `name` that `seed` draws."""
    return drawn(SCENARIOS[name], name, seed)


def drawn(plan: Scenario, name: str, seed: int) -> World:
    """An account of any scenario; `name` and `seed` decide the draw."""
    key = zlib.crc32(name.encode())
    chance = np.random.default_rng([seed, key])
    count, horizon = plan.campaigns, plan.warm_up + plan.days + MARGIN_DAYS
    unit, offset = (1.0, 100) if plan.currency != "JPY" else (100.0, 1)
    curve, order = _curve(plan, unit, chance)
    starts, ends = _lives(plan, chance)
    level = _level(plan, horizon, chance)
    first = _first_budgets(plan, curve, order * level[plan.warm_up], unit, chance)
    running = starts == 0
    paid = plan.budget * unit * int(running.sum())
    first = np.where(running, first * paid / first[running].sum(), plan.budget * unit)
    budgets = np.maximum(np.rint(first * offset), 10 * unit * offset).astype(np.int64)
    totals = _totals(plan, budgets, starts, horizon)
    result = World(
        name=name,
        seed=int(chance.integers(2**31)),
        currency=plan.currency,
        curve=curve,
        order=order,
        whale_share=plan.whale_share,
        whale_size=25.0,
        level=level,
        chance=_mean_one(chance, plan.day_noise, (horizon, count)),
        season=_season(plan, horizon, chance),
        pacing=np.minimum(_mean_one(chance, plan.pacing, (horizon, count)), 1.75),
        arrives=_arrives(plan),
        most=_most(plan, budgets / offset, horizon, chance),
        tracked=_tracked(plan, horizon, chance),
        stored=_stored(plan, horizon, chance),
        starts=starts,
        ends=ends,
        first_budgets=budgets,
        totals=totals,
        warm_up=plan.warm_up,
        days=plan.days,
        floor_minor=int(10 * unit * offset),
        floors=np.full(count, -1, dtype=np.int64),
        caps=np.full(count, -1, dtype=np.int64),
        locked=np.zeros(count, dtype=bool),
        groups=(None,) * count,
    )
    return _bounded(result, chance) if plan.bounded else result


def _curve(plan: Scenario, unit: float, chance: np.random.Generator) -> tuple[Curve, Floats]:
    count = plan.campaigns
    kinds = 1 if plan.identical else count
    roas = plan.roas * np.exp(chance.normal(0.0, plan.roas_spread, kinds))
    order = plan.order * unit * np.exp(chance.normal(0.0, plan.order_spread, kinds))
    elasticity = chance.uniform(*plan.elasticity, kinds)
    hill = chance.random(kinds) < 0.5
    ref = np.full(count, plan.budget * unit)
    each = np.ones(count)
    mean_order = order * (1 + plan.whale_share * 24)
    return (
        Curve(
            hill=np.broadcast_to(hill, (count,)).copy(),
            elasticity=elasticity * each,
            ref=ref,
            sales=roas * ref / (mean_order * each),
        ),
        order * each,
    )


def _level(plan: Scenario, horizon: int, chance: np.random.Generator) -> Floats:
    """Drift, fatigue and shocks as one factor, (T, N); 1 at the end of the warm-up."""
    count = plan.campaigns
    steps = chance.normal(0.0, plan.drift, (horizon, count))
    struck = chance.random((horizon, count)) < plan.shocks / 60
    struck[: plan.warm_up] = False
    steps += np.where(struck, chance.normal(0.0, plan.shock_size, (horizon, count)), 0.0)
    path = steps.cumsum(axis=0)
    if plan.half_life and not plan.identical:
        age = chance.integers(0, int(plan.renewal), count).astype(np.float64)
        pace = np.log(2) / plan.half_life * chance.uniform(0.5, 1.5, count)
        worn = np.zeros((horizon, count))
        for day in range(horizon):
            renewed = chance.random(count) < 1 / plan.renewal
            age = np.where(renewed, 0.0, age + 1)
            worn[day] = -pace * age
        path += worn
    if plan.identical:
        path = np.repeat(path[:, :1], count, axis=1)
    result: Floats = np.exp(path - path[plan.warm_up])
    return result


def _first_budgets(
    plan: Scenario, curve: Curve, order: Floats, unit: float, chance: np.random.Generator
) -> Floats:
    if plan.tuned:
        # Power or Hill, the best split has one marginal return: search it.
        low, high = -20.0, 20.0
        for _ in range(100):
            price = (low + high) / 2
            spend = curve.spend_at(np.exp(price) / order)
            low, high = (price, high) if spend.sum() > curve.ref.sum() else (low, price)
        return np.maximum(spend, 10 * unit)
    return np.exp(chance.normal(0.0, plan.split, plan.campaigns))


def _lives(plan: Scenario, chance: np.random.Generator) -> tuple[Whole, Whole]:
    count = plan.campaigns
    starts = np.zeros(count, dtype=np.int64)
    ends = np.full(count, plan.warm_up + plan.days + MARGIN_DAYS, dtype=np.int64)
    late, gone = round(plan.launched * count), round(plan.ended * count)
    starts[count - late :] = plan.warm_up + np.sort(chance.integers(3, 40, late))
    ends[:gone] = plan.warm_up + chance.integers(10, 50, gone)
    return starts, ends


def _totals(plan: Scenario, budgets: Whole, starts: Whole, horizon: int) -> Whole:
    """The account's total of each day, minor units."""
    days = np.arange(horizon)
    begun = (starts[None, :] <= days[:, None]) if plan.launches_are_paid else (starts == 0)[None, :]
    totals = np.where(begun, budgets, 0).sum(axis=1) * np.ones(horizon, dtype=np.int64)
    if plan.totals:
        for share, factor in ((0.2, 1.25), (0.5, 0.8), (0.75, 1.3)):
            since = plan.warm_up + int(share * plan.days)
            totals[since:] = np.rint(totals[since:] * factor)
    whole: Whole = totals.astype(np.int64)
    return whole


def _season(plan: Scenario, horizon: int, chance: np.random.Generator) -> Floats:
    """Weekday and season in one, (T,)."""
    weekday = _mean_one(chance, 0.15, (7,))
    days = np.arange(horizon)
    common = weekday[days % 7] * _mean_one(chance, 0.05, (horizon,))
    if plan.sale:
        begin = plan.warm_up + int(chance.integers(15, 35))
        common[begin : begin + 5] *= 2.0
        common[begin + 5 : begin + 12] *= 0.75
    return common


def _arrives(plan: Scenario) -> Floats:
    share = (1 - plan.stays) * plan.stays ** np.arange(plan.ages)
    result: Floats = share / share.sum()
    return result


def _most(plan: Scenario, budgets: Floats, horizon: int, chance: np.random.Generator) -> Floats:
    """What can be delivered at all, major units, (T, N); infinite where nothing holds it back."""
    capped = chance.random(plan.campaigns) < plan.capped
    factor = np.exp(chance.normal(0.0, 0.3, plan.campaigns))
    most = np.where(capped, budgets * factor, np.inf)
    return np.repeat(most[None, :], horizon, axis=0)


def _tracked(plan: Scenario, horizon: int, chance: np.random.Generator) -> Flags:
    tracked = np.ones((horizon, plan.campaigns), dtype=bool)
    if plan.outages:
        since = plan.warm_up + int(chance.integers(8, 45))
        tracked[since : since + int(chance.integers(2, 5))] = False
        for campaign in np.flatnonzero(chance.random(plan.campaigns) < 0.4):
            own = plan.warm_up + int(chance.integers(0, plan.days - 5))
            tracked[own : own + int(chance.integers(2, 6)), campaign] = False
    return tracked


def _stored(plan: Scenario, horizon: int, chance: np.random.Generator) -> Flags:
    stored: Flags = chance.random((horizon, plan.campaigns)) >= plan.gaps
    if plan.gaps:
        stored[chance.random(horizon) < plan.gaps / 2] = False
    return stored


def _bounded(free: World, chance: np.random.Generator) -> World:
    """The same with own floors and caps, two locked budgets, and a group of its own total."""
    count = free.order.size
    floors, caps = free.floors.copy(), free.caps.copy()
    kind = chance.permutation(count)
    floors[kind[:3]] = free.first_budgets[kind[:3]] * 8 // 10
    caps[kind[3:6]] = free.first_budgets[kind[3:6]] * 12 // 10
    locked = np.isin(np.arange(count), kind[6:8])
    members = set(kind[8:12].tolist())
    groups = tuple("brand" if place in members else None for place in range(count))
    own = int(free.first_budgets[sorted(members)].sum())
    return replace(
        free, floors=floors, caps=caps, locked=locked, groups=groups, group_totals={"brand": own}
    )


def _mean_one(chance: np.random.Generator, spread: float, shape: tuple[int, ...]) -> Floats:
    result: Floats = np.exp(chance.normal(0.0, spread, shape) - spread**2 / 2)
    return result
