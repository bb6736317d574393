"""How a buyer works a page: by mouse or finger, by keyboard alone, or with forms and no script."""

from __future__ import annotations

from typing import Protocol

from playwright.sync_api import Locator, Page, expect

_MOST_STEPS = 250


class Hands(Protocol):
    """Presses what can be pressed, and writes into fields."""

    has_script: bool

    def press(self, what: Locator) -> None:
        """A button, a link, a box to tick."""

    def write(self, field: Locator, text: str) -> None:
        """Put a text into a field, in the place of what is there."""


class Pointer:
    """A mouse, or a finger on a phone."""

    has_script = True

    def press(self, what: Locator) -> None:
        what.click()

    def write(self, field: Locator, text: str) -> None:
        field.fill(text)


class WithoutScript(Pointer):
    """The same where JavaScript is off: no dialogs, and pages that are loaded anew."""

    has_script = False


class Keyboard:
    """Tab, Enter, Space and letters."""

    has_script = True

    def press(self, what: Locator) -> None:
        self._reach(what)
        is_box = what.evaluate("e => e.matches('input[type=checkbox], input[type=radio]')")
        what.page.keyboard.press("Space" if is_box else "Enter")

    def write(self, field: Locator, text: str) -> None:
        self._reach(field)
        field.page.keyboard.press("Control+a")
        field.page.keyboard.type(text)

    def _reach(self, what: Locator) -> None:
        expect(what).to_be_visible()
        keys = what.page.keyboard
        for _ in range(_MOST_STEPS):
            if what.evaluate("e => e === document.activeElement"):
                assert _is_marked(what), f"nothing shows that {what} has the focus"
                return
            keys.press("Tab")
        raise AssertionError(f"{what} cannot be reached by Tab")


def _is_marked(what: Locator) -> bool:
    """Whether one sees where the keyboard is: an outline, or a shadow, on it or on its label."""
    seen: bool = what.evaluate(
        """e => [e, e.closest("label")].filter(Boolean).some(each => {
            const style = getComputedStyle(each);
            const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
            return outlined || style.boxShadow !== "none";
        })"""
    )
    return seen


def confirmed(hands: Hands, page: Page, button: Locator) -> None:
    """Press a button, and say yes to its question, if it has one, where there is script."""
    words = button.inner_text().strip()
    asks = button.evaluate("e => Boolean(e.dataset.confirm || e.form.dataset.confirm)")
    hands.press(button)
    if hands.has_script and asks:
        dialog = page.get_by_role("dialog")
        expect(dialog).to_be_visible()
        hands.press(dialog.get_by_role("button", name=words, exact=True))
