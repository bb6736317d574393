"""Changes: what is proposed, why and how surely; approved, edited, rejected, undone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from zyenta_ads_pipeline.console.desks.changes import Decided
from zyenta_ads_pipeline.console.pages.change_lines import change_row, change_rows
from zyenta_ads_pipeline.console.pages.paging import pager
from zyenta_ads_pipeline.console.pages.site import Site
from zyenta_ads_pipeline.console.pages.typed import amount
from zyenta_ads_pipeline.console.pages.visit import Visit, own_path, with_query
from zyenta_ads_pipeline.console.pages.words import (
    CHANGES,
    ORDER_STATES,
    ORDERS,
    many,
    moment,
    refusal,
)
from zyenta_ads_pipeline.domain.change import ChangeState
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.domain.money import to_minor
from zyenta_ads_pipeline.store.change_pages import ChangeQuery
from zyenta_ads_pipeline.store.orders import Order

PATH = "/changes"
_TABS: dict[str, tuple[str, tuple[ChangeState, ...]]] = {
    "proposed": ("Waiting for you", (ChangeState.PROPOSED,)),
    "moving": ("On their way", (ChangeState.APPROVED, ChangeState.SENDING)),
    "applied": ("Applied", (ChangeState.APPLIED,)),
    "trouble": ("Went wrong", (ChangeState.CONFLICT, ChangeState.FAILED)),
    "dropped": ("Dropped", (ChangeState.REJECTED, ChangeState.SUPERSEDED)),
    "all": ("All", ()),
}
_SIZE = 25
_EMPTY = {
    "proposed": (
        "Nothing waits for you",
        "The optimizer proposes changes hourly, once it knows enough. They come up here.",
    ),
    "moving": ("Nothing is on its way", "What is approved shows here until it is written to Meta."),
    "applied": ("Nothing was applied yet", "Changes that Meta has taken show here."),
    "trouble": ("Nothing went wrong", "Changes that met a conflict or failed show here."),
    "dropped": ("Nothing was dropped", "Rejected and superseded changes show here."),
    "all": ("No changes yet", "The optimizer proposes changes hourly, once it knows enough."),
}


def routes(site: Site) -> list[Route]:
    """The list, one change, and what is decided on them."""
    return [
        site.get(PATH, page),
        site.post(f"{PATH}/approve", approve),
        site.post(f"{PATH}/reject", reject),
        site.get(f"{PATH}/{{id}}", one),
        site.post(f"{PATH}/{{id}}/edit", edit),
        site.post(f"{PATH}/{{id}}/undo", undo),
        site.post(f"{PATH}/{{id}}/retry", retry),
    ]


def page(visit: Visit) -> Response:
    """A page of changes of one tab."""
    tab = visit.given("state", "proposed")
    tab = tab if tab in _TABS else "proposed"
    text = visit.given("q").strip()[:200]
    account = visit.given("account")
    query = ChangeQuery(
        text=text,
        states=_TABS[tab][1],
        account_id=account or None,
        page=visit.page_number(),
        size=_SIZE,
    )
    found = visit.site.desks.changes.page(visit.person, query)
    kept = {"state": "" if tab == "proposed" else tab, "q": text, "account": account}
    undoable = visit.site.desks.changes.undoable([each.record for each in found.rows])
    rows = [
        change_row(visit, each.record, undoable, each.campaign_id, each.campaign_name)
        for each in found.rows
    ]
    return visit.site.show(
        visit,
        "changes.html",
        tab=tab,
        tabs=_tabs(found.by_state, kept, tab),
        rows=rows,
        text=text,
        kept=kept,
        said=many(found.total_rows, "change"),
        pages=pager(PATH, kept, one="change", rows=found.total_rows, page=found.page,
                    size=found.size),
        empty=_EMPTY[tab] if not text else ("No change fits", "Search for something else."),
        can_approve=any(each.can_decide for each in rows),
        may=visit.buyer,
    )  # fmt: skip


def _tabs(
    counts: Mapping[ChangeState, int], kept: Mapping[str, Any], tab: str
) -> list[tuple[str, str, int, bool]]:
    return [
        (
            with_query(PATH, {**kept, "state": "" if name == "proposed" else name}),
            words,
            sum(counts.get(each, 0) for each in states or tuple(ChangeState)),
            name == tab,
        )
        for name, (words, states) in _TABS.items()
    ]


def one(visit: Visit) -> Response:
    """One change, its whole history, and an order about it that is under way."""
    desk = visit.site.desks.changes
    record = desk.get(visit.person, visit.request.path_params["id"])
    order = _order(visit, record.id)
    (view,) = change_rows(visit, [record])
    return visit.site.show(
        visit,
        "change.html",
        change=view,
        path=f"{PATH}/{record.id}",
        order=order,
        live=(order is not None and order["live"])
        or record.state in (ChangeState.APPROVED, ChangeState.SENDING),
        journal=[
            (
                moment(each.at),
                each.actor,
                f"{visit.site.office.settings.dagster_url}/runs/{each.actor.removeprefix('run ')}"
                if each.actor.startswith("run ")
                else "",
                CHANGES[each.to_state],
                each.note,
                each.trace_id,
            )
            for each in desk.journal(visit.person, record.id)
        ],
        decided=moment(record.change.decided_at),
    )


def _order(visit: Visit, change_id: str) -> dict[str, Any] | None:
    own = visit.given("order")
    if not own:
        return None
    try:
        order = visit.site.desks.changes.order_state(visit.person, own)
    except InputError:
        return None
    if str(order.payload.get("change_id", change_id)) != change_id:
        return None
    look, state = ORDER_STATES[order.state]
    return {
        "id": order.id,
        "words": ORDERS[order.kind],
        "look": look,
        "state": state,
        "note": f"{order.note} {order.remedy}".strip(),
        "live": order.is_open,
        "changes": [each for each in order.change_ids if each != change_id],
    }


def approve(visit: Visit) -> Response:
    """Approve those that were ticked, or the one whose button it was."""
    back = own_path(visit.sent("back"), PATH)
    ids = visit.all_sent("ids")
    if not ids:
        return visit.go(back, "Tick the changes to approve first.", kind="bad")
    try:
        done = visit.site.desks.changes.approve(visit.person, ids, _versions(visit, ids))
    except InputError as error:
        return visit.go(back, refusal(error), kind="bad")
    visit.site.forget_counts()
    return visit.go(back, _decided(done, "approved"), kind="good" if done.moved else "warn")


def reject(visit: Visit) -> Response:
    """Reject them, with a reason."""
    back = own_path(visit.sent("back"), PATH)
    ids = visit.all_sent("ids")
    if not ids:
        return visit.go(back, "Tick the changes to reject first.", kind="bad")
    reason = visit.sent("reason")
    try:
        done = visit.site.desks.changes.reject(visit.person, ids, reason, _versions(visit, ids))
    except InputError as error:
        return visit.go(back, refusal(error), kind="bad")
    visit.site.forget_counts()
    return visit.go(back, _decided(done, "rejected"), kind="good" if done.moved else "warn")


def edit(visit: Visit) -> Response:
    """The buyer's own value in the place of the proposed one, approved at once."""
    desk = visit.site.desks.changes
    own = visit.request.path_params["id"]
    back = own_path(visit.sent("back"), f"{PATH}/{own}")
    currency = desk.get(visit.person, own).change.currency
    try:
        minor = to_minor(amount(visit.sent("value"), "A budget"), currency)
        made = desk.edit(visit.person, own, minor, visit.sent("version") or None)
    except InputError as error:
        return visit.go(back, refusal(error), kind="bad")
    visit.site.forget_counts()
    told = "Your own value took the place of the proposal, and is approved."
    return visit.go(back, told, href=f"{PATH}/{made.id}", link="See it")


def undo(visit: Visit) -> Response:
    """Order an applied change to be taken back."""
    own = visit.request.path_params["id"]
    return _ordered(visit, own, visit.site.desks.changes.undo)


def retry(visit: Visit) -> Response:
    """Order an approved change to be written now."""
    own = visit.request.path_params["id"]
    return _ordered(visit, own, visit.site.desks.changes.retry)


def _ordered(visit: Visit, own: str, act: Any) -> Response:
    try:
        order: Order = act(visit.person, own)
    except InputError as error:
        return visit.go(f"{PATH}/{own}", refusal(error), kind="bad")
    visit.site.forget_counts()
    return visit.go(f"{PATH}/{own}?order={order.id}")


def _versions(visit: Visit, ids: list[str]) -> dict[str, str]:
    """What was seen of each when the page was made."""
    seen = {own: visit.sent(f"version-{own}") for own in ids}
    return {own: version for own, version in seen.items() if version}


def _decided(done: Decided, words: str) -> str:
    told = [f"{many(len(done.moved), 'change')} {words}."] if done.moved else []
    return " ".join([*told, *(each.told for each in done.already)])
