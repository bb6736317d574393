"""Runs a Dagster job in this process and waits for it: what the CLI and the demo do."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import dagster as dg
from dagster._core.errors import DagsterAssetCheckFailedError

from zyenta_ads_pipeline.domain.errors import ZyentaError
from zyenta_ads_pipeline.domain.time import DateRange
from zyenta_ads_pipeline.instance import open_instance
from zyenta_ads_pipeline.lineage import ASSETS_OF, READ_FROM_META
from zyenta_ads_pipeline.partitions import range_tags
from zyenta_ads_pipeline.settings import Settings


@dataclass(frozen=True)
class Finished:
    """A run that ended well: its id, and the metadata of each asset it wrote."""

    run_id: str
    metadata: Mapping[str, Mapping[str, Any]]


@contextmanager
def instance_of(settings: Settings) -> Iterator[dg.DagsterInstance]:
    """Dagster's instance of this home, closed at the end."""
    with open_instance(settings) as instance:
        yield instance


def run_days(
    job_name: str,
    instance: dg.DagsterInstance,
    accounts: Sequence[str],
    days: DateRange,
    *,
    whole: bool = False,
    only: Sequence[str] | None = None,
) -> Finished:
    """Run an asset job once over a range of days, or `only` some of its assets; `whole` as in
    `SyncConfig`.

    Raises the error that stopped it, or a `ZyentaError` for a check that did not pass.
    """
    from zyenta_ads_pipeline.definitions import defs  # noqa: PLC0415 - a second to import

    config: dict[str, Any] = {"accounts": list(accounts)}
    ops = {
        name: {"config": config | ({"whole": whole} if name in READ_FROM_META else {})}
        for name in ASSETS_OF[job_name]
        if only is None or name in only
    }
    job = defs.resolve_job_def(job_name)
    if only is not None:
        job = job.get_subset(asset_selection={dg.AssetKey(name) for name in only})
    return run_job(job, instance, ops=ops, tags=range_tags(days))


def run_push(instance: dg.DagsterInstance, account: str) -> Finished:
    """Push one account's approved changes; raises what stopped it."""
    from zyenta_ads_pipeline.definitions import defs  # noqa: PLC0415 - a second to import

    ops = {"push_changes": {"config": {"account": account}}}
    return run_job(defs.resolve_job_def("push"), instance, ops=ops, tags={})


def run_job(
    job: dg.JobDefinition,
    instance: dg.DagsterInstance,
    *,
    ops: Mapping[str, Any],
    tags: Mapping[str, str],
) -> Finished:
    """Run a job with the given op configuration and tags; raises what stopped it."""
    run_id = str(uuid.uuid4())
    try:
        result = job.execute_in_process(
            run_config={"ops": ops, **_QUIET},
            instance=instance,
            tags=tags,
            run_id=run_id,
            raise_on_error=True,
        )
    except DagsterAssetCheckFailedError:
        result = None  # a blocking check; its words are among the run's events
    _raise_failed_checks(instance, run_id)
    assert result is not None  # noqa: S101 - a check that blocked has raised
    return Finished(run_id, _metadata(result))


_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def _raise_failed_checks(instance: dg.DagsterInstance, run_id: str) -> None:
    logged = instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    evaluations = [
        entry.dagster_event.asset_check_evaluation_data
        for entry in logged
        if entry.dagster_event is not None
    ]
    told = "; ".join(
        f"{one.asset_key.to_user_string()}.{one.check_name}: "
        + (one.description or " ".join(str(value.value) for value in one.metadata.values()))
        for one in evaluations
        if not one.passed and one.severity is dg.AssetCheckSeverity.ERROR
    )
    if told:
        raise ZyentaError(
            f"What was read does not pass its checks: {told.rstrip('.')}.",
            "docs/operations.md says what each check means.",
        )


def _metadata(result: dg.ExecuteInProcessResult) -> dict[str, dict[str, Any]]:
    return {
        event.asset_key.to_user_string(): {
            name: value.value
            for name, value in event.step_materialization_data.materialization.metadata.items()
        }
        for event in result.all_events
        if event.is_step_materialization and event.asset_key is not None
    }
