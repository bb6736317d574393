"""Shared sandboxes: real servers on loopback, started once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.sandboxes import run_sandbox
from zyenta_ads_pipeline.sandbox.config import SandboxConfig
from zyenta_ads_pipeline.sandbox.process import SandboxHandle

START = datetime(2026, 11, 3, 17, 30, tzinfo=UTC)
TOKEN = "sandbox-token"


class Client:
    """A plain client of one sandbox; numbers its calls' outcome by hand."""

    def __init__(self, sandbox: SandboxHandle) -> None:
        self.sandbox = sandbox
        self.account = f"act_{sandbox.account_ids[0]}"
        self.http = httpx.Client(
            base_url=sandbox.url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60
        )

    def get(self, path: str, **params: Any) -> dict[str, Any]:
        reply = self.http.get(f"/v26.0/{path}", params=_texts(params))
        assert reply.status_code == 200, reply.text
        body: dict[str, Any] = reply.json()
        return body

    def refused(self, path: str, method: str = "GET", **params: Any) -> dict[str, Any]:
        reply = self.http.request(method, f"/v26.0/{path}", params=_texts(params))
        assert reply.status_code == 400, reply.text
        error: dict[str, Any] = reply.json()["error"]
        return error

    def post(self, path: str, **fields: Any) -> dict[str, Any]:
        reply = self.http.post(f"/v26.0/{path}", data=_texts(fields))
        assert reply.status_code == 200, reply.text
        body: dict[str, Any] = reply.json()
        return body

    def every(self, path: str, **params: Any) -> list[dict[str, Any]]:
        """All rows, by re-issuing the call with `after` while there is a `next`."""
        rows: list[dict[str, Any]] = []
        while True:
            page = self.get(path, **params)
            rows += page["data"]
            if "next" not in page.get("paging", {}):
                return rows
            params["after"] = page["paging"]["cursors"]["after"]


def _texts(values: dict[str, Any]) -> dict[str, str]:
    return {k: v if isinstance(v, str) else json.dumps(v) for k, v in values.items()}


@pytest.fixture(scope="session")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A market that no test may change."""
    state = tmp_path_factory.mktemp("market")
    config = SandboxConfig(state=state, port=0, accounts=2, start=START, frozen=True)
    with run_sandbox(config) as sandbox:
        yield Client(sandbox)


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Client]:
    """A small market of a test's own."""
    config = SandboxConfig(state=tmp_path / "state", port=0, days=10, start=START, frozen=True)
    with run_sandbox(config) as sandbox:
        yield Client(sandbox)
