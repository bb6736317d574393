"""The form that makes a campaign, in accounts of other currencies than dollars."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.api.home import NOW, ROOT, Home
from tests.pages.browser import Browser, Page
from tests.store.campaign_samples import connection, product, shop
from zyenta_ads_pipeline.store.connections import Connections
from zyenta_ads_pipeline.store.shops import Shops


def sells_in(home: Home, currency: str, own: str = "other") -> None:
    """A second store, whose account is in this currency."""
    shops = Shops(home.store)
    shops.add(replace(shop(own), name=f"Shop of {currency}"))
    shops.put_products([product(f"{own}1", store_id=own)], NOW)
    held = connection(own, currency=currency, account_id="505")
    Connections(home.store, home.desks.office.vault).save(held, "token", NOW)


def inputs(page: Page) -> tuple[dict[str, str], dict[str, str]]:
    """The slider and the field of the budget."""
    found = [given for tag, given in page.tags if tag == "input"]
    slider = next(each for each in found if each.get("data-moves") == "daily_budget")
    return slider, next(each for each in found if each.get("id") == "daily_budget")


@pytest.mark.parametrize(
    ("currency", "slider", "field", "words", "total"),
    [
        ("EUR", ("10", "500", "5", "50"), ("10", "10000", "any"),
         "10 to 10,000 EUR a day.", "350.00 EUR"),
        ("JPY", ("1000", "50000", "500", "5000"), ("1000", "10000000", "1"),
         "1,000 to 10,000,000 JPY a day.", "35,000 JPY"),
        ("IDR", ("100000", "5000000", "50000", "500000"), ("100000", "1000000000", "1"),
         "100,000 to 1,000,000,000 IDR a day.", "3,500,000 IDR"),
        ("BHD", ("1", "50", "0.5", "5"), ("1", "10000", "any"),
         "1 to 10,000 BHD a day.", "35.00 BHD"),
    ],
)  # fmt: skip
def test_the_form_begins_within_the_limits_of_the_currency(
    home: Home,
    currency: str,
    slider: tuple[str, ...],
    field: tuple[str, ...],
    words: str,
    total: str,
) -> None:
    sells_in(home, currency)
    browser = Browser(home).sign_in()
    page = browser.open("/campaigns/new?store_id=other")
    moved, typed = inputs(page)
    assert tuple(moved[name] for name in ("min", "max", "step", "value")) == slider
    assert tuple(typed[name] for name in ("min", "max", "step")) == field
    assert typed["value"] == slider[-1]
    assert words in page.text
    assert total in page.text
    page = browser.send(page.form("/campaigns/new"), button=("act", "create"))
    assert page.path.startswith("/requests/")
    (asked,) = home.desks.campaigns.requests(ROOT)
    assert asked.request.currency == currency


def test_a_budget_beyond_the_limits_says_the_currency_and_is_kept(home: Home) -> None:
    sells_in(home, "JPY")
    browser = Browser(home).sign_in()
    form = browser.open("/campaigns/new?store_id=other").form("/campaigns/new")
    for typed, words in (
        ("50", "A daily budget of 50 JPY is too small. Choose 1,000 to 10,000,000 JPY a day."),
        ("", "Fill this in: a number, 1,000 to 10,000,000 JPY."),
        ("1.000", "can be read in two ways"),
    ):
        page = browser.send(form.set(daily_budget=typed), button=("act", "create"))
        assert page.status == 422
        assert words in page.text
        assert page.form("/campaigns/new").fields["daily_budget"] == [typed]
    assert home.desks.campaigns.requests(ROOT) == []


def test_a_store_in_a_currency_of_nobodys_is_told_and_another_can_be_chosen(home: Home) -> None:
    sells_in(home, "KWD", "alpha")  # the first store of the list
    browser = Browser(home).sign_in()
    page = browser.open("/campaigns/new")
    assert page.status == 200
    form = page.form("/campaigns/new")
    assert form.fields["store_id"] == ["alpha"]
    assert "The account of Shop of KWD is in KWD, in which Meta bills nobody" in page.text
    for typed in ("", "50"):
        wrong = browser.send(form.set(daily_budget=typed), button=("act", "create"))
        assert wrong.status == 422
        assert wrong.text.count("in which Meta bills nobody") == 2, "above, and at the field"
        assert "Fill this in" not in wrong.text
    assert home.desks.campaigns.requests(ROOT) == []
    assert browser.send(form, button=("act", "preview")).status == 200
    page = browser.send(form.set(store_id="shop"), button=("act", "store"))
    form = page.form("/campaigns/new")
    assert (form.fields["currency"], form.fields["daily_budget"]) == (["EUR"], ["50"])
    assert "bills nobody" not in page.text
    browser.send(form, button=("act", "create"))
    (asked,) = home.desks.campaigns.requests(ROOT)
    assert asked.request.currency == "EUR"


def test_another_store_begins_with_its_own_currencys_budget(home: Home) -> None:
    sells_in(home, "IDR")
    browser = Browser(home).sign_in()
    form = browser.open("/campaigns/new?store_id=shop").form("/campaigns/new")
    assert form.fields["currency"] == ["EUR"]
    form.set(store_id="other", daily_budget="75", duration_days="20", name="Kept")
    page = browser.send(form, button=("act", "store"))
    again = page.form("/campaigns/new")
    assert again.fields["daily_budget"] == ["500000"]
    assert again.fields["currency"] == ["IDR"]
    assert (again.fields["duration_days"], again.fields["name"]) == (["20"], ["Kept"])
    back = browser.send(again.set(daily_budget="250000"), button=("act", "preview"))
    assert "5,000,000 IDR" in back.text


def test_an_amount_typed_in_one_currency_is_not_taken_in_another(home: Home) -> None:
    """The store was changed in the list, and its products were not asked for."""
    sells_in(home, "INR")
    browser = Browser(home).sign_in()
    form = browser.open("/campaigns/new?store_id=other").form("/campaigns/new")
    form.set(store_id="shop", daily_budget="5000")  # rupees; as euros a hundred times as much
    page = browser.send(form, button=("act", "create"))
    assert page.status == 422
    assert "typed in INR, and this store is billed in EUR" in page.text
    assert home.desks.campaigns.requests(ROOT) == []
    again = page.form("/campaigns/new")
    assert (again.fields["daily_budget"], again.fields["currency"]) == (["5000"], ["EUR"])
    browser.send(again.set(daily_budget="60"), button=("act", "create"))
    (asked,) = home.desks.campaigns.requests(ROOT)
    assert (asked.request.currency, asked.request.daily_budget_minor) == ("EUR", 6000)
