"""What every write to an account has to pass, from its rules and what the lake knows of it."""

from __future__ import annotations

from zyenta_ads_pipeline.campaigns.account_objects import account_row
from zyenta_ads_pipeline.campaigns.rules import AccountBounds
from zyenta_ads_pipeline.lake.lake import Snapshot
from zyenta_ads_pipeline.optimizer.guardrails import Guardrails


def guardrails_of(
    snapshot: Snapshot, account_id: str, rules: AccountBounds, *, kill_switch: bool
) -> Guardrails | None:
    """The account's guardrails; None, which refuses all, for one that was never read."""
    account = account_row(snapshot, account_id)
    if account is None:
        return None
    return rules.guardrails(
        account["currency"], account["min_daily_budget"], kill_switch=kill_switch
    )
