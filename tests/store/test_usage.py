from __future__ import annotations

import asyncio
import itertools
import threading
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from tests.examples import examples
from zyenta_ads_pipeline.domain.errors import ErrorOrigin, RateLimited, StorageError
from zyenta_ads_pipeline.domain.quota import QuotaUse
from zyenta_ads_pipeline.platforms.meta.budget import RateBudget
from zyenta_ads_pipeline.store.database import Store, open_store
from zyenta_ads_pipeline.store.usage import UsageLedger

_numbers = itertools.count(1)
START = datetime(2026, 11, 20, 12, 0, 0, 123456, tzinfo=UTC)
moments = st.integers(0, 3).map(lambda n: START + timedelta(seconds=n))
uses = st.builds(
    QuotaUse,
    percent=st.sampled_from([0.0, 12.5, 100.25]),
    measured_at=moments,
    decay_seconds=st.sampled_from([300.0, 3600.0]),
    blocked_until=st.none() | moments,
)


def use(percent: float, seconds: float = 0, blocked: float | None = None) -> QuotaUse:
    until = None if blocked is None else START + timedelta(seconds=blocked)
    return QuotaUse(percent, START + timedelta(seconds=seconds), 300.0, until)


def test_what_is_stored_is_loaded_and_the_rest_left_out(store: Store) -> None:
    ledger = UsageLedger(store)
    told = {"app": use(3.25), "account/1": use(80, blocked=60)}
    ledger.store(told)
    ledger.store({})
    assert ledger.load(["app", "account/1", "account/2"]) == told
    assert ledger.load(["app"]) == {"app": told["app"]}
    assert ledger.load([]) == {}


def test_each_server_has_quotas_of_its_own(store: Store) -> None:
    meta, sandbox = (UsageLedger(store, server) for server in ("https://meta", "http://sandbox"))
    meta.store({"app:7": use(90, blocked=60)})
    sandbox.store({"account/1": use(5)})
    assert sandbox.load(["app:7", "account/1"]) == {"account/1": use(5)}
    assert meta.load(["app:7", "account/1"]) == {"app:7": use(90, blocked=60)}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(20))
@given(st.lists(uses, min_size=1, max_size=4))
def test_the_database_merges_as_the_words_do(store: Store, told: list[QuotaUse]) -> None:
    ledger, name = UsageLedger(store), f"account/{next(_numbers)}"
    expected = told[0]
    for each in told:
        ledger.store({name: each})
        expected = expected.merged(each)
    assert ledger.load([name]) == {name: expected}


def test_thousands_of_scopes_are_loaded_at_once(store: Store) -> None:
    ledger = UsageLedger(store)
    told = {f"account/{n}": use(n % 100) for n in range(1100)}
    ledger.store(told)
    assert ledger.load(told) == told


def test_processes_that_tell_at_the_same_time_lose_nothing(store_url: str) -> None:
    failures: list[BaseException] = []

    def tell(number: int) -> None:
        own = open_store(store_url)
        try:
            for n in range(5):
                scopes = ["app", "account/1"] if number % 2 else ["account/1", "app"]
                percent = 10 * n + number
                UsageLedger(own).store({s: use(percent, percent, blocked=percent) for s in scopes})
        except BaseException as error:
            failures.append(error)
        finally:
            own.close()

    threads = [threading.Thread(target=tell, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    store = open_store(store_url)
    last = use(43, 43, blocked=43)
    assert UsageLedger(store).load(["app", "account/1"]) == {"app": last, "account/1": last}
    store.close()


def test_a_block_met_by_one_process_holds_another(store: Store, store_url: str) -> None:
    other_store = open_store(store_url)
    one = RateBudget(shared=UsageLedger(store))
    other = RateBudget(shared=UsageLedger(other_store))
    shut = RateLimited("No.", origin=ErrorOrigin(code=17, subcode=2446079), wait_seconds=60)

    async def play() -> None:
        await one.admit("1", "ads_insights")
        one.refused("1", "ads_insights", shut)
        await one.share()
        with pytest.raises(RateLimited) as failed:
            await other.admit("1", "ads_insights", patience=1)
        assert failed.value.wait_seconds == pytest.approx(60, abs=5)
        await other.admit("2", "ads_insights", patience=1)

    asyncio.run(play())
    other_store.close()


def test_a_table_that_is_gone_is_a_storage_error(store: Store) -> None:
    with store.write() as session:
        session.execute(text("DROP TABLE rate_usage"))
    ledger = UsageLedger(store)
    with pytest.raises(StorageError):
        ledger.load(["app"])
    with pytest.raises(StorageError):
        ledger.store({"app": use(1)})
