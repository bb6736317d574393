"""Rules of `promoted_object`: what a goal wants promoted, and whether the account owns it."""

from __future__ import annotations

from typing import Any

from zyenta_ads_pipeline.sandbox.asked import Asked
from zyenta_ads_pipeline.sandbox.assets import AssetKind
from zyenta_ads_pipeline.sandbox.desk import Desk
from zyenta_ads_pipeline.sandbox.goal_rules import (
    CATALOG_GOALS,
    CONVERSION_GOALS,
    DESTINATIONS,
    EVENT,
    EVENTS,
    EVENTS_REFUSED,
    GOALS,
    PAGE,
    GoalRow,
    rows_of,
)
from zyenta_ads_pipeline.sandbox.graph_error import GraphError, not_played
from zyenta_ads_pipeline.sandbox.objects import Thing
from zyenta_ads_pipeline.sandbox.write_errors import refused, wrong

_NAME = "promoted_object"
_PAGE_KEYS = frozenset({"page_id", "whatsapp_phone_number"})
_EVENT_KEYS = frozenset({"pixel_id", "custom_event_type", "custom_event_str"})
_SET_KEYS = _EVENT_KEYS | {"product_set_id"}


def campaign_promotes(asked: Asked, desk: Desk, objective: str) -> dict[str, str] | None:
    """What a campaign promotes as it reads back: the account's catalogue, under sales alone."""
    given = asked.object(_NAME)
    if given is None:
        return None
    if given.keys() != {"product_catalog_id"} or objective != "OUTCOME_SALES":
        raise _wrong_combination("A campaign takes product_catalog_id alone, under OUTCOME_SALES.")
    if not desk.owns(AssetKind.CATALOG, given["product_catalog_id"]):
        raise refused(1487831, blame=_NAME)
    return {"product_catalog_id": str(given["product_catalog_id"])}


def read_goal(asked: Asked, campaign: Thing) -> tuple[str, str, GoalRow]:
    """Goal and destination ("" for none) of an ad set, with their row of Meta's table."""
    objective = str(campaign.attributes.get("objective", ""))
    asked.need("optimization_goal")
    goal = asked.choice("optimization_goal", GOALS) or ""
    destination = asked.choice("destination_type", DESTINATIONS) or ""
    rows = rows_of(objective)
    if not rows:
        raise not_played(f"ad sets under the objective {objective}")
    if destination == "UNDEFINED":
        raise refused(2446509, blame="destination_type", because="UNDEFINED is read-only.")
    if all(goal not in row.goals for row in rows):
        raise refused(2490408, blame="optimization_goal", because=f"{goal} under {objective}.")
    at_place = [row for row in rows if destination in row.destinations]
    if not at_place:
        because = f"{destination or 'No destination'} under {objective}."
        raise refused(2446509, blame="destination_type", because=because)
    for row in at_place:
        if goal in row.goals:
            return goal, destination, row
    because = f"{goal} under {objective} with {destination or 'no destination'}."
    raise refused(2490408, blame="optimization_goal", because=because)


def adset_promotes(
    asked: Asked, desk: Desk, campaign: Thing, goal: str, row: GoalRow
) -> dict[str, str] | None:
    """What an ad set promotes as it reads back; None for nothing."""
    given = asked.object(_NAME) or {}
    catalog = "product_catalog_id" in campaign.attributes.get(_NAME, {})
    if catalog and goal not in CATALOG_GOALS:
        raise refused(2490408, blame="optimization_goal", because=f"{goal} with a catalogue.")
    needed = catalog or row.promotes == PAGE or (row.promotes == EVENT and goal in CONVERSION_GOALS)
    if not given:
        if needed:
            raise refused(1815430, blame=_NAME)
        return None
    if {"page_id", "pixel_id"} <= given.keys():
        raise refused(1487929, blame=_NAME)
    if catalog:
        _check_product_set(given, desk, goal)
    elif row.promotes == EVENT:
        _check_keys(given, _EVENT_KEYS, "A pixel with its event")
    else:
        _check_keys(given, _PAGE_KEYS, "A Page")
    if "page_id" in given and not desk.owns(AssetKind.PAGE, given["page_id"]):
        raise refused(1487202, blame=_NAME)
    if row.promotes == PAGE and "page_id" not in given:
        raise _wrong_combination("page_id is missing.")
    _check_event(given, desk, row.objective, needed=catalog or row.promotes == EVENT)
    return {name: str(value) for name, value in given.items()}


def _check_product_set(given: dict[str, Any], desk: Desk, goal: str) -> None:
    _check_keys(given, _SET_KEYS, "A product set with an event")
    if "product_set_id" not in given:
        raise _wrong_combination("The campaign promotes a catalogue: product_set_id is missing.")
    if not desk.owns(AssetKind.PRODUCT_SET, given["product_set_id"]):
        raise refused(1487831, blame=_NAME)
    if goal in CONVERSION_GOALS and "custom_event_type" not in given:
        raise _wrong_combination("custom_event_type is missing.")


def _check_event(given: dict[str, Any], desk: Desk, objective: str, *, needed: bool) -> None:
    """The pixel must be the account's, and the event one that the objective takes."""
    if "pixel_id" in given and not desk.owns(AssetKind.PIXEL, given["pixel_id"]):
        raise _wrong_combination(f"The ad account has no pixel {given['pixel_id']}.")
    if needed and "product_set_id" not in given:
        for name in ("pixel_id", "custom_event_type"):
            if name not in given:
                raise _wrong_combination(f"{name} is missing.")
    event = given.get("custom_event_type")
    if event is None:
        return
    if event not in EVENTS:
        listed = ", ".join(EVENTS)
        raise wrong(_NAME, f"Param {_NAME}[custom_event_type] must be one of {{{listed}}}")
    if event in EVENTS_REFUSED.get(objective, ()):
        raise _wrong_combination(f"{event} is not available under {objective}.")
    if event == "OTHER" and not given.get("custom_event_str"):
        raise _wrong_combination("The event OTHER needs custom_event_str.")


def _check_keys(given: dict[str, Any], allowed: frozenset[str], what: str) -> None:
    other = sorted(given.keys() - allowed)
    if other:
        raise _wrong_combination(f"{what} is promoted here, not {other[0]}.")


def _wrong_combination(because: str) -> GraphError:
    return refused(1885014, blame=_NAME, because=because)
