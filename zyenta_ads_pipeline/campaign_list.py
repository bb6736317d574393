"""`zyenta campaign list`: campaigns in a table, with the totals of each currency."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.text import Text

from zyenta_ads_pipeline.campaigns.performance import sync_performance
from zyenta_ads_pipeline.connections import store_of
from zyenta_ads_pipeline.domain.campaign import AdCampaign, CampaignStatus
from zyenta_ads_pipeline.domain.money import show, to_major
from zyenta_ads_pipeline.lake.lake import Lake
from zyenta_ads_pipeline.settings import Settings
from zyenta_ads_pipeline.showing import add, table
from zyenta_ads_pipeline.store.campaigns import Campaigns
from zyenta_ads_pipeline.store.requests import CampaignRequests
from zyenta_ads_pipeline.store.shops import Shops

SHORT = 8
"""Letters of an id that are shown."""
_STYLES = {CampaignStatus.ERROR: "red", CampaignStatus.REJECTED: "red"}
_COLUMNS = {"id": "", "name": "", "status": "", "objective": "more", "a day": "", "spend": "",
            "sales": "", "revenue": "more", "ROAS": "", "CTR": "more"}  # fmt: skip
"""What the table shows; `more` where the terminal is wide enough."""
_WORDS = {"id", "name", "status", "objective"}
_WIDE = 120


def list_campaigns(
    settings: Settings, store_id: str | None, statuses: Sequence[CampaignStatus]
) -> RenderableType:
    """Campaigns as a table, the newest first, with totals. `InputError` for an unknown store."""
    with store_of(settings) as store:
        if store_id is not None:
            Shops(store).get(store_id)
        found = Campaigns(store).find(store_id=store_id, statuses=statuses)
    if not found:
        chosen = " of this kind" if statuses or store_id else " yet"
        return Text(f"No campaigns{chosen}. Make one with `zyenta campaign create`.")
    return Group(in_table("Campaigns", found), *(Text(line) for line in totals(found)))


def refresh_numbers(settings: Settings, accounts: Sequence[str]) -> int:
    """Take the numbers and budgets of the accounts' campaigns from the lake; how many have some."""
    found = 0
    with store_of(settings) as store:
        campaigns = Campaigns(store)
        for account in accounts:
            if any(each.platform_campaign_id for each in campaigns.find(account_id=account)):
                snapshot = Lake(settings.lake_location).snapshot()
                found += sync_performance(snapshot, campaigns, account, now=datetime.now(UTC))
    return found


def list_requests(settings: Settings) -> RenderableType:
    """The requests that nobody has taken up yet, the oldest first."""
    with store_of(settings) as store:
        requests = CampaignRequests(store)
        waiting = [(each, requests.state(each.id)) for each in requests.waiting()]
    if not waiting:
        return Text("No campaign waits to be made.")
    headings = ("request", "store", "objective", "a day", "asked for (UTC)", "by", "said last")
    shown = table("Waiting", headings)
    for request, state in waiting:
        add(
            shown,
            request.id,
            request.store_id,
            in_words(request.objective),
            show(to_major(request.daily_budget_minor, request.currency), request.currency),
            f"{request.requested_at:%Y-%m-%d %H:%M}",
            request.requested_by,
            state.note,
        )
    return shown


def in_table(title: str, campaigns: Sequence[AdCampaign]) -> RenderableType:
    """Campaigns, a row each; a narrow terminal gets the columns that matter most."""
    return _Fitting(title, tuple(campaigns))


@dataclass(frozen=True)
class _Fitting:
    """A table that knows the width it is shown at."""

    title: str
    campaigns: Sequence[AdCampaign]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        chosen = [
            (name, kind)
            for name, kind in _COLUMNS.items()
            if options.max_width >= _WIDE or kind != "more"
        ]
        numbers = [name not in _WORDS for name, _ in chosen]
        shown = table(
            self.title,
            [name for name, _ in chosen],
            justify=["right" if number else "left" for number in numbers],
        )
        for column, (name, _) in zip(shown.columns, chosen, strict=True):
            column.no_wrap = name != "name"
        for each in self.campaigns:
            cells = _cells(each)
            add(shown, *(cells[name] for name, _ in chosen), style=_STYLES.get(each.status, ""))
        yield shown


def _cells(each: AdCampaign) -> dict[str, str]:
    return {
        "id": each.id[:SHORT],
        "name": each.name,
        "status": in_words(each.status),
        "objective": in_words(each.objective),
        "a day": show(to_major(each.daily_budget_minor, each.currency), each.currency),
        "spend": show(to_major(each.spent_minor, each.currency), each.currency),
        "sales": f"{each.conversions:,}",
        "revenue": show(to_major(each.revenue_minor, each.currency), each.currency),
        "ROAS": ratio(each.roas),
        "CTR": percent(each.ctr),
    }


def totals(campaigns: Sequence[AdCampaign]) -> list[str]:
    """A line a currency: campaigns, spend, conversions, and all revenue over all spend."""
    by_currency: dict[str, list[AdCampaign]] = defaultdict(list)
    for each in campaigns:
        by_currency[each.currency].append(each)
    lines = []
    for currency, group in sorted(by_currency.items()):
        spent = sum(each.spent_minor for each in group)
        revenue = sum(each.revenue_minor for each in group)
        active = sum(each.status is CampaignStatus.ACTIVE for each in group)
        roas = Decimal(revenue) / Decimal(spent) if spent else None
        counted = f"{len(group)} campaign{'s' * (len(group) != 1)}, {active} active"
        lines.append(
            f"{currency}: {counted}, spend {show(to_major(spent, currency), currency)}, "
            f"{sum(each.conversions for each in group):,} conversions, "
            f"ROAS {ratio(roas) or 'none yet'}."
        )
    return lines


def in_words(value: str) -> str:
    """A status, an objective or an action without its underscores."""
    return value.replace("_", " ")


def ratio(value: Decimal | None) -> str:
    """A ratio with two digits; nothing where it has no denominator."""
    return "" if value is None else f"{value:.2f}"


def percent(value: Decimal | None) -> str:
    """A fraction in percent; nothing where it has no denominator."""
    return "" if value is None else f"{value * 100:.2f} %"
