"""The one way everything decides: the product, the backtest and the benchmark."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from zyenta_ads_pipeline.optimizer.account import AccountHistory
from zyenta_ads_pipeline.optimizer.allocation import Allocation, allocate
from zyenta_ads_pipeline.optimizer.deciding import Policy, decided
from zyenta_ads_pipeline.optimizer.holds import holds


@dataclass(frozen=True)
class Plan:
    """What was decided on each campaign, what holds it for now, and the budgets that fit."""

    decisions: pl.DataFrame
    holds: pl.DataFrame
    allocation: Allocation


def plan(account: AccountHistory, policy: Policy) -> Plan:
    """Decide on an account's campaigns as a whole.

    Pure: the same history gives the same plan, whatever the order of its rows. Raises `InputError`
    for a policy's answer that cannot be acted on, and for limits that contradict themselves.
    """
    decisions = decided(policy, account)
    held = holds(account, decisions)
    allocation = allocate(account, decisions, shares_total=policy.shares_total, holds=held)
    return Plan(decisions, held, allocation)
