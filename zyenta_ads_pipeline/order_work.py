"""One order carried out by the agent: what is done, how it ends, and how it goes on when it was cut
off. Free of Dagster."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from zyenta_ads_pipeline.agent import AdsAgent
from zyenta_ads_pipeline.campaigns.by_hand import Rewritten
from zyenta_ads_pipeline.campaigns.launch import LaunchPaused
from zyenta_ads_pipeline.campaigns.manager import Acted
from zyenta_ads_pipeline.campaigns.optimize import Optimized
from zyenta_ads_pipeline.domain.campaign import AdCampaign, CampaignStatus
from zyenta_ads_pipeline.domain.change import ChangeState
from zyenta_ads_pipeline.domain.errors import (
    InputError,
    RateLimited,
    StorageError,
    Transient,
    Unreachable,
    ZyentaError,
)
from zyenta_ads_pipeline.domain.money import show, to_major
from zyenta_ads_pipeline.settings import Settings
from zyenta_ads_pipeline.store.campaigns import Campaigns
from zyenta_ads_pipeline.store.database import Store
from zyenta_ads_pipeline.store.orders import Order, OrderKind, OrderLost, Orders
from zyenta_ads_pipeline.store.outbox import Outbox
from zyenta_ads_pipeline.store.records import ChangeRecord

ORDER_LEASE = timedelta(minutes=15)
"""How long an order stays with one worker: longer than the job may run."""
MOST_ATTEMPTS = 5
GOOD_FOR = timedelta(hours=24)
"""What makes a campaign spend more is not done later than that after it was asked for."""
_SPENDING = (OrderKind.ACTIVATE, OrderKind.BUDGET, OrderKind.SCALE_CREATIVE)
_WAIT = timedelta(seconds=60)
_OPEN = (ChangeState.PROPOSED, ChangeState.APPROVED, ChangeState.SENDING)
_PASSING = (LaunchPaused, Transient, Unreachable, RateLimited, StorageError)


@dataclass(frozen=True)
class Outcome:
    """How an order ended: in words, with its changes; `failed` with the remedy."""

    told: str
    change_ids: Sequence[str] = ()
    failed: bool = False
    remedy: str = ""


def carry_out(
    settings: Settings, store: Store, order_id: str, owner: str, tell: Callable[[str], None]
) -> Order | None:
    """Claim an order and do it; how it stands then. None when another worker has it.

    Nothing is raised for what went wrong with the order: it says so itself. What passes puts it
    back, to be tried again later. A defect fails it and is raised.
    """
    orders = Orders(store)
    if not orders.claim(order_id, owner, ORDER_LEASE, datetime.now(UTC)):
        return None
    if orders.give_way(order_id, owner, datetime.now(UTC)):
        return orders.get(order_id)
    order = orders.get(order_id)
    if order.attempt > MOST_ATTEMPTS:
        words = f"Given up: the worker was stopped in each of {MOST_ATTEMPTS} attempts."
        remedy = "Look at the runs' logs and at the changes that are open, then ask anew."
        left = [each.id for each in Outbox(store).of_decision(f"buyer:{order.id}:")]
        return _finished(orders, order, owner, Outcome(words, left, failed=True, remedy=remedy))
    try:
        outcome = asyncio.run(_done(settings, store, order, tell))
    except _PASSING as error:
        return _put_back(orders, order, owner, error, tell)
    except ZyentaError as error:
        outcome = Outcome(error.what, failed=True, remedy=error.remedy)
    except Exception as defect:
        told = Outcome(f"A defect: {defect!r}", failed=True, remedy="Look at the run's log.")
        _finished(orders, order, owner, told)
        raise
    return _finished(orders, order, owner, outcome)


def _put_back(
    orders: Orders, order: Order, owner: str, error: ZyentaError, tell: Callable[[str], None]
) -> Order:
    """It is tried again later, but not for ever."""
    if order.attempt >= MOST_ATTEMPTS:
        words = f"Given up after {order.attempt} attempts: {error.what}"
        given_up = Outcome(words, failed=True, remedy=error.remedy)
        return _finished(orders, order, owner, given_up)
    wait = getattr(error, "wait_seconds", None)
    until = datetime.now(UTC) + max(_WAIT * order.attempt, timedelta(seconds=wait or 0))
    words = f"{error.what} It is tried again after {until:%H:%M} UTC."
    tell(words)
    try:
        return orders.put_back(order.id, owner, words, datetime.now(UTC), until)
    except OrderLost:
        return orders.get(order.id)


def _finished(orders: Orders, order: Order, owner: str, outcome: Outcome) -> Order:
    try:
        return orders.finish(
            order.id,
            owner,
            note=outcome.told,
            now=datetime.now(UTC),
            failed=outcome.failed,
            remedy=outcome.remedy,
            change_ids=outcome.change_ids,
        )
    except OrderLost:  # its lease was over, and another worker tells how it ends
        return orders.get(order.id)


async def _done(
    settings: Settings, store: Store, order: Order, tell: Callable[[str], None]
) -> Outcome:
    agent = AdsAgent(settings, actor=order.asked_by, tell=tell, wish=f"{order.id}:{order.attempt}")
    if order.attempt > 1:
        again = await _gone_on(agent, store, order)
        if again is not None:
            return again
    _require_fresh(order)
    return await _ACTS[order.kind](agent, store, order)


def _require_fresh(order: Order) -> None:
    age = datetime.now(UTC) - order.asked_at
    if order.kind in _SPENDING and age > GOOD_FOR:
        raise InputError(
            f"It was asked {age // timedelta(hours=1)} hours ago, too long to still do it unseen.",
            "Ask anew, if it is still wanted.",
        )


async def _gone_on(agent: AdsAgent, store: Store, order: Order) -> Outcome | None:
    """Settle what an attempt that was cut off had left; the outcome if the order is done by that.

    Values are absolute, so that acts can be repeated; only a raise by percent must not be.
    """
    left = Outbox(store).of_decision(f"buyer:{order.id}:")
    open_ones = [record.id for record in left if record.state in _OPEN[1:]]
    records = left
    if open_ones:
        await agent.settle(order.account_id, open_ones)
        records = [Outbox(store).get(record.id) for record in left]
    if order.kind is OrderKind.SCALE_CREATIVE and any(
        record.state in (ChangeState.APPROVED, ChangeState.SENDING, ChangeState.APPLIED)
        for record in records
    ):
        await agent.take_over(_campaign_id(order))
        return _of_changes(records, "The creative's budget is raised.")
    if order.kind is OrderKind.ROLL_BACK:
        campaign = Campaigns(store).get(_campaign_id(order), creatives=False)
        if campaign.status is CampaignStatus.DRAFT and campaign.platform_campaign_id is None:
            return Outcome(campaign.status_reason)
    return None


async def _activate(agent: AdsAgent, _: Store, order: Order) -> Outcome:
    return _acted(await agent.activate(_campaign_id(order)))


async def _pause(agent: AdsAgent, _: Store, order: Order) -> Outcome:
    return _acted(await agent.pause(_campaign_id(order)))


async def _budget(agent: AdsAgent, store: Store, order: Order) -> Outcome:
    campaign = Campaigns(store).get(_campaign_id(order), creatives=False)
    amount = to_major(int(order.payload["daily_budget_minor"]), campaign.currency)
    return _acted(await agent.adjust_budget(campaign.id, amount))


async def _pause_creative(agent: AdsAgent, _: Store, order: Order) -> Outcome:
    creative = str(order.payload["creative_id"])
    return _acted(await agent.pause_creative(_campaign_id(order), creative))


async def _scale_creative(agent: AdsAgent, _: Store, order: Order) -> Outcome:
    creative, percent = str(order.payload["creative_id"]), int(order.payload["percent"])
    return _acted(await agent.scale_creative(_campaign_id(order), creative, percent))


async def _optimize(agent: AdsAgent, _: Store, order: Order) -> Outcome:
    return _optimized(await agent.optimize_campaign(_campaign_id(order)))


async def _take_over(agent: AdsAgent, _: Store, order: Order) -> Outcome:
    campaign = await agent.take_over(_campaign_id(order))
    amount = show(to_major(campaign.daily_budget_minor, campaign.currency), campaign.currency)
    return Outcome(f"{campaign.name} has {amount} a day, as the platform shows it.")


async def _launch(agent: AdsAgent, _: Store, order: Order) -> Outcome:
    return _stands(await agent.launch(_campaign_id(order)))


async def _roll_back(agent: AdsAgent, _: Store, order: Order) -> Outcome:
    return _stands(await agent.roll_back(_campaign_id(order)))


async def _review(agent: AdsAgent, _: Store, order: Order) -> Outcome:
    return _stands(await agent.review(_campaign_id(order)))


async def _undo(agent: AdsAgent, _: Store, order: Order) -> Outcome:
    return _rewritten(await agent.undo(_change_id(order), again=order.attempt > 1))


async def _retry(agent: AdsAgent, _: Store, order: Order) -> Outcome:
    return _rewritten(await agent.retry(_change_id(order)))


_Act = Callable[[AdsAgent, Store, Order], Awaitable[Outcome]]
_ACTS: dict[OrderKind, _Act] = {
    OrderKind.ACTIVATE: _activate,
    OrderKind.PAUSE: _pause,
    OrderKind.BUDGET: _budget,
    OrderKind.PAUSE_CREATIVE: _pause_creative,
    OrderKind.SCALE_CREATIVE: _scale_creative,
    OrderKind.OPTIMIZE: _optimize,
    OrderKind.TAKE_OVER: _take_over,
    OrderKind.LAUNCH: _launch,
    OrderKind.ROLL_BACK: _roll_back,
    OrderKind.REVIEW: _review,
    OrderKind.UNDO: _undo,
    OrderKind.RETRY: _retry,
}


def _acted(acted: Acted) -> Outcome:
    return _of_changes(acted.changes, acted.told)


def _rewritten(done: Rewritten) -> Outcome:
    return _of_changes(done.changes, done.told)


def _of_changes(records: Sequence[ChangeRecord], told: str) -> Outcome:
    """Done where all is written or will be by itself; failed where a part came to nothing."""
    ids = [record.id for record in records]
    lost = [record for record in records if record.state not in (*_OPEN, ChangeState.APPLIED)]
    if lost:
        remedy = "Look at its changes: each says why, and what the platform shows."
        return Outcome(told, ids, failed=True, remedy=remedy)
    if any(record.state in _OPEN for record in records):
        return Outcome(f"{told} What waits is written by itself as soon as it may be.", ids)
    return Outcome(told, ids)


def _optimized(done: Optimized) -> Outcome:
    word = done.action.value
    told = (
        f"Decision: {word}, with a confidence of {done.confidence:.0%}. {done.reason} {done.told}"
    )
    proposed = [record for record in done.changes if record.state is ChangeState.PROPOSED]
    if len(proposed) == len(done.changes):  # they wait for a decision, not for being written
        return Outcome(told, [record.id for record in proposed])
    return _of_changes(done.changes, told)


def _stands(campaign: AdCampaign) -> Outcome:
    status = campaign.status.value.replace("_", " ")
    return Outcome(f"{campaign.name} is {status}. {campaign.status_reason}".strip())


def _campaign_id(order: Order) -> str:
    if order.campaign_id is None:
        raise ZyentaError(f"Order {order.id} names no campaign.", "Ask for it anew.")
    return order.campaign_id


def _change_id(order: Order) -> str:
    return str(order.payload["change_id"])
