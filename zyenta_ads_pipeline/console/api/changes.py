"""Changes: listed, looked at, approved, edited, rejected, undone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import Path, Query, Request
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from zyenta_ads_pipeline.console.api import change_shapes as shapes
from zyenta_ads_pipeline.console.api import order_shapes
from zyenta_ads_pipeline.console.api.campaigns import Budget
from zyenta_ads_pipeline.console.api.declared import BUYER, acting, problems, router
from zyenta_ads_pipeline.console.api.entry import Me, NothingDone, TheDesks
from zyenta_ads_pipeline.console.api.shapes import (
    WITHOUT_BLANKS,
    Body,
    PageNumber,
    PageSize,
    page_of,
)
from zyenta_ads_pipeline.console.api.tags import IfMatch, required, seen, tag, tagged
from zyenta_ads_pipeline.console.api.waiting import Prefer, settled
from zyenta_ads_pipeline.console.api.writing import Json
from zyenta_ads_pipeline.console.desks.changes import LONGEST_REASON, Decided
from zyenta_ads_pipeline.console.desks.desks import Desks
from zyenta_ads_pipeline.domain.change import ChangeField, ChangeState
from zyenta_ads_pipeline.domain.money import to_minor
from zyenta_ads_pipeline.store.change_pages import ChangeQuery, ChangeSort

routes = router("changes")
ChangeId = Annotated[str, Path(min_length=1, max_length=100)]
_Id = Annotated[str, Field(min_length=1, max_length=100)]
_MOST = 200


class Chosen(Body):
    """Which changes."""

    ids: list[_Id] = Field(min_length=1, max_length=_MOST, examples=[["3f9a1c02b7de"]])
    versions: dict[_Id, str] = Field(
        default_factory=dict,
        description="The versions that were seen, by id: what changed since is refused (412).",
    )


class Reason(Body):
    """Why not, if it is to be told."""

    reason: str = Field("", max_length=LONGEST_REASON, examples=["The sale ends tonight."])


class Rejected(Chosen, Reason):
    """Which changes, and why not."""


class Edit(Body):
    """The buyer's own value in the place of the proposed one."""

    daily_budget: Budget = Field(examples=[55])
    approve: bool = Field(True, description="False: it is only proposed.")


@routes.get(
    "/changes",
    response_model=shapes.ListedChanges,
    responses=problems(),
    summary="List changes",
)
def list_changes(
    me: Me,
    desks: TheDesks,
    state: Annotated[
        list[ChangeState] | None,
        WITHOUT_BLANKS,
        Query(description="May be given several times."),
    ] = None,
    account_id: Annotated[str | None, Query(max_length=40)] = None,
    platform_campaign_id: Annotated[str | None, Query(max_length=40)] = None,
    object_id: Annotated[str | None, Query(max_length=40)] = None,
    field: ChangeField | None = None,
    policy: Annotated[str | None, Query(max_length=200)] = None,
    search: Annotated[str, Query(max_length=200, description="Part of an object's name.")] = "",
    sort: ChangeSort = ChangeSort.NUMBER,
    descending: bool = True,
    page: PageNumber = 1,
    per_page: PageSize = 50,
) -> Response:
    """The changes that fit, the newest first unless sorted otherwise, and how many there are of
    each state."""
    found = desks.changes.page(
        me,
        ChangeQuery(
            text=search,
            states=tuple(state or ()),
            account_id=account_id.removeprefix("act_") if account_id else None,
            campaign_id=platform_campaign_id,
            object_id=object_id,
            change_field=field,
            policy=policy,
            sort=sort,
            descending=descending,
            page=page,
            size=per_page,
        ),
    )
    rows = [shapes.listed(row, desks.changes.version(row.record)) for row in found.rows]
    return Json(page_of(found) | {"changes": rows, "byState": dict(found.by_state)})


@routes.post(
    "/changes/approve",
    response_model=shapes.Decided,
    responses=acting(412),
    openapi_extra=BUYER,
    summary="Approve changes",
)
def approve_changes(body: Chosen, me: Me, desks: TheDesks) -> Response:
    """Approves each of them that can be; the running pipeline writes them. What is approved already
    is no error: `already` says who did it, and when. `refused` says of each other one why it was
    left as it is; one that is asked for alone is answered with that error."""
    return _decided(desks, desks.changes.approve(me, body.ids, body.versions or None))


