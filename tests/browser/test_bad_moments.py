"""What goes wrong between a browser and a console: each ends as a person would wish."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import Page, expect

from tests.browser.visiting import Visitors, sign_in
from tests.browser.world import Desk, World, apart
from zyenta_ads_pipeline.connections import store_of
from zyenta_ads_pipeline.domain.access import Person, Role
from zyenta_ads_pipeline.domain.change import ChangeState
from zyenta_ads_pipeline.settings import load_settings
from zyenta_ads_pipeline.store.outbox import Outbox
from zyenta_ads_pipeline.store.requests import CampaignRequests


def requests_named(name: str) -> int:
    """How many campaigns of a name have been asked for."""

    def counted() -> int:
        with store_of(load_settings()) as store:
            asked = CampaignRequests(store).find()
        return sum(1 for each, _ in asked if each.name == name)

    return apart(counted)


def proposed(name: str) -> str:
    """The id of the change that is proposed for an object."""

    def found() -> str:
        with store_of(load_settings()) as store:
            changes = Outbox(store).find(states=[ChangeState.PROPOSED])
        return next(each.id for each in changes if each.change.object_name.startswith(name))

    return apart(found)


def state_of(change_id: str) -> tuple[ChangeState, list[str]]:
    """How a change stands, and who has moved it there."""

    def found() -> tuple[ChangeState, list[str]]:
        with store_of(load_settings()) as store:
            outbox = Outbox(store)
            journal = outbox.journal(change_id)
            return outbox.get(change_id).state, [each.actor for each in journal]

    return apart(found)


def fill_in(page: Page, name: str) -> None:
    """The form for a campaign, filled in and not yet sent."""
    page.goto("/campaigns/new")
    page.get_by_label("Campaign name").fill(name)
    page.get_by_label("Daily budget (").first.fill("45")
    page.get_by_label("Duration (days)").fill("21")
    page.get_by_role("checkbox", name=re.compile("Rain Jacket")).check()


def send(page: Page) -> None:
    """Press its button, and see the page of the launch."""
    page.get_by_role("button", name="Create campaign").last.click()
    page.wait_for_url("**/requests/*")


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without"])
def test_a_double_click_makes_one_campaign(visitors: Visitors, script: bool) -> None:
    name = f"Twice {script}"
    page = visitors.page("ada", java_script_enabled=script)
    fill_in(page, name)
    page.get_by_role("button", name="Create campaign").last.dblclick()
    page.wait_for_url("**/requests/*")
    assert requests_named(name) == 1


def test_a_page_loaded_anew_after_sending_sends_nothing_again(visitors: Visitors) -> None:
    page = visitors.page("ada")
    fill_in(page, "Sent once")
    send(page)
    page.reload()
    assert requests_named("Sent once") == 1


def test_two_buyers_approve_one_change(visitors: Visitors) -> None:
    change = proposed("Trail running")
    pages = [visitors.page(name) for name in ("ada", "bea")]
    for page in pages:
        page.goto(f"/changes/{change}")
    for page in pages:
        page.get_by_role("button", name="Approve", exact=True).click()
    expect(pages[0].locator(".flash")).to_contain_text("approved")
    expect(pages[1].locator(".flash")).to_be_visible()
    expect(pages[1].get_by_role("main")).to_contain_text("Approved")
    expect(pages[1].get_by_role("main")).to_contain_text("ada")
    state, who = state_of(change)
    assert state is ChangeState.APPROVED
    assert who.count("ada") == 1
    assert "bea" not in who


def test_a_stale_tab_decides_nothing(visitors: Visitors) -> None:
    change = proposed("Rain jackets")
    stale = visitors.page("ada")
    stale.goto("/changes")
    quick = visitors.page("bea")
    quick.goto(f"/changes/{change}")
    quick.locator("summary", has_text="Reject").click()
    quick.get_by_label("Why not?").fill("A sale begins on Monday.")
    quick.get_by_role("button", name="Reject", exact=True).click()
    expect(quick.locator(".flash")).to_contain_text("rejected")
    item = stale.get_by_role("listitem").filter(has_text="Rain jackets")
    item.get_by_role("button", name="Approve").click()
    expect(stale.locator(".flash")).to_contain_text(re.compile("rejected|already|changed", re.I))
    assert state_of(change)[0] is ChangeState.REJECTED


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without"])
def test_a_session_that_is_over_loses_nothing_that_was_typed(
    visitors: Visitors, buyers_world: World, script: bool
) -> None:
    name = f"Kept {script}"
    page = visitors.page("ada", java_script_enabled=script)
    fill_in(page, name)
    page.context.clear_cookies()
    page.get_by_role("button", name="Create campaign").last.click()
    expect(page.get_by_role("main")).to_contain_text("nothing was sent")
    page.get_by_label("Access token").fill(buyers_world.token("ada"))
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_label("Campaign name")).to_have_value(name)
    expect(page.get_by_label("Daily budget (").first).to_have_value("45")
    expect(page.get_by_label("Duration (days)")).to_have_value("21")
    expect(page.get_by_role("checkbox", name=re.compile("Rain Jacket"))).to_be_checked()
    assert requests_named(name) == 0
    send(page)
    assert requests_named(name) == 1


def test_the_console_restarts_under_a_half_filled_form(
    visitors: Visitors, buyers_world: World
) -> None:
    page = visitors.page("ada")
    fill_in(page, "Through a restart")
    buyers_world.console.restart()
    send(page)
    assert requests_named("Through a restart") == 1


def test_a_revoked_token_signs_its_owner_out_at_once(
    visitors: Visitors, buyers_world: World
) -> None:
    page = visitors.page("gone")
    token = buyers_world.token("gone")
    admin = Person("root", Role.ADMIN)
    buyers_world.people(lambda desk: desk.revoke(admin, desk.tokens(admin)[0].id))
    page.goto("/changes")
    expect(page.get_by_label("Access token")).to_be_visible()
    page.get_by_label("Access token").fill(token)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#token-wrong")).to_be_visible()


def test_two_workers_know_one_session_and_make_one_campaign(
    visitors: Visitors, two_workers: Desk
) -> None:
    page = visitors.browser(base_url=two_workers.console.url).new_page()
    sign_in(page, two_workers.token("ada"))
    for _ in range(6):
        page.goto("/campaigns")
        expect(page.get_by_role("heading", level=1)).to_have_text("Ad campaigns")
    fill_in(page, "By two workers")
    form = page.locator("form#create")
    values = form.evaluate("form => [...new FormData(form)]")
    cookie = {each["name"]: each["value"] for each in page.context.cookies()}
    with ThreadPoolExecutor(4) as threads:
        at = [threads.submit(two_workers.send, "/campaigns/new", values, cookie) for _ in range(4)]
    assert len({each.result() for each in at}) == 1
    assert requests_named("By two workers") == 1


def test_the_pages_say_so_while_dagster_is_down(visitors: Visitors, buyers_world: World) -> None:
    page = visitors.page("ada")
    told = page.get_by_text("Dagster does not answer")
    expect(told).to_have_count(0)
    buyers_world.dagster.down = True
    try:
        _look_until(page, lambda: told.count() > 0)
        fill_in(page, "While it is down")
        send(page)
        expect(page.get_by_role("main")).to_contain_text("Waiting")
        page.goto("/accounts")
        expect(page.get_by_role("main")).to_contain_text("once it answers")
        page.get_by_role("button", name="Sync all now").click()
        expect(page.locator(".flash")).to_contain_text("Dagster does not answer")
    finally:
        buyers_world.dagster.down = False
    _look_until(page, lambda: told.count() == 0)


def _look_until(page: Page, seen: Callable[[], bool]) -> None:
    """Whether Dagster answers is remembered for some seconds."""
    for _ in range(40):
        page.goto("/campaigns")
        if seen():
            return
        page.wait_for_timeout(500)
    raise AssertionError(page.locator("main").inner_text())
