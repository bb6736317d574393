"""What Dagster loads: complete to look at, one run per backfill, one run per tick."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from zyenta_ads_pipeline.connections import outbox_of
from zyenta_ads_pipeline.definitions import defs
from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.change import ChangeField, ProposedChange
from zyenta_ads_pipeline.domain.insights import PRESETS
from zyenta_ads_pipeline.lake.lake import Lake, Scope
from zyenta_ads_pipeline.lake.schema import Table
from zyenta_ads_pipeline.lake.tables import AD_ACCOUNTS, AD_METRICS, RAW_INSIGHTS, TABLES
from zyenta_ads_pipeline.lineage import DECIDED, SYNCED
from zyenta_ads_pipeline.partitions import FIRST_DAY, range_tags
from zyenta_ads_pipeline.resources import LakeResource, StoreResource
from zyenta_ads_pipeline.schedules import every_hour, newest_days
from zyenta_ads_pipeline.sensors import approved_changes
from zyenta_ads_pipeline.settings import load_settings

_SPECS = {spec.key.to_user_string(): spec for spec in defs.resolve_all_asset_specs()}
_NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
_DAY = date(2026, 11, 19)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ZYENTA_HOME", str(tmp_path))
    monkeypatch.setenv("META_AD_ACCOUNT_IDS", "act_1")
    return tmp_path


@pytest.mark.parametrize("name", sorted(_SPECS))
def test_every_asset_says_what_it_is(name: str) -> None:
    spec = _SPECS[name]
    assert spec.description
    assert spec.owners
    assert spec.kinds
    assert spec.group_name not in (None, "default")
    if name in TABLES:
        schema = spec.metadata["dagster/column_schema"]
        assert isinstance(schema, dg.TableSchema)
        assert all(column.description for column in schema.columns)


@pytest.mark.parametrize(
    "name",
    [name for name in SYNCED if name not in ("raw_insights", "ad_objects", "insights_by_hour")],
)
def test_every_metric_table_shows_its_sql(name: str) -> None:
    assert "SELECT" in str(_SPECS[name].metadata["sql"].value)


def test_daily_assets_are_backfilled_in_one_run() -> None:
    daily = [
        a for a in defs.assets or () if isinstance(a, dg.AssetsDefinition) and a.partitions_def
    ]
    assert len(daily) == 6 + len(PRESETS)
    assert {asset.backfill_policy for asset in daily} == {dg.BackfillPolicy.single_run()}


def test_the_lineage_leads_from_meta_to_what_is_live_on_meta() -> None:
    graph = {
        name: {dep.asset_key.to_user_string() for dep in spec.deps} for name, spec in _SPECS.items()
    }
    reached, wave = set(), {"live_on_meta"}
    while wave:
        reached |= wave
        wave = {parent for name in wave for parent in graph[name]} - reached
    assert {"meta_marketing_api", *SYNCED, *DECIDED} - {"insights_by_hour"} <= reached


def test_the_first_tick_is_one_run_over_all_days_that_may_still_change() -> None:
    with dg.instance_for_test() as instance:
        context = dg.build_schedule_context(instance=instance, scheduled_execution_time=_NOW)
        request = every_hour(context, lake=LakeResource(), store=StoreResource())
    assert isinstance(request, dg.RunRequest)
    days = newest_days(load_settings().restatement_days)
    assert {k: request.tags[k] for k in range_tags(days)} == range_tags(days)
    assert len(days) >= 28 + 1


def test_the_tick_is_skipped_while_a_run_is_going() -> None:
    with dg.instance_for_test() as instance:
        instance.add_run(
            dg.DagsterRun(job_name="hourly", run_id="a" * 32, status=dg.DagsterRunStatus.STARTED)
        )
        context = dg.build_schedule_context(instance=instance, scheduled_execution_time=_NOW)
        assert isinstance(
            every_hour(context, lake=LakeResource(), store=StoreResource()), dg.SkipReason
        )


def test_days_before_the_first_partition_are_never_asked_for() -> None:
    assert newest_days(10_000).since == FIRST_DAY


def _change() -> ProposedChange:
    return ProposedChange(
        platform="meta",
        account_id="1",
        campaign_id="2",
        level=Level.CAMPAIGN,
        object_id="2",
        object_name="Boots",
        field=ChangeField.DAILY_BUDGET,
        old_value="1000",
        new_value="1100",
        currency="EUR",
        reason="because",
        confidence=Decimal("0.7"),
        policy="roas_thresholds",
        decision_id="d",
        decided_at=_NOW,
    )


def _sensed(instance: dg.DagsterInstance) -> dg.SensorResult | dg.SkipReason:
    with dg.build_sensor_context(
        instance=instance, resources={"store": StoreResource()}
    ) as context:
        result = approved_changes(context)
    assert isinstance(result, dg.SensorResult | dg.SkipReason)
    return result


def test_the_sensor_starts_one_push_for_what_is_approved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZYENTA_AUTOPILOT", "approve")
    with dg.instance_for_test() as instance, outbox_of(load_settings()) as outbox:
        assert isinstance(_sensed(instance), dg.SkipReason)
        (record,) = outbox.propose([_change()], actor="test", now=_NOW).inserted
        assert isinstance(_sensed(instance), dg.SkipReason), "a proposal is not pushed"
        outbox.approve([record.id], actor="ada", now=_NOW)
        sensed = _sensed(instance)
        assert isinstance(sensed, dg.SensorResult)
        (request,) = sensed.run_requests or []
        config = {"account": "1", "changes": [record.id]}
        assert request.run_config["ops"]["push_changes"]["config"] == config

        run = dg.DagsterRun(
            job_name="push",
            run_id="b" * 32,
            tags=dict(request.tags),
            status=dg.DagsterRunStatus.STARTED,
        )
        instance.add_run(run)
        assert isinstance(_sensed(instance), dg.SkipReason), "one push of an account at a time"
        instance.report_run_failed(run)
        assert isinstance(_sensed(instance), dg.SkipReason), "a failed one is not hammered on"
        instance.delete_run(run.run_id)
        assert isinstance(_sensed(instance), dg.SensorResult), "and is tried again"

        for name, value in (("ZYENTA_KILL_SWITCH", "true"), ("ZYENTA_AUTOPILOT", "watch")):
            with monkeypatch.context() as changed:
                changed.setenv(name, value)
                assert isinstance(_sensed(instance), dg.SkipReason)
        monkeypatch.setenv("META_AD_ACCOUNT_IDS", "act_2")
        assert isinstance(_sensed(instance), dg.SkipReason), "not an account of ours any more"


def test_a_killed_run_does_not_stop_the_schedule_for_ever() -> None:
    with dg.instance_for_test() as instance:
        instance.add_run(
            dg.DagsterRun(job_name="hourly", run_id="a" * 32, status=dg.DagsterRunStatus.STARTED)
        )
        later = datetime.now(UTC) + timedelta(hours=3)
        context = dg.build_schedule_context(instance=instance, scheduled_execution_time=later)
        assert isinstance(
            every_hour(context, lake=LakeResource(), store=StoreResource()), dg.RunRequest
        )


def _raw(level: str, object_id: str, spend: str, impressions: str = "100") -> dict[str, object]:
    row = dict.fromkeys(RAW_INSIGHTS.schema.names())
    return row | {
        "date": _DAY,
        "account_id": "1",
        "level": level,
        "object_id": object_id,
        "spend": spend,
        "impressions": impressions,
        "age_days": 1,
        "observed_at": _NOW,
    }


def _write(table: Table, rows: list[dict[str, object]]) -> None:
    dates = [_DAY] if table.daily else None
    frame = pl.DataFrame(rows, schema=table.schema)
    LakeResource().open().write(table, frame, Scope(["1"], dates))


def _check(asset: str, name: str) -> dg.AssetCheckEvaluation:
    key = dg.AssetCheckKey(dg.AssetKey(asset), name)
    (check,) = [c for c in defs.asset_checks or () if key in c.check_keys]
    with dg.instance_for_test() as instance:
        result = dg.materialize(
            [check],
            instance=instance,
            resources={"lake": LakeResource()},
            selection=dg.AssetSelection.checks(key),
            raise_on_error=False,
        )
        (evaluation,) = result.get_asset_check_evaluations()
    return evaluation


def test_the_completeness_check_sees_a_missing_ad(home: Path) -> None:
    account = dict.fromkeys(AD_ACCOUNTS.schema.names())
    account |= {"account_id": "1", "currency": "EUR", "timezone": "UTC", "observed_at": _NOW}
    _write(AD_ACCOUNTS, [account])
    whole = [
        _raw("ad", "11", "1.00"),
        _raw("ad", "12", "2.01"),
        _raw("account", "1", "3.00", "200"),
    ]
    _write(RAW_INSIGHTS, whole)
    assert _check("raw_insights", "ad_sums_equal_account_totals").passed, "a rounded cent is no gap"
    _write(RAW_INSIGHTS, [whole[0], whole[2]])
    evaluation = _check("raw_insights", "ad_sums_equal_account_totals")
    assert not evaluation.passed
    assert str(_DAY) in str(evaluation.metadata["first"].value)


def test_negative_numbers_are_seen(home: Path) -> None:
    row = dict.fromkeys(AD_METRICS.schema.names()) | {
        "date": _DAY, "account_id": "1", "campaign_id": "2", "adset_id": "3", "ad_id": "4",
        "impressions": 1, "clicks": -1, "spend": Decimal(1), "observed_at": _NOW,
    }  # fmt: skip
    _write(AD_METRICS, [row])
    assert not _check("ad_metrics", "no_negative_numbers").passed
    _write(AD_METRICS, [row | {"clicks": 1}])
    assert _check("ad_metrics", "no_negative_numbers").passed
    assert _check("ad_metrics", "keys_unique").passed


def test_the_lake_of_the_settings_is_the_one_used(home: Path) -> None:
    assert Lake(load_settings().lake_location).root == str(home / "lake")
