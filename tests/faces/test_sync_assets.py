"""The assets that read days: an account without any, one deadline a run, what is wanted, alerts."""

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from tests.ingestion.syncing import ACCOUNT, TOKEN, days, shop
from zyenta_ads_pipeline.connections import alerts_of
from zyenta_ads_pipeline.definitions import defs
from zyenta_ads_pipeline.domain.ads import AdAccount
from zyenta_ads_pipeline.domain.errors import AuthenticationFailed
from zyenta_ads_pipeline.domain.time import DateRange
from zyenta_ads_pipeline.ingestion import reads
from zyenta_ads_pipeline.ingestion.account_sync import Synced
from zyenta_ads_pipeline.ingestion.alerting import Notifier, account_outcomes
from zyenta_ads_pipeline.ingestion.insights import account_frame
from zyenta_ads_pipeline.lake.lake import Scope
from zyenta_ads_pipeline.lake.tables import AD_ACCOUNTS
from zyenta_ads_pipeline.partitions import range_tags
from zyenta_ads_pipeline.resources import LakeResource, StoreResource, run_deadline
from zyenta_ads_pipeline.runs import instance_of, run_days
from zyenta_ads_pipeline.sandbox.process import SandboxHandle
from zyenta_ads_pipeline.schedules import every_hour, newest_days
from zyenta_ads_pipeline.settings import Settings, load_settings

LAST_DAYS = days("2026-11-21", "2026-11-22")
_NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
_DEAD = AuthenticationFailed("The token expired.", "Put a valid one in.")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.validation_alias), raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZYENTA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("META_ACCESS_TOKEN", TOKEN)
    monkeypatch.setenv("META_AD_ACCOUNT_IDS", f"act_{ACCOUNT}")
    return tmp_path / "home"


@pytest.fixture
def sandbox(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxHandle]:
    """A shop of one account, and the settings that name it."""
    with shop(tmp_path / "shop") as (running, _):
        monkeypatch.setenv("META_GRAPH_URL", running.url)
        yield running


def run(job: str, span: DateRange, *only: str) -> dict[str, dict[str, Any]]:
    """One run in this process; the metadata of its assets."""
    settings = load_settings()
    with instance_of(settings) as instance:
        done = run_days(job, instance, settings.ad_account_ids, span, only=only or None)
    return {name: dict(found) for name, found in done.metadata.items()}


def open_alerts() -> set[str]:
    with alerts_of(load_settings()) as alerts:
        return {alert.key for alert in alerts.open()}


def test_the_first_run_of_an_account_without_any_delivery_ends_well(
    sandbox: SandboxHandle,
) -> None:
    metadata = run("sync", days("2026-10-01", "2026-10-02"))
    assert metadata["raw_insights"]["dagster/row_count"] == 0
    assert metadata["insights_by_hour"]["dagster/row_count"] == 0
    assert metadata["campaign_trailing"]["dagster/row_count"] == 0


