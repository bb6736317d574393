"""A buyer's day, played from signing in to pausing: with a mouse, on a phone, by keyboard alone,
and with JavaScript off."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.dagster_stub import STEPS
from tests.browser.day import Day
from tests.browser.hands import Keyboard, Pointer, WithoutScript
from tests.browser.visiting import PHONE, Visitors
from tests.browser.world import World
from zyenta_ads_pipeline.domain.access import Role


def the_day(day: Day, campaign: str, change: str) -> None:
    """All of it after signing in."""
    day.create(campaign)
    day.watch_it_launch()
    day.sees_status("In review")
    day.order("Activate", "Activate the campaign")
    day.world.sandbox.advance(hours=2)  # Meta's review takes its time
    day.order("Ask Meta how it stands", "Look at the review on Meta")
    day.sees_status("Active")
    day.approve(change)
    day.undo()
    day.open_campaign(campaign)
    day.order("Pause", "Pause the campaign")
    day.sees_status("Paused")


@pytest.mark.slow  # as on the phone, whose screen is harder
def test_with_a_mouse(visitors: Visitors, buyers_world: World) -> None:
    page = visitors.page("ada")
    the_day(Day(page, buyers_world, Pointer()), "Autumn", "Trail running | Prospecting")


def test_on_a_phone_from_a_one_time_link(visitors: Visitors, buyers_world: World) -> None:
    page = visitors.browser(**PHONE).new_page()
    page.goto(buyers_world.link("bea"))
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/campaigns")
    the_day(Day(page, buyers_world, Pointer()), "On the way", "Rain jackets | Broad")
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["viewport"]["width"], "nothing sticks out of the screen"


@pytest.mark.slow
def test_by_keyboard_alone(visitors: Visitors, buyers_world: World) -> None:
    page = visitors.browser().new_page()
    hands = Keyboard()
    page.goto("/sign-in")
    hands.write(page.get_by_label("Access token"), buyers_world.token("kim"))
    page.keyboard.press("Enter")
    page.wait_for_url("**/campaigns")
    the_day(Day(page, buyers_world, hands), "By keys", "Climbing hardware | Lookalike")


def test_with_javascript_off(visitors: Visitors, buyers_world: World) -> None:
    page = visitors.page("otto", java_script_enabled=False)
    the_day(Day(page, buyers_world, WithoutScript()), "Plain", "Thru-hikers")


def test_a_viewer_is_offered_nothing(visitors: Visitors) -> None:
    page = visitors.page("vic", Role.VIEWER)
    expect(page.get_by_role("link", name="Create campaign")).to_have_count(0)
    page.goto("/changes")
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)
    assert (answer := page.goto("/campaigns/new")) is not None
    assert answer.status == 403
    expect(page.get_by_role("main")).to_contain_text("buyer", ignore_case=True)


def test_a_sync_is_started_and_watched_to_its_end(visitors: Visitors) -> None:
    page = visitors.page("ada")
    page.goto("/accounts")
    page.get_by_role("button", name="Sync all now").click()
    page.wait_for_url("**/runs/*")
    main = page.get_by_role("main")
    expect(main).to_contain_text("Done")
    for step in STEPS:
        expect(main).to_contain_text(step.replace("_", " "), ignore_case=True)
    page.get_by_role("link", name="Accounts", exact=True).last.click()
    expect(page.locator("#runs tbody tr")).to_have_count(1)
