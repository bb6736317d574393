"""The hourly tick: one run for the whole lineage, over the days that are due to be read again."""

from datetime import date, timedelta

import dagster as dg

from zyenta_ads_pipeline.connections import accounts_of
from zyenta_ads_pipeline.domain.time import DateRange
from zyenta_ads_pipeline.ingestion.alerting import unreadable
from zyenta_ads_pipeline.ingestion.reads import due_days
from zyenta_ads_pipeline.jobs import breakdowns, campaign_reviews, hourly, launched_in, upkeep
from zyenta_ads_pipeline.partitions import DAYS, FIRST_DAY, range_tags
from zyenta_ads_pipeline.resources import LakeResource, StoreResource
from zyenta_ads_pipeline.settings import load_settings

GIVEN_UP_AFTER = timedelta(hours=2)
"""A run that started longer ago was killed; as max_runtime_seconds in dagster.yaml."""

_NO_ACCOUNT = (
    "No account is configured or connected: set META_AD_ACCOUNT_IDS, or run zyenta connect."
)

_RUNNING = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


@dg.schedule(
    job=hourly,
    cron_schedule="5 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every hour at five past: today, yesterday, and as many days before as are due by "
    "ZYENTA_RESTATEMENT_TIERS. Skips while a run of it is still going, so that runs never pile up.",
)
def every_hour(
    context: dg.ScheduleEvaluationContext, lake: LakeResource, store: StoreResource
) -> dg.RunRequest | dg.SkipReason:
    settings = load_settings()
    accounts = accounts_of(settings)
    if not accounts:
        return dg.SkipReason(_NO_ACCOUNT)
    if _going(context, hourly.name):
        return dg.SkipReason("The last hourly run is still going.")
    with store.notifier() as notifier:
        dead = unreadable(notifier.alerts.open())
    depth = due_days(
        lake.open().snapshot(),
        accounts,
        settings.restatement_tiers,
        context.scheduled_execution_time,
        dead,
    )
    if not depth:
        return dg.SkipReason("Every account was read less than an hour ago.")
    return dg.RunRequest(
        run_key=context.scheduled_execution_time.isoformat(), tags=range_tags(newest_days(depth))
    )


@dg.schedule(
    job=breakdowns,
    cron_schedule="35 3 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every night: the breakdowns of the days that changed since they were last read.",
)
def every_night(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    settings = load_settings()
    chosen = [f"insights_{name}" for name in settings.breakdowns]
    if not accounts_of(settings):
        return dg.SkipReason(_NO_ACCOUNT)
    if not chosen:
        return dg.SkipReason("No breakdown is wanted: ZYENTA_BREAKDOWNS is none.")
    if _going(context, breakdowns.name):
        return dg.SkipReason("The last run is still going.")
    return dg.RunRequest(
        run_key=context.scheduled_execution_time.isoformat(),
        tags=range_tags(newest_days(settings.restatement_days)),
        asset_selection=[dg.AssetKey(name) for name in chosen],
    )


@dg.schedule(
    job=campaign_reviews,
    cron_schedule="20 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every hour at twenty past, after the hourly run: how the campaigns that were "
    "launched or adopted stand on Meta. Skips while there are none.",
)
def reviews_every_hour(
    context: dg.ScheduleEvaluationContext, store: StoreResource
) -> dg.RunRequest | dg.SkipReason:
    with store.opened() as opened:
        if not launched_in(opened):
            return dg.SkipReason("No campaign has been launched or adopted yet.")
    if _going(context, campaign_reviews.name):
        return dg.SkipReason("The last run is still going.")
    return dg.RunRequest(run_key=context.scheduled_execution_time.isoformat())


@dg.schedule(
    job=upkeep,
    cron_schedule="20 4 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every night: compacts the lake's tables and removes what is long outdated.",
)
def upkeep_every_night() -> dg.RunRequest:
    return dg.RunRequest()


def newest_days(depth: int) -> DateRange:
    """The newest `depth` days of every account, wherever on Earth: the account furthest behind
    is up to two days behind the newest partition."""
    newest = date.fromisoformat(DAYS.get_last_partition_key() or "")
    oldest = max(newest - timedelta(days=depth + 1), FIRST_DAY)
    return DateRange(oldest, newest)


def _going(context: dg.ScheduleEvaluationContext, job_name: str) -> bool:
    recent = context.scheduled_execution_time - GIVEN_UP_AFTER
    return bool(
        context.instance.get_runs_count(
            dg.RunsFilter(job_name=job_name, statuses=_RUNNING, created_after=recent)
        )
    )
