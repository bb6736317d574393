"""Targeting: countries, ages, interests that are valid, and retired ones replaced."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.creatives.fake_search import FakeSearch, interest, launcher
from zyenta_ads_pipeline.creatives.interest_match import best_of, nearest, telling
from zyenta_ads_pipeline.creatives.niches import COUNTRIES, niche_words
from zyenta_ads_pipeline.creatives.targeting import (
    Aimed,
    checked_countries,
    mended,
    targeting_for,
)
from zyenta_ads_pipeline.domain.campaign import CampaignObjective
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.domain.shop import Product, ShopStore

STORE = ShopStore(
    id="store-1", name="Fjord", niche="outdoor", domain="shop.example", countries=["de", "AT"],
    currency="EUR", created_at=datetime(2026, 1, 1, tzinfo=UTC), age_min=21, age_max=54,
)  # fmt: skip
HIKING = interest(1, "Hiking", 900)
HIKING_BOOTS = interest(2, "Hiking boots", 5000)
CAMPING = interest(3, "Camping (outdoor activity)", 800)
OUTDOOR = interest(4, "Outdoor recreation", 700)
FOOTWEAR = interest(5, "Footwear", 600)
CAMP = interest(6, "Summer camp counsellors", 99_000)


def product(number: int, category: str) -> Product:
    return Product(str(number), "store-1", f"P{number}", "", 100, "EUR", category=category)


def aim(
    store: ShopStore,
    search: FakeSearch,
    products: Sequence[Product] = (),
    objective: CampaignObjective = CampaignObjective.CONVERSIONS,
) -> Aimed:
    return asyncio.run(targeting_for(store, objective, launcher(search), products))


def mend(targeting: dict[str, Any], search: FakeSearch) -> Aimed:
    return asyncio.run(mended(targeting, launcher(search)))


def names(targeting: dict[str, Any]) -> list[list[str]]:
    return [[e["name"] for e in group["interests"]] for group in targeting["flexible_spec"]]


def test_a_stores_niche_and_categories_in_metas_form() -> None:
    search = FakeSearch([HIKING, HIKING_BOOTS, CAMPING, OUTDOOR, FOOTWEAR, CAMP])
    found = aim(STORE, search, [product(1, "Clothing > Footwear"), product(2, "Footwear")])
    assert found.targeting == {
        "geo_locations": {"countries": ["DE", "AT"]},
        "age_min": 21,
        "age_max": 54,
        "targeting_automation": {"advantage_audience": 0},
        "flexible_spec": [
            {
                "interests": [
                    {"id": each.id, "name": each.name}
                    for each in (OUTDOOR, HIKING, CAMPING, FOOTWEAR, HIKING_BOOTS)
                ]
            }
        ],
    }
    assert search.searched == ["Outdoor recreation", "Hiking", "Camping", "Mountaineering",
                               "Footwear"]  # fmt: skip
    assert found.notes == [
        "No interest was found for Mountaineering.",
        "The ads go to everyone aged 21 to 54 in DE, AT who are interested in one of: "
        "Outdoor recreation, Hiking, Camping (outdoor activity), Footwear, Hiking boots.",
    ]


def test_the_stores_own_words_come_before_its_niche() -> None:
    search = FakeSearch([HIKING, FOOTWEAR, OUTDOOR])
    found = aim(
        replace(STORE, interests=[" footwear ", "Footwear"]), search, [product(1, "Hiking")]
    )
    assert search.searched == ["footwear"]
    assert names(found.targeting) == [["Footwear"]]


def test_nothing_found_is_broad_and_said() -> None:
    found = aim(STORE, FakeSearch([CAMP]))
    assert "flexible_spec" not in found.targeting
    assert found.notes == [
        "No interest was found for Outdoor recreation, Hiking, Camping, Mountaineering. "
        "The ads go to everyone aged 21 to 54 in DE, AT."
    ]
    empty = aim(replace(STORE, niche="general", age_max=65), FakeSearch([]))
    assert empty.notes == [
        "No interest was found to look for: the store has no niche. "
        "The ads go to everyone aged 21 and over in DE, AT."
    ]


def test_retired_interests_are_not_taken() -> None:
    search = FakeSearch([HIKING, CAMPING], retired={HIKING.id})
    assert names(aim(STORE, search).targeting) == [["Camping (outdoor activity)"]]
    search = FakeSearch([HIKING], retired={HIKING.id})
    assert "flexible_spec" not in aim(STORE, search).targeting


def test_a_catalogue_campaign_is_broad_unless_the_store_has_words_of_its_own() -> None:
    search = FakeSearch([HIKING])
    sales = CampaignObjective.CATALOG_SALES
    broad = aim(STORE, search, objective=sales)
    assert "flexible_spec" not in broad.targeting
    assert search.searched == []
    assert "picks the people for each product" in broad.notes[0]
    own = aim(replace(STORE, interests=["hiking"]), search, objective=sales)
    assert names(own.targeting) == [["Hiking"]]


def test_searches_and_interests_are_bounded() -> None:
    words = [f"word{n}" for n in range(40)]
    known = [interest(100 * n + m, f"{w} kind{m}") for n, w in enumerate(words) for m in range(9)]
    search = FakeSearch(known)
    found = aim(replace(STORE, interests=words), search)
    assert len(search.searched) == 12
    assert len(search.validated) == 1
    taken = names(found.targeting)[0]
    assert [each.split()[0] for each in taken] == words[:10]


@pytest.mark.parametrize(
    ("low", "high", "advantage", "sent"),
    [
        (18, 65, False, (18, 65)), (13, 13, False, (13, 13)), (30, 40, False, (30, 40)),
        (18, 65, True, (18, 65)), (25, 65, True, (25, 65)), (30, 65, True, (25, 65)),
        (21, 40, True, (21, 65)),
    ],
)  # fmt: skip
def test_ages_and_advantage_audience(
    low: int, high: int, advantage: bool, sent: tuple[int, int]
) -> None:
    store = replace(STORE, age_min=low, age_max=high, advantage_audience=advantage)
    found = aim(store, FakeSearch([]))
    assert (found.targeting["age_min"], found.targeting["age_max"]) == sent
    assert found.targeting["targeting_automation"] == {"advantage_audience": int(advantage)}
    assert any("were widened" in note for note in found.notes) == (sent != (low, high))


@pytest.mark.parametrize(("low", "high"), [(12, 65), (40, 30), (18, 66), (-1, 5)])
def test_ages_that_cannot_be(low: int, high: int) -> None:
    with pytest.raises(InputError, match=f"cannot be for ages {low} to {high}"):
        aim(replace(STORE, age_min=low, age_max=high), FakeSearch([]))


def test_countries_are_iso_codes() -> None:
    assert checked_countries([" de", "DE", "ch"]) == ["DE", "CH"]
    assert len(COUNTRIES) == 249
    for wrong, remedy in (
        (["UK"], "Write GB."),
        (["Germany"], "for example DE"),
        ([], "Name those"),
    ):
        with pytest.raises(InputError, match=remedy):
            checked_countries(wrong)


def test_niches_have_words() -> None:
    assert niche_words("Home  Decor")[0] == "Home decor"
    assert niche_words("coffee & tea") == ("coffee & tea", "Coffee", "Tea", "Coffeehouses")
    assert niche_words("Fly fishing") == ("Fly fishing",)
    assert niche_words(" General ") == niche_words("") == ()


def test_which_names_are_meant() -> None:
    found = [
        interest(1, "Coffee table", 90), interest(2, "Coffee (drink)", 5),
        interest(3, "coffees", 8), interest(4, "Iced coffee", 99),
        interest(5, "Tea", 1000), interest(6, "Coffee", 1),
    ]  # fmt: skip
    assert [each.name for each in best_of(found, "coffee")] == [
        "Coffee", "coffees", "Coffee (drink)", "Iced coffee", "Coffee table",
    ]  # fmt: skip
    assert best_of(found, "coffee shops") == []
    assert nearest(found, "coffee shops")[0].name == "Iced coffee"
    assert telling("Fly fishing in the sea") == ["fishing"]
    assert telling("Hiking") == []
    assert nearest(found, "the sea") == best_of(found, "") == []
    assert best_of([replace(found[5], valid=False)], "coffee") == []


AIMED: dict[str, Any] = {
    "geo_locations": {"countries": ["DE"]},
    "age_min": 18,
    "targeting_automation": {"advantage_audience": 0},
    "flexible_spec": [
        {"interests": [{"id": "1", "name": "Hiking"}, {"id": HIKING_BOOTS.id, "name": "Boots"}]},
        {"interests": [{"id": "2", "name": "Gone for good"}], "behaviors": [{"id": "9"}]},
    ],
}


def test_valid_targeting_is_left_alone() -> None:
    whole = {**AIMED, "flexible_spec": [{"interests": [{"id": HIKING.id, "name": "Old name"}]}]}
    for targeting in (whole, {"geo_locations": {"countries": ["DE"]}}):
        found = mend(targeting, FakeSearch([HIKING]))
        assert (found.targeting, found.notes) == (targeting, [])
        assert found.targeting is not targeting


def test_retired_interests_are_replaced_or_left_out_and_told() -> None:
    before = copy.deepcopy(AIMED)
    found = mend(AIMED, FakeSearch([HIKING, HIKING_BOOTS, CAMPING]))
    assert before == AIMED
    assert found.targeting == {
        **AIMED,
        "flexible_spec": [
            {
                "interests": [
                    {"id": HIKING.id, "name": "Hiking"},
                    {"id": HIKING_BOOTS.id, "name": "Boots"},
                ]
            },
            {"behaviors": [{"id": "9"}]},
        ],
    }
    assert found.notes == [
        "The platform renewed the interest Hiking; its new form was taken.",
        "The platform no longer offers the interest Gone for good; it was left out.",
    ]


def test_the_nearest_name_then_the_topic_takes_the_place() -> None:
    targeting = {
        "flexible_spec": [
            {"interests": [{"id": "1", "name": "Wilderness camping"}]},
            {"interests": [{"id": "2", "name": "Xyzzy"}]},
            {"interests": [{"id": "3", "name": "Plugh"}]},
        ]
    }
    search = FakeSearch([CAMPING, FOOTWEAR], topics={"2": "Footwear"})
    found = mend(targeting, search)
    assert names(found.targeting) == [["Camping (outdoor activity)"], ["Footwear"]]
    assert found.notes == [
        "The platform no longer offers the interest Wilderness camping; "
        "Camping (outdoor activity) took its place.",
        "The platform no longer offers the interest Xyzzy; Footwear took its place.",
        "The platform no longer offers the interest Plugh; it was left out.",
        "Of one group of interests none is left: the ads go to more people.",
    ]


def test_where_no_interest_is_left_the_ads_go_to_everyone() -> None:
    search = FakeSearch([HIKING], retired={HIKING.id})
    targeting = {
        "age_min": 18,
        "flexible_spec": [{"interests": [{"id": HIKING.id, "name": "Hiking"}]}],
    }
    found = mend(targeting, search)
    assert found.targeting == {"age_min": 18}
    assert found.notes[-1] == (
        "No interest is left: the ads go to everyone of the ages and places chosen."
    )


numbers = st.integers(1, 12)
groups = st.lists(st.lists(numbers, max_size=4), max_size=3)


@given(groups, st.sets(numbers), st.lists(numbers, unique=True))
def test_whatever_is_mended_is_valid_and_mending_it_again_changes_nothing(
    ids: list[list[int]], retired: set[int], known: list[int]
) -> None:
    search = FakeSearch(
        [interest(each, f"Thing {each % 4}") for each in known],
        retired={interest(each, "").id for each in retired},
    )
    targeting = {
        "age_min": 18,
        "flexible_spec": [
            {"interests": [{"id": interest(n, "").id, "name": f"Thing {n % 4}"} for n in group]}
            for group in ids
        ],
    }
    found = mend(targeting, search)
    valid = {interest(each, "").id for each in set(known) - retired}
    for group in found.targeting.get("flexible_spec", []):
        listed = [each["id"] for each in group["interests"]]
        assert set(listed) <= valid
        assert len(listed) == len(set(listed))
    again = mend(found.targeting, search)
    assert (again.targeting, again.notes) == (found.targeting, [])
