"""The list, the form, the progress and the page of a campaign, without JavaScript."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta

import pytest

from tests.api.home import ROOT, Home, added
from tests.pages.browser import Browser
from zyenta_ads_pipeline.domain.access import Role
from zyenta_ads_pipeline.domain.campaign import CampaignStatus
from zyenta_ads_pipeline.store.campaigns import Campaigns
from zyenta_ads_pipeline.store.orders import OrderKind, Orders, OrderState
from zyenta_ads_pipeline.store.requests import CampaignRequests


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


def test_two_hundred_rows_are_small_and_quick(home: Home) -> None:
    for number in range(197):
        added(home.store, f"A campaign with a name of usual length {number}", CampaignStatus.PAUSED)
    browser = Browser(home).sign_in()
    browser.open("/campaigns?size=200")
    begun = time.process_time()
    page = browser.open("/campaigns?size=200")
    took = time.process_time() - begun
    assert page.html.count("<tr>") == 201
    assert len(page.html.encode()) < 100_000
    assert took < 0.25  # the test's own reading of the page included; measured in benchmarks/


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
    "value", ["1,000", "1.000", "10,000", "1,000.50", "1.000,50", "9e999999", "NaN", "1_0"]
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
