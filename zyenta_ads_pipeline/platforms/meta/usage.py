"""What Meta's replies say of its quotas: the four usage headers and the throttling errors.

A quota's scope is a short text: `app:<key>` and `app:<key>/<use case>` are an app's, `account/<id>`
is an ad account's score, `account/<id>/<use case>` its share of one business use case. The key
tells apps apart; where there is none, all are taken for one: `app`.
Source: Marketing API, "Rate limiting"; Graph API, "Rate limits".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from zyenta_ads_pipeline.domain.errors import ObjectRateLimited, RateLimited
from zyenta_ads_pipeline.platforms.meta.header_values import json_object, number

INSIGHTS = "ads_insights"
MANAGEMENT = "ads_management"
WRITE_POINTS = 3
"""The weight of a write in an account's score; a read weighs 1."""

APP = "app"
SCORE_SECONDS = 300.0
"""An ad account's score is forgotten within this time."""
ROLLING_SECONDS = 3600.0
"""Business use cases and the app are counted over a rolling hour."""

_SCORE_CEILING = {"development_access": 60.0, "standard_access": 9000.0}
_HOURLY_CALLS = {
    ("development_access", INSIGHTS): 600.0,
    ("development_access", MANAGEMENT): 300.0,
    ("standard_access", INSIGHTS): 190_000.0,
    ("standard_access", MANAGEMENT): 100_000.0,
}
"""Meta's ceilings by access tier, without what active ads add."""

_BLOCKING: dict[tuple[int, int | None], str] = {
    (4, None): "app",
    (4, 1504022): "app insights",
    (4, 1504039): "app insights",
    (17, None): "account",
    (17, 2446079): "account",
    (32, None): "app",
    (341, None): "app",
    (613, None): "account",
    (613, 1487742): "account",
    (613, 5044001): "account",
    (613, 1996): "account",
}
_NOT_BLOCKING = frozenset({1487225, 1487632, 1885172})
"""Limits on creating ads, on one ad set's budget and on the spend cap: reading goes on."""
_LONGEST_BLOCK = 2 * 86_400.0
_NAME = re.compile(r"[A-Za-z0-9_]{1,48}")
_USE_CASES = {80000: INSIGHTS, 80003: "custom_audience", 80004: MANAGEMENT}


@dataclass(frozen=True)
class Measurement:
    """One quota as a reply tells it. `percent` is 0 to 100 and over.

    `point` is what one call takes, in percent, as far as the ceiling is known (else 0);
    `blocked_seconds` is how long Meta asks us to stay away (0: not at all).
    """

    scope: str
    percent: float
    decay_seconds: float
    point: float = 0.0
    blocked_seconds: float = 0.0


def scopes_of(account_id: str, use_case: str, app: str = "") -> tuple[str, ...]:
    """All quotas that a call counts against. `account_id` may be empty when it is not known; `app`
    is the key of the app whose token it goes with."""
    account, whole = f"account/{account_id}", _app_scope(app)
    return (whole, f"{whole}/{use_case}", account, f"{account}/{use_case}")


def measurements(headers: Mapping[str, str], account_id: str, app: str = "") -> list[Measurement]:
    """What the usage headers say, one for each scope; whatever cannot be read is left out.

    A business use case stands under the id of an ad account, or of a business; the latter's is
    the account's that was asked. `account_id` may be empty when it is not known.
    """
    business = {
        key: [use for use in uses if isinstance(use, dict)]
        for key, uses in json_object(headers.get("x-business-use-case-usage")).items()
        if isinstance(uses, list) and _NAME.fullmatch(key)
    }
    if not account_id and len(business) == 1:
        account_id = next(iter(business))
    found: dict[str, Measurement] = {}
    for each in (
        *_app(headers, app),
        *_score(headers, account_id),
        *_insights_throttle(headers, account_id, app),
        *_business(business, account_id),
    ):
        before = found.get(each.scope)
        found[each.scope] = each if before is None else _higher(before, each)
    return list(found.values())


