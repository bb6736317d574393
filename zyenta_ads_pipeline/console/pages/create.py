"""Asking for a campaign: a form that keeps what was typed, and makes one campaign of two clicks."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from zyenta_ads_pipeline.console.desks.asking import NewCampaign, foreign_currency
from zyenta_ads_pipeline.console.desks.catalogue import StoreLine
from zyenta_ads_pipeline.console.pages.site import Site
from zyenta_ads_pipeline.console.pages.typed import BudgetField, amount, budget_field
from zyenta_ads_pipeline.console.pages.visit import Visit, with_query
from zyenta_ads_pipeline.console.pages.words import NOTHING, OBJECTIVES, major, many, money
from zyenta_ads_pipeline.domain.access import Role
from zyenta_ads_pipeline.domain.budget_limits import BudgetLimits, known_limits
from zyenta_ads_pipeline.domain.campaign import LONGEST_DAYS, CampaignObjective
from zyenta_ads_pipeline.domain.errors import FieldsRefused, InputError
from zyenta_ads_pipeline.domain.money import decimals, plain
from zyenta_ads_pipeline.domain.shop import MediaKind
from zyenta_ads_pipeline.platforms.registry import PLATFORMS

PATH = "/campaigns/new"
SHOWN = 60
"""Products shown at once; the others are found by searching."""
_TITLES = {
    "meta": "Meta (Facebook & Instagram)",
    "google": "Google Ads",
    "tiktok": "TikTok Ads",
}
LABELS = {
    "name": "Campaign name",
    "store_id": "Store",
    "platform": "Platform",
    "objective": "Objective",
    "daily_budget": "Daily budget",
    "duration_days": "Duration",
    "product_ids": "Products",
}
_TEXTS = (
    "name", "store_id", "platform", "objective", "daily_budget", "currency", "duration_days", "key",
    "q",
)  # fmt: skip


@dataclass(frozen=True)
class Filled:
    """The form as it is filled in: texts as typed, so that nothing is lost.

    `daily_budget` None: the currency's usual one. `currency` is what the amount was typed in; empty
    where nobody said.
    """

    name: str = ""
    store_id: str = ""
    platform: str = "meta"
    objective: str = "conversions"
    daily_budget: str | None = None
    currency: str = ""
    duration_days: str = "7"
    key: str = ""
    q: str = ""
    product_ids: Sequence[str] = ()
    auto_optimize: bool = True

    def query(self) -> dict[str, Any]:
        """The same as the address of the form shows it."""
        default = Filled()
        kept: dict[str, Any] = {
            name: value
            for name in _TEXTS
            if (value := getattr(self, name)) != getattr(default, name)
        }
        kept["product_ids"] = list(self.product_ids)
        kept["autopilot"] = "" if self.auto_optimize else "off"
        return kept


@dataclass(frozen=True)
class Offer:
    """A product that can be chosen: `picture` is the address of its first picture, if any."""

    id: str
    title: str
    price: str
    picture: str
    chosen: bool


@dataclass(frozen=True)
class Goods:
    """The products of the chosen store that are shown. `hidden` are chosen and not shown."""

    offers: Sequence[Offer] = ()
    told: str = ""
    total: int = 0
    hidden: Sequence[str] = ()


@dataclass(frozen=True)
class Summary:
    """What will be asked for, in words."""

    currency: str
    name: str
    objective: str
    budget: str
    days: str
    total: str
    products: str


@dataclass(frozen=True)
class Budgets:
    """The field of the budget, and what its slider reaches; `ends` says it. `decimals` are those of
    an amount of the currency."""

    field: BudgetField
    slider_most: str
    slider_step: str
    ends: tuple[str, str]
    decimals: int


@dataclass(frozen=True)
class Form:
    """All that the page shows. Without `budgets` the chosen store's currency is none of Meta's, and
    `problem` says so."""

    filled: Filled
    stores: Sequence[tuple[str, str]]
    platforms: Sequence[tuple[str, str, bool]]
    objectives: Sequence[tuple[str, str, str]]
    goods: Goods
    budgets: Budgets | None
    summary: Summary
    problem: str = ""
    labels: Mapping[str, str] = field(default_factory=lambda: LABELS)


def routes(site: Site) -> list[Route]:
    """The form, and what it does."""
    return [site.get(PATH, page), site.post(PATH, ask, keep=again)]


def page(visit: Visit) -> Response:
    """The form: empty, or filled in by the address."""
    visit.person.require(Role.BUYER, "create campaigns")
    given = {name: visit.given(name) for name in _TEXTS if name in visit.request.query_params}
    filled = Filled(
        **given,
        product_ids=tuple(visit.request.query_params.getlist("product_ids")),
        auto_optimize=visit.given("autopilot") != "off",
    )
    return _show(visit, filled, {})


def again(visit: Visit) -> str:
    """The address at which the form stands as it was sent."""
    return with_query(PATH, _sent(visit).query())


def ask(visit: Visit) -> Response:
    """Ask for the campaign; or show the form anew for another store, or for found products."""
    visit.person.require(Role.BUYER, "create campaigns")
    filled = _sent(visit)
    act = visit.sent("act", "create")
    if act == "store":
        url = with_query(PATH, {**filled.query(), "product_ids": [], "q": ""})
        return visit.go(url)
    if act != "create":
        return _show(visit, filled, {}) if visit.fragment else visit.go(again(visit))
    errors: dict[str, str] = {}
    currency = _currency(chosen := _chosen(_stores(visit), filled))
    limits = known_limits(currency)
    if chosen is not None and limits is None:
        errors["store_id"] = str(foreign_currency(chosen.shop.name, currency))
    budget, days = _numbers(filled, limits, errors)
    if days is not None and days != days.to_integral_value():
        errors["duration_days"] = f"Whole days, 1 to {LONGEST_DAYS}."
    if filled.currency not in ("", currency):
        errors["daily_budget"] = (
            f"The amount was typed in {filled.currency}, and this store is billed in {currency}. "
            "Look at it again."
        )
    if errors or budget is None or days is None:
        return _show(visit, filled, errors, 422)
    new = NewCampaign(
        store_id=filled.store_id,
        platform=filled.platform,
        objective=filled.objective,
        daily_budget=budget,
        duration_days=int(days),
        name=filled.name,
        product_ids=tuple(filled.product_ids),
        auto_optimize=filled.auto_optimize,
    )
    try:
        request, is_new = visit.site.desks.campaigns.ask(
            visit.person, new, f"form:{filled.key}" if filled.key else None
        )
    except FieldsRefused as error:
        told = error.by_field
        return _show(visit, filled, told, 422)
    except InputError as error:
        return _show(visit, replace(filled, key=""), {"form": str(error)}, 422)
    said = "" if is_new else "This campaign was asked for already; it is made once."
    return visit.go(f"/requests/{request.id}", said)


def _sent(visit: Visit) -> Filled:
    values = {name: visit.sent(name) for name in _TEXTS if visit.form and name in visit.form}
    values.setdefault("platform", "meta")
    return Filled(
        **values,
        product_ids=tuple(dict.fromkeys(visit.all_sent("product_ids"))),
        auto_optimize=bool(visit.sent("auto_optimize")),
    )


def _numbers(
    filled: Filled, limits: BudgetLimits | None, errors: dict[str, str]
) -> tuple[Decimal | None, Decimal | None]:
    """Budget and days, each None where its error is told. No amount is one without limits: of a
    currency that is not known."""

    def read(name: str, text: str, what: str, may_be: str) -> Decimal | None:
        try:
            return amount(text, what)
        except InputError as error:
            told = f"{error} Give {may_be}." if text else f"Fill this in: a number, {may_be}."
            errors[name] = told
        return None

    budget = None
    if limits is not None:
        budget = read("daily_budget", filled.daily_budget or "", "A daily budget", limits.words)
    days = read("duration_days", filled.duration_days, "A duration", f"1 to {LONGEST_DAYS}")
    return budget, days


def _show(visit: Visit, filled: Filled, errors: dict[str, str], status: int = 200) -> Response:
    stores = _stores(visit)
    chosen = _chosen(stores, filled)
    currency = _currency(chosen)
    limits = known_limits(currency)
    # An amount of another currency says nothing here, unless it is shown for its error.
    foreign = filled.currency not in ("", currency) and not errors
    budget = filled.daily_budget
    if budget is None or foreign:
        budget = plain(limits.usual) if limits else ""
    filled = replace(
        filled,
        store_id=chosen.shop.id if chosen else "",
        daily_budget=budget,
        currency=currency,
        key=filled.key or secrets.token_urlsafe(16),
    )
    form = Form(
        filled=filled,
        stores=[(each.shop.id, each.shop.name) for each in stores],
        platforms=[(name, _TITLES.get(name, name), can.launch) for name, can in PLATFORMS.items()],
        objectives=[(each.value, *told) for each, told in OBJECTIVES.items()],
        goods=_goods(visit, chosen, filled) if chosen else Goods(),
        budgets=_budgets(limits) if limits else None,
        summary=_summary(filled, currency, limits),
        problem="" if "store_id" in errors else _problem(chosen, currency),
    )
    return visit.site.show(visit, "create.html", status, form=form, errors=errors)


def _stores(visit: Visit) -> Sequence[StoreLine]:
    return visit.site.desks.catalogue.stores(visit.person)


def _chosen(stores: Sequence[StoreLine], filled: Filled) -> StoreLine | None:
    """The store that is chosen, else the first."""
    named = (each for each in stores if each.shop.id == filled.store_id)
    return next(named, stores[0] if stores else None)


def _currency(store: StoreLine | None) -> str:
    if store is None:
        return "USD"
    return store.connections[0].currency if store.connections else store.shop.currency


def _problem(store: StoreLine | None, currency: str) -> str:
    if store is None:
        return ""
    if known_limits(currency) is None:
        return str(foreign_currency(store.shop.name, currency))
    if store.connections:
        return ""
    return (
        f"{store.shop.name} is not connected to an ad account yet. Run "
        f"`zyenta connect {store.shop.id}` in a terminal; a campaign asked for before would stop."
    )


def _goods(visit: Visit, store: StoreLine, filled: Filled) -> Goods:
    found = visit.site.desks.catalogue.products(
        visit.person, store.shop.id, text=filled.q, size=SHOWN
    )
    chosen = set(filled.product_ids)
    offers = []
    for product in found.rows:
        pictures = [
            each
            for each in found.media.get(product.id, ())
            if each.kind is MediaKind.IMAGE and not each.source.startswith("http")
        ]
        offers.append(
            Offer(
                product.id,
                product.title,
                money(product.price_minor, product.currency),
                f"/media/{pictures[0].id}" if pictures else "",
                product.id in chosen,
            )
        )
    shown = {each.id for each in offers}
    told = many(found.total_rows, "product") + (" found" if filled.q else "")
    if found.total_rows > len(offers):
        told += f", the first {len(offers)} are shown"
    hidden = [each for each in filled.product_ids if each not in shown]
    return Goods(offers, told, store.products, hidden)


def _budgets(limits: BudgetLimits) -> Budgets:
    """The seeds' slider is from 10 to 500 by 5; that of another currency is as its size has it."""
    slider_most = 50 * limits.least
    return Budgets(
        field=budget_field(limits),
        slider_most=plain(slider_most),
        slider_step=plain(limits.least / 2),
        ends=(f"{limits.least.normalize():,f}", f"{slider_most.normalize():,f}"),
        decimals=decimals(limits.currency),
    )


def _summary(filled: Filled, currency: str, limits: BudgetLimits | None) -> Summary:
    budget, days = _numbers(filled, limits, {})
    objective = filled.objective
    if objective in set(CampaignObjective):
        objective = OBJECTIVES[CampaignObjective(objective)][0]
    count = len(filled.product_ids)
    return Summary(
        currency=currency,
        name=filled.name or "Auto-generated",
        objective=objective,
        budget=NOTHING if budget is None else major(budget, currency),
        days=NOTHING if days is None else f"{days} day{'s' * (days != 1)}",
        total=NOTHING if budget is None or days is None else major(budget * days, currency),
        products=f"{count} chosen" if count else "The first of the catalogue",
    )
