"""Runs a Dagster job in this process and waits for it: what the CLI and the demo do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import dagster as dg

from zyenta_ads_pipeline.domain.errors import ZyentaError
from zyenta_ads_pipeline.domain.time import DateRange
from zyenta_ads_pipeline.instance import open_instance
from zyenta_ads_pipeline.jobs import ASSETS_OF
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
    job_name: str, instance: dg.DagsterInstance, accounts: Sequence[str], days: DateRange
) -> Finished:
    """Run an asset job once over a range of days.

    Raises the error that stopped it, or a `ZyentaError` for a check that did not pass.
    """
    from zyenta_ads_pipeline.definitions import defs  # noqa: PLC0415 - a second to import

    job = defs.resolve_job_def(job_name)
    config = {"config": {"accounts": list(accounts)}}
    return _finished(
        job.execute_in_process(
            run_config={"ops": dict.fromkeys(ASSETS_OF[job_name], config), **_QUIET},
            instance=instance,
            tags=range_tags(days),
            raise_on_error=True,
        )
    )


def run_push(instance: dg.DagsterInstance, account: str) -> Finished:
    """Push one account's approved changes; raises what stopped it."""
    from zyenta_ads_pipeline.definitions import defs  # noqa: PLC0415 - a second to import

    job = defs.resolve_job_def("push")
    config = {"push_changes": {"config": {"account": account}}}
    return _finished(
        job.execute_in_process(
            run_config={"ops": config, **_QUIET}, instance=instance, raise_on_error=True
        )
    )


_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def _finished(result: dg.ExecuteInProcessResult) -> Finished:
    failed = [
        evaluation
        for evaluation in result.get_asset_check_evaluations()
        if not evaluation.passed and evaluation.severity is dg.AssetCheckSeverity.ERROR
    ]
    if failed:
        told = "; ".join(
            f"{one.asset_key.to_user_string()}.{one.check_name}: "
            + (one.description or " ".join(str(value.value) for value in one.metadata.values()))
            for one in failed
        )
        raise ZyentaError(f"What was stored does not pass its checks: {told}.", "Run it again.")
    return Finished(
        run_id=result.run_id,
        metadata={
            event.asset_key.to_user_string(): {
                name: value.value
                for name, value in event.step_materialization_data.materialization.metadata.items()
            }
            for event in result.all_events
            if event.is_step_materialization and event.asset_key is not None
        },
    )
