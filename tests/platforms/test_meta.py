"""Meta as a platform, against the sandbox: a real server that speaks the Graph API."""

from __future__ import annotations

import asyncio
import json
import logging
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import polars as pl
import pytest

from tests.platforms.conftest import START, TOKEN
from tests.platforms.scripted import ok, scripted
from tests.sandboxes import run_sandbox
from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.errors import (
    AuthenticationFailed,
    IncompleteData,
    NotFound,
    RateLimited,
    ValidationRefused,
)
from zyenta_ads_pipeline.domain.insights import PRESETS, Preset, Report
from zyenta_ads_pipeline.domain.time import DateRange
from zyenta_ads_pipeline.platforms.base import (
    AdsPlatform,
    InsightsPage,
    ReportState,
    ReportStatus,
)
from zyenta_ads_pipeline.platforms.meta.budget import RateBudget, Time
from zyenta_ads_pipeline.platforms.meta.client import MetaClient
from zyenta_ads_pipeline.platforms.meta.pages import report_fields
from zyenta_ads_pipeline.platforms.meta.platform import MetaAds
from zyenta_ads_pipeline.sandbox.config import SandboxConfig
from zyenta_ads_pipeline.sandbox.process import SandboxHandle

T = TypeVar("T")
TODAY = date(2026, 11, 3)
DETAILS = {
    Level.CAMPAIGN: {"bid_strategy", "buying_type", "special_ad_categories", "start_time",
                     "stop_time", "issues_info"},
    Level.ADSET: {"optimization_goal", "billing_event", "bid_strategy", "attribution_spec",
                  "promoted_object", "start_time", "end_time", "learning_stage_info",
                  "issues_info"},
    Level.AD: {"issues_info"},
}  # fmt: skip


def use(url: str, call: Callable[[MetaAds], Awaitable[T]], token: str = TOKEN) -> T:
    """Run one call with a connection of its own."""

    async def run() -> T:
        client = MetaClient(base_url=url, version="v26.0", token=token, timeout=30, max_wait=0)
        async with MetaAds(client) as meta:
            return await call(meta)

    return asyncio.run(run())


def read_pages(url: str, report: Report, limit: int = 500) -> list[InsightsPage]:
    async def read(meta: AdsPlatform) -> list[InsightsPage]:
        pages = [await meta.read_page(report, limit=limit, after=None)]
        while pages[-1].after is not None:
            pages.append(await meta.read_page(report, limit=limit, after=pages[-1].after))
        return pages

    return use(url, read)


def read_rows(url: str, report: Report, limit: int = 500) -> pl.DataFrame:
    return pl.concat(page.rows for page in read_pages(url, report, limit))


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
def test_insights_cover_every_day_once_over_all_pages(market: SandboxHandle, level: Level) -> None:
    report = Report(market.account_ids[0], level, days_before(TODAY, 99))
    pages = read_pages(market.url, report, 400)
    assert len(pages) > 1 or level is Level.ACCOUNT
    rows = pl.concat(page.rows for page in pages)
    assert rows.height
    assert not rows.select(report.key).is_duplicated().any()
    assert set(rows["date_start"]) == {str(day) for day in report.days.days()}
    assert rows.columns == list(report_fields(report))
    assert rows["date_start"].equals(rows["date_stop"], check_names=False)
    assert set(rows["account_id"]) == {report.account_id}
    for page in pages:
        assert (page.report, page.observed_at) == (report, START)
        assert b"\n" not in page.body
        assert TOKEN not in repr(page)
        assert f"?level={level.value}&time_range={report.days}&limit=400" in page.request


def test_a_kept_reply_is_the_page_again(market: SandboxHandle) -> None:
    report = Report(market.account_ids[0], Level.AD, days_before(TODAY, 20))

    async def both(meta: AdsPlatform) -> tuple[InsightsPage, InsightsPage]:
        page = await meta.read_page(report, limit=50, after=None)
        kept = meta.decoded(report, page.body, observed_at=page.observed_at, request=page.request)
        return page, kept

    page, kept = use(market.url, both)
    assert page.rows.equals(kept.rows)
    assert page.after is not None
    assert (page.after, page.body, page.request) == (kept.after, kept.body, kept.request)