@routes.post(
    "/changes/reject",
    response_model=shapes.Decided,
    responses=acting(412),
    openapi_extra=BUYER,
    summary="Reject changes",
)
def reject_changes(body: Rejected, me: Me, desks: TheDesks) -> Response:
    """Rejects each of them that can be, with the reason if one is given; the reply is as for
    approving. What is approved already is rejected too, while it is not being written; with its
    version only as it was seen."""
    return _decided(desks, desks.changes.reject(me, body.ids, body.reason, body.versions or None))


@routes.get(
    "/changes/{change_id}",
    response_model=shapes.Change,
    responses={304: {"description": "As you have it."}, **problems(404)},
    summary="Look at a change",
)
def get_change(change_id: ChangeId, request: Request, me: Me, desks: TheDesks) -> Response:
    """One change. `ETag` is its version."""
    record = desks.changes.get(me, change_id)
    version = desks.changes.version(record)
    return tagged(request, shapes.change(record, version), version)


@routes.get(
    "/changes/{change_id}/journal",
    response_model=shapes.Journal,
    responses=problems(404),
    summary="Read a change's journal",
)
def get_journal(change_id: ChangeId, me: Me, desks: TheDesks) -> Response:
    """Every step and note of one change: who, when, why, and what the platform answered."""
    return Json({"journal": [shapes.entry(each) for each in desks.changes.journal(me, change_id)]})


@routes.post(
    "/changes/{change_id}/approve",
    response_model=shapes.Decided,
    responses=acting(412),
    openapi_extra=BUYER,
    summary="Approve a change",
)
def approve_change(
    change_id: ChangeId, me: Me, desks: TheDesks, if_match: IfMatch = None
) -> Response:
    """Approves one change; with `If-Match` only as it was seen."""
    return _decided(desks, desks.changes.approve(me, [change_id], _versions(change_id, if_match)))


@routes.post(
    "/changes/{change_id}/reject",
    response_model=shapes.Decided,
    responses=acting(412),
    openapi_extra=BUYER,
    summary="Reject a change",
)
def reject_change(
    change_id: ChangeId,
    me: Me,
    desks: TheDesks,
    body: Reason | None = None,
    if_match: IfMatch = None,
) -> Response:
    """Rejects one change, with the reason if one is given, also one that is approved; with
    `If-Match` only as it was seen."""
    versions, reason = _versions(change_id, if_match), body.reason if body else ""
    return _decided(desks, desks.changes.reject(me, [change_id], reason, versions))


@routes.patch(
    "/changes/{change_id}",
    response_model=shapes.Change,
    responses=acting(412, 428),
    openapi_extra=BUYER,
    summary="Edit a proposed change",
)
def edit_change(
    change_id: ChangeId, body: Edit, me: Me, desks: TheDesks, if_match: IfMatch = None
) -> Response:
    """Your own daily budget in the place of the proposed one, approved at once. Gives the new
    change; the proposal is superseded. Needs `If-Match` with the proposal's `ETag`."""
    expected = required(if_match)
    currency = desks.changes.get(me, change_id).change.currency
    minor = to_minor(body.daily_budget, currency)
    made = desks.changes.edit(me, change_id, minor, expected, approve=body.approve)
    version = desks.changes.version(made)
    return Json(shapes.change(made, version), headers={"ETag": tag(version)})


@routes.post(
    "/changes/{change_id}/undo",
    response_model=order_shapes.Ordered,
    responses=acting(),
    openapi_extra=BUYER,
    summary="Undo a change",
)
async def undo_change(
    change_id: ChangeId, me: Me, desks: TheDesks, prefer: Prefer = None
) -> Response:
    """Orders an applied change, and those of the same act, to be taken back."""
    made = await run_in_threadpool(desks.changes.undo, me, change_id)
    made = await settled(made, prefer, lambda one: desks.changes.order_state(me, one))
    return Json(order_shapes.ordered(made))


def _versions(change_id: str, if_match: str | None) -> Mapping[str, str] | None:
    version = seen(if_match)
    return None if version is None else {change_id: version}


def _decided(desks: Desks, found: Decided) -> Response:
    version = desks.changes.version
    told = {
        "success": not found.refused,
        "changes": [shapes.change(each, version(each)) for each in found.moved],
        "already": [shapes.already(each, version(each.record)) for each in found.already],
        "refused": [
            shapes.refused(each, version(each.record) if each.record else "")
            for each in found.refused
        ],
    }
    return NothingDone(told) if found.refused and not found.moved else Json(told)
