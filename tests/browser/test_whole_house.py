"""`zyenta dev` as it is: sandbox, Dagster with its daemon, and the console, all for real."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.visiting import DESKTOP
from tests.browser.world import apart, told
from tests.faces.buyer import Buyer
from zyenta_ads_pipeline.settings import SANDBOX_TOKEN, Settings

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

_PATIENCE_MS = 240_000
_START_SECONDS = 300
_OURS = {str(each.validation_alias) for each in Settings.model_fields.values()}


@dataclass
class House:
    """What `zyenta dev` has said, and its home."""

    home: Path
    said: list[str] = field(default_factory=list)

    def heard(self, pattern: str) -> str:
        """The first match of a pattern in what it says, once it has said it."""
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if found := re.search(pattern, "".join(self.said)):
                return found[1]
            time.sleep(0.2)
        raise AssertionError("".join(self.said))


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@contextmanager
def house(folder: Path) -> Iterator[House]:
    """It, running."""
    opened = House(folder / "home")
    kept = {name: value for name, value in os.environ.items() if name not in _OURS}
    ports = ["--port", str(_free_port()), "--console-port", str(_free_port())]
    process = subprocess.Popen(
        [sys.executable, "-m", "zyenta_ads_pipeline", "dev", "--sandbox-port", "0", *ports],
        env=kept
        | {
            "ZYENTA_HOME": str(opened.home),
            "ZYENTA_AUTOPILOT": "approve",
            "COLUMNS": "400",
            "PYTHONUNBUFFERED": "1",
        },
        cwd=folder,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    listening = threading.Thread(target=opened.said.extend, args=(process.stdout,), daemon=True)
    listening.start()
    try:
        yield opened
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        listening.join(10)


def stock(folder: Path, opened: House) -> None:
    """A shop with products, connected, by the command line in the same home."""
    settings = {
        "ZYENTA_HOME": str(opened.home),
        "META_GRAPH_URL": opened.heard(r"API: (http://\S+)"),
        "META_ACCESS_TOKEN": SANDBOX_TOKEN,
    }
    with told(settings, folder):
        buyer = Buyer(folder)
        buyer.has_a_store()
        buyer.does("connect", "trail")


def sees_a_run_end_well(page: Page) -> None:
    """Start reading Meta, and watch it to its end."""
    page.goto("/accounts")
    expect(page.get_by_text("Dagster does not answer")).to_have_count(0)
    page.get_by_role("button", name="Sync all now").click()
    page.wait_for_url("**/runs/*")
    expect(page.locator("#progress .badge").first).to_have_text("Done", timeout=_PATIENCE_MS)


def sees_a_campaign_launched(page: Page) -> None:
    """Ask for one, and wait for the daemon to make it."""
    page.goto("/campaigns/new")
    page.get_by_label("Campaign name").fill("By the daemon")
    page.get_by_role("button", name="Create campaign").last.click()
    page.wait_for_url("**/requests/*")
    page.get_by_role("link", name="Look it over and activate").click(timeout=_PATIENCE_MS)
    expect(page.get_by_role("heading", level=1)).to_have_text("By the daemon")


def test_the_sensors_of_a_real_daemon_do_what_the_console_asks(
    chrome: Browser, tmp_path: Path
) -> None:
    with house(tmp_path) as opened:
        link = opened.heard(r"(http://127\.0\.0\.1:\d+/sign-in/link\?code=\S+)")
        page = chrome.new_page(base_url=link.partition("/sign-in")[0], **DESKTOP)
        page.goto(link)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/campaigns")
        _wait_for_dagster(page)
        sees_a_run_end_well(page)
        apart(lambda: stock(tmp_path, opened))
        sees_a_campaign_launched(page)
        page.context.close()


def _wait_for_dagster(page: Page) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while page.get_by_text("Dagster does not answer").count():
        assert time.monotonic() < deadline
        page.wait_for_timeout(1000)
        page.goto("/accounts")
