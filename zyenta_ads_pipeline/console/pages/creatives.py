"""A campaign's creatives side by side, with how they stand in their test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from zyenta_ads_pipeline.console.numbers_shown import Fatigue, TestedCreative, TestState
from zyenta_ads_pipeline.console.pages.words import CREATIVES, NOTHING, day, money, percent, words
from zyenta_ads_pipeline.domain.campaign import AdCampaign
from zyenta_ads_pipeline.domain.creative import AdCreative, CreativeStatus
from zyenta_ads_pipeline.domain.shop import MediaAsset, MediaKind

_MEDIA = {MediaKind.IMAGE: "Picture", MediaKind.VIDEO: "Video"}
_STANDINGS = {
    "testing": ("warn", "Testing"),
    "winner": ("good", "Winner"),
    "loser": ("bad", "Loser"),
    "no_difference": ("", "No difference found"),
}


@dataclass(frozen=True)
class CreativeCard:
    """One creative as it is shown. `standing` is its place in the test, empty without one."""

    id: str
    name: str
    look: str
    status: str
    headline: str
    text: str
    button: str
    angle: str
    media: str
    """What there is to see, in a word or two."""
    picture: str
    away: str
    """Where it is, if that is another host: pages load nothing from there."""
    host: str
    alt: str
    link: str
    product: str
    origin: str
    facts: Sequence[tuple[str, str]]
    standing: tuple[str, str] | None
    reason: str
    odds: str
    fatigue: str
    feedback: Sequence[tuple[str, str]]
    can_pause: bool
    can_scale: bool


def cards(
    campaign: AdCampaign,
    media: Mapping[str, MediaAsset],
    titles: Mapping[str, str],
    tests: TestState,
    fatigue: Mapping[str, Fatigue],
) -> list[CreativeCard]:
    """The creatives of a campaign in their order."""
    return [
        _card(campaign, each, media, titles, tests, fatigue.get(each.id))
        for each in campaign.creatives
    ]


def _card(
    campaign: AdCampaign,
    creative: AdCreative,
    media: Mapping[str, MediaAsset],
    titles: Mapping[str, str],
    tests: TestState,
    tired: Fatigue | None,
) -> CreativeCard:
    draft = creative.draft
    asset = next((media[each] for each in draft.media_ids if each in media), None)
    away = asset.source if asset and asset.source.startswith(("https://", "http://")) else ""
    shown = asset is not None and asset.kind is MediaKind.IMAGE and not away
    tested = tests.of(creative.id)
    look, status = CREATIVES[creative.status]
    live = creative.platform_ad_id is not None
    return CreativeCard(
        id=creative.id,
        name=draft.name,
        look=look,
        status=status,
        headline=draft.headline,
        text=draft.description,
        button=words(draft.call_to_action.lower()),
        angle=words(draft.angle) if draft.angle else "",
        media=_MEDIA[asset.kind] if asset else "No picture or video known",
        picture=f"/media/{asset.id}" if shown and asset is not None else "",
        away=away,
        host=_host(away),
        alt=asset.alt if asset is not None else "",
        link=draft.link_url if draft.link_url.startswith(("https://", "http://")) else "",
        product=", ".join(titles.get(each, each) for each in draft.origin.product_ids),
        origin=_origin(creative),
        facts=_facts(creative, campaign.currency),
        standing=_STANDINGS.get(tested.standing) if tested else None,
        reason=tested.reason if tested else "",
        odds=_odds(tested),
        fatigue=_tired(tired),
        feedback=list(creative.review_feedback.items()),
        can_pause=live and creative.status is not CreativeStatus.PAUSED,
        can_scale=live and creative.status is not CreativeStatus.PAUSED,
    )


def _host(address: str) -> str:
    """The host's name in an address, empty where it has none."""
    try:
        return urlsplit(address).hostname or ""
    except ValueError:  # nobody checked it: a catalogue may hold anything
        return ""


def _facts(creative: AdCreative, currency: str) -> list[tuple[str, str]]:
    if not (creative.impressions or creative.spend_minor):
        return []
    roas = NOTHING
    if creative.spend_minor:
        roas = f"{creative.revenue_minor / creative.spend_minor:.2f}x"
    rate = creative.clicks / creative.impressions if creative.impressions else None
    return [
        ("Spend", money(creative.spend_minor, currency)),
        ("Impressions", f"{creative.impressions:,}"),
        ("CTR", percent(rate, 2)),
        ("Conversions", f"{creative.conversions:,}"),
        ("Revenue", money(creative.revenue_minor, currency)),
        ("ROAS", roas),
    ]


def _origin(creative: AdCreative) -> str:
    origin = creative.draft.origin
    if not origin.model:
        return words(origin.writer)
    told = f"{words(origin.writer)} {origin.model}" if origin.model != origin.writer else (
        words(origin.writer)
    )  # fmt: skip
    return f"{told}, prompt {origin.prompt_version}" if origin.prompt_version else told


def _odds(tested: TestedCreative | None) -> str:
    if tested is None or tested.lift is None:
        return ""
    told = f"{tested.lift:+.0%} against the other"
    if tested.lift_low is not None and tested.lift_high is not None:
        told += f" ({tested.lift_low:+.0%} to {tested.lift_high:+.0%})"
    if tested.standing == "testing" and tested.days_needed:
        told += f"; about {tested.days_needed} more days decide, should it stay so"
    return told


def _tired(fatigue: Fatigue | None) -> str:
    if fatigue is None or not fatigue.tired:
        return ""
    fall = f" by {fatigue.fall:.0%}" if fatigue.fall is not None else ""
    since = f" since {day(fatigue.since)}" if fatigue.since else ""
    return f"It has tired: it sells less{fall}{since}."
