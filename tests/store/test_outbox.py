from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import insert, text, update

from tests.store.samples import NOW, approved, budget, replay, states, status
from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.change import ChangeField, ChangeState
from zyenta_ads_pipeline.domain.errors import InputError, StorageError
from zyenta_ads_pipeline.store.database import Store
from zyenta_ads_pipeline.store.models import ChangeRow, JournalRow
from zyenta_ads_pipeline.store.outbox import ClaimLost, Outbox

LEASE = timedelta(minutes=5)
P, A, S = ChangeState.PROPOSED, ChangeState.APPROVED, ChangeState.SENDING


def test_what_is_proposed_comes_back_exactly(outbox: Outbox) -> None:
    change = budget(confidence=Decimal("0.8300"))
    [record] = outbox.propose([change], actor="run 1", now=NOW).inserted
    assert outbox.get(record.id) == record
    assert record.change == change
    assert (record.state, record.attempt, record.created_at) == (P, 1, NOW)
    [entry] = outbox.journal(record.id)
    assert (entry.actor, entry.note, entry.at) == ("run 1", change.reason, NOW)
    assert (entry.old_value, entry.new_value) == ("10000", "11000")
    assert entry.metrics == {"roas": "4.2", "cpa": None}
    assert entry.confidence == Decimal("0.8300")


def test_moments_are_utc_whatever_zone_they_came_in(outbox: Outbox) -> None:
    from zoneinfo import ZoneInfo

    local = NOW.astimezone(ZoneInfo("Asia/Tokyo"))
    [record] = outbox.propose([budget(decided_at=local)], actor="a", now=local).inserted
    read = outbox.get(record.id)
    assert read.created_at == NOW
    assert read.created_at.utcoffset() == timedelta(0)
    assert read.change.decided_at == NOW


def test_a_newer_decision_supersedes_a_proposal(outbox: Outbox) -> None:
    [old] = outbox.propose([budget()], actor="a", now=NOW).inserted
    newer = budget(new=12_000, decided_at=NOW + timedelta(hours=1))
    result = outbox.propose([newer], actor="a", now=NOW)
    assert result.superseded == (old.id,)
    assert [record.change for record in result.inserted] == [newer]
    assert states(outbox, old.id) == [P, ChangeState.SUPERSEDED]
    assert newer.decision_id in outbox.journal(old.id)[-1].note


def test_an_older_decision_does_not_supersede_a_newer_one(outbox: Outbox) -> None:
    [newer] = outbox.propose([budget()], actor="a", now=NOW).inserted
    stale = budget(new=12_000, decided_at=NOW - timedelta(hours=1))
    result = outbox.propose([stale], actor="a", now=NOW)
    assert not result.inserted
    assert "newer decision" in result.refused[0].note
    assert outbox.get(newer.id).state is P


@pytest.mark.parametrize("state", [A, S])
def test_an_approved_or_sent_change_is_not_superseded(outbox: Outbox, state: ChangeState) -> None:
    [change_id] = approved(outbox, budget())
    if state is S:
        outbox.claim(change_id, owner="w", lease=LEASE, now=NOW)
    newer = budget(new=12_000, decided_at=NOW + timedelta(hours=1))
    result = outbox.propose([newer], actor="a", now=NOW)
    assert not result.inserted
    assert not result.superseded
    [refusal] = result.refused
    assert refusal.open_id == change_id
    assert state.value in refusal.note
    assert outbox.get(change_id).state is state
    assert outbox.journal(change_id)[-1].note == refusal.note


def test_a_value_that_stays_is_not_proposed_and_takes_back_an_older_proposal(
    outbox: Outbox,
) -> None:
    [old] = outbox.propose([budget()], actor="a", now=NOW).inserted
    keep = budget(new=10_000, decided_at=NOW + timedelta(hours=1))
    result = outbox.propose([keep], actor="a", now=NOW)
    assert result.unchanged == (keep,)
    assert not result.inserted
    assert result.superseded == (old.id,)


def test_the_same_decision_proposes_once(outbox: Outbox) -> None:
    change = budget()
    [first] = outbox.propose([change], actor="a", now=NOW).inserted
    outbox.reject([first.id], actor="eva", reason="no", now=NOW)
    again = outbox.propose([change, change], actor="a", now=NOW)
    assert not again.inserted
    assert [record.id for record in again.known] == [first.id, first.id]
    assert [record.state for record in again.known] == [ChangeState.REJECTED] * 2


def test_budget_and_status_of_one_object_do_not_get_in_each_others_way(outbox: Outbox) -> None:
    assert len(outbox.propose([budget(), status()], actor="a", now=NOW).inserted) == 2


