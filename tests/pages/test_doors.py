"""Signing in and out, and forms that come from elsewhere, too late, or twice."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from tests.api.home import ROOT, Home
from tests.pages.browser import ORIGIN, Browser
from zyenta_ads_pipeline.console.pages.site import Site
from zyenta_ads_pipeline.console.pages.visit import SAID, Visit
from zyenta_ads_pipeline.domain.access import Role


def test_whoever_is_not_signed_in_comes_to_the_door_and_then_to_the_page(home: Home) -> None:
    browser = Browser(home)
    page = browser.open("/changes?state=applied")
    assert page.path.startswith("/sign-in?next=")
    page = browser.send(page.form("/sign-in").set(token=home.tokens[Role.VIEWER]))
    assert page.path == "/changes?state=applied"
    assert "the viewer" in page.text


def test_a_wrong_token_is_told_and_tried_again_only_so_often(home: Home) -> None:
    browser = Browser(home)
    form = browser.open("/sign-in").form("/sign-in")
    assert browser.send(form.set(token="")).status == 422
    for _ in range(5):
        page = browser.send(form.set(token="nonsense"))
        assert page.status in (401, 429)
    page = browser.send(form.set(token="nonsense"))
    assert page.status == 429
    assert int(page.headers["retry-after"]) > 0
    assert "zyenta_session" not in browser.client.cookies


def test_the_cookie_is_for_this_host_and_for_the_browser_alone(home: Home) -> None:
    browser = Browser(home)
    form = browser.open("/sign-in").form("/sign-in").set(token=home.tokens[Role.BUYER])
    browser.client.follow_redirects = False
    data = {name: values[0] for name, values in form.fields.items()}
    reply = browser.client.post("/sign-in", data=data, headers={"Origin": ORIGIN})
    assert reply.status_code == 303
    (cookie,) = [
        each for each in reply.headers.get_list("set-cookie") if each.startswith("zyenta_session=")
    ]
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()
    assert "domain" not in cookie.lower()
    assert home.tokens[Role.BUYER] not in str(reply.headers)


def test_looking_at_a_link_does_not_use_it_up(home: Home) -> None:
    secret = home.desks.people.link(ROOT, "Eva", Role.BUYER)
    browser = Browser(home)
    page = browser.open(f"/sign-in/link?code={secret}")
    page = browser.open(f"/sign-in/link?code={secret}")
    page = browser.send(page.form("/sign-in/link"))
    assert page.path == "/campaigns"
    assert "Eva" in page.text
    other = Browser(home)
    page = other.send(other.open(f"/sign-in/link?code={secret}").form("/sign-in/link"))
    assert page.status == 401


def test_signing_out_ends_the_session(home: Home) -> None:
    browser = Browser(home).sign_in()
    cookie = browser.client.cookies["zyenta_session"]
    page = browser.send(browser.open("/campaigns").form("/sign-out"))
    assert page.path.startswith("/sign-in")
    browser.client.cookies.set("zyenta_session", cookie)
    assert browser.open("/campaigns").path.startswith("/sign-in")


def test_signing_out_everywhere_ends_every_session_of_the_person_and_no_others(home: Home) -> None:
    here, there = Browser(home).sign_in(), Browser(home).sign_in()
    other = Browser(home).sign_in(Role.VIEWER)
    page = here.send(here.open("/campaigns").form("/sign-out"), button=("everywhere", "1"))
    assert "signed out everywhere" in page.text
    for browser in (here, there):
        assert browser.open("/campaigns").path.startswith("/sign-in")
    assert other.open("/campaigns").path == "/campaigns"


@pytest.mark.parametrize("wrong", ["", "0" * 64, "ä"])
def test_a_form_without_the_sessions_own_word_does_nothing(home: Home, wrong: str) -> None:
    browser = Browser(home).sign_in()
    own = home.campaigns[1].id
    form = browser.open(f"/campaigns/{own}").form(f"/campaigns/{own}/orders", kind="pause")
    page = browser.send(form.set(csrf=wrong))
    assert "Nothing was done" in page.text
    assert home.desks.campaigns.orders(ROOT, own) == []


def test_another_sites_form_is_refused(home: Home) -> None:
    browser = Browser(home).sign_in()
    own = home.campaigns[1].id
    form = browser.open(f"/campaigns/{own}").form(f"/campaigns/{own}/orders", kind="pause")
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        page = browser.send(form, headers=headers)
        assert page.status == 403
    assert home.desks.campaigns.orders(ROOT, own) == []


def test_the_door_itself_takes_no_form_from_elsewhere(home: Home) -> None:
    browser = Browser(home)
    reply = browser.client.post(
        "/sign-in", data={"token": home.tokens[Role.ADMIN]}, headers={"Origin": ORIGIN}
    )
    assert "zyenta_session" not in browser.client.cookies
    assert str(reply.url).startswith(f"{ORIGIN}/sign-in")


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"],
)
def test_the_way_back_never_leads_to_another_host(home: Home, elsewhere: str) -> None:
    browser = Browser(home)
    form = browser.open("/sign-in").form("/sign-in")
    page = browser.send(form.set(token=home.tokens[Role.BUYER], next=elsewhere))
    assert page.url == f"{ORIGIN}/campaigns"


def test_a_session_that_ended_meanwhile_keeps_what_was_typed(home: Home) -> None:
    browser = Browser(home).sign_in()
    form = browser.open("/campaigns/new").form("/campaigns/new")
    form.set(name="Winter & lights", daily_budget="75", duration_days="21", product_ids=["p2"])
    del browser.client.cookies["zyenta_session"]
    page = browser.send(form)
    assert page.path.startswith("/sign-in")
    assert "nothing was sent" in page.text
    page = browser.send(page.form("/sign-in").set(token=home.tokens[Role.BUYER]))
    again = page.form("/campaigns/new")
    for name in ("name", "daily_budget", "duration_days", "product_ids", "objective", "key"):
        assert again.fields[name] == form.fields[name], name
    assert home.desks.campaigns.requests(ROOT) == []
    assert browser.send(again).path.startswith("/requests/")


def test_a_page_of_an_older_session_is_told_and_kept(home: Home) -> None:
    browser = Browser(home).sign_in()
    form = browser.open("/campaigns/new").form("/campaigns/new").set(name="Old page")
    del browser.client.cookies["zyenta_session"]
    browser.sign_in()
    page = browser.send(form)
    assert "older session" in page.text
    assert page.form("/campaigns/new").fields["name"] == ["Old page"]


@pytest.mark.parametrize("sign", ["x", "ä", "猫", '"', "\N{GRINNING FACE}", "\n"])
def test_what_is_said_once_fits_into_a_cookie(home: Home, sign: str) -> None:
    site: Site = home.app.state.pages
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b"",
             "scheme": "http", "server": ("localhost", 80)}  # fmt: skip
    request = Request(scope)
    for length in (1, 600, 5000):
        reply = Visit(site, request, None).go("/changes", sign * length, href="/a", link="See it")
        (set_cookie,) = reply.headers.getlist("set-cookie")
        assert len(set_cookie) < 4096
        value = set_cookie.partition("=")[2].partition(";")[0].strip('"')
        headers = [(b"cookie", f"{SAID}={value}".encode())]
        (heard,) = Visit(site, Request(scope | {"headers": headers}), None).heard()
        assert heard.words.rstrip("…") == sign * len(heard.words.rstrip("…"))
        assert len(heard.words) > min(length, 500) - 1
        assert (heard.kind, heard.href, heard.link) == ("good", "/a", "See it")
    reply = Visit(site, request, None).go("/", sign, href="/" + "b" * 9000)
    assert len(reply.headers["set-cookie"]) < 4096
