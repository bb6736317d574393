"""Orders: asked for once, claimed by one, taken up again when their worker dies."""

from __future__ import annotations

import threading
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import repeat
from typing import Any

import pytest

from tests.forked import processes
from tests.store.campaign_samples import LATER, LEASE, NOW, launched, opened
from tests.store.samples import budget as sample_budget
from zyenta_ads_pipeline.domain.change import ChangeState
from zyenta_ads_pipeline.domain.errors import IllegalTransition, NotThere, Stale, StorageError
from zyenta_ads_pipeline.store.campaigns import Campaigns
from zyenta_ads_pipeline.store.database import Store, open_store
from zyenta_ads_pipeline.store.orders import (
    Order,
    OrderKind,
    OrderLost,
    Orders,
    OrderState,
    Wishes,
)
from zyenta_ads_pipeline.store.outbox import Outbox


@pytest.fixture
def campaign_id(store: Store) -> str:
    return launched(opened(store)).id


@pytest.fixture
def orders(store: Store) -> Orders:
    return Orders(store)


def ask(orders: Orders, campaign_id: str | None, **more: Any) -> tuple[Order, bool]:
    given: dict[str, Any] = {"account_id": "101", "payload": {}, "by": "eva", "now": NOW} | more
    return orders.ask(given.pop("kind", OrderKind.PAUSE), campaign_id=campaign_id, **given)


def test_an_order_goes_its_way(orders: Orders, campaign_id: str) -> None:
    order, is_new = ask(
        orders, campaign_id, kind=OrderKind.BUDGET, payload={"daily_budget_minor": 9000}
    )
    assert is_new
    assert (order.state, order.attempt, order.is_open) == (OrderState.WAITING, 0, True)
    assert [each.id for each in orders.waiting(now=NOW)] == [order.id]
    assert orders.claim(order.id, "w", LEASE, NOW)
    assert not orders.claim(order.id, "x", LEASE, NOW)
    orders.note(order.id, "w", "writing", LATER)
    assert orders.get(order.id).note == "writing"
    done = orders.finish(order.id, "w", note="is set", now=LATER, change_ids=["a", "b"])
    assert (done.state, done.note, done.change_ids) == (OrderState.DONE, "is set", ("a", "b"))
    assert not done.is_open
    assert done.payload == {"daily_budget_minor": 9000}
    assert orders.waiting(now=LATER) == []
    assert orders.find(campaign_id=campaign_id) == [done]
    assert orders.find(states=[OrderState.FAILED]) == []
    with pytest.raises(NotThere, match="no order"):
        orders.get("nothing")


def test_the_same_order_that_is_open_comes_back(orders: Orders, campaign_id: str) -> None:
    first, _ = ask(orders, campaign_id)
    again, is_new = ask(orders, campaign_id, by="max", now=LATER)
    assert (again, is_new) == (first, False)
    assert ask(orders, campaign_id, kind=OrderKind.REVIEW)[1]
    assert ask(orders, None, kind=OrderKind.UNDO, payload={"change_id": "1"})[1]
    assert ask(orders, None, kind=OrderKind.UNDO, payload={"change_id": "2"})[1]
    assert not ask(orders, None, kind=OrderKind.UNDO, payload={"change_id": "2"})[1]
    orders.claim(first.id, "w", LEASE, NOW)
    assert not ask(orders, campaign_id)[1]
    orders.finish(first.id, "w", note="", now=NOW, failed=True)
    assert ask(orders, campaign_id)[1]


def budget(orders: Orders, campaign_id: str, minor: int, **more: Any) -> Order:
    payload = {"daily_budget_minor": minor}
    return ask(orders, campaign_id, kind=OrderKind.BUDGET, payload=payload, **more)[0]


def test_the_newest_wish_holds_and_the_older_one_is_never_done(
    orders: Orders, campaign_id: str
) -> None:
    old = budget(orders, campaign_id, 10_000)
    assert orders.claim(old.id, "w", LEASE, NOW)
    orders.put_back(old.id, "w", "Meta is busy", NOW, LATER)
    new = budget(orders, campaign_id, 2_000, by="max")
    gone = orders.get(old.id)
    assert (gone.state, gone.is_open) == (OrderState.WITHDRAWN, False)
    assert "max asked for something else" in gone.note
    assert [each.id for each in orders.waiting(now=LATER + LEASE)] == [new.id]
    assert not orders.claim(old.id, "w", LEASE, LATER)

    on, _ = ask(orders, campaign_id, kind=OrderKind.ACTIVATE)
    off, _ = ask(orders, campaign_id, kind=OrderKind.PAUSE)
    assert orders.get(on.id).state is OrderState.WITHDRAWN
    assert orders.get(new.id).state is OrderState.WAITING, "a budget is another matter"
    assert orders.waiting(now=NOW)[0].id == off.id, "a pause goes first"


