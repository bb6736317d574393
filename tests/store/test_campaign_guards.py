"""What the database itself keeps: append-only histories, claims between processes, migration."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from typing import Any

import pytest
from alembic import command
from sqlalchemy import create_engine, inspect, text

from tests.forked import processes
from tests.store.campaign_samples import (
    LEASE,
    NOW,
    PLAN,
    launched,
    opened,
    optimization,
    rejection,
    request,
)
from tests.store.samples import approved, budget
from zyenta_ads_pipeline.domain.errors import StorageError
from zyenta_ads_pipeline.store import address
from zyenta_ads_pipeline.store.alerts import Alerts
from zyenta_ads_pipeline.store.audit import Audit
from zyenta_ads_pipeline.store.campaigns import Campaigns
from zyenta_ads_pipeline.store.database import Store, alembic_config, open_store
from zyenta_ads_pipeline.store.launches import Launches
from zyenta_ads_pipeline.store.outbox import Outbox
from zyenta_ads_pipeline.store.own_rules import OwnRules
from zyenta_ads_pipeline.store.requests import CampaignRequests
from zyenta_ads_pipeline.store.switches import KillSwitches

PROCESSES = 3
HISTORIES = (
    "campaign_optimization_log",
    "campaign_journal",
    "creative_rejections",
    "launch_journal",
    "kill_switch_journal",
    "audit_log",
    "own_rule_journal",
)


@pytest.fixture
def full(store: Store) -> Store:
    """A store with a row in every history."""
    opened(store)
    campaigns, launches, switches = Campaigns(store), Launches(store), KillSwitches(store)
    made = launched(store)
    campaigns.log(optimization(made.id))
    campaigns.add_rejections(made.id, [rejection()], NOW)
    launches.plan(made.id, PLAN, NOW)
    switches.throw("101", by="eva", reason="fire", now=NOW)
    Audit(store).write(at=NOW, who="eva", role="buyer", via="api", act="a", kind="b", about="c")
    OwnRules(store).put("101", None, "cap", "80", by="eva", now=NOW)
    return store


@pytest.mark.parametrize("table", HISTORIES)
def test_a_history_is_append_only(full: Store, table: str) -> None:
    everything = text(f"SELECT * FROM {table} ORDER BY id")
    with full.read() as session:
        before = session.execute(everything).all()
    assert before
    statements = [f"UPDATE {table} SET id = id + 1000", f"DELETE FROM {table}"]
    if not full.is_sqlite:
        statements.append(f"TRUNCATE {table}")
    for statement in statements:
        with (
            pytest.raises(StorageError, match=f"{table} is append-only"),
            full.write() as session,
        ):
            session.execute(text(statement))
    with full.read() as session:
        assert session.execute(everything).all() == before


def _work(
    url: str, owner: str, requests: list[str], steps: list[tuple[str, str]]
) -> tuple[list[str], list[str]]:
    store = open_store(url)
    try:
        waiting, launches = CampaignRequests(store), Launches(store)
        claimed = [each for each in requests if waiting.claim(each, owner, LEASE, NOW)]
        begun = []
        for campaign_id, step_id in steps:
            if launches.hold(campaign_id, owner, LEASE, NOW):
                launches.begin(step_id, owner, NOW, {"by": owner}, "")
                begun.append(step_id)
        for _ in range(5):
            KillSwitches(store).throw(None, by=owner, reason="all at once", now=NOW)
        return claimed, begun
    finally:
        store.close()


def test_of_several_processes_one_gets_each_request_and_step(store: Store, store_url: str) -> None:
    opened(store)
    waiting, launches = CampaignRequests(store), Launches(store)
    requests = [waiting.add(request(), key=None)[0].id for _ in range(15)]
    campaigns = [launched(store).id for _ in range(10)]
    steps = [(each, launches.plan(each, PLAN, NOW)[0].id) for each in campaigns]
    owners = [f"worker {number}" for number in range(PROCESSES)]
    with ProcessPoolExecutor(PROCESSES, mp_context=processes()) as pool:
        won = list(pool.map(_work, repeat(store_url), owners, repeat(requests), repeat(steps)))
    assert Counter(each for claimed, _ in won for each in claimed) == Counter(requests)
    assert Counter(each for _, begun in won for each in begun) == Counter(s for _, s in steps)
    for owner, (claimed, begun) in zip(owners, won, strict=True):
        assert {waiting.state(each).owner for each in claimed} <= {owner}
        for campaign_id, step_id in steps:
            if step_id in begun:
                assert launches.steps(campaign_id)[0].owner == owner
    assert len(KillSwitches(store).history()) == 5 * PROCESSES
    assert len(KillSwitches(store).all()) == 1


def test_of_requests_with_one_key_at_once_one_is_taken(store: Store, store_url: str) -> None:
    opened(store)
    answers: list[tuple[str, bool]] = []
    barrier = threading.Barrier(6)

    def work(number: int) -> None:
        own = open_store(store_url)
        barrier.wait()
        taken, is_new = CampaignRequests(own).add(request(f"r-{number}"), key="the same")
        answers.append((taken.id, is_new))
        own.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(is_new for _, is_new in answers) == [False] * 5 + [True]
    assert len({request_id for request_id, _ in answers}) == 1
    assert len(CampaignRequests(store).waiting()) == 1


def test_the_migration_keeps_every_row_of_the_schema_before(empty_url: str) -> None:
    engine = create_engine(address.parse(empty_url))
    with engine.begin() as connection:
        command.upgrade(alembic_config(connection), "0002")
    before = Store(engine)
    ids = approved(Outbox(before), budget("1"), budget("2"))
    Alerts(before).raise_once("token:act_1", "dead", "renew it", "1")
    kept = _rows_of(before)
    assert len(kept["changes"]) == 2
    assert len(kept["change_journal"]) == 4
    before.close()

    after = open_store(empty_url)
    assert _rows_of(after) == kept
    assert Outbox(after).claim(ids[0], owner="w", lease=LEASE, now=NOW)
    with pytest.raises(StorageError, match="append-only"), after.write() as session:
        session.execute(text("DELETE FROM change_journal"))
    assert launched(opened(after)).creatives
    kept = _rows_of(after)
    after.close()

    with engine.begin() as connection:
        command.downgrade(alembic_config(connection), "0002")
        names = inspect(connection).get_table_names()
    assert not {"stores", "ad_campaigns", *HISTORIES} & set(names)
    assert _rows_of(before) == kept
    before.close()
    again = open_store(empty_url)
    assert Campaigns(again).find() == []
    again.close()


def _rows_of(store: Store) -> dict[str, list[Any]]:
    tables = {"changes": "number", "change_journal": "id", "alerts": "id"}
    with store.read() as session:
        return {
            table: list(session.execute(text(f"SELECT * FROM {table} ORDER BY {order}")).all())
            for table, order in tables.items()
        }
