"""Account ids, the steps of a change, and errors that say what to do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zyenta_ads_pipeline.domain.ads import account_number
from zyenta_ads_pipeline.domain.change import TRANSITIONS, ChangeState
from zyenta_ads_pipeline.domain.errors import (
    ErrorOrigin,
    InputError,
    PlatformError,
    RateLimited,
    ZyentaError,
)

FINAL = {
    ChangeState.APPLIED,
    ChangeState.REJECTED,
    ChangeState.SUPERSEDED,
    ChangeState.CONFLICT,
    ChangeState.FAILED,
}


@given(st.from_regex(r"\A[0-9]{1,20}\Z"))
def test_an_account_is_the_same_with_and_without_its_prefix(digits: str) -> None:
    assert account_number(digits) == account_number(f"act_{digits}") == digits
    assert account_number(f"  act_{digits}\n") == digits


@pytest.mark.parametrize(
    "text", ["", "act_", "act_act_1", "ACT_1", "1 2", "12a", "-1", "1.0", "act_१२", "²"]
)
def test_anything_else_is_no_account(text: str) -> None:
    with pytest.raises(InputError, match="act_ followed by digits") as refused:
        account_number(text)
    assert repr(text) in refused.value.what


def test_every_state_has_its_steps_and_only_final_ones_have_none() -> None:
    assert set(TRANSITIONS) == set(ChangeState)
    assert {state for state, steps in TRANSITIONS.items() if not steps} == FINAL


def test_a_change_is_applied_only_after_it_was_approved_and_sent() -> None:
    into = {
        state: {before for before, steps in TRANSITIONS.items() if state in steps}
        for state in ChangeState
    }
    assert into[ChangeState.PROPOSED] == set()
    assert into[ChangeState.APPLIED] == {ChangeState.SENDING}
    assert into[ChangeState.SENDING] == {ChangeState.APPROVED}
    assert into[ChangeState.APPROVED] == {ChangeState.PROPOSED, ChangeState.SENDING}


def test_what_is_being_sent_is_neither_rejected_nor_superseded() -> None:
    gone = {ChangeState.REJECTED, ChangeState.SUPERSEDED}
    assert not TRANSITIONS[ChangeState.SENDING] & gone


def test_every_state_is_reached_from_the_first() -> None:
    reached, left = {ChangeState.PROPOSED}, [ChangeState.PROPOSED]
    while left:
        for step in TRANSITIONS[left.pop()] - reached:
            reached.add(step)
            left.append(step)
    assert reached == set(ChangeState)


def test_an_error_reads_as_one_paragraph_of_what_and_remedy() -> None:
    error = ZyentaError("The lake is full.", "Make room.")
    assert (str(error), error.what, error.remedy) == (
        "The lake is full. Make room.",
        "The lake is full.",
        "Make room.",
    )
    assert str(ZyentaError("Alone.")) == "Alone."


def test_a_platforms_error_knows_where_it_came_from() -> None:
    assert PlatformError("x").origin == ErrorOrigin()
    origin = ErrorOrigin(code=17, subcode=2446079, trace_id="A1")
    error = RateLimited("Too many.", "Wait.", origin=origin, wait_seconds=3.5)
    assert (error.origin, error.wait_seconds, str(error)) == (origin, 3.5, "Too many. Wait.")
