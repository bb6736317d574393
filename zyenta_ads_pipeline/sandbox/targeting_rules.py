"""Rules of `targeting`: places, ages, interests, audiences, placements, automation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zyenta_ads_pipeline.sandbox.asked import known_keys, objects_in
from zyenta_ads_pipeline.sandbox.desk import Desk
from zyenta_ads_pipeline.sandbox.geo_rules import check_places
from zyenta_ads_pipeline.sandbox.interests import BY_ID
from zyenta_ads_pipeline.sandbox.objects import Thing
from zyenta_ads_pipeline.sandbox.placement_rules import check_placements
from zyenta_ads_pipeline.sandbox.words import words
from zyenta_ads_pipeline.sandbox.write_errors import refused, wrong

_NAME = "targeting"
_YOUNGEST, _OLDEST = 13, 65
_ADVANTAGE_OLDEST_MINIMUM = 25
_DETAILS = ("interests", "behaviors")
_UNCHECKED = frozenset(
    words("""
    college_years education_majors education_schools education_statuses family_statuses income
    industries life_events relationship_statuses work_employers work_positions
""")
)
_KEYS = frozenset(
    words("""
    age_max age_min age_range app_install_state audience_network_positions behaviors
    brand_safety_content_filter_levels custom_audiences device_platforms
    excluded_custom_audiences excluded_geo_locations exclusions facebook_positions flexible_spec
    genders geo_locations instagram_positions interests locales messenger_positions
    publisher_platforms targeting_automation targeting_optimization targeting_relaxation_types
    threads_positions user_device user_os whatsapp_positions wireless_carrier
""")
)
_SPECIAL = frozenset({"HOUSING", "EMPLOYMENT", "CREDIT", "FINANCIAL_PRODUCTS_SERVICES"})
_AUTOMATION_KEYS = frozenset({"advantage_audience", "individual_setting"})


def read_targeting(
    given: dict[str, Any], desk: Desk, campaign: Thing | None, *, creating: bool
) -> dict[str, Any]:
    """A targeting as it reads back: checked, and enriched with Meta's defaults.

    The flag `advantage_audience` is asked for when an ad set is `creating`, not in updates.
    """
    known_keys(given, _KEYS, _NAME)
    check_places(given)
    shown = dict(given)
    shown["age_min"], shown["age_max"] = _ages(given)
    _check_people(given)
    _check_details(given)
    _check_audiences(given)
    special = set(campaign.attributes.get("special_ad_categories", [])) if campaign else set()
    if special & _SPECIAL:
        _check_special(given)
    placements = check_placements(given)
    shown |= placements
    if "messenger_positions" not in placements:
        shown.pop("messenger_positions", None)
    if creating or "targeting_automation" in given:
        flag = _advantage(given, needed=bool(special - {"NONE"}) or _is_restricted(given))
        shown["targeting_automation"] = {**(given.get("targeting_automation") or {}),
                                         "advantage_audience": flag}  # fmt: skip
    return shown


def _ages(given: Mapping[str, Any]) -> tuple[int, int]:
    least, most = given.get("age_min", 18), given.get("age_max", _OLDEST)
    for name, age in (("age_min", least), ("age_max", most)):
        if isinstance(age, bool) or not isinstance(age, int) or not _YOUNGEST <= age <= _OLDEST:
            raise wrong(_NAME, f"Param {_NAME}[{name}] must be {_YOUNGEST} to {_OLDEST}")
    if least > most:
        raise wrong(_NAME, f"Param {_NAME}: age_min is above age_max")
    narrowed = [name for name in (*_DETAILS, "flexible_spec", "genders") if given.get(name)]
    if least < 18 and narrowed:
        raise refused(1870165, blame=_NAME, because=f"Remove {narrowed[0]}.")
    return least, most


def _check_people(given: Mapping[str, Any]) -> None:
    for name, allowed in (("genders", (1, 2)), ("locales", None)):
        values = given.get(name, [])
        if not isinstance(values, list) or not all(type(value) is int for value in values):
            raise wrong(_NAME, f"Param {_NAME}[{name}] must be an array of integers")
        if allowed is not None and any(value not in allowed for value in values):
            raise wrong(_NAME, f"Param {_NAME}[{name}] must be out of {list(allowed)}")


def _check_details(given: Mapping[str, Any]) -> None:
    """Interests and behaviours must exist and not be retired."""
    groups = objects_in(given.get("flexible_spec", []), f"{_NAME}[flexible_spec]")
    for each in groups:
        known_keys(each, {*_DETAILS, *_UNCHECKED}, f"{_NAME}[flexible_spec]")
    exclusions = given.get("exclusions") or {}
    if not isinstance(exclusions, dict) or exclusions:
        message = "Detailed targeting and custom audiences under exclusions are no longer supported"
        raise wrong(_NAME, f"{message}; use excluded_custom_audiences for audiences")
    everything: list[Mapping[str, Any]] = [given, *groups]
    for group in everything:
        for kind in _DETAILS:
            for item in objects_in(group.get(kind, []), f"{_NAME}[{kind}]"):
                option = BY_ID.get(str(item.get("id")))
                if option is None or option.kind != kind or option.retired:
                    what = option.name if option is not None else item.get("name") or "It"
                    because = f"{what} ({item.get('id')}) cannot be used."
                    raise refused(1487079, blame=_NAME, because=because)


def _check_audiences(given: Mapping[str, Any]) -> None:
    """The sandbox has no custom audiences, so every id is one too many."""
    for name in ("custom_audiences", "excluded_custom_audiences"):
        for item in objects_in(given.get(name, []), f"{_NAME}[{name}]"):
            raise wrong(_NAME, f"Custom audience {item.get('id')} is not of this ad account")


def _check_special(given: Mapping[str, Any]) -> None:
    """Housing, jobs and credit are advertised to everybody."""
    narrowed = [name for name in ("genders", "age_min", "age_max") if name in given]
    ages = given.get("age_min", 18) == 18 and given.get("age_max", _OLDEST) == _OLDEST
    if "zips" in given["geo_locations"] or given.get("genders") or (narrowed and not ages):
        raise refused(2909034, blame=_NAME)


def _advantage(given: Mapping[str, Any], *, needed: bool) -> int:
    """The flag as sent, or 1 for a broad targeting that does not tell; restricted ones must."""
    automation = given.get("targeting_automation")
    if automation is None or (isinstance(automation, dict) and not automation):
        if needed:
            raise refused(1870227, blame=_NAME)
        return 1
    if not isinstance(automation, dict) or automation.keys() - _AUTOMATION_KEYS:
        raise refused(1870196, blame=_NAME)
    flag = automation.get("advantage_audience")
    if flag is None:
        raise refused(1870227, blame=_NAME)
    if flag not in (0, 1) or isinstance(flag, float):
        raise refused(1870196, blame=_NAME)
    if flag and given.get("age_min", 18) > _ADVANTAGE_OLDEST_MINIMUM:
        raise refused(1870188, blame=_NAME)
    if flag and given.get("age_max", _OLDEST) < _OLDEST:
        raise refused(1870189, blame=_NAME)
    return int(flag)


def _is_restricted(given: Mapping[str, Any]) -> bool:
    """Whether people are narrowed down by more than places and languages."""
    return (
        given.get("age_min", 18) > _ADVANTAGE_OLDEST_MINIMUM
        or given.get("age_max", _OLDEST) < _OLDEST
        or any(given.get(name) for name in (*_DETAILS, "flexible_spec", "genders"))
    )
