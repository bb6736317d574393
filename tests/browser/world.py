"""A buyer's world: a sandbox of Meta, a home with a shop and twenty synced days, the console as a
process of its own; and in place of Dagster's daemon a thread that does what its sensors would."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO, TypeVar

import httpx
import pytest

from tests.browser.dagster_stub import StubDagster, stub_dagster
from tests.faces.buyer import Buyer
from tests.forked import Forked
from tests.sandboxes import run_sandbox
from zyenta_ads_pipeline.console.desks.people import PeopleDesk
from zyenta_ads_pipeline.console.office import Office
from zyenta_ads_pipeline.domain.access import Person, Role
from zyenta_ads_pipeline.sandbox.config import SandboxConfig
from zyenta_ads_pipeline.sandbox.process import SandboxHandle
from zyenta_ads_pipeline.settings import SANDBOX_TOKEN, Settings, load_settings

T = TypeVar("T")
DAYS = 20
SEED = 7
NO_DAGSTER = "http://127.0.0.1:9"
"""Where nothing answers."""
_START_SECONDS = 60.0
_ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)")
_OURS = tuple(str(each.validation_alias) for each in Settings.model_fields.values())


def apart(work: Callable[[], T]) -> T:
    """Do it in a thread of its own: Playwright keeps an event loop in ours, and what we test runs
    loops itself."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(work).result()


def environment(home: Path, sandbox: SandboxHandle, **more: str) -> dict[str, str]:
    """What a home on a sandbox is told; the autopilot asks before it writes."""
    return {
        "ZYENTA_HOME": str(home),
        "META_GRAPH_URL": sandbox.url,
        "META_ACCESS_TOKEN": SANDBOX_TOKEN,
        "META_AD_ACCOUNT_IDS": ",".join(sandbox.account_ids),
        "ZYENTA_AUTOPILOT": "approve",
        "ZYENTA_DAGSTER_URL": NO_DAGSTER,
        **more,
    }


@contextmanager
def told(settings: Mapping[str, str], folder: Path) -> Iterator[None]:
    """This process with these settings of ours and no others, in that folder."""
    with pytest.MonkeyPatch.context() as patch:
        for name in _OURS:
            patch.delenv(name, raising=False)
        for name, value in settings.items():
            patch.setenv(name, value)
        patch.chdir(folder)
        yield


