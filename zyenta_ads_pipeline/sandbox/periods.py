"""Which days an insights query covers, and how they are cut into rows."""

from __future__ import annotations

import calendar
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.domain.time import HISTORY_MONTHS, DateRange, months_before
from zyenta_ads_pipeline.sandbox.call import Call
from zyenta_ads_pipeline.sandbox.graph_error import GraphError, invalid

DEFAULT_PRESET = "last_30d"


def _last(days: int) -> Callable[[date], tuple[date, date]]:
    return lambda today: (today - timedelta(days=days), today - timedelta(days=1))


def _week_from(today: date, first_weekday: int) -> date:
    return today - timedelta(days=(today.weekday() - first_weekday) % 7)


def _last_week(first_weekday: int) -> Callable[[date], tuple[date, date]]:
    def days(today: date) -> tuple[date, date]:
        start = _week_from(today, first_weekday) - timedelta(days=7)
        return start, start + timedelta(days=6)

    return days


def _quarter_start(day: date) -> date:
    return date(day.year, (day.month - 1) // 3 * 3 + 1, 1)


def _last_month(today: date) -> tuple[date, date]:
    end = today.replace(day=1) - timedelta(days=1)
    return end.replace(day=1), end


def _last_quarter(today: date) -> tuple[date, date]:
    end = _quarter_start(today) - timedelta(days=1)
    return _quarter_start(end), end


def _maximum(today: date) -> tuple[date, date]:
    return months_before(today, HISTORY_MONTHS), today


PRESETS: dict[str, Callable[[date], tuple[date, date]]] = {
    "today": lambda today: (today, today),
    "yesterday": _last(1),
    "this_week_mon_today": lambda today: (_week_from(today, calendar.MONDAY), today),
    "this_week_sun_today": lambda today: (_week_from(today, calendar.SUNDAY), today),
    "this_month": lambda today: (today.replace(day=1), today),
    "this_quarter": lambda today: (_quarter_start(today), today),
    "this_year": lambda today: (date(today.year, 1, 1), today),
    "last_3d": _last(3),
    "last_7d": _last(7),
    "last_14d": _last(14),
    "last_28d": _last(28),
    "last_30d": _last(30),
    "last_90d": _last(90),
    "last_week_mon_sun": _last_week(calendar.MONDAY),
    "last_week_sun_sat": _last_week(calendar.SUNDAY),
    "last_month": _last_month,
    "last_quarter": _last_quarter,
    "last_year": lambda today: (date(today.year - 1, 1, 1), date(today.year - 1, 12, 31)),
    "maximum": _maximum,
    "data_maximum": _maximum,
}
"""Meta's date presets, from the account's today to first and last day. `last_Nd` ends
yesterday."""


def read_periods(call: Call, today: date) -> tuple[list[DateRange], bool]:
    """The periods of the wanted rows, and whether they are single days.

    `time_ranges` wins over everything, then `time_range`, then `date_preset`.
    `GraphError` 100 for a wrong form, 3018 beyond 37 months before the account's `today`.
    """
    if call.params.get("time_ranges"):
        items = call.json("time_ranges")
        if not isinstance(items, list) or not items:
            raise invalid("Param time_ranges must be an array of time ranges")
        ranges = [_one_range(item, today) for item in items]
        return ranges, all(len(days) == 1 for days in ranges)
    if call.params.get("time_range"):
        whole = _one_range(call.json("time_range"), today)
    else:
        preset = call.params.get("date_preset", DEFAULT_PRESET)
        if preset not in PRESETS:
            raise invalid(f"Param date_preset must be one of {{{', '.join(PRESETS)}}}")
        whole = DateRange(*PRESETS[preset](today))
    increment = call.params.get("time_increment", "all_days").strip('"')
    if increment == "all_days":
        return [whole], len(whole) == 1
    if increment == "monthly":
        return _months(whole), False
    if not (increment.isascii() and increment.isdigit()) or not 1 <= int(increment) <= 90:
        raise invalid("Param time_increment must be 1 to 90, monthly or all_days")
    return list(whole.split(int(increment))), int(increment) == 1


def _months(whole: DateRange) -> list[DateRange]:
    found: list[DateRange] = []
    start = whole.since
    while start <= whole.until:
        month_end = start.replace(day=calendar.monthrange(start.year, start.month)[1])
        found.append(DateRange(start, min(month_end, whole.until)))
        start = month_end + timedelta(days=1)
    return found


def _one_range(value: Any, today: date) -> DateRange:
    if not isinstance(value, dict) or not {"since", "until"} <= value.keys():
        raise invalid("Param time_range must be an object with since and until")
    since, until = (_day(value[key], key) for key in ("since", "until"))
    try:
        days = DateRange(since, until)
    except InputError:
        raise invalid(
            f"Param time_range: the start date {since} must be no later than the end date {until}"
        ) from None
    if since < months_before(today, HISTORY_MONTHS):
        raise GraphError(
            3018,
            "(#3018) The start date of the time range cannot be beyond 37 months from the "
            "current date",
        )
    return days


def _day(value: Any, key: str) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise invalid(
            f"Param time_range: {key} must be a date written as YYYY-MM-DD, not {value!r}"
        ) from None