MALFORMED = [
    budget(new=0),
    budget(old=-5),
    replace(budget(), new_value="0100"),
    replace(budget(), new_value="10.5"),
    replace(budget(), new_value="١٢"),
    budget(level=Level.AD),
    budget(currency="XXX"),
    budget(confidence=Decimal("1.5")),
    budget(decided_at=NOW.replace(tzinfo=None)),
    budget(decision_id=""),
    status(new="DELETED"),
    status(old="ARCHIVED", new="ACTIVE"),
    status(level=Level.ACCOUNT),
]


def test_a_malformed_proposal_is_refused_whole(outbox: Outbox) -> None:
    for change in MALFORMED:
        with pytest.raises(InputError):
            outbox.propose([budget("12"), change], actor="a", now=NOW)
    assert outbox.find() == []


def test_approving_and_rejecting_are_all_or_nothing(outbox: Outbox) -> None:
    first, second = outbox.propose([budget("1"), budget("2")], actor="a", now=NOW).inserted
    outbox.reject([second.id], actor="eva", reason="too bold", now=NOW)
    with pytest.raises(InputError, match=rf"{second.id} is rejected and cannot become approved"):
        outbox.approve([first.id, second.id], actor="eva", now=NOW)
    assert outbox.get(first.id).state is P
    [done] = outbox.approve([first.id], actor="eva", now=NOW)
    assert done.state is A
    assert outbox.journal(first.id)[-1].actor == "eva"
    with pytest.raises(InputError, match="no change 'nope'"):
        outbox.approve(["nope"], actor="eva", now=NOW)


def test_a_claim_is_given_once_and_only_to_what_is_approved(outbox: Outbox) -> None:
    [proposed] = outbox.propose([budget("5")], actor="a", now=NOW).inserted
    with pytest.raises(InputError, match="is proposed and cannot become sending"):
        outbox.claim(proposed.id, owner="w1", lease=LEASE, now=NOW)
    [change_id] = approved(outbox, budget())
    held = outbox.claim(change_id, owner="w1", lease=LEASE, now=NOW)
    assert held is not None
    assert (held.claimed_by, held.lease_until) == ("w1", NOW + LEASE)
    assert outbox.claim(change_id, owner="w2", lease=LEASE, now=NOW) is None
    assert outbox.holds(held, now=NOW)
    assert not outbox.holds(held, now=NOW + LEASE)


def test_finishing_needs_the_claim_that_was_given(outbox: Outbox) -> None:
    [change_id] = approved(outbox, budget())
    stale = outbox.claim(change_id, owner="w", lease=LEASE, now=NOW)
    assert stale is not None
    back = outbox.finish(stale, A, actor="w", now=NOW, note="not sent")
    assert (back.state, back.attempt, back.claimed_by, back.lease_until) == (A, 2, None, None)
    fresh = outbox.claim(change_id, owner="w", lease=LEASE, now=NOW)  # the same owner, anew
    assert fresh is not None
    assert not outbox.holds(stale, now=NOW)
    with pytest.raises(ClaimLost):
        outbox.finish(stale, ChangeState.APPLIED, actor="w", now=NOW, note="late")
    with pytest.raises(InputError, match="is sending and cannot become rejected"):
        outbox.finish(fresh, ChangeState.REJECTED, actor="w", now=NOW, note="")
    done = outbox.finish(
        fresh,
        ChangeState.APPLIED,
        actor="w",
        now=NOW,
        note="done",
        reply={"success": True},
        trace_id="AbC",
        written=True,
    )
    assert (done.state, done.written_at) == (ChangeState.APPLIED, NOW)
    last = outbox.journal(change_id)[-1]
    assert (last.platform_reply, last.trace_id, last.note) == ({"success": True}, "AbC", "done")
    assert replay(outbox.journal(change_id)) is ChangeState.APPLIED


def test_closing_without_sending(outbox: Outbox) -> None:
    [change_id] = approved(outbox, budget())
    with pytest.raises(InputError, match="cannot be closed as applied"):
        outbox.close(change_id, ChangeState.APPLIED, actor="w", now=NOW, note="")
    closed = outbox.close(change_id, ChangeState.CONFLICT, actor="w", now=NOW, note="edited")
    assert closed is not None
    assert closed.last_note == "edited"
    assert outbox.close(change_id, ChangeState.FAILED, actor="w", now=NOW, note="") is None


