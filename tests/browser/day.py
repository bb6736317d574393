"""A buyer's day, step by step, by whatever hands it is done with."""

from __future__ import annotations

import re
from dataclasses import dataclass

from playwright.sync_api import Locator, Page, expect

from tests.browser.hands import Hands, confirmed
from tests.browser.world import World


@dataclass
class Day:
    """One buyer, one campaign, one change."""

    page: Page
    world: World
    hands: Hands

    def create(self, name: str, budget: str = "60", days: str = "14") -> None:
        """Ask for a campaign from the list's button on; ends on the page of its launch."""
        self._go("Campaigns")
        self.hands.press(self.page.get_by_role("link", name="Create campaign").first)
        self.hands.write(self.page.get_by_label("Campaign name"), name)
        self.hands.write(self.page.get_by_label("Daily budget (", exact=False).first, budget)
        self.hands.write(self.page.get_by_label("Duration (days)"), days)
        self.hands.press(self.page.get_by_role("checkbox", name=re.compile("Trail Running Shoes")))
        if self.hands.has_script:
            summary = self.page.get_by_role("complementary", name="Summary")
            expect(summary).to_contain_text(name)
            expect(summary).to_contain_text(f"${float(budget) * float(days):,.2f}")
            expect(summary).to_contain_text("1 chosen")
        self.hands.press(self.page.get_by_role("button", name="Create campaign").last)
        self.page.wait_for_url("**/requests/*")

    def watch_it_launch(self) -> None:
        """See the launch go by while it goes; ends on the campaign's page, paused."""
        expect(self._main()).to_contain_text("Waiting")
        running = self.world.daemon.begin()
        launched = self.page.get_by_role("link", name="Look it over and activate")
        if not self.hands.has_script:
            running.result()
            self.page.reload()
        expect(launched).to_be_visible(timeout=60_000)
        assert [(each.job, each.told) for each in running.result()] == [("create_campaign", "")]
        self.hands.press(launched)
        self.page.wait_for_url("**/campaigns/*")

    def order(self, button: str, order: str) -> None:
        """Press a button of the campaign's page, and see what was ordered being done."""
        place = self.page.locator("#state")
        what = place.get_by_role("button", name=button, exact=True)
        expect(place).to_be_visible()
        if not what.is_visible():
            self.hands.press(place.locator("summary", has_text="More"))
        confirmed(self.hands, self.page, what)
        expect(self._main()).to_contain_text(order)
        self.carry_out()
        line = self._main().get_by_role("listitem").filter(has_text=order).first
        expect(line).to_contain_text("Done")

    def sees_status(self, status: str) -> None:
        """The campaign stands so."""
        expect(self.page.locator("#state .head .badge")).to_have_text(status)

    def approve(self, name: str) -> None:
        """Approve a proposed change, and see it applied."""
        self._go("Changes")
        item = self.page.get_by_role("listitem").filter(has_text=name)
        self.hands.press(item.get_by_role("button", name="Approve").first)
        expect(self._told("approved")).to_be_visible()
        before = self.world.writes()
        self.carry_out()
        assert self.world.writes() == before + 1
        self.hands.press(self.page.get_by_role("link", name="Applied").first)
        expect(self.page.get_by_role("link", name="Applied").first).to_have_attribute(
            "aria-current", "true"
        )
        self._search("Search changes", name)
        expect(self.page.get_by_role("link", name=name).first).to_be_visible()
        self.hands.press(self.page.get_by_role("link", name=name).first)
        expect(self.page.locator("#state .head .badge")).to_have_text("Applied")

    def undo(self) -> None:
        """Take the change on whose page we are back, and see that done."""
        before = self.world.writes()
        confirmed(self.hands, self.page, self.page.get_by_role("button", name="Undo", exact=True))
        expect(self._main()).to_contain_text("Undo a change")
        self.carry_out()
        expect(self._main()).to_contain_text("See the change that takes it back")
        assert self.world.writes() == before + 1

    def open_campaign(self, name: str) -> None:
        """Find a campaign in the list and open it."""
        self._go("Campaigns")
        self._search("Search campaigns", name)
        expect(self.page.locator("#list tbody tr")).to_have_count(1)
        self.hands.press(self.page.get_by_role("link", name=name))
        expect(self.page.get_by_role("heading", level=1)).to_have_text(name)

    def carry_out(self) -> None:
        """Let the daemon do what is waiting; pages without script are loaded anew."""
        ran = self.world.daemon.turn()
        assert all(each.success for each in ran), ran
        if not self.hands.has_script:
            self.page.reload()

    def _go(self, where: str) -> None:
        menu = self.page.locator("details.menu > summary")
        if menu.is_visible():
            self.hands.press(menu)
        link = self.page.get_by_role("navigation", name="Main").get_by_role("link", name=where)
        self.hands.press(link.locator("visible=true").first)
        expect(self.page.locator("h1")).to_contain_text(where, ignore_case=True)

    def _search(self, label: str, text: str) -> None:
        """Where there is script, the list follows what is typed."""
        self.hands.write(self.page.get_by_label(label), text)
        if not self.hands.has_script:
            self.hands.press(self.page.get_by_role("button", name="Search"))

    def _main(self) -> Locator:
        return self.page.get_by_role("main")

    def _told(self, words: str) -> Locator:
        return self.page.locator(".flash", has_text=words).first
