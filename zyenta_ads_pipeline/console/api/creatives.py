"""Creatives: listed, looked at, paused and scaled."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from zyenta_ads_pipeline.console.api import campaign_shapes as shapes
from zyenta_ads_pipeline.console.api import order_shapes
from zyenta_ads_pipeline.console.api.campaigns import CampaignId
from zyenta_ads_pipeline.console.api.declared import BUYER, PREFIX, acting, problems, router
from zyenta_ads_pipeline.console.api.entry import Me, TheDesks
from zyenta_ads_pipeline.console.api.problems import ProblemRaised
from zyenta_ads_pipeline.console.api.shapes import Body
from zyenta_ads_pipeline.console.api.tags import IfMatch, seen
from zyenta_ads_pipeline.console.api.waiting import Prefer, settled
from zyenta_ads_pipeline.console.api.writing import Json
from zyenta_ads_pipeline.console.desks.desks import Desks
from zyenta_ads_pipeline.domain.access import Person
from zyenta_ads_pipeline.store.orders import OrderKind

routes = router("creatives")
CreativeId = Annotated[str, Path(min_length=1, max_length=100)]


class ScaleBody(Body):
    """By how much."""

    percent: int = Field(ge=1, le=100, examples=[20], description="Percent more of its budget.")


@routes.get(
    "/campaigns/{campaign_id}/creatives",
    response_model=shapes.Creatives,
    responses=problems(404),
    summary="List creatives",
)
def list_creatives(campaign_id: CampaignId, me: Me, desks: TheDesks) -> Response:
    """A campaign's creatives: what they say, their test state, and their numbers."""
    campaign = desks.campaigns.get(me, campaign_id)
    found = [shapes.creative(each, campaign.currency) for each in campaign.creatives]
    return Json({"creatives": found})


@routes.get(
    "/campaigns/{campaign_id}/creatives/{creative_id}",
    response_model=shapes.Creative,
    responses=problems(404),
    summary="Look at a creative",
)
def get_creative(
    campaign_id: CampaignId, creative_id: CreativeId, me: Me, desks: TheDesks
) -> Response:
    """One creative of a campaign."""
    campaign = desks.campaigns.get(me, campaign_id)
    for each in campaign.creatives:
        if each.id == creative_id:
            return Json(shapes.creative(each, campaign.currency))
    raise _not_there(campaign_id, creative_id)


@routes.post(
    "/campaigns/{campaign_id}/creatives/{creative_id}/pause",
    response_model=order_shapes.Ordered,
    responses=acting(),
    openapi_extra=BUYER,
    summary="Pause a creative",
)
async def pause_creative(
    campaign_id: CampaignId,
    creative_id: CreativeId,
    me: Me,
    desks: TheDesks,
    prefer: Prefer = None,
) -> Response:
    """Orders one creative to be switched off."""
    payload = {"creative_id": creative_id}
    return await _order(desks, me, campaign_id, OrderKind.PAUSE_CREATIVE, payload, prefer)


@routes.post(
    "/campaigns/{campaign_id}/creatives/{creative_id}/scale",
    response_model=order_shapes.Ordered,
    responses=acting(412),
    openapi_extra=BUYER,
    summary="Scale a creative",
)
async def scale_creative(
    campaign_id: CampaignId,
    creative_id: CreativeId,
    body: ScaleBody,
    me: Me,
    desks: TheDesks,
    if_match: IfMatch = None,
    prefer: Prefer = None,
) -> Response:
    """Orders more budget for one creative's ad set. Asked for twice it is raised twice: send
    `If-Match` with the campaign's `ETag`, or an `Idempotency-Key`."""
    payload = {"creative_id": creative_id, "percent": body.percent}
    version = seen(if_match)
    return await _order(desks, me, campaign_id, OrderKind.SCALE_CREATIVE, payload, prefer, version)


async def _order(
    desks: Desks,
    me: Person,
    campaign_id: str,
    kind: OrderKind,
    payload: dict[str, Any],
    prefer: str | None,
    version: str | None = None,
) -> Response:
    def ask() -> Any:
        campaign = desks.campaigns.get(me, campaign_id)
        if payload["creative_id"] not in {each.id for each in campaign.creatives}:
            raise _not_there(campaign_id, payload["creative_id"])
        return desks.campaigns.order(me, campaign.id, kind, payload, expected=version)

    made = await run_in_threadpool(ask)
    made = await settled(made, prefer, lambda one: desks.campaigns.order_state(me, one))
    return Json(order_shapes.ordered(made))


def _not_there(campaign_id: str, creative_id: str) -> ProblemRaised:
    return ProblemRaised(
        404,
        f"Campaign {campaign_id} has no creative {creative_id!r}.",
        f"List them: GET {PREFIX}/campaigns/{campaign_id}/creatives.",
        field="creative_id",
    )
