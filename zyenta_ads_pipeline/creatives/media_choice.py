"""Which picture or video an ad shows. Pure: the same media and history give the same choice."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from zyenta_ads_pipeline.domain.campaign import CampaignObjective
from zyenta_ads_pipeline.domain.creative import CreativeType
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.domain.shop import MediaAsset, MediaKind

_VIDEO_WORDS = re.compile(r"\b(?:videos?|clips?|reels?|footage|film|motion|moving)\b", re.I)
_PICTURE_WORDS = re.compile(r"\b(?:images?|photos?|pictures?|still|shot|portrait)\b", re.I)
_PREFER_VIDEO = {CampaignObjective.ENGAGEMENT, CampaignObjective.AWARENESS}
_PREFER_IMAGE = {CampaignObjective.CONVERSIONS, CampaignObjective.CATALOG_SALES}
_BEST_SHAPES = (1.0, 0.8)
_GOOD_SHAPES = (1.91,)
_TOLERANCE = 0.03
_SMALLEST_SIDE = 500
"""Pixels; smaller pictures look blurred in the feed."""


@dataclass(frozen=True)
class Chosen:
    """What an ad shows. With a video a picture follows it, where there is one: its thumbnail."""

    type: CreativeType
    media_ids: Sequence[str]


def shows(product_id: str, media: Sequence[MediaAsset]) -> bool:
    """Whether there is anything to show for a product: its own media, or the store's."""
    return any(each.product_id in (None, product_id) for each in media)


def require_media(media: Sequence[MediaAsset], objective: CampaignObjective) -> None:
    """Raise `InputError` where an ad would have nothing to show.

    A catalogue campaign shows the catalogue's own pictures and needs none.
    """
    if not media and objective is not CampaignObjective.CATALOG_SALES:
        raise InputError(
            "The store has no picture or video to show in an ad.",
            "Add at least one image of a product or of the store, square (1:1) or 4:5 at best.",
        )


def choose(
    media: Sequence[MediaAsset],
    *,
    objective: CampaignObjective,
    product_ids: Sequence[str],
    visual: str = "",
    used: Mapping[str, int] | None = None,
) -> Chosen:
    """What to show for an ad about `product_ids`, given what its sisters show (`used`: id, times).

    In this order it looks for the kind (engagement and awareness prefer videos, conversions
    pictures, otherwise as `visual` says), the product's own media before the store's, a shape
    that the feed shows whole (1:1, 4:5, then 1.91:1), what was shown least, and words of `visual`
    in the picture's description. Another product's media are never shown.

    Raises `InputError` where nothing fits.
    """
    if objective is CampaignObjective.CATALOG_SALES:
        return Chosen(CreativeType.CAROUSEL, ())
    fitting = [each for each in media if each.product_id is None or each.product_id in product_ids]
    require_media(fitting, objective)
    seen = used or {}
    wanted = _kind(objective, visual)
    places = {each.id: place for place, each in enumerate(media)}

    def rank(asset: MediaAsset) -> tuple[int, ...]:
        shape = _shape(asset)
        return (
            asset.kind is not wanted,
            asset.product_id is None,
            shape > 2,
            _is_small(asset),
            seen.get(asset.id, 0),
            shape,
            -_shared_words(asset.alt, visual),
            places[asset.id],
        )

    first = min(fitting, key=rank)
    if first.kind is MediaKind.IMAGE:
        return Chosen(CreativeType.IMAGE, (first.id,))
    stills = [each for each in fitting if each.kind is MediaKind.IMAGE]
    return Chosen(
        CreativeType.VIDEO, (first.id, *(each.id for each in sorted(stills, key=rank)[:1]))
    )


def _kind(objective: CampaignObjective, visual: str) -> MediaKind:
    if objective in _PREFER_IMAGE:
        return MediaKind.IMAGE
    if _VIDEO_WORDS.search(visual):
        return MediaKind.VIDEO
    if objective in _PREFER_VIDEO and not _PICTURE_WORDS.search(visual):
        return MediaKind.VIDEO
    return MediaKind.IMAGE


def _shape(asset: MediaAsset) -> int:
    """0 best, 1 good, 2 not known, 3 one that the feed crops."""
    if not asset.width or not asset.height:
        return 2
    ratio = asset.width / asset.height
    for place, shapes in enumerate((_BEST_SHAPES, _GOOD_SHAPES)):
        if any(abs(ratio - each) <= _TOLERANCE * each for each in shapes):
            return place
    return 3


def _is_small(asset: MediaAsset) -> bool:
    sides = [side for side in (asset.width, asset.height) if side]
    return bool(sides) and min(sides) < _SMALLEST_SIDE


def _shared_words(alt: str, visual: str) -> int:
    return len(
        set(re.findall(r"\w{4,}", alt.casefold())) & set(re.findall(r"\w{4,}", visual.casefold()))
    )
