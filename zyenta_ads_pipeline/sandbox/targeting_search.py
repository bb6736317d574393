"""`/search` and the account's look-ups of targeting: interests, places, languages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from zyenta_ads_pipeline.sandbox import cursors, places
from zyenta_ads_pipeline.sandbox.call import Call
from zyenta_ads_pipeline.sandbox.graph_error import GraphError, invalid, not_played
from zyenta_ads_pipeline.sandbox.interests import BY_ID, OPTIONS, Interest, found, named, related

_PLACE_TYPES = ("country", "region", "city", "zip")
_SUGGESTIONS = 25


def read_search(call: Call) -> dict[str, Any]:
    """`GET /search?type=…`. Raises `GraphError` 100 for a type that is not played."""
    kind = call.params.get("type", "").lower()
    if kind not in _SEARCHES:
        if not kind:
            raise invalid("The parameter type is required")
        raise not_played(f"the search type {kind}")
    return _page(call, _SEARCHES[kind](call))


def read_targeting_edge(call: Call, edge: str) -> dict[str, Any] | None:
    """`/act_X/targetingsearch`, `…browse` and `…validation`; None for another edge."""
    if edge == "targetingsearch":
        rows = [_option(each) for each in found(_need(call, "q"), ("interests", "behaviors"))]
        return _page(call, rows)
    if edge == "targetingbrowse":
        return _page(call, [_option(each) for each in OPTIONS if not each.retired])
    return _page(call, _validated(call)) if edge == "targetingvalidation" else None


def _interests(call: Call) -> list[dict[str, Any]]:
    return [_interest(each) for each in found(_need(call, "q"))]


def _suggested(call: Call) -> list[dict[str, Any]]:
    names = call.text_list("interest_list")
    if not names:
        raise invalid("The parameter interest_list is required")
    return [_interest(each) for each in related(names)[:_SUGGESTIONS]]


def _valid(call: Call) -> list[dict[str, Any]]:
    """Each interest asked about, retired and unknown ones as `valid: false`."""
    names, ids = call.text_list("interest_list"), _id_list(call, "interest_fbid_list")
    if not names and not ids:
        raise invalid("The parameter interest_list or interest_fbid_list is required")
    rows = []
    for asked, interest in [
        *((name, named(name)) for name in names or []),
        *((each, BY_ID.get(each)) for each in ids),
    ]:
        if interest is None or interest.retired or interest.kind != "interests":
            rows.append({"name": asked if interest is None else interest.name, "valid": False})
        else:
            rows.append(_interest(interest) | {"valid": True})
    return rows


def _validated(call: Call) -> list[dict[str, Any]]:
    listed = call.json("targeting_list") if "targeting_list" in call.params else []
    if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
        raise invalid("Param targeting_list must be an array of objects")
    ids = [str(item.get("id")) for item in listed] + _id_list(call, "id_list")
    rows = []
    for each in ids:
        option = BY_ID.get(each)
        if option is None or option.retired:
            name = {} if option is None else {"name": option.name}
            rows.append({"id": each, **name, "valid": False})
        else:
            rows.append(_option(option) | {"valid": True})
    return rows


def _categories(call: Call) -> list[dict[str, Any]]:
    kind = call.params.get("class", "behaviors")
    if kind not in ("interests", "behaviors"):
        raise not_played(f"the targeting class {kind}")
    wanted = call.params.get("q", "").lower()
    return [
        _interest(each) | {"type": kind}
        for each in OPTIONS
        if each.kind == kind and not each.retired and wanted in each.name.lower()
    ]


def _places(call: Call) -> list[dict[str, Any]]:
    kinds = call.text_list("location_types") or list(_PLACE_TYPES)
    for kind in kinds:
        if kind not in _PLACE_TYPES:
            raise not_played(f"the location type {kind}")
    wanted = _need(call, "q").lower()
    rows = [row for row in _all_places() if wanted in row["name"].lower() and row["type"] in kinds]
    country = call.params.get("country_code")
    rows = [row for row in rows if country in (None, row["country_code"])]
    return sorted(rows, key=lambda row: (not row["name"].lower().startswith(wanted), row["name"]))


def _all_places() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for code, name in places.NAMES.items():
        rows.append(_place(code, name, "country", code))
    for key, (name, code) in places.REGIONS.items():
        rows.append(_place(key, name, "region", code))
    for key, (name, region) in places.CITIES.items():
        region_name, code = places.REGIONS[region]
        row = _place(key, name, "city", code)
        rows.append(row | {"region": region_name, "region_id": int(region)})
    return rows


def _place(key: str, name: str, kind: str, code: str) -> dict[str, Any]:
    country = places.NAMES.get(code, code)
    return {"key": key, "name": name, "type": kind, "country_code": code, "country_name": country,
            "supports_region": True, "supports_city": True}  # fmt: skip


def _countries(call: Call) -> list[dict[str, Any]]:
    wanted = call.params.get("q", "").lower()
    return [
        {"country_code": code, "name": name, "type": "country"}
        for code, name in places.NAMES.items()
        if wanted in name.lower()
    ]


def _locales(call: Call) -> list[dict[str, Any]]:
    wanted = call.params.get("q", "").lower()
    return [{"key": key, "name": name} for key, name in places.LOCALES.items()
            if wanted in name.lower()]  # fmt: skip


def _interest(interest: Interest) -> dict[str, Any]:
    return {
        "id": interest.id,
        "name": interest.name,
        "audience_size_lower_bound": interest.people,
        "audience_size_upper_bound": interest.most,
        "path": interest.path,
        "description": None,
        "topic": interest.topic,
    }


def _option(option: Interest) -> dict[str, Any]:
    row = _interest(option)
    row.pop("topic")
    return row | {"type": option.kind}


_SEARCHES: dict[str, Callable[[Call], list[dict[str, Any]]]] = {
    "adinterest": _interests,
    "adinterestsuggestion": _suggested,
    "adinterestvalid": _valid,
    "adtargetingcategory": _categories,
    "adgeolocation": _places,
    "adcountry": _countries,
    "adlocale": _locales,
}


def _page(call: Call, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    span = cursors.cut(call, len(rows), cursors.offset_position(len(rows)))
    return cursors.envelope(call, rows[span.start : span.stop], span, cursors.offset_cursor)


def _need(call: Call, name: str) -> str:
    text = call.params.get(name, "")
    if not text.strip():
        raise _missing(name)
    return text


def _id_list(call: Call, name: str) -> list[str]:
    if not call.params.get(name):
        return []
    value = call.json(name)
    return [str(item) for item in (value if isinstance(value, list) else [value])]


def _missing(name: str) -> GraphError:
    return invalid(f"The parameter {name} is required")
