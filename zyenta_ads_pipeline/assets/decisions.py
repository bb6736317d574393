"""What to do with the budgets, and why. Unpartitioned and append-only, keyed by decision: a
backfill of old days can never decide the past again. Accounts are decided one by one: one that
cannot be leaves the others alone."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

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
    current_decisions,
    decide,
    latest_allocation,
)
from zyenta_ads_pipeline.campaigns.decision_log import log_decisions
from zyenta_ads_pipeline.campaigns.proposals import propose_changes
from zyenta_ads_pipeline.connections import budget_limits
from zyenta_ads_pipeline.domain.errors import NotDecidable, ZyentaError
from zyenta_ads_pipeline.domain.time import DateRange
from zyenta_ads_pipeline.ingestion.completeness import other_purchase_type
from zyenta_ads_pipeline.ingestion.reads import untrusted_days
from zyenta_ads_pipeline.lake.lake import Lake, Scope, Snapshot, WriteResult
from zyenta_ads_pipeline.lake.schema import Table
from zyenta_ads_pipeline.lake.tables import (
    BUDGET_ALLOCATION,
    BUDGET_DECISIONS,
    CHANGE_SET,
)
from zyenta_ads_pipeline.optimizer.policies import policy
from zyenta_ads_pipeline.resources import Accounts, LakeResource, StoreResource
from zyenta_ads_pipeline.settings import load_settings
from zyenta_ads_pipeline.store.campaigns import Campaigns
from zyenta_ads_pipeline.store.outbox import Outbox

_LAST_DAY = dg.LastPartitionMapping()
_EVERY_ACCOUNT = "every_account"


def _check(asset: str) -> list[dg.AssetCheckSpec]:
    return [
        dg.AssetCheckSpec(
            _EVERY_ACCOUNT,
            asset=asset,
            description="It was done for every account of the run; one that could not be leaves "
            "the others alone, and this check says why.",
        )
    ]


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
    check_specs=_check("budget_decisions"),
)
def budget_decisions(
    context: dg.AssetExecutionContext, config: Accounts, lake: LakeResource
) -> dg.MaterializeResult:  # type: ignore[type-arg]
    settings = load_settings()
    tables = lake.open()
    snapshot = tables.snapshot()
    chosen = policy(settings.policy)

    def one(account: str) -> pl.DataFrame:
        decided = decide(
            snapshot,
            account,
            chosen,
            settings.decision_window,
            run_id=context.run.run_id,
            now=datetime.now(UTC),
        )
        if decided.height:
            _check_complete(snapshot, decided, settings.decision_window)
        return decided

    shown = ["campaign_name", "action", "current_budget", "new_budget", "roas", "reason"]
    done = _each(tables, BUDGET_DECISIONS, config.chosen(settings), one, context.run.run_id)
    return done.result({"decisions": preview(done.rows, shown)})


@dg.asset(
    deps=["budget_decisions"],
    group_name=ALLOCATION,
    kinds={"python", "deltalake"},
    owners=OWNERS,
    description=BUDGET_ALLOCATION.meaning,
    metadata=described(BUDGET_ALLOCATION),
    check_specs=_check("budget_allocation"),
)
def budget_allocation(
    context: dg.AssetExecutionContext, config: Accounts, lake: LakeResource
) -> dg.MaterializeResult:  # type: ignore[type-arg]
    settings = load_settings()
    tables = lake.open()
    snapshot = tables.snapshot()
    limits = budget_limits(settings)

    def one(account: str) -> pl.DataFrame:
        decisions = current_decisions(snapshot, account, context.run.run_id, datetime.now(UTC))
        return allocate_budgets(decisions, snapshot, limits, context.run.run_id)

    done = _each(tables, BUDGET_ALLOCATION, config.chosen(settings), one, context.run.run_id)
    shown = ["campaign_id", "current_budget_minor", "allocated_minor", "currency", "note"]
    told = {
        f"act_{row['account_id']}": row["message"]
        for row in done.rows.unique("account_id", maintain_order=True).iter_rows(named=True)
    }
    return done.result({"allocation": preview(done.rows, shown), **told})


@dg.asset(
    deps=["budget_allocation", "ad_objects"],
    group_name=DELIVERY,
    kinds={"python", "deltalake"},
    owners=OWNERS,
    description=CHANGE_SET.meaning,
    metadata=described(CHANGE_SET),
    check_specs=_check("change_set"),
)
def change_set(
    context: dg.AssetExecutionContext, config: Accounts, lake: LakeResource, store: StoreResource
) -> dg.MaterializeResult:  # type: ignore[type-arg]
    settings = load_settings()
    tables = lake.open()
    snapshot = tables.snapshot()
    decided: dict[str, pl.DataFrame] = {}
    with store.opened() as opened:
        outbox = Outbox(opened)

        campaigns = Campaigns(opened)

        def one(account: str) -> pl.DataFrame:
            decisions = current_decisions(snapshot, account, context.run.run_id, datetime.now(UTC))
            decided[account] = decisions
            if decisions.is_empty():
                return pl.DataFrame(schema=CHANGE_SET.schema)
            return propose_changes(
                decisions,
                latest_allocation(snapshot, decisions["decision_id"][0]),
                snapshot,
                outbox,
                autopilot=settings.autopilot,
                run_id=context.run.run_id,
                by_hand=campaigns.by_hand(account),
            )

        done = _each(tables, CHANGE_SET, config.chosen(settings), one, context.run.run_id)
        logged = sum(log_decisions(campaigns, decided[account]) for account in done.accounts)
    shown = ["object_name", "field", "old_value", "new_value", "outcome", "reason"]
    return done.result({"changes": preview(done.rows, shown), "decisions_logged": logged})


class _Done:
    """What came of the accounts: their rows, written; and the errors of those without."""

    def __init__(
        self,
        accounts: list[str],
        rows: pl.DataFrame,
        writes: list[WriteResult],
        failures: dict[str, ZyentaError],
    ) -> None:
        self.accounts = [account for account in accounts if account not in failures]
        self.rows = rows
        self._writes = writes
        self._failures = failures

    def result(self, metadata: dict[str, Any]) -> dg.MaterializeResult:  # type: ignore[type-arg]
        """The run's result, with the check on every account."""
        whole = WriteResult(
            rows=self.rows.height,
            version=max((write.version for write in self._writes), default=0),
            changed=any(write.changed for write in self._writes),
        )
        check = dg.AssetCheckResult(
            check_name=_EVERY_ACCOUNT,
            passed=not self._failures,
            severity=dg.AssetCheckSeverity.ERROR,
            metadata={f"act_{account}": str(error) for account, error in self._failures.items()},
        )
        return dg.MaterializeResult(metadata=written(whole, metadata), check_results=[check])


