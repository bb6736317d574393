"""The `zyenta` command as a user runs it: a process with an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.forked import Forked

TIMEOUT = 400
_OURS = ("ZYENTA_", "META_", "DAGSTER_")


@dataclass(frozen=True)
class Zyenta:
    """One home, pointed at one sandbox."""

    home: Path
    graph_url: str
    settings: dict[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(_OURS)}
        return {
            **kept,
            "ZYENTA_HOME": str(self.home),
            "META_GRAPH_URL": self.graph_url,
            **self.settings,
        }

    def start(self, *arguments: str) -> Forked:
        return Forked(
            "zyenta_ads_pipeline", *arguments, env=self.environment(), cwd=self.home.parent
        )

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        process = self.start(*arguments)
        try:
            out, err = process.communicate(timeout=TIMEOUT)
        finally:
            process.kill()
        return subprocess.CompletedProcess(arguments, process.returncode or 0, out, err)

    def succeed(self, *arguments: str) -> str:
        done = self.run(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def refused(self, *arguments: str) -> str:
        """The error of a command that must fail: one paragraph, no traceback."""
        done = self.run(*arguments)
        assert done.returncode != 0, done.stdout
        assert "Traceback" not in done.stderr
        lines = [line for line in done.stderr.splitlines() if line.startswith("Error:")]
        assert len(lines) == 1, done.stderr
        return lines[0]

    def sync(self, account: str, since: str, until: str) -> str:
        return self.succeed("sync", "--account", account, "--from", since, "--to", until)

    def sql(self, query: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = json.loads(self.succeed("sql", "--format", "json", query))
        return rows

    def log_entries(self, table: str) -> int:
        """How many commits a table has."""
        return len(list((self.home / "lake" / table / "_delta_log").glob("*.json")))
