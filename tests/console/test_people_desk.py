"""Doors, switches and the audit: who comes in, who may throw and lift, and what is written down."""

from __future__ import annotations

import pytest

from tests.console.desk_home import ADA, EVA, VIC, acts
from zyenta_ads_pipeline.console.desks.desks import Desks
from zyenta_ads_pipeline.console.desks.people import SignedOut
from zyenta_ads_pipeline.console.office import Office
from zyenta_ads_pipeline.domain.access import Person, Role
from zyenta_ads_pipeline.domain.errors import (
    FieldsRefused,
    InputError,
    NotAllowed,
    NotSignedIn,
    NotThere,
    TakenAlready,
    TooManyTries,
)

HERE = "10.0.0.7"
CLI = Person("root", Role.ADMIN, "cli")


def test_a_token_signs_in_and_its_session_knows_the_person(desks: Desks, office: Office) -> None:
    issued = desks.people.issue(ADA, "eva", Role.BUYER, 30)
    assert issued.secret.startswith(issued.token.prefix)
    signed = desks.people.sign_in(f" {issued.secret}\n", HERE)
    assert signed.person == Person("eva", Role.BUYER, "console", issued.token.id)
    found = desks.people.session(signed.cookie)
    assert found is not None
    assert (found.person, found.csrf) == (signed.person, signed.csrf)
    assert signed.csrf not in signed.cookie
    assert desks.people.session(None) is desks.people.session("other") is None
    assert desks.people.person_of_token(issued.secret, HERE).via == "api"
    desks.people.sign_out(signed.cookie)
    desks.people.sign_out(signed.cookie)
    desks.people.sign_out(None)
    assert desks.people.session(signed.cookie) is None
    assert acts(office) == [
        ("ada", "token.issue", False),
        ("eva", "sign_in.token", False),
        ("eva", "sign_out", False),
    ]
    assert issued.secret not in str(office.audit.entries())


def test_a_revoked_token_ends_its_sessions(desks: Desks) -> None:
    issued = desks.people.issue(ADA, "eva", Role.BUYER)
    signed = desks.people.sign_in(issued.secret, HERE)
    desks.people.revoke(ADA, issued.token.id)
    assert desks.people.session(signed.cookie) is None
    with pytest.raises(NotSignedIn):
        desks.people.person_of_token(issued.secret, HERE)


def test_the_first_start_has_a_link_until_there_is_a_token(desks: Desks) -> None:
    link = desks.people.first_link()
    assert link is not None
    assert desks.people.sign_in_by_link(link, HERE).person.role is Role.ADMIN
    with pytest.raises(NotSignedIn, match="used already"):
        desks.people.sign_in_by_link(link, HERE)
    issued = desks.people.issue(CLI, "eva", Role.VIEWER)
    assert desks.people.first_link() is None
    desks.people.revoke(CLI, issued.token.id)
    assert desks.people.first_link()


def test_who_guesses_is_kept_out_and_nobody_else(desks: Desks) -> None:
    good = desks.people.issue(ADA, "eva", Role.BUYER).secret
    for _ in range(5):
        with pytest.raises(NotSignedIn):
            desks.people.sign_in("zyt_guess", HERE)
    with pytest.raises(TooManyTries) as told:
        desks.people.sign_in("zyt_guess", HERE)
    assert 0 < told.value.wait_seconds <= 31
    with pytest.raises(TooManyTries):
        desks.people.sign_in_by_link("guess", HERE)
    with pytest.raises(TooManyTries):
        desks.people.person_of_token("zyt_guess", HERE)
    link = desks.people.link(ADA, "max", Role.VIEWER)
    assert desks.people.person_of_token(good, HERE).name == "eva"
    assert desks.people.sign_in_by_link(link, HERE).person.name == "max"


def test_a_good_token_signs_in_where_others_failed(desks: Desks) -> None:
    good = desks.people.issue(ADA, "eva", Role.BUYER).secret
    for _ in range(6):
        with pytest.raises((NotSignedIn, TooManyTries)):
            desks.people.person_of_token("zyt_guess", HERE)
    assert desks.people.sign_in(good, HERE).person.name == "eva"


def test_an_admin_sees_who_is_signed_in_and_ends_it(desks: Desks, office: Office) -> None:
    for person in (VIC, EVA):
        with pytest.raises(NotAllowed, match="admin"):
            desks.people.sessions(person)
        with pytest.raises(NotAllowed, match="admin"):
            desks.people.sign_out_all(person, "ada")
    assert desks.people.sign_out_all(VIC, "vic").sessions == 0  # of the own name everybody may
    signed = desks.people.sign_in_by_link(desks.people.link(ADA, "max", Role.ADMIN), HERE)
    (listed,) = desks.people.sessions(ADA)
    assert (listed.name, listed.role, listed.token) == ("max", Role.ADMIN, None)
    assert desks.people.sign_out_all(ADA, " max ") == SignedOut("max", 1, 0)
    assert desks.people.session(signed.cookie) is None
    assert desks.people.sessions(ADA) == []
    assert acts(office)[-1] == ("ada", "session.end", False)


