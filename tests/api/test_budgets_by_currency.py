"""Budgets in an account of yen, rupiah or dinars: told, created, set and edited by programs."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.home import API, NOW, Home, proposal, proposed
from tests.api.test_problems import checked
from tests.store.campaign_samples import campaign, connection, draft
from zyenta_ads_pipeline.console.api import accounts
from zyenta_ads_pipeline.domain.access import Role
from zyenta_ads_pipeline.domain.campaign import AdCampaign, CampaignStatus
from zyenta_ads_pipeline.store.campaigns import Campaigns
from zyenta_ads_pipeline.store.connections import Connections
from zyenta_ads_pipeline.store.orders import Orders
from zyenta_ads_pipeline.store.requests import CampaignRequests

NEW = {"store_id": "shop", "platform": "meta", "objective": "conversions"}
SAMPLES = [("JPY", 1_000, 10_000_000, 1), ("IDR", 100_000, 10**9, 1), ("BHD", 1, 10_000, 100)]
"""A currency, the least and the most a day, and how many minor units it has."""


def billed_in(home: Home, currency: str) -> None:
    """The shop's account in this currency."""
    held = connection(currency=currency)
    Connections(home.store, home.desks.office.vault).save(held, "token", NOW)


def running(home: Home, currency: str, minor: int) -> AdCampaign:
    """A paused campaign of the account, on the platform."""
    campaigns = Campaigns(home.store)
    made = campaigns.add(
        campaign(currency=currency, daily_budget_minor=minor, total_budget_minor=14 * minor),
        [draft("Warm")],
        actor="test",
        now=NOW,
    )
    campaigns.placed(made.id, platform_campaign_id="970001", now=NOW)
    for step in (CampaignStatus.PENDING_REVIEW, CampaignStatus.PAUSED):
        campaigns.move(made.id, step, reason="as the test has it", actor="test", now=NOW)
    return campaigns.get(made.id)


@pytest.mark.parametrize(("currency", "least", "most", "units"), SAMPLES)
@pytest.mark.parametrize("by", ["query", "body"])
def test_what_an_account_tells_is_what_can_be_created_in_it(
    home: Home, currency: str, least: int, most: int, units: int, by: str
) -> None:
    billed_in(home, currency)

    def ask(budget: float) -> Any:
        wanted = NEW | {"daily_budget": budget}
        query, body = (wanted, None) if by == "query" else (None, wanted)
        return client.post(f"{API}/campaigns/create", params=query, json=body)

    with home.client() as client:
        told = accounts.Account.model_validate(client.get(f"{API}/accounts/101").json())
        assert (told.currency, told.least_daily_budget, told.most_daily_budget) == (
            currency, least, most,
        )  # fmt: skip
        for budget in (least, most):
            made = ask(budget).json()
            assert (made["dailyBudget"], made["currency"]) == (budget, currency)
            coming = client.get(f"{API}/campaigns/{made['campaign_id']}").json()
            assert (coming["dailyBudget"], coming["totalBudget"]) == (budget, 7 * budget)
        for beyond in (least - 1 / units, most + 1 / units):
            (error,) = checked(ask(beyond), 422)["errors"]
            assert error["field"] == "daily_budget"
            assert error["remedy"] == f"Choose {least:,} to {most:,} {currency} a day."
    kept = sorted(each.daily_budget_minor for each in CampaignRequests(home.store).waiting())
    assert kept == [least * units, most * units]


@pytest.mark.parametrize(("currency", "least", "most", "units"), SAMPLES)
def test_a_budget_is_set_and_a_proposal_edited_within_the_same_limits(
    home: Home, currency: str, least: int, most: int, units: int
) -> None:
    billed_in(home, currency)
    own = running(home, currency, 5 * least * units)
    old, new = str(5 * least * units), str(6 * least * units)
    (change,) = proposed(
        home.store, proposal("970001", currency=currency, old_value=old, new_value=new)
    )
    with home.client() as client:
        for address in (f"{API}/campaigns/{own.id}", f"{API}/changes/{change}"):
            seen = client.get(address).headers["etag"]
            for budget in (least - 1 / units, most + 1 / units):
                wrong = client.patch(
                    address, json={"daily_budget": budget}, headers={"If-Match": seen}
                )
                (error,) = checked(wrong, 422)["errors"]
                assert error["field"] == "daily_budget"
                assert f"{least:,} to {most:,} {currency}" in error["remedy"]
            done = client.patch(address, json={"daily_budget": most}, headers={"If-Match": seen})
            assert done.status_code == 200, done.text
    (order,) = Orders(home.store).find()
    assert order.payload == {"daily_budget_minor": most * units}
    assert done.json()["newBudget"] == most


def test_a_forecast_is_asked_for_within_the_limits_or_up_to_the_double(home: Home) -> None:
    own = running(home, "JPY", 20_000_000)
    with home.client(Role.VIEWER) as client:
        for budget, status in ((1_000, 200), (40_000_000, 200), (999, 422), (40_000_001, 422)):
            reply = client.get(
                f"{API}/campaigns/{own.id}/forecast", params={"daily_budget": budget}
            )
            assert reply.status_code == status, reply.text
        (error,) = checked(reply, 422)["errors"]
    assert error["field"] == "daily_budget"
    assert error["remedy"] == "Choose 1,000 to 40,000,000 JPY a day."


def test_the_document_leaves_the_limits_to_the_account(home: Home) -> None:
    """A client made from it must not refuse 500,000 rupiah itself."""
    with home.client(None) as client:
        document = client.get("/api/openapi.json").json()
    create = document["paths"][f"{API}/campaigns/create"]["post"]
    (query,) = (each for each in create["parameters"] if each["name"] == "daily_budget")
    edits = document["components"]["schemas"]
    for schema in (
        query["schema"],
        edits["NewCampaignBody"]["properties"]["daily_budget"],
        edits["BudgetBody"]["properties"]["daily_budget"],
        edits["Edit"]["properties"]["daily_budget"],
    ):
        assert "maximum" not in schema
        assert "leastDailyBudget" in schema["description"]
