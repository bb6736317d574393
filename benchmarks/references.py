"""Policies to compare with that the product does not offer: simple ones, and popular ones.

Each answers as any policy of the product does, so that it goes the same way through holds and
allocation.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

import numpy as np
import polars as pl

from benchmarks.market import Floats
from zyenta_ads_pipeline.optimizer.account import AccountHistory
from zyenta_ads_pipeline.optimizer.deciding import DECISIONS
from zyenta_ads_pipeline.optimizer.windows import window_sums

_DRAWS = 2000


@dataclass(frozen=True)
class Hold:
    """Leave everything as it is; a total that changes is shared as it was."""

    name: ClassVar[str] = "hold"
    shares_total: ClassVar[bool] = True

    def decide(self, account: AccountHistory) -> pl.DataFrame:
        """Maintain, all of them."""
        return _answers(account, "maintain", "Left as it is", {})


@dataclass(frozen=True)
class FixedElasticity:
    """ROAS, corrected for lag, times one elasticity for everybody is the marginal return."""

    name: ClassVar[str] = "fixed_elasticity"
    shares_total: ClassVar[bool] = True

    elasticity: float = 0.6
    half_life: float = 5.0
    prior_spend_days: float = 2.0

    def decide(self, account: AccountHistory) -> pl.DataFrame:
        """Increase where the marginal return is above the mean one, decrease elsewhere."""
        age = (pl.lit(account.day) - pl.col("date")).dt.total_days().cast(pl.Float64)
        faded = 0.5 ** (age / self.half_life)
        spend = pl.col("spend").cast(pl.Float64) * faded
        sums = account.days.group_by("campaign_id").agg(
            (spend * pl.col("maturity")).sum().alias("told"),
            (pl.col("revenue").cast(pl.Float64) * faded).sum().alias("earned"),
        )
        rows = account.campaigns.join(sums, on="campaign_id", how="left").sort("campaign_id")
        told = rows["told"].fill_null(0.0).to_numpy()
        earned = rows["earned"].fill_null(0.0).to_numpy()
        fleet = max(earned.sum(), 1e-9) / max(told.sum(), 1e-9)
        prior = rows["current_minor"].fill_null(0).to_numpy() / account.offset
        prior = self.prior_spend_days * np.maximum(prior, 1e-6)
        roas = np.maximum(earned + fleet * prior, 1e-6) / (told + prior)
        return _answers(
            account,
            "maintain",
            "Its marginal return at one elasticity for all",
            {
                "log_marginal": np.log(self.elasticity * roas),
                "curvature": np.full(roas.size, 1 - self.elasticity),
            },
        )


@dataclass(frozen=True)
class ThompsonRoas:
    """Thompson sampling: everybody's share is in proportion to a draw of its ROAS."""

    name: ClassVar[str] = "thompson_roas"
    shares_total: ClassVar[bool] = True

    seed: int = 1

    def decide(self, account: AccountHistory) -> pl.DataFrame:
        """Shares by one draw a day."""
        return _shared(account, self.name, _drawn(account, self.seed, 1)[0])


@dataclass(frozen=True)
class ThompsonBest:
    """Thompson sampling: everybody's share is the probability that its ROAS is the best."""

    name: ClassVar[str] = "thompson_best"
    shares_total: ClassVar[bool] = True

    seed: int = 1

    def decide(self, account: AccountHistory) -> pl.DataFrame:
        """Shares by how often each is the best of many draws."""
        draws = _drawn(account, self.seed, _DRAWS)
        best = np.bincount(draws.argmax(axis=1), minlength=draws.shape[1])
        return _shared(account, self.name, best / _DRAWS)


def _drawn(account: AccountHistory, seed: int, draws: int) -> Floats:
    """(draws, N) ROAS from a gamma posterior of each campaign's window."""
    rows = window_sums(account)
    spend, orders, revenue = (
        rows[name].cast(pl.Float64).to_numpy() for name in ("spend", "conversions", "revenue")
    )
    value = max(revenue.sum(), 1e-9) / max(orders.sum(), 1.0)
    own = np.where(orders > 0, revenue / np.maximum(orders, 1.0), value)
    chance = np.random.default_rng([seed, account.day.toordinal()])
    rate = max(orders.sum(), 1.0) / max(spend.sum(), 1e-9)
    counts = chance.gamma(np.maximum(orders, 0) + 1.0, 1.0, (draws, spend.size))
    result: Floats = counts / (spend + 1.0 / rate) * own
    return np.where(account.campaigns["active"].to_numpy(), result, 0.0)


def _shared(account: AccountHistory, name: str, weights: Floats) -> pl.DataFrame:
    limits, campaigns = account.limits, account.campaigns
    now = campaigns["current_minor"].fill_null(0).to_numpy()
    total = limits.total_minor or int(now[campaigns["active"].to_numpy()].sum())
    minor = np.maximum(np.rint(weights / max(weights.sum(), 1e-12) * total), 1.0)
    action = np.where(minor > now, "increase", np.where(minor < now, "decrease", "maintain"))
    budgets = [Decimal(int(each)) / account.offset for each in minor]
    return _answers(account, action.tolist(), f"Its share by {name}", {"new_budget": budgets})


def _answers(
    account: AccountHistory,
    action: str | list[str],
    reason: str,
    columns: dict[str, list[Decimal] | Floats],
) -> pl.DataFrame:
    ids = account.campaigns["campaign_id"]
    return pl.DataFrame(
        {
            "campaign_id": ids,
            "action": [action] * ids.len() if isinstance(action, str) else action,
            "reason": [reason] * ids.len(),
            "confidence": [0.5] * ids.len(),
            **columns,
        },
        schema_overrides={"new_budget": DECISIONS["new_budget"]} if "new_budget" in columns else {},
    )
