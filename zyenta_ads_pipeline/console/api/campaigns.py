"""Campaigns: asked for, listed, looked at, and ordered about. The seeds' six are among them."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from fastapi import Body as JsonBody
from fastapi import Path, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import Field, ValidationError, WithJsonSchema
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from zyenta_ads_pipeline.console.api import campaign_shapes as shapes
from zyenta_ads_pipeline.console.api import order_shapes
from zyenta_ads_pipeline.console.api.declared import BUYER, PREFIX, acting, problems, router
from zyenta_ads_pipeline.console.api.entry import KEY_HEADER, Me, TheDesks
from zyenta_ads_pipeline.console.api.problems import ProblemRaised
from zyenta_ads_pipeline.console.api.shapes import (
    WITHOUT_BLANKS,
    Body,
    PageNumber,
    PageSize,
    page_of,
)
from zyenta_ads_pipeline.console.api.tags import IfMatch, required, seen, tagged
from zyenta_ads_pipeline.console.api.waiting import Prefer, settled
from zyenta_ads_pipeline.console.api.writing import Json, Written, amount
from zyenta_ads_pipeline.console.desks.asking import NewCampaign
from zyenta_ads_pipeline.console.desks.campaigns import Progress
from zyenta_ads_pipeline.console.desks.desks import Desks
from zyenta_ads_pipeline.domain.access import Person
from zyenta_ads_pipeline.domain.budget_limits import NO_BUDGET
from zyenta_ads_pipeline.domain.campaign import (
    LONGEST_DAYS,
    BudgetLevel,
    CampaignObjective,
    CampaignStatus,
)
from zyenta_ads_pipeline.domain.errors import NotThere
from zyenta_ads_pipeline.store.campaign_pages import CampaignQuery, CampaignSort
from zyenta_ads_pipeline.store.orders import OrderKind

routes = router("campaigns")
CampaignId = Annotated[
    str,
    Path(
        min_length=1,
        max_length=100,
        description="Id of a campaign, or of the request that it is made from.",
    ),
]
Budget = Annotated[
    Decimal,
    Field(gt=0, lt=NO_BUDGET, allow_inf_nan=False),
    WithJsonSchema(
        {
            "type": "number",
            "exclusiveMinimum": 0,
            "description": "A day, in major units of the ad account's currency; rounded to its "
            "smallest unit. 10 to 10,000 in currencies like the dollar; in others more or less, by "
            "their size: an account's `leastDailyBudget` and `mostDailyBudget` say.",
        }
    ),
]
"""The limits are the account's, so the desks know them; the schema refuses what is no amount."""


class NewCampaignBody(Body):
    """What a new campaign is to be. The first six may stand in the query as well."""

    store_id: str = Field(min_length=1, max_length=50, examples=["store_123"])
    platform: str = Field(max_length=20, examples=["meta"])
    objective: CampaignObjective = Field(examples=["conversions"])
    daily_budget: Budget = Field(examples=[50])
    duration_days: int = Field(7, ge=1, le=LONGEST_DAYS)
    name: str | None = Field(None, max_length=200, description="Left out: one is made.")
    product_ids: list[Annotated[str, Field(max_length=100)]] = Field(
        default_factory=list, max_length=50, description="Empty: the store's first ones."
    )
    variations: int = Field(3, ge=1, le=10, description="Creatives to test.")
    budget_level: BudgetLevel = BudgetLevel.ADSET
    auto_optimize: bool = True


