"""The seeds' six endpoints, asked as the seeds ask them."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.api.home import API, Home
from zyenta_ads_pipeline.domain.access import Role
from zyenta_ads_pipeline.domain.campaign import CampaignStatus
from zyenta_ads_pipeline.store.orders import OrderKind, Orders
from zyenta_ads_pipeline.store.requests import CampaignRequests

QUERY = {"store_id": "shop", "platform": "meta", "objective": "conversions", "daily_budget": "50"}
LINE = {"id", "name", "platform", "objective", "status", "dailyBudget", "spentAmount",
        "impressions", "clicks", "conversions", "roas", "creatives_count"}  # fmt: skip
DETAIL = {"id", "name", "platform", "objective", "status", "dailyBudget", "totalBudget",
          "spentAmount", "startDate", "endDate", "targeting", "performance",
          "creatives"}  # fmt: skip
PERFORMANCE = {"impressions", "clicks", "conversions", "revenue", "cpc", "cpm", "ctr", "roas"}
CREATIVE = {"id", "name", "type", "headline", "status", "impressions", "clicks", "conversions"}


def test_a_campaign_is_created_by_the_query(home: Home) -> None:
    """`POST /api/v1/ads/campaigns/create` with query parameters, as the seeds' reference has it."""
    with home.client() as client:
        reply = client.post(f"{API}/campaigns/create", params=QUERY | {"duration_days": 7})
        assert reply.status_code == 200, reply.text
        made = reply.json()
        assert made["success"] is True
        assert made["status"] == "draft"
        assert made["dailyBudget"] == 50.0
        assert reply.headers["location"] == f"{API}/campaigns/{made['campaign_id']}"
        coming = client.get(reply.headers["location"])
    assert coming.status_code == 200, coming.text
    assert coming.json()["status"] == "draft"
    assert set(coming.json()) >= DETAIL
    (waiting,) = CampaignRequests(home.store).waiting()
    assert (waiting.daily_budget_minor, waiting.duration_days) == (5000, 7)
    assert waiting.requested_by == "the buyer"


def test_a_campaign_is_created_by_the_body(home: Home) -> None:
    """The seeds' page sends the same as JSON, without a name where none was typed."""
    body = {"store_id": "shop", "platform": "meta", "objective": "traffic", "daily_budget": 49.9,
            "duration_days": 14, "name": "Winter"}  # fmt: skip
    with home.client() as client:
        reply = client.post(f"{API}/campaigns/create", json=body)
        assert reply.status_code == 200, reply.text
        assert reply.json()["name"] == "Winter"
        assert '"dailyBudget":49.9,' in reply.text
    (waiting,) = CampaignRequests(home.store).waiting()
    assert (waiting.daily_budget_minor, waiting.duration_days) == (4990, 14)


@pytest.mark.parametrize(
    ("field", "value", "remedy"),
    [
        ("daily_budget", "9.99", "Choose 10 to 10,000 EUR a day."),
        ("daily_budget", "10000.01", "Choose 10 to 10,000 EUR a day."),
        ("daily_budget", "0", "Give more than 0."),
        ("daily_budget", "1e13", "Give less than 10000000000000."),
        ("daily_budget", "plenty", "Write it like 50 or 49.90."),
        ("duration_days", "0", "Give 1 or more."),
        ("duration_days", "91", "Give 90 or less."),
        ("objective", "fame", "Give one of"),
        ("store_id", None, "Give store_id."),
        ("daily_budget", None, "Give daily_budget."),
        ("objective", None, "Give objective."),
        ("platform", None, "Give platform."),
        ("store_id", "nobody", ""),
        ("platform", "tiktok", ""),
    ],
)
@pytest.mark.parametrize("by", ["query", "body"])
def test_what_cannot_be_created_names_the_field_and_the_remedy(
    home: Home, field: str, value: str | None, remedy: str, by: str
) -> None:
    wanted: dict[str, Any] = QUERY | {field: value}
    wanted = {name: given for name, given in wanted.items() if given is not None}
    if by == "body":
        numbers = {"daily_budget": float, "duration_days": int}
        for name, kind in numbers.items():
            if name in wanted and wanted[name] != "plenty":
                wanted[name] = kind(wanted[name])
    query, body = (wanted, None) if by == "query" else (None, wanted)
    with home.client() as client:
        reply = client.post(f"{API}/campaigns/create", params=query, json=body)
    assert reply.status_code == 422, reply.text
    errors = {each["field"]: each for each in reply.json()["errors"]}
    assert set(errors) == {field}
    assert remedy in errors[field]["remedy"]
    assert errors[field]["remedy"]
    assert CampaignRequests(home.store).waiting() == []


