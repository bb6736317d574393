"""An office of its own with a connected shop, and the people who come to its desks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.store.campaign_samples import connection, product, shop
from zyenta_ads_pipeline.console.desks.desks import Desks
from zyenta_ads_pipeline.console.office import Office
from zyenta_ads_pipeline.domain.access import Person, Role
from zyenta_ads_pipeline.settings import Settings, load_settings
from zyenta_ads_pipeline.store.connections import Connections
from zyenta_ads_pipeline.store.shops import Shops

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
EVA = Person("eva", Role.BUYER)
MAX = Person("max", Role.BUYER, "api")
ADA = Person("ada", Role.ADMIN)
VIC = Person("vic", Role.VIEWER)
ACCOUNT = "101"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Of a new home; its Dagster is nowhere."""
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.validation_alias), raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZYENTA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ZYENTA_DAGSTER_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("ZYENTA_AUTOPILOT", "approve")
    return load_settings()


@pytest.fixture
def office(settings: Settings) -> Iterator[Office]:
    """With a shop of three products, connected to account 101 in euros."""
    opened = Office(settings, look_every=0)
    shops = Shops(opened.store)
    shops.add(shop())
    shops.put_products([product(each) for each in ("p1", "p2", "p3")], NOW)
    Connections(opened.store, opened.vault).save(connection(), "token", NOW)
    yield opened
    opened.close()


@pytest.fixture
def desks(office: Office) -> Desks:
    return Desks(office)


def acts(office: Office) -> list[tuple[str, str, bool]]:
    """What the audit has: who, what, and whether it was refused; the oldest first."""
    return [(each.who, each.act, each.refused) for each in office.audit.entries()[::-1]]
