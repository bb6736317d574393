"""The optimizer's decisions on campaigns of ours, in the log that each campaign keeps."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import polars as pl

from zyenta_ads_pipeline.domain.campaign import AdCampaign, OptimizationAction, OptimizationLog
from zyenta_ads_pipeline.domain.change import BudgetAction
from zyenta_ads_pipeline.domain.money import plain
from zyenta_ads_pipeline.store.campaigns import Campaigns

_ACTIONS = {
    BudgetAction.INCREASE: OptimizationAction.BUDGET_INCREASE,
    BudgetAction.DECREASE: OptimizationAction.BUDGET_DECREASE,
    BudgetAction.MAINTAIN: OptimizationAction.BUDGET_MAINTAIN,
    BudgetAction.PAUSE: OptimizationAction.CAMPAIGN_PAUSED,
}
_KNOWN = (
    "decision_id",
    "policy",
    "window_days",
    "spend",
    "purchases",
    "purchase_value",
    "roas",
    "days_running",
    "hold",
)


def log_decisions(campaigns: Campaigns, decisions: pl.DataFrame) -> int:
    """Log what was decided on campaigns of ours, rows of `budget_decisions`; gives how many rows.

    A decision is logged once, however often it is offered. Campaigns that are not ours are left
    out.
    """
    logged = 0
    for account_id in decisions["account_id"].unique(maintain_order=True):
        ours = {each.platform_campaign_id: each for each in campaigns.find(account_id=account_id)}
        mine = decisions.filter(pl.col("account_id") == account_id)
        for row in mine.iter_rows(named=True):
            campaign = ours.get(row["campaign_id"])
            if campaign is not None and not _logged(campaigns, campaign, row):
                campaigns.log(_entry(campaign, row))
                logged += 1
    return logged


def _logged(campaigns: Campaigns, campaign: AdCampaign, row: Mapping[str, Any]) -> bool:
    """Whether the decision is in the log. Logs are long: they are read only where it may be."""
    last = campaign.last_optimized_at
    if last is None or last < row["decided_at"]:
        return False
    return any(
        (entry.metrics or {}).get("decision_id") == row["decision_id"]
        for entry in campaigns.logs(campaign.id)
    )


def _entry(campaign: AdCampaign, row: Mapping[str, Any]) -> OptimizationLog:
    """What is held is logged as maintained: what was decided is not going to happen for now."""
    action, new, reason = BudgetAction(row["action"]), row["new_budget"], row["reason"]
    if row["hold"] and action is not BudgetAction.MAINTAIN:
        reason = f"{row['hold']}. Else to {action.value}: {reason}"
        action, new = BudgetAction.MAINTAIN, None
    return OptimizationLog(
        campaign_id=campaign.id,
        action=_ACTIONS[action],
        previous_value={"daily_budget": _text(row["current_budget"])},
        new_value={"daily_budget": _text(new)},
        reason=reason,
        confidence=Decimal(str(row["confidence"])),
        metrics={name: _text(row[name]) for name in _KNOWN},
        created_at=row["decided_at"],
    )


def _text(value: Any) -> str | None:
    if isinstance(value, Decimal):
        return plain(value)
    return None if value is None else str(value)
