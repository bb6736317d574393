"""The list of campaigns: totals, search, filter, sorting, pages."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from markupsafe import escape
from starlette.responses import Response
from starlette.routing import Route

from zyenta_ads_pipeline.console.desks.campaigns import Asked
from zyenta_ads_pipeline.console.numbers_shown import NO_SPARK, Spark
from zyenta_ads_pipeline.console.pages.packed import part_of
from zyenta_ads_pipeline.console.pages.paging import Column, column, pager
from zyenta_ads_pipeline.console.pages.site import Site
from zyenta_ads_pipeline.console.pages.visit import Visit, with_query
from zyenta_ads_pipeline.console.pages.words import (
    NOTHING,
    OBJECTIVES,
    STATUSES,
    ago,
    many,
    money,
)
from zyenta_ads_pipeline.domain.campaign import CampaignStatus
from zyenta_ads_pipeline.store.campaign_models import RequestStep
from zyenta_ads_pipeline.store.campaign_pages import (
    CampaignLine,
    CampaignPage,
    CampaignQuery,
    CampaignSort,
    Totals,
)

PATH = "/campaigns"
SIZES = (50, 100, 200)
_COLUMNS = (
    ("name", "Campaign", False),
    ("status", "Status", False),
    ("budget", "Budget a day", True),
    ("spent", "Spend", True),
    ("", "Impressions", True),
    ("conversions", "Conversions", True),
    ("roas", "ROAS", True),
)
_BADGES = {
    status: f'<span class="badge {look}">{escape(told)}</span>'
    for status, (look, told) in STATUSES.items()
}
_OBJECTIVES = {objective: escape(told) for objective, (told, _) in OBJECTIVES.items()}
# Quotes and end tags that HTML lets one leave out are left out: 200 rows stay below 100 kB.
_ROW = (
    '<tr><th scope=row><a href="/campaigns/%s">%s</a><br><small>%s</small><td>%s%s'
    "<td class=n>%s<td class=n>%s<td class=n>%s<td class=n>%s<td class=n>%s<td>%s\n"
)
_LONGEST_SEARCH = 200


def routes(site: Site) -> list[Route]:
    """The list."""
    return [site.get(PATH, page)]


def page(visit: Visit) -> Response:
    """Campaigns, a page of them, with the totals of all that fit."""
    site = visit.site
    if visit.fragment == "waiting":
        return site.show(visit, "campaigns.html", waiting=_waiting(visit))
    query, kept = _query(visit)
    found = site.desks.campaigns.page(visit.person, query)
    sparks = site.numbers.sparklines(
        [line.platform_campaign_id for line in found.rows if line.platform_campaign_id]
    )
    filtered = bool(query.text or query.statuses or query.store_id)
    return site.show(
        visit,
        "campaigns.html",
        tiles=_tiles(found),
        totals=[_total(each) for each in found.totals.values()],
        rows=part_of("".join([_row(line, _spark(line, sparks)) for line in found.rows])),
        columns=_columns(query, kept),
        statuses=_statuses(found, kept, query),
        text=query.text,
        kept={name: value for name, value in kept.items() if name in ("sort", "order", "size")},
        status=query.statuses[0].value if query.statuses else "",
        said=many(found.total_rows, "campaign") + " found",
        filtered=filtered,
        pages=pager(PATH, kept, one="campaign", rows=found.total_rows, page=found.page,
                    size=found.size),
        waiting=_waiting(visit) if not filtered and found.page == 1 else [],
        may_create=visit.buyer,
        spent_only=not found.totals,
    )  # fmt: skip


def _query(visit: Visit) -> tuple[CampaignQuery, dict[str, Any]]:
    """What is asked for, and the same for the next address; what cannot be is left out."""
    text = visit.given("q").strip()[:_LONGEST_SEARCH]
    status = _one_of(CampaignStatus, visit.given("status"))
    sort = _one_of(CampaignSort, visit.given("sort")) or CampaignSort.CREATED
    descending = visit.given("order") != "up"
    size = int(visit.given("size", "50")) if visit.given("size") in map(str, SIZES) else SIZES[0]
    store = visit.given("store")
    query = CampaignQuery(
        text=text,
        statuses=(status,) if status else (),
        store_id=store or None,
        sort=sort,
        descending=descending,
        page=visit.page_number(),
        size=size,
    )
    default = sort is CampaignSort.CREATED and descending
    kept = {
        "q": text,
        "status": status.value if status else "",
        "store": store,
        "sort": "" if default else sort.value,
        "order": "" if default else ("down" if descending else "up"),
        "size": "" if size == SIZES[0] else size,
    }
    return query, kept


def _one_of(kind: Any, text: str) -> Any:
    try:
        return kind(text)
    except ValueError:
        return None


def _columns(query: CampaignQuery, kept: Mapping[str, Any]) -> list[Column]:
    return [
        column(
            PATH, kept, name, told, sort=query.sort, descending=query.descending, numbers=numbers
        )
        if name
        else Column("", told, numbers=numbers)
        for name, told, numbers in _COLUMNS
    ]


def _statuses(
    found: CampaignPage, kept: Mapping[str, Any], query: CampaignQuery
) -> list[tuple[str, str, int, bool]]:
    """Tabs: address, words, how many, whether it is this one."""
    total = sum(found.by_status.values())
    tabs = [(with_query(PATH, {**kept, "status": ""}), "All", total, not query.statuses)]
    tabs += [
        (
            with_query(PATH, {**kept, "status": status.value}),
            STATUSES[status][1],
            count,
            status in query.statuses,
        )
        for status, count in found.by_status.items()
        if count or status in query.statuses
    ]
    return tabs


def _tiles(found: CampaignPage) -> list[tuple[str, str, str]]:
    """The seeds' four numbers; with several currencies the amounts stand in a table instead."""
    active = sum(each.active for each in found.totals.values())
    conversions = sum(each.conversions for each in found.totals.values())
    count = sum(each.campaigns for each in found.totals.values())
    tiles = []
    if len(found.totals) == 1:
        (only,) = found.totals.values()
        tiles.append(("Total spend", money(only.spent_minor, only.currency), ""))
    tiles.append(("Conversions", f"{conversions:,}", ""))
    if len(found.totals) == 1:
        roas = NOTHING if only.roas is None else f"{only.roas:.2f}x"
        tiles.append(("ROAS", roas, "all revenue for all spend"))
    tiles.append(("Active campaigns", f"{active:,}", f"of {count:,}"))
    return tiles


