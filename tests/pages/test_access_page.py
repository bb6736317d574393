"""Who may come in: tokens, one-time links and sessions, on their page and over the API."""

from __future__ import annotations

from urllib.parse import urlsplit

from tests.api.home import API, ROOT, Home
from tests.pages.browser import Browser
from zyenta_ads_pipeline.domain.access import Role

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
        ended = client.post(f"{API}/sessions/end", json={"name": "max"})
        assert ended.json() == {"name": "max", "ended": 1}
        assert client.get(f"{API}/sessions").json() == {"sessions": []}
    assert guest.open("/campaigns").path.startswith("/sign-in")
