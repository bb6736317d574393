"""What a person does with a campaign: orders that a sensor carries out, and its autopilot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from zyenta_ads_pipeline.console.desks.rules import RuleScope
from zyenta_ads_pipeline.console.pages.order_lines import OrderLine, order_line, withdrawn
from zyenta_ads_pipeline.console.pages.site import Site
from zyenta_ads_pipeline.console.pages.typed import BudgetField, amount, budget_field
from zyenta_ads_pipeline.console.pages.visit import Visit, own_path
from zyenta_ads_pipeline.console.pages.words import ORDERS, STATUSES, money, refusal
from zyenta_ads_pipeline.domain.budget_limits import limits_of
from zyenta_ads_pipeline.domain.campaign import AdCampaign
from zyenta_ads_pipeline.domain.errors import InputError, Stale
from zyenta_ads_pipeline.domain.money import plain, to_major
from zyenta_ads_pipeline.store.orders import OrderKind

_SHOWN = 6
_SPENDING = ("activate", "launch", "optimize")
_DONE_AS = {
    OrderKind.ACTIVATE: "The campaign is being activated.",
    OrderKind.PAUSE: "The campaign is being paused.",
    OrderKind.BUDGET: "The budget is being set.",
    OrderKind.OPTIMIZE: "The optimizer is looking at it.",
    OrderKind.LAUNCH: "The launch goes on.",
    OrderKind.ROLL_BACK: "The launch is being rolled back.",
}


@dataclass(frozen=True)
class Offer:
    """A button: what it orders, how it looks, what is asked before."""

    kind: str
    words: str
    look: str = ""
    title: str = ""
    confirm: str = ""

    @property
    def rare(self) -> bool:
        """Whether it stands behind "More"."""
        return self.kind in ("take_over", "review", "roll_back")

    @property
    def may_spend(self) -> bool:
        """Whether money may follow from it: it holds for the sight it was decided on alone. A pause
        goes through whatever has changed."""
        return self.kind in _SPENDING


@dataclass(frozen=True)
class Offers:
    """All that this person may order of a campaign as it stands."""

    buttons: Sequence[Offer] = ()
    budgets: BudgetField | None = None
    """The budgets that may be set; None: none."""
    budget: str = ""
    version: str = ""
    creatives: frozenset[str] = field(default=frozenset())
    """`pause_creative`, `scale_creative`: those that may be ordered."""

    @property
    def rare(self) -> bool:
        """Whether anything stands behind "More"."""
        return any(each.rare for each in self.buttons)


def routes(site: Site) -> list[Route]:
    """What the buttons of a campaign's page do."""
    return [
        site.post("/campaigns/{id}/orders", order),
        site.post("/campaigns/{id}/orders/{order}/withdraw", withdraw),
        site.post("/campaigns/{id}/autopilot", set_autopilot),
    ]


def offers(visit: Visit, campaign: AdCampaign) -> Offers:
    """The buttons for a campaign; none for who may only look."""
    desk = visit.site.desks.campaigns
    allowed = desk.allowed(visit.person, campaign)
    budget = money(campaign.daily_budget_minor, campaign.currency)
    known = [
        Offer("activate", "Activate", "main", "Activate this campaign?",
              f"From then on Meta spends up to about {budget} a day for it."),
        Offer("launch", "Go on with the launch", "main"),
        Offer("optimize", "Optimize now", "", "Optimize it now?",
              "The optimizer looks at its newest complete days and proposes what follows from "
              "them. With the autopilot on auto it is also written."),
        Offer("take_over", "Keep the budget set in Ads Manager", "", "Keep that budget?",
              "The budget that somebody set in Ads Manager becomes the campaign's own."),
        Offer("review", "Ask Meta how it stands"),
        Offer("pause", "Pause", "", "Pause this campaign?",
              "Its ads stop within minutes. You can activate it again."),
        Offer("roll_back", "Roll back", "stop", "Roll the launch back?",
              "What this launch made on Meta is deleted there; the creatives are kept as a draft."),
    ]  # fmt: skip
    names = {each.value for each in allowed}
    limits = limits_of(campaign.currency).around(campaign.daily_budget_minor)
    return Offers(
        buttons=[each for each in known if each.kind in names],
        budgets=budget_field(limits) if OrderKind.BUDGET in allowed else None,
        budget=plain(to_major(campaign.daily_budget_minor, campaign.currency)),
        version=desk.version(campaign),
        creatives=frozenset(names & {"pause_creative", "scale_creative"}),
    )


