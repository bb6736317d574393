"""Watches the outbox: what is approved is pushed, what was left half-sent is settled."""

from collections import defaultdict
from datetime import UTC, datetime

import dagster as dg

from zyenta_ads_pipeline.domain.change import ChangeState
from zyenta_ads_pipeline.jobs import PushConfig, push
from zyenta_ads_pipeline.resources import StoreResource
from zyenta_ads_pipeline.settings import load_settings
from zyenta_ads_pipeline.store.records import ChangeRecord


@dg.sensor(
    job=push,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Starts one push per account that has approved changes, or changes that an "
    "interrupted push left half-sent.",
)
def approved_changes(store: StoreResource) -> dg.SensorResult | dg.SkipReason:
    if load_settings().kill_switch:
        return dg.SkipReason("The kill switch is on (ZYENTA_KILL_SWITCH).")
    with store.outbox() as outbox:
        waiting = outbox.find(
            states=[ChangeState.APPROVED, ChangeState.SENDING], due=datetime.now(UTC)
        )
    by_account: dict[str, list[ChangeRecord]] = defaultdict(list)
    for record in waiting:
        by_account[record.change.account_id].append(record)
    if not by_account:
        return dg.SkipReason("No approved change is waiting.")
    return dg.SensorResult(
        run_requests=[
            dg.RunRequest(
                run_key=_run_key(records),
                run_config=dg.RunConfig(
                    ops={
                        "push_changes": PushConfig(
                            account=account, changes=[record.id for record in records]
                        )
                    }
                ),
                tags={"zyenta/account": account},
            )
            for account, records in by_account.items()
        ]
    )


def _run_key(records: list[ChangeRecord]) -> str:
    """Names the attempt of every change: a failed run keeps its key, so a new try needs another.

    Whatever was noted since (a wait, a retry) moves `updated_at` and so makes a new key.
    """
    newest = max(record.updated_at for record in records)
    first = min(records, key=lambda record: record.id)
    return f"change-{first.id}+{len(records)}:attempt-{first.attempt}:{newest.isoformat()}"
