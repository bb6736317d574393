"""Orders and requests as the API shows them: what was asked for, and how far it is."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from zyenta_ads_pipeline.console.api.shapes import Json, Moment, Money, Shape
from zyenta_ads_pipeline.console.api.writing import amount, moment
from zyenta_ads_pipeline.console.desks.campaigns import Asked, Progress
from zyenta_ads_pipeline.domain.campaign import CampaignObjective
from zyenta_ads_pipeline.domain.launch import StepKind, StepState
from zyenta_ads_pipeline.store.campaign_models import RequestStep
from zyenta_ads_pipeline.store.orders import Order, OrderKind, OrderState


class OrderShape(Shape):
    """An order. `waiting` and `working` are still to come; `failed` says why, and the remedy;
    `withdrawn` by whom, or that a newer one took its place."""

    id: str
    kind: OrderKind
    state: OrderState
    note: str
    remedy: str
    campaign_id: str | None
    account_id: str
    payload: dict[str, Any]
    change_ids: list[str]
    attempt: int
    asked_by: str
    asked_at: Moment
    updated_at: Moment
    href: str = Field(description="Where to look how far it is.")

    model_config = Shape.model_config | {
        "json_schema_extra": {
            "examples": [
                {
                    "id": "c0ffee",
                    "kind": "activate",
                    "state": "waiting",
                    "note": "",
                    "remedy": "",
                    "campaignId": "9d3f",
                    "accountId": "101",
                    "payload": {},
                    "changeIds": [],
                    "attempt": 0,
                    "askedBy": "eva",
                    "askedAt": "2026-11-20T12:00:00Z",
                    "updatedAt": "2026-11-20T12:00:00Z",
                    "href": "/api/v1/ads/orders/c0ffee",
                }
            ]
        }
    }


class Orders(Shape):
    """Orders, the newest first."""

    orders: list[OrderShape]


class Ordered(Shape):
    """The reply to an order. `message` says what was done; or, as it is still to come, that."""

    success: bool
    message: str
    order: OrderShape


class Optimized(Shape):
    """The reply to an order to optimize; `optimization` is the order itself."""

    success: bool
    optimization: OrderShape


class Step(Shape):
    """One step of a launch."""

    position: int
    kind: StepKind
    name: str
    state: StepState
    platform_id: str | None
    attempt: int
    note: str


class Steps(Shape):
    """The steps of a launch, in order."""

    steps: list[Step]


class RequestShape(Shape):
    """A request for a campaign, and how far it is. `campaignId` once there is one."""

    id: str
    store_id: str
    platform: str
    objective: CampaignObjective
    name: str
    daily_budget: Money
    currency: str
    duration_days: int
    variations: int
    product_ids: list[str]
    auto_optimize: bool
    requested_by: str
    requested_at: Moment
    state: RequestStep
    note: str
    error: str | None
    campaign_id: str | None
    updated_at: Moment
    steps: list[Step]
    steps_done: int


class Requests(Shape):
    """Requests that are not done, the newest first."""

    requests: list[RequestShape]


_DONE = {
    OrderKind.ACTIVATE: "Campaign activated",
    OrderKind.PAUSE: "Campaign paused",
    OrderKind.BUDGET: "Daily budget set",
    OrderKind.PAUSE_CREATIVE: "Creative paused",
    OrderKind.SCALE_CREATIVE: "Creative scaled",
    OrderKind.OPTIMIZE: "Campaign optimized",
    OrderKind.TAKE_OVER: "Budget taken over",
    OrderKind.LAUNCH: "Campaign launched",
    OrderKind.ROLL_BACK: "Launch rolled back",
    OrderKind.UNDO: "Change undone",
    OrderKind.RETRY: "Change written",
    OrderKind.REVIEW: "Campaign looked at",
}


def order(one: Order) -> Json:
    """One order."""
    return {
        "id": one.id,
        "kind": one.kind,
        "state": one.state,
        "note": one.note,
        "remedy": one.remedy,
        "campaignId": one.campaign_id,
        "accountId": one.account_id,
        "payload": dict(one.payload),
        "changeIds": list(one.change_ids),
        "attempt": one.attempt,
        "askedBy": one.asked_by,
        "askedAt": moment(one.asked_at),
        "updatedAt": moment(one.updated_at),
        "href": f"/api/v1/ads/orders/{one.id}",
    }


def ordered(one: Order) -> Json:
    """The seeds' reply to an act, with the order that stands for it."""
    if one.state is OrderState.DONE:
        message = _DONE[one.kind]
    elif not one.is_open:
        message = f"{one.note} {one.remedy}".strip()
    else:
        message = "Asked for; the running pipeline does it. `order` says how far it is."
    return {
        "success": one.state is OrderState.DONE or one.is_open,
        "message": message,
        "order": order(one),
    }


def request(progress: Progress) -> Json:
    """One request with the steps of its launch."""
    return _request(progress) | {
        "steps": [step(each) for each in progress.steps],
        "stepsDone": progress.done,
    }


def waiting(asked: Asked) -> Json:
    """One request of a list, without steps."""
    return _request(asked) | {"steps": [], "stepsDone": 0}


def step(each: Any) -> Json:
    """One step of a launch."""
    return {
        "position": each.position,
        "kind": each.kind,
        "name": each.name,
        "state": each.state,
        "platformId": each.platform_id,
        "attempt": each.attempt,
        "note": each.note,
    }


def _request(asked: Asked | Progress) -> Json:
    made, state = asked.request, asked.state
    return {
        "id": made.id,
        "storeId": made.store_id,
        "platform": made.platform,
        "objective": made.objective,
        "name": made.name,
        "dailyBudget": amount(made.daily_budget_minor, made.currency),
        "currency": made.currency,
        "durationDays": made.duration_days,
        "variations": made.variations,
        "productIds": list(made.product_ids),
        "autoOptimize": made.auto_optimize,
        "requestedBy": made.requested_by,
        "requestedAt": moment(made.requested_at),
        "state": state.state,
        "note": state.note,
        "error": state.error,
        "campaignId": state.campaign_id,
        "updatedAt": moment(state.updated_at),
    }
