"""Meta as a platform, against the sandbox: a real server that speaks the Graph API."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

import pytest

from tests.platforms.conftest import START, TOKEN
from tests.platforms.scripted import ok, scripted
from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.errors import (
    AuthenticationFailed,
    IncompleteData,
    NotFound,
    RateLimited,
    ValidationRefused,
)
from zyenta_ads_pipeline.domain.time import DateRange
from zyenta_ads_pipeline.platforms.base import AdsPlatform, InsightsPage
from zyenta_ads_pipeline.platforms.meta.client import MetaClient
from zyenta_ads_pipeline.platforms.meta.platform import MetaAds
from zyenta_ads_pipeline.sandbox.process import SandboxHandle

T = TypeVar("T")
TODAY = date(2026, 11, 3)


def use(url: str, call: Callable[[AdsPlatform], Awaitable[T]], token: str = TOKEN) -> T:
    """Run one call with a connection of its own."""

    async def run() -> T:
        client = MetaClient(base_url=url, version="v26.0", token=token, timeout=30, max_wait=0)
        async with MetaAds(client) as meta:
            return await call(meta)

    return asyncio.run(run())


def read_pages(url: str, account: str, level: Level, days: DateRange) -> list[InsightsPage]:
    async def read(meta: AdsPlatform) -> list[InsightsPage]:
        return [page async for page in meta.insights(account, level, days)]

    return use(url, read)


def days_before(today: date, first: int, last: int = 0) -> DateRange:
    return DateRange(today - timedelta(days=first), today - timedelta(days=last))


def test_an_account_tells_currency_zone_and_least_budget(market: SandboxHandle) -> None:
    us, de = (use(market.url, lambda m, a=a: m.account(a)) for a in market.account_ids)  # type: ignore[misc]
    assert (us.id, us.currency, us.timezone, us.account_status) == (
        market.account_ids[0], "USD", "America/New_York", 1,
    )  # fmt: skip
    assert (de.currency, de.timezone) == ("EUR", "Europe/Berlin")
    assert us.min_daily_budget is not None
    assert us.min_daily_budget > 0
    assert us.observed_at == START


def test_the_platforms_clock_counts_and_not_this_machines(market: SandboxHandle) -> None:
    assert use(market.url, lambda meta: meta.server_time()) == START


def test_budgets_stand_on_the_campaign_or_on_its_ad_sets_and_never_on_both(
    market: SandboxHandle,
) -> None:
    account = market.account_ids[0]
    objects = use(market.url, lambda meta: meta.ad_objects(account))
    by_id = {thing.id: thing for thing in objects}
    assert len(by_id) == len(objects)
    assert {thing.account_id for thing in objects} == {account}
    campaigns = [thing for thing in objects if thing.level is Level.CAMPAIGN]
    adsets = [thing for thing in objects if thing.level is Level.ADSET]
    shared = {thing.id for thing in campaigns if thing.daily_budget is not None}
    assert len(shared) == 3
    assert len(campaigns) == 5
    for adset in adsets:
        assert (adset.daily_budget is None) == (adset.campaign_id in shared)
        assert adset.adset_id == adset.id
    for ad in (thing for thing in objects if thing.level is Level.AD):
        assert ad.adset_id is not None
        assert by_id[ad.adset_id].campaign_id == ad.campaign_id
        assert by_id[ad.campaign_id].level is Level.CAMPAIGN
        assert ad.creative_id
    assert all(thing.created_time is not None for thing in objects)
    assert {thing.created_time.tzinfo for thing in objects if thing.created_time} == {UTC}


def test_an_object_read_alone_is_the_one_of_the_list(market: SandboxHandle) -> None:
    objects = use(market.url, lambda meta: meta.ad_objects(market.account_ids[0]))
    for level in (Level.CAMPAIGN, Level.ADSET, Level.AD):
        listed = next(thing for thing in objects if thing.level is level)
        alone = use(market.url, lambda m, t=listed: m.read_object(t.id, t.level))  # type: ignore[misc]
        assert alone == listed


@pytest.mark.parametrize("level", Level)
def test_insights_cover_every_day_once_over_pieces_and_pages(
    market: SandboxHandle, level: Level
) -> None:
    account = market.account_ids[0]
    days = days_before(TODAY, 99)
    pages = read_pages(market.url, account, level, days)
    pieces = list(dict.fromkeys(page.days for page in pages))
    assert [len(piece) for piece in pieces] == [90, 10]
    key = "account_id" if level is Level.ACCOUNT else f"{level.value}_id"
    keys = Counter((row["date_start"], row[key]) for page in pages for row in page.rows)
    assert keys
    assert set(keys.values()) == {1}
    assert {day for day, _ in keys} == {str(day) for day in days.days()}
    if level is Level.AD:
        assert len(pages) > len(pieces)  # more rows than one page holds
    for page in pages:
        assert (page.account_id, page.level) == (account, level)
        assert page.observed_at == START
        assert page.reply["data"] == page.rows
        assert set(page.reply["paging"]) <= {"cursors"}
        assert TOKEN not in repr(page)
        assert all(row["date_start"] == row["date_stop"] for row in page.rows)


def test_ads_sets_and_campaigns_add_up_to_the_account(market: SandboxHandle) -> None:
    days = days_before(TODAY, 20)
    sums = {
        level: sum(
            int(row["impressions"])
            for page in read_pages(market.url, market.account_ids[1], level, days)
            for row in page.rows
        )
        for level in Level
    }
    assert len(set(sums.values())) == 1
    assert sums[Level.ACCOUNT] > 0


def test_what_is_written_is_read_back_and_archived_objects_stay_visible(
    fresh: SandboxHandle,
) -> None:
    account = fresh.account_ids[0]
    objects = use(fresh.url, lambda meta: meta.ad_objects(account))
    campaign = next(t for t in objects if t.level is Level.CAMPAIGN and t.daily_budget)

    async def change(meta: AdsPlatform) -> list[Any]:
        await meta.set_daily_budget(campaign.id, 12_345)
        budget = await meta.read_object(campaign.id, Level.CAMPAIGN)
        receipt = await meta.set_status(campaign.id, "PAUSED")
        paused = await meta.read_object(campaign.id, Level.CAMPAIGN)
        return [budget.daily_budget, dict(receipt.reply), paused.status, paused.daily_budget]

    assert use(fresh.url, change) == [12_345, {"success": True}, "PAUSED", 12_345]
    days = days_before(TODAY, 9)
    before = read_pages(fresh.url, account, Level.CAMPAIGN, days)
    use(fresh.url, lambda meta: meta.set_status(campaign.id, "ARCHIVED"))
    listed = {t.id: t for t in use(fresh.url, lambda meta: meta.ad_objects(account))}
    assert listed[campaign.id].effective_status == "ARCHIVED"
    assert set(listed) == {t.id for t in objects}
    after = read_pages(fresh.url, account, Level.CAMPAIGN, days)
    assert [page.rows for page in after] == [page.rows for page in before]
    with pytest.raises(ValidationRefused, match="cannot be reactivated"):
        use(fresh.url, lambda meta: meta.set_status(campaign.id, "ACTIVE"))
    told = [(w["field"], w["new"], w["accepted"]) for w in fresh.writes()]
    assert told == [
        ("daily_budget", "12345", True),
        ("status", "PAUSED", True),
        ("status", "ARCHIVED", True),
        ("status", "ACTIVE", False),
    ]


def test_the_fifth_budget_change_of_an_hour_is_a_throttle_of_an_hour(fresh: SandboxHandle) -> None:
    objects = use(fresh.url, lambda meta: meta.ad_objects(fresh.account_ids[0]))
    adset = next(t for t in objects if t.level is Level.ADSET and t.daily_budget)

    async def five(meta: AdsPlatform) -> None:
        for n in range(5):
            await meta.set_daily_budget(adset.id, 9000 + n)

    with pytest.raises(RateLimited) as failed:
        use(fresh.url, five)
    assert failed.value.wait_seconds == 3600
    assert len([w for w in fresh.writes() if w["accepted"]]) == 4


def test_a_budget_too_low_is_refused_with_metas_reason(fresh: SandboxHandle) -> None:
    objects = use(fresh.url, lambda meta: meta.ad_objects(fresh.account_ids[0]))
    campaign = next(t for t in objects if t.level is Level.CAMPAIGN and t.daily_budget)
    with pytest.raises(ValidationRefused) as failed:
        use(fresh.url, lambda meta: meta.set_daily_budget(campaign.id, 1))
    assert failed.value.origin.subcode == 1885272


def test_a_wrong_token_fails_at_once_and_appears_nowhere(
    market: SandboxHandle, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = "EAAGwrongSECRET9876543210"
    with caplog.at_level(logging.DEBUG), pytest.raises(AuthenticationFailed) as failed:
        use(market.url, lambda meta: meta.account(market.account_ids[0]), token=wrong)
    error = failed.value
    assert "META_ACCESS_TOKEN" in error.remedy
    told = "".join(traceback.format_exception(error)) + repr(error) + str(vars(error))
    assert wrong not in told + caplog.text
    assert error.origin.code == 190


def test_an_unknown_account_is_not_found(market: SandboxHandle) -> None:
    with pytest.raises(NotFound, match="act_999") as failed:
        use(market.url, lambda meta: meta.account("999"))
    assert "Ads Manager" in failed.value.remedy


ACCOUNT = {"id": "act_1", "account_id": "1", "currency": "EUR", "timezone_name": "Europe/Berlin"}
CAMPAIGN = {"id": "9", "account_id": "1", "status": "ACTIVE", "name": "C"}


@pytest.mark.parametrize("field", ["account_id", "currency", "timezone_name"])
@pytest.mark.parametrize("value", [None, ""])
def test_an_account_without_a_field_that_counts_is_incomplete(
    field: str, value: str | None
) -> None:
    for body in ({**ACCOUNT, field: value}, {k: v for k, v in ACCOUNT.items() if k != field}):
        with scripted(ok(body)) as server, pytest.raises(IncompleteData, match=field):
            use(server.url, lambda meta: meta.account("1"))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", None),
        ("account_id", None),
        ("status", None),
        ("daily_budget", "12.50"),
        ("lifetime_budget", "much"),
        ("created_time", "yesterday"),
    ],
)
def test_an_object_that_cannot_be_read_is_incomplete_and_names_the_field(
    field: str, value: str | None
) -> None:
    with (
        scripted(ok({**CAMPAIGN, field: value})) as server,
        pytest.raises(IncompleteData, match=field),
    ):
        use(server.url, lambda meta: meta.read_object("9", Level.CAMPAIGN))


@pytest.mark.parametrize(("sent", "read"), [("0", None), (None, None), ("", None), ("7", 7)])
def test_a_budget_of_nothing_is_none(sent: str | None, read: int | None) -> None:
    with scripted(ok({**CAMPAIGN, "daily_budget": sent})) as server:
        found = use(server.url, lambda meta: meta.read_object("9", Level.CAMPAIGN))
    assert found.daily_budget == read
    assert (found.effective_status, found.campaign_id) == ("ACTIVE", "9")


def test_times_of_any_offset_become_utc() -> None:
    body = {**CAMPAIGN, "created_time": "2026-11-01T00:30:00+0100"}
    with scripted(ok(body)) as server:
        found = use(server.url, lambda meta: meta.read_object("9", Level.CAMPAIGN))
    assert found.created_time == datetime(2026, 10, 31, 23, 30, tzinfo=UTC)
    assert found.updated_time is None


def test_all_statuses_are_asked_for_since_meta_hides_archived_objects() -> None:
    empty = ok({"data": []})
    with scripted(empty, empty, empty, empty) as server:
        use(server.url, lambda meta: meta.ad_objects("1"))
        read_pages(server.url, "1", Level.AD, days_before(TODAY, 1))
    edges = [r.path.rsplit("/", 1)[1] for r in server.requests]
    assert edges == ["campaigns", "adsets", "ads", "insights"]
    for request in server.requests[:3]:
        assert '"ARCHIVED"' in request.params["effective_status"]
    insights = server.requests[3].params
    assert '"DELETED"' in insights["filtering"]
    assert insights["time_increment"] == "1"
    assert insights["time_range"] == '{"since":"2026-11-02","until":"2026-11-03"}'
    assert all(int(r.params["limit"]) > 0 for r in server.requests)
