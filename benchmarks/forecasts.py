"""Forecasts of revenue on markets whose future is known, beside the seeds' rule of thumb.

An account is led for weeks by somebody who tries things; then each campaign's budget is set to half
to three times what it was, and seven days pass. A forecast made that morning is held against what
came: an interval against the revenue that was made, luck and all; its mean against the revenue that
was to be expected, as only the market knows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import polars as pl

from benchmarks.market import FIRST_DAY, Floats, Market
from benchmarks.measure import Section
from benchmarks.scenarios import world
from zyenta_ads_pipeline.domain import money
from zyenta_ads_pipeline.optimizer.fitting import fit_curves
from zyenta_ads_pipeline.optimizer.forecast import forecast

SCENARIOS = ("plain", "small", "noisy", "rich", "fatigue", "slow", "flat", "full", "month")
FACTORS = (0.5, 0.75, 1.0, 1.5, 2.0, 3.0)
AHEAD = 7
_MORNINGS = (21, 35, 49, 63)
_RESTLESS = 0.10
_BACK = 0.1

ROWS = {
    "scenario": pl.String, "seed": pl.Int64, "day": pl.Int64, "factor": pl.Float64,
    "made": pl.Float64, "expected": pl.Float64, "sold": pl.Float64, "rule": pl.Float64,
}  # fmt: skip


@dataclass(frozen=True)
class Score:
    """How well forecasts held. `error` is the median of |forecast / expected - 1|."""

    forecasts: int
    cover80: float
    cover95: float
    bias: float
    error: float
    width: float
    """Median width of the 80 % interval over the mean."""
    rule_cover: float
    """Of the rule of thumb with 20 % either way."""
    rule_bias: float
    rule_error: float


def made(names: Sequence[str], seeds: Sequence[int]) -> pl.DataFrame:
    """All forecasts beside what came: the columns of `ROWS` and those of `forecast`."""
    return pl.concat([_of_market(name, seed) for name in names for seed in seeds])


def score(rows: pl.DataFrame) -> Score:
    """Of any of these rows."""
    made_of = pl.col("made")

    def share(low: str, high: str) -> pl.Expr:
        return made_of.is_between(pl.col(low), pl.col(high)).mean()

    of_mean = pl.col("value") / pl.col("expected") - 1
    of_rule = pl.col("rule") / pl.col("expected") - 1
    found = rows.select(
        pl.len(),
        share("value_low", "value_high").alias("cover80"),
        share("value_low95", "value_high95").alias("cover95"),
        of_mean.median().alias("bias"),
        of_mean.abs().median().alias("error"),
        ((pl.col("value_high") - pl.col("value_low")) / pl.col("value")).median().alias("width"),
        made_of.is_between(0.8 * pl.col("rule"), 1.2 * pl.col("rule")).mean().alias("rule_cover"),
        of_rule.median().alias("rule_bias"),
        of_rule.abs().median().alias("rule_error"),
    )
    return Score(*found.row(0))


def _of_market(name: str, seed: int) -> pl.DataFrame:
    market = Market(world(name, seed))
    chance = np.random.default_rng([seed, 11])
    frames = []
    for morning in _MORNINGS:
        if morning + AHEAD > market.world.warm_up + market.world.days:
            break
        while market.day < morning:
            _tried(market, chance)
        frames += _forecasts(market, name, seed)
    return pl.concat(frames)


def _tried(market: Market, chance: np.random.Generator) -> None:
    """A day after small changes of all budgets, which wander around the first ones."""
    drawn = np.log(market.world.first_budgets / market.budgets)
    step = np.clip(chance.normal(_BACK * drawn, _RESTLESS), -0.17, 0.17)
    new = np.maximum(np.rint(market.budgets * np.exp(step)), market.world.floor_minor)
    market.change(new.astype(np.int64), np.zeros(new.size, dtype=bool))
    market.deliver()


def _forecasts(market: Market, name: str, seed: int) -> list[pl.DataFrame]:
    account = market.history()
    curves = fit_curves(account.days, account.day)
    since = FIRST_DAY + timedelta(days=market.day)
    offset = money.offset(market.world.currency)
    place = {own: number for number, own in enumerate(market.world.ids)}
    known = [place[own] for own in curves.ids]
    now = market.budgets[known] / offset
    running = market.running[known]
    week = account.days.filter(pl.col("date") > account.day - timedelta(days=AHEAD))
    reported = dict(week.group_by("campaign_id").agg(pl.col("revenue").sum()).iter_rows())
    seen = np.asarray([float(reported.get(own, 0)) for own in curves.ids])
    frames = []
    for factor in FACTORS:
        twin = market.copy()
        budgets = market.budgets.copy()
        budgets[known] = np.rint(market.budgets[known] * factor)
        twin.change(budgets, np.zeros(budgets.size, dtype=bool))
        for _ in range(AHEAD):
            twin.deliver()
        ahead = slice(market.day, market.day + AHEAD)
        came = twin.value[ahead].sum(axis=(0, 1))[known]
        rows = forecast(curves, now * factor, days=AHEAD, since=since, current=now)
        told = pl.DataFrame(
            {
                "scenario": name,
                "seed": seed,
                "day": market.day,
                "factor": factor,
                "made": came,
                "expected": twin.expected[ahead].sum(axis=0)[known],
                "sold": twin.orders[ahead].sum(axis=(0, 1))[known].astype(np.float64),
                "rule": _rule_of_thumb(seen, factor),
            },
            schema=ROWS,
        )
        frames.append(pl.concat([told, rows], how="horizontal").filter(pl.Series(running)))
    return frames


def _rule_of_thumb(seen: Floats, factor: float) -> Floats:
    """The seeds': linear to twice the budget, half as much beyond, at 0.9 of the ROAS reported."""
    grown = min(factor, 2.0) + max(factor - 2.0, 0.0) / 2
    return 0.9 * grown * seen


def section(seeds: Sequence[int] = tuple(range(1, 6))) -> Section:
    """The table of all scenarios and of all budgets."""
    rows = made(SCENARIOS, seeds)
    parts = [("all", rows)]
    parts += [(str(name), part) for (name,), part in rows.group_by("scenario", maintain_order=True)]
    parts += [
        (f"{factor}x the budget", part)
        for (factor,), part in rows.group_by("factor", maintain_order=True)
    ]
    return Section(
        f"Forecasts of {AHEAD} days",
        "Revenue at half to three times the budget. Cover: how often what came lay inside. Error: "
        "median of the mean's distance from what was to be expected. The rule of thumb (linear to "
        "twice the budget, 0.9 of last week's reported ROAS, 20 % either way) is the seeds'.",
        ("", "forecasts", "80 % cover", "95 % cover", "bias", "error", "80 % width",
         "rule: cover", "rule: bias", "rule: error"),
        [_told(name, score(part)) for name, part in parts],
    )  # fmt: skip


def _told(name: str, found: Score) -> tuple[str, ...]:
    return (
        name,
        f"{found.forecasts:,}",
        f"{found.cover80:.3f}",
        f"{found.cover95:.3f}",
        f"{found.bias:+.3f}",
        f"{found.error:.3f}",
        f"{found.width:.2f}",
        f"{found.rule_cover:.3f}",
        f"{found.rule_bias:+.3f}",
        f"{found.rule_error:.3f}",
    )
