"""Accounts, settings and the catalogue on their pages."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from tests.api.home import ROOT, Home
from tests.pages.browser import Browser
from zyenta_ads_pipeline.domain.access import Role
from zyenta_ads_pipeline.store.alerts import Alerts

CSV = "id,title,description,price,link\np7,Lamp,It shines.,19.90 EUR,https://lumen.example/p7\n"


def test_an_account_shows_what_ails_it_and_how_to_mend_that(home: Home) -> None:
    Alerts(home.store).raise_once("token:101", "The token is dead.", "Make a new one.", "101")
    page = Browser(home).sign_in().open("/accounts")
    assert "The token is dead." in page.text
    assert "Make a new one." in page.text
    assert "Lumen" in page.text


def test_a_sync_that_cannot_start_is_told(home: Home) -> None:
    browser = Browser(home).sign_in()
    page = browser.open("/accounts")
    page = browser.send(page.form("/accounts/sync"))
    assert page.path == "/accounts"
    assert 'class="note flash bad"' in page.html
    assert "Dagster" in page.text


def test_a_run_whose_dagster_is_down_has_a_page(home: Home) -> None:
    page = Browser(home).sign_in().open("/runs/3f2b")
    assert page.status == 200
    assert "Dagster does not answer" in page.text


def test_the_kill_switch_wants_a_reason_and_shows_everywhere(home: Home) -> None:
    browser = Browser(home).sign_in(Role.ADMIN)
    form = browser.open("/settings").form("/settings/stop")
    page = browser.send(form.set(reason=""))
    assert 'class="note flash bad"' in page.html
    assert home.desks.switches.all(ROOT) == []
    page = browser.send(form.set(reason="Prices are wrong"))
    assert "Prices are wrong" in page.text
    assert "Writing to every account is stopped." in browser.open("/changes").text
    page = browser.send(browser.open("/settings").form("/settings/resume"))
    assert "is lifted" in page.text
    assert home.desks.switches.all(ROOT) == []


def test_a_rule_is_set_shown_with_where_it_comes_from_and_taken_back(home: Home) -> None:
    browser = Browser(home).sign_in(Role.ADMIN)
    page = browser.open("/settings?account=101")
    form = page.form("/settings/rules", name="max_step")
    page = browser.send(form.set(value="nonsense"))
    assert page.status == 422
    assert page.form("/settings/rules", name="max_step").fields["value"] == ["nonsense"]
    page = browser.send(form.set(value="0.15"))
    assert "15%" in page.text
    assert "set here by the admin" in page.text
    stale = browser.send(form.set(value="0.3"))
    assert "has changed since" in stale.text or 'class="note flash bad"' in stale.html
    form = browser.open("/settings?account=101").form("/settings/rules", name="max_step")
    page = browser.send(form, button=("act", "unset"))
    assert "set here by" not in page.text


def test_a_limit_that_can_be_read_in_two_ways_is_asked_for_again(home: Home) -> None:
    browser = Browser(home).sign_in(Role.ADMIN)
    page = browser.open("/settings?account=101")
    form = page.form("/settings/rules", name="cap")
    for value in ("1.000", "1,000"):
        page = browser.send(form.set(value=value))
        assert page.status == 422
        assert "Write 1000 or 1000.00" in page.text
    browser.send(form.set(value="49,90"))
    rules = home.desks.rules.of_account(ROOT, "101").rules
    assert {each.name: each.value for each in rules}["cap"] == Decimal("49.90")


def test_a_store_is_added_and_its_catalogue_brought_in(home: Home) -> None:
    browser = Browser(home).sign_in(Role.ADMIN)
    form = browser.open("/catalogue").form("/catalogue")
    page = browser.send(form.set(name="Tents", domain="", countries="DE, AT", currency="EUR"))
    assert page.status == 422
    assert page.form("/catalogue").fields["name"] == ["Tents"]
    page = browser.send(form.set(domain="tents.example"))
    assert "is added" in page.text
    path = page.path
    form = page.form(f"{path}/import")
    page = browser.send(form, files={"file": ("goods.csv", CSV, "text/csv")})
    assert "1 product read: 1 new" in page.text
    assert "19.90 EUR" in page.text
    page = browser.send(form, files={"file": ("goods.csv", "nonsense", "text/csv")})
    assert page.status == 422
    page = browser.send(form)
    assert page.status == 422
    assert "Choose a CSV or JSON file." in page.text


def test_a_picture_is_taken_in_and_shown_and_a_wrong_file_is_told(home: Home) -> None:
    from io import BytesIO

    from PIL import Image

    kept = BytesIO()
    Image.new("RGB", (1080, 1080), "green").save(kept, "PNG")
    browser = Browser(home).sign_in()
    form = browser.open("/catalogue/shop").form("/catalogue/shop/media")
    form.set(product_id="p1", alt="A lamp")
    page = browser.send(form, files={"media": ("lamp.png", kept.getvalue(), "image/png")})
    assert "1 file taken in." in page.text, page.text
    (asset,) = [each for each in home.desks.catalogue.media(ROOT, "shop") if each.alt == "A lamp"]
    shown = browser.client.get(f"/media/{asset.id}")
    assert shown.status_code == 200
    assert shown.headers["content-type"] == "image/png"
    page = browser.send(form, files={"media": ("bad.png", b"<svg onload=1>", "image/png")})
    assert page.status == 422


def test_what_was_done_stands_in_the_audit(home: Home) -> None:
    browser = Browser(home).sign_in(Role.ADMIN)
    before = datetime.now(UTC)
    browser.send(browser.open("/settings").form("/settings/stop").set(reason="A look"))
    page = browser.open("/settings")
    assert "the admin" in page.text
    entries = home.desks.people.audit(ROOT, limit=5)
    assert any(each.act.startswith("switch") and each.at >= before for each in entries)


def test_nothing_large_is_read_of_who_is_not_signed_in(home: Home) -> None:
    browser = Browser(home)
    large = {"media": ("large.png", b"0" * 1_100_000, "image/png")}
    reply = browser.client.post("/catalogue/shop/media", files=large)
    assert str(reply.url).startswith("http://localhost/sign-in")
