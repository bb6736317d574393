"""Watches the store: approved changes are pushed, what was left half-sent is settled, and requested
campaigns are made."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import dagster as dg

from zyenta_ads_pipeline.account_rules import bounds_of
from zyenta_ads_pipeline.campaigns.undo import OWN_WISHES
from zyenta_ads_pipeline.connections import accounts_of, stopped, vault_of
from zyenta_ads_pipeline.domain.campaign import CampaignRequest
from zyenta_ads_pipeline.domain.change import Autopilot, ChangeState
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.jobs import PushConfig, RequestConfig, create_campaign, push
from zyenta_ads_pipeline.resources import StoreResource
from zyenta_ads_pipeline.schedules import GIVEN_UP_AFTER
from zyenta_ads_pipeline.settings import Settings, load_settings
from zyenta_ads_pipeline.store.connections import Connections
from zyenta_ads_pipeline.store.database import Store
from zyenta_ads_pipeline.store.outbox import Outbox
from zyenta_ads_pipeline.store.requests import CampaignRequests

ACCOUNT_TAG = "zyenta/account"
REQUEST_TAG = "zyenta/request"
_REST_AFTER_FAILURE = timedelta(minutes=5)
SWITCHED_OFF = "The kill switch is on (ZYENTA_KILL_SWITCH)."


@dg.sensor(
    job=push,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Starts one push per account that has approved changes, or changes that an "
    "interrupted push left half-sent. While the autopilot only watches, of what a person asked for "
    "by hand alone.",
)
def approved_changes(
    context: dg.SensorEvaluationContext, store: StoreResource
) -> dg.SensorResult | dg.SkipReason:
    settings = load_settings()
    if settings.kill_switch:
        return dg.SkipReason(SWITCHED_OFF)
    with store.opened() as opened:
        by_account, watched = _open_changes(opened, settings)
        halted = {account: stopped(settings, opened, account) for account in by_account}
    ready = {
        account: changes
        for account, changes in by_account.items()
        if halted[account] is None and not is_resting(context.instance, push.name, _of(account))
    }
    if not ready:
        why = [reason for reason in halted.values() if reason is not None]
        if watched:
            why.append(f"The autopilot only watches {', '.join(f'act_{e}' for e in watched)}.")
        return dg.SkipReason(" ".join(why) or "No approved change is waiting to be pushed.")
    # No run keys: a key would stay taken by a push that failed before it touched its changes.
    # A second push of the same changes does no harm, since each change is claimed.
    return dg.SensorResult(
        run_requests=[
            dg.RunRequest(
                run_config=dg.RunConfig(
                    ops={"push_changes": PushConfig(account=account, changes=changes)}
                ),
                tags={**_of(account), "dagster/max_runtime": "900"},
            )
            for account, changes in ready.items()
        ]
    )


@dg.sensor(
    job=create_campaign,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Starts one run per requested campaign that nobody works on, and per one whose "
    "worker died or paused.",
)
def waiting_requests(
    context: dg.SensorEvaluationContext, store: StoreResource
) -> dg.SensorResult | dg.SkipReason:
    settings = load_settings()
    if settings.kill_switch:
        return dg.SkipReason(SWITCHED_OFF)
    ready: list[tuple[CampaignRequest, str | None]] = []
    why: list[str] = []
    with store.opened() as opened:
        requests = CampaignRequests(opened)
        for request in requests.waiting(now=datetime.now(UTC)):
            account = _account(opened, settings, request)
            halted = stopped(settings, opened, account) if account else None
            touched = requests.state(request.id).updated_at
            if halted is not None:
                why.append(halted)
            elif is_resting(context.instance, create_campaign.name, _for(request), touched):
                why.append(f"A run of request {request.id} is going on, or has just failed.")
            else:
                ready.append((request, account))
    if not ready:
        return dg.SkipReason(" ".join(dict.fromkeys(why)) or "No campaign has been asked for.")
    # No run keys, as above: a request is claimed by one run.
    return dg.SensorResult(
        run_requests=[
            dg.RunRequest(
                run_config=dg.RunConfig(
                    ops={
                        "write_creatives": RequestConfig(request_id=request.id),
                        "launch_campaign": RequestConfig(request_id=request.id),
                    }
                ),
                tags={
                    **_for(request),
                    "zyenta/store": request.store_id,
                    **(_of(account) if account else {}),
                    "dagster/max_runtime": "1800",
                },
            )
            for request, account in ready
        ]
    )


def _open_changes(store: Store, settings: Settings) -> tuple[dict[str, list[str]], list[str]]:
    """The changes of our accounts that may be pushed now, by account; and the accounts that the
    autopilot only watches, so that theirs have to wait."""
    waiting = Outbox(store).find(
        states=[ChangeState.APPROVED, ChangeState.SENDING], due=datetime.now(UTC)
    )
    ours = set(accounts_of(settings)) if waiting else set()
    found: dict[str, list[str]] = defaultdict(list)
    asked = {record.change.account_id for record in waiting} & ours
    watched = sorted(
        each
        for each in asked
        if bounds_of(settings, each, store=store).autopilot is Autopilot.WATCH
    )
    for record in waiting:
        account = record.change.account_id
        if account in ours and (account not in watched or record.change.policy in OWN_WISHES):
            found[account].append(record.id)
    return found, watched


def _account(store: Store, settings: Settings, request: CampaignRequest) -> str | None:
    """The account that a request's campaign would be in; None if its store is not connected any
    more, which the run then says."""
    try:
        connections = Connections(store, vault_of(settings))
        return connections.get(request.store_id, request.platform).account_id
    except InputError:
        return None


def _of(account: str) -> dict[str, str]:
    return {ACCOUNT_TAG: account}


def _for(request: CampaignRequest) -> dict[str, str]:
    return {REQUEST_TAG: request.id}


def is_resting(
    instance: dg.DagsterInstance,
    job_name: str,
    tags: Mapping[str, str],
    touched: datetime | None = None,
) -> bool:
    """Whether a run with these tags is going on, or has failed a moment ago; unless what it is
    about was `touched` since."""
    runs = instance.get_run_records(dg.RunsFilter(job_name=job_name, tags=dict(tags)), limit=1)
    if not runs:
        return False
    newest = runs[0]
    created = newest.create_timestamp.replace(tzinfo=UTC)
    age = datetime.now(UTC) - created
    if newest.dagster_run.is_finished:
        failed = newest.dagster_run.status is not dg.DagsterRunStatus.SUCCESS
        ended = datetime.fromtimestamp(newest.end_time, UTC) if newest.end_time else created
        again = touched is not None and touched > ended
        return failed and age < _REST_AFTER_FAILURE and not again
    return age < GIVEN_UP_AFTER
