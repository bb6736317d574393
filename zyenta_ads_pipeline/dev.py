"""`zyenta dev`: sandbox, Dagster UI and daemon, and console together; one Ctrl-C stops all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rich.console import Console

from zyenta_ads_pipeline.connections import accounts_of
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.lake.lake import Lake
from zyenta_ads_pipeline.runs import instance_of, run_days
from zyenta_ads_pipeline.sandbox.config import SandboxConfig
from zyenta_ads_pipeline.sandbox.process import run_sandbox
from zyenta_ads_pipeline.sandbox_home import sandbox_home, use_sandbox
from zyenta_ads_pipeline.schedules import newest_days
from zyenta_ads_pipeline.settings import Settings, load_settings

LINEAGE = "/asset-groups?expanded=" + ",".join(
    f"global@global:{group}"
    for group in ("ingestion", "metrics", "optimizer", "allocation", "delivery")
)
"""Opens the UI on the whole lineage, all groups unfolded."""
_STOP_SECONDS = 20
_LOOK_SECONDS = 0.5


def serve(
    home: Path | None, *, port: int, sandbox_port: int, console_port: int, out: Console
) -> None:
    """Run until Ctrl-C. With a `home` a sandbox is started there; else the settings' account."""
    with ExitStack() as stack:
        if home is not None:
            stack.enter_context(sandbox_home(home, fresh=False))
            state = home.absolute() / "sandbox"
            handle = stack.enter_context(run_sandbox(SandboxConfig(state=state, port=sandbox_port)))
            handle.freeze(False)
            use_sandbox(handle, home.absolute())
            out.print(f"Sandbox of Meta's API: {handle.url}")
        settings = load_settings()
        accounts = accounts_of(settings)
        if not accounts:
            raise InputError(
                "No ad account is configured.", "Set META_AD_ACCOUNT_IDS, or run `zyenta connect`."
            )
        _fill_once(settings, accounts, out)
        os.environ["ZYENTA_DAGSTER_URL"] = f"http://127.0.0.1:{port}"
        out.print(f"Dagster UI: http://127.0.0.1:{port}{LINEAGE}", soft_wrap=True)
        out.print("Ctrl-C stops everything.")
        with _stoppable():
            console = stack.enter_context(_child(_console_command(console_port)))
            dagster = stack.enter_context(_child(_dagster_command(port)))
            ended, code = _first_to_end({"The console": console, "Dagster": dagster})
        if code not in (0, -signal.SIGINT, -signal.SIGTERM, 130):
            option = "--console-port" if ended == "The console" else "--port"
            raise InputError(
                f"{ended} ended with code {code}.", f"Is its port taken? Try {option}."
            )


def _fill_once(settings: Settings, accounts: Sequence[str], out: Console) -> None:
    """Run the lineage once where nothing was ever stored, so that the UI opens on numbers."""
    with instance_of(settings) as instance:
        if Lake(settings.lake_location).snapshot().versions:
            return
        out.print("Nothing is stored yet: reading the newest days once ...")
        days = newest_days(settings.restatement_days)
        run_days("hourly", instance, accounts, days)


def _dagster_command(port: int) -> list[str]:
    quiet = "ignore:Function `dev_command` is superseded"  # `dg dev` needs a package more
    command = [sys.executable, "-W", quiet, "-m", "dagster", "dev", "--port", str(port)]
    workspace = Path("workspace.yaml")
    command += (
        ["-w", str(workspace)] if workspace.is_file() else ["-m", "zyenta_ads_pipeline.definitions"]
    )
    return command


def _console_command(port: int) -> list[str]:
    """It prints its address, and the link to sign in by, itself."""
    host = ["--host", "127.0.0.1", "--port", str(port)]
    return [sys.executable, "-m", "zyenta_ads_pipeline", "console", *host]


@contextmanager
def _child(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """A command as a child in its own process group, stopped at the end."""
    child = subprocess.Popen(command, start_new_session=True)  # noqa: S603 - our own words
    try:
        yield child
    finally:
        _stop(child)


@contextmanager
def _stoppable() -> Iterator[None]:
    """Take a signal to stop for the Ctrl-C that it means, so that what was started is stopped."""
    stops = (signal.SIGTERM, signal.SIGHUP)  # HUP: its terminal was closed
    previous = {stop: signal.signal(stop, _interrupt) for stop in stops}
    try:
        yield
    finally:
        for stop, handler in previous.items():
            signal.signal(stop, handler)


def _first_to_end(children: dict[str, subprocess.Popen[bytes]]) -> tuple[str, int]:
    """Wait for the first child that ends; its name and code. Ctrl-C counts as a good end."""
    try:
        while True:
            for name, child in children.items():
                code = child.poll()
                if code is not None:
                    return name, code
            time.sleep(_LOOK_SECONDS)
    except KeyboardInterrupt:
        return "", 0


def _interrupt(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _stop(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is not None:
        return
    child.send_signal(signal.SIGINT)
    try:
        child.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
