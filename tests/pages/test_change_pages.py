"""Changes on their pages: decided by forms, two buyers at once, stale pages."""

from __future__ import annotations

from tests.api.home import ROOT, Home, proposal, proposed
from tests.pages.browser import Browser
from zyenta_ads_pipeline.domain.access import Role
from zyenta_ads_pipeline.domain.change import ChangeState


def several(home: Home, count: int = 3) -> list[str]:
    return proposed(
        home.store,
        *(
            proposal(str(each), object_name=f"Lamps {each}", decision_id=f"d{each}")
            for each in range(1, count + 1)
        ),
    )


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
    page = browser.open("/changes")
    bulk = next(each for each in page.forms if f"version-{ids[2]}" in each.fields)
    assert "ids" not in bulk.fields  # nothing is ticked at first
    nothing = browser.send(bulk)
    assert "Tick the changes" in nothing.text
    page = browser.send(bulk.set(ids=ids[:2]))
    assert "2 changes approved." in page.text
    assert [state(home, each) for each in ids] == [
        ChangeState.APPROVED,
        ChangeState.APPROVED,
        ChangeState.PROPOSED,
    ]


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


def test_a_rejection_wants_a_reason(home: Home) -> None:
    (own,) = several(home, 1)
    browser = Browser(home).sign_in()
    form = browser.open("/changes").form("/changes/reject")
    page = browser.send(form.set(reason=" "))
    assert 'class="note flash bad"' in page.html
    assert state(home, own) is ChangeState.PROPOSED


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
