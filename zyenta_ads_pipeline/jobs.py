"""Jobs: the hourly lineage, a sync of its left half, the push of approved changes; campaigns made
from requests, and their reviews brought back."""

import asyncio
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import dagster as dg

from zyenta_ads_pipeline.account_rules import bounds_of
from zyenta_ads_pipeline.assets.creatives import creatives_of, take_creatives, told_of
from zyenta_ads_pipeline.campaigns.changes import push_changes as push_through_guardrails
from zyenta_ads_pipeline.campaigns.launch import LaunchPaused
from zyenta_ads_pipeline.campaigns.performance import sync_performance
from zyenta_ads_pipeline.campaigns.rails import guardrails_of
from zyenta_ads_pipeline.campaigns.report import PushReport
from zyenta_ads_pipeline.campaigns.undo import OWN_WISHES
from zyenta_ads_pipeline.connections import stopped
from zyenta_ads_pipeline.domain.ads import account_number
from zyenta_ads_pipeline.domain.campaign import AdCampaign
from zyenta_ads_pipeline.domain.change import Autopilot, ChangeState
from zyenta_ads_pipeline.domain.errors import ZyentaError
from zyenta_ads_pipeline.domain.money import show, to_major
from zyenta_ads_pipeline.ingestion.normalising import RESTATED_FOR_DAYS
from zyenta_ads_pipeline.lake.tables import TABLES
from zyenta_ads_pipeline.lake.upkeep import tend
from zyenta_ads_pipeline.lineage import BROKEN_DOWN, DECIDED, SYNCED, TIRED
from zyenta_ads_pipeline.optimizer.guardrails import Guardrails
from zyenta_ads_pipeline.resources import LakeResource, MetaResource, StoreResource
from zyenta_ads_pipeline.settings import load_settings
from zyenta_ads_pipeline.store.campaign_models import RequestStep
from zyenta_ads_pipeline.store.campaigns import Campaigns
from zyenta_ads_pipeline.store.database import Store
from zyenta_ads_pipeline.store.outbox import Outbox
from zyenta_ads_pipeline.store.requests import CampaignRequests

if TYPE_CHECKING:
    from zyenta_ads_pipeline.agent import AdsAgent

CREATED = ("ad_creatives", "creative_performance")
"""Of all accounts in every run: they are few, and come from the store."""

VIEWS = ("exchange_rates", "lake_views")

IN_MEMORY = "in_memory"
"""The IO manager of what ops of one run hand over: a run is one process, and leaves no files."""


sync = dg.define_asset_job(
    "sync",
    selection=dg.AssetSelection.assets(*SYNCED, *CREATED, *VIEWS),
    executor_def=dg.in_process_executor,
    description="Reads Meta and computes the metrics of a range of days. Decides nothing.",
)

