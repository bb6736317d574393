from __future__ import annotations

from decimal import Decimal

import pytest

from tests.campaigns.fake_platform import FakePlatform
from tests.campaigns.pushing import Clock, push, rails
from tests.store.samples import NOW, approved, budget
from zyenta_ads_pipeline.campaigns.undo import undo
from zyenta_ads_pipeline.domain.change import ChangeState
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.store.outbox import Outbox


def test_undoing_restores_the_old_value_past_step_and_day(
    platform: FakePlatform, outbox: Outbox
) -> None:
    tight = rails(max_step=Decimal("0.2"), max_budget_changes_per_day=1)
    [cut] = approved(outbox, budget(new=8_000))
    push(platform, outbox, Clock(), guardrails=tight)
    record = undo(outbox, cut, actor="eva", now=NOW)
    assert record.state is ChangeState.PROPOSED
    assert (record.change.old_value, record.change.new_value) == ("8000", "10000")
    assert cut in record.change.reason
    assert "80.00 EUR" in record.change.reason
    assert outbox.journal(record.id)[0].actor == "eva"
    outbox.approve([record.id], actor="eva", now=NOW)
    push(platform, outbox, Clock(), guardrails=tight)
    assert platform.budget("11") == 10_000
    again = undo(outbox, record.id, actor="eva", now=NOW)  # an undo can be undone
    assert again.change.new_value == "8000"


def test_only_an_applied_change_that_wrote_something_can_be_undone(
    platform: FakePlatform, outbox: Outbox
) -> None:
    [change_id] = approved(outbox, budget())
    with pytest.raises(InputError, match="is approved; only an applied change"):
        undo(outbox, change_id, actor="eva", now=NOW)
    platform.edit("11", daily_budget=11_000)
    push(platform, outbox, Clock())
    with pytest.raises(InputError, match="wrote nothing"):
        undo(outbox, change_id, actor="eva", now=NOW)


def test_the_later_change_is_undone_first(platform: FakePlatform, outbox: Outbox) -> None:
    clock = Clock()
    [first] = approved(outbox, budget())
    push(platform, outbox, clock)
    clock.move(minutes=1)
    [second] = approved(outbox, budget(old=11_000, new=12_000))
    push(platform, outbox, clock)
    with pytest.raises(InputError, match=f"{second} was applied to the same object after"):
        undo(outbox, first, actor="eva", now=clock())


def test_an_open_change_is_in_the_way_of_an_undo(platform: FakePlatform, outbox: Outbox) -> None:
    [first] = approved(outbox, budget())
    push(platform, outbox, Clock())
    [second] = approved(outbox, budget(old=11_000, new=12_000))
    with pytest.raises(InputError, match=f"cannot be undone now.*{second} is approved"):
        undo(outbox, first, actor="eva", now=NOW)


def test_a_rejected_undo_can_be_asked_for_again(platform: FakePlatform, outbox: Outbox) -> None:
    [first] = approved(outbox, budget())
    push(platform, outbox, Clock())
    once = undo(outbox, first, actor="eva", now=NOW)
    outbox.reject([once.id], actor="eva", reason="mistake", now=NOW)
    twice = undo(outbox, first, actor="eva", now=NOW, approve=True)
    assert twice.id != once.id
    assert twice.state is ChangeState.APPROVED