@routes.post(
    "/campaigns/create",
    response_model=shapes.Created,
    responses=acting(),
    openapi_extra=BUYER,
    summary="Create a campaign",
)
async def create_campaign(
    request: Request,
    me: Me,
    desks: TheDesks,
    body: Annotated[
        NewCampaignBody | None,
        JsonBody(description="Instead of the query, or beside it: then the query goes first."),
    ] = None,
    store_id: Annotated[str | None, Query(max_length=50, examples=["store_123"])] = None,
    platform: Annotated[str | None, Query(max_length=20, description="meta")] = None,
    objective: Annotated[CampaignObjective | None, Query()] = None,
    daily_budget: Annotated[Budget | None, Query()] = None,
    duration_days: Annotated[int | None, Query(ge=1, le=LONGEST_DAYS)] = None,
    name: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """Asks for a campaign; the running pipeline writes its creatives and makes it on the platform,
    paused. The `campaign_id` is good at once: `GET /campaigns/{campaign_id}` shows a draft and how
    far it is, and the campaign itself later on. Nothing is spent until it is activated.

    Give `store_id`, `platform`, `objective` and `daily_budget` in the query or in a JSON body.
    """
    query = {
        "store_id": store_id,
        "platform": platform,
        "objective": objective,
        "daily_budget": daily_budget,
        "duration_days": duration_days,
        "name": name,
    }
    wanted = _merged(body, query)
    new = NewCampaign(**wanted.model_dump() | {"name": wanted.name or ""})
    key = request.headers.get(KEY_HEADER)
    whose = None if key is None else f"{me.name}:{key}"
    asked, _ = await run_in_threadpool(desks.campaigns.ask, me, new, whose)
    content = {
        "success": True,
        "campaign_id": asked.id,
        "name": asked.name,
        "status": CampaignStatus.DRAFT,
        "requestId": asked.id,
        "dailyBudget": amount(asked.daily_budget_minor, asked.currency),
        "currency": asked.currency,
        "message": "Asked for; the running pipeline makes it. Its address says how far it is.",
    }
    return Json(content, headers={"Location": f"{PREFIX}/campaigns/{asked.id}"})


@routes.get(
    "/campaigns",
    response_model=shapes.Listed,
    responses=problems(),
    summary="List campaigns",
)
def list_campaigns(
    me: Me,
    desks: TheDesks,
    store_id: Annotated[str | None, Query(max_length=50)] = None,
    status: Annotated[
        list[CampaignStatus] | None,
        WITHOUT_BLANKS,
        Query(description="May be given several times."),
    ] = None,
    objective: Annotated[list[CampaignObjective] | None, WITHOUT_BLANKS, Query()] = None,
    platform: Annotated[str | None, Query(max_length=20)] = None,
    account_id: Annotated[str | None, Query(max_length=40)] = None,
    currency: Annotated[str | None, Query(max_length=3)] = None,
    search: Annotated[
        str, Query(max_length=200, description="Part of a name, or the whole of an id.")
    ] = "",
    sort: CampaignSort = CampaignSort.CREATED,
    descending: bool = True,
    page: PageNumber = 1,
    per_page: PageSize = 200,
) -> Response:
    """The campaigns that fit, the newest first unless sorted otherwise; with the sums of all that
    fit, by currency, and how many there are of each status."""
    query = CampaignQuery(
        text=search,
        statuses=tuple(status or ()),
        objectives=tuple(objective or ()),
        store_id=store_id,
        account_id=account_id.removeprefix("act_") if account_id else None,
        platform=platform,
        currency=currency,
        sort=sort,
        descending=descending,
        page=page,
        size=per_page,
    )
    found = desks.campaigns.page(me, query)
    return Written(shapes.listed(found, page_of(found)))


@routes.get(
    "/campaigns/{campaign_id}",
    response_model=shapes.Detail,
    responses={304: {"description": "As you have it."}, **problems(404)},
    summary="Look at a campaign",
)
def get_campaign(campaign_id: CampaignId, request: Request, me: Me, desks: TheDesks) -> Response:
    """One campaign with its numbers and creatives. `ETag` is its version."""
    try:
        campaign = desks.campaigns.get(me, campaign_id)
    except NotThere:
        progress = _request_of(desks, me, campaign_id)
        if progress.campaign is None:
            return Json(shapes.coming(progress))
        campaign = desks.campaigns.get(me, progress.campaign.id)
    allowed = sorted(kind.value for kind in desks.campaigns.allowed(me, campaign))
    version = desks.campaigns.version(campaign)
    return tagged(request, shapes.detail(campaign, allowed), version)


class BudgetBody(Body):
    """A campaign's own settings that can be changed."""

    daily_budget: Budget = Field(examples=[60])


@routes.patch(
    "/campaigns/{campaign_id}",
    response_model=order_shapes.Ordered,
    responses=acting(412, 428),
    openapi_extra=BUYER,
    summary="Set a campaign's daily budget",
)
async def set_budget(
    campaign_id: CampaignId,
    body: BudgetBody,
    me: Me,
    desks: TheDesks,
    if_match: IfMatch = None,
    prefer: Prefer = None,
) -> Response:
    """Orders another daily budget. Needs `If-Match` with the campaign's `ETag`."""
    version = required(if_match)
    payload = {"daily_budget": body.daily_budget}
    return await _order(desks, me, campaign_id, OrderKind.BUDGET, prefer, payload, version)


@routes.post(
    "/campaigns/{campaign_id}/optimize",
    response_model=order_shapes.Optimized,
    responses=acting(412),
    openapi_extra=BUYER,
    summary="Optimize a campaign",
)
async def optimize_campaign(
    campaign_id: CampaignId, me: Me, desks: TheDesks, prefer: Prefer = None
) -> Response:
    """Orders what the policy says of the campaign on its newest complete days; the changes that it
    leads to are proposed, or written where the autopilot may."""
    own = await run_in_threadpool(_own_id, desks, me, campaign_id)
    made = await run_in_threadpool(desks.campaigns.order, me, own, OrderKind.OPTIMIZE)
    made = await settled(made, prefer, lambda one: desks.campaigns.order_state(me, one))
    told = order_shapes.ordered(made)
    return Json({"success": told["success"], "optimization": told["order"]})


_ACTS = {
    OrderKind.ACTIVATE: ("activate", "Switch a campaign on; it spends from then on."),
    OrderKind.PAUSE: ("pause", "Switch a campaign off."),
    OrderKind.LAUNCH: ("launch", "Go on with a launch that stopped."),
    OrderKind.ROLL_BACK: ("rollback", "Delete what a stopped launch made."),
    OrderKind.TAKE_OVER: ("take-over", "Take a budget set in Ads Manager for the campaign's own."),
    OrderKind.REVIEW: ("review", "Look how it stands on the platform."),
}


def _add_act(kind: OrderKind, word: str, told: str) -> None:
    """A route for an order that needs nothing but its campaign."""

    async def act(
        campaign_id: CampaignId,
        me: Me,
        desks: TheDesks,
        if_match: IfMatch = None,
        prefer: Prefer = None,
    ) -> Response:
        return await _order(desks, me, campaign_id, kind, prefer, version=seen(if_match))

    act.__doc__ = f"{told} An order: the running pipeline does it."
    routes.post(
        f"/campaigns/{{campaign_id}}/{word}",
        response_model=order_shapes.Ordered,
        responses=acting(412),
        openapi_extra=BUYER,
        name=f"{kind.value}_campaign",
        summary=told.partition(";")[0].rstrip("."),
    )(act)


for _kind, (_word, _told) in _ACTS.items():
    _add_act(_kind, _word, _told)


async def _order(
    desks: Desks,
    me: Person,
    campaign_id: str,
    kind: OrderKind,
    prefer: str | None,
    payload: dict[str, Any] | None = None,
    version: str | None = None,
) -> Response:
    own = await run_in_threadpool(_own_id, desks, me, campaign_id)
    made = await run_in_threadpool(
        desks.campaigns.order, me, own, kind, payload or {}, expected=version
    )
    made = await settled(made, prefer, lambda one: desks.campaigns.order_state(me, one))
    return Json(order_shapes.ordered(made))


def _own_id(desks: Desks, me: Person, campaign_id: str) -> str:
    """The campaign's id, also where its request's was given. Raises `NotThere`, or a problem (409)
    where the campaign is not made yet."""
    try:
        return desks.campaigns.get(me, campaign_id).id
    except NotThere:
        progress = _request_of(desks, me, campaign_id)
    if progress.campaign is None:
        raise ProblemRaised(
            409,
            "The campaign is still being made.",
            f"Wait for it: GET {PREFIX}/campaigns/{campaign_id} says how far it is.",
            field="campaign_id",
        )
    return progress.campaign.id


def _request_of(desks: Desks, me: Person, campaign_id: str) -> Progress:
    try:
        return desks.campaigns.request(me, campaign_id)
    except NotThere:
        raise ProblemRaised(
            404,
            f"There is no campaign {campaign_id!r}.",
            f"List them: GET {PREFIX}/campaigns.",
            field="campaign_id",
        ) from None


def _merged(body: NewCampaignBody | None, query: dict[str, Any]) -> NewCampaignBody:
    given = {name: value for name, value in query.items() if value is not None}
    if body is not None and not given:
        return body
    said = {} if body is None else body.model_dump(exclude_unset=True)
    try:
        return NewCampaignBody(**said | given)
    except ValidationError as error:
        found = [{**each, "loc": ("query", *each["loc"])} for each in error.errors()]
        raise RequestValidationError(found) from None
