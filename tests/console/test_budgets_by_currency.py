"""Budgets at the desks of accounts in other currencies than dollars: asked for, set, edited."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

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
from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.budget_limits import limits_of
from zyenta_ads_pipeline.domain.campaign import AdCampaign, BudgetLevel, CampaignStatus
from zyenta_ads_pipeline.domain.change import ChangeState
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


def running(office: Office, currency: str, minor: int, **more: Any) -> AdCampaign:
    """A campaign of two creatives on the platform, with so much a day in minor units."""
    values = {"daily_budget_minor": minor, "total_budget_minor": None, "account_id": "505"}
    campaigns = Campaigns(office.store)
    made = campaigns.add(
        campaign(currency=currency, **values | more),
        [draft("Warm"), draft("Bright")],
        actor="test",
        now=NOW,
    )
    campaigns.placed(made.id, platform_campaign_id=f"7{made.id.strip('c')}", now=NOW)
    for place, each in enumerate(made.creatives):
        campaigns.creative_placed(each.id, ad_set_id=f"6{1 + place}", now=NOW)
    for step in (CampaignStatus.PENDING_REVIEW, CampaignStatus.PAUSED):
        campaigns.move(made.id, step, reason="as the test has it", actor="test", now=NOW)
    return campaigns.get(made.id)


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
    made = running(office, currency, limits.minor(limits.usual))

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
def test_orders_lead_nowhere_beyond_the_limits(
    desks: Desks, office: Office, currency: str, least: int, most: int
) -> None:
    """Not by doubling, and not by steps."""
    made = running(office, currency, most)
    for minor in (most + 1, 2 * most, least - 1):
        with pytest.raises(FieldsRefused, match=limits_of(currency).words):
            desks.campaigns.order(EVA, made.id, OrderKind.BUDGET, {"daily_budget_minor": minor})
    assert desks.campaigns.orders(VIC, made.id) == []


@pytest.mark.parametrize(("currency", "least", "most"), SAMPLES)
def test_a_proposals_own_value_stays_within_them_too(
    desks: Desks, office: Office, currency: str, least: int, most: int
) -> None:
    proposal = replace(
        budget(), account_id="505", campaign_id="9001", currency=currency, level=Level.CAMPAIGN,
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


def edit(desks: Desks, office: Office, made: AdCampaign, ad_set: str, old: int, new: int) -> str:
    """An ad set's proposed budget with a value of one's own: what stands against it."""
    proposal = replace(
        budget(ad_set), account_id="505", campaign_id=made.platform_campaign_id or "",
        currency=made.currency, old_value=f"{old}", new_value=f"{old + 1}",
    )  # fmt: skip
    (record,) = Outbox(office.store).propose([proposal], actor="p", now=NOW).inserted
    try:
        desks.changes.edit(EVA, record.id, new)
    except FieldsRefused as error:
        (problem,) = error.problems
        assert problem.field == "daily_budget"
        desks.changes.reject(EVA, [record.id])
        return str(problem)
    return ""


@pytest.mark.parametrize(("currency", "least", "most"), SAMPLES)
def test_an_ad_set_may_have_less_than_a_campaign(
    desks: Desks, office: Office, currency: str, least: int, most: int
) -> None:
    """Three that share the least have a third of it each, and can be lowered still."""
    made = running(office, currency, least)
    third = least // 3
    assert edit(desks, office, made, "31", third, third - 1) == ""
    assert edit(desks, office, made, "32", third, 1) == ""


@pytest.mark.parametrize(("currency", "least", "most"), SAMPLES)
def test_ad_sets_are_raised_as_far_as_their_campaign_may_be(
    desks: Desks, office: Office, currency: str, least: int, most: int
) -> None:
    made = running(office, currency, least)
    own = least // 4
    told = edit(desks, office, made, "31", own, most - least + own + 1)
    assert f"up to {limits_of(currency).words.partition(' to ')[2]}" in told
    assert edit(desks, office, made, "31", own, most // 2) == ""
    # What is approved and not written yet is counted: the campaign gets both.
    told = edit(desks, office, made, "32", own, most // 2)
    assert "too much" in told
    left = most - least - (most // 2 - own) + own
    assert edit(desks, office, made, "32", own, left + 1) != ""
    assert edit(desks, office, made, "32", own, left) == ""


def test_of_a_campaign_that_is_not_ours_only_the_ad_set_is_known(
    desks: Desks, office: Office
) -> None:
    nobodys = replace(running(office, "EUR", 5_000), platform_campaign_id="424242")
    assert edit(desks, office, nobodys, "31", 900, 1_000_001) != ""
    assert edit(desks, office, nobodys, "31", 900, 1_000_000) == ""


def test_a_creative_is_scaled_as_far_as_its_campaign_may_be(desks: Desks, office: Office) -> None:
    made = running(office, "EUR", 980_000)
    creative = made.creatives[0].id

    def scale(percent: int) -> None:
        payload = {"creative_id": creative, "percent": percent}
        desks.campaigns.order(EVA, made.id, OrderKind.SCALE_CREATIVE, payload)

    # Of two creatives each has half: 4,900 EUR, of which 200 are 4 %.
    with pytest.raises(FieldsRefused, match="up to 10,000 EUR a day") as error:
        scale(5)
    assert error.value.problems[0].field == "percent"
    scale(4)
    # As it was written last it has 100 EUR.
    (change,) = Outbox(office.store).propose(
        [budget("61", 5_000, 10_000, account_id="505", campaign_id="9")],
        actor="p", now=NOW, approve=True,
    ).inserted  # fmt: skip
    held = Outbox(office.store).claim(change.id, owner="w", lease=timedelta(minutes=5), now=NOW)
    assert held is not None
    Outbox(office.store).finish(
        held, ChangeState.APPLIED, actor="w", now=NOW, note="done", written=True
    )
    scale(100)
    Campaigns(office.store).set_budget(made.id, 1_000_000, "t", "r", NOW)
    with pytest.raises(FieldsRefused, match="too much"):
        scale(1)


def test_where_the_campaign_holds_the_budget_that_is_said_and_nothing_else(
    desks: Desks, office: Office
) -> None:
    made = running(office, "EUR", 1_000_000, budget_level=BudgetLevel.CAMPAIGN)
    payload = {"creative_id": made.creatives[0].id, "percent": 100}
    order = desks.campaigns.order(EVA, made.id, OrderKind.SCALE_CREATIVE, payload)
    assert order.kind is OrderKind.SCALE_CREATIVE


def test_a_store_in_a_currency_of_nobodys_is_what_has_to_be_mended(
    desks: Desks, office: Office
) -> None:
    connected(office, "KWD")
    with pytest.raises(FieldsRefused) as error:
        desks.campaigns.ask(EVA, NewCampaign(store_id="shop", daily_budget=Decimal(50)))
    (problem,) = error.value.problems
    assert (problem.field, "KWD" in problem.what) == ("store_id", True)


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
