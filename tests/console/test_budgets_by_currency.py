"""Budgets at the desks of accounts in other currencies than dollars: asked for, set, edited."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.console.desk_home import ADA, EVA, NOW, VIC
from tests.examples import examples
from tests.store.campaign_samples import campaign, connection, draft, product, shop
from tests.store.samples import budget
from zyenta_ads_pipeline.console.desks.asking import NewCampaign
from zyenta_ads_pipeline.console.desks.desks import Desks
from zyenta_ads_pipeline.console.desks.rules import RuleScope
from zyenta_ads_pipeline.console.office import Office
from zyenta_ads_pipeline.domain.budget_limits import limits_of
from zyenta_ads_pipeline.domain.campaign import CampaignStatus
from zyenta_ads_pipeline.domain.errors import FieldProblem, FieldsRefused
from zyenta_ads_pipeline.domain.money import CURRENCY_OFFSETS, to_major, to_minor
from zyenta_ads_pipeline.store.campaigns import Campaigns
from zyenta_ads_pipeline.store.connections import Connections
from zyenta_ads_pipeline.store.orders import OrderKind
from zyenta_ads_pipeline.store.outbox import Outbox
from zyenta_ads_pipeline.store.shops import Shops

SAMPLES = [("JPY", 1_000, 10_000_000), ("IDR", 100_000, 10**9), ("HUF", 1_000, 10_000_000),
           ("INR", 10_000, 100_000_000), ("BHD", 100, 1_000_000)]  # fmt: skip
"""A currency, and the least and the most a day in its minor units."""


def connected(office: Office, currency: str) -> None:
    """The shop's account in this currency."""
    own = connection(currency=currency, account_id="505")
    Connections(office.store, office.vault).save(own, "token", NOW)


def refused(desks: Desks, amount: Decimal) -> FieldProblem:
    with pytest.raises(FieldsRefused) as error:
        desks.campaigns.ask(EVA, NewCampaign(store_id="shop", daily_budget=amount))
    (problem,) = error.value.problems
    assert problem.field == "daily_budget"
    return problem


@pytest.mark.parametrize(("currency", "least", "most"), SAMPLES)
def test_a_campaign_is_asked_for_within_the_limits_of_its_accounts_currency(
    desks: Desks, office: Office, currency: str, least: int, most: int
) -> None:
    connected(office, currency)
    for minor in (least, most):
        new = NewCampaign(store_id="shop", daily_budget=to_major(minor, currency))
        request, _ = desks.campaigns.ask(EVA, new)
        assert (request.daily_budget_minor, request.currency) == (minor, currency)
    for minor, words in ((least - 1, "too small"), (most + 1, "too large")):
        problem = refused(desks, to_major(minor, currency))
        assert words in problem.what
        assert problem.remedy == f"Choose {limits_of(currency).words} a day."


def test_yen_have_no_cents(desks: Desks, office: Office) -> None:
    connected(office, "JPY")
    new = NewCampaign(store_id="shop", daily_budget=Decimal("4999.6"))
    assert desks.campaigns.ask(EVA, new)[0].daily_budget_minor == 5_000


@given(st.sampled_from(sorted(CURRENCY_OFFSETS)), st.decimals("0.01", "9e12", places=2))
@settings(max_examples=examples(60), deadline=None, suppress_health_check=list(HealthCheck))
def test_an_order_is_taken_just_as_a_new_campaign_would_be(
    desks: Desks, office: Office, currency: str, amount: Decimal
) -> None:
    """Of a campaign with the usual budget is ordered what a new one may have, and nothing else."""
    connected(office, currency)
    limits = limits_of(currency)
    campaigns = Campaigns(office.store)
    made = campaigns.add(
        campaign(
            currency=currency,
            account_id="505",
            daily_budget_minor=limits.minor(limits.usual),
            total_budget_minor=None,
        ),
        [draft("Warm")],
        actor="test",
        now=NOW,
    )
    campaigns.placed(made.id, platform_campaign_id=f"7{made.id.strip('c')}", now=NOW)
    for step in (CampaignStatus.PENDING_REVIEW, CampaignStatus.PAUSED):
        campaigns.move(made.id, step, reason="as the test has it", actor="test", now=NOW)

    def told(act: Callable[[], object]) -> str:
        try:
            act()
        except FieldsRefused as error:
            return str(error)
        return ""

    new = NewCampaign(store_id="shop", daily_budget=amount)
    payload = {"daily_budget": amount}
    asked = told(lambda: desks.campaigns.ask(EVA, new))
    ordered = told(lambda: desks.campaigns.order(EVA, made.id, OrderKind.BUDGET, payload))
    assert asked.partition("Choose")[1:] == ordered.partition("Choose")[1:]
    rounded = to_major(to_minor(amount, currency), currency)
    assert (asked == "") is (limits.least <= rounded <= limits.most)


@pytest.mark.parametrize(("currency", "least", "most"), SAMPLES)
def test_a_proposals_own_value_stays_within_them_too(
    desks: Desks, office: Office, currency: str, least: int, most: int
) -> None:
    proposal = replace(
        budget(), account_id="505", campaign_id="9001", currency=currency,
        old_value=f"{3 * least}", new_value=f"{4 * least}",
    )  # fmt: skip
    desks.rules.set(ADA, RuleScope("101"), "autopilot", "approve")
    (record,) = Outbox(office.store).propose([proposal], actor="p", now=NOW).inserted
    for minor in (least - 1, most + 1):
        with pytest.raises(FieldsRefused, match=currency) as error:
            desks.changes.edit(EVA, record.id, minor)
        assert error.value.problems[0].field == "daily_budget"
    made = desks.changes.edit(EVA, record.id, most, approve=False)
    assert made.change.new_value == f"{most}"


def test_an_account_tells_its_limits_and_one_never_read_tells_none(
    desks: Desks, office: Office
) -> None:
    shops = Shops(office.store)
    shops.add(shop("other"))
    shops.put_products([product("o1", store_id="other")], NOW)
    own = connection("other", currency="IDR", account_id="505")
    Connections(office.store, office.vault).save(own, "token", NOW)
    found = {each.account_id: each.budget_limits for each in desks.accounts.all(VIC)}
    assert found == {"101": limits_of("EUR"), "505": limits_of("IDR")}
    nothing = replace(desks.accounts.get(VIC, "505"), currency="")
    assert nothing.budget_limits is None
