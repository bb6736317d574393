"""A buyer at the command line: the commands in this process, in a home of their own, against a
sandbox; with a catalogue and its pictures."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from zyenta_ads_pipeline.cli import app
from zyenta_ads_pipeline.connections import store_of
from zyenta_ads_pipeline.domain.campaign import AdCampaign
from zyenta_ads_pipeline.sandbox.process import SandboxHandle
from zyenta_ads_pipeline.settings import Settings, load_settings
from zyenta_ads_pipeline.store.campaigns import Campaigns

PRODUCTS = (
    ("101", "Ridge Trail Running Shoes", "Light shoes that grip wet rock and dry fast.", "89.90"),
    ("102", "Storm Shell Rain Jacket", "A jacket that keeps three hours of rain out.", "149.00"),
    ("103", "Basecamp Two Person Tent", "A tent that one person pitches in six minutes.", "219.00"),
)


@dataclass
class Buyer:
    """Runs commands; `said` is everything that they have printed."""

    folder: Path
    said: list[str] = field(default_factory=list)

    def does(self, *command: str, stdin: str | None = None) -> str:
        """What a command prints on stdout; it must end well."""
        code, out, told = self._run(*command, stdin=stdin)
        assert code == 0, out + told
        return out

    def fails(self, *command: str, stdin: str | None = None) -> str:
        """What a command prints that must end with 1, without a traceback."""
        code, out, told = self._run(*command, stdin=stdin)
        assert code == 1, out + told
        return out + told

    def misuses(self, *command: str) -> str:
        """What a command prints that is written wrongly."""
        code, out, told = self._run(*command)
        assert code == 2, out + told
        return out + told

    def campaigns(self) -> list[AdCampaign]:
        """All campaigns in the store, the newest first."""
        with store_of(load_settings()) as store:
            return Campaigns(store).find(creatives=True)

    def catalogue(self, *more: str) -> tuple[Path, Path]:
        """A CSV of three products, and a folder with a picture of each; `more` are rows as text."""
        pictures = self.folder / "pictures"
        pictures.mkdir(exist_ok=True)
        file = self.folder / "catalogue.csv"
        with file.open("w", newline="", encoding="utf-8") as opened:
            rows = csv.writer(opened)
            rows.writerow(("id", "title", "description", "price", "category", "url"))
            for number, (own, title, text, price) in enumerate(PRODUCTS):
                rows.writerow((own, title, text, price, "Outdoor", f"/products/{own}"))
                picture = Image.new("RGB", (1080, 1080), (40 * number, 120, 200 - 40 * number))
                picture.save(pictures / f"{own}.png")
            opened.writelines(f"{row}\n" for row in more)
        return file, pictures

    def has_a_store(self, own: str = "trail") -> None:
        """A store with three products."""
        words = f"--id {own} --niche outdoor --domain trail.example.com --country US --currency USD"
        self.does("store", "add", "Trail Shop", *words.split())
        file, pictures = self.catalogue()
        self.does("store", "import", own, str(file), "--pictures", str(pictures))

    def has_a_campaign(self, *more: str) -> str:
        """A store, connected, with a launched campaign; gives the beginning of its id."""
        self.has_a_store()
        self.does("connect", "trail")
        self.does("campaign", "create", "trail", "--objective", "conversions", "--budget", "60",
                  "--name", "Autumn", *more)  # fmt: skip
        return self.campaigns()[0].id[:8]

    def _run(self, *command: str, stdin: str | None = None) -> tuple[int, str, str]:
        done = CliRunner().invoke(app, list(command), input=stdin)
        self.said += [done.stdout, done.stderr]
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.exit_code, done.stdout, done.stderr


def settle(sandbox: SandboxHandle | None, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Buyer:
    """A buyer with an empty home and no settings but the sandbox's address."""
    for setting in Settings.model_fields.values():
        monkeypatch.delenv(str(setting.validation_alias), raising=False)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("ZYENTA_HOME", str(folder / "home"))
    if sandbox is not None:
        monkeypatch.setenv("META_GRAPH_URL", sandbox.url)
    return Buyer(folder)


def change_ids(text: str) -> list[str]:
    """The ids of changes in a table, in order."""
    return re.findall(r"│ ([0-9a-f]{12}) │", text)