def test_ads_sets_and_campaigns_add_up_to_the_account(market: SandboxHandle) -> None:
    days = days_before(TODAY, 20)
    sums = {
        level: read_rows(market.url, Report(market.account_ids[1], level, days))["impressions"]
        .cast(pl.Int64)
        .sum()
        for level in Level
    }
    assert len(set(sums.values())) == 1
    assert sums[Level.ACCOUNT] > 0


@pytest.mark.parametrize("preset", PRESETS.values(), ids=lambda preset: preset.name)
def test_broken_down_rows_have_a_key_each_and_add_up(market: SandboxHandle, preset: Preset) -> None:
    days = days_before(TODAY, 2)
    plain = Report(market.account_ids[0], Level.CAMPAIGN, days)
    report = replace(plain, preset=preset, fields=preset.fields)
    rows = read_rows(market.url, report, 2000)
    assert rows.columns == list(report_fields(report))
    assert not rows.select(report.key).is_duplicated().any()
    assert not any(rows[name].null_count() for name in report.key)
    whole = read_rows(market.url, plain)["impressions"].cast(pl.Int64).sum()
    assert rows["impressions"].cast(pl.Int64).sum() == whole


def test_a_report_of_some_objects_has_those_alone(market: SandboxHandle) -> None:
    report = Report(market.account_ids[0], Level.AD, days_before(TODAY, 5))
    all_ids = read_rows(market.url, report)["ad_id"].unique().sort().to_list()
    ids = tuple(all_ids[:2])
    rows = read_rows(market.url, replace(report, ids=ids))
    assert set(rows["ad_id"]) == set(ids)
    alone = replace(report, node=ids[0])
    assert set(read_rows(market.url, alone)["ad_id"]) == {ids[0]}


def test_a_report_of_thousands_of_ids_is_a_read_like_any_other(fresh: SandboxHandle) -> None:
    report = Report(fresh.account_ids[0], Level.AD, days_before(TODAY, 5))
    whole = read_rows(fresh.url, report)
    ids = (*whole["ad_id"].unique(), *(str(120_200_000_000_000_000 + n) for n in range(3000)))
    fresh.reset_calls()
    many = replace(report, ids=ids)
    pages = read_pages(fresh.url, many, limit=7)
    assert pl.concat(page.rows for page in pages).sort(report.key).equals(whole.sort(report.key))
    assert len(pages) > 1
    assert all(page.request.startswith("GET /v26.0/act_") for page in pages)
    calls = fresh.calls()
    assert {call["method"] for call in calls["last"]} == {"GET"}
    assert calls["by_kind"] == {"insights": len(pages)}
    assert fresh.writes() == []


def test_a_report_job_gives_the_rows_that_waiting_gives(market: SandboxHandle) -> None:
    account = market.account_ids[0]
    reports = [Report(account, level, days_before(TODAY, 9)) for level in Level]

    async def read(meta: AdsPlatform) -> list[pl.DataFrame]:
        runs = [await meta.start_report(report) for report in reports]
        done: list[ReportStatus] = []
        for _ in range(200):
            done = [await meta.report_status(run, account) for run in runs]
            if {status.state for status in done} == {ReportState.COMPLETED}:
                break
            await asyncio.sleep(0.05)
        assert {status.percent for status in done} == {100}
        return [
            (await meta.report_page(run, report, limit=5000, after=None)).rows
            for run, report in zip(runs, reports, strict=True)
        ]

    for report, rows in zip(reports, use(market.url, read), strict=True):
        assert rows.sort(report.key).equals(read_rows(market.url, report).sort(report.key))


def test_objects_by_id_are_those_of_the_lists_and_none_where_there_is_none(
    market: SandboxHandle,
) -> None:
    account = market.account_ids[0]

    async def read(meta: AdsPlatform) -> None:
        ads = {o.id: o for o in await meta.ad_objects(account) if o.level is Level.AD}
        ids = [*ads, "987654321"]
        before = meta.calls
        assert await meta.objects_by_id(account, Level.AD, ids) == {**ads, "987654321": None}
        assert meta.calls == before + 1

    use(market.url, read)


