"""One campaign optimized now: what the policy says of it, and the changes that follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from uuid import uuid4

import polars as pl

from zyenta_ads_pipeline.campaigns.budgets import allocate_budgets, decide
from zyenta_ads_pipeline.campaigns.decision_log import log_decisions
from zyenta_ads_pipeline.campaigns.proposals import propose
from zyenta_ads_pipeline.campaigns.rules import AccountRules
from zyenta_ads_pipeline.domain.campaign import AdCampaign
from zyenta_ads_pipeline.domain.change import Autopilot, BudgetAction, ChangeState
from zyenta_ads_pipeline.domain.errors import InputError, NotDecidable
from zyenta_ads_pipeline.lake.lake import Snapshot
from zyenta_ads_pipeline.store.campaigns import Campaigns
from zyenta_ads_pipeline.store.outbox import Outbox
from zyenta_ads_pipeline.store.records import ChangeRecord


@dataclass(frozen=True)
class Optimized:
    """The policy's word on one campaign. `new_budget` is in major units, None to leave it;
    `changes` are what it led to in the outbox, `told` how that stands in words."""

    campaign_id: str
    account_id: str
    action: BudgetAction
    new_budget: Decimal | None
    reason: str
    confidence: Decimal
    changes: Sequence[ChangeRecord]
    told: str

    @property
    def approved(self) -> list[ChangeRecord]:
        """The changes that may be written now."""
        return [change for change in self.changes if change.state is ChangeState.APPROVED]


def optimize(
    snapshot: Snapshot,
    campaigns: Campaigns,
    outbox: Outbox,
    campaign: AdCampaign,
    rules: AccountRules,
    *,
    actor: str,
    now: datetime,
) -> Optimized:
    """Decide on one campaign by what the lake knows, log it, and offer the change to the outbox.

    The decision is the campaign's own; a total over the account's campaigns is not redistributed.
    Raises `NotDecidable` where its numbers are missing or too old, `InputError` for one that is not
    launched.
    """
    if campaign.platform_campaign_id is None:
        raise InputError(f"{campaign.name} is not launched, so it has no numbers.", "Launch it.")
    decided = decide(snapshot, campaign.account_id, rules, run_id=f"opt{uuid4().hex}", now=now)
    own = campaign.platform_campaign_id
    mine = decided.decisions.filter(pl.col("campaign_id") == own)
    if mine.is_empty():
        raise NotDecidable(
            f"The lake does not know {campaign.name} yet.", "Run `zyenta sync` or `zyenta run`."
        )
    row = mine.row(0, named=True)
    own_part = replace(decided, decisions=mine)
    allocation = allocate_budgets(own_part, snapshot, row["run_id"], alone=True)
    wanted = [
        change
        for change in propose(mine, allocation, snapshot)
        if change.old_value != change.new_value
    ]
    log_decisions(campaigns, mine)
    by_itself = rules.autopilot_of(own) is Autopilot.AUTO and campaign.auto_optimize
    approve = by_itself and not bool(allocation["needs_person"].any())
    taken = outbox.propose(wanted, actor=actor, now=now, approve=approve)
    waits = [f"Left as it is for now: {row['hold']}."] if row["hold"] else []
    told = " ".join(
        [
            *waits,
            *(f"Change {each.id} is {each.state.value}." for each in taken.inserted),
            *(f"{each.note}." for each in taken.refused),
        ]
    )
    return Optimized(
        campaign_id=campaign.id,
        account_id=campaign.account_id,
        action=BudgetAction(row["action"]),
        new_budget=row["new_budget"],
        reason=row["reason"],
        confidence=Decimal(str(row["confidence"])),
        changes=taken.inserted,
        told=told or "Nothing has to be changed.",
    )
