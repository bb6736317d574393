"""A console that is served by a process of its own, until the test is over."""

from __future__ import annotations

import os
import re
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.api.home import ROOT
from zyenta_ads_pipeline.console.desks.people import PeopleDesk
from zyenta_ads_pipeline.console.office import Office
from zyenta_ads_pipeline.domain.access import Role
from zyenta_ads_pipeline.settings import load_settings


@dataclass(frozen=True)
class Served:
    """Where it answers, and a buyer's token. `log` is all that it has said."""

    url: str
    token: str
    log: Path


@contextmanager
def served(
    folder: Path, *arguments: str, host: str = "", trust: ssl.SSLContext | bool = True
) -> Iterator[Served]:
    """`zyenta console` on a free port with the settings of the environment.

    `host`: the name that it is asked by, where that is not its address. It must stop by itself
    when it is told to, and may not have said a traceback.
    """
    log = folder / "log"
    with log.open("wb") as out:
        child = subprocess.Popen(
            [sys.executable, "-m", "zyenta_ads_pipeline", "console", "--port", "0", *arguments],
            stdout=out, stderr=subprocess.STDOUT, env=os.environ.copy(),
        )  # fmt: skip
    try:
        url = _address(log, child)
        _until_it_answers(url, host, trust)
        yield Served(url, _token(), log)
    finally:
        child.send_signal(signal.SIGINT)
        assert child.wait(20) in (0, -signal.SIGINT, 130)
    assert "Traceback" not in log.read_text()


def _address(log: Path, child: subprocess.Popen[bytes]) -> str:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        assert child.poll() is None, log.read_text()
        if found := re.search(r"Console: (https?)://\S+:(\d+)", log.read_text()):
            return f"{found[1]}://127.0.0.1:{found[2]}"
        time.sleep(0.1)
    raise AssertionError(log.read_text())


def _until_it_answers(url: str, host: str, trust: ssl.SSLContext | bool) -> None:
    until = time.monotonic() + 60
    with httpx.Client(base_url=url, verify=trust, headers={"Host": host} if host else {}) as client:
        while time.monotonic() < until:
            try:
                client.get("/api/v1/ads/me", timeout=10)
            except httpx.TransportError:
                time.sleep(0.1)
            else:
                return
    raise AssertionError("it never answered")


def _token() -> str:
    office = Office(load_settings())
    try:
        return PeopleDesk(office).issue(ROOT, "eva", Role.BUYER).secret
    finally:
        office.close()
