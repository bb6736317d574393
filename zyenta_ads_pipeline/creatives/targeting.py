"""Whom a campaign's ads are for, in Meta's form, from what a store says of itself.

Interests come from the platform's own search and are validated: ids are never kept in code, since
they get retired. `targeting_automation` is always stated, since its default is not the same twice.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, TypeVar

from zyenta_ads_pipeline.creatives.interest_match import best_of, nearest, telling
from zyenta_ads_pipeline.creatives.niches import COUNTRIES, MEANT, niche_words
from zyenta_ads_pipeline.domain.campaign import CampaignObjective
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.domain.launch import Interest
from zyenta_ads_pipeline.domain.shop import Product, ShopStore
from zyenta_ads_pipeline.platforms.base import AdsLauncher

T = TypeVar("T")

MOST_INTERESTS = 10
_MOST_SEARCHES = 12
_PER_WORD = 3
_YOUNGEST, _OLDEST = 13, 65
_WIDE_MIN = 25
"""With Advantage+ audience Meta takes no higher minimum age, and no maximum below 65."""


@dataclass(frozen=True)
class Aimed:
    """Targeting in the platform's form, and sentences for the buyer on how it came about."""

    targeting: dict[str, Any]
    notes: list[str]


async def targeting_for(
    store: ShopStore,
    objective: CampaignObjective,
    platform: AdsLauncher,
    products: Sequence[Product] = (),
) -> Aimed:
    """Whom a store's campaign is for: its countries, its ages, and interests that are valid now.

    Interests are looked up by the store's own words, else by its niche and its products'
    categories. A catalogue campaign without own words goes to everyone: the platform picks the
    people for each product. Where nothing is found the targeting is broad, and a note says so.
    Raises `InputError` for countries or ages that cannot be used, and the platform's errors.
    """
    countries = checked_countries(store.countries)
    age_min, age_max, notes = _ages(store)
    everyone = f"everyone aged {_age_range(age_min, age_max)} in {', '.join(countries)}"
    targeting: dict[str, Any] = {
        "geo_locations": {"countries": countries},
        "age_min": age_min,
        "age_max": age_max,
        "targeting_automation": {"advantage_audience": int(store.advantage_audience)},
    }
    if objective is CampaignObjective.CATALOG_SALES and not store.interests:
        notes.append(
            f"The ads go to {everyone}: in a catalogue campaign the platform picks the people for "
            "each product."
        )
        return Aimed(targeting, notes)
    words = _words(store, products)
    interests = await _found(words, platform, notes)
    if interests:
        targeting["flexible_spec"] = [{"interests": [_as_sent(each) for each in interests]}]
        named = ", ".join(each.name for each in interests)
        notes.append(f"The ads go to {everyone} who are interested in one of: {named}.")
    else:
        sought = f"for {', '.join(words)}" if words else "to look for: the store has no niche"
        notes.append(f"No interest was found {sought}. The ads go to {everyone}.")
    return Aimed(targeting, notes)


async def mended(targeting: Mapping[str, Any], platform: AdsLauncher) -> Aimed:
    """The targeting with its interests as they are valid now; nothing else of it is changed.

    An interest that the platform has retired is replaced by the nearest one of the same name or
    topic, else left out; each is told. Raises the platform's errors.
    """
    result = copy.deepcopy(dict(targeting))
    groups = [group for group in result.get("flexible_spec", []) if group.get("interests")]
    listed = [
        (str(each["id"]), str(each.get("name", ""))) for g in groups for each in g["interests"]
    ]
    if not listed:
        return Aimed(result, [])
    names = dict(listed)
    said = {each.id: each for each in await platform.validate_interests(list(names))}
    gone = [each for each in names if each not in said or not said[each].valid]
    taken = set(names)
    instead: dict[str, Interest | None] = {}
    for each in gone:
        instead[each] = await _replacement(names[each], said.get(each), taken, platform)
        taken |= {found.id for found in (instead[each],) if found}
    notes = [_told(names[each] or each, instead[each]) for each in gone]
    for group in groups:
        kept = []
        for each in group["interests"]:
            if str(each["id"]) not in instead:
                kept.append(each)
            elif found := instead[str(each["id"])]:
                kept.append(_as_sent(found))
        group["interests"] = _once(kept, lambda each: str(each["id"]))
    if gone:
        _without_empty(result, notes)
    return Aimed(result, notes)


def checked_countries(countries: Sequence[str]) -> list[str]:
    """Country codes in capitals, each once. Raises `InputError` for what is no ISO 3166 code."""
    codes = list(dict.fromkeys(each.strip().upper() for each in countries))
    if not codes:
        raise InputError("The store has no countries.", "Name those it sells to, such as DE,AT,CH.")
    for code in codes:
        if code not in COUNTRIES:
            meant = MEANT.get(code)
            raise InputError(
                f"{code!r} is not a country's ISO 3166 code of two letters.",
                f"Write {meant}." if meant else "Write for example DE for Germany.",
            )
    return codes


