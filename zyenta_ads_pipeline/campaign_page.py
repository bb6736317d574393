"""`zyenta campaign show`: all there is to know of one campaign, on one page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from rich.console import Group, RenderableType

from zyenta_ads_pipeline.campaign_list import SHORT, in_words, percent, ratio
from zyenta_ads_pipeline.campaigns.launch_plan import own_name
from zyenta_ads_pipeline.connections import store_of
from zyenta_ads_pipeline.creatives.targeting_words import targeting_in_words
from zyenta_ads_pipeline.domain.campaign import (
    AdCampaign,
    BudgetLevel,
    CampaignStatus,
    OptimizationLog,
)
from zyenta_ads_pipeline.domain.creative import AdCreative, CreativeOrigin, Rejection
from zyenta_ads_pipeline.domain.money import show, to_major
from zyenta_ads_pipeline.settings import Settings
from zyenta_ads_pipeline.showing import add, table
from zyenta_ads_pipeline.store.campaign_records import CampaignEvent
from zyenta_ads_pipeline.store.campaigns import Campaigns
from zyenta_ads_pipeline.store.launches import Launches, LaunchStep
from zyenta_ads_pipeline.store.shops import Shops

_SIDE_BY_SIDE = 3


@dataclass(frozen=True)
class _Page:
    campaign: AdCampaign
    steps: Sequence[LaunchStep]
    rejections: Sequence[Rejection]
    logs: Sequence[OptimizationLog]
    journal: Sequence[CampaignEvent]
    titles: Mapping[str, str]
    """Products' titles by their ids."""


def show_campaign(settings: Settings, campaign_id: str) -> RenderableType:
    """One campaign with all that belongs to it. Raises `InputError` if it is not there."""
    with store_of(settings) as store:
        campaigns = Campaigns(store)
        campaign = campaigns.get(campaign_id)
        page = _Page(
            campaign,
            Launches(store).steps(campaign_id),
            campaigns.rejections(campaign_id),
            campaigns.logs(campaign_id),
            campaigns.journal(campaign_id),
            {each.id: each.title for each in Shops(store).products(campaign.store_id)},
        )
    parts = [
        _facts(campaign),
        *creatives_side_by_side(campaign, page.titles),
        *_rejections(page.rejections),
        *_steps(page),
        *_logs(page),
        _journal(page),
    ]
    return Group(*parts)


def creatives_side_by_side(
    campaign: AdCampaign, titles: Mapping[str, str] | None = None
) -> list[RenderableType]:
    """A campaign's creatives, a column each, three in a table."""
    creatives: Sequence[AdCreative] = campaign.creatives
    tables: list[RenderableType] = []
    for start in range(0, len(creatives), _SIDE_BY_SIDE):
        some = creatives[start : start + _SIDE_BY_SIDE]
        shown = table("" if start else "Creatives", ("", *(each.id[:SHORT] for each in some)))
        columns = [_creative(each, campaign.currency, titles or {}) for each in some]
        for name in columns[0]:
            if any(column[name] for column in columns):
                add(shown, name, *(column[name] for column in columns))
        tables.append(shown)
    return tables


def _facts(campaign: AdCampaign) -> RenderableType:
    currency = campaign.currency
    holder = "the campaign" if campaign.budget_level is BudgetLevel.CAMPAIGN else "its ad sets"
    end = f"{campaign.end_date:%Y-%m-%d %H:%M} UTC" if campaign.end_date else "open"
    total = campaign.total_budget_minor
    in_all = "" if total is None else f", {_money(total, currency)} in all"
    pilot = "may change it" if campaign.auto_optimize else "leaves it alone"
    shown = table(campaign.name, ("", ""))
    shown.show_header = False
    rows = {
        "status": f"{in_words(campaign.status)}: {campaign.status_reason}",
        "id": campaign.id,
        "on Meta": campaign.platform_campaign_id or "not yet",
        "account": f"act_{campaign.account_id}, store {campaign.store_id}",
        "objective": in_words(campaign.objective)
        + (", adopted from Ads Manager" if campaign.adopted else ""),
        "budget": f"{_money(campaign.daily_budget_minor, currency)} a day, held by {holder}"
        f"{in_all}",
        "runs": f"{campaign.start_date:%Y-%m-%d %H:%M} UTC to {end}",
        "for": targeting_in_words(campaign.targeting),
        "autopilot": pilot,
        "numbers": _numbers(campaign),
        "next": _next(campaign),
    }
    for name, value in rows.items():
        if value:
            add(shown, name, value)
    return shown


def _numbers(campaign: AdCampaign) -> str:
    if campaign.synced_at is None:
        return "none yet: the next sync brings them"
    currency = campaign.currency
    told = [
        f"spend {_money(campaign.spent_minor, currency)}",
        f"{campaign.impressions:,} impressions",
        f"{campaign.clicks:,} clicks",
        f"{campaign.conversions:,} conversions",
        f"revenue {_money(campaign.revenue_minor, currency)}",
    ]
    ratios = {
        "ROAS": ratio(campaign.roas),
        "CTR": percent(campaign.ctr),
        "CPC": "" if campaign.cpc is None else show(campaign.cpc, currency),
        "CPM": "" if campaign.cpm is None else show(campaign.cpm, currency),
    }
    told += [f"{name} {value}" for name, value in ratios.items() if value]
    return f"{', '.join(told)}; as of {campaign.synced_at:%Y-%m-%d %H:%M} UTC"


