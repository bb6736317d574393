"""`delivery_estimate`: how many people a targeting reaches. Round figures of the sandbox's own."""

from __future__ import annotations

from typing import Any

from zyenta_ads_pipeline.sandbox.call import Call
from zyenta_ads_pipeline.sandbox.desk import Desk
from zyenta_ads_pipeline.sandbox.geo_rules import countries_of
from zyenta_ads_pipeline.sandbox.goal_rules import GOALS
from zyenta_ads_pipeline.sandbox.interests import BY_ID
from zyenta_ads_pipeline.sandbox.objects import Thing
from zyenta_ads_pipeline.sandbox.targeting_rules import read_targeting
from zyenta_ads_pipeline.sandbox.write_errors import missing

_MILLIONS = {"US": 250, "IN": 500, "BR": 150, "ID": 140, "MX": 95, "JP": 60, "GB": 52, "DE": 50,
             "FR": 46, "IT": 42, "ES": 34, "CA": 30, "AU": 20, "NL": 13}  # fmt: skip
_OTHER_MILLIONS = 8
_AGES = 48
"""Years from 18 to 65 over which a country's people are spread evenly."""
_WORLD = 3_000_000_000


def read_estimate(call: Call, desk: Desk) -> dict[str, Any]:
    """`GET /act_X/delivery_estimate`, with `optimization_goal` and `targeting_spec`."""
    asked = desk.reads(call.params)
    asked.need("optimization_goal", "targeting_spec")
    asked.choice("optimization_goal", GOALS)
    given = asked.object("targeting_spec") or {}
    return _answer(read_targeting(given, desk, None, creating=False))


def read_adset_estimate(adset: Thing) -> dict[str, Any]:
    """`GET /{adset}/delivery_estimate`."""
    targeting = adset.attributes.get("targeting")
    if targeting is None:
        raise missing("targeting_spec")
    return _answer(targeting)


def _answer(targeting: dict[str, Any]) -> dict[str, Any]:
    people = _people(targeting)
    row = {
        "estimate_ready": True,
        "estimate_mau_lower_bound": people,
        "estimate_mau_upper_bound": people * 118 // 100,
        "targeting_optimization_types": [],
    }
    return {"data": [row]}


def _people(targeting: dict[str, Any]) -> int:
    """Those of the countries, by ages, genders and the largest interest of each group."""
    millions = sum(_MILLIONS.get(code, _OTHER_MILLIONS) for code in countries_of(targeting))
    people = millions * 1_000_000
    ages = targeting.get("age_max", 65) - max(targeting.get("age_min", 18), 18) + 1
    people = people * min(max(ages, 1), _AGES) // _AGES
    if len(targeting.get("genders", [])) == 1:
        people //= 2
    for group in targeting.get("flexible_spec", []):
        options = [BY_ID[str(item["id"])] for kind in ("interests", "behaviors")
                   for item in group.get(kind, [])]  # fmt: skip
        if options:
            share = min(sum(option.people for option in options) / _WORLD, 1.0)
            people = int(people * share)
    return max(people // 1000 * 1000, 1000)
