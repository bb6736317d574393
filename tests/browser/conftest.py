"""A browser and a buyer's world for the tests of the console's pages."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.finding import FLAGS, REMEDY, any_browser
from tests.browser.visiting import Visitors
from tests.browser.world import NO_DAGSTER, Desk, World, prepared, serving, world


def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of this run of the tests, the same for all its processes."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if own.name.startswith("popen-") else own


# One event loop a thread: while Playwright is open nothing else may run one, so it is open for
# the tests of this folder alone, and closed before any other.
@pytest.fixture(scope="package")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """The browser; without one the test is skipped, loudly."""
    with sync_playwright() as playwright:
        found = any_browser(playwright, shared_folder(tmp_path_factory) / "browser-fetched")
        if found is None:
            warnings.warn(pytest.PytestWarning(REMEDY), stacklevel=1)
            pytest.skip(REMEDY)
        browser = playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def made_world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The prepared world, to be copied."""
    return prepared(shared_folder(tmp_path_factory))


@pytest.fixture(scope="module")
def buyers_world(
    chrome: Browser, made_world: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """A world for the tests of one file."""
    with world(made_world, tmp_path_factory.mktemp("world")) as opened:
        yield opened


@pytest.fixture
def two_workers(buyers_world: World) -> Iterator[Desk]:
    """Another console on the same home, with two workers."""
    world = buyers_world
    with serving(world.settings, world.folder, "--workers", "2") as console:
        yield Desk(world.folder, world.settings, console, world.tokens)


@pytest.fixture
def empty_desk(tmp_path: Path) -> Iterator[Desk]:
    """The console of a home in which nothing has been done yet."""
    settings = {"ZYENTA_HOME": str(tmp_path / "home"), "ZYENTA_DAGSTER_URL": NO_DAGSTER}
    (tmp_path / "home").mkdir()
    with serving(settings, tmp_path) as console:
        yield Desk(tmp_path, settings, console)


@pytest.fixture
def visitors(chrome: Browser, buyers_world: World) -> Iterator[Visitors]:
    """People at their browsers. At the end none may have met a foreign host or an error."""
    visitors = Visitors(chrome, buyers_world)
    yield visitors
    visitors.leave()
    hosts = {urlsplit(each).hostname for each in visitors.requested}
    assert hosts <= {urlsplit(buyers_world.console.url).hostname}
    assert visitors.complaints == []
