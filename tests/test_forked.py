"""A forked process is as separate as any: its own words, folder, settings, streams and end."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.forked import Forked

_SAYS = """
import os, sys
print(__name__, sys.argv[1:], os.getcwd(), os.environ.get("ONE"), "HOME" in os.environ)
print(sys.stdin.read(), file=sys.stderr)
sys.exit(3)
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module that says what it was told."""
    (tmp_path / "says.py").write_text(_SAYS)
    monkeypatch.syspath_prepend(tmp_path)
    return "says"


def test_it_is_told_its_own_things_and_its_end_is_known(module: str, tmp_path: Path) -> None:
    child = Forked(module, "a", "b", env={"ONE": "1"}, cwd=tmp_path)
    child.stdin.write("in")
    out, err = child.communicate(30)
    assert out == f"__main__ ['a', 'b'] {tmp_path} 1 False\n"
    assert err == "in\n"
    assert child.returncode == child.poll() == 3
    assert "ONE" not in os.environ


def test_its_errors_can_go_to_a_file(module: str, tmp_path: Path) -> None:
    with (tmp_path / "errors").open("w") as file:
        child = Forked(module, stderr=file)
    child.stdin.write("wrong")
    child.stdin.close()
    assert child.wait(30) == 3
    assert (tmp_path / "errors").read_text() == "wrong\n"
    child.stdout.close()


def test_it_can_be_waited_for_in_vain_and_killed(module: str) -> None:
    child = Forked(module)
    with pytest.raises(subprocess.TimeoutExpired):
        child.wait(0.01)
    assert child.poll() is None
    child.kill()
    assert child.wait(30) == -signal.SIGKILL
    for stream in (child.stdin, child.stdout, child.stderr):
        assert stream is not None
        stream.close()
