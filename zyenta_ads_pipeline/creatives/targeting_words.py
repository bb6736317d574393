"""Whom a campaign is for, as a person says it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

_AUTOMATION, _FLEXIBLE, _PLACES = "targeting_automation", "flexible_spec", "geo_locations"
_AGES = ("age_min", "age_max")


def targeting_in_words(targeting: Mapping[str, Any]) -> str:
    """`DE, AT; aged 18 to 65 and over; interested in Hiking or Camping`."""
    words: list[str] = []
    places = targeting.get(_PLACES)
    if isinstance(places, Mapping):
        words += [
            ", ".join(map(str, value)) if name == "countries" else f"{name} {_names(value)}"
            for name, value in places.items()
        ]
    if low := targeting.get(_AGES[0]):
        high = targeting.get(_AGES[1], 65)
        words.append(f"aged {low} and over" if high == 65 else f"aged {low} to {high}")
    groups = targeting.get(_FLEXIBLE)
    for group in groups if isinstance(groups, list) else ():
        named = [name for value in group.values() for name in _each_name(value)]
        words.append(f"interested in {' or '.join(named)}")
    automation = targeting.get(_AUTOMATION)
    if isinstance(automation, Mapping) and automation.get("advantage_audience"):
        words.append("and whom Meta finds beyond them")
    told = {_PLACES, *_AGES, _FLEXIBLE, _AUTOMATION}
    words += [f"{name} {_names(value)}" for name, value in targeting.items() if name not in told]
    return "; ".join(words) or "nothing known"


def _each_name(value: Any) -> Iterable[str]:
    for each in value if isinstance(value, list) else [value]:
        yield str(each.get("name") or each.get("id")) if isinstance(each, Mapping) else str(each)


def _names(value: Any) -> str:
    return ", ".join(_each_name(value))
