"""Requests become launched campaigns by sensor and job, on a real sandbox."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from tests.campaigns.launching import graph
from tests.faces.campaign_home import (
    carried_out,
    failure,
    materialized,
    requested,
    skipped,
    wanted,
)
from zyenta_ads_pipeline.connections import accounts_of, store_of
from zyenta_ads_pipeline.domain.campaign import AdCampaign, CampaignStatus
from zyenta_ads_pipeline.lake.creative_tables import AD_CREATIVES
from zyenta_ads_pipeline.resources import Accounts, LakeResource
from zyenta_ads_pipeline.sandbox.process import SandboxHandle
from zyenta_ads_pipeline.sensors import REQUEST_TAG, waiting_requests
from zyenta_ads_pipeline.settings import Settings
from zyenta_ads_pipeline.store.campaign_models import RequestStep
from zyenta_ads_pipeline.store.campaigns import Campaigns
from zyenta_ads_pipeline.store.requests import CampaignRequests, RequestState
from zyenta_ads_pipeline.store.switches import KillSwitches


def state(settings: Settings, request_id: str) -> RequestState:
    with store_of(settings) as store:
        return CampaignRequests(store).state(request_id)


def campaigns(settings: Settings) -> list[AdCampaign]:
    with store_of(settings) as store:
        return Campaigns(store).find(creatives=True)


def throw(settings: Settings, account: str | None) -> None:
    with store_of(settings) as store:
        KillSwitches(store).throw(account, by="ada", reason="too dear", now=datetime.now(UTC))


def lift(settings: Settings, account: str | None) -> None:
    with store_of(settings) as store:
        KillSwitches(store).lift(account, by="ada", now=datetime.now(UTC))


def test_a_connected_account_is_worked_on_without_a_setting(settings: Settings) -> None:
    assert settings.ad_account_ids == ()
    assert Accounts().chosen(settings) == accounts_of(settings) != []


def test_a_request_becomes_a_campaign_that_is_paused_on_meta(
    settings: Settings, sandbox: SandboxHandle, instance: dg.DagsterInstance
) -> None:
    assert "No campaign" in skipped(waiting_requests, instance)
    request = requested(settings, product_ids=("p2",))
    (run,) = wanted(waiting_requests, instance)
    assert run.tags[REQUEST_TAG] == request.id
    assert run.run_config["ops"]["launch_campaign"]["config"] == {"request_id": request.id}

    result = carried_out(instance, request.id)
    assert result.success
    assert state(settings, request.id).state is RequestStep.DONE
    (campaign,) = campaigns(settings)
    assert campaign.status is CampaignStatus.PENDING_REVIEW
    with graph(sandbox) as api:
        found = api.get(f"/{campaign.platform_campaign_id}", params={"fields": "status"}).json()
    assert found["status"] == "PAUSED"
    assert "No campaign" in skipped(waiting_requests, instance)

    (launched,) = materialized(result, "launched_campaigns")
    assert launched["campaign"] == campaign.id
    assert str(campaign.platform_campaign_id) in launched["ads_manager"]
    assert f"act={campaign.account_id}" in launched["ads_manager"]
    assert "| p2 |" in launched["creatives"]
    rows = LakeResource().open().snapshot().scan(AD_CREATIVES).collect()
    assert rows.height == len(campaign.creatives) == 3
    assert set(rows["platform_ad_id"]) == {each.platform_ad_id for each in campaign.creatives}
    assert rows.filter(pl.col("platform_ad_id").is_null()).is_empty()
    assert materialized(result, "ad_creatives")[-1]["dagster/row_count"] == 3
    logged = [entry.user_message for entry in instance.all_logs(result.run_id)]
    assert any(words.startswith("Writing 3 creatives") for words in logged)
    assert any(words.startswith("Step 1 of") for words in logged)

    again = carried_out(instance, request.id)
    assert again.success, "a run of what is done does nothing"
    assert [each.id for each in campaigns(settings)] == [campaign.id]


def test_one_run_of_a_request_at_a_time_and_none_right_after_a_failed_one(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    request = requested(settings)
    (run,) = wanted(waiting_requests, instance)
    going = dg.DagsterRun(
        job_name="create_campaign",
        run_id="b" * 32,
        tags=dict(run.tags),
        status=dg.DagsterRunStatus.STARTED,
    )
    instance.add_run(going)
    assert request.id in skipped(waiting_requests, instance)
    other = requested(settings)
    (second,) = wanted(waiting_requests, instance)
    assert second.tags[REQUEST_TAG] == other.id, "the other one is not held up"
    instance.report_run_failed(going)
    assert len(wanted(waiting_requests, instance)) == 1, "the failed one rests"
    with store_of(settings) as store:
        later = datetime.now(UTC) + timedelta(minutes=1)
        requests = CampaignRequests(store)
        requests.claim(request.id, "ada", timedelta(minutes=1), later)
        requests.finish(request.id, error="no", now=later)
        requests.retry(request.id, later)
    assert len(wanted(waiting_requests, instance)) == 2, "unless a person wants it again"


def test_kill_switches_hold_requests_back_and_say_why(
    settings: Settings, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    requested(settings)
    (account,) = accounts_of(settings)
    for scope in (account, None):
        throw(settings, scope)
        told = skipped(waiting_requests, instance)
        assert "stopped by ada" in told
        assert "too dear" in told
        lift(settings, scope)
    throw(settings, "999")
    assert len(wanted(waiting_requests, instance)) == 1, "another account's switch"
    monkeypatch.setenv("ZYENTA_KILL_SWITCH", "true")
    assert "ZYENTA_KILL_SWITCH" in skipped(waiting_requests, instance)


def test_a_paused_launch_fails_the_run_in_words_and_is_gone_on_with(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    request = requested(settings)
    (account,) = accounts_of(settings)
    throw(settings, account)
    result = carried_out(instance, request.id)
    assert not result.success
    told = failure(result, "launch_campaign")
    assert "kill switch" in told
    assert "a later run takes it up" in told
    assert state(settings, request.id).state is RequestStep.WORKING
    (draft,) = campaigns(settings)
    assert draft.status is CampaignStatus.DRAFT
    lift(settings, account)
    assert "No campaign" in skipped(waiting_requests, instance), "its lease is not over"
    with store_of(settings) as store:
        owner = CampaignRequests(store).state(request.id).owner or ""
        CampaignRequests(store).renew(request.id, owner, timedelta(0), datetime.now(UTC))
    assert len(wanted(waiting_requests, instance)) == 1
    assert carried_out(instance, request.id).success
    (launched,) = campaigns(settings)
    assert (launched.id, launched.status) == (draft.id, CampaignStatus.PENDING_REVIEW)


def test_what_a_person_has_to_mend_fails_once(
    settings: Settings, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    request = requested(settings)
    for each in ("p1", "p2"):
        (tmp_path / f"{each}.jpg").rename(tmp_path / f"{each}.gone")
    result = carried_out(instance, request.id)
    assert not result.success
    failed = state(settings, request.id)
    assert failed.state is RequestStep.FAILED
    assert failed.error
    assert failed.error in failure(result, "launch_campaign")
    assert "No campaign" in skipped(waiting_requests, instance)


def test_a_defect_fails_the_request_so_that_it_is_not_repeated_for_ever(
    settings: Settings, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("one plus one")

    monkeypatch.setattr("zyenta_ads_pipeline.agent.draft_campaign", broken)
    request = requested(settings)
    assert not carried_out(instance, request.id).success
    failed = state(settings, request.id)
    assert failed.state is RequestStep.FAILED
    assert "one plus one" in (failed.error or "")