def test_a_wish_that_comes_back_is_done_after_the_one_between(
    orders: Orders, campaign_id: str
) -> None:
    first = budget(orders, campaign_id, 10_000)
    assert orders.claim(first.id, "w", LEASE, NOW)
    between = budget(orders, campaign_id, 2_000)
    again = budget(orders, campaign_id, 10_000)
    assert again.id != first.id
    assert budget(orders, campaign_id, 10_000, by="max") == again
    assert orders.get(between.id).state is OrderState.WITHDRAWN
    assert not orders.claim(again.id, "x", LEASE, NOW), "the one under way comes first"
    orders.finish(first.id, "w", note="", now=NOW)
    assert orders.claim(again.id, "x", LEASE, NOW)
    assert not orders.give_way(again.id, "x", NOW), "nothing newer was asked for"


def test_what_was_under_way_is_not_tried_again_over_a_newer_wish(
    orders: Orders, campaign_id: str
) -> None:
    on, _ = ask(orders, campaign_id, kind=OrderKind.ACTIVATE)
    assert orders.claim(on.id, "w", LEASE, NOW)
    off, _ = ask(orders, campaign_id, by="max")
    gone = orders.put_back(on.id, "w", "Meta is busy", NOW, LATER)
    assert (gone.state, gone.owner) == (OrderState.WITHDRAWN, None)
    assert "max asked for something else" in gone.note
    assert orders.claim(off.id, "w", LEASE, NOW)
    again, _ = ask(orders, campaign_id, kind=OrderKind.ACTIVATE)
    assert orders.claim(off.id, "x", LEASE, NOW + LEASE), "its worker died"
    assert orders.give_way(off.id, "x", NOW + LEASE)
    assert orders.get(off.id).state is OrderState.WITHDRAWN
    assert orders.claim(again.id, "x", LEASE, NOW + LEASE)


def test_orders_of_a_campaign_are_done_as_they_were_asked(orders: Orders, campaign_id: str) -> None:
    on, _ = ask(orders, campaign_id, kind=OrderKind.ACTIVATE)
    amount = budget(orders, campaign_id, 5_000)
    other, _ = ask(orders, None, kind=OrderKind.UNDO, payload={"change_id": "1"})
    assert [each.id for each in orders.waiting(now=NOW)] == [on.id, other.id]
    assert orders.claim(on.id, "w", LEASE, NOW)
    orders.put_back(on.id, "w", "Meta is busy", NOW, LATER)
    assert not orders.claim(amount.id, "w", LEASE, NOW)
    assert orders.claim(on.id, "w", LEASE, LATER)
    assert not orders.claim(amount.id, "w", LEASE, LATER)
    orders.finish(on.id, "w", note="", now=LATER)
    assert orders.claim(amount.id, "w", LEASE, LATER)


def test_a_pause_passes_what_cannot_switch_on_and_waits_for_what_can(
    orders: Orders, campaign_id: str
) -> None:
    review, _ = ask(orders, campaign_id, kind=OrderKind.REVIEW)
    assert orders.claim(review.id, "w", LEASE, NOW)
    off, _ = ask(orders, campaign_id)
    assert [each.id for each in orders.waiting(now=NOW)] == [off.id]
    undo, _ = ask(orders, campaign_id, kind=OrderKind.UNDO, payload={"change_id": "1"})
    assert orders.claim(off.id, "w", LEASE, NOW)
    orders.finish(off.id, "w", note="", now=NOW)
    orders.finish(review.id, "w", note="", now=NOW)
    assert orders.claim(undo.id, "w", LEASE, NOW)
    again, _ = ask(orders, campaign_id)
    assert not orders.claim(again.id, "w", LEASE, NOW), "the undo may switch it on"


def test_an_order_that_waits_is_withdrawn_with_what_it_left(
    store: Store, orders: Orders, campaign_id: str
) -> None:
    order = budget(orders, campaign_id, 10_000)
    assert orders.claim(order.id, "w", LEASE, NOW)
    with pytest.raises(IllegalTransition, match="being done"):
        orders.withdraw(order.id, by="eva", now=NOW)
    outbox = Outbox(store)
    change = replace(sample_budget("11"), decision_id=f"buyer:{order.id}:1")
    (left,) = outbox.propose([change], actor="eva", now=NOW, approve=True).inserted
    orders.put_back(order.id, "w", "Meta is busy", NOW, LATER)
    gone, is_new = orders.withdraw(order.id, by="max", now=NOW)
    assert (gone.state, is_new) == (OrderState.WITHDRAWN, True)
    assert "Withdrawn by max" in gone.note
    assert outbox.get(left.id).state is ChangeState.REJECTED, "it is not written after all"
    assert orders.withdraw(order.id, by="eva", now=LATER) == (gone, False)
    assert orders.waiting(now=LATER + LEASE) == []
    with pytest.raises(NotThere):
        orders.withdraw("nothing", by="eva", now=NOW)


