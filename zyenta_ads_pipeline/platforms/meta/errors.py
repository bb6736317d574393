"""What each of Meta's error codes means and what may be done about it.

A table, not a chain of ifs: (code, subcode) decides, then a subcode of one meaning under any code,
then the code alone, then `is_transient`, then the HTTP status. Texts and `type` never decide,
since both are localised and unreliable.
Source: Marketing API, "Error reference", "Insights: error codes", "Rate limiting".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zyenta_ads_pipeline.domain.errors import (
    AuthenticationFailed,
    DuplicateObject,
    ErrorOrigin,
    NotFound,
    ObjectRateLimited,
    PermissionDenied,
    PlatformError,
    PolicyBlocked,
    RateLimited,
    ReportFailed,
    TooMuchData,
    Transient,
    ValidationRefused,
)
from zyenta_ads_pipeline.platforms.meta.header_values import json_object, number
from zyenta_ads_pipeline.platforms.meta.remedies import remedy

Kind = type[PlatformError]

_BY_CODE: dict[int, Kind] = {
    1: Transient,
    2: Transient,
    3: PermissionDenied,
    4: RateLimited,
    10: PermissionDenied,
    17: RateLimited,
    32: RateLimited,
    33: NotFound,
    100: ValidationRefused,
    102: AuthenticationFailed,
    104: AuthenticationFailed,
    190: AuthenticationFailed,
    341: RateLimited,
    351: ValidationRefused,
    352: ValidationRefused,
    368: PolicyBlocked,
    382: ValidationRefused,
    389: Transient,
    506: DuplicateObject,
    613: RateLimited,
    803: NotFound,
    900: ValidationRefused,
    960: Transient,
    2500: ValidationRefused,
    2635: ValidationRefused,
    2641: ValidationRefused,
    3018: ValidationRefused,
    5000: Transient,
    6000: Transient,
    6001: Transient,
    1609005: ValidationRefused,
    **dict.fromkeys(range(200, 300), PermissionDenied),
    **dict.fromkeys(range(80000, 80100), RateLimited),
}

_BY_SUBCODE: dict[tuple[int, int], Kind] = {
    (1, 99): ValidationRefused,
    (2, 1504038): TooMuchData,
    (2, 1504041): ValidationRefused,
    (2, 1504042): ValidationRefused,
    (100, 33): NotFound,
    (100, 1487534): TooMuchData,
    (100, 1504018): TooMuchData,
    (100, 3191001): PermissionDenied,
    (100, 1404163): PolicyBlocked,
    (100, 1404078): PolicyBlocked,
    (100, 2859015): PolicyBlocked,
    (100, 3858798): DuplicateObject,
    (613, 1487632): ObjectRateLimited,
    (2601, 1815107): Transient,
    (-2, 2490547): Transient,
    (-3, 1504045): TooMuchData,
}

_BY_SUBCODE_ALONE: dict[int, Kind] = {
    **{subcode: kind for (_, subcode), kind in _BY_SUBCODE.items() if subcode > 999_999},
    **dict.fromkeys((1504043, 1504044), Transient),
    **dict.fromkeys((1487225, 1487742, 1504022, 1504039, 1885172, 2446079, 5044001), RateLimited),
}
"""Seven-digit numbers belong into `error_subcode` but are at times put into `code`."""

_KEPT_BY_REPORTS: frozenset[Kind] = frozenset(
    {AuthenticationFailed, PermissionDenied, NotFound, PolicyBlocked, TooMuchData}
)
"""What a failed report's number says of token, rights, existence and size holds for it too."""
_FINAL_SUBCODES = frozenset({1504041, 1504042})
_FINAL_CODES = _FINAL_SUBCODES | {2635, 3018}
"""The only refusals that are about what was asked; Meta fails sound reports with code 100."""

_ONCE = frozenset({1, 389, 5000, 6000, 6001})
"""Transient codes that heal at the second try or not at all."""

_SUBCODE_WAITS: dict[int, float] = {
    1487632: 3600.0,
    5044001: 5.0,
    1487225: 86_400.0,
    1885172: 86_400.0,
    1504022: 180.0,
    1504039: 180.0,
}
_DEFAULT_WAIT = 60.0


def heals_once(error: PlatformError) -> bool:
    """Whether a transient error is worth one more try only."""
    return error.origin.code in _ONCE


