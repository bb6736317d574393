"""Orders and requests: how far is what was asked for."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path
from starlette.responses import Response

from zyenta_ads_pipeline.console.api import order_shapes as shapes
from zyenta_ads_pipeline.console.api.campaigns import CampaignId
from zyenta_ads_pipeline.console.api.declared import BUYER, acting, problems, router
from zyenta_ads_pipeline.console.api.entry import Me, TheDesks
from zyenta_ads_pipeline.console.api.writing import Json

routes = router("orders and requests")
OrderId = Annotated[str, Path(min_length=1, max_length=100)]
RequestId = Annotated[str, Path(min_length=1, max_length=100)]


@routes.get(
    "/orders/{order_id}",
    response_model=shapes.OrderShape,
    responses=problems(404),
    summary="Look how far an order is",
)
def get_order(order_id: OrderId, me: Me, desks: TheDesks) -> Response:
    """One order as it stands."""
    return Json(shapes.order(desks.campaigns.order_state(me, order_id)))


@routes.post(
    "/orders/{order_id}/withdraw",
    response_model=shapes.OrderShape,
    responses=acting(),
    openapi_extra=BUYER,
    summary="Withdraw an order that still waits",
)
def withdraw_order(order_id: OrderId, me: Me, desks: TheDesks) -> Response:
    """An order that nobody has begun is not done. One that is being done, or over, is a 409."""
    return Json(shapes.order(desks.campaigns.withdraw(me, order_id)))


@routes.get(
    "/campaigns/{campaign_id}/orders",
    response_model=shapes.Orders,
    responses=problems(404),
    summary="List a campaign's orders",
)
def list_orders(campaign_id: CampaignId, me: Me, desks: TheDesks) -> Response:
    """The orders of a campaign, the newest first; at most 100."""
    return Json({"orders": [shapes.order(one) for one in desks.campaigns.orders(me, campaign_id)]})


@routes.get(
    "/campaigns/{campaign_id}/launch",
    response_model=shapes.Steps,
    responses=problems(404),
    summary="Look at a launch",
)
def get_launch(campaign_id: CampaignId, me: Me, desks: TheDesks) -> Response:
    """The steps of a campaign's launch, in order; none for one that was adopted."""
    return Json({"steps": [shapes.step(one) for one in desks.campaigns.steps(me, campaign_id)]})


@routes.get(
    "/requests",
    response_model=shapes.Requests,
    responses=problems(),
    summary="List requests",
)
def list_requests(me: Me, desks: TheDesks) -> Response:
    """Requests for campaigns that wait, are worked on or failed, the newest first; at most 200."""
    return Json({"requests": [shapes.waiting(one) for one in desks.campaigns.requests(me)]})


@routes.get(
    "/requests/{request_id}",
    response_model=shapes.RequestShape,
    responses=problems(404),
    summary="Look how far a request is",
)
def get_request(request_id: RequestId, me: Me, desks: TheDesks) -> Response:
    """One request, with the steps of the launch that it leads to."""
    return Json(shapes.request(desks.campaigns.request(me, request_id)))


@routes.post(
    "/requests/{request_id}/retry",
    response_model=shapes.RequestShape,
    responses=acting(),
    openapi_extra=BUYER,
    summary="Carry out a failed request again",
)
def retry_request(request_id: RequestId, me: Me, desks: TheDesks) -> Response:
    """A request that failed waits again, once what it failed of is mended. What was made stays."""
    desks.campaigns.retry(me, request_id)
    return Json(shapes.request(desks.campaigns.request(me, request_id)))
