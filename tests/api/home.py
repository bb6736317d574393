"""A console on a store of its own, with a shop, campaigns and changes; and callers of each role."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from jinja2 import Environment
from jinja2.bccache import Bucket, BytecodeCache
from starlette.testclient import TestClient

from tests.store.campaign_samples import campaign, connection, draft, picture, product, shop
from zyenta_ads_pipeline.console.app import create_app
from zyenta_ads_pipeline.console.desks.desks import Desks
from zyenta_ads_pipeline.console.pages import site
from zyenta_ads_pipeline.domain.access import Person, Role
from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.campaign import AdCampaign, CampaignStatus
from zyenta_ads_pipeline.domain.change import ChangeField, ProposedChange
from zyenta_ads_pipeline.settings import Settings, load_settings
from zyenta_ads_pipeline.store.campaigns import Campaigns
from zyenta_ads_pipeline.store.connections import Connections
from zyenta_ads_pipeline.store.database import Store
from zyenta_ads_pipeline.store.outbox import Outbox
from zyenta_ads_pipeline.store.shops import Shops

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
API = "/api/v1/ads"
ROOT = Person("root", Role.ADMIN, via="cli")


@dataclass
class Home:
    """A console, and what was put into it."""

    app: FastAPI
    settings: Settings
    desks: Desks
    tokens: dict[Role, str]
    campaigns: list[AdCampaign] = field(default_factory=list)

    @property
    def store(self) -> Store:
        return self.desks.office.store

    def client(self, role: Role | None = Role.BUYER, **headers: str) -> TestClient:
        """A caller with a token of that role; None: nobody."""
        sent = dict(headers)
        if role is not None:
            sent["Authorization"] = f"Bearer {self.tokens[role]}"
        return TestClient(
            self.app, base_url="http://localhost", headers=sent, raise_server_exceptions=False
        )


class _Compiled(BytecodeCache):
    """Templates as this process has compiled them once: every test opens a console of its own."""

    def __init__(self) -> None:
        self._known: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if (code := self._known.get(bucket.key)) is not None:
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._known[bucket.key] = bucket.bytecode_to_string()


_ENVIRONMENT = partial(Environment, bytecode_cache=_Compiled())


@contextmanager
def opened(folder: Path, monkeypatch: pytest.MonkeyPatch, **environment: str) -> Iterator[Home]:
    """A console in a new home, with a connected shop of two products and three campaigns."""
    for each in Settings.model_fields.values():
        monkeypatch.delenv(str(each.validation_alias), raising=False)
    monkeypatch.setattr(site, "Environment", _ENVIRONMENT)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("ZYENTA_HOME", str(folder / "home"))
    monkeypatch.setenv("META_GRAPH_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("META_AD_ACCOUNT_IDS", "101,1")
    monkeypatch.setenv("ZYENTA_AUTOPILOT", "approve")
    monkeypatch.setenv("ZYENTA_DAGSTER_URL", "http://127.0.0.1:9")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    settings.home.mkdir(exist_ok=True)
    app = create_app(settings)
    desks: Desks = app.state.desks
    try:
        made = filled(desks)
        tokens = {role: desks.people.issue(ROOT, f"the {role.value}", role).secret for role in Role}
        yield Home(app, settings, desks, tokens, made)
    finally:
        desks.office.close()


def filled(desks: Desks) -> list[AdCampaign]:
    """A connected shop with two products, and three campaigns with two creatives each."""
    store = desks.office.store
    shops = Shops(store)
    shops.add(shop())
    shops.put_products([product("p1"), product("p2")], NOW)
    shops.put_media([picture("m1", product_id="p1")], NOW)
    Connections(store, desks.office.vault).save(connection(), "sandbox-token", datetime.now(UTC))
    statuses = (CampaignStatus.DRAFT, CampaignStatus.ACTIVE, CampaignStatus.PAUSED)
    return [added(store, f"Candles {number}", status) for number, status in enumerate(statuses)]


def added(
    store: Store,
    name: str,
    status: CampaignStatus = CampaignStatus.ACTIVE,
    *,
    platform_id: str | None = None,
) -> AdCampaign:
    """One campaign with two creatives and numbers, on the platform unless it is a draft."""
    campaigns = Campaigns(store)
    made = campaigns.add(
        campaign(name=name), [draft("Warm"), draft("Bright")], actor="test", now=NOW
    )
    if status is CampaignStatus.DRAFT:
        return made
    said: dict[str, Any] = {"actor": "test", "now": NOW}
    own = platform_id or f"9{made.id.strip('c'):>012}"
    campaigns.placed(made.id, platform_campaign_id=own, now=NOW)
    for number, each in enumerate(made.creatives):
        campaigns.creative_placed(each.id, ad_set_id=f"{made.id}7{number}", now=NOW)
    for step in (CampaignStatus.PENDING_REVIEW, CampaignStatus.PAUSED, status):
        campaigns.move(made.id, step, reason="as the test has it", **said)
    return campaigns.set_metrics(
        made.id,
        spent_minor=12_345,
        impressions=40_000,
        clicks=800,
        conversions=12,
        revenue_minor=40_010,
        currency=made.currency,
        now=NOW,
    )


def proposal(campaign_id: str, **more: Any) -> ProposedChange:
    """A proposed budget of one campaign."""
    values: dict[str, Any] = {
        "platform": "meta",
        "account_id": "101",
        "campaign_id": campaign_id,
        "level": Level.CAMPAIGN,
        "object_id": campaign_id,
        "object_name": "Candles",
        "field": ChangeField.DAILY_BUDGET,
        "old_value": "5000",
        "new_value": "5500",
        "currency": "EUR",
        "reason": "It sells well.",
        "confidence": Decimal("0.9"),
        "policy": "roas_thresholds",
        "decision_id": "d1",
        "decided_at": NOW,
        "metrics": {"roas": "3.1"},
    }
    return ProposedChange(**values | more)


def proposed(store: Store, *changes: ProposedChange) -> list[str]:
    """The ids of changes that were proposed."""
    result = Outbox(store).propose(changes, actor="test", now=datetime.now(UTC))
    return [record.id for record in result.inserted]
