"""From a request over the API to a campaign that runs and is paused, on a real sandbox."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.api.home import API, ROOT
from tests.faces.campaign_home import settled
from zyenta_ads_pipeline.agent import AdsAgent
from zyenta_ads_pipeline.connections import store_of
from zyenta_ads_pipeline.console.app import create_app
from zyenta_ads_pipeline.console.desks.desks import Desks
from zyenta_ads_pipeline.domain.access import Role
from zyenta_ads_pipeline.order_work import carry_out
from zyenta_ads_pipeline.sandbox.config import SandboxConfig
from zyenta_ads_pipeline.sandbox.process import run_sandbox
from zyenta_ads_pipeline.settings import Settings


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    with run_sandbox(SandboxConfig(state=tmp_path / "sandbox", port=0, days=3)) as handle:
        yield settled(handle, tmp_path, monkeypatch)


def test_a_buyers_day_by_the_api(settings: Settings) -> None:
    app = create_app(settings)
    desks: Desks = app.state.desks
    token = desks.people.issue(ROOT, "eva", Role.BUYER).secret
    sent = {"Authorization": f"Bearer {token}"}
    try:
        with TestClient(app, base_url="http://localhost", headers=sent) as client:
            query = {"store_id": "shop", "platform": "meta", "objective": "conversions",
                     "daily_budget": "50"}  # fmt: skip
            made = client.post(f"{API}/campaigns/create", params=query).json()
            handle = made["campaign_id"]
            address = f"{API}/campaigns/{handle}"
            early = client.post(f"{address}/activate")
            assert early.status_code == 409
            assert "still being made" in early.json()["detail"]

            asyncio.run(AdsAgent(settings, actor="worker", look_again=0.05).carry_out(handle))
            campaign = client.get(address).json()
            assert campaign["status"] in ("paused", "pending_review")
            assert campaign["requestId"] == handle
            assert len(campaign["creatives"]) == 3
            progress = client.get(f"{API}/requests/{handle}").json()
            assert (progress["state"], progress["campaignId"]) == ("done", campaign["id"])
            assert progress["stepsDone"] == len(progress["steps"]) > 0

            ended(settings, client, client.post(f"{address}/activate").json())
            assert client.get(address).json()["status"] in ("active", "pending_review")
            told = ended(settings, client, client.post(f"{address}/pause").json())
            assert told["note"]
            assert client.get(address).json()["status"] in ("paused", "pending_review")
            again = client.post(f"{address}/pause", headers={"Prefer": "wait=1"})
            assert again.status_code in (200, 409), again.text
    finally:
        desks.office.close()


def ended(settings: Settings, client: TestClient, reply: dict[str, Any]) -> dict[str, Any]:
    """An order carried out, and how the API tells of it then."""
    with store_of(settings) as store:
        carry_out(settings, store, reply["order"]["id"], "worker", lambda _: None)
    told: dict[str, Any] = client.get(reply["order"]["href"]).json()
    assert told["state"] == "done", told
    return told
