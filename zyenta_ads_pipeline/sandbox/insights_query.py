"""An insights call, read and checked: which rows, which fields, in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.time import DateRange
from zyenta_ads_pipeline.sandbox import action_parts
from zyenta_ads_pipeline.sandbox.breakdowns import read_breakdowns
from zyenta_ads_pipeline.sandbox.call import Call
from zyenta_ads_pipeline.sandbox.filters import Condition, about_objects, read_conditions
from zyenta_ads_pipeline.sandbox.graph_error import invalid, not_played
from zyenta_ads_pipeline.sandbox.insight_field_names import INSIGHTS
from zyenta_ads_pipeline.sandbox.insight_metrics import METRICS
from zyenta_ads_pipeline.sandbox.objects import Kind, Thing, level_of
from zyenta_ads_pipeline.sandbox.periods import read_periods
from zyenta_ads_pipeline.sandbox.selection import parse_fields

LEVELS = list(Level)
WINDOWS = ("1d_click", "7d_click", "28d_click", "1d_view", "1d_ev")
"""The attribution windows that can have values here."""
_SILENT_WINDOWS = {"7d_view", "28d_view", "default", "incrementality", "dda"}
_NOT_PLAYED = (
    "default_summary", "export_columns", "export_format", "export_name", "product_id_limit",
    "summary_action_breakdowns", "since", "until",
)  # fmt: skip
_DEFAULT_FIELDS = (
    "account_id", "campaign_id", "adset_id", "ad_id", "date_start", "date_stop", "impressions",
    "spend",
)  # fmt: skip


@dataclass(frozen=True)
class InsightsQuery:
    """What an insights call asks for. `node` is the object whose edge was called.

    `action_breakdowns` are those besides `action_type`, which is always there.
    """

    node: Thing
    level: Level
    fields: tuple[str, ...]
    periods: tuple[DateRange, ...]
    daily: bool
    conditions: tuple[Condition, ...]
    windows: tuple[str, ...]
    sort: tuple[str, bool] | None
    breakdowns: tuple[str, ...] = ()
    action_breakdowns: tuple[str, ...] = ()

    def key(self) -> str:
        """What the rows depend on, besides the facts and objects themselves."""
        parts = (self.level, self.periods, self.conditions, self.sort, self.fields, self.windows,
                 self.breakdowns)  # fmt: skip
        return repr((self.node.node_id, *map(repr, parts)))

    def hides(self, thing: Thing, effective_status: str, *, deleted_by_filter: bool) -> bool:
        """Whether an object of the query's level has no row of its own here.

        Archived and deleted ones have none, unless the object itself is asked or named by id.
        A filter on the effective status shows archived ones, and deleted ones only when
        `deleted_by_filter`.
        """
        if effective_status not in ("ARCHIVED", "DELETED"):
            return False
        if self.node.kind.value == self.level.value:
            return False
        if any(
            about_objects(each, thing.kind) == (thing.kind, "id") and each.names(thing.id)
            for each in self.conditions
        ):
            return False
        filtered = any(each.field.endswith("effective_status") for each in self.conditions)
        return not filtered or (effective_status == "DELETED" and not deleted_by_filter)


def read_query(call: Call, node: Thing, today: date) -> InsightsQuery:
    """The query of a call; `GraphError` names the parameter that is wrong or not played."""
    for name in _NOT_PLAYED:
        if call.params.get(name):
            raise not_played(f"the insights parameter {name}")
    periods, daily = read_periods(call, today)
    level = _level(call, node)
    conditions = tuple(read_conditions(call))
    for condition in conditions:
        _check_condition(condition, level)
    return InsightsQuery(
        node=node,
        level=level,
        fields=_fields(call),
        periods=tuple(periods),
        daily=daily,
        conditions=conditions,
        windows=_windows(call),
        sort=_sort(call),
        breakdowns=read_breakdowns(_names(call, "breakdowns")),
        action_breakdowns=_action_breakdowns(call),
    )


def metric_of(condition: Condition, level: Level) -> str:
    """The metric that a condition looks at: `spend`, or `ad.spend` at ad level."""
    return condition.field.removeprefix(f"{level.value}.")


def _level(call: Call, node: Thing) -> Level:
    own = level_of(node.kind)
    text = call.params.get("level", own.value)
    if text not in LEVELS:
        raise invalid(f"Param level must be one of {{{', '.join(LEVELS)}}}")
    if LEVELS.index(Level(text)) < LEVELS.index(own):
        raise invalid(f"Param level: {text} is above the {own.value} whose insights are asked for")
    return Level(text)


def _fields(call: Call) -> tuple[str, ...]:
    wanted = parse_fields(call.params.get("fields", ""))
    for field in wanted:
        if field.name not in INSIGHTS or field.children or field.modifiers:
            raise invalid(
                f"{field.name} is not valid for fields param. please check "
                "https://developers.facebook.com/docs/marketing-api/reference/ads-insights/ "
                "for all valid values"
            )
    return tuple(field.name for field in wanted) or _DEFAULT_FIELDS


def _windows(call: Call) -> tuple[str, ...]:
    asked = _names(call, "action_attribution_windows")
    for window in asked:
        if window not in WINDOWS and window not in _SILENT_WINDOWS and window[:5] != "skan_":
            raise invalid(
                f"Param action_attribution_windows must be one of {{{', '.join(WINDOWS)}, "
                f"default}}, not {window}"
            )
    return tuple(window for window in WINDOWS if window in asked)


def _action_breakdowns(call: Call) -> tuple[str, ...]:
    asked = _names(call, "action_breakdowns")
    for name in asked:
        if name not in action_parts.PLAYED:
            raise not_played(f"the action breakdown {name}")
    return tuple(name for name in action_parts.PLAYED[1:] if name in asked)


def _names(call: Call, param: str) -> list[str]:
    """A parameter that is a JSON list, a Python list, or names with commas between."""
    text = call.params.get(param, "").strip()
    return [field.name for field in parse_fields(text)]


def _sort(call: Call) -> tuple[str, bool] | None:
    """The metric or field sorted by, and whether descending."""
    asked: Sequence[str] = call.text_list("sort") or []
    if not asked:
        return None
    name, _, direction = asked[0].rpartition("_")
    if len(asked) > 1 or direction not in ("ascending", "descending"):
        raise invalid("Param sort must be one field with _ascending or _descending")
    if name not in METRICS | {"date_start"} and not name.endswith(("_id", "_name")):
        raise not_played(f"the insights parameter sort by {name}")
    return name, direction == "descending"


def _check_condition(condition: Condition, level: Level) -> None:
    is_metric = about_objects(condition, Kind(level.value)) is None
    if is_metric and metric_of(condition, level) not in METRICS:
        raise invalid(
            f"Filtering field {condition.field} with operation {condition.operator.lower()} "
            "is not supported"
        )
