"""Are decisions right, and as often as they say? Judged by the true best budgets.

Two kinds of accounts: one that stays badly split, where a policy judges and nothing is done, and
one that the policy itself has led for a while, where what is left to decide is close. A move is
right when the truly best budget lies on its side of today's. Two things are judged: the decision on
each campaign, and what the allocation then does with it. A change also has to do with the step and
the total: others cannot move as far as they should, so that the clairvoyant itself may raise today
what it will cut next week. Hence a second truth for changes: whether the clairvoyant, under the
same limits, moves the budget to the same side today.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks.market import Floats, Market, Whole, World
from benchmarks.oracle import budgets_of, optimum
from benchmarks.playing import play
from benchmarks.references import Hold
from zyenta_ads_pipeline.domain import money
from zyenta_ads_pipeline.optimizer.deciding import Policy
from zyenta_ads_pipeline.optimizer.planning import Plan, plan
from zyenta_ads_pipeline.optimizer.scoring import brier, calibration_error

SCENARIOS = ("plain", "noisy", "rich", "shock", "fatigue")
EVERY = 6
"""Days from one judgement to the next: neighbouring days would say the same again."""
_TUNED_AFTER = 14
_STEP = 0.2
_BANDS = (0.7, 0.8, 0.9, 0.97, 1.0001)


@dataclass
class Judged:
    """Moves (M,) and all stated probabilities (P,) that more is right, with what is true."""

    stated: list[float] = field(default_factory=list)
    right: list[bool] = field(default_factory=list)
    alike: list[bool] = field(default_factory=list)
    looked_at: int = 0
    probability_up: list[float] = field(default_factory=list)
    up: list[bool] = field(default_factory=list)

    def add(self, other: Judged) -> None:
        """Put another one's behind."""
        self.stated += other.stated
        self.right += other.right
        self.alike += other.alike
        self.looked_at += other.looked_at
        self.probability_up += other.probability_up
        self.up += other.up


@dataclass(frozen=True)
class Quality:
    """What moves were worth: shares of 1, nan without a move."""

    moves: float
    right: float
    alike: float
    """The share of changes to the same side as the clairvoyant's."""
    calibration: float
    brier: float
    bands: tuple[tuple[float, float, int], ...]
    """Per band of stated confidence: its mean, the share that was right, how many."""
    calibration_up: float
    """The calibration error of `probability_up` over all campaigns, moved or not."""
    count: int


def quality(judged: Judged) -> Quality:
    """The scores of what was judged."""
    stated = np.array(judged.stated)
    right = np.array(judged.right, dtype=np.float64)
    bands = []
    for low, high in itertools.pairwise(_BANDS):
        inside = (stated >= low) & (stated < high)
        if inside.any():
            bands.append(
                (float(stated[inside].mean()), float(right[inside].mean()), int(inside.sum()))
            )
    return Quality(
        moves=stated.size / max(judged.looked_at, 1),
        right=_mean(judged.right),
        alike=_mean(judged.alike),
        calibration=calibration_error(stated, right),
        brier=brier(stated, right),
        bands=tuple(bands),
        calibration_up=calibration_error(
            np.array(judged.probability_up), np.array(judged.up, dtype=np.float64)
        ),
        count=judged.looked_at,
    )


def judge(world: World, policy: Policy, *, tuned: bool) -> dict[str, Judged]:
    """What the policy decides in one account, by "decisions" and "changes".

    `tuned`: it leads the account; else the account stays as it was.
    """
    found = {"decisions": Judged(), "changes": Judged()}
    since = world.warm_up + (_TUNED_AFTER if tuned else 1)

    def watch(market: Market, planned: Plan) -> None:
        if market.day < since or (market.day - since) % EVERY:
            return
        answer = planned if tuned else plan(market.history(), policy)
        best = optimum(market) * money.offset(world.currency)
        step = budgets_of(market, step=_STEP, margin=None)
        for name, each in _looked(market, answer, best, step):
            found[name].add(each)

    play(world, policy if tuned else Hold(), watch=watch)
    return found


def _looked(
    market: Market, planned: Plan, best: Floats, step: Whole
) -> Iterator[tuple[str, Judged]]:
    places = {own: place for place, own in enumerate(market.world.ids)}
    budgets, running = market.budgets, market.running
    decisions = Judged()
    columns = ("campaign_id", "action", "confidence", "probability_up")
    for own, action, confidence, probability in planned.decisions.select(columns).iter_rows():
        i = places[own]
        if not running[i]:
            continue
        up = bool(best[i] > budgets[i])
        decisions.looked_at += 1
        if probability is not None:
            decisions.probability_up.append(probability)
            decisions.up.append(up)
        if action != "maintain":
            decisions.stated.append(confidence)
            decisions.right.append(up == (action == "increase"))
    yield "decisions", decisions
    changes = Judged()
    columns = ("campaign_id", "action", "confidence", "budget_minor")
    for own, action, confidence, budget in planned.allocation.rows.select(columns).iter_rows():
        i = places[own]
        if not running[i]:
            continue
        changes.looked_at += 1
        if action in ("set", "pause"):
            changes.stated.append(confidence)
            changes.right.append(bool(best[i] > budgets[i]) == (budget > budgets[i]))
            changes.alike.append(bool(step[i] > budgets[i]) == (budget > budgets[i]))
    yield "changes", changes


def together(parts: Sequence[dict[str, Judged]]) -> dict[str, Quality]:
    """The scores of several accounts' judgements as one."""
    whole = {"decisions": Judged(), "changes": Judged()}
    for part in parts:
        for name, each in part.items():
            whole[name].add(each)
    return {name: quality(each) for name, each in whole.items()}


def _mean(flags: Sequence[bool]) -> float:
    return sum(flags) / len(flags) if flags else float("nan")
