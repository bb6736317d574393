"""Jobs: the hourly lineage, a sync of its left half, and the push of approved changes."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import dagster as dg

from zyenta_ads_pipeline.campaigns.budgets import guardrails_of
from zyenta_ads_pipeline.campaigns.changes import push_changes as push_through_guardrails
from zyenta_ads_pipeline.campaigns.report import PushReport
from zyenta_ads_pipeline.connections import budget_limits
from zyenta_ads_pipeline.domain.ads import account_number
from zyenta_ads_pipeline.domain.change import Autopilot
from zyenta_ads_pipeline.domain.errors import ZyentaError
from zyenta_ads_pipeline.domain.insights import PRESETS
from zyenta_ads_pipeline.ingestion.normalising import RESTATED_FOR_DAYS
from zyenta_ads_pipeline.lake.tables import TABLES
from zyenta_ads_pipeline.lake.upkeep import tend
from zyenta_ads_pipeline.optimizer.guardrails import Guardrails
from zyenta_ads_pipeline.resources import LakeResource, MetaResource, StoreResource
from zyenta_ads_pipeline.settings import load_settings

SYNCED = (
    "raw_insights",
    "ad_objects",
    "insights_by_hour",
    "conversion_lag",
    "ad_metrics",
    "adset_metrics",
    "campaign_metrics",
    "account_metrics",
    "campaign_trailing",
)
DECIDED = ("budget_decisions", "budget_allocation", "change_set")

BROKEN_DOWN = tuple(f"insights_{name}" for name in PRESETS)

READ_FROM_META = ("raw_insights", *BROKEN_DOWN)
"""The assets that take a `SyncConfig`."""

VIEWS = ("exchange_rates", "lake_views")

ASSETS_OF = {"sync": SYNCED, "hourly": SYNCED + DECIDED, "breakdowns": BROKEN_DOWN}
"""The assets of each asset job that take accounts, by the job's name."""

sync = dg.define_asset_job(
    "sync",
    selection=dg.AssetSelection.assets(*SYNCED, *VIEWS),
    executor_def=dg.in_process_executor,
    description="Reads Meta and computes the metrics of a range of days. Decides nothing.",
)

hourly = dg.define_asset_job(
    "hourly",
    selection=dg.AssetSelection.assets(*SYNCED, *DECIDED, *VIEWS),
    executor_def=dg.in_process_executor,
    description="The whole lineage once: read today and the days Meta still restates, compute, "
    "decide, allocate, propose.",
)


breakdowns = dg.define_asset_job(
    "breakdowns",
    selection=dg.AssetSelection.assets(*BROKEN_DOWN),
    executor_def=dg.in_process_executor,
    description="Reads the breakdowns of a range of days, as far as those changed.",
)


@dg.op(description="Compacts the lake's tables, and removes files that nothing needs any more.")
def tend_lake(context: dg.OpExecutionContext, lake: LakeResource) -> None:
    settled = datetime.now(UTC).date() - timedelta(days=RESTATED_FOR_DAYS + 2)
    tables = lake.open()
    for table in TABLES.values():
        context.log.info("%s", tend(tables, table, settled_before=settled))


@dg.op(description="Removes raw replies that are older than ZYENTA_RAW_DAYS.")
def prune_archive(context: dg.OpExecutionContext, lake: LakeResource) -> None:
    kept = timedelta(days=load_settings().raw_days)
    removed = lake.archive().prune(datetime.now(UTC) - kept)
    context.log.info("%d files of raw replies were removed", removed)


@dg.job(
    executor_def=dg.in_process_executor,
    description="Keeps the lake quick and small: compaction, checkpoints, vacuum; and the archive "
    "of raw replies as short as the settings say.",
)
def upkeep() -> None:
    tend_lake()
    prune_archive()


class PushConfig(dg.Config):
    """One account's changes to push."""

    account: str
    changes: list[str] = []  # noqa: RUF012 - Dagster's Config is a pydantic model


@dg.op(
    pool="meta_api_write",
    description="Writes approved changes of one account to Meta through the guardrails, reads "
    "them back and journals each step. Changes found half-sent are looked up first.",
)
def push_changes(
    context: dg.OpExecutionContext,
    config: PushConfig,
    meta: MetaResource,
    store: StoreResource,
    lake: LakeResource,
) -> None:
    account = account_number(config.account)
    snapshot = lake.open().snapshot()

    def guardrails(account_id: str) -> Guardrails | None:
        """Asked again before each write, so that a kill switch set meanwhile is obeyed."""
        settings = load_settings()
        stopped = settings.kill_switch or settings.autopilot is Autopilot.WATCH
        return guardrails_of(snapshot, account_id, budget_limits(settings), kill_switch=stopped)

    async def push() -> PushReport:
        async with meta.connect(account) as platform:
            # Meta's days and hours count, not this machine's.
            ahead = await platform.server_time() - datetime.now(UTC)
            with store.outbox() as outbox:
                return await push_through_guardrails(
                    platform,
                    outbox,
                    guardrails=guardrails,
                    owner=f"run {context.run.run_id}",
                    now=lambda: datetime.now(UTC) + ahead,
                    ids=config.changes or None,
                    account_id=account,
                )

    report = asyncio.run(push())
    context.log.info(str(report))
    states = Counter(row.state.value for row in report.rows)
    context.log_event(
        dg.AssetMaterialization(
            "live_on_meta",
            description=f"act_{account}",
            metadata={"report": dg.MetadataValue.md(f"```\n{report}\n```"), **states},
        )
    )
    if report.stops:
        raise ZyentaError("; ".join(str(stop) for stop in report.stops))


@dg.job(
    executor_def=dg.in_process_executor,
    description="Pushes the approved changes of one account to Meta.",
)
def push() -> None:
    push_changes()
