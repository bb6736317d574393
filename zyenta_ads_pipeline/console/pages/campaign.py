"""One campaign: how it stands, what it earned, what was decided and why, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from zyenta_ads_pipeline.charts.series import SeriesMetric
from zyenta_ads_pipeline.console.desks.rules import RuleScope
from zyenta_ads_pipeline.console.numbers_shown import Forecast, NotKnown, Outlook, TestState
from zyenta_ads_pipeline.console.pages import drawn
from zyenta_ads_pipeline.console.pages.campaign_acts import offers, orders_of
from zyenta_ads_pipeline.console.pages.change_lines import change_rows
from zyenta_ads_pipeline.console.pages.creatives import cards
from zyenta_ads_pipeline.console.pages.launches import shown_steps
from zyenta_ads_pipeline.console.pages.site import Site
from zyenta_ads_pipeline.console.pages.typed import amount
from zyenta_ads_pipeline.console.pages.visit import Visit
from zyenta_ads_pipeline.console.pages.words import (
    AUTOPILOT,
    NOTHING,
    OBJECTIVES,
    STATUSES,
    major,
    moment,
    money,
    percent,
    ratio,
    whole,
    words,
)
from zyenta_ads_pipeline.creatives.targeting_words import targeting_in_words
from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.budget_limits import limits_of
from zyenta_ads_pipeline.domain.campaign import AdCampaign, BudgetLevel, CampaignStatus
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.domain.money import plain, to_major, to_minor
from zyenta_ads_pipeline.store.campaign_records import CampaignEvent

RANGES = (7, 14, 28, 90)
HORIZONS = (7, 14, 30)
_DAYS_AHEAD = 7
_FARTHEST = 100
"""A forecast looks so many times as far as a budget may go."""
_JOURNAL = 200


@dataclass(frozen=True)
class Trend:
    """Numbers over time: the chart, its totals, and the ways to see it otherwise."""

    chart: drawn.Drawn | None
    facts: Sequence[tuple[str, str]]
    ranges: Sequence[tuple[str, str, bool]]
    metrics: Sequence[tuple[str, str, bool]]
    told: str


@dataclass(frozen=True)
class Expected:
    """One number of a forecast, each with the range that holds 80 % of outcomes, or none: at
    today's budget and at the one asked for."""

    name: str
    stay: tuple[str, str]
    asked: tuple[str, str]


@dataclass(frozen=True)
class Ahead:
    """The forecast at another budget."""

    budget: str
    least: str
    most: str
    step: str
    days: int
    horizons: Sequence[tuple[int, bool]]
    chart: drawn.Drawn | None
    rows: Sequence[Expected]
    words: str
    warning: str
    unknown: str
    today: str
    error: str


def routes(site: Site) -> list[Route]:
    """The page. What its buttons do is in `campaign_acts`."""
    return [site.get("/campaigns/{id}", page)]


def page(visit: Visit) -> Response:
    """All of it, or one of its parts."""
    campaign = visit.site.desks.campaigns.get(visit.person, visit.request.path_params["id"])
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "state": lambda: _state(visit, campaign),
        "trend": lambda: {"trend": _trend(visit, campaign)},
        "forecast": lambda: {"ahead": _ahead(visit, campaign)},
    }
    values: dict[str, Any] = {"campaign": campaign, "path": f"/campaigns/{campaign.id}"}
    if visit.fragment in parts:
        values |= parts[visit.fragment]()
    else:
        for part in parts.values():
            values |= part()
        values |= _rest(visit, campaign)
    return visit.site.show(visit, "campaign.html", **values)


def _state(visit: Visit, campaign: AdCampaign) -> dict[str, Any]:
    """What can change by itself: status, numbers, orders."""
    orders = orders_of(visit, campaign)
    look, status = STATUSES[campaign.status]
    proposed = [
        each
        for each in visit.site.desks.campaigns.changes(visit.person, campaign.id)
        if each.state.value == "proposed"
    ]
    return {
        "look": look,
        "status": status,
        "orders": orders,
        "live": any(each.live for each in orders)
        or campaign.status is CampaignStatus.PENDING_REVIEW,
        "every": 2000 if any(each.live for each in orders) else 20000,
        "offers": offers(visit, campaign),
        "tiles": _tiles(campaign),
        "follow": campaign.request_id is not None
        and campaign.status in (CampaignStatus.DRAFT, CampaignStatus.ERROR),
        "proposed": len(proposed),
        "stopped": visit.site.desks.switches.stopped(visit.person, campaign.account_id) or "",
    }


def _tiles(campaign: AdCampaign) -> list[tuple[str, str, str]]:
    currency = campaign.currency
    if campaign.synced_at is None:
        return []
    return [
        ("Spend", money(campaign.spent_minor, currency), _of_total(campaign)),
        ("Conversions", f"{campaign.conversions:,}", ""),
        ("Revenue", money(campaign.revenue_minor, currency), ""),
        ("ROAS", ratio(campaign.roas), "so far reported"),
        ("Impressions", f"{campaign.impressions:,}", ""),
        ("Clicks", f"{campaign.clicks:,}", f"CTR {percent(campaign.ctr, 2)}"),
        ("CPC", major(campaign.cpc, currency), f"CPM {major(campaign.cpm, currency)}"),
    ]


