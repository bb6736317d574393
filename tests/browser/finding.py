"""A browser for the tests: the system's Chromium or Chrome, or else one that Playwright fetches."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Playwright

REMEDY = (
    "NO BROWSER TEST WAS RUN. Install Chromium or Chrome (Debian: apt-get install chromium), or "
    "run `.venv/bin/playwright install chromium`."
)
FLAGS = (
    "--no-sandbox",  # it opens nothing but our own pages, often as root in a container
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_ON_A_MAC = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
_FETCHING_SECONDS = 240


def system_browser() -> Path | None:
    """The Chromium or Chrome that this machine has."""
    for name in _NAMES:
        if found := shutil.which(name):
            return Path(found)
    return next((Path(each) for each in _ON_A_MAC if Path(each).exists()), None)


def any_browser(playwright: Playwright, tried: Path) -> Path | None:
    """The system's browser, or Playwright's own, which is fetched if it must be.

    `tried` is a file that keeps several processes from fetching at once, and from trying again
    what has failed.
    """
    if (found := system_browser()) is not None:
        return found
    own = Path(playwright.chromium.executable_path)
    with tried.open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not own.exists() and not os.fstat(lock.fileno()).st_size:
            lock.write("tried\n")
            _fetch()
    return own if own.exists() else None


def _fetch() -> None:
    try:
        subprocess.run(
            [sys.executable, "-m", "playwright", "install", "chromium"],
            capture_output=True,
            timeout=_FETCHING_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return