def _ages(store: ShopStore) -> tuple[int, int, list[str]]:
    low, high = store.age_min, store.age_max
    if not _YOUNGEST <= low <= high <= _OLDEST:
        raise InputError(
            f"The store's ads cannot be for ages {low} to {high}.",
            f"Set ages from {_YOUNGEST} to {_OLDEST}, the lower one first; {_OLDEST} means "
            f"{_OLDEST} and over.",
        )
    if store.advantage_audience and (low > _WIDE_MIN or high < _OLDEST):
        wide = min(low, _WIDE_MIN)
        return wide, _OLDEST, [
            f"The ages {_age_range(low, high)} were widened to {_age_range(wide, _OLDEST)}: the "
            "platform's Advantage+ audience takes no narrower ones. Turn it off to keep yours."
        ]  # fmt: skip
    return low, high, []


def _age_range(low: int, high: int) -> str:
    return f"{low} and over" if high == _OLDEST else f"{low} to {high}"


def _words(store: ShopStore, products: Sequence[Product]) -> list[str]:
    """What to look for, the most telling first, each once."""
    if store.interests:
        words = list(store.interests)
    else:
        # The last part of "Clothing > Shoes" says most.
        categories = [each.category.rpartition(">")[2] for each in products]
        words = [*niche_words(store.niche), *categories]
    cleaned = [word for each in words if (word := " ".join(each.split()))]
    return _once(cleaned, str.casefold)[:_MOST_SEARCHES]


async def _found(words: Sequence[str], platform: AdsLauncher, notes: list[str]) -> list[Interest]:
    """Valid interests for the words: the best of each word first, then the second best of each."""
    by_word = []
    for word in words:
        by_word.append(best_of(await platform.search_interests(word), word)[:_PER_WORD])
    ranked = [each for row in zip_longest(*by_word) for each in row if each is not None]
    by_name = _once(ranked, lambda each: each.name.casefold())
    candidates = _once(by_name, lambda each: each.id)
    if not candidates:
        return []
    said = await platform.validate_interests([each.id for each in candidates])
    valid = {each.id for each in said if each.valid}
    kept = [each for each in candidates if each.id in valid][:MOST_INTERESTS]
    without = [w for w, found in zip(words, by_word, strict=True) if not found]
    if kept and without:
        notes.append(f"No interest was found for {', '.join(without)}.")
    return kept


async def _replacement(
    name: str, said: Interest | None, taken: set[str], platform: AdsLauncher
) -> Interest | None:
    """The nearest valid interest of the same name, else of its telling words, else of its topic."""
    name = name or (said.name if said else "")
    topic = said.topic if said else ""
    sought = [(each, name) for each in (name, *telling(name)) if each] + [(topic, topic)]
    for word, meant in dict.fromkeys(sought):
        if not word:
            continue
        found = [e for e in await platform.search_interests(word) if e.valid and e.id not in taken]
        near = nearest(found, meant)[:_PER_WORD]
        if near:
            said_now = await platform.validate_interests([each.id for each in near])
            valid = {each.id for each in said_now if each.valid}
            for each in near:
                if each.id in valid:
                    return each
    return None


def _told(name: str, found: Interest | None) -> str:
    if found is None:
        return f"The platform no longer offers the interest {name}; it was left out."
    if found.name.casefold() == name.casefold():
        return f"The platform renewed the interest {name}; its new form was taken."
    return f"The platform no longer offers the interest {name}; {found.name} took its place."


def _without_empty(targeting: dict[str, Any], notes: list[str]) -> None:
    """Take out groups that nothing is left of."""
    groups = [
        {key: value for key, value in group.items() if key != "interests" or value}
        for group in targeting["flexible_spec"]
    ]
    left = [group for group in groups if group]
    if left:
        targeting["flexible_spec"] = left
    else:
        del targeting["flexible_spec"]
    if not left:
        notes.append("No interest is left: the ads go to everyone of the ages and places chosen.")
    elif len(left) < len(groups):
        notes.append("Of one group of interests none is left: the ads go to more people.")


def _once(items: Iterable[T], key: Callable[[T], str]) -> list[T]:
    """The items in their order, the first of those with the same key."""
    kept: dict[str, T] = {}
    for each in items:
        kept.setdefault(key(each), each)
    return list(kept.values())


def _as_sent(interest: Interest) -> dict[str, str]:
    return {"id": interest.id, "name": interest.name}
