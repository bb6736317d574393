"""Changes that are ticked to be decided on together: the bar at the foot of the screen, and what a
phone shows of a forecast."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.hands import Hands, Keyboard, Pointer, WithoutScript
from tests.browser.visiting import DESKTOP, PHONE, Visitors

TALLEST = 64
"""CSS pixels that the bar may take of a phone's screen."""


def boxes(page: Page) -> Locator:
    return page.locator(".tick input")


def bar(page: Page) -> Locator:
    return page.locator("form#bulk")


def test_the_bar_is_there_while_something_is_ticked_and_takes_one_line(
    visitors: Visitors,
) -> None:
    page = visitors.page("ada", **PHONE)
    page.goto("/changes")
    expect(bar(page)).to_be_hidden()
    boxes(page).nth(0).check()
    boxes(page).nth(1).check()
    expect(bar(page)).to_contain_text("2 ticked")
    place = bar(page).bounding_box()
    assert place is not None
    assert place["height"] <= TALLEST
    assert place["y"] + place["height"] <= PHONE["viewport"]["height"], "in sight"
    every = page.get_by_label("Tick all on this page")
    assert every.evaluate("each => each.indeterminate")
    every.check()
    expect(bar(page)).to_contain_text(f"{boxes(page).count()} ticked")
    every.uncheck()
    expect(bar(page)).to_be_hidden()


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_enter_decides_nothing(visitors: Visitors, script: bool) -> None:
    page = visitors.page("ada", java_script_enabled=script)
    page.goto("/changes")
    many = boxes(page).count()
    boxes(page).nth(0).check()
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    boxes(page).nth(0).press("Enter")
    bar(page).locator("summary").click()
    page.get_by_label("Why not?").last.fill("Stock is low")
    page.get_by_label("Why not?").last.press("Enter")
    page.wait_for_timeout(300)
    assert sent == []
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(boxes(page).nth(0)).to_be_checked()
    page.goto("/changes")
    expect(boxes(page)).to_have_count(many)


@pytest.mark.parametrize(
    "hands", [Pointer(), Keyboard(), WithoutScript()], ids=["finger", "keyboard", "no script"]
)
def test_what_is_ticked_is_rejected_together(visitors: Visitors, hands: Hands) -> None:
    look = DESKTOP if isinstance(hands, Keyboard) else PHONE
    page = visitors.page("ada", **look, java_script_enabled=hands.has_script)
    page.goto("/changes")
    many = boxes(page).count()
    hands.press(boxes(page).nth(0))
    hands.press(bar(page).locator("summary"))
    hands.write(bar(page).get_by_label("Why not?"), "Stock is low")
    hands.press(bar(page).get_by_role("button", name="Reject what is ticked"))
    expect(page.locator(".flash")).to_contain_text("1 change rejected.")
    expect(boxes(page)).to_have_count(many - 1)
    page.goto("/changes?state=dropped")
    expect(page.get_by_role("main")).to_contain_text("Stock is low")


def test_a_forecast_fits_a_phone(visitors: Visitors) -> None:
    page = visitors.page("ada", **PHONE)
    page.goto("/campaigns?q=Trail")
    page.get_by_role("link", name="Trail running").first.click()
    table = page.get_by_role("table", name="Forecast")
    expect(table.get_by_role("columnheader", name="At the new budget")).to_be_visible()
    edge = table.evaluate("each => each.parentElement.getBoundingClientRect().right")
    cells = table.locator("th, td").evaluate_all(
        "all => Math.max(...all.map(each => each.getBoundingClientRect().left + each.scrollWidth))"
    )
    assert cells <= edge + 1
