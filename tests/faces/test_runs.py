"""Runs in this process: what stops one is told in words."""

from __future__ import annotations

import dagster as dg
import pytest

from zyenta_ads_pipeline.domain.errors import InputError, ZyentaError
from zyenta_ads_pipeline.runs import run_job


@dg.asset
def numbers() -> None:
    """Always fine."""


@dg.asset
def broken() -> None:
    raise InputError("The day is odd.", "Take an even one.")


@dg.asset_check(asset=numbers, blocking=True)
def add_up() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=False, description="2 and 2 make 5")


def _job(*assets: dg.AssetsDefinition, checks: bool = False) -> dg.JobDefinition:
    defs = dg.Definitions(
        assets=assets,
        asset_checks=[add_up] if checks else [],
        jobs=[dg.define_asset_job("job", executor_def=dg.in_process_executor)],
    )
    return defs.resolve_job_def("job")


def test_a_run_that_ends_well_tells_what_it_wrote() -> None:
    with dg.instance_for_test() as instance:
        assert set(run_job(_job(numbers), instance, ops={}, tags={}).metadata) == {"numbers"}


def test_a_blocking_check_is_told_in_its_own_words() -> None:
    with (
        dg.instance_for_test() as instance,
        pytest.raises(ZyentaError, match=r"numbers\.add_up: 2 and 2 make 5"),
    ):
        run_job(_job(numbers, checks=True), instance, ops={}, tags={})


def test_an_error_of_ours_comes_out_as_it_is() -> None:
    with dg.instance_for_test() as instance, pytest.raises(InputError, match="Take an even one"):
        run_job(_job(broken), instance, ops={}, tags={})
