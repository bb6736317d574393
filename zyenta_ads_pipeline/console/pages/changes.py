"""Changes: what is proposed, why and how surely; approved, edited, rejected, undone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from zyenta_ads_pipeline.console.desks.changes import Decided
from zyenta_ads_pipeline.console.pages.change_lines import change_row, shown_name
from zyenta_ads_pipeline.console.pages.order_lines import order_line, withdrawn
from zyenta_ads_pipeline.console.pages.paging import pager
from zyenta_ads_pipeline.console.pages.site import Site
from zyenta_ads_pipeline.console.pages.typed import amount
from zyenta_ads_pipeline.console.pages.visit import Visit, own_path, with_query
from zyenta_ads_pipeline.console.pages.words import CHANGES, many, moment, refusal
from zyenta_ads_pipeline.domain.change import ChangeState
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.domain.money import to_minor
from zyenta_ads_pipeline.store.change_pages import ChangeQuery
from zyenta_ads_pipeline.store.orders import Order, OrderKind
from zyenta_ads_pipeline.store.records import ChangeRecord

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
_RUN = len("run ") + 8
_REFUSED = 8
_ALREADY = 6
_LINE = 160
"""Changes that are told apart in one message, those that were refused first, and signs of each: a
cookie carries it."""
_NAME = 60
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
        site.post(f"{PATH}/{{id}}/orders/{{order}}/withdraw", withdraw),
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
        can_decide=any(each.can_decide for each in rows),
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
    """One change, its whole history, and the orders about it that are under way."""
    desk = visit.site.desks.changes
    record = desk.get(visit.person, visit.request.path_params["id"])
    path = f"{PATH}/{record.id}"
    orders = _orders(visit, record)
    own = desk.campaign_of(visit.person, record)
    undoable = desk.undoable([record])
    view = change_row(visit, record, undoable, own.id if own else "", own.name if own else "")
    asked = any(each.is_open and each.kind is OrderKind.UNDO for each in orders)
    return visit.site.show(
        visit,
        "change.html",
        change=view,
        can_undo=view.can_undo and not asked,
        path=path,
        here=with_query(path, {"order": visit.given("order")}),
        orders=[
            order_line(visit, each, path, view.currency,
                       [other for other in each.change_ids if other != record.id])
            for each in orders
        ],
        live=any(each.is_open for each in orders)
        or record.state in (ChangeState.APPROVED, ChangeState.SENDING),
        journal=[
            (
                moment(each.at),
                _who(each.actor),
                f"{visit.site.office.settings.dagster_url}/runs/{each.actor.removeprefix('run ')}"
                if each.actor.startswith("run ")
                else "",
                CHANGES[each.to_state],
                "" if each.note == record.change.reason else each.note,
                each.trace_id,
            )
            for each in desk.journal(visit.person, record.id)
        ],
        decided=moment(record.change.decided_at),
    )  # fmt: skip


def _who(actor: str) -> str:
    """Who took a step; of a run, whose whole id its link has, the beginning."""
    return actor[:_RUN] if actor.startswith("run ") else actor


def _orders(visit: Visit, record: ChangeRecord) -> list[Order]:
    """The open orders about a change, and the one that the address names."""
    desk, own = visit.site.desks.changes, visit.given("order")
    found = desk.orders_about(visit.person, record)
    if not own or own in {each.id for each in found}:
        return found
    try:
        named = desk.order_state(visit.person, own)
    except InputError:  # an address from elsewhere
        return found
    return [*found, named] if named.payload.get("change_id") == record.id else found


def approve(visit: Visit) -> Response:
    """Approve those that were ticked, or the one whose button it was."""

    def act(ids: list[str], seen: dict[str, str]) -> Decided:
        return visit.site.desks.changes.approve(visit.person, ids, seen)

    return _decide(visit, "approve", act)


def reject(visit: Visit) -> Response:
    """Reject them, with the reason if one was given."""

    def act(ids: list[str], seen: dict[str, str]) -> Decided:
        return visit.site.desks.changes.reject(visit.person, ids, visit.sent("reason"), seen)

    return _decide(visit, "reject", act)


def _decide(
    visit: Visit, word: str, act: Callable[[list[str], dict[str, str]], Decided]
) -> Response:
    """What became of each of them is said on the page that the form stood on."""
    back = own_path(visit.sent("back"), PATH)
    ids = visit.all_sent("ids")
    if not ids:
        return visit.go(back, f"Tick the changes to {word} first.", kind="bad")
    try:
        done = act(ids, _versions(visit, ids))
    except InputError as error:
        return visit.go(back, refusal(error), kind="bad")
    visit.site.forget_counts()
    words, kind = _told(done, word)
    return visit.go(back, words, kind=kind)


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


def withdraw(visit: Visit) -> Response:
    """Take back an order about it that still waits."""
    return withdrawn(visit, f"{PATH}/{visit.request.path_params['id']}")


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


def _told(done: Decided, word: str) -> tuple[str, str]:
    """What became of each, one a line; and how that is to look."""
    past = {"approve": "approved", "reject": "rejected"}[word]
    lines = [f"{many(len(done.moved), 'change')} {past}."] if done.moved else []
    if done.refused:
        lines.append(f"{many(len(done.refused), 'change')} could not be {past}:")
        lines += _some([_named(each.why.what, each.record) for each in done.refused], _REFUSED)
    if done.already:
        told = [_named(each.told, each.record) for each in done.already]
        heading = f"{many(len(told), 'change was', 'changes were')} {past} already:"
        lines += [heading, *_some(told, _ALREADY)] if len(told) > 1 else told
    if done.refused:
        return "\n".join(lines), "warn" if done.moved else "bad"
    return "\n".join(lines), "good" if done.moved else "warn"


def _some(told: list[str], most: int) -> list[str]:
    """Sentences as a list's lines, and how many there are besides."""
    lines = [f"\N{BULLET} {_short(each, _LINE)}" for each in told[:most]]
    left = len(told) - most
    return [*lines, f"And {left} more."] if left > 0 else lines


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def _named(told: str, record: ChangeRecord | None) -> str:
    """A sentence about a change with its object's name in the place of its id."""
    if record is None:
        return told
    name, change = _short(shown_name(record), _NAME), f"Change {record.id} "
    return told.replace(change, f"{name} ") if change in told else f"{name}: {told}"
