"""Creating ad sets: levels of budgets and bids, goals, promoted objects, schedules, the EU."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.conftest import Client
from tests.sandbox.creating import BROAD, Maker, codes

READ = (
    "name,campaign_id,status,effective_status,daily_budget,billing_event,optimization_goal,"
    "destination_type,promoted_object,targeting,bid_strategy,attribution_spec,start_time,end_time,"
    "learning_stage_info"
)


def refused(maker: Maker, **fields: Any) -> tuple[int, int | None]:
    error = maker.client.refused(f"{maker.account}/adsets", "POST", **fields)
    return codes(error)


def test_an_ad_set_reads_back_as_it_was_sent(fresh: Client) -> None:
    maker = Maker(fresh)
    campaign = maker.campaign()
    made = fresh.get(maker.adset(campaign, end_time="2026-12-01T00:00:00-0500"), fields=READ)
    assert made == {
        "id": made["id"],
        "name": "Runners",
        "campaign_id": campaign,
        "status": "PAUSED",
        "effective_status": "PAUSED",
        "daily_budget": "2000",
        "billing_event": "IMPRESSIONS",
        "optimization_goal": "OFFSITE_CONVERSIONS",
        "destination_type": "WEBSITE",
        "promoted_object": {"pixel_id": maker.pixel, "custom_event_type": "PURCHASE"},
        "targeting": {**BROAD, "age_min": 18, "age_max": 65},
        "bid_strategy": "LOWEST_COST_WITHOUT_CAP",
        "attribution_spec": [
            {"event_type": "CLICK_THROUGH", "window_days": 7},
            {"event_type": "VIEW_THROUGH", "window_days": 1},
        ],
        "start_time": "2026-11-03T12:30:00-0500",
        "end_time": "2026-12-01T00:00:00-0500",
        "learning_stage_info": {
            "status": "LEARNING",
            "conversions": 0,
            "last_sig_edit_ts": 1793727000,
            "attribution_windows": ["1d_view", "7d_click"],
        },
    }
    assert [row["id"] for row in fresh.every(f"{campaign}/adsets")] == [made["id"]]


@pytest.mark.parametrize(("campaign", "adset", "subcode"), [
    ({"daily_budget": 5000}, {}, 1885621),
    ({"daily_budget": 5000}, {"daily_budget": None, "bid_strategy": "COST_CAP"}, 1885737),
    ({}, {"daily_budget": None}, 1885621),
    ({}, {"lifetime_budget": 90000}, 1885621),
    ({}, {"daily_budget": 99}, 1885272),
    ({}, {"daily_budget": None, "lifetime_budget": 2000,
          "end_time": "2026-12-03T12:30:00-0500"}, 1885272),
    ({}, {"daily_budget": None, "lifetime_budget": 90000}, 1487033),
    ({}, {"bid_amount": 500}, 1885204),
    ({}, {"bid_strategy": "COST_CAP"}, 2490487),
    ({}, {"bid_strategy": "LOWEST_COST_WITH_MIN_ROAS"}, 2490487),
    ({}, {"bid_strategy": "LOWEST_COST_WITH_MIN_ROAS",
          "bid_constraints": {"roas_average_floor": 20000}}, 2490408),
    ({}, {"bid_strategy": "LOWEST_COST_WITH_BID_CAP", "bid_amount": 3000}, 1885272),
    ({"daily_budget": 5000, "bid_strategy": "COST_CAP"}, {"daily_budget": None}, 1815857),
    ({}, {"daily_spend_cap": 500}, 1885621),
])  # fmt: skip
def test_money(
    fresh: Client, campaign: dict[str, Any], adset: dict[str, Any], subcode: int
) -> None:
    maker = Maker(fresh)
    campaign_id = maker.campaign(**campaign)
    assert refused(maker, **maker.adset_fields(campaign_id, **adset)) == (100, subcode)


def test_bids_that_fit(fresh: Client) -> None:
    maker = Maker(fresh)
    below = maker.campaign(daily_budget=5000, bid_strategy="COST_CAP")
    capped = maker.adset(below, daily_budget=None, bid_amount=900, daily_spend_cap=2500)
    seen = fresh.get(capped, fields="bid_amount,bid_strategy,daily_budget,daily_spend_cap")
    assert seen == {"id": capped, "bid_amount": 900, "daily_spend_cap": "2500"}
    roas = maker.adset(
        maker.campaign(), bid_strategy="LOWEST_COST_WITH_MIN_ROAS", optimization_goal="VALUE",
        bid_constraints={"roas_average_floor": 20000},
    )  # fmt: skip
    assert fresh.get(roas, fields="bid_constraints")["bid_constraints"]


PAGE, PIXEL, CHECKOUT = {"page_id": "PAGE"}, "PIXEL", "INITIATED_CHECKOUT"
GOALS = [
    ("OUTCOME_AWARENESS", None, "REACH", PAGE, None),
    ("OUTCOME_AWARENESS", None, "REACH", None, 1815430),
    ("OUTCOME_AWARENESS", "WEBSITE", "REACH", PAGE, 2446509),
    ("OUTCOME_AWARENESS", None, "LINK_CLICKS", PAGE, 2490408),
    ("OUTCOME_TRAFFIC", "WEBSITE", "LANDING_PAGE_VIEWS", None, None),
    ("OUTCOME_TRAFFIC", None, "LINK_CLICKS", None, None),
    ("OUTCOME_TRAFFIC", "WEBSITE", "OFFSITE_CONVERSIONS", None, 2490408),
    ("OUTCOME_TRAFFIC", "MESSENGER", "LANDING_PAGE_VIEWS", None, 2490408),
    ("OUTCOME_TRAFFIC", "WHATSAPP", "LINK_CLICKS", None, 1815430),
    ("OUTCOME_ENGAGEMENT", "ON_POST", "POST_ENGAGEMENT", None, None),
    ("OUTCOME_ENGAGEMENT", "ON_POST", "IMPRESSIONS", None, 2490408),
    ("OUTCOME_ENGAGEMENT", "ON_PAGE", "PAGE_LIKES", PAGE, None),
    ("OUTCOME_ENGAGEMENT", "ON_PAGE", "PAGE_LIKES", {"page_id": "12"}, 1487202),
    ("OUTCOME_ENGAGEMENT", "ON_AD", "POST_ENGAGEMENT", None, 2446509),
    ("OUTCOME_ENGAGEMENT", "UNDEFINED", "POST_ENGAGEMENT", None, 2446509),
    (
        "OUTCOME_LEADS",
        "WEBSITE",
        "OFFSITE_CONVERSIONS",
        {"pixel_id": PIXEL, "custom_event_type": "LEAD"},
        None,
    ),
    ("OUTCOME_LEADS", "ON_AD", "LEAD_GENERATION", PAGE, None),
    (
        "OUTCOME_SALES",
        "WEBSITE",
        "OFFSITE_CONVERSIONS",
        {"pixel_id": PIXEL, "custom_event_type": CHECKOUT},
        None,
    ),
    ("OUTCOME_SALES", None, "VALUE", {"pixel_id": PIXEL, "custom_event_type": "PURCHASE"}, None),
    ("OUTCOME_SALES", "WEBSITE", "OFFSITE_CONVERSIONS", None, 1815430),
    ("OUTCOME_SALES", "WEBSITE", "OFFSITE_CONVERSIONS", {"pixel_id": PIXEL}, 1885014),
    (
        "OUTCOME_SALES",
        "WEBSITE",
        "OFFSITE_CONVERSIONS",
        {"pixel_id": PIXEL, "custom_event_type": "LEAD"},
        1885014,
    ),
    (
        "OUTCOME_SALES",
        "WEBSITE",
        "OFFSITE_CONVERSIONS",
        {"pixel_id": PIXEL, "custom_event_type": "INITIATE_CHECKOUT"},
        0,
    ),
    (
        "OUTCOME_SALES",
        "WEBSITE",
        "OFFSITE_CONVERSIONS",
        {"pixel_id": PIXEL, "custom_event_type": "OTHER"},
        1885014,
    ),
    (
        "OUTCOME_SALES",
        "WEBSITE",
        "OFFSITE_CONVERSIONS",
        {"pixel_id": "9", "custom_event_type": "PURCHASE"},
        1885014,
    ),
    (
        "OUTCOME_SALES",
        "WEBSITE",
        "OFFSITE_CONVERSIONS",
        {"pixel_id": PIXEL, "page_id": "PAGE", "custom_event_type": "PURCHASE"},
        1487929,
    ),
    ("OUTCOME_SALES", "WEBSITE", "CONVERSIONS", PAGE, 0),
    ("OUTCOME_ENGAGEMENT", "ON_POST", "ENGAGEMENT", None, 0),
    ("OUTCOME_SALES", "SHOP", "OFFSITE_CONVERSIONS", PAGE, 0),
]


@pytest.mark.parametrize(("objective", "destination", "goal", "promoted", "subcode"), GOALS)
def test_goals(
    fresh: Client, objective: str, destination: str | None, goal: str,
    promoted: dict[str, str] | None, subcode: int | None,
) -> None:  # fmt: skip
    """`subcode` None: accepted; 0: refused without one, as not in the enumeration."""
    maker = Maker(fresh)
    names = {"PAGE": maker.page, PIXEL: maker.pixel}
    given = promoted and {key: names.get(value, value) for key, value in promoted.items()}
    fields = maker.adset_fields(
        maker.campaign(objective=objective), destination_type=destination,
        optimization_goal=goal, promoted_object=given,
    )  # fmt: skip
    if subcode is None:
        assert fresh.post(f"{fresh.account}/adsets", **fields)["id"]
    else:
        assert refused(maker, **fields) == (100, subcode or None)


def test_catalogue_sales(fresh: Client) -> None:
    maker = Maker(fresh)
    business = fresh.get(fresh.account, fields="business")["business"]["id"]
    catalog = fresh.get(f"{business}/owned_product_catalogs")["data"][0]["id"]
    product_set = fresh.get(f"{catalog}/product_sets")["data"][0]["id"]
    campaign = maker.campaign(promoted_object={"product_catalog_id": catalog})
    promoted = {"product_set_id": product_set, "custom_event_type": "PURCHASE"}
    adset = maker.adset(campaign, promoted_object=promoted)
    assert fresh.get(adset, fields="promoted_object")["promoted_object"] == promoted
    for given, subcode in (
        ({"pixel_id": maker.pixel, "custom_event_type": "PURCHASE"}, 1885014),
        ({"product_set_id": product_set}, 1885014),
        ({"product_set_id": "12", "custom_event_type": "PURCHASE"}, 1487831),
    ):
        assert refused(maker, **maker.adset_fields(campaign, promoted_object=given)) == (
            100, subcode,
        )  # fmt: skip


@pytest.mark.parametrize(("other", "subcode"), [
    ({"name": None}, None),
    ({"campaign_id": "99"}, None),
    ({"targeting": None}, None),
    ({"targeting": "{'geo_locations': {'countries': ['US']}}"}, None),
    ({"optimization_goal": None}, None),
    ({"billing_event": None}, None),
    ({"billing_event": "LINK_CLICKS"}, 2490408),
    ({"end_time": "2026-11-02T00:00:00-0500"}, 1487033),
    ({"end_time": "2026-11-04T00:00:00-0500"}, None),
    ({"attribution_spec": [{"event_type": "CLICK_THROUGH", "window_days": 28}]}, None),
    ({"frequency_control_specs": [{"event": "IMPRESSIONS", "interval_days": 7,
                                   "max_frequency": 3}]}, 2490408),
    ({"campaign_spec": {"name": "x"}}, None),
])  # fmt: skip
def test_refused(fresh: Client, other: dict[str, Any], subcode: int | None) -> None:
    maker = Maker(fresh)
    assert refused(maker, **(maker.adset_fields(maker.campaign()) | _gone(other))) == (
        100, subcode,
    )  # fmt: skip


def test_campaigns_that_are_gone(fresh: Client) -> None:
    maker = Maker(fresh)
    campaign = maker.campaign()
    fresh.http.delete(f"/v26.0/{campaign}")
    assert refused(maker, **maker.adset_fields(campaign)) == (100, 1487566)


def test_the_eu_wants_to_know_who_pays(fresh: Client) -> None:
    maker = Maker(fresh)
    campaign = maker.campaign()
    german = {**BROAD, "geo_locations": {"countries": ["DE"]}}
    name = fresh.get(fresh.account, fields="default_dsa_payor")["default_dsa_payor"]
    made = maker.adset(campaign, targeting=german)
    seen = fresh.get(made, fields="dsa_payor,dsa_beneficiary")
    assert (seen["dsa_payor"], seen["dsa_beneficiary"]) == (name, name)
    fresh.sandbox.edit(fresh.account, default_dsa_payor=None, default_dsa_beneficiary=None)
    fields = maker.adset_fields(campaign, targeting=german)
    assert refused(maker, **fields) == (100, 3858079)
    assert refused(maker, **fields, dsa_payor="Tarnfell") == (100, 3858081)
    both = {"dsa_payor": "Tarnfell", "dsa_beneficiary": "Tarnfell Ltd"}
    assert fresh.post(f"{fresh.account}/adsets", **fields, **both)["id"]
    assert maker.adset(campaign)


def _gone(other: dict[str, Any]) -> dict[str, Any]:
    """None as an empty value, which is as good as none."""
    return {name: "" if value is None else value for name, value in other.items()}