def _next(campaign: AdCampaign) -> str:
    """What a person can do now."""
    own = campaign.id[:SHORT]
    mend = f"mend what the status says, then zyenta campaign launch {own}"
    if campaign.platform_campaign_id is not None:
        mend += f"; or zyenta campaign rollback {own}"
    return {
        CampaignStatus.DRAFT: f"zyenta campaign launch {own}",
        CampaignStatus.ERROR: mend,
        CampaignStatus.PENDING_REVIEW: f"zyenta campaign review {campaign.store_id}",
        CampaignStatus.PAUSED: f"zyenta campaign activate {own}",
        CampaignStatus.ACTIVE: f"zyenta campaign optimize {own}",
    }.get(campaign.status, "")


def _creative(creative: AdCreative, currency: str, titles: Mapping[str, str]) -> dict[str, str]:
    draft = creative.draft
    files = len(draft.media_ids)
    products = [titles.get(each, each) for each in draft.origin.product_ids]
    seen = creative.impressions or creative.spend_minor
    roas = Decimal(creative.revenue_minor) / creative.spend_minor if creative.spend_minor else None
    return {
        "name": draft.name,
        "status": creative.status.value,
        "headline": draft.headline,
        "text": draft.description,
        "button": draft.call_to_action.replace("_", " ").lower(),
        "argues by": in_words(draft.angle or ""),
        "shows": draft.type.value + (f", {files} files" if files > 1 else ""),
        "leads to": draft.link_url,
        "product": ", ".join(products),
        "written by": _origin(draft.origin),
        "spend": _money(creative.spend_minor, currency) if seen else "",
        "impressions": f"{creative.impressions:,}" if seen else "",
        "clicks": f"{creative.clicks:,}" if seen else "",
        "conversions": f"{creative.conversions:,}" if seen else "",
        "ROAS": ratio(roas),
        "Meta objects": "; ".join(f"{p}: {t}" for p, t in creative.review_feedback.items()),
        "ad on Meta": creative.platform_ad_id or "",
    }


def _origin(origin: CreativeOrigin) -> str:
    if not origin.model:
        return in_words(origin.writer)
    told = [f"{origin.writer} {origin.model}" if origin.model != origin.writer else origin.writer]
    if origin.prompt_version:
        told.append(f"prompt {origin.prompt_version}")
    if origin.tokens_in or origin.tokens_out:
        told.append(f"{origin.tokens_in:,} + {origin.tokens_out:,} tokens")
        cost = origin.cost_usd_micros
        told.append("cost not known" if cost is None else f"${Decimal(cost).scaleb(-6):.4f}")
    return ", ".join(told)


def _rejections(rejections: Sequence[Rejection]) -> list[RenderableType]:
    if not rejections:
        return []
    shown = table("Texts that were not taken", ("argues by", "headline", "text", "rule", "why"))
    for each in rejections:
        add(
            shown,
            in_words(each.angle),
            each.headline,
            each.description,
            each.rule,
            each.reason,
        )
    return [shown]


def _steps(page: _Page) -> list[RenderableType]:
    if not page.steps:
        return []
    shown = table("Launch, step by step", ("", "makes", "name", "state", "on Meta", "note"))
    for number, step in enumerate(page.steps, start=1):
        add(
            shown,
            number,
            step.kind.value,
            own_name(step.name, page.campaign.name),
            in_words(step.state),
            step.platform_id,
            step.note,
        )
    return [shown]


def _logs(page: _Page) -> list[RenderableType]:
    if not page.logs:
        return []
    headings = ("when (UTC)", "did", "from", "to", "confidence", "reason")
    shown = table("Optimizations", headings)
    for each in page.logs:
        add(
            shown,
            f"{each.created_at:%Y-%m-%d %H:%M:%S}",
            in_words(each.action),
            _values(each.previous_value),
            _values(each.new_value),
            f"{each.confidence:.0%}",
            each.reason,
        )
    return [shown]


def _journal(page: _Page) -> RenderableType:
    names = {each.id: each.draft.name for each in page.campaign.creatives}
    headings = ("when (UTC)", "who", "what", "from", "to", "why")
    shown = table("Journal", headings)
    # Where its objects are on the platform stands among the steps of the launch.
    for event in (each for each in page.journal if not each.what.startswith("platform_")):
        about = f"{names.get(event.creative_id, event.creative_id)}: " if event.creative_id else ""
        add(
            shown,
            f"{event.at:%Y-%m-%d %H:%M:%S}",
            event.actor,
            f"{about}{in_words(event.what)}",
            event.from_value,
            event.to_value,
            event.reason,
        )
    return shown


def _values(values: Mapping[str, Any] | None) -> str:
    if not values:
        return ""
    if set(values) == {"value"}:
        return str(values["value"])
    return ", ".join(f"{name} {value}" for name, value in values.items() if value is not None)


def _money(minor: int, currency: str) -> str:
    return show(to_major(minor, currency), currency)
