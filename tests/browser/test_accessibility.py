"""Every page and every dialog, looked at by axe-core: on a desktop in the light, on a phone in the
dark."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.visiting import DESKTOP, PHONE, Visitors, sign_in
from tests.browser.world import Desk, apart
from zyenta_ads_pipeline.connections import store_of
from zyenta_ads_pipeline.domain.access import Role
from zyenta_ads_pipeline.settings import load_settings
from zyenta_ads_pipeline.store.campaigns import Campaigns
from zyenta_ads_pipeline.store.outbox import Outbox

AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
LOOKS: Mapping[str, Mapping[str, Any]] = {
    "desktop, light": DESKTOP | {"color_scheme": "light"},
    "phone, dark": PHONE | {"color_scheme": "dark"},
}
OTHER_LOOKS: Mapping[str, Mapping[str, Any]] = {
    "desktop, dark": DESKTOP | {"color_scheme": "dark"},
    "phone, light": PHONE | {"color_scheme": "light"},
}
PAGES = (
    "/campaigns",
    "/campaigns?q=nothing+like+it",
    "/campaigns?status=active&sort=name",
    "/campaigns/new",
    "/campaigns/{campaign}",
    "/campaigns/{campaign}?budget=200&horizon=28",
    "/changes",
    "/changes?state=all",
    "/changes?state=trouble",
    "/changes/{change}",
    "/accounts",
    "/catalogue",
    "/catalogue/trail",
    "/settings",
    "/settings/access",
    "/campaigns/nowhere",
)
NOT_THERE = "/campaigns/nowhere"
MORE_PAGES = ("/api/docs", "/changes?state=applied", "/campaigns?size=200", "/settings?account=1")
"""Long ones, or much like others."""


def violations(page: Page) -> list[str]:
    """What axe-core objects to on a page as it stands, in words."""
    page.evaluate(AXE)
    found = page.evaluate("axe.run({resultTypes: ['violations']}).then(found => found.violations)")
    return [
        f"{page.url}: {each['id']} ({each['impact']}): {each['help']}: "
        + "; ".join(" ".join(map(str, node["target"])) for node in each["nodes"][:5])
        for each in found
    ]


def some_ids() -> dict[str, str]:
    """A campaign with delivery, and a proposed change."""
    with store_of(load_settings()) as store:
        campaign = next(each for each in Campaigns(store).find() if each.name.startswith("Trail"))
        return {"campaign": campaign.id, "change": Outbox(store).find()[0].id}


def _submit_what_is_wrong(page: Page) -> None:
    page.goto("/campaigns/new")
    page.get_by_label("Duration (days)").fill("400")
    page.get_by_role("button", name="Create campaign").last.click()
    expect(page.locator("[data-first-wrong]")).to_be_visible()


def _ask_about_pausing(page: Page) -> None:
    page.goto("/campaigns?q=Trail")
    page.get_by_role("link", name="Trail running").first.click()
    page.get_by_role("button", name="Pause", exact=True).first.click()
    expect(page.get_by_role("dialog")).to_be_visible()


def _ask_for_a_campaign(page: Page) -> None:
    page.goto("/campaigns/new")
    page.get_by_role("button", name="Create campaign").last.click()
    page.wait_for_url("**/requests/*")


def _start_a_run(page: Page) -> None:
    page.goto("/accounts")
    page.get_by_role("button", name="Sync all now").click()
    page.wait_for_url("**/runs/*")


def _open_every_fold(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")


def _open_the_folds_of(address: str) -> Callable[[Page], None]:
    def opened(page: Page) -> None:
        page.goto(address)
        _open_every_fold(page)

    return opened


def _tick_changes(page: Page) -> None:
    page.goto("/changes")
    page.locator(".tick input").first.check()
    page.locator("form#bulk summary").click()
    expect(page.get_by_role("button", name="Reject what is ticked")).to_be_visible()


DIALOGS: Mapping[str, Callable[[Page], None]] = {
    "a form with errors": _submit_what_is_wrong,
    "the question before pausing": _ask_about_pausing,
    "a launch on its way": _ask_for_a_campaign,
    "a run on its way": _start_a_run,
    "changes that are ticked": _tick_changes,
    "editing and rejecting changes": _open_the_folds_of("/changes"),
    "menus and settings": _open_the_folds_of("/settings"),
}


def check_everything(
    visitors: Visitors, look: Mapping[str, Any], pages: Sequence[str] = PAGES
) -> None:
    """These pages and all dialogs in one look."""
    stranger = visitors.browser(**look).new_page()
    found: list[str] = []
    for path in ("/sign-in", "/sign-in/link?code=wrong"):
        stranger.goto(path)
        found += violations(stranger)
    page = visitors.browser(**look).new_page()
    sign_in(page, visitors.world.token("root", Role.ADMIN))
    ids = apart(some_ids)
    for path in pages:
        answer = page.goto(path.format_map(ids))
        assert answer is not None
        assert answer.status == (404 if path == NOT_THERE else 200), path
        found += violations(page)
        found += _sticking_out(page)
    for name, appear in DIALOGS.items():
        appear(page)
        found += [f"{name}: {each}" for each in violations(page) + _sticking_out(page)]
    assert found == [], "\n".join(found)


def _sticking_out(page: Page) -> list[str]:
    """Nobody has to scroll sideways, also not to what was unfolded."""
    over = page.evaluate(
        """() => {
            const width = document.documentElement.clientWidth;
            const folds = [...document.querySelectorAll("details[open] > :not(summary), dialog")];
            const edges = folds.map(each => Math.round(each.getBoundingClientRect().right));
            return Math.max(document.documentElement.scrollWidth, ...edges) - width;
        }"""
    )
    return [f"{page.url} is {over} px too wide"] if over > 0 else []


def test_axe_sees_what_is_wrong(visitors: Visitors) -> None:
    page = visitors.browser().new_page()
    page.goto("/sign-in")
    page.evaluate("document.querySelector('label[for=token]').remove()")
    assert any("label" in each for each in violations(page))


@pytest.mark.parametrize(
    "look", ["desktop, light", pytest.param("phone, dark", marks=pytest.mark.slow)]
)
def test_axe_finds_nothing(visitors: Visitors, look: str) -> None:
    check_everything(visitors, LOOKS[look])


@pytest.mark.slow
@pytest.mark.parametrize("look", OTHER_LOOKS)
def test_axe_finds_nothing_in_other_light(visitors: Visitors, look: str) -> None:
    check_everything(visitors, OTHER_LOOKS[look], PAGES + MORE_PAGES)


def test_the_empty_home_is_accessible_too(visitors: Visitors, empty_desk: Desk) -> None:
    page = visitors.browser().new_page()
    page.goto(empty_desk.link("root", Role.ADMIN))
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/campaigns")
    found = []
    for path in ("/campaigns", "/campaigns/new", "/changes", "/accounts", "/catalogue"):
        page.goto(empty_desk.console.url + path)
        found += violations(page)
    assert found == [], "\n".join(found)
