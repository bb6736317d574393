"""What an ad shows: by kind, product, shape, words, and turn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import pytest

from zyenta_ads_pipeline.creatives.media_choice import Chosen, choose, require_media
from zyenta_ads_pipeline.domain.campaign import CampaignObjective
from zyenta_ads_pipeline.domain.creative import CreativeType
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.domain.shop import MediaAsset, MediaKind

CONVERSIONS, ENGAGEMENT = CampaignObjective.CONVERSIONS, CampaignObjective.ENGAGEMENT
TRAFFIC = CampaignObjective.TRAFFIC


def image(
    name: str,
    *,
    size: tuple[int, int] | None = None,
    product_id: str | None = "p1",
    alt: str = "",
    kind: MediaKind = MediaKind.IMAGE,
) -> MediaAsset:
    width, height = size or (None, None)
    return MediaAsset(name, "s1", kind, f"{name}.jpg", product_id, alt, "", width, height)


def video(name: str, *, product_id: str = "p1", alt: str = "") -> MediaAsset:
    return image(name, product_id=product_id, alt=alt, kind=MediaKind.VIDEO)


def chosen(
    media: Sequence[MediaAsset],
    *,
    objective: CampaignObjective = CONVERSIONS,
    visual: str = "",
    products: Sequence[str] = ("p1",),
    used: Mapping[str, int] | None = None,
) -> Chosen:
    return choose(media, objective=objective, product_ids=products, visual=visual, used=used)


def test_engagement_takes_a_video_with_a_picture_as_its_thumbnail() -> None:
    found = chosen([image("a"), video("v")], objective=ENGAGEMENT)
    assert found.type is CreativeType.VIDEO
    assert found.media_ids == ("v", "a")
    assert chosen([video("v")], objective=ENGAGEMENT).media_ids == ("v",)


def test_conversions_take_a_picture_whatever_the_hint() -> None:
    assert chosen([video("v"), image("a")], visual="a video of it").media_ids == ("a",)


@pytest.mark.parametrize(
    ("objective", "visual", "first"),
    [
        (TRAFFIC, "a short video clip", "v"),
        (TRAFFIC, "a close-up", "a"),
        (ENGAGEMENT, "a close-up photo", "a"),
        (ENGAGEMENT, "people walking", "v"),
        (CampaignObjective.AWARENESS, "Video of a hike", "v"),
    ],
)
def test_the_hint_and_the_objective_decide_the_kind(
    objective: CampaignObjective, visual: str, first: str
) -> None:
    found = chosen([image("a"), video("v")], objective=objective, visual=visual)
    assert found.media_ids[0] == first


def test_a_video_is_shown_where_there_is_nothing_else() -> None:
    assert chosen([video("v")]).type is CreativeType.VIDEO


def test_shapes_that_the_feed_shows_whole_come_first() -> None:
    media = [
        image("banner", size=(2000, 400)),
        image("unknown"),
        image("wide", size=(1910, 1000)),
        image("square", size=(1080, 1080)),
    ]
    used: Counter[str] = Counter()
    order = []
    for _ in range(4):
        (one,) = chosen(media, used=used).media_ids
        used[one] += 1
        order.append(one)
    # Each good one in turn; the banner never, as long as there are others.
    assert order == ["square", "wide", "unknown", "square"]
    assert chosen([image("tall", size=(1080, 1920)), image("x", size=(864, 1080))]).media_ids == (
        "x",
    )
    assert chosen([image("tiny", size=(100, 100)), image("x", size=(1910, 1000))]).media_ids == (
        "x",
    )


def test_the_products_own_picture_before_the_stores_and_never_anothers() -> None:
    media = [image("other", product_id="p2"), image("store", product_id=None), image("own")]
    assert chosen(media).media_ids == ("own",)
    assert chosen(media[:2]).media_ids == ("store",)
    with pytest.raises(InputError, match="at least one image"):
        chosen(media[:1])


def test_words_of_the_hint_find_a_picture_by_its_description() -> None:
    media = [image("a", alt="boots on a table"), image("b", alt="boots on a mountain trail")]
    assert chosen(media, visual="hiker on a mountain").media_ids == ("b",)


def test_no_media_is_told_but_for_catalogue_sales() -> None:
    with pytest.raises(InputError, match="Add at least one image"):
        require_media([], CONVERSIONS)
    found = chosen([], objective=CampaignObjective.CATALOG_SALES)
    assert found == chosen([image("a")], objective=CampaignObjective.CATALOG_SALES)
    assert (found.type, found.media_ids) == (CreativeType.CAROUSEL, ())