def error_from_reply(
    error: Mapping[str, Any],
    *,
    request: str,
    http_status: int,
    headers: Mapping[str, str],
) -> PlatformError:
    """The typed error for Meta's `error` object."""
    code, subcode = _numbers(error)
    kind = _kind(code, subcode, is_transient=error.get("is_transient") is True, http=http_status)
    if kind is Transient and _asks_for_less(error):
        kind = TooMuchData
    origin = ErrorOrigin(
        request=request,
        http_status=http_status,
        code=code,
        subcode=subcode,
        trace_id=str(error.get("fbtrace_id") or headers.get("x-fb-trace-id", "")),
    )
    known = "" if _kind_by_number(code, subcode) else ", which is not in our table of errors"
    what = f"Meta refused {request}: {_words(error)} (code {_shown(code, subcode)}{known})."
    told = remedy(kind, code, subcode)
    if issubclass(kind, RateLimited):
        wait = wait_seconds(code, subcode, headers)
        return kind(what, told, origin=origin, wait_seconds=wait)
    return kind(what, told, origin=origin)


def error_of_report(status: Mapping[str, Any], *, request: str) -> PlatformError:
    """The typed error for an asynchronous report's status that says it failed.

    `TooMuchData` wants a smaller report, `ValidationRefused` another one; errors about the token,
    its rights and the account keep their class. After `ReportFailed` the same may be asked for
    anew.
    """
    code, subcode = _whole(status.get("error_code")), _whole(status.get("error_subcode"))
    told = {
        "message": status.get("error_message") or "the report failed",
        "error_user_title": status.get("error_user_title"),
        "error_user_msg": status.get("error_user_msg"),
    }
    by_number = _kind_by_number(code, subcode)
    kind: Kind = ReportFailed
    if _asks_for_less(told):
        kind = TooMuchData
    elif by_number in _KEPT_BY_REPORTS:
        kind = by_number
    elif code in _FINAL_CODES or subcode in _FINAL_SUBCODES:
        kind = ValidationRefused
    return kind(
        f"Meta could not finish the report of {request}: {_words(told)} "
        f"(code {_shown(code, subcode)}).",
        remedy(kind, code, subcode),
        origin=ErrorOrigin(request=request, code=code, subcode=subcode),
    )


def wait_seconds(code: int | None, subcode: int | None, headers: Mapping[str, str]) -> float:
    """How long to stay away, in seconds.

    The ad account's header speaks in seconds, the business use case's in minutes.
    """
    for told in (subcode, code):
        if told in _SUBCODE_WAITS:
            return _SUBCODE_WAITS[told]
    if code is not None and 80000 <= code < 80100:
        minutes = max(
            (
                number(use.get("estimated_time_to_regain_access")) or 0.0
                for uses in json_object(headers.get("x-business-use-case-usage")).values()
                if isinstance(uses, list)
                for use in uses
                if isinstance(use, dict)
            ),
            default=0.0,
        )
        return minutes * 60 or _DEFAULT_WAIT
    account = json_object(headers.get("x-ad-account-usage"))
    return number(account.get("reset_time_duration")) or _DEFAULT_WAIT


def _kind(code: int | None, subcode: int | None, *, is_transient: bool, http: int) -> Kind:
    kind = _kind_by_number(code, subcode)
    if kind is not None:
        return kind
    if http == 429:
        return RateLimited
    return Transient if is_transient or http >= 500 else ValidationRefused


def _kind_by_number(code: int | None, subcode: int | None) -> Kind | None:
    if code is None:
        return None
    if subcode is not None and (code, subcode) in _BY_SUBCODE:
        return _BY_SUBCODE[code, subcode]
    if subcode in _BY_SUBCODE_ALONE:
        return _BY_SUBCODE_ALONE[subcode]
    if code > 999_999:
        return _BY_CODE.get(code) or _BY_SUBCODE_ALONE.get(code, ValidationRefused)
    return Transient if code < 0 else _BY_CODE.get(code)


def _asks_for_less(error: Mapping[str, Any]) -> bool:
    """The one case that no number tells: code 1 for a page or a report too large."""
    return "reduce the amount of data" in str(error.get("message", "")).lower()


def _numbers(error: Mapping[str, Any]) -> tuple[int | None, int | None]:
    return _whole(error.get("code")), _whole(error.get("error_subcode"))


def _whole(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _words(error: Mapping[str, Any]) -> str:
    message = str(error.get("message") or "no message").rstrip(".")
    title, told = error.get("error_user_title"), error.get("error_user_msg")
    parts = [message, *(str(part).rstrip(".") for part in (title, told) if part)]
    if blamed := _blamed(error.get("error_data")):
        parts.append(f"field {blamed}")
    return "; ".join(dict.fromkeys(parts))


def _blamed(data: Any) -> str:
    """The fields Meta blames; `error_data` is an object or the JSON text of one."""
    if isinstance(data, str):
        data = json_object(data)
    specs = data.get("blame_field_specs") if isinstance(data, dict) else None
    if not isinstance(specs, list):
        return ""
    return ", ".join(".".join(map(str, s)) if isinstance(s, list) else str(s) for s in specs)


def _shown(code: int | None, subcode: int | None) -> str:
    return f"{code}/{subcode}" if subcode is not None else f"{code}"
