"""Rules of schedules and attribution on creates."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from zyenta_ads_pipeline.sandbox.asked import Asked, objects_in
from zyenta_ads_pipeline.sandbox.desk import Desk
from zyenta_ads_pipeline.sandbox.goal_rules import CONVERSION_GOALS, FREQUENCY_GOALS
from zyenta_ads_pipeline.sandbox.write_errors import refused, wrong

_DAY = timedelta(hours=24)
_SPECS = {
    "CLICK_THROUGH 1": "1c", "CLICK_THROUGH 7": "7c", "VIEW_THROUGH 1": "1v",
    "ENGAGED_VIDEO_VIEW 1": "1e",
}  # fmt: skip
_LONG = ({"1c"}, {"7c"}, {"1c", "1v"}, {"7c", "1v"})
_SETTINGS = {"1c": "1d_click", "7c": "7d_click", "1v": "1d_view", "1e": "1d_ev"}


def read_schedule(
    asked: Asked, desk: Desk, *, lifetime: bool, end_name: str = "end_time"
) -> tuple[datetime, datetime | None]:
    """Start (default: now) and end of an object; None for an open end.

    A `lifetime` budget needs an end, a daily one more than 24 hours.
    """
    start = asked.moment("start_time") or desk.now.replace(microsecond=0)
    end = asked.moment(end_name)
    check_end(desk, start, end, lifetime=lifetime, end_name=end_name)
    return start, end


def check_end(
    desk: Desk, start: datetime, end: datetime | None, *, lifetime: bool, end_name: str = "end_time"
) -> None:
    """Refuse an end that is past, before the start, missing, or too near for a daily budget."""
    if end is None:
        if lifetime:
            raise refused(1487033, blame=end_name)
        return
    if end <= desk.now or end <= start:
        raise refused(1487033, blame=end_name)
    if not lifetime and end - max(start, desk.now) <= _DAY:
        raise wrong(end_name, "An ad set with a daily budget must run for more than 24 hours")


def read_attribution(asked: Asked, goal: str) -> list[dict[str, Any]]:
    """The attribution of an ad set as it reads back, Meta's default where none was sent."""
    listed = asked.array("attribution_spec")
    if listed is None:
        long = goal in CONVERSION_GOALS
        default = [{"event_type": "CLICK_THROUGH", "window_days": 7 if long else 1}]
        return default + ([{"event_type": "VIEW_THROUGH", "window_days": 1}] if long else [])
    words = set()
    for item in objects_in(listed, "attribution_spec"):
        word = _SPECS.get(_text(item))
        if word is None or item.keys() != {"event_type", "window_days"}:
            raise wrong("attribution_spec", f"Param attribution_spec has an invalid entry {item}")
        words.add(word)
    plain = words - {"1e"}
    if plain not in (_LONG if goal in CONVERSION_GOALS else ({"1c"},)):
        raise wrong("attribution_spec", f"This attribution is not available for the goal {goal}")
    return listed


def attribution_setting(spec: list[dict[str, Any]]) -> str:
    """The field `attribution_setting` of insights for an `attribution_spec`."""
    return "_".join(_SETTINGS[_SPECS[_text(item)]] for item in spec)


def read_frequency(asked: Asked, goal: str) -> list[dict[str, Any]] | None:
    """`frequency_control_specs`, which go with reach and video views alone."""
    listed = asked.array("frequency_control_specs")
    if listed is None:
        return None
    if goal not in FREQUENCY_GOALS:
        because = f"frequency_control_specs do not go with {goal}."
        raise refused(2490408, blame="frequency_control_specs", because=because)
    for item in objects_in(listed, "frequency_control_specs"):
        if item.keys() != {"event", "interval_days", "max_frequency"}:
            raise wrong("frequency_control_specs", "Give event, interval_days and max_frequency")
    return listed


def _text(item: dict[str, Any]) -> str:
    return f"{item.get('event_type')} {item.get('window_days')}"
