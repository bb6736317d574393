"""Watches the outbox: what is approved is pushed, what was left half-sent is settled."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta

import dagster as dg

from zyenta_ads_pipeline.domain.change import Autopilot, ChangeState
from zyenta_ads_pipeline.jobs import PushConfig, push
from zyenta_ads_pipeline.resources import StoreResource
from zyenta_ads_pipeline.schedules import GIVEN_UP_AFTER
from zyenta_ads_pipeline.settings import load_settings

ACCOUNT_TAG = "zyenta/account"
_REST_AFTER_FAILURE = timedelta(minutes=5)


@dg.sensor(
    job=push,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Starts one push per account that has approved changes, or changes that an "
    "interrupted push left half-sent.",
)
def approved_changes(
    context: dg.SensorEvaluationContext, store: StoreResource
) -> dg.SensorResult | dg.SkipReason:
    settings = load_settings()
    if settings.kill_switch:
        return dg.SkipReason("The kill switch is on (ZYENTA_KILL_SWITCH).")
    if settings.autopilot is Autopilot.WATCH:
        return dg.SkipReason("The autopilot only watches (ZYENTA_AUTOPILOT).")
    with store.outbox() as outbox:
        waiting = outbox.find(
            states=[ChangeState.APPROVED, ChangeState.SENDING], due=datetime.now(UTC)
        )
    by_account: dict[str, list[str]] = defaultdict(list)
    for record in waiting:
        if record.change.account_id in settings.ad_account_ids:
            by_account[record.change.account_id].append(record.id)
    ready = {
        account: changes
        for account, changes in by_account.items()
        if not _resting(context.instance, account)
    }
    if not ready:
        return dg.SkipReason("No approved change is waiting to be pushed.")
    # No run keys: a key would stay taken by a push that failed before it touched its changes.
    # A second push of the same changes does no harm, since each change is claimed.
    return dg.SensorResult(
        run_requests=[
            dg.RunRequest(
                run_config=dg.RunConfig(
                    ops={"push_changes": PushConfig(account=account, changes=changes)}
                ),
                tags={ACCOUNT_TAG: account, "dagster/max_runtime": "900"},
            )
            for account, changes in ready.items()
        ]
    )


def _resting(instance: dg.DagsterInstance, account: str) -> bool:
    """Whether a push of the account is going on, or has failed a moment ago."""
    runs = instance.get_run_records(
        dg.RunsFilter(job_name=push.name, tags={ACCOUNT_TAG: account}), limit=1
    )
    if not runs:
        return False
    newest = runs[0]
    age = datetime.now(UTC) - newest.create_timestamp.replace(tzinfo=UTC)
    if newest.dagster_run.is_finished:
        failed = newest.dagster_run.status is not dg.DagsterRunStatus.SUCCESS
        return failed and age < _REST_AFTER_FAILURE
    return age < GIVEN_UP_AFTER