def blocked_scopes(
    error: RateLimited, account_id: str, use_case: str, app: str = ""
) -> tuple[str, ...]:
    """Whose quotas a throttling error shuts; none when other calls are not concerned.

    What was refused is always among them, whatever the code speaks of.
    """
    code, subcode = error.origin.code, error.origin.subcode
    if isinstance(error, ObjectRateLimited) or {code, subcode} & _NOT_BLOCKING:
        return ()
    if code is not None and 80000 <= code < 80100:
        scope = f"account/{account_id}/{_USE_CASES.get(code, use_case)}"
    else:
        whose = _BLOCKING.get((code or 0, subcode)) or _BLOCKING.get((code or 0, None), "account")
        whole = _app_scope(app)
        scope = {"app": whole, "app insights": f"{whole}/{INSIGHTS}"}.get(
            whose, f"account/{account_id}"
        )
    own = scopes_of(account_id, use_case, app)
    return (scope,) if scope in own else (scope, own[-1])


def decay_seconds(scope: str) -> float:
    """Over how many seconds a scope's use is forgotten."""
    is_score = scope.startswith("account/") and scope.count("/") == 1
    return SCORE_SECONDS if is_score else ROLLING_SECONDS


def _app_scope(app: str) -> str:
    return f"{APP}:{app}" if app else APP


def _app(headers: Mapping[str, str], app: str) -> Iterator[Measurement]:
    percent = _highest(json_object(headers.get("x-app-usage")))
    if percent is not None:
        yield Measurement(_app_scope(app), percent, ROLLING_SECONDS)


def _score(headers: Mapping[str, str], account_id: str) -> Iterator[Measurement]:
    told = json_object(headers.get("x-ad-account-usage"))
    percent = number(told.get("acc_id_util_pct"))
    if percent is None or not account_id:
        return
    ceiling = _SCORE_CEILING.get(str(told.get("ads_api_access_tier")))
    yield Measurement(
        f"account/{account_id}",
        percent,
        SCORE_SECONDS,
        point=100 / ceiling if ceiling else 0.0,
        blocked_seconds=_wait(told.get("reset_time_duration"), 1) if percent >= 100 else 0.0,
    )


def _insights_throttle(
    headers: Mapping[str, str], account_id: str, app: str
) -> Iterator[Measurement]:
    told = json_object(headers.get("x-fb-ads-insights-throttle"))
    of_app, account = (number(told.get(f"{whose}_id_util_pct")) for whose in ("app", "acc"))
    if of_app is not None:
        yield Measurement(f"{_app_scope(app)}/{INSIGHTS}", of_app, ROLLING_SECONDS)
    if account is not None and account_id:
        yield Measurement(f"account/{account_id}/{INSIGHTS}", account, ROLLING_SECONDS)


def _business(
    business: Mapping[str, list[dict[str, Any]]], account_id: str
) -> Iterator[Measurement]:
    for key, uses in business.items():
        owner = account_id if account_id and account_id not in business else key
        for use in uses:
            percent, use_case = _highest(use), use.get("type")
            if percent is None or not (isinstance(use_case, str) and _NAME.fullmatch(use_case)):
                continue
            calls = _HOURLY_CALLS.get((str(use.get("ads_api_access_tier")), use_case))
            yield Measurement(
                f"account/{owner}/{use_case}",
                percent,
                ROLLING_SECONDS,
                point=100 / calls if calls else 0.0,
                blocked_seconds=_wait(use.get("estimated_time_to_regain_access"), 60),
            )


def _higher(one: Measurement, other: Measurement) -> Measurement:
    return Measurement(
        one.scope,
        max(one.percent, other.percent),
        one.decay_seconds,
        max(one.point, other.point),
        max(one.blocked_seconds, other.blocked_seconds),
    )


def _highest(told: Mapping[str, Any]) -> float | None:
    """The highest of Meta's three counts, any of which throttles at 100."""
    counts = [number(told.get(name)) for name in ("call_count", "total_cputime", "total_time")]
    return max((count for count in counts if count is not None), default=None)


def _wait(value: Any, unit_seconds: float) -> float:
    return min((number(value) or 0.0) * unit_seconds, _LONGEST_BLOCK)