def test_finding_by_account_state_and_time(outbox: Outbox) -> None:
    one, two = approved(outbox, budget("1"), budget("2", account_id="2"))
    [three] = outbox.propose([budget("3")], actor="a", now=NOW + LEASE).inserted
    assert [r.id for r in outbox.find(account_id="2")] == [two]
    assert {r.id for r in outbox.find(states=[A])} == {one, two}
    assert [r.id for r in outbox.find(newest_first=True, limit=1)] == [three.id]
    assert outbox.find(ids=[]) == []
    assert outbox.find(platform="google") == []
    outbox.note(one, actor="w", now=NOW, note="blocked", retry_after=NOW + LEASE)
    assert [r.id for r in outbox.find(states=[A], due=NOW)] == [two]
    assert {r.id for r in outbox.find(states=[A], due=NOW + LEASE)} == {one, two}
    outbox.claim(two, owner="w", lease=LEASE, now=NOW)
    assert outbox.find(states=[S], due=NOW) == []
    outbox.postpone(one, until=NOW, now=NOW)
    assert [r.id for r in outbox.find(states=[A], due=NOW)] == [one]
    assert [entry.note for entry in outbox.journal(one)][-1] == "blocked"


def _write(outbox: Outbox, change_id: str, minute: int, *, written: bool = True) -> None:
    at = NOW + timedelta(minutes=minute)
    held = outbox.claim(change_id, owner="w", lease=LEASE, now=at)
    assert held is not None
    outbox.finish(held, ChangeState.APPLIED, actor="w", now=at, note="", written=written)


def test_counts_for_the_guardrails(outbox: Outbox) -> None:
    in_one: dict[str, Any] = {"campaign_id": "9"}
    _write(outbox, approved(outbox, budget("1", **in_one))[0], 0)
    _write(outbox, approved(outbox, budget("1", **in_one))[0], 10)
    _write(outbox, approved(outbox, budget("1", **in_one))[0], 20, written=False)
    _write(outbox, approved(outbox, status("1", **in_one))[0], 20)
    assert outbox.budget_writes("1", since=NOW) == 2
    assert outbox.budget_writes("1", since=NOW + timedelta(minutes=5)) == 1
    assert outbox.budget_writes("2", since=NOW) == 0
    pair = approved(outbox, *(budget(i, decision_id="both", **in_one) for i in ("2", "3")))
    for change_id in pair:
        _write(outbox, change_id, 30)
    assert outbox.budget_decisions("9", since=NOW) == 3
    assert outbox.budget_decisions("9", since=NOW, except_decision="both") == 2
    [unknown] = approved(outbox, budget("4", **in_one))
    outbox.claim(unknown, owner="w", lease=LEASE, now=NOW)
    assert outbox.budget_writes("4", since=NOW) == 1


def _raw(store: Store, **more: object) -> None:
    values: dict[str, object] = {
        "id": "raw",
        "number": 99,
        "platform": "meta",
        "account_id": "1",
        "campaign_id": "911",
        "level": Level.ADSET,
        "object_id": "11",
        "object_name": "",
        "field": ChangeField.DAILY_BUDGET,
        "old_value": "1",
        "new_value": "2",
        "currency": "EUR",
        "reason": "",
        "confidence": Decimal(1),
        "policy": "",
        "decision_id": "raw",
        "decided_at": NOW,
        "metrics": {},
        "state": P,
        "attempt": 1,
        "created_at": NOW,
        "updated_at": NOW,
        "last_note": "",
    }
    with store.write() as session:
        session.execute(insert(ChangeRow).values(**(values | more)))


@pytest.mark.parametrize("state", [P, A, S])
def test_the_database_itself_refuses_a_second_open_change(
    store: Store, outbox: Outbox, state: ChangeState
) -> None:
    approved(outbox, budget())
    with pytest.raises(StorageError, match="refused a row"):
        _raw(store, state=state)
    _raw(store, state=ChangeState.REJECTED)


def test_the_database_itself_refuses_a_decision_twice(store: Store, outbox: Outbox) -> None:
    [record] = outbox.propose([budget()], actor="a", now=NOW).inserted
    outbox.reject([record.id], actor="a", reason="", now=NOW)
    with pytest.raises(StorageError, match="refused a row"):
        _raw(store, decision_id=record.change.decision_id)


def test_the_journal_is_append_only(store: Store, outbox: Outbox) -> None:
    [change_id] = approved(outbox, budget())
    before = outbox.journal(change_id)
    with pytest.raises(StorageError, match="append-only"), store.write() as session:
        session.execute(update(JournalRow).values(note="rewritten"))
    with pytest.raises(StorageError, match="append-only"), store.write() as session:
        session.execute(text("DELETE FROM change_journal"))
    assert outbox.journal(change_id) == before


def test_a_step_and_its_journal_row_are_one(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    from zyenta_ads_pipeline.store import steps

    [change_id] = approved(outbox, budget())

    def broken(*_: object) -> None:
        raise RuntimeError("killed in between")

    monkeypatch.setattr(steps, "write_journal", broken)
    with pytest.raises(RuntimeError):
        outbox.claim(change_id, owner="w", lease=LEASE, now=NOW)
    assert outbox.get(change_id).state is A
    assert states(outbox, change_id) == [P, A]
