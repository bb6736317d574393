"""`python -m MODULE …` as a process of its own that starts at once: forked from one that has read
our code already. Reading it anew takes seconds of CPU, and the tests start hundreds of processes.

What such a process is told (arguments, environment, folder, its three streams) is its own alone,
and it can be killed as any other. A test of how a process starts uses `subprocess`.
"""

from __future__ import annotations

import functools
import multiprocessing
import os
import runpy
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import chdir
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Literal, TextIO

import pytest

_ROOT = Path(__file__).parents[1]
_READ_BEFORE = (
    "tests.forked",
    "zyenta_ads_pipeline.sandbox.server",
    "zyenta_ads_pipeline.cli",
    "zyenta_ads_pipeline.change_desk",
    "zyenta_ads_pipeline.operations",
    "zyenta_ads_pipeline.definitions",
    "zyenta_ads_pipeline.console.app",
)


class Forked:
    """A running `python -m MODULE ARGUMENTS`, to be used like a `subprocess.Popen` of texts."""

    def __init__(
        self,
        module: str,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stderr: TextIO | None = None,
    ) -> None:
        """Start it, in this process's environment and folder unless told others. Its streams are
        pipes, and `stderr` a file if one is given."""
        context = processes()
        their_in, our_in = context.Pipe(duplex=False)
        our_out, their_out = context.Pipe(duplex=False)
        ends: list[Connection | str] = [their_in, their_out]
        self.stderr: TextIO | None = None
        if stderr is None:
            our_err, their_err = context.Pipe(duplex=False)
            ends.append(their_err)
            self.stderr = _text(our_err, "r")
        else:
            ends.append(stderr.name)
        self.args = (module, *arguments)
        told = dict(os.environ if env is None else env)
        folder = str(Path.cwd() if cwd is None else cwd)
        self._process: BaseProcess = context.Process(
            target=_become, args=(self.args, told, folder, ends)
        )
        self._process.start()
        self.stdin = _text(our_in, "w")
        self.stdout = _text(our_out, "r")
        for end in ends:
            if isinstance(end, Connection):
                end.close()

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """Its exit code, negative when a signal ended it; None while it runs."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """The same."""
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, once it has ended. Raises `subprocess.TimeoutExpired`."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return self._process.exitcode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """What it wrote, once it has ended. Raises `subprocess.TimeoutExpired`."""
        self.stdin.close()
        with ThreadPoolExecutor(2) as readers:
            out = readers.submit(self.stdout.read)
            err = readers.submit(self.stderr.read) if self.stderr is not None else None
            try:
                self.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill()
                raise
        self.stdout.close()
        if self.stderr is not None:
            self.stderr.close()
        return out.result(), err.result() if err is not None else ""

    def terminate(self) -> None:
        """Send SIGTERM."""
        self._process.terminate()

    def kill(self) -> None:
        """Send SIGKILL."""
        self._process.kill()


@functools.cache
def processes() -> ForkServerContext:
    """What `multiprocessing` calls a context: its processes are forked from one that has read our
    code, of which each process of the tests has one."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(_READ_BEFORE))
    with chdir(_ROOT), pytest.MonkeyPatch.context() as patch:
        patch.setenv("TERM", "dumb")  # what looks at the terminal as it is read must see none
        process = context.Process(target=_nothing)
        process.start()
        process.join()
    assert process.exitcode == 0
    return context


def _nothing() -> None:
    """The first thing asked for, so that the server is there."""


def _text(end: Connection, mode: Literal["r", "w"]) -> TextIO:
    copy = os.dup(end.fileno())
    end.close()
    return os.fdopen(copy, mode, encoding="utf-8", buffering=1)


def _become(
    command: Sequence[str],
    env: Mapping[str, str],
    folder: str,
    ends: Sequence[Connection | str],
) -> None:
    """In the new process: be what `python -m` would have started."""
    for number, end in enumerate(ends):
        if isinstance(end, str):
            file = os.open(end, os.O_WRONLY | os.O_APPEND)
            os.dup2(file, number)
            os.close(file)
        else:
            os.dup2(end.fileno(), number)
            end.close()
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False, buffering=1)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(folder)
    module, *arguments = command
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
