"""`zyenta dev`: what it starts ends together, whichever ends first."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from zyenta_ads_pipeline import dev
from zyenta_ads_pipeline.cli import app
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.settings import Settings


@pytest.fixture(autouse=True)
def one_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.validation_alias), raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZYENTA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("META_AD_ACCOUNT_IDS", "1")
    monkeypatch.setenv("ZYENTA_DAGSTER_URL", "http://127.0.0.1:9")
    monkeypatch.setattr(dev, "_fill_once", lambda *_: None)


def sleeper(mark: Path, seconds: float = 60, code: int = 0) -> list[str]:
    """A child that writes its process id, and ends with `code` after so many seconds."""
    text = (
        "import os, sys, time, pathlib; "
        f"pathlib.Path({str(mark)!r}).write_text(str(os.getpid())); "
        f"time.sleep({seconds}); sys.exit({code})"
    )
    return [sys.executable, "-c", text]


def serve() -> None:
    dev.serve(None, port=1, sandbox_port=0, console_port=2, out=Console(quiet=True))


def alive(mark: Path) -> bool:
    try:
        os.kill(int(mark.read_text()), 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize(
    ("ends", "option"), [("_console_command", "--console-port"), ("_dagster_command", "--port")]
)
def test_one_that_fails_takes_the_other_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ends: str, option: str
) -> None:
    marks = {name: tmp_path / name for name in ("_console_command", "_dagster_command")}
    for name, mark in marks.items():
        given = (1.5, 3) if name == ends else (60, 0)
        monkeypatch.setattr(dev, name, lambda _, m=mark, g=given: sleeper(m, *g))
    with pytest.raises(InputError, match="ended with code 3") as told:
        serve()
    assert option in told.value.remedy
    assert not any(alive(mark) for mark in marks.values())


def test_a_signal_to_stop_stops_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    marks = [tmp_path / "console", tmp_path / "dagster"]
    monkeypatch.setattr(dev, "_console_command", lambda _: sleeper(marks[0]))
    monkeypatch.setattr(dev, "_dagster_command", lambda _: sleeper(marks[1]))
    timer = threading.Timer(2, os.kill, (os.getpid(), signal.SIGTERM))
    timer.start()
    serve()
    assert not any(alive(mark) for mark in marks if mark.exists())
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_the_console_refuses_a_wider_address_in_words() -> None:
    told = CliRunner().invoke(app, ["console", "--host", "10.0.0.5"])
    assert told.exit_code == 1
    assert "ZYENTA_CONSOLE_SECRET" in told.stderr
