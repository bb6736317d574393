"""Changes on their pages: decided by forms, two buyers at once, stale pages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.api.home import ROOT, Home, proposal, proposed
from tests.pages.browser import Browser, Form, Page
from zyenta_ads_pipeline.domain.access import Role
from zyenta_ads_pipeline.domain.change import ChangeState
from zyenta_ads_pipeline.store.orders import Orders, OrderState
from zyenta_ads_pipeline.store.outbox import Outbox


def several(home: Home, count: int = 3) -> list[str]:
    return proposed(
        home.store,
        *(
            proposal(str(each), object_name=f"Lamps {each}", decision_id=f"d{each}")
            for each in range(1, count + 1)
        ),
    )


def bulk(page: Page) -> Form:
    """The form that acts on all that is ticked."""
    return next(
        each
        for each in page.forms
        if each.action == "/changes/approve" and "Reject what is ticked" in each.words
    )


def written(home: Home, change_id: str) -> None:
    """As a push would leave it."""
    outbox, now = Outbox(home.store), datetime.now(UTC)
    outbox.approve([change_id], actor="eva", now=now)
    held = outbox.claim(change_id, owner="w", lease=timedelta(minutes=5), now=now)
    assert held is not None
    outbox.finish(held, ChangeState.APPLIED, actor="w", now=now, note="done", written=True)


def state(home: Home, change_id: str) -> ChangeState:
    return home.desks.changes.get(ROOT, change_id).state


def test_a_change_shows_before_and_after_why_and_how_surely(home: Home) -> None:
    (own,) = several(home, 1)
    browser = Browser(home).sign_in()
    for path in ("/changes", f"/changes/{own}"):
        page = browser.open(path)
        for words in ("50.00 EUR", "55.00 EUR", "+10%", "It sells well.", "90%", "Proposed"):
            assert words in page.text, (path, words)


def test_one_is_approved_by_its_button(home: Home) -> None:
    first, other, _ = several(home)
    browser = Browser(home).sign_in()
    form = browser.open("/changes").form("/changes/approve", ids=first, back="/changes")
    one = [each for each in browser.open("/changes").forms if each.fields.get("ids") == [first]]
    page = browser.send(one[0])
    assert form
    assert "1 change approved." in page.text
    assert state(home, first) is ChangeState.APPROVED
    assert state(home, other) is ChangeState.PROPOSED


def test_those_that_are_ticked_are_approved_together(home: Home) -> None:
    ids = several(home)
    browser = Browser(home).sign_in()
    form = bulk(browser.open("/changes"))
    assert {f"version-{each}" for each in ids} <= set(form.fields)
    assert "ids" not in form.fields  # nothing is ticked at first
    nothing = browser.send(form)
    assert "Tick the changes to approve first" in nothing.text
    page = browser.send(form.set(ids=ids[:2]))
    assert "2 changes approved." in page.text
    assert [state(home, each) for each in ids] == [
        ChangeState.APPROVED,
        ChangeState.APPROVED,
        ChangeState.PROPOSED,
    ]


@pytest.mark.parametrize("reason", ["Stock is low", ""])
def test_those_that_are_ticked_are_rejected_together(home: Home, reason: str) -> None:
    ids = several(home)
    browser = Browser(home).sign_in()
    form = bulk(browser.open("/changes"))
    form.action = "/changes/reject"  # its other button
    assert "Tick the changes to reject first" in browser.send(form).text
    page = browser.send(form.set(ids=ids[1:], reason=reason))
    assert 'class="note flash good"' in page.html
    assert "2 changes rejected." in page.text
    assert [state(home, each) for each in ids] == [
        ChangeState.PROPOSED,
        ChangeState.REJECTED,
        ChangeState.REJECTED,
    ]
    assert home.desks.changes.get(ROOT, ids[1]).last_note == reason


def test_what_cannot_be_done_with_one_is_told_of_it_and_the_others_are_done(home: Home) -> None:
    ids = several(home, 4)
    browser = Browser(home).sign_in()
    form = bulk(browser.open("/changes")).set(ids=ids)
    home.desks.changes.approve(ROOT, [ids[0]])
    home.desks.changes.reject(ROOT, [ids[1]], "Stock is low")
    Outbox(home.store).note(ids[2], actor="p", now=datetime.now(UTC), note="newer numbers")
    page = browser.send(form)
    assert 'class="note flash warn"' in page.html
    assert "1 change approved." in page.text
    assert "Lamps 1 was approved already, by root" in page.text
    assert "2 changes could not be approved:" in page.text
    assert "Lamps 2 is rejected already, by root" in page.text
    assert "Lamps 3 has changed since" in page.text
    assert [state(home, each).value for each in ids] == [
        "approved", "rejected", "proposed", "approved",
    ]  # fmt: skip


def test_of_many_that_cannot_be_done_a_few_are_told(home: Home) -> None:
    ids = several(home, 12)
    browser = Browser(home).sign_in()
    form = bulk(browser.open("/changes")).set(ids=ids)
    home.desks.changes.reject(ROOT, ids)
    page = browser.send(form)
    assert 'class="note flash bad"' in page.html
    assert "12 changes could not be approved:" in page.text
    assert page.text.count("is rejected already, by root") == 8
    assert "And 4 more." in page.text


def test_of_many_that_stood_so_those_that_were_refused_are_told_first(home: Home) -> None:
    name = "Spring sale for trail shoes and tents, lookalike audience of the best buyers {0:02}"
    ids = proposed(
        home.store,
        *(
            proposal(str(each), object_name=name.format(each), decision_id=f"d{each}")
            for each in range(25)
        ),
    )
    browser = Browser(home).sign_in()
    form = bulk(browser.open("/changes")).set(ids=ids)
    home.desks.changes.approve(ROOT, ids[:14])
    home.desks.changes.reject(ROOT, ids[14:24], "Stock is low " * 30)
    text = browser.send(form).text
    assert "1 change approved." in text
    assert text.index("10 changes could not be approved:") < text.index(
        "14 changes were approved already:"
    )
    assert text.count("is rejected already, by root") == 8
    assert text.count("was approved already, by root") == 6
    assert "And 2 more." in text
    assert "And 8 more." in text


def test_a_rejection_of_what_was_approved_meanwhile_is_told_and_not_done(home: Home) -> None:
    ids = several(home, 3)
    browser = Browser(home).sign_in()
    form = bulk(browser.open("/changes")).set(ids=ids)
    form.action = "/changes/reject"  # its other button
    home.desks.changes.approve(ROOT, ids[:2])
    page = browser.send(form)
    assert "1 change rejected." in page.text
    assert "2 changes could not be rejected:" in page.text
    assert "Lamps 1 has changed since you looked at it: it was approved by root" in page.text
    assert [state(home, each).value for each in ids] == ["approved", "approved", "rejected"]


def test_the_first_buttons_of_what_is_ticked_decide_nothing(home: Home) -> None:
    several(home, 1)
    tags = Browser(home).sign_in().open("/changes").tags
    at = next(n for n, (tag, given) in enumerate(tags) if given.get("id") == "bulk")
    first, second = [given for tag, given in tags[at:] if tag == "button"][:2]
    assert first == {"disabled": "", "hidden": ""}
    assert second == {"formmethod": "dialog", "hidden": ""}


def test_two_buyers_who_approve_one_change_both_end_well(home: Home) -> None:
    (own,) = several(home, 1)
    first, second = Browser(home).sign_in(Role.BUYER), Browser(home).sign_in(Role.ADMIN)
    forms = [
        next(each for each in who.open("/changes").forms if each.fields.get("ids") == [own])
        for who in (first, second)
    ]
    assert "1 change approved." in first.send(forms[0]).text
    told = second.send(forms[1])
    assert told.status == 200
    assert "the buyer" in told.text
    assert state(home, own) is ChangeState.APPROVED


def test_who_comes_too_late_with_the_opposite_is_told(home: Home) -> None:
    (own,) = several(home, 1)
    first, second = Browser(home).sign_in(Role.BUYER), Browser(home).sign_in(Role.ADMIN)
    reject = first.open("/changes").form("/changes/reject").set(reason="Stock is low")
    approve = next(
        each for each in second.open("/changes").forms if each.fields.get("ids") == [own]
    )
    assert "1 change rejected." in first.send(reject).text
    told = second.send(approve)
    assert 'class="note flash bad"' in told.html
    assert state(home, own) is ChangeState.REJECTED


def test_a_rejection_needs_no_reason_but_keeps_a_short_one(home: Home) -> None:
    own, other = several(home, 2)
    browser = Browser(home).sign_in()
    form = browser.open("/changes").form("/changes/reject", ids=own)
    assert 'class="note flash bad"' in browser.send(form.set(reason="x" * 501)).html
    assert state(home, own) is ChangeState.PROPOSED
    assert "1 change rejected." in browser.send(form.set(reason=" ")).text
    assert state(home, own) is ChangeState.REJECTED
    browser.send(
        browser.open(f"/changes/{other}").form("/changes/reject").set(reason="Stock is low")
    )
    assert "Stock is low" in browser.open(f"/changes/{other}").text


def test_ones_own_value_takes_the_place_of_the_proposal(home: Home) -> None:
    (own,) = several(home, 1)
    browser = Browser(home).sign_in()
    form = browser.open("/changes").form(f"/changes/{own}/edit")
    assert form.fields["value"] == ["55"]
    page = browser.send(form.set(value="a lot"))
    assert "is no number" in page.text
    for value in ("1,000", "1.000", "1e999999", "99999999999"):
        page = browser.send(form.set(value=value))
        assert 'class="note flash bad"' in page.html, value
        assert state(home, own) is ChangeState.PROPOSED
    page = browser.send(form.set(value="52"))
    assert "took the place" in page.text, page.text
    assert state(home, own) is ChangeState.SUPERSEDED
    assert "52.00 EUR" in browser.open("/changes?state=moving").text


def test_an_undo_that_waits_shows_on_the_changes_page_and_is_withdrawn_there(home: Home) -> None:
    (own,) = several(home, 1)
    written(home, own)
    browser = Browser(home).sign_in()
    page = browser.open(f"/changes/{own}")
    page = browser.send(page.form(f"/changes/{own}/undo"))
    (order,) = Orders(home.store).find()
    assert page.path == f"/changes/{own}?order={order.id}"
    page = browser.open(f"/changes/{own}")
    assert "Undo a change Waiting" in page.text
    assert f'data-live="/changes/{own}"' in page.html
    assert not page.has_form(f"/changes/{own}/undo"), "it is asked for already"
    withdraw = page.form(f"/changes/{own}/orders/{order.id}/withdraw")
    watching = Browser(home).sign_in(Role.VIEWER).open(f"/changes/{own}")
    assert "Undo a change" in watching.text
    assert not watching.has_form(withdraw.action)
    page = browser.send(withdraw)
    assert page.path == f"/changes/{own}"
    assert "It is not done" in page.text
    assert Orders(home.store).get(order.id).state is OrderState.WITHDRAWN
    assert page.has_form(f"/changes/{own}/undo"), "it can be asked for anew"
    assert "data-live" not in page.html
    told = browser.open(f"/changes/{own}?order={order.id}").text
    assert "Withdrawn by the buyer" in told


def test_an_undo_that_is_being_done_is_shown_and_not_withdrawn(home: Home) -> None:
    (own,) = several(home, 1)
    written(home, own)
    browser = Browser(home).sign_in()
    page = browser.send(browser.open(f"/changes/{own}").form(f"/changes/{own}/undo"))
    (order,) = Orders(home.store).find()
    withdraw = page.form(f"/changes/{own}/orders/{order.id}/withdraw")
    Orders(home.store).claim(order.id, "w", timedelta(minutes=5), datetime.now(UTC))
    page = browser.send(withdraw)
    assert 'class="note flash bad"' in page.html
    assert "Undo a change Under way" in page.text
    assert not page.has_form(withdraw.action)


def test_a_change_that_is_not_applied_has_nothing_to_undo(home: Home) -> None:
    (own,) = several(home, 1)
    browser = Browser(home).sign_in()
    page = browser.open(f"/changes/{own}")
    assert not page.has_form(f"/changes/{own}/undo")
    form = page.form("/sign-out")
    form.action = f"/changes/{own}/undo"
    page = browser.send(form)
    assert page.path == f"/changes/{own}"
    assert 'class="note flash bad"' in page.html
