"""The `filtering` parameter: conditions on fields of objects and on metrics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from zyenta_ads_pipeline.sandbox.call import Call
from zyenta_ads_pipeline.sandbox.graph_error import invalid, not_played
from zyenta_ads_pipeline.sandbox.objects import Kind, Objects, Thing

Value = str | Decimal | datetime
"""What a condition looks at: a text, a number, or a moment."""

_LISTS = frozenset({"IN", "NOT_IN", "CONTAINS_ANY"})
_RANGES = frozenset({"IN_RANGE", "NOT_IN_RANGE"})
_ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    "GREATER_THAN": lambda actual, wanted: bool(actual > wanted),
    "GREATER_THAN_OR_EQUAL": lambda actual, wanted: bool(actual >= wanted),
    "LESS_THAN": lambda actual, wanted: bool(actual < wanted),
    "LESS_THAN_OR_EQUAL": lambda actual, wanted: bool(actual <= wanted),
    "AFTER": lambda actual, wanted: bool(actual > wanted),
    "BEFORE": lambda actual, wanted: bool(actual < wanted),
}
_TEXTS: dict[str, Callable[[str, str], bool]] = {
    "CONTAIN": lambda actual, wanted: wanted.lower() in actual.lower(),
    "NOT_CONTAIN": lambda actual, wanted: wanted.lower() not in actual.lower(),
    "STARTS_WITH": lambda actual, wanted: actual.lower().startswith(wanted.lower()),
}
_EXACT = frozenset({"EQUAL", "NOT_EQUAL"})
_OPERATORS = _LISTS | _RANGES | _EXACT | _ORDERED.keys() | _TEXTS.keys()
_NOT_PLAYED = frozenset({"ANY", "ALL", "NONE", "NOT_CONTAINS_ANY", "ON_OR_AFTER", "ON_OR_BEFORE"})
_DELIVERY = {"ACTIVE": "active", "ARCHIVED": "archived", "DELETED": "deleted"}
_OBJECT_FIELDS: dict[str, Callable[[Objects, Thing], Value | None]] = {
    "id": lambda objects, thing: thing.id,
    "name": lambda objects, thing: thing.name,
    "status": lambda objects, thing: thing.status,
    "configured_status": lambda objects, thing: thing.status,
    "effective_status": lambda objects, thing: objects.effective_status(thing),
    "delivery_info": lambda objects, thing: _DELIVERY.get(
        objects.effective_status(thing), "inactive"
    ),
    "updated_time": lambda objects, thing: thing.updated_time,
    "created_time": lambda objects, thing: thing.created_time,
    "objective": lambda objects, thing: thing.attributes.get("objective"),
}


@dataclass(frozen=True)
class Condition:
    """One condition; `value` is the JSON value of the call."""

    field: str
    operator: str
    value: Any

    def holds(self, actual: Value | None) -> bool:
        """Whether an object or row with this value passes. A missing value passes nothing."""
        if actual is None:
            return False
        if self.operator in _LISTS:
            return self._in_list(actual)
        if self.operator in _RANGES:
            return self._in_range(actual)
        if self.operator in _EXACT:
            return (self._wanted(self.value, actual) == actual) == (self.operator == "EQUAL")
        if self.operator in _TEXTS:
            return _TEXTS[self.operator](str(actual), str(self.value))
        return self._ordered(self.operator, actual, self.value)

    def names(self, value: str) -> bool:
        """Whether the condition asks for this very value by IN or EQUAL."""
        if self.operator == "EQUAL":
            return bool(self.value == value)
        return self.operator == "IN" and value in self._items()

    def _items(self) -> list[Any]:
        if not isinstance(self.value, list):
            raise invalid(f"Filtering field {self.field}: {self.operator} needs an array")
        return self.value

    def _in_list(self, actual: Value) -> bool:
        if self.operator == "CONTAINS_ANY":
            return any(str(item).lower() in str(actual).lower() for item in self._items())
        found = any(self._wanted(item, actual) == actual for item in self._items())
        return found == (self.operator == "IN")

    def _in_range(self, actual: Value) -> bool:
        items = self._items()
        if len(items) != 2:
            raise invalid(f"Filtering field {self.field}: {self.operator} needs two values")
        above = self._ordered("GREATER_THAN_OR_EQUAL", actual, items[0])
        inside = above and self._ordered("LESS_THAN_OR_EQUAL", actual, items[1])
        return inside == (self.operator == "IN_RANGE")

    def _ordered(self, operator: str, actual: Value, value: Any) -> bool:
        if isinstance(actual, str):
            raise invalid(
                f"Filtering field {self.field} with operation {self.operator.lower()} "
                "is not supported"
            )
        return _ORDERED[operator](actual, self._wanted(value, actual))

    def _wanted(self, value: Any, actual: Value) -> Value:
        """The call's value as the type of what it is compared with."""
        if isinstance(value, dict | list | bool) or value is None:
            raise invalid(f"Filtering field {self.field} has a value that cannot be compared")
        if isinstance(actual, datetime):
            return _moment(self.field, str(value))
        if isinstance(actual, Decimal):
            try:
                return Decimal(str(value))
            except InvalidOperation:
                raise invalid(f"Filtering field {self.field} needs a number") from None
        return str(value)


def _moment(field: str, text: str) -> datetime:
    try:
        if text.isdigit():
            return datetime.fromtimestamp(int(text), UTC)
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        raise invalid(f"Filtering field {field} needs unix seconds or an ISO time") from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def read_conditions(call: Call) -> list[Condition]:
    """The conditions of a call, all of which must hold. `GraphError` 100 for a wrong form."""
    if not call.params.get("filtering"):
        return []
    items = call.json("filtering")
    if not isinstance(items, list):
        raise invalid("Param filtering must be an array")
    found: list[Condition] = []
    for item in items:
        if not isinstance(item, dict) or not {"field", "operator", "value"} <= item.keys():
            raise invalid("Each filtering entry must be an object with field, operator and value")
        operator = str(item["operator"]).upper()
        if operator in _NOT_PLAYED:
            raise not_played(f"the filtering operator {operator}")
        if operator not in _OPERATORS:
            raise invalid(f"Param filtering has an unknown operator {operator}")
        found.append(Condition(str(item["field"]), operator, item["value"]))
    return found


def about_objects(condition: Condition, kind: Kind) -> tuple[Kind, str] | None:
    """The kind of object and its field that a condition looks at, or None for a metric.

    `name` means the listed object itself, `campaign.name` its campaign.
    """
    prefix, dot, field = condition.field.partition(".")
    if not dot:
        return (kind, prefix) if prefix in _OBJECT_FIELDS else None
    kinds = {Kind.CAMPAIGN: "campaign", Kind.ADSET: "adset", Kind.AD: "ad", Kind.ACCOUNT: "account"}
    for owner, word in kinds.items():
        if prefix == word and field in _OBJECT_FIELDS:
            return owner, field
    return None


def object_value(objects: Objects, thing: Thing, kind: Kind, field: str) -> Value | None:
    """The value that a condition on objects looks at."""
    owner = objects.parent(thing, kind)
    if owner is None:
        raise invalid(f"Filtering field {kind.value}.{field} does not belong to this list")
    return _OBJECT_FIELDS[field](objects, owner)
