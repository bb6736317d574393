"""Two plain ways to share a total, to compare others with: evenly, and by ROAS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from typing import Any, ClassVar

import polars as pl

from zyenta_ads_pipeline.domain import money
from zyenta_ads_pipeline.domain.change import BudgetAction
from zyenta_ads_pipeline.domain.errors import SettingsError
from zyenta_ads_pipeline.optimizer.account import AccountHistory
from zyenta_ads_pipeline.optimizer.deciding import DECISIONS
from zyenta_ads_pipeline.optimizer.windows import window_sums

_CONFIDENCE = 0.5
"""Neither of the two measures how sure it is: a fixed number, no probability."""
_WIDE = Context(prec=60, rounding=ROUND_HALF_EVEN)
_LEAST_DIGIT = Decimal("1e-12")
_LOCKED = "A person locked its budget"
_NOT_ACTIVE = "Campaign is not active - leaving its budget alone"
_NO_BUDGET = "Campaign has no daily budget to change - leaving it alone"


@dataclass(frozen=True)
class Equal:
    """Every campaign gets the same of its total."""

    name: ClassVar[str] = "equal"
    shares_total: ClassVar[bool] = True

    def decide(self, account: AccountHistory) -> pl.DataFrame:
        """Equal shares (columns of `DECISIONS`)."""
        rows = list(account.campaigns.iter_rows(named=True))
        weights = {row["campaign_id"]: Fraction(1) for row in rows}
        reasons = dict.fromkeys(weights, "An equal share")
        return _decisions(account, rows, weights, reasons)


@dataclass(frozen=True)
class RoasProportional:
    """The seeds' allocation: every campaign gets of its total in proportion to its ROAS.

    Source: the seeds' `BudgetOptimizer.allocate_budget_across_campaigns`. The weight is the
    window's revenue over its spend, at least `least_weight`, and `weight_without_roas` where
    nothing was spent.
    """

    name: ClassVar[str] = "roas_proportional"
    shares_total: ClassVar[bool] = True

    weight_without_roas: Decimal = Decimal("1.0")
    least_weight: Decimal = Decimal("0.1")

    def __post_init__(self) -> None:
        if any(not w.is_finite() or w <= 0 for w in (self.weight_without_roas, self.least_weight)):
            raise SettingsError(
                "A weight of roas_proportional cannot be used.", "Write it above 0, as in 0.1."
            )

    def decide(self, account: AccountHistory) -> pl.DataFrame:
        """Shares by the ROAS that is reported so far (columns of `DECISIONS`)."""
        rows = list(window_sums(account).iter_rows(named=True))
        weights, reasons = {}, {}
        for row in rows:
            weight, words = self._weigh(row["spend"], row["revenue"])
            weights[row["campaign_id"]], reasons[row["campaign_id"]] = weight, words
        return _decisions(account, rows, weights, reasons)

    def _weigh(self, spend: Decimal, revenue: Decimal) -> tuple[Fraction, str]:
        if not spend:
            return (
                Fraction(self.weight_without_roas),
                f"No ROAS yet: a share as for {self.weight_without_roas:.2f}x",
            )
        roas = Fraction(revenue) / Fraction(spend)
        least = Fraction(self.least_weight)
        if roas < least:
            return least, f"The least share: ROAS of {float(roas):.2f}x"
        return roas, f"A share by its ROAS of {float(roas):.2f}x"


def _decisions(
    account: AccountHistory,
    rows: list[dict[str, Any]],
    weights: Mapping[str, Fraction],
    reasons: Mapping[str, str],
) -> pl.DataFrame:
    """The totals shared by weight over the campaigns that take part, the others left alone."""
    left = {row["campaign_id"]: _left_alone(row) for row in rows}
    part = [row for row in rows if not left[row["campaign_id"]]]
    totals = _totals(account, rows)
    sums: dict[str | None, Fraction] = {}
    for row in part:
        pool = _pool(account, row)
        sums[pool] = sums.get(pool, Fraction(0)) + weights[row["campaign_id"]]
    answers = []
    for row in rows:
        own, action, budget = row["campaign_id"], BudgetAction.MAINTAIN, None
        reason = left[own]
        if not reason:
            pool = _pool(account, row)
            minor = weights[own] / sums[pool] * totals[pool]
            budget = _major(minor / account.offset)
            action = _towards(row["current_minor"], minor)
            share = money.show(budget, account.currency)
            reason = f"{reasons[own]}: {share} of {_show(account, totals[pool])} a day"
        answers.append(
            {
                "campaign_id": own,
                "action": action.value,
                "new_budget": budget,
                "reason": reason,
                "confidence": _CONFIDENCE,
            }
        )
    return pl.DataFrame(answers, schema=DECISIONS)


def _left_alone(row: Mapping[str, Any]) -> str:
    """Why the campaign takes no share; empty if it does."""
    if not row["active"]:
        return _NOT_ACTIVE
    if not row["current_minor"]:
        return _NO_BUDGET
    return _LOCKED if row["locked"] else ""


def _totals(account: AccountHistory, rows: list[dict[str, Any]]) -> dict[str | None, int]:
    """What each pool has to share, in minor units; the account's own pool is None.

    A locked campaign keeps its budget, so its pool has that much less.
    """
    running = [row for row in rows if row["active"] and row["current_minor"]]
    totals: dict[str | None, int] = {}
    totals.update(account.limits.group_totals)
    whole = account.limits.total_minor
    if whole is None:
        own = (row["current_minor"] for row in running if _pool(account, row) is None)
        totals[None] = sum(own)
    else:
        totals[None] = whole - sum(totals.values())
    for row in running:
        if row["locked"]:
            totals[_pool(account, row)] -= row["current_minor"]
    return {pool: max(total, 0) for pool, total in totals.items()}


def _pool(account: AccountHistory, row: Mapping[str, Any]) -> str | None:
    return row["group"] if row["group"] in account.limits.group_totals else None


def _towards(current: int, minor: Fraction) -> BudgetAction:
    if minor == current:
        return BudgetAction.MAINTAIN
    return BudgetAction.INCREASE if minor > current else BudgetAction.DECREASE


def _major(amount: Fraction) -> Decimal:
    exact = _WIDE.divide(Decimal(amount.numerator), Decimal(amount.denominator))
    return exact.quantize(_LEAST_DIGIT, context=_WIDE)


def _show(account: AccountHistory, minor: int) -> str:
    return money.show(money.to_major(minor, account.currency), account.currency)
