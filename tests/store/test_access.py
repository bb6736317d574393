"""Doors: tokens, links, sessions and failed tries; nothing that opens one is stored as it is."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import text

from tests.store.campaign_samples import LATER, NOW
from zyenta_ads_pipeline.domain.access import Person, Role
from zyenta_ads_pipeline.domain.errors import InputError, NotThere, TakenAlready
from zyenta_ads_pipeline.store.access import (
    LINK_LASTS,
    LINK_SESSION_ENDS,
    SESSION_ENDS,
    SESSION_LASTS,
    TRIES_OF_A_PLACE,
    Access,
    Ended,
)
from zyenta_ads_pipeline.store.database import Store

DAY = timedelta(days=1)


@pytest.fixture
def access(store: Store) -> Access:
    return Access(store)


def everything(store: Store) -> str:
    """Every text of the tables of the doors."""
    tables = ("access_tokens", "access_links", "access_sessions", "access_tries")
    with store.read() as session:
        rows = [row for each in tables for row in session.execute(text(f"SELECT * FROM {each}"))]
    return str([tuple(row) for row in rows])


def test_a_token_opens_the_door_until_it_is_revoked(access: Access) -> None:
    secret, token = access.issue("eva", Role.BUYER, by="ada", now=NOW)
    assert access.person_of(secret, LATER) == Person("eva", Role.BUYER, "api", token.id)
    assert access.person_of(secret + "x", LATER) is None
    ended = access.revoke(token.prefix, by="ada", now=LATER)
    assert (ended.revoked_by, ended.revoked_at) == ("ada", LATER)
    assert access.person_of(secret, LATER) is None
    assert access.revoke(token.id, by="max", now=LATER + DAY) == ended
    with pytest.raises(NotThere):
        access.revoke("zyt_nobody", by="ada", now=NOW)


def test_a_token_ends_by_itself(access: Access) -> None:
    secret, token = access.issue("eva", Role.VIEWER, by="ada", now=NOW, lasts=DAY)
    assert token.expires_at == NOW + DAY
    assert access.person_of(secret, NOW + DAY - timedelta(seconds=1))
    assert access.person_of(secret, NOW + DAY) is None
    assert access.open_session(secret, NOW + DAY) is None


def test_two_good_tokens_have_no_name_in_common(access: Access) -> None:
    _, first = access.issue(" eva ", Role.VIEWER, by="ada", now=NOW)
    with pytest.raises(TakenAlready, match="eva"):
        access.issue("eva", Role.BUYER, by="ada", now=NOW)
    with pytest.raises(InputError, match="name"):
        access.issue("  ", Role.BUYER, by="ada", now=NOW)
    access.revoke("eva", by="ada", now=NOW)
    access.issue("eva", Role.BUYER, by="ada", now=LATER)
    assert [each.id for each in access.tokens()][1:] == [first.id]


def test_the_last_admin_stays_if_that_is_asked(access: Access) -> None:
    _, first = access.issue("ada", Role.ADMIN, by="cli", now=NOW)
    with pytest.raises(InputError, match="last good token of an admin"):
        access.revoke(first.id, by="ada", now=NOW, keep_an_admin=True)
    _, second = access.issue("bob", Role.ADMIN, by="cli", now=NOW)
    access.revoke(first.id, by="ada", now=NOW, keep_an_admin=True)
    access.revoke(second.id, by="cli", now=NOW)
    assert not any(each.is_good(NOW) for each in access.tokens())


def test_nothing_that_opens_a_door_is_in_the_database(store: Store, access: Access) -> None:
    secret, _ = access.issue("eva", Role.BUYER, by="ada", now=NOW)
    link = access.link("max", Role.VIEWER, by="ada", now=NOW)
    opened = access.open_session(secret, NOW)
    assert opened is not None
    stored = everything(store)
    assert secret not in stored
    assert link not in stored
    assert opened[0] not in stored


def test_a_session_lasts_while_it_is_used_and_not_for_ever(access: Access) -> None:
    secret, token = access.issue("eva", Role.BUYER, by="ada", now=NOW)
    opened = access.open_session(secret, NOW)
    assert opened is not None
    cookie, session = opened
    assert session.person == Person("eva", Role.BUYER, "console", token.id)
    assert session.expires_at == NOW + SESSION_LASTS
    assert access.session("another", NOW) is None
    moment = NOW
    while moment < NOW + SESSION_ENDS - SESSION_LASTS:
        moment += SESSION_LASTS - timedelta(minutes=1)
        found = access.session(cookie, moment)
        assert found is not None
        assert found.expires_at == min(moment + SESSION_LASTS, NOW + SESSION_ENDS)
    assert access.session(cookie, NOW + SESSION_ENDS) is None


def test_a_session_ends_when_left_alone_signed_out_or_revoked(access: Access) -> None:
    secret, token = access.issue("eva", Role.BUYER, by="ada", now=NOW)
    cookies = [opened[0] for _ in range(3) if (opened := access.open_session(secret, NOW))]
    assert access.session(cookies[0], NOW + SESSION_LASTS) is None
    access.close_session(cookies[1])
    access.close_session("unknown")
    assert access.session(cookies[1], NOW) is None
    assert access.session(cookies[2], NOW)
    access.revoke(token.id, by="ada", now=NOW)
    assert access.session(cookies[2], NOW) is None


def test_a_session_is_no_longer_good_than_its_token(store: Store, access: Access) -> None:
    secret, _ = access.issue("eva", Role.BUYER, by="ada", now=NOW, lasts=timedelta(hours=1))
    other, token = access.issue("max", Role.ADMIN, by="ada", now=NOW)
    of_eva, of_max = access.open_session(secret, NOW), access.open_session(other, NOW)
    assert of_eva is not None
    assert of_max is not None
    assert access.session(of_eva[0], NOW + timedelta(minutes=59))
    assert access.session(of_eva[0], NOW + timedelta(hours=1)) is None
    revoked = text("UPDATE access_tokens SET revoked_at = created_at WHERE id = :id")
    assert access.session(of_max[0], NOW)
    with store.write() as session:
        session.execute(revoked, {"id": token.id})
    assert access.session(of_max[0], NOW) is None
    assert access.person_of(other, NOW) is None


def test_a_link_signs_one_person_in_once(store: Store, access: Access) -> None:
    secret = access.link("admin", Role.ADMIN, by="start", now=NOW)
    found: list[object] = []
    barrier = threading.Barrier(4)

    def follow() -> None:
        barrier.wait()
        found.append(Access(store).follow_link(secret, LATER - timedelta(minutes=55)))

    threads = [threading.Thread(target=follow) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (opened,) = [each for each in found if each is not None]
    assert opened[1].person == Person("admin", Role.ADMIN)  # type: ignore[index]
    late = access.link("admin", Role.ADMIN, by="start", now=NOW)
    assert access.follow_link(late, NOW + LINK_LASTS) is None
    assert access.follow_link("nonsense", NOW) is None


def test_who_fails_too_often_must_wait_longer_each_time(access: Access) -> None:
    for _ in range(TRIES_OF_A_PLACE):
        assert access.wait_seconds("10.0.0.9", NOW) == 0
        access.failed("10.0.0.9", NOW)
    first = access.wait_seconds("10.0.0.9", NOW)
    assert 0 < first <= 31
    assert access.wait_seconds("10.0.0.8", NOW) == 0
    access.failed("10.0.0.9", NOW)
    assert access.wait_seconds("10.0.0.9", NOW) > first
    assert access.wait_seconds("10.0.0.9", NOW + timedelta(minutes=16)) == 0
    access.came_in("10.0.0.9")
    assert access.wait_seconds("10.0.0.9", NOW) == 0


def test_a_network_of_ipv6_is_one_place(access: Access) -> None:
    for number in range(TRIES_OF_A_PLACE):
        access.failed(f"2001:db8:1:2::{number}", NOW)
    assert access.wait_seconds("2001:db8:1:2:ffff::1", NOW) > 0
    assert access.wait_seconds("2001:db8:1:3::1", NOW) == 0


def test_an_address_counts_however_it_is_written(access: Access) -> None:
    for number in range(TRIES_OF_A_PLACE):
        access.failed(f"2001:db8::{number + 1}", NOW)
        access.failed("::ffff:10.0.0.7", NOW)
        access.failed("::1", NOW)
    assert access.wait_seconds("2001:db8:0:0:ffff::9", NOW) > 0
    assert access.wait_seconds("2001:db8:0:1::1", NOW) == 0
    assert access.wait_seconds("10.0.0.7", NOW) > 0
    assert access.wait_seconds("10.0.0.8", NOW) == 0
    assert access.wait_seconds("127.0.0.1", NOW) == 0
    for place in ("testclient", "", "fe80::1%eth0", "x" * 300):
        assert access.wait_seconds(place, NOW) == 0


def test_a_session_by_link_ends_within_twelve_hours(access: Access) -> None:
    opened = access.follow_link(access.link("max", Role.ADMIN, by="ada", now=NOW), NOW)
    assert opened is not None
    cookie, session = opened
    assert session.expires_at == session.ends_at == NOW + LINK_SESSION_ENDS
    found = access.session(cookie, NOW + timedelta(hours=11))
    assert found is not None
    assert found.expires_at == NOW + LINK_SESSION_ENDS
    assert access.session(cookie, NOW + LINK_SESSION_ENDS) is None


def test_all_sessions_of_a_name_are_listed_and_end_at_once(access: Access) -> None:
    secret, token = access.issue("eva", Role.BUYER, by="ada", now=NOW)
    other, revoked = access.issue("vic", Role.VIEWER, by="ada", now=NOW)
    by_token, by_link, of_max = (
        access.open_session(secret, NOW),
        access.follow_link(access.link("eva", Role.ADMIN, by="ada", now=LATER), LATER),
        access.follow_link(access.link("max", Role.VIEWER, by="ada", now=NOW), NOW),
    )
    assert by_token is not None
    assert by_link is not None
    assert of_max is not None
    assert access.open_session(other, NOW)
    access.revoke(revoked.id, by="ada", now=NOW)
    listed = [(each.name, each.role, each.token) for each in access.sessions(LATER)]
    assert listed[0] == ("eva", Role.ADMIN, None)
    assert set(listed[1:]) == {("eva", Role.BUYER, token.prefix), ("max", Role.VIEWER, None)}
    unused = access.link("eva", Role.ADMIN, by="ada", now=LATER)
    assert access.end_sessions("eva", LATER) == Ended(2, 1)
    assert access.end_sessions("eva", LATER) == Ended(0, 0)
    assert access.session(by_token[0], LATER) is access.session(by_link[0], LATER) is None
    assert access.follow_link(unused, LATER) is None
    assert access.session(of_max[0], LATER)
    assert access.person_of(secret, LATER), "its token stays good"
    assert access.sessions(NOW + 8 * DAY) == []


def test_who_loses_a_token_has_no_link_left_to_come_back_by(access: Access) -> None:
    _, token = access.issue("rogue", Role.ADMIN, by="ada", now=NOW)
    links = [
        access.link("cleaner", Role.ADMIN, by="rogue", now=NOW),
        access.link("rogue", Role.VIEWER, by="ada", now=NOW),
    ]
    other = access.link("cleaner", Role.VIEWER, by="ada", now=NOW)
    access.revoke(token.id, by="ada", now=NOW)
    assert [access.follow_link(each, NOW) for each in links] == [None, None]
    assert access.follow_link(other, NOW)


def test_who_is_signed_out_has_no_link_left_to_come_back_by(access: Access) -> None:
    made = access.link("cleaner", Role.ADMIN, by="rogue", now=NOW)
    other = access.link("cleaner", Role.ADMIN, by="ada", now=NOW)
    access.link("max", Role.ADMIN, by="rogue", now=NOW - LINK_LASTS)
    assert access.end_sessions("rogue", NOW) == Ended(0, 1), "one that is over does not count"
    assert access.follow_link(made, NOW) is None
    assert access.follow_link(other, NOW)


def test_links_that_can_be_used_are_listed_and_ended_one_by_one(access: Access) -> None:
    used = access.link("eva", Role.BUYER, by="ada", now=NOW)
    assert access.follow_link(used, NOW)
    access.link("over", Role.BUYER, by="ada", now=NOW - LINK_LASTS)
    first = access.link("max", Role.BUYER, by="ada", now=NOW - timedelta(minutes=1))
    second = access.link("max", Role.ADMIN, by="bob", now=NOW)
    listed = access.links(NOW)
    assert [(each.name, each.role, each.created_by) for each in listed] == [
        ("max", Role.ADMIN, "bob"),
        ("max", Role.BUYER, "ada"),
    ]
    assert listed[0].expires_at == NOW + LINK_LASTS
    assert second not in str(listed)
    assert access.follow_link(listed[0].id, NOW) is None, "its id does not sign in"
    assert access.end_link(listed[0].id, NOW) == listed[0]
    with pytest.raises(NotThere, match="no such link any more"):
        access.end_link(listed[0].id, NOW)
    with pytest.raises(NotThere):
        access.end_link("", NOW)
    assert access.follow_link(second, NOW) is None
    assert access.follow_link(first, NOW)
    assert access.links(NOW) == []
