"""Random lives of changes: no step that is not allowed, and the journal tells the whole story."""

from __future__ import annotations

import itertools
from datetime import timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from tests.examples import examples
from tests.store.samples import NOW, budget, replay
from zyenta_ads_pipeline.domain.change import TRANSITIONS, ChangeState
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.store.models import OPEN_STATES
from zyenta_ads_pipeline.store.outbox import ClaimLost, Outbox
from zyenta_ads_pipeline.store.records import ChangeRecord

LEASE = timedelta(minutes=5)
_lives = itertools.count(1)


class Lives(RuleBasedStateMachine):
    """Two objects, decisions in any order, any step tried at any time."""

    outbox: Outbox
    ids = Bundle("ids")
    claims = Bundle("claims")

    def __init__(self) -> None:
        super().__init__()
        self.account = str(next(_lives))
        self.now = NOW
        self.model: dict[str, ChangeState] = {}

    def _moment(self) -> None:
        self.now += timedelta(seconds=1)

    def _expect(self, change_id: str, to_state: ChangeState) -> bool:
        return to_state in TRANSITIONS[self.model[change_id]]

    @rule(
        target=ids,
        number=st.integers(1, 2),
        new=st.integers(9_999, 10_003),
        age=st.integers(0, 3),
        approve=st.booleans(),
    )
    def propose(self, number: int, new: int, age: int, approve: bool) -> object:
        self._moment()
        change = budget(
            f"{self.account}-{number}",
            new=new,
            account_id=self.account,
            decided_at=NOW + timedelta(hours=age),
        )
        result = self.outbox.propose([change], actor="a", now=self.now, approve=approve)
        taken = (result.inserted, result.known, result.unchanged, result.refused)
        assert sum(map(len, taken)) == 1
        for change_id in result.superseded:
            assert self.model[change_id] is ChangeState.PROPOSED
            self.model[change_id] = ChangeState.SUPERSEDED
        for record in result.inserted:
            self.model[record.id] = ChangeState.APPROVED if approve else ChangeState.PROPOSED
        return multiple(*(record.id for record in result.inserted))

    @rule(change_id=ids, yes=st.booleans())
    def judge(self, change_id: str, yes: bool) -> None:
        self._moment()
        to_state = ChangeState.APPROVED if yes else ChangeState.REJECTED
        # SENDING may become APPROVED, but only by the run that holds it.
        held = self.model[change_id] is ChangeState.SENDING
        try:
            if yes:
                self.outbox.approve([change_id], actor="eva", now=self.now)
            else:
                self.outbox.reject([change_id], actor="eva", reason="no", now=self.now)
        except InputError:
            assert held or not self._expect(change_id, to_state)
        else:
            assert not held
            assert self._expect(change_id, to_state)
            self.model[change_id] = to_state

    @rule(target=claims, change_id=ids, owner=st.sampled_from("xy"))
    def claim(self, change_id: str, owner: str) -> object:
        self._moment()
        before = self.model[change_id]
        try:
            held = self.outbox.claim(change_id, owner=owner, lease=LEASE, now=self.now)
        except InputError:
            assert before is ChangeState.PROPOSED
            return multiple()
        assert (held is not None) == (before is ChangeState.APPROVED)
        if held is None:
            return multiple()
        self.model[change_id] = ChangeState.SENDING
        return held

    @rule(held=claims, to_state=st.sampled_from(ChangeState), written=st.booleans())
    def finish(self, held: ChangeRecord, to_state: ChangeState, written: bool) -> None:
        self._moment()
        valid = self.outbox.holds(held, now=held.updated_at)
        try:
            self.outbox.finish(held, to_state, actor="w", now=self.now, note="end", written=written)
        except ClaimLost:
            assert not valid
        except InputError:
            assert to_state not in TRANSITIONS[ChangeState.SENDING]
        else:
            assert valid
            assert self._expect(held.id, to_state)
            self.model[held.id] = to_state

    @rule(change_id=ids, to_state=st.sampled_from(ChangeState))
    def close(self, change_id: str, to_state: ChangeState) -> None:
        self._moment()
        before = self.model[change_id]
        try:
            closed = self.outbox.close(change_id, to_state, actor="w", now=self.now, note="c")
        except InputError:
            return
        assert (closed is not None) == (before is ChangeState.APPROVED)
        if closed is not None:
            assert self._expect(change_id, to_state)
            self.model[change_id] = to_state

    @rule(change_id=ids)
    def remark(self, change_id: str) -> None:
        self.outbox.note(change_id, actor="w", now=self.now, note="looked at")

    @invariant()
    def the_store_agrees_with_the_model_and_the_journal(self) -> None:
        found = self.outbox.find(account_id=self.account)
        assert {record.id: record.state for record in found} == self.model
        open_keys = [record.change.object_id for record in found if record.state in OPEN_STATES]
        assert len(open_keys) == len(set(open_keys))
        for record in found:
            assert replay(self.outbox.journal(record.id)) is record.state


def test_lives_of_changes(outbox: Outbox) -> None:
    machine = type("LivesHere", (Lives,), {"outbox": outbox})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples(20),
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
