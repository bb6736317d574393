"""`python -m benchmarks.screenshots`: the console's pictures in the README, of a demo that was
played before (`make demo`), with a shop connected to its account and a campaign made."""

from __future__ import annotations

import argparse
import csv
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw
from playwright.sync_api import Page, sync_playwright
from typer.testing import CliRunner

from tests.browser.dagster_stub import stub_dagster
from tests.browser.finding import FLAGS, REMEDY, any_browser
from tests.browser.visiting import PHONE, sign_in
from tests.browser.world import Desk, apart, environment, serving, told
from zyenta_ads_pipeline.cli import app
from zyenta_ads_pipeline.connections import store_of
from zyenta_ads_pipeline.domain.time import DateRange
from zyenta_ads_pipeline.runs import instance_of, run_days
from zyenta_ads_pipeline.sandbox.config import SandboxConfig
from zyenta_ads_pipeline.sandbox.process import SandboxHandle, run_sandbox
from zyenta_ads_pipeline.settings import load_settings
from zyenta_ads_pipeline.store.campaigns import Campaigns

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"
DEMO = Path(".zyenta/demo")
LARGEST = 150_000
_WIDE: Mapping[str, Any] = {
    "viewport": {"width": 1280, "height": 860},
    "device_scale_factor": 1.5,
    "color_scheme": "light",
}
_COLOURS = 256
_LATER, _READ_AGAIN = 4, 9
"""Days: how long the new campaign has run, and how many are read then."""
_NEW = "Winter trails"
_GOODS = (
    ("101", "Ridge trail running shoes", "Light shoes that grip wet rock and dry fast.", "89.90"),
    ("102", "Storm shell rain jacket", "A jacket that keeps three hours of rain out.", "149.00"),
    ("103", "Basecamp two person tent", "A tent that one person pitches in six minutes.", "219.00"),
    ("104", "Alpine winter boots", "Warm boots for snow, with a sole that bends.", "179.00"),
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Take them all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.screenshots", description=__doc__)
    parser.add_argument("--home", type=Path, default=DEMO, help="a home of a finished demo")
    parser.add_argument("--into", type=Path, default=FOLDER, help="where the pictures go")
    chosen = parser.parse_args(arguments)
    if not (chosen.home / "store.db").is_file():
        parser.error(f"{chosen.home} is no finished demo: run `make demo` first")
    into = chosen.into.absolute()
    into.mkdir(parents=True, exist_ok=True)
    with _console(chosen.home) as desk:
        _take(desk, into)


@contextmanager
def _console(home: Path) -> Iterator[Desk]:
    """The console of a copy of the demo's home, so that the demo itself stays as it was."""
    with tempfile.TemporaryDirectory(prefix="zyenta-screenshots-") as folder:
        copy = Path(folder) / "home"
        shutil.copytree(home, copy, ignore=shutil.ignore_patterns("dagster", "twin"))
        config = SandboxConfig(state=copy / "sandbox", port=0, frozen=True)
        with run_sandbox(config) as sandbox, stub_dagster() as dagster:
            settings = environment(copy, sandbox, ZYENTA_DAGSTER_URL=dagster.url)
            with told(settings, Path(folder)):
                _stock(Path(folder), sandbox)
                with serving(settings, Path(folder)) as console:
                    yield Desk(Path(folder), settings, console)


def _stock(folder: Path, sandbox: SandboxHandle) -> None:
    words = "--id tarnfell --niche outdoor --domain tarnfell.example --country US --currency USD"
    _do("store", "add", "Tarnfell Outdoor", *words.split())
    catalogue, pictures = folder / "catalogue.csv", folder / "pictures"
    pictures.mkdir()
    with catalogue.open("w", newline="", encoding="utf-8") as opened:
        rows = csv.writer(opened)
        rows.writerow(("id", "title", "description", "price", "category", "url"))
        for number, (own, title, text, price) in enumerate(_GOODS):
            rows.writerow((own, title, text, price, "Outdoor", f"/products/{own}"))
            _picture(number).save(pictures / f"{own}.png")
    _do("store", "import", "tarnfell", str(catalogue), "--pictures", str(pictures))
    _do("connect", "tarnfell")
    _do("campaign", "adopt", "tarnfell")
    _do("campaign", "create", "tarnfell", "--objective", "conversions", "--budget", "60",
        "--name", _NEW, "--by", "ada")  # fmt: skip
    with store_of(load_settings()) as store:
        own = next(each.id for each in Campaigns(store).find() if each.name == _NEW)
    _do("campaign", "activate", own)
    sandbox.advance(days=_LATER)
    today = sandbox.now().date()
    days = DateRange(today - timedelta(days=_READ_AGAIN), today)
    with instance_of(load_settings()) as instance:
        run_days("hourly", instance, list(sandbox.account_ids), days)
    _do("campaign", "review", "tarnfell")


def _do(*command: str) -> None:
    done = CliRunner().invoke(app, list(command))
    assert done.exit_code == 0, done.output


def _picture(number: int) -> Image.Image:
    """Mountains at another hour for each product."""
    size = 1080
    skies = ((250, 190, 130), (150, 190, 230), (190, 220, 190), (200, 180, 230))
    low = skies[number % len(skies)]
    picture = Image.new("RGB", (size, size))
    draw = ImageDraw.Draw(picture)
    for y in range(size):
        share = y / size
        draw.line([(0, y), (size, y)], fill=tuple(int(40 + (one - 40) * share) for one in low))
    for layer in range(4):
        peak = 420 + layer * 130
        shade = tuple(int(one * (0.75 - layer * 0.16)) for one in low)
        steps = range(-1, 8)
        ridge = [
            (x * 160 + layer * 45 + number * 30, peak + (x * 97 + layer * 61 + number * 13) % 170)
            for x in steps
        ]
        draw.polygon([(0, size), *ridge, (size, size)], fill=shade)
    return picture


def _take(desk: Desk, into: Path) -> None:
    token = desk.token("ada")
    with sync_playwright() as playwright:
        found = any_browser(playwright, into.parent / ".browser-fetched")
        if found is None:
            raise SystemExit(REMEDY)
        browser = playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        page = browser.new_page(base_url=desk.console.url, **_WIDE)
        sign_in(page, token)
        _save(page, into / "console-campaigns.png")
        page.goto("/campaigns/new")
        page.get_by_label("Campaign name").fill("Spring on the trail")
        page.get_by_role("checkbox").nth(1).check()
        page.get_by_role("checkbox").nth(2).check()
        page.evaluate("scrollTo(0, 0)")
        _save(page, into / "console-create.png")
        page.goto("/changes")
        _save(page, into / "console-changes.png")
        page.goto("/campaigns?sort=spent")
        page.locator("#list tbody th a").first.click()
        page.wait_for_url("**/campaigns/*")
        _save(page, into / "console-campaign.png")
        where = page.url
        phone = browser.new_page(base_url=desk.console.url, **(PHONE | {"color_scheme": "dark"}))
        sign_in(phone, token)
        phone.goto(where)
        _save(phone, into / "console-phone.png")
        browser.close()


def _save(page: Page, file: Path) -> None:
    """What the window shows, in few colours; rare ones count as much as common ones."""
    page.wait_for_load_state("networkidle")
    page.evaluate("document.activeElement.blur()")
    shot = Image.open(BytesIO(page.screenshot(animations="disabled"))).convert("RGB")
    few = shot.quantize(_COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(file, optimize=True)
    size = file.stat().st_size
    assert size <= LARGEST, f"{file.name} has {size} bytes"
    print(f"{file} {shot.width} x {shot.height}, {size / 1000:.0f} kB")


if __name__ == "__main__":
    apart(main)
