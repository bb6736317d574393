"""The seeds' policy: steps in a campaign's budget by its own ROAS.

It looks at one campaign at a time; making the whole fit a total is the allocation's work.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact, InvalidOperation
from fractions import Fraction
from typing import ClassVar

import polars as pl

from zyenta_ads_pipeline.domain import money
from zyenta_ads_pipeline.domain.change import BudgetAction, Decision
from zyenta_ads_pipeline.domain.errors import SettingsError
from zyenta_ads_pipeline.optimizer.account import AccountHistory
from zyenta_ads_pipeline.optimizer.deciding import DECISIONS
from zyenta_ads_pipeline.optimizer.windows import window_sums

# Products and sums of money are exact in a hundred digits. A caller's own decimal context must
# not be able to move an amount across a threshold, so none of the arithmetic here uses it.
_EXACT = Context(prec=100, traps=[Inexact, InvalidOperation])


@dataclass(frozen=True)
class CampaignHistory:
    """One campaign over one window, as a policy sees it.

    `daily_budget`, `spend` and `revenue` are in major units of `currency`; the latter two and
    `conversions` are sums over the window. `daily_budget` is None when no daily budget can be
    set (a lifetime budget); where the ad sets hold the budgets it is their sum. `days_running`
    counts days since the campaign first spent.
    """

    account_id: str
    campaign_id: str
    currency: str
    daily_budget: Decimal | None
    spend: Decimal
    revenue: Decimal
    conversions: Decimal
    days_running: int
    active: bool

    def __post_init__(self) -> None:
        money.offset(self.currency)
        for name in ("daily_budget", "spend", "revenue", "conversions"):
            value: object = getattr(self, name)
            if value is None and name == "daily_budget":
                continue
            if not isinstance(value, Decimal):
                raise TypeError(f"{name} is a Decimal, not {type(value).__name__}")
            # Refunds and corrections can outweigh what the window itself sold.
            may_be_negative = name in ("revenue", "conversions")
            if not value.is_finite() or (value < 0 and not may_be_negative):
                raise ValueError(f"{name} of campaign {self.campaign_id} cannot be {value}")


@dataclass(frozen=True)
class RoasThresholds:
    """The seeds' policy: steps in the budget by the window's ROAS.

    Source: the seeds' `BudgetOptimizer.optimize`. `min_learning_spend` and `max_increase` are
    in major units of the account's currency: their defaults are meant for dollars and the
    like. ROAS is the window's revenue over the window's spend, compared by multiplication
    (`revenue >= k * spend`), so that no rounded quotient can cross a boundary.

    Two answers are not in the seeds: a campaign that is not active, and one without a daily
    budget, are left alone. The confidences are the seeds' fixed numbers, no probabilities.
    """

    name: ClassVar[str] = "roas_thresholds"
    shares_total: ClassVar[bool] = False

    roas_excellent: Decimal = Decimal("3.0")
    roas_good: Decimal = Decimal("2.0")
    roas_acceptable: Decimal = Decimal("1.0")
    roas_poor: Decimal = Decimal("0.5")

    increase_excellent: Decimal = Decimal("0.20")
    max_increase: Decimal = Decimal("100.0")
    increase_good: Decimal = Decimal("0.10")
    decrease: Decimal = Decimal("0.20")

    min_learning_spend: Decimal = Decimal("50.0")
    min_learning_days: int = 3

    confidence_learning: Decimal = Decimal("0.5")
    confidence_excellent: Decimal = Decimal("0.9")
    confidence_good: Decimal = Decimal("0.75")
    confidence_acceptable: Decimal = Decimal("0.7")
    confidence_poor: Decimal = Decimal("0.85")
    confidence_suboptimal: Decimal = Decimal("0.7")

    def __post_init__(self) -> None:
        limits = (self.roas_poor, self.roas_acceptable, self.roas_good, self.roas_excellent)
        if any(not k.is_finite() or k < 0 for k in limits) or sorted(limits) != list(limits):
            raise SettingsError(
                "The ROAS thresholds are not in order.",
                "Set 0 <= roas_poor <= roas_acceptable <= roas_good <= roas_excellent.",
            )
        # With at most two decimals a ROAS cut to two decimals never leaves its band, which is
        # what `_roas_in_words` relies on.
        if any((Fraction(k) * 100).denominator != 1 for k in limits):
            raise SettingsError(
                "A ROAS threshold has more than two decimals.", "Write it as in 2.75."
            )
        shares = (self.increase_excellent, self.increase_good, self.decrease)
        if any(not s.is_finite() or s < 0 for s in shares) or self.decrease >= 1:
            raise SettingsError(
                "A budget step of roas_thresholds cannot be used.",
                "Write steps as shares, as in 0.20 for 20 %; a decrease stays below 1.",
            )
        amounts = (self.max_increase, self.min_learning_spend)
        if any(not a.is_finite() or a < 0 for a in amounts) or self.min_learning_days < 0:
            raise SettingsError(
                "max_increase, min_learning_spend and min_learning_days cannot be negative.",
                "Write amounts in major units of the account's currency.",
            )
        confidences = (
            self.confidence_learning,
            self.confidence_excellent,
            self.confidence_good,
            self.confidence_acceptable,
            self.confidence_poor,
            self.confidence_suboptimal,
        )
        if any(not c.is_finite() or not 0 <= c <= 1 for c in confidences):
            raise SettingsError("A confidence is not between 0 and 1.", "Write it as in 0.75.")

    def decide(self, account: AccountHistory) -> pl.DataFrame:
        """`judge` on each campaign, by the sums of the account's window (columns of `DECISIONS`;
        the three on competing for a total are null)."""
        rows = []
        for row in window_sums(account).iter_rows(named=True):
            minor = row["current_minor"]
            campaign = CampaignHistory(
                account_id=account.account_id,
                campaign_id=row["campaign_id"],
                currency=account.currency,
                daily_budget=None if minor is None else money.to_major(minor, account.currency),
                spend=row["spend"],
                revenue=row["revenue"],
                conversions=row["conversions"],
                days_running=row["days_running"] or 0,
                active=bool(row["active"]),
            )
            judged = self.judge(campaign)
            rows.append(
                {
                    "campaign_id": campaign.campaign_id,
                    "action": judged.action.value,
                    "new_budget": judged.new_budget,
                    "reason": judged.reason,
                    "confidence": float(judged.confidence),
                }
            )
        return pl.DataFrame(rows, schema=DECISIONS)

    def judge(self, campaign: CampaignHistory) -> Decision:  # noqa: PLR0911 (one per band)
        """The seeds' answer for one campaign; `new_budget` is exact, in major units."""
        budget = campaign.daily_budget
        if not campaign.active:
            return self._leave("Campaign is not active - leaving its budget alone")
        if not budget:  # None, or a zero that no percentage can move
            return self._leave("Campaign has no daily budget to change - leaving it alone")
        # Without spend there is no ROAS, whatever the learning limit has been set to.
        if (
            campaign.spend == 0
            or campaign.spend < self.min_learning_spend
            or campaign.days_running < self.min_learning_days
        ):
            return self._leave("Campaign still in learning phase - need more data")

        if self._reaches(campaign, self.roas_excellent):
            increase = min(_EXACT.multiply(budget, self.increase_excellent), self.max_increase)
            return Decision(
                action=BudgetAction.INCREASE,
                new_budget=_EXACT.add(budget, increase),
                reason=f"Excellent ROAS of {_roas_in_words(campaign, None)} - "
                f"scaling budget by {money.show(increase, campaign.currency)}",
                confidence=self.confidence_excellent,
            )
        if self._reaches(campaign, self.roas_good):
            increase = _EXACT.multiply(budget, self.increase_good)
            return Decision(
                action=BudgetAction.INCREASE,
                new_budget=_EXACT.add(budget, increase),
                reason=f"Good ROAS of {_roas_in_words(campaign, self.roas_excellent)} - "
                f"gradual scaling by {money.show(increase, campaign.currency)}",
                confidence=self.confidence_good,
            )
        if self._reaches(campaign, self.roas_acceptable):
            return Decision(
                action=BudgetAction.MAINTAIN,
                new_budget=None,
                reason=f"Acceptable ROAS of {_roas_in_words(campaign, self.roas_good)} - "
                "maintaining current budget",
                confidence=self.confidence_acceptable,
            )
        if not self._reaches(campaign, self.roas_poor):
            return Decision(
                action=BudgetAction.PAUSE,
                new_budget=Decimal(0),
                reason=f"Poor ROAS of {_roas_in_words(campaign, self.roas_poor)} - "
                "pausing campaign to prevent losses",
                confidence=self.confidence_poor,
            )
        decrease = _EXACT.multiply(budget, self.decrease)
        return Decision(
            action=BudgetAction.DECREASE,
            new_budget=_EXACT.subtract(budget, decrease),
            reason=f"Suboptimal ROAS of {_roas_in_words(campaign, self.roas_acceptable)} - "
            f"reducing budget by {money.show(decrease, campaign.currency)}",
            confidence=self.confidence_suboptimal,
        )

    @staticmethod
    def _reaches(campaign: CampaignHistory, threshold: Decimal) -> bool:
        """Whether the exact ROAS is at least `threshold`."""
        return campaign.revenue >= _EXACT.multiply(threshold, campaign.spend)

    def _leave(self, reason: str) -> Decision:
        """No change, with the confidence the seeds give where the numbers say nothing."""
        return Decision(BudgetAction.MAINTAIN, None, reason, self.confidence_learning)


def _roas_in_words(campaign: CampaignHistory, below: Decimal | None) -> str:
    """The ROAS with two decimals, as `2.40x`; half to even, as the seeds print it.

    `below` is the threshold that the ROAS did not reach. Where rounding would print that very
    threshold (2.996 as "3.00x" under "Good"), the number is cut instead: 2.99x.
    """
    hundredths = Fraction(campaign.revenue) / Fraction(campaign.spend) * 100
    shown = round(hundredths)
    if below is not None and shown >= Fraction(below) * 100:
        shown = math.floor(hundredths)
    whole, rest = divmod(abs(shown), 100)
    return f"{'-' if shown < 0 else ''}{whole}.{rest:02d}x"
