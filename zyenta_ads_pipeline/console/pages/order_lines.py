"""Orders as the pages show them: what was asked for, by whom, how far it is, and taking it back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.responses import Response

from zyenta_ads_pipeline.console.pages.visit import Visit
from zyenta_ads_pipeline.console.pages.words import ORDER_STATES, ORDERS, ago, money, refusal
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.store.orders import Order, OrderKind, OrderState


@dataclass(frozen=True)
class OrderLine:
    """An order as it is shown. `withdraw` is where its button leads; empty where there is none.
    `changes` are ids of changes to look at besides."""

    words: str
    look: str
    state: str
    note: str
    remedy: str
    told: str
    live: bool
    withdraw: str
    changes: Sequence[str] = ()


def order_line(
    visit: Visit, order: Order, path: str, currency: str, changes: Sequence[str] = ()
) -> OrderLine:
    """An order in words, for the page at `path`; `currency` is that of its budget."""
    look, state = ORDER_STATES[order.state]
    told = ORDERS[order.kind]
    if order.kind is OrderKind.BUDGET and "daily_budget_minor" in order.payload:
        told = f"{told} to {money(int(order.payload['daily_budget_minor']), currency)}"
    waits = order.state is OrderState.WAITING
    return OrderLine(
        words=told,
        look=look,
        state=state,
        note=order.note,
        remedy=order.remedy if order.state is OrderState.FAILED else "",
        told=f"{ago(order.asked_at, visit.site.now())} by {order.asked_by}",
        live=order.is_open,
        withdraw=f"{path}/orders/{order.id}/withdraw" if visit.buyer and waits else "",
        changes=changes,
    )


def withdrawn(visit: Visit, path: str) -> Response:
    """Take back the order that the address names, as it still waits; on to the page at `path`."""
    try:
        made = visit.site.desks.campaigns.withdraw(visit.person, visit.request.path_params["order"])
    except InputError as error:
        return visit.go(path, refusal(error), kind="bad")
    return visit.go(path, f"{ORDERS[made.kind]}: withdrawn. It is not done.")
