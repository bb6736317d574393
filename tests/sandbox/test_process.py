"""Starting, stopping, and refusing to start."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from tests.sandbox.conftest import START, Client
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.sandbox.config import SandboxConfig
from zyenta_ads_pipeline.sandbox.process import run_sandbox


def test_health_and_clock(fresh: Client) -> None:
    health = fresh.http.get("/_sandbox/health").json()
    assert (health["ok"], health["source"], health["accounts"]) == (True, "market", [fresh.account])
    assert fresh.sandbox.now() == START
    assert fresh.sandbox.advance(days=1, hours=2) == START + timedelta(hours=26)
    wrong: list[object] = [
        {"now": "2020-01-01T00:00:00Z"}, {"advance_days": -1}, {"now": "today"}, {}, [],
        {"frozen": 1}, {"advance_days": 1, "advance_hours": 1}, {"backwards": 1},
        {"now": "2027-01-01T00:00:00"},
    ]  # fmt: skip
    for body in wrong:
        reply = fresh.http.post("/_sandbox/clock", json=body)
        assert reply.status_code == 400
        assert reply.json()["error"]
    fresh.sandbox.freeze(frozen=False)
    before = fresh.sandbox.now()
    time.sleep(0.05)
    assert fresh.sandbox.now() > before


def test_a_state_has_one_owner(fresh: Client) -> None:
    config = SandboxConfig(state=fresh.sandbox.config.state, port=0)
    with pytest.raises(InputError, match="in use by another process"), run_sandbox(config):
        pass


def test_another_seed_on_the_same_state_is_refused(tmp_path: Path) -> None:
    with run_sandbox(SandboxConfig(state=tmp_path, port=0, days=5)):
        pass
    config = SandboxConfig(state=tmp_path, port=0, days=5, seed=8)
    with pytest.raises(InputError, match="seed 7") as refused, run_sandbox(config):
        pass
    assert "empty state directory" in str(refused.value)


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with (
            pytest.raises(InputError, match=str(port)),
            run_sandbox(SandboxConfig(state=tmp_path, port=port)),
        ):
            pass


def test_only_loopback(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="listen"):
        SandboxConfig(state=tmp_path, host="0.0.0.0")  # noqa: S104


def test_the_clock_can_start_behind(tmp_path: Path) -> None:
    config = SandboxConfig(state=tmp_path, port=0, days=5, behind_days=14)
    with run_sandbox(config) as sandbox:
        reply = httpx.get(f"{sandbox.url}/_sandbox/health")
        behind = time.time() - sandbox.now().timestamp()
        assert behind == pytest.approx(14 * 86400, abs=60)
        assert reply.status_code == 200


def test_the_child_ends_with_its_parent(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from zyenta_ads_pipeline.sandbox.config import SandboxConfig\n"
        "from zyenta_ads_pipeline.sandbox.process import SandboxHandle\n"
        "handle = SandboxHandle(SandboxConfig(state=Path(sys.argv[1]), port=0, days=2))\n"
        "sys.stdout.write(handle.url + '\\n')\n"
        "sys.stdout.flush()\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        stdout=subprocess.PIPE, text=True, check=False, timeout=60,
    )  # fmt: skip
    url = ended.stdout.strip()
    assert url.startswith("http://127.0.0.1:")
    for _ in range(200):
        try:
            httpx.get(f"{url}/_sandbox/health", timeout=1)
        except httpx.HTTPError:
            return
        time.sleep(0.05)
    pytest.fail("the child outlived its parent")
