"""Rules of places: known ones, allowed ones, none inside another, and those of the EU."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from zyenta_ads_pipeline.sandbox.asked import known_keys, objects_in
from zyenta_ads_pipeline.sandbox.graph_error import GraphError
from zyenta_ads_pipeline.sandbox.places import (
    CITIES,
    COUNTRIES,
    EU,
    FORBIDDEN,
    GROUPS,
    REGIONS,
    country_of,
)
from zyenta_ads_pipeline.sandbox.write_errors import refused, wrong

_NAME = "targeting"
_KEYED = ("regions", "cities", "zips")
_PARTS = ("countries", "country_groups", *_KEYED, "custom_locations")
_UNITS = ("mile", "kilometer")


def check_places(given: Mapping[str, Any]) -> None:
    """Refuse a targeting whose places are missing, unknown, forbidden, or lie in one another."""
    places = given.get("geo_locations")
    if not isinstance(places, dict) or not any(places.get(name) for name in _PARTS):
        listed = ", ".join(_PARTS)
        raise wrong(_NAME, f"Param {_NAME}[geo_locations] must have at least one of {listed}")
    _check_form(places, "geo_locations")
    excluded = given.get("excluded_geo_locations") or {}
    if not isinstance(excluded, dict):
        raise wrong(_NAME, f"Param {_NAME}[excluded_geo_locations] must be an object")
    _check_form(excluded, "excluded_geo_locations")
    _refuse_overlap(places)
    both = set(places.get("countries", [])) & set(excluded.get("countries", []))
    if both:
        raise refused(1487756, blame=_NAME, because=f"{sorted(both)[0]} is in and out.")


def countries_of(targeting: Mapping[str, Any]) -> set[str]:
    """The countries that a checked targeting reaches into, as far as they can be told."""
    places = targeting["geo_locations"]
    found = set(places.get("countries", []))
    for group in places.get("country_groups", []):
        found |= GROUPS[group]
    found |= {country for _, _, country in _keyed(places)}
    found |= {place["country"] for place in places.get("custom_locations", [])
              if "country" in place}  # fmt: skip
    return found


def reaches_eu(targeting: Mapping[str, Any]) -> bool:
    """Whether any of it lies in the European Union."""
    return bool(countries_of(targeting) & EU)


def _check_form(places: dict[str, Any], name: str) -> None:
    if "location_types" in places:
        raise refused(1870199, blame=_NAME)
    known_keys(places, _PARTS, f"{_NAME}[{name}]")
    for part, known in (("countries", COUNTRIES), ("country_groups", GROUPS)):
        listed = places.get(part, [])
        if not isinstance(listed, list):
            raise wrong(_NAME, f"Param {_NAME}[{name}][{part}] must be an array")
        for item in listed:
            if not isinstance(item, str) or item not in known:
                raise wrong(_NAME, f"Param {_NAME}[{name}][{part}] has an unknown entry {item!r}")
            if item in FORBIDDEN:
                raise GraphError(2641, f"(#2641) Your ad targets a forbidden location ({item})")
    for part in _KEYED:
        for item in objects_in(places.get(part, []), f"{_NAME}[{name}][{part}]"):
            key = str(item.get("key"))
            if country_of(part, key) is None:
                raise wrong(_NAME, f"Param {_NAME}[{name}][{part}] has an unknown key {key}")
            if "radius" in item and item.get("distance_unit") not in _UNITS:
                raise wrong(_NAME, f"A radius needs a distance_unit out of {list(_UNITS)}")
    for item in objects_in(places.get("custom_locations", []), f"{_NAME}[{name}]"):
        if not {"latitude", "longitude", "radius"} <= item.keys() and "address_string" not in item:
            raise wrong(_NAME, "A custom location needs latitude, longitude and radius")


def _refuse_overlap(places: Mapping[str, Any]) -> None:
    """No place may lie in another one."""
    whole = list(places.get("countries", []))
    for group in places.get("country_groups", []):
        whole += sorted(GROUPS[group])
    twice = sorted({country for country in whole if whole.count(country) > 1})
    if twice:
        raise refused(1487756, blame=_NAME, because=f"{twice[0]} is covered twice.")
    regions = {str(item["key"]) for item in places.get("regions", [])}
    for part, key, country in _keyed(places):
        if country in whole:
            because = f"{key} of {part} lies in {country}."
            raise refused(1487756, blame=_NAME, because=because)
        if part == "cities" and CITIES[key][1] in regions:
            because = f"{CITIES[key][0]} lies in {REGIONS[CITIES[key][1]][0]}."
            raise refused(1487756, blame=_NAME, because=because)


def _keyed(places: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Regions, cities and zip codes with their countries."""
    for part in _KEYED:
        for item in places.get(part, []):
            country = country_of(part, str(item["key"]))
            if country is not None:
                yield part, str(item["key"]), country