def _total(each: Totals) -> tuple[str, str, str, str, str, str]:
    return (
        each.currency,
        f"{each.campaigns:,}",
        money(each.spent_minor, each.currency),
        money(each.revenue_minor, each.currency),
        NOTHING if each.roas is None else f"{each.roas:.2f}x",
        f"{each.conversions:,}",
    )


def _spark(line: CampaignLine, sparks: Mapping[str, Spark]) -> str:
    return sparks.get(line.platform_campaign_id or "", NO_SPARK).spend


@lru_cache(maxsize=4096)
def _row(line: CampaignLine, spark: str) -> str:
    """One campaign as HTML. Not by the template, and kept: 200 rows are most of the work of a page.

    All that people wrote is escaped here; the rest are numbers and texts of ours.
    """
    currency = line.currency
    quiet = not (line.impressions or line.spent_minor)
    return _ROW % (
        line.id,
        escape(line.name),
        _OBJECTIVES[line.objective],
        _BADGES[line.status],
        f" <small>{line.proposed} to approve</small>" if line.proposed else "",
        money(line.daily_budget_minor, currency),
        NOTHING if quiet else money(line.spent_minor, currency),
        NOTHING if quiet else f"{line.impressions:,}",
        NOTHING if quiet else f"{line.conversions:,}",
        NOTHING if line.roas is None else f"{float(line.roas):.2f}x",
        f'<svg class=spark viewBox="0 0 78 20"><path d="{spark}"/></svg>' if spark else NOTHING,
    )


def _waiting(visit: Visit) -> list[tuple[str, str, str, str, str]]:
    """Campaigns that are asked for and not made yet: address, name, look, state, what is said."""
    found = visit.site.desks.campaigns.requests(visit.person)
    return [_asked(each, visit) for each in found[:10]]


def _asked(each: Asked, visit: Visit) -> tuple[str, str, str, str, str]:
    request, state = each.request, each.state
    failed = state.state is RequestStep.FAILED
    look = "bad" if failed else "info"
    name = request.name or f"{OBJECTIVES[request.objective][0]} for {request.store_id}"
    told = {RequestStep.FAILED: "Stopped", RequestStep.WAITING: "Waiting"}.get(
        state.state, "Being made"
    )
    note = (state.error if failed else state.note) or (
        f"asked for {ago(request.requested_at, visit.site.now())} by {request.requested_by}"
    )
    return f"/requests/{request.id}", name, look, told, note
