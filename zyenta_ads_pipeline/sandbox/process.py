"""A sandbox in a process of its own, for tests, the demo and benchmarks."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TextIO

from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.sandbox.config import SandboxConfig

_START_SECONDS = 120.0
_STOP_SECONDS = 10.0
_LOG = "sandbox.log"


class SandboxHandle:
    """A running sandbox. `url` is `http://127.0.0.1:PORT`; `account_ids` are bare digits."""

    def __init__(self, config: SandboxConfig) -> None:
        """Start the process and wait until it answers. `InputError` when it does not start."""
        self.config = config
        self.url = ""
        self.account_ids: tuple[str, ...] = ()
        self._port = config.port
        self._child: subprocess.Popen[str] | None = None
        self._start()

    @property
    def pid(self) -> int | None:
        """The child's process id; None when it does not run."""
        return self._child.pid if self._child is not None else None

    def now(self) -> datetime:
        """The sandbox's time, UTC."""
        return datetime.fromisoformat(self._call("clock")["now"])

    def advance(self, *, days: float = 0, hours: float = 0) -> datetime:
        """Move the clock forward; gives the new time, UTC."""
        change = {"advance_hours": days * 24 + hours}
        return datetime.fromisoformat(self._call("clock", change)["now"])

    def freeze(self, frozen: bool = True) -> datetime:
        """Stop the clock, or let it run on; gives its time, UTC."""
        return datetime.fromisoformat(self._call("clock", {"frozen": frozen})["now"])

    def writes(self) -> list[dict[str, Any]]:
        """Every write that was accepted or refused, oldest first."""
        found: list[dict[str, Any]] = self._call("writes")["writes"]
        return found

    def faults(self, rules: Sequence[Mapping[str, Any]]) -> None:
        """Set the fault plan: an ordered list of rules (docs/sandbox.md)."""
        self._call("faults", {"rules": list(rules)})

    def clear_faults(self) -> None:
        """Let everything go right again."""
        self._call("faults", method="DELETE")

    def fault_uses(self) -> list[int]:
        """How often each rule of the plan was used, in their order."""
        return [rule["used"] for rule in self._call("faults")["rules"]]

    def calls(self) -> dict[str, Any]:
        """What was called since the start or the last reset.

        `requests` over HTTP, `calls` as Meta counts them (parts of batches each), `by_kind`,
        and `last`: up to 500 latest calls, without their tokens.
        """
        return self._call("calls")

    def reset_calls(self) -> None:
        """Count calls from nought again."""
        self._call("calls", method="DELETE")

    def throttle(self, **change: Any) -> dict[str, Any]:
        """Change the throttles: `advance_seconds`, `account` with `use_case` and `percent`,
        `tier`, `leave_out`; gives how they stand."""
        return self._call("throttles", change)

    def set_token(self, **change: Any) -> None:
        """Kill, revive or restrict tokens: `token_of` or `token`, with `state` and `subcode`,
        `scopes`, `expires_at` or `data_access_expires_at`."""
        self._call("tokens", change)

    def plan_reports(self, **plan: Any) -> dict[str, Any]:
        """Plan the asynchronous reports: `seconds`, `next`, `limits`, `deleted`, `restating`
        (docs/sandbox.md); gives the plan and all reports so far."""
        return self._call("reports", plan or None)

    def review(self, **asked: Any) -> dict[str, Any]:
        """Give the ad `ad_id` a `verdict` (approved, disapproved with `feedback`, pending), or set
        the `minutes` that reviews take; gives them and all reviews."""
        return self._call("review", asked or None)

    def edit(self, object_id: str, **fields: Any) -> dict[str, Any]:
        """Change an object as a person in Meta's own tools would, outside the API's rules."""
        return self._call("edit", {"id": object_id, "fields": fields})

    def raise_issues(self, object_id: str, issues: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Give a campaign, ad set or ad these issues; an empty list takes them away."""
        return self._call("issues", {"id": object_id, "issues": list(issues)})

    def plan_videos(self, **plan: Any) -> dict[str, Any]:
        """Plan how the next videos come out: `next` (ready, error, expired) and `seconds`."""
        return self._call("videos", plan or None)

    def kill(self) -> None:
        """End the process at once (SIGKILL), as a crash would."""
        if self._child is not None:
            self._child.kill()
            self._reap()

    def restart(self) -> None:
        """Start again on the same state and port; a running process is stopped first."""
        self.stop()
        self._start()

    def stop(self) -> None:
        """Stop the process cleanly (SIGTERM), and not so cleanly when it takes too long."""
        if self._child is None:
            return
        self._child.terminate()
        try:
            self._child.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._child.kill()
        self._reap()

    def _start(self) -> None:
        log = self.config.state / _LOG
        try:
            self.config.state.mkdir(parents=True, exist_ok=True)
            stderr = log.open("w", encoding="utf-8")
        except OSError as error:
            raise InputError(
                f"The sandbox's state {self.config.state} cannot be used: {error.strerror}.",
                "Give a directory that can be written.",
            ) from None
        with stderr:
            self._child = self._child_of(_arguments(self.config, self._port), stderr)
        assert self._child.stdout is not None  # noqa: S101 - a pipe was asked for
        ready = self._child.stdout.readline()
        if not ready:
            self._child.wait()
            self._reap()
            said = log.read_text(encoding="utf-8", errors="replace").strip()
            raise InputError(said or "The sandbox ended before it was ready.")
        told = json.loads(ready)
        self.url = told["url"]
        self.account_ids = tuple(each.removeprefix("act_") for each in told["accounts"])
        self._port = int(self.url.rpartition(":")[2])
        self._wait_until_healthy()

    def _child_of(self, arguments: list[str], stderr: TextIO) -> subprocess.Popen[str]:
        """A sandbox's process, with pipes for its stdin and stdout."""
        return subprocess.Popen(  # noqa: S603 - our own module, no shell
            [sys.executable, "-m", "zyenta_ads_pipeline.sandbox", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )

    def _wait_until_healthy(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                self._call("health")
            except (urllib.error.URLError, OSError):
                if time.monotonic() > deadline:
                    self.stop()
                    raise InputError(
                        f"The sandbox at {self.url} does not answer.",
                        f"Look into {self.config.state / _LOG}.",
                    ) from None
                time.sleep(0.02)
            else:
                return

    def _call(
        self, name: str, body: dict[str, Any] | None = None, *, method: str | None = None
    ) -> dict[str, Any]:
        request = urllib.request.Request(  # noqa: S310 - always our own http address
            f"{self.url}/_sandbox/{name}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:  # noqa: S310
                found: dict[str, Any] = json.load(reply)
                return found
        except urllib.error.HTTPError as error:
            raise InputError(f"The sandbox refused: {error.read().decode()}.") from None

    def _reap(self) -> None:
        if self._child is None:
            return
        self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                pipe.close()
        self._child = None


@contextmanager
def run_sandbox(config: SandboxConfig) -> Iterator[SandboxHandle]:
    """Run a sandbox for the length of a `with` block; port 0 takes a free one.

    Raises `InputError` with the sandbox's own words when it cannot start. The child also ends
    when this process dies.
    """
    handle = SandboxHandle(config)
    try:
        yield handle
    finally:
        handle.stop()


def _arguments(config: SandboxConfig, port: int) -> list[str]:
    command = ["--with-parent"]
    options: dict[str, object] = {
        "--state": config.state,
        "--host": config.host,
        "--port": port,
        "--token": config.token,
        "--behind-days": config.behind_days,
        "--ceiling": config.ceiling,
        "--app-id": config.app_id,
    }
    for name in ("replay", "seed", "days", "accounts", "app_secret"):
        if (value := getattr(config, name)) is not None:
            options[f"--{name.replace('_', '-')}"] = value
    if config.start is not None:
        options["--start"] = config.start.isoformat()
    for option, given in options.items():
        command += [option, str(given)]
    for token, accounts in config.tokens.items():
        command += ["--grant", f"{token}={','.join(accounts)}"]
    return [*command, "--frozen"] if config.frozen else command
