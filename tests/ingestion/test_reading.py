"""Accounts are read side by side: one that fails or waits leaves the others alone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from tests.ingestion.syncing import TOKEN, home, sync, with_meta
from tests.sandboxes import run_sandbox
from zyenta_ads_pipeline.domain.ads import AdAccount
from zyenta_ads_pipeline.domain.errors import (
    AuthenticationFailed,
    InputError,
    NotFound,
    ZyentaError,
)
from zyenta_ads_pipeline.domain.time import DateRange
from zyenta_ads_pipeline.ingestion.account_sync import Synced
from zyenta_ads_pipeline.ingestion.insights import (
    Gathered,
    account_frame,
    check_history,
    gather_accounts,
    rows_at_once,
    sync_account,
)
from zyenta_ads_pipeline.lake.tables import AD_ACCOUNTS, RAW_INSIGHTS
from zyenta_ads_pipeline.sandbox.config import SandboxConfig
from zyenta_ads_pipeline.sandbox.process import SandboxHandle

START = datetime(2026, 11, 3, 17, 30, tzinfo=UTC)
DAYS = DateRange(date(2026, 10, 25), date(2026, 11, 3))


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxHandle]:
    config = SandboxConfig(
        state=tmp_path_factory.mktemp("market"), port=0, accounts=2, days=12, start=START,
        frozen=True, token=TOKEN,
    )  # fmt: skip
    with run_sandbox(config) as sandbox:
        yield sandbox


def test_one_failing_account_of_several_leaves_the_others(
    market: SandboxHandle, tmp_path: Path
) -> None:
    accounts = [market.account_ids[0], "999", market.account_ids[1], "998"]
    with home(tmp_path) as place:
        gathered = with_meta(
            market,
            lambda meta: gather_accounts(
                accounts, lambda one: sync_account(place.place, meta, one, DAYS)
            ),
        )
        assert set(place.rows()["account_id"]) == set(market.account_ids)
    assert set(gathered.results) == set(market.account_ids)
    assert all(synced.rows and not synced.gaps for synced in gathered.results.values())
    assert {name: type(error) for name, error in gathered.failures.items()} == {
        "998": NotFound,
        "999": NotFound,
    }
    with pytest.raises(ZyentaError, match="2 of 4 accounts failed") as failed:
        gathered.raise_failures()
    assert "act_998" in str(failed.value)
    assert "act_999" in str(failed.value)


def test_a_sync_archives_every_reply_as_it_was_and_no_secret(
    market: SandboxHandle, tmp_path: Path
) -> None:
    account = market.account_ids[1]
    with home(tmp_path) as place:
        synced = sync(market, place, DAYS, account=account, name="r1")
        archive = place.place.archive
        replies = [
            reply for file in archive.files(account, "r1") for reply in archive.replies(file)
        ]
        rows = place.place.lake.snapshot().scan(RAW_INSIGHTS).collect()
    served = [row for reply in replies for row in json.loads(reply.body)["data"]]
    assert len(replies) == synced.pages
    assert len(served) >= rows.height
    assert synced.account.currency == "EUR"
    assert not any(TOKEN in str(reply) for reply in replies)


def test_the_only_failure_is_raised_as_it_is_and_none_as_nothing() -> None:
    error = AuthenticationFailed("Dead.")
    with pytest.raises(AuthenticationFailed):
        Gathered({"1": 1}, {"2": error}).raise_failures()
    Gathered({"1": 1}, {}).raise_failures()


def test_an_account_that_waits_does_not_hold_up_the_others() -> None:
    waiting = asyncio.Event()

    async def read(account: str) -> str:
        if account == "29":
            waiting.set()
        else:
            await asyncio.wait_for(waiting.wait(), 5)
        return account

    accounts = [str(n) for n in range(30)]
    gathered = asyncio.run(gather_accounts(accounts, read))
    assert set(gathered.results) == set(accounts)


def test_accounts_share_the_memory_that_there_is() -> None:
    assert rows_at_once(1) == rows_at_once(4) == 15_000
    assert rows_at_once(10) == 6_000
    assert rows_at_once(1000) == 5_000


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


def read_as(types: set[str]) -> Synced:
    return Synced(account(), types)


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
