"""What clients made delivers: once it is active and approved, within its budget."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.sandbox.conftest import Client
from tests.sandbox.creating import Maker

WEEK = {"since": "2026-11-03", "until": "2026-11-12"}


def rows_of(client: Client, thing: str) -> list[dict[str, Any]]:
    return client.every(
        f"{thing}/insights", fields="impressions,spend,actions", time_range=WEEK,
        time_increment="1", limit="100",
    )  # fmt: skip


def test_a_new_ad_delivers_within_its_budget(fresh: Client) -> None:
    maker = Maker(fresh)
    campaign, adset, _, ad = maker.tree()
    fresh.sandbox.advance(days=1)
    assert rows_of(fresh, ad) == []
    for each in (campaign, adset, ad):
        fresh.post(each, status="ACTIVE")
    fresh.sandbox.advance(days=4)
    rows = rows_of(fresh, ad)
    assert len(rows) >= 4
    assert all(0 < Decimal(row["spend"]) <= 20 * Decimal("1.75") for row in rows)
    mean = sum(Decimal(row["spend"]) for row in rows[1:-1]) / len(rows[1:-1])
    assert 12 < mean < 28
    assert all(int(row["impressions"]) > 0 for row in rows)
    assert rows_of(fresh, campaign) == rows_of(fresh, adset)
    fresh.sandbox.kill()
    fresh.sandbox.restart()
    assert rows_of(fresh, ad) == rows
    fresh.post(ad, status="PAUSED")
    fresh.sandbox.advance(days=2)
    assert [row["date_start"] for row in rows_of(fresh, ad)] == [row["date_start"] for row in rows]


def test_what_is_disapproved_never_delivers(fresh: Client) -> None:
    maker = Maker(fresh)
    adset = maker.adset(maker.campaign(status="ACTIVE"), status="ACTIVE")
    story = maker.story(message="A guaranteed cure for cold feet.")
    bad = maker.ad(adset, maker.creative(object_story_spec=story), status="ACTIVE")
    good = maker.ad(adset, maker.creative(), status="ACTIVE")
    fresh.sandbox.advance(days=2)
    assert rows_of(fresh, bad) == []
    assert rows_of(fresh, good)
    fresh.sandbox.review(ad_id=bad, verdict="approved")
    before = rows_of(fresh, good)
    fresh.sandbox.advance(days=2)
    assert rows_of(fresh, bad)
    fresh.sandbox.restart()
    assert rows_of(fresh, good)[0] == before[0]


def test_lifetime_budgets_and_schedules(fresh: Client) -> None:
    maker = Maker(fresh)
    adset = maker.adset(
        maker.campaign(status="ACTIVE"), status="ACTIVE", daily_budget=None,
        lifetime_budget=6000, end_time="2026-11-07T00:00:00-0500",
    )  # fmt: skip
    ad = maker.ad(adset, maker.creative(), status="ACTIVE")
    fresh.sandbox.advance(days=8)
    rows = rows_of(fresh, ad)
    assert rows[-1]["date_start"] < "2026-11-07"
    assert 30 < sum(Decimal(row["spend"]) for row in rows) <= 60


def test_a_campaigns_budget_is_shared(fresh: Client) -> None:
    maker = Maker(fresh)
    campaign = maker.campaign(status="ACTIVE", daily_budget=4000)
    ads = []
    for _ in range(2):
        adset = maker.adset(campaign, status="ACTIVE", daily_budget=None)
        ads.append(maker.ad(adset, maker.creative(), status="ACTIVE"))
    fresh.sandbox.advance(days=3)
    assert all(rows_of(fresh, ad) for ad in ads)
    assert all(Decimal(row["spend"]) <= 70 for row in rows_of(fresh, campaign))
    fresh.sandbox.edit(campaign, daily_budget=8000)
    fresh.sandbox.advance(days=3)
    assert max(Decimal(row["spend"]) for row in rows_of(fresh, campaign)) > 60