def prepared(shared: Path) -> Path:
    """A folder with a home and its sandbox's state, made by the first process that asks.

    The shop is connected and has three products with pictures; its account's campaigns are
    adopted; the newest twenty days are read and decided on, so that changes wait for approval.
    """
    folder = shared / "buyers-world"
    with (shared / "buyers-world.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "ready").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            apart(lambda: _prepare(folder))
            (folder / "ready").touch()
    return folder


def _prepare(folder: Path) -> None:
    config = SandboxConfig(state=folder / "sandbox", port=0, days=DAYS, seed=SEED, frozen=True)
    with run_sandbox(config) as sandbox, told(environment(folder / "home", sandbox), folder):
        buyer = Buyer(folder)
        buyer.has_a_store()
        buyer.does("connect", "trail")
        buyer.does("campaign", "adopt", "trail")
        buyer.does("run")


@dataclass
class ConsoleProcess:
    """`zyenta console` as a process; it may be stopped and started again on its port."""

    settings: Mapping[str, str]
    folder: Path
    options: tuple[str, ...] = ()
    port: int = 0
    said: list[str] = field(default_factory=list)
    process: Forked | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self.process is not None
        return self.process.pid

    def start(self) -> None:
        """Start it, and wait until it answers."""
        kept = {name: value for name, value in os.environ.items() if name not in _OURS}
        self.said = []
        self.process = Forked(
            "zyenta_ads_pipeline",
            *("console", "--port", str(self.port), *self.options),
            env={**kept, **self.settings, "COLUMNS": "400"},
            cwd=self.folder,
        )
        for told in (self.process.stdout, self.process.stderr):
            threading.Thread(target=self._listen, args=(told,), daemon=True).start()
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if time.monotonic() > deadline or self.process.poll() is not None:
                self.stop()
                raise AssertionError("The console did not start:\n" + "".join(self.said))
            time.sleep(0.05)

    def stop(self) -> None:
        """End it as Ctrl-C would, or at once if it does not."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def restart(self) -> None:
        """Another process on the same port."""
        self.stop()
        self.start()

    def _answers(self) -> bool:
        if not self.port:
            found = _ADDRESS.search("".join(self.said))
            if found is None:
                return False
            self.port = int(found[1])
        try:
            return httpx.get(f"{self.url}/sign-in", timeout=5).status_code < 500
        except httpx.HTTPError:
            return False

    def _listen(self, stream: TextIO | None) -> None:
        assert stream is not None
        with stream:
            self.said.extend(stream)


@dataclass(frozen=True)
class Ran:
    """A run that a sensor asked for: its job, whether it went well, and what it failed of."""

    job: str
    success: bool
    told: str = ""


class Daemon:
    """Does what Dagster's daemon would: asks each sensor, and carries out what it wants."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._thread.submit(self._open).result()

    def turn(self) -> list[Ran]:
        """One turn of all sensors, to its end."""
        return self.begin().result()

    def begin(self) -> Future[list[Ran]]:
        """The same without waiting."""
        return self._thread.submit(self._turn)

    def run_days(self, job: str, account: str, days: int) -> None:
        """An asset job over the newest days, as the hourly schedule starts it."""
        from zyenta_ads_pipeline.runs import run_days
        from zyenta_ads_pipeline.schedules import newest_days

        work = lambda: run_days(job, self._instance, [account], newest_days(days))  # noqa: E731
        self._thread.submit(work).result()

    def close(self) -> None:
        """Stop working."""
        self._thread.submit(self._stack.__exit__, None, None, None).result()
        self._thread.shutdown()

    def _open(self) -> None:
        import dagster as dg

        from zyenta_ads_pipeline.definitions import defs

        self._stack = dg.DagsterInstance.ephemeral()
        self._instance = self._stack.__enter__()
        self._defs = defs
        self._sensors = list(defs.get_repository_def().sensor_defs)

    def _turn(self) -> list[Ran]:
        import dagster as dg

        from zyenta_ads_pipeline.resources import StoreResource

        ran: list[Ran] = []
        for sensor in self._sensors:
            with dg.build_sensor_context(
                instance=self._instance, resources={"store": StoreResource()}
            ) as context:
                wanted = sensor(context)
            if isinstance(wanted, dg.SensorResult):
                ran += [self._run(sensor.job_name, each) for each in wanted.run_requests or []]
        return ran

    def _run(self, job: str | None, request: object) -> Ran:
        import dagster as dg

        assert job is not None
        assert isinstance(request, dg.RunRequest)
        done = self._defs.resolve_job_def(job).execute_in_process(
            run_config={**request.run_config, "loggers": _QUIET},
            tags=dict(request.tags),
            instance=self._instance,
            raise_on_error=False,
        )
        told = [str(each.step_failure_data) for each in done.all_events if each.is_step_failure]
        return Ran(job, done.success, "\n".join(told))


_QUIET = {"console": {"config": {"log_level": "CRITICAL"}}}


@dataclass
class Desk:
    """A console and the home that it works on."""

    folder: Path
    settings: Mapping[str, str]
    console: ConsoleProcess
    tokens: dict[str, str] = field(default_factory=dict)

    def token(self, name: str, role: Role = Role.BUYER) -> str:
        """Somebody's token, issued at the first asking."""
        if name not in self.tokens:
            self.tokens[name] = self.people(lambda desk: desk.issue(_ADMIN, name, role).secret)
        return self.tokens[name]

    def link(self, name: str, role: Role = Role.BUYER) -> str:
        """The address of a one-time link for somebody."""
        code = self.people(lambda desk: desk.link(_ADMIN, name, role))
        return f"{self.console.url}/sign-in/link?code={code}"

    def people(self, act: Callable[[PeopleDesk], T]) -> T:
        """What an admin does beside the console, in the same store."""

        def done() -> T:
            with told(self.settings, self.folder), closing(Office(load_settings())) as office:
                return act(PeopleDesk(office))

        return apart(done)

    def send(self, path: str, form: Sequence[Sequence[str]], cookies: Mapping[str, str]) -> str:
        """Send a form without a browser; gives where the answer leads."""
        fields: dict[str, list[str]] = {}
        for name, value in form:
            fields.setdefault(name, []).append(value)
        reply = httpx.post(self.console.url + path, data=fields, cookies=dict(cookies), timeout=30)
        assert reply.status_code == 303, reply.text
        return reply.headers["location"]


@dataclass
class World(Desk):
    """Everything of one buyer: a console, and what stands behind it."""

    sandbox: SandboxHandle = field(kw_only=True)
    daemon: Daemon = field(kw_only=True)
    dagster: StubDagster = field(kw_only=True)

    @property
    def account(self) -> str:
        """The number of the shop's ad account."""
        return self.sandbox.account_ids[0]

    def writes(self) -> int:
        """How many writes Meta has accepted so far."""
        return sum(1 for write in self.sandbox.writes() if write["accepted"])


_ADMIN = Person("setup", Role.ADMIN)


@contextmanager
def serving(settings: Mapping[str, str], folder: Path, *options: str) -> Iterator[ConsoleProcess]:
    """The console of a home, as a process."""
    console = ConsoleProcess(settings, folder, options)
    console.start()
    try:
        yield console
    finally:
        console.stop()


@contextmanager
def world(made: Path, folder: Path) -> Iterator[World]:
    """A world of its own, copied from a prepared one into an empty folder."""
    for part in ("home", "sandbox"):
        shutil.copytree(made / part, folder / part, ignore=shutil.ignore_patterns("dagster"))
    config = SandboxConfig(state=folder / "sandbox", port=0, frozen=True)
    with run_sandbox(config) as sandbox, stub_dagster() as dagster:
        settings = environment(folder / "home", sandbox, ZYENTA_DAGSTER_URL=dagster.url)
        with told(settings, folder), serving(settings, folder) as console:
            daemon = Daemon()
            try:
                yield World(
                    folder, settings, console, sandbox=sandbox, daemon=daemon, dagster=dagster
                )
            finally:
                daemon.close()
