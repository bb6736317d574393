"""Orders over the API: withdrawn while they wait, told afterwards."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.api.home import API, Home
from tests.api.test_problems import checked
from zyenta_ads_pipeline.domain.access import Role
from zyenta_ads_pipeline.store.orders import Orders


def asked(home: Home, act: str = "pause") -> str:
    with home.client(Role.BUYER) as client:
        reply = client.post(f"{API}/campaigns/{home.campaigns[1].id}/{act}", json={})
        return str(reply.json()["order"]["id"])


def test_an_order_that_waits_is_withdrawn(home: Home) -> None:
    own = asked(home)
    with home.client(Role.BUYER) as client:
        for _ in range(2):
            reply = client.post(f"{API}/orders/{own}/withdraw")
            assert reply.status_code == 200, reply.text
            assert reply.json()["state"] == "withdrawn"
        assert client.get(f"{API}/orders/{own}").json()["note"].startswith("Withdrawn by")
        checked(client.post(f"{API}/orders/none/withdraw"), 404)
    assert asked(home) != own, "it can be asked for anew"


def test_an_order_that_is_being_done_is_not_withdrawn(home: Home) -> None:
    own = asked(home)
    assert Orders(home.store).claim(own, "w", timedelta(minutes=5), datetime.now(UTC))
    with home.client(Role.BUYER) as client:
        told = checked(client.post(f"{API}/orders/{own}/withdraw"), 409)
        assert "being done" in told["title"] + told["detail"]


def test_a_raise_seen_on_an_older_version_is_not_asked_for(home: Home) -> None:
    campaign = home.campaigns[1]
    path = f"{API}/campaigns/{campaign.id}/creatives/{campaign.creatives[0].id}/scale"
    with home.client(Role.BUYER) as client:
        seen = client.get(f"{API}/campaigns/{campaign.id}").headers["etag"]
        reply = client.post(path, json={"percent": 20}, headers={"If-Match": '"of-long-ago"'})
        checked(reply, 412)
        reply = client.post(path, json={"percent": 20}, headers={"If-Match": seen})
        assert reply.status_code == 200, reply.text
