"""Days of invented campaigns whose curves are known, for tests of what is learned from them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from tests.optimizer.some_account import DAY
from zyenta_ads_pipeline.metrics.lag import assumed
from zyenta_ads_pipeline.optimizer.account import DAYS

Floats: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Made:
    """Campaigns that sell `sales` a day at `ref` (major units), with elasticity `e` there; (N,).
    Every other one is on a saturating curve, the rest on a power law."""

    ref: Floats
    sales: Floats
    e: Floats
    order: Floats
    spend: Floats
    """(T, N)"""
    days: pl.DataFrame

    @property
    def ids(self) -> list[str]:
        return [f"{1000 + place}" for place in range(self.ref.size)]

    def log_marginal(self, spend: Floats) -> Floats:
        """The truth: log of the revenue of the next unit of money."""
        there = np.where(_full(self.e), _half(self.e) / (_half(self.e) + spend / self.ref), self.e)
        sold = np.log(self.sales) + _log_growth(self.e, spend / self.ref)
        result: Floats = sold + np.log(there * self.order / spend)
        return result

    def price(self, spend: Floats, low: float = 5.0, widest: float = 3.0) -> float:
        """The truth: the log marginal at which the sum of `spend` would settle, each of it between
        `low` and `widest` times itself."""
        steps = np.linspace(0, 1, 400)[:, np.newaxis]
        ladder = low * (widest * spend / low) ** steps
        marginal = self.log_marginal(ladder)
        cheap, dear = float(marginal.min()), float(marginal.max())
        for _ in range(50):
            price = (cheap + dear) / 2
            place = np.count_nonzero(marginal > price, axis=0) - 1
            bought = ladder[np.maximum(place, 0), np.arange(spend.size)]
            cheap, dear = (price, dear) if bought.sum() > spend.sum() else (cheap, price)
        return dear


def _full(e: Floats) -> npt.NDArray[np.bool_]:
    result: npt.NDArray[np.bool_] = np.arange(e.size) % 2 == 0
    return result


def _half(e: Floats) -> Floats:
    return e / (1 - e)


def _log_growth(e: Floats, x: Floats) -> Floats:
    full = x * (1 + _half(e)) / (_half(e) + x)
    result: Floats = np.where(_full(e), np.log(full), e * np.log(x))
    return result


def made(
    count: int,
    days: int = 60,
    *,
    seed: int = 1,
    sales: float = 6.0,
    moves: float = 0.3,
    elasticity: tuple[float, float] = (0.4, 0.85),
    late: bool = True,
    weekday: tuple[float, ...] = (0.0,) * 7,
) -> Made:
    """`days` of `count` campaigns up to `DAY`; `sales` is the mean of a day's, `moves` the sd of
    the log spend's slow swings, `weekday` the log factors from Monday on."""
    chance = np.random.default_rng(seed)
    ref = np.exp(chance.normal(4.6, 0.5, count))
    order = np.exp(chance.normal(3.7, 0.3, count))
    e = chance.uniform(*elasticity, count)
    at_ref = sales * ref / 100 * np.exp(chance.normal(0, 0.4, count))
    swings = moves * np.sin(
        np.arange(days)[:, np.newaxis] / chance.uniform(3, 9, count) + chance.uniform(0, 6, count)
    )
    spend = np.round(ref * np.exp(swings), 2)
    dates = [DAY - timedelta(days=days - 1 - row) for row in range(days)]
    factor = np.array([weekday[each.weekday()] for each in dates])[:, np.newaxis]
    mean = at_ref * np.exp(_log_growth(e, spend / ref) + factor)
    shares = np.array([assumed(days - 1 - row) if late else 1.0 for row in range(days)])
    told = chance.binomial(chance.poisson(mean), shares[:, np.newaxis])
    revenue = np.round(told * order, 2)
    result = Made(ref, at_ref, e, order, spend, pl.DataFrame())
    frame = pl.DataFrame(
        {
            "campaign_id": np.repeat(result.ids, days),
            "date": dates * count,
            "impressions": np.full(days * count, 10_000),
            "clicks": np.full(days * count, 100),
            "spend": spend.T.ravel(),
            "conversions": told.T.ravel().astype(float),
            "revenue": revenue.T.ravel(),
            "maturity": np.tile(shares, count),
            "budget_minor": np.round(spend.T.ravel() * 100),
        }
    )
    cast = frame.select(pl.col(name).cast(kind) for name, kind in DAYS.items())
    return Made(ref, at_ref, e, order, spend, cast)