def orders_of(visit: Visit, campaign: AdCampaign) -> list[OrderLine]:
    """What was ordered: all that is open, and the newest of what is over."""
    found = visit.site.desks.campaigns.orders(visit.person, campaign.id)
    open_now = [each for each in found if each.is_open]
    over = [each for each in found if not each.is_open]
    shown = [*open_now, *(over[:1] if open_now else over[:2])][:_SHOWN]
    path = f"/campaigns/{campaign.id}"
    return [order_line(visit, each, path, campaign.currency) for each in shown]


def order(visit: Visit) -> Response:
    """Ask for one act; what is wrong with it is said on the page it was asked from."""
    own = visit.request.path_params["id"]
    back = own_path(visit.sent("back"), f"/campaigns/{own}")
    try:
        kind = OrderKind(visit.sent("kind"))
        payload = _payload(visit, kind)
        made = visit.site.desks.campaigns.order(
            visit.person, own, kind, payload, expected=visit.sent("version") or None
        )
    except ValueError:
        return visit.go(back, "This is nothing that can be ordered.", kind="bad")
    except Stale as error:
        return visit.go(back, f"{error.what} {_stands(visit, own)} {error.remedy}", kind="bad")
    except InputError as error:
        return visit.go(back, refusal(error), kind="bad")
    told = _DONE_AS.get(kind, f"{ORDERS[kind]}: it is under way.")
    reach = visit.site.desks.runs.reach()
    if not reach.up and made.is_open:
        told = f"{ORDERS[kind]}: noted. It is carried out once Dagster runs again."
    return visit.go(back, told)


def _stands(visit: Visit, own: str) -> str:
    """How a campaign stands now, for who has seen it otherwise."""
    campaign = visit.site.desks.campaigns.get(visit.person, own)
    budget = money(campaign.daily_budget_minor, campaign.currency)
    return f"It is {STATUSES[campaign.status][1].lower()} now, with {budget} a day."


def withdraw(visit: Visit) -> Response:
    """Take back an order that still waits."""
    return withdrawn(visit, f"/campaigns/{visit.request.path_params['id']}")


def _payload(visit: Visit, kind: OrderKind) -> dict[str, Any]:
    """What the order's form holds. Raises `ValueError` for what is no number."""
    if kind is OrderKind.BUDGET:
        return {"daily_budget": amount(visit.sent("daily_budget"), "A daily budget")}
    found: dict[str, Any] = {}
    for name in ("creative_id", "change_id"):
        if visit.sent(name):
            found[name] = visit.sent(name)
    if kind is OrderKind.SCALE_CREATIVE:
        text = visit.sent("percent")
        if not text.isdecimal() or len(text) > 4:
            raise InputError("The percent is no whole number.", "Give one from 1 to 100.")
        found["percent"] = int(text)
    return found


def set_autopilot(visit: Visit) -> Response:
    """The campaign's own position, or the account's again."""
    own = visit.request.path_params["id"]
    back = f"/campaigns/{own}#autopilot"
    campaign = visit.site.desks.campaigns.get(visit.person, own)
    if campaign.platform_campaign_id is None:
        return visit.go(back, "The campaign is not on Meta yet.", kind="bad")
    scope = RuleScope(campaign.account_id, campaign.platform_campaign_id)
    wanted, seen = visit.sent("autopilot"), visit.sent("version") or None
    desk = visit.site.desks.rules
    try:
        if wanted:
            desk.set(visit.person, scope, "autopilot", wanted, seen)
        else:
            desk.unset(visit.person, scope, "autopilot", seen)
    except InputError as error:
        return visit.go(back, refusal(error), kind="bad")
    return visit.go(back, "The autopilot of this campaign is set.")
