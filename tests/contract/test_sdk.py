"""The unmodified `facebook-business` SDK as a client of the sandbox."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.sandboxes import run_sandbox
from zyenta_ads_pipeline.sandbox.config import SandboxConfig
from zyenta_ads_pipeline.sandbox.process import SandboxHandle

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    facebook_business = pytest.importorskip("facebook_business")
    from facebook_business.adobjects.adaccount import AdAccount
    from facebook_business.adobjects.adreportrun import AdReportRun
    from facebook_business.adobjects.adset import AdSet
    from facebook_business.adobjects.campaign import Campaign
    from facebook_business.adobjects.user import User
    from facebook_business.api import FacebookAdsApi
    from facebook_business.exceptions import FacebookRequestError
    from facebook_business.session import FacebookSession

SECRET = "app-secret"
DAYS = {"since": "2026-10-20", "until": "2026-10-29"}


class SandboxSession(FacebookSession):  # type: ignore[misc, unused-ignore]
    """The SDK's own session; its class attribute for the host is all that differs."""


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxHandle]:
    config = SandboxConfig(
        state=tmp_path_factory.mktemp("sdk"),
        port=0,
        start=datetime(2026, 11, 3, 17, 30, tzinfo=UTC),
        frozen=True,
        app_id="1",
        app_secret=SECRET,
    )
    with run_sandbox(config) as running:
        yield running


def api_for(
    sandbox: SandboxHandle, token: str = SandboxConfig.token, secret: str = SECRET
) -> FacebookAdsApi:
    session = type("Session", (SandboxSession,), {"GRAPH": sandbox.url})
    return FacebookAdsApi(session("1", secret, token, timeout=30))


@pytest.fixture(scope="module")
def account(sandbox: SandboxHandle) -> AdAccount:
    api = api_for(sandbox)
    accounts = list(User("me", api=api).get_ad_accounts(fields=["name", "currency"]))
    assert [each["id"] for each in accounts] == [f"act_{sandbox.account_ids[0]}"]
    assert accounts[0]["currency"] == "USD"
    return AdAccount(accounts[0]["id"], api=api)


@pytest.fixture
def faults(sandbox: SandboxHandle) -> Iterator[SandboxHandle]:
    """The sandbox, with its faults cleared afterwards."""
    yield sandbox
    sandbox.clear_faults()


def finished(run: AdReportRun) -> AdReportRun:
    """Poll a report until Meta's two signs of the end agree, or it fails."""
    for _ in range(200):
        run.api_get()
        status, percent = run["async_status"], run["async_percent_completion"]
        if status in ("Job Failed", "Job Skipped") or (status, percent) == ("Job Completed", 100):
            return run
        time.sleep(0.02)
    raise AssertionError(f"the report never ended: {run}")


def test_lists_objects_over_several_pages(account: AdAccount) -> None:
    campaigns = list(account.get_campaigns(fields=["name", "daily_budget"], params={"limit": 2}))
    adsets = list(account.get_ad_sets(fields=["name", "campaign_id"], params={"limit": 2}))
    ads = list(account.get_ads(fields=["name", "creative"], params={"limit": 3}))
    creatives = list(account.get_ad_creatives(fields=["name"], params={"limit": 4}))
    assert [len(found) for found in (campaigns, adsets, ads)] == [5, 7, 14]
    assert {s["campaign_id"] for s in adsets} == {c["id"] for c in campaigns}
    assert {ad["creative"]["id"] for ad in ads} <= {creative["id"] for creative in creatives}
    total = account.get_ads(params={"summary": True, "limit": 1}).total()
    assert total == 14


def test_reads_insights_over_several_pages(account: AdAccount) -> None:
    params = {
        "level": "ad",
        "time_increment": 1,
        "time_range": DAYS,
        "filtering": [{"field": "ad.effective_status", "operator": "IN", "value": ["ACTIVE"]}],
        "limit": 25,
    }
    fields = ["ad_id", "spend", "actions"]
    rows = list(account.get_insights(fields=fields, params=params))
    assert len(rows) == len({(row["ad_id"], row["date_start"]) for row in rows}) > 100
    one_page = account.get_insights(fields=fields, params={**params, "limit": 500})
    assert [dict(row) for row in rows] == [dict(row) for row in one_page]
    assert all(row["date_start"] == row["date_stop"] for row in rows)


def test_a_report_holds_what_a_direct_read_holds(account: AdAccount) -> None:
    fields = ["campaign_id", "spend", "impressions", "actions"]
    params = {"level": "campaign", "time_increment": 1, "time_range": DAYS}
    direct = list(account.get_insights(fields=fields, params={**params, "limit": 7}))
    run = finished(account.get_insights_async(fields=fields, params=params))
    assert run["async_status"] == "Job Completed"
    assert [dict(row) for row in run.get_result(params={"limit": 9})] == [
        dict(row) for row in direct
    ]
    by_call = account.get_insights(fields=fields, params=params, is_async=True)
    assert len(list(finished(by_call).get_result())) == len(direct)


def test_reports_that_fail_or_are_skipped(account: AdAccount, faults: SandboxHandle) -> None:
    faults.faults([{"preset": "job_too_large", "times": 1}, {"preset": "job_skipped", "times": 1}])
    run = finished(account.get_insights_async(params={"level": "ad"}))
    assert (run["async_status"], run["error_code"], run["error_subcode"]) == (
        "Job Failed", -3, 1504045,
    )  # fmt: skip
    with pytest.raises(FacebookRequestError) as refused:
        run.get_result()
    assert (refused.value.api_error_code(), refused.value.api_error_subcode()) == (2601, 1815107)
    assert finished(account.get_insights_async())["async_status"] == "Job Skipped"
    assert finished(account.get_insights_async())["async_status"] == "Job Completed"


