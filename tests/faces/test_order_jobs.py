"""What people ask for is done by sensor and job, on a real sandbox."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import dagster as dg
import pytest
from sqlalchemy import text

from tests.campaigns.launching import graph
from tests.faces.campaign_home import (
    carried_out,
    materialized,
    ran,
    requested,
    skipped,
    wanted,
)
from tests.store.samples import budget as budget_change
from zyenta_ads_pipeline import agent
from zyenta_ads_pipeline.agent import AdsAgent
from zyenta_ads_pipeline.campaigns.optimize import Optimized
from zyenta_ads_pipeline.campaigns.undo import undo as propose_undo
from zyenta_ads_pipeline.connections import store_of
from zyenta_ads_pipeline.domain.campaign import AdCampaign, CampaignStatus
from zyenta_ads_pipeline.domain.change import BudgetAction, ChangeState
from zyenta_ads_pipeline.order_jobs import waiting_orders
from zyenta_ads_pipeline.order_work import MOST_ATTEMPTS, ORDER_LEASE, carry_out
from zyenta_ads_pipeline.sandbox.process import SandboxHandle
from zyenta_ads_pipeline.sensors import ACCOUNT_TAG, waiting_requests
from zyenta_ads_pipeline.settings import Settings
from zyenta_ads_pipeline.store.campaign_models import RequestStep
from zyenta_ads_pipeline.store.campaigns import Campaigns
from zyenta_ads_pipeline.store.orders import Order, OrderKind, Orders, OrderState
from zyenta_ads_pipeline.store.outbox import Outbox
from zyenta_ads_pipeline.store.requests import CampaignRequests
from zyenta_ads_pipeline.store.switches import KillSwitches


@pytest.fixture
def campaign(settings: Settings, instance: dg.DagsterInstance) -> AdCampaign:
    """A launched campaign, which waits for its review."""
    assert carried_out(instance, requested(settings, product_ids=("p2",)).id).success
    with store_of(settings) as store:
        (found,) = Campaigns(store).find(creatives=True)
        return found


def ask(settings: Settings, campaign: AdCampaign, kind: OrderKind, **payload: Any) -> Order:
    with store_of(settings) as store:
        order, _ = Orders(store).ask(
            kind,
            campaign_id=campaign.id,
            account_id=campaign.account_id,
            payload=payload,
            by="eva",
            now=datetime.now(UTC),
        )
        return order


def order_of(settings: Settings, order: Order) -> Order:
    with store_of(settings) as store:
        return Orders(store).get(order.id)


def now_is(settings: Settings, campaign: AdCampaign) -> AdCampaign:
    with store_of(settings) as store:
        return Campaigns(store).get(campaign.id)


def do(
    instance: dg.DagsterInstance, campaign: AdCampaign, *orders: Order
) -> dg.ExecuteInProcessResult:
    config = {"account": campaign.account_id, "orders": [each.id for each in orders]}
    return ran(instance, "carry_out_order", {"carry_out_orders": {"config": config}})


def live(sandbox: SandboxHandle, object_id: str | None, field: str) -> Any:
    with graph(sandbox) as api:
        return api.get(f"/{object_id}", params={"fields": field}).json()[field]


def test_orders_of_an_account_are_done_in_one_run(
    settings: Settings,
    sandbox: SandboxHandle,
    instance: dg.DagsterInstance,
    campaign: AdCampaign,
) -> None:
    assert skipped(waiting_orders, instance) == "Nobody asked for anything."
    first = ask(settings, campaign, OrderKind.ACTIVATE)
    (run,) = wanted(waiting_orders, instance)
    assert run.tags[ACCOUNT_TAG] == campaign.account_id
    assert run.run_config["ops"]["carry_out_orders"]["config"]["orders"] == [first.id]
    second = ask(settings, campaign, OrderKind.BUDGET, daily_budget_minor=7700)

    result = do(instance, campaign, first)
    assert result.success
    done = order_of(settings, first)
    assert (done.state, done.attempt) == (OrderState.DONE, 1)
    assert "switched on" in done.note
    assert live(sandbox, campaign.platform_campaign_id, "status") == "ACTIVE"
    with store_of(settings) as store:
        records = [Outbox(store).get(each) for each in done.change_ids]
    assert records
    assert all(record.state is ChangeState.APPLIED for record in records)
    assert all(record.change.decision_id == f"buyer:{first.id}:1" for record in records)

    budget = order_of(settings, second)
    assert budget.state is OrderState.DONE, "what was asked for meanwhile is done too"
    assert now_is(settings, campaign).daily_budget_minor == 7700
    told = materialized(result, "live_on_meta")
    assert [each["order"] for each in told] == ["activate", "budget"]
    assert {each["asked_by"] for each in told} == {"eva"}

    undo = ask(settings, campaign, OrderKind.UNDO, change_id=budget.change_ids[0])
    review = ask(settings, campaign, OrderKind.REVIEW)
    assert do(instance, campaign, undo, review).success
    assert order_of(settings, undo).note == "It is as it was before."
    assert now_is(settings, campaign).daily_budget_minor == 5000
    assert campaign.name in order_of(settings, review).note
    paused = ask(settings, campaign, OrderKind.PAUSE)
    assert do(instance, campaign, paused).success
    assert live(sandbox, campaign.platform_campaign_id, "status") == "PAUSED"
    assert skipped(waiting_orders, instance) == "Nobody asked for anything."


def test_a_pause_asked_for_while_it_is_being_activated_is_done_after_it(
    settings: Settings,
    sandbox: SandboxHandle,
    instance: dg.DagsterInstance,
    campaign: AdCampaign,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    on, real, asked = ask(settings, campaign, OrderKind.ACTIVATE), AdsAgent.activate, []

    async def activate(self: AdsAgent, campaign_id: str) -> Any:
        done = await real(self, campaign_id)
        assert live(sandbox, campaign.platform_campaign_id, "status") == "ACTIVE"
        asked.append(ask(settings, campaign, OrderKind.PAUSE))
        assert order_of(settings, on).state is OrderState.WORKING
        return done

    monkeypatch.setattr(AdsAgent, "activate", activate)
    assert do(instance, campaign, on).success
    assert [order_of(settings, each).state for each in (on, *asked)] == [OrderState.DONE] * 2
    assert live(sandbox, campaign.platform_campaign_id, "status") == "PAUSED"


def test_an_order_that_cannot_be_done_says_why_and_the_run_goes_on(
    settings: Settings, instance: dg.DagsterInstance, campaign: AdCampaign
) -> None:
    rolled = ask(settings, campaign, OrderKind.ROLL_BACK)
    numbers = ask(settings, campaign, OrderKind.OPTIMIZE)
    assert do(instance, campaign, rolled, numbers).success
    wrong = ask(settings, campaign, OrderKind.LAUNCH)
    assert do(instance, campaign, wrong).success
    refused = order_of(settings, rolled)
    assert (refused.state, bool(refused.note), bool(refused.remedy)) == (
        OrderState.FAILED,
        True,
        True,
    )
    assert order_of(settings, numbers).state is OrderState.FAILED
    assert "not been read" in order_of(settings, numbers).note
    assert order_of(settings, wrong).state is OrderState.DONE, "it is launched already"


def test_a_pause_waits_for_nobody_elses_work(
    settings: Settings, instance: dg.DagsterInstance, campaign: AdCampaign
) -> None:
    from zyenta_ads_pipeline.definitions import defs

    (op,) = defs.resolve_job_def("carry_out_order").all_node_defs
    assert op.pools == set(), "else a launch, or its texts, would hold it up"
    ask(settings, campaign, OrderKind.REVIEW)
    with store_of(settings) as store:
        Orders(store).ask(
            OrderKind.UNDO,
            campaign_id=None,
            account_id=campaign.account_id,
            payload={"change_id": "none"},
            by="eva",
            now=datetime.now(UTC),
        )
    off = ask(settings, campaign, OrderKind.PAUSE)
    (run,) = wanted(waiting_orders, instance)
    assert run.run_config["ops"]["carry_out_orders"]["config"]["orders"][0] == off.id
    assert int(run.tags["dagster/priority"]) > 0
    assert int(run.tags["dagster/max_runtime"]) < ORDER_LEASE.total_seconds()
    requested(settings, product_ids=("p1",), request_id="r-2")
    (made,) = wanted(waiting_requests, instance)
    assert int(made.tags["dagster/max_runtime"]) <= 3600, "a killed run is not waited for"


@pytest.mark.parametrize("kind", [OrderKind.ACTIVATE, OrderKind.BUDGET])
def test_what_was_asked_days_ago_spends_nothing_today(
    settings: Settings,
    sandbox: SandboxHandle,
    instance: dg.DagsterInstance,
    campaign: AdCampaign,
    kind: OrderKind,
) -> None:
    old = ask(settings, campaign, kind, daily_budget_minor=9900)
    off = ask(settings, campaign, OrderKind.REVIEW)
    with store_of(settings) as store, store.write() as session:
        asked = datetime.now(UTC) - timedelta(hours=50, minutes=5)
        session.execute(
            text("UPDATE platform_orders SET asked_at = :asked"),
            {"asked": asked.replace(tzinfo=None).isoformat(" ")},
        )
    assert do(instance, campaign, old).success
    failed = order_of(settings, old)
    assert failed.state is OrderState.FAILED
    assert "asked 50 hours ago" in failed.note
    assert "Ask anew" in failed.remedy
    assert live(sandbox, campaign.platform_campaign_id, "status") == "PAUSED"
    assert order_of(settings, off).state is OrderState.DONE, "what spends nothing is still done"


def test_an_order_that_kills_its_worker_is_given_up(
    settings: Settings, campaign: AdCampaign
) -> None:
    order = ask(settings, campaign, OrderKind.REVIEW)
    with store_of(settings) as store:
        for _ in range(MOST_ATTEMPTS):
            with pytest.MonkeyPatch.context() as patched:
                patched.setattr(Orders, "finish", _dies)
                with pytest.raises(KeyboardInterrupt):
                    carry_out(settings, store, order.id, "dead", print)
            with store.write() as session:
                over = "UPDATE platform_orders SET lease_until = '2020-01-01 00:00:00'"
                session.execute(text(over))
        last = carry_out(settings, store, order.id, "alive", print)
        assert last is not None
        assert last.state is OrderState.FAILED
        assert "Given up" in last.note
        assert Orders(store).waiting(now=datetime.now(UTC)) == []


def test_a_stop_holds_orders_until_it_is_lifted(
    settings: Settings, instance: dg.DagsterInstance, campaign: AdCampaign
) -> None:
    order = ask(settings, campaign, OrderKind.ACTIVATE)
    with store_of(settings) as store:
        KillSwitches(store).throw(None, by="ada", reason="fire", now=datetime.now(UTC))
    assert "fire" in skipped(waiting_orders, instance)
    assert do(instance, campaign, order).success
    assert order_of(settings, order).state is OrderState.WAITING
    with store_of(settings) as store:
        KillSwitches(store).lift(None, by="ada", now=datetime.now(UTC))
    assert len(wanted(waiting_orders, instance)) == 1


def killed_in(settings: Settings, order: Order, *, ago: timedelta) -> None:
    """As if a worker had claimed an order long ago, and was killed."""
    with store_of(settings) as store:
        assert Orders(store).claim(order.id, "dead", ORDER_LEASE, datetime.now(UTC) - ago)


def test_what_a_killed_worker_left_is_taken_up_after_the_lease(
    settings: Settings,
    sandbox: SandboxHandle,
    instance: dg.DagsterInstance,
    campaign: AdCampaign,
) -> None:
    order = ask(settings, campaign, OrderKind.ACTIVATE)
    killed_in(settings, order, ago=timedelta(0))
    assert skipped(waiting_orders, instance) == "Nobody asked for anything."
    assert do(instance, campaign, order).success
    assert order_of(settings, order).owner == "dead"
    with store_of(settings) as store, store.write() as session:
        over = datetime.now(UTC) - timedelta(seconds=1)
        session.execute(
            text("UPDATE platform_orders SET lease_until = :over"),
            {"over": over.replace(tzinfo=None).isoformat(" ")},
        )
    assert len(wanted(waiting_orders, instance)) == 1
    assert do(instance, campaign, order).success
    done = order_of(settings, order)
    assert (done.state, done.attempt) == (OrderState.DONE, 2)
    assert live(sandbox, campaign.platform_campaign_id, "status") == "ACTIVE"


def test_a_raise_by_percent_that_was_cut_off_is_not_done_twice(
    settings: Settings, sandbox: SandboxHandle, campaign: AdCampaign
) -> None:
    creative = campaign.creatives[0]
    before = int(live(sandbox, creative.platform_ad_set_id, "daily_budget"))
    order = ask(settings, campaign, OrderKind.SCALE_CREATIVE, creative_id=creative.id, percent=10)
    with store_of(settings) as store:
        # The first attempt writes, and dies before it can say so.
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(Orders, "finish", _dies)
            with pytest.raises(KeyboardInterrupt):
                carry_out(settings, store, order.id, "dead", print)
        after = int(live(sandbox, creative.platform_ad_set_id, "daily_budget"))
        assert after == before + (before * 10 + 50) // 100
        with store.write() as session:
            session.execute(text("UPDATE platform_orders SET lease_until = '2020-01-01 00:00:00'"))
        again = carry_out(settings, store, order.id, "alive", print)
        assert again is not None
        assert (again.state, again.attempt) == (OrderState.DONE, 2)
        assert len(again.change_ids) == 1
    assert int(live(sandbox, creative.platform_ad_set_id, "daily_budget")) == after


def test_an_undo_that_was_cut_off_is_not_undone_itself(
    settings: Settings, sandbox: SandboxHandle, instance: dg.DagsterInstance, campaign: AdCampaign
) -> None:
    ad_sets = [each.platform_ad_set_id for each in campaign.creatives]
    before = [live(sandbox, each, "daily_budget") for each in ad_sets]
    budget = ask(settings, campaign, OrderKind.BUDGET, daily_budget_minor=9000)
    assert do(instance, campaign, budget).success
    changed = order_of(settings, budget).change_ids[0]
    assert [live(sandbox, each, "daily_budget") for each in ad_sets] != before
    undo = ask(settings, campaign, OrderKind.UNDO, change_id=changed)
    with store_of(settings) as store:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(Orders, "finish", _dies)
            with pytest.raises(KeyboardInterrupt):
                carry_out(settings, store, undo.id, "dead", print)
        with store.write() as session:
            session.execute(text("UPDATE platform_orders SET lease_until = '2020-01-01 00:00:00'"))
        again = carry_out(settings, store, undo.id, "alive", print)
    assert again is not None
    assert (again.state, again.note) == (OrderState.DONE, "It is as it was before.")
    assert [live(sandbox, each, "daily_budget") for each in ad_sets] == before


def test_an_optimization_whose_change_fails_says_so(
    settings: Settings, campaign: AdCampaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = ask(settings, campaign, OrderKind.OPTIMIZE)
    known = budget_change(
        campaign.creatives[0].platform_ad_set_id or "",
        account_id=campaign.account_id,
        campaign_id=campaign.platform_campaign_id,
        currency=campaign.currency,
        old_value="1",  # not what the platform shows
        decided_at=datetime.now(UTC),
    )
    with store_of(settings) as store:
        outbox = Outbox(store)
        now = datetime.now(UTC)
        taken = outbox.propose([known], actor="policy", now=now, approve=True)

        def decided(*_: object, **__: object) -> Optimized:
            return Optimized(
                campaign_id=campaign.id,
                account_id=campaign.account_id,
                action=BudgetAction.INCREASE,
                new_budget=Decimal(60),
                reason="It earns.",
                confidence=Decimal("0.9"),
                changes=taken.inserted,
                told="",
            )

        monkeypatch.setattr(agent, "optimize", decided)
        done = carry_out(settings, store, order.id, "w", print)
        assert done is not None
        assert outbox.get(taken.inserted[0].id).state is not ChangeState.APPLIED
        assert done.state is OrderState.FAILED
        assert done.remedy


@pytest.mark.parametrize("working", [False, True])
def test_a_launch_that_is_rolled_back_is_not_gone_on_with(
    settings: Settings, sandbox: SandboxHandle, instance: dg.DagsterInstance, working: bool
) -> None:
    request = requested(settings, product_ids=("p1",), request_id="r-3")
    sandbox.faults([{"preset": "no_permission", "kind": "create", "path": "act_*/ads"}])
    assert not carried_out(instance, request.id).success
    sandbox.clear_faults()
    with store_of(settings) as store:
        (campaign,) = Campaigns(store).find(request_id=request.id, creatives=True)
        requests, now = CampaignRequests(store), datetime.now(UTC)
        requests.retry(request.id, now)  # as if it had been paused, not stopped
        if working:
            assert requests.claim(request.id, "dead", timedelta(minutes=15), now)
        order = ask(settings, campaign, OrderKind.ROLL_BACK)
        done = carry_out(settings, store, order.id, "w", print)
        assert done is not None
        assert done.state is OrderState.DONE, done.note
        state = CampaignRequests(store).state(request.id)
        assert state.state is RequestStep.FAILED
        assert "rolled back" in (state.error or "")
        later = datetime.now(UTC) + timedelta(hours=1)
        assert CampaignRequests(store).waiting(now=later) == []


def test_an_undo_that_was_cut_off_half_way_is_finished(
    settings: Settings, sandbox: SandboxHandle, instance: dg.DagsterInstance, campaign: AdCampaign
) -> None:
    ad_sets = [each.platform_ad_set_id for each in campaign.creatives]
    before = [live(sandbox, each, "daily_budget") for each in ad_sets]
    assert len(before) > 1
    budget = ask(settings, campaign, OrderKind.BUDGET, daily_budget_minor=9000)
    assert do(instance, campaign, budget).success
    changed = order_of(settings, budget).change_ids
    undo = ask(settings, campaign, OrderKind.UNDO, change_id=changed[0])
    with store_of(settings) as store:
        # Both reverses are approved, one of them is written, and the worker dies.
        outbox = Outbox(store)
        ids = [
            propose_undo(outbox, each, actor="eva", now=datetime.now(UTC), approve=True).id
            for each in changed
        ]
        asyncio.run(AdsAgent(settings, actor="eva").settle(campaign.account_id, ids[:1]))
        assert Orders(store).claim(undo.id, "dead", timedelta(seconds=-1), datetime.now(UTC))
        again = carry_out(settings, store, undo.id, "alive", print)
        assert again is not None
        assert (again.state, again.note) == (OrderState.DONE, "It is as it was before.")
        assert set(again.change_ids) == set(ids)
    assert [live(sandbox, each, "daily_budget") for each in ad_sets] == before
    assert now_is(settings, campaign).daily_budget_minor == 5000, "our books say so, too"


def _dies(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_what_passes_by_itself_is_tried_again_later(
    settings: Settings,
    sandbox: SandboxHandle,
    campaign: AdCampaign,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    order = ask(settings, campaign, OrderKind.PAUSE)
    away = settings.model_copy(update={"graph_url": "http://127.0.0.1:9"})
    with store_of(settings) as store:
        back = carry_out(away, store, order.id, "w", print)
        assert back is not None
        assert back.state is OrderState.WAITING
        assert "tried again" in back.note
        now = datetime.now(UTC)
        assert Orders(store).waiting(now=now) == []
        assert [each.id for each in Orders(store).waiting(now=now + timedelta(minutes=2))] == [
            order.id
        ]
    assert now_is(settings, campaign).status is CampaignStatus.PENDING_REVIEW
