"""What to do with the budgets, and why. Unpartitioned and append-only, keyed by decision: a
backfill of old days can never decide the past again."""

import dagster as dg
import polars as pl

from zyenta_ads_pipeline.assets.description import (
    ALLOCATION,
    DELIVERY,
    OPTIMIZER,
    OWNERS,
    described,
    preview,
    written,
)
from zyenta_ads_pipeline.campaigns.budgets import (
    allocate_budgets,
    decide,
    latest_allocation,
    latest_decisions,
)
from zyenta_ads_pipeline.campaigns.proposals import propose_changes
from zyenta_ads_pipeline.connections import budget_limits
from zyenta_ads_pipeline.lake.lake import Lake, Scope, WriteResult
from zyenta_ads_pipeline.lake.tables import (
    BUDGET_ALLOCATION,
    BUDGET_DECISIONS,
    CHANGE_SET,
    Table,
)
from zyenta_ads_pipeline.optimizer.policies import policy
from zyenta_ads_pipeline.resources import Accounts, LakeResource, StoreResource
from zyenta_ads_pipeline.settings import load_settings

_LAST_DAY = dg.LastPartitionMapping()


@dg.asset(
    deps=[
        dg.AssetDep("campaign_trailing", partition_mapping=_LAST_DAY),
        dg.AssetDep("account_metrics", partition_mapping=_LAST_DAY),
        dg.AssetDep("adset_metrics", partition_mapping=_LAST_DAY),
        "ad_objects",
    ],
    group_name=OPTIMIZER,
    kinds={"python", "deltalake"},
    owners=OWNERS,
    description=BUDGET_DECISIONS.meaning,
    metadata=described(BUDGET_DECISIONS),
)
def budget_decisions(
    context: dg.AssetExecutionContext, config: Accounts, lake: LakeResource
) -> dg.MaterializeResult:  # type: ignore[type-arg]
    settings = load_settings()
    tables = lake.open()
    snapshot = tables.snapshot()
    chosen = policy(settings.policy)
    frames = [
        decide(snapshot, account, chosen, settings.decision_window, context.run_id)
        for account in config.chosen(settings)
    ]
    result = _append(tables, BUDGET_DECISIONS, frames, context.run_id)
    shown = ["campaign_name", "action", "current_budget", "new_budget", "roas", "reason"]
    return dg.MaterializeResult(
        metadata=written(result, {"decisions": preview(pl.concat(frames), shown)})
    )


@dg.asset(
    deps=["budget_decisions"],
    group_name=ALLOCATION,
    kinds={"python", "deltalake"},
    owners=OWNERS,
    description=BUDGET_ALLOCATION.meaning,
    metadata=described(BUDGET_ALLOCATION),
)
def budget_allocation(
    context: dg.AssetExecutionContext, config: Accounts, lake: LakeResource
) -> dg.MaterializeResult:  # type: ignore[type-arg]
    settings = load_settings()
    tables = lake.open()
    snapshot = tables.snapshot()
    limits = budget_limits(settings)
    frames = [
        allocate_budgets(latest_decisions(snapshot, account), snapshot, limits, context.run_id)
        for account in config.chosen(settings)
    ]
    result = _append(tables, BUDGET_ALLOCATION, frames, context.run_id)
    rows = pl.concat(frames)
    shown = ["campaign_id", "current_budget_minor", "allocated_minor", "currency", "note"]
    told = {
        f"act_{row['account_id']}": row["message"]
        for row in rows.unique("account_id", maintain_order=True).iter_rows(named=True)
    }
    return dg.MaterializeResult(
        metadata=written(result, {"allocation": preview(rows, shown), **told})
    )


@dg.asset(
    deps=["budget_allocation", "ad_objects"],
    group_name=DELIVERY,
    kinds={"python", "deltalake"},
    owners=OWNERS,
    description=CHANGE_SET.meaning,
    metadata=described(CHANGE_SET),
)
def change_set(
    context: dg.AssetExecutionContext, config: Accounts, lake: LakeResource, store: StoreResource
) -> dg.MaterializeResult:  # type: ignore[type-arg]
    settings = load_settings()
    tables = lake.open()
    snapshot = tables.snapshot()
    frames = []
    with store.outbox() as outbox:
        for account in config.chosen(settings):
            decisions = latest_decisions(snapshot, account)
            if decisions.is_empty():
                continue
            allocation = latest_allocation(snapshot, decisions["decision_id"][0])
            frames.append(
                propose_changes(
                    decisions,
                    allocation,
                    snapshot,
                    outbox,
                    autopilot=settings.autopilot,
                    run_id=context.run_id,
                )
            )
    result = _append(tables, CHANGE_SET, frames, context.run_id)
    shown = ["object_name", "field", "old_value", "new_value", "outcome", "reason"]
    rows = pl.concat(frames) if frames else pl.DataFrame(schema=CHANGE_SET.schema)
    return dg.MaterializeResult(metadata=written(result, {"changes": preview(rows, shown)}))


def _append(lake: Lake, table: Table, frames: list[pl.DataFrame], run_id: str) -> WriteResult:
    """Write each account's rows under their decision, in place of the same decision's before."""
    results = [
        lake.write(
            table,
            frame,
            Scope([frame["account_id"][0]], key=("decision_id", frame["decision_id"][0])),
            run_id=run_id,
        )
        for frame in frames
        if frame.height
    ]
    return WriteResult(
        rows=sum(result.rows for result in results),
        version=max((result.version for result in results), default=0),
        changed=any(result.changed for result in results),
    )
