"""What holds for every page: it stands, for each role; it keeps the rules of its head."""

from __future__ import annotations

import re

import pytest

from tests.api.home import Home, proposal, proposed
from tests.pages.browser import Browser, Page
from zyenta_ads_pipeline.console.guard import CSP
from zyenta_ads_pipeline.domain.access import Role

_HOST = re.compile(r"""(?:src|action|poster|srcset)=["']?(?:https?:)?//""")
_HANDLER = re.compile(r"<[^>]*\son[a-z]+\s*=", re.IGNORECASE)


def paths(home: Home) -> list[str]:
    (change,) = proposed(home.store, proposal(str(home.campaigns[1].id)))
    return [
        "/campaigns",
        "/campaigns?q=candles&status=active&sort=roas&order=up&size=200",
        "/campaigns?q=nothing-of-the-kind",
        "/campaigns/new",
        *(f"/campaigns/{each.id}" for each in home.campaigns),
        "/changes",
        "/changes?state=all",
        f"/changes/{change}",
        "/accounts",
        "/settings",
        "/settings?account=101",
        "/settings/access",
        "/catalogue",
        "/catalogue/shop",
        "/catalogue/shop?q=candle",
    ]


_NEEDED = {"/campaigns/new": Role.BUYER, "/settings/access": Role.ADMIN}


@pytest.mark.parametrize("role", list(Role))
def test_each_page_stands_for_each_role(home: Home, role: Role) -> None:
    browser = Browser(home).sign_in(role)
    for path in paths(home):
        page = browser.open(path)
        forbidden = not role.reaches(_NEEDED.get(path, Role.VIEWER))
        assert page.status == (403 if forbidden else 200), (path, page.text[:400])
        check(page)


def check(page: Page) -> None:
    """The rules of the house, on one page."""
    html = page.html
    assert " style=" not in html, page.url
    assert "<style" not in html, page.url
    assert not re.search(r"<script(?![^>]*\ssrc=)", html), page.url
    assert not _HOST.search(html), page.url
    assert not _HANDLER.search(html), page.url
    assert page.headers["content-security-policy"] == CSP
    assert page.headers["cache-control"] == "no-store"
    assert html.count("<main ") == 1
    assert html.count("<h1") == 1
    assert len(page.ids) == len(set(page.ids)), sorted(
        each for each in page.ids if page.ids.count(each) > 1
    )
    for form in page.forms:
        if form.method == "post":
            assert form.fields.get("csrf"), (page.url, form.action)
    for tag, given in page.tags:
        if tag == "img":
            assert "alt" in given
        if tag == "a" and given.get("target") == "_blank":
            assert "noopener" in given.get("rel", "")


def test_a_viewer_sees_no_button_that_does_something(home: Home) -> None:
    browser = Browser(home).sign_in(Role.VIEWER)
    for path in paths(home):
        page = browser.open(path)
        acts = {each.action for each in page.forms if each.method == "post"}
        assert acts <= {"/sign-out"}, path
        assert "/campaigns/new" not in page.html or path == "/campaigns/new"


def test_a_viewer_who_sends_a_form_all_the_same_is_refused(home: Home) -> None:
    browser = Browser(home).sign_in(Role.VIEWER)
    own = home.campaigns[1].id
    form = browser.open("/campaigns").form("/sign-out")
    for action, values in (
        (f"/campaigns/{own}/orders", {"kind": "pause"}),
        ("/campaigns/new", {"daily_budget": "50", "duration_days": "7"}),
        ("/changes/approve", {"ids": "x"}),
        ("/settings/stop", {"reason": "because"}),
        ("/settings/access/tokens", {"name": "mine", "role": "admin"}),
        ("/catalogue", {"name": "Mine", "domain": "mine.example"}),
    ):
        form.action = action
        page = browser.send(form.set(**values))
        assert page.status == 403, (action, page.status, page.text[:300])


def test_a_buyer_gives_out_no_tokens_and_lifts_no_stop(home: Home) -> None:
    browser = Browser(home).sign_in(Role.BUYER)
    page = browser.open("/settings")
    assert "/settings/access" not in page.html
    assert browser.open("/settings/access").status == 403
    page = browser.send(page.form("/settings/stop").set(reason="Prices are wrong"))
    assert "is stopped" in page.text
    assert not page.has_form("/settings/resume")
    assert "stopped" in browser.open("/campaigns").text


@pytest.mark.parametrize(
    "path", ["/nothing", "/campaigns/nothing", "/changes/nothing", "/requests/nothing",
             "/catalogue/nothing", "/media/nothing"]
)  # fmt: skip
def test_what_is_not_there_has_a_page_that_leads_on(home: Home, path: str) -> None:
    page = Browser(home).sign_in().open(path)
    assert page.status == 404
    assert 'href="/campaigns"' in page.html
    check(page)


def test_a_page_says_that_dagster_is_down_and_stands(home: Home) -> None:
    page = Browser(home).sign_in().open("/campaigns")
    assert "Dagster does not answer" in page.text
    assert "Candles" in page.text


def test_what_a_person_typed_is_shown_as_text(home: Home) -> None:
    browser = Browser(home).sign_in()
    nasty = "<script>alert(1)</script>\"'"
    for path in ("/campaigns", "/changes", "/catalogue/shop"):
        page = browser.open(f"{path}?q={nasty}")
        assert "<script>alert" not in page.html


def test_a_part_is_the_same_as_in_the_page(home: Home) -> None:
    browser = Browser(home).sign_in()
    part = browser.open("/campaigns?q=candles", **{"X-Fragment": "list"})
    assert part.headers["x-fragment"] == "list"
    assert part.html.strip().startswith('<div id="list"')
    whole = browser.open("/campaigns?q=candles")
    assert part.html.strip() in whole.html
    assert "X-Fragment" in whole.headers["vary"]
    assert "<html" in browser.open("/campaigns", **{"X-Fragment": "nothing"}).html


def test_files_are_kept_for_ever_under_an_address_of_their_own(home: Home) -> None:
    browser = Browser(home)
    page = browser.open("/sign-in")
    found = re.findall(r'(?:href|src)="(/static/[^"]+)"', page.html)
    assert len(found) == 3
    for path in found:
        reply = browser.client.get(path)
        assert reply.status_code == 200
        assert "immutable" in reply.headers["cache-control"]
        assert len(reply.content) < 25_000
    assert browser.client.get("/static/x/../site.py").status_code == 404
