"""The change desk: two buyers and one change, own values, and what may be undone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event

from tests.console.desk_home import ADA, EVA, MAX, NOW, VIC, acts
from tests.store.samples import budget, status
from zyenta_ads_pipeline.console.desks.desks import Desks
from zyenta_ads_pipeline.console.desks.rules import RuleScope
from zyenta_ads_pipeline.console.office import Office
from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.change import ChangeState
from zyenta_ads_pipeline.domain.errors import (
    FieldsRefused,
    InputError,
    NotAllowed,
    NotThere,
    Stale,
    TakenAlready,
)
from zyenta_ads_pipeline.store.change_pages import ChangeQuery
from zyenta_ads_pipeline.store.orders import OrderKind
from zyenta_ads_pipeline.store.outbox import Outbox
from zyenta_ads_pipeline.store.records import ChangeRecord


def proposed(office: Office, object_id: str = "11", **more: Any) -> ChangeRecord:
    change = budget(object_id, **{"account_id": "101", "campaign_id": "9001"} | more)
    return Outbox(office.store).propose([change], actor="policy", now=NOW).inserted[0]


def applied(office: Office, change: ChangeRecord) -> ChangeRecord:
    """As a push would leave it."""
    outbox = Outbox(office.store)
    if change.state is ChangeState.PROPOSED:
        outbox.approve([change.id], actor="eva", now=NOW)

    held = outbox.claim(change.id, owner="w", lease=timedelta(minutes=5), now=NOW)
    assert held is not None
    return outbox.finish(held, ChangeState.APPLIED, actor="w", now=NOW, note="done", written=True)


def test_two_buyers_approve_one_change(desks: Desks, office: Office) -> None:
    change = proposed(office)
    seen = {change.id: desks.changes.version(change)}
    first = desks.changes.approve(EVA, [change.id], seen)
    assert [each.id for each in first.moved] == [change.id]
    second = desks.changes.approve(MAX, [change.id], seen)
    assert second.moved == []
    (already,) = second.already
    assert (already.by, already.record.state) == ("eva", ChangeState.APPROVED)
    assert "was approved already, by eva" in already.told
    with pytest.raises(TakenAlready, match="approved already, by eva"):
        desks.changes.edit(MAX, change.id, 12_000)
    assert acts(office) == [("eva", "change.approve", False)]
    rejected = desks.changes.reject(MAX, [change.id], "too much")
    assert [each.state for each in rejected.moved] == [ChangeState.REJECTED]
    with pytest.raises(TakenAlready, match=r"rejected already, by max.*too much"):
        desks.changes.approve(EVA, [change.id])
    assert desks.changes.reject(EVA, [change.id], "too much").already[0].by == "max"


def test_a_change_that_moved_on_since_it_was_seen_is_not_approved(
    desks: Desks, office: Office
) -> None:
    change = proposed(office)
    seen = {change.id: desks.changes.version(change)}
    Outbox(office.store).note(change.id, actor="p", now=office.now(), note="newer numbers")
    with pytest.raises(Stale):
        desks.changes.approve(EVA, [change.id], seen)
    with pytest.raises(Stale):
        desks.changes.edit(EVA, change.id, 12_000, seen[change.id])
    assert desks.changes.get(VIC, change.id).state is ChangeState.PROPOSED


def test_a_rejection_on_an_old_sight_does_not_undo_an_approval(
    desks: Desks, office: Office
) -> None:
    first, other = proposed(office), proposed(office, "12")
    seen = {each.id: desks.changes.version(each) for each in (first, other)}
    desks.changes.approve(EVA, [first.id])
    with pytest.raises(Stale, match="it was approved by eva at"):
        desks.changes.reject(MAX, [first.id], "no", seen)
    found = desks.changes.reject(MAX, [first.id, other.id], "no", seen)
    assert [each.id for each in found.moved] == [other.id]
    assert [(each.id, type(each.why)) for each in found.refused] == [(first.id, Stale)]
    assert desks.changes.get(VIC, first.id).state is ChangeState.APPROVED
    now = {first.id: desks.changes.version(desks.changes.get(VIC, first.id))}
    assert desks.changes.reject(MAX, [first.id], "no", now).moved, "who saw it approved may"
    third = proposed(office, "13")
    desks.changes.approve(EVA, [third.id])
    assert desks.changes.reject(MAX, [third.id], "no").moved, "whatever it is"


def test_a_viewer_decides_nothing(desks: Desks, office: Office) -> None:
    change = proposed(office)
    assert desks.changes.page(VIC, ChangeQuery()).total_rows == 1
    assert len(desks.changes.journal(VIC, change.id)) == 1
    for act in (
        lambda: desks.changes.approve(VIC, [change.id]),
        lambda: desks.changes.reject(VIC, [change.id], "r"),
        lambda: desks.changes.edit(VIC, change.id, 12_000),
        lambda: desks.changes.undo(VIC, change.id),
        lambda: desks.changes.retry(VIC, change.id),
    ):
        with pytest.raises(NotAllowed):
            act()
    assert all(refused for _, _, refused in acts(office))
    with pytest.raises(NotThere):
        desks.changes.journal(VIC, "nothing")
    with pytest.raises(FieldsRefused):
        desks.changes.approve(EVA, [])


def test_while_a_campaign_is_only_watched_nothing_of_it_is_approved(
    desks: Desks, office: Office
) -> None:
    change, other = proposed(office), proposed(office, "12", campaign_id="9002")
    desks.rules.set(ADA, RuleScope("101", "9001"), "autopilot", "watch")
    with pytest.raises(InputError, match="campaign 9001"):
        desks.changes.approve(EVA, [change.id])
    found = desks.changes.approve(EVA, [change.id, other.id])
    assert [each.id for each in found.moved] == [other.id]
    (refused,) = found.refused
    assert (refused.id, refused.record) == (change.id, desks.changes.get(VIC, change.id))
    assert "campaign 9001" in refused.why.what
    own = desks.changes.edit(EVA, change.id, 12_000)
    assert own.state is ChangeState.APPROVED, "what a person asks for is written"
    desks.rules.set(ADA, RuleScope("101"), "autopilot", "watch")
    with pytest.raises(InputError, match="watch for act_101"):
        desks.changes.approve(EVA, [proposed(office, "13").id])


def test_an_own_value_takes_the_place_of_a_proposal(desks: Desks, office: Office) -> None:
    change = proposed(office)
    made = desks.changes.edit(EVA, change.id, 10_500, desks.changes.version(change))
    assert (made.change.new_value, made.change.policy) == ("10500", "buyer")
    assert made.state is ChangeState.APPROVED
    assert desks.changes.get(VIC, change.id).state is ChangeState.SUPERSEDED
    assert acts(office) == [("eva", "change.edit", False)]
    shown = replace(status("77"), account_id="101", campaign_id="9001")
    (record,) = Outbox(office.store).propose([shown], actor="p", now=NOW).inserted
    with pytest.raises(InputError, match="status"):
        desks.changes.edit(EVA, record.id, 100)


@pytest.mark.parametrize("value", [0, -5, 10_000, 11_000, 30_100, True])
def test_a_value_outside_the_bounds_is_refused(desks: Desks, office: Office, value: int) -> None:
    desks.rules.set(ADA, RuleScope("101", "9001"), "cap", "300")
    change = proposed(office)
    with pytest.raises(FieldsRefused) as refused:
        desks.changes.edit(EVA, change.id, value)
    assert refused.value.problems[0].field == "daily_budget"
    assert desks.changes.get(VIC, change.id).state is ChangeState.PROPOSED


def test_an_applied_change_is_undone_by_an_order(desks: Desks, office: Office) -> None:
    change = proposed(office)
    assert desks.changes.undoable([change]) == frozenset()
    with pytest.raises(InputError, match="only an applied change"):
        desks.changes.undo(EVA, change.id)
    done = applied(office, change)
    assert desks.changes.undoable([done]) == {done.id}
    order = desks.changes.undo(EVA, change.id)
    assert (order.kind, order.payload) == (OrderKind.UNDO, {"change_id": change.id})
    assert (order.campaign_id, order.account_id) == (None, "101")
    assert desks.changes.undo(MAX, change.id) == order
    assert desks.changes.order_state(VIC, order.id) == order
    with pytest.raises(InputError, match="by hand"):
        desks.changes.retry(EVA, change.id)


def test_of_several_writes_of_one_budget_the_last_can_be_undone(
    desks: Desks, office: Office
) -> None:
    done = [
        applied(office, proposed(office, decision_id=f"d{number}", new_value=f"{value}"))
        for number, value in enumerate((11_000, 12_000, 13_000))
    ]
    other = applied(office, proposed(office, "12"))
    open_one = proposed(office, "13")
    with count_statements() as told:
        found = desks.changes.undoable([*done, other, open_one])
    assert found == {done[-1].id, other.id}
    assert len(told) <= 2, "one question for a whole page"
    with pytest.raises(InputError, match=f"Change {done[2].id} was applied"):
        desks.changes.undo(EVA, done[0].id)


@contextmanager
def count_statements() -> Iterator[list[str]]:
    told: list[str] = []

    def hear(*given: Any) -> None:
        if given[2].startswith("SELECT"):
            told.append(given[2])

    event.listen(Engine, "before_cursor_execute", hear)
    try:
        yield told
    finally:
        event.remove(Engine, "before_cursor_execute", hear)


def test_a_value_beyond_the_limits_of_a_campaign_is_refused(desks: Desks, office: Office) -> None:
    change = proposed(office, level=Level.CAMPAIGN)
    for value in (999, 1_000_001, 99_999_999_999):
        with pytest.raises(FieldsRefused, match="10 to 10,000 EUR a day"):
            desks.changes.edit(EVA, change.id, value)
    assert desks.changes.edit(EVA, change.id, 1_000_000).state is ChangeState.APPROVED


def test_a_reason_to_reject_is_kept_and_need_not_be_given(desks: Desks, office: Office) -> None:
    first, second = proposed(office), proposed(office, "12")
    with pytest.raises(FieldsRefused, match="too long"):
        desks.changes.reject(EVA, [first.id], "x" * 501)
    desks.changes.reject(EVA, [first.id], " stock is low ")
    desks.changes.reject(EVA, [second.id])
    notes = [desks.changes.get(VIC, each.id).last_note for each in (first, second)]
    assert notes == ["stock is low", ""]
    assert desks.changes.get(VIC, second.id).state is ChangeState.REJECTED


def test_of_several_each_is_told_for_itself(desks: Desks, office: Office) -> None:
    ids = [proposed(office, str(number)).id for number in range(1, 6)]
    good, approved, rejected, stale, gone = ids[0], ids[1], ids[2], ids[3], "nothing"
    desks.changes.approve(MAX, [approved])
    desks.changes.reject(MAX, [rejected], "stock is low")
    seen = {stale: "of-long-ago", good: desks.changes.version(desks.changes.get(VIC, good))}
    found = desks.changes.approve(EVA, [gone, stale, rejected, approved, good], seen)
    assert [each.id for each in found.moved] == [good]
    assert [each.record.id for each in found.already] == [approved]
    told = {each.id: type(each.why) for each in found.refused}
    assert told == {gone: NotThere, stale: Stale, rejected: TakenAlready}
    assert {each.id for each in found.refused if each.record is None} == {gone}
    assert acts(office)[2:] == [("eva", "change.approve", False)]
    none = desks.changes.reject(EVA, [gone, rejected, "nowhere"], "no")
    assert (none.moved, [each.record.id for each in none.already]) == ([], [rejected])
    assert [each.id for each in none.refused] == [gone, "nowhere"]
    with pytest.raises(NotThere):
        desks.changes.reject(EVA, [gone], "no")


def test_an_order_about_a_change_is_found_from_all_of_its_act(desks: Desks, office: Office) -> None:
    one, other = (
        applied(office, proposed(office, object_id, decision_id="buyer:o1:1"))
        for object_id in ("11", "12")
    )
    alone = applied(office, proposed(office, "13"))
    assert desks.changes.orders_about(VIC, one) == []
    order = desks.changes.undo(EVA, one.id)
    assert desks.changes.orders_about(VIC, one) == [order]
    assert desks.changes.orders_about(VIC, other) == [order]
    assert desks.changes.orders_about(VIC, alone) == []
    desks.campaigns.withdraw(EVA, order.id)
    assert desks.changes.orders_about(VIC, one) == []


def test_a_stop_holds_approvals(desks: Desks, office: Office) -> None:
    change = proposed(office)
    desks.switches.throw(EVA, None, "fire")
    with pytest.raises(InputError, match="fire"):
        desks.changes.approve(EVA, [change.id])
    assert desks.changes.reject(EVA, [change.id], "not now").moved
