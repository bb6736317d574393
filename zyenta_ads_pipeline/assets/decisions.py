"""What to do with the budgets, and why. Unpartitioned and append-only, keyed by decision: a
backfill of old days can never decide the past again. Accounts are decided one by one: one that
cannot be leaves the others alone."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import polars as pl

from zyenta_ads_pipeline.account_rules import rules_of
from zyenta_ads_pipeline.assets.by_account import each_account, every_account_check
from zyenta_ads_pipeline.assets.description import (
    ALLOCATION,
    DELIVERY,
    OPTIMIZER,
    OWNERS,
    RECORDS,
    described,
    preview,
)
from zyenta_ads_pipeline.assets.pictures import (
    MOST_ACCOUNTS,
    MOST_CURVES,
    allocation_picture,
    by_account,
    curves_picture,
    decisions_picture,
)
from zyenta_ads_pipeline.campaigns.budgets import (
    allocate_budgets,
    current_decisions,
    decide,
    last_allocated,
    latest_allocation,
    recorded_versions,
)
from zyenta_ads_pipeline.campaigns.creative_changes import changes_of_tests
from zyenta_ads_pipeline.campaigns.curve_views import curve_views
from zyenta_ads_pipeline.campaigns.decision_log import log_decisions
from zyenta_ads_pipeline.campaigns.proposals import propose_changes
from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.errors import NotDecidable
from zyenta_ads_pipeline.domain.time import DateRange
from zyenta_ads_pipeline.ingestion.completeness import other_purchase_type
from zyenta_ads_pipeline.ingestion.reads import untrusted_days
from zyenta_ads_pipeline.lake.decision_tables import (
    BUDGET_ALLOCATION,
    BUDGET_DECISIONS,
    CHANGE_SET,
    DECISION_STOPS,
    RESPONSE_CURVES,
)
from zyenta_ads_pipeline.lake.lake import Scope, Snapshot
from zyenta_ads_pipeline.lake.pinned import snapshot_at
from zyenta_ads_pipeline.resources import Accounts, LakeResource, StoreResource
from zyenta_ads_pipeline.settings import load_settings
from zyenta_ads_pipeline.store.campaigns import Campaigns
from zyenta_ads_pipeline.store.outbox import Outbox

_LAST_DAY = dg.LastPartitionMapping()


@dg.asset(
    deps=[
        "response_curves",
        dg.AssetDep("campaign_trailing", partition_mapping=_LAST_DAY),
        dg.AssetDep("account_metrics", partition_mapping=_LAST_DAY),
        "ad_objects",
    ],
    group_name=OPTIMIZER,
    kinds={"python", "deltalake"},
    owners=OWNERS,
    description=BUDGET_DECISIONS.meaning,
    metadata=described(BUDGET_DECISIONS),
    check_specs=every_account_check("budget_decisions"),
)
def budget_decisions(
    context: dg.AssetExecutionContext, config: Accounts, lake: LakeResource
) -> dg.MaterializeResult:  # type: ignore[type-arg]
    settings = load_settings()
    tables = lake.open()
    snapshot = tables.snapshot()
    run_id = context.run.run_id
    stops = [pl.DataFrame(schema=DECISION_STOPS.schema)]

    def one(account: str) -> pl.DataFrame:
        rules = rules_of(settings, account)
        decided = decide(snapshot, account, rules, run_id=run_id, now=datetime.now(UTC))
        if decided.decisions.height:
            _check_complete(snapshot, decided.decisions, rules.window_days)
        if decided.stops.height:
            scope = Scope([account], key=("decision_id", decided.stops["decision_id"][0]))
            tables.write(DECISION_STOPS, decided.stops, scope, run_id=run_id)
            stops.append(decided.stops)
        return decided.decisions

    accounts = config.chosen(settings)
    done = each_account(tables, BUDGET_DECISIONS, accounts, one, run_id=run_id)
    curves = snapshot.scan(RESPONSE_CURVES).filter(pl.col("level") == Level.CAMPAIGN.value)
    fitted = curves.select("account_id", "object_id", "marginal", "marginal_low", "marginal_high")
    mine = fitted.filter(pl.col("account_id").is_in(done.accounts)).collect()
    told = pl.concat(stops)
    shown = ["campaign_name", "action", "current_budget", "new_budget", "confidence", "reason"]
    return done.result(
        {
            "decisions": preview(_rounded(done.rows), [*shown, "hold"]),
            "stops": told.height,
            **{f"act_{row['account_id']}: {row['kind']}": row["reason"] for row in told.to_dicts()},
            **by_account(done.rows, lambda rows: decisions_picture(rows, mine), "decisions"),
        }
    )


DECISION_STOPS_SPEC = dg.AssetSpec(
    DECISION_STOPS.name,
    description=f"{DECISION_STOPS.meaning} Written by the runs of budget_decisions.",
    deps=["response_curves"],
    group_name=RECORDS,
    kinds={"python", "deltalake"},
    owners=OWNERS,
    metadata=described(DECISION_STOPS),
)


@dg.asset(
    deps=["budget_decisions"],
    group_name=ALLOCATION,
    kinds={"python", "deltalake"},
    owners=OWNERS,
    description=BUDGET_ALLOCATION.meaning,
    metadata=described(BUDGET_ALLOCATION),
    check_specs=every_account_check("budget_allocation"),
)
def budget_allocation(
    context: dg.AssetExecutionContext, config: Accounts, lake: LakeResource
) -> dg.MaterializeResult:  # type: ignore[type-arg]
    settings = load_settings()
    tables = lake.open()
    snapshot = tables.snapshot()
    run_id = context.run.run_id

    def one(account: str) -> pl.DataFrame:
        known = current_decisions(snapshot, account, run_id, datetime.now(UTC))
        if known.decisions.is_empty():
            return pl.DataFrame(schema=BUDGET_ALLOCATION.schema)
        then = snapshot_at(tables, recorded_versions(known.decisions))
        return allocate_budgets(known, then, run_id)

    accounts = config.chosen(settings)
    done = each_account(tables, BUDGET_ALLOCATION, accounts, one, run_id=run_id)
    shown = ["campaign_name", "current_budget_minor", "allocated_minor", "currency", "note"]
    told = {
        f"act_{row['account_id']}" + (f", {row['group']}" if row["group"] else ""): row["message"]
        for row in done.rows.unique(["account_id", "group"], maintain_order=True).to_dicts()
    }
    now = tables.snapshot()
    pictures = {}
    for account in done.rows["account_id"].unique(maintain_order=True).head(MOST_ACCOUNTS):
        views, currency = curve_views(
            now,
            account,
            rules_of(settings, account),
            last_allocated(now, account),
            most=MOST_CURVES,
        )
        if views:
            pictures[f"curves of act_{account}"] = curves_picture(views, currency)
    return done.result(
        {
            "allocation": preview(done.rows, shown),
            **told,
            **by_account(done.rows, allocation_picture, "budgets"),
            **pictures,
        }
    )


@dg.asset(
    deps=["budget_allocation", "creative_tests", "ad_objects"],
    group_name=DELIVERY,
    kinds={"python", "deltalake"},
    owners=OWNERS,
    description=CHANGE_SET.meaning,
    metadata=described(CHANGE_SET),
    check_specs=every_account_check("change_set"),
)
def change_set(
    context: dg.AssetExecutionContext, config: Accounts, lake: LakeResource, store: StoreResource
) -> dg.MaterializeResult:  # type: ignore[type-arg]
    settings = load_settings()
    tables = lake.open()
    snapshot = tables.snapshot()
    run_id = context.run.run_id
    decided: dict[str, pl.DataFrame] = {}
    with store.opened() as opened:
        outbox = Outbox(opened)
        campaigns = Campaigns(opened)

        def one(account: str) -> pl.DataFrame:
            known = current_decisions(snapshot, account, run_id, datetime.now(UTC))
            decided[account] = known.decisions
            if known.decisions.is_empty():
                return pl.DataFrame(schema=CHANGE_SET.schema)
            rules = rules_of(settings, account)
            return propose_changes(
                known.decisions,
                latest_allocation(snapshot, known.decisions["decision_id"][0]),
                snapshot,
                outbox,
                rules=rules,
                run_id=run_id,
                by_hand=campaigns.by_hand(account),
                of_tests=changes_of_tests(
                    snapshot,
                    campaigns,
                    account,
                    max_step=rules.max_step,
                    now=known.decisions["decided_at"][0],
                ),
            )

        done = each_account(tables, CHANGE_SET, config.chosen(settings), one, run_id=run_id)
        logged = sum(log_decisions(campaigns, decided[account]) for account in done.accounts)
    shown = ["object_name", "field", "old_value", "new_value", "outcome", "reason"]
    return done.result({"changes": preview(done.rows, shown), "decisions_logged": logged})


def _rounded(decisions: pl.DataFrame) -> pl.DataFrame:
    """The decisions' numbers as they are read."""
    numbers = pl.col("current_budget", "new_budget", "confidence").cast(pl.Float64).round(2)
    return decisions.with_columns(numbers)


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
