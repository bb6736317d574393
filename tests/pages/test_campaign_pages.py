"""The list, the form, the progress and the page of a campaign, without JavaScript."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event

from tests.api.home import ROOT, Home, added, proposal, proposed
from tests.pages.browser import Browser
from tests.store.campaign_samples import picture
from zyenta_ads_pipeline.domain.access import Role
from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.campaign import CampaignStatus
from zyenta_ads_pipeline.domain.change import ChangeState
from zyenta_ads_pipeline.store.campaigns import Campaigns
from zyenta_ads_pipeline.store.orders import OrderKind, Orders, OrderState
from zyenta_ads_pipeline.store.requests import CampaignRequests
from zyenta_ads_pipeline.store.shops import Shops


def test_the_list_adds_up_searches_sorts_and_turns_its_pages(home: Home) -> None:
    for number in range(3, 60):
        added(home.store, f"Lamps {number}", CampaignStatus.PAUSED)
    browser = Browser(home).sign_in()
    page = browser.open("/campaigns")
    assert "1 to 50 of 60 campaigns" in page.text
    assert "3.24x" in page.text  # pooled: 400.10 for 123.45
    assert "of 60" in page.text
    assert "Active 1" in page.text
    found = browser.send(page.form("/campaigns").set(q="candles"))
    assert found.path == "/campaigns?q=candles"
    assert "3 campaigns" in found.text
    assert "Lamps" not in found.text
    after = browser.open("/campaigns?page=2&sort=name&order=up")
    assert "51 to 60 of 60 campaigns" in after.text
    assert 'aria-sort="ascending"' in after.html
    assert browser.open("/campaigns?page=banana&sort=x&size=7&status=y").status == 200
    none = browser.open("/campaigns?q=nothing")
    assert "No campaign fits" in none.text


def test_two_hundred_rows_are_small(home: Home) -> None:
    for number in range(197):
        added(home.store, f"A campaign with a name of usual length {number}", CampaignStatus.PAUSED)
    page = Browser(home).sign_in().open("/campaigns?size=200")
    assert page.html.count("<tr>") == 201
    assert len(page.html.encode()) < 100_000


def test_a_look_at_the_list_asks_the_store_little(home: Home) -> None:
    browser = Browser(home).sign_in()
    browser.open("/campaigns?size=200")
    asked: list[str] = []
    engine = home.store._engine
    event.listen(engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    assert browser.open("/campaigns?size=200").status == 200
    said = [each for each in asked if each != "BEGIN"]
    assert len(said) <= 4, said  # who it is, what changed, what is asked for, kill switches


def test_rows_are_kept_for_all_and_what_stands_around_them_for_nobody(home: Home) -> None:
    added(home.store, "<b>Lamps</b>")
    people = {role: Browser(home).sign_in(role) for role in Role}
    told = json.dumps([["good", "For the buyer alone.", "", ""]]).encode()
    people[Role.BUYER].client.cookies.set("zyenta_said", base64.urlsafe_b64encode(told).decode())
    looks = {role: [people[role].open("/campaigns?size=200") for _ in range(2)] for role in Role}
    own = {role: pages[0].form("/sign-out").fields["csrf"][0] for role, pages in looks.items()}
    assert len(set(own.values())) == 3
    for role, pages in looks.items():
        for page in pages:
            assert page.headers["content-encoding"] == "gzip"
            assert page.headers["cache-control"] == "no-store"
            assert "&lt;b&gt;Lamps" in page.html
            assert [each for each in Role if own[each] in page.html] == [role]
            assert [each for each in Role if f"the {each.value}" in page.html] == [role]
            assert ("/campaigns/new" in page.html) is (role is not Role.VIEWER)
    said = {(role, "For the buyer alone." in pages[0].text) for role, pages in looks.items()}
    assert said == {(Role.VIEWER, False), (Role.BUYER, True), (Role.ADMIN, False)}
    packed = people[Role.BUYER].open("/campaigns?size=200")
    plain = people[Role.BUYER].open("/campaigns?size=200", **{"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert packed.html == plain.html


def test_kept_rows_open_no_door(home: Home) -> None:
    browser, by_link = Browser(home).sign_in(), Browser(home)
    link = home.desks.people.link(ROOT, "eva", Role.VIEWER)
    by_link.send(by_link.open(f"/sign-in/link?code={link}").form("/sign-in/link"))
    for each in (browser, by_link):
        assert each.open("/campaigns").path == "/campaigns"
    (token,) = [each for each in home.desks.people.tokens(ROOT) if each.role is Role.BUYER]
    home.desks.people.revoke(ROOT, token.id)
    home.desks.people.sign_out_all(ROOT, "eva")
    for each in (browser, by_link):
        page = each.open("/campaigns")
        assert page.path.startswith("/sign-in")
        assert "Candles" not in page.html


def test_what_changes_stands_on_the_next_look(home: Home) -> None:
    browser = Browser(home).sign_in()
    made = added(home.store, "Lamps", CampaignStatus.PAUSED)
    before, again = (browser.open("/campaigns?q=Lamps") for _ in range(2))
    assert before.html == again.html
    Campaigns(home.store).set_budget(made.id, 12_300, "eva", "Sold out.", datetime.now(UTC))
    after = browser.open("/campaigns?q=Lamps")
    assert "123.00 EUR" not in before.html
    assert "123.00 EUR" in after.html
    part = browser.open("/campaigns?q=Lamps", **{"X-Fragment": "list"})
    assert part.headers["x-fragment"] == "list"
    assert "<h1" not in part.html
    assert "123.00 EUR" in part.html


def test_without_campaigns_the_list_says_what_to_do(home: Home) -> None:
    page = Browser(home).sign_in().open("/campaigns?store=other")
    assert "No campaign fits" in page.text


def test_a_campaign_is_asked_for_once_however_often_the_button_is_pressed(home: Home) -> None:
    browser = Browser(home).sign_in()
    form = browser.open("/campaigns/new").form("/campaigns/new")
    form.set(name="Autumn", daily_budget="60", duration_days="14", product_ids=["p1", "p2"])
    first = browser.send(form, button=("act", "create"))
    again = browser.send(form, button=("act", "create"))
    assert first.path == again.path
    assert first.path.startswith("/requests/")
    assert "Autumn" in first.text
    (asked,) = home.desks.campaigns.requests(ROOT)
    assert asked.request.daily_budget_minor == 6000
    assert asked.request.duration_days == 14
    assert tuple(asked.request.product_ids) == ("p1", "p2")
    assert asked.request.requested_by == "the buyer"


def test_a_name_may_be_left_out(home: Home) -> None:
    browser = Browser(home).sign_in()
    page = browser.open("/campaigns/new")
    assert "Auto-generated if left empty" in page.html
    assert "Coming soon" in page.text
    assert "What happens next" in page.text
    page = browser.send(page.form("/campaigns/new"), button=("act", "create"))
    assert page.path.startswith("/requests/")


@pytest.mark.parametrize(
    ("name", "value"),
    [("daily_budget", "5"), ("daily_budget", "10001"), ("daily_budget", "many"),
     ("daily_budget", ""), ("daily_budget", "NaN"), ("duration_days", "0"),
     ("duration_days", "91"), ("duration_days", "7.5"), ("objective", "world domination"),
     ("platform", "google"), ("product_ids", "p99")],
)  # fmt: skip
def test_what_cannot_be_is_named_at_its_field_and_nothing_is_lost(
    home: Home, name: str, value: str
) -> None:
    browser = Browser(home).sign_in()
    form = browser.open("/campaigns/new").form("/campaigns/new")
    form.set(name="Kept & <safe>", **{name: value})
    page = browser.send(form, button=("act", "create"))
    assert page.status == 422, page.text
    assert "to be mended" in page.text
    assert f'href="#{name}"' in page.html, page.text
    again = page.form("/campaigns/new")
    assert again.fields["name"] == ["Kept & <safe>"]
    assert again.fields["key"] == form.fields["key"]
    if name in ("daily_budget", "duration_days"):
        assert again.fields[name] == [value]
        assert 'aria-invalid="true"' in page.html
    assert home.desks.campaigns.requests(ROOT) == []


def test_the_summary_is_worked_out_on_the_server_too(home: Home) -> None:
    browser = Browser(home).sign_in()
    form = browser.open("/campaigns/new").form("/campaigns/new")
    form.set(daily_budget="75", duration_days="20")
    page = browser.send(form, button=("act", "preview"))
    assert "1,500.00 EUR" in page.text
    assert page.form("/campaigns/new").fields["daily_budget"] == ["75"]


def test_products_are_found_and_those_chosen_before_stay_chosen(home: Home) -> None:
    browser = Browser(home).sign_in()
    form = browser.open("/campaigns/new").form("/campaigns/new")
    form.set(product_ids=["p1"], q="p2")
    page = browser.send(form, button=("act", "find"))
    assert "1 more chosen" in page.text
    assert page.form("/campaigns/new").fields["product_ids"] == ["p1"]


def test_progress_is_told_until_it_is_over_and_says_what_to_do(home: Home) -> None:
    browser = Browser(home).sign_in()
    form = browser.open("/campaigns/new").form("/campaigns/new").set(name="Autumn")
    page = browser.send(form, button=("act", "create"))
    assert 'data-live="/requests/' in page.html
    assert 'http-equiv="refresh"' in page.html
    own = page.path.split("/")[-1].split("?")[0]
    part = browser.open(f"/requests/{own}", **{"X-Fragment": "progress"})
    assert part.html.strip().startswith("<section")
    requests = CampaignRequests(home.store)
    requests.claim(own, "worker", timedelta(minutes=5), datetime.now(UTC))
    requests.finish(own, error="Meta refused the ad set. Widen it.", now=datetime.now(UTC))
    page = browser.open(f"/requests/{own}")
    assert "Meta refused the ad set. Widen it." in page.text
    assert "data-live" not in page.html
    page = browser.send(page.form(f"/requests/{own}/retry"))
    assert "goes on where it stopped" in page.text
    assert "Waiting" in page.text


def test_orders_are_asked_for_and_shown_while_they_are_under_way(home: Home) -> None:
    browser = Browser(home).sign_in()
    own = home.campaigns[2].id
    page = browser.open(f"/campaigns/{own}")
    page = browser.send(page.form(f"/campaigns/{own}/orders", kind="activate"))
    assert page.path == f"/campaigns/{own}"
    assert "Activate the campaign" in page.text
    assert "data-live" in page.html
    (order,) = home.desks.campaigns.orders(ROOT, own)
    assert order.kind is OrderKind.ACTIVATE
    assert order.asked_by == "the buyer"


def test_a_budget_is_ordered_and_a_wrong_one_is_told(home: Home) -> None:
    browser = Browser(home).sign_in()
    own = home.campaigns[1].id
    page = browser.open(f"/campaigns/{own}")
    form = page.form(f"/campaigns/{own}/orders", kind="budget")
    for value in ("", "many", "-5", "0"):
        page = browser.send(form.set(daily_budget=value))
        assert page.path == f"/campaigns/{own}"
        assert 'class="note flash bad"' in page.html, value
    assert home.desks.campaigns.orders(ROOT, own) == []
    page = browser.send(form.set(daily_budget="62.50"))
    (order,) = home.desks.campaigns.orders(ROOT, own)
    assert order.payload["daily_budget_minor"] == 6250
    assert "62.50" in page.text


@pytest.mark.parametrize(
    "value",
    ["1,000", "1.000", "10,000", "1,000.50", "1.000,50", "9e999999", "NaN", "1_0", "1,0000"],
)
def test_a_budget_that_can_be_read_in_two_ways_is_asked_for_again(home: Home, value: str) -> None:
    browser = Browser(home).sign_in()
    own = home.campaigns[1].id
    form = browser.open(f"/campaigns/{own}").form(f"/campaigns/{own}/orders", kind="budget")
    page = browser.send(form.set(daily_budget=value))
    assert 'class="note flash bad"' in page.html
    assert "Write 1000 or 1000.00" in page.text or "is no number" in page.text
    assert home.desks.campaigns.orders(ROOT, own) == []
    assert browser.open(f"/campaigns/{own}?budget={value}").status == 200
    form = browser.open("/campaigns/new").form("/campaigns/new")
    page = browser.send(form.set(daily_budget=value), button=("act", "create"))
    assert page.status == 422
    assert browser.open(f"/campaigns/new?daily_budget={value}&duration_days={value}").status == 200
    assert home.desks.campaigns.requests(ROOT) == []


def test_an_order_that_waits_is_withdrawn_on_the_page(home: Home) -> None:
    browser = Browser(home).sign_in()
    own = home.campaigns[1].id
    page = browser.open(f"/campaigns/{own}")
    form = page.form(f"/campaigns/{own}/orders", kind="budget")
    page = browser.send(form.set(daily_budget="62.50"))
    (order,) = home.desks.campaigns.orders(ROOT, own)
    withdraw = page.form(f"/campaigns/{own}/orders/{order.id}/withdraw")
    watching = Browser(home).sign_in(Role.VIEWER).open(f"/campaigns/{own}")
    assert not watching.has_form(f"/campaigns/{own}/orders/{order.id}/withdraw")
    page = browser.send(withdraw)
    assert "It is not done" in page.text
    assert "Withdrawn by the buyer" in page.text
    (order,) = home.desks.campaigns.orders(ROOT, own)
    assert order.state is OrderState.WITHDRAWN
    assert not page.has_form(f"/campaigns/{own}/orders/{order.id}/withdraw")
    assert "It is not done" in browser.send(withdraw).text, "a second click ends well"


def test_a_raise_that_was_done_is_not_done_again_by_an_old_page(home: Home) -> None:
    browser = Browser(home).sign_in()
    own = home.campaigns[1].id
    creative = home.campaigns[1].creatives[0].id
    Campaigns(home.store).creative_placed(
        creative, ad_set_id="61", creative_ref="62", ad_id="63", now=datetime.now(UTC)
    )
    form = browser.open(f"/campaigns/{own}").form(f"/campaigns/{own}/orders", kind="scale_creative")
    browser.send(form)
    (order,) = home.desks.campaigns.orders(ROOT, own)
    orders, now = Orders(home.store), datetime.now(UTC)
    assert orders.claim(order.id, "w", timedelta(minutes=5), now)
    Campaigns(home.store).set_budget(own, 6_000, "w", "scaled", now)
    orders.finish(order.id, "w", note="", now=now)
    assert "has changed since" in browser.send(form).text
    assert len(home.desks.campaigns.orders(ROOT, own)) == 1


def test_while_it_is_being_activated_the_page_offers_to_pause_it(home: Home) -> None:
    browser = Browser(home).sign_in()
    own = home.campaigns[2].id
    orders, address = Orders(home.store), f"/campaigns/{own}/orders"
    page = browser.open(f"/campaigns/{own}")
    assert not page.has_form(address, kind="pause")
    page = browser.send(page.form(address, kind="activate"))
    for _ in ("waiting", "working"):
        assert page.has_form(address, kind="pause")
        assert not page.has_form(address, kind="activate")
        (on,) = home.desks.campaigns.orders(ROOT, own)
        orders.claim(on.id, "w", timedelta(minutes=5), datetime.now(UTC))
        page = browser.open(f"/campaigns/{own}")
    page = browser.send(page.form(address, kind="pause"))
    assert not page.has_form(address, kind="pause")
    assert page.has_form(address, kind="activate"), "the newest wish holds"
    assert [each.kind.value for each in home.desks.campaigns.orders(ROOT, own)] == [
        "pause", "activate",
    ]  # fmt: skip


def test_what_is_proposed_for_it_is_decided_on_its_page(home: Home) -> None:
    own = home.campaigns[1]
    assert own.platform_campaign_id is not None
    (change,) = proposed(home.store, proposal(own.platform_campaign_id))
    browser = Browser(home).sign_in()
    watching = Browser(home).sign_in(Role.VIEWER).open(f"/campaigns/{own.id}")
    assert not watching.has_form("/changes/approve")
    page = browser.open(f"/campaigns/{own.id}")
    page = browser.send(page.form("/changes/approve", ids=change))
    assert page.path == f"/campaigns/{own.id}"
    assert "1 change approved." in page.text
    assert home.desks.changes.get(ROOT, change).state is ChangeState.APPROVED
    assert f'href="/campaigns/{own.id}"' in browser.open(f"/changes/{change}").html


def test_a_picture_on_another_host_is_named_and_linked_and_not_loaded(home: Home) -> None:
    shops, now = Shops(home.store), datetime.now(UTC)
    own = home.campaigns[1]
    media = own.creatives[0].draft.media_ids[0]
    browser = Browser(home).sign_in()
    assert f'src="/media/{media}"' in browser.open(f"/campaigns/{own.id}").html
    for source, told in (
        ("https://cdn.example.com/a.jpg", "cdn.example.com"),
        ("https://[bad/a.jpg", "another host"),
    ):
        shops.put_media([replace(picture(media), source=source)], now)
        page = browser.open(f"/campaigns/{own.id}")
        assert f"Picture at {told}" in page.text
        links = [given for tag, given in page.tags if tag == "a" and given.get("href") == source]
        assert links
        assert "noopener" in links[0]["rel"]
        assert not [given for tag, given in page.tags if tag == "img"]


def test_an_order_that_is_being_done_cannot_be_withdrawn(home: Home) -> None:
    browser = Browser(home).sign_in()
    own = home.campaigns[1].id
    order = home.desks.campaigns.order(ROOT, own, OrderKind.PAUSE)
    withdraw = browser.open(f"/campaigns/{own}").form(
        f"/campaigns/{own}/orders/{order.id}/withdraw"
    )
    assert Orders(home.store).claim(order.id, "w", timedelta(minutes=5), datetime.now(UTC))
    page = browser.send(withdraw)
    assert 'class="note flash bad"' in page.html
    assert "being done" in page.text


def test_a_budget_set_on_a_stale_page_is_told(home: Home) -> None:
    browser = Browser(home).sign_in()
    own = home.campaigns[1].id
    form = browser.open(f"/campaigns/{own}").form(f"/campaigns/{own}/orders", kind="budget")
    page = browser.send(form.set(daily_budget="60", version="of-long-ago"))
    assert "has changed since" in page.text
    assert home.desks.campaigns.orders(ROOT, own) == []


@pytest.mark.parametrize(
    ("minor", "least", "most", "words"),
    [(5_000, "10", "10000", "10 to 10,000 EUR"), (300, "3", "10000", "3 to 10,000 EUR"),
     (3_000_000, "10", "60000", "10 to 60,000 EUR")],
)  # fmt: skip
def test_the_field_of_a_budget_has_the_limits_of_the_campaign(
    home: Home, minor: int, least: str, most: str, words: str
) -> None:
    own = home.campaigns[1].id
    Campaigns(home.store).set_budget(own, minor, "max", "r", datetime.now(UTC))
    page = Browser(home).sign_in().open(f"/campaigns/{own}")
    (field,) = (given for _, given in page.tags if given.get("id") == "new-budget")
    assert (field["min"], field["max"], field["step"]) == (least, most, "any")
    assert f"{words} a day can be set" in page.text


def test_an_ad_sets_budget_is_edited_below_what_a_campaign_must_have(home: Home) -> None:
    own = home.campaigns[1].platform_campaign_id
    assert own is not None
    ad_set = {"level": Level.ADSET, "object_id": "s1", "old_value": "333", "new_value": "400"}
    (change,) = proposed(home.store, proposal(own, **ad_set))
    browser = Browser(home).sign_in()
    page = browser.open(f"/campaigns/{home.campaigns[1].id}")
    (field,) = (given for _, given in page.tags if given.get("id") == f"edit-{change}")
    assert field["min"] == "0.01", "as little as Meta's smallest currency unit"
    page = browser.send(page.form(f"/changes/{change}/edit").set(value="0.50"))
    assert "is approved" in page.text
    assert home.desks.changes.get(ROOT, change).state is ChangeState.SUPERSEDED


@pytest.mark.parametrize(("place", "kind"), [(2, "activate"), (1, "optimize"), (0, "launch")])
def test_what_may_spend_is_ordered_on_the_sight_of_now_alone(
    home: Home, place: int, kind: str
) -> None:
    """Another has set the budget while the question was answered."""
    browser = Browser(home).sign_in()
    own = home.campaigns[place].id
    form = browser.open(f"/campaigns/{own}").form(f"/campaigns/{own}/orders", kind=kind)
    Campaigns(home.store).set_budget(own, 900_000, "max", "r", datetime.now(UTC))
    page = browser.send(form)
    assert page.path == f"/campaigns/{own}"
    status = home.campaigns[place].status.value
    assert "has changed since you looked at it, so nothing was done." in page.text
    assert f"It is {status} now, with 9,000.00 EUR a day." in page.text
    assert home.desks.campaigns.orders(ROOT, own) == []
    browser.send(page.form(f"/campaigns/{own}/orders", kind=kind))
    (order,) = home.desks.campaigns.orders(ROOT, own)
    assert order.kind.value == kind
    assert browser.send(form).path == f"/campaigns/{own}", "a second click is the same order"
    assert len(home.desks.campaigns.orders(ROOT, own)) == 1


def test_a_pause_goes_through_whatever_has_changed(home: Home) -> None:
    browser = Browser(home).sign_in()
    own = home.campaigns[1].id
    page = browser.open(f"/campaigns/{own}")
    forms = [each for each in page.forms if "pause" in each.fields.get("kind", [""])[0]]
    assert forms
    assert not [each for each in forms if "version" in each.fields]
    Campaigns(home.store).set_budget(own, 900_000, "max", "r", datetime.now(UTC))
    page = browser.send(page.form(f"/campaigns/{own}/orders", kind="pause"))
    (order,) = home.desks.campaigns.orders(ROOT, own)
    assert order.kind is OrderKind.PAUSE


def test_the_page_of_a_campaign_says_what_it_is(home: Home) -> None:
    browser = Browser(home).sign_in()
    page = browser.open(f"/campaigns/{home.campaigns[1].id}")
    for words in ("Candles 1", "Active", "123.45 EUR", "3.24x", "Forty hours of calm",
                  "Nothing was decided yet", "Journal"):  # fmt: skip
        assert words in page.text, words
    assert "adsmanager.facebook.com" in page.html
    part = browser.open(page.path, **{"X-Fragment": "forecast"})
    assert part.html.strip().startswith("<section")
    assert re.search(r'id="forecast"', part.html)
