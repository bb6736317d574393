"""People in front of the console: browsers of their own, desktop or phone, watched for what they
must never do."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from tests.browser.world import World
from zyenta_ads_pipeline.domain.access import Role

DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 900}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "is_mobile": True,
    "has_touch": True,
    "device_scale_factor": 2,
}
PATIENCE_MS = 20_000
"""A busy machine is not a failure."""
expect.set_options(timeout=PATIENCE_MS)


class Visitors:
    """Opens browsers; remembers every request, and every error that a page met."""

    def __init__(self, chrome: Browser, world: World) -> None:
        self._chrome = chrome
        self.world = world
        self.requested: list[str] = []
        self.complaints: list[str] = []
        self.expected: tuple[str, ...] = ("Failed to load resource",)
        self._open: list[BrowserContext] = []

    def browser(self, **options: Any) -> BrowserContext:
        """A browser that knows nobody yet."""
        place = {"base_url": self.world.console.url}
        context = self._chrome.new_context(**(DESKTOP | place | options))
        context.set_default_timeout(PATIENCE_MS)
        context.on("request", lambda request: self._note(request.url))
        context.on("console", self._hear)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        self._open.append(context)
        return context

    def page(self, name: str = "ada", role: Role = Role.BUYER, **options: Any) -> Page:
        """A browser of somebody who has signed in."""
        page = self.browser(**options).new_page()
        sign_in(page, self.world.token(name, role))
        return page

    def leave(self) -> None:
        """Close every browser."""
        while self._open:
            self._open.pop().close()

    def _note(self, url: str) -> None:
        if not url.startswith(("data:", "blob:")):
            self.requested.append(url)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(self.expected):
            self.complaints.append(message.text)


def sign_in(page: Page, token: str) -> None:
    """Sign in with a token, as a person does."""
    page.goto("/sign-in")
    page.get_by_label("Access token").fill(token)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/campaigns**")
