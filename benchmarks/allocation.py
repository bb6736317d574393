"""The allocation: the price search against a general solver, and a whole allocation."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from scipy.optimize import minimize  # type: ignore[import-untyped]

from benchmarks.measure import Comparison, Section, compare
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.optimizer.account import CAMPAIGNS, DAYS, AccountHistory, Limits
from zyenta_ads_pipeline.optimizer.allocation import Allocation, allocate
from zyenta_ads_pipeline.optimizer.bounds import bounds_of
from zyenta_ads_pipeline.optimizer.deciding import DECISIONS
from zyenta_ads_pipeline.optimizer.price import Floats, Whole, price_budgets

_CAMPAIGNS = 100_000
_SIZES = (10, 100, 300)
_AGREES = 1e-6
_TOLERANCE = 1e-12
_TURNS = 50
_STEP = Decimal("0.20")


@dataclass(frozen=True)
class Problem:
    """Campaigns that compete for the sum of today's budgets, arrays (N,); minor units.

    The next unit returns exp(`log_marginal`) at today's budget and falls with `curvature`.
    """

    budget: Whole
    log_marginal: Floats
    curvature: Floats
    low: Whole
    high: Whole

    @classmethod
    def of(cls, size: int, seed: int = 7) -> Problem:
        """Power curves of elasticity .4 to .85, each budget within a step of 20 %."""
        rng = np.random.default_rng(seed)
        budget = rng.integers(1_000, 50_000, size)
        return cls(
            budget,
            rng.normal(0.7, 0.4, size),
            1 - rng.uniform(0.4, 0.85, size),
            np.ceil(budget * 0.8).astype(np.int64),
            np.floor(budget * 1.2).astype(np.int64),
        )

    @property
    def total(self) -> int:
        """The sum of today's budgets."""
        return int(self.budget.sum())

    def ours(self) -> Whole:
        """The product's answer, whole minor units."""
        return price_budgets(
            self.budget.astype(np.float64),
            self.log_marginal,
            self.curvature,
            self.low,
            self.high,
            self.total,
        ).amounts

    def returned(self, amounts: Floats | Whole) -> float:
        """What budgets return, per unit of the total."""
        left = 1 - self.curvature
        each = np.exp(self.log_marginal) * self.budget * (amounts / self.budget) ** left / left
        return float(each.sum() / self.total)

    def general(self) -> Any:
        """What `scipy` SLSQP answers, with exact gradients, started from today's budgets."""
        share = self.budget / self.total

        def slope(times: Floats) -> Floats:
            gradient: Floats = -np.exp(self.log_marginal) * times**-self.curvature * share
            return gradient

        return minimize(
            lambda times: -self.returned(times * self.budget),
            np.ones(self.budget.size),
            jac=slope,
            method="SLSQP",
            bounds=list(zip(self.low / self.budget, self.high / self.budget, strict=True)),
            constraints={
                "type": "eq",
                "fun": lambda times: (times * share).sum() - 1,
                "jac": lambda _times: share,
            },
            options={"ftol": _TOLERANCE, "maxiter": 1000},
        )


def solvers() -> Section:
    """Ours against the solver that most budget allocators use, on the same problems."""
    lines = []
    for size in _SIZES:
        problem = Problem.of(size)
        start = time.process_time()
        solved = problem.general()
        theirs_took = time.process_time() - start
        ours, theirs = problem.returned(problem.ours()), -float(solved.fun)
        if solved.success and ours < theirs - _AGREES * abs(theirs):
            raise InputError("Ours returns less than scipy's.", "The price search has a fault.")
        mine = _fastest(problem.ours)
        lines.append(
            [
                f"{size}",
                f"{mine * 1000:.2f} ms",
                f"{theirs_took * 1000:,.0f} ms" + ("" if solved.success else ", not converged"),
                f"**{theirs_took / mine:,.0f}**",
                f"{(ours - theirs) / abs(theirs):+.0e}",
            ]
        )
    return Section(
        "Allocation by price, against a general solver",
        """\
The same concave problem, 20 % either way of today's budgets: ours, exact to the minor unit, against
`scipy.optimize` SLSQP in floats, with exact gradients and a tolerance of 1e-12. **Ratio**: its CPU
time over ours, the fastest of many turns of ours and one of SLSQP's. The last column is how much
more (+) or less (-) ours returns, as a share: whole minor units cost what is left of it.""",
        ["campaigns", "ours", "SLSQP", "ratio", "ours returns"],
        lines,
    )


def measure(_folder: Path) -> Iterator[Comparison]:
    """One total over `_CAMPAIGNS` campaigns: numbers only, and with every reason in words."""
    problem = Problem.of(_CAMPAIGNS)
    account = _account(problem)
    decisions = _decisions(problem)
    ceiling = np.full(_CAMPAIGNS, problem.total, dtype=np.int64)
    free = np.zeros(_CAMPAIGNS, dtype=np.bool_)
    anchor = problem.budget.astype(np.float64)

    def numbers() -> Whole:
        bounds = bounds_of(account.campaigns, account, ceiling, free)
        found = price_budgets(
            anchor,
            problem.log_marginal,
            problem.curvature,
            bounds.low,
            bounds.high,
            problem.total,
        )
        return found.amounts

    def whole() -> Allocation:
        return allocate(account, decisions, shares_total=True)

    if numbers().sum() != problem.total or whole().distributed != problem.total:
        raise InputError("The total is not kept.", "The price search has a fault.")
    keys = np.random.default_rng(7).random(_CAMPAIGNS)
    for what, ours in (
        (f"allocate a total to {_CAMPAIGNS:,} campaigns, exact to the minor unit", numbers),
        ("the same with goals, groups, holds and dead band, each with its reason", whole),
    ):
        yield compare(
            what,
            "numpy sorts as many floats",
            ours,
            lambda: np.sort(keys),
            clock="CPU",
            units=_CAMPAIGNS,
        )


def _account(problem: Problem) -> AccountHistory:
    known = pl.DataFrame(
        {
            "campaign_id": [f"{number:06d}" for number in range(problem.budget.size)],
            "current_minor": problem.budget,
        }
    ).with_columns(active=pl.lit(value=True), locked=pl.lit(value=False), days_running=pl.lit(30))
    unknown = [pl.lit(None).alias(name) for name in CAMPAIGNS if name not in known.columns]
    return AccountHistory(
        account_id="1",
        currency="USD",
        day=date(2026, 9, 30),
        campaigns=known.with_columns(unknown),
        days=pl.DataFrame(schema=dict(DAYS)),
        limits=Limits(total_minor=problem.total, floor_minor=500, max_step=_STEP),
    )


def _decisions(problem: Problem) -> pl.DataFrame:
    size = problem.budget.size
    columns: dict[str, Any] = {
        "campaign_id": [f"{number:06d}" for number in range(size)],
        "action": ["maintain"] * size,
        "new_budget": [None] * size,
        "reason": ["Because"] * size,
        "confidence": [0.5] * size,
        "probability_up": [0.5] * size,
        "log_marginal": problem.log_marginal,
        "curvature": problem.curvature,
    }
    return pl.DataFrame(columns, schema=dict(DECISIONS))


def _fastest(work: Callable[[], object]) -> float:
    """CPU seconds of the fastest of several turns."""
    taken = []
    for _ in range(_TURNS):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return min(taken)
