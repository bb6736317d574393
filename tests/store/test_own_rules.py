"""Rules set in the console, and what a person decides of a proposal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from tests.store.campaign_samples import LATER, NOW
from tests.store.samples import approved, budget
from zyenta_ads_pipeline.domain.change import ChangeState
from zyenta_ads_pipeline.domain.errors import InputError, NotThere, Stale, TakenAlready
from zyenta_ads_pipeline.store.database import Store
from zyenta_ads_pipeline.store.outbox import Outbox
from zyenta_ads_pipeline.store.own_rules import OwnRule, OwnRules
from zyenta_ads_pipeline.store.records import ChangeRecord


def test_a_rule_is_set_changed_and_taken_back(store: Store) -> None:
    rules = OwnRules(store)
    rules.put("act_101", None, "cap", "80", by="ada", now=NOW)
    rules.put("101", "9001", "locked", True, by="ada", now=NOW)
    rules.put("102", None, "cap", None, by="ada", now=NOW)
    assert rules.of_account("101") == [
        OwnRule("101", None, "cap", "80", "ada", NOW),
        OwnRule("101", "9001", "locked", True, "ada", NOW),
    ]
    assert len(rules.all()) == 3
    rules.put("101", None, "cap", "80", by="max", now=LATER)
    rules.put("101", None, "cap", None, by="max", now=LATER)
    assert rules.take_back("101", None, "cap", by="eva", now=LATER)
    assert not rules.take_back("101", None, "cap", by="eva", now=LATER)
    told = [(each.set, each.value, each.had, each.before, each.by)
            for each in rules.history("101")]  # fmt: skip
    assert told == [
        (False, None, True, None, "eva"),
        (True, None, True, "80", "max"),
        (True, True, False, None, "ada"),
        (True, "80", False, None, "ada"),
    ]


def test_what_does_not_pass_the_check_is_not_kept(store: Store) -> None:
    rules = OwnRules(store)
    seen: list[Sequence[OwnRule]] = []

    def check(found: Sequence[OwnRule]) -> None:
        seen.append(found)
        raise InputError("no")

    with pytest.raises(InputError):
        rules.put("101", None, "cap", "1", by="ada", now=NOW, check=check)
    assert [rule.value for rule in seen[0]] == ["1"]
    assert rules.of_account("101") == []
    assert rules.history("101") == []
    rules.put("101", None, "cap", "1", by="ada", now=NOW)
    with pytest.raises(InputError):
        rules.take_back("101", None, "cap", by="ada", now=NOW, check=check)
    assert len(rules.of_account("101")) == 1


def proposed(outbox: Outbox, *numbers: str) -> list[ChangeRecord]:
    taken = outbox.propose([budget(number) for number in numbers], actor="p", now=NOW)
    return list(taken.inserted)


def decide(
    outbox: Outbox, *records: ChangeRecord, to: ChangeState = ChangeState.APPROVED, by: str = "eva"
) -> tuple[list[ChangeRecord], list[ChangeRecord]]:
    seen = {record.id: record.updated_at for record in records}
    found = outbox.decide(seen, to, actor=by, now=LATER, note="")
    if found.refused:
        raise next(iter(found.refused.values()))
    return list(found.moved), list(found.already)


def test_two_people_approve_and_the_second_is_told(outbox: Outbox) -> None:
    first, second = proposed(outbox, "1", "2")
    moved, already = decide(outbox, first)
    assert ([each.id for each in moved], already) == ([first.id], [])
    moved, already = decide(outbox, first, second, by="max")
    assert [each.id for each in moved] == [second.id]
    assert [each.id for each in already] == [first.id]
    with pytest.raises(TakenAlready, match=r"superseded|approved already, by max"):
        outbox.replace(second, "500", actor="eva", now=LATER, approve=True)
    decide(outbox, outbox.get(first.id), to=ChangeState.REJECTED)
    with pytest.raises(TakenAlready, match="rejected already, by eva"):
        decide(outbox, first, by="max")


def test_what_has_changed_since_is_not_decided(outbox: Outbox) -> None:
    first, second = proposed(outbox, "1", "2")
    outbox.note(second.id, actor="p", now=NOW + timedelta(minutes=1), note="something new")
    seen = {each.id: each.updated_at for each in (first, second)}
    found = outbox.decide(seen, ChangeState.APPROVED, actor="eva", now=LATER)
    assert [each.id for each in found.moved] == [first.id], "the other is not held up"
    assert isinstance(found.refused[second.id], Stale)
    assert outbox.get(second.id).state is ChangeState.PROPOSED
    with pytest.raises(Stale):
        outbox.replace(second, "500", actor="eva", now=LATER, approve=True)
    found = outbox.decide([first.id, second.id], ChangeState.APPROVED, actor="eva", now=LATER)
    assert [each.id for each in (*found.moved, *found.already)] == [second.id, first.id]
    with pytest.raises(NotThere):
        outbox.decide([first.id, "nothing"], ChangeState.REJECTED, actor="eva", now=LATER)
    assert outbox.get(first.id).state is ChangeState.APPROVED


def test_an_own_value_takes_the_place_of_the_proposal(outbox: Outbox) -> None:
    (old,) = proposed(outbox, "1")
    new = outbox.replace(old, "10500", actor="eva", now=LATER, approve=True)
    assert outbox.get(old.id).state is ChangeState.SUPERSEDED
    assert new.state is ChangeState.APPROVED
    assert (new.change.new_value, new.change.policy) == ("10500", "buyer")
    assert new.change.old_value == old.change.old_value
    assert [entry.to_state.value for entry in outbox.journal(new.id)] == ["proposed", "approved"]
    (other,) = proposed(outbox, "2")
    kept = outbox.replace(other, "10500", actor="eva", now=LATER, approve=False)
    assert kept.state is ChangeState.PROPOSED


@pytest.mark.parametrize("value", ["10000", "11000", "0", "-1", "1.5", "x"])
def test_a_value_that_cannot_be_leaves_the_proposal(outbox: Outbox, value: str) -> None:
    (old,) = proposed(outbox, "1")
    with pytest.raises(InputError):
        outbox.replace(old, value, actor="eva", now=LATER, approve=True)
    assert outbox.get(old.id) == old


def test_changes_are_found_by_their_decision(outbox: Outbox) -> None:
    approved(outbox, budget("1", decision_id="buyer:a_b:1"), budget("2", decision_id="buyer:axb:1"))
    assert [each.change.object_id for each in outbox.of_decision("buyer:a_b:")] == ["1"]