@pytest.mark.parametrize(("budget", "days"), [("10", 1), ("10000", 90)])
def test_the_limits_themselves_are_taken(home: Home, budget: str, days: int) -> None:
    with home.client() as client:
        reply = client.post(
            f"{API}/campaigns/create",
            params=QUERY | {"daily_budget": budget, "duration_days": days},
        )
    assert reply.status_code == 200, reply.text


def test_the_campaigns_of_a_store_are_listed(home: Home) -> None:
    with home.client(Role.VIEWER) as client:
        reply = client.get(f"{API}/campaigns", params={"store_id": "shop"})
        assert reply.status_code == 200, reply.text
        found = reply.json()
        assert len(found["campaigns"]) == 3
        for each in found["campaigns"]:
            assert set(each) >= LINE
        active = client.get(f"{API}/campaigns", params={"store_id": "shop", "status": "active"})
        blank = client.get(f"{API}/campaigns?store_id=shop&status=")
        assert blank.json()["total"] == 3
        checked_status = client.get(f"{API}/campaigns?store_id=shop&status=running")
        assert checked_status.status_code == 422
        assert "active" in checked_status.json()["errors"][0]["remedy"]
    (only,) = active.json()["campaigns"]
    assert only["status"] == "active"
    assert only["dailyBudget"] == 50.0
    assert only["spentAmount"] == 123.45
    assert only["creatives_count"] == 2
    assert active.json()["totals"][0]["roas"] == pytest.approx(400.10 / 123.45, abs=1e-6)


def test_a_campaign_is_looked_at(home: Home) -> None:
    own = home.campaigns[1]
    with home.client(Role.VIEWER) as client:
        reply = client.get(f"{API}/campaigns/{own.id}")
    assert reply.status_code == 200, reply.text
    found = reply.json()
    assert set(found) >= DETAIL
    assert set(found["performance"]) == PERFORMANCE
    assert found["performance"]["revenue"] == 400.1
    assert len(found["creatives"]) == 2
    assert set(found["creatives"][0]) >= CREATIVE
    assert found["targeting"] == own.targeting


@pytest.mark.parametrize(
    ("word", "kind", "status", "message"),
    [
        ("activate", OrderKind.ACTIVATE, CampaignStatus.PAUSED, "Campaign activated"),
        ("pause", OrderKind.PAUSE, CampaignStatus.ACTIVE, "Campaign paused"),
    ],
)
def test_a_campaign_is_switched(
    home: Home, word: str, kind: OrderKind, status: CampaignStatus, message: str
) -> None:
    own = next(each for each in home.campaigns if each.status is status)
    address = f"{API}/campaigns/{own.id}/{word}"
    with home.client() as client:
        reply = client.post(address)
        assert reply.status_code == 200, reply.text
        assert reply.json()["success"] is True
        (order,) = Orders(home.store).find(campaign_id=own.id)
        assert order.kind is kind
        assert reply.json()["order"]["id"] == order.id
        assert client.post(address).json()["order"]["id"] == order.id  # a double click is one
        assert client.get(f"{API}/orders/{order.id}").json()["state"] == "waiting"
        with ThreadPoolExecutor(1) as worker:
            worker.submit(carried_out, home, order.id)
            waited = client.post(address, headers={"Prefer": "wait=20"})
    assert waited.json()["message"] == message
    assert waited.json()["order"]["state"] == "done"


def test_who_waits_in_vain_hears_that_it_is_still_to_come(home: Home) -> None:
    own = home.campaigns[2]
    with home.client() as client:
        begun = time.monotonic()
        short = client.post(f"{API}/campaigns/{own.id}/activate", headers={"Prefer": "wait=1"})
    assert time.monotonic() - begun >= 1
    assert short.json()["message"].startswith("Asked for")


def test_a_campaign_is_optimized(home: Home) -> None:
    own = home.campaigns[1]
    with home.client() as client:
        reply = client.post(f"{API}/campaigns/{own.id}/optimize")
    assert reply.status_code == 200, reply.text
    assert reply.json()["success"] is True
    assert reply.json()["optimization"]["kind"] == "optimize"


def test_a_campaign_that_is_not_there_is_told_so(home: Home) -> None:
    with home.client() as client:
        for method, path in (
            ("GET", "campaigns/nothing"),
            ("POST", "campaigns/nothing/activate"),
            ("POST", "campaigns/nothing/pause"),
            ("POST", "campaigns/nothing/optimize"),
        ):
            reply = client.request(method, f"{API}/{path}")
            assert reply.status_code == 404, reply.text
            assert reply.json()["errors"][0]["field"] == "campaign_id"


def carried_out(home: Home, order_id: str) -> None:
    """An order as a worker leaves it."""
    time.sleep(0.5)
    orders, now = Orders(home.store), datetime.now(UTC)
    assert orders.claim(order_id, "worker", timedelta(minutes=5), now)
    orders.finish(order_id, "worker", note="done", now=now)
