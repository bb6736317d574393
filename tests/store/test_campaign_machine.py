"""Random lives of campaigns and launches: no step that is not allowed, and journals tell it all."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.examples import examples
from tests.store.campaign_samples import LEASE, NOW, PLAN, launched, opened
from zyenta_ads_pipeline.domain.campaign import CAMPAIGN_TRANSITIONS, CampaignStatus
from zyenta_ads_pipeline.domain.creative import CREATIVE_TRANSITIONS, CreativeStatus
from zyenta_ads_pipeline.domain.errors import IllegalTransition
from zyenta_ads_pipeline.domain.launch import STEP_TRANSITIONS, StepState
from zyenta_ads_pipeline.store.campaigns import Campaigns
from zyenta_ads_pipeline.store.database import Store
from zyenta_ads_pipeline.store.launches import Launches, LaunchLost, LaunchStep

SETTINGS = settings(
    max_examples=examples(20),
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
PENDING, SENDING, DONE = StepState.PENDING, StepState.SENDING, StepState.DONE


def _names_both(error: IllegalTransition, before: str, after: str) -> None:
    assert f"is {before} and cannot become {after}" in error.what
    assert error.remedy


class Campaigning(RuleBasedStateMachine):
    """One campaign with two creatives, any status tried at any time."""

    store: Store

    @initialize()
    def begin(self) -> None:
        self.campaigns = Campaigns(self.store)
        made = launched(self.store)
        self.id = made.id
        self.now = NOW
        self.status = made.status
        self.reason = made.status_reason
        self.creatives = {each.id: each.status for each in made.creatives}
        self.events = 1

    def _say(self, reason: str) -> dict[str, Any]:
        self.now += timedelta(seconds=1)
        return {"reason": reason, "actor": "someone", "now": self.now}

    @rule(to=st.sampled_from(CampaignStatus), reason=st.sampled_from("xy"))
    def move(self, to: CampaignStatus, reason: str) -> None:
        allowed = to in CAMPAIGN_TRANSITIONS[self.status]
        try:
            moved = self.campaigns.move(self.id, to, **self._say(reason))
        except IllegalTransition as error:
            _names_both(error, self.status, to)
            assert not allowed
            assert to is not self.status
            return
        assert allowed or to is self.status
        self.events += (to, reason) != (self.status, self.reason)
        self.status, self.reason = moved.status, moved.status_reason
        assert (self.status, self.reason) == (to, reason)

    @rule(which=st.integers(0, 1), to=st.sampled_from(CreativeStatus))
    def move_creative(self, which: int, to: CreativeStatus) -> None:
        creative_id = list(self.creatives)[which]
        before = self.creatives[creative_id]
        allowed = to in CREATIVE_TRANSITIONS[before]
        try:
            self.campaigns.move_creative(creative_id, to, **self._say("why"))
        except IllegalTransition:
            assert not allowed
            assert to is not before
            return
        assert allowed or to is before
        self.events += to is not before
        self.creatives[creative_id] = to

    @invariant()
    def the_journal_leads_to_where_it_stands(self) -> None:
        found = self.campaigns.get(self.id)
        journal = self.campaigns.journal(self.id)
        assert len(journal) == self.events
        assert (found.status, found.status_reason) == (self.status, self.reason)
        assert {each.id: each.status for each in found.creatives} == self.creatives
        seen: dict[str | None, str | None] = dict.fromkeys(self.creatives, "active")
        seen[None] = None
        for event in journal:
            assert event.from_value == seen[event.creative_id]
            seen[event.creative_id] = event.to_value
        assert seen == {None: self.status, **self.creatives}


class Launching(RuleBasedStateMachine):
    """One campaign's steps and two runs; leases end, and every move is tried at any time."""

    store: Store

    @initialize()
    def begin_launch(self) -> None:
        self.launches = Launches(self.store)
        self.id = launched(self.store).id
        self.now = NOW
        self.model = {step.id: (PENDING, 0) for step in self.launches.plan(self.id, PLAN, self.now)}
        self.holder: str | None = None
        self.until = self.now

    @rule(owner=st.sampled_from("ab"))
    def hold(self, owner: str) -> None:
        free = self.holder in {None, owner} or self.until <= self.now
        assert self.launches.hold(self.id, owner, LEASE, self.now) == free
        if free:
            self.holder, self.until = owner, self.now + LEASE

    @rule(owner=st.sampled_from("ab"))
    def release(self, owner: str) -> None:
        self.launches.release(self.id, owner)
        if self.holder == owner:
            self.holder = None

    @rule()
    def wait(self) -> None:
        self.now += timedelta(minutes=3)

    @rule()
    def plan_again(self) -> None:
        steps = self.launches.plan(self.id, PLAN, self.now)
        assert {step.id for step in steps} == set(self.model)

    @rule(which=st.integers(0, 2), owner=st.sampled_from("ab"))
    def begin(self, which: int, owner: str) -> None:
        step_id = list(self.model)[which]
        state, attempt = self.model[step_id]
        try:
            begun = self.launches.begin(step_id, owner, self.now, {}, "")
        except LaunchLost:
            assert self.holder != owner
        except IllegalTransition:
            assert state is not PENDING
        else:
            assert (self.holder, state) == (owner, PENDING)
            assert begun.attempt == attempt + 1
            self.model[step_id] = (SENDING, attempt + 1)

    @rule(
        which=st.integers(0, 2),
        move=st.sampled_from(["done", "back", "refuse", "reopen", "rolled_back"]),
    )
    def settle(self, which: int, move: str) -> None:
        step_id = list(self.model)[which]
        state, attempt = self.model[step_id]
        refused, rolled = StepState.REFUSED, StepState.ROLLED_BACK
        from_states, to_state = {
            "done": ({SENDING}, DONE),
            "back": ({SENDING}, PENDING),
            "refuse": ({PENDING, SENDING}, refused),
            "reopen": ({refused, rolled}, PENDING),
            "rolled_back": ({DONE}, rolled),
        }[move]
        more = ("55",) if move == "done" else ()
        try:
            moved: LaunchStep = getattr(self.launches, move)(step_id, *more, self.now)
        except IllegalTransition as error:
            _names_both(error, state, to_state)
            assert state not in from_states
        else:
            assert state in from_states
            assert moved.state is to_state
            self.model[step_id] = (to_state, attempt)

    @invariant()
    def the_journal_leads_to_where_each_step_stands(self) -> None:
        steps = self.launches.steps(self.id)
        assert {step.id: (step.state, step.attempt) for step in steps} == self.model
        seen: dict[str, StepState] = {}
        for entry in self.launches.journal(self.id):
            assert entry.from_state == seen.get(entry.step_id)
            assert entry.from_state is None or entry.to_state in STEP_TRANSITIONS[entry.from_state]
            seen[entry.step_id] = entry.to_state
        assert seen == {step.id: step.state for step in steps}
        made = {step.platform_id is not None for step in steps if step.state is DONE}
        assert made <= {True}


def test_lives_of_campaigns(store: Store) -> None:
    machine = type("CampaigningHere", (Campaigning,), {"store": opened(store)})
    run_state_machine_as_test(machine, settings=SETTINGS)


def test_lives_of_launches(store: Store) -> None:
    machine = type("LaunchingHere", (Launching,), {"store": opened(store)})
    run_state_machine_as_test(machine, settings=SETTINGS)
