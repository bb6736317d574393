"""The one interface of budget policies: an account's history in, a decision per campaign out."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Protocol

import polars as pl

from zyenta_ads_pipeline.domain.change import BudgetAction
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.optimizer.account import AMOUNT, AccountHistory

DECISIONS: Mapping[str, Any] = MappingProxyType(
    {
        "campaign_id": pl.String,
        "action": pl.String,
        "new_budget": AMOUNT,
        "reason": pl.String,
        "confidence": pl.Float64,
        "probability_up": pl.Float64,
        "log_marginal": pl.Float64,
        "curvature": pl.Float64,
    }
)
"""One row per campaign of the history. `action` is one of `BudgetAction`; `new_budget` is what the
campaign deserves, exact, major units, null to leave its budget, 0 with a pause; `confidence` is 0
to 1. The last three may be null. `probability_up` is the probability that more budget is right.
`log_marginal` and `curvature` are how the campaign competes for a total: the logarithm of what the
next unit of money returns at today's budget, and how fast that falls, -dlog(marginal)/dlog(spend),
above 0. A campaign without them competes by weight: its new budget, or today's."""


class Policy(Protocol):
    """Anything that decides on an account's campaigns. Pure: the same history gives the same
    answer, whatever the order of its rows."""

    @property
    def name(self) -> str:
        """The name under which decisions are recorded."""

    @property
    def shares_total(self) -> bool:
        """Whether it shares a total: without one set, the sum of today's active budgets."""

    def decide(self, account: AccountHistory) -> pl.DataFrame:
        """A decision on each campaign, with the columns of `DECISIONS` (missing ones are null)."""


def decided(policy: Policy, account: AccountHistory) -> pl.DataFrame:
    """The policy's decisions, checked, in the order of the campaigns' ids.

    Raises `InputError`, naming the policy, for an answer that cannot be acted on: a campaign left
    out or given twice, an unknown action, a budget that is negative, a number that is not finite.
    """
    given = policy.decide(account)
    missing = [name for name in DECISIONS if name not in given.columns]
    frame = given.with_columns(pl.lit(None).alias(name) for name in missing)
    try:
        frame = frame.select(pl.col(name).cast(kind) for name, kind in DECISIONS.items())
    except pl.exceptions.PolarsError as error:
        raise _unusable(policy, f"its columns cannot be read: {error}") from None
    frame = frame.sort("campaign_id")
    if not frame["campaign_id"].equals(account.campaigns["campaign_id"]):
        raise _unusable(policy, "it does not decide on each campaign once")
    actions = [each.value for each in BudgetAction]
    checks = {
        "an action is none of " + ", ".join(actions): ~pl.col("action").is_in(actions),
        "a new budget is negative": pl.col("new_budget") < 0,
        "a decision to change a budget says no new one": pl.col("new_budget").is_null()
        & pl.col("action").is_in([BudgetAction.INCREASE.value, BudgetAction.DECREASE.value]),
        "a reason is empty": pl.col("reason").fill_null("").str.strip_chars() == "",
        "a confidence is not between 0 and 1": ~pl.col("confidence").is_between(0, 1),
        "a probability is not between 0 and 1": ~pl.col("probability_up").is_between(0, 1),
        "a log_marginal is not finite": ~pl.col("log_marginal").is_finite(),
        "a curvature is not above 0": ~(
            pl.col("curvature").is_finite() & (pl.col("curvature") > 0)
        ),
        "a log_marginal comes without a curvature": pl.col("log_marginal").is_null()
        != pl.col("curvature").is_null(),
    }
    required = frame.filter(pl.any_horizontal(pl.col("action", "reason", "confidence").is_null()))
    if required.height:
        raise _unusable(policy, "an action, reason or confidence is missing")
    for what, wrong in checks.items():
        found = frame.filter(wrong.fill_null(value=False))
        if found.height:
            raise _unusable(policy, f"{what} (campaign {found['campaign_id'][0]})")
    return frame


def _unusable(policy: Policy, what: str) -> InputError:
    return InputError(
        f"The decisions of the policy {policy.name} cannot be used: {what}.",
        "docs/optimizer.md says what a policy has to answer.",
    )