hourly = dg.define_asset_job(
    "hourly",
    selection=dg.AssetSelection.assets(*SYNCED, *DECIDED, *TIRED, *CREATED, *VIEWS),
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
    """One account's changes to push; none named: all that are approved. While the autopilot only
    watches, those that a person asked for by hand."""

    account: str
    changes: list[str] = []  # noqa: RUF012 - Dagster's Config is a pydantic model


def wishes(outbox: Outbox, account_id: str) -> set[str]:
    """The changes on their way to an account that a person asked for by hand: they are pushed
    also while the autopilot only watches."""
    open_ones = outbox.find(
        account_id=account_id, states=[ChangeState.APPROVED, ChangeState.SENDING]
    )
    return {record.id for record in open_ones if record.change.policy in OWN_WISHES}


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

    async def push(opened: Store) -> PushReport:
        outbox = Outbox(opened)
        wished = wishes(outbox, account)
        only_wishes = bounds_of(load_settings(), account, store=opened).autopilot is Autopilot.WATCH
        ids = set(config.changes) or (wished if only_wishes else None)
        if only_wishes and ids is not None:
            ids &= wished

        def guardrails(account_id: str) -> Guardrails | None:
            """Asked again before each write: a switch thrown meanwhile is obeyed."""
            settings = load_settings()
            bounds = bounds_of(settings, account_id, store=opened)
            watches = bounds.autopilot is Autopilot.WATCH and not only_wishes
            halted = watches or stopped(settings, opened, account_id) is not None
            return guardrails_of(snapshot, account_id, bounds, kill_switch=halted)

        async with meta.connect(account) as platform:
            # Meta's days and hours count, not this machine's.
            ahead = await platform.server_time() - datetime.now(UTC)
            return await push_through_guardrails(
                platform,
                outbox,
                guardrails=guardrails,
                owner=f"run {context.run.run_id}",
                now=lambda: datetime.now(UTC) + ahead,
                ids=ids,
                account_id=account,
            )

    with store.opened() as opened:
        report = asyncio.run(push(opened))
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


class RequestConfig(dg.Config):
    """One request to carry out, by its id in the store."""

    request_id: str


@dg.op(
    out=dg.Out(dg.Nothing),
    description="Writes the creatives of a requested campaign and chooses whom it is aimed at: a "
    "draft in the store, and nothing on Meta. Done again it gives the same draft.",
)
def write_creatives(
    context: dg.OpExecutionContext,
    config: RequestConfig,
    store: StoreResource,
    lake: LakeResource,
) -> None:
    with _carried(store, config.request_id):
        campaign = asyncio.run(_agent(context).draft(config.request_id))
    _report_creatives(context, store, lake, campaign)


@dg.op(
    ins={"written": dg.In(dg.Nothing)},
    out=dg.Out(dg.Nothing),
    pool="meta_api_write",
    description="Makes the drafted campaign on Meta, paused, step by step, or goes on where an "
    "earlier run stopped. What must wait fails the run, and is gone on with by a later one.",
)
def launch_campaign(
    context: dg.OpExecutionContext,
    config: RequestConfig,
    store: StoreResource,
    lake: LakeResource,
) -> None:
    agent = _agent(context)

    async def launch() -> AdCampaign:
        draft = await agent.draft(config.request_id)
        return await agent.launch(draft.id)

    with _carried(store, config.request_id):
        campaign = asyncio.run(launch())
    budget = to_major(campaign.daily_budget_minor, campaign.currency)
    context.log_event(
        dg.AssetMaterialization(
            "launched_campaigns",
            description=campaign.name,
            metadata={
                "campaign": campaign.id,
                "platform_campaign": campaign.platform_campaign_id,
                "ads_manager": dg.MetadataValue.url(_ads_manager(campaign)),
                "status": campaign.status.value,
                "daily_budget": show(budget, campaign.currency),
                **told_of(creatives_of(campaign)),
            },
        )
    )
    _report_creatives(context, store, lake, campaign)


@dg.job(
    executor_def=dg.in_process_executor,
    # A killed run leaves its request to the sensor, which knows when its lease is over.
    tags={"dagster/max_retries": "0"},
    description="Carries out one request for a campaign: texts, targeting, and the launch on Meta, "
    "paused.",
)
def create_campaign() -> None:
    launch_campaign(write_creatives())


@dg.op(
    out=dg.DynamicOut(str, io_manager_key=IN_MEMORY),
    description="The stores that have campaigns on Meta.",
)
def launched_stores(
    context: dg.OpExecutionContext, store: StoreResource
) -> Iterator[dg.DynamicOutput[str]]:
    with store.opened() as opened:
        found = launched_in(opened)
    for number, store_id in enumerate(found, start=1):
        key = f"{re.sub(r'[^A-Za-z0-9_]', '_', store_id)}_{number}"
        yield dg.DynamicOutput(store_id, mapping_key=key)


@dg.op(
    description="How a store's campaigns stand on Meta, their numbers and budgets as the lake has "
    "them, and its creatives into the lake. What cannot be done leaves the rest alone.",
)
def review_store(
    context: dg.OpExecutionContext, store_id: str, store: StoreResource, lake: LakeResource
) -> None:
    failures: list[ZyentaError] = []
    try:
        for moved in asyncio.run(_agent(context).bring_back_reviews(store_id)):
            told = f"{moved.name} is {moved.status.value}: {moved.status_reason}"
            context.log.info(told)
    except ZyentaError as error:
        failures.append(error)
    tables = lake.open()
    with store.opened() as opened:
        campaigns = Campaigns(opened)
        accounts = {
            each.account_id
            for each in campaigns.find(store_id=store_id)
            if each.platform_campaign_id is not None
        }
        for account in sorted(accounts):
            try:
                now = datetime.now(UTC)
                found = sync_performance(tables.snapshot(), campaigns, account, now=now)
                context.log.info(f"act_{account}: {found} campaigns have numbers")
            except ZyentaError as error:
                failures.append(error)
        metadata = take_creatives(opened, tables, context.run.run_id, accounts=accounts)
    context.log_event(
        dg.AssetMaterialization("ad_creatives", description=store_id, metadata=metadata)
    )
    if failures:
        raise ZyentaError(f"Store {store_id}: " + " ".join(map(str, failures)))


@dg.job(
    executor_def=dg.in_process_executor,
    description="Brings back how campaigns stand: reviews from Meta, numbers from the lake. Each "
    "store fails alone.",
)
def campaign_reviews() -> None:
    launched_stores().map(review_store)


def launched_in(store: Store) -> list[str]:
    """The ids of the stores that have campaigns on Meta, launched or adopted."""
    return sorted(
        {
            campaign.store_id
            for campaign in Campaigns(store).find()
            if campaign.platform_campaign_id is not None
        }
    )


def _agent(context: dg.OpExecutionContext) -> "AdsAgent":
    from zyenta_ads_pipeline.agent import AdsAgent  # noqa: PLC0415 - half a second to import

    return AdsAgent(
        load_settings(),
        actor=f"run {context.run.run_id}",
        tell=context.log.info,
    )


@contextmanager
def _carried(store: StoreResource, request_id: str) -> Iterator[None]:
    """Around work on a request: what pauses it fails the run in words, and a defect fails the
    request too, so that it is not repeated for ever."""
    try:
        yield
    except LaunchPaused as paused:
        raise dg.Failure(
            f"{paused} The request is kept, and a later run takes it up.",
            metadata={"wait_seconds": paused.wait_seconds or 0.0},
            allow_retries=False,
        ) from paused
    except ZyentaError:
        raise
    except Exception as defect:
        with store.opened() as opened:
            requests = CampaignRequests(opened)
            if requests.state(request_id).state is RequestStep.WORKING:
                told = f"A defect: {defect!r}"
                requests.finish(request_id, error=told, now=datetime.now(UTC))
        raise


def _report_creatives(
    context: dg.OpExecutionContext, store: StoreResource, lake: LakeResource, campaign: AdCampaign
) -> None:
    """Bring the account's creatives into the lake, and show those of the campaign."""
    with store.opened() as opened:
        stored = take_creatives(
            opened, lake.open(), context.run.run_id, accounts=[campaign.account_id]
        )
    metadata = {**stored, "campaign": campaign.id, **told_of(creatives_of(campaign))}
    context.log_event(
        dg.AssetMaterialization("ad_creatives", description=campaign.name, metadata=metadata)
    )


def _ads_manager(campaign: AdCampaign) -> str:
    return (
        "https://adsmanager.facebook.com/adsmanager/manage/campaigns"
        f"?act={campaign.account_id}&selected_campaign_ids={campaign.platform_campaign_id}"
    )