def _of_total(campaign: AdCampaign) -> str:
    if campaign.total_budget_minor is None:
        return ""
    return f"of {money(campaign.total_budget_minor, campaign.currency)} in all"


def _trend(visit: Visit, campaign: AdCampaign) -> Trend:
    metric: SeriesMetric = "revenue" if visit.given("metric") == "revenue" else "roas"
    text = visit.given("days")
    days = int(text) if text in map(str, RANGES) else 28
    own = campaign.platform_campaign_id or ""
    numbers = visit.site.numbers
    span = numbers.span(Level.CAMPAIGN, own) if own else None
    base = f"/campaigns/{campaign.id}?metric={metric}&days="
    ranges = [(f"{base}{each}", f"{each} days", each == days) for each in RANGES]
    other = f"/campaigns/{campaign.id}?days={days}&metric="
    metrics = [
        (f"{other}{name}", told, name == metric)
        for name, told in (("roas", "ROAS"), ("revenue", "Revenue"))
    ]
    if span is None:
        told = (
            "No numbers yet. They come with the first sync after the campaign ran."
            if campaign.status is not CampaignStatus.DRAFT
            else "No numbers yet: the campaign is a draft."
        )
        return Trend(None, [], ranges, metrics, told)
    first = max(span[0], span[1] - timedelta(days=days - 1))
    series = numbers.series(Level.CAMPAIGN, own, first, span[1])
    total = series.total
    facts = []
    if total is not None:
        facts = [
            ("Spend", major(total.spend, series.currency)),
            ("Purchases", whole(total.purchases)),
            ("Revenue", major(total.revenue, series.currency)),
            ("ROAS", ratio(total.roas)),
        ]
        if total.uncertain:
            facts.append(("ROAS expected", ratio(total.roas_expected)))
    return Trend(drawn.over_time(series, metric), facts, ranges, metrics, _days(first, span[1]))


def _days(first: date, last: date) -> str:
    return f"{first:%-d %b} to {last:%-d %b %Y}, the account's own days"


