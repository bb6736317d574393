"""Requests to `/_sandbox/throttles`: time, levels, tier, and headers to leave out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from zyenta_ads_pipeline.sandbox.usage import HEADERS, LEVELS, TIERS, Usage

_KEYS = {"advance_seconds", "account", "use_case", "percent", "tier", "leave_out"}
_OF_ACCOUNT = ("account", "ads_insights", "ads_management")


def read_throttle_change(asked: Any) -> Callable[[Usage], None]:
    """What a request asks for; `ValueError` says what is wrong with it.

    Any of `advance_seconds`; `use_case` with `percent` (and `account`, except for `app` and
    `insights_platform`); `tier`; `leave_out`, a list of header names.
    """
    if not isinstance(asked, dict) or not asked or asked.keys() - _KEYS:
        raise ValueError(f"give some of {', '.join(sorted(_KEYS))}")
    changes: list[Callable[[Usage], None]] = []
    if "tier" in asked:
        tier = asked["tier"]
        if tier not in TIERS:
            raise ValueError(f"tier must be one of {', '.join(TIERS)}")
        changes.append(lambda usage: usage.set_tier(tier))
    if "advance_seconds" in asked:
        seconds = _number(asked, "advance_seconds")
        changes.append(lambda usage: usage.advance(seconds))
    if "percent" in asked:
        changes.append(_level(asked))
    if "leave_out" in asked:
        names = _headers(asked["leave_out"])
        changes.append(lambda usage: usage.leave_out(names))

    def change(usage: Usage) -> None:
        for each in changes:
            each(usage)

    return change


def _level(asked: dict[str, Any]) -> Callable[[Usage], None]:
    level = asked.get("use_case", "account")
    account = str(asked.get("account", "")).removeprefix("act_")
    percent = _number(asked, "percent")
    if level not in LEVELS:
        raise ValueError(f"use_case must be one of {', '.join(LEVELS)}")
    if (level in _OF_ACCOUNT) != bool(account):
        raise ValueError(f"{level} is {'kept by' if level in _OF_ACCOUNT else 'without'} account")
    return lambda usage: usage.set_level(level, account, percent)


def _headers(names: Any) -> list[str]:
    known = {name.lower(): name for name in HEADERS}
    if not isinstance(names, list) or any(str(name).lower() not in known for name in names):
        raise ValueError(f"leave_out must be a list out of {', '.join(HEADERS)}")
    return [known[name.lower()] for name in names]


def _number(asked: dict[str, Any], name: str) -> float:
    value = asked[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9:
        raise ValueError(f"{name} must be a number from 0 on")
    return float(value)
