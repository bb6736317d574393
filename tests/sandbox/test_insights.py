"""Insights of the market: levels, periods, metrics, filters and honest refusals."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.sandbox.conftest import Client
from zyenta_ads_pipeline.sandbox.periods import PRESETS

TODAY = date(2026, 11, 3)
ADDITIVE = ("impressions", "clicks", "inline_link_clicks", "spend")


def total(rows: list[dict[str, Any]], name: str) -> Decimal:
    return sum((Decimal(row[name]) for row in rows), Decimal(0))


def all_ads(market: Client) -> list[str]:
    """The ids of all ads, also of the archived and of the deleted one, which no list shows."""
    listed = market.every(f"{market.account}/ads", limit="500")
    archived = market.every(f"{market.account}/ads", effective_status=["ARCHIVED"])
    deleted = str(int(archived[0]["id"]) + 2 * 17)
    return [*(ad["id"] for ad in (*listed, *archived)), deleted]


@settings(max_examples=examples(10), deadline=None)
@given(
    first=st.integers(5, 31),
    length=st.integers(1, 20),
    increment=st.sampled_from(["1", "7", "90", "monthly", "all_days"]),
)
def test_sums_agree_across_levels_and_increments(
    market: Client, first: int, length: int, increment: str
) -> None:
    since = date(2026, 10, first)
    until = date.fromordinal(since.toordinal() + length - 1)
    days = {"since": since.isoformat(), "until": until.isoformat()}
    fields = ",".join(ADDITIVE)
    whole = market.get(f"{market.account}/insights", time_range=days, fields=fields)["data"]
    every_ad = [{"field": "ad.id", "operator": "IN", "value": all_ads(market)}]
    for level in ("account", "campaign", "adset", "ad"):
        rows = market.every(
            f"{market.account}/insights",
            level=level, time_increment=increment, time_range=days, fields=fields, limit="500",
            filtering=every_ad if level == "ad" else [],
        )  # fmt: skip
        for name in ADDITIVE:
            assert total(rows, name) == total(whole, name)


def test_defaults(market: Client) -> None:
    row = market.get(f"{market.account}/insights")["data"][0]
    assert set(row) == {"account_id", "date_start", "date_stop", "impressions", "spend"}
    assert (row["date_start"], row["date_stop"]) == ("2026-10-04", "2026-11-02")
    ad = market.get(f"{market.account}/ads", limit="1")["data"][0]["id"]
    assert market.get(f"{ad}/insights")["data"][0]["ad_id"] == ad


def test_metrics_are_texts_and_agree_with_each_other(market: Client) -> None:
    row = market.get(
        f"{market.account}/insights",
        fields="impressions,clicks,inline_link_clicks,spend,reach,frequency,ctr,cpc,cpm,cpp,"
        "actions,action_values,cost_per_action_type,purchase_roas,website_purchase_roas,"
        "account_currency,account_name",
    )["data"][0]
    impressions, clicks = Decimal(row["impressions"]), Decimal(row["clicks"])
    spend = Decimal(row["spend"])
    assert abs(Decimal(row["ctr"]) - clicks / impressions * 100) < Decimal("0.000001")
    assert abs(Decimal(row["cpc"]) - spend / clicks) < Decimal("0.000001")
    assert abs(Decimal(row["cpm"]) - spend / impressions * 1000) < Decimal("0.000001")
    assert Decimal(row["reach"]) < impressions
    assert clicks >= Decimal(row["inline_link_clicks"])
    purchases = [a["value"] for a in row["actions"] if "purchase" in a["action_type"]]
    assert len(purchases) == 3
    assert len(set(purchases)) == 1
    values = {a["action_type"]: Decimal(a["value"]) for a in row["action_values"]}
    roas = Decimal(row["purchase_roas"][0]["value"])
    assert abs(roas - values["omni_purchase"] / spend) < Decimal("0.000001")
    assert row["account_currency"] == "USD"


def test_reach_does_not_add_up(market: Client) -> None:
    params = {"fields": "reach", "date_preset": "last_14d", "limit": "500"}
    whole = total(market.every(f"{market.account}/insights", **params), "reach")
    by_day = market.every(f"{market.account}/insights", time_increment="1", **params)
    assert total(by_day, "reach") > whole


def test_windows_have_keys_of_their_own(market: Client) -> None:
    row = market.get(
        f"{market.account}/insights",
        fields="actions",
        action_attribution_windows=["1d_click", "7d_click", "1d_view", "7d_view"],
    )["data"][0]
    sale = next(a for a in row["actions"] if a["action_type"] == "purchase")
    assert set(sale) == {"action_type", "value", "1d_click", "7d_click", "1d_view"}
    assert int(sale["value"]) == int(sale["7d_click"]) + int(sale["1d_view"])
    error = market.refused(f"{market.account}/insights", action_attribution_windows=["9d_click"])
    assert error["code"] == 100


def test_without_delivery_there_is_no_row(market: Client) -> None:
    rows = market.every(
        f"{market.account}/insights",
        level="campaign",
        date_preset="yesterday",
        fields="campaign_name",
    )
    assert {row["campaign_name"] for row in rows}.isdisjoint({"Winter boots | Last season"})
    assert len(rows) == 4
    future = {"since": "2026-11-10", "until": "2026-11-12"}
    assert market.get(f"{market.account}/insights", time_range=future) == {"data": []}


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_every_preset(market: Client, preset: str) -> None:
    body = market.get(f"{market.account}/insights", date_preset=preset)
    since, until = PRESETS[preset](TODAY)
    for row in body["data"]:
        assert (row["date_start"], row["date_stop"]) == (since.isoformat(), until.isoformat())


@pytest.mark.parametrize(
    ("preset", "since", "until"),
    [
        ("last_week_mon_sun", "2026-10-26", "2026-11-01"),
        ("last_week_sun_sat", "2026-10-25", "2026-10-31"),
        ("this_week_mon_today", "2026-11-02", "2026-11-03"),
        ("this_week_sun_today", "2026-11-01", "2026-11-03"),
        ("last_quarter", "2026-07-01", "2026-09-30"),
        ("last_month", "2026-10-01", "2026-10-31"),
        ("last_3d", "2026-10-31", "2026-11-02"),
    ],
)
def test_presets_by_the_calendar(preset: str, since: str, until: str) -> None:
    assert PRESETS[preset](TODAY) == (date.fromisoformat(since), date.fromisoformat(until))


def test_time_ranges_win(market: Client) -> None:
    ranges = [{"since": "2026-10-01", "until": "2026-10-02"},
              {"since": "2026-10-02", "until": "2026-10-02"}]  # fmt: skip
    rows = market.get(
        f"{market.account}/insights", time_ranges=ranges, time_increment="1", date_preset="today"
    )["data"]
    assert [(r["date_start"], r["date_stop"]) for r in rows] == [
        ("2026-10-01", "2026-10-02"),
        ("2026-10-02", "2026-10-02"),
    ]


def test_filters_and_sorting(market: Client) -> None:
    params: dict[str, Any] = {"level": "ad", "time_increment": "1", "limit": "500",
                              "fields": "ad_id,campaign_id,spend,impressions"}  # fmt: skip
    everything = market.every(f"{market.account}/insights", **params)
    filtering = [{"field": "spend", "operator": "GREATER_THAN", "value": 40},
                 {"field": "ad.impressions", "operator": "LESS_THAN", "value": 6000}]  # fmt: skip
    rows = market.every(f"{market.account}/insights", filtering=filtering, **params)
    assert rows == [r for r in everything
                    if Decimal(r["spend"]) > 40 and int(r["impressions"]) < 6000]  # fmt: skip
    campaign = everything[0]["campaign_id"]
    filtering = [{"field": "campaign.id", "operator": "IN", "value": [campaign]}]
    rows = market.every(f"{market.account}/insights", filtering=filtering, **params)
    assert rows == [r for r in everything if r["campaign_id"] == campaign]
    assert rows == market.every(f"{campaign}/insights", **params)
    rows = market.every(f"{market.account}/insights", sort=["spend_descending"], **params)
    spends = [Decimal(r["spend"]) for r in rows]
    assert spends == sorted(spends, reverse=True)


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"breakdowns": ["product_id"]}, 100),
        ({"time_range": {"since": "2026-10-02", "until": "2026-10-01"}}, 100),
        ({"time_range": {"since": "2022-10-02", "until": "2026-10-01"}}, 3018),
        ({"time_range": "{'since': '2026-10-01', 'until': '2026-10-01'}"}, 100),
        ({"time_increment": "91"}, 100),
        ({"date_preset": "lifetime"}, 100),
        ({"level": "creative"}, 100),
        ({"fields": "nonsense"}, 100),
        ({"filtering": [{"field": "action_type", "operator": "IN", "value": []}]}, 100),
    ],
)
def test_refusals(market: Client, params: dict[str, Any], code: int) -> None:
    assert market.refused(f"{market.account}/insights", **params)["code"] == code


def test_ads_that_are_gone(market: Client) -> None:
    edge, account = f"{market.account}/ads", f"{market.account}/insights"
    archived = market.every(edge, effective_status=["ARCHIVED", "DELETED"], fields="name")
    assert [ad["name"] for ad in archived] == ["Ridge shoe | first cut"]
    query: dict[str, Any] = {"level": "ad", "date_preset": "last_90d", "limit": "500",
                             "fields": "ad_id,adset_id,spend"}  # fmt: skip
    listed = {row["ad_id"] for row in market.every(account, **query)}
    assert archived[0]["id"] not in listed
    everything = ["ACTIVE", "PAUSED", "ARCHIVED", "DELETED", "CAMPAIGN_PAUSED", "ADSET_PAUSED"]
    statuses = [{"field": "ad.effective_status", "operator": "IN", "value": everything}]
    with_archived = market.every(account, filtering=statuses, **query)
    assert {row["ad_id"] for row in with_archived} == listed | {archived[0]["id"]}
    whole = market.every(account, date_preset="last_90d", level="account")
    missing = total(whole, "spend") - total(with_archived, "spend")
    assert missing > 100
    # The deleted ad shows by its id alone, and is a part of its ad set's own row.
    by_adset = {row["adset_id"]: Decimal(row["spend"])
                for row in market.every(account, **(query | {"level": "adset"}))}  # fmt: skip
    sums: dict[str, Decimal] = {}
    for row in with_archived:
        sums[row["adset_id"]] = sums.get(row["adset_id"], Decimal(0)) + Decimal(row["spend"])
    short = [adset for adset, spend in by_adset.items() if sums[adset] != spend]
    assert len(short) == 1
    assert by_adset[short[0]] - sums[short[0]] == missing
    first, *_, deleted = all_ads(market)
    assert market.get(deleted, fields="effective_status")["effective_status"] == "DELETED"
    assert total(market.get(f"{deleted}/insights", date_preset="last_90d")["data"], "spend") \
        == missing  # fmt: skip
    by_id = [{"field": "ad.id", "operator": "IN", "value": [deleted, archived[0]["id"], first]}]
    rows = market.every(account, filtering=by_id, **query)
    assert {row["ad_id"] for row in rows} == {deleted, archived[0]["id"], first}


def test_deleted_ads_show_by_a_filter_when_planned(fresh: Client) -> None:
    fresh.sandbox.plan_reports(deleted="filter")
    query: dict[str, Any] = {"level": "ad", "date_preset": "last_90d", "limit": "500"}
    statuses = [{"field": "ad.effective_status", "operator": "IN", "value": ["DELETED"]}]
    path = f"{fresh.account}/insights"
    assert len(fresh.every(path, filtering=statuses, **query)) == 1
    fresh.sandbox.restart()
    assert len(fresh.every(path, filtering=statuses, **query)) == 1
    fresh.sandbox.plan_reports(deleted="by_id")
    assert fresh.every(path, filtering=statuses, **query) == []