def _ahead(visit: Visit, campaign: AdCampaign) -> Ahead:
    currency = campaign.currency
    text = visit.given("horizon")
    days = int(text) if text in map(str, HORIZONS) else _DAYS_AHEAD
    current = campaign.daily_budget_minor
    asked, error = _budget(visit.given("budget"), currency, current)
    size, now = limits_of(currency).size, to_major(current, currency)
    shape: dict[str, Any] = {
        "budget": plain(to_major(asked, currency)),
        "least": plain(max(Decimal(1), now // (4 * size)) * size),
        "most": plain(max(Decimal(10), now * 3 // size) * size),
        "step": plain(size if now < 200 * size else 5 * size),
        "days": days,
        "horizons": [(each, each == days) for each in HORIZONS],
        "today": money(current, currency),
        "error": error,
    }
    own = campaign.platform_campaign_id
    found = (
        visit.site.numbers.forecast(own, asked, days=days, current_minor=current)
        if own
        else NotKnown("The campaign is not on Meta yet, so there is nothing to learn from.")
    )
    if isinstance(found, NotKnown) or own is None:
        reason = found.reason if isinstance(found, NotKnown) else ""
        return Ahead(**shape, chart=None, rows=[], words="", warning="", unknown=reason)
    chart = drawn.of_forecast(visit.site.numbers, own, days=days, current=current, asked=asked)
    warning = (
        "This budget is far beyond anything that was spent here: it is guesswork."
        if found.asked.extrapolated
        else ""
    )
    return Ahead(
        **shape,
        chart=chart,
        rows=_outlook(found),
        words=found.words,
        warning=warning,
        unknown="",
    )


def _budget(text: str, currency: str, current: int) -> tuple[int, str]:
    if not text:
        return current, ""
    try:
        value = amount(text.strip(), "A budget")
        most = _FARTHEST * limits_of(currency).most
        if 0 < value <= most:
            return to_minor(value, currency), ""
    except InputError as error:
        return current, str(error)
    return current, f"Give a daily budget above 0, up to {plain(most)} {currency}."


def _outlook(found: Forecast) -> list[Expected]:
    """What is expected at today's budget, and at the one asked for."""
    stay, asked, currency = found.stay, found.asked, found.currency

    def row(name: str, tell: Callable[[Outlook], tuple[str, str]]) -> Expected:
        return Expected(name, (NOTHING, "") if stay is None else tell(stay), tell(asked))

    def worth(value: float) -> str:
        return major(round(value, 2), currency)

    return [
        row("Daily budget", lambda each: (money(each.budget_minor, currency), "")),
        row("Spend", lambda each: (worth(each.spend), "")),
        row(
            "Purchases",
            lambda each: (
                f"{each.purchases:,.1f}",
                f"{each.purchases_low:,.1f} to {each.purchases_high:,.1f}",
            ),
        ),
        row(
            "Revenue",
            lambda each: (
                worth(each.value),
                f"{worth(each.value_low)} to {worth(each.value_high)}",
            ),
        ),
    ]


def _rest(visit: Visit, campaign: AdCampaign) -> dict[str, Any]:
    """What only a look at the whole page shows."""
    desk, numbers, person = visit.site.desks.campaigns, visit.site.numbers, visit.person
    own = campaign.platform_campaign_id or ""
    titles = {each.id: each.title for each in desk.products(person, campaign.id)}
    tests = numbers.tests(own) if own else TestState()
    metric = words(tests.metric) if tests.metric else ""
    tired = numbers.fatigue([each.id for each in campaign.creatives])
    return {
        "creatives": cards(campaign, desk.media(person, campaign.id), titles, tests, tired),
        "tests": tests,
        "test_metric": metric,
        "test_chart": drawn.of_test(numbers, own, metric) if tests.creatives else None,
        "decisions": numbers.decisions(own, 20) if own else (),
        "changes": change_rows(visit, desk.changes(person, campaign.id)[:20]),
        "steps": shown_steps(desk.steps(person, campaign.id), campaign.name),
        "rejections": desk.rejections(person, campaign.id),
        "logs": list(reversed(desk.logs(person, campaign.id)))[:50],
        "journal": _journal(campaign, desk.journal(person, campaign.id)),
        "facts": _facts(visit, campaign),
        "autopilot": _autopilot(visit, campaign),
        "ads_manager": _ads_manager(campaign),
        "may": visit.buyer,
        "admin": visit.admin,
    }


def _facts(visit: Visit, campaign: AdCampaign) -> list[tuple[str, str]]:
    currency = campaign.currency
    holder = "held by the campaign" if campaign.budget_level is BudgetLevel.CAMPAIGN else (
        "held by its ad sets"
    )  # fmt: skip
    total = campaign.total_budget_minor
    found = [
        ("Objective", OBJECTIVES[campaign.objective][0]),
        ("Daily budget", f"{money(campaign.daily_budget_minor, currency)}, {holder}"),
        ("In all", "" if total is None else money(total, currency)),
        ("Runs from", moment(campaign.start_date)),
        ("Until", moment(campaign.end_date) if campaign.end_date else "Open"),
        ("Aimed at", targeting_in_words(campaign.targeting)),
        ("Store", campaign.store_id),
        ("Account", f"act_{campaign.account_id}"),
        ("On Meta", campaign.platform_campaign_id or "Not yet"),
        ("Made", "Adopted from Ads Manager" if campaign.adopted else moment(campaign.created_at)),
        ("Optimizer", "Works on its budget" if campaign.auto_optimize else "Leaves it alone"),
        ("Numbers as of", moment(campaign.synced_at) if campaign.synced_at else "Not synced yet"),
    ]
    return [(name, value) for name, value in found if value]


def _autopilot(visit: Visit, campaign: AdCampaign) -> dict[str, Any] | None:
    """The campaign's own position; None while it is not on the platform."""
    own = campaign.platform_campaign_id
    if own is None:
        return None
    sheet = visit.site.desks.rules.of_account(visit.person, campaign.account_id)
    account = next((each.value for each in sheet.rules if each.name == "autopilot"), None)
    rules = sheet.campaigns.get(own, ())
    rule = next((each for each in rules if each.name == "autopilot"), None)
    chosen = str(rule.value) if rule is not None and rule.value is not None else ""
    return {
        "choices": [
            (each.value, name, told, each.value == chosen)
            for each, (name, told) in AUTOPILOT.items()
        ],
        "chosen": chosen,
        "account": words(account) if account else "",
        "version": sheet.version,
        "scope": RuleScope(campaign.account_id, own),
    }


def _journal(
    campaign: AdCampaign, events: Sequence[CampaignEvent]
) -> list[tuple[str, str, str, str, str]]:
    """When, who, what, the move and why; newest first, without the platform's ids."""
    names: Mapping[str, str] = {each.id: each.draft.name for each in campaign.creatives}
    found = []
    for event in reversed([each for each in events if not each.what.startswith("platform_")]):
        about = f"{names.get(event.creative_id, 'creative')}: " if event.creative_id else ""
        move = ""
        if event.from_value != event.to_value:
            values = (
                _told(event.what, event.from_value, campaign),
                _told(event.what, event.to_value, campaign),
            )
            move = " → ".join(each for each in values if each)
        found.append(
            (moment(event.at), event.actor, about + words(_plain(event.what)), move, event.reason)
        )
    return found[:_JOURNAL]


def _plain(what: str) -> str:
    return what.removesuffix("_minor")


def _told(what: str, value: str | None, campaign: AdCampaign) -> str:
    if value is None or len(value) > 120:
        return "" if value is None else "…"
    if what.endswith("_minor") and value.lstrip("-").isdecimal():
        return money(int(value), campaign.currency)
    return value


def _ads_manager(campaign: AdCampaign) -> str:
    if campaign.platform_campaign_id is None:
        return ""
    return (
        "https://adsmanager.facebook.com/adsmanager/manage/campaigns"
        f"?act={campaign.account_id}&selected_campaign_ids={campaign.platform_campaign_id}"
    )
