"""The unmodified `facebook-business` SDK as a client of the sandbox."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from zyenta_ads_pipeline.sandbox.config import SandboxConfig
from zyenta_ads_pipeline.sandbox.process import SandboxHandle, run_sandbox

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    facebook_business = pytest.importorskip("facebook_business")
    from facebook_business.adobjects.adaccount import AdAccount
    from facebook_business.adobjects.adset import AdSet
    from facebook_business.adobjects.campaign import Campaign
    from facebook_business.adobjects.user import User
    from facebook_business.api import FacebookAdsApi
    from facebook_business.exceptions import FacebookRequestError
    from facebook_business.session import FacebookSession


class SandboxSession(FacebookSession):  # type: ignore[misc, unused-ignore]
    """The SDK's own session; its class attribute for the host is all that differs."""


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxHandle]:
    config = SandboxConfig(
        state=tmp_path_factory.mktemp("sdk"),
        port=0,
        start=datetime(2026, 11, 3, 17, 30, tzinfo=UTC),
        frozen=True,
    )
    with run_sandbox(config) as running:
        yield running


def api_for(sandbox: SandboxHandle, token: str = SandboxConfig.token) -> FacebookAdsApi:
    session = type("Session", (SandboxSession,), {"GRAPH": sandbox.url})
    return FacebookAdsApi(session("1", "app-secret", token, timeout=30))


@pytest.fixture(scope="module")
def account(sandbox: SandboxHandle) -> AdAccount:
    api = api_for(sandbox)
    accounts = list(User("me", api=api).get_ad_accounts(fields=["name", "currency"]))
    assert [each["id"] for each in accounts] == [f"act_{sandbox.account_ids[0]}"]
    assert accounts[0]["currency"] == "USD"
    return AdAccount(accounts[0]["id"], api=api)


def test_lists_objects_over_several_pages(account: AdAccount) -> None:
    campaigns = list(account.get_campaigns(fields=["name", "daily_budget"], params={"limit": 2}))
    adsets = list(account.get_ad_sets(fields=["name", "campaign_id"], params={"limit": 2}))
    ads = list(account.get_ads(fields=["name", "creative"], params={"limit": 3}))
    creatives = list(account.get_ad_creatives(fields=["name"], params={"limit": 4}))
    assert [len(found) for found in (campaigns, adsets, ads, creatives)] == [5, 7, 14, 14]
    assert {s["campaign_id"] for s in adsets} == {c["id"] for c in campaigns}
    total = account.get_ads(params={"summary": True, "limit": 1}).total()
    assert total == 14


def test_reads_insights_over_several_pages(account: AdAccount) -> None:
    params = {
        "level": "ad",
        "time_increment": 1,
        "time_range": {"since": "2026-10-20", "until": "2026-10-29"},
        "filtering": [{"field": "ad.effective_status", "operator": "IN", "value": ["ACTIVE"]}],
        "limit": 25,
    }
    rows = list(account.get_insights(fields=["ad_id", "spend", "actions"], params=params))
    assert len(rows) == len({(row["ad_id"], row["date_start"]) for row in rows}) == 120
    assert all(row["date_start"] == row["date_stop"] for row in rows)


def test_updates_a_budget_and_reads_it_back(account: AdAccount) -> None:
    api = account.get_api_assured()
    found = account.get_campaigns(fields=["daily_budget"])
    campaign_id = next(c["id"] for c in found if "daily_budget" in c)
    campaign = Campaign(campaign_id, api=api)
    campaign.api_update(params={"daily_budget": 16500})
    assert campaign.api_get(fields=["daily_budget"])["daily_budget"] == "16500"
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


def test_bad_token(sandbox: SandboxHandle) -> None:
    with pytest.raises(FacebookRequestError) as refused:
        list(User("me", api=api_for(sandbox, "wrong")).get_ad_accounts())
    assert refused.value.api_error_code() == 190
    assert refused.value.http_status() == 400
