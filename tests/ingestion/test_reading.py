"""Accounts read from the sandbox into frames; one that fails leaves the others alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

import polars as pl
import pytest

from zyenta_ads_pipeline.domain.ads import AdAccount, AdObject, Level
from zyenta_ads_pipeline.domain.errors import (
    AuthenticationFailed,
    InputError,
    NotFound,
    Transient,
    ZyentaError,
)
from zyenta_ads_pipeline.domain.time import DateRange
from zyenta_ads_pipeline.ingestion.insights import (
    AccountInsights,
    Gathered,
    account_frame,
    check_history,
    gather_accounts,
    object_frame,
    read_insights,
)
from zyenta_ads_pipeline.lake.archive import RawArchive
from zyenta_ads_pipeline.lake.lake import Lake, Scope
from zyenta_ads_pipeline.lake.tables import AD_ACCOUNTS, AD_OBJECTS, RAW_INSIGHTS
from zyenta_ads_pipeline.platforms.base import InsightsPage
from zyenta_ads_pipeline.platforms.meta.client import MetaClient
from zyenta_ads_pipeline.platforms.meta.platform import MetaAds
from zyenta_ads_pipeline.sandbox.config import SandboxConfig
from zyenta_ads_pipeline.sandbox.process import SandboxHandle, run_sandbox

TOKEN = "EAAGingestSECRET0123456789"
START = datetime(2026, 11, 3, 17, 30, tzinfo=UTC)
DAYS = DateRange(date(2026, 10, 25), date(2026, 11, 3))
T = TypeVar("T")


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxHandle]:
    config = SandboxConfig(
        state=tmp_path_factory.mktemp("market"), port=0, accounts=2, days=12, start=START,
        frozen=True, token=TOKEN,
    )  # fmt: skip
    with run_sandbox(config) as sandbox:
        yield sandbox


def use(sandbox: SandboxHandle, call: Callable[[MetaAds], Awaitable[T]]) -> T:
    async def run() -> T:
        client = MetaClient(base_url=sandbox.url, version="v26.0", token=TOKEN, max_wait=0)
        async with MetaAds(client) as meta:
            return await call(meta)

    return asyncio.run(run())


def test_all_levels_of_an_account_are_read_and_archived_as_they_were(
    market: SandboxHandle, tmp_path: Path
) -> None:
    account = market.account_ids[1]
    archive = RawArchive(tmp_path)
    read = use(
        market, lambda meta: read_insights(meta, account, DAYS, run_id="r1", archive=archive)
    )
    assert read.account.currency == "EUR"
    assert read.rows.schema == RAW_INSIGHTS.schema
    assert set(read.rows["level"]) == {level.value for level in Level}
    assert set(read.rows["date"]) == set(DAYS.days())
    assert "omni_purchase" in read.types
    spend = {
        str(level): sum(map(Decimal, rows["spend"]))
        for (level,), rows in read.rows.group_by("level")
    }
    assert len(set(spend.values())) == 1
    files = sorted(tmp_path.rglob("*.gz"))
    names = [f"{level}_2026-10-25_2026-11-03.jsonl.gz" for level in Level]
    assert [file.name for file in files] == sorted(names)
    assert {file.parent for file in files} == {tmp_path / account / "r1"}
    replies = [reply for file in files for reply in archive.replies(file)]
    assert sum(len(reply["reply"]["data"]) for reply in replies) == read.rows.height
    assert len(replies) == read.pages
    assert not any(TOKEN in str(reply) or "access_token" in str(reply) for reply in replies)


def test_a_level_that_breaks_off_leaves_no_archive_of_its_own(
    market: SandboxHandle, tmp_path: Path
) -> None:
    class BreaksAtAds(MetaAds):
        async def insights(
            self, account_id: str, level: Level, days: DateRange
        ) -> AsyncIterator[InsightsPage]:
            async for page in super().insights(account_id, level, days):
                yield page
                if level is Level.AD:
                    raise Transient("It broke.")

    async def run() -> None:
        client = MetaClient(base_url=market.url, version="v26.0", token=TOKEN)
        async with BreaksAtAds(client) as meta:
            archive = RawArchive(tmp_path)
            await read_insights(meta, market.account_ids[0], DAYS, run_id="r", archive=archive)

    with pytest.raises(Transient):
        asyncio.run(run())
    kept = {file.name.partition("_")[0] for file in tmp_path.rglob("*.gz")}
    assert kept == {"account", "campaign", "adset"}


def test_one_failing_account_of_several_leaves_the_others(
    market: SandboxHandle, tmp_path: Path
) -> None:
    accounts = [market.account_ids[0], "999", market.account_ids[1], "998"]

    async def read(meta: MetaAds) -> Gathered[AccountInsights]:
        archive = RawArchive(tmp_path)
        return await gather_accounts(
            accounts, lambda a: read_insights(meta, a, DAYS, run_id="r", archive=archive)
        )

    gathered = use(market, read)
    assert set(gathered.results) == set(market.account_ids)
    assert all(result.rows.height for result in gathered.results.values())
    assert {name: type(error) for name, error in gathered.failures.items()} == {
        "998": NotFound,
        "999": NotFound,
    }
    with pytest.raises(ZyentaError, match="2 of 4 accounts failed") as failed:
        gathered.raise_failures()
    assert "act_998" in str(failed.value)
    assert "act_999" in str(failed.value)


def test_the_only_failure_is_raised_as_it_is_and_none_as_nothing() -> None:
    error = AuthenticationFailed("Dead.")
    with pytest.raises(AuthenticationFailed):
        Gathered({"1": 1}, {"2": error}).raise_failures()
    Gathered({"1": 1}, {}).raise_failures()


def test_accounts_are_read_a_few_at_a_time() -> None:
    running, most = 0, 0

    async def read(account: str) -> str:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1
        return account

    accounts = [str(n) for n in range(12)]
    gathered = asyncio.run(gather_accounts(accounts, read))
    assert gathered.results == {account: account for account in accounts}
    assert 1 < most <= 4


def test_a_defect_is_not_taken_for_a_failing_account() -> None:
    async def read(account: str) -> str:
        raise KeyError(account)

    with pytest.raises(KeyError):
        asyncio.run(gather_accounts(["1"], read))


def account(timezone: str = "UTC", at: datetime = START) -> AdAccount:
    return AdAccount("1", "Shop", "EUR", timezone, 1, 100, at)


@pytest.mark.parametrize(
    ("timezone", "earliest"),
    [("UTC", date(2023, 10, 3)), ("Pacific/Kiritimati", date(2023, 10, 4))],
)
def test_days_before_the_37_months_are_refused_with_the_first_possible_one(
    timezone: str, earliest: date
) -> None:
    until = date(2026, 11, 3)
    check_history(DateRange(earliest, until), account(timezone))
    with pytest.raises(InputError, match="37 months") as refused:
        check_history(DateRange(earliest - timedelta(days=1), until), account(timezone))
    assert str(earliest) in refused.value.remedy


def read_as(types: set[str]) -> AccountInsights:
    return AccountInsights(account(), pl.DataFrame(schema=RAW_INSIGHTS.schema), types, 0)


def test_an_accounts_row_keeps_its_types_and_a_setting_goes_first() -> None:
    fresh = account_frame([read_as({"purchase", "lead"})], {}, None, "run")
    assert fresh.schema == AD_ACCOUNTS.schema
    row = fresh.row(0, named=True)
    assert (row["purchase_type"], row["lead_type"]) == ("purchase", "lead")
    assert (row["currency"], row["timezone"], row["observed_at"]) == ("EUR", "UTC", START)
    known = {"1": row}
    kept = account_frame([read_as(set())], known, None, "run").row(0, named=True)
    assert kept == row
    better = account_frame([read_as({"omni_purchase"})], known, None, "run").row(0, named=True)
    assert better["purchase_type"] == "omni_purchase"
    told = account_frame([read_as({"app.mine"})], known, "app.mine", "run").row(0, named=True)
    assert told["purchase_type"] == "app.mine"
    typo = account_frame([read_as({"omni_purchase"})], known, "app.mine", "run").row(0, named=True)
    assert typo["purchase_type"] is None, "a type the account never reported counts nothing"
    assert account_frame([], {}, None, "run").schema == AD_ACCOUNTS.schema


def test_objects_become_rows_and_their_times_one_clock(
    market: SandboxHandle, tmp_path: Path
) -> None:
    objects = [
        thing
        for each in market.account_ids
        for thing in use(market, lambda meta, a=each: meta.ad_objects(a))  # type: ignore[misc]
    ]
    frame = object_frame(objects, "run")
    assert frame.schema == AD_OBJECTS.schema
    assert frame.height == len(objects)
    lake = Lake(str(tmp_path / "lake"))
    lake.write(AD_OBJECTS, frame, Scope(market.account_ids))
    stored = lake.snapshot().scan(AD_OBJECTS).collect()
    by_id = {row["object_id"]: row for row in stored.iter_rows(named=True)}
    for thing in objects:
        row = by_id[thing.id]
        for name in ("name", "status", "daily_budget", "created_time", "creative_id", "objective"):
            assert row[name] == getattr(thing, name)
        assert row["level"] == thing.level.value


def test_no_objects_are_an_empty_frame() -> None:
    assert object_frame(list[AdObject](), "run").schema == AD_OBJECTS.schema
