"""Who may come in: tokens, one-time links and sessions, on their page and over the API."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from tests.api.home import API, ROOT, Home
from tests.api.test_problems import checked
from tests.pages.browser import Browser
from zyenta_ads_pipeline.domain.access import Person, Role

PATH = "/settings/access"


def test_a_token_is_shown_once_and_revoked(home: Home) -> None:
    browser = Browser(home).sign_in(Role.ADMIN)
    form = browser.open(PATH).form("/settings/access/tokens").set(name="Mia", role="viewer")
    page = browser.send(form)
    secret = page.html.split('class="secret">')[1].split("<")[0]
    assert secret not in browser.open(PATH).html
    other = Browser(home)
    assert "Mia" in other.send(other.open("/sign-in").form("/sign-in").set(token=secret)).text
    again = browser.send(form)
    assert again.status == 422  # the name is taken: a double click makes one token
    (token,) = [each for each in home.desks.people.tokens(ROOT) if each.name == "Mia"]
    page = browser.send(browser.open(PATH).form(f"/settings/access/tokens/{token.id}/revoke"))
    assert "is revoked" in page.text
    assert other.open("/campaigns").path.startswith("/sign-in")


def test_a_link_signs_in_once_and_its_session_is_ended_from_the_page(home: Home) -> None:
    admin = Browser(home).sign_in(Role.ADMIN)
    page = admin.send(admin.open(PATH).form(f"{PATH}/links").set(name="Max", role="buyer"))
    address = page.html.split('class="secret">')[1].split("<")[0].replace("&amp;", "&")
    assert address.startswith("http://localhost/sign-in/link?code=")
    assert address not in admin.open(PATH).html
    parts = urlsplit(address)
    guest = Browser(home)
    door = guest.open(f"{parts.path}?{parts.query}")
    assert "Max" in guest.send(door.form("/sign-in/link")).text
    stranger = Browser(home)
    again = stranger.send(stranger.open(f"{parts.path}?{parts.query}").form("/sign-in/link"))
    assert again.status == 401
    page = admin.open(PATH)
    assert "one-time link" in page.text
    page = admin.send(page.form(f"{PATH}/sign-out", name="Max"))
    assert "Max is signed out everywhere" in page.text
    assert guest.open("/campaigns").path.startswith("/sign-in")
    assert admin.open(PATH).path == PATH


def test_what_cannot_be_is_told_at_its_field(home: Home) -> None:
    admin = Browser(home).sign_in(Role.ADMIN)
    for form, values, field in (
        ("tokens", {"name": " ", "role": "buyer"}, "token-name"),
        ("tokens", {"name": "Mia", "role": "buyer", "days": "4000"}, "token-days"),
        ("tokens", {"name": "Mia", "role": "king"}, "token-role"),
        ("links", {"name": "x" * 81, "role": "buyer"}, "link-name"),
        ("links", {"name": "Mia", "role": ""}, "link-role"),
    ):
        page = admin.send(admin.open(PATH).form(f"{PATH}/{form}").set(**values))
        assert page.status == 422, (form, values)
        assert f"{field}-wrong" in page.ids
        tied = [given for _, given in page.tags if given.get("id") == field]
        assert [each.get("aria-describedby") for each in tied] == [f"{field}-wrong"], field
        assert [each.get("aria-invalid") for each in tied] == ["true"], field
    assert {each.name for each in home.desks.people.tokens(ROOT)} == {
        f"the {role.value}" for role in Role
    }


def test_the_api_makes_links_lists_sessions_and_ends_them(home: Home) -> None:
    with home.client(Role.ADMIN) as client:
        made = client.post(f"{API}/links", json={"name": "max", "role": "viewer"})
        assert made.status_code == 201
        parts = urlsplit(made.json()["path"])
        guest = Browser(home)
        guest.send(guest.open(f"{parts.path}?{parts.query}").form("/sign-in/link"))
        (session,) = client.get(f"{API}/sessions").json()["sessions"]
        assert (session["name"], session["role"], session["token"]) == ("max", "viewer", None)
        other = client.post(f"{API}/sessions/end", json={"name": "Max"}).json()
        assert other == {"name": "Max", "ended": 0, "links": 0, "alike": ["max"]}
        ended = client.post(f"{API}/sessions/end", json={"name": "max"})
        assert ended.json() == {"name": "max", "ended": 1, "links": 0, "alike": []}
        told = checked(client.post(f"{API}/sessions/end", json={"name": " "}), 422)
        assert told["errors"][0]["field"] == "name"
        assert client.get(f"{API}/sessions").json() == {"sessions": []}
    assert guest.open("/campaigns").path.startswith("/sign-in")


def test_the_api_lists_open_links_and_ends_them(home: Home) -> None:
    with home.client(Role.ADMIN) as client:
        made = client.post(f"{API}/links", json={"name": "max", "role": "viewer"}).json()
        listed = client.get(f"{API}/links")
        (link,) = listed.json()["links"]
        assert (link["name"], link["role"], link["createdBy"]) == ("max", "viewer", "the admin")
        assert made["path"].partition("code=")[2] not in listed.text
        assert client.post(f"{API}/links/{link['id']}/end").json() == link
        assert client.get(f"{API}/links").json() == {"links": []}
        checked(client.post(f"{API}/links/{link['id']}/end"), 404)
    guest = Browser(home)
    assert guest.send(guest.open(made["path"]).form("/sign-in/link")).status == 401


def test_open_links_stand_on_the_page_and_are_ended_there(home: Home) -> None:
    admin = Browser(home).sign_in(Role.ADMIN)
    page = admin.send(admin.open(PATH).form(f"{PATH}/links").set(name="Max", role="buyer"))
    (link,) = home.desks.people.links(ROOT)
    end = page.form(f"{PATH}/links/{link.id}/end")
    assert "End the link for Max" in " ".join(end.words.split())
    assert admin.open(PATH).has_form(end.action)
    assert "The link for Max is ended" in admin.send(end).text
    assert home.desks.people.links(ROOT) == []
    page = admin.send(end)
    assert 'class="note flash bad"' in page.html
    assert not page.has_form(end.action)


def test_a_revoked_admin_does_not_come_back_by_a_link_of_their_own(home: Home) -> None:
    rogue = home.desks.people.issue(ROOT, "rogue", Role.ADMIN)
    link = home.desks.people.link(Person("rogue", Role.ADMIN), "cleaner", Role.ADMIN)
    admin = Browser(home).sign_in(Role.ADMIN)
    admin.send(admin.open(PATH).form(f"{PATH}/tokens/{rogue.token.id}/revoke"))
    guest = Browser(home)
    assert guest.send(guest.open(f"/sign-in/link?code={link}").form("/sign-in/link")).status == 401
    assert home.desks.people.links(ROOT) == []


def test_what_was_typed_stands_in_the_form_that_was_refused(home: Home) -> None:
    admin = Browser(home).sign_in(Role.ADMIN)
    for form, values in (
        ("tokens", {"name": "the buyer", "role": "admin", "days": "7"}),
        ("tokens", {"name": "Mia", "role": "buyer", "days": "0"}),
        ("links", {"name": "x" * 81, "role": "admin"}),
    ):
        page = admin.send(admin.open(PATH).form(f"{PATH}/{form}").set(**values))
        assert page.status == 422
        again = page.form(f"{PATH}/{form}")
        assert {name: again.fields[name] for name in values} == {
            name: [value] for name, value in values.items()
        }


@pytest.mark.parametrize(
    "address", ["tokens", "tokens/x/revoke", "links", "links/x/end", "sign-out"]
)
def test_the_address_of_a_form_leads_to_the_page(home: Home, address: str) -> None:
    admin = Browser(home).sign_in(Role.ADMIN)
    page = admin.open(f"{PATH}/{address}")
    assert (page.status, page.path) == (200, PATH)
    del admin.client.cookies["zyenta_session"]
    door = admin.open(f"{PATH}/{address}")
    page = admin.send(door.form("/sign-in").set(token=home.tokens[Role.ADMIN]))
    assert (page.status, page.path) == (200, PATH)


def test_who_is_not_signed_in_is_told_on_the_page(home: Home) -> None:
    guest = Browser(home)
    link = home.desks.people.link(ROOT, "Mia", Role.VIEWER)
    guest.send(guest.open(f"/sign-in/link?code={link}").form("/sign-in/link"))
    admin = Browser(home).sign_in(Role.ADMIN)
    form = admin.open(PATH).form(f"{PATH}/sign-out", name="Mia")
    page = admin.send(form.set(name=" "))
    assert page.status == 422
    assert "sign-out-name-wrong" in page.ids
    page = admin.send(form.set(name="mia"))
    assert "mia was not signed in." in page.text
    assert "there is Mia." in page.text
    home.desks.people.link(ROOT, "mia", Role.VIEWER)
    assert "1 unused link ended." in admin.send(form).text
    assert guest.open("/campaigns").path == "/campaigns"


def test_signing_out_everywhere_says_so_to_a_screen_reader(home: Home) -> None:
    page = Browser(home).sign_in().open("/campaigns")
    assert page.html.count('<span class="hide">Sign out </span>Everywhere</button>') == 2


@pytest.mark.parametrize("host", ["localhost:evil@attacker.example", "[::1]@attacker.example"])
def test_a_forged_host_does_not_get_into_a_link(home: Home, host: str) -> None:
    admin = Browser(home).sign_in(Role.ADMIN)
    form = admin.open(PATH).form(f"{PATH}/links").set(name="Max", role="admin")
    page = admin.send(form, headers={"Host": host, "Origin": f"http://{host}"})
    assert page.status == 421
    assert 'class="secret"' not in page.html
    assert home.desks.people.links(ROOT) == []