def test_a_breakdown_that_is_not_wanted_is_not_asked_for_and_its_alerts_end(
    sandbox: SandboxHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    with alerts_of(load_settings()) as alerts:
        for key in (f"gap:act_{ACCOUNT}:by_hour", f"gap:act_{ACCOUNT}:by_country"):
            alerts.raise_once(key, "It does not add up.", "Look.", ACCOUNT)
    monkeypatch.setenv("ZYENTA_BREAKDOWNS", "by_country")
    metadata = run("sync", LAST_DAYS, "raw_insights", "insights_by_hour")
    assert "not wanted" in metadata["insights_by_hour"]["read"]
    asked = [call for call in sandbox.calls()["last"] if "breakdowns" in call["params"]]
    assert asked == []
    assert open_alerts() == {f"gap:act_{ACCOUNT}:by_country"}


def test_a_breakdown_that_does_not_add_up_is_told_until_it_does(sandbox: SandboxHandle) -> None:
    run("sync", LAST_DAYS, "raw_insights")
    cut_short = {"what": "json", "status": 200, "body": {"data": []}}
    sandbox.faults([{**cut_short, "params": {"breakdowns": '["country"]'}, "path": "*/insights"}])
    run("breakdowns", LAST_DAYS, "insights_by_country")
    assert open_alerts() == {f"gap:act_{ACCOUNT}:by_country"}
    sandbox.clear_faults()
    metadata = run("breakdowns", LAST_DAYS, "insights_by_country")
    assert metadata["insights_by_country"]["days_read"] == len(LAST_DAYS)
    assert open_alerts() == set()


def test_insights_that_may_not_be_read_are_told_once_while_objects_can_be(
    sandbox: SandboxHandle,
) -> None:
    refused = {"what": "error", "code": 200, "message": "Permissions error", "kind": "insights"}
    sandbox.faults([refused])
    for _ in range(2):
        with pytest.raises(Exception, match="200"):
            run("sync", LAST_DAYS, "raw_insights")
        run("sync", LAST_DAYS, "ad_objects")
        with alerts_of(load_settings()) as alerts:
            (alert,) = alerts.open()
            assert (alert.id, alert.key) == (1, f"access:act_{ACCOUNT}:insights")
    sandbox.clear_faults()
    run("sync", LAST_DAYS, "raw_insights")
    assert open_alerts() == set()


@pytest.mark.parametrize(("allowed", "slept"), [(30.0, 0.6), (0.3, 0.5)], ids=["left", "over"])
def test_all_assets_of_a_run_share_its_deadline(
    home: Path, monkeypatch: pytest.MonkeyPatch, allowed: float, slept: float
) -> None:
    monkeypatch.setenv("ZYENTA_SYNC_DEADLINE", str(allowed))
    ends: list[float] = []

    def read(context: dg.AssetExecutionContext) -> None:
        deadline = run_deadline(context, load_settings())
        ends.append(deadline.at or 0.0)
        assert 0 < deadline.left() <= allowed
        time.sleep(slept)

    first = dg.asset(name="first")(read)
    second = dg.asset(name="second", deps=[first])(read)
    with dg.DagsterInstance.ephemeral() as instance:
        assert dg.materialize([first, second], instance=instance).success
    moved = ends[1] - ends[0]
    if slept < allowed:
        assert abs(moved) < slept / 2, "the first one's time is gone for the second"
    else:
        assert moved > 0, "one that comes too late has a little time all the same"


def _requested() -> dict[str, str]:
    """The range of days that the hourly tick asks for."""
    with dg.instance_for_test() as instance:
        context = dg.build_schedule_context(instance=instance, scheduled_execution_time=_NOW)
        request = every_hour(context, lake=LakeResource(), store=StoreResource())
    assert isinstance(request, dg.RunRequest)
    return {name: request.tags[name] for name in range_tags(LAST_DAYS)}


def _read_an_hour_ago(account_id: str) -> None:
    then = _NOW - timedelta(hours=1)
    account = AdAccount(account_id, "One", "USD", "UTC", 1, None, then)
    span = [_NOW.date() - timedelta(days=n) for n in range(40)]
    lake = LakeResource().open()
    frame = account_frame([Synced(account)], {}, None, "run")
    lake.write(AD_ACCOUNTS, frame, Scope([account_id]))
    reads.store(
        lake,
        account_id,
        reads.STREAM,
        reads.read_rows(account, reads.STREAM, span, {}, {}, "run"),
        span,
    )


def test_an_account_with_a_dead_token_does_not_make_the_others_read_all_their_days(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("META_AD_ACCOUNT_IDS", "act_1,act_2")
    _read_an_hour_ago("1")
    tiers = load_settings().restatement_tiers
    assert _requested() == range_tags(newest_days(tiers[-1].days)), "act_2 was never read"
    with alerts_of(load_settings()) as alerts:
        account_outcomes(Notifier(alerts), ["1"], {"2": _DEAD}, "insights")
        assert _requested() == range_tags(newest_days(tiers[0].days))
        account_outcomes(Notifier(alerts), [], {"1": _DEAD, "2": _DEAD}, "insights")
        assert _requested() == range_tags(newest_days(tiers[0].days)), "to notice a new token"
        account_outcomes(Notifier(alerts), ["1", "2"], {}, "insights")
    assert _requested() == range_tags(newest_days(tiers[-1].days))


def test_upkeep_removes_raw_replies_older_than_the_settings_say(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZYENTA_RAW_DAYS", "30")
    kept, old = (home / "raw" / ACCOUNT / run / "ad.jsonl.zst" for run in ("new", "old"))
    for path, age in ((kept, 29), (old, 31)):
        path.parent.mkdir(parents=True)
        path.write_bytes(b"")
        moment = datetime.now(UTC).timestamp() - age * 86_400
        os.utime(path, (moment, moment))
    with instance_of(load_settings()) as instance:
        assert defs.resolve_job_def("upkeep").execute_in_process(instance=instance).success
    assert kept.exists()
    assert not old.parent.exists()
