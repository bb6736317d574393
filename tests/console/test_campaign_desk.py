"""The campaign desk: what is asked for, ordered and refused, and that it is written down."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.console.desk_home import ADA, EVA, MAX, NOW, VIC, acts
from tests.store.campaign_samples import launched, picture
from tests.store.samples import status
from zyenta_ads_pipeline.console.desks.asking import NewCampaign
from zyenta_ads_pipeline.console.desks.desks import Desks
from zyenta_ads_pipeline.console.desks.rules import RuleScope
from zyenta_ads_pipeline.console.office import Office
from zyenta_ads_pipeline.domain.campaign import AdCampaign, CampaignStatus
from zyenta_ads_pipeline.domain.errors import (
    FieldsRefused,
    IllegalTransition,
    InputError,
    NotAllowed,
    NotThere,
    Stale,
)
from zyenta_ads_pipeline.store.campaign_models import RequestStep
from zyenta_ads_pipeline.store.campaign_pages import CampaignQuery
from zyenta_ads_pipeline.store.campaigns import Campaigns
from zyenta_ads_pipeline.store.orders import OrderKind, Orders, OrderState
from zyenta_ads_pipeline.store.outbox import Outbox
from zyenta_ads_pipeline.store.requests import CampaignRequests
from zyenta_ads_pipeline.store.shops import Shops
from zyenta_ads_pipeline.store.switches import KillSwitches

GOOD = NewCampaign(store_id="shop", daily_budget=Decimal("49.90"), duration_days=14)


def running(office: Office, status: CampaignStatus = CampaignStatus.ACTIVE) -> AdCampaign:
    """A launched campaign with two creatives."""
    made = launched(office.store, platform_campaign_id="9001")
    campaigns = Campaigns(office.store)
    campaigns.move(made.id, CampaignStatus.PENDING_REVIEW, reason="", actor="t", now=NOW)
    if status is not CampaignStatus.PENDING_REVIEW:
        campaigns.move(made.id, status, reason="so it is", actor="t", now=NOW)
    return campaigns.get(made.id)


def test_a_buyer_asks_for_a_campaign(desks: Desks, office: Office) -> None:
    request, is_new = desks.campaigns.ask(EVA, replace(GOOD, product_ids=("p2",)), "k1")
    assert is_new
    assert (request.daily_budget_minor, request.currency) == (4990, "EUR")
    assert (request.requested_by, request.product_ids) == ("eva", ("p2",))
    again, is_new = desks.campaigns.ask(EVA, replace(GOOD, product_ids=("p2",)), "k1")
    assert (again.id, is_new) == (request.id, False)
    with pytest.raises(InputError, match="something else"):
        desks.campaigns.ask(EVA, GOOD, "k1")
    assert desks.campaigns.ask(MAX, GOOD, "k1")[1], "the keys of two people do not meet"
    assert [each.request.id for each in desks.campaigns.requests(VIC)][-1] == request.id
    progress = desks.campaigns.request(VIC, request.id)
    assert (progress.state.state, progress.campaign, progress.done) == (
        RequestStep.WAITING,
        None,
        0,
    )
    assert acts(office) == [("eva", "campaign.ask", False), ("max", "campaign.ask", False)]


BAD: list[tuple[dict[str, Any], set[str]]] = [
    ({"daily_budget": Decimal("9.99")}, {"daily_budget"}),
    ({"daily_budget": Decimal(10_001)}, {"daily_budget"}),
    ({"daily_budget": Decimal("NaN")}, {"daily_budget"}),
    ({"duration_days": 0, "variations": 11}, {"duration_days", "variations"}),
    ({"duration_days": 91}, {"duration_days"}),
    ({"objective": "world peace"}, {"objective"}),
    ({"platform": "google"}, {"platform"}),
    ({"store_id": "nowhere"}, {"store_id"}),
    ({"product_ids": ("p1", "p9")}, {"product_ids"}),
    ({"name": "x" * 201}, {"name"}),
    ({"name": "a\nb", "platform": "myspace"}, {"name", "platform"}),
]


@pytest.mark.parametrize(("wrong", "fields"), BAD, ids=[", ".join(wrong) for wrong, _ in BAD])
def test_every_field_that_cannot_be_used_is_named(
    desks: Desks, office: Office, wrong: dict[str, Any], fields: set[str]
) -> None:
    with pytest.raises(FieldsRefused) as refused:
        desks.campaigns.ask(EVA, replace(GOOD, **wrong))
    assert {each.field for each in refused.value.problems} == fields
    assert all(each.what and each.remedy for each in refused.value.problems)
    assert CampaignRequests(office.store).waiting() == []


@pytest.mark.parametrize(
    ("budget", "days"), [("10", 1), ("10000", 90)], ids=["the least", "the most"]
)
def test_the_limits_themselves_can_be_asked(desks: Desks, budget: str, days: int) -> None:
    new = replace(GOOD, daily_budget=Decimal(budget), duration_days=days)
    assert desks.campaigns.ask(EVA, new)[1]


def test_a_failed_request_is_tried_again(desks: Desks, office: Office) -> None:
    request, _ = desks.campaigns.ask(EVA, GOOD)
    assert desks.campaigns.retry(EVA, request.id).state is RequestStep.WAITING
    requests = CampaignRequests(office.store)
    requests.claim(request.id, "w", timedelta(minutes=5), NOW)
    requests.finish(request.id, error="no page", now=NOW)
    (asked,) = desks.campaigns.requests(VIC)
    assert asked.state.error == "no page"
    with pytest.raises(NotAllowed):
        desks.campaigns.retry(VIC, request.id)
    assert desks.campaigns.retry(EVA, request.id).state is RequestStep.WAITING
    with pytest.raises(NotThere):
        desks.campaigns.request(VIC, "nothing")


def test_a_viewer_looks_and_acts_on_nothing(desks: Desks, office: Office) -> None:
    campaign = running(office)
    Shops(office.store).put_media([picture("m1", product_id="p1")], NOW)
    desk = desks.campaigns
    assert desk.page(VIC, CampaignQuery()).total_rows == 1
    assert desk.get(VIC, campaign.id) == campaign
    assert [each.id for each in desk.products(VIC, campaign.id)] == ["p1", "p2"]
    assert set(desk.media(VIC, campaign.id)) == {"m1"}
    assert desk.journal(VIC, campaign.id)[0].what == "created"
    assert desk.steps(VIC, campaign.id) == []
    assert desk.logs(VIC, campaign.id) == []
    assert desk.rejections(VIC, campaign.id) == []
    assert desk.changes(VIC, campaign.id) == []
    assert desk.allowed(VIC, campaign) == frozenset()
    for act in (
        lambda: desk.ask(VIC, GOOD),
        lambda: desk.order(VIC, campaign.id, OrderKind.PAUSE),
    ):
        with pytest.raises(NotAllowed, match="buyer"):
            act()
    assert acts(office) == [("vic", "campaign.ask", True), ("vic", "campaign.pause", True)]
    with pytest.raises(NotThere):
        desk.get(VIC, "nothing")
    with pytest.raises(NotThere):
        desk.journal(VIC, "nothing")


def test_an_order_is_asked_once(desks: Desks, office: Office) -> None:
    campaign = running(office)
    desk = desks.campaigns
    order = desk.order(EVA, campaign.id, OrderKind.BUDGET, {"daily_budget": Decimal("70.50")})
    assert order.payload == {"daily_budget_minor": 7050}
    again = desk.order(MAX, campaign.id, OrderKind.BUDGET, {"daily_budget_minor": 7050})
    assert again == order
    assert desk.order_state(VIC, order.id) == order
    other = desk.order(ADA, campaign.id, OrderKind.PAUSE)
    assert [each.id for each in desk.orders(VIC, campaign.id)] == [other.id, order.id]
    assert acts(office) == [("eva", "campaign.budget", False), ("ada", "campaign.pause", False)]
    assert desks.people.audit(VIC)[0].detail["order"] == other.id


def test_a_stale_tab_orders_nothing(desks: Desks, office: Office) -> None:
    campaign = running(office)
    seen = desks.campaigns.version(campaign)
    Campaigns(office.store).set_budget(campaign.id, 6000, "max", "r", NOW + timedelta(minutes=1))
    with pytest.raises(Stale, match="Candles in winter has changed"):
        desks.campaigns.order(EVA, campaign.id, OrderKind.PAUSE, expected=seen)
    assert Orders(office.store).find() == []


@pytest.mark.parametrize(
    ("status", "can", "cannot"),
    [
        (CampaignStatus.ACTIVE, {OrderKind.PAUSE, OrderKind.BUDGET}, OrderKind.ACTIVATE),
        (CampaignStatus.PAUSED, {OrderKind.ACTIVATE, OrderKind.OPTIMIZE}, OrderKind.PAUSE),
        (CampaignStatus.PENDING_REVIEW, {OrderKind.ACTIVATE, OrderKind.PAUSE}, OrderKind.LAUNCH),
        (CampaignStatus.COMPLETED, {OrderKind.PAUSE, OrderKind.REVIEW}, OrderKind.BUDGET),
        (CampaignStatus.REJECTED, {OrderKind.REVIEW}, OrderKind.ACTIVATE),
    ],
)
def test_what_may_be_ordered_depends_on_how_it_stands(
    desks: Desks,
    office: Office,
    status: CampaignStatus,
    can: set[OrderKind],
    cannot: OrderKind,
) -> None:
    campaign = running(office, status)
    allowed = desks.campaigns.allowed(EVA, campaign)
    assert can <= allowed
    assert cannot not in allowed
    with pytest.raises(IllegalTransition, match="cannot be"):
        desks.campaigns.order(EVA, campaign.id, cannot, {"daily_budget_minor": 5000})


def test_a_draft_can_be_launched_alone(desks: Desks, office: Office) -> None:
    campaign = launched(office.store)
    assert desks.campaigns.allowed(EVA, campaign) == {OrderKind.LAUNCH}
    assert desks.campaigns.order(EVA, campaign.id, OrderKind.LAUNCH).payload == {}


WRONG: list[tuple[OrderKind, dict[str, Any], str]] = [
    (OrderKind.BUDGET, {}, "daily_budget"),
    (OrderKind.BUDGET, {"daily_budget": "lots"}, "daily_budget"),
    (OrderKind.BUDGET, {"daily_budget": Decimal("NaN")}, "daily_budget"),
    (OrderKind.BUDGET, {"daily_budget_minor": 0}, "daily_budget_minor"),
    (OrderKind.BUDGET, {"daily_budget_minor": True}, "daily_budget_minor"),
    (OrderKind.BUDGET, {"daily_budget_minor": 30_001}, "daily_budget_minor"),
    (OrderKind.BUDGET, {"daily_budget": Decimal("9.99")}, "daily_budget"),
    (OrderKind.PAUSE_CREATIVE, {"creative_id": "nothing"}, "creative_id"),
    (OrderKind.SCALE_CREATIVE, {}, "creative_id"),
    (OrderKind.SCALE_CREATIVE, {"percent": 0}, "percent"),
    (OrderKind.SCALE_CREATIVE, {"percent": 10.5}, "percent"),
]


@pytest.mark.parametrize(("kind", "payload", "field"), WRONG)
def test_a_payload_that_cannot_be_is_refused(
    desks: Desks, office: Office, kind: OrderKind, payload: dict[str, Any], field: str
) -> None:

    desks.rules.set(ADA, RuleScope("101"), "cap", "300")
    campaign = running(office)
    if field == "percent":
        payload = {"creative_id": campaign.creatives[0].id, **payload}
    with pytest.raises(FieldsRefused) as refused:
        desks.campaigns.order(EVA, campaign.id, kind, payload)
    assert [each.field for each in refused.value.problems] == [field]
    assert Orders(office.store).find() == []


@pytest.mark.parametrize("amount", ["9.99", "10000.01", "9999999999999.99"])
def test_a_budget_beyond_the_limits_of_a_campaign_is_refused(
    desks: Desks, office: Office, amount: str
) -> None:
    campaign = running(office)
    with pytest.raises(FieldsRefused, match="10 to 10,000 EUR a day"):
        desks.campaigns.order(EVA, campaign.id, OrderKind.BUDGET, {"daily_budget": Decimal(amount)})
    assert Orders(office.store).find() == []


def test_a_large_budget_can_be_brought_down_and_doubled_at_most(
    desks: Desks, office: Office
) -> None:
    campaign = running(office)
    Campaigns(office.store).set_budget(campaign.id, 3_000_000, "t", "adopted", NOW)
    desk = desks.campaigns
    for minor in (2_000_000, 6_000_000):
        order = desk.order(EVA, campaign.id, OrderKind.BUDGET, {"daily_budget_minor": minor})
        assert order.payload["daily_budget_minor"] == minor
    with pytest.raises(FieldsRefused, match="10 to 60,000 EUR a day"):
        desk.order(EVA, campaign.id, OrderKind.BUDGET, {"daily_budget_minor": 6_000_001})


def test_an_order_is_withdrawn_and_that_is_written_down(desks: Desks, office: Office) -> None:
    campaign = running(office, CampaignStatus.PAUSED)
    order = desks.campaigns.order(EVA, campaign.id, OrderKind.ACTIVATE)
    with pytest.raises(NotAllowed):
        desks.campaigns.withdraw(VIC, order.id)
    KillSwitches(office.store).throw("101", by="ada", reason="fire", now=NOW)
    gone = desks.campaigns.withdraw(MAX, order.id)
    assert (gone.state, gone.note[:16]) == (OrderState.WITHDRAWN, "Withdrawn by max")
    assert desks.campaigns.withdraw(EVA, order.id) == gone
    assert acts(office)[1:] == [("vic", "order.withdraw", True), ("max", "order.withdraw", False)]
    assert office.audit.entries()[0].detail["campaign"] == campaign.id
    with pytest.raises(NotThere):
        desks.campaigns.withdraw(EVA, "nothing")


def test_an_order_that_is_under_way_is_not_withdrawn(desks: Desks, office: Office) -> None:
    campaign = running(office)
    order = desks.campaigns.order(EVA, campaign.id, OrderKind.PAUSE)
    assert Orders(office.store).claim(order.id, "w", timedelta(minutes=5), office.now())
    with pytest.raises(IllegalTransition, match="being done"):
        desks.campaigns.withdraw(EVA, order.id)


def test_nothing_is_lined_up_behind_a_stop(desks: Desks, office: Office) -> None:
    campaign = running(office)
    KillSwitches(office.store).throw("101", by="ada", reason="fire", now=NOW)
    with pytest.raises(InputError, match="fire"):
        desks.campaigns.order(EVA, campaign.id, OrderKind.PAUSE)


ON, OFF = OrderKind.ACTIVATE, OrderKind.PAUSE


def test_who_sees_an_activation_under_way_can_pause_and_not_activate_twice(
    desks: Desks, office: Office
) -> None:
    campaign = running(office, CampaignStatus.PAUSED)
    desk, orders = desks.campaigns, Orders(office.store)
    on = desk.order(EVA, campaign.id, ON)
    assert desk.allowed(MAX, campaign) & {ON, OFF} == {OFF}
    assert desk.order(MAX, campaign.id, ON) == on, "a second click is the same order"
    assert orders.claim(on.id, "w", timedelta(minutes=5), office.now())
    assert desk.allowed(MAX, campaign) & {ON, OFF} == {OFF}
    off = desk.order(MAX, campaign.id, OFF)
    assert desk.allowed(MAX, campaign) & {ON, OFF} == {ON}, "only what is not asked for already"
    assert desk.order(EVA, campaign.id, OFF) == off
    assert not orders.claim(off.id, "x", timedelta(minutes=5), office.now())
    orders.finish(on.id, "w", note="", now=office.now())
    Campaigns(office.store).move(
        campaign.id, CampaignStatus.ACTIVE, reason="", actor="w", now=office.now()
    )
    assert orders.claim(off.id, "x", timedelta(minutes=5), office.now()), "after it"


def test_a_pause_that_waits_can_be_answered_by_an_activation(desks: Desks, office: Office) -> None:
    campaign = running(office)
    off = desks.campaigns.order(EVA, campaign.id, OFF)
    assert desks.campaigns.allowed(MAX, campaign) & {ON, OFF} == {ON}
    desks.campaigns.order(MAX, campaign.id, ON)
    assert Orders(office.store).get(off.id).state is OrderState.WITHDRAWN


def test_a_pause_is_offered_while_an_approved_change_or_an_undo_may_switch_it_on(
    desks: Desks, office: Office
) -> None:
    campaign = running(office, CampaignStatus.PAUSED)
    assert desks.campaigns.allowed(EVA, campaign) & {ON, OFF} == {ON}
    change = replace(status("9001"), account_id="101", campaign_id="9001",
                     old_value="PAUSED", new_value="ACTIVE")  # fmt: skip
    outbox = Outbox(office.store)
    (left,) = outbox.propose([change], actor="eva", now=NOW, approve=True).inserted
    assert desks.campaigns.allowed(EVA, campaign) & {ON, OFF} == {OFF}
    outbox.reject([left.id], actor="eva", reason="", now=office.now())
    assert desks.campaigns.allowed(EVA, campaign) & {ON, OFF} == {ON}
    Orders(office.store).ask(
        OrderKind.UNDO, campaign_id=campaign.id, account_id="101",
        payload={"change_id": left.id}, by="eva", now=office.now(),
    )  # fmt: skip
    assert desks.campaigns.allowed(EVA, campaign) & {ON, OFF} == {ON, OFF}


def test_what_is_asked_for_already_is_not_offered_again(desks: Desks, office: Office) -> None:
    campaign = running(office)
    for kind in (OrderKind.OPTIMIZE, OrderKind.REVIEW, OrderKind.TAKE_OVER):
        order = desks.campaigns.order(EVA, campaign.id, kind)
        assert kind not in desks.campaigns.allowed(EVA, campaign)
        assert desks.campaigns.order(MAX, campaign.id, kind) == order
    desks.campaigns.order(EVA, campaign.id, OrderKind.BUDGET, {"daily_budget_minor": 6_000})
    assert OrderKind.BUDGET in desks.campaigns.allowed(EVA, campaign), "another one can be asked"