def test_a_name_that_differs_by_case_alone_is_told_to_admins(desks: Desks) -> None:
    with pytest.raises(FieldsRefused, match="No name was given"):
        desks.people.sign_out_all(ADA, " ")
    desks.people.sign_in_by_link(desks.people.link(ADA, "Max", Role.BUYER), HERE)
    desks.people.link(ADA, "MAX", Role.BUYER)
    assert desks.people.sign_out_all(ADA, "max") == SignedOut("max", 0, 0, ["MAX", "Max"])
    assert desks.people.sign_out_all(Person("max", Role.BUYER), "max").alike == ()
    assert desks.people.sign_out_all(ADA, "MAX") == SignedOut("MAX", 0, 1)
    assert desks.people.sign_out_all(ADA, "Max") == SignedOut("Max", 1, 0)
    assert desks.people.sign_out_all(ADA, "max").alike == []


def test_an_admin_sees_open_links_and_ends_them(desks: Desks, office: Office) -> None:
    for person in (VIC, EVA):
        with pytest.raises(NotAllowed, match="admin"):
            desks.people.links(person)
        with pytest.raises(NotAllowed, match="admin"):
            desks.people.end_link(person, "0123")
    secret = desks.people.link(ADA, "max", Role.ADMIN)
    (listed,) = desks.people.links(ADA)
    assert (listed.name, listed.role, listed.created_by) == ("max", Role.ADMIN, "ada")
    assert desks.people.end_link(ADA, listed.id) == listed
    assert desks.people.links(ADA) == []
    with pytest.raises(NotSignedIn):
        desks.people.sign_in_by_link(secret, HERE)
    with pytest.raises(NotThere):
        desks.people.end_link(ADA, listed.id)
    assert acts(office)[-1] == ("ada", "link.end", False)


def test_the_same_refusal_is_written_down_once_a_minute(desks: Desks, office: Office) -> None:
    for _ in range(20):
        with pytest.raises(NotAllowed):
            desks.people.issue(VIC, "x" * 5000, Role.ADMIN)
    (row,) = office.audit.entries()
    assert (row.who, row.act, row.refused, len(row.about)) == ("vic", "token.issue", True, 200)
    with pytest.raises(NotAllowed):
        desks.people.issue(EVA, "x", Role.ADMIN)
    office._refused = {key: at - 61 for key, at in office._refused.items()}
    with pytest.raises(NotAllowed):
        desks.people.issue(VIC, "x", Role.ADMIN)
    assert [each.who for each in office.audit.entries()] == ["vic", "eva", "vic"]


def test_tokens_are_for_admins(desks: Desks, office: Office) -> None:
    for person in (VIC, EVA):
        for act in (
            desks.people.tokens,
            lambda who: desks.people.issue(who, "x", Role.ADMIN),
            lambda who: desks.people.revoke(who, "x"),
            lambda who: desks.people.link(who, "x", Role.ADMIN),
        ):
            with pytest.raises(NotAllowed, match="admin"):
                act(person)
    assert desks.people.tokens(ADA) == []
    assert len(acts(office)) == 8
    assert all(refused for _, _, refused in acts(office))
    link = desks.people.link(ADA, "vic", Role.VIEWER)
    assert desks.people.sign_in_by_link(link, HERE).person == Person("vic", Role.VIEWER)


def test_what_cannot_be_a_token_is_refused(desks: Desks) -> None:
    for name, days in (("", None), ("x" * 81, None), ("a\nb", None), ("eva", 0), ("eva", 9999)):
        with pytest.raises(FieldsRefused):
            desks.people.issue(ADA, name, Role.BUYER, days)
    with pytest.raises(FieldsRefused, match="A link needs the name of who will use it"):
        desks.people.link(ADA, " ", Role.BUYER)
    admin = desks.people.issue(ADA, "ada", Role.ADMIN)
    with pytest.raises(TakenAlready):
        desks.people.issue(ADA, "ada", Role.BUYER)
    with pytest.raises(InputError, match="last good token"):
        desks.people.revoke(ADA, admin.token.id)
    assert desks.people.revoke(CLI, admin.token.prefix).revoked_by == "root"


def test_a_buyer_throws_and_an_admin_lifts(desks: Desks, office: Office) -> None:
    with pytest.raises(NotAllowed):
        desks.switches.throw(VIC, None, "fire")
    with pytest.raises(FieldsRefused):
        desks.switches.throw(EVA, None, "  ")
    desks.switches.throw(EVA, "act_101", "wrong prices")
    assert "wrong prices" in (desks.switches.stopped(VIC, "101") or "")
    assert desks.switches.stopped(VIC) is None
    with pytest.raises(NotAllowed, match="admin"):
        desks.switches.lift(EVA, "101")
    assert desks.switches.lift(ADA, "101", "mended")
    assert not desks.switches.lift(ADA, "101")
    assert desks.switches.all(VIC) == []
    assert [each.thrown for each in desks.switches.history(VIC)] == [False, True]
    assert not desks.switches.set_outside()
    assert [act for _, act, refused in acts(office) if not refused] == [
        "switch.throw",
        "switch.lift",
    ]


def test_the_audit_shows_doors_to_admins_alone(desks: Desks) -> None:
    desks.people.issue(ADA, "eva", Role.BUYER)
    desks.switches.throw(EVA, None, "fire")
    assert [each.act for each in desks.people.audit(ADA)] == ["switch.throw", "token.issue"]
    assert [each.act for each in desks.people.audit(VIC)] == ["switch.throw"]
    (newest,) = desks.people.audit(ADA, limit=1)
    assert [each.act for each in desks.people.audit(ADA, before=newest.id)] == ["token.issue"]
    assert desks.people.audit(ADA, who="eva", kind="switch", about="all") == [newest]
