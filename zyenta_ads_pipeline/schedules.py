"""The hourly tick: one run for the whole lineage, over today and all days still restated."""

from datetime import date, timedelta

import dagster as dg

from zyenta_ads_pipeline.domain.time import DateRange
from zyenta_ads_pipeline.jobs import hourly
from zyenta_ads_pipeline.partitions import DAYS, FIRST_DAY, range_tags
from zyenta_ads_pipeline.settings import load_settings

GIVEN_UP_AFTER = timedelta(hours=2)
"""A run that started longer ago was killed; as max_runtime_seconds in dagster.yaml."""

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
    description="Every hour at five past: today and the restatement window. Skips while a run of "
    "it is still going, so that runs never pile up.",
)
def every_hour(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    settings = load_settings()
    if not settings.ad_account_ids:
        return dg.SkipReason("No account is configured: set META_AD_ACCOUNT_IDS.")
    recent = context.scheduled_execution_time - GIVEN_UP_AFTER
    going = context.instance.get_runs_count(
        dg.RunsFilter(job_name=hourly.name, statuses=_RUNNING, created_after=recent)
    )
    if going:
        return dg.SkipReason("The last hourly run is still going.")
    days = restated_days(settings.restatement_days)
    return dg.RunRequest(
        run_key=context.scheduled_execution_time.isoformat(), tags=range_tags(days)
    )


def restated_days(restatement_days: int) -> DateRange:
    """From the first day that may still change to today, wherever today has come already."""
    newest = date.fromisoformat(DAYS.get_last_partition_key() or "")
    oldest = max(newest - timedelta(days=restatement_days + 1), FIRST_DAY)
    return DateRange(oldest, newest)
