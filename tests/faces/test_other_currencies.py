"""Campaigns in accounts of yen, rupiah and dinars: asked for by command line and API, made on the
sandbox in whole minor units, set anew, and shown."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
from starlette.testclient import TestClient

from tests.faces.buyer import Buyer, settle
from zyenta_ads_pipeline.agent import AdsAgent
from zyenta_ads_pipeline.console.app import create_app
from zyenta_ads_pipeline.console.desks.desks import Desks
from zyenta_ads_pipeline.domain.access import Person, Role
from zyenta_ads_pipeline.domain.money import plain
from zyenta_ads_pipeline.sandbox.config import SandboxConfig
from zyenta_ads_pipeline.sandbox.process import SandboxHandle, run_sandbox
from zyenta_ads_pipeline.settings import load_settings

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
API = "/api/v1/ads"
ACCOUNTS = {"JPY": ("501", "Asia/Tokyo"), "IDR": ("502", "Asia/Jakarta"),
            "BHD": ("503", "Asia/Bahrain")}  # fmt: skip
SAMPLES = [
    # currency, too little, a day, shown, then half as much again; minor units on the platform
    ("JPY", "999", "1000", "1,000 JPY", ["334", "333", "333"], ["501", "500", "499"]),
    (
        "IDR",
        "99999",
        "250000",
        "250,000 IDR",
        ["83334", "83333", "83333"],
        ["125001", "125000", "124999"],
    ),
    ("BHD", "0.99", "12.34", "12.34 BHD", ["412", "411", "411"], ["618", "617", "616"]),
]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxHandle]:
    """A sandbox with an account of each currency."""
    folder = tmp_path_factory.mktemp("currencies")
    day = (NOW - timedelta(days=1)).date()
    columns = ("date", "account_id", "currency", "timezone", "campaign_id", "campaign_name",
               "adset_id", "ad_id", "impressions", "clicks", "spend")  # fmt: skip
    rows = [",".join(columns)]
    for currency, (own, zone) in ACCOUNTS.items():
        rows.append(f"{day},act_{own},{currency},{zone},{own}1,Old,{own}2,{own}3,1000,10,20")
    (folder / "days.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    config = SandboxConfig(
        state=folder / "state", port=0, replay=folder / "days.csv", start=NOW, frozen=True
    )
    with run_sandbox(config) as sandbox:
        yield sandbox


@pytest.fixture
def buyer(world: SandboxHandle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Buyer:
    monkeypatch.setenv("COLUMNS", "400")
    return settle(world, tmp_path, monkeypatch)


def stocked(buyer: Buyer, currency: str) -> str:
    """What `zyenta connect` prints for a shop that is billed in this currency."""
    words = "--id trail --niche outdoor --domain trail.example.com --country JP --currency"
    buyer.does("store", "add", "Trail Shop", *words.split(), currency)
    file, pictures = buyer.catalogue()
    file.write_text(file.read_text().replace(".90", ".00"))
    buyer.does("store", "import", "trail", str(file), "--pictures", str(pictures))
    return buyer.does("connect", "trail", "--account", ACCOUNTS[currency][0])


def budgets(world: SandboxHandle, campaign: str | None) -> list[str]:
    """The daily budgets of a campaign's ad sets as the platform has them."""
    reply = httpx.get(
        f"{world.url}/v26.0/{campaign}/adsets",
        params={"fields": "daily_budget"},
        headers={"Authorization": f"Bearer {world.config.token}"},
    )
    return sorted((each["daily_budget"] for each in reply.json()["data"]), key=int, reverse=True)


@pytest.mark.parametrize(("currency", "little", "amount", "shown", "made", "more"), SAMPLES)
def test_the_command_line_makes_a_campaign_in_any_currency(
    buyer: Buyer,
    world: SandboxHandle,
    currency: str,
    little: str,
    amount: str,
    shown: str,
    made: list[str],
    more: list[str],
) -> None:
    usual = {"JPY": "5000", "IDR": "500000", "BHD": "5"}[currency]
    assert f"--budget {usual}`" in stocked(buyer, currency)
    create = ("campaign", "create", "trail", "--objective", "traffic", "--budget")
    told = buyer.fails(*create, little)
    assert "is too small. Choose" in told
    assert f"{currency} a day." in told
    assert buyer.campaigns() == []
    assert f"{shown} a day" in buyer.does(*create, amount)
    (campaign,) = buyer.campaigns()
    assert budgets(world, campaign.platform_campaign_id) == made
    buyer.does("campaign", "budget", campaign.id[:8], plain(Decimal(amount) * 3 / 2))
    assert budgets(world, campaign.platform_campaign_id) == more
    for beyond in (little, "1000000001"):
        assert f"{currency} a day." in buyer.fails("campaign", "budget", campaign.id[:8], beyond)
    assert budgets(world, campaign.platform_campaign_id) == more
    assert shown not in buyer.does("campaign", "list")


def test_what_the_api_is_asked_for_is_made_and_read_back_to_the_unit(
    buyer: Buyer, world: SandboxHandle
) -> None:
    stocked(buyer, "IDR")
    settings = load_settings()
    app = create_app(settings)
    desks: Desks = app.state.desks
    root = Person("root", Role.ADMIN, via="cli")
    token = desks.people.issue(root, "ada", Role.ADMIN).secret
    sent = {"Authorization": f"Bearer {token}"}
    client = TestClient(app, base_url="http://localhost", headers=sent)
    query = {"store_id": "trail", "platform": "meta", "objective": "traffic"}
    asked = client.post(f"{API}/campaigns/create", params=query | {"daily_budget": "250000"})
    assert asked.status_code == 200, asked.text
    own = asyncio.run(AdsAgent(settings).carry_out(asked.json()["campaign_id"]))
    assert budgets(world, own.platform_campaign_id) == ["83334", "83333", "83333"]
    told = client.get(f"{API}/campaigns/{own.id}").json()
    assert (told["dailyBudget"], told["currency"]) == (250_000, "IDR")
    assert told["totalBudget"] == 1_750_000
    listed = client.get(f"{API}/campaigns").json()
    assert [each["dailyBudget"] for each in listed["campaigns"]] == [250_000]
    desks.office.close()