def test_of_clicks_at_once_one_makes_an_order(store: Store, campaign_id: str) -> None:
    answers: list[tuple[Order, bool]] = []
    barrier = threading.Barrier(6)

    def click() -> None:
        barrier.wait()
        answers.append(ask(Orders(store), campaign_id))

    threads = [threading.Thread(target=click) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(is_new for _, is_new in answers) == [False] * 5 + [True]
    assert len({order.id for order, _ in answers}) == 1


def test_what_a_dead_worker_left_is_taken_over_after_the_lease(
    orders: Orders, campaign_id: str
) -> None:
    order, _ = ask(orders, campaign_id)
    assert orders.claim(order.id, "dead", LEASE, NOW)
    assert orders.waiting(now=NOW + LEASE - timedelta(seconds=1)) == []
    (found,) = orders.waiting(now=NOW + LEASE)
    assert (found.id, found.state) == (order.id, OrderState.WORKING)
    assert orders.claim(order.id, "alive", LEASE, NOW + LEASE)
    for act in (
        lambda: orders.finish(order.id, "dead", note="", now=LATER),
        lambda: orders.note(order.id, "dead", "", LATER),
        lambda: orders.put_back(order.id, "dead", "", LATER),
    ):
        with pytest.raises(OrderLost, match="no longer held by dead"):
            act()
    assert orders.finish(order.id, "alive", note="done", now=LATER).attempt == 2


def test_what_is_put_back_waits_for_its_time(orders: Orders, campaign_id: str) -> None:
    order, _ = ask(orders, campaign_id)
    orders.claim(order.id, "w", LEASE, NOW)
    back = orders.put_back(order.id, "w", "Meta is busy", NOW, LATER)
    assert (back.state, back.note, back.owner) == (OrderState.WAITING, "Meta is busy", None)
    assert orders.waiting(now=NOW) == []
    assert not orders.claim(order.id, "w", LEASE, NOW)
    assert orders.claim(order.id, "w", LEASE, LATER)


def test_who_asks_sees_the_campaign_as_it_is_when_the_order_is_taken_in(
    store: Store, orders: Orders, campaign_id: str
) -> None:
    told: list[tuple[int, list[str]]] = []
    others: list[threading.Thread] = []

    def seen(at: datetime, wishes: Wishes) -> None:
        told.append((wishes.newest, [each.id for each in wishes.open]))
        assert at == Campaigns(store).get(campaign_id).updated_at
        other = threading.Thread(
            target=Campaigns(store).set_budget, args=(campaign_id, 9_999, "w", "r", LATER)
        )
        other.start()
        other.join(0.2)
        assert other.is_alive(), "the campaign does not change under it"
        others.append(other)

    first, _ = ask(orders, campaign_id, kind=OrderKind.REVIEW)
    second, is_new = ask(orders, campaign_id, seen=seen)
    assert is_new
    others[0].join()
    assert Campaigns(store).get(campaign_id).daily_budget_minor == 9_999
    assert told == [(1, [first.id])]
    found = orders.wishes(campaign_id)
    assert (found.newest, [each.id for each in found.open]) == (2, [first.id, second.id])
    assert orders.wishes("nothing") == Wishes([], 0)


def test_what_who_asks_refuses_leaves_everything_as_it_was(
    orders: Orders, campaign_id: str
) -> None:
    def refuse(*_: object) -> None:
        raise Stale("It has changed.", "Look again.")

    held = budget(orders, campaign_id, 10_000)
    with pytest.raises(Stale):
        budget(orders, campaign_id, 20_000, seen=refuse)
    assert orders.find() == [held]
    assert budget(orders, campaign_id, 10_000, seen=refuse) == held, "it is on its way already"


def test_orders_are_found_by_kind(orders: Orders, campaign_id: str) -> None:
    off, _ = ask(orders, campaign_id)
    undo, _ = ask(orders, campaign_id, kind=OrderKind.UNDO, payload={"change_id": "1"})
    assert orders.find(kinds=[OrderKind.UNDO]) == [undo]
    assert orders.find(kinds=[OrderKind.UNDO, OrderKind.PAUSE]) == [undo, off]


def test_an_order_of_a_campaign_that_is_not_there_is_refused(orders: Orders) -> None:
    with pytest.raises(StorageError):
        ask(orders, "nothing")


def _claim(url: str, owner: str, ids: list[str]) -> list[str]:
    store = open_store(url)
    try:
        return [each for each in ids if Orders(store).claim(each, owner, LEASE, NOW)]
    finally:
        store.close()


def test_of_several_processes_one_gets_each_order(
    store: Store, store_url: str, orders: Orders
) -> None:
    ids = [ask(orders, None, account_id=f"{n}")[0].id for n in range(12)]
    assert [each.id for each in orders.waiting(now=NOW)] == ids
    with ProcessPoolExecutor(2, mp_context=processes()) as pool:
        won = list(pool.map(_claim, repeat(store_url, 2), ["a", "b"], repeat(ids)))
    assert sorted(won[0] + won[1]) == sorted(ids)
