"""Report jobs and what reports were found to cost, in the database."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from zyenta_ads_pipeline.store.database import Store, open_store
from zyenta_ads_pipeline.store.ledger import ReportJob, ReportLedger

START = datetime(2026, 11, 20, 12, 0, 0, 123456, tzinfo=UTC)
JOB = ReportJob("ab12", "1", "77", "act_1 ad insights", "running", 10, 1, 2, START, START)
META, SANDBOX = "https://graph.facebook.com", "http://127.0.0.1:8399"


def test_a_job_is_kept_as_it_was_saved_last_until_it_is_closed(store: Store) -> None:
    ledger = ReportLedger(store, META)
    older = replace(JOB, request="cd34", submitted_at=START - timedelta(hours=1))
    for job in (JOB, older, replace(JOB, request="ef56", account_id="2")):
        ledger.save(job)
    later = replace(JOB, percent=90, polls=9, progressed_at=START + timedelta(minutes=3))
    ledger.save(later)
    assert ledger.job("ab12") == later
    assert ledger.jobs("1") == [older, later]
    ledger.close("ab12")
    assert ledger.job("ab12") is None
    assert ledger.jobs("1") == [older]


def test_what_was_learned_last_is_kept(store: Store) -> None:
    ledger = ReportLedger(store, META)
    assert ledger.costs("1", "ad/insights") == {}
    for rows in (1, 2):
        ledger.learn("1", "ad/insights", {"rows": rows, "seconds": None}, START)
    assert ledger.costs("1", "ad/insights") == {"rows": 2, "seconds": None}
    assert ledger.costs("1", "ad/by_country") == {}


def test_homes_of_different_servers_see_nothing_of_each_other(store: Store) -> None:
    one, other = ReportLedger(store, META), ReportLedger(store, SANDBOX)
    one.save(JOB)
    one.learn("1", "ad/insights", {"rows": 1}, START)
    assert other.job("ab12") is None
    assert other.jobs("1") == []
    assert other.costs("1", "ad/insights") == {}
    other.save(replace(JOB, run_id="88"))
    other.close("ab12")
    assert one.job("ab12") == JOB
    assert ReportLedger(store, META).jobs("1") == [JOB]


def test_processes_that_write_a_row_first_at_the_same_time_both_succeed(store_url: str) -> None:
    stores = [open_store(store_url) for _ in range(2)]
    failures: list[BaseException] = []

    def together(write: Callable[[ReportLedger, int], None]) -> None:
        for number in range(15):
            ready = threading.Barrier(len(stores))

            def go(store: Store, number: int = number, ready: threading.Barrier = ready) -> None:
                try:
                    ready.wait(10)
                    write(ReportLedger(store), number)
                except BaseException as error:
                    failures.append(error)

            threads = [threading.Thread(target=go, args=(store,)) for store in stores]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

    together(lambda ledger, number: ledger.learn(str(number), "ad/insights", {"x": 1}, START))
    together(lambda ledger, number: ledger.save(replace(JOB, request=str(number))))
    assert not failures
    assert len(ReportLedger(stores[0]).jobs("1")) == 15
    for store in stores:
        store.close()