def _each(
    lake: Lake,
    table: Table,
    accounts: list[str],
    make: Callable[[str], pl.DataFrame],
    run_id: str,
) -> _Done:
    """Make and write each account's rows, under their decision, in place of its rows before."""
    frames = [pl.DataFrame(schema=table.schema)]
    writes: list[WriteResult] = []
    failures: dict[str, ZyentaError] = {}
    for account in accounts:
        try:
            frame = make(account)
            if frame.height:
                scope = Scope([account], key=("decision_id", frame["decision_id"][0]))
                writes.append(lake.write(table, frame, scope, run_id=run_id))
                frames.append(frame.select(table.schema.names()))
        except ZyentaError as error:
            failures[account] = error
    return _Done(accounts, pl.concat(frames), writes, failures)


def _check_complete(snapshot: Snapshot, decided: pl.DataFrame, window_days: int) -> None:
    """Raise `NotDecidable` where the window's numbers cannot be trusted: ads that do not add up to
    the account's total, or purchases that are counted by the wrong name."""
    account, day = decided["account_id"][0], decided["date"][0]
    window = DateRange(day - timedelta(days=window_days - 1), day)
    if found := untrusted_days(snapshot, account, window):
        told = "; ".join(list(found.values())[:3])
        raise NotDecidable(
            f"act_{account} has {len(found)} days that cannot be trusted: {told}.",
            "Sync these days again; docs/ingestion.md says what a gap means.",
        )
    if other := other_purchase_type(snapshot, account, window):
        raise NotDecidable(
            f"act_{account} reports most of its purchases as {other}, which is not the type that "
            "is counted.",
            f"Set META_PURCHASE_TYPE={other} and sync these days again, if that is right.",
        )