def test_details_keep_what_tells_objects_apart(market: SandboxHandle) -> None:
    objects = use(market.url, lambda meta: meta.ad_objects(market.account_ids[0]))
    for thing in objects:
        assert set(thing.details) <= DETAILS[thing.level]
        json.dumps(thing.details)
    adsets = [thing for thing in objects if thing.level is Level.ADSET]
    assert {"optimization_goal", "billing_event"} <= set(adsets[0].details)


def test_creatives_pages_and_pixels_are_listed(market: SandboxHandle) -> None:
    account = market.account_ids[0]

    async def read(meta: MetaAds) -> None:
        used = {o.creative_id for o in await meta.ad_objects(account) if o.level is Level.AD}
        creatives = await meta.creatives(account)
        assert used <= {creative.id for creative in creatives}
        assert {creative.account_id for creative in creatives} == {account}
        assert not any("url" in name for each in creatives for name in each.details)
        assert (await meta.pages(account))[0].name
        assert (await meta.pixels(account))[0].last_fired_at is not None

    use(market.url, read)


def test_the_token_is_told_about_without_standing_in_a_url(market: SandboxHandle) -> None:
    status = use(market.url, lambda meta: meta.token_status())
    assert status.valid
    assert "ads_read" in status.scopes
    dead = use(market.url, lambda meta: meta.token_status(), token="EAAGwrongSECRET9876543210")
    assert not dead.valid
    assert dead.problem
    assert "EAAGwrong" not in repr(dead)


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
    report = Report(account, Level.CAMPAIGN, days)
    before = read_rows(fresh.url, report)
    use(fresh.url, lambda meta: meta.set_status(campaign.id, "ARCHIVED"))
    listed = {t.id: t for t in use(fresh.url, lambda meta: meta.ad_objects(account))}
    assert listed[campaign.id].effective_status == "ARCHIVED"
    assert set(listed) == {t.id for t in objects}
    assert read_rows(fresh.url, report).equals(before)
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


def test_reads_stop_before_meta_shuts_the_account_and_a_write_finds_room(tmp_path: Path) -> None:
    async def at_once(_: float) -> None:
        """Pauses between reads are not what this test is about."""

    config = SandboxConfig(
        state=tmp_path / "state", port=0, days=2, start=START, frozen=True, token=TOKEN,
        ceiling=100,
    )  # fmt: skip

    async def until_stopped(sandbox: SandboxHandle) -> None:
        budget = RateBudget(clocks=Time(sleep=at_once))
        client = MetaClient(
            base_url=sandbox.url, version="v26.0", token=TOKEN, max_wait=0, budget=budget
        )
        async with MetaAds(client) as meta:
            account = sandbox.account_ids[0]
            objects = await meta.ad_objects(account)
            campaign = next(t for t in objects if t.level is Level.CAMPAIGN)
            await meta.read_object(campaign.id, Level.CAMPAIGN)
            report = Report(account, Level.AD, days_before(TODAY, 1))

            async def read_on() -> None:
                for _ in range(200):
                    await meta.read_page(report, limit=5, after=None)

            with pytest.raises(RateLimited, match="is used up to") as failed:
                await read_on()
            assert failed.value.origin.code is None  # our own doing, not Meta's
            assert 80 <= meta.calls <= 90
            await meta.set_status(campaign.id, "PAUSED")
            assert (await meta.read_object(campaign.id, Level.CAMPAIGN)).status == "PAUSED"

    with run_sandbox(config) as sandbox:
        asyncio.run(until_stopped(sandbox))


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
        read_pages(server.url, Report("1", Level.AD, days_before(TODAY, 1)))
    edges = [r.path.rsplit("/", 1)[1] for r in server.requests]
    assert edges == ["campaigns", "adsets", "ads", "insights"]
    for request in server.requests[:3]:
        assert '"ARCHIVED"' in request.params["effective_status"]
    insights = server.requests[3].params
    assert '"DELETED"' in insights["filtering"]
    assert insights["time_increment"] == "1"
    assert insights["time_range"] == '{"since":"2026-11-02","until":"2026-11-03"}'
    assert all(int(r.params["limit"]) > 0 for r in server.requests)