def test_breakdowns_and_windows(account: AdAccount) -> None:
    fields = ["spend", "impressions", "actions"]
    params: dict[str, Any] = {"level": "account", "time_range": DAYS, "limit": 500}
    whole = account.get_insights(fields=fields, params=params)[0]
    parts = list(
        account.get_insights(fields=fields, params={**params, "breakdowns": ["age", "gender"]})
    )
    assert len(parts) > 2
    assert sum(int(row["impressions"]) for row in parts) == int(whole["impressions"])
    assert all(row["age"] and row["gender"] for row in parts)
    windows = ["1d_click", "7d_click", "1d_view"]
    told = account.get_insights(
        fields=fields, params={**params, "action_attribution_windows": windows}
    )[0]
    purchase = next(item for item in told["actions"] if item["action_type"] == "omni_purchase")
    assert int(purchase["1d_click"]) <= int(purchase["7d_click"])


def test_a_batch_with_null_parts_is_run_again(account: AdAccount, faults: SandboxHandle) -> None:
    api = account.get_api_assured()
    ids = [ad["id"] for ad in account.get_ads()][:5]
    names: dict[str, str] = {}
    failed: list[int] = []
    faults.faults([{"what": "null_part", "parts": [1, 3], "times": 1}])
    batch = api.new_batch()
    for ad_id in [*ids, "999"]:
        batch.add(
            "GET",
            (ad_id,),
            params={"fields": "name"},
            success=lambda reply: names.update({reply.json()["id"]: reply.json()["name"]}),
            failure=lambda reply: failed.append(reply.error().api_error_subcode()),
        )
    again = batch.execute()
    assert (len(names), failed, len(again)) == (3, [33], 2)
    assert again.execute() is None
    assert set(names) == set(ids)


def test_reports_are_polled_in_a_batch(account: AdAccount) -> None:
    api = account.get_api_assured()
    runs = [account.get_insights_async(params={"level": level}) for level in ("ad", "adset")]
    done: set[str] = set()

    def told(reply: Any) -> None:
        run = reply.json()
        if (run["async_status"], run["async_percent_completion"]) == ("Job Completed", 100):
            done.add(run["id"])

    for _ in range(200):
        batch = api.new_batch()
        for run in runs:
            run.api_get(batch=batch, success=told)
        assert batch.execute() is None
        if len(done) == 2:
            return
        time.sleep(0.02)
    raise AssertionError("the reports never ended")


def test_updates_a_budget_and_reads_it_back(account: AdAccount) -> None:
    api = account.get_api_assured()
    found = account.get_campaigns(fields=["daily_budget"])
    campaign_id = next(c["id"] for c in found if "daily_budget" in c)
    campaign = Campaign(campaign_id, api=api)
    campaign.api_update(params={"daily_budget": 16500})
    assert campaign.api_get(fields=["daily_budget"])["daily_budget"] == "16500"
    campaign.api_update(params={"daily_budget": 17000, "execution_options": ["validate_only"]})
    assert campaign.api_get(fields=["daily_budget"])["daily_budget"] == "16500"
    campaign.api_update(params={"status": Campaign.Status.paused})
    assert campaign.api_get(fields=["effective_status"])["effective_status"] == "PAUSED"
    adset_id = campaign.get_ad_sets()[0]["id"]
    with pytest.raises(FacebookRequestError) as refused:
        AdSet(adset_id, api=api).api_update(params={"daily_budget": 16500})
    assert refused.value.api_error_subcode() == 1885621
    assert refused.value.api_blame_field_specs() == [["daily_budget"]]


def test_deletes(account: AdAccount) -> None:
    ad = account.get_ads()[-1]
    ad.api_delete()
    assert ad.api_get(fields=["effective_status"])["effective_status"] == "DELETED"
    assert ad["id"] not in [each["id"] for each in account.get_ads()]


def test_tokens_and_proofs(sandbox: SandboxHandle) -> None:
    with pytest.raises(FacebookRequestError) as refused:
        list(User("me", api=api_for(sandbox, "wrong")).get_ad_accounts())
    assert refused.value.api_error_code() == 190
    assert refused.value.http_status() == 400
    with pytest.raises(FacebookRequestError) as refused:
        list(User("me", api=api_for(sandbox, secret="wrong")).get_ad_accounts())
    assert refused.value.api_error_code() == 104


@pytest.mark.parametrize(("rule", "status", "code", "subcode", "transient"), [
    ({"preset": "rate_limit"}, 400, 17, 2446079, True),
    ({"preset": "management_throttle"}, 400, 80004, 2446079, False),
    ({"preset": "expired_token"}, 400, 190, 463, False),
    ({"preset": "error_in_200"}, 200, 2, None, False),
    ({"preset": "error_data_as_text"}, 400, 100, 1885272, False),
    ({"preset": "empty_reply", "status": 502}, 502, None, None, False),
    ({"preset": "service_unavailable_text"}, 200, None, None, False),
])  # fmt: skip
def test_faults_become_the_sdks_errors(
    account: AdAccount, faults: SandboxHandle, rule: dict[str, Any], status: int,
    code: int | None, subcode: int | None, transient: bool,
) -> None:  # fmt: skip
    faults.faults([{**rule, "times": 1}])
    with pytest.raises(FacebookRequestError) as refused:
        account.api_get(fields=["name"])
    error = refused.value
    assert (error.http_status(), error.api_error_code(), error.api_error_subcode()) == (
        status, code, subcode,
    )  # fmt: skip
    assert error.api_transient_error() is transient
    assert account.api_get(fields=["name"])["name"]
